#!/usr/bin/env python3
"""Sends the requests of tests/data/oip/requests.json to a running server and compares its answers with a peer's recorded ones.

usage: tests/e2e/replay.py URL --peer kserve|mlserver [--only TEXT] [--all] [--itself]

The server serves tests/data/oip/service-kserve.yaml (or -mlserver.yaml). How strictly each answer is compared stands in
requests.json; see the head of tests/peers/request_table.py. Each difference is printed; the last line is
`N passed, N failed, N skipped`. The exit status is 0 when nothing failed. --all goes on after the server stopped answering.
--itself ignores the deviations: the server is the peer itself, and should agree with what was recorded of it.
"""
import argparse
import base64
import json
import math
import pathlib
import struct
import sys
import urllib.parse

TESTS = pathlib.Path(__file__).resolve().parent.parent
DATA = TESTS / "data" / "oip"
sys.path.insert(0, str(TESTS / "peers"))

import wire  # noqa: E402


def shown(text, limit=600):
    text = str(text)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def body_of(answer):
    return answer.get("body", answer.get("body_base64"))


def same_number(a, b):
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    return a == b or math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-300)


def differences(want, got, place="$"):
    """The places where two JSON values differ. A list of objects with a name is compared by name, in any order."""
    if isinstance(want, (int, float)) and isinstance(got, (int, float)):
        return [] if same_number(want, got) else [f"{place}: expected {want!r}, got {got!r}"]
    if isinstance(want, dict) and isinstance(got, dict):
        out = [f"{place}.{key}: missing" for key in want.keys() - got.keys()]
        out += [f"{place}.{key}: not expected" for key in got.keys() - want.keys()]
        for key in want.keys() & got.keys():
            out += differences(want[key], got[key], f"{place}.{key}")
        return out
    if isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        if place == "$" and all(isinstance(item, dict) and "name" in item for item in want + got):
            want, got = (sorted(items, key=lambda item: item["name"]) for items in (want, got))
        return [line for i, pair in enumerate(zip(want, got)) for line in differences(*pair, f"{place}[{i}]")]
    return [] if want == got and type(want) is type(got) else [f"{place}: expected {shown(want, 200)!r}, got {shown(got, 200)!r}"]


def parsed(answer):
    text = answer.get("body", "")
    return json.loads(text) if text else None


def status_matches(want, got):
    """A peer's 500 is mostly a mistake of the client; the server under test may say so."""
    return want == got or (want == 500 and got in (400, 422))


def compare_headers(want, got):
    expected, actual = dict(want["headers"]), dict(got["headers"])
    for name in ("x-request-id", "traceparent"):  # Passed through by jackdaw, by neither peer.
        actual.pop(name, None)
    if not body_of(want) and not body_of(got):
        expected.pop("content-type", None)
        actual.pop("content-type", None)
    return [f"header {name}: expected {expected.get(name)!r}, got {actual.get(name)!r}"
            for name in sorted(expected.keys() | actual.keys()) if expected.get(name) != actual.get(name)]


def compare_bytes(want, got):
    if body_of(want) == body_of(got):
        return []
    return [f"body: expected {shown(body_of(want))}", f"           got {shown(body_of(got))}"]


def compare_json(want, got):
    try:
        return differences(parsed(want), parsed(got))
    except ValueError:
        return compare_bytes(want, got)


def compare_detail(want, got):
    try:
        kept = [[{key: entry[key] for key in ("loc", "type", "msg")} for entry in parsed(answer)["detail"]]
                for answer in (want, got)]
    except (ValueError, KeyError, TypeError):
        return compare_bytes(want, got)
    return differences(kept[0], kept[1], "$.detail")


def compare_prefix(want, got):
    try:
        texts = [parsed(answer)["error"].split(": ")[0] for answer in (want, got)]
    except (ValueError, KeyError, TypeError, AttributeError):
        return compare_bytes(want, got)
    return [] if texts[0] == texts[1] else [f"error: expected {texts[0]!r}, got {texts[1]!r}"]


def split_doubles(answer):
    """The JSON head and the raw FP64 values behind it."""
    raw = base64.b64decode(answer["body_base64"]) if "body_base64" in answer else answer["body"].encode()
    length = int(answer["headers"]["inference-header-content-length"])
    return raw[:length], struct.unpack(f"<{(len(raw) - length) // 8}d", raw[length:])


def compare_doubles(want, got):
    try:
        heads, values = zip(split_doubles(want), split_doubles(got))
    except (ValueError, KeyError, struct.error):
        return compare_bytes(want, got)
    if heads[0] != heads[1]:
        return [f"head: expected {heads[0]!r}, got {heads[1]!r}"]
    return differences(list(values[0]), list(values[1]), "raw")


BODIES = {"doubles": compare_doubles, "bytes": compare_bytes, "json": compare_json, "detail": compare_detail, "prefix": compare_prefix,
          "status": lambda want, got: []}


def judge(row, peer, want, got, itself=False):
    """The differences between an answer and what it should be; none when it is right."""
    deviation = None if itself else row["deviates"].get(peer)
    if got["status"] == 0:
        return [f"the connection failed: {got['error']}"]
    if deviation:
        out = [] if deviation["want_status"] == got["status"] else [
            f"status: expected {deviation['want_status']} ({deviation['why']}), got {got['status']}: {shown(body_of(got), 200)}"]
        if "want_body" in deviation and got.get("body") != deviation["want_body"]:
            out.append(f"body: expected {deviation['want_body']}, got {shown(body_of(got))}")
        return out
    mode = row["compare"][peer]
    if not status_matches(want["status"], got["status"]):
        return [f"status: expected {want['status']}, got {got['status']}: {shown(body_of(got), 300)}",
                f"        peer's body: {shown(body_of(want), 300)}"]
    headers = [] if mode == "status" or row["method"] == "HEAD" else compare_headers(want, got)
    return headers + BODIES[mode](want, got)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--peer", choices=["kserve", "mlserver"], required=True)
    parser.add_argument("--only", default="", help="only requests whose name contains this text")
    parser.add_argument("--all", action="store_true", help="go on when the server no longer answers")
    parser.add_argument("--itself", action="store_true", help="the server is the peer: ignore the deviations")
    arguments = parser.parse_args()
    url = urllib.parse.urlparse(arguments.url if "//" in arguments.url else "http://" + arguments.url)
    rows = json.loads((DATA / "requests.json").read_text())
    answers = json.loads((DATA / f"{arguments.peer}.json").read_text())["answers"]
    passed = failed = skipped = broken = 0
    for row in rows:
        if row["name"] not in answers or arguments.only not in row["name"]:
            skipped += 1
            continue
        got = wire.exchange(url.hostname, url.port or 80, row)
        lines = judge(row, arguments.peer, answers[row["name"]], got, arguments.itself)
        passed += not lines
        failed += bool(lines)
        broken = broken + 1 if got["status"] == 0 else 0
        if lines:
            print(f"FAIL {row['name']}  {row['method']} {row['path']}  {shown(row.get('body', ''), 160)}")
            print("".join(f"     {line}\n" for line in lines), end="")
        if broken >= 3 and not arguments.all:
            print("the server no longer answers; stopping here")
            break
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
