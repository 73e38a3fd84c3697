"""Sends one request of requests.json and reads the answer in the form in which answers are recorded and compared."""
import base64
import http.client
import re

UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:\+00:00|Z)")
NO_UUID = b"00000000-0000-0000-0000-000000000000"
NO_TIME = b"2000-01-01T00:00:00.000000+00:00"
KEPT_HEADERS = ("content-type", "inference-header-content-length", "allow", "x-request-id", "traceparent")


def request_body(row):
    if "body_base64" in row:
        return base64.b64decode(row["body_base64"])
    return row["body"].encode() if "body" in row else None


def normalise(data, sent):
    """Random ids and times become fixed ones of the same length, except those that the request itself had."""
    found = set(UUID.findall(data)) - set(UUID.findall(sent))
    for uuid in found:
        data = data.replace(uuid, NO_UUID)
    for time in set(TIME.findall(data)) - set(TIME.findall(sent)):
        data = data.replace(time, NO_TIME)
    return data


def exchange(host, port, row, timeout=30):
    """Returns {"status", "headers", "body" or "body_base64"}; a connection that breaks is {"status": 0, "error": why}."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        body = request_body(row)
        connection.putrequest(row["method"], row["path"], skip_accept_encoding=True)
        for name, value in row["headers"].items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        elif row["method"] in ("POST", "PUT"):
            connection.putheader("Content-Length", "0")
        connection.endheaders(body)
        response = connection.getresponse()
        data = response.read()
    except (OSError, http.client.HTTPException) as error:
        return {"status": 0, "error": type(error).__name__}
    finally:
        connection.close()
    sent = (body or b"") + repr(row["headers"]).encode()
    headers = {}
    for name, value in response.getheaders():
        name = name.lower()
        if name in KEPT_HEADERS or name.startswith("ce-"):
            headers[name] = normalise(value.encode("latin-1"), sent).decode("latin-1")
    answer = {"status": response.status, "headers": dict(sorted(headers.items()))}
    data = normalise(data, sent)
    try:
        answer["body"] = data.decode("utf-8")
    except UnicodeDecodeError:
        answer["body_base64"] = base64.b64encode(data).decode()
    return answer
