#include "src/llm/scheduler.h"

#include <algorithm>

#include "jackdaw/base/result.h"

namespace jackdaw::llm {

namespace {
// Speculation is for the time when the machine has room: more sequences than this use it up themselves.
constexpr std::uint32_t speculating_max = 2;
}  // namespace

// ---- the two lists ------------------------------------------------------------------------------------------------

void Scheduler::insert(std::vector<Sequence*>& list, Sequence& sequence) {
  const auto at = std::upper_bound(list.begin(), list.end(), &sequence,
                                   [](const Sequence* a, const Sequence* b) { return ranks_before(*a, *b); });
  list.insert(at, &sequence);
}

void Scheduler::erase(std::vector<Sequence*>& list, const Sequence& sequence) {
  const auto at = std::find(list.begin(), list.end(), &sequence);
  CHECK(at != list.end());
  list.erase(at);
}

// The first choice holds the places of those that wait for its prompt.
std::uint32_t Scheduler::slots_of(const Sequence& sequence) {
  return 1 + sequence.generation->unborn();
}

void Scheduler::enter_running(Sequence& sequence) {
  insert(running_, sequence);
  sequence.running = true;
  slots_used_ += slots_of(sequence);
}

void Scheduler::leave_running(Sequence& sequence) {
  erase(running_, sequence);
  sequence.running = false;
  sequence.planned = 0;
  sequence.draft.clear();
  slots_used_ -= slots_of(sequence);
}

void Scheduler::wait(Sequence& sequence) {
  insert(waiting_, sequence);
}

void Scheduler::remove(Sequence& sequence) {
  if (blocked_ == &sequence) blocked_ = nullptr;
  if (sequence.running) {
    leave_running(sequence);
    cache_.release(sequence.table, sequence.tokens, sequence.computed);
    return;
  }
  const auto at = std::find(waiting_.begin(), waiting_.end(), &sequence);
  if (at != waiting_.end()) waiting_.erase(at);
}

void Scheduler::finish_prompt(const Sequence& leader) {
  slots_used_ -= leader.generation->unborn();
  leader.generation->prompt_done = true;
}

void Scheduler::fork(const Sequence& leader, Sequence& sequence) {
  sequence.computed = leader.prompt_size;
  if (cache_.fork(leader.table, sequence.table, leader.prompt_size)) return enter_running(sequence);
  sequence.computed = 0;
  wait(sequence);
}

// ---- pages --------------------------------------------------------------------------------------------------------

void Scheduler::preempt(Sequence& sequence) {
  budget_.tokens += sequence.planned;
  budget_.rows += rows_for(sequence, sequence.planned);
  leave_running(sequence);
  cache_.release(sequence.table, sequence.tokens, sequence.computed);
  sequence.computed = 0;
  ++preemptions_;
  wait(sequence);
}

// Takes pages from lower ranks if need be, in the end from the sequence itself: false.
bool Scheduler::make_room(Sequence& sequence, std::uint32_t positions) {
  while (!cache_.grow(sequence.table, positions)) {
    Sequence& last = *running_.back();
    preempt(last);
    if (&last == &sequence) return false;
  }
  return true;
}

// ---- the plan -----------------------------------------------------------------------------------------------------

// Rows of logits that computing the next `chunk` tokens needs.
std::uint32_t Scheduler::rows_for(const Sequence& sequence, std::uint32_t chunk) const {
  if (chunk == 0) return 0;
  std::uint32_t rows = chunk == sequence.pending() ? slots_of(sequence) : 0;
  const Generation& generation = *sequence.generation;
  if (generation.scores_prompt() && !generation.prompt_done) {
    rows += std::min(sequence.computed + chunk, sequence.prompt_size - 1) -
            std::min(sequence.computed, sequence.prompt_size - 1);
  }
  return rows;
}

void Scheduler::plan_decode() {
  for (std::size_t i = 0; i < running_.size(); ++i) {
    Sequence& sequence = *running_[i];
    if (!sequence.decoding()) continue;
    if (budget_.tokens == 0 || budget_.rows == 0) break;
    if (!make_room(sequence, sequence.size())) break;
    sequence.planned = 1;
    --budget_.tokens;
    --budget_.rows;
    ++decoding_;
  }
}

std::uint32_t Scheduler::chunk_for(const Sequence& sequence) const {
  const std::uint32_t room = std::min(budget_.tokens, budget_.prefill);
  std::uint32_t chunk = std::min(sequence.pending(), room);
  // Whole pages, unless that would be nothing.
  const std::uint32_t end = (sequence.computed + chunk) / ops::page_tokens * ops::page_tokens;
  if (chunk < sequence.pending() && end > sequence.computed) chunk = end - sequence.computed;
  if (!sequence.generation->scores_prompt() || sequence.generation->prompt_done) {
    return chunk == sequence.pending() && budget_.rows < slots_of(sequence) ? chunk - 1 : chunk;
  }
  while (chunk > 0 && rows_for(sequence, chunk) > budget_.rows) --chunk;
  return chunk;
}

// Plans the next chunk of a sequence that has to catch up, smaller when pages are short.
bool Scheduler::plan_chunk(Sequence& sequence) {
  std::uint32_t chunk = chunk_for(sequence);
  if (chunk == 0) return false;
  while (!cache_.grow(sequence.table, sequence.computed + chunk)) {
    if (running_.back() != &sequence) {
      preempt(*running_.back());
      continue;
    }
    const std::uint32_t room =
        (static_cast<std::uint32_t>(sequence.table.pages.size()) + cache_.free_pages()) * ops::page_tokens;
    if (room <= sequence.computed) return false;
    chunk = std::min(chunk - 1, room - sequence.computed);
    if (chunk == 0) return false;
  }
  sequence.planned = chunk;
  budget_.tokens -= chunk;
  budget_.prefill -= chunk;
  budget_.rows -= rows_for(sequence, chunk);
  return true;
}

void Scheduler::plan_prefill() {
  for (std::size_t i = 0; i < running_.size(); ++i) {
    Sequence& sequence = *running_[i];
    if (sequence.planned > 0 || sequence.decoding()) continue;
    if (budget_.tokens == 0 || budget_.prefill == 0) break;
    plan_chunk(sequence);
  }
}

// Adopts the longest known prefix and goes ahead only when the rest fits beside those that run.
bool Scheduler::try_admit(Sequence& sequence, StepPlan& plan) {
  if (blocked_ == &sequence && blocked_free_pages_ == cache_.free_pages() && !running_.empty()) return false;
  Generation& generation = *sequence.generation;
  const bool use_cache = !generation.scores_prompt() || generation.prompt_done;
  const std::uint32_t cached = use_cache ? cache_.adopt(sequence.table, sequence.tokens) : 0;
  const auto held = static_cast<std::uint32_t>(sequence.table.pages.size());
  const std::uint32_t missing = pages_for(sequence.size()) - held;
  // One more page for each that runs, so that admitting does not end in preempting at once.
  const std::uint32_t reserve = static_cast<std::uint32_t>(running_.size());
  if (missing + reserve > cache_.free_pages() && !running_.empty()) {
    cache_.release(sequence.table, sequence.tokens, cached);
    blocked_ = &sequence;
    blocked_free_pages_ = cache_.free_pages();
    return false;
  }
  blocked_ = nullptr;
  sequence.computed = cached;
  plan.queried_tokens += use_cache && limits_.enable_prefix_caching ? sequence.size() : 0;
  plan.hit_tokens += cached;
  return true;
}

void Scheduler::plan_admission(StepPlan& plan, Instant now) {
  while (!waiting_.empty() && preemptions_ == 0 && budget_.tokens > 0 && budget_.prefill > 0 && budget_.rows > 0) {
    Sequence& sequence = *waiting_.front();
    if (slots_used_ + slots_of(sequence) > limits_.max_num_seqs) return;
    if (!try_admit(sequence, plan)) return;
    waiting_.erase(waiting_.begin());
    Generation& generation = *sequence.generation;
    if (!generation.was_admitted) {
      generation.was_admitted = true;
      generation.admitted = now;
      generation.cached_tokens = sequence.computed;
    }
    enter_running(sequence);
    if (!plan_chunk(sequence)) return;
  }
}

void Scheduler::plan_drafts() {
  if (limits_.speculative_tokens == 0 || decoding_ == 0 || decoding_ > speculating_max || !waiting_.empty()) return;
  if (running_.size() != decoding_) return;  // someone has a prompt to compute
  for (Sequence* sequence : running_) {
    const engine::GenerateInputs& inputs = sequence->generation->inputs();
    if (sequence->planned != 1 || sequence->parameters.has_penalties() || !inputs.sampling.bad_words.empty()) continue;
    const std::uint32_t left = sequence->generation->answer_max - sequence->answer_size();
    std::uint32_t length = std::min({sequence->drafts.length(), left - 1, budget_.tokens, budget_.rows});
    propose_draft(sequence->tokens, length, sequence->draft);
    length = static_cast<std::uint32_t>(sequence->draft.size());
    if (!cache_.grow(sequence->table, sequence->size() + length)) sequence->draft.clear();
    budget_.tokens -= static_cast<std::uint32_t>(sequence->draft.size());
    budget_.rows -= static_cast<std::uint32_t>(sequence->draft.size());
  }
}

void Scheduler::collect(StepPlan& plan) const {
  for (Sequence* sequence : running_) {
    if (sequence->planned == 0) continue;
    plan.sequences.push_back(sequence);
    plan.draft_tokens += static_cast<std::uint32_t>(sequence->draft.size());
    (sequence->decoding() ? plan.decode_tokens : plan.prefill_tokens) += sequence->planned;
  }
  plan.preemptions = preemptions_;
  if (plan.sequences.empty() && !running_.empty()) plan.stuck = running_.front();
  if (plan.sequences.empty() && running_.empty() && !waiting_.empty()) plan.stuck = waiting_.front();
}

void Scheduler::plan(StepPlan& plan, Instant now) {
  plan.sequences.clear();
  plan.decode_tokens = plan.draft_tokens = plan.prefill_tokens = plan.queried_tokens = plan.hit_tokens = 0;
  plan.stuck = nullptr;
  for (Sequence* sequence : running_) {
    sequence->planned = 0;
    sequence->draft.clear();
  }
  decoding_ = 0;
  preemptions_ = 0;
  budget_ = {limits_.max_num_batched_tokens, limits_.rows_max, 0};
  plan_decode();
  budget_.prefill = decoding_ == 0 ? budget_.tokens : costs_.prefill_tokens_within(limits_.itl_target_ms, decoding_);
  plan_prefill();
  plan_admission(plan, now);
  plan_drafts();
  collect(plan);
}

}  // namespace jackdaw::llm
