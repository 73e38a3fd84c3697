"""Trains tiny LightGBM models under the installed version and writes text files with predictions and raw scores.

Usage: make_lightgbm.py OUTPUT_DIRECTORY   (writes OUTPUT/<version>/...)
"""
import os
import sys
import warnings

import lightgbm as lgb
import numpy as np
import pandas as pd

import emit

VERSION = tuple(int(part) for part in lgb.__version__.split(".")[:2])
ROWS = 80
BASE = {"num_leaves": 6, "min_data_in_leaf": 3, "min_data_in_bin": 1, "learning_rate": 0.3, "verbosity": -1, "seed": 5,
        "deterministic": True, "num_threads": 1, "force_col_wise": True}


class NotHere(Exception):
    """This version cannot train the case."""


def training(rng):
    x = np.round(rng.normal(0, 1.5, (ROWS, 5)), 2)
    x[rng.uniform(size=x.shape) < 0.2] = 0.0
    clean = x.copy()
    x[rng.uniform(size=x.shape) < 0.08] = np.nan
    score = clean[:, 0] - 0.7 * clean[:, 1] + clean[:, 2] * clean[:, 3] + rng.normal(0, 0.4, ROWS)
    return x, score


RNG = np.random.RandomState(23)
X, SCORE = training(RNG)
FULL = np.nan_to_num(X)


def queries():
    """Known rows, all missing, zeros and almost zeros, huge, infinite and full precision."""
    rows = [X[i] for i in RNG.choice(ROWS, 4, replace=False)]
    rows += [np.full(5, np.nan), np.zeros(5), np.array([1e-36, -1e-36, 1e-35, -1e-35, 1e-34]),
             np.array([1e300, -1e300, 1e308, -1e10, 3.5]), np.array([np.inf, -np.inf, 1.0, np.nan, -0.0]), RNG.normal(0, 2, 5)]
    return np.array(rows)


Q = queries()
LABELS = {
    "score": SCORE, "positive": np.abs(SCORE) + 0.1, "count": RNG.poisson(np.exp(np.clip(SCORE / 3, -2, 2))).astype(float),
    "binary": (SCORE > 0).astype(float), "three": np.digitize(SCORE, [-1, 1]).astype(float), "unit": 1 / (1 + np.exp(-SCORE)),
    "relevance": np.digitize(SCORE, [-1, 0, 1]).astype(float),
}


def train(params, label, rounds=5, x=None, **data):
    full = dict(BASE)
    full.update(params)
    y = LABELS[label] if isinstance(label, str) else label
    return lgb.train(full, lgb.Dataset(X if x is None else x, label=y, params={"min_data_in_bin": 1, "verbosity": -1}, **data),
                     num_boost_round=rounds)


def objective(name, label, rounds=5, **more):
    return lambda: (train(dict(objective=name, **more), label, rounds), Q)


def ranked(name):
    return lambda: (train({"objective": name}, "relevance", 4, group=[20, 20, 20, 20]), Q)


# Column 0 has few categories, column 1 many (several words of bits), column 2 is a number.
def category_rows(rows):
    out = np.column_stack([RNG.choice(6, rows), RNG.choice(90, rows), np.round(RNG.normal(0, 1, rows), 2)]).astype(float)
    out[RNG.uniform(size=out.shape) < 0.08] = np.nan
    return out


CX = category_rows(ROWS)
CY = np.isin(np.nan_to_num(CX[:, 0], nan=-1), [1, 4]) * 2.0 + (np.nan_to_num(CX[:, 1]) % 3 == 2) + np.nan_to_num(CX[:, 2])
CQ = np.vstack([category_rows(5), [[9, 95, 0], [-1, -3, 0.5], [1.7, 33.2, 0], [np.nan, np.nan, np.nan], [4, 2147483646, 1],
                                   [-0.5, 64, -1], [1e6, 31, 2], [4, 32, 0.25]]])


def categories(label=None, **more):
    def make():
        params = {"objective": "regression", "min_data_per_group": 1, "cat_smooth": 1, "max_cat_threshold": 40, "cat_l2": 1}
        params.update(more)
        return train(params, CY if label is None else label, 5, x=CX, categorical_feature=[0, 1]), CQ
    return make


