#!/usr/bin/env python3
"""Explanations over HTTP: docs/explain.md's example, every kind of model, and that contributions add up.

usage: tests/e2e/explain.py

Ends with `N passed, N failed, N skipped`.
"""
import json
import math
import re
import shlex

from daemon import ROOT, Daemon
from tally import Tally

MANUAL = ROOT / "docs" / "explain.md"


def close(a, b):
    """Equal structures, numbers to seven digits."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(close(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(close, a, b))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-7)
    return a == b


def post(daemon, path, body):
    status, answer = daemon.request("POST", path, body if isinstance(body, str) else json.dumps(body),
                                    {"Content-Type": "application/json"})
    return status, json.loads(answer)


def manual(tally, daemon):
    """The command of the first sh block, its answer in the json block behind it, and the V2 request in the next."""
    blocks = re.findall(r"```(sh|json)\n(.*?)```", MANUAL.read_text(), re.S)
    words = shlex.split(blocks[0][1])
    path = next(word for word in words if word.startswith("http://")).split(":8080", 1)[1]
    body = words[words.index("-d") + 1]
    status, answer = post(daemon, path, body)
    tally.check("the manual's example", status == 200 and close(answer, json.loads(blocks[1][1])), json.dumps(answer))
    explained = answer["explanations"][0]
    sums = [base + sum(values) for base, values in zip(explained["base_value"], explained["values"])]
    softmax = [math.exp(x) / sum(map(math.exp, sums)) for x in sums]
    tally.check("its values add up to what it predicts", close(softmax, explained["prediction"]), f"{softmax}")
    status, answer = post(daemon, "/v2/models/iris-xgboost/infer", blocks[2][1])
    flat = [x for values, base in zip(explained["values"], explained["base_value"]) for x in [*values, base]]
    tally.check("the manual's V2 request", status == 200 and answer["outputs"][0]["shape"] == [1, 3, 5]
                and close(answer["outputs"][0]["data"], flat), json.dumps(answer))


def refusals(tally, daemon):
    row = {"instances": [[6.8, 2.8, 4.8, 1.4]]}
    status, answer = post(daemon, "/v1/models/iris-pipeline:explain", row)
    tally.check("a model without trees is a 501 that says which have them",
                status == 501 and answer["error"].startswith("'LogisticRegression' cannot be explained here."), str((status, answer)))
    status, answer = post(daemon, "/v1/models/iris-xgboost:explain", {"instances": [[1, 2, 3, 4, 5]]})
    tally.check("rows that are too wide are a 400", status == 400 and "error" in answer, str((status, answer)))
    status, _ = post(daemon, "/v1/models/nothing:explain", row)
    tally.check("an unknown model is a 404", status == 404, str(status))


def large(tally, daemon):
    """20,000 rows run on the cpu pool, while small calls are answered."""
    rows = [[4 + i % 40 / 10, 2 + i % 24 / 10, 1 + i % 59 / 10, i % 25 / 10] for i in range(20_000)]
    status, answer = post(daemon, "/v1/models/iris-xgboost:explain", {"instances": rows})
    tally.check("20,000 rows at once", status == 200 and len(answer["explanations"]) == 20_000, str(status))
    metrics = daemon.get("/metrics")[1].decode()
    found = re.search(r'request_explain_seconds_count\{model_name="iris-xgboost"\} ([0-9.]+)', metrics)
    tally.check("they count as explained", found is not None and float(found[1]) >= 2, str(found))


def main():
    tally = Tally()
    with Daemon() as daemon:
        tally.run("the manual", manual, tally, daemon)
        tally.run("refusals", refusals, tally, daemon)
        tally.run("large", large, tally, daemon)
    tally.end()


if __name__ == "__main__":
    main()
