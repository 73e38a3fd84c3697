"""Pickle and joblib files for tests/unit/formats: one set of values, in every protocol and compression.

    python3 -m venv V && V/bin/pip install 'numpy<2' scipy lz4 joblib && V/bin/python tests/data/make/formats.py all
    (with numpy 2)    python tests/data/make/formats.py numpy2
    (with joblib 1.1) python tests/data/make/formats.py joblib11

Seeds of the fuzz targets pickle and joblib are written by `all` as well.
"""
import gzip
import io
import pathlib
import pickle
import sys
import zlib

import joblib
import numpy as np

HERE = pathlib.Path(__file__).resolve().parent.parent
OUT = HERE / "formats"
CORPUS = HERE.parent / "fuzz" / "corpus"


def values():
    shared = [1, 2]
    struct = np.zeros(3, dtype=np.dtype({"names": ["left", "threshold", "leaf"], "formats": ["<i8", "<f8", "u1"],
                                         "offsets": [0, 8, 16], "itemsize": 24}))
    struct["left"] = [1, -1, 7]
    struct["threshold"] = [0.5, -2.0, 1e300]
    struct["leaf"] = [0, 1, 1]
    return {
        "none": None, "true": True, "false": False,
        "int": 7, "negative": -70000, "large": 2 ** 40, "uint64": 2 ** 64 - 1, "big": -(2 ** 100),
        "real": -1.25, "nan": float("nan"), "inf": float("inf"),
        "text": "na\u00efve \u4e1c \U0001f600\\\n", "empty_text": "", "bytes": bytes(range(256)), "empty_bytes": b"",
        "bytearray": bytearray(b"\x01\xfe"),
        "list": [1, [2, [3]]], "tuple": (1, "a", None, 2.0), "unit": (), "set": {1}, "frozenset": frozenset(["x"]),
        "shared_a": shared, "shared_b": shared,
        "f8": np.arange(6, dtype=np.float64).reshape(2, 3) / 2,
        "f8_fortran": np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3) / 2),
        "f4": np.array([1.5, -2.0], dtype=np.float32),
        "f2": np.array([1.5, -2.0, 6e-8, 65504.0, np.inf], dtype=np.float16),
        "big_endian": np.array([1.0, 256.0], dtype=">f8"),
        "i2_big_endian": np.array([1, -2], dtype=">i2"),
        "i8": np.array([1, -2, 2 ** 62], dtype=np.int64), "u1": np.array([0, 255], dtype=np.uint8),
        "bool": np.array([True, False]),
        "unicode": np.array(["a", "\u00e9\U0001f600", ""]), "s": np.array([b"ab", b"c"]),
        "objects": np.array([1, 2.5, None, True], dtype=object),
        "object_texts": np.array([["a", "b"], ["c", "d"]], dtype=object, order="F"),
        "struct": struct,
        "empty": np.zeros((0, 4)), "zero_d": np.array(3.5), "scalar": np.float32(2.5), "scalar_int": np.int64(-3),
        "scalar_text": np.str_("hi"),
    }


class Estimator:
    """Looks like a fitted estimator; the readers never know this class."""

    def __init__(self):
        self.coef_ = np.array([[1.0, 2.0]])
        self.classes_ = np.array(["no", "yes"])
        self._sklearn_version = "1.5.2"
        self.child = {"alpha": 0.5}


Estimator.__module__ = "sklearn.linear_model._logistic"
Estimator.__qualname__ = Estimator.__name__ = "LogisticRegression"


def register_stub():
    import types
    for name in ["sklearn", "sklearn.linear_model", "sklearn.linear_model._logistic"]:
        sys.modules.setdefault(name, types.ModuleType(name))
    sys.modules["sklearn.linear_model._logistic"].LogisticRegression = Estimator


def dump_joblib(value, compress):
    buffer = io.BytesIO()
    joblib.dump(value, buffer, compress=compress)
    return buffer.getvalue()


def write_pickles():
    for protocol in range(6):
        (OUT / f"values.protocol{protocol}.pkl").write_bytes(pickle.dumps(values(), protocol=protocol))


def write_joblib():
    joblib.dump(values(), OUT / "values.joblib")
    for method, name in [("zlib", "zlib"), ("gzip", "gz"), ("bz2", "bz2"), ("xz", "xz"), ("lzma", "lzma"), ("lz4", "lz4")]:
        joblib.dump(values(), OUT / f"values.joblib.{name}", compress=(method, 3))
    plain = (OUT / "values.joblib").read_bytes()
    half = len(plain) // 2
    (OUT / "values.two_members.gz").write_bytes(gzip.compress(plain[:half], mtime=0) + gzip.compress(plain[half:], mtime=0))
    small = pickle.dumps({"coef": [0.5, 1.5]}, protocol=2)
    (OUT / "old.zfile").write_bytes(b"ZF" + hex(len(small)).encode().ljust(19) + zlib.compress(small))


def write_sparse():
    from scipy import sparse
    dense = np.array([[0, 1.5, 0], [2.0, 0, -3.0]])
    kinds = {"csr": sparse.csr_matrix(dense), "csc": sparse.csc_matrix(dense), "csr_array": sparse.csr_array(dense)}
    (OUT / "sparse.pkl").write_bytes(pickle.dumps(kinds, protocol=4))


def write_seeds():
    register_stub()
    model = Estimator()
    for protocol in range(6):
        (CORPUS / "pickle" / f"model{protocol}.pkl").write_bytes(pickle.dumps(model, protocol=protocol))
        (CORPUS / "pickle" / f"values{protocol}.pkl").write_bytes(pickle.dumps(values(), protocol=protocol))
    (CORPUS / "pickle" / "sparse.pkl").write_bytes((OUT / "sparse.pkl").read_bytes())
    (OUT / "model.joblib").write_bytes(dump_joblib(model, 0))
    for method in ["zlib", "gzip", "bz2", "xz", "lzma", "lz4"]:
        (CORPUS / "joblib" / f"model.{method}").write_bytes(dump_joblib(model, (method, 3)))
    (CORPUS / "joblib" / "model.plain").write_bytes(dump_joblib(model, 0))
    (CORPUS / "joblib" / "values.plain").write_bytes(dump_joblib(values(), 0))
    (CORPUS / "joblib" / "old.zfile").write_bytes((OUT / "old.zfile").read_bytes())


def main(what):
    OUT.mkdir(exist_ok=True)
    for name in ["pickle", "joblib"]:
        (CORPUS / name).mkdir(parents=True, exist_ok=True)
    if what == "numpy2":
        assert np.__version__.startswith("2."), np.__version__
        (OUT / "values.numpy2.pkl").write_bytes(pickle.dumps(values(), protocol=5))
    elif what == "joblib11":
        assert joblib.__version__.startswith("1.1."), joblib.__version__
        joblib.dump(values(), OUT / "values.joblib11")
    else:
        write_pickles()
        write_joblib()
        write_sparse()
        write_seeds()


main(sys.argv[1] if len(sys.argv) > 1 else "all")
