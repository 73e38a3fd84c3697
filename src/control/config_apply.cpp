#include "jackdaw/control/config_apply.h"

#include <filesystem>
#include <set>
#include <string>
#include <system_error>
#include <tuple>
#include <utility>

#include "jackdaw/base/log.h"
#include "jackdaw/control/declared_object.h"
#include "src/control/object_meta.h"

namespace jackdaw::control {
namespace {

using spec::Json;

const WriteOptions by_config{std::string(config_manager), false};

struct Declared {
  ResourceName name;
  Json object;
};

const ResourceKind* kind_named(const ResourceStore& store, std::string_view kind) {
  for (const ResourceKind& one : store.kinds()) {
    if (one.kind == kind) return &one;
  }
  return nullptr;
}

// What was written, and where: the file's folder is where its relative paths start.
Json with_origin(const spec::Node& node) {
  Json object = Json::of(node);
  object.erase("status");
  Json& metadata = object.member("metadata");
  Json& annotations = metadata.member("annotations");
  if (!annotations.is_object()) annotations = Json::object();
  std::error_code ignored;
  const std::string file = node.file == nullptr ? std::string() : *node.file;
  annotations.set(config_file_annotation, Json::text(std::filesystem::absolute(file, ignored).string()));
  return object;
}

std::vector<Declared> declared_in(const ResourceStore& store, const spec::LoadedConfig& config) {
  std::vector<Declared> out;
  const auto add = [&](std::string_view kind_name, const spec::ObjectMeta& metadata, const spec::Node& node) {
    const ResourceKind* kind = kind_named(store, kind_name);
    if (kind == nullptr) return;
    out.push_back({{kind->group, kind->plural, *metadata.namespace_name, *metadata.name}, with_origin(node)});
  };
  for (const auto& service : config.services) add("InferenceService", service.metadata, *service.node);
  for (const auto& service : config.llm_services) add("LLMInferenceService", service.metadata, *service.node);
  return out;
}

bool is_managed_by_config(const Json& object) {
  const Json* managers = object.find_path({"metadata", "managedFields"});
  if (managers == nullptr) return false;
  for (const Json& entry : managers->items()) {
    if (text_at(entry, {"manager"}) == config_manager && text_at(entry, {"operation"}) == "Apply") return true;
  }
  return false;
}

std::string words_for(const ResourceName& name, const StoreError& error) {
  return fmt::format("{} {}/{}: {}", name.plural, name.namespace_name, name.name, error.message);
}

void prune(ResourceStore& store, const std::vector<Declared>& declared, ConfigApplied& outcome) {
  std::set<std::tuple<std::string, std::string, std::string>> kept;
  for (const Declared& one : declared) kept.emplace(one.name.plural, one.name.namespace_name, one.name.name);
  for (const ResourceKind& kind : store.kinds()) {
    for (const auto& object : store.list(kind.group, kind.plural, "", {}).objects) {
      const ResourceName name{kind.group, kind.plural, std::string(text_at(*object, {"metadata", "namespace"})),
                              std::string(text_at(*object, {"metadata", "name"}))};
      if (kept.contains({name.plural, name.namespace_name, name.name}) || !is_managed_by_config(*object)) continue;
      const StoreAnswer removed = store.remove(name, {}, by_config);
      if (removed.error && removed.error->reason != Reason::not_found) {
        outcome.faults.push_back(words_for(name, *removed.error));
        continue;
      }
      ++outcome.pruned;
      log_info("the configuration no longer declares a service, which is removed",
               {{"service", name.name}, {"namespace", name.namespace_name}});
    }
  }
}

}  // namespace

ConfigApplied apply_config(ResourceStore& store, const spec::LoadedConfig& config) {
  const std::vector<Declared> declared = declared_in(store, config);
  ConfigApplied outcome;
  outcome.objects = declared.size();
  for (const Declared& one : declared) {
    const PatchRequest request{PatchRequest::Type::apply, one.object, true, ""};
    const StoreAnswer answer = store.patch(one.name, request, by_config);
    if (answer.error) {
      outcome.faults.push_back(words_for(one.name, *answer.error));
    } else if (answer.changed) {
      ++outcome.changed;
    }
  }
  if (outcome.faults.empty()) prune(store, declared, outcome);
  return outcome;
}

}  // namespace jackdaw::control
