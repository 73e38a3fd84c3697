// Loading: which tensor becomes what, what a plan says beforehand, and refusals that name the tensor.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <set>

#include "jackdaw/arch/model.h"
#include "jackdaw/ops/backend.h"
#include "small_models.h"

namespace jackdaw::arch {
namespace {

using Catch::Contains;
using testing::FakeModelFile;
using testing::small_config_llama;
using testing::small_gguf_llama;

// Remembers what it was given.
class RecordingBackend final : public ops::Backend {
 public:
  struct Linear {
    std::vector<ops::LinearPart> parts;
    std::vector<std::vector<float>> first_elements;  // of each row's first element, per part
  };
  std::vector<std::variant<Linear, std::vector<float>>> weights;

  std::string_view name() const override { return "recording"; }
  Result<ops::Weight> add_linear(std::span<const ops::LinearPart> parts) override {
    Linear linear{{parts.begin(), parts.end()}, {}};
    for (const ops::LinearPart& part : parts) {
      std::vector<float> column;
      for (std::int64_t row = 0; row < part.rows && part.encoding == Encoding::f32; ++row) {
        float value = 0.0f;
        std::memcpy(&value, part.data.data() + row * part.columns * 4, 4);
        column.push_back(value);
      }
      linear.first_elements.push_back(std::move(column));
    }
    weights.emplace_back(std::move(linear));
    return last();
  }
  Result<ops::Weight> add_vector(std::span<const float> values) override {
    weights.emplace_back(std::vector<float>(values.begin(), values.end()));
    return last();
  }
  std::uint64_t linear_bytes(Encoding, std::int64_t rows, std::int64_t columns) const override {
    return static_cast<std::uint64_t>(rows * columns);
  }
  std::uint64_t page_bytes(const ops::AttentionShape&, ops::KvEncoding) const override { return 0; }
  std::uint64_t workspace_bytes(const ops::Program&, const ops::StepLimits&) const override { return 0; }
  Result<std::unique_ptr<ops::Executable>> compile(ops::Program, const ops::StepLimits&) override {
    return make_error(Code::unsupported, "This one only remembers.");
  }

  const Linear& linear(ops::Weight weight) const {
    return std::get<Linear>(weights.at(static_cast<std::size_t>(weight.index)));
  }
  const std::vector<float>& vector(ops::Weight weight) const {
    return std::get<std::vector<float>>(weights.at(static_cast<std::size_t>(weight.index)));
  }

