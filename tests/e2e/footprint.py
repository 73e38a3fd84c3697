#!/usr/bin/env python3
"""Measures how soon and how small: exec to the first right prediction, and resident memory after a thousand of them.

usage: tests/e2e/footprint.py [--runs N]

The aims are 50 ms and 30 MB on an idle machine. Test machines are busy and small, so the time only fails above 250 ms; the
measured figures are printed.
"""
import argparse
import json
import socket
import statistics
import time

from daemon import Daemon
from tally import Tally

START_MS_MAX = 250
RESIDENT_MB_MAX = 30
BODY = json.dumps({"instances": [[6.8, 2.8, 4.8, 1.4]]}).encode()
REQUEST = (b"POST /v1/models/iris-pipeline:predict HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
           b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY))


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def answer(port):
    """The whole answer, or b"" while nobody listens."""
    out = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(REQUEST)
            while chunk := connection.recv(65536):
                out += chunk
    except OSError:
        return b""
    return out


def first_answer_ms():
    port = free_port()
    with Daemon(port=port, wait_ready=False) as daemon:
        while time.monotonic() < daemon.started + 10:
            if answer(port).startswith(b"HTTP/1.1 200"):
                return (time.monotonic() - daemon.started) * 1e3
            time.sleep(0.0005)
    raise RuntimeError(f"no answer within 10 s:\n{daemon.log_text()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    tally = Tally()
    times = [first_answer_ms() for _ in range(runs)]
    tally.check(f"start to first prediction within {START_MS_MAX} ms", statistics.median(times) <= START_MS_MAX,
                f"median {statistics.median(times):.1f} ms, best {min(times):.1f} ms of {runs} runs")
    with Daemon() as daemon:
        idle = daemon.resident_mb()
        for _ in range(1000):
            answer(daemon.port)
        used = daemon.resident_mb()
        tally.check(f"at most {RESIDENT_MB_MAX} MB resident", used <= RESIDENT_MB_MAX,
                    f"{idle:.1f} MB when ready, {used:.1f} MB after 1000 predictions")
    tally.end()


if __name__ == "__main__":
    main()
