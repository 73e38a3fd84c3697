"""Asks the libraries why the committed models answer as they do: xgboost's and LightGBM's pred_contrib, shap's
tree_path_dependent for scikit-learn's classes. Rows are those of each model's cases.json.

Usage: make_contributions.py DATA_DIRECTORY   (reads DATA/{xgboost,lightgbm,sklearn}, writes DATA/contributions/*.json)
"""
import json
import os
import sys
import warnings

import joblib
import lightgbm
import numpy as np
import pickle
import shap
import sklearn
import xgboost as xgb

import emit

DATA = sys.argv[1]


def cases_of(folder):
    with open(os.path.join(DATA, folder, "cases.json")) as file:
        return json.load(file)["cases"]


def matrix(case, dtype):
    """The rows of a case; null is missing, "inf" and "-inf" are themselves."""
    numbers = [np.nan if x is None else float(x) for x in case["data"]]
    return np.array(numbers, dtype).reshape(case["rows"], case["cols"])


def write(name, versions, entries):
    os.makedirs(os.path.join(DATA, "contributions"), exist_ok=True)
    emit.dump_cases(os.path.join(DATA, "contributions", name + ".json"), versions, entries)
    print("  %d models explained: %s" % (len(entries), name))


def refusal(case, error):
    return {"name": case["name"], "error": emit.first_line(error)}


def xgboost_case(case):
    booster = xgb.Booster(model_file=os.path.join(DATA, "xgboost", "3.2", case["files"][0]))
    booster.set_param({"nthread": 1})
    kw = {}
    if booster.feature_types and "c" in booster.feature_types:
        kw = dict(feature_types=booster.feature_types, enable_categorical=True)
    if booster.feature_names:
        kw["feature_names"] = booster.feature_names
    data = xgb.DMatrix(matrix(case, np.float32), nthread=1, **kw)
    return {"name": case["name"], "contributions": emit.array(booster.predict(data, pred_contribs=True))}


def make_xgboost():
    entries = []
    for case in cases_of("xgboost/3.2"):
        try:
            entries.append(xgboost_case(case))
        except (xgb.core.XGBoostError, ValueError) as error:
            entries.append(refusal(case, error))
    write("xgboost", {"xgboost": xgb.__version__}, entries)


def make_lightgbm():
    entries = []
    for case in cases_of("lightgbm/4.6"):
        booster = lightgbm.Booster(model_file=os.path.join(DATA, "lightgbm", "4.6", case["file"]))
        try:
            values = booster.predict(matrix(case, np.float64), pred_contrib=True, num_threads=1)
            entries.append({"name": case["name"], "contributions": emit.array(values)})
        except lightgbm.basic.LightGBMError as error:
            entries.append(refusal(case, error))
    write("lightgbm", {"lightgbm": lightgbm.__version__}, entries)


def load_sklearn(file):
    path = os.path.join(DATA, "sklearn", "1.5.2", file)
    if file.endswith(".joblib"):
        return joblib.load(path)
    with open(path, "rb") as opened:
        return pickle.load(opened)


EXPLAINED = ("DecisionTree", "ExtraTree", "RandomForest", "GradientBoosting", "HistGradientBoosting", "IsolationForest")


def sklearn_case(case, rows):
    """shap's answer as jackdaw lays it out: [rows, features + 1], or [rows, outputs, features + 1]."""
    explainer = shap.TreeExplainer(load_sklearn(case["file"]), feature_perturbation="tree_path_dependent")
    values = np.asarray(explainer.shap_values(rows, check_additivity=False), np.float64)
    base = np.atleast_1d(np.asarray(explainer.expected_value, np.float64))
    if values.ndim == 3:
        values = values.transpose(0, 2, 1)
        last = np.broadcast_to(base[None, :, None], values.shape[:2] + (1,))
    else:
        last = np.broadcast_to(base[None, :1], (len(values), 1))
    return {"name": case["name"], "file": case["file"], "data": emit.array(rows),
            "contributions": emit.array(np.concatenate([values, last], axis=-1))}


def make_sklearn():
    entries, skipped = [], []
    for case in cases_of("sklearn/1.5.2"):
        given = next((i for i in case["inputs"] if i["form"] == "f64"), None)
        if given is None or not case["class"].startswith(EXPLAINED) or case["name"].startswith("enc_"):
            continue  # Encodings of one model explain alike.
        if "multi_out" in case["name"] or case["name"].startswith("hgb_cat"):
            continue  # shap counts the classes that pad shorter outputs, and takes categories for numbers.
        try:
            rows = matrix(given, np.float64)
            entries.append(sklearn_case(case, rows))
        except Exception as error:  # shap raises anything for what it does not support.
            skipped.append(case["name"])
            print("  skip %-24s %s" % (case["name"], emit.first_line(error)))
    write("sklearn", {"shap": shap.__version__, "sklearn": sklearn.__version__, "not_by_shap": skipped}, entries)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    make_xgboost()
    make_lightgbm()
    make_sklearn()
