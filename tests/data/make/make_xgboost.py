"""Trains tiny boosters under the installed xgboost and writes each container it can, with margins and predictions.

Usage: make_xgboost.py OUTPUT_DIRECTORY   (writes OUTPUT/<version>/...)
"""
import os
import sys
import warnings

import numpy as np
import pandas as pd
import xgboost as xgb

import emit

VERSION = tuple(int(part) for part in xgb.__version__.split(".")[:2])
ROWS = 80


class NotHere(Exception):
    """This version cannot train or save the case."""


def since(major, minor):
    if VERSION < (major, minor):
        raise NotHere("needs xgboost %d.%d" % (major, minor))


def training(rng):
    x = np.round(rng.normal(0, 1.5, (ROWS, 6)), 2).astype(np.float32)
    x[rng.uniform(size=x.shape) < 0.08] = np.nan
    clean = np.nan_to_num(x)
    score = clean[:, 0] - 0.7 * clean[:, 1] + clean[:, 2] * clean[:, 3] + rng.normal(0, 0.5, ROWS)
    return x, score.astype(np.float32)


def queries(x, rng):
    """Ten rows: known ones, all missing, zeros, huge, tiny and full precision; 8 % missing elsewhere."""
    picked = x[rng.choice(ROWS, 4, replace=False)]
    fresh = rng.normal(0, 2, (2, x.shape[1])).astype(np.float32)
    fresh[0, 3] = np.nan
    special = np.zeros((4, x.shape[1]), np.float32)
    special[0, :] = np.nan
    special[2, ::2] = 1e30
    special[2, 1::2] = -1e30
    special[3, ::2] = 1e-30
    special[3, 1::2] = -0.0
    return np.vstack([picked, fresh, special]).astype(np.float32)


RNG = np.random.RandomState(11)
X, SCORE = training(RNG)
Q = queries(X, RNG)
LABELS = {
    "score": SCORE,
    "positive": (np.abs(SCORE) + 0.1).astype(np.float32),
    "unit": (1 / (1 + np.exp(-SCORE))).astype(np.float32),
    "count": RNG.poisson(np.exp(np.clip(SCORE / 3, -2, 2))).astype(np.float32),
    "binary": (SCORE > 0).astype(np.float32),
    "three": np.digitize(SCORE, [-1, 1]).astype(np.float32),
    "relevance": np.digitize(SCORE, [-1, 0, 1]).astype(np.float32),
    "cox": (np.where(RNG.uniform(size=ROWS) < 0.8, 1, -1) * (np.abs(SCORE) + 0.1)).astype(np.float32),
    "two_targets": np.column_stack([SCORE, SCORE * 0.5 + np.nan_to_num(X[:, 4])]).astype(np.float32),
    "two_binary": np.column_stack([SCORE > 0, np.nan_to_num(X[:, 4]) > 0]).astype(np.float32),
}


def train(params, label, rounds=6, x=None, **matrix):
    data = xgb.DMatrix(X if x is None else x, label=LABELS[label], **matrix)
    full = {"max_depth": 3, "eta": 0.4, "seed": 3, "nthread": 1, "verbosity": 0}
    full.update(params)
    return xgb.train(full, data, num_boost_round=rounds)


def objective(name, label, rounds=5, **more):
    return lambda: train(dict(objective=name, **more), label, rounds)


def ranked(name):
    def make():
        data = xgb.DMatrix(X, label=LABELS["relevance"])
        data.set_group([20, 20, 20, 20])
        params = {"objective": name, "max_depth": 3, "seed": 3, "nthread": 1}
        return xgb.train(params, data, num_boost_round=5)
    return make


def aft(distribution):
    def make():
        data = xgb.DMatrix(X)
        data.set_float_info("label_lower_bound", LABELS["positive"])
        data.set_float_info("label_upper_bound", np.where(SCORE > 1, np.inf, LABELS["positive"]).astype(np.float32))
        params = {"objective": "survival:aft", "aft_loss_distribution": distribution, "max_depth": 3, "nthread": 1}
        return xgb.train(params, data, num_boost_round=5)
    return make


