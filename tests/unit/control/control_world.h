// A ModelControl whose engines answer nothing, and the loads of which fail when the test says so.
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "jackdaw/control/model_control.h"

namespace jackdaw::control {

class NullEngine final : public engine::Engine {
 public:
  const engine::ModelMetadata& metadata() const override { return metadata_; }
  void submit(std::shared_ptr<const engine::InferenceRequest>, std::shared_ptr<engine::ResponseStream>) override {}
  Result<std::vector<engine::Tensor>> predict(const engine::InferenceRequest&) override {
    return std::vector<engine::Tensor>{};
  }
  std::uint64_t estimate_ns(const engine::InferenceRequest&) const override { return 0; }
  engine::EngineStats stats() const override { return {}; }
  void drain(Instant) override {}

 private:
  engine::ModelMetadata metadata_;
};

class FakeFactory final : public engine::EngineFactory {
 public:
  std::atomic<bool> fails{false};
  std::atomic<int> loads{0};
  Result<std::shared_ptr<engine::Engine>> load(const engine::EngineSpec& spec) override {
    ++loads;
    if (fails) return make_error(Code::parse_error, "broken file").at(spec.path);
    return std::shared_ptr<engine::Engine>(std::make_shared<NullEngine>());
  }
};

struct World {
  explicit World(Clock& of = system_clock(), const MemoryLimits& memory = {}) : clock(of), limits(memory) {}
  Clock& clock;
  const MemoryLimits limits;
  FakeFactory factory;
  serving::Registry registry;
  MetricsRegistry metrics;
  std::unique_ptr<ModelControl> control = make_model_control(factory, registry, metrics, clock, limits);

  static DeclaredModel model(std::string name) {
    DeclaredModel declared;
    declared.name = declared.service_name = std::move(name);
    declared.resolve = [] { return Result<std::string>(std::string("/nowhere")); };
    return declared;
  }
  Result<void> put(DeclaredModel model) {
    std::promise<Result<void>> promise;
    control->put(std::move(model), [&promise](Result<void> outcome) { promise.set_value(std::move(outcome)); });
    return promise.get_future().get();
  }
  void remove(const std::string& service) {
    std::promise<void> done;
    control->remove("default", service, [&done] { done.set_value(); });
    done.get_future().wait();
  }
  std::int64_t scale(const std::string& service, std::int64_t replicas) {
    std::promise<std::int64_t> promise;
    control->scale("default/" + service + "/", replicas, [&promise](std::int64_t now) { promise.set_value(now); });
    return promise.get_future().get();
  }
  void declare(std::vector<DeclaredModel> models) {
    for (DeclaredModel& model : models) (void)put(std::move(model));
  }
  Result<void> act(void (ModelControl::*verb)(std::string, std::string, std::function<void(Result<void>)>),
                   const std::string& service, const std::string& namespace_name = "default") {
    std::promise<Result<void>> promise;
    (control.get()->*verb)(namespace_name, service,
                           [&promise](Result<void> outcome) { promise.set_value(std::move(outcome)); });
    return promise.get_future().get();
  }
  const serving::ServedModel* find(const std::string& name) {
    held = registry.snapshot();
    return held->find(name);
  }
  std::shared_ptr<const serving::RegistrySnapshot> held;
};

}  // namespace jackdaw::control
