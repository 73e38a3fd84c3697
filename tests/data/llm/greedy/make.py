#!/usr/bin/env python3
"""Records what llama.cpp answers greedily for a list of prompts: token ids and the two best log-probabilities at each place.

usage: tests/data/llm/greedy/make.py     (needs tests/peers/install smollm2 llama.cpp)
"""
import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

CACHE = pathlib.Path(os.environ.get("JACKDAW_CACHE", pathlib.Path.home() / ".cache" / "jackdaw"))
SERVER = CACHE / "peers" / "llama.cpp" / "build" / "bin" / "llama-server"
MODEL = CACHE / "peers" / "smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"
PORT = 18977
TOKENS = 64
CHAT = "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n<|im_start|>user\n{}<|im_end|>\n<|im_start|>assistant\n"
PROMPTS = [
    "Once upon a time, in a small village by the sea,",
    "The capital of France is",
    "def fibonacci(n):\n    ",
    "1, 2, 3, 4, 5,",
    "Water boils at 100 degrees Celsius because",
    "Dear Sir or Madam,\n\nI am writing to",
    "Die Hauptstadt von Deutschland ist",
    "SELECT name, age FROM users WHERE",
    CHAT.format("What is the capital of Italy?"),
    CHAT.format("Write a short poem about a jackdaw."),
    CHAT.format("Explain what a hash table is to a ten year old."),
    CHAT.format("List five fruits that are red."),
    CHAT.format("Translate to French: Good morning, how are you?"),
    CHAT.format("Why is the sky blue? Answer in one sentence."),
    CHAT.format("What is 17 + 25?"),
    CHAT.format("Tell me a story about a lighthouse keeper and a storm. " * 8),
]


def post(path, body):
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as response:
        return json.loads(response.read())


def wait_until_ready(server):
    for _ in range(600):
        if server.poll() is not None:
            sys.exit("llama-server ended")
        try:
            post("/tokenize", {"content": "x"})
            return
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    sys.exit("llama-server does not answer")


def record(prompt):
    ids = post("/tokenize", {"content": prompt, "add_special": False, "parse_special": True})["tokens"]
    answer = post("/completion", {"prompt": ids, "n_predict": TOKENS, "temperature": 0, "n_probs": 2, "ignore_eos": False,
                                  "cache_prompt": False, "return_tokens": True})
    steps = []
    for step in answer["completion_probabilities"]:
        best = sorted((top["logprob"] for top in step["top_logprobs"]), reverse=True)
        steps.append([step["id"], round(best[0] - best[1], 4)])
    return {"prompt": prompt, "prompt_tokens": ids, "tokens": [step[0] for step in steps], "lead": [step[1] for step in steps],
            "text": answer["content"]}


def main():
    server = subprocess.Popen([SERVER, "-m", MODEL, "-t", "2", "--port", str(PORT), "-np", "1", "-c", "4096", "-fa", "on"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_ready(server)
        cases = [record(prompt) for prompt in PROMPTS]
    finally:
        server.terminate()
        server.wait()
    out = pathlib.Path(__file__).with_name("smollm2.json")
    out.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
    print(f"{out.name}: {len(cases)} prompts, {sum(len(case['tokens']) for case in cases)} tokens")


if __name__ == "__main__":
    main()