 private:
  Result<ops::Weight> last() const { return ops::Weight{static_cast<std::int32_t>(weights.size()) - 1}; }
};

template <typename T>
std::vector<T> ops_of(const std::vector<ops::Op>& ops) {
  std::vector<T> out;
  for (const ops::Op& op : ops) {
    if (const T* one = std::get_if<T>(&op)) out.push_back(*one);
  }
  return out;
}

ops::Program program_of(const FakeModelFile& file, RecordingBackend& backend, const LoadOptions& options = {}) {
  auto model = load_model(file, backend, options);
  if (!model) FAIL(model.error().text());
  return std::move(model->program);
}

Error refusal(const FakeModelFile& file) {
  const auto backend = ops::make_reference_backend();
  const auto loaded = load_model(file, *backend);
  if (loaded) FAIL("It was accepted.");
  // A plan sees the same, unless it is in the weights themselves.
  return loaded.error();
}

TEST_CASE("GgufLlamaTurnsAdjacentPairsAndSafetensorsHalves") {
  RecordingBackend backend;
  const ops::Program gguf = program_of(small_gguf_llama(), backend);
  REQUIRE(gguf.ropes.size() == 1);
  CHECK(gguf.ropes[0].style == ops::RopeStyle::adjacent);
  const ops::Program safetensors = program_of(small_config_llama(), backend);
  CHECK(safetensors.ropes.at(0).style == ops::RopeStyle::half_split);
  REQUIRE(gguf.ropes[0].inverse_frequency.size() == 4);
  CHECK(gguf.ropes[0].inverse_frequency[0] == 1.0f);
  CHECK(gguf.ropes[0].inverse_frequency[2] == Approx(0.01));
}

TEST_CASE("TiedHeadSharesTheWeightOfTheEmbedding") {
  RecordingBackend backend;
  auto file = small_gguf_llama();
  ops::Program program = program_of(file, backend);
  CHECK(ops_of<ops::Linear>(program.head)[0].weight.index != ops_of<ops::Embed>(program.body)[0].table.index);
  file.remove("output.weight");
  program = program_of(file, backend);
  CHECK(ops_of<ops::Linear>(program.head)[0].weight.index == ops_of<ops::Embed>(program.body)[0].table.index);

  auto config = small_config_llama();
  config.set("tie_word_embeddings", true);  // whatever lm_head.weight holds
  program = program_of(config, backend);
  CHECK(ops_of<ops::Linear>(program.head)[0].weight.index == ops_of<ops::Embed>(program.body)[0].table.index);
}

TEST_CASE("RefusesAHeadThatIsSaidToBeThereAndIsNot") {
  auto file = small_config_llama();
  file.remove("lm_head.weight");
  CHECK_THAT(refusal(file).text(), Contains("lm_head.weight") && Contains("no such tensor"));
}

TEST_CASE("BiasesOfSomeProjectionsAreFilledUpWithZeros") {
  RecordingBackend backend;
  auto file = small_gguf_llama();
  ops::Program program = program_of(file, backend);
  CHECK_FALSE(ops_of<ops::Linear>(program.body)[0].bias.valid());
  file.add_values({"blk.0.attn_k.bias", Encoding::f16, {8}, {}}, {1, 2, 3, 4, 5, 6, 7, 8});
  program = program_of(file, backend);
  const std::vector<float> bias = backend.vector(ops_of<ops::Linear>(program.body)[0].bias);
  REQUIRE(bias.size() == 32);
  CHECK(bias[15] == 0.0f);
  CHECK(bias[16] == 1.0f);
  CHECK(bias[23] == 8.0f);
  CHECK(bias[24] == 0.0f);
}

TEST_CASE("Qwen2MustHaveItsBiases") {
  auto file = small_gguf_llama("qwen2");
  CHECK_THAT(refusal(file).text(), Contains("blk.0.attn_q.bias"));
}

// gemma's names over llama's tensors.
FakeModelFile small_config_gemma(Encoding encoding) {
  FakeModelFile file = small_config_llama();
  file.set("architectures", std::vector<std::string>{"GemmaForCausalLM"}).set("hidden_act", "gelu");
  file.set("tie_word_embeddings", true).set("hidden_size", 24).set("head_dim", 8);
  file.add("model.embed_tokens.weight", {10, 24}, encoding).add("model.norm.weight", {24});
  for (const std::string layer : {"model.layers.0.", "model.layers.1."}) {
    file.add_values({layer + "input_layernorm.weight", Encoding::bf16, {24}, {}}, std::vector<float>(24, 0.25f));
    file.add(layer + "post_attention_layernorm.weight", {24});
    file.add(layer + "self_attn.q_proj.weight", {16, 24}).add(layer + "self_attn.k_proj.weight", {8, 24});
    file.add(layer + "self_attn.v_proj.weight", {8, 24}).add(layer + "self_attn.o_proj.weight", {24, 16});
    file.add(layer + "mlp.gate_proj.weight", {24, 24}).add(layer + "mlp.up_proj.weight", {24, 24});
    file.add(layer + "mlp.down_proj.weight", {24, 24});
  }
  return file;
}

TEST_CASE("GemmaScalesItsEmbeddingInTheTypeOfItsWeights") {
  RecordingBackend backend;
  const auto scale_of = [&](Encoding encoding) {
    return ops_of<ops::Embed>(program_of(small_config_gemma(encoding), backend).body)[0].scale;
  };
  CHECK(scale_of(Encoding::f32) == std::sqrt(24.0f));
  CHECK(scale_of(Encoding::bf16) == 4.90625f);
}

TEST_CASE("GemmaNormsOfSafetensorsLackAOne") {
  RecordingBackend backend;
  const ops::Program program = program_of(small_config_gemma(Encoding::f32), backend);
  CHECK(backend.vector(ops_of<ops::Norm>(program.body)[0].weight) == std::vector<float>(24, 1.25f));
}

TEST_CASE("Gemma3TurnsSlidingLayersByTheLocalBase") {
  auto file = small_gguf_llama("gemma3");
  file.set("gemma3.attention.sliding_window", 4).set("gemma3.attention.sliding_window_pattern", 2);
  file.set("gemma3.rope.scaling.type", "linear").set("gemma3.rope.scaling.factor", 8.0);
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    file.add(layer + "attn_q_norm.weight", {8}).add(layer + "attn_k_norm.weight", {8});
    file.add(layer + "post_attention_norm.weight", {16}).add(layer + "post_ffw_norm.weight", {16});
  }
  RecordingBackend backend;
  const ops::Program program = program_of(file, backend);
  const auto stores = ops_of<ops::StoreKv>(program.body);
  const auto attends = ops_of<ops::Attend>(program.body);
  CHECK(attends[0].window == 4);
  CHECK(attends[1].window == 0);
  const ops::Rope& local = program.ropes.at(static_cast<std::size_t>(stores[0].rope));
  const ops::Rope& global = program.ropes.at(static_cast<std::size_t>(stores[1].rope));
  CHECK(local.inverse_frequency[1] == Approx(0.1));                          // 10,000^(-2/8)
  CHECK(global.inverse_frequency[1] == Approx(std::pow(1e6, -0.25) / 8.0));  // stretched
  CHECK(stores[0].q_norm.valid());
}

FakeModelFile small_gguf_mixtral(bool merged) {
  FakeModelFile file = small_gguf_llama();
  file.set("llama.expert_count", 3).set("llama.expert_used_count", 2);
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    for (const char* name : {"ffn_gate", "ffn_up", "ffn_down"}) {
      const bool down = std::string_view(name) == "ffn_down";
      file.remove(layer + name + ".weight");
      const std::int64_t rows = down ? 16 : 24;
      const std::int64_t columns = down ? 24 : 16;
      if (merged) file.add(layer + name + "_exps.weight", {3, rows, columns});
      for (int e = 0; e < 3 && !merged; ++e)
        file.add(layer + name + "." + std::to_string(e) + ".weight", {rows, columns});
    }
    file.add(layer + "ffn_gate_inp.weight", {3, 16});
  }
  return file;
}

