"""One measurement of a peer's tree scoring: prints one line of JSON like bench_trees does.

usage: venv-trees/bin/python trees_peer.py xgboost|onnxruntime|xgboost-explain MODEL ROWS.f32 FEATURES REPEATS

rows_per_s: best of REPEATS passes over all rows, as one batch. ns_per_row_b1: median of single rows. checksum: sum of probabilities; margin_checksum:
sum of what they are the sigmoids of; tree_checksum (xgboost only): the same without the base score, which is no tree's.
xgboost-explain: contributions of features instead (pred_contribs); checksum is the sum of all without the base score,
first_feature that of the first feature's.
"""
import json
import statistics
import sys
import time

import numpy


def xgboost_runner(model):
    import xgboost

    booster = xgboost.Booster(params={"nthread": 1}, model_file=model)
    booster.set_param({"nthread": 1})
    return booster.inplace_predict


def xgboost_base_margin(model):
    """The logit of base_score, which 3.x writes as "[5E-1]"."""
    import xgboost

    config = json.loads(xgboost.Booster(model_file=model).save_config())
    base = float(config["learner"]["learner_model_param"]["base_score"].strip("[]"))
    return float(numpy.log(base / (1 - base)))


def onnxruntime_runner(model):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda rows: session.run(None, {"rows": rows})[0]


def explain(model, rows, repeats):
    import xgboost

    booster = xgboost.Booster(params={"nthread": 1}, model_file=model)
    booster.set_param({"nthread": 1})
    best, single = float("inf"), []
    data = xgboost.DMatrix(rows, nthread=1)
    for _ in range(repeats):
        begin = time.perf_counter()
        out = booster.predict(data, pred_contribs=True)
        best = min(best, time.perf_counter() - begin)
    for i in range(200):
        row = xgboost.DMatrix(rows[i:i + 1], nthread=1)
        begin = time.perf_counter_ns()
        booster.predict(row, pred_contribs=True)
        single.append(time.perf_counter_ns() - begin)
    out = numpy.asarray(out, numpy.float64)
    print(json.dumps({"rows_per_s": len(rows) / best, "ns_per_row_b1": statistics.median(single),
                      "checksum": out.sum() - len(rows) * xgboost_base_margin(model), "first_feature": out[:, 0].sum()}))


def main():
    peer, model, file, features, repeats = sys.argv[1:6]
    rows = numpy.fromfile(file, numpy.float32).reshape(-1, int(features))
    if peer == "xgboost-explain":
        return explain(model, rows, int(repeats))
    run = {"xgboost": xgboost_runner, "onnxruntime": onnxruntime_runner}[peer](model)
    out = numpy.asarray(run(rows), numpy.float64).ravel()
    if peer == "onnxruntime":
        margin, out = out, 1 / (1 + numpy.exp(-out))
    else:
        margin = numpy.log(out / (1 - out))
    best = float("inf")
    for _ in range(int(repeats)):
        begin = time.perf_counter()
        run(rows)
        best = min(best, time.perf_counter() - begin)
    single = []
    for i in range(2000):
        row = rows[i:i + 1]
        begin = time.perf_counter_ns()
        run(row)
        single.append(time.perf_counter_ns() - begin)
    result = {"rows_per_s": len(rows) / best, "ns_per_row_b1": statistics.median(single), "checksum": out.sum(),
              "margin_checksum": margin.sum()}
    if peer == "xgboost":
        result["tree_checksum"] = margin.sum() - len(rows) * xgboost_base_margin(model)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