def quantiles():
    since(2, 0)
    data = xgb.QuantileDMatrix(X, label=SCORE)
    params = {"objective": "reg:quantileerror", "quantile_alpha": [0.1, 0.5, 0.9], "max_depth": 2, "seed": 3, "nthread": 1}
    return xgb.train(params, data, num_boost_round=4)


def expectiles():
    since(3, 2)
    return train({"objective": "reg:expectileerror", "expectile_alpha": [0.2, 0.8], "max_depth": 2}, "score", 4)


# --- Categories ------------------------------------------------------------------------------------------------------

def category_rows(rows, rng, unseen=False):
    first = rng.choice(8, rows).astype(np.float32)
    second = rng.choice(40, rows).astype(np.float32)
    number = np.round(rng.normal(0, 1, rows), 2).astype(np.float32)
    out = np.column_stack([first, second, number, np.round(rng.uniform(0, 3, rows), 2)]).astype(np.float32)
    out[rng.uniform(size=out.shape) < 0.08] = np.nan
    if unseen:
        out[0, 0], out[1, 1], out[2, 1], out[3, 0], out[4, 0] = 7, 39, 0, np.nan, 3
    return out


CX = category_rows(ROWS, RNG)
CQ = category_rows(9, RNG, unseen=True)
# Beyond what the model has seen; xgboost 3.x refuses negative ones while it builds a DMatrix, so they are raw rows.
CQ_WILD = np.array([[9, 41, 0, 1], [30, 100, 0.5, 1], [1000, 5, 0, 1], [7, 16777215, 0, 1], [2, 64, -1, 2]], np.float32)
CQ_NEGATIVE = np.array([[-1, 3, 0, 1], [2, -5, 0.5, 1], [16777216, 3, 0, 1], [1.5, 2.5, 0, 1]], np.float32)
CY = (np.isin(np.nan_to_num(CX[:, 0], nan=-1), [1, 4, 6]) * 2.0 + (np.nan_to_num(CX[:, 1]) % 5 == 2) + np.nan_to_num(CX[:, 2])).astype(np.float32)
TYPES = ["c", "c", "q", "q"]


def categories(max_onehot, label=None, **more):
    def make():
        data = xgb.DMatrix(CX, label=CY if label is None else label, feature_types=TYPES, enable_categorical=True)
        params = {"tree_method": "hist" if VERSION >= (2, 0) else "approx", "max_cat_to_onehot": max_onehot, "max_depth": 4, "nthread": 1,
                  "min_child_weight": 1, "seed": 3}
        params.update(more)
        return xgb.train(params, data, num_boost_round=5)
    return make


def frame_categories():
    """Names of categories in the file (3.1 and later)."""
    since(3, 1)
    rng = np.random.RandomState(5)
    frame = pd.DataFrame({"town": pd.Categorical(rng.choice(["york", "bath", "ely"], ROWS)), "level": pd.Categorical(rng.choice([3, 5, 9], ROWS)),
                          "size": np.round(rng.normal(0, 1, ROWS), 2)})
    y = (frame["town"] == "ely").astype(float) + (frame["level"] == 5) + frame["size"]
    return xgb.train({"max_depth": 3, "nthread": 1}, xgb.DMatrix(frame, label=y, enable_categorical=True), num_boost_round=4)


# --- Shapes of boosters ----------------------------------------------------------------------------------------------

def stopped_early(objective_name, label, **more):
    """best_iteration lies before the last round, so the wrapper and Booster.predict answer differently."""
    def make():
        fit, hold = slice(0, 50), slice(50, ROWS)
        a = xgb.DMatrix(X[fit], label=LABELS[label][fit])
        b = xgb.DMatrix(X[hold], label=LABELS[label][hold])
        params = dict({"objective": objective_name, "max_depth": 3, "eta": 1.0, "seed": 3, "nthread": 1}, **more)
        return xgb.train(params, a, num_boost_round=8, evals=[(b, "hold")], early_stopping_rounds=4, verbose_eval=False)
    return make


def named():
    return train({"objective": "reg:squarederror"}, "score", 3, feature_names=["a", "b b", "c\u00e9", "d\"q\"", "e", "f"])


