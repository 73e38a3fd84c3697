#!/usr/bin/env python3
"""HTTPS, tokens, client certificates and CORS as clients see them: curl, Python's ssl, openai-python, and attackers.

usage: tests/e2e/tls.py [--load-seconds N]

Certificates are made with the openssl command in a temporary folder.
"""
import argparse
import contextlib
import hashlib
import http.client
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import warnings

import openai_venv
from daemon import QUICKSTART, ROOT, Daemon
from tally import Tally

warnings.filterwarnings("ignore", category=DeprecationWarning)  # we ask for old TLS versions to see them refused
WRITER, READER, APP = "writer-0123456789abcdef", "reader-0123456789abcdef", "sk-app-0123456789abcdef"
TEAM = "team-a-0123456789abcdef"
PREDICT = "/v1/models/iris-pipeline:predict"
FLOWER = json.dumps({"instances": [[6.8, 2.8, 4.8, 1.4]]})
UNLOAD = "/v2/repository/models/iris-xgboost/unload"
LOAD = "/v2/repository/models/iris-xgboost/load"


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, **options)


class Authority:
    """A CA in a folder; sign() makes NAME.pem and NAME.key."""

    def __init__(self, folder, name):
        self.folder, self.name = folder, name
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                     "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
        self.file = folder / f"{name}.pem"

    def openssl(self, *arguments):
        done = run("openssl", *arguments, cwd=self.folder)
        if done.returncode:
            raise RuntimeError(f"openssl {' '.join(arguments)}: {done.stderr}")

    def sign(self, name, common_name="localhost", names="DNS:localhost,IP:127.0.0.1", key=("ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
             days="2"):
        self.openssl("req", "-newkey", *key, "-nodes", "-subj", f"/CN={common_name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={names}\n" if names else "")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.pem", "-CAkey", f"{self.name}.key", "-CAcreateserial",
                     "-days", days, "-extfile", f"{name}.ext", "-out", f"{name}.pem")
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"


class TlsDaemon(Daemon):
    """Listens on `listen` beside a plain loopback port, with `spec` as the Daemon's settings."""

    def __init__(self, folder, spec, listen=("https://127.0.0.1:0",)):
        self.settings = folder / "daemon.yaml"
        self.settings.write_text("apiVersion: jackdaw.dev/v1alpha1\nkind: Daemon\nmetadata: {name: tls}\nspec: " + json.dumps(spec) + "\n")
        arguments = ["--config", self.settings]
        for address in listen:
            arguments += ["--listen", address]
        super().__init__(QUICKSTART, arguments=arguments)
        # The first listener answers before the last one is logged.
        wait_for(lambda: len(self.listening()) == 1 + len(listen))
        self.urls = self.listening()
        self.ports = [int(url.rsplit(":", 1)[1]) for url in self.urls]
        self.tls_port = self.ports[1]

    def listening(self):
        return [json.loads(line)["url"] for line in self.log_text().splitlines() if '"msg":"listening"' in line and line.endswith("}")]

    def url(self, path, index=1):
        return f"{self.urls[index].split('://')[0]}://127.0.0.1:{self.ports[index]}{path}"

    def metric(self, line):
        for text in self.get("/metrics")[1].decode().splitlines():
            if text.startswith(line + " "):
                return float(text.rsplit(" ", 1)[1])
        return 0.0


def curl(url, *arguments, ca=None):
    """(status, body), status 0 when curl got no answer: then its message."""
    done = run("curl", "-sS", "-m", "10", "-w", "\n%{http_code}", *(["--cacert", str(ca)] if ca else []), *arguments, url)
    body, _, status = done.stdout.rpartition("\n")
    return (int(status), body) if done.returncode == 0 else (0, done.stderr.strip())


def bearer(token):
    return "-H", f"Authorization: Bearer {token}"


def server_tls(pair, **more):
    return {"certFile": str(pair[0]), "keyFile": str(pair[1]), **more}


