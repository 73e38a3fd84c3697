#!/usr/bin/env python3
"""What a daemon keeps: kill -9 at any moment loses no acknowledged write; a damaged store, a second daemon on the same folder and a
full disk are said in words; files that change, break and come back.

usage: tests/e2e/state.py [--seconds N] [--seed N]
"""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time

from daemon import RELEASE, ROOT, Daemon
from tally import Tally

MODELS = ROOT / "examples" / "quickstart" / "models"
BASE = "/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices"
BINARY = os.environ.get("JACKDAW_BINARY", RELEASE)
JSON = {"content-type": "application/json"}


def service(name, revision=0, model=MODELS / "iris-pipeline"):
    return {"apiVersion": "serving.kserve.io/v1beta1", "kind": "InferenceService",
            "metadata": {"name": name, "annotations": {"revision": str(revision)}},
            "spec": {"predictor": {"model": {"modelFormat": {"name": "sklearn"}, "storageUri": str(model)}}}}


def yaml_of(*names, model=MODELS / "iris-pipeline"):
    return "\n---\n".join(json.dumps(service(name, model=model)) for name in names) + "\n"


def send(daemon, method, path, body=None):
    status, text = daemon.request(method, path, None if body is None else json.dumps(body), JSON)
    return status, json.loads(text)


def names(daemon):
    return sorted(item["metadata"]["name"] for item in send(daemon, "GET", BASE)[1]["items"])


