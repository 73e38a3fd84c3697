#include "src/llm/memory_plan.h"

#include <algorithm>
#include <filesystem>

#include "src/llm/kv_cache.h"

namespace jackdaw::llm {

namespace {

// Defaults; llm's README has the table with reasons.
constexpr std::uint32_t default_max_num_seqs = 64;
constexpr std::uint32_t default_batched_tokens = 512;
constexpr std::uint32_t default_queue_max = 512;
constexpr double default_itl_target_ms = 100.0;
constexpr std::uint32_t default_context = 4096;     // of files that do not say
constexpr std::uint32_t shortest_context = 256;     // a server for less is of no use
constexpr double budget_share = 0.85;               // of what is available
constexpr std::uint64_t reserve_bytes = 64u << 20;  // for the process itself
constexpr std::uint64_t kv_machine_share = 8;       // the cache is at most an eighth of the machine ...
constexpr std::uint64_t kv_weights_multiple = 8;    // ... and eight times the weights, unless asked for

struct KvName {
  std::string_view name;
  ops::KvEncoding encoding;
};
constexpr KvName kv_names[] = {
    {"f16", ops::KvEncoding::f16},  {"bf16", ops::KvEncoding::bf16},     {"q8_0", ops::KvEncoding::q8_0},
    {"", ops::KvEncoding::f16},     {"auto", ops::KvEncoding::f16},      {"float16", ops::KvEncoding::f16},
    {"half", ops::KvEncoding::f16}, {"bfloat16", ops::KvEncoding::bf16},
};

double gib(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 30);
}

std::uint32_t clamp_u32(std::uint64_t value) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(value, 0x7fffffffu));
}

Result<void> check_options(const engine::LlmOptions& options, std::uint32_t context) {
  if (options.max_model_len > context) {
    return make_error(Code::invalid_argument, "--max-model-len {} is longer than the model's context of {} tokens.",
                      options.max_model_len, context);
  }
  if (options.max_num_batched_tokens > 0 && options.max_num_batched_tokens < options.max_num_seqs) {
    return make_error(Code::invalid_argument, "--max-num-batched-tokens {} is smaller than --max-num-seqs {}.",
                      options.max_num_batched_tokens, options.max_num_seqs);
  }
  if (options.max_num_seqs > 65'536 || options.max_num_batched_tokens > 1'048'576 || options.speculative_tokens > 64) {
    return make_error(Code::invalid_argument,
                      "--max-num-seqs may be 65536, --max-num-batched-tokens 1048576 and the draft length 64 at most.");
  }
  return {};
}

EngineLimits limits_of(const engine::LlmOptions& options) {
  EngineLimits limits;
  limits.max_num_seqs = options.max_num_seqs > 0 ? options.max_num_seqs : default_max_num_seqs;
  if (options.max_num_seqs == 0 && options.max_num_batched_tokens > 0) {
    limits.max_num_seqs = std::min(limits.max_num_seqs, options.max_num_batched_tokens);
  }
  limits.max_num_batched_tokens = options.max_num_batched_tokens > 0
                                      ? options.max_num_batched_tokens
                                      : std::max(default_batched_tokens, limits.max_num_seqs);
  limits.speculative_tokens = options.speculative_tokens;
  // Two sequences with a draft each, while no more than two run.
  limits.rows_max = std::max({limits.max_num_seqs, 2 * (1 + limits.speculative_tokens), 16u});
  limits.queue_max = options.queue_max > 0 ? options.queue_max : default_queue_max;
  limits.itl_target_ms = options.itl_target_ms > 0 ? options.itl_target_ms : default_itl_target_ms;
  limits.enable_prefix_caching = options.enable_prefix_caching;
  return limits;
}

std::uint64_t default_budget(const MachineMemory& machine) {
  const auto share = static_cast<std::uint64_t>(budget_share * static_cast<double>(machine.available));
  return share > reserve_bytes ? share - reserve_bytes : 0;
}

// Pages by default: for all sequences at full length, within the caps and the room, but one whole sequence if possible.
std::uint64_t default_pages(const MemoryPlan& plan, std::uint64_t page_bytes, std::uint64_t room_bytes) {
  const std::uint64_t one = pages_for(plan.max_model_len);
  const std::uint64_t cap = std::min(plan.machine_bytes / kv_machine_share, plan.weight_bytes * kv_weights_multiple);
  const std::uint64_t wanted = std::min(one * plan.max_num_seqs, std::max(cap / page_bytes, one));
  return std::min(wanted, room_bytes / page_bytes);
}

