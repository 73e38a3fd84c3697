#include "src/llm/engine_core.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "src/llm/request_check.h"

namespace jackdaw::llm {

using engine::FinishReason;
using engine::TokenDelta;

namespace {

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}
double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

bool has(std::span<const std::int32_t> ascending, std::int32_t token) {
  return std::binary_search(ascending.begin(), ascending.end(), token);
}

void sort_unique(std::vector<std::int32_t>& tokens) {
  std::sort(tokens.begin(), tokens.end());
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
}

engine::TokenLogprobs logprobs_of(const ops::Sampled& sampled) {
  engine::TokenLogprobs out{sampled.token, sampled.logprob, {}};
  out.top.reserve(sampled.top.size());
  for (const ops::TokenLogprob& top : sampled.top) out.top.push_back({top.token, top.logprob});
  return out;
}

}  // namespace

EngineCore::EngineCore(EngineParts parts)
    : executable_(std::move(parts.executable)),
      tokenizer_(std::move(parts.tokenizer)),
      limits_(parts.limits),
      defaults_(std::move(parts.defaults)),
      identity_(std::move(parts.identity)),
      metrics_(parts.metrics),
      clock_(*parts.clock),
      random_(*parts.random),
      cache_(*executable_, limits_.pages, limits_.enable_prefix_caching),
      scheduler_(limits_, cache_, costs_) {
  CHECK(limits_.rows_max >= limits_.max_num_seqs && limits_.max_num_batched_tokens >= limits_.max_num_seqs);
  const auto ends = tokenizer_->end_of_generation();
  model_end_tokens_.assign(ends.begin(), ends.end());
  model_end_tokens_.insert(model_end_tokens_.end(), defaults_.end_tokens.begin(), defaults_.end_tokens.end());
  sort_unique(model_end_tokens_);
  sampled_.resize(limits_.rows_max);
}

EngineCore::~EngineCore() = default;

// ---- admission ----------------------------------------------------------------------------------------------------

// vLLM's reading of bad_words: each word as it is, and as it is after a space where that gives other tokens.
std::vector<std::vector<std::int32_t>> EngineCore::bad_word_tokens(const std::vector<std::string>& words) const {
  std::vector<std::vector<std::int32_t>> out;
  for (const std::string& word : words) {
    const std::size_t start = std::min(word.find_first_not_of(' '), word.size());
    const std::string bare = word.substr(start);
    auto plain = tokenizer_->encode(bare, {.add_special = false, .parse_special = false});
    auto spaced = tokenizer_->encode(" " + bare, {.add_special = false, .parse_special = false});
    const bool other = !plain.empty() && spaced.size() == plain.size() && spaced.front() != plain.front();
    if (!plain.empty()) out.push_back(std::move(plain));
    if (other) out.push_back(std::move(spaced));
  }
  return out;
}

std::unique_ptr<Sequence> EngineCore::make_sequence(Generation& generation, std::uint32_t choice,
                                                    std::uint64_t seed) const {
  const engine::GenerateInputs& inputs = generation.inputs();
  auto sequence = std::make_unique<Sequence>(generation, choice, inputs, tokenizer_, limits_.speculative_tokens);
  sequence->parameters = resolve_sampling(inputs, defaults_, seed, choice);
  sequence->prompt_size = static_cast<std::uint32_t>(inputs.prompt.size());
  sequence->table.root = root_hash(identity_, inputs.cache_salt);
  if (sequence->parameters.has_penalties()) sequence->counts.count_prompt(inputs.prompt);
  if (choice == 0) sequence->tokens = inputs.prompt;
  return sequence;
}

void EngineCore::add(Arrival arrival) {
  auto owned = std::make_unique<Generation>();
  Generation& generation = *owned;
  generation.request = std::move(arrival.request);
  generation.stream = std::move(arrival.stream);
  generation.number = arrivals_++;
  generation.arrival = arrival.time;
  const engine::GenerateInputs& inputs = generation.inputs();
  generation.answer_max = answer_tokens_max(inputs, limits_);
  if (!inputs.ignore_eos) generation.end_tokens = model_end_tokens_;
  generation.end_tokens.insert(generation.end_tokens.end(), inputs.stop_tokens.begin(), inputs.stop_tokens.end());
  sort_unique(generation.end_tokens);
  generation.bad_words = bad_word_tokens(inputs.sampling.bad_words);
  generation.prompt_parameters.top_logprobs = inputs.prompt_logprobs;
  if (generation.scores_prompt()) generation.prompt_logprobs.push_back({inputs.prompt.front(), 0.0f, {}});
  generation.unfinished = inputs.choices;
  const std::uint64_t seed = random_.next();
  for (std::uint32_t i = 0; i < inputs.choices; ++i) generation.choices.push_back(make_sequence(generation, i, seed));
  if (generations_.empty()) busy_since_ = clock_.now();
  generations_.push_back(std::move(owned));
  scheduler_.wait(*generation.choices.front());
}

