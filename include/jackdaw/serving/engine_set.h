// EngineSet: several engines of one model that answer as one: the replicas of a language model on this machine. A
// request goes to the one that has least to do.
//
// Thread-safe. Predictive models need none: their one engine keeps nothing between requests.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "jackdaw/engine/engine.h"

namespace jackdaw::serving {

class EngineSet final : public engine::Engine {
 public:
  // Of one model, at least one.
  explicit EngineSet(std::shared_ptr<engine::Engine> first);

  std::size_t size() const;
  const std::shared_ptr<engine::Engine>& first() const { return first_; }
  void add(std::shared_ptr<engine::Engine> engine);
  // Takes the last one out of the row, never the first: it gets no new request, and ends with the last answer it has
  // begun.
  void retire();

  const engine::ModelMetadata& metadata() const override { return first_->metadata(); }
  void submit(std::shared_ptr<const engine::InferenceRequest> request,
              std::shared_ptr<engine::ResponseStream> stream) override;
  Result<std::vector<engine::Tensor>> predict(const engine::InferenceRequest& request) override;
  std::uint64_t estimate_ns(const engine::InferenceRequest& request) const override;
  // Sums; the wait is that of the one a request would go to.
  engine::EngineStats stats() const override;
  const engine::PromptCodec* codec() const override { return first_->codec(); }
  void drain(Instant deadline) override;

 private:
  using Engines = std::vector<std::shared_ptr<engine::Engine>>;
  Engines all() const;
  std::shared_ptr<engine::Engine> least_busy() const;

  const std::shared_ptr<engine::Engine> first_;
  mutable std::mutex mutex_;
  Engines engines_;  // first_ and those added
};

}  // namespace jackdaw::serving
