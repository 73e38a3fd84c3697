#!/usr/bin/env python3
"""Runs the examples of docs/cli.md against a daemon, compares what they print with what it shows, and holds the flags that it lists
against those that the commands have.

usage: tests/e2e/cli_manual.py [--write]

A `console` block holds commands, each after a `$`, and what they print, errors too; a `yaml FILE` block is a file of theirs. Times,
ages and durations are new every time. --write brings the manual up to what the commands print; read the difference before you keep it.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from daemon import RELEASE, ROOT, Daemon
from tally import Tally

MANUAL = ROOT / "docs" / "cli.md"
JACKDAW = pathlib.Path(os.environ.get("JACKDAW_BINARY", RELEASE))
MODELS = ROOT / "examples" / "quickstart" / "models"
COMMANDS = ["serve", "validate", "inspect", "plan", "run", "bench llm", "apply", "get", "describe", "delete", "logs",
            "rollout status", "rollout canary", "top"]
FRESH = [(re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
         (re.compile(r"\b(\d+d)?(\d+h)?(\d+m)?\d+s\b"), "AGE"),
         (re.compile(r"load_ms=[\d.]+"), "load_ms=N"),
         (re.compile(r" +"), " ")]  # columns are as wide as the ages in them


def blocks(text):
    return list(re.finditer(r"```console\n(.*?)```\n", text, re.S))


def examples(block):
    """[(command, what the manual shows)]"""
    found = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append([line[2:], ""])
        else:
            found[-1][1] += line + "\n"
    return found


def comparable(text):
    for pattern, word in FRESH:
        text = pattern.sub(word, text)
    return text.strip()


class Shell:
    """A folder with the manual's files, where jackdaw is on the path and knows its daemon."""

    def __init__(self, folder, daemon, text):
        self.folder = folder
        self.server = f"http://127.0.0.1:{daemon.port}"
        bin_folder = pathlib.Path(folder, "bin")
        bin_folder.mkdir()
        (bin_folder / "jackdaw").symlink_to(JACKDAW)
        self.environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "JACKDAW_SERVER": self.server}
        for name, content in re.findall(r"```yaml (\S+)\n(.*?)```\n", text, re.S):
            pathlib.Path(folder, name).write_text(self.real(content))

    def real(self, text):
        return text.replace("/srv/models", str(MODELS))

    def run(self, command):
        done = subprocess.run(["bash", "-c", self.real(command)], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, env=self.environment)
        return done.stdout.replace(str(MODELS), "/srv/models").replace(self.server, "http://127.0.0.1:8080")


def check_flags(tally, text):
    """Every flag that a command has stands in the manual."""
    for command in COMMANDS:
        shown = subprocess.run([JACKDAW, *command.split(), "--help"], capture_output=True, text=True).stdout
        flags = set(re.findall(r"--[a-z][a-z-]+", shown.split("Examples:")[0])) - {"--help"}
        missing = sorted(flag for flag in flags if f"`{flag}" not in text and f" {flag}" not in text)
        tally.check(f"the manual has every flag of {command}", flags and not missing, ", ".join(missing))


def main():
    tally = Tally()
    text = MANUAL.read_text()
    write = "--write" in sys.argv[1:]
    out, at = "", 0
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder, "daemon.yaml")
        config.write_text("apiVersion: jackdaw.dev/v1alpha1\nkind: Daemon\n")
        with Daemon(config=config, arguments=["--state-dir", folder + "/state"]) as daemon:
            shell = Shell(folder, daemon, text)
            for match in blocks(text):
                out += text[at:match.start()] + "```console\n"
                at = match.end()
                for command, shown in examples(match.group(1)):
                    printed = tally.run(command, shell.run, command) or ""
                    out += f"$ {command}\n{printed}"
                    same = comparable(shown) == comparable(printed)
                    if not write:
                        tally.check(f"the manual: {command}", same, "" if same else f"\nshown  {shown}\nis     {printed}")
                out += "```\n"
    if write:
        MANUAL.write_text(out + text[at:])
        return
    check_flags(tally, text)
    tally.end()


if __name__ == "__main__":
    main()
