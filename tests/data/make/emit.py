"""Turns fitted estimators into committed files: encodings, inputs and expected answers as JSON.

Kept to Python 3.6 syntax, because the oldest scikit-learn that writes our data runs on nothing newer.
"""
import gzip
import io
import json
import math
import pickle
from unittest import mock

import joblib
import numpy as np

METHODS = ("predict", "predict_proba", "decision_function", "transform", "score_samples")

# One encoding per case, in turn, so that every estimator meets a few of them over the three versions.
ROTATION = (
    "pickle4", "joblib-none", "pickle2", "joblib-zlib", "pickle5", "joblib-gzip", "pickle3", "joblib-bz2",
    "joblib-xz", "joblib-lzma", "joblib-lz4", "joblib-none-p2", "joblib-none-p3", "joblib-zlib-p5", "joblib-none-p5",
)
EVERY_ENCODING = ("pickle2", "pickle3", "pickle4", "pickle5", "joblib-none", "joblib-none-p2", "joblib-none-p3",
                  "joblib-none-p4", "joblib-none-p5", "joblib-zlib", "joblib-zlib-p2", "joblib-zlib-p5", "joblib-gzip",
                  "joblib-bz2", "joblib-xz", "joblib-lzma", "joblib-lz4")


# Larger models only take these, to keep the repository small.
COMPRESSED = ("joblib-zlib", "joblib-xz", "joblib-gzip", "joblib-bz2", "joblib-lzma", "joblib-lz4", "joblib-zlib-p2")
LARGE = 6000


def encoding_for(model, turn):
    """The encoding for a case: the next one that this Python has and that suits the size."""
    ring = COMPRESSED if len(pickle.dumps(model, protocol=4)) > LARGE else ROTATION
    encoding = ring[turn % len(ring)]
    return encoding if supported(encoding) else "pickle4"


def supported(encoding):
    """Python 3.6 and 3.7 have no protocol 5."""
    return not (encoding.endswith("5") and pickle.HIGHEST_PROTOCOL < 5)


def extension(encoding):
    return "pkl" if encoding.startswith("pickle") else "joblib"


def write_model(model, path, encoding):
    if encoding.startswith("pickle"):
        with open(path, "wb") as out:
            pickle.dump(model, out, protocol=int(encoding[-1]))
        return
    writer = joblib
    if encoding.startswith("vendored"):  # scikit-learn up to 0.20 carried its own joblib, under its own module name.
        from sklearn.externals import joblib as writer
    parts = encoding.split("-")
    protocol = int(parts[2][1:]) if len(parts) > 2 else None
    level = 0 if parts[1] == "none" else (parts[1], 3)
    # A gzip member carries the time it was written at. A fixed clock keeps two runs equal.
    with mock.patch.object(gzip.time, "time", lambda: 1700000000.0):
        writer.dump(model, path, compress=level, protocol=protocol)


def number(value):
    """One scalar as JSON: NaN is null, infinities are strings, floats print so that they come back the same."""
    if value is None:
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, (int, np.integer)):
        return int(value)
    if isinstance(value, (float, np.floating)):
        wide = float(value)
        if math.isnan(wide):
            return None
        if math.isinf(wide):
            return "inf" if wide > 0 else "-inf"
        return wide
    if isinstance(value, bytes):
        return value.decode("utf-8")
    return str(value)


def array(value):
    """An answer with numpy's own dtype and shape, flattened row by row."""
    if isinstance(value, list):
        return {"list": [array(item) for item in value]}
    sparse = hasattr(value, "toarray")
    if sparse:
        value = value.toarray()
    if hasattr(value, "to_numpy"):
        value = value.to_numpy()
    value = np.asarray(value)
    out = {"dtype": value.dtype.name if value.dtype.kind not in "US" else "str", "shape": list(value.shape)}
    if value.dtype.kind == "O":
        out["dtype"] = "object"
    if sparse:
        out["sparse"] = True
    out["data"] = [number(v) for v in value.reshape(-1)]
    return out


def first_line(error):
    return (type(error).__name__ + ": " + str(error).strip().split("\n")[0])[:200]


def answers(model, query, refuses=False, methods=METHODS):
    """What each method gives. An error is an expected answer only where the case is about refusing: some versions fail
    on float32 rows or lack transform for a solver, which nobody needs to copy."""
    out = {}
    for method in methods:
        if not hasattr(model, method):
            continue
        try:
            out[method] = array(getattr(model, method)(query))
        except Exception as error:
            if refuses:
                out[method] = {"error": first_line(error)}
            else:
                print("    %s: %s" % (method, first_line(error)))
    return out


def frame_columns(frame):
    columns = []
    for name in frame.columns:
        series = frame[name]
        text = series.dtype == object or str(series.dtype) in ("category", "str", "string")
        values = [None if v is None or (isinstance(v, float) and math.isnan(v)) else v for v in series.tolist()]
        columns.append({"name": name, "kind": "text" if text else "number",
                        "dtype": "object" if text else series.dtype.name, "data": [number(v) for v in values]})
    return columns


def input_form(query, form):
    """(JSON head, object to hand to the estimator) for one input."""
    if form == "texts":
        return {"form": form, "rows": len(query), "texts": list(query)}, query
    if form == "columns":
        return {"form": form, "rows": len(query), "cols": query.shape[1], "columns": frame_columns(query)}, query
    dtype = {"f64": np.float64, "f32": np.float32, "i64": np.int64}[form]
    typed = np.asarray(query).astype(dtype)
    head = {"form": form, "rows": typed.shape[0], "cols": typed.shape[1] if typed.ndim == 2 else 0,
            "data": [number(v) for v in typed.reshape(-1)]}
    return head, typed


def dump_cases(path, head, cases):
    """One case per line, so that a diff names the case that moved."""
    text = io.StringIO()
    text.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "cases": [\n')
    text.write(",\n".join(json.dumps(c, ensure_ascii=False, separators=(",", ":"), allow_nan=False) for c in cases))
    text.write("\n]}\n")
    with io.open(path, "w", encoding="utf-8") as out:
        out.write(text.getvalue())
