#!/usr/bin/env python3
"""Transformers in front of jackdaw's predictor: KServe's own ModelServer, V1 and V2, there and back; and one of a few lines that
does whatever a server can do: wait, refuse, redirect, talk nonsense, hang up.

usage: tests/e2e/transformer.py

A service says with jackdaw.dev/transformer-url where its transformer listens; that one is started with the predictor's address, as
KServe starts it. Ends with `N passed, N failed, N skipped`; KServe's part is skipped without PyPI.
"""
import concurrent.futures
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time
import urllib.request

from daemon import ROOT, Daemon
from event_receiver import EventReceiver
from tally import Tally

CACHE_PYTHON = "venv-kserve/bin/python"
MODEL = ROOT / "tests" / "data" / "oip" / "models" / "iris-logreg"
ROWS = [[4.8, 2.4, 3.7, 0.4], [5.8, 1.7, 3.5, 0.6], [5.1, 3.5, 1.4, 0.2]]
MOVED = [[x + 1 for x in row] for row in ROWS]
KEY = "sk-app-0123456789abcdef"
API = "/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices"


def service(name, url=None, timeout=20, predictor="", canary="", image=True):
    """One InferenceService with a transformer at `url`; None: it has none."""
    annotation = f", annotations: {{jackdaw.dev/transformer-url: {json.dumps(url)}}}" if url else ""
    transformer = f"  transformer: {{timeout: {timeout}, containers: [{{name: kserve-container, image: 'example.com/t:1'}}]}}\n"
    return (f"apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {{name: {name}{annotation}}}\nspec:\n"
            f"{transformer if url and image else ''}{canary}"
            f"  predictor: {{{predictor}model: {{modelFormat: {{name: sklearn}}, storageUri: '{MODEL}'}}}}\n")


def settings(**spec):
    return f"apiVersion: jackdaw.dev/v1alpha1\nkind: Daemon\nmetadata: {{name: test}}\nspec: {json.dumps(spec)}\n"