# ---------------------------------------------------------------------------------------------------- HTTPS itself


def handshake(daemon, ca, session=None, alpn=None, **bounds):
    context = ssl.create_default_context(cafile=str(ca))
    for name, version in bounds.items():
        setattr(context, name, version)
    if alpn:
        context.set_alpn_protocols(alpn)
    with socket.create_connection(("127.0.0.1", daemon.tls_port), timeout=10) as raw:
        with context.wrap_socket(raw, server_hostname="localhost", session=session) as secure:
            secure.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = secure.recv(65536)
            return {"version": secure.version(), "alpn": secure.selected_alpn_protocol(), "cipher": secure.cipher()[0],
                    "reused": secure.session_reused, "session": secure.session, "answer": answer, "context": context}


def resumes(daemon, ca, version):
    """Two handshakes of one context; whether the second was a resumption."""
    context = ssl.create_default_context(cafile=str(ca))
    context.minimum_version = context.maximum_version = version
    session = None
    for _ in range(2):
        with socket.create_connection(("127.0.0.1", daemon.tls_port), timeout=10) as raw:
            with context.wrap_socket(raw, server_hostname="localhost", session=session) as secure:
                secure.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
                secure.recv(65536)
                session, reused = secure.session, secure.session_reused
    return reused


def check_https(tally, folder, ca):
    with TlsDaemon(folder, {"tls": server_tls(ca.sign("server"))}) as daemon:
        tally.check("curl predicts over HTTPS", curl(daemon.url(PREDICT), "-d", FLOWER, ca=ca.file) == (200, '{"predictions":[1]}'))
        status, text = curl(daemon.url("/v2/health/live"))
        tally.check("a client that does not know the CA refuses", status == 0 and "certificate" in text, text)
        seen = handshake(daemon, ca.file, alpn=["h2", "http/1.1"])
        tally.check("TLS 1.3 and HTTP/1.1 are chosen", (seen["version"], seen["alpn"]) == ("TLSv1.3", "http/1.1") and b"200 OK" in seen["answer"],
                    f"{seen['version']}, {seen['cipher']}, {seen['alpn']}")
        old = handshake(daemon, ca.file, maximum_version=ssl.TLSVersion.TLSv1_2)
        tally.check("TLS 1.2 is spoken, with forward secrecy", old["version"] == "TLSv1.2" and old["cipher"].startswith("ECDHE"), old["cipher"])
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            tally.check(f"{version.name} sessions are resumed", resumes(daemon, ca.file, version))
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
            context.set_ciphers("ALL:@SECLEVEL=0")
            with socket.create_connection(("127.0.0.1", daemon.tls_port), timeout=10) as raw, context.wrap_socket(raw):
                refused = False
        except (ssl.SSLError, OSError):
            refused = True
        tally.check("TLS 1.1 is refused", refused)
        try:
            handshake(daemon, ca.file, alpn=["h2"])
            refused = False
        except (ssl.SSLError, OSError):
            refused = True
        tally.check("a client that speaks only HTTP/2 is told so in the handshake", refused)
        body = json.dumps({"instances": [[6.8, 2.8, 4.8, 1.4]] * 60000})
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(body)
            file.flush()
            status, text = curl(daemon.url(PREDICT), "--data-binary", f"@{file.name}", ca=ca.file)
        tally.check("a body of megabytes and its answer pass", status == 200 and len(json.loads(text)["predictions"]) == 60000)
        tally.check("handshakes are counted", daemon.metric('jackdaw_tls_handshakes_total{result="resumed"}') == 2
                    and daemon.metric('jackdaw_tls_handshakes_total{result="complete"}') >= 5)
        tally.check("ends in order", daemon.stop() == 0)
    with TlsDaemon(folder, {"tls": server_tls(ca.sign("rsa", key=("rsa:2048",)), minVersion="1.3")}) as daemon:
        tally.check("an RSA key serves too", curl(daemon.url("/v2/health/live"), ca=ca.file)[0] == 200)
        tally.check("minVersion 1.3 refuses 1.2", curl(daemon.url("/v2/health/live"), "--tls-max", "1.2", ca=ca.file)[0] == 0)


