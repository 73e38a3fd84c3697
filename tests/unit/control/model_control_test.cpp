#include "jackdaw/control/model_control.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "src/control/model_versions.h"
#include "tests/unit/control/control_world.h"

using namespace jackdaw;
using namespace jackdaw::control;
using serving::ModelState;

TEST_CASE("DeclaredModelsBecomeReadyAndFailuresKeepTheirReason") {
  World world;
  world.declare({World::model("good")});
  CHECK(world.find("good")->latest()->state == ModelState::ready);
  world.factory.fails = true;
  world.declare({World::model("bad")});
  CHECK(world.find("bad")->latest()->state == ModelState::unavailable);
  CHECK(world.find("bad")->latest()->reason == "/nowhere: broken file");
}

TEST_CASE("AVersionIsPreparedBeforeItIsReadyAndMayFailThen") {
  World world;
  DeclaredModel model = World::model("m");
  model.prepare = [&world](serving::ModelVersion& version) -> Result<void> {
    CHECK(version.engine != nullptr);
    CHECK(world.find("m")->latest()->state == ModelState::loading);
    return {};
  };
  CHECK(world.put(model).has_value());
  CHECK(world.find("m")->latest()->state == ModelState::ready);
  // What cannot be prepared leaves the old one in its place.
  model.prepare = [](serving::ModelVersion&) -> Result<void> {
    return make_error(Code::invalid_argument, "the warm-up request was refused");
  };
  const auto outcome = world.put(model);
  REQUIRE(outcome.has_error());
  CHECK(outcome.error().message == "the warm-up request was refused");
  CHECK(world.find("m")->latest()->state == ModelState::ready);
  model.name = model.service_name = "fresh";
  CHECK(world.put(model).has_error());
  CHECK(world.find("fresh")->latest()->state == ModelState::unavailable);
  CHECK(world.find("fresh")->latest()->reason == "the warm-up request was refused");
  CHECK(world.find("fresh")->latest()->engine == nullptr);
}

TEST_CASE("AModelThatCannotBeFoundFailsAloneAndLoadsOnceItIsThere") {
  World world;
  bool there = false;
  DeclaredModel late = World::model("late");
  late.resolve = [&there] {
    return there ? Result<std::string>(std::string("/x")) : Result<std::string>(make_error(Code::not_found, "not yet"));
  };
  world.declare({late, World::model("other")});
  CHECK(world.find("late")->latest()->state == ModelState::unavailable);
  CHECK(world.find("other")->latest()->state == ModelState::ready);
  there = true;
  CHECK(world.act(&ModelControl::load, "late").has_value());
  CHECK(world.find("late")->latest()->state == ModelState::ready);
}

TEST_CASE("AFailedReloadKeepsTheOldModelServing") {
  World world;
  world.declare({World::model("iris")});
  const auto engine = world.find("iris")->latest()->engine;
  world.factory.fails = true;
  CHECK_FALSE(world.act(&ModelControl::load, "iris").has_value());
  CHECK(world.find("iris")->latest()->engine == engine);
}

TEST_CASE("UnloadedModelsCanBeLoadedAgain") {
  World world;
  world.declare({World::model("iris")});
  CHECK(world.act(&ModelControl::unload, "iris").has_value());
  CHECK(world.find("iris")->unloaded);
  CHECK(world.act(&ModelControl::unload, "iris").error().code == Code::not_found);
  CHECK(world.act(&ModelControl::load, "iris").has_value());
  CHECK_FALSE(world.find("iris")->unloaded);
  CHECK(world.act(&ModelControl::load, "nothing").error().code == Code::not_found);
}

TEST_CASE("OneOfTwoModelsOfOneNameIsUnloadedAndLoaded") {
  World world;
  DeclaredModel other = World::model("m");
  other.namespace_name = "team-a";
  world.declare({World::model("m"), other});
  const auto unloaded = [&](const std::string& host) { return world.registry.snapshot()->find("m", host)->unloaded; };
  CHECK(world.act(&ModelControl::unload, "m", "team-a").has_value());
  CHECK(unloaded("m.team-a.example.com"));
  CHECK_FALSE(unloaded("m.default.example.com"));
  CHECK(world.act(&ModelControl::unload, "m", "team-b").error().code == Code::not_found);
  CHECK(world.act(&ModelControl::load, "m", "team-a").has_value());
  CHECK_FALSE(unloaded("m.team-a.example.com"));
}

TEST_CASE("StoppedServicesStayUnloadedUntilAsked") {
  World world;
  DeclaredModel stopped = World::model("iris");
  stopped.stopped = true;
  world.declare({stopped});
  CHECK(world.find("iris")->unloaded);
  CHECK(world.act(&ModelControl::load, "iris").has_value());
  CHECK(world.find("iris")->latest()->state == ModelState::ready);
}

