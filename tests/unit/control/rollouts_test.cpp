#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "jackdaw/control/reconciler.h"
#include "jackdaw/serving/registry.h"
#include "jackdaw/serving/router.h"
#include "store_world.h"

namespace jackdaw::control {
namespace {

using namespace std::chrono_literals;
using spec::Json;

class NamedEngine final : public engine::Engine {
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

// Loads whatever is not broken, and keeps count.
class Factory final : public engine::EngineFactory {
 public:
  Result<std::shared_ptr<engine::Engine>> load(const engine::EngineSpec& spec) override {
    const std::lock_guard lock(mutex_);
    ++loads;
    if (broken_.contains(spec.path)) return make_error(Code::parse_error, "broken").at(spec.path);
    return std::shared_ptr<engine::Engine>(std::make_shared<NamedEngine>());
  }
  void break_path(const std::string& path, bool broken) {
    const std::lock_guard lock(mutex_);
    if (broken) {
      broken_.insert(path);
    } else {
      broken_.erase(path);
    }
  }
  std::atomic<int> loads{0};

 private:
  std::mutex mutex_;
  std::set<std::string> broken_;
};

std::string text_of(const Json& object, std::initializer_list<std::string_view> path) {
  const Json* found = object.find_path(path);
  return found == nullptr ? "" : std::string(found->as_text());
}

// What spec and wiring make of an object, in short: the model is where storageUri says.
Result<DeclaredModel> translated(const Json& object) {
  DeclaredModel model;
  model.name = model.service_name = text_of(object, {"metadata", "name"});
  model.namespace_name = text_of(object, {"metadata", "namespace"});
  const Json* uri = object.find_path({"spec", "predictor", "model", "storageUri"});
  if (uri == nullptr) return make_error(Code::invalid_argument, "there is no storageUri");
  model.resolve = [path = std::string(uri->as_text())] { return Result<std::string>(path); };
  if (const Json* percent = object.find_path({"spec", "predictor", "canaryTrafficPercent"}))
    model.rollout.canary_percent = ConfigValue<std::uint32_t>(static_cast<std::uint32_t>(percent->as_integer()));
  if (const Json* canaries = object.find_path({"spec", "canary"})) {
    for (const Json& canary : canaries->items()) {
      spec::CanarySettings settings;
      settings.name = ConfigValue<std::string>(text_of(canary, {"predictor", "name"}));
      settings.percent =
          ConfigValue<std::uint32_t>(static_cast<std::uint32_t>(canary.find("trafficPercent")->as_integer()));
      model.rollout.canaries.push_back(settings);
    }
  }
  model.stopped = text_of(object, {"metadata", "annotations", "serving.kserve.io/stop"}) == "true";
  const Json* limit = object.find_path({"metadata", "annotations", "jackdaw.dev/rollback-error-rate"});
  if (limit != nullptr) {
    model.rollout.rollback.error_rate.set(0.1, {});
    model.rollout.rollback.window = ConfigValue<Duration>(1s);
    model.rollout.rollback.min_requests = ConfigValue<std::uint64_t>(10);
  }
  return model;
}

struct World {
  Factory factory;
  serving::Registry registry;
  MetricsRegistry metrics;
  StoreWorld stores;
  ResourceStore& store = stores.start();
  std::unique_ptr<ModelControl> models = make_model_control(factory, registry, metrics);
  std::unique_ptr<Reconciler> reconciler;
  std::atomic<bool> settled{false};

  World() { run(); }
  ~World() { reconciler.reset(); }

  void run() {
    ReconcilerOptions options;
    options.translate = translated;
    options.clock = &system_clock();
    options.first_settled = [this] { settled = true; };
    reconciler = make_reconciler(*stores.store, *models, std::move(options));
    reconciler->begin();
    reconciler->start("http://127.0.0.1:8080");
  }

  // The process ends and another begins, with what the disk holds.
  void restart() {
    reconciler.reset();
    models.reset();
    for (const auto& model : registry.snapshot()->models()) registry.remove(model->name, model->namespace_name);
    settled = false;
    stores.start();
    models = make_model_control(factory, registry, metrics);
    run();
  }