void EngineCore::sweep(Instant now) {
  for (std::size_t i = generations_.size(); i-- > 0;) {
    Generation& generation = *generations_[i];
    if (generation.stream->cancelled()) {
      drop(generation, make_error(Code::cancelled, "The caller went away."));
    } else if (now > generation.request->deadline) {
      drop(generation, make_error(Code::deadline_exceeded, "The request did not finish before its deadline."));
    }
  }
}

// ---- the batch ----------------------------------------------------------------------------------------------------

std::span<const std::int32_t> EngineCore::suppressed_for(Sequence& sequence, std::uint32_t answer_size) const {
  const Generation& generation = *sequence.generation;
  const bool hold_back = answer_size < generation.inputs().min_tokens;
  if (generation.bad_words.empty()) {
    return hold_back ? std::span<const std::int32_t>(generation.end_tokens) : std::span<const std::int32_t>();
  }
  sequence.suppressed.clear();
  if (hold_back) sequence.suppressed = generation.end_tokens;
  // A choice that has no tokens of its own yet has given none.
  const std::span<const std::int32_t> answer =
      sequence.tokens.empty() ? std::span<const std::int32_t>()
                              : std::span<const std::int32_t>(sequence.tokens).subspan(sequence.prompt_size);
  for (const auto& word : generation.bad_words) {
    const std::size_t before = word.size() - 1;
    if (before > answer.size()) continue;
    if (std::equal(word.begin(), word.end() - 1, answer.end() - static_cast<std::ptrdiff_t>(before))) {
      sequence.suppressed.push_back(word.back());
    }
  }
  sort_unique(sequence.suppressed);
  return sequence.suppressed;
}

ops::SampleRow EngineCore::sample_row(Sequence& sequence, std::uint32_t batch_token, std::uint32_t answer_size) const {
  ops::SampleRow row;
  row.batch_token = batch_token;
  row.parameters = &sequence.parameters;
  row.position = sequence.prompt_size + answer_size;
  row.counts = sequence.counts.counts();
  row.suppressed = suppressed_for(sequence, answer_size);
  return row;
}

// Rows that score the prompt, then those that give tokens: one, one more per draft token, or one for each choice.
void EngineCore::add_rows(Sequence& sequence, std::uint32_t first_token) {
  Generation& generation = *sequence.generation;
  sequence.first_row = static_cast<std::uint32_t>(rows_.size());
  const std::uint32_t end = sequence.computed + sequence.planned;
  if (generation.scores_prompt() && !generation.prompt_done) {
    for (std::uint32_t p = sequence.computed; p < end && p + 1 < sequence.prompt_size; ++p) {
      ops::SampleRow row;
      row.batch_token = first_token + p - sequence.computed;
      row.parameters = &generation.prompt_parameters;
      row.scored_token = sequence.tokens[p + 1];
      rows_.push_back(row);
    }
  }
  if (end != sequence.size() || generation.answer_max == 0) return;
  const std::uint32_t last = first_token + sequence.planned - 1;
  if (!generation.prompt_done) {
    for (const auto& choice : generation.choices) rows_.push_back(sample_row(*choice, last, 0));
    return;
  }
  for (std::uint32_t i = 0; i <= sequence.draft.size(); ++i) {
    rows_.push_back(sample_row(sequence, last + i, sequence.answer_size() + i));
  }
}

void EngineCore::build_batch() {
  tokens_.clear();
  sequences_.clear();
  rows_.clear();
  for (Sequence* sequence : plan_.sequences) {
    const auto first = static_cast<std::uint32_t>(tokens_.size());
    const auto begin = sequence->tokens.begin() + sequence->computed;
    tokens_.insert(tokens_.end(), begin, begin + sequence->planned);
    tokens_.insert(tokens_.end(), sequence->draft.begin(), sequence->draft.end());
    ops::BatchSequence part;
    part.first_token = first;
    part.token_count = static_cast<std::uint32_t>(tokens_.size()) - first;
    part.first_position = sequence->computed;
    part.pages = sequence->table.pages;
    sequences_.push_back(part);
    add_rows(*sequence, first);
  }
  CHECK(tokens_.size() <= limits_.max_num_batched_tokens && rows_.size() <= limits_.rows_max);
}

