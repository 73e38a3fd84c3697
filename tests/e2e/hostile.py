#!/usr/bin/env python3
"""Sends what attackers and broken clients send, over raw sockets; after each the server must answer others and stay small.

usage: tests/e2e/hostile.py [--binary FILE] [--no-memory-check]

--no-memory-check is for builds with sanitizers, which keep what was freed.
"""
import argparse
import gzip
import json
import os
import pathlib
import random
import socket
import struct
import tempfile
import time
import zlib

from daemon import QUICKSTART, RELEASE, ROOT, Daemon
from tally import Tally

RESIDENT_MB_MAX = 160  # bodies may be 64 MiB each
SEED = int(os.environ.get("JACKDAW_SEED", random.SystemRandom().randrange(1 << 32)))

LIMITS = """apiVersion: jackdaw.dev/v1alpha1
kind: Daemon
metadata:
  name: hostile
spec:
  limits:
    headerTimeout: 1s
    bodyTimeout: 2s
    idleTimeout: 3s
"""
# A model that Python would run a command for, beside the two good ones.
SABOTEUR = """---
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: saboteur
spec:
  predictor:
    model:
      modelFormat:
        name: sklearn
      storageUri: ./saboteur
"""

INFER = "/v2/models/iris-pipeline/infer"
V1 = "/v1/models/iris-pipeline:predict"
GOOD = json.dumps({"instances": [[6.8, 2.8, 4.8, 1.4]]}).encode()


def post(path, body, *headers):
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def v2(body, *headers):
    return post(INFER, body if isinstance(body, bytes) else json.dumps(body).encode(), "Content-Type: application/json", *headers)


def tensor(**changes):
    return {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [6.8, 2.8, 4.8, 1.4], **changes}]}


def binary(header, payload, announced=None):
    text = json.dumps(header).encode()
    size = len(text) if announced is None else announced
    return post(INFER, text + payload, "Content-Type: application/octet-stream", f"Inference-Header-Content-Length: {size}")


def send_all(connection, data, wait_s):
    """Sends until everything is out, the server answers, or it hangs up. Returns how many bytes left."""
    view, sent = memoryview(data), 0
    connection.settimeout(wait_s)
    while sent < len(view):
        try:
            sent += connection.send(view[sent:sent + 65536])
        except OSError:
            break
    return sent


def read_all(connection, wait_s):
    """What comes until the server closes; None when it does not close in time."""
    out, until = b"", time.monotonic() + wait_s
    while time.monotonic() < until:
        connection.settimeout(max(until - time.monotonic(), 0.01))
        try:
            chunk = connection.recv(65536)
        except (TimeoutError, socket.timeout):
            return None
        except OSError:
            return out
        if not chunk:
            return out
        out += chunk
    return None


def exchange(port, data, wait_s=15):
    with socket.create_connection(("127.0.0.1", port), timeout=wait_s) as connection:
        send_all(connection, data, wait_s)
        return read_all(connection, wait_s)


def statuses(answer):
    """The status of every answer in what came back."""
    return [int(part[:3]) for part in (answer or b"").split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()]


def nested(depth):
    return b"[" * depth + b"]" * depth


