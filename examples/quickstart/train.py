#!/usr/bin/env python3
"""Trains the two quickstart models on the iris set. The results are committed; run this only to make them anew.

    scripts/make-test-data --only quickstart

runs it in the two environments it needs: scikit-learn 1.5.2 (what KServe serves) and xgboost.

Usage: train.py sklearn|xgboost
"""
import pathlib
import sys

from sklearn.datasets import load_iris

MODELS = pathlib.Path(__file__).resolve().parent / "models"


def train_sklearn():
    """A scaler and a classifier with class names, as most people's first pipeline has."""
    import joblib
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    iris = load_iris()
    model = Pipeline([("scale", StandardScaler()), ("classify", LogisticRegression())])
    model.fit(iris.data, iris.target)
    path = MODELS / "iris-pipeline" / "model.joblib"
    joblib.dump(model, path)
    report(path, model.predict([[6.8, 2.8, 4.8, 1.4], [5.1, 3.5, 1.4, 0.2]]))


def train_xgboost():
    """Ten rounds of small trees that answer one probability per class."""
    import xgboost

    iris = load_iris()
    rows = xgboost.DMatrix(iris.data, label=iris.target)  # No names: KServe sends bare rows.
    model = xgboost.train({"objective": "multi:softprob", "num_class": 3, "max_depth": 3, "eta": 0.3, "seed": 1, "nthread": 1},
                          rows, num_boost_round=10)
    path = MODELS / "iris-xgboost" / "model.ubj"
    model.save_model(path)
    report(path, model.predict(rows)[:2])


def report(path, answers):
    print("%s: %d bytes, first answers %s" % (path.name, path.stat().st_size, answers.tolist()))


if __name__ == "__main__":
    for folder in ("iris-pipeline", "iris-xgboost"):
        (MODELS / folder).mkdir(parents=True, exist_ok=True)
    {"sklearn": train_sklearn, "xgboost": train_xgboost}[sys.argv[1]]()
