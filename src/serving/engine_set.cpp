#include "jackdaw/serving/engine_set.h"

#include <algorithm>
#include <utility>

namespace jackdaw::serving {
namespace {

// An answer keeps the engine that gives it.
class KeptStream final : public engine::ResponseStream {
 public:
  KeptStream(std::shared_ptr<engine::Engine> engine, std::shared_ptr<engine::ResponseStream> stream)
      : engine_(std::move(engine)), stream_(std::move(stream)) {}

  void tensors(std::vector<engine::Tensor> outputs) override { stream_->tensors(std::move(outputs)); }
  void prompt_done(engine::PromptDone prompt) override { stream_->prompt_done(std::move(prompt)); }
  void tokens(engine::TokenDelta delta) override { stream_->tokens(std::move(delta)); }
  void usage(const engine::GenerateUsage& usage) override { stream_->usage(usage); }
  void done() override { stream_->done(); }
  void error(Error error) override { stream_->error(std::move(error)); }
  bool cancelled() const override { return stream_->cancelled(); }

 private:
  const std::shared_ptr<engine::Engine> engine_;
  const std::shared_ptr<engine::ResponseStream> stream_;
};

}  // namespace

EngineSet::EngineSet(std::shared_ptr<engine::Engine> first) : first_(std::move(first)), engines_{first_} {}

std::size_t EngineSet::size() const {
  const std::lock_guard lock(mutex_);
  return engines_.size();
}

void EngineSet::add(std::shared_ptr<engine::Engine> engine) {
  const std::lock_guard lock(mutex_);
  engines_.push_back(std::move(engine));
}

void EngineSet::retire() {
  std::shared_ptr<engine::Engine> leaving;  // ends after the lock
  const std::lock_guard lock(mutex_);
  if (engines_.size() == 1) return;
  leaving = std::move(engines_.back());
  engines_.pop_back();
}

EngineSet::Engines EngineSet::all() const {
  const std::lock_guard lock(mutex_);
  return engines_;
}

std::shared_ptr<engine::Engine> EngineSet::least_busy() const {
  const std::lock_guard lock(mutex_);
  const auto busy = [](const auto& engine) {
    const engine::EngineStats stats = engine->stats();
    // One that has failed is the last to be asked.
    return std::pair(!stats.healthy, stats.in_flight);
  };
  return *std::min_element(engines_.begin(), engines_.end(),
                           [&busy](const auto& a, const auto& b) { return busy(a) < busy(b); });
}

void EngineSet::submit(std::shared_ptr<const engine::InferenceRequest> request,
                       std::shared_ptr<engine::ResponseStream> stream) {
  auto engine = least_busy();
  auto& chosen = *engine;
  chosen.submit(std::move(request), std::make_shared<KeptStream>(std::move(engine), std::move(stream)));
}

Result<std::vector<engine::Tensor>> EngineSet::predict(const engine::InferenceRequest& request) {
  return least_busy()->predict(request);
}

std::uint64_t EngineSet::estimate_ns(const engine::InferenceRequest& request) const {
  return first_->estimate_ns(request);
}

engine::EngineStats EngineSet::stats() const {
  engine::EngineStats out;
  out.healthy = false;
  double cache_usage = 0;
  const Engines engines = all();
  for (const auto& engine : engines) {
    const engine::EngineStats one = engine->stats();
    out.requests += one.requests;
    out.failures += one.failures;
    out.in_flight += one.in_flight;
    out.resident_bytes += one.resident_bytes;
    out.running += one.running;
    out.waiting += one.waiting;
    out.requests_max += one.requests_max;
    cache_usage += one.kv_cache_usage;
    out.healthy = out.healthy || one.healthy;
  }
  out.kv_cache_usage = cache_usage / static_cast<double>(engines.size());
  out.estimated_wait = least_busy()->stats().estimated_wait;
  return out;
}

// One after the other, all to the same deadline.
void EngineSet::drain(Instant deadline) {
  for (const auto& engine : all()) engine->drain(deadline);
}

}  // namespace jackdaw::serving
