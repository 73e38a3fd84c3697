#include "src/llm/llm_metrics.h"

#include "jackdaw/ops/backend.h"

namespace jackdaw::llm {

namespace {

constexpr std::string_view label_names[] = {"model_name", "engine"};

constexpr double first_token_buckets[] = {.001, .005, .01, .02, .04, .06, .08, .1, .25, .5,  .75,
                                          1,    2.5,  5,   7.5, 10,  20,  40,  80, 160, 640, 2560};
constexpr double inter_token_buckets[] = {.01, .025, .05, .075, .1,  .15, .2, .3, .4, .5,
                                          .75, 1,    2.5, 5,    7.5, 10,  20, 40, 80};
constexpr double request_buckets[] = {.3, .5, .8, 1,  1.5, 2,   2.5, 5,   10,   15,  20,
                                      30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680};
constexpr double iteration_buckets[] = {1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384};
constexpr double n_buckets[] = {1, 2, 5, 10, 20};
// 1, 2, 5, 10, ... as vLLM builds them, but to one fixed end: all models share a family's buckets.
constexpr double token_buckets[] = {1,    2,    5,     10,    20,    50,     100,    200,    500,    1000,
                                    2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000, 1000000};

// Finds the children of one model's families.
struct Families {
  MetricsRegistry& registry;
  std::string_view values[2];

  Families(MetricsRegistry& r, std::string_view model, std::string_view number) : registry(r), values{model, number} {}
  Gauge& gauge(std::string_view name, std::string_view help) const {
    return registry.gauge(name, help, label_names, values);
  }
  Counter& counter(std::string_view name, std::string_view help) const {
    return registry.counter(name, help, label_names, values);
  }
  Histogram& histogram(std::string_view name, std::string_view help, std::span<const double> bounds) const {
    return registry.histogram(name, help, bounds, label_names, values);
  }
};

}  // namespace

LlmMetrics::LlmMetrics(MetricsRegistry& r, const std::string& model, const std::shared_ptr<const std::string>& number)
    : running(Families(r, model, *number)
                  .gauge("vllm:num_requests_running", "Number of requests in model execution batches.")),
      waiting(Families(r, model, *number)
                  .gauge("vllm:num_requests_waiting", "Number of requests waiting to be processed.")),
      kv_cache_usage(
          Families(r, model, *number).gauge("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.")),
      prefix_queries(Families(r, model, *number)
                         .counter("vllm:prefix_cache_queries_total",
                                  "Prefix cache queries, in terms of number of queried tokens.")),
      prefix_hits(
          Families(r, model, *number)
              .counter("vllm:prefix_cache_hits_total", "Prefix cache hits, in terms of number of cached tokens.")),
      preemptions(Families(r, model, *number)
                      .counter("vllm:num_preemptions_total", "Cumulative number of preemptions from the engine.")),
      prompt_tokens(
          Families(r, model, *number).counter("vllm:prompt_tokens_total", "Number of prefill tokens processed.")),
      generation_tokens(Families(r, model, *number)
                            .counter("vllm:generation_tokens_total", "Number of generation tokens processed.")),
      iteration_tokens(Families(r, model, *number)
                           .histogram("vllm:iteration_tokens_total", "Histogram of number of tokens per engine step.",
                                      iteration_buckets)),
      request_prompt_tokens(
          Families(r, model, *number)
              .histogram("vllm:request_prompt_tokens", "Number of prefill tokens processed.", token_buckets)),
      request_generation_tokens(
          Families(r, model, *number)
              .histogram("vllm:request_generation_tokens", "Number of generation tokens processed.", token_buckets)),
      request_n(Families(r, model, *number)
                    .histogram("vllm:request_params_n", "Histogram of the n request parameter.", n_buckets)),
      request_max_tokens(Families(r, model, *number)
                             .histogram("vllm:request_params_max_tokens",
                                        "Histogram of the max_tokens request parameter.", token_buckets)),
      time_to_first_token(Families(r, model, *number)
                              .histogram("vllm:time_to_first_token_seconds",
                                         "Histogram of time to first token in seconds.", first_token_buckets)),
      inter_token_latency(Families(r, model, *number)
                              .histogram("vllm:inter_token_latency_seconds",
                                         "Histogram of inter-token latency in seconds.", inter_token_buckets)),
      e2e_latency(Families(r, model, *number)
                      .histogram("vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.",
                                 request_buckets)),
      queue_time(Families(r, model, *number)
                     .histogram("vllm:request_queue_time_seconds",
                                "Histogram of time spent in WAITING phase for request.", request_buckets)),
      inference_time(Families(r, model, *number)
                         .histogram("vllm:request_inference_time_seconds",
                                    "Histogram of time spent in RUNNING phase for request.", request_buckets)),
      prefill_time(Families(r, model, *number)
                       .histogram("vllm:request_prefill_time_seconds",
                                  "Histogram of time spent in PREFILL phase for request.", request_buckets)),
      decode_time(Families(r, model, *number)
                      .histogram("vllm:request_decode_time_seconds",
                                 "Histogram of time spent in DECODE phase for request.", request_buckets)),
      drafts(
          Families(r, model, *number).counter("vllm:spec_decode_num_drafts_total", "Number of spec decoding drafts.")),
      draft_tokens(
          Families(r, model, *number).counter("vllm:spec_decode_num_draft_tokens_total", "Number of draft tokens.")),
      accepted_tokens(Families(r, model, *number)
                          .counter("vllm:spec_decode_num_accepted_tokens_total", "Number of accepted tokens.")),
      registry_(r),
      model_name_(model),
      number_(number) {
  constexpr std::string_view names[] = {"finished_reason", "model_name", "engine"};
  constexpr std::string_view reasons[ended_count] = {"stop", "length", "abort", "error"};
  for (std::size_t i = 0; i < ended_count; ++i) {
    const std::string_view values[] = {reasons[i], model, *number};
    ended[i] = &r.counter("vllm:request_success_total", "Count of successfully processed requests.", names, values);
  }
}

// An engine that is gone runs nothing.
LlmMetrics::~LlmMetrics() {
  for (Gauge* gauge : {&running, &waiting, &kv_cache_usage, info_}) {
    if (gauge != nullptr) gauge->set(0);
  }
}

void LlmMetrics::describe_cache(const EngineLimits& limits, const std::string& cache_dtype) {
  constexpr std::string_view names[] = {"block_size", "num_gpu_blocks", "cache_dtype", "enable_prefix_caching",
                                        "model_name", "engine"};
  const std::string block_size = std::to_string(ops::page_tokens);
  const std::string blocks = std::to_string(limits.pages);
  const std::string_view values[] = {block_size,  blocks,  cache_dtype, limits.enable_prefix_caching ? "True" : "False",
                                     model_name_, *number_};
  info_ = &registry_.gauge("vllm:cache_config_info", "Information of the LLMEngine CacheConfig.", names, values);
  info_->set(1.0);
}

}  // namespace jackdaw::llm
