#!/usr/bin/env python3
"""Writes a GGUF file's weights as bf16 safetensors with config and tokenizer, for servers that cannot load its quantization.

usage: make_bf16.py FILE.gguf FOLDER     (run with an environment that has transformers, gguf and accelerate)
"""
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer


def main():
    source, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name).save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(source.parent, gguf_file=source.name, dtype=torch.bfloat16)
    # A tied head shares its storage with the embedding: it is left out, as config.json says so too.
    tensors = {name: tensor.to(torch.bfloat16).contiguous() for name, tensor in model.state_dict().items() if name != "lm_head.weight"}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = model.config.to_dict()
    config.pop("quantization_config", None)
    config.update(architectures=["LlamaForCausalLM"], tie_word_embeddings=True, dtype="bfloat16")
    (folder / "config.json").write_text(json.dumps(config, indent=1))


if __name__ == "__main__":
    main()