std::string advice_for(const MemoryPlan& plan, std::uint64_t needed_bytes, const engine::LlmOptions& options) {
  std::string out = fmt::format(
      "{:.2f} GiB are needed ({:.2f} of weights, {:.2f} to compute in, the rest for the KV cache), "
      "but {:.2f} GiB may be used of the machine's {:.2f}.",
      gib(needed_bytes), gib(plan.weight_bytes), gib(plan.workspace_bytes), gib(plan.budget_bytes),
      gib(plan.machine_bytes));
  if (plan.weight_bytes + plan.workspace_bytes > plan.budget_bytes) {
    return out + " Take a smaller model or a stronger quantization, or free memory.";
  }
  if (options.kv_cache_bytes > 0) return out + " Lower --kv-cache-memory-bytes.";
  return out + " Lower --max-model-len, or set --kv-cache-dtype q8_0, which halves the cache.";
}

}  // namespace

Result<ops::KvEncoding> kv_encoding_of(const std::string& name) {
  for (const KvName& row : kv_names) {
    if (row.name == name) return row.encoding;
  }
  return make_error(Code::unsupported, "--kv-cache-dtype '{}' is not one of auto, f16, bf16, q8_0.", name);
}

std::string_view kv_encoding_name(ops::KvEncoding encoding) {
  for (const KvName& row : kv_names) {
    if (row.encoding == encoding) return row.name;
  }
  return "f16";
}

Result<EnginePlan> divide_memory(const arch::ModelPlan& model, const engine::LlmOptions& options,
                                 const ops::Backend& backend, const MachineMemory& machine) {
  const arch::Hyperparameters& hyper = model.hyperparameters;
  const std::uint32_t context = hyper.context_length > 0 ? hyper.context_length : default_context;
  JACKDAW_TRY(check_options(options, context));
  JACKDAW_ASSIGN(const ops::KvEncoding encoding, kv_encoding_of(options.kv_cache_dtype));
  const std::uint64_t page_bytes = std::max<std::uint64_t>(backend.page_bytes(model.program.attention, encoding), 1);

  EnginePlan out;
  EngineLimits& limits = out.limits;
  limits = limits_of(options);
  limits.vocabulary = hyper.vocabulary;
  limits.max_model_len = options.max_model_len > 0 ? options.max_model_len : context;
  out.step = {limits.max_num_batched_tokens, limits.rows_max, 0, encoding};

  MemoryPlan& plan = out.memory;
  plan.model =
      fmt::format("{} ({}, {})", hyper.name.empty() ? "unnamed" : hyper.name, hyper.architecture, hyper.quantization);
  plan.architecture = hyper.architecture;
  plan.quantization = hyper.quantization;
  plan.parameters = hyper.parameters;
  plan.weight_bytes = model.weight_bytes;
  plan.kv_bytes_per_token = page_bytes / ops::page_tokens;
  plan.machine_bytes = machine.total;
  plan.budget_bytes = options.memory_bytes > 0 ? options.memory_bytes : default_budget(machine);
  plan.max_num_seqs = limits.max_num_seqs;
  plan.max_num_batched_tokens = limits.max_num_batched_tokens;
  plan.max_model_len = limits.max_model_len;
  plan.workspace_bytes = backend.workspace_bytes(model.program, out.step);

  const std::uint64_t fixed = plan.weight_bytes + plan.workspace_bytes;
  const std::uint64_t room = plan.budget_bytes > fixed ? plan.budget_bytes - fixed : 0;
  const std::uint64_t pages =
      options.kv_cache_bytes > 0 ? options.kv_cache_bytes / page_bytes : default_pages(plan, page_bytes, room);
  plan.kv_pages = clamp_u32(pages);
  // A context nobody asked for may shrink to what fits.
  if (options.max_model_len == 0 && pages < pages_for(plan.max_model_len)) {
    const std::uint64_t tokens = pages * ops::page_tokens;
    if (tokens >= shortest_context) plan.max_model_len = clamp_u32(tokens);
  }
  plan.kv_cache_bytes = std::uint64_t{plan.kv_pages} * page_bytes;
  plan.fits = plan.total_bytes() <= plan.budget_bytes && pages >= pages_for(plan.max_model_len);
  if (!plan.fits) {
    const std::uint64_t kv = std::max(plan.kv_cache_bytes, pages_for(plan.max_model_len) * page_bytes);
    plan.advice = advice_for(plan, fixed + kv, options);
    if (fixed + kv <= plan.budget_bytes) {
      plan.advice = fmt::format(
          "A KV cache of {} bytes has no room for one request of {} tokens, which takes {} bytes. Raise "
          "--kv-cache-memory-bytes or lower --max-model-len.",
          options.kv_cache_bytes, plan.max_model_len, kv);
    }
  }
  plan.request_tokens = std::min<std::uint32_t>(8192, plan.max_model_len);
  plan.requests_of_8k = plan.kv_pages / std::max(1u, pages_for(plan.request_tokens));
  limits.pages = plan.kv_pages;
  limits.max_model_len = plan.max_model_len;
  out.step.pages = plan.kv_pages;
  return out;
}