def vector_leaf(name, label, **more):
    def make():
        since(2, 0)
        return train(dict(objective=name, multi_strategy="multi_output_tree", tree_method="hist", **more), label, 4)
    return make


def single_leaf():
    return train({"objective": "reg:squarederror", "min_child_weight": 1000}, "score", 2)


def weighted_score():
    return train({"objective": "binary:logistic", "scale_pos_weight": 3.0, "base_score": 0.2}, "binary", 5)


def no_rounds():
    return train({"objective": "binary:logistic", "base_score": 0.25}, "binary", 0)


def deeper():
    return train({"objective": "reg:squarederror", "max_depth": 4, "grow_policy": "lossguide", "max_leaves": 9, "tree_method": "hist"}, "score", 5)


def pruned():
    return train({"objective": "reg:squarederror", "tree_method": "exact", "gamma": 1.0, "max_depth": 4}, "score", 5)


DART = {"booster": "dart", "rate_drop": 0.5, "skip_drop": 0.1, "one_drop": 1}
LINEAR = {"booster": "gblinear", "updater": "coord_descent"}

CASES = [
    ("squared", objective("reg:squarederror", "score")),
    ("squared_log", objective("reg:squaredlogerror", "positive")),
    ("reg_logistic", objective("reg:logistic", "unit")),
    ("pseudohuber", objective("reg:pseudohubererror", "score")),
    ("absolute", objective("reg:absoluteerror", "score")),
    ("quantile", lambda: (since(2, 0), train({"objective": "reg:quantileerror", "quantile_alpha": 0.3}, "score", 5))[1]),
    ("quantiles", quantiles),
    ("expectiles", expectiles),
    ("gamma", objective("reg:gamma", "positive")),
    ("tweedie", objective("reg:tweedie", "positive", tweedie_variance_power=1.3)),
    ("logistic", objective("binary:logistic", "binary", 8)),
    ("logitraw", objective("binary:logitraw", "binary")),
    ("hinge", objective("binary:hinge", "binary")),
    ("softmax", objective("multi:softmax", "three", 3, num_class=3)),
    ("softprob", objective("multi:softprob", "three", 3, num_class=3)),
    ("poisson", objective("count:poisson", "count")),
    ("cox", objective("survival:cox", "cox")),
    ("aft_normal", aft("normal")),
    ("aft_logistic", aft("logistic")),
    ("rank_ndcg", ranked("rank:ndcg")),
    ("rank_pairwise", ranked("rank:pairwise")),
    ("rank_map", lambda: ranked_map()),
    ("linear_objective", lambda: old_linear()),
    ("base_zero", objective("reg:squarederror", "score", base_score=0.0)),
    ("base_number", objective("reg:squarederror", "score", base_score=-3.25)),
    ("base_small_prob", objective("binary:logistic", "binary", base_score=1e-3)),
    ("base_logitraw", objective("binary:logitraw", "binary", base_score=0.3)),
    ("base_hinge", objective("binary:hinge", "binary", base_score=0.3)),
    ("base_poisson", objective("count:poisson", "count", base_score=2.5)),
    ("base_gamma", objective("reg:gamma", "positive", base_score=1.5)),
    ("base_tweedie", objective("reg:tweedie", "positive", base_score=0.7)),
    ("base_softprob", objective("multi:softprob", "three", 3, num_class=3, base_score=0.1)),
    ("dart", objective("reg:squarederror", "score", 6, **DART)),
    ("dart_logistic", objective("binary:logistic", "binary", 6, **DART)),
    ("dart_softprob", objective("multi:softprob", "three", 4, num_class=3, **DART)),
    ("linear", objective("reg:squarederror", "score", 4, **LINEAR)),
    ("linear_logistic", objective("binary:logistic", "binary", 4, **LINEAR)),
    ("linear_softprob", objective("multi:softprob", "three", 3, num_class=3, **LINEAR)),
    ("forest", objective("reg:squarederror", "score", 2, num_parallel_tree=4, subsample=0.7, colsample_bynode=0.8)),
    ("forest_softprob", objective("multi:softprob", "three", 2, num_class=3, num_parallel_tree=2, subsample=0.7)),
    ("forest_base", objective("binary:logistic", "binary", 2, num_parallel_tree=3, subsample=0.7, base_score=0.3)),
    ("categories_partition", categories(1)),
    ("categories_onehot", categories(100)),
    ("categories_mixed", categories(10)),
    ("categories_logistic", categories(1, (CY > 1).astype(np.float32), objective="binary:logistic")),
    ("categories_softprob", categories(4, np.digitize(CY, [0.5, 2]), objective="multi:softprob", num_class=3)),
    ("categories_frame", frame_categories),
    ("early", stopped_early("reg:squarederror", "score")),
    ("early_logistic", stopped_early("binary:logistic", "binary")),
    ("early_softprob", stopped_early("multi:softprob", "three", num_class=3)),
    ("early_dart", stopped_early("reg:squarederror", "score", booster="dart", rate_drop=0.3)),
    ("named", named),
    ("targets_each", objective("reg:squarederror", "two_targets", 4)),
    ("targets_binary", objective("binary:logistic", "two_binary", 4)),
    ("targets_vector", vector_leaf("reg:squarederror", "two_targets")),
    ("targets_vector_binary", vector_leaf("binary:logistic", "two_binary")),
    ("targets_vector_softprob", vector_leaf("multi:softprob", "three", num_class=3)),
    ("single_leaf", single_leaf),
    ("weighted", weighted_score),
    ("no_rounds", no_rounds),
    ("lossguide", deeper),
    ("pruned", pruned),
]