  void create(const std::string& spec, const std::string& name = "iris") {
    const StoreAnswer answer = stores.store->create(named(name), service(name, spec), {"test", false});
    REQUIRE_FALSE(answer.error);
  }
  void patch(const std::string& body, const std::string& name = "iris") {
    PatchRequest request;
    request.body = json(body);
    const StoreAnswer answer = stores.store->patch(named(name), request, {"test", false});
    REQUIRE_FALSE(answer.error);
  }
  Json object(const std::string& name = "iris") const {
    const auto found = stores.store->get(named(name));
    return found == nullptr ? Json() : *found;
  }
  static bool eventually(const std::function<bool()>& holds) {
    for (int i = 0; i < 2000; ++i) {
      if (holds()) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }
  // "2:10 1:90" of the registry.
  std::string shares(const std::string& name = "iris") const {
    const auto snapshot = registry.snapshot();
    const serving::ServedModel* model = snapshot->find(name);
    if (model == nullptr) return "none";
    if (model->latest()->engine == nullptr) return "nobody";
    if (model->traffic == nullptr) return model->revision.substr(model->revision.size() - 1) + ":100";
    std::string out;
    for (const serving::TrafficShare& share : model->traffic->shares) {
      out += (out.empty() ? "" : " ") + share.revision->revision.substr(share.revision->revision.size() - 1) + ":" +
             std::to_string(share.percent);
    }
    return out;
  }
  std::string status(std::initializer_list<std::string_view> path) const {
    const Json now = object();
    const Json* found = now.find("status");
    for (const std::string_view step : path) found = found == nullptr ? nullptr : found->find(step);
    return found == nullptr ? "" : found->is_text() ? std::string(found->as_text()) : found->dump();
  }
  std::string condition(std::string_view type, std::string_view member = "status") const {
    const Json now = object();
    const Json* list = now.find_path({"status", "conditions"});
    if (list == nullptr) return "";
    for (const Json& item : list->items()) {
      if (item.find("type")->as_text() == type)
        return item.find(member) == nullptr ? "" : std::string(item.find(member)->as_text());
    }
    return "";
  }
};

std::string at_uri(const std::string& uri, const std::string& more = "") {
  return R"({"predictor":{"model":{"modelFormat":{"name":"sklearn"},"storageUri":")" + uri + R"("})" + more + "}}";
}

std::string patch_uri(const std::string& uri, const std::string& more = "") {
  return R"({"spec":{"predictor":{"model":{"storageUri":")" + uri + R"("})" + more + "}}}";
}

}  // namespace

TEST_CASE("ADeclaredServiceIsRolledOutAndReplaced") {
  World world;
  world.create(at_uri("/a"));
  REQUIRE(World::eventually([&] { return world.condition("Ready") == "True"; }));
  CHECK(world.shares() == "1:100");
  CHECK(world.status({"rollout", "rolledOut"}) == "iris-predictor-00001");
  world.patch(patch_uri("/b"));
  REQUIRE(World::eventually([&] { return world.status({"rollout", "rolledOut"}) == "iris-predictor-00002"; }));
  CHECK(world.shares() == "2:100");
  CHECK(world.status({"components", "predictor", "previousRolledoutRevision"}) == "iris-predictor-00001");
  const int loads = world.factory.loads;
  world.patch(R"({"metadata":{"labels":{"team":"blue"}},"spec":{"predictor":{"minReplicas":2}}})");
  REQUIRE(World::eventually([&] { return world.status({"observedGeneration"}) == "3"; }));
  CHECK(world.factory.loads == loads);
  CHECK(world.shares() == "2:100");
}

TEST_CASE("ACanaryIsSharedOutPromotedAndRememberedOverARestart") {
  World world;
  world.create(at_uri("/a"));
  REQUIRE(World::eventually([&] { return world.shares() == "1:100"; }));
  world.patch(patch_uri("/b", R"(,"canaryTrafficPercent":10)"));
  REQUIRE(World::eventually([&] { return world.shares() == "2:10 1:90"; }));
  REQUIRE(World::eventually([&] { return world.status({"rollout", "latestPercent"}) == "10"; }));
  world.restart();
  REQUIRE(World::eventually([&] { return world.shares() == "2:10 1:90"; }));
  CHECK(World::eventually([&] { return world.settled.load(); }));
  world.patch(R"({"spec":{"predictor":{"canaryTrafficPercent":null}}})");
  REQUIRE(World::eventually([&] { return world.shares() == "2:100"; }));
  world.restart();
  REQUIRE(World::eventually([&] { return world.shares() == "2:100"; }));
  world.patch(patch_uri("/c"));
  REQUIRE(World::eventually([&] { return world.shares() == "3:100"; }));
}

TEST_CASE("ACanaryThatNothingLeadsToGivesItsEngineBack") {
  World world;
  world.create(at_uri("/a"));
  REQUIRE(World::eventually([&] { return world.shares() == "1:100"; }));
  world.patch(patch_uri("/b", R"(,"canaryTrafficPercent":10)"));
  REQUIRE(World::eventually([&] { return world.shares() == "2:10 1:90"; }));
  const std::weak_ptr<engine::Engine> engine =
      world.registry.snapshot()->find("iris")->traffic->shares[0].revision->latest()->engine;
  world.patch(R"({"spec":{"predictor":{"canaryTrafficPercent":0}}})");
  REQUIRE(World::eventually([&] { return engine.expired(); }));
  CHECK(world.shares() == "1:100");
  CHECK(World::eventually([&] { return world.status({"observedGeneration"}) == "3"; }));
  CHECK(world.condition("Ready") == "True");
  CHECK(world.status({"rollout", "latestReady"}) == "iris-predictor-00002");
  const int loads = world.factory.loads;
  world.patch(R"({"spec":{"predictor":{"canaryTrafficPercent":30}}})");
  REQUIRE(World::eventually([&] { return world.shares() == "2:30 1:70"; }));
  CHECK(world.factory.loads == loads + 1);
}

TEST_CASE("AFailedRevisionLeavesTheOldOneAndComesWhenItIsMended") {
  World world;
  world.create(at_uri("/a"));
  REQUIRE(World::eventually([&] { return world.shares() == "1:100"; }));
  world.factory.break_path("/b", true);
  world.patch(patch_uri("/b"));
  REQUIRE(World::eventually([&] {
    return world.status({"modelStatus", "transitionStatus"}) == "BlockedByFailedLoad";
  }));
  CHECK(world.status({"modelStatus", "lastFailureInfo", "message"}) == "/b: broken");
  CHECK(world.status({"modelStatus", "lastFailureInfo", "modelRevisionName"}) == "iris-predictor-00002");
  CHECK(world.shares() == "1:100");
  world.factory.break_path("/b", false);
  REQUIRE(World::eventually([&] { return world.shares() == "2:100"; }));
  CHECK(World::eventually([&] { return world.condition("Ready") == "True"; }));
}

TEST_CASE("AWrongObjectLeavesWhatWasThere") {
  World world;
  world.create(at_uri("/a"));
  REQUIRE(World::eventually([&] { return world.shares() == "1:100"; }));
  world.patch(R"({"spec":{"predictor":{"model":null}}})");
  REQUIRE(World::eventually([&] { return world.status({"modelStatus", "transitionStatus"}) == "InvalidSpec"; }));
  CHECK(world.shares() == "1:100");
  world.patch(patch_uri("/b"));
  REQUIRE(World::eventually([&] { return world.shares() == "2:100"; }));
}

TEST_CASE("ANamedCanaryIsPromotedWithoutALoad") {
  World world;
  const std::string canary = R"({"name":"v2","model":{"modelFormat":{"name":"sklearn"},"storageUri":"/b"}})";
  world.create(
      R"({"predictor":{"model":{"modelFormat":{"name":"sklearn"},"storageUri":"/a"}},"canary":[{"predictor":)" +
      canary + R"(,"trafficPercent":20}]})");
  REQUIRE(World::eventually([&] { return world.shares() == "2:20 1:80"; }));
  CHECK(World::eventually([&] { return world.condition("CanaryPredictorReady", "reason") == "AllCanariesReady"; }));
  const auto engine = world.registry.snapshot()->find("iris")->traffic->shares[0].revision->latest()->engine;
  const int loads = world.factory.loads;
  world.patch(R"({"spec":{"predictor":)" + canary + R"(,"canary":[]}})");
  REQUIRE(World::eventually([&] { return world.shares() == "2:100"; }));
  CHECK(world.factory.loads == loads);
  CHECK(world.registry.snapshot()->find("iris")->latest()->engine == engine);
  CHECK(World::eventually([&] { return world.condition("CanaryPredictorReady").empty(); }));
}

TEST_CASE("ARevisionThatFailsItsRequestsLosesThem") {
  World world;
  const StoreAnswer made = world.stores.store->create(
      named("iris"),
      [] {
        Json object = service("iris", at_uri("/a"));
        object.member("metadata").member("annotations").set("jackdaw.dev/rollback-error-rate", Json::text("10%"));
        return object;
      }(),
      {"test", false});
  REQUIRE_FALSE(made.error);
  REQUIRE(World::eventually([&] { return world.shares() == "1:100"; }));
  world.patch(patch_uri("/b", R"(,"canaryTrafficPercent":50)"));
  REQUIRE(World::eventually([&] { return world.shares() == "2:50 1:50"; }));
  const auto canary = world.registry.snapshot()->find("iris")->traffic->shares[0].revision;
  REQUIRE(World::eventually([&] {
    canary->counts->count(1ms, true);
    return world.shares() == "1:100";
  }));
  CHECK(World::eventually([&] { return world.condition("RolledBack", "reason") == "ErrorRate"; }));
  world.patch(patch_uri("/c", R"(,"canaryTrafficPercent":50)"));
  REQUIRE(World::eventually([&] { return world.shares() == "3:50 1:50"; }));
  CHECK(World::eventually([&] { return world.condition("RolledBack").empty(); }));
}

TEST_CASE("AStoppedServiceAnswersNobodyAndComesBack") {
  World world;
  world.create(at_uri("/a"));
  REQUIRE(World::eventually([&] { return world.shares() == "1:100"; }));
  world.patch(R"({"metadata":{"annotations":{"serving.kserve.io/stop":"true"}}})");
  REQUIRE(World::eventually([&] { return world.condition("Stopped") == "True"; }));
  REQUIRE(World::eventually([&] { return world.shares() == "nobody"; }));
  world.patch(R"({"metadata":{"annotations":{"serving.kserve.io/stop":null}}})");
  REQUIRE(World::eventually([&] { return world.shares() == "1:100"; }));
  const Preconditions any;
  CHECK_FALSE(world.stores.store->remove(named("iris"), any, {"test", false}).error);
  REQUIRE(World::eventually([&] { return world.shares() == "none"; }));
}

}  // namespace jackdaw::control