TEST_CASE("NumberedFoldersAreVersionsAndEverythingElseIsOne") {
  namespace fs = std::filesystem;
  const fs::path root = fs::temp_directory_path() / "jackdaw-versions-test";
  fs::remove_all(root);
  fs::create_directories(root / "10");
  fs::create_directories(root / "9");
  fs::create_directories(root / ".hidden");
  auto rows = model_versions(root.string());
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].version == "9");
  CHECK(rows[1].version == "10");
  std::ofstream(root / "model.joblib") << "x";
  rows = model_versions(root.string());
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].path == root.string());
  fs::remove_all(root);
}

TEST_CASE("AReplacedModelAnswersUntilTheNewOneIsLoaded") {
  World world;
  CHECK(world.put(World::model("iris")).has_value());
  const auto first = world.find("iris")->latest()->engine;
  DeclaredModel next = World::model("iris");
  next.resolve = [&] {
    CHECK(world.find("iris")->latest()->engine == first);  // while the next one is being loaded
    return Result<std::string>(std::string("/next"));
  };
  CHECK(world.put(next).has_value());
  CHECK(world.find("iris")->latest()->engine != first);
}

TEST_CASE("AReplacementThatFailsLeavesTheOldModelAndCanBeTriedAgain") {
  World world;
  CHECK(world.put(World::model("iris")).has_value());
  const auto first = world.find("iris")->latest()->engine;
  world.factory.fails = true;
  CHECK(world.put(World::model("iris")).error().text() == "/nowhere: broken file");
  CHECK(world.find("iris")->latest()->engine == first);
  world.factory.fails = false;
  CHECK(world.put(World::model("iris")).has_value());
  CHECK(world.find("iris")->latest()->engine != first);
}

TEST_CASE("ARenamedModelLosesItsOldNameOnceTheNewOneAnswers") {
  World world;
  CHECK(world.put(World::model("iris")).has_value());
  DeclaredModel renamed = World::model("iris");
  renamed.name = "flowers";
  world.factory.fails = true;
  CHECK_FALSE(world.put(renamed).has_value());
  CHECK(world.find("iris")->latest()->state == ModelState::ready);
  world.factory.fails = false;
  CHECK(world.put(renamed).has_value());
  CHECK(world.find("iris") == nullptr);
  CHECK(world.find("flowers")->latest()->state == ModelState::ready);
}

TEST_CASE("AStoppedServiceIsUnloadedAndARemovedOneIsGone") {
  World world;
  CHECK(world.put(World::model("iris")).has_value());
  DeclaredModel stopped = World::model("iris");
  stopped.stopped = true;
  CHECK(world.put(stopped).has_value());
  CHECK(world.find("iris")->unloaded);
  CHECK(world.put(World::model("iris")).has_value());
  CHECK(world.find("iris")->latest()->state == ModelState::ready);
  world.remove("iris");
  CHECK(world.find("iris") == nullptr);
  world.remove("iris");
  CHECK(world.act(&ModelControl::load, "iris").error().code == Code::not_found);
}

namespace {

DeclaredModel numbered(const std::string& revision) {
  DeclaredModel model = World::model("iris");
  model.revision = revision;
  return model;
}

Result<void> load(World& world, DeclaredModel model) {
  std::promise<Result<void>> promise;
  world.control->load_revision(std::move(model), [&](Result<void> outcome) { promise.set_value(std::move(outcome)); });
  return promise.get_future().get();
}

}  // namespace

TEST_CASE("ALoadedRevisionAnswersNobodyBeforeItHasAShare") {
  World world;
  CHECK(load(world, numbered("r1")).has_value());
  CHECK(world.find("iris")->latest()->state == ModelState::loading);
  world.control->serve("default", "iris", {{{"r1", 100, ""}}, {"r1"}, ""});
  CHECK(world.find("iris")->latest()->state == ModelState::ready);
  CHECK(world.find("iris")->revision == "r1");
  CHECK(world.find("iris")->traffic == nullptr);
  CHECK(load(world, numbered("r2")).has_value());
  CHECK(world.find("iris")->revision == "r1");
}

TEST_CASE("TrafficIsPublishedAsItIsShared") {
  World world;
  CHECK(load(world, numbered("r1")).has_value());
  DeclaredModel other = numbered("r2");
  other.name = "iris-two";
  CHECK(load(world, other).has_value());
  world.control->serve("default", "iris", {{{"r2", 10, "latest"}, {"r1", 90, "prev"}}, {"r1", "r2"}, ""});
  const serving::ServedModel* front = world.find("iris");
  REQUIRE(front->traffic != nullptr);
  CHECK(front->revision == "r1");
  CHECK(front->traffic->shares[0].revision->revision == "r2");
  CHECK(front->traffic->shares[0].percent == 10);
  CHECK(front->traffic->shares[1].tag == "prev");
  CHECK(world.held->find("iris-two") == front);  // the canary's own name leads to the service too
  CHECK(world.control->counts("default", "iris", "r2") == front->traffic->shares[0].revision->counts);
  CHECK(world.control->counts("default", "iris", "r9") == nullptr);
}