bool EngineCore::step() {
  const bool had_work = run_step();
  show_load();
  return had_work;
}

bool EngineCore::run_step() {
  ended_.clear();
  const Instant begin = clock_.now();
  sweep(begin);
  if (broken_ || scheduler_.idle()) return false;
  scheduler_.plan(plan_, begin);
  if (plan_.stuck != nullptr) {
    drop(*plan_.stuck->generation,
         make_error(Code::resource_exhausted, "The KV cache of {} pages has no room for {} tokens.", limits_.pages,
                    plan_.stuck->size()));
    return true;
  }
  build_batch();
  const std::span<ops::Sampled> out = std::span(sampled_).first(rows_.size());
  if (Result<void> done = executable_->step({tokens_, sequences_, rows_}, out); !done) {
    broken_ = done.error();
    fail_all(*broken_);
    return true;
  }
  const Instant end = clock_.now();
  learn(begin, end);
  for (Sequence* sequence : plan_.sequences) apply(*sequence, end);
  count_step();
  return true;
}

// ---- what a step gave ---------------------------------------------------------------------------------------------

void EngineCore::apply_prompt_scores(Sequence& sequence) {
  Generation& generation = *sequence.generation;
  if (!generation.scores_prompt() || generation.prompt_done) return;
  const std::uint32_t end = sequence.computed + sequence.planned;
  for (std::uint32_t p = sequence.computed; p < end && p + 1 < sequence.prompt_size; ++p) {
    const ops::Sampled& scored = sampled_[sequence.first_row++];
    // After a preemption the first ones come again.
    if (p + 1 == generation.prompt_logprobs.size()) generation.prompt_logprobs.push_back(logprobs_of(scored));
  }
}

void EngineCore::apply(Sequence& sequence, Instant now) {
  Generation& generation = *sequence.generation;
  apply_prompt_scores(sequence);
  sequence.computed += sequence.planned;
  cache_.publish(sequence.table, sequence.tokens, sequence.computed);
  if (sequence.pending() > 0) return;
  if (generation.prompt_done) return apply_samples(sequence, now);
  finish_prompt(sequence, now);
  if (generation.answer_max == 0) return apply_no_tokens(generation, now);
  apply_first_tokens(sequence, now);
}

void EngineCore::finish_prompt(Sequence& leader, Instant now) {
  Generation& generation = *leader.generation;
  scheduler_.finish_prompt(leader);
  generation.first_token = now;
  engine::PromptDone done;
  done.prompt_tokens = leader.prompt_size;
  done.cached_tokens = generation.cached_tokens;
  done.prompt_logprobs = std::move(generation.prompt_logprobs);
  generation.stream->prompt_done(std::move(done));
  if (metrics_ == nullptr) return;
  metrics_->time_to_first_token.observe(seconds(now - generation.arrival));
  metrics_->prompt_tokens.add(leader.prompt_size);
}

void EngineCore::apply_no_tokens(Generation& generation, Instant now) {
  for (const auto& choice : generation.choices) {
    choice->finish = FinishReason::length;
    choice->tokens = generation.inputs().prompt;
    TokenDelta delta;
    delta.choice = choice->choice;
    delta.finish = FinishReason::length;
    send(*choice, std::move(delta), now);
  }
}

// The step that computed the prompt has drawn the first token of every choice; those that go on share its pages.
void EngineCore::apply_first_tokens(Sequence& leader, Instant now) {
  Generation& generation = *leader.generation;
  std::vector<TokenDelta> deltas(generation.choices.size());
  for (std::size_t i = 0; i < deltas.size(); ++i) {
    Sequence& sequence = *generation.choices[i];
    if (i > 0) sequence.tokens = generation.inputs().prompt;
    take_token(sequence, sampled_[leader.first_row + i], deltas[i]);
    if (i > 0 && !sequence.finished()) scheduler_.fork(leader, sequence);
  }
  for (std::size_t i = 0; i < deltas.size(); ++i) send(*generation.choices[i], std::move(deltas[i]), now);
}

