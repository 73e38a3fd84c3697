"""Fits every case of sklearn_cases.py under the installed scikit-learn and writes models, inputs and answers.

Usage: make_sklearn.py OUTPUT_DIRECTORY [CASE...]
"""
import os
import sys
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import joblib
import numpy as np
import sklearn

import datasets
import emit
from sklearn_cases import CASES, CASES_FOR_022, CASES_FOR_OLD, Missing

ENCODED = ("logreg", "forest", "text_tfidf_nb")  # These are written under every encoding ...
ENCODED_EVERYWHERE = ("logreg",)  # ... and this one by every version; the others by the version KServe runs.
SERVED = "1.5.2"
VENDORED = ("vendored-none", "vendored-zlib", "vendored-gzip", "vendored-none-p2")
OLD = tuple(int(part) for part in sklearn.__version__.split(".")[:2]) < (1, 1)
# What an older version says to a parameter value it does not know yet, or a newer one no longer.
NOT_HERE = (Missing, ValueError, TypeError, KeyError, IndexError, ImportError, AttributeError)


# Answers of old versions that no later version gives for the same model, so that nobody needs to copy them: the `ovr`
# decision of 0.20 depended on the other rows of the request, and its SAMME probabilities had another formula.
DROPPED = {
    "0.20": {"svc_rbf_multi_proba": ["decision_function"], "svc_linear_multi": ["decision_function"], "nu_svc": ["decision_function"],
             "pipe_std_pca_svc": ["decision_function"], "ovo": ["decision_function"], "ada": ["predict_proba"]},
}


def fit(case, sets):
    x, y = sets[case["train"]]
    model = case["make"]()
    if case.get("category"):
        x = x.assign(**{name: x[name].astype("category") for name in case["category"]})
    return model.fit(x) if y is None else model.fit(x, y)


def query_for(case, sets):
    query = sets[case["query"]]
    if case.get("category"):
        query = query.assign(**{name: query[name].astype("category") for name in case["category"]})
    return query


def case_inputs(case, model, sets):
    inputs = []
    for form in case["forms"][:1] if OLD else case["forms"]:
        head, typed = emit.input_form(query_for(case, sets), form)
        if case.get("labels"):
            head["labels"] = True
        head["expected"] = emit.answers(model, typed, refuses=case.get("refuses", False))
        for method in DROPPED.get(sklearn.__version__.rpartition(".")[0], {}).get(case["name"], []):
            head["expected"].pop(method)
        inputs.append(head)
    return inputs


def outer_class(model):
    return type(model).__name__


def write_case(out, case, name, model, encoding, inputs):
    path = name + "." + emit.extension(encoding)
    emit.write_model(model, os.path.join(out, path), encoding)
    entry = {"name": name, "file": path, "encoding": encoding, "class": outer_class(model), "train": case["train"]}
    if case.get("category"):
        entry["category_columns"] = list(case["category"])
    entry["inputs"] = inputs
    return entry


def encoded_cases(out, case, model, inputs):
    """The same model under every encoding, with one input form to keep it small."""
    entries = []
    for encoding in emit.EVERY_ENCODING:
        if emit.supported(encoding):
            name = "enc_%s_%s" % (case["name"], encoding.replace("-", "_"))
            entries.append(write_case(out, case, name, model, encoding, inputs[:1]))
    return entries


def main():
    out, wanted = sys.argv[1], sys.argv[2:]
    os.makedirs(out, exist_ok=True)
    for old in os.listdir(out):
        if not wanted and (old == "cases.json" or old.endswith((".pkl", ".joblib"))):
            os.remove(os.path.join(out, old))
    warnings.simplefilter("ignore")
    sets = datasets.make()
    entries, skipped = [], []
    for_old = CASES_FOR_022 if sklearn.__version__.startswith("0.22.") else CASES_FOR_OLD
    minor = int(sklearn.__version__.split(".")[1])  # Versions start the rotation at different places.
    for index, case in enumerate(CASES):
        if wanted and case["name"] not in wanted:
            continue
        if (OLD and case["name"] not in for_old) or (not OLD and case.get("old")):
            continue
        try:
            model = fit(case, sets)
        except NOT_HERE as error:
            skipped.append(case["name"])
            print("  skip %-28s %s" % (case["name"], emit.first_line(error)), flush=True)
            continue
        inputs = case_inputs(case, model, sets)
        encoding = emit.encoding_for(model, index + minor)
        if sklearn.__version__.startswith("0.20.") and index % 3 == 0:
            encoding = VENDORED[index % len(VENDORED)]
        entries.append(write_case(out, case, case["name"], model, encoding, inputs))
        if case["name"] in (ENCODED if sklearn.__version__ == SERVED else ENCODED_EVERYWHERE):
            entries += encoded_cases(out, case, model, inputs)
    head = {"sklearn": sklearn.__version__, "numpy": np.__version__, "joblib": joblib.__version__,
            "python": "%d.%d" % sys.version_info[:2], "not_in_this_version": skipped}
    emit.dump_cases(os.path.join(out, "cases.json"), head, entries)
    print("  %d cases written, %d not in scikit-learn %s" % (len(entries), len(skipped), sklearn.__version__), flush=True)


if __name__ == "__main__":
    main()
