// A language model that is a hash: the logits after a token are a function of every token before it, read back from
// pages that it writes itself. Any mistake in pages, positions, prefix reuse or preemption changes what it says.
#pragma once

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/engine/engine.h"
#include "jackdaw/ops/backend.h"
#include "jackdaw/text/tokenizer.h"
#include "src/llm/engine_core.h"

namespace jackdaw::llm {

// Catch's assertions are for the test's own thread; the fakes are called on the engine's.
inline void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "a rule of the fakes is broken: %s\n", what);
  std::abort();
}

inline std::uint64_t mix(std::uint64_t h, std::uint64_t x) {
  h ^= x + 0x9e3779b97f4a7c15ull + (h << 6) + (h >> 2);
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ull;
  h ^= h >> 29;
  return h;
}

class FakeClock final : public Clock {
 public:
  Instant now() override { return Instant(Duration(nanoseconds.load())); }
  WallTime wall() override { return {}; }
  void advance(Duration d) { nanoseconds += d.count(); }
  std::atomic<std::int64_t> nanoseconds{1'000'000'000};
};

class FakeRandom final : public Random {
 public:
  std::uint64_t next() override { return ++state_ * 0x9e3779b97f4a7c15ull; }

 private:
  std::atomic<std::uint64_t> state_{0};
};

constexpr std::int32_t fake_vocabulary = 80;
constexpr std::int32_t fake_eos = 79;
constexpr std::int32_t fake_newline = 78;

// Token v < 26 is a letter, v < 52 a space and a letter, v < 78 two letters; then a newline and the end.
class FakeTokenizer final : public text::Tokenizer {
 public:
  FakeTokenizer() {
    for (int v = 0; v < fake_vocabulary; ++v) {
      const char letter = static_cast<char>('a' + v % 26);
      pieces_.push_back(v < 26 ? std::string(1, letter) : v < 52 ? std::string{' ', letter} : std::string{letter, 'x'});
    }
    pieces_[fake_newline] = "\n";
    pieces_[fake_eos] = "<end>";
  }
  void encode(std::string_view text, const text::EncodeOptions&, std::vector<std::int32_t>& out) const override {
    while (!text.empty()) {
      std::int32_t best = -1;
      for (std::int32_t v = 0; v < fake_eos; ++v) {
        const std::string& piece = pieces_[static_cast<std::size_t>(v)];
        if (text.substr(0, piece.size()) != piece) continue;
        if (best < 0 || piece.size() > pieces_[static_cast<std::size_t>(best)].size()) best = v;
      }
      if (best >= 0) out.push_back(best);
      text.remove_prefix(best < 0 ? 1 : pieces_[static_cast<std::size_t>(best)].size());
    }
  }
  std::size_t size() const override { return pieces_.size(); }
  std::string_view bytes(std::int32_t token) const override {
    return token < 0 || token >= fake_vocabulary ? std::string_view() : pieces_[static_cast<std::size_t>(token)];
  }
  std::string_view piece(std::int32_t token) const override { return bytes(token); }
  bool is_control(std::int32_t token) const override { return token == fake_eos; }
  bool is_end_of_generation(std::int32_t token) const override { return token == fake_eos; }
  std::span<const std::int32_t> end_of_generation() const override { return ends_; }
  std::int32_t bos() const override { return -1; }
  std::int32_t eos() const override { return fake_eos; }
  bool adds_bos() const override { return false; }
  std::int32_t find(std::string_view text) const override {
    for (std::int32_t v = 0; v < fake_vocabulary; ++v) {
      if (bytes(v) == text) return v;
    }
    return -1;
  }
  std::string decode(std::span<const std::int32_t> tokens, bool skip_special) const override {
    std::string out;
    for (const std::int32_t token : tokens) {
      if (!(skip_special && is_control(token))) out += bytes(token);
    }
    return out;
  }

 private:
  std::vector<std::string> pieces_;
  std::array<std::int32_t, 1> ends_{fake_eos};
};

struct FakeModel {
  std::uint32_t context = 0;  // > 0: only so many last tokens matter, so that text repeats itself
  float end_bias = 0.0f;      // added to the end token's logit
  double ms_per_step = 0;     // what the fake clock sees
  double ms_per_token = 0;
  std::uint64_t fail_at_step = 0;
};

// Counts of what was asked of it.
struct FakeWork {
  std::uint64_t steps = 0;
  std::uint64_t tokens = 0;
  std::uint64_t copies = 0;
  std::uint32_t largest_step = 0;
  std::vector<std::vector<std::uint32_t>> chunks;  // token counts of each step's sequences
};

class FakeExecutable final : public ops::Executable {
 public:
  FakeExecutable(std::uint32_t pages, FakeModel model, FakeClock* clock, std::shared_ptr<FakeWork> work)
      : model_(model), clock_(clock), work_(std::move(work)), slots_(std::size_t{pages} * ops::page_tokens) {}