Result<EnginePlan> plan_engine(const formats::ModelFile& file, const engine::LlmOptions& options,
                               const ops::Backend& backend, const MachineMemory& machine) {
  JACKDAW_ASSIGN(const arch::ModelPlan model, arch::plan_model(file, backend));
  JACKDAW_ASSIGN(EnginePlan out, divide_memory(model, options, backend, machine));
  for (const std::filesystem::path& path : file.files()) {
    std::error_code failed;
    const std::uintmax_t size = std::filesystem::file_size(path, failed);
    if (!failed) out.memory.file_bytes += size;
  }
  return out;
}

Result<MemoryPlan> plan(const std::string& path, const engine::LlmOptions& options, const ops::Backend& backend) {
  JACKDAW_ASSIGN(const auto file, formats::ModelFile::open(path));
  auto planned = plan_engine(*file, options, backend, machine_memory());
  if (!planned) return std::move(planned).error().at(path);
  return std::move(planned->memory);
}

// ---- the table ----------------------------------------------------------------------------------------------------

namespace {

std::string bytes_text(std::uint64_t bytes) {
  if (bytes >= std::uint64_t{10} << 30) return fmt::format("{:.1f} GiB", gib(bytes));
  if (bytes >= std::uint64_t{1} << 30) return fmt::format("{:.2f} GiB", gib(bytes));
  if (bytes >= std::uint64_t{1} << 20) return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
  return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
}

std::string parameters_text(std::uint64_t count) {
  if (count >= 1'000'000'000) return fmt::format("{:.2f} billion", static_cast<double>(count) * 1e-9);
  return fmt::format("{:.1f} million", static_cast<double>(count) * 1e-6);
}

}  // namespace

std::string format_plan(const MemoryPlan& plan) {
  std::string out;
  const auto row = [&](std::string_view name, std::string_view value, std::string_view note = "") {
    out += fmt::format("{:<20}{:>14}{}{}\n", name, value, note.empty() ? "" : "   ", note);
  };
  out += fmt::format("{}\n", plan.model);
  row("parameters", parameters_text(plan.parameters));
  row("file", bytes_text(plan.file_bytes));
  row("weights", bytes_text(plan.weight_bytes), "as they stand in memory");
  row("KV cache", bytes_text(plan.kv_cache_bytes),
      fmt::format("{} tokens, {} each", std::uint64_t{plan.kv_pages} * ops::page_tokens,
                  bytes_text(plan.kv_bytes_per_token)));
  row("workspace", bytes_text(plan.workspace_bytes),
      fmt::format("steps of up to {} tokens", plan.max_num_batched_tokens));
  row("together", bytes_text(plan.total_bytes()));
  row("may be used", bytes_text(plan.budget_bytes), fmt::format("the machine has {}", bytes_text(plan.machine_bytes)));
  row("longest request", fmt::format("{} tokens", plan.max_model_len), "--max-model-len");
  row("at once", fmt::format("{} requests", plan.max_num_seqs),
      fmt::format("{} of {} tokens", plan.requests_of_8k, plan.request_tokens));
  out += plan.fits ? "It fits.\n" : fmt::format("It does not fit. {}\n", plan.advice);
  return out;
}

}  // namespace jackdaw::llm
