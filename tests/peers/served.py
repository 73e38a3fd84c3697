"""The models that both peers and jackdaw serve in the comparison, in the order in which they are listed.

name: what clients call it. folder: its place under tests/data/oip/models. kind: which of KServe's three servers it belongs to.
env: what the model's container would have in its environment.
"""
import pathlib

MODELS = pathlib.Path(__file__).resolve().parent.parent / "data" / "oip" / "models"

SERVED = [
    # name, folder, kind, env
    ("diabetes-forest", "diabetes-forest", "sklearn", {}),
    ("echo", "echo", "sklearn", {}),
    ("echo32", "echo32", "sklearn", {}),
    ("iris-logreg", "iris-logreg", "sklearn", {}),
    ("iris-names", "iris-names", "sklearn", {}),
    ("iris-pca", "iris-pca", "sklearn", {}),
    ("iris-proba", "iris-logreg", "sklearn", {"PREDICT_PROBA": "true"}),
    ("iris-svc", "iris-svc", "sklearn", {}),
    ("lgb-iris", "lgb-iris", "lightgbm", {}),
    ("linear-two", "linear-two", "sklearn", {}),
    ("passengers", "passengers", "sklearn", {}),
    ("spam", "spam", "sklearn", {}),
    ("unloaded", "iris-svc", "sklearn", {}),
    ("xgb-binary", "xgb-binary", "xgboost", {}),
    ("xgb-softmax", "xgb-softmax", "xgboost", {}),
    ("xgb-softprob", "xgb-softprob", "xgboost", {}),
]
