"""Writes today's fitted models under the module and attribute names scikit-learn had before 0.22.

Stub modules (sklearn.svm.classes, sklearn.ensemble.forest, ...) hold empty classes; each fitted object becomes an
instance of the stub with its attributes renamed back. The answers are those of the model it was made from. Unlike the
files of 0.20.4 beside it, these can be made by any Python. Gradient boosting is as in 0.21 (its init is a Dummy model),
the rest as in 0.20; 0.20.4 loads all of it, and answers the same except for `ovr` decisions, which had another formula.

Usage: make_old.py OUTPUT_DIRECTORY
"""
import os
import pickle
import sys
import types
import warnings

import joblib
import joblib.numpy_pickle
import numpy as np
import scipy.sparse
import sklearn
from sklearn.base import BaseEstimator
from sklearn.tree._tree import Tree

import datasets
import emit
from make_sklearn import case_inputs, fit
from sklearn_cases import CASES

# Today's module -> the one before 0.22. Modules that kept their name are absent.
MODULES = {
    "sklearn.svm._classes": "sklearn.svm.classes",
    "sklearn.ensemble._forest": "sklearn.ensemble.forest",
    "sklearn.ensemble._gb": "sklearn.ensemble.gradient_boosting",
    "sklearn.ensemble._bagging": "sklearn.ensemble.bagging",
    "sklearn.ensemble._voting": "sklearn.ensemble.voting_classifier",
    "sklearn.ensemble._iforest": "sklearn.ensemble.iforest",
    "sklearn.ensemble._weight_boosting": "sklearn.ensemble.weight_boosting",
    "sklearn.tree._classes": "sklearn.tree.tree",
    "sklearn.preprocessing._data": "sklearn.preprocessing.data",
    "sklearn.preprocessing._label": "sklearn.preprocessing.label",
    "sklearn.linear_model._logistic": "sklearn.linear_model.logistic",
    "sklearn.linear_model._base": "sklearn.linear_model.base",
    "sklearn.linear_model._ridge": "sklearn.linear_model.ridge",
    "sklearn.linear_model._coordinate_descent": "sklearn.linear_model.coordinate_descent",
    "sklearn.linear_model._stochastic_gradient": "sklearn.linear_model.stochastic_gradient",
    "sklearn.linear_model._perceptron": "sklearn.linear_model.perceptron",
    "sklearn.neighbors._classification": "sklearn.neighbors.classification",
    "sklearn.neighbors._regression": "sklearn.neighbors.regression",
    "sklearn.neural_network._multilayer_perceptron": "sklearn.neural_network.multilayer_perceptron",
    "sklearn.cluster._kmeans": "sklearn.cluster.k_means_",
    "sklearn.decomposition._pca": "sklearn.decomposition.pca",
    "sklearn.decomposition._truncated_svd": "sklearn.decomposition.truncated_svd",
    "sklearn.compose._column_transformer": "sklearn.compose._column_transformer",
    "sklearn.impute._base": "sklearn.impute",
}
KEPT = ("sklearn.pipeline", "sklearn.feature_extraction.text", "sklearn.naive_bayes", "sklearn.preprocessing._encoders",
        "sklearn.discriminant_analysis", "sklearn.multiclass", "sklearn.calibration", "sklearn.dummy", "sklearn.compose._column_transformer")

NAMES = ("linreg ridge lasso sgd_reg logreg logreg_bin_str logreg_liblinear sgd_hinge_multi perceptron ridge_clf linear_svc std minmax robust maxabs "
         "normalizer_l2 pipe_std_logreg pipe_std_pca_svc tree tree_str tree_multi_out tree_reg extra_tree forest forest_str forest_multi_out forest_reg "
         "extra_trees gb_bin gb_multi gb_reg gb_zero svc_rbf_bin svc_rbf_bin_proba svc_rbf_multi_proba svc_linear_multi svc_poly_bin nu_svc svr_rbf "
         "one_class ohe_ignore ordinal imputer_mean imputer_words_constant ct_names count tfidf text_nb text_tfidf_nb text_logreg gaussian_nb "
         "multinomial_nb bernoulli_nb knn_distance mlp_relu kmeans pca voting_soft bagging label_encoder label_binarizer").split()
ENCODINGS = ("pickle2", "joblib-none-p2", "pickle3", "joblib-none-p3", "joblib-zlib-p2", "joblib-gzip-p3")

# The 56 bytes of a node before 1.3, which added missing_go_to_left.
NODE = np.dtype([("left_child", "<i8"), ("right_child", "<i8"), ("feature", "<i8"), ("threshold", "<f8"), ("impurity", "<f8"),
                 ("n_node_samples", "<i8"), ("weighted_n_node_samples", "<f8")])


STUBS = set()


class Refused(Exception):
    """The case holds something that had no counterpart then."""


