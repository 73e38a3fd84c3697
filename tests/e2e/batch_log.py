#!/usr/bin/env python3
"""Batching, response cache, warm-up and payload logger of the running daemon: KServe's own batcher and logger tests with
their inputs, and what must hold beside them: every request keeps its own status, answers do not depend on their batch,
and a receiver that is slow, down or refuses does not touch a request.

usage: tests/e2e/batch_log.py
"""
import base64
import concurrent.futures
import http.client
import json
import pathlib
import random
import re
import socket
import subprocess
import tempfile
import time
import uuid

from daemon import ROOT, Daemon
from event_receiver import EventReceiver
from llm_service import CACHE, MODEL
from tally import Tally

MODELS = ROOT / "tests" / "data" / "oip" / "models"
ROWS = [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]
FORMATS = {"iris-svc": "sklearn", "iris-logreg": "sklearn", "xgb-softprob": "xgboost", "lgb-iris": "lightgbm"}


def service(name, model="iris-svc", annotations=None, predictor="", runtime=""):
    """One InferenceService around a model of tests/data."""
    lines = [
        "apiVersion: serving.kserve.io/v1beta1",
        "kind: InferenceService",
        f"metadata: {json.dumps({'name': name, 'annotations': annotations or {}})}",
        "spec:",
        "  predictor:",
        *(f"    {line}" for line in predictor.splitlines()),
        "    model:",
        f"      modelFormat: {{name: {FORMATS[model]}}}",
        *([f"      runtime: {runtime}", "      protocolVersion: v2"] if runtime else []),
        f"      storageUri: {MODELS / model}",
    ]
    return "\n".join(lines) + "\n"


class Services:
    """A daemon that serves them, from a file of its own."""

    def __init__(self, *texts, wait_ready=True):
        self.folder = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.folder.name) / "services.yaml"
        self.path.write_text("---\n".join(texts))
        self.wait_ready = wait_ready

    def __enter__(self):
        self.daemon = Daemon(self.path, wait_ready=self.wait_ready)
        return self.daemon

    def __exit__(self, *error):
        self.daemon.__exit__(*error)
        self.folder.cleanup()


def v1(daemon, name, instances, headers=None):
    return daemon.post(f"/v1/models/{name}:predict", {"instances": instances}, headers)


def v2_body(rows, datatype="FP32", request_id="1", parameters=None):
    body = {"id": request_id, "inputs": [
        {"name": "input-0", "shape": [len(rows), len(rows[0])], "datatype": datatype, "data": sum(rows, [])}]}
    return {**body, "parameters": parameters} if parameters else body