  Result<void> step(const ops::Batch& batch, std::span<ops::Sampled> out) override {
    ++work_->steps;
    if (work_->steps == model_.fail_at_step) return make_error(Code::internal, "The device caught fire.");
    work_->tokens += batch.tokens.size();
    work_->largest_step = std::max(work_->largest_step, static_cast<std::uint32_t>(batch.tokens.size()));
    work_->chunks.emplace_back();
    sequence_of_.assign(batch.tokens.size(), nullptr);
    for (const ops::BatchSequence& sequence : batch.sequences) write(batch, sequence);
    must(out.size() == batch.rows.size(), "out.size() == batch.rows.size()");
    std::uint32_t last = 0;
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
      must(batch.rows[i].batch_token >= last, "batch.rows[i].batch_token >= last");
      last = batch.rows[i].batch_token;
      must(last < batch.tokens.size(), "last < batch.tokens.size()");
      fill_logits(*sequence_of_[last], last);
      ops::sample_row(logits_, batch.rows[i], scratch_, out[i]);
    }
    if (clock_ != nullptr) {
      clock_->advance(Duration(static_cast<std::int64_t>(
          1e6 * (model_.ms_per_step + model_.ms_per_token * static_cast<double>(batch.tokens.size())))));
    }
    return {};
  }

  void copy_page(std::uint32_t from, std::uint32_t to, std::uint32_t tokens) override {
    must(from != to, "from != to");
    ++work_->copies;
    for (std::size_t i = 0; i < ops::page_tokens; ++i) {
      slots_[to * ops::page_tokens + i] = i < tokens ? slots_[from * ops::page_tokens + i] : Slot{};
    }
  }
  std::vector<float> logits(std::uint32_t) const override { return logits_; }
  ops::MemoryUse memory() const override { return {1000, 100, 10}; }

 private:
  struct Slot {
    std::int32_t token = -1;
    std::uint32_t position = ~0u;
  };

  Slot& slot(const ops::BatchSequence& sequence, std::uint32_t position) {
    must(position / ops::page_tokens < sequence.pages.size(), "position / ops::page_tokens < sequence.pages.size()");
    return slots_.at(std::size_t{sequence.pages[position / ops::page_tokens]} * ops::page_tokens +
                     position % ops::page_tokens);
  }

  void write(const ops::Batch& batch, const ops::BatchSequence& sequence) {
    work_->chunks.back().push_back(sequence.token_count);
    for (std::uint32_t i = 0; i < sequence.token_count; ++i) {
      slot(sequence, sequence.first_position + i) = {batch.tokens[sequence.first_token + i],
                                                     sequence.first_position + i};
      sequence_of_[sequence.first_token + i] = &sequence;
    }
  }

  void fill_logits(const ops::BatchSequence& sequence, std::uint32_t batch_token) {
    const std::uint32_t position = sequence.first_position + batch_token - sequence.first_token;
    std::uint64_t h = 1;
    for (std::uint32_t p = 0; p <= position; ++p) {
      const Slot& s = slot(sequence, p);
      if (s.position != p) h = mix(h, 0xbad);  // somebody else's, or never written
      if (model_.context == 0 || p + model_.context > position) h = mix(h, static_cast<std::uint64_t>(s.token));
    }
    logits_.resize(fake_vocabulary);
    for (std::int32_t v = 0; v < fake_vocabulary; ++v) {
      logits_[static_cast<std::size_t>(v)] = static_cast<float>(mix(h, static_cast<std::uint64_t>(v)) >> 44) * 0x1p-18f;
    }
    logits_[fake_eos] += model_.end_bias;
  }

  FakeModel model_;
  FakeClock* clock_;
  std::shared_ptr<FakeWork> work_;
  std::vector<Slot> slots_;
  std::vector<const ops::BatchSequence*> sequence_of_;
  std::vector<float> logits_;
  ops::SamplingScratch scratch_;
};

// Keeps everything it is told; any thread.
class RecordingStream final : public engine::ResponseStream {
 public:
  struct Choice {
    std::string text;
    std::vector<std::int32_t> tokens;
    std::vector<engine::TokenLogprobs> logprobs;
    engine::FinishReason finish = engine::FinishReason::none;
    std::string stop_text;
    std::int32_t stop_token = -1;
    int deltas = 0;
  };