def ranked_map():
    data = xgb.DMatrix(X, label=LABELS["binary"])
    data.set_group([20, 20, 20, 20])
    return xgb.train({"objective": "rank:map", "max_depth": 3, "seed": 3, "nthread": 1}, data, num_boost_round=5)


def old_linear():
    if VERSION >= (2, 0):
        raise NotHere("reg:linear is the old name of reg:squarederror")
    return train({"objective": "reg:linear"}, "score", 4)


# --- Files and answers -----------------------------------------------------------------------------------------------

def containers(name):
    """Extensions of the containers this version writes. `bst` is the binary file; `deprecated` is the same without its
    optional `binf` mark, for a few models. xgboost 3.1 removed both."""
    out = ["json", "ubj"]
    if VERSION < (2, 0):
        out.append("bst")
        if name in ("logistic", "dart_softprob", "linear", "early", "base_poisson"):
            out.append("deprecated")
    return out


def rows_for(name):
    if name.startswith("categories") and name != "categories_frame":
        rows = [CQ, CQ_WILD]
        if VERSION < (3, 0):
            rows.append(CQ_NEGATIVE)
        return np.vstack(rows)
    if name == "categories_frame":
        return np.array([[0, 0, 0.5], [1, 1, -0.25], [2, 2, 0], [np.nan, 1, np.nan], [0, np.nan, 2]], np.float32)
    return Q


def matrix(name, rows, booster):
    kw = {}
    if booster.feature_types and "c" in booster.feature_types:
        kw = dict(feature_types=booster.feature_types, enable_categorical=True)
    if booster.feature_names:
        kw["feature_names"] = booster.feature_names
    return xgb.DMatrix(rows, nthread=1, **kw)


def predict_wild(name, booster, rows, **kw):
    """Categories beyond the training set, row by row, because a DMatrix with a bad one is refused as a whole."""
    kept, answers = [], []
    for row in rows:
        try:
            answers.append(booster.predict(matrix(name, row[None, :], booster), **kw))
            kept.append(row)
        except xgb.core.XGBoostError:
            continue
    return np.array(kept, np.float32), np.concatenate(answers)


def answers(name, booster):
    rows = rows_for(name)
    if name.startswith("categories"):
        kept, margin = predict_wild(name, booster, rows, output_margin=True)
        return kept, margin, predict_wild(name, booster, kept)[1]
    data = matrix(name, rows, booster)
    return rows, booster.predict(data, output_margin=True), booster.predict(data)


def wrapper(booster_path, rows, kind):
    """What MLServer would answer: the scikit-learn wrapper honours best_iteration and gives labels."""
    model = {"regressor": xgb.XGBRegressor, "classifier": xgb.XGBClassifier}[kind]()
    model.load_model(booster_path)
    out = {"kind": kind, "predict": emit.array(model.predict(rows))}
    if kind == "classifier":
        out["predict_proba"] = emit.array(model.predict_proba(rows))
    return out


