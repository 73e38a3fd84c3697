// Random applies and updates against what sigs.k8s.io/structured-merge-diff makes of them (Debian's 4.1.2, the library
// in the API server): tests/data/make/apply_oracle.go writes the traces. JACKDAW_APPLY_TRACES names a larger file.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>

#include "jackdaw/spec/patch.h"

using namespace jackdaw;
using namespace jackdaw::spec;

namespace {

// Where 4.1.2 puts new elements is not what later versions do: lists of elements with names are compared as sets.
void sort_lists(Json& json) {
  for (auto& [name, value] : json.members()) sort_lists(value);
  for (Json& item : json.items()) sort_lists(item);
  std::sort(json.items().begin(), json.items().end(), [](const Json& a, const Json& b) {
    const auto name = [](const Json& item) {
      return std::string((item.is_text() ? &item : item.find("name"))->as_text());
    };
    return name(a) < name(b);
  });
}

// Without managers and a metadata that holds nothing else.
Json bare(Json object) {
  if (Json* metadata = object.find("metadata")) {
    metadata->erase("managedFields");
    if (metadata->members().empty()) object.erase("metadata");
  }
  sort_lists(object);
  return object;
}

Json managers_of(const Json& object) {
  Json out = Json::object();
  const Json* entries = object.find_path({"metadata", "managedFields"});
  if (entries == nullptr) return out;
  for (const Json& entry : entries->items()) {
    out.set(fmt::format("{} {}", entry.find("operation")->as_text(), entry.find("manager")->as_text()),
            *entry.find("fieldsV1"));
  }
  return out;
}

// Whose fields are in the way, once for each field.
std::vector<std::string> owners_of(const std::vector<FieldConflict>& conflicts) {
  std::vector<std::string> owners;
  for (const FieldConflict& conflict : conflicts) {
    const bool updater = conflict.manager >= "c";  // c and d only update
    owners.push_back((updater ? "Update " : "Apply ") + conflict.manager);
  }
  std::sort(owners.begin(), owners.end());
  return owners;
}

std::vector<std::string> owners_in(const Json* list) {
  std::vector<std::string> owners;
  if (list == nullptr) return owners;
  for (const Json& item : list->items()) owners.emplace_back(item.as_text());
  return owners;
}

// The live object after the step.
Json taken(const Json& live, const Json& step) {
  const FieldManager manager{std::string(step.find("manager")->as_text()),
                             std::string(step.find("operation")->as_text()), "v1", ""};
  const Json& object = *step.find("object");
  if (manager.operation == "Update") return with_updated_managers(live, object, manager, WallTime());
  const bool force = step.find("force") != nullptr;
  const auto applied = apply_patch(live, object, manager, force, WallTime());
  REQUIRE(applied.has_value());
  CHECK(owners_of(applied->conflicts) == owners_in(step.find("conflicts")));
  return applied->object;
}

}  // namespace

TEST_CASE("ApplyDoesWhatStructuredMergeDiffDoes") {
  const char* other = std::getenv("JACKDAW_APPLY_TRACES");
  std::ifstream file(other != nullptr ? other : JACKDAW_SOURCE_DIR "/tests/data/spec/apply_traces.jsonl");
  int steps = 0, number = 0;
  for (std::string line; std::getline(file, line); ++number) {
    const auto trace = read_json(line, "trace");
    REQUIRE(trace.has_value());
    Json live;
    for (const Json& step : trace->items()) {
      INFO("trace " << number << "\nlive " << live.dump() << "\nstep " << step.dump());
      live = taken(live, step);
      INFO("result " << live.dump());
      REQUIRE(bare(live) == bare(*step.find("live")));
      REQUIRE(managers_of(live) == *step.find("managers"));
      ++steps;
    }
  }
  CHECK(steps >= 100);
}