class OldTree:
    """Pickles as sklearn.tree._tree.Tree did before 1.3: 56-byte nodes, weighted counts as classifier values."""

    def __init__(self, tree, classifier):
        _, self.args, state = tree.__reduce__()
        nodes = np.zeros(len(state["nodes"]), NODE)
        for name in NODE.names:
            nodes[name] = state["nodes"][name]
        values = state["values"].copy()
        if classifier:
            values *= nodes["weighted_n_node_samples"][:, None, None]
        self.state = {"max_depth": state["max_depth"], "node_count": state["node_count"], "nodes": nodes, "values": values}

    def __reduce__(self):
        return (Tree, self.args, self.state)


def module(name):
    """A stub module where the old one was; pickle looks the class up there when it writes its name."""
    if name not in sys.modules:
        sys.modules[name] = types.ModuleType(name)
        parent, _, leaf = name.rpartition(".")
        if parent:
            setattr(module(parent), leaf, sys.modules[name])
    return sys.modules[name]


def stub(name, old_module):
    """An empty class that pickles as old_module.name. Shadows today's class of that name while it is written."""
    made = type(name, (), {"__module__": old_module})
    STUBS.add(made)
    return made


def rename(attributes, *pairs):
    for new, old in pairs:
        if new in attributes:
            attributes[old] = attributes.pop(new)


def attributes_of_then(model):
    """The __dict__ with the names and contents of 0.20 or 0.21."""
    kind = type(model).__name__
    state = dict(model.__dict__)
    counted = kind.startswith(("DecisionTree", "ExtraTree", "RandomForest", "GradientBoosting", "Bagging"))
    if "n_features_in_" in state:
        width = state.pop("n_features_in_")
        if counted:
            state["n_features_"] = width
    for later in ("feature_names_in_", "monotonic_cst", "ccp_alpha", "_n_features_out", "_sklearn_output_config", "_sklearn_version",
                  "loss_function_", "_loss_function_", "_optimizer", "_random_state", "_rng"):
        state.pop(later, None)
    if kind in ("SVC", "NuSVC", "SVR", "NuSVR", "OneClassSVM"):
        rename(state, ("_probA", "probA_"), ("_probB", "probB_"), ("_n_support", "n_support_"))
        state.pop("_effective_probability", None)
    elif kind == "GaussianNB":
        rename(state, ("var_", "sigma_"))
    elif kind == "TfidfTransformer":
        weights = state.pop("idf_")
        state["_idf_diag"] = sparse_of_then(scipy.sparse.diags(weights, format="csr"))
    elif kind == "LogisticRegression":
        state["multi_class"] = "auto" if state["multi_class"] == "deprecated" else state["multi_class"]
    elif kind.startswith("KNeighbors"):
        state.update(_tree=None, _fit_method="brute")
    elif kind == "OneHotEncoder":
        rename(state, ("sparse_output", "sparse"))
        for later in ("drop", "drop_idx_", "_drop_idx_after_grouping", "_infrequent_enabled", "min_frequency", "max_categories",
                      "feature_name_combiner"):
            state.pop(later, None)
        state.update(_legacy_mode=False, n_values=None, categorical_features=None)
    elif kind == "OrdinalEncoder":
        for later in ("handle_unknown", "unknown_value", "encoded_missing_value", "_missing_indices", "min_frequency", "max_categories",
                      "_infrequent_enabled"):
            state.pop(later, None)
    elif kind == "SimpleImputer":
        for later in ("indicator_", "add_indicator", "keep_empty_features", "_fit_dtype"):
            state.pop(later, None)
        state["verbose"] = 0
    elif kind in ("StandardScaler", "MinMaxScaler", "RobustScaler"):
        state.pop("clip", None)
        state.pop("unit_variance", None)
    elif kind.startswith("GradientBoosting"):
        state.pop("_loss", None)
        state["loss"] = {"log_loss": "deviance", "squared_error": "ls"}.get(state["loss"], state["loss"])
        state["loss_"] = loss_of_then(kind, state)
    elif kind == "SGDClassifier":
        state["loss"] = {"log_loss": "log"}.get(state["loss"], state["loss"])
    elif kind == "AdaBoostClassifier":
        rename(state, ("estimator", "base_estimator"), ("estimator_", "base_estimator_"))
    elif kind == "BaggingClassifier":
        rename(state, ("estimator", "base_estimator"), ("estimator_", "base_estimator_"))
    elif kind == "ColumnTransformer":
        for later in ("verbose_feature_names_out", "force_int_remainder_cols", "_transformer_to_input_indices", "output_indices_",
                      "_name_to_fitted_passthrough"):
            state.pop(later, None)
        state["_n_features"] = model.n_features_in_
    return state


def sparse_of_then(matrix):
    """scipy.sparse.csr.csr_matrix, whose module scipy 1.8 renamed."""
    old = stub("csr_matrix", "scipy.sparse.csr")()
    old.__dict__.update(_shape=matrix.shape, maxprint=50, indices=matrix.indices, indptr=matrix.indptr, data=matrix.data)
    return old