WRAPPED_REGRESSORS = ("squared", "early", "poisson", "forest", "targets_each", "dart")
WRAPPED_CLASSIFIERS = ("logistic", "softprob", "softmax", "early_logistic", "early_softprob", "dart_softprob")


def wrap(name, path, rows):
    """MLServer tries the regressor first; both answers are written when both load."""
    out = []
    for kind, names in (("regressor", WRAPPED_REGRESSORS + WRAPPED_CLASSIFIERS), ("classifier", WRAPPED_CLASSIFIERS)):
        if name not in names:
            continue
        try:
            out.append(wrapper(path, rows, kind))
        except Exception as error:
            out.append({"kind": kind, "error": emit.first_line(error)})
    return out


def sklearn_saved(folder):
    """A classifier saved by the wrapper itself, with its own attributes in the file."""
    model = xgb.XGBClassifier(n_estimators=3, max_depth=3, n_jobs=1, random_state=0)
    model.fit(X, LABELS["three"].astype(int))
    path = "sklearn_classifier.json"
    model.save_model(os.path.join(folder, path))
    booster = model.get_booster()
    return {"name": "sklearn_classifier", "files": [path], "objective": "multi:softprob", "rows": len(Q), "cols": Q.shape[1],
            "data": [emit.number(v) for v in Q.reshape(-1)], "num_trees": len(booster.get_dump()),
            "margin": emit.array(booster.predict(xgb.DMatrix(Q), output_margin=True)),
            "predict": emit.array(booster.predict(xgb.DMatrix(Q))),
            "wrapper": [{"kind": "classifier", "predict": emit.array(model.predict(Q)),
                         "predict_proba": emit.array(model.predict_proba(Q))}]}


def config_of(booster):
    import json
    return json.loads(booster.save_config())["learner"]


def write_case(folder, name, booster):
    files = []
    for ext in containers(name):
        path = "%s.%s" % (name, ext)
        try:
            if ext == "deprecated":
                with open(os.path.join(folder, path), "wb") as out:
                    raw = bytes(booster.save_raw("deprecated"))
                    out.write(raw[4:] if raw.startswith(b"binf") else raw)
            else:
                booster.save_model(os.path.join(folder, path))
            files.append(path)
        except xgb.core.XGBoostError as error:
            print("    no %s of %s: %s" % (ext, name, emit.first_line(error)))
            if os.path.exists(os.path.join(folder, path)):
                os.remove(os.path.join(folder, path))
    rows, margin, predict = answers(name, booster)
    entry = {"name": name, "files": files, "objective": config_of(booster)["objective"]["name"],
             "rows": rows.shape[0], "cols": rows.shape[1], "data": [emit.number(v) for v in rows.reshape(-1)],
             "margin": emit.array(margin), "predict": emit.array(predict)}
    attributes = booster.attributes()
    if attributes:
        entry["attributes"] = attributes
    wrapped = wrap(name, os.path.join(folder, files[0]), rows)
    if wrapped:
        entry["wrapper"] = wrapped
    return entry


def main():
    folder = os.path.join(sys.argv[1], "%d.%d" % VERSION)
    os.makedirs(folder, exist_ok=True)
    for old in os.listdir(folder):
        os.remove(os.path.join(folder, old))
    warnings.simplefilter("ignore")
    entries, skipped = [], []
    for name, make in CASES:
        try:
            booster = make()
        except (NotHere, xgb.core.XGBoostError, ValueError) as error:
            skipped.append(name)
            print("  skip %-24s %s" % (name, emit.first_line(error)))
            continue
        entries.append(write_case(folder, name, booster))
    entries.append(sklearn_saved(folder))
    emit.dump_cases(os.path.join(folder, "cases.json"), {"xgboost": xgb.__version__, "not_in_this_version": skipped}, entries)
    print("  %d boosters written by xgboost %s" % (len(entries), xgb.__version__))


if __name__ == "__main__":
    main()
