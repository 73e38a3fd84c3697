// The CPU backend on every instruction set this machine has, against the reference and against itself.
#include "src/ops/cpu_backend.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "backend_cases.h"
#include "jackdaw/ops/thread_pool.h"

namespace jackdaw::ops {
namespace {

using testing::BackendCase;

// Two layers over random weights; quantized ones, and heads in groups of three.
Program small_program(Backend& backend, std::uint64_t& linear_bytes) {
  constexpr std::uint32_t width = 96, hidden = 64, vocabulary = 200;
  std::uint64_t seed = 1;
  const auto matrix = [&](Encoding encoding, std::int64_t rows, std::int64_t columns) {
    const std::vector<std::byte> data = testing::random_rows(encoding, rows, columns, seed++);
    linear_bytes += backend.linear_bytes(encoding, rows, columns);
    const LinearPart part{encoding, rows, columns, data};
    return backend.add_linear({&part, 1}).value();
  };
  const Weight ones = backend.add_vector(std::vector<float>(width, 1.0f)).value();
  linear_bytes += width * sizeof(float);
  Program p;
  p.attention = {2, 6, 2, 16};
  p.ropes.push_back({RopeStyle::half_split, {1.0f, 0.3f, 0.1f, 0.03f, 0.01f, 0.003f, 0.001f, 0.0003f}, 1.0f});
  const Slot x = p.add_slot(width), h = p.add_slot(width), qkv = p.add_slot(160), att = p.add_slot(width);
  const Slot gate_up = p.add_slot(2 * hidden), gated = p.add_slot(hidden);
  const Weight table = matrix(Encoding::q8_0, vocabulary, width);
  p.body.emplace_back(Embed{table, 1.0f, x});
  for (std::uint32_t layer = 0; layer < 2; ++layer) {
    p.body.emplace_back(Norm{x, ones, 1e-5f, h, false});
    p.body.emplace_back(Linear{h, matrix(Encoding::q4_1, 160, width), {}, qkv, false});
    p.body.emplace_back(StoreKv{qkv, layer, {}, {}, 1e-6f, 0});
    p.body.emplace_back(Attend{qkv, layer, 0.25f, 0.0f, layer == 0 ? 0u : 700u, {}, att});
    p.body.emplace_back(Linear{att, matrix(Encoding::q4_0, width, width), {}, x, true});
    p.body.emplace_back(Norm{x, ones, 1e-5f, h, false});
    p.body.emplace_back(Linear{h, matrix(Encoding::q4_1, 2 * hidden, width), {}, gate_up, false});
    p.body.emplace_back(Gate{gate_up, gated, Activation::silu});
    p.body.emplace_back(Linear{gated, matrix(Encoding::q8_0, width, hidden), {}, x, true});
  }
  p.head_in = x;
  p.head_rows = p.add_slot(width);
  const Slot normed = p.add_slot(width);
  p.logits = p.add_slot(vocabulary);
  p.head.emplace_back(Norm{p.head_rows, ones, 1e-5f, normed, false});
  p.head.emplace_back(Linear{normed, table, {}, p.logits, false});
  return p;
}

// Logits after each token from `from` on of a prompt of 1,500 tokens, given in steps of `chunk` tokens.
std::vector<std::vector<float>> long_prompt(ThreadPool& pool, kernels::VectorSet set, std::uint32_t chunk) {
  constexpr std::uint32_t length = 1500, from = 1490;
  const auto backend = make_cpu_backend(pool, set);
  std::uint64_t bytes = 0;
  StepLimits limits{.tokens_max = 1024, .rows_max = 4, .pages = 100, .kv_encoding = KvEncoding::f16};
  const auto executable = backend->compile(small_program(*backend, bytes), limits).value();
  std::vector<std::uint32_t> pages;
  for (std::uint32_t i = 0; i < 100; ++i) pages.push_back(99 - i);
  SamplingParameters greedy;
  greedy.temperature = 0.0f;
  std::vector<std::vector<float>> out;
  for (std::uint32_t at = 0; at < length;) {
    const std::uint32_t count = at >= from ? 1 : std::min(chunk, from - at);
    std::vector<std::int32_t> tokens;
    for (std::uint32_t i = 0; i < count; ++i) tokens.push_back(static_cast<std::int32_t>((at + i) * 37 % 200));
    const BatchSequence sequence{0, count, at, pages};
    SampleRow row;
    row.batch_token = count - 1;
    row.parameters = &greedy;
    Sampled sampled;
    REQUIRE(executable->step({tokens, {&sequence, 1}, {&row, 1}}, {&sampled, 1}).has_value());
    if (at >= from) out.push_back(executable->logits(0));
    at += count;
  }
  return out;
}

std::string set_name(kernels::VectorSet set) {
  return set == kernels::VectorSet::plain    ? "plain"
         : set == kernels::VectorSet::avx2   ? "avx2"
         : set == kernels::VectorSet::avx512 ? "avx512"
                                             : "amx";
}

}  // namespace

TEST_CASE("CpuBackendAgreesWithReference", "[cases-reference]") {
  ThreadPool one(1), two(2);
  for (const BackendCase& c : testing::backend_cases()) {
    INFO(c.name);
    const auto expected = testing::reference_logits(c);
    REQUIRE(expected.has_value());
    for (const kernels::VectorSet set : cpu_instruction_sets()) {
      INFO("on " << set_name(set));
      ThreadPool& pool = set == kernels::VectorSet::plain ? one : two;
      CHECK(testing::compare_with_reference(c, *expected, *make_cpu_backend(pool, set), 0.02) == "");
    }
  }
}

TEST_CASE("CpuBackendGivesTheSameBitsHoweverStepsAreCut", "[cases-cut]") {
  ThreadPool pool(2);  // these are very many small steps: with more threads than cores they mostly wait for each other
  for (const kernels::VectorSet set : cpu_instruction_sets()) {
    for (const BackendCase& c : testing::backend_cases()) {
      INFO(c.name << " on " << set_name(set));
      const auto whole = testing::run_case(c, *make_cpu_backend(pool, set));
      REQUIRE(whole.has_value());
      for (const std::uint32_t chunk : {1u, 5u}) {
        CHECK(testing::differs_when_split(c, *whole, *make_cpu_backend(pool, set), chunk) == "");
      }
    }
  }
}

TEST_CASE("CpuBackendGivesTheSameBitsOnAnyNumberOfThreads") {
  const kernels::VectorSet set = cpu_instruction_sets().back();
  ThreadPool one(1), two(2), five(5);
  for (const BackendCase& c : testing::backend_cases()) {
    INFO(c.name);
    const auto right = testing::run_case(c, *make_cpu_backend(one, set));
    REQUIRE(right.has_value());
    for (ThreadPool* pool : {&two, &five}) {
      const auto got = testing::run_case(c, *make_cpu_backend(*pool, set));
      REQUIRE(got.has_value());
      CHECK(*got == *right);
    }
  }
}

TEST_CASE("CpuBackendSplitsLongContextsWithoutChangingABit") {
  for (const kernels::VectorSet set : cpu_instruction_sets()) {
    if (set == kernels::VectorSet::plain) continue;
    ThreadPool one(1), two(2), five(5);
    const auto right = long_prompt(one, set, 500);
    CHECK(long_prompt(two, set, 1000) == right);
    CHECK(long_prompt(five, set, 333) == right);
    CHECK(long_prompt(two, set, 64) == right);
  }
}

TEST_CASE("CpuBackendPlansAsManyBytesAsItTakes") {
  ThreadPool pool(2);
  const auto backend = make_cpu_backend(pool);
  std::uint64_t linear_bytes = 0;
  Program program = small_program(*backend, linear_bytes);
  for (const KvEncoding encoding : {KvEncoding::f16, KvEncoding::bf16, KvEncoding::q8_0}) {
    const StepLimits limits{.tokens_max = 64, .rows_max = 8, .pages = 7, .kv_encoding = encoding};
    const std::uint64_t workspace = backend->workspace_bytes(program, limits);
    const auto executable = backend->compile(program, limits).value();
    const MemoryUse memory = executable->memory();
    CHECK(memory.weights == linear_bytes);
    CHECK(memory.kv_cache == 7 * backend->page_bytes(program.attention, encoding));
    CHECK(memory.workspace == workspace);
  }
  // Two layers, two key heads of 16 elements, keys and values, 16 tokens of 2 bytes.
  CHECK(backend->page_bytes(program.attention, KvEncoding::f16) == 2 * 2 * 2 * 16 * 16 * 2);
}

TEST_CASE("CpuBackendRefusesWhatItHasNoKernelFor") {
  ThreadPool pool(1);
  const auto backend = make_cpu_backend(pool);
  const std::vector<std::byte> data(4096);
  const LinearPart odd{Encoding::q4_0, 4, 33, data};
  CHECK(backend->add_linear({&odd, 1}).error().code == Code::unsupported);
  const LinearPart short_of_data{Encoding::q4_0, 400, 320, data};
  CHECK(backend->add_linear({&short_of_data, 1}).error().code == Code::invalid_argument);
  const LinearPart parts[]{{Encoding::f32, 2, 32, data}, {Encoding::f32, 2, 16, data}};
  CHECK(backend->add_linear(parts).error().code == Code::invalid_argument);
}

TEST_CASE("CpuBackendSamplesTheSameGreedilyAndByRow") {
  ThreadPool pool(2);
  const auto backend = make_cpu_backend(pool);
  std::uint64_t bytes = 0;
  const StepLimits limits{.tokens_max = 8, .rows_max = 8, .pages = 2, .kv_encoding = KvEncoding::f16};
  const auto executable = backend->compile(small_program(*backend, bytes), limits).value();
  const std::vector<std::uint32_t> pages{0, 1};
  const std::vector<std::int32_t> tokens{1, 2, 3, 4, 5};
  const BatchSequence sequence{0, 5, 0, pages};
  SamplingParameters greedy, scored;
  greedy.temperature = scored.temperature = 0.0f;
  scored.top_logprobs = 2;  // takes the way of whole rows
  std::vector<SampleRow> rows(4);
  for (std::uint32_t i = 0; i < 4; ++i) {
    rows[i].batch_token = 1 + i / 2 * 3;
    rows[i].parameters = i % 2 == 0 ? &greedy : &scored;
  }
  std::vector<Sampled> out(4);
  REQUIRE(executable->step({tokens, {&sequence, 1}, rows}, out).has_value());
  CHECK(out[0].token == out[1].token);
  CHECK(out[2].token == out[3].token);
  CHECK(out[1].top.size() == 2);
  CHECK(executable->logits(0) == executable->logits(1));
}

}  // namespace jackdaw::ops
