#!/usr/bin/env python3
"""Runs the clients people have, from PyPI: tritonclient and the KServe SDK's InferenceRESTClient, over V1 and V2.

usage: tests/e2e/clients.py

They are installed into ${JACKDAW_CACHE:-~/.cache/jackdaw}/venv-clients; without PyPI the checks are skipped.
"""
import asyncio
import os
import pathlib
import subprocess
import sys

from daemon import ROOT, Daemon
from tally import Tally

CACHE = pathlib.Path(os.environ.get("JACKDAW_CACHE") or pathlib.Path.home() / ".cache" / "jackdaw")
VENV = CACHE / "venv-clients"
# kserve hands its models to the Kubernetes client; newer ones of that take dictionaries alone.
PACKAGES = ["tritonclient[http]==2.73.0", "kserve==0.21.0", "kubernetes==33.1.0", "numpy==1.26.4"]
CONFIGS = ROOT / "tests" / "data" / "oip"
ROWS = [[6.8, 2.8, 4.8, 1.4], [5.1, 3.5, 1.4, 0.2]]


def install():
    """None when the clients are there, else why they are not."""
    stamp = VENV / "installed"
    wanted = "\n".join(PACKAGES)
    if stamp.exists() and stamp.read_text() == wanted:
        return None
    try:
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True, capture_output=True, text=True)
        print(f"installing {', '.join(PACKAGES)} into {VENV}", flush=True)
        subprocess.run([VENV / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES], check=True,
                       capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        output = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        return f"pip could not install the clients: {output[-1] if output else error}"
    stamp.write_text(wanted)
    return None


def triton(daemon, tally, dialect, output):
    """`output`: what the dialect calls the first one."""
    import numpy
    import tritonclient.http as triton_http
    from tritonclient.utils import InferenceServerException

    client = triton_http.InferenceServerClient(f"127.0.0.1:{daemon.port}")

    def check(name, ok, detail=""):
        tally.check(f"tritonclient, {dialect}: {name}", ok, detail)

    def infer(model_name, values, datatype, binary, ask=True, **options):
        tensor = triton_http.InferInput("input-0", list(values.shape), datatype)
        tensor.set_data_from_numpy(values, binary_data=binary)
        outputs = [triton_http.InferRequestedOutput(output, binary_data=binary)] if ask else None
        # tritonclient names no content type, and KServe then takes any V2 body for a binary one.
        headers = {} if binary else {"Content-Type": "application/json"}
        return client.infer(model_name, [tensor], outputs=outputs, request_id="r-1", headers=headers, **options)

    check("server is live and ready", client.is_server_live() and client.is_server_ready())
    check("model is ready", client.is_model_ready("iris-svc"))
    check("an unknown model is not ready", not client.is_model_ready("nobody"))
    server = client.get_server_metadata()
    check("server metadata", bool(server["name"]) and "extensions" in server, str(server))
    model = client.get_model_metadata("xgb-softprob")
    check("model metadata names real inputs and outputs", model["name"] == "xgb-softprob" and model["inputs"] and model["outputs"], str(model))

    rows = numpy.array(ROWS, dtype=numpy.float32)
    for name in ("iris-svc", "xgb-softprob"):
        as_json, as_binary = infer(name, rows, "FP32", False), infer(name, rows, "FP32", True)
        a, b = as_json.as_numpy(output), as_binary.as_numpy(output)
        check(f"{name} answers the same in JSON and in binary", a is not None and b is not None and a.dtype == b.dtype and (a == b).all(),
              f"{None if a is None else a.tolist()} {None if b is None else b.tolist()}")
        check(f"{name} echoes the id and names the model",
              as_binary.get_response()["id"] == "r-1" and as_binary.get_response()["model_name"] == name)

    def classes(**options):
        answer = infer("iris-svc", rows, "FP32", True, **options)
        return answer.as_numpy(output).ravel().tolist()

    check("the classes are right", classes() == [1, 0])
    check("outputs need not be named", classes(ask=False) == [1, 0])
    check("a gzipped request", classes(request_compression_algorithm="gzip") == [1, 0])
    doubles = infer("iris-svc", numpy.array(ROWS), "FP64", True)
    check("FP64", doubles.as_numpy(output).ravel().tolist() == [1, 0])
    try:
        infer("nobody", rows, "FP32", True)
        check("an unknown model is an error", False)
    except InferenceServerException as error:
        check("an unknown model is an error with a sentence", "nobody" in str(error), str(error))

    index = client.get_model_repository_index()
    check("the repository index lists the models as ready",
          {"iris-svc", "xgb-softprob"} <= {row["name"] for row in index if row["state"] == "READY"})
    client.unload_model("iris-svc")
    check("unload takes the model away", not client.is_model_ready("iris-svc"))
    client.load_model("iris-svc")
    check("load brings it back", client.is_model_ready("iris-svc") and classes() == [1, 0])
    client.close()


def triton_texts(daemon, tally):
    """Texts in and classes out, both ways of sending BYTES."""
    import numpy
    import tritonclient.http as triton_http

    texts = numpy.array([b"cheap watches, buy now", b"the meeting is at ten"], dtype=object)
    answers = []
    with triton_http.InferenceServerClient(f"127.0.0.1:{daemon.port}") as client:
        for binary in (False, True):
            tensor = triton_http.InferInput("input-0", [2], "BYTES")
            tensor.set_data_from_numpy(texts, binary_data=binary)
            outputs = [triton_http.InferRequestedOutput("output-0", binary_data=binary)]
            headers = {} if binary else {"Content-Type": "application/json"}
            answers.append(client.infer("spam", [tensor], outputs=outputs, headers=headers).as_numpy("output-0"))
    same = len(answers[0]) == 2 and (answers[0].astype(str) == answers[1].astype(str)).all()
    tally.check("tritonclient, kserve: texts give the same in JSON and in binary", same, f"{answers[0].tolist()} {answers[1].tolist()}")


async def kserve_v1(url, tally):
    from kserve import InferenceRESTClient
    from kserve.inference_client import RESTConfig

    async with InferenceRESTClient(RESTConfig(protocol="v1", retries=0, timeout=10)) as client:
        tally.check("KServe SDK, V1: server is live", await client.is_server_live(url))
        tally.check("KServe SDK, V1: model is ready", await client.is_model_ready(url, "iris-svc"))
        answer = await client.infer(url, {"instances": ROWS}, model_name="iris-svc")
        tally.check("KServe SDK, V1: predict", answer == {"predictions": [1, 0]}, str(answer))


async def kserve_v2(url, tally):
    import httpx
    import numpy
    from kserve import InferenceRESTClient, InferInput, InferRequest
    from kserve.inference_client import RESTConfig

    async with InferenceRESTClient(RESTConfig(protocol="v2", retries=0, timeout=10)) as client:
        tally.check("KServe SDK, V2: server is live and ready", await client.is_server_live(url) and await client.is_server_ready(url))
        tally.check("KServe SDK, V2: model is ready", await client.is_model_ready(url, "xgb-softprob"))
        for binary in (False, True):
            tensor = InferInput("input-0", [2, 4], "FP32")
            tensor.set_data_from_numpy(numpy.array(ROWS, dtype=numpy.float32), binary_data=binary)
            request = InferRequest(model_name="iris-svc", infer_inputs=[tensor], request_id="r-2")
            answer = await client.infer(url, request, model_name="iris-svc")
            tally.check(f"KServe SDK, V2: infer, {'binary' if binary else 'JSON'}",
                        answer.outputs[0].as_numpy().tolist() == [1, 0] and answer.id == "r-2", str(answer.outputs[0].as_numpy()))
        try:
            await client.infer(url, request, model_name="nobody")
            tally.check("KServe SDK, V2: an unknown model is an error", False)
        except httpx.HTTPStatusError as error:
            tally.check("KServe SDK, V2: an unknown model is a 404 with a sentence", error.response.status_code == 404 and "nobody" in str(error))


def main():
    tally = Tally()
    if "JACKDAW_CLIENTS_INSTALLED" not in os.environ:
        why = install()
        if why:
            tally.skip("tritonclient and KServe SDK", why)
            tally.end()
        environment = {**os.environ, "JACKDAW_CLIENTS_INSTALLED": "1"}
        python = str(VENV / "bin" / "python")  # As argv[0] too: it finds its packages by that.
        os.execve(python, [python, "-B", __file__], environment)
    with Daemon(CONFIGS / "service-mlserver.yaml") as daemon:
        tally.run("tritonclient, mlserver", triton, daemon, tally, "mlserver", "predict")
    with Daemon(CONFIGS / "service-kserve.yaml") as daemon:
        url = f"http://127.0.0.1:{daemon.port}"
        tally.run("tritonclient, kserve", triton, daemon, tally, "kserve", "output-0")
        tally.run("tritonclient, texts", triton_texts, daemon, tally)
        tally.run("KServe SDK, V1", asyncio.run, kserve_v1(url, tally))
        tally.run("KServe SDK, V2", asyncio.run, kserve_v2(url, tally))
    tally.end()


if __name__ == "__main__":
    main()
