#!/usr/bin/env python3
"""Trains the two models that stand in for gs://kfserving-examples/models/sklearn/1.0/. The results are committed; run this
only to make them anew, with scikit-learn 1.5.2 (tests/peers/install kserve).

Usage: train.py
"""
import pathlib

import joblib
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

MODELS = pathlib.Path(__file__).resolve().parent / "models" / "sklearn" / "1.0"

if __name__ == "__main__":
    iris = load_iris()
    for name, model in {"model": SVC(gamma=0.1), "model-2": LogisticRegression(max_iter=1000)}.items():
        path = MODELS / name / "model.joblib"
        path.parent.mkdir(parents=True, exist_ok=True)
        joblib.dump(model.fit(iris.data, iris.target), path)
        print(f"{path.relative_to(MODELS)}: {path.stat().st_size} bytes, {model.predict([[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]])}")