def requests():
    """(name, bytes, statuses that are right). One answer is expected, and the end of the connection."""
    client_error = range(400, 500)
    good_v1 = post(V1, GOOD)
    smuggled = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    head = f"POST {V1} HTTP/1.1\r\nHost: localhost\r\n".encode()
    deep = 100_000
    rows = [
        ("a good request", good_v1, [200]),
        # Framing that two readers could understand differently.
        ("Content-Length beside Transfer-Encoding", head + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + smuggled, [400]),
        ("two lengths", head + b"Content-Length: 3\r\nContent-Length: 60\r\n\r\nabc" + smuggled, [400]),
        ("a list of lengths", head + b"Content-Length: 3, 60\r\n\r\nabc" + smuggled, [400]),
        ("a length with a sign", head + b"Content-Length: +3\r\n\r\nabc" + smuggled, [400]),
        ("a negative length", head + b"Content-Length: -1\r\n\r\n" + smuggled, [400]),
        ("a length beyond 64 bits", head + b"Content-Length: 99999999999999999999999\r\n\r\n", [400, 413]),
        ("a body of 1 GB announced", head + b"Content-Length: 1073741824\r\n\r\n", [413]),
        ("an unknown transfer coding", head + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + smuggled, [400, 501]),
        ("chunked twice", head + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n" + smuggled, [400, 501]),
        ("a chunk size beyond 64 bits", head + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", client_error),
        ("a chunk of 4 GB", head + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\nabc", client_error),
        ("a chunk size that is no number", head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", [400]),
        ("a chunk without its end of line", head + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcX\r\n0\r\n\r\n" + smuggled, [400]),
        ("a header line ended by LF alone", b"GET / HTTP/1.1\nHost: localhost\n\n" + smuggled, [400]),
        ("a folded header", head + b"X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n" + smuggled, [400]),
        ("a space before the colon", head + b"Content-Length : 3\r\n\r\nabc" + smuggled, [400]),
        ("no Host", b"GET / HTTP/1.1\r\n\r\n" + smuggled, [400]),
        ("two Hosts", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + smuggled, [400]),
        ("NUL in a header", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: a\0b\r\n\r\n" + smuggled, [400]),
        ("HTTP/2 without asking", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [*client_error, 505]),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200) + b"\r\n\r\n", [400]),
        ("a target of 1 MB", b"GET /" + b"a" * (1 << 20) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", [414, 431]),
        ("ten thousand header fields", b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 10_000 + b"\r\n", [431]),
        ("a broken escape in the path", b"GET /v2/models/%zz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", client_error),
        ("NUL in the path", b"GET /v2/models/%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", client_error),
        ("a path that climbs", b"GET /v2/models/..%2f..%2fetc%2fpasswd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", [404]),
        # Content codings.
        ("a gzip bomb of 512 MB", post(V1, gzip.compress(bytes(1 << 29), 9), "Content-Encoding: gzip"), [413]),
        ("a gzip bomb in a gzip bomb", post(V1, gzip.compress(gzip.compress(bytes(1 << 28))), "Content-Encoding: gzip"), client_error),
        ("gzip that breaks off", post(V1, gzip.compress(GOOD)[:-9], "Content-Encoding: gzip"), [400]),
        ("gzip that is none", post(V1, os.urandom(2000), "Content-Encoding: gzip"), [400]),
        ("a zlib bomb", post(V1, zlib.compress(bytes(1 << 28), 9), "Content-Encoding: deflate"), [413]),
        ("a coding nobody knows", post(V1, GOOD, "Content-Encoding: snappy"), [415]),
        # JSON.
        ("V1 JSON 100,000 deep", post(V1, b'{"instances": ' + nested(deep) + b"}"), client_error),
        ("V1 JSON 100,000 deep that never ends", post(V1, b'{"instances": ' + b"[" * deep), client_error),
        ("V1 objects 100,000 deep", post(V1, b'{"a": ' * deep + b"1" + b"}" * deep), client_error),
        ("V2 JSON 100,000 deep", v2(b'{"inputs": ' + nested(deep) + b"}"), client_error),
        ("V2 data 100,000 deep", v2(json.dumps(tensor()).replace("[6.8, 2.8, 4.8, 1.4]", nested(deep).decode()).encode()), client_error),
        ("JSON that is not UTF-8", post(V1, b'{"instances": [["\xff\xfe"]]}'), client_error),
        ("JSON that breaks off", post(V1, GOOD[:-3]), client_error),
        ("an empty body", post(V1, b""), client_error),
        ("30 MB of one number", post(V1, b'{"instances": [[' + b"9" * (30 << 20) + b"]]}"), client_error),
        ("30 MB of commas", post(V1, b'{"instances": [' + b"," * (30 << 20) + b"]}"), client_error),
        ("rows of different lengths", post(V1, b'{"instances": [[1, 2, 3, 4], [1, 2]]}'), client_error),
        ("a row too short", post(V1, b'{"instances": [[1, 2, 3]]}'), client_error),
        ("text where numbers belong", post(V1, b'{"instances": [["a", "b", "c", "d"]]}'), client_error),
        ("NaN in V1", post(V1, b'{"instances": [[NaN, 1, 2, 3]]}'), client_error),
        ("NaN in V2, which the model refuses", v2(b'{"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP64", "data": [NaN, 1, 2, 3]}]}'), client_error),
        ("no instances", post(V1, b'{"instance": [[1, 2, 3, 4]]}'), client_error),
        # V2 tensors that lie.
        ("a shape larger than its data", v2(tensor(shape=[1000, 4])), client_error),
        ("a shape beyond 64 bits", v2(tensor(shape=[1 << 40, 1 << 40])), client_error),
        ("a shape whose product wraps to the right size", v2(tensor(shape=[1 << 62, 1 << 62, 4])), client_error),
        ("a negative shape", v2(tensor(shape=[-1, -4])), client_error),
        ("a datatype nobody knows", v2(tensor(datatype="FP128")), client_error),
        ("no inputs", v2({"inputs": []}), client_error),
        ("a header length beyond the body", binary(tensor(), b"", 1 << 40), client_error),
        ("a negative header length", binary(tensor(), b"", -5), client_error),
        ("a header length of zero", binary(tensor(), b"", 0), client_error),
        ("a header that ends within JSON", binary(tensor(), b"", 10), client_error),
    ]

    def announced(size, payload, **changes):
        header = tensor(parameters={"binary_data_size": size}, **changes)
        del header["inputs"][0]["data"]
        return binary(header, payload)

    rows += [
        ("more binary data announced than sent", announced(1 << 30, bytes(16)), client_error),
        ("binary data beyond 64 bits", announced(1 << 70, bytes(16)), client_error),
        ("a negative size of binary data", announced(-16, bytes(16)), client_error),
        ("binary data smaller than its shape", announced(8, bytes(8)), client_error),
        ("binary data larger than its shape", announced(64, bytes(64)), client_error),
        ("BYTES that claim 4 GB", announced(16, struct.pack("<I", 0xFFFFFFFF) + bytes(12), datatype="BYTES", shape=[1, 1]), client_error),
        ("BYTES with half a length", announced(3, bytes(3), datatype="BYTES", shape=[1, 1]), client_error),
    ]
    return rows


def answered_right(answer, allowed):
    """Exactly one answer, of an allowed status. An error is one sentence in JSON."""
    got = statuses(answer)
    if len(got) != 1 or got[0] not in allowed:
        return False
    return got[0] < 400 or answer.split(b"\r\n\r\n", 1)[1].startswith(b"{")


class Hostile:
    def __init__(self, daemon, tally, check_memory):
        self.daemon, self.tally, self.check_memory = daemon, tally, check_memory
        self.port = daemon.port

    def after(self, name, ok, detail="", note=""):
        """The attack's own outcome, and that others are answered as before."""
        try:
            began = time.monotonic()
            status, body = self.daemon.request("POST", V1, GOOD, timeout=5)
            alive = status == 200 and body == b'{"predictions":[1]}'
            took = time.monotonic() - began
        except OSError as error:
            alive, took = False, 0
            detail += f" then {error!r}"
        resident = self.daemon.resident_mb() if self.daemon.process.poll() is None else 0
        small = not self.check_memory or resident <= RESIDENT_MB_MAX
        if not alive:
            detail += f" the server no longer answers (exit status {self.daemon.process.poll()})"
        if not small:
            detail += f" {resident:.0f} MB resident"
        good = ok and alive and small
        self.tally.check(name, good, f"{note or 'the next request took'} {took * 1e3:.0f} ms, {resident:.0f} MB resident" if good else detail)

    def table(self):
        for name, data, allowed in requests():
            answer = exchange(self.port, data)
            self.after(name, answered_right(answer, allowed), f"want one of {list(allowed)[:3]}.., got {(answer or b'no end')[:300]!r}")

    def endless_header(self):
        """1 GB of header: the server must not read it all."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Endless: ")
            block, sent, began = b"a" * (1 << 20), 0, time.monotonic()
            connection.settimeout(5)
            try:
                while sent < 1 << 30 and time.monotonic() < began + 20:
                    sent += connection.send(block)
                answer = read_all(connection, 5)
            except OSError:
                answer = read_all(connection, 1)
        refused = sent < 1 << 30 and (not answer or statuses(answer) == [431])
        self.after("a header of 1 GB", refused, f"{sent >> 20} MB went out, answer {(answer or b'')[:120]!r}")

    def slow_loris(self):
        """Many clients that send a byte now and then: others are served meanwhile, and the slow ones are let go."""
        slow = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(200)]
        closed, began, slowest = set(), time.monotonic(), 0.0
        for connection in slow:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")
        while len(closed) < len(slow) and time.monotonic() < began + 8:
            for connection in slow:
                if connection in closed:
                    continue
                try:
                    connection.send(b"X")
                    connection.settimeout(0.0005)
                    if b"" == connection.recv(4096):
                        closed.add(connection)
                except (TimeoutError, BlockingIOError):
                    pass
                except OSError:
                    closed.add(connection)
            asked = time.monotonic()
            status, _ = self.daemon.request("POST", V1, GOOD, timeout=5)
            slowest = max(slowest, time.monotonic() - asked)
            if status != 200:
                break
            time.sleep(0.05)
        took = time.monotonic() - began
        for connection in slow:
            connection.close()
        self.after("200 slow-loris clients", len(closed) == len(slow),
                   f"{len(closed)} of {len(slow)} were let go within {took:.1f} s",
                   f"let go within {took:.1f} s, meanwhile others waited {slowest * 1e3:.0f} ms at most, afterwards")

    def slow_body(self):
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(f"POST {V1} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{{".encode())
            answer = read_all(connection, 8)
        self.after("a body that never comes", answer is not None and statuses(answer) == [408], repr((answer or b"no end")[:200]))

    def impatient(self):
        """Clients that ask and leave, politely or with a reset."""
        for i in range(1000):
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                if i % 2:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if i % 4 < 2:
                    connection.sendall(post(V1, GOOD)[: 20 + i % 200])
        self.after("1000 clients that leave early", True)

    def garbage(self):
        chance = random.Random(SEED)
        bad = []
        good = v2(tensor())
        for i in range(300):
            if i % 3 == 0:
                data = chance.randbytes(chance.randrange(1, 5000)) + b"\r\n\r\n"
            else:
                data = bytearray(good)
                for _ in range(chance.randrange(1, 8)):
                    data[chance.randrange(len(data))] = chance.randrange(256)
                data = bytes(data)
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
                send_all(connection, data, 5)
                try:
                    connection.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                got = statuses(read_all(connection, 10))
            # A flipped digit in "HTTP/1.1" is rightly a 505; every other 5xx would be the server's own fault.
            if any(status >= 500 and status != 505 for status in got):
                bad.append((i, got))
        self.after(f"300 requests of garbage, seed {SEED}", not bad, f"{bad[:5]}")

    def saboteur(self, marker):
        status, body = self.daemon.get("/v1/models/saboteur")
        _, index = self.daemon.post("/v2/repository/index", {})
        row = next((row for row in json.loads(index) if row["name"] == "saboteur"), {})
        refused = status >= 400 and row.get("state") == "UNAVAILABLE" and len(row.get("reason", "")) > 20
        self.after("a model that would run a command is refused, with a reason", refused and not marker.exists(),
                   f"{status} {body[:200]!r} {row} marker {'is there' if marker.exists() else 'is not there'}")


def write_saboteur(folder, marker):
    """A pickle as attackers write it: REDUCE calls os.system."""
    import pickle

    class Command:
        def __reduce__(self):
            return os.system, (f"touch {marker}",)

    (folder / "saboteur").mkdir()
    (folder / "saboteur" / "model.pkl").write_bytes(pickle.dumps(Command()))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=RELEASE)
    parser.add_argument("--no-memory-check", action="store_true")
    arguments = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        marker = folder / "ran"
        write_saboteur(folder, marker)
        (folder / "service.yaml").write_text(LIMITS + "---\n" + QUICKSTART.read_text() + SABOTEUR)
        with Daemon(folder / "service.yaml", ROOT / arguments.binary, wait_ready=False) as daemon:
            for _ in range(400):
                if daemon.get("/v1/models/iris-xgboost")[0] == 200 and b"LOADING" not in daemon.post("/v2/repository/index", {})[1]:
                    break
                time.sleep(0.02)
            hostile = Hostile(daemon, tally, not arguments.no_memory_check)
            hostile.table()
            for attack in (hostile.endless_header, hostile.slow_loris, hostile.slow_body, hostile.impatient, hostile.garbage):
                tally.run(attack.__name__, attack)
            tally.run("saboteur", hostile.saboteur, marker)
            if not arguments.no_memory_check:
                print(f"     at most {daemon.resident_mb('VmHWM'):.0f} MB were resident")
            tally.check("the server ends cleanly after all this", daemon.stop() == 0)
    tally.end()


if __name__ == "__main__":
    main()