def together(calls):
    """What the calls return, made at the same time by threads of their own."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def metric(daemon, name, **labels):
    """The value of a metric, summed over the labels not given."""
    total = 0.0
    for line in daemon.get("/metrics")[1].decode().splitlines():
        found = re.match(rf"{name}(?:{{(.*)}})? (\S+)$", line)
        if found and all(f'{key}="{value}"' in (found[1] or "") for key, value in labels.items()):
            total += float(found[2])
    return total


def check_kserve_batcher(tally):
    """kserve test/e2e/batcher/test_batcher.py: four requests of two instances each come back as one batch."""
    text = service("batched", predictor="batcher: {maxBatchSize: 32, maxLatency: 800}")
    with Services(text, service("plain")) as daemon:
        began = time.monotonic()
        answers = together([lambda: v1(daemon, "batched", ROWS)] * 4)
        took = time.monotonic() - began
        bodies = [json.loads(body) for _, body in answers]
        tally.check("KServe's batcher test: four objects alike, batch id included",
                    all(status == 200 for status, _ in answers) and all(body == bodies[0] for body in bodies), bodies[0])
        tally.check("the shape is KServe's", list(bodies[0]) == ["message", "batchId", "predictions"]
                    and bodies[0]["message"] == "" and bodies[0]["predictions"] == [1, 1]
                    and uuid.UUID(bodies[0]["batchId"]).version == 4)
        tally.check("the wait is maxLatency", 0.75 <= took < 2.0, f"{took:.2f} s")
        began = time.monotonic()
        full = together([lambda: v1(daemon, "batched", ROWS)] * 16)
        took = time.monotonic() - began
        tally.check("32 instances run at once", took < 0.7 and all(status == 200 for status, _ in full), f"{took:.2f} s")
        tally.check("two batches, no more", metric(daemon, "jackdaw_batches_total", model="batched") == 2)
        tally.check("40 inferences in 2 executions",
                    (metric(daemon, "nv_inference_count", model="batched"),
                     metric(daemon, "nv_inference_exec_count", model="batched")) == (40, 2))

        mixed = together([lambda: v1(daemon, "batched", ROWS),
                          lambda: daemon.post("/v2/models/batched/infer", v2_body(ROWS, "FP64", "x")),
                          lambda: v1(daemon, "batched", [[1.5, 2.5, 3.5]]),
                          lambda: v1(daemon, "batched", [[1, 2], [3]]),
                          lambda: v1(daemon, "batched", []),
                          lambda: daemon.post("/v1/models/batched:predict", b"{")])
        alone = daemon.post("/v2/models/plain/infer", v2_body(ROWS, "FP64", "x"))[1].replace(b'"plain"', b'"batched"')
        plain_error = v1(daemon, "plain", [[1.5, 2.5, 3.5]])
        wrong_width = json.loads(mixed[2][1])
        tally.check("V1 and V2 keep their shapes in one batch",
                    json.loads(mixed[0][1])["predictions"] == [1, 1] and mixed[1] == (200, alone))
        tally.check("a request of a wrong width keeps its own status", mixed[2][0] == plain_error[0]
                    and wrong_width == {"message": plain_error[1].decode(), "batchId": "", "predictions": None},
                    f"{mixed[2][0]}")
        tally.check("ragged rows are refused at once", mixed[3][0] == 400)
        tally.check("KServe's two refusals", (mixed[4], mixed[5]) == ((400, b"no instances in the request\n"),
                                                                     (400, b"can't Unmarshal body\n")))


def check_v2_batch_header(tally):
    with Services(service("batched", predictor="batcher: {maxBatchSize: 2, maxLatency: 5000}")) as daemon:
        def ask():
            connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
            connection.request("POST", "/v2/models/batched/infer", json.dumps(v2_body(ROWS[:1])),
                               {"content-type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            return answer.headers.get("x-batch-id")
        first, second = together([ask, ask])
        tally.check("V2 answers name their batch in a header", first == second and uuid.UUID(first).version == 4, first)


def check_disconnect(tally):
    with Services(service("batched", predictor="batcher: {maxBatchSize: 2, maxLatency: 1500}")) as daemon:
        body = json.dumps({"instances": ROWS[:1]}).encode()
        gone = socket.create_connection(("127.0.0.1", daemon.port))
        gone.sendall(b"POST /v1/models/batched:predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" %
                     (len(body), body))
        time.sleep(0.2)
        gone.close()
        time.sleep(0.2)
        began = time.monotonic()
        status, _ = v1(daemon, "batched", ROWS[:1])
        took = time.monotonic() - began
        tally.check("who has left does not fill a batch", status == 200 and took > 1.0, f"{took:.2f} s")


def check_drain(tally):
    with Services(service("batched", predictor="batcher: {maxBatchSize: 32, maxLatency: 60000}")) as daemon:
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(v1, daemon, "batched", ROWS)
            time.sleep(0.3)
            began = time.monotonic()
            code = daemon.stop()
            status, body = waiting.result()
        tally.check("SIGTERM answers what waits for a batch", status == 200 and json.loads(body)["predictions"] == [1, 1]
                    and code == 0 and time.monotonic() - began < 5)


def check_dynamic(tally):
    """Batched answers are the bytes of unbatched ones, for every format, protocol and dialect."""
    random.seed(5)
    dynamic = {"jackdaw.dev/max-batch-size": "16", "jackdaw.dev/max-queue-delay": "30ms",
               "jackdaw.dev/preferred-batch-size": "8"}
    texts = []
    for model in FORMATS:
        texts += [service(f"{model}-plain", model), service(f"{model}-batch", model, dynamic)]
    texts += [service("mls-plain", runtime="kserve-mlserver"), service("mls-batch", "iris-svc", dynamic,
                                                                      runtime="kserve-mlserver")]
    with Services(*texts) as daemon:
        names = [*FORMATS, "mls"]
        for name in names:
            requests = []
            for number in range(40):
                rows = [[round(random.uniform(0.1, 8), 1) for _ in range(4)] for _ in range(random.randint(1, 3))]
                datatype = random.choice(["FP32", "FP64"])
                if name != "mls" and random.random() < 0.4:
                    requests.append((f"/v1/models/{name}-%s:predict", {"instances": rows}))
                else:
                    requests.append((f"/v2/models/{name}-%s/infer", v2_body(rows, datatype, str(number))))
            expected = [daemon.post(path % "plain", body)[1].replace(b"-plain", b"-batch") for path, body in requests]
            got = together([lambda p=path, b=body: daemon.post(p % "batch", b)[1] for path, body in requests])
            runs = metric(daemon, "nv_inference_exec_count", model=f"{name}-batch")
            tally.check(f"{name}: batched answers are the unbatched bytes", got == expected and runs < len(requests),
                        f"{len(requests)} requests in {runs:.0f} executions")
        bad = daemon.post("/v2/models/iris-svc-batch/infer", v2_body(ROWS, parameters={"priority": -1}))
        tally.check("a bad priority is named", bad[0] == 400 and b"'priority'" in bad[1], bad[1].decode())


def check_queue_timeout(tally):
    annotations = {"jackdaw.dev/max-batch-size": "16", "jackdaw.dev/max-queue-delay": "400ms"}
    with Services(service("queued", annotations=annotations)) as daemon:
        began = time.monotonic()
        status, body = daemon.post("/v2/models/queued/infer", v2_body(ROWS, parameters={"timeout": 100000}))
        took = time.monotonic() - began
        tally.check("a request's timeout ends its wait in the queue", status == 503 and b"timeout expired" in body
                    and 0.08 < took < 0.35, f"{status} after {took:.2f} s")
        tally.check("others wait their time", daemon.post("/v2/models/queued/infer", v2_body(ROWS))[0] == 200)


def check_cache(tally):
    with Services(service("cached", annotations={"jackdaw.dev/response-cache": "4Mi"})) as daemon:
        first = v1(daemon, "cached", ROWS)
        answers = [v1(daemon, "cached", ROWS) for _ in range(9)]
        tally.check("cached answers are the same bytes", all(answer == first for answer in answers) and first[0] == 200)
        tally.check("hits and misses are counted by Triton's names",
                    (metric(daemon, "nv_cache_num_hits_per_model"), metric(daemon, "nv_cache_num_misses_per_model")) ==
                    (9, 1))
        tally.check("another request is none", v1(daemon, "cached", ROWS[:1])[1] != first[1])
        tally.check("the engine ran twice", metric(daemon, "nv_inference_exec_count") == 2)


def check_warm_up(tally):
    with tempfile.TemporaryDirectory() as folder:
        good, bad = pathlib.Path(folder, "good.json"), pathlib.Path(folder, "bad.json")
        good.write_text(json.dumps({"instances": ROWS}))
        bad.write_text(json.dumps({"instances": [[1, 2]]}))
        with Services(service("zeros", annotations={"jackdaw.dev/warm-up": "8"}),
                      service("file", annotations={"jackdaw.dev/warm-up": f"file:{good}"}),
                      service("bad", annotations={"jackdaw.dev/warm-up": f"file:{bad}"}), wait_ready=False) as daemon:
            deadline = time.monotonic() + 10
            while "all models settled" not in daemon.log_text() and time.monotonic() < deadline:
                time.sleep(0.02)
            log = daemon.log_text()
            tally.check("models warm up before they are ready", log.count('"msg":"model warmed up"') == 2)
            tally.check("a model that refuses its warm-up request is not ready",
                        daemon.get("/v2/models/bad/ready")[0] == 503 and b"warm-up request" in
                        daemon.get("/v2/models/bad/ready")[1])
            tally.check("the others are", daemon.get("/v2/models/zeros/ready")[0] == 200
                        and daemon.get("/v2/models/file/ready")[0] == 200)


def logger(url, **fields):
    return f"logger: {json.dumps({'url': url, **fields})}"


def check_kserve_logger(tally, receiver):
    """kserve test/e2e/logger/test_logger.py: a receiver is told of the request and of the answer."""
    annotations = {"team": "birds"}
    fields = {"mode": "all", "metadataHeaders": ["X-User"], "metadataAnnotations": ["team"]}
    with Services(service("logged", annotations=annotations, predictor=logger(receiver.url, **fields)),
                  service("asked", predictor=logger(receiver.url, mode="request")),
                  service("answered", predictor=logger(receiver.url, mode="response"))) as daemon:
        body = b'{"instances": [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]}'
        status, answer = daemon.post("/v1/models/logged:predict", body, {"Ce-Id": "my-id", "X-User": "ada"})
        tally.check("a logged call is answered as ever", (status, answer) == (200, b'{"predictions":[1,1]}'))
        receiver.wait(2)
        told = {headers["ce-type"]: (headers, body) for headers, body in receiver.events}
        prefix = "org.kubeflow.serving.inference."
        tally.check("KServe's logger test: request and response arrive", set(told) == {prefix + "request", prefix + "response"})
        asked, sent = told[prefix + "request"]
        tally.check("payloads are the bytes on the wire", sent == body and told[prefix + "response"][1] == answer)
        wanted = {"ce-id": "my-id", "ce-specversion": "1.0", "ce-source": "logged-predictor",
                  "ce-inferenceservicename": "logged", "ce-namespace": "default", "ce-component": "predictor",
                  "ce-endpoint": "default", "ce-metadata": '{"X-User":["ada"]}', "ce-annotations": '{"team":"birds"}',
                  "content-type": "application/json"}
        tally.check("with KServe's attributes", all(asked.get(key) == value for key, value in wanted.items()), asked)
        tally.check("and times", all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", asked[key])
                                     for key in ("ce-time", "ce-recordedtime")))
        receiver.clear()
        daemon.post("/v2/models/logged/infer", v2_body(ROWS))
        daemon.get("/v2/models/logged/ready")
        daemon.post("/v2/models/logged/infer", v2_body(ROWS), {"User-Agent": "kube-probe/1.30"})
        receiver.wait(2)
        ids = {headers["ce-id"] for headers, _ in receiver.events}
        tally.check("V2 is logged, probes are not", len(receiver.events) == 2 and len(ids) == 1
                    and uuid.UUID(ids.pop()).version == 4)
        receiver.clear()
        v1(daemon, "asked", ROWS)
        v1(daemon, "answered", ROWS)
        v1(daemon, "answered", [[1, 2]])
        receiver.wait(2)
        time.sleep(0.2)
        kinds = sorted((headers["ce-inferenceservicename"], headers["ce-type"]) for headers, _ in receiver.events)
        tally.check("modes hold, and failures have no response event",
                    kinds == [("answered", prefix + "response"), ("asked", prefix + "request")], kinds)
        return [(headers, base64.b64encode(body).decode()) for headers, body in receiver.events]


def check_with_sdk(tally, events):
    """CloudEvents' own Python package reads the events."""
    python = CACHE / "venv-kserve" / "bin" / "python"
    code = ("import base64, json, sys\nfrom cloudevents.http import from_http\n"
            "events = [from_http(headers, base64.b64decode(body)) for headers, body in json.load(sys.stdin)]\n"
            "print(json.dumps([[e['type'], e['id'], e['inferenceservicename'], e.data] for e in events]))")
    if not python.exists() or subprocess.run([python, "-c", "import cloudevents.http"], capture_output=True).returncode:
        return tally.skip("CloudEvents' Python package reads the events", "tests/peers/install kserve was not run")
    done = subprocess.run([python, "-c", code], input=json.dumps(events), capture_output=True, text=True, timeout=120)
    read = json.loads(done.stdout) if done.returncode == 0 else done.stderr[-300:]
    tally.check("CloudEvents' Python package reads the events", done.returncode == 0 and
                any(data == {"predictions": [1, 1]} for _, _, _, data in read), read)


