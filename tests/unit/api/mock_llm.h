// MockLlmEngine: an engine that generates without a model. Its codec takes bytes for tokens; its answers are what the
// test makes it say, at once, when told, or word by word at a fixed rate.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "jackdaw/engine/engine.h"

namespace jackdaw::api {

// Token i < 256 is the byte i; 256 is <s>, 257 is </s>. A rendered chat is its context and flags, so that tests can see
// what would have reached the template.
class MockCodec final : public engine::PromptCodec {
 public:
  static constexpr engine::TokenId bos_token = 256;
  static constexpr engine::TokenId eos_token = 257;
  std::uint32_t max_model_len_value = 4096;
  std::optional<Error> render_failure;
  mutable engine::ChatPrompt last_chat;  // tests of one thread only

  MockCodec() {
    for (int i = 0; i < 256; ++i) bytes_[static_cast<std::size_t>(i)] = static_cast<char>(i);
  }
  Result<std::string> render(const engine::ChatPrompt& prompt) const override {
    if (render_failure) return *render_failure;
    last_chat = prompt;
    return prompt.context_json + (prompt.add_generation_prompt ? "|assistant:" : "|") +
           (prompt.continue_final_message ? "|continued" : "");
  }
  std::vector<engine::TokenId> encode(std::string_view text, bool add_special, bool) const override {
    std::vector<engine::TokenId> tokens;
    tokens.reserve(text.size() + 1);
    if (add_special) tokens.push_back(bos_token);
    for (const char c : text) tokens.push_back(static_cast<unsigned char>(c));
    return tokens;
  }
  std::string decode(std::span<const engine::TokenId> tokens, bool skip_special) const override {
    std::string text;
    for (const engine::TokenId token : tokens) {
      if (token < 256 || !skip_special) text += token_bytes(token);
    }
    return text;
  }
  std::string_view token_bytes(engine::TokenId token) const override {
    if (token == bos_token) return "<s>";
    if (token == eos_token) return "</s>";
    return {&bytes_[static_cast<std::size_t>(token)], 1};
  }
  std::string_view token_piece(engine::TokenId token) const override { return token_bytes(token); }
  std::uint32_t vocabulary() const override { return 258; }
  std::uint32_t max_model_len() const override { return max_model_len_value; }
  engine::TokenId bos() const override { return bos_token; }

 private:
  char bytes_[256];
};

class MockLlmEngine final : public engine::Engine {
 public:
  // One request that was submitted; its stream is the test's to write on.
  struct Taken {
    std::shared_ptr<const engine::InferenceRequest> request;
    std::shared_ptr<engine::ResponseStream> stream;
    std::uint32_t said = 0;  // tokens

    const engine::GenerateInputs& inputs() const { return *request->generate; }
    void prompt_done(std::uint32_t cached = 0) {
      engine::PromptDone done;
      done.prompt_tokens = static_cast<std::uint32_t>(inputs().prompt.size());
      done.cached_tokens = cached;
      if (inputs().prompt_logprobs >= 0) {
        for (const engine::TokenId token : inputs().prompt) done.prompt_logprobs.push_back(logprobs_of(token));
        done.prompt_logprobs.front() = {inputs().prompt.front(), 0.0f, {}};
      }
      stream->prompt_done(std::move(done));
    }
    // Each byte of the text is one token.
    void say(std::string_view text, std::uint32_t choice = 0,
             engine::FinishReason finish = engine::FinishReason::none) {
      engine::TokenDelta delta;
      delta.choice = choice;
      delta.text = text;
      for (const char c : text) delta.tokens.push_back(static_cast<unsigned char>(c));
      if (inputs().top_logprobs >= 0) {
        for (const engine::TokenId token : delta.tokens)
          delta.logprobs.push_back(logprobs_of(token, inputs().top_logprobs));
      }
      delta.finish = finish;
      said += static_cast<std::uint32_t>(delta.tokens.size());
      stream->tokens(std::move(delta));
    }
    void finish(std::uint32_t cached = 0) {
      engine::GenerateUsage usage;
      usage.prompt_tokens = static_cast<std::uint32_t>(inputs().prompt.size());
      usage.cached_tokens = cached;
      usage.completion_tokens = said;
      stream->usage(usage);
      stream->done();
    }
    // A whole answer to every choice.
    void answer(std::string_view text, engine::FinishReason finish = engine::FinishReason::stop) {
      prompt_done();
      for (std::uint32_t choice = 0; choice < inputs().choices; ++choice) say(text, choice, finish);
      this->finish();
    }

