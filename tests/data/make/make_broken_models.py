"""Writes tests/data/broken_models: scikit-learn models whose attributes do not agree with each other, and what the
refusal must say. Nothing of scikit-learn is needed: the pickles name its classes and carry made-up attributes.

    python tests/data/make/make_broken_models.py     (any numpy)
"""
import os
import pickle
import sys
import types
import zlib

import numpy as np

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "broken_models")
CASES = []


def module_class(module, name):
    """A stand-in class that pickles under the real one's name."""
    parts = module.split(".")
    for i in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:i]), types.ModuleType(".".join(parts[:i])))
    home = sys.modules[module]
    if not hasattr(home, name):
        setattr(home, name, type(name, (), {"__module__": module, "__qualname__": name}))
    return getattr(home, name)


def make(module, class_name, **attributes):
    out = module_class("sklearn." + module, class_name)()
    out.__dict__.update(attributes, _sklearn_version="1.5.2")
    return out


class Tree:
    __module__ = "sklearn.tree._tree"
    __qualname__ = "Tree"

    def __init__(self, *args):
        self.args = args

    def __reduce__(self):
        return (Tree, self.args, self.state)


module_class("sklearn.tree._tree", "Placeholder")
sys.modules["sklearn.tree._tree"].Tree = Tree

NODE = np.dtype([("left_child", "<i8"), ("right_child", "<i8"), ("feature", "<i8"), ("threshold", "<f8"), ("impurity", "<f8"),
                 ("n_node_samples", "<i8"), ("weighted_n_node_samples", "<f8"), ("missing_go_to_left", "u1")])


def tree(children, features=None, values=None, node_count=None, width=2):
    count = len(children)
    nodes = np.zeros(count, dtype=NODE)
    for i, (left, right) in enumerate(children):
        nodes[i]["left_child"], nodes[i]["right_child"] = left, right
        nodes[i]["feature"] = features[i] if features else (0 if left >= 0 else -2)
        nodes[i]["n_node_samples"] = 3
    out = Tree(2, np.array([width]), 1)
    out.state = {"max_depth": 3, "node_count": count if node_count is None else node_count, "nodes": nodes,
                 "values": np.ones((count, 1, width)) / width if values is None else values}
    return out


STUMP = [(1, 2), (-1, -1), (-1, -1)]


def forest(*trees, **attributes):
    members = [make("tree._classes", "DecisionTreeClassifier", tree_=t) for t in trees]
    return make("ensemble._forest", "RandomForestClassifier", **dict(dict(estimators_=members, n_features_in_=2,
                classes_=np.array([0, 1]), n_classes_=2, n_outputs_=1), **attributes))


def case(name, model, *needles):
    CASES.append((name, needles))
    data = pickle.dumps(model, protocol=4)
    with open(os.path.join(OUT, name + ".pkl"), "wb") as out:
        out.write(data if len(data) < 20000 else zlib.compress(data))  # joblib's zlib is found by magic


def trees():
    case("forest_ok", forest(tree(STUMP)))
    case("forest_loop", forest(tree([(1, 2), (0, 2), (-1, -1)])), "RandomForestClassifier", "tree 0")
    case("forest_self", forest(tree([(0, 0)])), "tree 0")
    case("forest_child_out", forest(tree([(1, 99), (-1, -1), (-1, -1)])), "tree 0")
    case("forest_child_negative", forest(tree([(1, -7), (-1, -1), (-1, -1)])), "tree 0")
    case("forest_feature_out", forest(tree(STUMP, features=[5, -2, -2])), "tree 0")
    case("forest_node_count", forest(tree(STUMP, node_count=4)), "estimators_[0].tree_", "node_count")
    case("forest_values_short", forest(tree(STUMP, values=np.ones((2, 1, 2)))), "estimators_[0].tree_", "values")
    case("forest_values_flat", forest(tree(STUMP, values=np.ones((3, 2)))), "estimators_[0].tree_", "values")
    case("forest_classes", forest(tree(STUMP), classes_=np.arange(3)), "classes_", "3 classes")
    case("forest_not_trees", make("ensemble._forest", "RandomForestClassifier", estimators_=[1, 2], classes_=np.arange(2)),
         "estimators_[0]", "not a fitted decision tree")
    case("forest_empty", forest(), "estimators_")
    shared = tree(STUMP)
    case("forest_shared", forest(shared, shared), "estimators_[1].tree_", "shares its nodes")
    deep = [(i + 1, 9999) for i in range(9999)] + [(-1, -1)]
    case("forest_deep", forest(tree(deep)), "tree 0")
    isolation = make("ensemble._iforest", "IsolationForest", n_features_in_=2, offset_=-0.5, _max_samples=3,
                     estimators_=[make("tree._classes", "ExtraTreeRegressor", tree_=tree(STUMP, width=1))],
                     estimators_features_=[np.array([7, 9])])
    case("isolation_features", isolation, "IsolationForest", "tree 0")


