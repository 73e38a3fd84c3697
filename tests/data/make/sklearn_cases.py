"""The list of scikit-learn cases: one row per case, the same rows for every version.

A row a version does not know (a class or parameter it lacks) is skipped and named on the way.
"""
import importlib
import inspect

import numpy as np

MODULES = ("linear_model", "tree", "ensemble", "svm", "neighbors", "naive_bayes", "neural_network", "cluster",
           "decomposition", "preprocessing", "impute", "pipeline", "compose", "feature_extraction.text",
           "feature_selection", "discriminant_analysis", "mixture", "gaussian_process", "cross_decomposition", "dummy",
           "model_selection", "calibration", "multiclass", "multioutput", "isotonic", "kernel_approximation",
           "random_projection", "covariance", "kernel_ridge")


class Missing(Exception):
    """This version has no such class or parameter."""


class Lazy:
    """Finds a public class by name, whatever module this version keeps it in."""

    def __getattr__(self, name):
        for experiment in ("enable_hist_gradient_boosting", "enable_iterative_imputer"):
            try:
                importlib.import_module("sklearn.experimental." + experiment)
            except ImportError:
                pass
        for module in MODULES:
            try:
                found = getattr(importlib.import_module("sklearn." + module), name, None)
            except ImportError:
                continue
            if found is not None:
                return lambda *args, **kw: _construct(found, args, kw)
        raise Missing("no class " + name)


def _construct(cls, args, kw):
    known = inspect.signature(cls.__init__).parameters
    anything = any(p.kind == p.VAR_KEYWORD for p in known.values())  # Deprecated classes hide their signature.
    for key in kw:
        if key not in known and not anything:
            raise Missing("%s has no parameter %s" % (cls.__name__, key))
    return cls(*args, **kw)


C = Lazy()
CASES = []
NUMERIC = ("f64", "f32")


def add(name, make, train, query=None, forms=None, **options):
    """make() gives the unfitted estimator; train and query name sets of datasets.make()."""
    if query is None:
        query = {"codes": "q_codes", "counts": "q_counts", "texts": "q_texts"}.get(train, "q_iris")
    if forms is None:
        forms = {"q_texts": ("texts",), "q_people": ("columns",), "q_people_known": ("columns",), "q_words": ("columns",),
                 "q_words_known": ("columns",), "q_letters": ("columns",), "q_codes": ("i64",),
                 "q_counts": ("i64", "f64")}.get(query, NUMERIC)
    CASES.append(dict(name=name, make=make, train=train, query=query, forms=forms, **options))


def old_or_new(new, old):
    """A parameter that got a new spelling: try the new one, then the old one."""
    def make():
        try:
            return new()
        except Missing:
            return old()
    return make


def one_hot(**kw):
    """OneHotEncoder with dense output under both spellings."""
    return old_or_new(lambda: C.OneHotEncoder(sparse_output=False, **kw), lambda: C.OneHotEncoder(sparse=False, **kw))()


def chi2():
    from sklearn.feature_selection import chi2 as score
    return score


def iris_pipeline():
    return C.Pipeline([("scale", C.StandardScaler()), ("model", C.LogisticRegression(max_iter=300))])


def mixed(numbers, words, others="drop", model=None):
    steps = [("columns", C.ColumnTransformer([
        ("numbers", C.Pipeline([("fill", C.SimpleImputer(strategy="median")), ("scale", C.StandardScaler())]), numbers),
        ("words", C.Pipeline([("fill", C.SimpleImputer(strategy="constant", fill_value="none", missing_values=None)),
                              ("code", C.OneHotEncoder(handle_unknown="ignore"))]), words)], remainder=others))]
    steps.append(("model", C.LogisticRegression(max_iter=300) if model is None else model))
    return C.Pipeline(steps)


# --- Linear models ---------------------------------------------------------------------------------------------------

add("linreg", lambda: C.LinearRegression(), "reg", forms=("f64", "f32", "i64"))
add("linreg_1col", lambda: C.LinearRegression(), "reg_1col")
add("linreg_multi", lambda: C.LinearRegression(), "reg2")
add("linreg_nointercept", lambda: C.LinearRegression(fit_intercept=False), "reg")
add("linreg_f32", lambda: C.LinearRegression(), "reg_f32")
add("ridge", lambda: C.Ridge(alpha=0.7), "reg")
add("ridge_multi", lambda: C.Ridge(alpha=0.7), "reg2")
add("ridge_cv", lambda: C.RidgeCV(), "reg")
add("lasso", lambda: C.Lasso(alpha=0.05), "reg")
add("lasso_cv", lambda: C.LassoCV(cv=3), "reg")
add("elastic_net", lambda: C.ElasticNet(alpha=0.05), "reg")
add("elastic_net_cv", lambda: C.ElasticNetCV(cv=3), "reg")
add("multitask_lasso", lambda: C.MultiTaskLasso(alpha=0.05), "reg2")
add("bayesian_ridge", lambda: C.BayesianRidge(), "reg")
add("ard", lambda: C.ARDRegression(), "reg")
add("huber", lambda: C.HuberRegressor(max_iter=300), "reg")
add("theil_sen", lambda: C.TheilSenRegressor(random_state=0, max_subpopulation=200), "reg")
add("ransac", lambda: C.RANSACRegressor(random_state=0), "reg")
add("sgd_reg", lambda: C.SGDRegressor(random_state=0), "reg")
add("pa_reg", lambda: C.PassiveAggressiveRegressor(random_state=0), "reg")
add("linear_svr", lambda: C.LinearSVR(random_state=0, max_iter=5000), "reg")
add("lars", lambda: C.Lars(n_nonzero_coefs=3), "reg")
add("lasso_lars", lambda: C.LassoLars(alpha=0.02), "reg")
add("omp", lambda: C.OrthogonalMatchingPursuit(n_nonzero_coefs=2), "reg")
add("poisson_reg", lambda: C.PoissonRegressor(), "reg_pos")
add("gamma_reg", lambda: C.GammaRegressor(), "reg_pos")
add("tweedie_log", lambda: C.TweedieRegressor(power=1.5, link="log"), "reg_pos")
add("tweedie_identity", lambda: C.TweedieRegressor(power=0), "reg_pos")
add("quantile_reg", lambda: C.QuantileRegressor(alpha=0.01, solver="highs"), "reg")
add("kernel_ridge", lambda: C.KernelRidge(kernel="rbf", gamma=0.3), "reg")

