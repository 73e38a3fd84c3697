// What is read from metadata, what is refused, and that refusals say where.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "jackdaw/arch/model.h"
#include "small_models.h"

namespace jackdaw::arch {
namespace {

using Catch::Contains;
using testing::FakeModelFile;
using testing::small_config_llama;
using testing::small_gguf_llama;

Error refusal(const FakeModelFile& file) {
  const auto result = read_hyperparameters(file);
  if (result) FAIL("It was accepted.");
  return result.error();
}

TEST_CASE("ReadsGgufHyperparameters") {
  auto file = small_gguf_llama();
  file.set("general.name", "Tiny").set("llama.rope.freq_base", 5e5).set("llama.rope.dimension_count", 4);
  const auto hp = read_hyperparameters(file).value();
  CHECK(hp.architecture == "llama");
  CHECK(hp.name == "Tiny");
  CHECK(hp.quantization == "F32");
  CHECK(hp.vocabulary == 10);
  CHECK(hp.width == 16);
  CHECK(hp.layers == 2);
  CHECK(hp.heads == 2);
  CHECK(hp.kv_heads == 1);
  CHECK(hp.head_dim == 8);
  CHECK(hp.hidden == 24);
  CHECK(hp.context_length == 128);
  CHECK(hp.rope_base == 5e5f);
  CHECK(hp.rope_dimensions == 4);
  CHECK(hp.sliding_window == 0);
  CHECK(hp.attention_scale == Approx(1.0 / std::sqrt(8.0)));
  CHECK(hp.parameters == 2u * 10 * 16 + 16 + 2 * (2 * 16 + 16 * 16 * 2 + 8 * 16 * 2 + 3 * 24 * 16));
  CHECK(hp.kv_bytes_per_token(ops::KvEncoding::f16) == 2u * 2 * 8 * 2);
  CHECK(hp.kv_bytes_per_token(ops::KvEncoding::q8_0) == 2u * 2 * (8 + 2));
}

TEST_CASE("ReadsConfigHyperparametersOfOldAndNewTransformers") {
  auto file = small_config_llama();
  file.set("rope_theta", 5e5).set("rope_scaling.type", "linear").set("rope_scaling.factor", 4.0);
  CHECK(read_hyperparameters(file).value().rope_base == 5e5f);
  auto newer = small_config_llama();
  newer.set("rope_parameters.rope_type", "default").set("rope_parameters.rope_theta", 7e5);
  CHECK(read_hyperparameters(newer).value().rope_base == 7e5f);
  auto by_type = small_config_llama();
  by_type.set("architectures", std::monostate()).set("model_type", "mistral").set("sliding_window", 32);
  const auto hp = read_hyperparameters(by_type).value();
  CHECK(hp.architecture == "llama");
  CHECK(hp.sliding_window == 32);
}

TEST_CASE("ScaleOfAttentionComesFromTheFamily") {
  auto file = small_gguf_llama("gemma2");
  CHECK(read_hyperparameters(file).value().attention_scale == Approx(1.0 / std::sqrt(8.0)));
  file.set("gemma2.attention.scale", 0.25);
  CHECK(read_hyperparameters(file).value().attention_scale == 0.25f);
  // The 27B model, known by its number of layers, scales by width / heads.
  auto wide = small_gguf_llama("gemma2");
  wide.set("gemma2.block_count", 46).set("gemma2.attention.key_length", 4).set("gemma2.attention.value_length", 4);
  CHECK(read_hyperparameters(wide).value().attention_scale == Approx(1.0 / std::sqrt(8.0)));
}

TEST_CASE("GemmaDefaultsHoldWhereTheFileIsSilentAndNullSwitchesThemOff") {
  auto file = small_config_llama();
  file.set("architectures", std::vector<std::string>{"Gemma2ForCausalLM"}).set("hidden_act", "gelu_pytorch_tanh");
  auto hp = read_hyperparameters(file).value();
  CHECK(hp.attention_softcap == 50.0f);
  CHECK(hp.logit_softcap == 30.0f);
  CHECK(hp.sliding_window == 4096);
  CHECK(hp.sliding_window_pattern == 2);
  file.set("attn_logit_softcapping", std::monostate()).set("final_logit_softcapping", std::monostate());
  file.set("sliding_window", std::monostate());
  hp = read_hyperparameters(file).value();
  CHECK(hp.attention_softcap == 0.0f);
  CHECK(hp.logit_softcap == 0.0f);
  CHECK(hp.sliding_window == 0);
}

TEST_CASE("ReadsGemma3OfAModelThatAlsoSees") {
  FakeModelFile file(formats::ModelFileKind::safetensors);
  file.set("architectures", std::vector<std::string>{"Gemma3ForConditionalGeneration"}).set("model_type", "gemma3");
  file.set("text_config.hidden_size", 64).set("text_config.intermediate_size", 48);
  file.set("text_config.num_hidden_layers", 12).set("text_config.sliding_window", 16);
  file.add("language_model.model.embed_tokens.weight", {12, 64});
  const auto hp = read_hyperparameters(file).value();
  CHECK(hp.width == 64);
  CHECK(hp.heads == 8);  // what transformers assumes of this family
  CHECK(hp.kv_heads == 4);
  CHECK(hp.head_dim == 256);
  CHECK(hp.context_length == 131'072);
  CHECK(hp.vocabulary == 12);
  CHECK(hp.sliding_window_pattern == 6);
  CHECK(hp.rope_base_local == 10'000.0f);
}

TEST_CASE("RefusesArchitecturesByNameAndSaysWhichAreKnown") {
  auto file = small_gguf_llama();
  file.set("general.architecture", "mamba");
  Error error = refusal(file);
  CHECK(error.code == Code::unsupported);
  CHECK_THAT(error.text(), Contains("mamba") && Contains("qwen3moe") && Contains("general.architecture"));
  auto config = small_config_llama();
  config.set("architectures", std::vector<std::string>{"MambaForCausalLM"});
  error = refusal(config);
  CHECK(error.code == Code::unsupported);
  CHECK_THAT(error.text(), Contains("MambaForCausalLM") && Contains("llama"));
  FakeModelFile nothing(formats::ModelFileKind::gguf);
  CHECK(refusal(nothing).code == Code::invalid_argument);
  FakeModelFile empty(formats::ModelFileKind::safetensors);
  CHECK(refusal(empty).code == Code::invalid_argument);
  auto experts = small_gguf_llama("qwen2");
  experts.set("qwen2.expert_count", 4);
  CHECK(refusal(experts).code == Code::unsupported);
}

TEST_CASE("SupportedArchitecturesAreTheTable") {
  const auto names = supported_architectures();
  for (const char* name : {"llama", "mixtral", "qwen2", "qwen3", "qwen3moe", "gemma2", "gemma3", "phi3"}) {
    CHECK(std::find(names.begin(), names.end(), name) != names.end());
  }
}

TEST_CASE("RefusesMissingHyperparametersByKey") {
  for (const char* key : {"embedding_length", "block_count", "feed_forward_length", "context_length",
                          "attention.head_count", "attention.layer_norm_rms_epsilon"}) {
    auto file = small_gguf_llama();
    file.metadata_values.values.erase(std::string("llama.") + key);
    INFO(key);
    CHECK_THAT(refusal(file).text(), Contains(std::string("llama.") + key));
  }
  for (const char* key :
       {"hidden_size", "num_hidden_layers", "intermediate_size", "max_position_embeddings", "num_attention_heads"}) {
    auto file = small_config_llama();
    file.metadata_values.values.erase(key);
    INFO(key);
    CHECK_THAT(refusal(file).text(), Contains(key));
  }
}

struct Bad {
  std::string key;
  formats::MetadataValue value;
};

TEST_CASE("RefusesAbsurdHyperparameters") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<Bad> bad{
      {"llama.attention.head_count", std::int64_t{0}},
      {"llama.attention.head_count", std::int64_t{-1}},
      {"llama.attention.head_count", std::int64_t{3}},  // 16 is not a multiple
      {"llama.attention.head_count", std::int64_t{1} << 62},
      {"llama.attention.head_count", std::string("two")},
      {"llama.attention.head_count", 2.5},
      {"llama.attention.head_count", std::vector<std::int64_t>{}},
      {"llama.attention.head_count_kv", std::int64_t{0}},
      {"llama.attention.head_count_kv", std::int64_t{4}},
      {"llama.attention.head_count_kv", std::vector<std::int64_t>{1, 2}},
      {"llama.attention.key_length", std::int64_t{0}},
      {"llama.attention.key_length", std::int64_t{7}},
      {"llama.attention.key_length", std::int64_t{1} << 40},
      {"llama.attention.value_length", std::int64_t{4}},
      {"llama.embedding_length", std::int64_t{0}},
      {"llama.embedding_length", std::numeric_limits<std::int64_t>::max()},
      {"llama.block_count", std::int64_t{0}},
      {"llama.block_count", std::int64_t{4'000'000'000}},
      {"llama.feed_forward_length", std::int64_t{-24}},
      {"llama.context_length", std::int64_t{1} << 33},
      {"llama.attention.layer_norm_rms_epsilon", nan},
      {"llama.attention.layer_norm_rms_epsilon", -1e-5},
      {"llama.attention.layer_norm_rms_epsilon", infinity},
      {"llama.rope.freq_base", nan},
      {"llama.rope.freq_base", 0.0},
      {"llama.rope.freq_base", infinity},
      {"llama.rope.dimension_count", std::int64_t{0}},
      {"llama.rope.dimension_count", std::int64_t{3}},
      {"llama.rope.dimension_count", std::int64_t{10}},
      {"llama.rope.scaling.type", std::string("spiral")},
      {"llama.rope.scaling.factor", 0.0},
      {"llama.attention.sliding_window", std::int64_t{-1}},
      {"llama.attention.scale", nan},
      {"llama.expert_gating_func", std::int64_t{2}},
      {"llama.expert_count", std::int64_t{1} << 40},
  };
  for (const Bad& b : bad) {
    auto file = small_gguf_llama();
    file.set("llama.attention.key_length", 8);
    file.set("llama.attention.value_length", 8);
    if (b.key.ends_with("head_count") && std::holds_alternative<std::int64_t>(b.value)) {
      file.metadata_values.values.erase("llama.attention.key_length");
      file.metadata_values.values.erase("llama.attention.value_length");
    }
    file.metadata_values.values[b.key] = b.value;
    INFO(b.key << " case " << (&b - bad.data()));
    CHECK_THAT(refusal(file).text(), Contains("llama."));
  }
}

TEST_CASE("RefusesConfigsThatAskForOtherMaths") {
  const auto refuses = [](const std::string& key, formats::MetadataValue value) {
    auto file = small_config_llama();
    file.metadata_values.values[key] = std::move(value);
    INFO(key);
    const Error error = refusal(file);
    CHECK_THAT(error.text(), Contains(key));
    return error.code;
  };
  CHECK(refuses("quantization_config.quant_method", std::string("gptq")) == Code::unsupported);
  CHECK(refuses("hidden_act", std::string("relu2")) == Code::unsupported);
  CHECK(refuses("rope_scaling.rope_type", std::string("mrope")) == Code::unsupported);
  CHECK(refuses("head_dim", std::int64_t{0}) == Code::invalid_argument);
  CHECK(refuses("rms_norm_eps", std::numeric_limits<double>::quiet_NaN()) == Code::invalid_argument);
  CHECK(refuses("num_key_value_heads", std::int64_t{3}) == Code::invalid_argument);
  CHECK(refuses("partial_rotary_factor", 0.0) == Code::invalid_argument);
  CHECK(refuses("partial_rotary_factor", 2.0) == Code::invalid_argument);
  auto types = small_config_llama();
  types.set("sliding_window", 8).set("layer_types", std::vector<std::string>{"full_attention"});
  CHECK_THAT(refusal(types).text(), Contains("layer_types") && Contains("1 entries for 2 layers"));
  types.set("layer_types", std::vector<std::string>{"full_attention", "linear_attention"});
  CHECK_THAT(refusal(types).text(), Contains("linear_attention"));
}

TEST_CASE("RefusesAFileWithoutATableOfTokens") {
  auto file = small_gguf_llama();
  file.remove("token_embd.weight");
  CHECK_THAT(refusal(file).text(), Contains("token_embd.weight"));
  file.claim("token_embd.weight", {10});
  CHECK_THAT(refusal(file).text(), Contains("token_embd.weight"));
  file.claim("token_embd.weight", {std::int64_t{1} << 40, 16});
  CHECK_THAT(refusal(file).text(), Contains("token_embd.weight"));
}

}  // namespace
}  // namespace jackdaw::arch