def until(check, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if check():
                return True
        time.sleep(0.02)
    return False


def keeping(folder):
    return Daemon(config=None, arguments=["--state-dir", str(folder)], wait_ready=False)


class Writer(threading.Thread):
    """Creates, patches and deletes one service after the other; `acknowledged` is what the daemon said yes to, `pending` what it was
    asked last and may have done."""

    def __init__(self, daemon, name):
        super().__init__(daemon=True)
        self.daemon_process = daemon
        self.name = name
        self.acknowledged = None  # the revision, or None: not there
        self.pending = None
        self.count = 0
        self.wrong = ""

    def write(self, connection, method, path, body, revision):
        self.pending = (revision,)
        content = "application/merge-patch+json" if method == "PATCH" else "application/json"
        connection.request(method, path, json.dumps(body) if body else None, {"content-type": content})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status not in (200, 201):
            self.wrong = f"{method} {path}: {answer.status} {text[:200]!r}"
            return
        self.acknowledged = revision
        self.pending = None
        self.count += 1

    def run(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", self.daemon_process.port, timeout=10)
            while not self.wrong:
                revision = self.count + 1
                path = f"{BASE}/{self.name}"
                if self.acknowledged is None:
                    self.write(connection, "POST", BASE, service(self.name, revision), revision)
                elif revision % 9 == 8:
                    self.write(connection, "DELETE", path, None, None)
                else:
                    self.write(connection, "PATCH", path, {"metadata": {"annotations": {"revision": str(revision)}}}, revision)


def revision_of(daemon, name):
    status, body = send(daemon, "GET", f"{BASE}/{name}")
    return int(body["metadata"]["annotations"]["revision"]) if status == 200 else None


def kills(tally, folder, seconds, seed):
    """Writers, and kill -9 at random moments."""
    chance = random.Random(seed)
    known = {f"w{n}": None for n in range(3)}
    end, rounds, writes, wrong = time.monotonic() + seconds, 0, 0, []
    while time.monotonic() < end or rounds < 5:
        with keeping(folder) as daemon:
            for name in known:
                revision = revision_of(daemon, name)
                allowed = known[name] if isinstance(known[name], list) else [known[name]]
                if revision not in allowed:
                    wrong.append(f"round {rounds}: {name} is {revision}, acknowledged or asked for was {allowed}")
            writers = [Writer(daemon, name) for name in known]
            for writer in writers:
                writer.acknowledged = revision_of(daemon, writer.name)
                writer.count = writer.acknowledged or 0
                writer.start()
            time.sleep(chance.uniform(0.02, 0.5))
            daemon.stop(signal.SIGKILL)
            for writer in writers:
                writer.join(10)
                writes += 1 if writer.acknowledged else 0
                if writer.wrong:
                    wrong.append(writer.wrong)
                known[writer.name] = [writer.acknowledged] + list(writer.pending or ())
        rounds += 1
    total = sum(max(k for k in known[name] if k is not None) if any(known[name]) else 0 for name in known)
    tally.check("kill -9 at any moment loses no acknowledged write", not wrong and total > 0,
                wrong[0] if wrong else f"{rounds} kills, revisions up to {total}, seed {seed}")


def tombstones(tally, parent):
    """What was deleted is remembered, for the nodes that will have to hear of it."""
    folder = parent / "tombstones"
    def rows():
        with contextlib.closing(sqlite3.connect(folder / "store.db")) as store:
            return store.execute("SELECT key, value, version FROM objects WHERE key LIKE 'deleted:%'").fetchall()
    with keeping(folder) as daemon:
        uid = send(daemon, "POST", BASE, service("gone"))[1]["metadata"]["uid"]
        send(daemon, "DELETE", f"{BASE}/gone")
        daemon.stop(signal.SIGKILL)
    left = rows()
    tally.check("a deleted object leaves a tombstone", len(left) == 1 and left[0][0] == "deleted:serving.kserve.io/inferenceservices/default/gone"
                and json.loads(left[0][1])["uid"] == uid and left[0][2].endswith("-jackdaw"), left)
    with keeping(folder) as daemon:
        tally.check("and is not there after kill -9", names(daemon) == [], names(daemon))
        send(daemon, "POST", BASE, service("gone"))
    tally.check("one that is made again has none", rows() == [], rows())


def serve(*arguments, environment=None, limit=None):
    """(status, output) of a daemon that is not expected to start."""
    done = subprocess.run([BINARY, "serve", "--listen", "127.0.0.1:0", *arguments], capture_output=True, text=True, timeout=20,
                          env={**os.environ, **(environment or {})}, preexec_fn=limit)
    return done.returncode, done.stdout + done.stderr


def one_owner(tally, folder):
    with keeping(folder):
        status, text = serve("--state-dir", str(folder))
        tally.check("a second daemon on the same folder is refused in words", status == 1 and "another process" in text, text[-200:].strip())


def damage(tally, folder):
    broken = folder.parent / "broken"
    shutil.copytree(folder, broken)
    store = broken / "store.db"
    for leftover in broken.glob("store.db-*"):
        leftover.unlink()
    data = bytearray(store.read_bytes())
    for at in range(4096, len(data)):
        data[at] ^= 0x5a
    store.write_bytes(data)
    before = store.read_bytes()
    status, text = serve("--state-dir", str(broken))
    tally.check("a damaged store is refused, says so, and stays as it is", status == 1 and "damaged" in text and store.read_bytes() == before,
                text[-200:].strip())
    text_file = folder.parent / "file"
    text_file.write_text("no folder")
    status, text = serve("--state-dir", str(text_file))
    tally.check("a state folder that is none is refused", status == 1 and str(text_file) in text, text[-200:].strip())


def full_disk(tally, parent):
    """A file that may not grow stands for a full disk: SIGXFSZ is ignored, as SQLite's writes then fail with EFBIG."""
    folder = parent / "full"
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    process = subprocess.Popen([BINARY, "serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--state-dir", folder],
                               stderr=subprocess.PIPE, text=True, preexec_fn=limit)
    try:
        port = next(int(record["url"].rsplit(":", 1)[1]) for record in map(json.loads, process.stderr) if record["msg"] == "listening")
        said = []
        threading.Thread(target=lambda: said.extend(json.loads(line)["msg"] for line in process.stderr), daemon=True).start()
        status, body, made = 201, {}, 0
        while status == 201 and made < 500:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("POST", BASE, json.dumps(service(f"n{made}")), JSON)
            answer = connection.getresponse()
            status, body = answer.status, json.loads(answer.read())
            connection.close()
            made += status == 201
        tally.check("a full disk is a 5xx Status with the reason", status in (500, 503) and "nothing was changed" in body["message"], body.get("message", body))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", BASE)
        there = len(json.loads(connection.getresponse().read())["items"])
        tally.check("what was acknowledged before is there, reads go on", there == made > 0, f"{there} of {made}")
        for n in range(20):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("POST", BASE, json.dumps(service(f"late{n}")), JSON)
            connection.getresponse().read()
            connection.close()
        time.sleep(0.2)
        faults = said.count("a declared object could not be written")
        tally.check("the log says so once a minute, not every time", 1 <= faults <= 3, f"{faults} lines")
    finally:
        process.send_signal(signal.SIGTERM)
        ended = process.wait(40)
    tally.check("it ends cleanly", ended == 0, ended)


def files(tally, parent):
    """The configuration as one manager among others."""
    file = parent / "service.yaml"
    state = parent / "files-state"
    file.write_text(yaml_of("one", "two"))
    with Daemon(config=file, arguments=["--state-dir", str(state)]) as daemon:
        send(daemon, "POST", BASE, service("mine"))
        tally.check("what files declare is there, beside what was created", names(daemon) == ["mine", "one", "two"], names(daemon))
        file.write_text(yaml_of("one", "three"))
        tally.check("a changed file adds and prunes, and prunes nothing of others", until(lambda: names(daemon) == ["mine", "one", "three"]), names(daemon))
        tally.check("the new model answers", until(lambda: daemon.post("/v1/models/three:predict", {"instances": [[6.8, 2.8, 4.8, 1.4]]})[0] == 200))
        tally.check("the pruned one does not", until(lambda: daemon.post("/v1/models/two:predict", {"instances": [[1, 2, 3, 4]]})[0] == 404))
        for broken in (yaml_of("four").replace("storageUri", "storageURI"), yaml_of("one")[:-20], ""):
            file.write_text(broken)
            time.sleep(0.4)
            tally.check("a broken or half-written file changes nothing", names(daemon) == ["mine", "one", "three"], names(daemon))
        log = daemon.log_text()
        tally.check("and is said with its place", "storageURI" in log and "service.yaml:1:" in log)
        tally.check("the metric says so too", b"jackdaw_config_valid 0" in daemon.get("/metrics")[1])
        replacement = parent / "new"
        replacement.write_text(yaml_of("one", "five"))
        os.replace(replacement, file)
        tally.check("the next good one is taken, also when it is moved into place", until(lambda: names(daemon) == ["five", "mine", "one"]), names(daemon))
        tally.check("and the metric is well", until(lambda: b"jackdaw_config_valid 1" in daemon.get("/metrics")[1]))
        daemon.request("PATCH", f"{BASE}/five", json.dumps({"spec": {"predictor": {"model": {"storageUri": "/elsewhere"}}}}),
                       {"content-type": "application/merge-patch+json"})
        daemon.process.send_signal(signal.SIGHUP)
        uri = lambda: send(daemon, "GET", f"{BASE}/five")[1]["spec"]["predictor"]["model"]["storageUri"]  # noqa: E731
        tally.check("SIGHUP puts back what the file says", until(lambda: uri() == str(MODELS / "iris-pipeline")), uri())
        uid = send(daemon, "GET", f"{BASE}/five")[1]["metadata"]["uid"]
        tally.check("the daemon ends cleanly", daemon.stop() == 0)
    with keeping(state) as daemon:
        tally.check("without --config everything that was declared is there", names(daemon) == ["five", "mine", "one"], names(daemon))
        tally.check("as the same objects", send(daemon, "GET", f"{BASE}/five")[1]["metadata"]["uid"] == uid)
    status, text = serve("--config", str(parent / "gone.yaml"), "--state-dir", str(state))
    tally.check("a configuration that is not there is refused", status == 1, text[-200:].strip())


def folder_of_files(tally, parent):
    folder = parent / "conf"
    folder.mkdir()
    (folder / "a.yaml").write_text(yaml_of("a"))
    (folder / "b.yaml").write_text(yaml_of("b"))
    with Daemon(config=folder) as daemon:
        tally.check("a folder is read", names(daemon) == ["a", "b"], names(daemon))
        (folder / "c.yaml").write_text(yaml_of("c"))
        tally.check("a file that is added is noticed", until(lambda: names(daemon) == ["a", "b", "c"]), names(daemon))
        (folder / "a.yaml").unlink()
        tally.check("one that is removed too", until(lambda: names(daemon) == ["b", "c"]), names(daemon))
        status, body = send(daemon, "GET", f"{BASE}/b")
        tally.check("an object says which file declared it", body["metadata"]["annotations"]["jackdaw.dev/config-file"] == str(folder / "b.yaml"))


def state_directory(tally, parent):
    folder = parent / "systemd"
    os.environ["STATE_DIRECTORY"] = f"{folder}:/other"
    try:
        with Daemon(config=None, wait_ready=False) as daemon:
            send(daemon, "POST", BASE, service("iris"))
        tally.check("systemd's $STATE_DIRECTORY is where it keeps its state", (folder / "store.db").exists())
        tally.check("the folder is its owner's alone", folder.stat().st_mode & 0o777 == 0o700 and (folder / "store.db").stat().st_mode & 0o777 == 0o600)
    finally:
        del os.environ["STATE_DIRECTORY"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    arguments = parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        parent = pathlib.Path(name)
        folder = parent / "state"
        tally.run("kills", kills, tally, folder, arguments.seconds, arguments.seed)
        tally.run("one owner", one_owner, tally, folder)
        tally.run("tombstones", tombstones, tally, parent)
        tally.run("damage", damage, tally, folder)
        tally.run("a full disk", full_disk, tally, parent)
        tally.run("files", files, tally, parent)
        tally.run("a folder", folder_of_files, tally, parent)
        tally.run("$STATE_DIRECTORY", state_directory, tally, parent)
    tally.end()


if __name__ == "__main__":
    main()