def latencies(daemon, name, count):
    times = []
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
    body = json.dumps({"instances": ROWS})
    for _ in range(count):
        began = time.monotonic()
        connection.request("POST", f"/v1/models/{name}:predict", body)
        answer = connection.getresponse()
        if answer.read() != b'{"predictions":[1,1]}':
            return None
        times.append(time.monotonic() - began)
    connection.close()
    return sorted(times)


def check_bad_receivers(tally, receiver):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        down = f"http://127.0.0.1:{unused.getsockname()[1]}/"
    with Services(service("plain"), service("logged", predictor=logger(receiver.url)),
                  service("down", predictor=logger(down))) as daemon:
        cases = [("slow", "logged", 200, 1.0), ("refusing", "logged", 400, 0.0), ("failing", "logged", 503, 0.0),
                 ("down", "down", 200, 0.0)]
        for case, name, status, delay_s in cases:
            receiver.status, receiver.delay_s = status, delay_s
            before = metric(daemon, "jackdaw_logger_dropped_total")
            times = latencies(daemon, name, 2000)
            plain = latencies(daemon, "plain", 500)
            ok = times is not None and plain is not None and times[1000] < plain[250] + 0.001 and times[-1] < 1
            tally.check(f"a receiver that is {case} touches no request", ok,
                        times and f"p50 {times[1000] * 1e6:.0f} µs, without logger {plain[250] * 1e6:.0f} µs")
            dropped = metric(daemon, "jackdaw_logger_dropped_total") - before
            tally.check(f"drops of a receiver that is {case} are counted", dropped > 0, f"{dropped:.0f} of 4000")
        tally.check("and are logged seldom", 1 <= daemon.log_text().count("payload events dropped") <= 3)
        receiver.status, receiver.delay_s = 200, 0.0


