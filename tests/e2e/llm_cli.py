#!/usr/bin/env python3
"""The commands for language models at a terminal: run (a chat over a pseudo-terminal), plan, bench llm and inspect.

usage: tests/e2e/llm_cli.py
"""
import json
import os
import pathlib
import re
import subprocess
import tempfile

from daemon import ROOT
from tally import Tally
from terminal import JACKDAW, Terminal

CACHE = pathlib.Path(os.environ.get("JACKDAW_CACHE", pathlib.Path.home() / ".cache" / "jackdaw"))
MODEL = CACHE / "peers" / "smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"


def run(*arguments, **options):
    done = subprocess.run([JACKDAW, *arguments], capture_output=True, text=True, timeout=120, **options)
    return done.returncode, done.stdout, done.stderr


def chat(tally, home):
    terminal = Terminal("run", MODEL, "--temperature", "0", "--max-tokens", "400", home=home)
    tally.check("the chat greets with its prompt", terminal.wait_for(r"/help.*> ", 20) is not None)
    terminal.type("/help\n")
    tally.check("/help lists the commands", terminal.wait_for(r"/regenerate.*> ") is not None)
    terminal.type("How many legs does a dog have?\n")
    answer = terminal.wait_for(r"four legs.*\n> ")
    tally.check("a question is answered", answer is not None, repr((answer or "")[-80:]))
    terminal.type("Write a long story about a lighthouse keeper.\n")
    terminal.wait_for(r"keeper\.\r?\n.{40}", 20)
    terminal.type("\x03")
    stopped = terminal.wait_for("…\r?\n.*> ", 5)
    tally.check("Ctrl-C stops the answer and keeps the chat", stopped is not None)
    terminal.type("/stats\n")
    terminal.wait_for("> ")
    terminal.type("Say hello.\n")
    tally.check("/stats shows the speed, the conversation is not computed again",
                re.search(r"\((\d+) cached\).*tokens/s", terminal.wait_for(r"tokens/s.*> ", 30) or "", re.S) is not None)
    terminal.type("/exit\n")
    tally.check("/exit leaves with status 0", terminal.end() == 0)
    history = pathlib.Path(home, "state", "jackdaw", "chat_history")
    tally.check("history is kept for the next time", history.exists() and "dog" in history.read_text())


def pipes(tally):
    status, out, err = run("run", MODEL, "How many legs does a dog have?", "--temperature", "0", "--max-tokens", "20")
    tally.check("a prompt as an argument is answered once", status == 0 and "four legs" in out and err == "", f"{out!r} {err[:200]!r}")
    status, out, err = run("run", MODEL, "How many legs does a dog have?", "--temperature", "0", "--max-tokens", "3")
    tally.check("that an answer was cut is said beside it", status == 0 and out == "The answer to\n" and "cut" in err, f"{out!r} {err[:200]!r}")
    again = run("run", MODEL, "Tell me a joke.", "--seed", "5", "--max-tokens", "20")[1]
    tally.check("the same seed gives the same answer", again == run("run", MODEL, "Tell me a joke.", "--seed", "5", "--max-tokens", "20")[1])
    status, out, err = run("run", "nowhere.gguf", "x")
    tally.check("a file that is not there is an error in words", status == 1 and "nowhere.gguf" in err, err.strip())


def plan_and_bench(tally):
    status, out, _ = run("plan", MODEL)
    tally.check("plan says that it fits and how many requests", status == 0 and "8192" in out.replace(",", ""), out)
    status, out, _ = run("plan", MODEL, "--memory", "50MiB")
    tally.check("plan says what to do when it does not fit", status == 1, out.strip().splitlines()[-1] if out.strip() else "")
    status, out, err = run("bench", "llm", MODEL, "--prompt", "64", "--tokens", "16", "--batch", "1", "--batch", "4", "--runs", "1")
    tally.check("bench llm prints a table that fits a terminal", status == 0 and "decode, 4 streams" in out
                and max(map(len, out.splitlines())) <= 110, out + err)
    status, out, _ = run("bench", "llm", MODEL, "--prompt", "64", "--tokens", "16", "--batch", "1", "--runs", "1", "--json")
    tally.check("and JSON", status == 0 and json.loads(out)["rows"][1]["tokens_per_second"] > 0)
    status, out, _ = run("inspect", MODEL)
    tally.check("inspect shows what is inside", status == 0 and "llama" in out and "Q4_1" in out and "49152" in out.replace(",", ""))


def main():
    tally = Tally()
    if not MODEL.exists():
        tally.skip("commands for language models", f"{MODEL} is not there; scripts/fetch-smollm2 fetches it")
        tally.end()
    with tempfile.TemporaryDirectory() as home:
        tally.run("chat", chat, tally, home)
    tally.run("pipes", pipes, tally)
    tally.run("plan and bench", plan_and_bench, tally)
    tally.end()


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
