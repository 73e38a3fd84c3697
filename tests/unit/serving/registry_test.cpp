#include "jackdaw/serving/registry.h"

#include <catch2/catch.hpp>
#include <chrono>

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

TEST_CASE("ASnapshotStaysAsItWasWhileTheRegistryMovesOn") {
  Registry registry;
  for (int i = 0; i < 300; ++i) registry.put(model("m" + std::to_string(i), "default", {"alias"}));
  const auto before = registry.snapshot();
  const auto held = before->hold("m7");
  ServedModel changed = model("m7", "default", {});
  changed.revision = "m7-predictor-00002";
  registry.put(changed);
  CHECK(registry.remove("m8", "default"));
  CHECK_FALSE(registry.remove("m8", "default"));
  CHECK(before->find("m7")->revision.empty());
  CHECK(before->find("m8") != nullptr);
  CHECK(registry.snapshot()->find("m7")->revision == "m7-predictor-00002");
  CHECK(registry.snapshot()->find("m8") == nullptr);
  CHECK(registry.snapshot()->models().size() == 299);
  CHECK(held->revision.empty());
}

TEST_CASE("ModelsAreListedInNameOrder") {
  Registry registry;
  for (const auto name : {"c", "a", "b"}) registry.put(model(name, "default", {}));
  registry.put(model("b", "another", {}));
  std::string order;
  for (const auto& served : registry.snapshot()->models()) order += served->namespace_name + "/" + served->name + " ";
  CHECK(order == "default/a another/b default/b default/c ");
}

// What it costs to publish one of a thousand: the time is printed, not asserted, for machines differ.
TEST_CASE("PublishingOneOfAThousandIsCheap") {
  Registry registry;
  for (int i = 0; i < 1000; ++i) registry.put(model("m" + std::to_string(i), "default", {}));
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 1000; ++i) registry.put(model("m" + std::to_string(i), "default", {}));
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
  WARN("a put among 1000 models took " << took.count() / 1000 << " us");
  CHECK(registry.snapshot()->models().size() == 1000);
}