def check_flush(tally, receiver):
    receiver.clear()
    with Services(service("logged", predictor=logger(receiver.url))) as daemon:
        latencies(daemon, "logged", 500)
        code = daemon.stop()
    tally.check("what is logged at SIGTERM still arrives", code == 0 and len(receiver.events) == 1000,
                f"{len(receiver.events)} of 1000")


def check_file(tally):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "events.jsonl")
        annotations = {"jackdaw.dev/logger-file": str(path), "jackdaw.dev/logger-file-size": "64Ki"}
        with Services(service("logged", annotations=annotations)) as daemon:
            latencies(daemon, "logged", 300)
            daemon.stop()
        files = sorted(pathlib.Path(folder).iterdir())
        events = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        answers = [event["data"] for event in events if event["type"].endswith("response")]
        tally.check("a file gets one line an event, and is rotated", len(files) == 4 and answers
                    and all(answer == {"predictions": [1, 1]} for answer in answers)
                    and all(file.stat().st_size <= 64 * 1024 for file in files), f"{len(events)} events in {len(files)} files")
        with Services(service("logged", predictor=logger(f"file://{folder}/by-url.jsonl"))) as daemon:
            v1(daemon, "logged", ROWS)
            daemon.stop()
        lines = pathlib.Path(folder, "by-url.jsonl").read_text().splitlines()
        tally.check("file URLs too", len(lines) == 2)