add("logreg", lambda: C.LogisticRegression(max_iter=300), "iris", forms=("f64", "f32", "i64"))
add("logreg_bin", lambda: C.LogisticRegression(), "bin")
add("logreg_bin_str", lambda: C.LogisticRegression(), "bin_str")
add("logreg_bin_bool", lambda: C.LogisticRegression(), "bin_bool")
add("logreg_str", lambda: C.LogisticRegression(max_iter=300), "iris_str")
add("logreg_f32", lambda: C.LogisticRegression(max_iter=300), "iris_f32")
add("logreg_ovr", lambda: C.LogisticRegression(multi_class="ovr"), "iris")
add("logreg_multinomial", lambda: C.LogisticRegression(multi_class="multinomial", max_iter=300), "iris")
add("logreg_multinomial_bin", lambda: C.LogisticRegression(multi_class="multinomial"), "bin")
add("logreg_liblinear", lambda: C.LogisticRegression(solver="liblinear"), "iris")
add("logreg_liblinear_bin", lambda: C.LogisticRegression(solver="liblinear"), "bin")
add("logreg_saga_l1", lambda: C.LogisticRegression(solver="saga", penalty="l1", max_iter=500, random_state=0), "iris")
add("logreg_newton_cholesky", lambda: C.LogisticRegression(solver="newton-cholesky"), "iris")
add("logreg_newton_cholesky_bin", lambda: C.LogisticRegression(solver="newton-cholesky"), "bin")
add("logreg_nointercept", lambda: C.LogisticRegression(fit_intercept=False, max_iter=300), "iris")
add("logreg_cv", lambda: C.LogisticRegressionCV(cv=3, Cs=4, max_iter=500), "iris")
add("logreg_cv_liblinear", lambda: C.LogisticRegressionCV(cv=3, Cs=4, solver="liblinear"), "bin")
for loss in ("hinge", "log_loss", "modified_huber", "squared_hinge", "perceptron", "huber"):
    for kind, train in (("bin", "bin"), ("multi", "iris")):
        add("sgd_%s_%s" % (loss, kind),
            lambda loss=loss: C.SGDClassifier(loss=loss, random_state=1), train)
add("sgd_log_old", lambda: C.SGDClassifier(loss="log", random_state=1), "iris")
add("perceptron", lambda: C.Perceptron(random_state=0), "iris")
add("perceptron_bin_str", lambda: C.Perceptron(random_state=0), "bin_str")
add("pa_clf", lambda: C.PassiveAggressiveClassifier(random_state=0), "iris")
add("ridge_clf", lambda: C.RidgeClassifier(), "iris")
add("ridge_clf_bin", lambda: C.RidgeClassifier(), "bin_str")
add("ridge_clf_multilabel", lambda: C.RidgeClassifier(), "multi_label")
add("ridge_clf_cv", lambda: C.RidgeClassifierCV(), "iris")
add("linear_svc", lambda: C.LinearSVC(random_state=0, max_iter=5000), "iris")
add("linear_svc_bin", lambda: C.LinearSVC(random_state=0, max_iter=5000), "bin_str")
add("linear_svc_crammer", lambda: C.LinearSVC(multi_class="crammer_singer", random_state=0, max_iter=5000), "iris")

# --- Scalers and pipelines -------------------------------------------------------------------------------------------

add("std", lambda: C.StandardScaler(), "iris", forms=("f64", "f32", "i64"))
add("std_nomean", lambda: C.StandardScaler(with_mean=False), "iris")
add("std_nostd", lambda: C.StandardScaler(with_std=False), "iris")
add("std_neither", lambda: C.StandardScaler(with_mean=False, with_std=False), "iris")
add("std_constant", lambda: C.StandardScaler(), "constant", "q_constant")
add("std_nan", lambda: C.StandardScaler(), "nan", "q_nan")
add("std_f32", lambda: C.StandardScaler(), "iris_f32")
add("minmax", lambda: C.MinMaxScaler(), "iris", forms=("f64", "f32", "i64"))
add("minmax_clip", lambda: C.MinMaxScaler(feature_range=(-1, 2), clip=True), "iris")
add("minmax_constant", lambda: C.MinMaxScaler(), "constant", "q_constant")
add("robust", lambda: C.RobustScaler(), "iris")
add("robust_flags", lambda: C.RobustScaler(with_centering=False, quantile_range=(10, 90), unit_variance=True), "iris")
add("maxabs", lambda: C.MaxAbsScaler(), "iris")
for norm in ("l1", "l2", "max"):
    add("normalizer_" + norm, lambda norm=norm: C.Normalizer(norm=norm), "iris")
add("normalizer_zero_row", lambda: C.Normalizer(), "constant", "q_constant")
add("binarizer", lambda: C.Binarizer(threshold=2.5), "iris")
add("pipe_std_logreg", iris_pipeline, "iris_str", forms=("f64", "f32", "i64"))
add("pipe_std_pca_svc", lambda: C.Pipeline([("s", C.StandardScaler()), ("p", C.PCA(2)), ("m", C.SVC())]), "iris")
add("pipe_passthrough", lambda: C.Pipeline([("a", "passthrough"), ("s", C.MinMaxScaler()), ("m", C.Ridge())]), "reg")
add("pipe_transform_only", lambda: C.Pipeline([("i", C.SimpleImputer()), ("s", C.RobustScaler())]), "nan", "q_nan")
add("pipe_nested", lambda: C.Pipeline([("o", C.Pipeline([("s", C.StandardScaler()), ("x", C.PolynomialFeatures(2))])),
                                       ("m", C.LogisticRegression(max_iter=500))]), "iris")
add("pipe_nan_logreg", lambda: C.Pipeline([("i", C.SimpleImputer(add_indicator=True)), ("m", C.LogisticRegression(max_iter=500))]),
    "nan", "q_nan")
add("nan_refused", iris_pipeline, "iris", "q_nan", forms=("f64",), refuses=True)
add("union", lambda: C.FeatureUnion([("p", C.PCA(2)), ("s", C.StandardScaler())]), "iris")
add("union_weights", lambda: C.Pipeline([
    ("u", C.FeatureUnion([("p", C.PCA(2)), ("k", C.SelectKBest(k=2)), ("d", "drop"), ("m", C.MinMaxScaler())],
                         transformer_weights={"p": 2.0, "m": 0.5})), ("m", C.LogisticRegression(max_iter=300))]), "iris")
add("union_passthrough", lambda: C.FeatureUnion([("keep", "passthrough"), ("s", C.MaxAbsScaler())]), "iris")
add("grid_search", lambda: C.GridSearchCV(C.LogisticRegression(max_iter=300), {"C": [0.1, 1.0]}, cv=3), "iris")
add("random_search", lambda: C.RandomizedSearchCV(C.Ridge(), {"alpha": [0.1, 1.0]}, n_iter=2, cv=3, random_state=0), "reg")
add("ttr_log", lambda: C.TransformedTargetRegressor(C.Ridge(), func=np.log1p, inverse_func=np.expm1), "reg_pos")
add("ttr_scaler", lambda: C.TransformedTargetRegressor(C.LinearRegression(), transformer=C.StandardScaler()), "reg")

# --- Column transformers ---------------------------------------------------------------------------------------------

