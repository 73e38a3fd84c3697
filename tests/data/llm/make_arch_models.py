"""Tiny random models of every architecture in src/arch/table.cpp, with the logits that transformers gives for them.

    ~/.cache/jackdaw/venv-llm/bin/python tests/data/llm/make_arch_models.py     (transformers, torch, gguf, safetensors)

For each case, tests/data/llm/arch/<case>/ gets config.json and model.safetensors, and golden.bin: float32 logits
[tokens, vocabulary] of the tokens (37 i + 11) mod vocabulary, i < 24, eager attention in float32. Where GGUF_WRITERS
has the family, model.gguf holds the same weights as llama.cpp's converter would lay them out; its logits are the same.
Weights are rounded to the type they are stored in before anything is computed.
"""

import json
import pathlib
import shutil
import sys

import gguf
import numpy as np
import torch
import transformers as tf
from safetensors.torch import load_file

HERE = pathlib.Path(__file__).parent / "arch"
VOCABULARY = 64
TOKENS = [(37 * i + 11) % VOCABULARY for i in range(24)]

SMALL = dict(
    vocab_size=VOCABULARY, hidden_size=32, intermediate_size=40, num_hidden_layers=3, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=64, attn_implementation="eager", pad_token_id=None,
    bos_token_id=1, eos_token_id=2)
LLAMA3 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32)
PAIRS = 6  # of phi3: three quarters of 16 dimensions, halved
LONGROPE = dict(rope_type="longrope", rope_theta=10000.0,
                short_factor=[1.0 + 0.05 * i for i in range(PAIRS)],
                long_factor=[1.0 + 0.5 * i for i in range(PAIRS)], partial_rotary_factor=0.75)
BF16, F16 = torch.bfloat16, torch.float16

# name: (model class, config class, settings that differ from SMALL, type of the stored weights)
CASES = {
    "llama": (tf.LlamaForCausalLM, tf.LlamaConfig, dict(rope_theta=10000.0, tie_word_embeddings=False), BF16),
    "llama31": (tf.LlamaForCausalLM, tf.LlamaConfig, dict(rope_parameters=LLAMA3, tie_word_embeddings=True), BF16),
    "llama_bias": (tf.LlamaForCausalLM, tf.LlamaConfig,
                   dict(attention_bias=True, mlp_bias=True, num_hidden_layers=2, tie_word_embeddings=True,
                        rope_parameters=dict(rope_type="linear", factor=4.0, rope_theta=10000.0)), BF16),
    "llama_yarn": (tf.LlamaForCausalLM, tf.LlamaConfig,
                   dict(num_hidden_layers=2, tie_word_embeddings=True, head_dim=16,
                        rope_parameters=dict(rope_type="yarn", factor=4.0, rope_theta=10000.0, beta_fast=4.0,
                                             original_max_position_embeddings=16)), BF16),
    "mistral": (tf.MistralForCausalLM, tf.MistralConfig,
                dict(sliding_window=8, head_dim=16, rope_theta=10000.0, tie_word_embeddings=False), BF16),
    "mixtral": (tf.MixtralForCausalLM, tf.MixtralConfig,
                dict(num_local_experts=4, num_experts_per_tok=2, intermediate_size=24, num_hidden_layers=2,
                     sliding_window=None, rope_theta=1e6, tie_word_embeddings=False), BF16),
    "smollm3": (tf.SmolLM3ForCausalLM, tf.SmolLM3Config,
                dict(num_hidden_layers=4, no_rope_layer_interval=4, tie_word_embeddings=True, rope_theta=2e6), BF16),
    "qwen2": (tf.Qwen2ForCausalLM, tf.Qwen2Config, dict(rope_theta=1e6, tie_word_embeddings=True), BF16),
    "qwen2_window": (tf.Qwen2ForCausalLM, tf.Qwen2Config,
                     dict(rope_theta=1e6, tie_word_embeddings=True, use_sliding_window=True, sliding_window=8,
                          max_window_layers=1, num_hidden_layers=2), BF16),
    "qwen3": (tf.Qwen3ForCausalLM, tf.Qwen3Config, dict(head_dim=16, rope_theta=1e6, tie_word_embeddings=True), BF16),
    "qwen3moe": (tf.Qwen3MoeForCausalLM, tf.Qwen3MoeConfig,
                 dict(head_dim=16, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=24, rope_theta=1e6,
                      norm_topk_prob=True, tie_word_embeddings=False, num_hidden_layers=2, decoder_sparse_step=1,
                      mlp_only_layers=[]), BF16),
    "qwen3moe_mixed": (tf.Qwen3MoeForCausalLM, tf.Qwen3MoeConfig,
                       dict(head_dim=16, num_experts=4, num_experts_per_tok=3, moe_intermediate_size=24,
                            rope_theta=1e6, norm_topk_prob=False, tie_word_embeddings=True, num_hidden_layers=2,
                            decoder_sparse_step=1, mlp_only_layers=[0]), BF16),
    "gemma": (tf.GemmaForCausalLM, tf.GemmaConfig,
              dict(head_dim=16, num_hidden_layers=2, hidden_activation="gelu_pytorch_tanh"), F16),
    "gemma2": (tf.Gemma2ForCausalLM, tf.Gemma2Config,
               dict(head_dim=16, sliding_window=8, query_pre_attn_scalar=16, attn_logit_softcapping=2.0,
                    final_logit_softcapping=3.0, num_hidden_layers=4), F16),
    "gemma3": (tf.Gemma3ForCausalLM, tf.Gemma3TextConfig,
               dict(head_dim=16, sliding_window=8, query_pre_attn_scalar=16, num_hidden_layers=6,
                    rope_parameters=dict(
                        full_attention=dict(rope_type="linear", factor=8.0, rope_theta=1e6),
                        sliding_attention=dict(rope_type="default", rope_theta=10000.0))), F16),
    "phi3": (tf.Phi3ForCausalLM, tf.Phi3Config,
             dict(num_attention_heads=2, num_key_value_heads=1, sliding_window=12, tie_word_embeddings=False,
                  rope_theta=10000.0), BF16),
    # 24 tokens are beyond the original context of 16: the long factors.
    "phi3_long": (tf.Phi3ForCausalLM, tf.Phi3Config,
                  dict(num_attention_heads=2, num_key_value_heads=2, original_max_position_embeddings=16,
                       num_hidden_layers=2, tie_word_embeddings=False,
                       rope_parameters=LONGROPE | dict(original_max_position_embeddings=16)), BF16),
    # ... and within an original context of 32: the short ones, which max_model_len must ask for.
    "phi3_short": (tf.Phi3ForCausalLM, tf.Phi3Config,
                   dict(num_attention_heads=2, num_key_value_heads=2, original_max_position_embeddings=32,
                        num_hidden_layers=2, tie_word_embeddings=False,
                        rope_parameters=LONGROPE | dict(original_max_position_embeddings=32)), BF16),
}


