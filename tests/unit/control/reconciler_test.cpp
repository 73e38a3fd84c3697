#include "jackdaw/control/reconciler.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "jackdaw/control/declared_object.h"
#include "jackdaw/serving/transformer.h"
#include "tests/unit/control/store_world.h"

namespace jackdaw::control {
namespace {

using namespace std::chrono_literals;
const WriteOptions by_me{"me", false};

// Loads what the test says, at once, on a thread of its own as the real one does.
class FakeModels final : public ModelControl {
 public:
  std::mutex mutex;
  std::vector<std::string> calls;  // "put default/iris", "remove default/iris"
  std::string fault;               // of the next loads; "" = they succeed

  std::string last_call() {
    const std::lock_guard lock(mutex);
    return calls.empty() ? "" : calls.back();
  }
  void fail_with(std::string why) {
    const std::lock_guard lock(mutex);
    fault = std::move(why);
  }

  void declare(std::vector<DeclaredModel>, std::function<void()>) override {}
  void put(DeclaredModel model, std::function<void(Result<void>)> done) override {
    std::string why;
    {
      const std::lock_guard lock(mutex);
      calls.push_back("put " + model.namespace_name + "/" + model.name);
      why = fault;
    }
    std::thread([done = std::move(done), why] {
      done(why.empty() ? Result<void>() : Result<void>(make_error(Code::not_ready, "{}", why)));
    }).join();
  }
  void load_revision(DeclaredModel model, std::function<void(Result<void>)> done) override {
    put(std::move(model), std::move(done));
  }
  void serve(const std::string&, const std::string&, ServiceTraffic) override {}
  std::shared_ptr<const serving::RevisionCounts> counts(const std::string&, const std::string&,
                                                        const std::string&) const override {
    return nullptr;
  }
  void remove(std::string namespace_name, std::string service_name, std::function<void()>) override {
    const std::lock_guard lock(mutex);
    calls.push_back("remove " + namespace_name + "/" + service_name);
  }
  std::shared_ptr<const std::vector<ScaledModel>> scaled() const override {
    return std::make_shared<const std::vector<ScaledModel>>();
  }
  void scale(std::string, std::int64_t replicas, std::function<void(std::int64_t)> done) override { done(replicas); }
  void load(std::string, std::string, std::function<void(Result<void>)>) override {}
  void unload(std::string, std::string, std::function<void(Result<void>)>) override {}
};

struct ReconcilerWorld : StoreWorld {
  FakeModels models;
  std::atomic<bool> settled{false};
  EventLog events{clock};
  std::shared_ptr<serving::Transformer> transformer;  // of every service
  std::unique_ptr<Reconciler> reconciler;

  void begin() {
    ReconcilerOptions reconciling;
    reconciling.clock = &clock;
    reconciling.events = &events;
    reconciling.first_settled = [this] { settled = true; };
    reconciling.translate = [this](const spec::Json& object) -> Result<DeclaredModel> {
      if (object.find_path({"spec", "bad"}) != nullptr) return make_error(Code::invalid_argument, "spec.bad: no");
      DeclaredModel model;
      model.name = at(object, {"metadata", "name"});
      model.service_name = model.name;
      model.namespace_name = at(object, {"metadata", "namespace"});
      model.transformer = transformer;
      return model;
    };
    reconciler = make_reconciler(*store, models, std::move(reconciling));
    reconciler->begin();
  }