def frame():
    """pandas categories by name and by number; the file maps them, a reader that wants names needs its last line."""
    rng = np.random.RandomState(9)
    towns, levels = np.array(["york", "bath", "ely", "café \"x\""]), np.array([3, 5, 9])
    data = pd.DataFrame({"town": pd.Categorical(rng.choice(towns, ROWS), categories=list(towns)),
                         "level": pd.Categorical(rng.choice(levels, ROWS), categories=list(levels)),
                         "size": np.round(rng.normal(0, 1, ROWS), 2)})
    y = (data["town"] == "ely").astype(float) * 2 + (data["level"] == 5) + data["size"]
    model = train({"objective": "regression", "min_data_per_group": 1, "cat_smooth": 1}, y.values, 4, x=data)
    query = pd.DataFrame({"town": pd.Categorical(["york", "ely", "rome", None, "café \"x\"", "bath"], categories=list(towns) + ["rome"]),
                          "level": pd.Categorical([3, 5, 9, None, 5, 3], categories=list(levels)),
                          "size": [0.5, -1.0, np.nan, 0.25, 2.0, 0.0]})
    return model, query


def one_leaf():
    return train({"objective": "regression", "min_data_in_leaf": 1000, "min_data_in_bin": 1}, "score", 3), Q


def stump_after_trees():
    """A model whose later trees may be constants."""
    return train({"objective": "binary", "min_gain_to_split": 1.5}, "binary", 6), Q


def linear(**more):
    def make():
        if VERSION < (3, 2):
            raise NotHere("linear_tree")
        return train(dict({"objective": "regression", "linear_tree": True, "num_leaves": 4, "min_data_in_leaf": 8}, **more),
                     "binary" if more.get("objective") == "binary" else "score", 3), Q
    return make


def custom():
    """No objective line: a custom loss. predict gives raw scores."""
    gradient = lambda scores, data: (scores - data.get_label(), np.ones_like(scores))
    params = dict(BASE)
    data = lgb.Dataset(X, label=SCORE, params={"min_data_in_bin": 1, "verbosity": -1})
    if VERSION >= (4, 0):
        return lgb.train(dict(params, objective=gradient), data, num_boost_round=4), Q
    return lgb.train(params, data, num_boost_round=4, fobj=gradient), Q


def missing_zero():
    return train({"objective": "regression", "zero_as_missing": True}, "score", 5), Q


def missing_none():
    return train({"objective": "regression", "use_missing": False}, "score", 5, x=FULL), Q


def missing_nan_unseen():
    """No NaN while training: the splits say None, and a NaN counts as zero."""
    return train({"objective": "regression"}, "score", 5, x=FULL), Q


def named():
    return train({"objective": "regression"}, "score", 3, feature_name=["a", "café", "c_1", "d", "e"]), Q


def stopped():
    """best_iteration lies before the last tree; the file holds all of them."""
    params = dict(BASE, objective="binary", learning_rate=1.0)
    a = lgb.Dataset(X[:50], label=LABELS["binary"][:50], params={"min_data_in_bin": 1, "verbosity": -1})
    b = lgb.Dataset(X[50:], label=LABELS["binary"][50:], reference=a)
    if VERSION >= (3, 3):
        return lgb.train(params, a, num_boost_round=8, valid_sets=[b], callbacks=[lgb.early_stopping(3, verbose=False)]), Q
    return lgb.train(params, a, num_boost_round=8, valid_sets=[b], early_stopping_rounds=3, verbose_eval=False), Q


RF = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6, "feature_fraction": 0.8}