# ---------------------------------------------------------------------------------------------------- who may do what


def check_tokens(tally, folder, ca):
    with TlsDaemon(folder, {}, listen=["0.0.0.0:0"]) as daemon:
        status, text = curl(daemon.url(UNLOAD), "-X", "POST")
        tally.check("away from loopback writes are refused, with what to configure", status == 403 and "spec.auth" in text, text)
        tally.check("predictions stay open", curl(daemon.url(PREDICT), "-d", FLOWER)[0] == 200)
    tokens = folder / "tokens"
    tokens.write_text(f"# ci\n{WRITER}\n")
    auth = {"tokens": [{"name": "ci", "tokenFile": str(tokens), "scopes": ["write"]},
                       {"name": "reader", "token": "sha256:" + hashlib.sha256(READER.encode()).hexdigest(), "scopes": ["read", "metrics"]},
                       {"name": "app", "token": APP, "scopes": ["infer"], "models": ["iris-p*"]}],
            "inferenceKeys": {"required": True}}
    with TlsDaemon(folder, {"tls": server_tls(ca.sign("server")), "auth": auth}, listen=["https://0.0.0.0:0"]) as daemon:
        def https(path, *arguments):
            return curl(daemon.url(path), *arguments, ca=ca.file)
        done = run("curl", "-sS", "-D", "-", "-o", "/dev/null", "-X", "POST", "--cacert", str(ca.file), daemon.url(UNLOAD))
        tally.check("without a token: 401 and how to authenticate", "401 Unauthorized" in done.stdout and "WWW-Authenticate: Bearer" in done.stdout)
        tally.check("a wrong token: 401", https(UNLOAD, "-X", "POST", *bearer("wrong-token-0123456789"))[0] == 401)
        tally.check("a token without the right: 403", https(UNLOAD, "-X", "POST", *bearer(READER))[0] == 403)
        tally.check("the right token writes", https(UNLOAD, "-X", "POST", *bearer(WRITER))[0] == 200 and https(LOAD, "-X", "POST", *bearer(WRITER))[0] == 200)
        tally.check("predictions need a key when asked to", https(PREDICT, "-d", FLOWER)[0] == 401 and https(PREDICT, "-d", FLOWER, *bearer(APP))[0] == 200)
        tally.check("x-api-key is a key too", https(PREDICT, "-d", FLOWER, "-H", f"x-api-key: {APP}")[0] == 200)
        tally.check("a key reaches its models only", https(PREDICT.replace("pipeline", "xgboost"), "-d", FLOWER, *bearer(APP))[0] == 403)
        status, text = https("/v1/chat/completions", "-d", "{}")
        tally.check("OpenAI's shape", status == 401 and json.loads(text)["error"]["code"] == "invalid_api_key", text)
        for path, ask in (("/v1/completions", {"prompt": "a"}), ("/openai/v1/chat/completions", {"messages": [{"role": "user", "content": "a"}]}),
                          ("/tokenize", {"prompt": "a"})):
            own, other = (https(path, "-d", json.dumps(ask | {"model": model}), "-H", "Content-Type: application/json", *bearer(APP))
                          for model in ("iris-pipeline", "iris-xgboost"))
            tally.check(f"{path}: a key knows its models only", own[0] == 400 and "does not support" in own[1]
                        and other[0] == 404 and "does not exist" in other[1], f"{own} {other}")
        tally.check("health is always open", https("/v2/health/ready")[0] == 200 and https("/health")[0] in (200, 503))
        tally.check("metrics need their scope once someone has it", https("/metrics")[0] == 401 and https("/metrics", *bearer(READER))[0] == 200)
        fresh = "rotated-0123456789abcdef"
        tokens.write_text("short\n")
        os.kill(daemon.process.pid, signal.SIGHUP)
        tally.check("a broken token file is not used, and said", wait_for(lambda: "the new token files cannot be used" in daemon.log_text())
                    and https(LOAD, "-X", "POST", *bearer(WRITER))[0] == 200)
        tokens.write_text(fresh + "\n")
        tally.check("a changed token file is noticed", wait_for(lambda: https(LOAD, "-X", "POST", *bearer(fresh))[0] == 200)
                    and https(LOAD, "-X", "POST", *bearer(WRITER))[0] == 401)
        secrets = (WRITER, READER, APP, fresh, "wrong-token-0123456789")
        tally.check("no token is in the log", not any(secret in daemon.log_text() for secret in secrets))
        openai_keys(tally, daemon, ca)