add("ct_ints", lambda: C.ColumnTransformer([("a", C.StandardScaler(), [0, 2]), ("b", C.MinMaxScaler(), [-1])]), "iris")
add("ct_slice", lambda: C.ColumnTransformer([("a", C.StandardScaler(), slice(0, 2)), ("b", "passthrough", slice(2, None))]), "iris")
add("ct_mask", lambda: C.ColumnTransformer([("a", C.StandardScaler(), [True, False, True, False])], remainder="passthrough"), "iris")
add("ct_mask_array", lambda: C.ColumnTransformer([("a", C.StandardScaler(), np.array([False, True, True, False])),
                                                  ("b", "drop", [0])], remainder=C.MaxAbsScaler()), "iris")
add("ct_remainder_model", lambda: C.Pipeline([
    ("c", C.ColumnTransformer([("a", C.PCA(1), [0, 1])], remainder=C.MinMaxScaler())), ("m", C.LogisticRegression(max_iter=300))]), "iris")
add("ct_weights", lambda: C.ColumnTransformer([("a", C.StandardScaler(), [0, 1]), ("b", C.StandardScaler(), [2, 3])],
                                              transformer_weights={"a": 3.0}), "iris")
add("ct_empty", lambda: C.ColumnTransformer([("a", C.StandardScaler(), []), ("b", C.MinMaxScaler(), [1, 3])]), "iris")
add("ct_names", lambda: mixed(["age", "fare"], ["sex", "port"]), "people", "q_people")
add("ct_names_remainder", lambda: mixed(["age", "fare"], ["sex", "port"], others="passthrough"), "people", "q_people")
add("ct_name_slice", lambda: mixed(slice("age", "siblings"), ["sex"]), "people", "q_people_known")
add("ct_ints_on_frame", lambda: mixed([0, 1], [3, 4]), "people", "q_people")
add("ct_mask_on_frame", lambda: mixed([True, True, False, False, False], [False, False, False, True, True], others="passthrough"),
    "people", "q_people")
add("ct_selector", lambda: C.Pipeline([
    ("c", C.ColumnTransformer([("n", C.SimpleImputer(), C.make_column_selector(dtype_include=np.number)),
                               ("w", C.OneHotEncoder(handle_unknown="ignore"), C.make_column_selector(dtype_include=object))])),
    ("m", C.DecisionTreeClassifier(max_depth=3, random_state=0))]), "people", "q_people")
add("ct_forest", lambda: mixed(["age", "fare", "siblings"], ["sex", "port"],
                               model=C.RandomForestClassifier(6, max_depth=4, random_state=0)), "people", "q_people")
add("ct_regressor", lambda: mixed(["age", "siblings"], ["sex", "port"], model=C.GradientBoostingRegressor(n_estimators=6, random_state=0)),
    "people_reg", "q_people")
add("ct_only", lambda: C.ColumnTransformer([("n", C.SimpleImputer(add_indicator=True), ["age", "fare"]),
                                            ("o", C.OrdinalEncoder(), ["sex"])], sparse_threshold=0), "people", "q_people_known")
add("ct_ordinal_hgb", lambda: C.Pipeline([
    ("c", C.ColumnTransformer([("w", C.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["sex", "port"])],
                              remainder="passthrough")),
    ("m", C.HistGradientBoostingClassifier(max_iter=6, min_samples_leaf=5))]), "people", "q_people")
add("ct_text", lambda: C.Pipeline([
    ("c", C.ColumnTransformer([("t", C.TfidfVectorizer(), "subject"), ("s", C.OneHotEncoder(handle_unknown="ignore"), ["sender"]),
                               ("l", C.MinMaxScaler(), ["length"])])),
    ("m", C.LogisticRegression())]), "letters", "q_letters")
add("logreg_named", lambda: C.Pipeline([("i", C.ColumnTransformer([("n", C.SimpleImputer(), ["age", "fare", "siblings"])])),
                                        ("m", C.LogisticRegression(max_iter=500))]), "people", "q_people")

# --- Trees and forests -----------------------------------------------------------------------------------------------

add("tree", lambda: C.DecisionTreeClassifier(random_state=0), "iris", forms=("f64", "f32", "i64"))
add("tree_str", lambda: C.DecisionTreeClassifier(max_depth=3, criterion="entropy", random_state=0), "iris_str")
add("tree_weighted", lambda: C.DecisionTreeClassifier(max_depth=3, class_weight="balanced", random_state=0), "iris")
add("tree_best_first", lambda: C.DecisionTreeClassifier(max_leaf_nodes=6, random_state=0), "iris")
add("tree_pruned", lambda: C.DecisionTreeClassifier(ccp_alpha=0.03, random_state=0), "iris")
add("tree_stump_none", lambda: C.DecisionTreeClassifier(min_samples_leaf=75, random_state=0), "iris")
add("tree_multi_out", lambda: C.DecisionTreeClassifier(max_depth=4, random_state=0), "multi_out")
add("tree_multi_out_str", lambda: C.DecisionTreeClassifier(max_depth=4, random_state=0), "multi_out_str")
add("tree_nan", lambda: C.DecisionTreeClassifier(max_depth=4, random_state=0), "nan", "q_nan", nan=True)
add("tree_reg", lambda: C.DecisionTreeRegressor(max_depth=4, random_state=0), "reg")
add("tree_reg_multi", lambda: C.DecisionTreeRegressor(max_depth=3, random_state=0), "reg2")
add("tree_reg_mae", lambda: C.DecisionTreeRegressor(max_depth=3, criterion="absolute_error", random_state=0), "reg")
add("tree_reg_poisson", lambda: C.DecisionTreeRegressor(max_depth=3, criterion="poisson", random_state=0), "reg_pos")
add("tree_reg_nan", lambda: C.DecisionTreeRegressor(max_depth=4, random_state=0), "nan_reg", "q_nan", nan=True)
add("tree_monotonic", lambda: C.DecisionTreeRegressor(max_depth=3, monotonic_cst=[1, 0, 0, -1], random_state=0), "reg")
add("extra_tree", lambda: C.ExtraTreeClassifier(max_depth=4, random_state=0), "iris")
add("extra_tree_reg", lambda: C.ExtraTreeRegressor(max_depth=4, random_state=0), "reg")
add("forest", lambda: C.RandomForestClassifier(5, max_depth=4, random_state=0), "iris", forms=("f64", "f32", "i64"))
add("forest_str", lambda: C.RandomForestClassifier(4, max_depth=3, criterion="entropy", random_state=0), "iris_str")
add("forest_bin", lambda: C.RandomForestClassifier(4, max_depth=3, class_weight="balanced_subsample", random_state=0), "bin_bool")
add("forest_multi_out", lambda: C.RandomForestClassifier(4, max_depth=3, random_state=0), "multi_out")
add("forest_multi_out_str", lambda: C.RandomForestClassifier(4, max_depth=3, random_state=0), "multi_out_str")
add("forest_nan", lambda: C.RandomForestClassifier(5, max_depth=4, random_state=0), "nan", "q_nan", nan=True)
add("forest_reg", lambda: C.RandomForestRegressor(4, max_depth=4, random_state=0), "reg")
add("forest_reg_multi", lambda: C.RandomForestRegressor(4, max_depth=3, random_state=0), "reg2")
add("extra_trees", lambda: C.ExtraTreesClassifier(4, max_depth=4, random_state=0), "iris")
add("extra_trees_boot", lambda: C.ExtraTreesClassifier(5, max_depth=3, bootstrap=True, oob_score=False, random_state=0), "bin_str")
add("extra_trees_reg", lambda: C.ExtraTreesRegressor(4, max_depth=4, random_state=0), "reg")
add("extra_trees_nan", lambda: C.ExtraTreesClassifier(5, max_depth=4, random_state=0), "nan", "q_nan", nan=True)
add("trees_embedding", lambda: C.RandomTreesEmbedding(3, max_depth=2, random_state=0), "iris")
add("isolation", lambda: C.IsolationForest(n_estimators=8, random_state=0), "iris")
add("isolation_small", lambda: C.IsolationForest(n_estimators=6, max_samples=20, contamination=0.1, max_features=0.5, random_state=0), "iris")

