#include "jackdaw/serving/registry.h"

#include <catch2/catch.hpp>

using namespace jackdaw;
using namespace jackdaw::serving;

namespace {

ServedModel model(std::string name, std::string namespace_name, std::vector<std::string> aliases) {
  ServedModel served;
  served.name = served.service_name = std::move(name);
  served.namespace_name = std::move(namespace_name);
  served.aliases = std::move(aliases);
  return served;
}

std::string found(const Registry& registry, std::string_view name, std::string_view host = {}) {
  const auto snapshot = registry.snapshot();
  const ServedModel* served = snapshot->find(name, host);
  return served == nullptr ? "" : served->namespace_name + "/" + served->name;
}

}  // namespace

TEST_CASE("AliasesFindTheirModel") {
  Registry registry;
  registry.put(model("smollm2", "default", {"gpt-4o", "HuggingFaceTB/SmolLM2"}));
  CHECK(found(registry, "smollm2") == "default/smollm2");
  CHECK(found(registry, "gpt-4o") == "default/smollm2");
  CHECK(found(registry, "HuggingFaceTB/SmolLM2") == "default/smollm2");
  CHECK(found(registry, "gpt-4") == "");
  CHECK(registry.snapshot()->find("gpt-4o")->answers_to("smollm2"));
  CHECK_FALSE(registry.snapshot()->find("gpt-4o")->answers_to("gpt-4"));
}

TEST_CASE("AModelsOwnNameWinsOverAnothersAlias") {
  Registry registry;
  registry.put(model("small", "default", {"large", "small"}));
  registry.put(model("large", "default", {}));
  CHECK(found(registry, "large") == "default/large");
  CHECK(found(registry, "small") == "default/small");
}

TEST_CASE("AnAliasOfTwoModelsIsChosenByHostOrDefaultNamespace") {
  Registry registry;
  registry.put(model("a", "team-a", {"chat"}));
  registry.put(model("b", "team-b", {"chat", "chat"}));
  CHECK(found(registry, "chat") == "");
  CHECK(found(registry, "chat", "b-team-b.example.com") == "team-b/b");
  CHECK(found(registry, "chat", "a.team-a.example.com") == "team-a/a");
  registry.put(model("c", "default", {"chat"}));
  CHECK(found(registry, "chat") == "default/c");
}

TEST_CASE("AliasesGoWithTheirModel") {
  Registry registry;
  registry.put(model("a", "default", {"chat"}));
  REQUIRE(registry.remove("a", "default"));
  CHECK(found(registry, "chat") == "");
}