@contextlib.contextmanager
def serving(*documents, port=0):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write("---\n".join(documents))
        config.flush()
        with Daemon(config.name, port=port) as daemon:
            yield daemon


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Scripted:
    """A transformer that adds 1 and 100 by way of the predictor, or does what `script` says, a function of the handler and the
    request's body. `asked`: the headers of all requests, in lower case, and their bodies."""

    def __init__(self, port=0, script=None, predictor="", certificate=None):
        self.script, self.predictor, self.asked, self.revisions = script, predictor, [], []
        self.closing = False
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802  The base class wants these names.
                self.say(200, b'{"ready": true}')

            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                owner.asked.append(({name.lower(): value for name, value in self.headers.items()}, body))
                (owner.script or owner.add)(self, body)

            def say(self, status, body, **headers):
                self.send_response(status)
                for name, value in {"content_type": "application/json", **headers}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.send_header("content-length", str(len(body)))
                if owner.closing:
                    self.send_header("connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 256

            def handle_error(self, request, client_address):
                pass  # whoever asked has gone

        self.server = Server(("127.0.0.1", port), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, handler, body):
        """What KServe's transformers do: the predictor with three of the headers."""
        moved = [[x + 1 for x in row] for row in json.loads(body)["instances"]]
        passed = {name: handler.headers[name] for name in ("x-request-id", "x-b3-traceid", "authorization") if handler.headers[name]}
        host, _, path = self.predictor.partition("/")
        connection = http.client.HTTPConnection(host, timeout=20)
        connection.request("POST", ("/" + path if path else "") + handler.path, json.dumps({"instances": moved}),
                           {"content-type": "application/json", **passed})
        answer = connection.getresponse()
        said = json.loads(answer.read())
        self.revisions.append(answer.headers.get("x-jackdaw-revision", ""))
        connection.close()
        if answer.status != 200:
            return handler.say(answer.status, json.dumps(said).encode())
        handler.say(200, json.dumps({"predictions": [x + 100 for x in said["predictions"]]}).encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.closing = True  # connections that are open end with their next answer
        self.server.shutdown()
        self.server.server_close()


def post(daemon, path, value, **headers):
    """(status, JSON of the answer)."""
    status, answer = daemon.request("POST", path, json.dumps(value), {"content-type": "application/json", **headers}, timeout=60)
    return status, json.loads(answer)


def predict(daemon, name="iris", rows=ROWS, **headers):
    return post(daemon, f"/v1/models/{name}:predict", {"instances": rows}, **headers)


def transformed(daemon):
    """What the transformer makes of the predictor's answer."""
    return [x + 100 for x in predict(daemon, "plain", MOVED)[1]["predictions"]]


def condition(daemon, kind, name="iris"):
    status, body = daemon.get(f"{API}/{name}")
    for one in json.loads(body).get("status", {}).get("conditions", []) if status == 200 else []:
        if one["type"] == kind:
            return one["status"], one.get("reason", ""), one.get("message", "")
    return "", "", ""


def becomes(what, wanted, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what() == wanted:
            return True
        time.sleep(0.05)
    return False


def predictor_path(daemon, name="iris"):
    return f"127.0.0.1:{daemon.port}/default/{name}-predictor"


# ------------------------------------------------------------------------------------------------ a scripted transformer


def check_absence(tally):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with serving(service("iris", url), service("plain")) as daemon:
        began = time.monotonic()
        status, answer = predict(daemon)
        tally.check("a transformer that is not there: 503, at once, with its URL",
                    status == 503 and answer["error"].startswith("The transformer of default/iris did not answer: ") and url in answer["error"]
                    and time.monotonic() - began < 2, str((status, answer)))
        tally.check("condition TransformerReady says so", becomes(lambda: condition(daemon, "TransformerReady")[:2], ("False", "TransformerNotReady"))
                    and condition(daemon, "Ready")[0] == "False" and condition(daemon, "PredictorReady")[0] == "True",
                    str(condition(daemon, "TransformerReady")))
        tally.check("its model is not ready", daemon.get("/v2/models/iris/ready")[0] == 503 and daemon.get("/v1/models/iris")[0] == 503)
        tally.check("its predictor is", daemon.get("/default/iris-predictor/v2/models/iris/ready")[0] == 200)
        with Scripted(port, predictor=predictor_path(daemon)):
            tally.check("Ready when the transformer has come", becomes(lambda: condition(daemon, "Ready")[0], "True"), str(condition(daemon, "Ready")))
            tally.check("it answers", predict(daemon) == (200, {"predictions": transformed(daemon)}))
            tally.check("its model is ready", daemon.get("/v2/models/iris/ready")[0] == 200)
        tally.check("and answers 503 when it has gone", becomes(lambda: predict(daemon)[0], 503, 5))
        metrics = daemon.get("/metrics")[1].decode()
        tally.check("counted", 'jackdaw_transformer_requests_total{namespace_name="default",service_name="iris",result="answered"}' in metrics
                    and 'result="not_ready"}' in metrics)


def check_way(tally):
    with Scripted() as transformer, serving(service("iris", transformer.url), service("plain")) as daemon:
        transformer.predictor = predictor_path(daemon)
        expected = transformed(daemon)
        status, answer = predict(daemon, Host="iris-default.example.com", **{"x-request-id": "seven", "traceparent": "00-a-b-01", "x-mine": "1"})
        headers = transformer.asked[-1][0]
        tally.check("there and back", (status, answer) == (200, {"predictions": expected}), str((status, answer)))
        tally.check("headers go along", headers.get("x-request-id") == "seven" and headers.get("traceparent") == "00-a-b-01"
                    and headers.get("x-mine") == "1" and headers.get("x-forwarded-host") == "iris-default.example.com"
                    and headers["host"] == transformer.url[7:], str(headers))
        straight = predict(daemon, "plain")
        for path, more in (("/v1/models/iris:predict", {"Host": "iris-predictor-default.example.com"}),
                           ("/default/iris-predictor/v1/models/iris:predict", {})):
            tally.check(f"past it: {path} {more}", post(daemon, path, {"instances": ROWS}, **more) == straight)

        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda _: predict(daemon), range(400)))
        tally.check("400 calls, 32 at a time", answers == [(200, {"predictions": expected})] * 400)

        head = json.dumps({"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "parameters": {"binary_data_size": 16}}]}).encode()
        body = head + struct.pack("<4f", 1, 2, 3, 4)
        back = b'{"outputs": []}' + bytes(range(256))
        transformer.script = lambda handler, _: handler.say(200, back, inference_header_content_length="15", content_type="application/octet-stream")
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=20)
        connection.request("POST", "/v2/models/iris/infer?x=1", body, {"inference-header-content-length": str(len(head)),
                                                                      "content-type": "application/octet-stream"})
        got = connection.getresponse()
        said = got.read()
        headers, sent = transformer.asked[-1]
        tally.check("binary tensors both ways", sent == body and headers["inference-header-content-length"] == str(len(head)) and said == back
                    and got.headers["inference-header-content-length"] == "15" and got.headers["content-type"] == "application/octet-stream",
                    str((sent == body, said == back, dict(got.headers))))
        connection.close()

        transformer.script = lambda handler, _: handler.say(418, b'{"tea": 1}', x_pot="yes")
        tally.check("its status is the client's", predict(daemon) == (418, {"tea": 1}))
        transformer.script = lambda handler, _: handler.say(302, b"{}", location=f"http://127.0.0.1:{daemon.port}/v1/models/plain:predict")
        tally.check("a redirect is not followed", predict(daemon)[0] == 302)


def check_trouble(tally):
    with Scripted() as transformer, serving(service("iris", transformer.url, timeout=1), service("plain")) as daemon:
        transformer.script = lambda handler, _: (time.sleep(3), handler.say(200, b"{}"))
        began = time.monotonic()
        status, answer = predict(daemon)
        tally.check("too slow: 504 after spec.transformer.timeout", status == 504 and 0.9 < time.monotonic() - began < 2.5, str((status, answer)))

        def raw(text, close=True):
            def script(handler, _):
                handler.wfile.write(text)
                handler.close_connection = close
            return script

        for what, text in (("no HTTP", b"hello\r\n\r\n"), ("nothing", b""), ("half an answer", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
                           ("an endless head", b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 200000 + b"\r\n\r\n"),
                           ("a lying length", b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n"),
                           ("interim answers only", b"HTTP/1.1 100 Continue\r\n\r\n" * 100)):
            transformer.script = raw(text)
            status, answer = predict(daemon)
            tally.check(f"{what}: 502", status == 502 and "did not answer" in answer["error"], str((status, answer))[:300])
        tally.check("the daemon is none the worse", predict(daemon, "plain")[0] == 200)


def check_departure(tally):
    with Scripted() as transformer, serving(service("iris", transformer.url)) as daemon:
        gone = threading.Event()

        def wait_for_end(handler, _):
            handler.connection.settimeout(10)
            with contextlib.suppress(OSError):
                if handler.connection.recv(1) == b"":
                    gone.set()
            handler.close_connection = True

        transformer.script = wait_for_end
        with socket.create_connection(("127.0.0.1", daemon.port)) as client:
            client.sendall(b"POST /v1/models/iris:predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
            tally.check("asked", becomes(lambda: len(transformer.asked), 1, 5))
        tally.check("a client that leaves takes the transformer's call along", gone.wait(5))


def check_stages(tally):
    """The predictor's stages see the transformer's call, not the client's."""
    canary = ("  canary: [{trafficPercent: 50, predictor: {name: next, model: {modelFormat: {name: sklearn}, "
              f"env: [{{name: PREDICT_PROBA, value: 'false'}}], storageUri: '{MODEL}'}}}}}}]\n")
    with EventReceiver() as receiver, Scripted() as transformer, serving(
            service("iris", transformer.url, predictor=f"logger: {{url: '{receiver.url}', mode: request}}, ", canary=canary)) as daemon:
        transformer.predictor = predictor_path(daemon)
        tally.check("the canary is loaded", becomes(lambda: condition(daemon, "CanaryPredictorReady")[0], "True"), str(condition(daemon, "CanaryPredictorReady")))
        for _ in range(60):
            predict(daemon)
        drawn = {name: transformer.revisions.count(name) for name in set(transformer.revisions)}
        tally.check("a canary gets its share of what the transformer asks", len(drawn) == 2 and min(drawn.values()) >= 10, str(drawn))
        receiver.wait(1)
        time.sleep(0.5)
        bodies = [json.loads(body) for _, body in receiver.events]
        tally.check("the logger has the transformer's requests", bool(bodies) and all(body == {"instances": MOVED} for body in bodies), str(bodies)[:300])


def check_loop(tally):
    with Scripted() as transformer, serving(service("iris", transformer.url)) as daemon:
        transformer.predictor = f"127.0.0.1:{daemon.port}"
        status, answer = predict(daemon)
        tally.check("a transformer that calls the service itself is told so", status == 508 and "for ever" in answer["error"], str((status, answer)))
    port = free_port()
    with serving(service("iris", f"http://127.0.0.1:{port}"), port=port) as daemon:
        status, answer = predict(daemon)
        tally.check("a transformer that is jackdaw itself, too", status == 508, str((status, answer)))


def check_keys(tally):
    auth = {"tokens": [{"name": "app", "token": KEY, "scopes": ["infer"]}], "inferenceKeys": {"required": True}}
    with Scripted() as transformer, serving(settings(auth=auth), service("iris", transformer.url), service("plain")) as daemon:
        transformer.predictor = predictor_path(daemon)
        tally.check("without a key nothing is forwarded", predict(daemon)[0] == 401 and not transformer.asked)
        tally.check("the predictor's path needs one too", post(daemon, "/default/iris-predictor/v1/models/iris:predict", {"instances": ROWS})[0] == 401)
        status, answer = predict(daemon, authorization=f"Bearer {KEY}")
        headers = transformer.asked[-1][0]
        tally.check("with a key it is there and back", status == 200, str((status, answer)))
        tally.check("the client's key stays here", KEY not in str(headers) and headers["authorization"].startswith("Bearer jackdaw-call."), str(headers))
        late = post(daemon, "/default/iris-predictor/v1/models/iris:predict", {"instances": ROWS}, authorization=headers["authorization"])
        tally.check("the call's key ends with the call", late[0] == 401, str(late))


def check_drain(tally):
    with Scripted() as transformer:
        with serving(service("iris", transformer.url)) as daemon:
            transformer.predictor = predictor_path(daemon)
            transformer.script = lambda handler, body: (time.sleep(1.5), transformer.add(handler, body))
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                calls = [pool.submit(predict, daemon) for _ in range(4)]
                becomes(lambda: len(transformer.asked), 4, 5)
                daemon.process.send_signal(signal.SIGTERM)
                time.sleep(0.3)
                refused = predict(daemon)
                tally.check("a call to a transformer while draining: 503", refused[0] == 503 and "stopping" in refused[1]["error"], str(refused))
                answers = [call.result()[0] for call in calls]
            tally.check("calls under way end well, through new connections of the transformer", answers == [200] * 4, str(answers))
            tally.check("then it ends", daemon.process.wait(20) == 0)
        with serving(settings(drainTimeout="2s"), service("iris", transformer.url)) as daemon:
            transformer.script = lambda handler, body: time.sleep(20)
            with concurrent.futures.ThreadPoolExecutor(1) as pool:
                asked = len(transformer.asked)
                call = pool.submit(predict, daemon)
                becomes(lambda: len(transformer.asked), asked + 1, 5)
                began = time.monotonic()
                daemon.process.send_signal(signal.SIGTERM)
                status, answer = call.result()
                tally.check("one that does not end is ended, in words", status == 503 and "stopping" in answer["error"], str((status, answer)))
                tally.check("in time", daemon.process.wait(20) == 0 and time.monotonic() - began < 4)


def check_tls(tally):
    with tempfile.TemporaryDirectory() as folder:
        pem, key = f"{folder}/t.pem", f"{folder}/t.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                        "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", pem], check=True, capture_output=True)
        with Scripted(certificate=(pem, key)) as transformer:
            document = service("iris", transformer.url)
            before = os.environ.get("SSL_CERT_FILE")
            os.environ["SSL_CERT_FILE"] = pem
            try:
                with serving(document, service("plain")) as daemon:
                    transformer.predictor = predictor_path(daemon)
                    tally.check("over https", predict(daemon) == (200, {"predictions": transformed(daemon)}))
            finally:
                os.environ.pop("SSL_CERT_FILE") if before is None else os.environ.update(SSL_CERT_FILE=before)
            with serving(document) as daemon:
                status, answer = predict(daemon)
                tally.check("a certificate nobody vouches for: 503 in words", status == 503 and "certificate" in answer["error"], str((status, answer)))


def check_declared(tally):
    """Over the resource API: refused without an address, and followed when it changes."""
    with Scripted() as one, Scripted() as two, serving(service("plain")) as daemon:
        for transformer in (one, two):
            transformer.predictor = predictor_path(daemon)
        wanted = {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "iris"},
                  "spec": {"transformer": {"containers": [{"name": "kserve-container", "image": "example.com/t:1"}]},
                           "predictor": {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": str(MODEL)}}}}
        status, answer = post(daemon, API, wanted)
        tally.check("refused without an address, by name", status in (400, 403, 422) and "jackdaw.dev/transformer-url" in answer["message"], str((status, answer)))
        wanted["metadata"]["annotations"] = {"jackdaw.dev/transformer-url": one.url}
        tally.check("taken with one", post(daemon, API, wanted)[0] == 201)
        tally.check("Ready", becomes(lambda: condition(daemon, "Ready")[0], "True") and predict(daemon)[0] == 200 and len(one.asked) == 1)
        patch = json.dumps({"metadata": {"annotations": {"jackdaw.dev/transformer-url": two.url}}})
        status, body = daemon.request("PATCH", f"{API}/iris", patch, {"content-type": "application/merge-patch+json"})
        tally.check("a new address is taken over", status == 200 and becomes(lambda: (predict(daemon)[0], bool(two.asked)), (200, True)))
        revisions = json.loads(daemon.get(f"{API}/iris")[1])["status"]["components"]["predictor"]["latestReadyRevision"]
        tally.check("without a new revision", revisions == "iris-predictor-00001", revisions)
        patch = json.dumps({"metadata": {"annotations": {"jackdaw.dev/transformer-url": None}}, "spec": {"transformer": None}})
        daemon.request("PATCH", f"{API}/iris", patch, {"content-type": "application/merge-patch+json"})
        straight = predict(daemon, "plain")
        tally.check("and so is none", becomes(lambda: (predict(daemon), condition(daemon, "TransformerReady")[0]), (straight, "")))


# ---------------------------------------------------------------------------------------------- KServe's own ModelServer


def kserve_python():
    """The interpreter of the kserve peer, installed on first use; None when it cannot be."""
    cache = pathlib.Path(os.environ.get("JACKDAW_CACHE", pathlib.Path.home() / ".cache" / "jackdaw"))
    python = cache / CACHE_PYTHON
    if not python.exists():
        done = subprocess.run([ROOT / "tests" / "peers" / "install", "kserve"], capture_output=True, text=True)
        if done.returncode:
            return None
    return python


class KServeTransformer:
    """The ModelServer as a process of its own, for the length of a with block."""

    def __init__(self, python, port, predictor_host, protocol):
        self.port = port
        self.log = tempfile.NamedTemporaryFile(prefix="jackdaw-transformer-", suffix=".log")
        self.process = subprocess.Popen(
            [python, pathlib.Path(__file__).with_name("kserve_transformer.py"), "--http_port", str(port), "--enable_grpc", "false",
             "--model_name", "iris", "--predictor_host", predictor_host, "--predictor_protocol", protocol],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def __enter__(self):
        end = time.monotonic() + 90
        while time.monotonic() < end and self.process.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/models/iris", timeout=2).read()
                return self
            except OSError:
                time.sleep(0.1)
        self.__exit__()
        raise RuntimeError("the transformer does not listen:\n" + pathlib.Path(self.log.name).read_text(errors="replace"))

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def check_kserve_v1(tally, daemon):
    expected = transformed(daemon)
    for host in (None, "iris-default.example.com", "iris.default.example.com"):
        headers = {"Host": host} if host else {}
        tally.check(f"KServe V1 through the transformer, Host {host}", predict(daemon, **headers) == (200, {"predictions": expected}))
    status, answer = predict(daemon, rows=[["a", "b", "c", "d"]])
    tally.check("what the transformer refuses is the client's answer", status >= 400 and "error" in answer, str((status, answer)))
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: predict(daemon), range(60)))
    others = [answer for answer in answers if answer != (200, {"predictions": expected})]
    tally.check("sixty calls, twenty at a time", not others, str(others[:3]))
    tally.check("Ready", becomes(lambda: condition(daemon, "Ready")[0], "True"))


def check_kserve_v2(tally, daemon):
    body = {"id": "seven", "inputs": [{"name": "input-0", "shape": [3, 4], "datatype": "FP64", "data": ROWS}]}
    status, answer = post(daemon, "/v2/models/iris/infer", body)
    tally.check("KServe V2 through the transformer", status == 200 and answer["outputs"][0]["data"] == transformed(daemon), str((status, answer)))
    tally.check("V2 keeps the request's id", answer.get("id") == "seven", str(answer))


def check_kserve_loop(tally, daemon):
    status, answer = predict(daemon)
    tally.check("KServe's transformer that calls the service itself ends", status >= 500 and "for ever" in json.dumps(answer), str((status, answer)))


def check_kserve(tally):
    python = kserve_python()
    if python is None:
        return tally.skip("KServe's ModelServer", "the kserve package could not be installed from PyPI")
    port = free_port()
    auth = {"tokens": [{"name": "app", "token": KEY, "scopes": ["infer"]}], "inferenceKeys": {"required": True}}
    url = f"http://127.0.0.1:{port}"
    with serving(service("iris", url), service("plain")) as daemon:
        with KServeTransformer(python, port, predictor_path(daemon), "v1"):
            tally.run("V1", check_kserve_v1, tally, daemon)
        with KServeTransformer(python, port, predictor_path(daemon), "v2"):
            tally.run("V2", check_kserve_v2, tally, daemon)
        with KServeTransformer(python, port, f"127.0.0.1:{daemon.port}", "v1"):
            tally.run("loop", check_kserve_loop, tally, daemon)
    with serving(settings(auth=auth), service("iris", url)) as daemon, KServeTransformer(python, port, predictor_path(daemon), "v1"):
        status, answer = predict(daemon, authorization=f"Bearer {KEY}")
        tally.check("KServe's transformer passes the call's key on", status == 200, str((status, answer)))


def main():
    tally = Tally()
    for check in (check_absence, check_way, check_trouble, check_departure, check_stages, check_loop, check_keys, check_drain, check_tls,
                  check_declared, check_kserve):
        tally.run(check.__name__, check, tally)
    tally.end()


if __name__ == "__main__":
    main()
