#!/usr/bin/env python3
"""Scale to zero and back: models leave after their window and requests bring them back; what must wait is held, bounded and
with a deadline. Prints how much a cold start adds to the request that waits for it."""
import concurrent.futures
import http.client
import json
import pathlib
import shutil
import statistics
import tempfile
import threading
import time

from daemon import ROOT, Daemon
from llm_service import MODEL
from tally import Tally

IRIS = ROOT / "examples" / "quickstart" / "models" / "iris-pipeline"
BODY = {"instances": [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]}
WINDOW_S = 6  # Knative's shortest


def service(name, predictor="", annotations=(), model=IRIS):
    lines = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in
                    {"autoscaling.knative.dev/window": f"{WINDOW_S}s", **dict(annotations)}.items())
    return f"""apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {name}
  annotations:
{lines}spec:
  predictor:
    minReplicas: 0
{predictor}    model:
      modelFormat: {{name: sklearn}}
      storageUri: {model}
"""


def language_model():
    return f"""apiVersion: serving.kserve.io/v1alpha2
kind: LLMInferenceService
metadata:
  name: smollm2
spec:
  model:
    uri: {MODEL}
  scaling:
    minReplicas: 1
    maxReplicas: 1
    keda: {{idleReplicaCount: 0, cooldownPeriod: {WINDOW_S}}}
  template:
    containers:
      - name: main
        args: ["--max-model-len", "512", "--max-num-seqs", "4"]
"""


class Client:
    """One kept connection, so that only the request is timed."""

    def __init__(self, daemon):
        self.connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
        self.connection.connect()

    def post(self, path, value):
        begin = time.perf_counter()
        self.connection.request("POST", path, json.dumps(value), {"content-type": "application/json"})
        answer = self.connection.getresponse()
        body = answer.read()
        return answer.status, body, (time.perf_counter() - begin) * 1000


def metric(daemon, name, service_name=None):
    """The value of a metric; of a service's, the sum over its revisions."""
    label = " " if service_name is None else f'{{namespace_name="default",service_name="{service_name}"'
    found = [float(line.split()[-1]) for line in daemon.get("/metrics")[1].decode().splitlines()
             if line.startswith(name + label)]
    return sum(found) if found else None


def wait_for_replicas(daemon, name, wanted, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if metric(daemon, "autoscaler_actual_pods", name) == wanted:
            return True
        time.sleep(0.1)
    return False


def standbys(daemon, name):
    """How often the model has left so far."""
    lines = daemon.log_text().splitlines()
    return sum('"msg":"model in standby"' in line and f'"model":"{name}"' in line for line in lines)


def leaves_again(daemon, name, before, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if standbys(daemon, name) > before:
            return True
        time.sleep(0.05)
    return False


def sleeps_and_wakes(tally, daemon):
    tally.check("a model with minReplicas 0 is loaded at first", wait_for_replicas(daemon, "iris", 1, 5))
    warm = Client(daemon)
    answer = warm.post("/v1/models/iris:predict", BODY)
    tally.check("and answers", answer[0] == 200 and json.loads(answer[1]) == {"predictions": [1, 1]}, answer[1][:200])
    tally.check("it leaves after its window", wait_for_replicas(daemon, "iris", 0))
    tally.check("a service at zero is ready", daemon.get("/v2/models/iris/ready")[0] == 200 and
                daemon.get("/v1/models/iris")[0] == 200 and daemon.get("/v2/health/ready")[0] == 200)
    index = {row["name"]: row["state"] for row in json.loads(daemon.post("/v2/repository/index", {})[1])}
    tally.check("and READY in the repository's index", index["iris"] == "READY", index)
    tally.check("asking for its readiness does not wake it", metric(daemon, "autoscaler_actual_pods", "iris") == 0)


def burst(tally, daemon):
    clients = [Client(daemon) for _ in range(60)]
    barrier = threading.Barrier(len(clients))

    def ask(client):
        barrier.wait()
        return client.post("/v1/models/iris:predict", BODY)

    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(ask, clients))
    good = sum(status == 200 and json.loads(body) == {"predictions": [1, 1]} for status, body, _ in answers)
    tally.check("a burst of 60 at zero is held and answered", good == 60, f"{good} of 60")
    tally.check("by one cold start", metric(daemon, "jackdaw_cold_start_seconds_count") == 1)


def cold_start_time(tally, daemon):
    """What the cold start adds: the first request at zero less the same one when the model is there."""
    added = []
    for _ in range(3):
        before = standbys(daemon, "iris")
        Client(daemon).post("/v1/models/iris:predict", BODY)
        if not leaves_again(daemon, "iris", before):
            return tally.check("the model leaves again", False)
        client = Client(daemon)
        status, _, cold_ms = client.post("/v1/models/iris:predict", BODY)
        warm_ms = statistics.median(client.post("/v1/models/iris:predict", BODY)[2] for _ in range(20))
        added.append(cold_ms - warm_ms if status == 200 else float("inf"))
    print(f"cold start of iris adds {', '.join(f'{ms:.1f}' for ms in added)} ms", flush=True)
    return tally.check("a cold start of iris adds little (20 ms aimed at, 200 ms on a busy machine)", min(added) <= 200)


def failed_load(tally, daemon, folder):
    status, body, took = Client(daemon).post("/v1/models/missing:predict", BODY)
    tally.check("a model that cannot come back answers 503 with the reason", status == 503 and
                b"Model with name missing is not ready." in body and b"missing-folder" in body, body[:300])
    tally.check("and is not ready any more", daemon.get("/v2/models/missing/ready")[0] == 503)
    shutil.copytree(IRIS, folder / "missing-folder")
    deadline = time.monotonic() + 10
    status = 0
    while status != 200 and time.monotonic() < deadline:
        status, body, took = Client(daemon).post("/v1/models/missing:predict", BODY)
        time.sleep(0.2)
    tally.check("once the file is there, it comes back", status == 200, body[:200])
    tally.check("and is ready", daemon.get("/v2/models/missing/ready")[0] == 200)


def queue_of_one(tally, daemon):
    """containerConcurrency 1: eleven at most are inside, one at work and ten waiting; the others are refused at once."""
    rows = [[6.8, 2.8, 4.8, 1.4]] * 60_000
    large = json.dumps({"instances": rows})
    clients = [Client(daemon) for _ in range(30)]
    barrier = threading.Barrier(len(clients))

    def ask(client):
        barrier.wait()
        client.connection.request("POST", "/v1/models/limited:predict", large, {"content-type": "application/json"})
        answer = client.connection.getresponse()
        return answer.status, answer.read()

    Client(daemon).post("/v1/models/limited:predict", BODY)
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(ask, clients))
    statuses = [status for status, _ in answers]
    refused = [body for status, body in answers if status == 503]
    tally.check("with containerConcurrency 1 who waits is answered", statuses.count(200) >= 11, statuses)
    tally.check("nothing else is said than 200 and 503", set(statuses) <= {200, 503}, statuses)
    tally.check("overflow is Knative's", all(body == b'{"error":"pending request queue full"}' for body in refused),
                refused[:1])
    tally.check("overflow happened", len(refused) > 0, f"{len(refused)} of 30")


