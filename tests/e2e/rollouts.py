#!/usr/bin/env python3
"""Rolls services out again and again under a constant stream of requests: none fails, no stream of tokens breaks.

usage: tests/e2e/rollouts.py [--rollouts N] [--streams N]

Predictions of V1 and V2, scikit-learn and XGBoost, come pipelined over keep-alive connections, and language models'
streams beside them (where scripts/fetch-smollm2 has put the model). Then canaries of both kinds, promotion, rollback,
failed loads, automatic rollback and shadows, each seen from outside.
"""
import argparse
import collections
import http.client
import json
import pathlib
import shutil
import socket
import tempfile
import threading
import time

from daemon import ROOT, Daemon
from tally import Tally

MODELS = ROOT / "examples" / "quickstart" / "models"
API = "/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices"
LLM_API = "/apis/serving.kserve.io/v1alpha2/namespaces/default/llminferenceservices"
V1 = json.dumps({"instances": [[6.8, 2.8, 4.8, 1.4], [5.1, 3.5, 1.4, 0.2]]})
V2 = json.dumps({"inputs": [{"name": "input-0", "shape": [2, 4], "datatype": "FP32",
                             "data": [6.8, 2.8, 4.8, 1.4, 5.1, 3.5, 1.4, 0.2]}]})
BATCH = 24  # requests that one connection has on their way


