// Rotary settings as older and newer files write them.
#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "small_models.h"
#include "src/arch/description.h"

namespace jackdaw::arch {
namespace {

using testing::FakeModelFile;
using testing::small_config_llama;

FakeModelFile config_of(const char* architecture) {
  FakeModelFile file = small_config_llama();
  file.set("architectures", std::vector<std::string>{architecture});
  if (std::string_view(architecture).starts_with("Gemma")) file.set("hidden_act", "gelu_pytorch_tanh");
  return file;
}

Description described(const FakeModelFile& file) {
  auto description = describe(file);
  if (!description) FAIL(description.error().text());
  return *std::move(description);
}

ops::Rope rope_of(const RopeScaling& scaling) {
  return make_rope(scaling, ops::RopeStyle::half_split, 8, 128).value();
}

void check_same(const RopeScaling& a, const RopeScaling& b) {
  CHECK(rope_of(a).inverse_frequency == rope_of(b).inverse_frequency);
  CHECK(rope_of(a).magnitude == rope_of(b).magnitude);
}

TEST_CASE("Llama31ConfigsOfOldAndNewTransformersTurnAlike") {
  FakeModelFile old = config_of("LlamaForCausalLM");
  old.set("rope_theta", 500000.0);
  FakeModelFile current = config_of("LlamaForCausalLM");
  current.set("rope_parameters.rope_theta", 500000.0);
  for (auto* file : {&old, &current}) {
    const std::string object = file == &old ? "rope_scaling." : "rope_parameters.";
    file->set(object + "rope_type", "llama3").set(object + "factor", 8.0).set(object + "low_freq_factor", 1.0);
    file->set(object + "high_freq_factor", 4.0).set(object + "original_max_position_embeddings", 64);
  }
  const RopeScaling scaling = described(old).rope;
  CHECK(scaling.kind == RopeScalingKind::llama3);
  check_same(scaling, described(current).rope);
  // Pair 0 turns faster than 64 / 4 tokens; pair 3 slower than 64.
  CHECK(rope_of(scaling).inverse_frequency[0] == 1.0f);
  CHECK(rope_of(scaling).inverse_frequency[3] == Approx(std::pow(500000.0, -0.75) / 8.0));
}

TEST_CASE("Gemma3ConfigsOfOldAndNewTransformersTurnAlike") {
  FakeModelFile old = config_of("Gemma3ForCausalLM");
  old.set("rope_theta", 1e6).set("rope_local_base_freq", 2e4).set("sliding_window", 4);
  old.set("rope_scaling.rope_type", "linear").set("rope_scaling.factor", 8.0);
  FakeModelFile current = config_of("Gemma3ForCausalLM");
  current.set("sliding_window", 4);
  current.set("rope_parameters.full_attention.rope_type", "linear");
  current.set("rope_parameters.full_attention.rope_theta", 1e6).set("rope_parameters.full_attention.factor", 8.0);
  current.set("rope_parameters.sliding_attention.rope_type", "default");
  current.set("rope_parameters.sliding_attention.rope_theta", 2e4);
  check_same(described(old).rope, described(current).rope);
  check_same(described(old).local_rope.value(), described(current).local_rope.value());
  CHECK(described(old).local_rope->base == 2e4f);
  CHECK(described(old).rope.factor == 8.0f);
}

TEST_CASE("Phi3ConfigsOfOldAndNewTransformersTurnAlike") {
  const std::vector<double> short_factor{1.0, 1.1, 1.2, 1.3};
  const std::vector<std::int64_t> long_factor{1, 2, 3, 4};  // JSON writes whole numbers as such
  FakeModelFile old = config_of("Phi3ForCausalLM");
  old.set("rope_theta", 1e4).set("original_max_position_embeddings", 32).set("rope_scaling.type", "su");
  old.set("rope_scaling.short_factor", short_factor).set("rope_scaling.long_factor", long_factor);
  FakeModelFile current = config_of("Phi3ForCausalLM");
  current.set("rope_parameters.rope_theta", 1e4).set("rope_parameters.rope_type", "longrope");
  current.set("rope_parameters.original_max_position_embeddings", 32);
  current.set("rope_parameters.short_factor", short_factor).set("rope_parameters.long_factor", long_factor);
  check_same(described(old).rope, described(current).rope);
  CHECK(rope_of(described(old).rope).inverse_frequency[1] == Approx(0.1 / 2.0));
  CHECK(rope_of(described(old).rope).magnitude == Approx(std::sqrt(1.0 + std::log(4.0) / std::log(32.0))));
}

TEST_CASE("YarnTakesItsMagnitudeFromTheFileWhenItIsThere") {
  FakeModelFile file = config_of("Qwen2ForCausalLM");
  file.set("rope_scaling.type", "yarn").set("rope_scaling.factor", 4.0);
  file.set("rope_scaling.original_max_position_embeddings", 32);
  CHECK(rope_of(described(file).rope).magnitude == Approx(1.0 + 0.1 * std::log(4.0)));
  file.set("rope_scaling.mscale", 1.0).set("rope_scaling.mscale_all_dim", 0.5);
  CHECK(rope_of(described(file).rope).magnitude == Approx((1.0 + 0.1 * std::log(4.0)) / (1.0 + 0.05 * std::log(4.0))));
  file.set("rope_scaling.attention_factor", 1.5);
  CHECK(rope_of(described(file).rope).magnitude == 1.5f);
}

TEST_CASE("LongropeOfAGgufNeedsItsFactors") {
  FakeModelFile file = testing::small_gguf_llama();
  file.set("llama.rope.scaling.type", "longrope");
  const auto description = describe(file);
  REQUIRE_FALSE(description.has_value());
  CHECK_THAT(description.error().text(), Catch::Matchers::Contains("rope_factors_long.weight"));
}

TEST_CASE("WindowsFollowTheFamilysRule") {
  const auto windows = [](const FakeModelFile& file) {
    std::vector<std::uint32_t> out;
    for (const LayerPlan& layer : described(file).layers) out.push_back(layer.window);
    return out;
  };
  using Windows = std::vector<std::uint32_t>;
  FakeModelFile mistral = config_of("MistralForCausalLM");
  mistral.set("sliding_window", 8);
  CHECK(windows(mistral) == Windows{8, 8});
  FakeModelFile qwen = config_of("Qwen2ForCausalLM");
  qwen.set("sliding_window", 8);
  CHECK(windows(qwen) == Windows{0, 0});
  qwen.set("use_sliding_window", true).set("max_window_layers", 1);
  CHECK(windows(qwen) == Windows{0, 8});
  FakeModelFile gemma = config_of("Gemma2ForCausalLM");
  gemma.set("sliding_window", 8);
  CHECK(windows(gemma) == Windows{8, 0});
  gemma.set("layer_types", std::vector<std::string>{"full_attention", "sliding_attention"});
  CHECK(windows(gemma) == Windows{0, 8});
}

}  // namespace
}  // namespace jackdaw::arch