TEST_CASE("ExpertsAreInterleavedGateBeforeUp") {
  RecordingBackend backend;
  for (const bool merged : {true, false}) {
    const FakeModelFile file = small_gguf_mixtral(merged);
    const ops::Program program = program_of(file, backend);
    const auto experts = ops_of<ops::Experts>(program.body);
    REQUIRE(experts.size() == 2);
    CHECK(experts[0].expert_count == 3);
    CHECK(experts[0].used_count == 2);
    CHECK(experts[0].hidden == 24);
    CHECK_FALSE(experts[0].softmax_before);
    const auto& parts = backend.linear(experts[0].gate_up).parts;
    REQUIRE(parts.size() == 6);
    const auto bytes_of = [&](const char* name, std::size_t e) {
      if (!merged) return file.tensor(std::string("blk.0.") + name + "." + std::to_string(e) + ".weight")->data.data();
      return file.tensor(std::string("blk.0.") + name + "_exps.weight")->data.data() + e * 24 * 16 * 4;
    };
    CHECK(parts[2].data.data() == bytes_of("ffn_gate", 1));
    CHECK(parts[3].data.data() == bytes_of("ffn_up", 1));
    CHECK(parts[5].rows == 24);
    CHECK(backend.linear(experts[1].down).parts.size() == 3);
    // Nobody needs the slots of a dense feed-forward.
    for (const std::uint32_t width : program.slot_widths) CHECK(width != 48);
  }
}

