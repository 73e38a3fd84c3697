// What fits: the arithmetic of plans over a backend that only counts.
#include "src/llm/memory_plan.h"

#include <catch2/catch.hpp>
#include <fstream>

namespace jackdaw::llm {
namespace {

constexpr std::uint64_t mib = 1 << 20;
constexpr std::uint64_t gib = 1 << 30;

class CountingBackend final : public ops::Backend {
 public:
  std::string_view name() const override { return "counting"; }
  Result<ops::Weight> add_linear(std::span<const ops::LinearPart>) override { return ops::Weight{0}; }
  Result<ops::Weight> add_vector(std::span<const float>) override { return ops::Weight{0}; }
  std::uint64_t linear_bytes(Encoding, std::int64_t rows, std::int64_t columns) const override {
    return static_cast<std::uint64_t>(rows * columns);
  }
  std::uint64_t page_bytes(const ops::AttentionShape& shape, ops::KvEncoding encoding) const override {
    const std::uint64_t values = std::uint64_t{2} * shape.layers * shape.kv_width() * ops::page_tokens;
    return encoding == ops::KvEncoding::q8_0 ? values * 34 / 32 : values * 2;
  }
  std::uint64_t workspace_bytes(const ops::Program&, const ops::StepLimits& limits) const override {
    return limits.tokens_max * 10'000 + limits.rows_max * 200'000;
  }
  Result<std::unique_ptr<ops::Executable>> compile(ops::Program, const ops::StepLimits&) override {
    return make_error(Code::unsupported, "This backend only counts.");
  }
};

// SmolLM2-135M: 22.5 KiB of f16 keys and values per token.
arch::ModelPlan small_model() {
  arch::ModelPlan model;
  model.hyperparameters.name = "SmolLM2 135M";
  model.hyperparameters.architecture = "llama";
  model.hyperparameters.quantization = "Q4_1";
  model.hyperparameters.vocabulary = 49'152;
  model.hyperparameters.context_length = 8192;
  model.hyperparameters.parameters = 134'515'008;
  model.weight_bytes = 100 * mib;
  model.program.attention = {30, 9, 3, 64};
  return model;
}

EnginePlan plan_of(const arch::ModelPlan& model, const engine::LlmOptions& options, MachineMemory machine) {
  auto planned = divide_memory(model, options, CountingBackend(), machine);
  if (!planned) FAIL(planned.error().text());
  return *planned;
}

TEST_CASE("DefaultsServeASmallModelModestly") {
  const EnginePlan plan = plan_of(small_model(), {}, {16 * gib, 12 * gib});
  CHECK(plan.memory.fits);
  CHECK(plan.memory.max_model_len == 8192);
  CHECK(plan.memory.max_num_seqs == 64);
  CHECK(plan.memory.kv_bytes_per_token == 23'040);
  CHECK(plan.memory.kv_cache_bytes <= 800 * mib);
  CHECK(plan.memory.requests_of_8k == plan.memory.kv_pages / 512);
  CHECK(plan.memory.requests_of_8k >= 1);
  CHECK(plan.limits.pages == plan.memory.kv_pages);
  CHECK(plan.step.pages == plan.memory.kv_pages);
  CHECK(plan.limits.rows_max >= plan.limits.max_num_seqs);
  CHECK(plan.memory.total_bytes() <= plan.memory.budget_bytes);
  CHECK_THAT(format_plan(plan.memory), Catch::Contains("134.5 million") && Catch::Contains("It fits."));
}

TEST_CASE("AContextThatNobodyAskedForShrinksToWhatFits") {
  const EnginePlan plan = plan_of(small_model(), {}, {512 * mib, 400 * mib});
  CHECK(plan.memory.fits);
  CHECK(plan.memory.max_model_len < 8192);
  CHECK(plan.memory.max_model_len == plan.memory.kv_pages * 16);
  CHECK(plan.memory.total_bytes() <= plan.memory.budget_bytes);
  engine::LlmOptions asked;
  asked.max_model_len = 8192;
  const EnginePlan refused = plan_of(small_model(), asked, {512 * mib, 400 * mib});
  CHECK_FALSE(refused.memory.fits);
  CHECK_THAT(refused.memory.advice, Catch::Contains("Lower --max-model-len"));
  CHECK_THAT(format_plan(refused.memory), Catch::Contains("It does not fit."));
}

TEST_CASE("AModelLargerThanTheBudgetIsRefusedWithAdvice") {
  arch::ModelPlan model = small_model();
  model.weight_bytes = 20 * gib;
  const EnginePlan plan = plan_of(model, {}, {16 * gib, 12 * gib});
  CHECK_FALSE(plan.memory.fits);
  CHECK_THAT(plan.memory.advice, Catch::Contains("Take a smaller model"));
  engine::LlmOptions options;
  options.memory_bytes = 24 * gib;
  CHECK(plan_of(model, options, {16 * gib, 12 * gib}).memory.fits);
}

TEST_CASE("OptionsAreHonouredOrRefusedByName") {
  engine::LlmOptions options;
  options.max_model_len = 2048;
  options.max_num_seqs = 4;
  options.max_num_batched_tokens = 128;
  options.kv_cache_bytes = 200 * mib;
  options.kv_cache_dtype = "q8_0";
  options.itl_target_ms = 40;
  options.queue_max = 9;
  const EnginePlan plan = plan_of(small_model(), options, {16 * gib, 12 * gib});
  CHECK(plan.memory.fits);
  CHECK(plan.limits.max_model_len == 2048);
  CHECK(plan.limits.max_num_seqs == 4);
  CHECK(plan.limits.max_num_batched_tokens == 128);
  CHECK(plan.limits.itl_target_ms == 40);
  CHECK(plan.limits.queue_max == 9);
  CHECK(plan.memory.kv_cache_bytes <= 200 * mib);
  CHECK(plan.memory.kv_cache_bytes > 199 * mib);
  CHECK(plan.step.kv_encoding == ops::KvEncoding::q8_0);

  const auto error_of = [](const engine::LlmOptions& o) {
    auto planned = divide_memory(small_model(), o, CountingBackend(), {16 * gib, 12 * gib});
    REQUIRE_FALSE(planned.has_value());
    return planned.error().message;
  };
  options.kv_cache_dtype = "fp8";
  CHECK_THAT(error_of(options), Catch::Contains("fp8"));
  options = {};
  options.max_model_len = 10'000;
  CHECK_THAT(error_of(options), Catch::Contains("10000") && Catch::Contains("8192"));
  options = {};
  options.max_num_seqs = 100;
  options.max_num_batched_tokens = 50;
  CHECK_THAT(error_of(options), Catch::Contains("--max-num-batched-tokens 50"));
}

TEST_CASE("ACacheTooSmallForOneRequestIsRefused") {
  engine::LlmOptions options;
  options.max_model_len = 4096;
  options.kv_cache_bytes = 10 * mib;
  const EnginePlan plan = plan_of(small_model(), options, {16 * gib, 12 * gib});
  CHECK_FALSE(plan.memory.fits);
  CHECK_THAT(plan.memory.advice, Catch::Contains("Raise --kv-cache-memory-bytes"));
  options.max_model_len = 0;  // shrinks by itself
  const EnginePlan shrunk = plan_of(small_model(), options, {16 * gib, 12 * gib});
  CHECK(shrunk.memory.fits);
  CHECK(shrunk.memory.max_model_len == shrunk.memory.kv_pages * 16);
}

TEST_CASE("MemoryLimitsOfCgroupsCount") {
  namespace fs = std::filesystem;
  const fs::path root = fs::temp_directory_path() / "jackdaw-machine-memory";
  fs::remove_all(root);
  const auto write = [&](const char* name, const char* text) {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name) << text;
  };
  write("proc/meminfo", "MemTotal:       16777216 kB\nMemFree: 1 kB\nMemAvailable:    8388608 kB\n");
  CHECK(machine_memory(root).total == 16 * gib);
  CHECK(machine_memory(root).available == 8 * gib);
  write("proc/self/cgroup", "0::/pod/jackdaw\n");
  write("sys/fs/cgroup/pod/jackdaw/memory.max", "max\n");
  write("sys/fs/cgroup/pod/memory.max", "4294967296\n");
  write("sys/fs/cgroup/pod/memory.current", "1073741824\n");
  CHECK(machine_memory(root).total == 4 * gib);
  CHECK(machine_memory(root).available == 3 * gib);
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "2147483648\n");
  CHECK(machine_memory(root).total == 2 * gib);
  CHECK(machine_memory(root).available == 2 * gib);
  fs::remove_all(root);
  CHECK(machine_memory("/").total > 0);
  CHECK(machine_memory("/").available <= machine_memory("/").total);
}

}  // namespace
}  // namespace jackdaw::llm