# --- Boosting --------------------------------------------------------------------------------------------------------

add("gb_bin", lambda: C.GradientBoostingClassifier(n_estimators=5, random_state=0), "bin_str", forms=("f64", "f32", "i64"))
add("gb_multi", lambda: C.GradientBoostingClassifier(n_estimators=5, max_depth=2, random_state=0), "iris")
add("gb_multi_str", lambda: C.GradientBoostingClassifier(n_estimators=4, max_depth=2, subsample=0.7, random_state=0), "iris_str")
add("gb_exponential", lambda: C.GradientBoostingClassifier(loss="exponential", n_estimators=5, random_state=0), "bin")
add("gb_zero", lambda: C.GradientBoostingClassifier(init="zero", n_estimators=4, random_state=0), "bin")
add("gb_zero_multi", lambda: C.GradientBoostingClassifier(init="zero", n_estimators=4, max_depth=2, random_state=0), "iris")
add("gb_exponential_zero", lambda: C.GradientBoostingClassifier(loss="exponential", init="zero", n_estimators=4, random_state=0), "bin")
add("gb_init_model", lambda: C.GradientBoostingClassifier(init=C.LogisticRegression(max_iter=300), n_estimators=4, max_depth=2, random_state=0), "iris")
add("gb_init_model_bin", lambda: C.GradientBoostingClassifier(init=C.GaussianNB(), n_estimators=4, max_depth=2, random_state=0), "bin")
add("gb_reg", lambda: C.GradientBoostingRegressor(n_estimators=6, max_depth=3, random_state=0), "reg")
for loss in ("absolute_error", "huber", "quantile"):
    add("gb_reg_" + loss, lambda loss=loss: C.GradientBoostingRegressor(loss=loss, n_estimators=4, max_depth=2, random_state=0), "reg")
add("gb_reg_zero", lambda: C.GradientBoostingRegressor(init="zero", n_estimators=4, max_depth=2, random_state=0), "reg")
add("gb_reg_init_model", lambda: C.GradientBoostingRegressor(init=C.Ridge(), n_estimators=4, max_depth=2, random_state=0), "reg")


def hgb(**kw):
    return C.HistGradientBoostingClassifier(max_iter=kw.pop("max_iter", 5), max_leaf_nodes=6, min_samples_leaf=4, random_state=0, **kw)


def hgb_reg(**kw):
    return C.HistGradientBoostingRegressor(max_iter=6, max_leaf_nodes=6, min_samples_leaf=4, random_state=0, **kw)


add("hgb_bin", lambda: hgb(), "bin_str", forms=("f64", "f32", "i64"))
add("hgb_multi", lambda: hgb(max_iter=4), "iris")
add("hgb_multi_str", lambda: hgb(max_iter=3, l2_regularization=0.5), "iris_str")
add("hgb_nan", lambda: hgb(), "nan_bin", "q_nan")
add("hgb_nan_multi", lambda: hgb(max_iter=4), "nan", "q_nan")
add("hgb_cat", lambda: hgb(categorical_features=[0, 2]), "cat_bin", "q_cat")
add("hgb_cat_mask", lambda: hgb(max_iter=4, categorical_features=np.array([True, False, True, False])), "cat", "q_cat")
add("hgb_cat_reg", lambda: hgb_reg(categorical_features=[0, 2]), "cat_reg", "q_cat")
add("hgb_reg", lambda: hgb_reg(), "reg")
add("hgb_reg_nan", lambda: hgb_reg(), "nan_reg", "q_nan")
for loss in ("absolute_error", "poisson", "gamma"):
    add("hgb_reg_" + loss, lambda loss=loss: hgb_reg(loss=loss), "reg_pos")
add("hgb_reg_quantile", lambda: hgb_reg(loss="quantile", quantile=0.8), "reg")
add("hgb_monotonic", lambda: hgb_reg(monotonic_cst=[1, 0, -1, 0]), "reg")
add("hgb_early", lambda: hgb(early_stopping=True, validation_fraction=0.2, n_iter_no_change=2), "iris")
add("hgb_cat_words", lambda: C.Pipeline([
    ("c", C.ColumnTransformer([("w", C.OrdinalEncoder(), ["sex", "port"])], remainder="passthrough")),
    ("m", hgb(categorical_features=[0, 1]))]), "people_full", "q_people_known")
add("hgb_cat_frame", lambda: hgb(categorical_features="from_dtype"), "people_full", "q_people_known", category=("sex", "port"))
add("hgb_cat_names", lambda: hgb(categorical_features=["siblings"]), "people_numbers", "q_people_numbers", forms=("columns",))
add("ada", lambda: C.AdaBoostClassifier(n_estimators=6, algorithm="SAMME", random_state=0), "iris")
add("ada_bin", lambda: C.AdaBoostClassifier(n_estimators=6, algorithm="SAMME", random_state=0), "bin_str")
add("ada_r", lambda: C.AdaBoostClassifier(n_estimators=6, algorithm="SAMME.R", random_state=0), "iris")
add("ada_r_bin", lambda: C.AdaBoostClassifier(n_estimators=6, algorithm="SAMME.R", random_state=0), "bin_str")
add("ada_default", lambda: C.AdaBoostClassifier(C.DecisionTreeClassifier(max_depth=2), n_estimators=5, random_state=0), "iris_str")
for loss in ("linear", "square", "exponential"):
    add("ada_reg_" + loss, lambda loss=loss: C.AdaBoostRegressor(n_estimators=6, loss=loss, random_state=0), "reg")

# --- Support vector machines -----------------------------------------------------------------------------------------

for kernel in ("rbf", "linear", "poly", "sigmoid"):
    for kind, train in (("bin", "bin"), ("multi", "iris")):
        for proba in (False, True):
            add("svc_%s_%s%s" % (kernel, kind, "_proba" if proba else ""),
                lambda kernel=kernel, proba=proba: C.SVC(kernel=kernel, probability=proba, random_state=0), train)
