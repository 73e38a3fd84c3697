// TokenBridge: the way of an answer's tokens from engine threads to the connection's io thread.
//
// Engine threads put deltas in under a short lock; at most one wake-up is on its way to the io thread at a time, and
// what comes until it has been handled is merged: one piece of news for each choice. So a slow reader costs no events,
// only the text itself, and that is bounded. Every choice of every prompt of one HTTP request shares a bridge.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/engine/engine.h"

namespace jackdaw::api::openai {

// What has come of one choice since the last look.
struct ChoiceNews {
  std::string text;
  std::uint32_t token_count = 0;
  std::vector<engine::TokenId> tokens;          // when kept
  std::vector<engine::TokenLogprobs> logprobs;  // when asked for
  engine::FinishReason finish = engine::FinishReason::none;
  std::string stop_text;
  engine::TokenId stop_token = -1;
  bool fresh = false;  // listed in News::fresh

  void clear();
};

struct PromptNews {
  std::optional<engine::PromptDone> prompt;
  std::optional<engine::GenerateUsage> usage;
};

struct News {
  std::vector<ChoiceNews> choices;   // prompt by prompt
  std::vector<std::uint32_t> fresh;  // those with news, in the order it came
  std::vector<PromptNews> prompts;   // what was there to take; kept until replaced
  bool ended = false;                // every prompt is done, or one has failed
  std::optional<Error> error;
};

struct BridgeOptions {
  std::uint32_t prompts = 1;
  std::uint32_t choices = 1;   // of each prompt
  bool wake_on_tokens = true;  // false: only the end matters
  bool keep_tokens = false;
  std::size_t waiting_bytes_max = 1 << 20;  // of news that nobody takes: then the request is cancelled
};

// Told on the io thread that news has come.
class NewsListener {
 public:
  virtual ~NewsListener() = default;
  virtual void on_news() = 0;
};

class TokenBridge : public std::enable_shared_from_this<TokenBridge> {
 public:
  // `executor` is the io thread's and lives as long as `keeps_executor`.
  TokenBridge(Executor& executor, std::shared_ptr<void> keeps_executor, const BridgeOptions& options);

  // The stream an engine answers prompt number `prompt` on. A stream that is dropped without an end counts as failed.
  std::shared_ptr<engine::ResponseStream> stream(std::uint32_t prompt);

  // Owner: the io thread. The listener is held until `close`.
  void listen(std::shared_ptr<NewsListener> listener) { listener_ = std::move(listener); }
  // The error that has ended the answer, if one has.
  std::optional<Error> failure();
  // Swaps everything new into `news`, whose choices the caller has cleared (`take` clears `fresh`).
  void take(News& news);
  // Holds `owner` instead of what was given at first.
  void keep(std::shared_ptr<void> owner) { keeps_executor_ = std::move(owner); }
  // The answer is over: nothing is delivered any more and engines see `cancelled`.
  void close();

  // Any thread.
  void cancel() { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }

 private:
  class PromptStream;
  void put_prompt(std::uint32_t prompt, engine::PromptDone&& done);
  void put_tokens(std::uint32_t prompt, engine::TokenDelta&& delta);
  void put_usage(std::uint32_t prompt, const engine::GenerateUsage& usage);
  void put_end(std::optional<Error> error);
  void merge(ChoiceNews& choice, engine::TokenDelta&& delta);
  // With the lock held: says whether a wake-up has to be posted.
  bool wants_wake();
  void post_wake();
  void wake();

  Executor& executor_;
  std::shared_ptr<void> keeps_executor_;
  const BridgeOptions options_;
  std::shared_ptr<NewsListener> listener_;  // io thread only
  std::atomic<bool> cancelled_{false};

  std::mutex mutex_;
  News news_;
  std::uint32_t ended_prompts_ = 0;
  std::size_t waiting_bytes_ = 0;
  bool prompts_fresh_ = false;
  bool wake_pending_ = false;
  bool closed_ = false;
};

}  // namespace jackdaw::api::openai