def boosting():
    member = make("tree._classes", "DecisionTreeRegressor", tree_=tree(STUMP, width=1))
    stages = np.array([[member]], dtype=object)
    dummy = make("dummy", "DummyClassifier", strategy="prior", class_prior_=np.array([0.2, 0.3, 0.5]))
    common = dict(loss="log_loss", learning_rate=0.1, n_features_in_=2, estimators_=stages)
    case("boosting_stages", make("ensemble._gb", "GradientBoostingClassifier", classes_=np.arange(3), init_=dummy, **common),
         "stages of 3")
    case("boosting_init", make("ensemble._gb", "GradientBoostingClassifier", classes_=np.arange(2), init_=dummy, **common),
         "init_", "class_prior_")
    case("boosting_loss", make("ensemble._gb", "GradientBoostingClassifier", classes_=np.arange(2), init_="zero",
                               **dict(common, loss="mystery")), "mystery")
    dtype = np.dtype([("value", "<f8"), ("count", "<u4"), ("feature_idx", "<i8"), ("num_threshold", "<f8"),
                      ("missing_go_to_left", "u1"), ("left", "<u4"), ("right", "<u4"), ("gain", "<f8"), ("depth", "<u4"),
                      ("is_leaf", "u1"), ("bin_threshold", "u1"), ("is_categorical", "u1"), ("bitset_idx", "<u4")])

    def hist(change, **attributes):
        nodes = np.zeros(3, dtype=dtype)
        nodes["is_leaf"] = [0, 1, 1]
        nodes[0]["left"], nodes[0]["right"] = 1, 2
        for field, value in change.items():
            nodes[0][field] = value
        predictor = make("ensemble._hist_gradient_boosting.predictor", "TreePredictor", nodes=nodes,
                         raw_left_cat_bitsets=np.zeros((0, 8), dtype=np.uint32))
        mapper = make("ensemble._hist_gradient_boosting.binning", "_BinMapper", is_categorical_=np.zeros(2, dtype=np.uint8),
                      bin_thresholds_=[np.zeros(1), np.zeros(1)])
        return make("ensemble._hist_gradient_boosting.gradient_boosting", "HistGradientBoostingRegressor",
                    **dict(dict(loss="squared_error", n_features_in_=2, _predictors=[[predictor]], _bin_mapper=mapper,
                                _baseline_prediction=np.zeros((1, 1)), _preprocessor=None), **attributes))

    case("hist_ok", hist({}))
    case("hist_loop", hist({"left": 0}), "tree 0")
    case("hist_child", hist({"right": 77}), "tree 0")
    case("hist_feature", hist({"feature_idx": -3}), "tree 0")
    case("hist_bitset", hist({"is_categorical": 1, "bitset_idx": 9}), "_predictors[0][0]", "category set 9")
    case("hist_baseline", hist({}, _baseline_prediction=np.zeros((1, 4))), "_baseline_prediction")
    case("hist_loss", hist({}, loss="mystery"), "mystery")