add("svc_ovo", lambda: C.SVC(decision_function_shape="ovo"), "iris_str")
add("svc_ovo_proba", lambda: C.SVC(decision_function_shape="ovo", probability=True, random_state=0), "iris_str")
add("svc_break_ties", lambda: C.SVC(break_ties=True, gamma=0.1), "iris")
add("svc_poly_coef", lambda: C.SVC(kernel="poly", degree=2, coef0=1.5, gamma=0.2, C=2.0), "iris_str")
add("svc_gamma_auto", lambda: C.SVC(gamma="auto", class_weight="balanced"), "bin_str")
add("nu_svc", lambda: C.NuSVC(nu=0.3), "iris")
add("nu_svc_bin_proba", lambda: C.NuSVC(nu=0.3, probability=True, random_state=0), "bin_str")
for kernel in ("rbf", "linear", "poly", "sigmoid"):
    add("svr_" + kernel, lambda kernel=kernel: C.SVR(kernel=kernel, C=0.5, degree=2), "reg")
add("nu_svr", lambda: C.NuSVR(), "reg")
add("one_class", lambda: C.OneClassSVM(nu=0.2), "iris")
add("one_class_linear", lambda: C.OneClassSVM(kernel="linear", nu=0.2), "iris")
add("pipe_std_svc_proba", lambda: C.Pipeline([("s", C.StandardScaler()), ("m", C.SVC(probability=True, random_state=0))]), "iris_str")

# --- Encoders and imputers -------------------------------------------------------------------------------------------

add("ohe", lambda: C.OneHotEncoder(), "words_full", "q_words_known")
add("ohe_unknown_error", lambda: C.OneHotEncoder(), "words_full", "q_words", refuses=True)
add("ohe_ignore", lambda: C.OneHotEncoder(handle_unknown="ignore"), "words", "q_words")
add("ohe_dense_f32", lambda: one_hot(handle_unknown="ignore", dtype=np.float32), "words", "q_words")
add("ohe_drop_first", lambda: one_hot(drop="first"), "words_full", "q_words_known")
add("ohe_drop_first_ignore", lambda: one_hot(drop="first", handle_unknown="ignore"), "words", "q_words")
add("ohe_drop_binary", lambda: one_hot(drop="if_binary"), "words_full", "q_words_known")
add("ohe_drop_values", lambda: one_hot(drop=["male", "S"]), "words_full", "q_words_known")
add("ohe_infrequent", lambda: one_hot(handle_unknown="infrequent_if_exist", min_frequency=8), "codes")
add("ohe_max_categories", lambda: one_hot(handle_unknown="infrequent_if_exist", max_categories=2), "words", "q_words")
add("ohe_infrequent_ignore", lambda: one_hot(handle_unknown="ignore", min_frequency=0.3), "words", "q_words")
add("ohe_infrequent_drop", lambda: one_hot(handle_unknown="ignore", drop="first", min_frequency=14), "codes")
add("ohe_warn", lambda: one_hot(handle_unknown="warn"), "words", "q_words")
add("ohe_ints", lambda: C.OneHotEncoder(handle_unknown="ignore"), "ints", "q_ints", forms=("i64", "f64"))
add("ohe_numbers_nan", lambda: one_hot(handle_unknown="ignore"), "cat_columns", "q_cat_columns")
add("ohe_given", lambda: one_hot(categories=[["female", "male", "x"], ["C", "Q", "S"]]), "words_full", "q_words_known")
add("ordinal", lambda: C.OrdinalEncoder(), "words_full", "q_words_known")
add("ordinal_unknown", lambda: C.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), "words", "q_words")
add("ordinal_unknown_nan", lambda: C.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan), "words", "q_words")
add("ordinal_missing", lambda: C.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-5),
    "words", "q_words")
add("ordinal_infrequent", lambda: C.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=99, min_frequency=18), "words", "q_words")
add("ordinal_ints", lambda: C.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, dtype=np.int64), "ints", "q_ints",
    forms=("i64", "f64"))
add("label_encoder", lambda: C.LabelEncoder(), "labels_str", "labels_str_q", forms=("texts",), labels=True)
add("label_encoder_int", lambda: C.LabelEncoder(), "labels_int", "labels_int_q", forms=("i64",), labels=True)
add("label_binarizer", lambda: C.LabelBinarizer(), "labels_str", "labels_str_q", forms=("texts",), labels=True)
add("label_binarizer_int", lambda: C.LabelBinarizer(neg_label=-1, pos_label=2), "labels_int", "labels_int_q", forms=("i64",), labels=True)
for strategy in ("mean", "median", "most_frequent"):
    add("imputer_" + strategy, lambda strategy=strategy: C.SimpleImputer(strategy=strategy), "gappy", "q_gappy")
add("imputer_constant", lambda: C.SimpleImputer(strategy="constant", fill_value=-7.5), "gappy", "q_gappy")
add("imputer_indicator", lambda: C.SimpleImputer(add_indicator=True), "gappy", "q_gappy")
add("imputer_keep_empty", lambda: C.SimpleImputer(keep_empty_features=True), "gappy", "q_gappy")
add("imputer_value", lambda: C.SimpleImputer(missing_values=0, strategy="median"), "ints", "q_ints", forms=("i64", "f64"))
add("imputer_words", lambda: C.SimpleImputer(strategy="most_frequent", missing_values=None), "words", "q_words")
add("imputer_words_constant", lambda: C.SimpleImputer(strategy="constant", fill_value="?", missing_values=None), "words", "q_words")
add("missing_indicator", lambda: C.MissingIndicator(), "nan", "q_nan")
add("missing_indicator_all", lambda: C.MissingIndicator(features="all"), "nan", "q_nan")
add("knn_imputer", lambda: C.KNNImputer(n_neighbors=3), "nan", "q_nan")
add("knn_imputer_distance", lambda: C.KNNImputer(n_neighbors=4, weights="distance", add_indicator=True), "nan", "q_nan")
add("iterative_imputer", lambda: C.IterativeImputer(max_iter=3, random_state=0), "nan", "q_nan")

# --- Text ------------------------------------------------------------------------------------------------------------

