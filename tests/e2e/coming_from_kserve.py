#!/usr/bin/env python3
"""Runs README's section "Coming from KServe", command after command, with the real kubectl and the KServe SDK, and compares what they
print with what README shows.

usage: tests/e2e/coming_from_kserve.py [--write]

A `console` block between the marks holds commands, each after a `$`, and what they print; a `python` block is a program for the SDK, and
the `text` block after it what it prints. Ages and times are new every time. --write brings README up to what was printed; read the
difference before you keep it. Without PyPI, kubectl or the SDK are out of reach and the section is skipped.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import clients
import kubectl
from cli_manual import comparable
from daemon import RELEASE, ROOT, Daemon
from tally import Tally

README = ROOT / "README.md"
MARKS = ("<!-- kserve -->", "<!-- /kserve -->")
EXAMPLES = ROOT / "examples" / "kserve"
BLOCK = re.compile(r"```(console|python|text)\n(.*?)```\n", re.S)


class Step:
    """A command or program, what README says it prints, and what it printed."""

    def __init__(self, kind, source, shown=""):
        self.kind, self.source, self.shown, self.printed = kind, source, shown, ""


def steps(part):
    """[(start, end, [step, ...])] of the section's blocks; a program and its text are one."""
    found = []
    for match in BLOCK.finditer(part):
        kind, block = match.groups()
        if kind == "text":
            start, _, (program,) = found.pop()
            program.shown = block
            found.append((start, match.end(), [program]))
            continue
        made = [Step("python", block)] if kind == "python" else []
        for line in block.splitlines() if kind == "console" else []:
            if line.startswith("$ "):
                made.append(Step("console", line[2:]))
            elif made[-1].source.endswith("\\"):
                made[-1].source += "\n" + line
            else:
                made[-1].shown += line + "\n"
        found.append((match.start(), match.end(), made))
    return found


class Shell:
    """The checkout, with jackdaw and kubectl on the path and the sample's kubeconfig pointed at the daemon."""

    def __init__(self, folder, daemon):
        self.folder, self.server = pathlib.Path(folder), f"http://127.0.0.1:{daemon.port}"
        programs = self.folder / "bin"
        programs.mkdir()
        (programs / "jackdaw").symlink_to(pathlib.Path(os.environ.get("JACKDAW_BINARY", RELEASE)))
        (programs / "kubectl").symlink_to(kubectl.VENV / "bin" / "kubectl")
        self.config = self.folder / "kubeconfig"
        self.config.write_text((EXAMPLES / "kubeconfig").read_text().replace("http://127.0.0.1:8080", self.server))
        self.environment = {**os.environ, "HOME": folder, "PATH": f"{programs}:{os.environ['PATH']}", "KUBECONFIG": str(self.config),
                            "JACKDAW_SERVER": self.server}

    def run(self, step):
        source = step.source.replace("http://127.0.0.1:8080", self.server).replace("examples/kserve/kubeconfig", str(self.config))
        command = ["bash", "-c", source] if step.kind == "console" else [clients.VENV / "bin" / "python", "-c", source]
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT if step.kind == "console" else subprocess.PIPE, text=True, timeout=120, env=self.environment)
        step.printed = done.stdout.replace(self.server, "http://127.0.0.1:8080")
        if step.printed and not step.printed.endswith("\n"):
            step.printed += "\n"
        if done.returncode != 0:
            step.printed += f"exit status {done.returncode} {done.stderr or ''}\n"


def as_shown(kind_steps):
    """The block as README is to show it."""
    if kind_steps[0].kind == "python":
        (program,) = kind_steps
        return f"```python\n{program.source}```\n```text\n{program.printed}```\n"
    return "```console\n" + "".join(f"$ {step.source}\n{step.printed}" for step in kind_steps) + "```\n"


def main():
    tally = Tally()
    for name, install in (("kubectl", kubectl.install), ("the KServe SDK", clients.install)):
        if why := install():
            tally.skip(f"README's section 'Coming from KServe' with {name}", why)
            tally.end()
    text = README.read_text()
    before, rest = text.split(MARKS[0], 1)
    part, after = rest.split(MARKS[1], 1)
    write = "--write" in sys.argv[1:]
    out, at, count = "", 0, 0
    with tempfile.TemporaryDirectory() as folder:
        with Daemon(config=EXAMPLES / "daemon.yaml", arguments=["--state-dir", folder + "/state"]) as daemon:
            shell = Shell(folder, daemon)
            for start, end, found in steps(part):
                for step in found:
                    tally.run(step.source.split("\n")[0], shell.run, step)
                    same = comparable(step.shown) == comparable(step.printed)
                    count += 1
                    if not write:
                        title = step.source.split("\n")[0] if step.kind == "console" else "the SDK's program"
                        tally.check(f"README: {title}", same, "" if same else f"\nshown\n{step.shown}\nprinted\n{step.printed}")
                out += part[at:start] + as_shown(found)
                at = end
    if write:
        README.write_text(before + MARKS[0] + out + part[at:] + MARKS[1] + after)
        return
    tally.check("the section has its commands", count >= 12, f"{count}")
    tally.end()


if __name__ == "__main__":
    main()
