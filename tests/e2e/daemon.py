"""Daemon: one jackdaw process for the length of a test, on a port of its own choice."""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time

from predictive_part import predictive_part

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# The quickstart's predictive models: what most tests need.
QUICKSTART = ROOT / "build" / "quickstart-predictive.yaml"
RELEASE = ROOT / "build" / "release" / "jackdaw"


def write_quickstart():
    QUICKSTART.parent.mkdir(exist_ok=True)
    QUICKSTART.write_text(predictive_part(ROOT / "examples" / "quickstart" / "service.yaml"))


write_quickstart()


class Daemon:
    """with Daemon() as daemon: daemon.port, daemon.get(...), daemon.post(...). config=None: what --state-dir holds."""

    def __init__(self, config=QUICKSTART, binary=RELEASE, port=0, arguments=(), wait_ready=True, ready_s=30):
        self.binary = pathlib.Path(os.environ.get("JACKDAW_BINARY", binary))
        self.log = tempfile.NamedTemporaryFile(prefix="jackdaw-e2e-", suffix=".log")
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [self.binary, "serve", *(["--config", config] if config else []), "--listen", f"127.0.0.1:{port}", "--log-format", "json", *arguments],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.ready_s = ready_s
        self.port = port or self._listening_port()
        if wait_ready:
            self.wait_ready()

    def _listening_port(self):
        """Port 0 lets the kernel choose; the daemon's first log lines say which one it was."""
        while time.monotonic() < self.started + self.ready_s:
            for line in self.log_text().splitlines():
                with contextlib.suppress(ValueError, KeyError):
                    record = json.loads(line)
                    if record["msg"] == "listening":
                        return int(record["url"].rsplit(":", 1)[1])
            if self.process.poll() is not None:
                raise RuntimeError(f"jackdaw ended with {self.process.returncode}:\n{self.log_text()}")
            time.sleep(0.001)
        raise RuntimeError(f"jackdaw does not listen:\n{self.log_text()}")

    def wait_ready(self):
        while time.monotonic() < self.started + self.ready_s:
            with contextlib.suppress(OSError):
                if self.get("/v2/health/ready")[0] == 200:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.005)
        raise RuntimeError(f"jackdaw is not ready:\n{self.log_text()}")

    def log_text(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def request(self, method, path, body=None, headers=None, timeout=20):
        """(status, body) over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, value, headers=None):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        return self.request("POST", path, body, {"content-type": "application/json", **(headers or {})})

    def status_kb(self, key):
        """A line of /proc/PID/status, such as VmRSS or VmHWM, in KiB."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1])
        raise KeyError(key)

    def resident_mb(self, key="VmRSS"):
        return self.status_kb(key) / 1024

    def stop(self, sign=signal.SIGTERM, wait_s=40):
        """The exit status; kills it when it does not go."""
        if self.process.poll() is None:
            self.process.send_signal(sign)
        try:
            return self.process.wait(wait_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        status = self.stop()
        if kind is not None:
            print(f"jackdaw's log (exit status {status}):\n{self.log_text()[-4000:]}", flush=True)
        self.log.close()
