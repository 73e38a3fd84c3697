// SmolLM2-135M in Q4_1 through the reference backend: its greedy tokens and their leads are those of transformers over
// the same weights (tests/data/llm/make_smollm2_exact.py), and llama.cpp's wherever its rounding decides nothing. The
// file is in the cache of peers, or the test is skipped.
#include <simdjson.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "jackdaw/arch/model.h"
#include "jackdaw/formats/model_file.h"
#include "jackdaw/ops/backend.h"
#include "jackdaw/ops/thread_pool.h"

namespace jackdaw::arch {
namespace {

namespace fs = std::filesystem;

// llama.cpp rounds activations to 8 bits, which moved leads by up to 0.48 over the answers compared here.
constexpr double llama_cpp_near_tie = 0.5;

fs::path model_path() {
  const char* cache = std::getenv("JACKDAW_CACHE");
  const char* home = std::getenv("HOME");
  const fs::path base = cache != nullptr ? fs::path(cache) : fs::path(home != nullptr ? home : "") / ".cache/jackdaw";
  return base / "peers/smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
}

struct Recorded {
  std::vector<std::int32_t> prompt;
  std::vector<std::int32_t> tokens;  // llama.cpp's answer, which both were made to follow
  std::vector<std::int32_t> best;    // after each of its places, by the exact model
  std::vector<double> lead;          // of the best log-probability over the second
  std::vector<double> lead_of_llama_cpp;
};

// The first of what is recorded, which the reference backend does in seconds; tests/e2e/llm.py compares all of it.
constexpr std::size_t answers_compared = 3;
constexpr std::size_t tokens_compared = 12;

template <typename T>
std::vector<T> list_of(const simdjson::dom::element& answer, std::string_view key) {
  std::vector<T> out;
  for (const simdjson::dom::element value : answer[key].get_array()) out.push_back(static_cast<T>(double(value)));
  if (key != "prompt_tokens") out.resize(std::min(out.size(), tokens_compared));
  return out;
}

std::vector<Recorded> recorded_answers() {
  simdjson::dom::parser parser;
  const simdjson::dom::array list =
      parser.load(std::string(JACKDAW_SOURCE_DIR) + "/tests/data/llm/arch/smollm2_exact.json");
  std::vector<Recorded> out;
  for (const simdjson::dom::element answer : list) {
    if (out.size() == answers_compared) break;
    out.push_back({list_of<std::int32_t>(answer, "prompt_tokens"), list_of<std::int32_t>(answer, "tokens"),
                   list_of<std::int32_t>(answer, "best"), list_of<double>(answer, "lead"),
                   list_of<double>(answer, "lead_of_llama_cpp")});
  }
  return out;
}

// What comes after each place of the answer, all at once.
std::vector<ops::Sampled> choices(ops::Executable& executable, const Recorded& answer) {
  std::vector<std::int32_t> tokens = answer.prompt;
  tokens.insert(tokens.end(), answer.tokens.begin(), answer.tokens.end() - 1);
  const std::vector<std::uint32_t> pages{0, 1, 2, 3, 4, 5, 6, 7};
  REQUIRE(tokens.size() <= pages.size() * ops::page_tokens);
  const ops::BatchSequence sequence{0, static_cast<std::uint32_t>(tokens.size()), 0, pages};
  ops::SamplingParameters greedy;
  greedy.temperature = 0.0f;
  greedy.top_logprobs = 2;
  std::vector<ops::SampleRow> rows(answer.tokens.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].batch_token = static_cast<std::uint32_t>(answer.prompt.size() - 1 + i);
    rows[i].parameters = &greedy;
  }
  std::vector<ops::Sampled> sampled(rows.size());
  REQUIRE(executable.step({tokens, {&sequence, 1}, rows}, sampled).has_value());
  return sampled;
}

std::unique_ptr<ops::Executable> load_smollm2(ops::Backend& backend) {
  const auto file = formats::ModelFile::open(model_path());
  if (!file) FAIL(file.error().text());
  auto model = load_model(**file, backend);
  if (!model) FAIL(model.error().text());
  CHECK(model->hyperparameters.layers == 30);
  CHECK(model->hyperparameters.quantization == "Q4_1");
  ops::StepLimits limits;
  limits.tokens_max = 128;
  limits.pages = 8;
  return backend.compile(std::move(model->program), limits).value();
}

// `tolerance`: by how much a lead may differ; a smaller one decides nothing.
void compare_answers(ops::Executable& executable, double tolerance) {
  for (const Recorded& answer : recorded_answers()) {
    const std::vector<ops::Sampled> chosen = choices(executable, answer);
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      INFO("place " << i << " of the answer to a prompt of " << answer.prompt.size() << " tokens");
      REQUIRE(chosen[i].top.size() == 2);
      if (answer.lead.at(i) > tolerance) {
        CHECK(chosen[i].token == answer.best.at(i));
        CHECK(chosen[i].top[0].logprob - chosen[i].top[1].logprob == Approx(answer.lead[i]).margin(tolerance));
      }
      if (answer.lead_of_llama_cpp.at(i) > llama_cpp_near_tie) CHECK(chosen[i].token == answer.tokens[i]);
    }
  }
}

TEST_CASE("ReferenceSaysOfSmolLM2WhatTransformersAndLlamaCppSay") {
  if (!fs::exists(model_path())) {
    WARN("skipped: SmolLM2's GGUF is not in the cache (tests/peers/install smollm2)");
    return;
  }
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  WARN("skipped: the reference backend takes minutes under a sanitizer");
#else
  const auto backend = ops::make_reference_backend();
  compare_answers(*load_smollm2(*backend), 0.01);
#endif
}

TEST_CASE("CpuSaysOfSmolLM2WhatTransformersAndLlamaCppSay") {
  if (!fs::exists(model_path())) {
    WARN("skipped: SmolLM2's GGUF is not in the cache (tests/peers/install smollm2)");
    return;
  }
  ops::ThreadPool pool(2);
  const auto backend = ops::make_cpu_backend(pool);
  // Its activations have 8 bits, as llama.cpp's have.
  compare_answers(*load_smollm2(*backend), llama_cpp_near_tie);
}

}  // namespace
}  // namespace jackdaw::arch