   private:
    // -0.5 for the token; alternatives are the bytes behind it.
    static engine::TokenLogprobs logprobs_of(engine::TokenId token, int top = 1) {
      engine::TokenLogprobs logprobs{token, -0.5f, {}};
      for (int i = 0; i < top; ++i) {
        logprobs.top.push_back({(token + i) % 256, -0.5f - static_cast<float>(i)});
      }
      return logprobs;
    }
  };

  // Answers every request with `reply` as soon as it comes; without one, requests wait in `taken`.
  std::optional<std::string> reply;
  std::optional<Error> refusal;  // of every request, before submit returns
  engine::EngineStats stats_value;
  MockCodec codec_value;
  engine::ModelMetadata metadata_value{"llm", {}, {}, {}};
  std::deque<Taken> taken;

  const engine::ModelMetadata& metadata() const override { return metadata_value; }
  void submit(std::shared_ptr<const engine::InferenceRequest> request,
              std::shared_ptr<engine::ResponseStream> stream) override {
    if (refusal) return stream->error(*refusal);
    taken.push_back({std::move(request), std::move(stream), 0});
    if (reply) taken.back().answer(*reply);
  }
  Result<std::vector<engine::Tensor>> predict(const engine::InferenceRequest&) override {
    return make_error(Code::unsupported, "This model generates.");
  }
  std::uint64_t estimate_ns(const engine::InferenceRequest&) const override { return 0; }
  engine::EngineStats stats() const override { return stats_value; }
  const engine::PromptCodec* codec() const override { return &codec_value; }
  void drain(Instant) override {}
};

// Says one word to every request each `interval`, on its own thread, until max_tokens words are out: the pace of a
// batch on a real machine, at no cost.
class PacedLlmEngine final : public engine::Engine {
 public:
  explicit PacedLlmEngine(Duration interval) : interval_(interval), thread_([this] { run(); }) {}
  ~PacedLlmEngine() override {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
    for (Active& active : active_) active.stream->error(make_error(Code::cancelled, "The server is stopping."));
  }

  const engine::ModelMetadata& metadata() const override { return metadata_; }
  void submit(std::shared_ptr<const engine::InferenceRequest> request,
              std::shared_ptr<engine::ResponseStream> stream) override {
    const std::uint32_t words = request->generate->max_tokens.value_or(64);
    const std::lock_guard lock(mutex_);
    arrived_.push_back({std::move(request), std::move(stream), 0, words});
    wake_.notify_all();
  }
  Result<std::vector<engine::Tensor>> predict(const engine::InferenceRequest&) override {
    return make_error(Code::unsupported, "This model generates.");
  }
  std::uint64_t estimate_ns(const engine::InferenceRequest&) const override { return 0; }
  engine::EngineStats stats() const override { return {}; }
  const engine::PromptCodec* codec() const override { return &codec_; }
  void drain(Instant) override {}

 private:
  struct Active {
    std::shared_ptr<const engine::InferenceRequest> request;
    std::shared_ptr<engine::ResponseStream> stream;
    std::uint32_t said = 0;
    std::uint32_t words = 0;
  };

  // New requests say their first word at once, as a prefill of no length would.
  void run() {
    auto next = std::chrono::steady_clock::now();
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      wake_.wait_until(lock, next, [this] { return stopping_ || !arrived_.empty(); });
      std::vector<Active> fresh;
      fresh.swap(arrived_);
      lock.unlock();
      for (Active& active : fresh) {
        active.stream->prompt_done({static_cast<std::uint32_t>(active.request->generate->prompt.size()), 0, {}});
        if (step(active)) active_.push_back(std::move(active));
      }
      if (std::chrono::steady_clock::now() >= next) {
        std::erase_if(active_, [&](Active& active) { return !step(active); });
        next += interval_;
      }
      lock.lock();
    }
  }

  bool step(Active& active) {
    if (active.stream->cancelled()) {
      active.stream->error(make_error(Code::cancelled, "cancelled"));
      return false;
    }
    ++active.said;
    const bool last = active.said == active.words;
    for (std::uint32_t choice = 0; choice < active.request->generate->choices; ++choice) {
      active.stream->tokens(
          {choice, " word", {' '}, {}, last ? engine::FinishReason::length : engine::FinishReason::none, {}, -1});
    }
    if (!last) return true;
    engine::GenerateUsage usage;
    usage.prompt_tokens = static_cast<std::uint32_t>(active.request->generate->prompt.size());
    usage.completion_tokens = active.said * active.request->generate->choices;
    active.stream->usage(usage);
    active.stream->done();
    return false;
  }

  const Duration interval_;
  MockCodec codec_;
  engine::ModelMetadata metadata_{"llm", {}, {}, {}};
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::vector<Active> arrived_;
  std::vector<Active> active_;  // the thread's
  std::thread thread_;
};

}  // namespace jackdaw::api
