#!/usr/bin/env python3
"""The commands that manage a daemon without kubectl (apply, get, describe, delete, logs, rollout, top) against a real one: through
pipes, as scripts use them, and at a pseudo-terminal, as people do.

usage: tests/e2e/client_commands.py
"""
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time

from daemon import ROOT, Daemon
from tally import Tally
from terminal import JACKDAW, Terminal

MODELS = ROOT / "examples" / "quickstart" / "models"
EMPTY = "apiVersion: jackdaw.dev/v1alpha1\nkind: Daemon\n"
IRIS = "inferenceservice.serving.kserve.io/iris"
COLUMNS = ["NAME", "URL", "READY", "PREV", "LATEST", "PREVROLLEDOUTREVISION", "LATESTREADYREVISION", "AGE"]


def service(name="iris", model="iris-pipeline", labels="", more=""):
    uri = model if "/" in model else MODELS / model
    return f"""apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: {name}
{f'  labels: {{{labels}}}' if labels else ''}
spec:
  predictor:
    model:
      modelFormat: {{name: sklearn}}
      storageUri: {uri}
{more}"""


class Commands:
    """jackdaw's commands against one daemon."""

    def __init__(self, daemon, folder):
        self.folder = pathlib.Path(folder)
        self.server = f"http://127.0.0.1:{daemon.port}"
        self.environment = {**os.environ, "JACKDAW_SERVER": self.server}
        os.environ["JACKDAW_SERVER"] = self.server  # for terminals

    def __call__(self, *arguments, stdin="", timeout=60):
        """(status, output, errors)."""
        done = subprocess.run([JACKDAW, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=timeout,
                              env=self.environment)
        return done.returncode, done.stdout, done.stderr

    def file(self, name, text):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    def terminal(self, *arguments, **options):
        return Terminal(*arguments, home=str(self.folder), **options)


def apply(tally, jackdaw):
    file = jackdaw.file("iris.yaml", service())
    status, out, errors = jackdaw("apply", "-f", file, "--wait")
    tally.check("apply creates, --wait sees it become ready", (status, out, errors) == (0, f"{IRIS} created\n{IRIS} ready\n", ""),
                repr(out + errors))
    status, out, errors = jackdaw("apply", "-f", file)
    tally.check("the same again is unchanged", (status, out) == (0, f"{IRIS} unchanged\n"), repr(out + errors))
    status, out, errors = jackdaw("apply", "-f", "-", stdin=service(labels="team: birds"))
    tally.check("standard input configures it", (status, out) == (0, f"{IRIS} configured\n"), repr(out + errors))
    status, out, errors = jackdaw("apply", "-f", "-", "--dry-run", stdin=service(labels="team: cats"))
    tally.check("a dry run says what it would do", (status, out) == (0, f"{IRIS} configured (server dry run)\n"), repr(out + errors))
    tally.check("and does nothing", jackdaw("get", "isvc", "-l", "team=cats", "-o", "name")[1] == "")
    status, out, errors = jackdaw("apply", "-f", "-", stdin=service(labels="team: birds", more="      resources: {limits: {cpu: '1'}}\n"))
    tally.check("what has no effect is a warning on standard error", status == 0 and errors.startswith("Warning: ")
                and "resources" in errors, repr(out + errors))
    jackdaw.file("folder/a.yaml", service("rose") + "---\n" + service("tulip"))
    jackdaw.file("folder/b.yml", EMPTY)
    status, out, errors = jackdaw("apply", "-f", jackdaw.folder / "folder")
    tally.check("a folder of many documents", status == 0 and out.count(" created\n") == 2 and "note" in errors and "Daemon" not in out,
                repr(out + errors))


def mistakes(tally, jackdaw):
    misspelt = jackdaw.file("misspelt.yaml", service("lily").replace("storageUri", "storageURI"))
    status, out, errors = jackdaw("apply", "-f", misspelt)
    tally.check("a misspelt field: field, reason, and its place in the file", status == 1 and "storageURI" in errors
                and f"{misspelt}:10:7" in errors and "storageUri" in errors, repr(errors))
    broken = jackdaw.file("broken.yaml", "a: [\n")
    status, out, errors = jackdaw("apply", "-f", broken)
    tally.check("broken YAML has file, line and column", status == 1 and re.match(rf"{re.escape(str(broken))}:\d+:\d+: ", errors), repr(errors))
    tally.check("a file that is not there", jackdaw("apply", "-f", "nowhere.yaml")[0] == 1)
    for words, said in ((["serv"], "did you mean 'serve'?"), (["rollout", "undoo", "x"], "did you mean 'undo'?"),
                        (["logs", "--tail", "-1"], "-1 is not a whole number of at least 0")):
        status, out, error = jackdaw(*words)
        tally.check(f"{' '.join(words)}: says what is wrong", status == 2 and said in error, f"{status} {out}{error}")
    tally.check("wrong usage is 2", jackdaw("apply")[0] == 2 and jackdaw("get", "isvc", "-o", "xml")[0] == 2
                and jackdaw("delete", "isvc")[0] == 2 and jackdaw("apply", "-f", broken, "--timeout", "soon")[0] == 2)
    status, out, errors = jackdaw("get", "isvc", "nobody")
    tally.check("what is not there is not found", status == 1
                and errors == 'Error from server (NotFound): inferenceservices.serving.kserve.io "nobody" not found\n', repr(errors))
    status, out, errors = jackdaw("get", "inferenceservise")
    tally.check("a type that is not there is told the nearest", status == 1 and "did you mean inferenceservices" in errors, repr(errors))
    status, out, errors = jackdaw("apply", "--field-manager", "other", "-f", "-", stdin=service(model="/elsewhere"))
    tally.check("a conflict names field and manager", status == 1 and "Conflict" in errors and "storageUri" in errors
                and "jackdaw" in errors and "--force-conflicts" in errors, repr(errors))
    status, out, errors = jackdaw("apply", "-n", "prod", "-f", "-", stdin=service().replace("  name: iris", "  name: iris\n  namespace: test"))
    tally.check("a namespace beside another is refused", status == 1 and "--namespace=test" in errors, repr(errors))
    status, out, errors = jackdaw("apply", "-f", "-", stdin="apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n")
    tally.check("a Secret is said to have no effect", status == 0 and "Secret" in errors, repr(errors))
    status, out, errors = jackdaw("get", "isvc", "--server", "http://127.0.0.1:1")
    tally.check("without a daemon it says so", status == 1 and "no daemon at http://127.0.0.1:1" in errors and "--server" in errors, repr(errors))
    status, out, errors = jackdaw("get", "isvc", "--token-file", "/nowhere")
    tally.check("a token file that is not there", status == 1 and "/nowhere" in errors, repr(errors))


def get(tally, jackdaw):
    status, out, errors = jackdaw("get", "isvc")
    rows = [line.split() for line in out.splitlines()]
    tally.check("get prints kubectl's columns", status == 0 and rows[0] == COLUMNS and rows[1][:4] ==
                ["iris", "http://iris-default.example.com", "True", "100"], out + errors)
    tally.check("no colours in a pipe", "\x1b" not in out)
    status, out, errors = jackdaw("get", "isvc/iris", "-o", "json")
    tally.check("-o json", json.loads(out)["metadata"]["name"] == "iris" and "managedFields" not in out, out[:100])
    status, out, errors = jackdaw("get", "isvc", "iris", "-o", "yaml")
    tally.check("-o yaml can be applied again", "\nspec:\n  predictor:\n    model:\n" in out
                and jackdaw("apply", "--dry-run", "--force-conflicts", "-f", "-", stdin=re.sub(r"(?s)\nstatus:.*", "\n", out))[0] == 0, out[:300])
    tally.check("-o name", jackdaw("get", "isvc", "-o", "name")[1].splitlines()[0] == IRIS)
    tally.check("a list is a List", json.loads(jackdaw("get", "isvc", "-o", "json")[1])["kind"] == "List")
    tally.check("-A has a column more", jackdaw("get", "isvc", "-A")[1].splitlines()[0].split() == ["NAMESPACE", *COLUMNS])
    out = jackdaw("get", "all")[1]
    tally.check("all kinds, with their names", f"{IRIS} " in out, out)
    status, out, errors = jackdaw("get", "isvc", "-n", "empty")
    tally.check("nothing there is said", (status, out, errors) == (0, "", "No resources found in empty namespace.\n"), repr(out + errors))
    tally.check("--no-headers", jackdaw("get", "isvc", "iris", "--no-headers")[1].startswith("iris "))
    tally.check("selectors choose", jackdaw("get", "isvc", "-l", "team=birds", "-o", "name")[1] == f"{IRIS}\n")


def watch(tally, jackdaw):
    with subprocess.Popen([JACKDAW, "get", "isvc", "-w"], stdout=subprocess.PIPE, text=True, env=jackdaw.environment) as watching:
        watching.stdout.readline()
        first = [watching.stdout.readline().split()[0] for _ in range(3)]
        jackdaw("apply", "-f", "-", stdin=service("daisy"))
        line = watching.stdout.readline()
        tally.check("a watch prints what changes", first == ["iris", "rose", "tulip"] and line.startswith("daisy"), f"{first} {line!r}")
        watching.kill()


def describe(tally, jackdaw):
    status, out, errors = jackdaw("describe", "isvc", "iris")
    tally.check("describe is a readable page", status == 0 and all(part in out for part in (
        "Name:         iris\n", "Labels:       team=birds\n", "\nSpec\n  predictor:\n", "\nConditions\n", "  Ready ", "\nRevisions\n",
        "\nModel\n  State:        Loaded\n", "\nNotes\n", "resources", "\nEvents\n")), out + errors)
    jackdaw("apply", "-f", "-", "--force-conflicts", stdin=service("broken", model="/nowhere"))
    status, out, errors = jackdaw("rollout", "status", "broken", "--timeout", "10s")
    tally.check("rollout status ends with the failure", status == 1 and "ModelLoadFailed" in errors and "/nowhere" in errors, repr(errors))
    status, out, errors = jackdaw("describe", "isvc/broken")
    tally.check("describe shows the last failure", "Last failure: ModelLoadFailed" in out and "/nowhere" in out, out)


def at_a_terminal(tally, jackdaw):
    for columns in (60, 100):
        terminal = jackdaw.terminal("get", "isvc", columns=columns)
        lines = [re.sub(r"\x1b\[\d*m", "", line) for line in terminal.all().splitlines()]
        tally.check(f"get fits {columns} columns", terminal.end() == 0 and max(map(len, lines)) <= columns
                    and any(line.startswith("iris ") for line in lines), lines)
    terminal = jackdaw.terminal("get", "isvc", "iris", columns=200)
    text = terminal.all()
    terminal.end()
    tally.check("and is coloured", "\x1b[32mTrue\x1b[0m" in text, repr(text))


def logs(tally, jackdaw):
    status, out, errors = jackdaw("logs", "iris")
    tally.check("logs tell what the daemon said of a service", status == 0 and "model ready" in out and "rose" not in out, out + errors)
    status, out, errors = jackdaw("logs", "broken", "-o", "json", "--tail", "1")
    tally.check("--tail and JSON", len(out.splitlines()) == 1 and json.loads(out)["level"] in ("error", "info", "warning"), out + errors)
    tally.check("nothing known is said", "No log records" in jackdaw("logs", "nobody")[2])
    with subprocess.Popen([JACKDAW, "logs", "late", "-f"], stdout=subprocess.PIPE, text=True, env=jackdaw.environment) as following:
        time.sleep(0.3)
        jackdaw("apply", "-f", "-", stdin=service("late"))
        line = following.stdout.readline()
        tally.check("-f follows a service that comes later", "late" in line, repr(line))
        following.kill()


def top(tally, jackdaw, daemon):
    for _ in range(20):
        daemon.post("/v1/models/iris:predict", {"instances": [[6.8, 2.8, 4.8, 1.4]]})
    status, out, errors = jackdaw("top", "--interval", "200ms")
    tally.check("top in a pipe is one table", status == 0 and out.startswith("jackdaw ") and "iris" in out and "READY" in out
                and "\x1b" not in out, out + errors)
    terminal = jackdaw.terminal("top", "--interval", "200ms", columns=120)
    seen = terminal.wait_for(r"iris.*READY", 10)
    end = time.monotonic() + 10
    busy = None
    while busy is None and time.monotonic() < end:
        daemon.post("/v1/models/iris:predict", {"instances": [[6.8, 2.8, 4.8, 1.4]]})
        busy = terminal.wait_for(r"[1-9][0-9.]* request\(s\)/s", 0.05)
    terminal.type("q")
    rest = terminal.all()
    tally.check("top at a terminal draws, counts, and gives the screen back", seen and "\x1b[?1049h" in seen and busy
                and "\x1b[?1049l" in rest and terminal.end() == 0, repr(rest[-200:]))
    status, out, errors = jackdaw("top", "--json", "--interval", "100ms")
    report = json.loads(out)
    models = {model["model"]: model for model in report["models"]}
    tally.check("top --json", models["iris"]["state"] == "READY" and models["iris"]["resident_bytes"] > 0
                and report["resident_bytes"] > 1_000_000 and report["uptime_seconds"] >= 0, out)


def delete(tally, jackdaw, daemon):
    status, out, errors = jackdaw("delete", "isvc", "iris", "--dry-run")
    tally.check("delete --dry-run", out == 'inferenceservice.serving.kserve.io "iris" deleted (server dry run)\n', out + errors)
    status, out, errors = jackdaw("delete", "isvc", "iris")
    tally.check("delete by name", (status, out) == (0, 'inferenceservice.serving.kserve.io "iris" deleted\n'), out + errors)
    tally.check("it is gone", jackdaw("get", "isvc/iris")[0] == 1)
    tally.check("twice is an error, unless ignored", jackdaw("delete", "isvc", "iris")[0] == 1
                and jackdaw("delete", "isvc", "iris", "--ignore-not-found")[0] == 0)
    status, out, errors = jackdaw("delete", "-f", jackdaw.folder / "folder")
    tally.check("delete by file", status == 0 and out.count("deleted") == 2, out + errors)
    jackdaw("apply", "-f", "-", stdin=service("aster", labels="kind: flower"))
    tally.check("delete by label", "aster" in jackdaw("delete", "isvc", "-l", "kind=flower")[1])
    status, out, errors = jackdaw("delete", "isvc", "--all")
    tally.check("delete --all", status == 0 and jackdaw("get", "isvc", "-o", "name")[1] == "", out + errors)


def helps(tally):
    for command in ("apply", "get", "describe", "delete", "logs", "rollout", "top"):
        done = subprocess.run([JACKDAW, command, "--help"], capture_output=True, text=True)
        tally.check(f"{command} --help has examples", done.returncode == 0 and f"jackdaw {command} " in done.stdout and "Examples:" in done.stdout)


def main():
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "daemon.yaml"
        config.write_text(EMPTY)
        with Daemon(config=config, arguments=["--state-dir", folder + "/state"]) as daemon:
            jackdaw = Commands(daemon, folder)
            tally.run("help", helps, tally)
            tally.run("apply", apply, tally, jackdaw)
            tally.run("mistakes", mistakes, tally, jackdaw)
            tally.run("get", get, tally, jackdaw)
            tally.run("watch", watch, tally, jackdaw)
            tally.run("describe", describe, tally, jackdaw)
            tally.run("at a terminal", at_a_terminal, tally, jackdaw)
            tally.run("logs", logs, tally, jackdaw)
            tally.run("top", top, tally, jackdaw, daemon)
            tally.run("delete", delete, tally, jackdaw, daemon)
            tally.check("the daemon ends cleanly", daemon.stop() == 0)
    tally.end()


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
