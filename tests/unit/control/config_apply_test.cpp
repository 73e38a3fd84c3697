#include "jackdaw/control/config_apply.h"

#include <catch2/catch.hpp>

#include "jackdaw/control/declared_object.h"
#include "tests/unit/control/store_world.h"

namespace jackdaw::control {
namespace {

const WriteOptions by_kubectl{"kubectl", false};

std::string isvc(const std::string& name, const std::string& uri) {
  return "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: " + name +
         "}\nspec: {predictor: {model: {modelFormat: {name: sklearn}, storageUri: " + uri + "}}}\n---\n";
}

spec::LoadedConfig loaded(const std::string& text) {
  spec::LoadedConfig config = spec::load_config_text(text, "/etc/jackdaw/service.yaml", "/etc/jackdaw");
  REQUIRE(config.ok());
  return config;
}

struct ConfigWorld : StoreWorld {
  ConfigWorld() {
    options.validate = make_spec_validator({});
    start();
  }
  ConfigApplied apply(const std::string& text) { return apply_config(*store, loaded(text)); }
  std::string uri_of(const std::string& name) const {
    const auto object = store->get(named(name));
    return object == nullptr ? "(none)" : at(*object, {"spec", "predictor", "model", "storageUri"});
  }
};

TEST_CASE("TheConfigurationDeclaresReplacesAndPrunes") {
  ConfigWorld world;
  ConfigApplied applied = world.apply(isvc("iris", "models/iris") + isvc("wine", "/models/wine"));
  CHECK(applied.faults.empty());
  CHECK(applied.objects == 2);
  CHECK(applied.changed == 2);
  const auto iris = world.store->get(named("iris"));
  REQUIRE(iris != nullptr);
  CHECK(world.uri_of("iris") == "models/iris");  // as it was written
  CHECK(at(*iris, {"metadata", "annotations", config_file_annotation}) == "/etc/jackdaw/service.yaml");
  CHECK(read_declared(*iris, {}).services.at(0).base_dir == "/etc/jackdaw");
  const auto& manager = iris->find_path({"metadata", "managedFields"})->items().at(0);
  CHECK(at(manager, {"manager"}) == "config");
  CHECK(at(manager, {"operation"}) == "Apply");

  const std::uint64_t version = world.store->resource_version();
  applied = world.apply(isvc("iris", "models/iris") + isvc("wine", "/models/wine"));
  CHECK(applied.changed == 0);
  CHECK(world.store->resource_version() == version);

  applied = world.apply(isvc("iris", "/models/other"));
  CHECK(applied.changed == 1);
  CHECK(applied.pruned == 1);
  CHECK(world.uri_of("iris") == "/models/other");
  CHECK(world.uri_of("wine") == "(none)");
}

TEST_CASE("WhatOthersDeclaredStaysAndTheConfigurationWins") {
  ConfigWorld world;
  const std::string spec = R"({"predictor":{"model":{"modelFormat":{"name":"sklearn"},"storageUri":"/by/kubectl"}}})";
  REQUIRE(!world.store->create(named("theirs"), service("theirs", spec), by_kubectl).error);
  REQUIRE(!world.store->create(named("both"), service("both", spec), by_kubectl).error);
  CHECK(world.apply(isvc("both", "/by/config")).faults.empty());
  CHECK(world.uri_of("both") == "/by/config");
  CHECK(world.uri_of("theirs") == "/by/kubectl");
  CHECK(world.apply("# nothing\n").pruned == 1);
  CHECK(world.uri_of("both") == "(none)");
  CHECK(world.uri_of("theirs") == "/by/kubectl");
}

TEST_CASE("AFullDiskIsSaidAndNothingIsPruned") {
  ConfigWorld world;
  REQUIRE(world.apply(isvc("iris", "/a") + isvc("wine", "/b")).faults.empty());
  world.disk.full = true;
  const ConfigApplied applied = world.apply(isvc("iris", "/new"));
  REQUIRE(applied.faults.size() == 1);
  CHECK(applied.faults[0].find("inferenceservices default/iris: ") == 0);
  CHECK(applied.faults[0].find("the disk is full") != std::string::npos);
  CHECK(world.uri_of("wine") == "/b");
  world.disk.full = false;
  CHECK(world.apply(isvc("iris", "/new")).pruned == 1);
}

TEST_CASE("EveryWriteIsHeldAgainstTheSpec") {
  ConfigWorld world;
  const auto create = [&](const std::string& model) {
    return world.store->create(named("iris"), service("iris", R"({"predictor":{"model":)" + model + "}}"), by_kubectl);
  };
  StoreAnswer answer = create(R"({"modelFormat":{"name":"sklearn"},"storageURI":"/a"})");
  REQUIRE(answer.error);
  CHECK(answer.error->reason == Reason::invalid);
  REQUIRE(!answer.error->causes.empty());
  CHECK(answer.error->causes[0].field == "spec.predictor.model.storageURI");
  CHECK(answer.error->causes[0].message.find("did you mean 'storageUri'?") != std::string::npos);
  CHECK(answer.error->causes[0].reason == "FieldValueInvalid");
  answer = create(R"({"storageUri":"/a"})");
  REQUIRE(answer.error);
  CHECK(answer.error->causes[0].reason == "FieldValueRequired");
  answer = create(R"({"modelFormat":{"name":"sklearn"},"storageUri":"models/iris"})");
  REQUIRE(answer.error);
  CHECK(answer.error->causes[0].field == "spec.predictor.model.storageUri");
  CHECK(answer.error->causes[0].message.find("'models/iris' is relative") == 0);
  answer = create(R"({"modelFormat":{"name":"sklearn"},"storageUri":"nosuch://x"})");
  REQUIRE(answer.error);
  answer = create(R"({"modelFormat":{"name":"sklearn"},"storageUri":"/a","resources":{"limits":{"cpu":"1"}}})");
  REQUIRE(!answer.error);
  REQUIRE(answer.warnings.size() == 1);
  CHECK(answer.warnings[0].find("spec.predictor.model.resources: 'resources' has no effect here") == 0);
}

TEST_CASE("ThePrefixesOfTheStorageMapAreSchemesToo") {
  StoreWorld world;
  world.options.validate = make_spec_validator({"models:"});
  ResourceStore& store = world.start();
  const auto create = [&](const std::string& name, const std::string& uri) {
    const std::string spec =
        R"({"predictor":{"model":{"modelFormat":{"name":"sklearn"},"storageUri":")" + uri + R"("}}})";
    return !store.create(named(name), service(name, spec), by_kubectl).error;
  };
  CHECK(create("a", "models://iris"));
  CHECK(create("b", "models:iris"));
  CHECK_FALSE(create("c", "other://iris"));
}

}  // namespace
}  // namespace jackdaw::control