TEST_CASE("ProgressRisesToTheWholeAndEveryTensorIsLetGo") {
  const FakeModelFile file = small_gguf_llama();
  RecordingBackend backend;
  std::vector<std::uint64_t> done;
  LoadOptions options;
  options.progress = [&](std::uint64_t bytes, std::uint64_t total) {
    CHECK(total == file.data_bytes());
    done.push_back(bytes);
  };
  program_of(file, backend, options);
  REQUIRE(!done.empty());
  CHECK(std::is_sorted(done.begin(), done.end()));
  CHECK(done.back() == file.data_bytes());
  CHECK(std::set<std::string>(file.gone.begin(), file.gone.end()).size() == file.tensors().size());
}

TEST_CASE("APlanIsWhatLoadingTakesAndReadsNothing") {
  const FakeModelFile file = small_gguf_llama();
  const auto backend = ops::make_reference_backend();
  const ModelPlan plan = plan_model(file, *backend).value();
  CHECK(file.gone.empty());
  CHECK(plan.hyperparameters.width == 16);
  LoadedModel model = load_model(file, *backend).value();
  CHECK(model.program.slot_widths == plan.program.slot_widths);
  CHECK(model.program.body.size() == plan.program.body.size());
  ops::StepLimits limits;
  limits.pages = 2;
  const auto executable = backend->compile(std::move(model.program), limits).value();
  CHECK(executable->memory().weights == plan.weight_bytes);
  CHECK(executable->memory().workspace == backend->workspace_bytes(plan.program, limits));
}

TEST_CASE("RefusesEveryMissingTensorByName") {
  const FakeModelFile whole = small_gguf_llama();
  for (const formats::FileTensor& tensor : whole.tensors()) {
    if (tensor.name == "output.weight") continue;  // the embedding steps in
    FakeModelFile file = small_gguf_llama();
    file.remove(tensor.name);
    const Error error = refusal(file);
    CHECK(error.code == Code::invalid_argument);
    CHECK_THAT(error.text(), Contains(tensor.name) && Contains("no such tensor"));
  }
}

TEST_CASE("RefusesEveryWrongShapeWithBothShapes") {
  const FakeModelFile whole = small_gguf_llama();
  for (const formats::FileTensor& tensor : whole.tensors()) {
    if (tensor.name == "token_embd.weight") continue;  // says how many tokens there are
    FakeModelFile file = small_gguf_llama();
    file.claim(tensor.name, {5, 7, 11});
    const Error error = refusal(file);
    CHECK(error.code == Code::invalid_argument);
    CHECK_THAT(error.text(), Contains(tensor.name) && Contains("[5, 7, 11]"));
    CHECK_THAT(error.text(), Contains(fmt::format("[{}]", fmt::join(tensor.shape, ", "))));
  }
}

TEST_CASE("RefusesTensorsShorterThanTheirShape") {
  const FakeModelFile whole = small_gguf_llama();
  for (const formats::FileTensor& tensor : whole.tensors()) {
    FakeModelFile file = small_gguf_llama();
    file.claim(tensor.name, tensor.shape);
    CHECK_THAT(refusal(file).text(), Contains(tensor.name) && Contains("bytes"));
  }
}

TEST_CASE("RefusesHugeClaimsWithoutAllocating") {
  FakeModelFile file = small_gguf_llama();
  file.set("llama.feed_forward_length", 1 << 24).set("llama.embedding_length", 1 << 20);
  file.claim("token_embd.weight", {1 << 26, 1 << 20});
  CHECK_THAT(refusal(file).text(), Contains("token_embd.weight"));
  FakeModelFile experts = small_gguf_mixtral(true);
  experts.set("llama.expert_count", 1 << 14);
  experts.claim("blk.0.ffn_gate_inp.weight", {1 << 14, 16});
  CHECK_THAT(refusal(experts).text(), Contains("blk.0.ffn_gate_inp.weight"));
  FakeModelFile factors = small_gguf_llama();
  factors.claim("rope_freqs.weight", {std::int64_t{1} << 60});
  CHECK_THAT(refusal(factors).text(), Contains("rope_freqs.weight"));
}