add("count", lambda: C.CountVectorizer(), "texts")
add("count_bigrams", lambda: C.CountVectorizer(ngram_range=(1, 2), min_df=2), "texts")
add("count_case", lambda: C.CountVectorizer(lowercase=False, binary=True), "texts")
add("count_accents_ascii", lambda: C.CountVectorizer(strip_accents="ascii"), "texts")
add("count_accents_unicode", lambda: C.CountVectorizer(strip_accents="unicode"), "texts")
add("count_stop_english", lambda: C.CountVectorizer(stop_words="english"), "texts")
add("count_stop_list", lambda: C.CountVectorizer(stop_words=["the", "fox", "мир"]), "texts")
add("count_char", lambda: C.CountVectorizer(analyzer="char", ngram_range=(2, 3), max_features=120), "texts")
add("count_char_wb", lambda: C.CountVectorizer(analyzer="char_wb", ngram_range=(2, 4), max_features=120), "texts")
add("count_token_letters", lambda: C.CountVectorizer(token_pattern=r"(?u)\b\w+\b"), "texts")
add("count_token_az", lambda: C.CountVectorizer(token_pattern=r"[a-z]+"), "texts")
add("count_token_alnum", lambda: C.CountVectorizer(token_pattern=r"[a-zA-Z0-9]{2,}"), "texts")
add("count_vocabulary", lambda: C.CountVectorizer(vocabulary=["fox", "money", "now"]), "texts")
add("tfidf", lambda: C.TfidfVectorizer(), "texts")
add("tfidf_sublinear", lambda: C.TfidfVectorizer(sublinear_tf=True, norm="l1"), "texts")
add("tfidf_no_idf", lambda: C.TfidfVectorizer(use_idf=False, norm=None), "texts")
add("tfidf_no_smooth", lambda: C.TfidfVectorizer(smooth_idf=False, ngram_range=(1, 2), max_df=0.5), "texts")
add("tfidf_f32", lambda: C.TfidfVectorizer(dtype=np.float32), "texts")
add("tfidf_char_wb", lambda: C.TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), max_features=150, strip_accents="unicode"), "texts")
add("tfidf_transformer", lambda: C.TfidfTransformer(sublinear_tf=True), "counts")
add("hashing", lambda: C.HashingVectorizer(n_features=32), "texts")
add("hashing_plain", lambda: C.HashingVectorizer(n_features=16, alternate_sign=False, norm=None, ngram_range=(1, 2)), "texts")
add("text_nb", lambda: C.Pipeline([("v", C.CountVectorizer()), ("m", C.MultinomialNB())]), "texts")
add("text_tfidf_nb", lambda: C.Pipeline([("v", C.CountVectorizer()), ("t", C.TfidfTransformer()), ("m", C.MultinomialNB())]), "texts")
add("text_logreg", lambda: C.Pipeline([("v", C.TfidfVectorizer(ngram_range=(1, 2))), ("m", C.LogisticRegression())]), "texts")
add("text_sgd", lambda: C.Pipeline([("v", C.TfidfVectorizer()), ("m", C.SGDClassifier(random_state=0))]), "texts")
add("text_linear_svc", lambda: C.Pipeline([("v", C.TfidfVectorizer()), ("m", C.LinearSVC(random_state=0))]), "texts")
add("text_hash_logreg", lambda: C.Pipeline([("v", C.HashingVectorizer(n_features=64)), ("m", C.LogisticRegression())]), "texts")
add("text_svd", lambda: C.Pipeline([("v", C.TfidfVectorizer()), ("d", C.TruncatedSVD(3, random_state=0)), ("m", C.LogisticRegression())]), "texts")
add("text_union", lambda: C.Pipeline([
    ("u", C.FeatureUnion([("w", C.TfidfVectorizer()), ("c", C.CountVectorizer(analyzer="char", ngram_range=(2, 2), max_features=60))])),
    ("m", C.ComplementNB())]), "texts")
add("text_select", lambda: C.Pipeline([("v", C.CountVectorizer()), ("k", C.SelectKBest(chi2(), k=10)), ("m", C.BernoulliNB())]), "texts")
add("text_svc", lambda: C.Pipeline([("v", C.TfidfVectorizer(max_features=40)), ("m", C.SVC(kernel="linear"))]), "texts")
add("text_forest", lambda: C.Pipeline([("v", C.TfidfVectorizer(max_features=30)), ("m", C.RandomForestClassifier(4, random_state=0))]), "texts")

# --- Naive Bayes -----------------------------------------------------------------------------------------------------

add("gaussian_nb", lambda: C.GaussianNB(), "iris_str")
add("gaussian_nb_bin", lambda: C.GaussianNB(priors=[0.3, 0.7]), "bin")
add("multinomial_nb", lambda: C.MultinomialNB(), "counts")
add("multinomial_nb_prior", lambda: C.MultinomialNB(alpha=0.2, fit_prior=False), "counts")
add("bernoulli_nb", lambda: C.BernoulliNB(binarize=1.0), "counts")
add("complement_nb", lambda: C.ComplementNB(), "counts")
add("complement_nb_norm", lambda: C.ComplementNB(norm=True), "counts")
add("categorical_nb", lambda: C.CategoricalNB(), "codes")

# --- Neighbours, networks, clusters, projections ---------------------------------------------------------------------

for weights in ("uniform", "distance"):
    add("knn_" + weights, lambda weights=weights: C.KNeighborsClassifier(5, weights=weights), "iris_str")
    add("knn_reg_" + weights, lambda weights=weights: C.KNeighborsRegressor(4, weights=weights), "reg")
add("knn_manhattan_kd", lambda: C.KNeighborsClassifier(3, metric="manhattan", algorithm="kd_tree"), "iris")
add("knn_minkowski3_ball", lambda: C.KNeighborsClassifier(4, p=3, algorithm="ball_tree"), "iris")
add("knn_chebyshev_brute", lambda: C.KNeighborsClassifier(4, metric="chebyshev", algorithm="brute"), "bin")
add("knn_cosine", lambda: C.KNeighborsClassifier(4, metric="cosine"), "iris")
add("knn_multi_out", lambda: C.KNeighborsClassifier(4), "multi_out")
add("knn_reg_multi", lambda: C.KNeighborsRegressor(3), "reg2")
add("radius", lambda: C.RadiusNeighborsClassifier(3.0, outlier_label=1), "iris")
add("radius_reg", lambda: C.RadiusNeighborsRegressor(2.0), "reg")
add("centroid", lambda: C.NearestCentroid(), "iris_str")
add("lof", lambda: C.LocalOutlierFactor(novelty=True, n_neighbors=6), "iris")
for activation in ("relu", "tanh", "logistic", "identity"):
    add("mlp_" + activation, lambda a=activation: C.MLPClassifier(hidden_layer_sizes=(5,), activation=a, max_iter=60, random_state=0), "iris_str")
add("mlp_bin", lambda: C.MLPClassifier(hidden_layer_sizes=(4, 3), max_iter=60, random_state=0), "bin_str")
add("mlp_multilabel", lambda: C.MLPClassifier(hidden_layer_sizes=(4,), max_iter=60, random_state=0), "multi_label")
add("mlp_reg", lambda: C.MLPRegressor(hidden_layer_sizes=(6,), max_iter=60, random_state=0), "reg")
add("mlp_reg_multi", lambda: C.MLPRegressor(hidden_layer_sizes=(6,), activation="tanh", max_iter=60, random_state=0), "reg2")
add("mlp_f32", lambda: C.MLPClassifier(hidden_layer_sizes=(5,), max_iter=40, random_state=0), "iris_f32")
add("kmeans", lambda: C.KMeans(3, n_init=2, random_state=0), "iris")
add("mini_kmeans", lambda: C.MiniBatchKMeans(3, n_init=2, random_state=0), "iris")
add("pca", lambda: C.PCA(2), "iris")
add("pca_whiten", lambda: C.PCA(3, whiten=True), "iris")
add("pca_f32", lambda: C.PCA(2), "iris_f32")
add("incremental_pca", lambda: C.IncrementalPCA(2), "iris")
add("svd", lambda: C.TruncatedSVD(2, random_state=0), "iris")
add("fast_ica", lambda: C.FastICA(2, random_state=0, whiten="unit-variance"), "iris")
add("factor_analysis", lambda: C.FactorAnalysis(2, random_state=0), "iris")
add("kernel_pca", lambda: C.KernelPCA(2, kernel="rbf", gamma=0.2), "iris")
add("nystroem", lambda: C.Pipeline([("n", C.Nystroem(n_components=8, gamma=0.2, random_state=0)), ("m", C.LogisticRegression())]), "iris")
add("rbf_sampler", lambda: C.Pipeline([("n", C.RBFSampler(n_components=8, gamma=0.2, random_state=0)), ("m", C.LogisticRegression())]), "iris")
add("random_projection", lambda: C.GaussianRandomProjection(2, random_state=0), "iris")