CASES = [
    ("regression", objective("regression", "score")),
    ("regression_sqrt", objective("regression", "score", reg_sqrt=True)),
    ("l1", objective("regression_l1", "score")),
    ("huber", objective("huber", "score")),
    ("fair", objective("fair", "score")),
    ("poisson", objective("poisson", "count")),
    ("quantile", objective("quantile", "score", alpha=0.8)),
    ("mape", objective("mape", "positive")),
    ("gamma", objective("gamma", "positive")),
    ("tweedie", objective("tweedie", "positive")),
    ("binary", objective("binary", "binary", 8)),
    ("binary_sigmoid", objective("binary", "binary", sigmoid=2.5)),
    ("binary_unbalanced", objective("binary", "binary", is_unbalance=True, boost_from_average=False)),
    ("multiclass", objective("multiclass", "three", 3, num_class=3)),
    ("multiclassova", objective("multiclassova", "three", 3, num_class=3, sigmoid=0.7)),
    ("cross_entropy", objective("cross_entropy", "unit")),
    ("cross_entropy_lambda", objective("cross_entropy_lambda", "unit")),
    ("lambdarank", ranked("lambdarank")),
    ("rank_xendcg", ranked("rank_xendcg")),
    ("custom", custom),
    ("rf", objective("regression", "score", 5, **RF)),
    ("rf_binary", objective("binary", "binary", 5, **RF)),
    ("rf_multiclass", objective("multiclass", "three", 3, num_class=3, **RF)),
    ("dart", objective("regression", "score", 6, boosting="dart", drop_rate=0.5)),
    ("dart_binary", objective("binary", "binary", 6, boosting="dart", drop_rate=0.5)),
    ("goss", objective("regression", "score", 5, boosting="goss")),
    ("categories", categories()),
    ("categories_onehot", categories(max_cat_to_onehot=100)),
    ("categories_binary", categories((CY > 1).astype(float), objective="binary")),
    ("categories_multiclass", categories(np.digitize(CY, [0.5, 2]).astype(float), objective="multiclass", num_class=3)),
    ("categories_rf", categories(**RF)),
    ("categories_frame", frame),
    ("missing_zero", missing_zero),
    ("missing_none", missing_none),
    ("missing_nan_unseen", missing_nan_unseen),
    ("linear", linear()),
    ("linear_binary", linear(objective="binary")),
    ("one_leaf", one_leaf),
    ("constants", stump_after_trees),
    ("monotone", objective("regression", "score", monotone_constraints=[1, -1, 0, 0, 0])),
    ("extra_trees", objective("regression", "score", extra_trees=True)),
    ("named", named),
    ("stopped", stopped),
    ("one_round", lambda: (train({"objective": "binary"}, "binary", 1), Q)),
    ("deep", objective("regression", "score", 3, num_leaves=24, min_data_in_leaf=1)),
]


def head_of(path):
    """The version line and the missing kinds that the splits use, so that a glance shows what a file covers."""
    kinds, version = set(), ""
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("version="):
                version = line.strip()[8:]
            if line.startswith("decision_type="):
                kinds.update(int(v) for v in line.strip()[14:].split())
    return version, sorted(kinds)


def expected(model, query):
    # num_iteration=-1 uses every tree, as a Booster loaded from the file without best_iteration does.
    return {"predict": emit.array(model.predict(query, num_iteration=-1)),
            "raw_score": emit.array(model.predict(query, num_iteration=-1, raw_score=True))}


def write_case(folder, name, model, query):
    path = name + ".txt"
    model.save_model(os.path.join(folder, path), num_iteration=-1)
    version, kinds = head_of(os.path.join(folder, path))
    entry = {"name": name, "file": path, "format": version, "decision_types": kinds}
    if isinstance(query, pd.DataFrame):
        entry.update({"rows": len(query), "cols": query.shape[1], "columns": emit.frame_columns(query)})
        codes = query.copy()
        for column, values in zip(("town", "level"), model.pandas_categorical):
            codes[column] = codes[column].map(lambda v, values=values: values.index(v) if v in values else np.nan).astype(float)
        query_codes = codes.values.astype(float)
        entry["data"] = [emit.number(v) for v in query_codes.reshape(-1)]
    else:
        entry.update({"rows": query.shape[0], "cols": query.shape[1], "data": [emit.number(v) for v in query.reshape(-1)]})
    loaded = lgb.Booster(model_file=os.path.join(folder, path))
    entry.update(expected(loaded, query))
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
            model, query = make()
        except (NotHere, lgb.basic.LightGBMError, ValueError, TypeError) as error:
            skipped.append(name)
            print("  skip %-24s %s" % (name, emit.first_line(error)))
            continue
        entries.append(write_case(folder, name, model, query))
    emit.dump_cases(os.path.join(folder, "cases.json"), {"lightgbm": lgb.__version__, "not_in_this_version": skipped}, entries)
    print("  %d models written by LightGBM %s" % (len(entries), lgb.__version__))


if __name__ == "__main__":
    main()
