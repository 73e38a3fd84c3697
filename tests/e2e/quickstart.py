#!/usr/bin/env python3
"""Sends the requests of examples/quickstart/requests and compares the answers with those README.md shows.

usage: tests/e2e/quickstart.py [--write]

README.md shows each command after a `$` between the marks `tour` and `/tour`, and its answer below it. Everything is
compared as bytes, but numbers may differ by 1e-6 of themselves (exp() is the C library's), and ids and times are new in every
answer. Requests to the language model are skipped where scripts/fetch-smollm2 has not brought it. --write brings README up to
what the server answers; read the difference before you keep it.
"""
import json
import math
import os
import re
import subprocess
import sys

from daemon import QUICKSTART, ROOT, Daemon
from tally import Tally

README = ROOT / "README.md"
REQUESTS = ROOT / "examples" / "quickstart" / "requests"
SERVICE = ROOT / "examples" / "quickstart" / "service.yaml"
LANGUAGE_MODEL = ROOT / "examples" / "quickstart" / "models" / "smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"
MARKS = ("<!-- tour -->", "<!-- /tour -->")


def requests():
    """(title, command) of every request."""
    out, title = [], ""
    for line in REQUESTS.read_text().splitlines():
        if line.startswith("# "):
            title = line[2:]
        elif line.startswith("curl "):
            out.append((title, line))
    return out


def shown(text):
    """command -> answer, of the part of README between the marks. A command may go on after a backslash."""
    part = text.split(MARKS[0], 1)[1].split(MARKS[1], 1)[0].replace("\\\n", "")
    out, command = {}, None
    for line in part.splitlines():
        if line.startswith("$ "):
            command = " ".join(line[2:].split())
            out[command] = []
        elif line.startswith("```"):
            command = None
        elif command is not None and line:
            out[command].append(line)
    return {command: "\n".join(lines) for command, lines in out.items()}


def answer_of(command, port):
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command.replace("127.0.0.1:8080", f"127.0.0.1:{port}")],
                          capture_output=True, text=True, timeout=30)
    return done.stdout.strip() if done.returncode == 0 else f"exit status {done.returncode}: {done.stderr}"


# What no two answers share.
FRESH = re.compile(r'"id":"chatcmpl-[^"]*"|"created":\d+')
NUMBER = re.compile(r"-?\d+\.\d+(?:[eE][-+]?\d+)?")


# An event of a streamed chat answer that adds text and nothing else. Tokens that come while the connection is busy share one.
CONTENT = re.compile(r'(data: \{.*"delta":\{"content":")(.+)("\},"logprobs":null,"finish_reason":null\}\]\}\n)')


def joined(text):
    """A streamed answer as if all of its text had come in one event; anything else as it is."""
    pieces, out = [], []
    for line in text.splitlines(keepends=True):
        found = CONTENT.fullmatch(line)
        if found:
            pieces.append(found)
            continue
        if pieces:
            out.append(pieces[0][1] + "".join(piece[2] for piece in pieces) + pieces[0][3])
            pieces = []
        out.append(line)
    return "".join(out)


def same(want, got):
    """Equal as text once blank lines, borders between tokens and fractional numbers that are nearly the same are taken out."""
    want, got = (joined(FRESH.sub("", re.sub(r"\n+", "\n", text))) for text in (want, got))
    if NUMBER.sub("0.0", want) != NUMBER.sub("0.0", got):
        return False
    pairs = zip(NUMBER.findall(want), NUMBER.findall(got))
    return all(math.isclose(float(a), float(b), rel_tol=1e-6) for a, b in pairs)


def fetch_language_model():
    """Puts it where service.yaml looks for it; False when it is out of reach."""
    done = subprocess.run([ROOT / "scripts" / "fetch-smollm2"], capture_output=True, text=True)
    if done.returncode != 0:
        return False
    LANGUAGE_MODEL.parent.mkdir(parents=True, exist_ok=True)
    if not LANGUAGE_MODEL.exists():
        LANGUAGE_MODEL.unlink(missing_ok=True)
        LANGUAGE_MODEL.symlink_to(done.stdout.strip())
    return True


def write(answers):
    text = README.read_text()
    before, rest = text.split(MARKS[0], 1)
    after = rest.split(MARKS[1], 1)[1]
    blocks = "".join(f"{title}:\n```console\n$ {command}\n{answer}\n```\n" for title, command, answer in answers)
    README.write_text(f"{before}{MARKS[0]}\n{blocks}{MARKS[1]}{after}")


def main():
    tally = Tally()
    have_model = fetch_language_model()
    with Daemon(config=SERVICE if have_model else QUICKSTART) as daemon:
        answers = [(title, command, answer_of(command, daemon.port)) for title, command in requests()
                   if have_model or "smollm2" not in command]
    if "--write" in sys.argv[1:]:
        write(answers)
    readme = shown(README.read_text())
    if not have_model:
        tally.skip("the language model's answer", "scripts/fetch-smollm2 could not bring it")
        readme = {command: answer for command, answer in readme.items() if "smollm2" not in command}
    tally.check("README shows every request of the quickstart and no other",
                [" ".join(command.split()) for _, command, _ in answers] == list(readme), json.dumps(list(readme))
                if len(readme) != len(answers) else "")
    for title, command, got in answers:
        want = readme.get(" ".join(command.split()), "(not in README)")
        tally.check(title, same(want, got), "" if same(want, got) else f"\n  README: {want}\n  server: {got}")
    tally.end()


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
