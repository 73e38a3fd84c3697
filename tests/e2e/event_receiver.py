"""EventReceiver: an HTTP server that keeps the CloudEvents it is sent, and can be slow, refuse or fail on demand."""
import http.server
import threading
import time


class EventReceiver:
    """with EventReceiver() as receiver: receiver.url, receiver.events (headers in lower case, body), receiver.wait(n)."""

    def __init__(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802  The base class wants this name.
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                if receiver.delay_s:
                    time.sleep(receiver.delay_s)
                with receiver.changed:
                    status = receiver.status
                    if status < 300:
                        receiver.events.append(({name.lower(): value for name, value in self.headers.items()}, body))
                    receiver.asked += 1
                    receiver.changed.notify_all()
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass  # A sender whose patience has ended closes its connection.

        self.changed = threading.Condition()
        self.events = []
        self.asked = 0
        self.status = 200
        self.delay_s = 0.0
        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def wait(self, count, timeout_s=10):
        """True when that many events have come in time."""
        with self.changed:
            return self.changed.wait_for(lambda: len(self.events) >= count, timeout_s)

    def clear(self):
        with self.changed:
            self.events.clear()
            self.asked = 0

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, error, trace):
        self.server.shutdown()
        self.server.server_close()
