// LlmMetrics: the vllm:* families that autoscalers, routers and dashboards look for (names, labels and buckets as vLLM
// publishes them), for one engine of a model. Updates are relaxed atomics; the registry must outlive it. With it go the
// values that are of now: its gauges fall to 0, the counters stay.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "jackdaw/base/metrics.h"
#include "src/llm/engine_limits.h"

namespace jackdaw::llm {

class LlmMetrics {
 public:
  // `number`: which of the model's engines it is (engine_numbers.h); kept until the gauges have fallen.
  LlmMetrics(MetricsRegistry& registry, const std::string& model_name,
             const std::shared_ptr<const std::string>& number = std::make_shared<const std::string>("0"));
  ~LlmMetrics();
  LlmMetrics(const LlmMetrics&) = delete;
  LlmMetrics& operator=(const LlmMetrics&) = delete;

  // vllm:cache_config_info, once the engine's numbers are known.
  void describe_cache(const EngineLimits& limits, const std::string& cache_dtype);

  enum Ended : std::size_t { stop, length, abort, error, ended_count };

  Gauge& running;
  Gauge& waiting;
  Gauge& kv_cache_usage;
  Counter& prefix_queries;  // tokens
  Counter& prefix_hits;     // tokens
  Counter& preemptions;
  Counter& prompt_tokens;
  Counter& generation_tokens;
  Histogram& iteration_tokens;
  std::array<Counter*, ended_count> ended{};
  Histogram& request_prompt_tokens;
  Histogram& request_generation_tokens;
  Histogram& request_n;
  Histogram& request_max_tokens;
  Histogram& time_to_first_token;
  Histogram& inter_token_latency;
  Histogram& e2e_latency;
  Histogram& queue_time;
  Histogram& inference_time;
  Histogram& prefill_time;
  Histogram& decode_time;
  Counter& drafts;
  Counter& draft_tokens;
  Counter& accepted_tokens;

 private:
  MetricsRegistry& registry_;
  std::string model_name_;
  const std::shared_ptr<const std::string> number_;
  Gauge* info_ = nullptr;
};

}  // namespace jackdaw::llm