def wait_for(holds, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.05)
    return False


OPENAI_PROGRAM = """
import sys, httpx, openai
url, ca, key = sys.argv[1:]
client = openai.OpenAI(base_url=url, api_key=key, max_retries=0, http_client=httpx.Client(verify=ca))
try:
    client.chat.completions.create(model="none", messages=[{"role": "user", "content": "hi"}])
except openai.APIStatusError as error:
    print(type(error).__name__, error.code)
"""


def openai_keys(tally, daemon, ca):
    why_not = openai_venv.install()
    if why_not:
        tally.skip("openai-python over HTTPS", why_not)
        return
    python = openai_venv.VENV / "bin" / "python"
    for key, expected in ((APP, "NotFoundError"), ("sk-wrong-0123456789ab", "AuthenticationError invalid_api_key")):
        done = run(python, "-c", OPENAI_PROGRAM, daemon.url("/v1"), str(ca.file), key)
        tally.check(f"openai-python over HTTPS sees {expected.split()[0]}", done.stdout.startswith(expected), (done.stdout + done.stderr[-300:]).strip())


def check_client_certificates(tally, folder, ca):
    other = Authority(folder, "other")
    ops = ca.sign("ops", "ops-1", "URI:spiffe://cluster/ns/ops")
    guest = ca.sign("guest", "guest", "")
    stranger = other.sign("stranger", "ops-1", "")
    expired = ca.sign("expired", "ops-2", "", days="-1")
    auth = {"certificates": [{"name": "operators", "names": ["CN=ops-*"], "scopes": ["write"]}]}
    for mode in ("optional", "required"):
        spec = {"tls": server_tls(ca.sign("server"), clientCaFile=str(ca.file), clientCertificates=mode), "auth": auth}
        with TlsDaemon(folder, spec, listen=["https://0.0.0.0:0"]) as daemon:
            def https(path, pair=None, *arguments):
                shown = ["--cert", str(pair[0]), "--key", str(pair[1])] if pair else []
                return curl(daemon.url(path), *shown, *arguments, ca=ca.file)[0]
            tally.check(f"{mode}: the right certificate writes", https(LOAD, ops, "-X", "POST") == 200)
            tally.check(f"{mode}: one without rights does not", https(LOAD, guest, "-X", "POST") == 401)
            tally.check(f"{mode}: another CA's ends the handshake", https("/v2/health/live", stranger) == 0)
            tally.check(f"{mode}: an expired one ends the handshake", https("/v2/health/live", expired) == 0)
            tally.check(f"{mode}: none", https("/v2/health/live") == (200 if mode == "optional" else 0))
            tally.check(f"{mode}: reasons are counted", daemon.metric('jackdaw_tls_handshakes_total{result="bad_client_certificate"}') == 2)


# ---------------------------------------------------------------------------------------------------- sources over HTTP

SERVICES = "/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices"