def randomize(model, stored, generator):
    """Norms near one, everything else large enough that attention is not flat, all exact in the stored type."""
    plus_one = type(model).__name__.startswith("Gemma")
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if "norm" in name:
                values = 0.3 * noise + (0.0 if plus_one else 1.0)
            elif p.dim() == 1:
                values = 0.5 * noise
            elif "embed_tokens" in name:
                values = noise * (0.3 if plus_one else 1.0)
            else:
                values = noise * (1.3 / p.shape[-1] ** 0.5)
            p.copy_(values.to(stored).to(torch.float32))


def golden(model):
    with torch.no_grad():
        return model(torch.tensor([TOKENS]), use_cache=False).logits[0].to(torch.float32).numpy()


# ---- GGUF: names, order and folding as llama.cpp's convert_hf_to_gguf.py has them ------------------------------------

LAYER_NAMES = {
    "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "self_attn.qkv_proj": "attn_qkv",
    "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm", "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up", "mlp.gate_up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    "post_attention_layernorm": "ffn_norm", "block_sparse_moe.gate": "ffn_gate_inp", "mlp.gate": "ffn_gate_inp",
}
GEMMA_NAMES = {"post_attention_layernorm": "post_attention_norm", "pre_feedforward_layernorm": "ffn_norm",
               "post_feedforward_layernorm": "post_ffw_norm"}
TOP_NAMES = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
EXPERT_NAMES = {"w1": "ffn_gate_exps", "w3": "ffn_up_exps", "w2": "ffn_down_exps", "gate_proj": "ffn_gate_exps",
                "up_proj": "ffn_up_exps", "down_proj": "ffn_down_exps"}


