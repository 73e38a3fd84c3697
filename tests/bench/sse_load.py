"""A load of chat streams over raw sockets: N clients in a closed loop, one connection a request, as light as Python allows."""
import json
import selectors
import socket
import time

WORDS = ("river stone lantern market winter garden copper window letter engine harbour silver music paper bridge forest candle "
         "mountain table signal").split()


def message(number):
    """Some 20 words, different for every request, so that no server profits from its cache beyond the template."""
    return f"Story {number}: " + " ".join(WORDS[(number * 7 + 3 * i) % len(WORDS)] for i in range(18)) + "."


def request_bytes(port, model, content, tokens, path="/v1/chat/completions"):
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": tokens, "temperature": 0,
                       "ignore_eos": True, "stream": True, "stream_options": {"include_usage": True}}).encode()
    return (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n").encode() + body


class Stream:
    """One request: when it was sent, when each piece of text came, how many tokens there were."""

    def __init__(self, port, data):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=600)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.begin = time.monotonic()
        self.socket.sendall(data)
        self.socket.setblocking(False)
        self.buffer = b""
        self.text_times = []
        self.head = b""
        self.tokens = 0
        self.prompt_tokens = 0
        self.text = []

    def read(self):
        """False once the answer has ended."""
        try:
            data = self.socket.recv(1 << 16)
        except BlockingIOError:
            return True
        now = time.monotonic()
        if not data:
            return False
        self.head = self.head or data[:200]
        self.buffer += data
        lines = self.buffer.split(b"\n")
        self.buffer = lines.pop()
        for line in lines:
            line = line.strip()
            if line.startswith(b"data: {"):
                self.event(json.loads(line[6:]), now)
        return True

    def event(self, event, now):
        if event.get("error"):
            raise RuntimeError(f"the server sent an error: {event}")
        if event.get("usage"):
            self.tokens = event["usage"]["completion_tokens"]
            self.prompt_tokens = event["usage"]["prompt_tokens"]
        for choice in event.get("choices", ()):
            if choice["delta"].get("content"):
                self.text_times.append(now)
                self.text.append(choice["delta"]["content"])


def run(port, model, clients, requests, tokens, first=0, content=message):
    """Sends `requests` requests from `clients` clients; gives tokens/s and the times of each request in seconds."""
    selector = selectors.DefaultSelector()
    todo = iter(range(first, first + requests))
    streams, active = [], 0

    def start():
        number = next(todo, None)
        if number is None:
            return 0
        stream = Stream(port, request_bytes(port, model, content(number), tokens))
        selector.register(stream.socket, selectors.EVENT_READ, stream)
        streams.append(stream)
        return 1

    begin = time.monotonic()
    for _ in range(clients):
        active += start()
    while active:
        for key, _ in selector.select():
            if not key.data.read():
                selector.unregister(key.data.socket)
                key.data.socket.close()
                active += start() - 1
    seconds = time.monotonic() - begin
    for stream in streams:
        if stream.tokens != tokens or not stream.text_times:
            raise RuntimeError(f"wanted {tokens} tokens, got {stream.tokens}; the answer begins {stream.head!r}")
    return {"tokens_per_second": sum(stream.tokens for stream in streams) / seconds,
            "ttft": [stream.text_times[0] - stream.begin for stream in streams],
            "itl": [(stream.text_times[-1] - stream.text_times[0]) / max(1, tokens - 1) for stream in streams],
            "texts": ["".join(stream.text) for stream in streams]}
