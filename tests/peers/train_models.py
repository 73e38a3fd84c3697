"""Trains the small models of tests/data/oip/models. Deterministic: the same packages give the same files,
but for spam, whose vectorizer keeps an address of its process.

usage: venv-mlserver/bin/python tests/peers/train_models.py [FOLDER]

The files are committed, so this runs only when a model is added or changed. It runs in the MLServer peer's environment, whose
older numpy writes pickles that both peers can read.
"""
import os
import pathlib
import sys

if os.environ.get("PYTHONHASHSEED") != "0":  # The order of a vocabulary depends on it.
    os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})

import joblib
import lightgbm
import numpy as np
import pandas as pd
import xgboost
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

here = pathlib.Path(__file__).resolve().parent
folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here.parent / "data" / "oip" / "models"
iris = load_iris()
FEATURES = ["sepal_length_(cm)", "sepal_width_(cm)", "petal_length_(cm)", "petal_width_(cm)"]


def save(name, model):
    (folder / name).mkdir(parents=True, exist_ok=True)
    joblib.dump(model, folder / name / "model.joblib")


def iris_svc():
    save("iris-svc", SVC(gamma=0.001, C=100.0).fit(iris.data, iris.target))


def iris_logreg():
    steps = [("scale", StandardScaler()), ("logreg", LogisticRegression(max_iter=500))]
    save("iris-logreg", Pipeline(steps).fit(iris.data, iris.target))


def iris_names():
    """Labels are python strings (numpy dtype object), as they come from a pandas column."""
    save("iris-names", LogisticRegression(max_iter=500).fit(iris.data, iris.target_names[iris.target].astype(object)))


def echo():
    """Gives its first feature back, plus ten times the second: shows how numbers are read and printed."""
    for name, kind in (("echo", np.float64), ("echo32", np.float32)):
        model = LinearRegression().fit(np.eye(2), np.zeros(2))
        model.coef_ = np.array([1, 10], kind)
        model.intercept_ = kind(0)
        save(name, model)


def iris_pca():
    save("iris-pca", Pipeline([("scale", StandardScaler()), ("pca", PCA(n_components=2))]).fit(iris.data))


def diabetes_forest():
    x, y = load_diabetes(return_X_y=True)
    save("diabetes-forest", RandomForestRegressor(n_estimators=10, max_depth=4, random_state=7).fit(x[:, :4], y))


def linear_two_targets():
    x, y = load_diabetes(return_X_y=True)
    save("linear-two", LinearRegression().fit(x[:, :3], np.column_stack([y, y[::-1]])))


def passengers():
    """A frame with numbers and strings, and gaps in the numbers."""
    random = np.random.RandomState(11)
    rows = 120
    frame = pd.DataFrame({
        "age": np.round(random.uniform(1, 80, rows), 1),
        "fare": np.round(random.exponential(30, rows), 2),
        "sex": random.choice(["female", "male"], rows),
        "port": random.choice(["C", "Q", "S"], rows),
    })
    survived = ((frame["sex"] == "female") ^ (random.rand(rows) < 0.2)).astype(int)
    frame.loc[::9, "age"] = np.nan
    numbers = Pipeline([("fill", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
    columns = ColumnTransformer([
        ("numbers", numbers, ["age", "fare"]),
        ("words", OneHotEncoder(handle_unknown="ignore"), ["sex", "port"]),
    ])
    save("passengers", Pipeline([("columns", columns), ("logreg", LogisticRegression())]).fit(frame, survived))


def spam():
    """Labels are numpy strings (dtype <U4), as they come from a list."""
    texts = [
        "win a free prize now", "free money, click now", "cheap loans, win cash", "claim your prize today", "free cash offer",
        "meeting moved to noon", "lunch at noon tomorrow", "the report is attached", "see you at the meeting", "notes from today",
    ]
    labels = ["spam"] * 5 + ["ham"] * 5
    save("spam", Pipeline([("tfidf", TfidfVectorizer()), ("bayes", MultinomialNB())]).fit(texts, labels))


def xgb(name, file, parameters, x, y, rounds):
    (folder / name).mkdir(parents=True, exist_ok=True)
    parameters = {"max_depth": 3, "eta": 0.3, "nthread": 1, "seed": 3, **parameters}
    xgboost.train(parameters, xgboost.DMatrix(x, label=y), rounds).save_model(folder / name / file)


def xgb_binary():
    x, y = load_breast_cancer(return_X_y=True)
    x = x[:, :5].copy()
    x[::7, 1] = np.nan
    xgb("xgb-binary", "model.ubj", {"objective": "binary:logistic"}, x, y, 12)


def xgb_softprob():
    """Saved by the scikit-learn wrapper, which marks the file as a classifier; MLServer tells the two apart."""
    (folder / "xgb-softprob").mkdir(parents=True, exist_ok=True)
    model = xgboost.XGBClassifier(n_estimators=6, max_depth=3, n_jobs=1, random_state=3, objective="multi:softprob")
    model.fit(iris.data, iris.target).save_model(folder / "xgb-softprob" / "model.ubj")


def xgb_softmax():
    xgb("xgb-softmax", "model.json", {"objective": "multi:softmax", "num_class": 3}, iris.data, iris.target, 4)


def lgb_iris():
    (folder / "lgb-iris").mkdir(parents=True, exist_ok=True)
    data = lightgbm.Dataset(iris.data, label=iris.target, feature_name=FEATURES)
    parameters = {"objective": "multiclass", "num_class": 3, "num_leaves": 7, "verbose": -1, "num_threads": 1, "seed": 5,
                  "deterministic": True}
    lightgbm.train(parameters, data, 8).save_model(folder / "lgb-iris" / "model.bst")


for make in (iris_svc, iris_logreg, iris_names, iris_pca, diabetes_forest, linear_two_targets, passengers, spam, xgb_binary,
             xgb_softprob, xgb_softmax, lgb_iris, echo):
    make()