def permute(weights, heads):
    """Half-split pairs become adjacent ones."""
    shape = weights.shape
    return weights.reshape(heads, 2, shape[0] // heads // 2, *shape[1:]).swapaxes(1, 2).reshape(shape)


def gguf_tensors(config, weights, permuted, post_norms):
    names = LAYER_NAMES | (GEMMA_NAMES if post_norms else {})
    experts = {}
    for name, tensor in weights.items():
        values = tensor.to(torch.float32).numpy()
        stem, kind = name.rsplit(".", 1)
        if stem in TOP_NAMES:
            out = TOP_NAMES[stem]
        else:
            _, _, layer, rest = stem.split(".", 3)
            if ".experts." in rest:
                _, expert, which = rest.rsplit(".", 2)
                experts.setdefault((layer, EXPERT_NAMES[which]), {})[int(expert)] = values
                continue
            out = f"blk.{layer}.{names[rest]}"
            if permuted and rest.endswith("q_proj"):
                values = permute(values, config.num_attention_heads)
            if permuted and rest.endswith("k_proj"):
                values = permute(values, config.num_key_value_heads)
        if "norm" in out and config.model_type.startswith("gemma"):
            values = values + 1.0
        yield f"{out}.{kind}", values
    for (layer, which), parts in experts.items():
        yield f"blk.{layer}.{which}.weight", np.stack([parts[e] for e in range(len(parts))])


def common_keys(writer, config):
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    rope = config.rope_parameters
    writer.add_rope_freq_base(rope.get("full_attention", rope)["rope_theta"])
    if getattr(config, "head_dim", None):
        writer.add_key_length(config.head_dim)
        writer.add_value_length(config.head_dim)


def llama_keys(writer, config):
    writer.add_vocab_size(config.vocab_size)
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    rope = config.rope_parameters
    writer.add_rope_dimension_count(head_dim)
    if rope["rope_type"] == "llama3":
        freqs = 1.0 / rope["rope_theta"] ** (torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
        divisors = []
        for wavelength in (2 * torch.pi / freqs).tolist():
            original, low, high = (rope[k] for k in
                                   ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor"))
            if wavelength < original / high:
                divisors.append(1)
            elif wavelength > original / low:
                divisors.append(rope["factor"])
            else:
                smooth = (original / wavelength - low) / (high - low)
                divisors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
        writer.add_tensor("rope_freqs.weight", np.array(divisors, dtype=np.float32))
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        writer.add_rope_scaling_yarn_beta_fast(rope["beta_fast"])


def expert_keys(writer, config):
    writer.add_expert_count(getattr(config, "num_local_experts", None) or config.num_experts)
    writer.add_expert_used_count(config.num_experts_per_tok)
    if hasattr(config, "moe_intermediate_size"):
        writer.add_expert_feed_forward_length(config.moe_intermediate_size)


def mixtral_keys(writer, config):
    writer.add_rope_dimension_count(config.hidden_size // config.num_attention_heads)
    expert_keys(writer, config)


def gemma2_keys(writer, config):
    writer.add_sliding_window(config.sliding_window)
    writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
    writer.add_final_logit_softcapping(config.final_logit_softcapping)


def gemma3_keys(writer, config):
    writer.add_sliding_window(config.sliding_window)
    writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
    writer.add_rope_scaling_factor(config.rope_parameters["full_attention"]["factor"])


def phi3_keys(writer, config):
    rope = config.rope_parameters
    head_dim = config.hidden_size // config.num_attention_heads
    writer.add_rope_dimension_count(int(head_dim * rope.get("partial_rotary_factor", 1.0)))
    writer.add_rope_scaling_orig_ctx_len(config.original_max_position_embeddings)
    if config.sliding_window:
        writer.add_sliding_window(config.sliding_window)
    if rope["rope_type"] == "longrope":
        for which in ("long", "short"):
            writer.add_tensor(f"rope_factors_{which}.weight", np.array(rope[f"{which}_factor"], dtype=np.float32))


def no_keys(writer, config):
    pass


# case: (general.architecture, q and k permuted, further keys)
GGUF_WRITERS = {
    "llama": ("llama", True, llama_keys),
    "llama31": ("llama", True, llama_keys),
    "llama_bias": ("llama", True, llama_keys),
    "llama_yarn": ("llama", True, llama_keys),
    "mixtral": ("llama", True, mixtral_keys),
    "smollm3": ("smollm3", True, llama_keys),
    "qwen2": ("qwen2", False, no_keys),
    "qwen3": ("qwen3", False, no_keys),
    "qwen3moe": ("qwen3moe", False, expert_keys),
    "gemma": ("gemma", False, no_keys),
    "gemma2": ("gemma2", False, gemma2_keys),
    "gemma3": ("gemma3", False, gemma3_keys),
    "phi3": ("phi3", False, phi3_keys),
    "phi3_long": ("phi3", False, phi3_keys),
}


def write_gguf(path, config, weights, stored, architecture, permuted, keys):
    writer = gguf.GGUFWriter(str(path), architecture)
    writer.add_name(path.parent.name)
    common_keys(writer, config)
    keys(writer, config)
    for name, values in gguf_tensors(config, weights, permuted, "post_feedforward_layernorm" in str(list(weights))):
        if values.ndim > 1 and "ffn_gate_inp" not in name:
            if stored == BF16:
                packed = gguf.quants.quantize(values, gguf.GGMLQuantizationType.BF16)
                writer.add_tensor(name, packed, raw_dtype=gguf.GGMLQuantizationType.BF16)
                continue
            values = values.astype(np.float16)
        writer.add_tensor(name, np.ascontiguousarray(values))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make(name):
    model_class, config_class, settings, stored = CASES[name]
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config = config_class(**(SMALL | settings))
    model = model_class(config).eval().to(torch.float32)
    randomize(model, stored, torch.Generator().manual_seed(sum(name.encode())))
    logits = golden(model)
    logits.astype("<f4").tofile(folder / "golden.bin")
    model.to(stored).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    weights = load_file(folder / "model.safetensors")
    if name in GGUF_WRITERS:
        write_gguf(folder / "model.gguf", config, weights, stored, *GGUF_WRITERS[name])
    print(name, "logits", logits.std(), {p.name: p.stat().st_size for p in sorted(folder.iterdir())})


def main():
    for name in sys.argv[1:] or CASES:
        make(name)


if __name__ == "__main__":
    main()
