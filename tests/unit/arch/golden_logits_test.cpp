// Every family of the table against transformers: tiny random models, their logits at every position. Models and
// logits: tests/data/llm/make_arch_models.py.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "jackdaw/arch/model.h"
#include "jackdaw/formats/model_file.h"
#include "jackdaw/ops/backend.h"
#include "jackdaw/ops/thread_pool.h"

namespace jackdaw::arch {
namespace {

namespace fs = std::filesystem;
using Rows = std::vector<std::vector<float>>;

constexpr std::uint32_t token_count = 24;

struct GoldenCase {
  std::string name;
  bool has_gguf = false;
  std::uint32_t max_model_len = 0;
};

// The reference backend keeps keys and values as they are for an encoding it does not know: what is left to differ is
// float arithmetic.
constexpr auto unrounded = static_cast<ops::KvEncoding>(255);

// A case without GGUF has no keys there for what makes it different.
const std::vector<GoldenCase> cases{
    {"llama", true},         {"llama31", true},         {"llama_bias", true}, {"llama_yarn", true},
    {"mistral", false},      {"mixtral", true},         {"smollm3", true},    {"qwen2", true},
    {"qwen2_window", false}, {"qwen3", true},           {"qwen3moe", true},   {"qwen3moe_mixed", false},
    {"gemma", true},         {"gemma2", true},          {"gemma3", true},     {"phi3", true},
    {"phi3_long", true},     {"phi3_short", false, 24},
};

fs::path data_folder() {
  return fs::path(JACKDAW_SOURCE_DIR) / "tests/data/llm/arch";
}

std::vector<float> read_golden(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), out.size() * sizeof(float));
  return out;
}

// Logits of all tokens, fed `chunk` at a time.
Rows run_model(const fs::path& path, ops::Backend& backend, const GoldenCase& golden, ops::KvEncoding kv_encoding,
               std::uint32_t chunk) {
  const auto file = formats::ModelFile::open(path);
  if (!file) FAIL(file.error().text());
  LoadOptions options;
  options.max_model_len = golden.max_model_len;
  auto model = load_model(**file, backend, options);
  if (!model) FAIL(model.error().text());
  const auto vocabulary = static_cast<std::int32_t>(model->hyperparameters.vocabulary);
  ops::StepLimits limits;
  limits.pages = 4;
  limits.kv_encoding = kv_encoding;
  auto executable = backend.compile(std::move(model->program), limits);
  if (!executable) FAIL(executable.error().text());

  std::vector<std::int32_t> tokens;
  for (std::uint32_t i = 0; i < token_count; ++i) {
    tokens.push_back(static_cast<std::int32_t>(37 * i + 11) % vocabulary);
  }
  const std::vector<std::uint32_t> pages{2, 0};
  ops::SamplingParameters greedy;
  greedy.temperature = 0.0f;
  Rows out;
  for (std::uint32_t begin = 0; begin < token_count; begin += chunk) {
    const std::uint32_t count = std::min(chunk, token_count - begin);
    const ops::BatchSequence sequence{0, count, begin, pages};
    std::vector<ops::SampleRow> rows(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      rows[i].batch_token = i;
      rows[i].parameters = &greedy;
    }
    std::vector<ops::Sampled> sampled(count);
    REQUIRE((*executable)->step({std::span(tokens).subspan(begin, count), {&sequence, 1}, rows}, sampled).has_value());
    for (std::uint32_t i = 0; i < count; ++i) out.push_back((*executable)->logits(i));
  }
  return out;
}

struct Distance {
  double largest = 0.0;   // of any logit, in units of the root mean square of all
  double relative = 0.0;  // root mean square
};

Distance distance_to(const std::vector<float>& golden, const Rows& got) {
  REQUIRE(golden.size() == got.size() * got.front().size());
  double differences = 0.0;
  double squares = 0.0;
  Distance out;
  for (std::size_t i = 0; i < golden.size(); ++i) {
    const double expected = golden[i];
    const double difference = std::fabs(double{got[i / got.front().size()][i % got.front().size()]} - expected);
    out.largest = std::isnan(difference) ? INFINITY : std::max(out.largest, difference);
    differences += difference * difference;
    squares += expected * expected;
  }
  const double size = std::sqrt(squares / static_cast<double>(golden.size()));
  out.largest /= size;
  out.relative = std::sqrt(differences / squares);
  return out;
}

template <typename Check>
void for_each_model(const Check& check) {
  for (const GoldenCase& c : cases) {
    const fs::path folder = data_folder() / c.name;
    const std::vector<float> golden = read_golden(folder / "golden.bin");
    REQUIRE(!golden.empty());
    check(c, folder / "model.safetensors", golden);
    if (c.has_gguf) check(c, folder / "model.gguf", golden);
  }
}

TEST_CASE("ReferenceLogitsAreThoseOfTransformersForEveryFamily") {
  for_each_model([](const GoldenCase& c, const fs::path& path, const std::vector<float>& golden) {
    INFO(path.string());
    const auto backend = ops::make_reference_backend();
    const Distance distance = distance_to(golden, run_model(path, *backend, c, unrounded, token_count));
    CHECK(distance.largest < 2e-5);
  });
}

TEST_CASE("ReferenceLogitsSurviveTheRoundingOfTheCache") {
  for_each_model([](const GoldenCase& c, const fs::path& path, const std::vector<float>& golden) {
    INFO(path.string());
    const auto backend = ops::make_reference_backend();
    const Distance half = distance_to(golden, run_model(path, *backend, c, ops::KvEncoding::f16, 5));
    CHECK(half.relative < 1e-3);
    CHECK(half.largest < 1e-2);
    const Distance eight_bits = distance_to(golden, run_model(path, *backend, c, ops::KvEncoding::q8_0, 5));
    CHECK(eight_bits.relative < 3e-2);
  });
}

TEST_CASE("CpuLogitsAreThoseOfTransformersWithinItsRounding") {
  ops::ThreadPool pool(2);
  for_each_model([&](const GoldenCase& c, const fs::path& path, const std::vector<float>& golden) {
    INFO(path.string());
    const auto whole_backend = ops::make_cpu_backend(pool);
    const Rows whole = run_model(path, *whole_backend, c, ops::KvEncoding::f16, token_count);
    const Distance distance = distance_to(golden, whole);
    // Float weights are multiplied by float activations: 6e-4, nearly all of it the cache's rounding. The bound leaves
    // room for bf16 activations.
    CHECK(distance.relative < 1e-2);
    const auto single_backend = ops::make_cpu_backend(pool);
    const Rows single = run_model(path, *single_backend, c, ops::KvEncoding::f16, 1);
    CHECK((whole == single));  // bit for bit, however steps are cut
  });
}

}  // namespace
}  // namespace jackdaw::arch