TEST_CASE("AnEngineEndsWithItsLastRequestAndNotOnItsThread") {
  World world;
  CHECK(load(world, numbered("r1")).has_value());
  world.control->serve("default", "iris", {{{"r1", 100, ""}}, {}, ""});
  auto request = world.registry.snapshot()->hold("iris");
  const std::weak_ptr<engine::Engine> engine = request->latest()->engine;
  CHECK(load(world, numbered("r2")).has_value());
  world.control->serve("default", "iris", {{{"r2", 100, ""}}, {}, ""});
  CHECK_FALSE(engine.expired());
  request.reset();
  CHECK(engine.expired());
  CHECK(world.find("iris")->revision == "r2");
}

TEST_CASE("WhatIsLoadedOnlyTakesNewSettingsOver") {
  World world;
  CHECK(load(world, numbered("r1")).has_value());
  world.control->serve("default", "iris", {{{"r1", 100, ""}}, {}, ""});
  const auto engine = world.find("iris")->latest()->engine;
  world.factory.fails = true;  // it is not asked
  DeclaredModel changed = numbered("r1");
  changed.aliases = {"flowers"};
  CHECK(load(world, changed).has_value());
  CHECK(world.find("flowers")->latest()->engine == engine);
}

TEST_CASE("NobodyAnswersWhileNobodyHasAShare") {
  World world;
  CHECK(load(world, numbered("r1")).has_value());
  world.control->serve("default", "iris", {{{"r1", 100, ""}}, {}, ""});
  world.control->serve("default", "iris", {});
  CHECK(world.find("iris")->latest()->state == ModelState::loading);
  world.factory.fails = true;
  CHECK_FALSE(load(world, numbered("r2")).has_value());
  CHECK(world.find("iris")->latest()->reason == "/nowhere: broken file");
}

TEST_CASE("AServiceThatIsDeclaredAgainIsAnotherOne") {
  World world;
  std::atomic<bool> begun{false}, go{false};
  const auto wait_for = [](const std::atomic<bool>& flag) {
    while (!flag) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  DeclaredModel old = World::model("iris");
  old.aliases = {"old"};
  old.resolve = [&] {
    begun = true;
    wait_for(go);
    return Result<std::string>(std::string("/old"));
  };
  DeclaredModel fresh = World::model("iris");
  fresh.aliases = {"fresh"};
  std::promise<Result<void>> first, waiting, second;
  const auto tells = [](std::promise<Result<void>>& promise) {
    return [&promise](Result<void> outcome) { promise.set_value(std::move(outcome)); };
  };
  world.control->load_revision(old, tells(first));
  wait_for(begun);
  world.control->put(old, tells(waiting));
  world.control->remove("default", "iris", {});
  CHECK(world.find("iris") == nullptr);  // at once, whatever loads
  world.control->load_revision(fresh, tells(second));
  go = true;
  CHECK(first.get_future().get().error().message == "It was removed while it was loaded.");
  CHECK(waiting.get_future().get().error().message == "It was removed before it was loaded.");
  CHECK(second.get_future().get().has_value());
  REQUIRE(world.find("iris") != nullptr);
  CHECK(world.find("iris")->latest()->state == ModelState::ready);
  CHECK(world.find("iris")->aliases == std::vector<std::string>{"fresh"});
}

TEST_CASE("ANameThatGoesToAnotherServiceStaysThere") {
  World world;
  DeclaredModel x = World::model("x"), y = World::model("y");
  x.name = y.name = "m";
  world.declare({x, y});  // y has been promised the name that x still answers to
  REQUIRE(world.find("m")->service_name == "y");
  SECTION("though its old owner publishes once more what it was") {
    world.declare({x});
  }
  SECTION("when its old owner gets another name") {}
  x.name = "n";
  world.declare({x});
  REQUIRE(world.find("m") != nullptr);
  CHECK(world.find("m")->service_name == "y");
  CHECK(world.find("n")->service_name == "x");
}

TEST_CASE("ANameThatWentToAnotherServiceOutlivesItsOldOwner") {
  World world;
  DeclaredModel x = World::model("x"), y = World::model("y");
  x.name = y.name = "m";
  world.declare({y, x});
  world.remove("x");
  REQUIRE(world.find("m") != nullptr);
  CHECK(world.find("m")->service_name == "y");
  world.remove("y");
  CHECK(world.find("m") == nullptr);
}

TEST_CASE("WhatWaitsIsNotLoadedAnyMoreAtTheEnd") {
  World world;
  std::atomic<bool> begun{false};
  for (int i = 0; i < 50; ++i) {
    DeclaredModel model = World::model("m" + std::to_string(i));
    model.resolve = [&begun] {
      begun = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      return Result<std::string>(std::string("/nowhere"));
    };
    world.control->put(std::move(model), [](Result<void>) {});
  }
  while (!begun) std::this_thread::yield();
  world.control.reset();
  CHECK(world.factory.loads < 40);  // two at a time, and one takes 20 ms at least
}