  void prompt_done(engine::PromptDone p) override {
    const std::lock_guard lock(mutex_);
    must(!ended, "nothing comes after the end");
    must(choices.empty(), "choices.empty()");
    ++prompts;
    prompt = std::move(p);
  }
  void tokens(engine::TokenDelta delta) override {
    const std::lock_guard lock(mutex_);
    must(!ended, "nothing comes after the end");
    must(prompts == 1, "prompts == 1");
    Choice& choice = choices[delta.choice];
    must(choice.finish == engine::FinishReason::none, "choice.finish == engine::FinishReason::none");
    choice.text += delta.text;
    choice.tokens.insert(choice.tokens.end(), delta.tokens.begin(), delta.tokens.end());
    choice.logprobs.insert(choice.logprobs.end(), delta.logprobs.begin(), delta.logprobs.end());
    choice.finish = delta.finish;
    choice.stop_text = delta.stop_text;
    choice.stop_token = delta.stop_token;
    ++choice.deltas;
    ++deltas;
  }
  void usage(const engine::GenerateUsage& u) override {
    const std::lock_guard lock(mutex_);
    ++usages;
    used = u;
  }
  void done() override {
    const std::lock_guard lock(mutex_);
    must(!ended, "nothing comes after the end");
    must(usages == 1, "usages == 1");
    ended = true;
    changed_.notify_all();
  }
  void error(Error e) override {
    const std::lock_guard lock(mutex_);
    must(!ended, "nothing comes after the end");
    ended = true;
    failure = std::move(e);
    changed_.notify_all();
  }
  bool cancelled() const override { return cancel.load(); }

  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ended; });
  }
  bool has_ended() {
    const std::lock_guard lock(mutex_);
    return ended;
  }
  int delta_count() {
    const std::lock_guard lock(mutex_);
    return deltas;
  }

  std::map<std::uint32_t, Choice> choices;
  engine::PromptDone prompt;
  engine::GenerateUsage used;
  std::optional<Error> failure;
  std::atomic<bool> cancel{false};
  bool ended = false;
  int prompts = 0;
  int usages = 0;
  int deltas = 0;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

inline EngineLimits fake_limits() {
  EngineLimits limits;
  limits.vocabulary = fake_vocabulary;
  limits.max_model_len = 512;
  limits.max_num_seqs = 16;
  limits.max_num_batched_tokens = 128;
  limits.rows_max = 32;
  limits.pages = 512;
  return limits;
}

// The parts of an engine over a fake model.
struct FakeEngine {
  explicit FakeEngine(EngineLimits l = fake_limits(), FakeModel m = {}) : limits(l), model(m) {}

  EngineParts parts() {
    EngineParts out;
    out.model_name = "fake";
    out.identity = "fake";
    out.executable = std::make_unique<FakeExecutable>(limits.pages, model, &clock, work);
    out.tokenizer = tokenizer;
    out.limits = limits;
    out.defaults = defaults;
    out.metrics = metrics;
    out.clock = &clock;
    out.random = &random;
    return out;
  }

  EngineLimits limits;
  FakeModel model;
  FakeClock clock;
  FakeRandom random;
  GenerationDefaults defaults;
  LlmMetrics* metrics = nullptr;
  std::shared_ptr<FakeWork> work = std::make_shared<FakeWork>();
  std::shared_ptr<const text::Tokenizer> tokenizer = std::make_shared<FakeTokenizer>();
};

inline std::shared_ptr<engine::InferenceRequest> make_request(std::vector<std::int32_t> prompt,
                                                              std::uint32_t max_tokens = 20) {
  auto request = std::make_shared<engine::InferenceRequest>();
  request->verb = engine::Verb::generate;
  request->generate.emplace();
  request->generate->prompt = std::move(prompt);
  request->generate->max_tokens = max_tokens;
  request->generate->sampling.temperature = 0.0f;
  request->generate->sampling.seed = 1;
  request->generate->ignore_eos = true;
  return request;
}

inline std::vector<std::int32_t> make_prompt(std::size_t size, std::uint64_t seed) {
  std::vector<std::int32_t> prompt;
  for (std::size_t i = 0; i < size; ++i) prompt.push_back(static_cast<std::int32_t>(mix(seed, i) % 70));
  return prompt;
}

inline std::shared_ptr<RecordingStream> add(EngineCore& core, std::shared_ptr<engine::InferenceRequest> request,
                                            Instant now = {}) {
  auto stream = std::make_shared<RecordingStream>();
  core.add({std::move(request), stream, now});
  return stream;
}

inline void run_to_end(EngineCore& core) {
  for (int i = 0; i < 200'000 && core.step(); ++i) {
  }
  REQUIRE(core.idle());
}

// What a request gives when it is alone, in one piece, with nothing shared and nothing guessed.
inline std::map<std::uint32_t, RecordingStream::Choice> alone(const engine::InferenceRequest& request,
                                                              FakeModel model = {}) {
  EngineLimits limits = fake_limits();
  limits.enable_prefix_caching = false;
  limits.speculative_tokens = 0;
  limits.max_num_batched_tokens = limits.max_model_len;
  limits.rows_max = limits.max_model_len + 32;
  FakeEngine fake(limits, model);
  EngineCore core(fake.parts());
  auto stream = add(core, std::make_shared<engine::InferenceRequest>(request));
  run_to_end(core);
  REQUIRE_FALSE(stream->failure);
  return stream->choices;
}

}  // namespace jackdaw::llm
