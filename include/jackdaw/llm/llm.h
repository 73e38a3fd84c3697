// LLM engines: an engine::Engine that generates, from a GGUF file or a safetensors folder.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "jackdaw/base/metrics.h"
#include "jackdaw/base/result.h"
#include "jackdaw/engine/engine.h"
#include "jackdaw/ops/backend.h"
#include "jackdaw/ops/thread_pool.h"

namespace jackdaw::llm {

// What serving a model will occupy and allow, computed from headers alone. `jackdaw plan` prints it; load enforces it.
struct MemoryPlan {
  std::string model;  // name, architecture and quantization in words
  std::string architecture;
  std::string quantization;
  std::uint64_t parameters = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t weight_bytes = 0;  // repacked
  std::uint64_t kv_bytes_per_token = 0;
  std::uint64_t kv_cache_bytes = 0;
  std::uint64_t workspace_bytes = 0;
  std::uint64_t budget_bytes = 0;   // what may be used
  std::uint64_t machine_bytes = 0;  // RAM, or the cgroup's limit
  std::uint32_t kv_pages = 0;
  std::uint32_t max_model_len = 0;
  std::uint32_t max_num_seqs = 0;
  std::uint32_t max_num_batched_tokens = 0;
  std::uint32_t requests_of_8k = 0;  // how many requests of 8,192 tokens (or max_model_len, if smaller) fit at once
  std::uint32_t request_tokens = 0;  // the length counted above
  bool fits = false;
  std::string advice;  // when it does not fit: what to lower, as a sentence

  std::uint64_t total_bytes() const { return weight_bytes + kv_cache_bytes + workspace_bytes; }
};

Result<MemoryPlan> plan(const std::string& path, const engine::LlmOptions& options, const ops::Backend& backend);
// A table for a terminal.
std::string format_plan(const MemoryPlan& plan);

struct LlmContext {
  ops::ThreadPool* pool = nullptr;  // shared by all CPU engines
  MetricsRegistry* metrics = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
};

// Everything in the context must outlive the factory and its engines. EngineSpec::model_format is "gguf",
// "safetensors" or "huggingface"; EngineSpec::llm holds the options.
std::unique_ptr<engine::EngineFactory> make_engine_factory(LlmContext context);

}  // namespace jackdaw::llm