TEST_CASE("RefusesEncodingsThatAUseCannotRead") {
  FakeModelFile file = small_gguf_llama();
  file.remove("output_norm.weight");
  file.add_values({"output_norm.weight", Encoding::q8_0, {16}, {}}, std::vector<float>(16));
  const Error error = refusal(file);
  CHECK(error.code == Code::unsupported);
  CHECK_THAT(error.text(), Contains("output_norm.weight") && Contains("Q8_0"));
  FakeModelFile blocks = small_gguf_llama();
  blocks.remove("blk.1.ffn_up.weight");
  blocks.add_values({"blk.1.ffn_up.weight", Encoding::q4_0, {24, 16}, {}}, std::vector<float>(24 * 16));
  CHECK_THAT(refusal(blocks).text(), Contains("blk.1.ffn_up.weight") && Contains("Q4_0") && Contains("32"));
}

TEST_CASE("RefusesTensorsOfALayerThatTheFamilyHasNoUseFor") {
  FakeModelFile file = small_gguf_llama();
  file.add("blk.1.attn_sinks.weight", {2});
  const Error error = refusal(file);
  CHECK(error.code == Code::unsupported);
  CHECK_THAT(error.text(), Contains("blk.1.attn_sinks.weight") && Contains("llama"));
  // Layers beyond the last, other parts of the model and old frequencies do not matter.
  FakeModelFile other = small_config_llama();
  other.add("model.layers.2.mtp.weight", {2}).add("vision_tower.weight", {2});
  other.add("model.layers.0.self_attn.rotary_emb.inv_freq", {4});
  RecordingBackend backend;
  program_of(other, backend);
}

TEST_CASE("RefusesAGgufThatCountsFewerLayersThanItHas") {
  FakeModelFile file = small_gguf_llama();
  file.set("llama.block_count", 1);
  CHECK_THAT(refusal(file).text(), Contains("blk.1.") && Contains("1 layers"));
}

TEST_CASE("RotaryFactorsMustBeOnePerPairAndFinite") {
  FakeModelFile file = small_gguf_llama();
  file.add_values({"rope_freqs.weight", Encoding::f32, {3}, {}}, {1, 2, 3});
  CHECK_THAT(refusal(file).text(), Contains("3 rotary factors for 4 pairs"));
  file.remove("rope_freqs.weight");
  file.add_values({"rope_freqs.weight", Encoding::f32, {4}, {}}, {1, 2, 0, 4});
  CHECK_THAT(refusal(file).text(), Contains("not finite"));
  file.remove("rope_freqs.weight");
  file.add_values({"rope_freqs.weight", Encoding::f32, {4}, {}}, {1, 2, 4, 8});
  RecordingBackend backend;
  CHECK(program_of(file, backend).ropes[0].inverse_frequency[3] == Approx(0.001 / 8.0));
}

TEST_CASE("LongropeChoosesByTheLongestSequenceThatWillBeAskedFor") {
  FakeModelFile file = small_gguf_llama("phi3");
  file.set("phi3.context_length", 64).set("phi3.rope.scaling.original_context_length", 32);
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    for (const char* name : {"attn_q", "attn_k", "attn_v", "ffn_gate"}) file.remove(layer + name + ".weight");
    file.add(layer + "attn_qkv.weight", {32, 16}).add(layer + "ffn_up.weight", {48, 16});
  }
  file.add_values({"rope_factors_short.weight", Encoding::f32, {4}, {}}, {1, 1, 1, 2});
  file.add_values({"rope_factors_long.weight", Encoding::f32, {4}, {}}, {1, 1, 1, 10});
  RecordingBackend backend;
  LoadOptions options;
  const auto last_frequency = [&] { return program_of(file, backend, options).ropes[0].inverse_frequency[3]; };
  CHECK(last_frequency() == Approx(1e-4));  // all 64
  options.max_model_len = 33;
  CHECK(last_frequency() == Approx(1e-4));
  options.max_model_len = 32;
  CHECK(last_frequency() == Approx(5e-4));
  CHECK(program_of(file, backend, options).ropes[0].magnitude ==
        Approx(std::sqrt(1.0 + std::log(2.0) / std::log(32.0))));
}

}  // namespace
}  // namespace jackdaw::arch
