#include "src/api/openai/token_bridge.h"

#include <iterator>
#include <utility>

namespace jackdaw::api::openai {

void ChoiceNews::clear() {
  text.clear();
  token_count = 0;
  tokens.clear();
  logprobs.clear();
  finish = engine::FinishReason::none;
  stop_text.clear();
  stop_token = -1;
  fresh = false;
}

// One engine request's end of the bridge; engine threads call it.
class TokenBridge::PromptStream final : public engine::ResponseStream {
 public:
  PromptStream(std::shared_ptr<TokenBridge> bridge, std::uint32_t prompt)
      : bridge_(std::move(bridge)), prompt_(prompt) {}
  ~PromptStream() override {
    if (!ended_) bridge_->put_end(make_error(Code::internal, "The engine gave the request up."));
  }
  void prompt_done(engine::PromptDone prompt) override { bridge_->put_prompt(prompt_, std::move(prompt)); }
  void tokens(engine::TokenDelta delta) override { bridge_->put_tokens(prompt_, std::move(delta)); }
  void usage(const engine::GenerateUsage& usage) override { bridge_->put_usage(prompt_, usage); }
  void done() override {
    if (!std::exchange(ended_, true)) bridge_->put_end(std::nullopt);
  }
  void error(Error error) override {
    if (!std::exchange(ended_, true)) bridge_->put_end(std::move(error));
  }
  bool cancelled() const override { return bridge_->cancelled(); }

 private:
  std::shared_ptr<TokenBridge> bridge_;
  std::uint32_t prompt_;
  bool ended_ = false;
};

TokenBridge::TokenBridge(Executor& executor, std::shared_ptr<void> keeps_executor, const BridgeOptions& options)
    : executor_(executor), keeps_executor_(std::move(keeps_executor)), options_(options) {
  news_.choices.resize(std::size_t{options.prompts} * options.choices);
  news_.prompts.resize(options.prompts);
}

std::shared_ptr<engine::ResponseStream> TokenBridge::stream(std::uint32_t prompt) {
  return std::make_shared<PromptStream>(shared_from_this(), prompt);
}

void TokenBridge::close() {
  cancel();
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  // The listener may be the one who calls this: whoever holds it goes on holding it until then.
  listener_.reset();
}

std::optional<Error> TokenBridge::failure() {
  const std::lock_guard lock(mutex_);
  return news_.error;
}

void TokenBridge::take(News& news) {
  news.fresh.clear();
  const std::lock_guard lock(mutex_);
  wake_pending_ = false;
  waiting_bytes_ = 0;
  if (news.choices.size() != news_.choices.size()) news.choices.resize(news_.choices.size());
  news.choices.swap(news_.choices);
  news.fresh.swap(news_.fresh);
  if (std::exchange(prompts_fresh_, false)) {
    news.prompts.resize(news_.prompts.size());
    for (std::size_t i = 0; i < news_.prompts.size(); ++i) {
      if (auto& prompt = news_.prompts[i].prompt)
        news.prompts[i].prompt = std::move(*std::exchange(prompt, std::nullopt));
      if (news_.prompts[i].usage) news.prompts[i].usage = news_.prompts[i].usage;
    }
  }
  news.ended = news_.ended;
  news.error = news_.error;
}

bool TokenBridge::wants_wake() {
  if (wake_pending_ || closed_) return false;
  wake_pending_ = true;
  return true;
}

void TokenBridge::post_wake() {
  executor_.post([self = shared_from_this()] { self->wake(); });
}

void TokenBridge::wake() {
  // A copy: the listener may close the bridge, which lets go of it.
  const auto listener = listener_;
  if (listener != nullptr) listener->on_news();
}

void TokenBridge::merge(ChoiceNews& choice, engine::TokenDelta&& delta) {
  choice.token_count += static_cast<std::uint32_t>(delta.tokens.size());
  waiting_bytes_ += delta.text.size() + delta.logprobs.size() * sizeof(engine::TokenLogprobs);
  for (const auto& token : delta.logprobs) waiting_bytes_ += token.top.size() * sizeof(engine::TopLogprob);
  if (choice.text.empty()) {
    choice.text.swap(delta.text);
  } else {
    choice.text += delta.text;
  }
  if (options_.keep_tokens) {
    choice.tokens.insert(choice.tokens.end(), delta.tokens.begin(), delta.tokens.end());
    waiting_bytes_ += delta.tokens.size() * sizeof(engine::TokenId);
  }
  std::move(delta.logprobs.begin(), delta.logprobs.end(), std::back_inserter(choice.logprobs));
  if (delta.finish == engine::FinishReason::none) return;
  choice.finish = delta.finish;
  choice.stop_text = std::move(delta.stop_text);
  choice.stop_token = delta.stop_token;
}

void TokenBridge::put_tokens(std::uint32_t prompt, engine::TokenDelta&& delta) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || news_.ended || delta.choice >= options_.choices) return;
    const std::uint32_t index = prompt * options_.choices + delta.choice;
    ChoiceNews& choice = news_.choices[index];
    if (!std::exchange(choice.fresh, true)) news_.fresh.push_back(index);
    merge(choice, std::move(delta));
    if (options_.wake_on_tokens && waiting_bytes_ > options_.waiting_bytes_max) {
      news_.ended = true;
      news_.error = make_error(Code::resource_exhausted, "The client reads too slowly; the request was cancelled.");
      cancel();
    }
    if (!options_.wake_on_tokens || !wants_wake()) return;
  }
  post_wake();
}

void TokenBridge::put_prompt(std::uint32_t prompt, engine::PromptDone&& done) {
  const std::lock_guard lock(mutex_);
  news_.prompts[prompt].prompt = std::move(done);
  prompts_fresh_ = true;
}

void TokenBridge::put_usage(std::uint32_t prompt, const engine::GenerateUsage& usage) {
  const std::lock_guard lock(mutex_);
  news_.prompts[prompt].usage = usage;
  prompts_fresh_ = true;
}

void TokenBridge::put_end(std::optional<Error> error) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || news_.ended) return;
    if (error) news_.error = std::move(error);
    news_.ended = news_.error.has_value() || ++ended_prompts_ == options_.prompts;
    // One prompt that failed ends the answer; the others are of no use.
    if (news_.error) cancel();
    if (!news_.ended || !wants_wake()) return;
  }
  post_wake();
}

}  // namespace jackdaw::api::openai