# --- Ensembles of models ---------------------------------------------------------------------------------------------

def voters():
    return [("l", C.LogisticRegression(max_iter=300)), ("t", C.DecisionTreeClassifier(max_depth=2, random_state=0)), ("n", C.GaussianNB())]


add("voting_hard", lambda: C.VotingClassifier(voters()), "iris_str")
add("voting_soft", lambda: C.VotingClassifier(voters(), voting="soft"), "iris_str")
add("voting_soft_weights", lambda: C.VotingClassifier(voters(), voting="soft", weights=[1, 2, 0.5]), "iris")
add("voting_hard_weights", lambda: C.VotingClassifier(voters(), weights=[1, 3, 1]), "iris")
add("voting_reg", lambda: C.VotingRegressor([("a", C.Ridge()), ("b", C.DecisionTreeRegressor(max_depth=3, random_state=0))]), "reg")
add("voting_reg_weights", lambda: C.VotingRegressor([("a", C.Ridge()), ("b", C.KNeighborsRegressor(3))], weights=[2, 1]), "reg")
add("stacking", lambda: C.StackingClassifier(voters(), final_estimator=C.LogisticRegression(max_iter=300), cv=3), "iris_str")
add("stacking_pass", lambda: C.StackingClassifier(voters(), final_estimator=C.DecisionTreeClassifier(max_depth=3, random_state=0), cv=3,
                                                  passthrough=True), "iris")
add("stacking_bin", lambda: C.StackingClassifier([("s", C.LinearSVC(random_state=0)), ("n", C.GaussianNB())],
                                                 final_estimator=C.LogisticRegression(), cv=3), "bin_str")
add("stacking_predict", lambda: C.StackingClassifier(voters(), final_estimator=C.LogisticRegression(max_iter=300), cv=3,
                                                     stack_method="predict"), "iris")
add("stacking_reg", lambda: C.StackingRegressor([("a", C.Ridge()), ("b", C.DecisionTreeRegressor(max_depth=3, random_state=0))],
                                                final_estimator=C.LinearRegression(), cv=3), "reg")
for method in ("sigmoid", "isotonic"):
    add("calibrated_" + method, lambda m=method: C.CalibratedClassifierCV(C.GaussianNB(), method=m, cv=3), "iris_str")
    add("calibrated_%s_bin" % method, lambda m=method: C.CalibratedClassifierCV(C.LinearSVC(random_state=0), method=m, cv=3), "bin_str")
add("calibrated_single", lambda: C.CalibratedClassifierCV(C.LinearSVC(random_state=0), cv=3, ensemble=False), "iris")
add("calibrated_temperature", lambda: C.CalibratedClassifierCV(C.LogisticRegression(max_iter=300), method="temperature", cv=3), "iris")
add("bagging", lambda: C.BaggingClassifier(C.DecisionTreeClassifier(max_depth=3), n_estimators=5, max_features=0.75, random_state=0), "iris_str")
add("bagging_default", lambda: C.BaggingClassifier(n_estimators=4, random_state=0), "bin")
add("bagging_votes", lambda: C.BaggingClassifier(C.LinearSVC(random_state=0), n_estimators=5, random_state=0), "iris")
add("bagging_logreg", lambda: C.BaggingClassifier(C.LogisticRegression(max_iter=300), n_estimators=3, random_state=0), "iris")
add("bagging_reg", lambda: C.BaggingRegressor(C.Ridge(), n_estimators=4, max_features=3, random_state=0), "reg")
add("ovr", lambda: C.OneVsRestClassifier(C.LogisticRegression()), "iris_str")
add("ovr_svc", lambda: C.OneVsRestClassifier(C.LinearSVC(random_state=0)), "iris")
add("ovr_multilabel", lambda: C.OneVsRestClassifier(C.LogisticRegression()), "multi_label")
add("ovo", lambda: C.OneVsOneClassifier(C.LinearSVC(random_state=0)), "iris_str")
add("ovo_logreg", lambda: C.OneVsOneClassifier(C.LogisticRegression()), "iris")
add("output_code", lambda: C.OutputCodeClassifier(C.LogisticRegression(), code_size=2, random_state=0), "iris")
add("multi_out_clf", lambda: C.MultiOutputClassifier(C.LogisticRegression(max_iter=500)), "multi_out")
add("multi_out_reg", lambda: C.MultiOutputRegressor(C.Ridge()), "reg2")
add("chain", lambda: C.ClassifierChain(C.LogisticRegression(), order=[2, 0, 1]), "multi_label")
add("chain_reg", lambda: C.RegressorChain(C.Ridge(), order=[1, 0]), "reg2")

# --- The long tail ---------------------------------------------------------------------------------------------------

add("poly", lambda: C.PolynomialFeatures(2), "iris", forms=("f64", "f32", "i64"))
add("poly_interaction", lambda: C.PolynomialFeatures(3, interaction_only=True, include_bias=False), "iris")
add("poly_ridge", lambda: C.Pipeline([("p", C.PolynomialFeatures(3)), ("m", C.Ridge())]), "reg")
for strategy in ("uniform", "quantile", "kmeans"):
    for encode in ("onehot-dense", "ordinal", "onehot"):
        add("bins_%s_%s" % (strategy, encode.replace("-", "_")),
            lambda s=strategy, e=encode: C.KBinsDiscretizer(3, strategy=s, encode=e), "iris")