def check_namespaces(tally, folder):
    """Two services of one name: a token of one namespace sees and touches its own only, and the Host says which is meant."""
    models = ROOT / "examples" / "quickstart" / "models"
    auth = {"tokens": [{"name": "admin", "token": WRITER, "scopes": ["write"]},
                       {"name": "team", "token": TEAM, "scopes": ["write", "infer"], "namespaces": ["team-a"]}]}
    with TlsDaemon(folder, {"auth": auth, "storage": {"roots": [str(models)]}}, listen=["0.0.0.0:0"]) as daemon:
        def call(method, path, token, value=None, host="localhost"):
            data = ["-d", json.dumps(value), "-H", "Content-Type: application/json"] if value else []
            return curl(daemon.url(path), "-X", method, "-H", f"Host: {host}", *data, *bearer(token))

        def predicts(host):
            return call("POST", "/v1/models/iris-xgboost:predict", WRITER, json.loads(FLOWER), host)[0]

        theirs, ours = "iris-xgboost-default.example.com", "iris-xgboost-team-a.example.com"
        predictor = {"model": {"modelFormat": {"name": "xgboost"}, "storageUri": f"file://{models}/iris-xgboost"}}
        made = call("POST", SERVICES.replace("default", "team-a"), TEAM,
                    {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService", "metadata": {"name": "iris-xgboost"},
                     "spec": {"predictor": predictor}})
        tally.check("a token of one namespace declares there", made[0] == 201, made[1][:200])
        # While it is alone in being ready, the Host finds both all the same.
        tally.check("both answer", wait_for(lambda: predicts(ours) == 200) and predicts(theirs) == 200)
        tally.check("another namespace's is not unloaded", call("POST", UNLOAD, TEAM)[0] == 403
                    and call("POST", UNLOAD, TEAM, host=theirs)[0] == 403 and predicts(theirs) == 200)
        status, text = call("POST", UNLOAD, TEAM, host=ours)
        tally.check("its own is, where the Host says so", status == 200 and predicts(ours) == 404 and predicts(theirs) == 200,
                    f"{status} {text} {predicts(ours)} {predicts(theirs)}")
        tally.check("and loaded again", call("POST", LOAD, TEAM, host=ours)[0] == 200 and predicts(ours) == 200)
        status, text = call("POST", UNLOAD, WRITER, host=ours)
        tally.check("an unlimited token reaches it too", status == 200 and predicts(ours) == 404 and predicts(theirs) == 200)

        def seen(token, path, *where):
            found = set()
            for item in json.loads(call("GET", path, token)[1])["items"]:
                for name in where:
                    item = item[name]
                found.add(item)
            return found
        everyones = seen(WRITER, "/api/v1/events", "involvedObject", "namespace")
        tally.check("events of its namespaces only", everyones == {"default", "team-a"}
                    and seen(TEAM, "/api/v1/events", "involvedObject", "namespace") == {"team-a"}, everyones)
        tally.check("namespaces that are its own only", seen(WRITER, "/api/v1/namespaces", "metadata", "name") == {"default", "team-a"}
                    and seen(TEAM, "/api/v1/namespaces", "metadata", "name") == {"team-a"})


