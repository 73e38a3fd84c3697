"""Trains what the benchmarks serve and score, into a folder outside the tree.

usage: venv-mlserver/bin/python make_models.py http FOLDER     iris SVC and RandomForest(100), as joblib files
       venv-trees/bin/python make_models.py trees FOLDER       two boosters (100 x depth 6, 500 x depth 8), their ONNX twins, rows
"""
import json
import pathlib
import sys


def make_http(folder):
    import joblib
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.svm import SVC

    x, y = load_iris(return_X_y=True)
    models = {"iris-svc": SVC(gamma=0.001, C=100.0), "iris-forest": RandomForestClassifier(n_estimators=100, random_state=1)}
    for name, model in models.items():
        (folder / "models" / name).mkdir(parents=True, exist_ok=True)
        joblib.dump(model.fit(x, y), folder / "models" / name / "model.joblib")


ROWS, FEATURES = 20_000, 28
ENSEMBLES = {"100x6": (100, 6), "500x8": (500, 8)}


def make_rows(numpy, random, count):
    """Noise with a signal in it, and one value in ten missing."""
    x = random.standard_normal((count, FEATURES)).astype(numpy.float32)
    signal = x[:, 0] * x[:, 1] + numpy.sin(2 * x[:, 2]) + 0.5 * x[:, 3] * (x[:, 4] > 0) - 0.3 * x[:, 5:12].sum(axis=1) ** 2 / 7
    y = (signal + random.standard_normal(count) > numpy.median(signal)).astype(numpy.float32)
    x[random.random(x.shape) < 0.1] = numpy.nan
    return x, y


def tree_attributes(trees):
    """The attributes of ONNX's TreeEnsembleRegressor for xgboost's trees: x < split goes to the true branch, left."""
    out = {name: [] for name in ("nodes_treeids", "nodes_nodeids", "nodes_featureids", "nodes_modes", "nodes_values",
                                 "nodes_truenodeids", "nodes_falsenodeids", "nodes_missing_value_tracks_true",
                                 "target_treeids", "target_nodeids", "target_ids", "target_weights")}
    for number, tree in enumerate(trees):
        for node, left in enumerate(tree["left_children"]):
            leaf = left < 0
            out["nodes_treeids"].append(number)
            out["nodes_nodeids"].append(node)
            out["nodes_featureids"].append(0 if leaf else tree["split_indices"][node])
            out["nodes_modes"].append("LEAF" if leaf else "BRANCH_LT")
            out["nodes_values"].append(0.0 if leaf else tree["split_conditions"][node])
            out["nodes_truenodeids"].append(0 if leaf else left)
            out["nodes_falsenodeids"].append(0 if leaf else tree["right_children"][node])
            out["nodes_missing_value_tracks_true"].append(0 if leaf else int(tree["default_left"][node]))
            if leaf:
                out["target_treeids"].append(number)
                out["target_nodeids"].append(node)
                out["target_ids"].append(0)
                out["target_weights"].append(tree["split_conditions"][node])  # xgboost keeps a leaf's value there.
    return out


def write_onnx(booster, file):
    """Writes the booster as one TreeEnsembleRegressor that gives margins."""
    import math

    import onnx

    learner = json.loads(bytes(booster.save_raw("json")))["learner"]
    base = float(learner["learner_model_param"]["base_score"].strip("[]"))
    attributes = tree_attributes(learner["gradient_booster"]["model"]["trees"])
    node = onnx.helper.make_node("TreeEnsembleRegressor", ["rows"], ["margin"], domain="ai.onnx.ml", n_targets=1,
                                 aggregate_function="SUM", post_transform="NONE", base_values=[math.log(base / (1 - base))],
                                 **attributes)
    rows = onnx.helper.make_tensor_value_info("rows", onnx.TensorProto.FLOAT, [None, FEATURES])
    margin = onnx.helper.make_tensor_value_info("margin", onnx.TensorProto.FLOAT, [None, 1])
    graph = onnx.helper.make_graph([node], "trees", [rows], [margin])
    opsets = [onnx.helper.make_opsetid("ai.onnx.ml", 3), onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), str(file))


def make_trees(folder):
    import numpy
    import xgboost

    random = numpy.random.default_rng(28)
    x, y = make_rows(numpy, random, 40_000)
    rows, _ = make_rows(numpy, random, ROWS)
    folder.mkdir(parents=True, exist_ok=True)
    rows.tofile(folder / "rows.f32")
    data = xgboost.QuantileDMatrix(x, label=y, nthread=1)
    for name, (count, depth) in ENSEMBLES.items():
        parameters = {"objective": "binary:logistic", "max_depth": depth, "eta": 0.1, "tree_method": "hist", "nthread": 1, "seed": 1,
                      "min_child_weight": 0, "lambda": 0.1}
        booster = xgboost.train(parameters, data, count)
        booster.save_model(folder / f"{name}.ubj")
        write_onnx(booster, folder / f"{name}.onnx")


if __name__ == "__main__":
    {"http": make_http, "trees": make_trees}[sys.argv[1]](pathlib.Path(sys.argv[2]))
