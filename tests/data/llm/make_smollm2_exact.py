"""What SmolLM2's Q4_1 weights say when nothing else is rounded: transformers in float32 over the dequantized GGUF.

    ~/.cache/jackdaw/venv-llm/bin/python tests/data/llm/make_smollm2_exact.py

Teacher-forced along llama.cpp's greedy answers (greedy/smollm2.json): the best token at each of their places, and its lead
over the second in nats. llama.cpp rounds activations to 8 bits, which moves that lead and so picks another token now and
then; its own lead stands beside. Writes arch/smollm2_exact.json.
"""

import json
import os
import pathlib

import gguf
import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

HERE = pathlib.Path(__file__).parent
CACHE = pathlib.Path(os.environ.get("JACKDAW_CACHE", pathlib.Path.home() / ".cache/jackdaw"))
NAMES = {"attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj",
         "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj",
         "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}
TOP = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}


def load():
    reader = gguf.GGUFReader(CACHE / "peers/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")
    key = lambda name: reader.fields[f"llama.{name}"].contents()
    heads, kv_heads = key("attention.head_count"), key("attention.head_count_kv")
    config = LlamaConfig(
        vocab_size=len(reader.fields["tokenizer.ggml.tokens"].contents()), hidden_size=key("embedding_length"),
        intermediate_size=key("feed_forward_length"), num_hidden_layers=key("block_count"), num_attention_heads=heads,
        num_key_value_heads=kv_heads, rms_norm_eps=key("attention.layer_norm_rms_epsilon"),
        rope_theta=key("rope.freq_base"), max_position_embeddings=key("context_length"), tie_word_embeddings=True,
        attn_implementation="eager")
    weights = {}
    for tensor in reader.tensors:
        shape = tuple(int(n) for n in reversed(tensor.shape))
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).reshape(shape)
        name = TOP.get(tensor.name)
        if name is None:
            _, layer, kind, _ = tensor.name.split(".")
            name = f"model.layers.{layer}.{NAMES[kind]}.weight"
            if kind in ("attn_q", "attn_k"):  # adjacent pairs become half-split ones
                n = heads if kind == "attn_q" else kv_heads
                values = values.reshape(n, shape[0] // n // 2, 2, -1).swapaxes(1, 2).reshape(shape)
        weights[name] = torch.tensor(np.ascontiguousarray(values))
    model = LlamaForCausalLM(config).eval()
    missing = model.load_state_dict(weights, strict=False)
    assert missing.missing_keys in ([], ["lm_head.weight"]) and not missing.unexpected_keys, missing
    model.tie_weights()
    return model


def main():
    model = load()
    lines = []
    for answer in json.loads((HERE / "greedy/smollm2.json").read_text()):
        prompt, tokens = answer["prompt_tokens"], answer["tokens"]
        with torch.no_grad():
            logits = model(torch.tensor([prompt + tokens[:-1]])).logits[0, len(prompt) - 1:].float()
        best = torch.log_softmax(logits, -1).topk(2)
        lead = [round(float(a - b), 4) for a, b in best.values]
        lines.append(json.dumps({"prompt_tokens": prompt, "tokens": tokens, "best": best.indices[:, 0].tolist(),
                                 "lead": lead, "lead_of_llama_cpp": answer["lead"]}))
    (HERE / "arch/smollm2_exact.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")


if __name__ == "__main__":
    main()