def check_stream(tally, receiver):
    name = "a streamed answer is logged when it has ended"
    if not MODEL.exists():
        return tally.skip(name, "scripts/fetch-smollm2 was not run")
    receiver.clear()
    receiver.delay_s = 0.5
    text = f"""apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata: {{name: smollm2, annotations: {{jackdaw.dev/warm-up: "1"}}}}
spec:
  predictor:
    {logger(receiver.url)}
    model:
      modelFormat: {{name: huggingface}}
      storageUri: {MODEL}
"""
    with Services(text) as daemon:
        log = daemon.log_text()
        tally.check("a language model warms up with a prompt", '"msg":"model warmed up"' in log)
        body = {"model": "smollm2", "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 24,
                "temperature": 0, "stream": True}
        began = time.monotonic()
        status, streamed = daemon.post("/v1/chat/completions", body)
        took = time.monotonic() - began
        plain = daemon.post("/v1/chat/completions", {**body, "stream": False})
        tally.check("the stream is there before its events", status == 200 and streamed.endswith(b"data: [DONE]\n\n"),
                    f"{took:.2f} s")
        receiver.wait(4, 20)
        by_id = {}
        for headers, payload in receiver.events:
            by_id.setdefault(headers["ce-id"], {})[headers["ce-type"].rsplit(".", 1)[1]] = (headers, payload)
        pairs = list(by_id.values())
        ok = len(pairs) == 2 and all(set(pair) == {"request", "response"} for pair in pairs)
        payloads = [pair["response"][1] for pair in pairs] if ok else []
        tally.check(name, ok and streamed in payloads and plain[1] in payloads)
    receiver.delay_s = 0.0


def main():
    tally = Tally()
    for check in (check_kserve_batcher, check_v2_batch_header, check_disconnect, check_drain, check_dynamic,
                  check_queue_timeout, check_cache, check_warm_up, check_file):
        tally.run(check.__name__, check, tally)
    with EventReceiver() as receiver:
        events = tally.run("check_kserve_logger", check_kserve_logger, tally, receiver)
        if events:
            tally.run("check_with_sdk", check_with_sdk, tally, events)
        receiver.clear()
        for check in (check_bad_receivers, check_flush, check_stream):
            tally.run(check.__name__, check, tally, receiver)
    tally.end()


if __name__ == "__main__":
    main()
