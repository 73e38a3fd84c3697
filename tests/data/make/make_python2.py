# -*- coding: utf-8 -*-
"""Models pickled by Python 2.7 under scikit-learn 0.20: byte strings, `__builtin__`, `copy_reg`, protocol 0 and 2.

Runs under Python 2.7 only, so it shares nothing with the other makers but the shape of cases.json.

Usage: make_python2.py OUTPUT_DIRECTORY
"""
import json
import os
import pickle
import sys
import warnings

import numpy as np
from sklearn.datasets import load_iris
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.externals import joblib
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

warnings.simplefilter("ignore")
IRIS = load_iris()
X, Y = IRIS.data[::2], IRIS.target[::2]
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
Q = np.array([[5.1, 3.5, 1.4, 0.2], [6.2, 2.9, 4.3, 1.3], [7.7, 3.0, 6.1, 2.3], [0, 0, 0, 0], [5.95, 2.75, 4.9, 1.75], [-1.5, 12.0, 3.25, 0.5]])
TEXTS = [u"free money now", u"lunch with the team", u"win money", u"caf\u00e9 at noon", u"the team wins", u"free caf\u00e9"]
SPAM = ["spam", "ham", "spam", "ham", "ham", "spam"]
ASK = [u"free lunch", u"the caf\u00e9 money", u"", u"unseen words"]

CASES = [
    ("linreg", LinearRegression().fit(X, X[:, 3] * 2 - X[:, 0] + 1.5 + 0.1 * (X[:, 1] > 3)), Q),
    ("logreg", LogisticRegression().fit(X, Y), Q),
    ("logreg_bytes", LogisticRegression(solver="lbfgs", multi_class="multinomial", max_iter=300).fit(X, NAMES), Q),
    ("pipeline", Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())]).fit(X, NAMES), Q),
    ("minmax", MinMaxScaler().fit(X), Q),
    ("tree", DecisionTreeClassifier(max_depth=3, random_state=0).fit(X, Y), Q),
    ("forest", RandomForestClassifier(4, max_depth=3, random_state=0).fit(X, NAMES), Q),
    ("gb_reg", GradientBoostingRegressor(n_estimators=4, max_depth=2, random_state=0).fit(X, X[:, 3]), Q),
    ("svc", SVC(probability=True, gamma="scale", decision_function_shape="ovo", random_state=0).fit(X, Y), Q),
    ("gaussian_nb", GaussianNB().fit(X, Y), Q),
    ("text_nb", Pipeline([("words", CountVectorizer()), ("model", MultinomialNB())]).fit(TEXTS, SPAM), ASK),
    ("text_logreg", Pipeline([("words", TfidfVectorizer()), ("model", LogisticRegression())]).fit(TEXTS, SPAM), ASK),
]


def answer(value):
    value = np.asarray(value)
    kind = "str" if value.dtype.kind in "SU" else value.dtype.name
    return {"dtype": kind, "shape": list(value.shape), "data": value.reshape(-1).tolist()}


def one_input(model, query):
    if isinstance(query, list):
        head = {"form": "texts", "rows": len(query), "texts": query}
    else:
        head = {"form": "f64", "rows": query.shape[0], "cols": query.shape[1], "data": query.reshape(-1).tolist()}
    methods = [m for m in ("predict", "predict_proba", "decision_function", "transform") if hasattr(model, m)]
    head["expected"] = dict((m, answer(getattr(model, m)(query))) for m in methods if not (m == "transform" and isinstance(query, list)))
    return head


def write(model, path, encoding):
    if encoding.startswith("pickle"):
        with open(path, "wb") as out:
            pickle.dump(model, out, protocol=int(encoding[-1]))
    else:
        joblib.dump(model, path, compress=3 if "zlib" in encoding else 0)


def main():
    folder = sys.argv[1]
    if not os.path.isdir(folder):
        os.makedirs(folder)
    for old in os.listdir(folder):
        os.remove(os.path.join(folder, old))
    lines = []
    for name, model, query in CASES:
        for encoding in ("pickle2", "vendored-none", "vendored-zlib", "pickle0"):
            if encoding in ("pickle0", "vendored-zlib") and name not in ("linreg", "pipeline", "text_nb"):
                continue
            path = "%s_%s.%s" % (name, encoding.replace("-", "_"), "pkl" if encoding.startswith("pickle") else "joblib")
            write(model, os.path.join(folder, path), encoding)
            lines.append(json.dumps({"name": "py2_%s_%s" % (name, encoding.replace("-", "_")), "file": path, "encoding": encoding,
                                     "class": type(model).__name__, "inputs": [one_input(model, query)]}, sort_keys=True))
    with open(os.path.join(folder, "cases.json"), "w") as out:
        out.write('{"sklearn": "0.20.4", "numpy": "%s", "joblib": "%s", "python": "2.7", "cases": [\n' % (np.__version__, joblib.__version__))
        out.write(",\n".join(lines) + "\n]}\n")
    print("  %d files by Python 2.7" % len(lines))


if __name__ == "__main__":
    main()