add("power_yeo", lambda: C.PowerTransformer(), "iris")
add("power_yeo_plain", lambda: C.PowerTransformer(standardize=False), "iris")
add("power_box", lambda: C.PowerTransformer(method="box-cox"), "positive", "q_positive")
add("quantile_uniform", lambda: C.QuantileTransformer(n_quantiles=10), "iris")
add("quantile_normal", lambda: C.QuantileTransformer(n_quantiles=10, output_distribution="normal"), "iris")
add("function_log1p", lambda: C.FunctionTransformer(np.log1p), "iris", "q_positive")
add("function_none", lambda: C.FunctionTransformer(), "iris")
add("function_sqrt_pipe", lambda: C.Pipeline([("f", C.FunctionTransformer(np.sqrt)), ("m", C.Ridge())]), "positive", "q_positive")
add("select_k", lambda: C.SelectKBest(k=2), "iris")
add("select_percentile", lambda: C.SelectPercentile(percentile=50), "iris")
add("select_model", lambda: C.SelectFromModel(C.RandomForestClassifier(4, max_depth=2, random_state=0)), "iris")
add("rfe", lambda: C.RFE(C.LogisticRegression(max_iter=300), n_features_to_select=2), "iris")
add("variance", lambda: C.VarianceThreshold(0.2), "constant", "q_constant")
add("lda", lambda: C.LinearDiscriminantAnalysis(), "iris_str")
add("lda_bin", lambda: C.LinearDiscriminantAnalysis(), "bin")
add("lda_eigen", lambda: C.LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto"), "iris")
add("lda_lsqr", lambda: C.LinearDiscriminantAnalysis(solver="lsqr"), "iris")
add("qda", lambda: C.QuadraticDiscriminantAnalysis(reg_param=0.1), "iris_str")
add("qda_bin", lambda: C.QuadraticDiscriminantAnalysis(reg_param=0.1), "bin")
for covariance in ("full", "tied", "diag", "spherical"):
    add("gmm_" + covariance, lambda c=covariance: C.GaussianMixture(3, covariance_type=c, random_state=0), "iris")
add("gp_reg", lambda: C.GaussianProcessRegressor(random_state=0, alpha=0.1, normalize_y=True), "curve", "q_curve")
add("gp_clf", lambda: C.GaussianProcessClassifier(random_state=0), "bin_few")
add("pls", lambda: C.PLSRegression(2), "reg2")
add("spline", lambda: C.SplineTransformer(n_knots=4, degree=3), "curve", "q_curve")
add("spline_linear", lambda: C.Pipeline([("s", C.SplineTransformer(n_knots=4, extrapolation="linear")), ("m", C.Ridge(alpha=0.1))]), "curve", "q_curve")
add("isotonic", lambda: C.IsotonicRegression(out_of_bounds="clip"), "curve", "q_curve")
add("target_encoder", lambda: C.TargetEncoder(random_state=0), "words_full", "q_words")
add("dummy_prior", lambda: C.DummyClassifier(strategy="prior"), "iris_str")
add("dummy_frequent", lambda: C.DummyClassifier(strategy="most_frequent"), "iris")
add("dummy_constant", lambda: C.DummyClassifier(strategy="constant", constant="setosa"), "iris_str")
add("dummy_mean", lambda: C.DummyRegressor(), "reg")
add("dummy_median_multi", lambda: C.DummyRegressor(strategy="median"), "reg2")
add("elliptic", lambda: C.EllipticEnvelope(random_state=0, contamination=0.1), "iris")

# --- Versions before 1.1 ---------------------------------------------------------------------------------------------

# Spellings that later versions dropped.
add("old_tree_mae", lambda: C.DecisionTreeRegressor(max_depth=3, criterion="mae", random_state=0), "reg", old=True)
add("old_gb_ls", lambda: C.GradientBoostingRegressor(loss="ls", n_estimators=4, max_depth=2, random_state=0), "reg", old=True)
add("old_gb_lad", lambda: C.GradientBoostingRegressor(loss="lad", n_estimators=4, max_depth=2, random_state=0), "reg", old=True)
add("old_gb_deviance", lambda: C.GradientBoostingClassifier(loss="deviance", n_estimators=4, max_depth=2, random_state=0), "iris", old=True)
add("old_hgb_ls", lambda: hgb_reg(loss="least_squares"), "reg", old=True)
add("old_hgb_crossentropy", lambda: hgb(loss="categorical_crossentropy", max_iter=3), "iris_str", old=True)
add("old_sgd_squared_loss", lambda: C.SGDRegressor(loss="squared_loss", random_state=0), "reg", old=True)
add("old_imputer", lambda: C.Imputer(strategy="median"), "nan", "q_nan", old=True)
add("old_presorted", lambda: C.DecisionTreeClassifier(presort=True, max_depth=3, random_state=0), "iris", old=True)

_OLD_NAMES = """
linreg linreg_multi ridge ridge_cv lasso elastic_net bayesian_ridge huber sgd_reg linear_svr poisson_reg
logreg logreg_bin_str logreg_ovr logreg_multinomial logreg_multinomial_bin logreg_liblinear logreg_cv
sgd_hinge_bin sgd_hinge_multi sgd_modified_huber_multi sgd_log_old perceptron pa_clf ridge_clf ridge_clf_bin linear_svc linear_svc_bin
std std_neither minmax minmax_clip robust maxabs normalizer_l2 binarizer pipe_std_logreg pipe_std_pca_svc pipe_nan_logreg pipe_passthrough union_weights
grid_search ct_ints ct_slice ct_mask ct_names ct_names_remainder ct_forest ct_text
tree tree_str tree_multi_out tree_pruned tree_reg tree_reg_multi extra_tree forest forest_bin forest_multi_out forest_reg extra_trees extra_trees_reg
isolation isolation_small gb_bin gb_multi gb_exponential gb_zero gb_zero_multi gb_init_model gb_reg gb_reg_huber gb_reg_zero gb_reg_init_model
hgb_bin hgb_multi hgb_nan hgb_cat hgb_reg hgb_reg_poisson ada ada_r ada_r_bin ada_reg_linear
svc_rbf_bin svc_rbf_bin_proba svc_rbf_multi_proba svc_linear_multi svc_poly_bin svc_ovo nu_svc svr_rbf nu_svr one_class
ohe ohe_ignore ohe_drop_first ohe_ints ordinal ordinal_unknown label_encoder label_binarizer imputer_mean imputer_most_frequent imputer_indicator
imputer_words_constant knn_imputer count count_char_wb tfidf tfidf_sublinear hashing text_nb text_logreg text_tfidf_nb text_sgd
gaussian_nb multinomial_nb bernoulli_nb complement_nb categorical_nb knn_uniform knn_distance knn_manhattan_kd knn_reg_distance
mlp_relu mlp_bin mlp_reg kmeans mini_kmeans pca pca_whiten svd voting_hard voting_soft voting_reg stacking stacking_reg calibrated_sigmoid
calibrated_isotonic_bin bagging bagging_reg ovr ovo multi_out_clf poly bins_uniform_onehot_dense power_yeo quantile_normal function_log1p select_k
lda qda gmm_full dummy_prior gp_reg
"""
CASES_FOR_OLD = set(_OLD_NAMES.split()) | {case["name"] for case in CASES if case.get("old")}
# 0.22 moved the modules and had the first HistGradientBoosting; the rest of it is as in 0.24.
CASES_FOR_022 = {name for name in CASES_FOR_OLD if name.startswith(("hgb", "old_hgb", "svc", "gb_multi", "gaussian_nb", "text_logreg", "logreg"))}
assert CASES_FOR_OLD <= {case["name"] for case in CASES}, CASES_FOR_OLD - {case["name"] for case in CASES}