def language(tally):
    if not MODEL.exists():
        return tally.skip("SmolLM2 from zero", "scripts/fetch-smollm2 could not fetch the model")
    chat = {"model": "smollm2", "max_tokens": 1, "temperature": 0, "messages": [{"role": "user", "content": "Say hi."}]}
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write(language_model())
        config.flush()
        with Daemon(config.name) as daemon:
            added = []
            for left in range(2):
                if not leaves_again(daemon, "smollm2", left, 30):
                    return tally.check("SmolLM2 leaves after its cooldown", False)
                resting_mb = daemon.resident_mb()
                models = json.loads(daemon.get("/v1/models")[1])["data"]
                client = Client(daemon)
                status, body, cold_ms = client.post("/v1/chat/completions", chat)
                warm_ms = statistics.median(client.post("/v1/chat/completions", chat)[2] for _ in range(5))
                added.append(cold_ms - warm_ms if status == 200 else float("inf"))
            tally.check("SmolLM2 leaves after its cooldown, and is listed", [m["id"] for m in models] == ["smollm2"], models)
            loaded_mb = daemon.resident_mb()
            print(f"cold start of SmolLM2 adds {', '.join(f'{ms:.0f}' for ms in added)} ms; resident {resting_mb:.0f} MiB "
                  f"at zero, {loaded_mb:.0f} MiB loaded", flush=True)
            tally.check("it comes back and answers", status == 200, body[:200])
            tally.check("its memory is given back at zero", resting_mb < loaded_mb - 50, f"{resting_mb:.0f} {loaded_mb:.0f}")
            tally.check("its cold start adds little (400 ms aimed at, 4 s on a busy machine)", min(added) <= 4000)
    return None


def main():
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        config = folder / "services.yaml"
        config.write_text("---\n".join([
            service("iris"),
            service("limited", "    containerConcurrency: 1\n    maxReplicas: 1\n"),
            service("missing", annotations={"jackdaw.dev/load": "lazy"}, model=folder / "missing-folder"),
        ]))
        with Daemon(config) as daemon:
            tally.run("sleeps and wakes", sleeps_and_wakes, tally, daemon)
            tally.run("burst", burst, tally, daemon)
            tally.run("failed load", failed_load, tally, daemon, folder)
            tally.run("queue", queue_of_one, tally, daemon)
            tally.run("cold start", cold_start_time, tally, daemon)
    tally.run("language model", language, tally)
    tally.end()


if __name__ == "__main__":
    main()
