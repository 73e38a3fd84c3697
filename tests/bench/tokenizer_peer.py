#!/usr/bin/env python3
"""bench_tokenizer beside Hugging Face's tokenizers: the same tokenizer.json, the same text, alternating, one thread.

usage: tokenizer_peer.py BENCH_TOKENIZER [GGUF]     (needs the tokenizers package; with a byte-level BPE GGUF, gguf too)
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
from tokenizers import Tokenizer  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDENS = os.path.join(HERE, "..", "data", "llm", "tokenizers")


def from_gguf(path, out):
    """A tokenizer.json of a GGUF file's byte-level BPE with SmolLM's pre-tokenizer."""
    import gguf
    fields = gguf.GGUFReader(path).fields
    texts = {k: [bytes(fields[k].parts[i]).decode() for i in fields[k].data]
             for k in ("tokenizer.ggml.tokens", "tokenizer.ggml.merges")}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    json.dump({"version": "1.0", "added_tokens": [], "normalizer": None, "post_processor": None, "decoder": level,
               "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": True}, level]},
               "model": {"type": "BPE", "vocab": {t: i for i, t in enumerate(texts["tokenizer.ggml.tokens"])},
                         "merges": texts["tokenizer.ggml.merges"]}}, out)


def mixed_text():
    """Markdown, C++ and Python of this repository, and the goldens' languages: about 2 MB."""
    root = os.path.join(HERE, "..", "..")
    parts = []
    for folder in ("docs", "src/text", "src/api", "include", "tests/e2e", "configs"):
        for base, _, names in sorted(os.walk(os.path.join(root, folder))):
            for name in sorted(names):
                if name.endswith((".md", ".cpp", ".h", ".py", ".yaml")) and "_data" not in name:
                    parts.append(open(os.path.join(base, name), encoding="utf-8").read())
    cases = json.load(open(os.path.join(GOLDENS, "gpt-2.json")))["cases"]
    parts += ["\n".join(c["text"] for c in cases)] * 3
    return "".join(parts)[:2_000_000]


def main():
    bench = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "tokenizer.json")
        with open(model, "w") as out:
            if len(sys.argv) > 2:
                from_gguf(sys.argv[2], out)
            else:
                json.dump(json.load(open(os.path.join(GOLDENS, "llama3.json")))["tokenizer"], out)
        text = mixed_text()
        path = os.path.join(folder, "text")
        open(path, "w", encoding="utf-8").write(text)
        peer = Tokenizer.from_file(model)
        size = len(text.encode()) / 1e6
        ours, theirs, tokens = [], [], 0
        for _ in range(5):
            lines = subprocess.run([bench, model, path, "3"], check=True, capture_output=True, text=True).stdout
            ours.append(float(lines.split()[1]))
            begin = time.perf_counter()
            tokens = len(peer.encode(text, add_special_tokens=False).ids)
            theirs.append(size / (time.perf_counter() - begin))
        print(lines, end="")
        ratio = statistics.median(ours) / statistics.median(theirs)
        print(f"{size:.2f} MB, {tokens} tokens (peer): jackdaw {statistics.median(ours):.1f} MB/s, "
              f"tokenizers {statistics.median(theirs):.1f} MB/s, ratio {ratio:.1f}")


if __name__ == "__main__":
    main()
