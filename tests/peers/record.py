"""Records what a peer answers to every request of the table, into tests/data/oip/{kserve,mlserver}.json.

usage: python3 tests/peers/record.py --peer kserve|mlserver [--keep PORT]

It starts the peer from the environment that tests/peers/install made, on the models of served.py. --keep starts the peer on that
port and leaves it running in the foreground instead, to try things by hand.
"""
import argparse
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

import mlserver_dir
import request_table
import wire

HERE = pathlib.Path(__file__).resolve().parent
DATA = HERE.parent / "data" / "oip"
CACHE = pathlib.Path(os.environ.get("JACKDAW_CACHE", pathlib.Path.home() / ".cache" / "jackdaw"))


def free_port():
    """A port with two free ones after it."""
    while True:
        with contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                for more in (1, 2):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port + more))
            except OSError:
                continue
            return port


def command(peer, port, folder):
    python = CACHE / f"venv-{peer}" / "bin" / "python"
    if not python.exists():
        sys.exit(f"record: {python} is missing; run tests/peers/install {peer} first.")
    if peer == "kserve":
        return [str(python), str(HERE / "kserve_server.py"), "--http_port", str(port), "--enable_grpc", "false"]
    mlserver_dir.write(folder, port, mlserver_dir.served_models())
    return [str(python.with_name("mlserver")), "start", str(folder)]


def environment():
    """Only what a server needs, so that no proxy, credential or python setting of this shell changes its answers."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def wait_until_ready(process, port, deadline):
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit("record: the peer ended before it was ready; its last words are above.")
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/v2/health/ready")
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    sys.exit("record: the peer did not become ready in time.")


@contextlib.contextmanager
def started(peer, port):
    """Runs the peer; yields when it is ready; stops it at the end. Its log goes to a file that is shown if it fails."""
    with tempfile.TemporaryDirectory() as folder:
        log = open(pathlib.Path(folder) / "log", "w+")
        models = pathlib.Path(folder) / "models"
        process = subprocess.Popen(command(peer, port, models), cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=environment())
        try:
            wait_until_ready(process, port, time.monotonic() + 120)
            yield process
        except SystemExit:
            log.seek(0)
            sys.stderr.write(log.read()[-3000:])
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def versions(peer):
    python = CACHE / f"venv-{peer}" / "bin" / "python"
    names = [peer, "fastapi", "pydantic", "orjson", "uvicorn", "numpy", "pandas", "scikit-learn", "xgboost", "lightgbm"]
    code = "import importlib.metadata as m, json, sys; print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    return json.loads(subprocess.check_output([str(python), "-c", code, *names]))


def tidy(answer):
    """Cuts what differs from machine to machine: stack traces of native libraries, and metrics."""
    body = answer.get("body", "")
    body = re.sub(r'\\nStack trace:.*"', '\\\\nStack trace: (cut)"', body, flags=re.DOTALL)
    body = re.sub(r"\[\d\d:\d\d:\d\d\]", "[00:00:00]", body)
    if body.startswith("# HELP"):
        body = body[:200] + "(cut)"
    return {**answer, "body": body} if "body" in answer else answer


def fill_compare(answers, peer):
    """Writes the table with each row's `compare` filled in, for the other peer too from what was recorded of it."""
    for other in {"kserve", "mlserver"} - {peer}:
        file = DATA / f"{other}.json"
        if not file.exists():
            continue
        for name, answer in json.loads(file.read_text())["answers"].items():
            for row in request_table.TABLE:
                if row["name"] == name and other in row["peers"]:
                    row["compare"].setdefault(other, request_table.default_compare(other, answer))
    request_table.write()


def record(peer):
    port = free_port()
    answers = {}
    with started(peer, port):
        for row in request_table.TABLE:
            if peer in row["peers"]:
                answer = tidy(wire.exchange("127.0.0.1", port, row))
                answers[row["name"]] = answer
                row["compare"].setdefault(peer, request_table.default_compare(peer, answer))
    fill_compare(answers, peer)
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items())
    text = '{"peer": %s,\n"answers": {\n%s\n}}\n' % (json.dumps(versions(peer)), lines)
    (DATA / f"{peer}.json").write_text(text)
    print(f"{len(answers)} answers of {peer} recorded")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", choices=["kserve", "mlserver"], required=True)
    parser.add_argument("--keep", type=int, metavar="PORT")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # So that the peer is stopped too.
    if arguments.keep:
        with started(arguments.peer, arguments.keep) as process:
            print(f"{arguments.peer} answers on 127.0.0.1:{arguments.keep}")
            process.wait()
    else:
        record(arguments.peer)


if __name__ == "__main__":
    main()
