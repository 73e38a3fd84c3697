// EngineCore: everything that the engine thread owns: scheduler, KV cache, the sequences and the executable; one step
// at a time. LlmEngine puts a thread and a mailbox around it; tests call step() themselves.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/engine/engine.h"
#include "jackdaw/ops/backend.h"
#include "jackdaw/text/tokenizer.h"
#include "src/llm/cost_model.h"
#include "src/llm/engine_limits.h"
#include "src/llm/generation.h"
#include "src/llm/generation_defaults.h"
#include "src/llm/kv_cache.h"
#include "src/llm/llm_metrics.h"
#include "src/llm/scheduler.h"

namespace jackdaw::llm {

struct EngineParts {
  std::string model_name;
  std::string identity;  // of the weights: prefixes are shared only within it
  std::unique_ptr<ops::Executable> executable;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  EngineLimits limits;
  GenerationDefaults defaults;
  LlmMetrics* metrics = nullptr;  // may be null
  Clock* clock = nullptr;
  Random* random = nullptr;
};

// What came through the mailbox: a request that check_request accepted.
struct Arrival {
  std::shared_ptr<const engine::InferenceRequest> request;
  std::shared_ptr<engine::ResponseStream> stream;
  Instant time{};
};

// What other threads may want to know, copied after each step.
struct CoreState {
  std::uint32_t running = 0;
  std::uint32_t waiting = 0;  // requests not yet admitted
  std::uint64_t ended = 0;
  std::uint64_t failed = 0;
  double kv_cache_usage = 0;
  double seconds_per_request = 0;  // between two ends while busy; 0 = not known yet
};

class EngineCore {
 public:
  explicit EngineCore(EngineParts parts);
  ~EngineCore();
  EngineCore(const EngineCore&) = delete;
  EngineCore& operator=(const EngineCore&) = delete;

  void add(Arrival arrival);
  // Lets go of requests nobody wants any more, then runs one step. False when there was nothing to do.
  bool step();
  // Ends every request: those that have begun to answer with FinishReason::abort, the others with `error`.
  void abort_all(const Error& error);
  // Ends every request with `error`.
  void fail_all(const Error& error);

  bool idle() const { return generations_.empty(); }
  // Set when the device failed: nothing can be computed any more.
  const std::optional<Error>& broken() const { return broken_; }
  CoreState state() const;
  const CostModel& costs() const { return costs_; }
  const KvCache& cache() const { return cache_; }

 private:
  // Admission.
  std::unique_ptr<Sequence> make_sequence(Generation& generation, std::uint32_t choice, std::uint64_t seed) const;
  std::vector<std::vector<std::int32_t>> bad_word_tokens(const std::vector<std::string>& words) const;
  void sweep(Instant now);

  // One step.
  bool run_step();
  void build_batch();
  void add_rows(Sequence& sequence, std::uint32_t first_token);
  ops::SampleRow sample_row(Sequence& sequence, std::uint32_t batch_token, std::uint32_t answer_size) const;
  std::span<const std::int32_t> suppressed_for(Sequence& sequence, std::uint32_t answer_size) const;
  void apply(Sequence& sequence, Instant now);
  void apply_prompt_scores(Sequence& sequence);
  void finish_prompt(Sequence& leader, Instant now);
  void apply_first_tokens(Sequence& leader, Instant now);
  void apply_no_tokens(Generation& generation, Instant now);
  void apply_samples(Sequence& sequence, Instant now);
  void count_draft(std::uint32_t drafted, std::uint32_t accepted);
  void take_token(Sequence& sequence, const ops::Sampled& sampled, engine::TokenDelta& delta) const;
  void finish_by_stop_token(Sequence& sequence, engine::TokenId token, engine::TokenDelta& delta) const;
  void send(Sequence& sequence, engine::TokenDelta delta, Instant now);
  void learn(Instant begin, Instant end);
  void count_step();
  void show_load();

  // Ends.
  void end_sequence(Sequence& sequence);
  void end_generation(Generation& generation, Instant now);
  void drop(Generation& generation, Error error);
  void erase(Generation& generation);
  void count_end(const Generation& generation, Instant now);

  std::unique_ptr<ops::Executable> executable_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  EngineLimits limits_;
  GenerationDefaults defaults_;
  std::vector<std::int32_t> model_end_tokens_;  // ascending
  std::string identity_;
  LlmMetrics* metrics_;
  Clock& clock_;
  Random& random_;

  CostModel costs_;
  KvCache cache_;
  Scheduler scheduler_;
  std::vector<std::unique_ptr<Generation>> generations_;
  std::vector<std::unique_ptr<Generation>> ended_;  // kept to the end of the step
  std::uint64_t arrivals_ = 0;
  std::uint64_t ended_count_ = 0;
  std::uint64_t failed_count_ = 0;
  Instant last_end_{};
  Instant busy_since_{};
  double seconds_per_request_ = 0;
  std::optional<Error> broken_;

  // The step's batch; grown once.
  StepPlan plan_;
  double step_ms_ = 0;
  std::vector<std::int32_t> tokens_;
  std::vector<ops::BatchSequence> sequences_;
  std::vector<ops::SampleRow> rows_;
  std::vector<ops::Sampled> sampled_;
};

}  // namespace jackdaw::llm
