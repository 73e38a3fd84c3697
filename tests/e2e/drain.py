#!/usr/bin/env python3
"""Sends SIGTERM to a server under load and counts what busy keep-alive clients lose: nothing, whatever they ask when.

usage: tests/e2e/drain.py [--rounds N]
"""
import argparse
import http.client
import json
import socket
import threading
import time

from daemon import Daemon
from tally import Tally

BODY = json.dumps({"instances": [[6.8, 2.8, 4.8, 1.4]]}).encode()
PATH = "/v1/models/iris-pipeline:predict"
HEAD = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(BODY)}\r\n\r\n".encode()


class Load(threading.Thread):
    """One keep-alive client that asks again and again until the server has gone."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port = port
        self.answered = 0
        self.lost = []
        self.partial = []

    def run(self):
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                connection.connect()
            except OSError:
                return  # Nobody listens any more: the client would go to another server.
            self.ask_until_closed(connection)

    def ask_until_closed(self, connection):
        while connection.sock is not None:
            try:
                connection.request("POST", PATH, BODY)
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                return connection.close()
            try:
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.partial.append(repr(error))
                return connection.close()
            if answer.status != 200 or body != b'{"predictions":[1]}':
                self.partial.append(f"{answer.status} {body!r}")
            self.answered += 1
        return None


def read_answer(connection):
    out = b""
    while chunk := connection.recv(65536):
        out += chunk
    return out


def round_of_load(tally):
    with Daemon() as daemon:
        clients = [Load(daemon.port) for _ in range(8)]
        for client in clients:
            client.start()
        with socket.create_connection(("127.0.0.1", daemon.port), timeout=20) as halfway:
            halfway.sendall(HEAD + BODY[:10])
            time.sleep(0.5)
            signalled = time.monotonic()
            daemon.process.terminate()
            time.sleep(0.3)
            halfway.sendall(BODY[10:])
            answer = read_answer(halfway)
        status = daemon.process.wait(40)  # A second signal would end it at once.
        took = time.monotonic() - signalled
        for client in clients:
            client.join(20)
        answered = sum(client.answered for client in clients)
        lost = [what for client in clients for what in client.lost]
        partial = [what for client in clients for what in client.partial]
        tally.check("no request is lost", answered > 0 and not lost, f"{answered} answered, {len(lost)} lost {lost[:3]}")
        tally.check("no answer is cut off", not partial, "; ".join(partial[:3]))
        tally.check("a request that is half here at SIGTERM is answered when the rest comes",
                    answer.startswith(b"HTTP/1.1 200") and answer.endswith(b'{"predictions":[1]}'),
                    "" if answer.startswith(b"HTTP/1.1 200") else repr(answer[:200]))
        tally.check("the process ends by itself, with status 0, well within the drain timeout",
                    status == 0 and took < 15, f"status {status} after {took:.2f} s")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    tally = Tally()
    for _ in range(arguments.rounds):
        tally.run("a round of load", round_of_load, tally)
    tally.end()


if __name__ == "__main__":
    main()
