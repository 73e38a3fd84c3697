// LlmEngine: an engine::Engine that generates. One thread owns an EngineCore and steps it; submit() checks a request on
// the caller's thread and puts it into a bounded mailbox.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "jackdaw/engine/engine.h"
#include "src/llm/engine_core.h"
#include "src/llm/mailbox.h"

namespace jackdaw::llm {

class LlmEngine final : public engine::Engine {
 public:
  // `keep_alive`: whatever the parts lean on (the metrics, a pool), let go last.
  LlmEngine(EngineParts parts, std::shared_ptr<const engine::PromptCodec> codec,
            std::shared_ptr<const void> keep_alive = nullptr);
  // Ends what is still running and joins the thread.
  ~LlmEngine() override;

  const engine::ModelMetadata& metadata() const override { return metadata_; }
  void submit(std::shared_ptr<const engine::InferenceRequest> request,
              std::shared_ptr<engine::ResponseStream> stream) override;
  Result<std::vector<engine::Tensor>> predict(const engine::InferenceRequest& request) override;
  std::uint64_t estimate_ns(const engine::InferenceRequest& request) const override;
  engine::EngineStats stats() const override;
  const engine::PromptCodec* codec() const override { return codec_.get(); }
  void drain(Instant deadline) override;

 private:
  Result<void> check(const engine::InferenceRequest& request) const;
  Duration estimated_wait(const CoreState& state, std::uint32_t queued) const;
  void run();
  void serve();
  bool turn(std::vector<Arrival>& arrivals);

  const std::string model_name_;
  const EngineLimits limits_;
  const std::uint64_t resident_bytes_;
  Clock& clock_;
  std::shared_ptr<const void> keep_alive_;
  std::shared_ptr<const engine::PromptCodec> codec_;
  engine::ModelMetadata metadata_;
  EngineCore core_;  // the thread's, once it runs
  Mailbox mailbox_;
  std::atomic<bool> healthy_{true};
  std::atomic<std::uint64_t> refused_{0};
  std::thread thread_;
};

}  // namespace jackdaw::llm