  // The status and reason of condition Ready, once it is `wanted`.
  bool ready_becomes(const std::string& wanted) const {
    for (int i = 0; i < 1000; ++i) {
      const auto object = store->get(named("iris"));
      const spec::Json* conditions = object == nullptr ? nullptr : object->find_path({"status", "conditions"});
      for (const spec::Json& one : conditions == nullptr ? std::vector<spec::Json>() : conditions->items()) {
        if (at(one, {"type"}) == "Ready" && at(one, {"status"}) + " " + at(one, {"reason"}) == wanted) return true;
      }
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }
};

TEST_CASE("EveryModelIsKnownWhenBeginReturnsAndStatusFollows") {
  ReconcilerWorld world;
  ResourceStore& store = world.start();
  REQUIRE(!store.create(named("iris"), service("iris"), by_me).error);
  world.begin();
  CHECK(world.models.last_call() == "put default/iris");
  CHECK_FALSE(world.settled);
  world.reconciler->start("http://127.0.0.1:8080");
  CHECK(world.ready_becomes("True (missing)"));
  CHECK(at(*store.get(named("iris")), {"status", "address", "url"}) == "http://127.0.0.1:8080");
  for (int i = 0; i < 1000 && !world.settled; ++i) std::this_thread::sleep_for(5ms);  // said after the status
  CHECK(world.settled);

  world.models.fail_with("no such file");
  REQUIRE(!store.update(named("iris"), service("iris", R"({"predictor":{"model":{"storageUri":"/b"}}})"), by_me).error);
  CHECK(world.ready_becomes("False ModelLoadFailed"));
  REQUIRE(!store.update(named("iris"), service("iris", R"({"bad":1})"), by_me).error);
  CHECK(world.ready_becomes("False InvalidPredictorSpec"));
  REQUIRE(!store.remove(named("iris"), {}, by_me).error);
  for (int i = 0; i < 1000 && world.models.last_call() != "remove default/iris"; ++i) std::this_thread::sleep_for(5ms);
  CHECK(world.models.last_call() == "remove default/iris");
  world.reconciler.reset();
}

TEST_CASE("AModelNameBelongsToOneServiceUntilItGoes") {
  ReconcilerWorld world;
  ResourceStore& store = world.start();
  const ResourceName chat{"serving.kserve.io", "llminferenceservices", "default", "iris"};
  REQUIRE(!store.create(named("iris"), service("iris"), by_me).error);
  REQUIRE(!store
               .create(chat, json(R"({"kind":"LLMInferenceService","metadata":{"name":"iris"},"spec":{"model":{}}})"),
                       by_me)
               .error);
  world.begin();
  world.reconciler->start("http://127.0.0.1:8080");
  CHECK(world.ready_becomes("True (missing)"));
  const auto words = [&] {
    for (int i = 0; i < 1000; ++i) {
      const auto object = store.get(chat);
      const std::string status = object->find("status") == nullptr ? "" : object->find("status")->dump();
      if (!status.empty() && status.find("Loading") == std::string::npos) return status;
      std::this_thread::sleep_for(5ms);
    }
    return std::string();
  };
  CHECK(words().find("the model name 'iris' is taken already, by inferenceservices/default/iris") != std::string::npos);
  CHECK(world.events.events().size() >= 3);
  REQUIRE(!store.remove(named("iris"), {}, by_me).error);
  for (int i = 0; i < 1000 && words().find("InvalidPredictorSpec") != std::string::npos; ++i)
    std::this_thread::sleep_for(1ms);
  CHECK(words().find("InvalidPredictorSpec") == std::string::npos);
  world.reconciler.reset();
}

TEST_CASE("AStatusThatSomebodyWipedIsWrittenAgain") {
  ReconcilerWorld world;
  ResourceStore& store = world.start();
  REQUIRE(!store.create(named("iris"), service("iris"), by_me).error);
  world.begin();
  world.reconciler->start("http://127.0.0.1:8080");
  const std::string ready = "True (missing)";
  REQUIRE(world.ready_becomes(ready));
  const auto wiped =
      store.patch(named("iris"), {PatchRequest::Type::merge, json(R"({"status":null})"), false, "status"}, by_me);
  REQUIRE(!wiped.error);
  CHECK(world.ready_becomes(ready));
  world.reconciler.reset();
}

TEST_CASE("AStatusThatTheDiskRefusedIsWrittenLater") {
  ReconcilerWorld world;
  ResourceStore& store = world.start();
  REQUIRE(!store.create(named("iris"), service("iris"), by_me).error);
  world.disk.full = true;
  world.begin();
  world.reconciler->start("http://127.0.0.1:8080");
  std::this_thread::sleep_for(50ms);
  CHECK(store.get(named("iris"))->find("status") == nullptr);
  world.disk.full = false;
  CHECK(world.ready_becomes("True (missing)"));
  world.reconciler.reset();
}

TEST_CASE("AStatusFollowsTheServicesTransformer") {
  MetricsRegistry metrics;
  ReconcilerWorld world;
  world.transformer = std::make_shared<serving::Transformer>(
      serving::TransformerSettings{"default", "iris", "http://t:9000", 20s, "/v1/models/iris"}, metrics);
  ResourceStore& store = world.start();
  REQUIRE(!store.create(named("iris"), service("iris"), by_me).error);
  world.begin();
  world.reconciler->start("http://127.0.0.1:8080");
  CHECK(world.ready_becomes("Unknown Probing"));
  world.transformer->probed(world.clock.now(), "Connection refused");
  world.reconciler->look_around();
  CHECK(world.ready_becomes("False TransformerNotReady"));
  world.transformer->probed(world.clock.now(), "");
  world.reconciler->look_around();
  CHECK(world.ready_becomes("True (missing)"));
  std::string said;
  for (const auto& event : world.events.events()) said += event.reason + ";";
  CHECK(said.find("Probing;TransformerNotReady;Ready;") != std::string::npos);
  world.reconciler.reset();
}

TEST_CASE("WithoutObjectsEverythingIsSettledAtOnce") {
  ReconcilerWorld world;
  world.start();
  world.begin();
  world.reconciler->start("http://127.0.0.1:8080");
  for (int i = 0; i < 1000 && !world.settled; ++i) std::this_thread::sleep_for(1ms);
  CHECK(world.settled);
  world.store->end_watches();
  world.reconciler.reset();
}

}  // namespace
}  // namespace jackdaw::control
