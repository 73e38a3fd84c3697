#!/usr/bin/env python3
"""Runs a part of openai-python's own tests/api_resources (from its sdist on PyPI) against a jackdaw.

usage: tests/e2e/openai_suite.py [BASE_URL]

The part: creating chat completions and completions, plain, raw and streaming, and listing and retrieving models. Every case that
is left out is named with its reason (LEFT_OUT); a case that no reason fits is run. BASE_URL ends in /v1 and must serve the
suite's model names (MODELS). Without it a daemon with SmolLM2 is started under these names. The sdist is unpacked in the cache;
nothing of it is in this repository, and its conftest is replaced by one that makes the clients and writes down the results.
"""
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import openai_venv
from tally import Tally

MODELS = ["gpt-5.4", "gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo-instruct"]
FILES = ["chat/test_completions.py", "test_completions.py", "test_models.py"]
# The cases ask for no length, so that every chat is as long as the context lets it be.
MAX_MODEL_LEN = 128
# (pattern of the case's id, why it is left out).
LEFT_OUT = [
    (r"chat/test_completions.py.*_(retrieve|update|list|delete)(_with_all_params)?\b", "chat completions are not stored"),
    (r"_with_all_params", "asks for every parameter at once: audio, web search, tools and others"),
    (r"test_models.py.*_delete\b", "clients do not delete models"),
]
CONFTEST = '''"""Clients for a server that runs already; which cases run; what became of them."""
import json
import os
import re

import pytest
from openai import AsyncOpenAI, DefaultAioHttpClient, OpenAI

URL = os.environ["TEST_API_BASE_URL"]
LEFT_OUT = json.loads(os.environ["LEFT_OUT"])
report = {"passed": [], "failed": [], "skipped": [], "left out": []}


def strictness(request):
    asked = getattr(request, "param", True)
    return asked.get("strict", True) if isinstance(asked, dict) else asked


@pytest.fixture(scope="session")
def client(request):
    with OpenAI(base_url=URL, api_key="My API Key", _strict_response_validation=strictness(request)) as made:
        yield made


@pytest.fixture(scope="session")
async def async_client(request):
    asked = getattr(request, "param", True)
    aio = isinstance(asked, dict) and asked.get("http_client") == "aiohttp"
    async with AsyncOpenAI(base_url=URL, api_key="My API Key", _strict_response_validation=strictness(request),
                           http_client=DefaultAioHttpClient() if aio else None) as made:
        yield made


def pytest_collection_modifyitems(items):
    kept = []
    for item in items:
        why = next((why for pattern, why in LEFT_OUT if re.search(pattern, item.nodeid)), None)
        if why is None:
            kept.append(item)
        else:
            report["left out"].append([item.nodeid, why])
    items[:] = kept


def pytest_runtest_logreport(report: pytest.TestReport, results=report):
    if report.when == "call" or report.outcome != "passed":
        results[report.outcome].append([report.nodeid, "" if report.passed else report.longreprtext[-1500:]])


def pytest_sessionfinish():
    with open(os.environ["REPORT"], "w") as file:
        json.dump(report, file)
'''
SETTINGS = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = session\nasyncio_default_test_loop_scope = session\n"


def by_function(cases):
    """{function: ([variant, ...], [detail, ...])} of [id, detail] pairs; an id is file::Class::function[variant]."""
    found = collections.OrderedDict()
    for node, detail in cases:
        function, _, variant = node.removeprefix("tests/api_resources/").partition("[")
        variants, details = found.setdefault(function, ([], []))
        variants.append(variant.rstrip("]"))
        details += [detail] if detail and detail not in details else []
    return found


def run_suite(source, base_url, tally):
    with tempfile.TemporaryDirectory(prefix="jackdaw-openai-suite-") as folder:
        root = pathlib.Path(folder)
        subprocess.run(["cp", "-r", source / "tests", root / "tests"], check=True)
        (root / "tests" / "conftest.py").write_text(CONFTEST)
        (root / "pytest.ini").write_text(SETTINGS)
        report = root / "report.json"
        environment = {**os.environ, "TEST_API_BASE_URL": base_url, "LEFT_OUT": json.dumps(LEFT_OUT), "REPORT": str(report)}
        done = subprocess.run(
            [openai_venv.VENV / "bin" / "python", "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", "--durations=3",
             *(f"tests/api_resources/{name}" for name in FILES)],
            cwd=root, env=environment, capture_output=True, text=True, timeout=600)
        found = json.loads(report.read_text()) if report.exists() else None
    if found is None or not found["passed"] + found["failed"]:
        tally.check("openai-python's api_resources", False, (done.stdout + done.stderr)[-3000:])
        return
    for function, (variants, whys) in by_function(found["left out"]).items():
        print(f"left out: {function} ({', '.join(variants)}): {whys[0]}")
    for function, (variants, whys) in by_function(found["skipped"]).items():
        print(f"left out: {function} ({', '.join(variants)}): the suite itself skips it: {whys[0] if whys else ''}")
    failed = by_function(found["failed"])
    for function, (variants, _) in by_function(found["passed"] + found["failed"]).items():
        broken = failed.get(function)
        tally.check(f"openai-python's {function}", broken is None,
                    f"{', '.join(broken[0])}: {broken[1][0]}" if broken else ", ".join(variants))
    print("\n".join(line for line in done.stdout.splitlines() if "s call" in line or " in " in line), flush=True)
    took_part = {node.removeprefix("tests/api_resources/").partition("::")[0] for node, _ in found["passed"]}
    tally.check("each of the suite's files took part", took_part == set(FILES), ", ".join(sorted(took_part)))


def main():
    tally = Tally()
    why = openai_venv.install()
    source = None
    if why is None:
        source, why = openai_venv.suite()
    if why is not None:
        tally.skip("openai-python's own tests", why)
        return tally.end()
    if len(sys.argv) == 2:
        tally.run("openai-python's api_resources", run_suite, source, sys.argv[1].rstrip("/"), tally)
        return tally.end()
    from llm_service import MODEL, llm_service
    if not MODEL.exists():
        tally.skip("openai-python's own tests", f"{MODEL} is not there (scripts/fetch-smollm2)")
        return tally.end()
    with llm_service(MODELS, MAX_MODEL_LEN) as base_url:
        tally.run("openai-python's api_resources", run_suite, source, base_url, tally)
    tally.end()


if __name__ == "__main__":
    main()