void EngineCore::apply_samples(Sequence& sequence, Instant now) {
  TokenDelta delta;
  const auto drafted = static_cast<std::uint32_t>(sequence.draft.size());
  std::uint32_t accepted = 0;
  for (std::uint32_t i = 0; i <= drafted; ++i) {
    const ops::Sampled& sampled = sampled_[sequence.first_row + i];
    take_token(sequence, sampled, delta);
    // The draft was right: its keys and values stand in the cache, and the next row is worth something.
    if (i == drafted || sampled.token != sequence.draft[i]) break;
    ++accepted;
    if (sequence.finished()) break;
    ++sequence.computed;
  }
  cache_.publish(sequence.table, sequence.tokens, sequence.computed);
  if (drafted > 0) {
    sequence.drafts.learn(drafted, accepted, step_ms_, costs_.decode_ms(plan_.decode_tokens));
    sequence.generation->usage.draft_tokens += drafted;
    sequence.generation->usage.accepted_tokens += accepted;
    count_draft(drafted, accepted);
  }
  send(sequence, std::move(delta), now);
}

void EngineCore::count_draft(std::uint32_t drafted, std::uint32_t accepted) {
  if (metrics_ == nullptr) return;
  metrics_->drafts.add();
  metrics_->draft_tokens.add(drafted);
  metrics_->accepted_tokens.add(accepted);
}

void EngineCore::finish_by_stop_token(Sequence& sequence, engine::TokenId token, TokenDelta& delta) const {
  const engine::GenerateInputs& inputs = sequence.generation->inputs();
  const bool look = sequence.answer_size() > inputs.min_tokens;
  if (inputs.include_stop_in_output) delta.text += sequence.text.push(token, look);
  if (!sequence.text.stopped()) delta.text += sequence.text.finish(look);
  delta.stop_text = sequence.text.stop_text();
  sequence.finish = FinishReason::stop;
  const auto& stops = inputs.stop_tokens;
  if (std::find(stops.begin(), stops.end(), token) != stops.end()) delta.stop_token = token;
}

// Appends a token and says what follows from it.
void EngineCore::take_token(Sequence& sequence, const ops::Sampled& sampled, TokenDelta& delta) const {
  const Generation& generation = *sequence.generation;
  const engine::GenerateInputs& inputs = generation.inputs();
  sequence.tokens.push_back(sampled.token);
  if (sequence.parameters.has_penalties()) sequence.counts.count_output(sampled.token);
  delta.tokens.push_back(sampled.token);
  if (inputs.top_logprobs >= 0) delta.logprobs.push_back(logprobs_of(sampled));

  const bool look = sequence.answer_size() > inputs.min_tokens;
  if (look && has(generation.end_tokens, sampled.token)) {
    finish_by_stop_token(sequence, sampled.token, delta);
  } else {
    delta.text += sequence.text.push(sampled.token, look);
    const bool last = sequence.answer_size() >= generation.answer_max;
    if (last && !sequence.text.stopped()) delta.text += sequence.text.finish(look);
    if (sequence.text.stopped()) {
      sequence.finish = FinishReason::stop;
      delta.stop_text = sequence.text.stop_text();
    } else if (last) {
      sequence.finish = FinishReason::length;
    }
  }
  delta.choice = sequence.choice;
  delta.finish = sequence.finish;
}

void EngineCore::send(Sequence& sequence, TokenDelta delta, Instant now) {
  Generation& generation = *sequence.generation;
  if (metrics_ != nullptr) {
    metrics_->generation_tokens.add(static_cast<double>(delta.tokens.size()));
    if (sequence.last_token != Instant{} && !delta.tokens.empty()) {
      const double each = seconds(now - sequence.last_token) / static_cast<double>(delta.tokens.size());
      for (std::size_t i = 0; i < delta.tokens.size(); ++i) metrics_->inter_token_latency.observe(each);
    }
  }
  sequence.last_token = now;
  generation.stream->tokens(std::move(delta));
  if (sequence.finished()) {
    end_sequence(sequence);
    if (generation.unfinished == 0) end_generation(generation, now);
  }
}

void EngineCore::learn(Instant begin, Instant end) {
  step_ms_ = milliseconds(end - begin);
  costs_.learn(plan_.decode_tokens, plan_.draft_tokens, plan_.prefill_tokens, step_ms_);
}

// After whatever may have changed it: the thread sleeps once there is no work, and what was set last stays.
void EngineCore::show_load() {
  if (metrics_ == nullptr) return;
  metrics_->running.set(static_cast<double>(scheduler_.running().size()));
  metrics_->waiting.set(static_cast<double>(scheduler_.waiting().size()));
  metrics_->kv_cache_usage.set(cache_.usage());
}

