#!/usr/bin/env python3
"""Runs the examples of docs/openai.md and compares the answers with those it shows.

usage: tests/e2e/openai_manual.py [--write]

A `console` block holds commands, each after a `$`, and what they print; a `python` block is a program, and the `text` block after it
what it prints. All of them go to one server with the aliases that the manual's YAML has, in the manual's order. Ids and times are new
in every answer, and log-probabilities differ a little from processor to processor. --write brings the manual up to what the server
answers; read the difference before you keep it.
"""
import math
import re
import subprocess
import sys

import openai_venv
from daemon import ROOT
from llm_service import MODEL, llm_service
from tally import Tally

MANUAL = ROOT / "docs" / "openai.md"
BLOCK = re.compile(r"```(console|python|text)\n(.*?)```\n", re.S)
FRESH = re.compile(r'"id":"(?:chat)?cmpl-[^"]*"|"created":\d+')
NUMBER = re.compile(r"-?\d+\.\d+")
NEAR = 0.05  # nats


class Example:
    """A command or program: its text, what the manual says it prints, and what it printed."""

    def __init__(self, kind, source, shown=""):
        self.kind, self.source, self.shown, self.printed = kind, source, shown, None

    def run(self, base_url):
        source = self.source.replace("http://127.0.0.1:8080", base_url.removesuffix("/v1"))
        command = ["bash", "-c", source] if self.kind == "console" else [openai_venv.VENV / "bin" / "python", "-c", source]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.printed = done.stdout.rstrip("\n") + "\n" if done.returncode == 0 else f"exit status {done.returncode}: {done.stderr}"

    def block(self):
        """As the manual shows it."""
        if self.kind == "console":
            return f"$ {self.source}\n{self.printed}"
        return f"```python\n{self.source}```\n```text\n{self.printed}```\n"


def commands(block):
    """The examples of a console block. A command goes on over lines while a ' of it is open."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Example("console", line[2:]))
        elif found[-1].source.count("'") % 2:
            found[-1].source += "\n" + line
        else:
            found[-1].shown += line + "\n"
    return found


def examples(text):
    """[(start, end, [example, ...])] of the manual's blocks; a program and its text are one."""
    found = []
    for match in BLOCK.finditer(text):
        kind, block = match.groups()
        if kind == "console":
            found.append((match.start(), match.end(), commands(block)))
        elif kind == "python":
            found.append((match.start(), match.end(), [Example(kind, block)]))
        else:
            start, _, (program,) = found.pop()
            program.shown = block
            found.append((start, match.end(), [program]))
    return found


def without_pieces(text):
    """A stream as its other events and one text: how many tokens come in one event is a matter of time."""
    pieces = re.findall(r'"delta":{"content":"([^"]+)"}', text)
    return "\n".join([line for line in text.splitlines() if line and '"delta":{"content":"' not in line] + ["".join(pieces)])


def same(want, got):
    want, got = (FRESH.sub("", without_pieces(text)) for text in (want, got))
    if NUMBER.sub("0.0", want) != NUMBER.sub("0.0", got):
        return False
    return all(math.isclose(float(a), float(b), abs_tol=NEAR) for a, b in zip(NUMBER.findall(want), NUMBER.findall(got)))


def rewritten(text, blocks):
    out, at = "", 0
    for start, end, found in blocks:
        shown = "".join(example.block() for example in found)
        out += text[at:start] + (shown if found[0].kind == "python" else f"```console\n{shown}```\n")
        at = end
    return out + text[at:]


def main():
    tally = Tally()
    if not MODEL.exists():
        tally.skip("the manual's examples", f"{MODEL} is not there (scripts/fetch-smollm2)")
        return tally.end()
    why = openai_venv.install()
    text = MANUAL.read_text()
    blocks = examples(text)
    with llm_service(["smollm2", "gpt-4o-mini"]) as base_url:
        for example in (example for _, _, found in blocks for example in found):
            shortened = re.sub(r" -H '[^']*'|http://127.0.0.1:8080", "", example.source)
            name = "the manual: " + (shortened.splitlines()[0][:120] if example.kind == "console" else "a program for openai-python")
            if example.kind == "python" and why is not None:
                tally.skip(name, why)
                continue
            tally.run(name, example.run, base_url)
            if "--write" not in sys.argv[1:]:
                tally.check(name, same(example.shown, example.printed or ""),
                            "" if same(example.shown, example.printed or "") else f"\nshown  {example.shown}\nis     {example.printed}")
    if "--write" in sys.argv[1:]:
        MANUAL.write_text(rewritten(text, blocks))
        return None
    tally.check("the manual has examples of both kinds", {e.kind for _, _, found in blocks for e in found} == {"console", "python"})
    return tally.end()


if __name__ == "__main__":
    main()