def loss_of_then(kind, state):
    name = {"ls": "LeastSquaresError", "deviance": "BinomialDeviance" if state.get("n_classes_") == 2 else "MultinomialDeviance"}[state["loss"]]
    loss = stub(name, "sklearn.ensemble.gradient_boosting")()
    loss.K = 1 if name != "MultinomialDeviance" else int(state["n_classes_"])
    return loss


def convert(value, classifier=False, seen=None):
    """The value with every scikit-learn object in it made old."""
    seen = {} if seen is None else seen
    if id(value) in seen:
        return seen[id(value)]
    if isinstance(value, Tree):
        return OldTree(value, classifier)
    if isinstance(value, BaseEstimator):
        return convert_estimator(value, seen)
    if type(value) in (list, tuple):
        return type(value)(convert(item, classifier, seen) for item in value)
    if type(value) is dict:
        return {key: convert(item, classifier, seen) for key, item in value.items()}
    if isinstance(value, sklearn.utils.Bunch):
        return convert(dict(value), classifier, seen)
    if isinstance(value, np.ndarray) and value.dtype == object:
        out = np.empty(value.shape, object)
        for index in np.ndindex(value.shape):
            out[index] = convert(value[index], classifier, seen)
        return out
    if type(value) in STUBS:
        return value
    if isinstance(value, np.random.RandomState):
        return None
    if type(value).__name__ == "_RemainderColsList":
        return list(value)
    home = type(value).__module__
    if home.startswith("sklearn.") and not home.startswith(("sklearn.neighbors._kd", "sklearn.neighbors._ball", "sklearn.metrics", "sklearn.utils")):
        raise Refused(home + "." + type(value).__name__)
    return value


def convert_estimator(model, seen):
    home = type(model).__module__
    if home not in MODULES and home not in KEPT:
        raise Refused("no old name for " + home)
    old = stub(type(model).__name__, MODULES.get(home, home))()
    seen[id(model)] = old
    classifier = sklearn.base.is_classifier(model) or type(model).__name__.endswith("TreeClassifier")
    old.__dict__.update({key: convert(item, classifier, seen) for key, item in attributes_of_then(model).items()})
    return old


class Shadow:
    """While active, old_module.Name is the stub, so that pickle accepts it."""

    def __init__(self, root):
        self.classes, self.before = {}, []
        self.collect(root, set())

    def collect(self, value, seen):
        if id(value) in seen:
            return
        seen.add(id(value))
        if type(value) in STUBS:
            key = (type(value).__module__, type(value).__name__)
            value.__class__ = self.classes.setdefault(key, type(value))
        if isinstance(value, np.ndarray) and value.dtype == object:
            value = list(value.reshape(-1))
        children = value if isinstance(value, (list, tuple)) else value.values() if isinstance(value, dict) else getattr(value, "__dict__", {}).values()
        for child in children:
            self.collect(child, seen)

    def __enter__(self):
        for (home, name), cls in self.classes.items():
            place = module(home)
            self.before.append((place, name, getattr(place, name, None)))
            setattr(place, name, cls)

    def __exit__(self, *_):
        for place, name, was in self.before:
            if was is None:
                delattr(place, name)
            else:
                setattr(place, name, was)


class OldNumpyPickler(joblib.numpy_pickle.NumpyPickler):
    """joblib before 1.2: arrays are not aligned, and the attribute that says so is absent."""

    def _create_array_wrapper(self, array):
        made = super()._create_array_wrapper(array)
        del made.__dict__["numpy_array_alignment_bytes"]
        return made


def write(model, path, encoding):
    with Shadow(model):
        if encoding.startswith("pickle"):
            with open(path, "wb") as out:
                pickle.dump(model, out, protocol=int(encoding[-1]))
            return
        now, joblib.numpy_pickle.NumpyPickler = joblib.numpy_pickle.NumpyPickler, OldNumpyPickler
        try:
            emit.write_model(model, path, encoding)
        finally:
            joblib.numpy_pickle.NumpyPickler = now


def main():
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    for stale in os.listdir(out):
        os.remove(os.path.join(out, stale))
    warnings.simplefilter("ignore")
    sets = datasets.make()
    by_name = {case["name"]: case for case in CASES}
    entries = []
    for turn, name in enumerate(NAMES):
        case = by_name[name]
        model = fit(case, sets)
        encoding = ENCODINGS[turn % len(ENCODINGS)]
        try:
            old = convert(model)
        except Refused as error:
            print("  skip %-24s %s" % (name, error))
            continue
        path = name + "." + emit.extension(encoding)
        write(old, os.path.join(out, path), encoding)
        entries.append({"name": "old_" + name, "file": path, "encoding": encoding, "class": type(model).__name__, "train": case["train"],
                        "inputs": case_inputs(dict(case, forms=case["forms"][:1]), model, sets)})
    head = {"sklearn": "0.20 layout, answers of " + sklearn.__version__, "numpy": np.__version__, "joblib": "layout of 1.1"}
    emit.dump_cases(os.path.join(out, "cases.json"), head, entries)
    print("  %d old layouts" % len(entries))


if __name__ == "__main__":
    main()