def check_sources(tally, folder):
    """file:// and plain paths of objects that come over the network stay inside spec.storage.roots."""
    models = ROOT / "examples" / "quickstart" / "models"
    auth = {"tokens": [{"name": "ci", "token": WRITER, "scopes": ["write"], "models": ["mine-*"], "namespaces": ["default"]}]}
    for roots in ([], [str(models)]):
        with TlsDaemon(folder, {"auth": auth, "storage": {"roots": roots}}, listen=["0.0.0.0:0"]) as daemon:
            def call(method, path, value=None, token=WRITER):
                data = ["-d", json.dumps(value), "-H", "Content-Type: application/json"] if value else []
                return curl(daemon.url(path), "-X", method, *data, *(bearer(token) if token else []))

            def service(name, uri, **annotations):
                predictor = {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": uri}}
                return {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService",
                        "metadata": {"name": name, "namespace": "default", "annotations": annotations}, "spec": {"predictor": predictor}}

            def state(name):
                return json.loads(call("GET", f"{SERVICES}/{name}")[1]).get("status", {})

            inside = service("mine-inside", f"file://{models}/iris-pipeline")
            if not roots:
                status, text = call("POST", SERVICES, inside, token=None)
                tally.check("declaring needs a token, in Kubernetes' shape", status == 401 and json.loads(text)["reason"] == "Unauthorized", text[:200])
                status, text = call("GET", SERVICES, token=None)
                tally.check("so does looking", status == 401)
                tally.check("another name is not covered", call("POST", SERVICES, service("other", "pvc://a/b"))[0] == 403
                            and call("PUT", f"{SERVICES}/other", inside)[0] == 403)
                tally.check("another namespace is not covered", call("POST", SERVICES.replace("default", "team"), inside)[0] == 403)
            tally.check(f"roots {len(roots)}: declares", call("POST", SERVICES, inside)[0] == 201)
            outside = service("mine-outside", "file:///etc/passwd", **{"jackdaw.dev/config-file": "/etc/x.yaml"})
            call("POST", SERVICES, outside)
            expected = "declares none" if not roots else "outside of spec.storage.roots"
            tally.check(f"roots {len(roots)}: a path elsewhere is refused in words",
                        wait_for(lambda: expected in json.dumps(state("mine-outside"))), json.dumps(state("mine-outside"))[:300])
            if roots:
                ready = {"type": "Ready", "status": "True"}
                tally.check("a path inside a root serves", wait_for(
                    lambda: any(ready.items() <= condition.items() for condition in state("mine-inside").get("conditions", []))))
            else:
                tally.check("without roots no path serves", wait_for(lambda: "declares none" in json.dumps(state("mine-inside"))))
            # The files of --config are the operator's: they need no root, unless there are some (those hold for everyone).
            tally.check(f"roots {len(roots)}: the operator's own files serve", curl(daemon.url(PREDICT), "-d", FLOWER)[0] == 200)


# ---------------------------------------------------------------------------------------------------- reload


def ask_until(stop, daemon, context, failures, counts):
    """A new connection for each request, so that each sees the certificate of its moment."""
    while not stop.is_set():
        connection = http.client.HTTPSConnection("127.0.0.1", daemon.tls_port, timeout=10, context=context)
        try:
            for _ in range(3):
                connection.request("POST", PREDICT, FLOWER)
                answer = connection.getresponse()
                if (answer.status, answer.read()) != (200, b'{"predictions":[1]}'):
                    failures.append(answer.status)
                counts.append(1)
        except OSError as error:
            failures.append(repr(error))
        finally:
            connection.close()


def check_reload(tally, folder, ca, load_seconds):
    pairs = [ca.sign(f"round{i}") for i in range(4)]
    live = folder / "live.pem", folder / "live.key"

    def install(pair):
        for source, target in zip(pair, live):
            staged = target.with_suffix(".new")
            staged.write_bytes(source.read_bytes())
            staged.replace(target)

    install(pairs[0])
    with TlsDaemon(folder, {"tls": server_tls(live)}) as daemon:
        context = ssl.create_default_context(cafile=str(ca.file))
        stop, failures, counts = threading.Event(), [], []
        threads = [threading.Thread(target=ask_until, args=(stop, daemon, context, failures, counts)) for _ in range(4)]
        for thread in threads:
            thread.start()
        rounds, end = 0, time.monotonic() + load_seconds
        while time.monotonic() < end:
            rounds += 1
            install(pairs[rounds % len(pairs)])
            os.kill(daemon.process.pid, signal.SIGHUP)
            if rounds % 3 == 0:
                live[1].write_bytes(pairs[(rounds + 1) % len(pairs)][1].read_bytes())  # not this certificate's key
                os.kill(daemon.process.pid, signal.SIGHUP)
            time.sleep(0.05)
        stop.set()
        for thread in threads:
            thread.join()
        reloads = daemon.metric('jackdaw_secrets_reloads_total{what="certificates",result="ok"}')
        broken = daemon.metric('jackdaw_secrets_reloads_total{what="certificates",result="failed"}')
        tally.check("no request fails while certificates are replaced and broken", not failures and counts and reloads > 10 and broken > 2,
                    f"{len(counts)} requests, {reloads:.0f} reloads, {broken:.0f} refused; {failures[:3]}")
        tally.check("a broken pair is logged with the reason", "is not the one of the certificate" in daemon.log_text())
        install(pairs[1])
        serial = run("openssl", "x509", "-in", str(pairs[1][0]), "-noout", "-serial").stdout.strip().partition("=")[2]

        def served():
            with socket.create_connection(("127.0.0.1", daemon.tls_port), timeout=10) as raw, \
                    context.wrap_socket(raw, server_hostname="localhost") as secure:
                return secure.getpeercert()["serialNumber"]
        tally.check("a replaced file is noticed without a signal", wait_for(lambda: served() == serial))


# ---------------------------------------------------------------------------------------------------- hostile


def closes(connection, seconds):
    connection.settimeout(seconds)
    try:
        while connection.recv(65536):
            pass
        return True
    except ConnectionError:
        return True
    except OSError:
        return False


def client_hello():
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    secure = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        secure.do_handshake()
    return outgoing.read()


def check_hostile(tally, folder, ca):
    spec = {"tls": server_tls(ca.sign("server")), "limits": {"headerTimeout": "1s", "maxConnections": 3000}}
    with TlsDaemon(folder, spec) as daemon:
        def connect(port=None):
            return socket.create_connection(("127.0.0.1", port or daemon.tls_port), timeout=10)
        for method in ("GET", "OPTIONS"):
            with connect() as raw:
                raw.sendall(f"{method} / HTTP/1.1\r\nHost: x\r\n\r\n".encode())
                answer = raw.recv(65536)
            tally.check(f"plain {method} on the HTTPS port gets a sentence", b"400 Bad Request" in answer and b"this port speaks HTTPS" in answer)
        hello = client_hello()
        with connect(daemon.port) as raw:
            raw.sendall(hello)
            answer = raw.recv(65536)
        tally.check("TLS on the plain port gets one too", b"400 Bad Request" in answer and b"this port speaks plain HTTP" in answer)
        tally.check("curl shows why", curl(f"https://127.0.0.1:{daemon.port}/")[0] == 0)
        attacks = {"garbage": b"\xff" * 4096, "zeros": b"\0" * 4096, "an oversized record": b"\x16\x03\x01\xff\xff" + b"x" * 70000,
                   "an alert": b"\x15\x03\x01\x00\x02\x02\x28", "application data": b"\x17\x03\x03\x00\x10" + b"y" * 16,
                   "SSL 2": b"\x80\x2e\x01\x00\x02" + b"z" * 43, "a hello cut short, then garbage": hello[:40] + b"\xee" * 400}
        for name, data in attacks.items():
            with connect() as raw, contextlib.suppress(OSError):
                raw.sendall(data)
                tally.check(f"{name} ends the connection", closes(raw, 5))
        began = time.monotonic()
        slow = [connect() for _ in range(3)]
        slow[1].sendall(hello[:10])
        slow[2].sendall(hello)
        tally.check("slow handshakes end with headerTimeout", all(closes(raw, 5) for raw in slow) and time.monotonic() - began < 4)
        for raw in slow:
            raw.close()
        # A record after the handshake that does not decrypt.
        context = ssl.create_default_context(cafile=str(ca.file))
        with connect() as raw:
            secure = context.wrap_socket(raw, server_hostname="localhost", do_handshake_on_connect=True)
            with socket.socket(fileno=os.dup(secure.fileno())) as beneath:
                beneath.sendall(b"\x17\x03\x03\x00\x20" + b"q" * 32)
                tally.check("a record that does not decrypt ends the connection", closes(beneath, 5))
            secure.close()
        flood(tally, daemon, hello, context)
        tally.check("still answers", curl(daemon.url("/v2/health/live"), ca=ca.file)[0] == 200)
        tally.check("ends in order", daemon.stop() == 0)


def flood(tally, daemon, hello, context):
    """Handshakes as fast as one thread can begin them, none finished; others must be served meanwhile."""
    stop, opened = threading.Event(), []

    def attack():
        while not stop.is_set():
            with contextlib.suppress(OSError):
                raw = socket.create_connection(("127.0.0.1", daemon.tls_port), timeout=5)
                raw.sendall(hello)
                opened.append(raw)
            if len(opened) > 2000:
                opened.pop(0).close()

    attacker = threading.Thread(target=attack)
    attacker.start()
    plain, secure = [], []
    try:
        connection = http.client.HTTPSConnection("127.0.0.1", daemon.tls_port, timeout=10, context=context)
        for _ in range(200):
            began = time.monotonic()
            status, _ = daemon.get("/v2/health/live")
            plain.append(time.monotonic() - began)
            began = time.monotonic()
            connection.request("POST", PREDICT, FLOWER)
            ok = connection.getresponse().read() == b'{"predictions":[1]}' and status == 200
            secure.append(time.monotonic() - began)
            if not ok:
                break
        connection.close()
    finally:
        stop.set()
        attacker.join()
        count = len(opened)
        for raw in opened:
            raw.close()
    plain.sort()
    secure.sort()
    tally.check("others are served during a flood of handshakes", ok and len(plain) == 200 and plain[190] < 0.5 and secure[190] < 0.5,
                f"{count} handshakes open; p95 plain {plain[len(plain) * 95 // 100] * 1e3:.1f} ms, HTTPS {secure[len(secure) * 95 // 100] * 1e3:.1f} ms; "
                f"{daemon.resident_mb():.0f} MB")


# ---------------------------------------------------------------------------------------------------- CORS


def check_cors(tally, folder):
    spec = {"cors": {"allowedOrigins": ["https://app.example.com"], "maxAge": "1h"}}
    with TlsDaemon(folder, spec, listen=["127.0.0.1:0"]) as daemon:
        def headers(*arguments, path="/v1/chat/completions"):
            return run("curl", "-sS", "-D", "-", "-o", "/dev/null", *arguments, daemon.url(path)).stdout.lower()
        asked = ("-X", "OPTIONS", "-H", "Access-Control-Request-Method: POST", "-H", "Access-Control-Request-Headers: authorization")
        answer = headers(*asked, "-H", "Origin: https://app.example.com")
        tally.check("a preflight is answered", " 204 " in answer and "access-control-allow-origin: https://app.example.com" in answer
                    and "access-control-allow-headers: authorization" in answer and "access-control-max-age: 3600" in answer)
        answer = headers(*asked, "-H", "Origin: https://evil.example.com")
        tally.check("another origin's is refused", " 403 " in answer and "access-control-allow-origin" not in answer)
        answer = headers("-H", "Origin: https://app.example.com", path="/v2/health/live")
        tally.check("answers say whose they may be", "access-control-allow-origin: https://app.example.com" in answer and "vary: origin" in answer)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--load-seconds", type=float, default=4)
    load_seconds = parser.parse_args().load_seconds
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="jackdaw-tls-") as name:
        folder = pathlib.Path(name)
        ca = Authority(folder, "ca")
        tally.run("HTTPS", check_https, tally, folder, ca)
        tally.run("tokens", check_tokens, tally, folder, ca)
        tally.run("client certificates", check_client_certificates, tally, folder, ca)
        tally.run("namespaces", check_namespaces, tally, folder)
        tally.run("sources", check_sources, tally, folder)
        tally.run("reload", check_reload, tally, folder, ca, load_seconds)
        tally.run("hostile", check_hostile, tally, folder, ca)
        tally.run("CORS", check_cors, tally, folder)
    tally.end()


if __name__ == "__main__":
    sys.exit(main())