def request_bytes(path, body, host="localhost", headers=""):
    return (f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n{headers}"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


REQUESTS = [request_bytes(f"/v1/models/{name}:predict", V1) for name in ("iris-sklearn", "iris-xgboost")] + \
           [request_bytes(f"/v2/models/{name}/infer", V2) for name in ("iris-sklearn", "iris-xgboost")]


def read_answers(reader, count):
    """(status, revision) of so many answers."""
    out = []
    for _ in range(count):
        status = int(reader.readline().split()[1])
        length, revision = 0, ""
        while (line := reader.readline()) != b"\r\n":
            if not line:
                raise ConnectionError("the connection ended within an answer")
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            elif name.lower() == b"x-jackdaw-revision":
                revision = value.strip().decode()
        body = reader.read(length)
        if len(body) != length:
            raise ConnectionError("an answer was cut")
        out.append((status, revision, body))
    return out


class Load(threading.Thread):
    """One connection that is never without requests."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.stop = threading.Event()
        self.answered = 0
        self.wrong = []

    def run(self):
        batch = b"".join(REQUESTS[i % len(REQUESTS)] for i in range(BATCH))
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
                reader = connection.makefile("rb", buffering=1 << 16)
                while not self.stop.is_set():
                    connection.sendall(batch)
                    for status, _, body in read_answers(reader, BATCH):
                        self.answered += 1
                        if status != 200:
                            self.wrong.append(f"{status} {body[:200]!r}")
        except (OSError, ValueError, IndexError) as error:
            self.wrong.append(repr(error))


class Stream(threading.Thread):
    """Asks the language model for one stream after the other and reads each to its end."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.stop = threading.Event()
        self.whole = 0
        self.tokens = 0
        self.wrong = []
        self.revisions = set()

    def run(self):
        body = json.dumps({"model": "smollm2", "stream": True, "max_tokens": 24, "temperature": 0,
                           "messages": [{"role": "user", "content": "Count from one to twenty."}]})
        while not self.stop.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
            try:
                connection.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
                answer = connection.getresponse()
                text = answer.read().decode()
                self.revisions.add(answer.headers.get("x-jackdaw-revision", ""))
                good = answer.status == 200 and text.endswith("data: [DONE]\n\n") and '"error"' not in text
                self.tokens += text.count('"delta"')
                if good and '"finish_reason":"abort"' not in text:
                    self.whole += 1
                else:
                    self.wrong.append(f"{answer.status} {text[-200:]}")
            except (OSError, http.client.HTTPException) as error:
                self.wrong.append(repr(error))
            finally:
                connection.close()


class Services:
    """The resource API, as far as these tests need it."""

    def __init__(self, daemon):
        self.daemon = daemon

    def call(self, method, path, body=None, content_type="application/json"):
        status, answer = self.daemon.request(method, path, None if body is None else json.dumps(body),
                                             {"content-type": content_type}, timeout=60)
        return status, json.loads(answer or b"{}")

    def create(self, body, api=API):
        status, answer = self.call("POST", api, body)
        if status not in (200, 201):
            raise RuntimeError(f"{status} {answer}")
        return answer

    def patch(self, name, body, api=API):
        """A merge patch; null removes."""
        status, answer = self.call("PATCH", f"{api}/{name}", body, "application/merge-patch+json")
        if status != 200:
            raise RuntimeError(f"{status} {answer}")
        return answer

    def get(self, name, api=API):
        return self.call("GET", f"{api}/{name}")[1]

    def delete(self, name, api=API):
        return self.call("DELETE", f"{api}/{name}")[0]

    def wait(self, name, condition, seconds=60, api=API):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            service = self.get(name, api)
            if "status" in service and condition(service):
                return service
            time.sleep(0.01)
        raise RuntimeError(f"{name} did not come so far: {json.dumps(self.get(name, api).get('status'))}")

    def wait_rolled_out(self, name, generation, api=API):
        def over(service):
            status = service["status"]
            rollout = status.get("rollout", {})
            return (status.get("observedGeneration", 0) >= generation and condition(service, "Ready") == "True" and
                    rollout.get("latestCreated") == rollout.get("rolledOut"))
        return self.wait(name, over, api=api)


def condition(service, kind, member="status"):
    for one in service.get("status", {}).get("conditions", []):
        if one["type"] == kind:
            return one.get(member)
    return None


def isvc(name, model_format, uri, annotations=None, **predictor):
    model = {"modelFormat": {"name": model_format}, "storageUri": str(uri), "runtime": f"kserve-{'sklearnserver' if model_format == 'sklearn' else 'xgbserver'}"}
    return {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService",
            "metadata": {"name": name, "annotations": annotations or {}}, "spec": {"predictor": {"model": model, **predictor}}}


def drawn(daemon, count, path="/v1/models/iris-sklearn:predict", body=V1, host="localhost", headers=""):
    """How often each revision answered, and with which status."""
    revisions, statuses = collections.Counter(), collections.Counter()
    with socket.create_connection(("127.0.0.1", daemon.port), timeout=60) as connection:
        reader = connection.makefile("rb")
        for _ in range(0, count, BATCH):
            connection.sendall(request_bytes(path, body, host, headers) * BATCH)
            for status, revision, _ in read_answers(reader, BATCH):
                revisions[revision] += 1
                statuses[status] += 1
    return revisions, statuses


def within(count, total, percent):
    """Four standard deviations around the share."""
    expected = total * percent / 100
    return abs(count - expected) <= 4 * (total * percent / 100 * (1 - percent / 100)) ** 0.5


def rollouts_under_load(tally, daemon, services, folder, arguments):
    names = {"iris-sklearn": ("sklearn", "iris-pipeline"), "iris-xgboost": ("xgboost", "iris-xgboost")}
    for name, (model_format, model) in names.items():
        services.create(isvc(name, model_format, folder / f"{model}-0"))
    for name in names:
        services.wait_rolled_out(name, 1)
    streams = []
    if arguments.streams and (MODELS / "smollm2").is_dir():
        llm = {"apiVersion": "serving.kserve.io/v1alpha2", "kind": "LLMInferenceService", "metadata": {"name": "smollm2"},
               "spec": {"model": {"uri": str(MODELS / "smollm2"), "name": "smollm2"},
                        "template": {"containers": [{"name": "main", "args": ["--max-model-len=512"]}]}}}
        services.create(llm, LLM_API)
        services.wait_rolled_out("smollm2", 1, LLM_API)
        streams = [Stream(daemon.port) for _ in range(arguments.streams)]
    elif arguments.streams:
        tally.skip("streams of tokens", "the language model is not here (scripts/fetch-smollm2)")
    loads = [Load(daemon.port) for _ in range(arguments.connections)]
    for thread in loads + streams:
        thread.start()
    time.sleep(0.3)
    began, before = time.monotonic(), sum(load.answered for load in loads)
    took = []
    for i in range(1, arguments.rollouts + 1):
        start = time.monotonic()
        name = "iris-sklearn" if i % 2 else "iris-xgboost"
        model = names[name][1]
        changed = services.patch(name, {"spec": {"predictor": {"model": {"storageUri": str(folder / f"{model}-{i % 4}")}}},
                                        "metadata": {"annotations": {"jackdaw.dev/restarted-at": str(i)}}})
        if streams and i % 10 == 0:
            llm = services.patch("smollm2", {"metadata": {"annotations": {"jackdaw.dev/restarted-at": str(i)}}}, LLM_API)
            services.wait("smollm2", lambda s: len(s["status"]["revisions"]) > 0 and
                          s["status"]["rollout"]["lastNumber"] > i // 10 and
                          s["status"]["rollout"]["latestCreated"] == s["status"]["rollout"]["rolledOut"], 120, LLM_API)
        services.wait(name, lambda s: s["status"]["rollout"]["lastNumber"] == (i + 1) // 2 + 1 if name == "iris-sklearn"
                      else s["status"]["rollout"]["lastNumber"] == i // 2 + 1)
        services.wait_rolled_out(name, changed["metadata"]["generation"])
        took.append(time.monotonic() - start)
    seconds = time.monotonic() - began
    answered = sum(load.answered for load in loads) - before
    for thread in loads + streams:
        thread.stop.set()
    for thread in loads + streams:
        thread.join(120)
    took.sort()
    wrong = [one for load in loads for one in load.wrong]
    tally.check(f"{arguments.rollouts} rollouts under load lose no request", not wrong and answered > 0,
                f"{answered / seconds:,.0f} requests/s, a rollout took {took[len(took) // 2] * 1e3:.0f} ms (median), "
                f"{took[-1] * 1e3:.0f} ms (longest); {len(wrong)} of {answered:,} failed {wrong[:3]}")
    if streams:
        broken = [one for stream in streams for one in stream.wrong]
        revisions = set().union(*(stream.revisions for stream in streams))
        tally.check("no stream of tokens breaks", not broken and sum(stream.whole for stream in streams) > 0,
                    f"{sum(s.whole for s in streams)} streams, {sum(s.tokens for s in streams)} tokens, over "
                    f"{len(revisions)} revisions; {len(broken)} broken {broken[:2]}")


def canary_percent(tally, daemon, services, folder):
    name = "iris-sklearn"
    stable = services.get(name)["status"]["rollout"]["rolledOut"]
    changed = services.patch(name, {"spec": {"predictor": {"canaryTrafficPercent": 10, "model": {"storageUri": str(folder / "iris-pipeline-5")}}},
                                    "metadata": {"annotations": {"serving.kserve.io/enable-tag-routing": "true"}}})
    service = services.wait(name, lambda s: len(s["status"]["components"]["predictor"].get("traffic", [])) == 2)
    latest = service["status"]["components"]["predictor"]["latestReadyRevision"]
    traffic = {one["revisionName"]: one["percent"] for one in service["status"]["components"]["predictor"]["traffic"]}
    tally.check("the status has the canary's share", traffic == {latest: 10, stable: 90}, str(traffic))
    total = BATCH * 200
    revisions, statuses = drawn(daemon, total)
    tally.check("10 % reach the canary", within(revisions[latest], total, 10) and set(statuses) == {200}, str(dict(revisions)))
    tagged, _ = drawn(daemon, BATCH, host=f"latest-{name}-default.example.com")
    tally.check("the tag latest reaches the canary", set(tagged) == {latest}, str(dict(tagged)))
    tagged, _ = drawn(daemon, BATCH, host=f"prev-{name}-default.example.com")
    tally.check("the tag prev reaches the old one", set(tagged) == {stable}, str(dict(tagged)))
    sticky, _ = drawn(daemon, BATCH * 4, headers="x-session-id: 4711\r\n")
    tally.check("a session stays with one revision", len(sticky) == 1, str(dict(sticky)))
    services.patch(name, {"spec": {"predictor": {"canaryTrafficPercent": 0}}})
    services.wait(name, lambda s: all(one["percent"] in (0, 100) for one in s["status"]["components"]["predictor"]["traffic"]))
    revisions, _ = drawn(daemon, BATCH * 20)
    tally.check("0 % rolls back", set(revisions) == {stable}, str(dict(revisions)))
    services.patch(name, {"spec": {"predictor": {"canaryTrafficPercent": None}}})
    service = services.wait(name, lambda s: s["status"]["rollout"].get("rolledOut") == latest)
    revisions, _ = drawn(daemon, BATCH * 20)
    tally.check("without a percent it is promoted", set(revisions) == {latest} and
                service["status"]["components"]["predictor"]["previousRolledoutRevision"] == stable, str(dict(revisions)))
    generation = service["metadata"]["generation"]
    services.patch(name, {"metadata": {"labels": {"team": "blue"}, "annotations": {"serving.kserve.io/enable-tag-routing": None}},
                          "spec": {"predictor": {"minReplicas": 1}}})
    service = services.wait(name, lambda s: s["status"]["observedGeneration"] > generation)
    tally.check("labels and replicas make no revision", service["status"]["rollout"]["latestCreated"] == latest)
    return changed


def named_canaries(tally, daemon, services, folder):
    body = isvc("iris-canary", "sklearn", folder / "iris-pipeline-0")
    canary = {"name": "v2", "model": {"modelFormat": {"name": "sklearn"}, "storageUri": str(folder / "iris-pipeline-1"),
                                      "runtime": "kserve-sklearnserver"}}
    body["spec"]["canary"] = [{"predictor": canary, "trafficPercent": 20}]
    services.create(body)
    service = services.wait("iris-canary", lambda s: condition(s, "CanaryPredictorReady", "reason") == "AllCanariesReady" and
                            condition(s, "Ready") == "True")
    status = service["status"]["canaryStatuses"][0]
    tally.check("the canary has a status", status["name"] == "v2" and status["ready"] and status["trafficPercent"] == 20, str(status))
    total = BATCH * 200
    path = "/v1/models/iris-canary:predict"
    traffic = {one.get("tag", ""): one["revisionName"] for one in service["status"]["components"]["predictor"]["traffic"]}
    revisions, _ = drawn(daemon, total, path)
    tally.check("20 % reach the named canary", within(revisions[traffic["v2"]], total, 20), str(dict(revisions)))
    tagged, _ = drawn(daemon, BATCH, path, host="v2-iris-canary-default.example.com")
    tally.check("its host reaches it alone", set(tagged) == {traffic["v2"]}, str(dict(tagged)))
    loads = daemon.log_text().count('"msg":"model ready"')
    services.patch("iris-canary", {"spec": {"predictor": canary, "canary": []}})
    service = services.wait("iris-canary", lambda s: s["status"]["rollout"].get("rolledOut") == traffic["v2"])
    revisions, _ = drawn(daemon, BATCH * 10, path)
    tally.check("a canary that becomes the predictor is not loaded again",
                set(revisions) == {traffic["v2"]} and daemon.log_text().count('"msg":"model ready"') == loads)
    tally.check("its condition goes with it", condition(service, "CanaryPredictorReady") is None)


def failed_loads(tally, daemon, services, folder):
    name = "iris-xgboost"
    stable = services.get(name)["status"]["rollout"]["rolledOut"]
    missing = folder / "comes-later"
    services.patch(name, {"spec": {"predictor": {"model": {"storageUri": str(missing)}}}})
    service = services.wait(name, lambda s: s["status"]["modelStatus"]["transitionStatus"] == "BlockedByFailedLoad")
    info = service["status"]["modelStatus"]["lastFailureInfo"]
    tally.check("a failed load says why", str(missing) in info["message"] and info["reason"] == "ModelLoadFailed", str(info))
    path = f"/v2/models/{name}/infer"
    revisions, statuses = drawn(daemon, BATCH * 10, path, V2)
    tally.check("the old revision answers", set(revisions) == {stable} and set(statuses) == {200}, str(dict(revisions)))
    shutil.copytree(MODELS / "iris-xgboost", missing)
    services.wait(name, lambda s: condition(s, "Ready") == "True" and s["status"]["rollout"]["rolledOut"] != stable, 30)
    tally.check("it is tried again until its files are there", True)
    status, answer = services.call("PATCH", f"{API}/{name}", {"spec": {"predictor": {"model": {"modelFormat": {"name": "sklern"}}}}},
                                   "application/merge-patch+json")
    tally.check("a wrong spec is refused when it is written", status in (400, 422), f"{status} {answer.get('message', '')[:100]}")


def automatic_rollback(tally, daemon, services, folder):
    name = "iris-watched"
    path = f"/v1/models/{name}:predict"
    limits = {"jackdaw.dev/rollback-error-rate": "5%", "jackdaw.dev/rollback-window": "2s", "jackdaw.dev/rollback-min-requests": "20"}
    services.create(isvc(name, "sklearn", folder / "iris-pipeline-0", limits))
    service = services.wait_rolled_out(name, 1)
    stable = service["status"]["rollout"]["rolledOut"]
    # A model that takes texts: it refuses what the old one answers.
    (folder / "texts").mkdir()
    texts = next((ROOT / "tests" / "data" / "sklearn" / "1.5.2").glob("count.*"))
    shutil.copy(texts, folder / "texts" / f"model{texts.suffix}")
    services.patch(name, {"spec": {"predictor": {"canaryTrafficPercent": 50, "model": {"storageUri": str(folder / "texts")}}}})
    services.wait(name, lambda s: len(s["status"]["components"]["predictor"].get("traffic", [])) == 2)
    began = time.monotonic()
    while time.monotonic() < began + 20 and condition(services.get(name), "RolledBack") is None:
        drawn(daemon, BATCH * 4, path)
        time.sleep(0.05)
    service = services.get(name)
    tally.check("a revision that fails loses its traffic", condition(service, "RolledBack", "reason") == "ErrorRate",
                f"after {time.monotonic() - began:.1f} s: {condition(service, 'RolledBack', 'message')}")
    revisions, statuses = drawn(daemon, BATCH * 10, path)
    tally.check("the old one answers everything again", set(revisions) == {stable} and set(statuses) == {200}, str(dict(statuses)))


def shadows(tally, daemon, services, folder):
    name = "iris-shadowed"
    services.create(isvc(name, "sklearn", folder / "iris-pipeline-0", {"jackdaw.dev/shadow": str(folder / "iris-pipeline-1")}))
    services.wait_rolled_out(name, 1)
    services.wait(name, lambda s: sum(one["state"] == "Ready" for one in s["status"]["revisions"]) == 2)
    for _ in range(20):
        drawn(daemon, BATCH, f"/v1/models/{name}:predict")
        time.sleep(0.02)
    time.sleep(0.3)
    metrics = daemon.get("/metrics")[1].decode()
    compared = metric(metrics, "jackdaw_shadow_compared_total", name)
    tally.check("a shadow answers copies", compared > 0 and metric(metrics, "jackdaw_shadow_differing_total", name) == 0,
                f"{compared:.0f} compared, {metric(metrics, 'jackdaw_shadow_dropped_total', name):.0f} dropped")


def metric(text, name, service):
    for line in text.splitlines():
        if line.startswith(name + "{") and f'service="{service}"' in line:
            return float(line.rsplit(" ", 1)[1])
    return 0.0


def restart(tally, folder, state):
    """A daemon that is killed goes on with the shares it had."""
    with Daemon(None, arguments=("--state-dir", state), wait_ready=False) as daemon:
        services = Services(daemon)
        services.create(isvc("iris-kept", "sklearn", folder / "iris-pipeline-0"))
        services.wait_rolled_out("iris-kept", 1)
        services.patch("iris-kept", {"spec": {"predictor": {"canaryTrafficPercent": 25, "model": {"storageUri": str(folder / "iris-pipeline-1")}}}})
        before = services.wait("iris-kept", lambda s: len(s["status"]["components"]["predictor"].get("traffic", [])) == 2)
        daemon.process.kill()
        daemon.process.wait()
    with Daemon(None, arguments=("--state-dir", state)) as daemon:
        services = Services(daemon)
        after = services.wait("iris-kept", lambda s: len(s["status"]["components"]["predictor"].get("traffic", [])) == 2 and
                              'predictor-00002"} 25' in daemon.get("/metrics")[1].decode())
        traffic = [service["status"]["components"]["predictor"]["traffic"] for service in (before, after)]
        total = BATCH * 100
        revisions, statuses = drawn(daemon, total, "/v1/models/iris-kept:predict")
        canary = before["status"]["components"]["predictor"]["latestReadyRevision"]
        tally.check("a killed daemon comes back with its shares",
                    traffic[0] == traffic[1] and within(revisions[canary], total, 25) and set(statuses) == {200}, str(dict(revisions)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rollouts", type=int, default=20)
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--streams", type=int, default=2)
    arguments = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="jackdaw-rollouts-") as temporary:
        folder = pathlib.Path(temporary)
        for model in ("iris-pipeline", "iris-xgboost"):
            for i in range(6):
                shutil.copytree(MODELS / model, folder / f"{model}-{i}")
        with Daemon(None, arguments=("--state-dir", folder / "state"), wait_ready=False, ready_s=60) as daemon:
            services = Services(daemon)
            tally.run("rollouts under load", rollouts_under_load, tally, daemon, services, folder, arguments)
            for step in (canary_percent, named_canaries, failed_loads, automatic_rollback, shadows):
                tally.run(step.__name__, step, tally, daemon, services, folder)
        tally.run("restart", restart, tally, folder, folder / "state-2")
    tally.end()


if __name__ == "__main__":
    main()