def kernels():
    def svc(**attributes):
        return make("svm._classes", "SVC", **dict(dict(
            kernel="rbf", _gamma=0.5, degree=3, coef0=0.0, n_features_in_=2, classes_=np.arange(2), probability=False,
            support_vectors_=np.ones((3, 2)), _n_support=np.array([1, 2], dtype=np.int32), _dual_coef_=np.ones((1, 3)),
            _intercept_=np.zeros(1), _probA=np.zeros(0), _probB=np.zeros(0), _sparse=False), **attributes))

    case("svc_ok", svc())
    case("svc_negative_support", svc(_n_support=np.array([-1, 4], dtype=np.int32)), "SVC", "_n_support")
    case("svc_too_many_support", svc(_n_support=np.array([2, 2], dtype=np.int32)), "_n_support")
    case("svc_dual", svc(_dual_coef_=np.ones((1, 2))), "_dual_coef_")
    case("svc_intercept", svc(_intercept_=np.zeros(3)), "_intercept_")
    case("svc_width", svc(n_features_in_=5), "support_vectors_")
    case("svc_platt", svc(probability=True, _probA=np.zeros(4), _probB=np.zeros(4)), "_probA")
    case("svc_precomputed", svc(kernel="precomputed"), "precomputed")
    case("svc_degree", svc(kernel="poly", degree=1 << 40), "degree")
    case("svc_nan_support", svc(_n_support=np.array([np.nan, 3.0])), "_n_support")

    def neighbors(**attributes):
        return make("neighbors._classification", "KNeighborsClassifier", **dict(dict(
            n_neighbors=2, weights="uniform", effective_metric_="euclidean", effective_metric_params_={}, n_features_in_=2,
            classes_=np.arange(2), outputs_2d_=False, _fit_X=np.ones((3, 2)), _y=np.array([0, 1, 1])), **attributes))

    case("knn_ok", neighbors())
    case("knn_class", neighbors(_y=np.array([0, 1, 9])), "_y[2]")
    case("knn_rows", neighbors(_y=np.array([0, 1])), "_y")
    case("knn_many", neighbors(n_neighbors=4), "n_neighbors")
    case("knn_none", neighbors(n_neighbors=0), "n_neighbors")
    case("knn_metric", neighbors(effective_metric_="haversine"), "haversine")
    case("knn_weights", neighbors(weights=len), "weights")


def networks():
    def mlp(coefs, intercepts, **attributes):
        return make("neural_network._multilayer_perceptron", "MLPRegressor", **dict(dict(
            coefs_=coefs, intercepts_=intercepts, activation="relu", out_activation_="identity", n_features_in_=2), **attributes))

    case("mlp_ok", mlp([np.ones((2, 3)), np.ones((3, 1))], [np.ones(3), np.ones(1)]))
    case("mlp_chain", mlp([np.ones((2, 3)), np.ones((4, 1))], [np.ones(3), np.ones(1)]), "coefs_[1]")
    case("mlp_intercepts", mlp([np.ones((2, 3))], [np.ones(2)]), "coefs_[0]")
    case("mlp_layers", mlp([np.ones((2, 3))], []), "intercepts_")
    case("mlp_activation", mlp([np.ones((2, 3))], [np.ones(3)], activation="mystery"), "mystery")
    case("mlp_shared", mlp([np.ones((100, 100))] * 2000, [np.ones(100)] * 2000, n_features_in_=100))


def ensembles():
    leaf = make("tree._classes", "DecisionTreeClassifier", tree_=tree(STUMP), classes_=np.arange(2), n_features_in_=2)
    bag = dict(estimators_=[leaf], estimators_features_=[np.array([0, 1])], n_features_in_=2, classes_=np.arange(2))
    case("bagging_ok", make("ensemble._bagging", "BaggingClassifier", **bag))
    case("bagging_features", make("ensemble._bagging", "BaggingClassifier", **dict(bag, estimators_features_=[np.array([0, 8])])),
         "estimators_features_[0]")
    case("bagging_classes", make("ensemble._bagging", "BaggingClassifier", **dict(bag, classes_=np.array(["a"]))), "estimators_[0]")
    itself = make("ensemble._bagging", "BaggingClassifier", **dict(bag, estimators_=[]))
    itself.estimators_ = [itself]
    case("bagging_itself", itself, "contains itself")
    case("voting_weights", make("ensemble._voting", "VotingClassifier", estimators_=[leaf], estimators=[("a", leaf)], voting="soft",
                                weights=[1.0, 2.0], classes_=np.arange(2)), "weights")
    case("stacking_methods", make("ensemble._stacking", "StackingRegressor", estimators_=[leaf], stack_method_=["decision_function"],
                                  final_estimator_=leaf, passthrough=False), "decision_function")
    case("ovo_count", make("multiclass", "OneVsOneClassifier", estimators_=[leaf], classes_=np.arange(4), n_features_in_=2),
         "1 estimators for 4 classes")
    case("chain_order", make("multioutput", "RegressorChain", estimators_=[leaf, leaf], order_=[0, 0], n_features_in_=2), "order_")
    case("unknown_class", make("ensemble._magic", "MagicForest", estimators_=[leaf]), "MagicForest")


def main():
    os.makedirs(OUT, exist_ok=True)
    trees()
    boosting()
    kernels()
    networks()
    ensembles()
    with open(os.path.join(OUT, "expected.txt"), "w") as out:
        for name, needles in CASES:
            out.write("\t".join((name,) + needles) + "\n")
    print(len(CASES), "models")


main()
