// Scheduler: which sequences compute which tokens in the next step.
//
// Every step has a budget of tokens and of rows. Sequences that only need their next token go first, then those with a
// prompt (or a preempted past) to catch up, in rank order, then waiting ones are admitted. While answers run, chunks
// of prompt are bounded so that a step stays within the inter-token-latency target. When pages run out, the sequence
// of the lowest rank lets go of its pages and waits to be recomputed; the prefix cache keeps them as long as it can.
// O(running) per step; no allocation once vectors have grown. Owner: the engine thread.
#pragma once

#include <cstdint>
#include <vector>

#include "src/llm/cost_model.h"
#include "src/llm/engine_limits.h"
#include "src/llm/generation.h"
#include "src/llm/kv_cache.h"

namespace jackdaw::llm {

struct StepPlan {
  std::vector<Sequence*> sequences;  // with planned > 0, in rank order
  std::uint32_t decode_tokens = 0;
  std::uint32_t draft_tokens = 0;
  std::uint32_t prefill_tokens = 0;
  std::uint32_t preemptions = 0;
  std::uint32_t queried_tokens = 0;  // of prefix cache look-ups
  std::uint32_t hit_tokens = 0;
  Sequence* stuck = nullptr;  // nothing runs and this one does not fit: it never will
};

class Scheduler {
 public:
  Scheduler(const EngineLimits& limits, KvCache& cache, const CostModel& costs)
      : limits_(limits), cache_(cache), costs_(costs) {}

  // A new sequence, or one whose pages are gone.
  void wait(Sequence& sequence);
  void plan(StepPlan& plan, Instant now);
  // The prompt of `leader` has been computed: the places kept for its other choices are free, for fork() to take.
  // Sets Generation::prompt_done.
  void finish_prompt(const Sequence& leader);
  // A choice whose prompt `leader` has computed and whose first token is known: shares the leader's pages.
  void fork(const Sequence& leader, Sequence& sequence);
  // Lets go of a sequence that has ended, wherever it is.
  void remove(Sequence& sequence);

  const std::vector<Sequence*>& running() const { return running_; }
  const std::vector<Sequence*>& waiting() const { return waiting_; }
  bool idle() const { return running_.empty() && waiting_.empty(); }

 private:
  struct Budget {
    std::uint32_t tokens = 0;
    std::uint32_t rows = 0;
    std::uint32_t prefill = 0;
  };

  static void insert(std::vector<Sequence*>& list, Sequence& sequence);
  static void erase(std::vector<Sequence*>& list, const Sequence& sequence);
  static std::uint32_t slots_of(const Sequence& sequence);
  void enter_running(Sequence& sequence);
  void leave_running(Sequence& sequence);

  void plan_decode();
  void plan_prefill();
  void plan_admission(StepPlan& plan, Instant now);
  void plan_drafts();
  void collect(StepPlan& plan) const;

  void preempt(Sequence& sequence);
  bool make_room(Sequence& sequence, std::uint32_t positions);
  std::uint32_t chunk_for(const Sequence& sequence) const;
  bool plan_chunk(Sequence& sequence);
  bool try_admit(Sequence& sequence, StepPlan& plan);
  std::uint32_t rows_for(const Sequence& sequence, std::uint32_t chunk) const;

  const EngineLimits& limits_;
  KvCache& cache_;
  const CostModel& costs_;
  std::vector<Sequence*> running_;  // by rank
  std::vector<Sequence*> waiting_;  // by rank
  std::uint32_t slots_used_ = 0;
  Budget budget_;
  std::uint32_t decoding_ = 0;
  std::uint32_t preemptions_ = 0;         // in this step
  const Sequence* blocked_ = nullptr;     // the first in the queue, for which there were too few pages
  std::uint32_t blocked_free_pages_ = 0;  // with so many free
};

}  // namespace jackdaw::llm