void EngineCore::count_step() {
  if (metrics_ == nullptr) return;
  metrics_->prefix_queries.add(plan_.queried_tokens);
  metrics_->prefix_hits.add(plan_.hit_tokens);
  metrics_->preemptions.add(plan_.preemptions);
  metrics_->iteration_tokens.observe(static_cast<double>(tokens_.size()));
}

// ---- ends ---------------------------------------------------------------------------------------------------------

void EngineCore::end_sequence(Sequence& sequence) {
  scheduler_.remove(sequence);
  --sequence.generation->unfinished;
  sequence.generation->usage.completion_tokens += sequence.answer_size();
}

void EngineCore::end_generation(Generation& generation, Instant now) {
  engine::GenerateUsage& usage = generation.usage;
  usage.prompt_tokens = static_cast<std::uint32_t>(generation.inputs().prompt.size());
  usage.cached_tokens = generation.cached_tokens;
  usage.queue_time = generation.admitted - generation.arrival;
  usage.prefill_time = generation.first_token - generation.admitted;
  usage.decode_time = now - generation.first_token;
  count_end(generation, now);
  generation.stream->usage(usage);
  generation.stream->done();
  erase(generation);
}

void EngineCore::count_end(const Generation& generation, Instant now) {
  ++ended_count_;
  const double gap = seconds(now - std::max(last_end_, busy_since_));
  seconds_per_request_ = seconds_per_request_ == 0 ? gap : seconds_per_request_ + 0.2 * (gap - seconds_per_request_);
  last_end_ = now;
  if (metrics_ == nullptr) return;
  const engine::GenerateUsage& usage = generation.usage;
  for (const auto& choice : generation.choices) {
    const std::size_t reason = choice->finish == FinishReason::stop     ? LlmMetrics::stop
                               : choice->finish == FinishReason::length ? LlmMetrics::length
                                                                        : LlmMetrics::abort;
    metrics_->ended[reason]->add();
    metrics_->request_generation_tokens.observe(choice->answer_size());
  }
  metrics_->request_prompt_tokens.observe(usage.prompt_tokens);
  metrics_->request_n.observe(static_cast<double>(generation.choices.size()));
  if (generation.inputs().max_tokens) metrics_->request_max_tokens.observe(*generation.inputs().max_tokens);
  metrics_->e2e_latency.observe(seconds(now - generation.arrival));
  metrics_->queue_time.observe(seconds(usage.queue_time));
  metrics_->inference_time.observe(seconds(now - generation.admitted));
  metrics_->prefill_time.observe(seconds(usage.prefill_time));
  metrics_->decode_time.observe(seconds(usage.decode_time));
}

void EngineCore::drop(Generation& generation, Error error) {
  ++failed_count_;
  for (const auto& choice : generation.choices) {
    if (!choice->finished()) scheduler_.remove(*choice);
  }
  if (metrics_ != nullptr) {
    metrics_->ended[error.code == Code::cancelled ? LlmMetrics::abort : LlmMetrics::error]->add();
  }
  generation.stream->error(std::move(error));
  erase(generation);
}

void EngineCore::erase(Generation& generation) {
  const auto at = std::find_if(generations_.begin(), generations_.end(),
                               [&](const std::unique_ptr<Generation>& owned) { return owned.get() == &generation; });
  CHECK(at != generations_.end());
  ended_.push_back(std::move(*at));
  *at = std::move(generations_.back());
  generations_.pop_back();
}

void EngineCore::fail_all(const Error& error) {
  while (!generations_.empty()) drop(*generations_.back(), error);
  show_load();
}

void EngineCore::abort_all(const Error& error) {
  const Instant now = clock_.now();
  while (!generations_.empty()) {
    Generation& generation = *generations_.back();
    if (!generation.prompt_done) {
      drop(generation, error);
      continue;
    }
    for (const auto& choice : generation.choices) {
      if (choice->finished()) continue;
      choice->finish = FinishReason::abort;
      TokenDelta delta;
      delta.choice = choice->choice;
      delta.finish = FinishReason::abort;
      delta.text = choice->text.finish(choice->answer_size() > generation.inputs().min_tokens);
      send(*choice, std::move(delta), now);
    }
  }
  show_load();
}

CoreState EngineCore::state() const {
  CoreState state;
  state.running = static_cast<std::uint32_t>(scheduler_.running().size());
  state.waiting = static_cast<std::uint32_t>(scheduler_.waiting().size());
  state.ended = ended_count_;
  state.failed = failed_count_;
  state.kv_cache_usage = cache_.usage();
  state.seconds_per_request = seconds_per_request_;
  return state;
}

}  // namespace jackdaw::llm
