#!/usr/bin/env python3
"""Runs a part of openai-python's own tests/api_resources (from its sdist on PyPI) against a jackdaw.

usage: tests/e2e/openai_suite.py [BASE_URL]

The part: creating chat completions and completions, plain, raw and streaming, and listing and retrieving models. Left out:
the cases with every parameter at once (they ask for audio, web search, tools and more at a time), and stored completions.
BASE_URL ends in /v1 and must serve the suite's model names: gpt-5.4, gpt-4o, gpt-4o-mini, gpt-3.5-turbo-instruct. Without
it a daemon with SmolLM2 is started under these names. The sdist is unpacked in the cache; nothing of it is in this
repository, and its conftest is replaced by one that only makes the clients.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import openai_venv
from tally import Tally

MODELS = ["gpt-5.4", "gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo-instruct"]
FILES = ["test_completions.py", "chat/test_completions.py", "test_models.py"]
CASES = "(create or (TestModels and (list or retrieve)) or (TestAsyncModels and (list or retrieve))) and not all_params"
CONFTEST = '''"""Clients for a server that runs already."""
import os

import pytest
from openai import AsyncOpenAI, DefaultAioHttpClient, OpenAI

URL = os.environ["TEST_API_BASE_URL"]


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
'''
SETTINGS = "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = session\nasyncio_default_test_loop_scope = session\n"


def run_suite(source, base_url, tally):
    with tempfile.TemporaryDirectory(prefix="jackdaw-openai-suite-") as folder:
        root = pathlib.Path(folder)
        tests = root / "tests"
        subprocess.run(["cp", "-r", source / "tests", tests], check=True)
        (tests / "conftest.py").write_text(CONFTEST)
        (root / "pytest.ini").write_text(SETTINGS)
        done = subprocess.run(
            [openai_venv.VENV / "bin" / "python", "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider", "-rfE", "-k", CASES,
             *(f"tests/api_resources/{name}" for name in FILES)],
            cwd=root, env={**os.environ, "TEST_API_BASE_URL": base_url}, capture_output=True, text=True, timeout=900)
    print(done.stdout[-8000:] + done.stderr[-2000:], flush=True)
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else "no output"
    count = re.search(r"(\d+) passed", last)
    tally.check("openai-python's api_resources", done.returncode == 0 and count is not None and int(count.group(1)) > 50, last)


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
        tally.skip("openai-python's own tests", f"{MODEL} is not there (tests/peers/install smollm2)")
        return tally.end()
    with llm_service(MODELS) as base_url:
        tally.run("openai-python's api_resources", run_suite, source, base_url, tally)
    tally.end()


if __name__ == "__main__":
    main()
