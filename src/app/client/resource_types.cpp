#include "src/app/client/resource_types.h"

#include <algorithm>
#include <array>
#include <utility>

#include "jackdaw/base/ascii.h"
#include "jackdaw/base/text.h"

namespace jackdaw::app {
namespace {

// Groups whose objects the commands are for; a cluster has many more.
constexpr std::array<std::string_view, 2> own_groups{"serving.kserve.io", "jackdaw.dev"};

std::string text_of(const spec::Json& json, std::string_view name) {
  const spec::Json* found = json.find(name);
  return found == nullptr ? std::string() : std::string(found->as_text());
}

std::vector<std::string> texts_of(const spec::Json& json, std::string_view name) {
  std::vector<std::string> out;
  if (const spec::Json* list = json.find(name)) {
    for (const spec::Json& item : list->items()) out.emplace_back(item.as_text());
  }
  return out;
}

bool has(const std::vector<std::string>& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// Whether `word`, in small letters, is a name of the type; a group or a version and group may follow a dot.
bool is_named(const ResourceType& type, const std::string& word) {
  const std::size_t dot = word.find('.');
  const std::string name = word.substr(0, dot);
  if (name != type.plural && name != type.singular && name != ascii_lower(type.kind) && !has(type.short_names, name)) {
    return false;
  }
  if (dot == std::string::npos) return true;
  const std::string rest = word.substr(dot + 1);
  return rest == type.group || rest == type.version + "." + type.group;
}

Error object_and_names(std::string_view word) {
  return make_error(Code::invalid_argument,
                    "'{}' names a type and an object; write either TYPE NAME... or TYPE/NAME...", word);
}

}  // namespace

std::string ResourceType::path(std::string_view namespace_name, std::string_view name) const {
  std::string out = group.empty() ? "/api/" + version : "/apis/" + group + "/" + version;
  if (namespaced && !namespace_name.empty()) out += "/namespaces/" + percent_encoded(namespace_name);
  out += "/" + plural;
  return name.empty() ? out : out + "/" + percent_encoded(name);
}

std::vector<ResourceType> read_resource_list(const spec::Json& answer) {
  std::vector<ResourceType> out;
  const std::string group_version = text_of(answer, "groupVersion");
  const std::size_t slash = group_version.find('/');
  const spec::Json* resources = answer.find("resources");
  if (resources == nullptr) return out;
  for (const spec::Json& resource : resources->items()) {
    ResourceType type;
    type.group = slash == std::string::npos ? "" : group_version.substr(0, slash);
    type.version = slash == std::string::npos ? group_version : group_version.substr(slash + 1);
    type.plural = text_of(resource, "name");
    if (type.plural.empty() || type.plural.find('/') != std::string::npos) continue;
    type.kind = text_of(resource, "kind");
    type.singular = text_of(resource, "singularName");
    if (type.singular.empty()) type.singular = ascii_lower(type.kind);
    type.short_names = texts_of(resource, "shortNames");
    type.in_all = has(texts_of(resource, "categories"), "all");
    const spec::Json* namespaced = resource.find("namespaced");
    type.namespaced = namespaced == nullptr || namespaced->as_boolean();
    out.push_back(std::move(type));
  }
  return out;
}

Result<ResourceTypes> ResourceTypes::discover(ApiClient& client) {
  std::vector<ResourceType> types;
  const auto add = [&](const std::string& path) -> Result<void> {
    const ApiOutcome outcome = client.get(path);
    if (outcome.error) return *outcome.error;
    if (outcome.refusal) return {};  // a version that went away meanwhile
    auto found = read_resource_list(outcome.answer.body);
    types.insert(types.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
    return {};
  };
  const ApiOutcome groups = client.get("/apis");
  if (groups.error) return *groups.error;
  if (groups.refusal && groups.refusal->status != 404) {
    return make_error(Code::permission_denied, "{}", groups.refusal->message);
  }
  if (groups.refusal) {
    return make_error(Code::unsupported, "{} keeps no objects; is it an older jackdaw?", client.server());
  }
  if (const spec::Json* list = groups.answer.body.find("groups")) {
    for (const spec::Json& group : list->items()) {
      const std::string name = text_of(group, "name");
      if (std::find(own_groups.begin(), own_groups.end(), name) == own_groups.end()) continue;
      const spec::Json* versions = group.find("versions");
      if (versions == nullptr) continue;
      for (const spec::Json& version : versions->items()) {
        JACKDAW_TRY(add("/apis/" + text_of(version, "groupVersion")));
      }
    }
  }
  JACKDAW_TRY(add("/api/v1"));
  return ResourceTypes(std::move(types));
}

Result<ResourceType> ResourceTypes::find(std::string_view word) const {
  const std::string wanted = ascii_lower(word);
  const auto found =
      std::find_if(types_.begin(), types_.end(), [&](const auto& type) { return is_named(type, wanted); });
  if (found != types_.end()) return *found;
  std::vector<std::string_view> names;
  std::string known;
  for (const ResourceType& type : types_) {
    if (std::find(names.begin(), names.end(), type.plural) != names.end()) continue;
    names.push_back(type.plural);
    known += (known.empty() ? "" : ", ") + type.plural;
    if (!type.short_names.empty()) known += " (" + type.short_names.front() + ")";
  }
  const std::string nearest = nearest_name(wanted, names);
  return make_error(Code::not_found, "the server doesn't have a resource type \"{}\"{}; it has {}", word,
                    nearest.empty() ? "" : ", did you mean " + nearest + "?", known.empty() ? "none" : known);
}

Result<std::vector<ResourceType>> ResourceTypes::find_list(std::string_view words) const {
  std::vector<ResourceType> out;
  while (!words.empty()) {
    const std::string_view word = words.substr(0, words.find(','));
    words.remove_prefix(std::min(word.size() + 1, words.size()));
    if (word == "all") {
      for (const ResourceType& type : types_) {
        const bool known = std::any_of(out.begin(), out.end(), [&](const auto& t) { return t.plural == type.plural; });
        if (type.in_all && !known) out.push_back(type);
      }
      continue;
    }
    JACKDAW_ASSIGN(ResourceType type, find(word));
    out.push_back(std::move(type));
  }
  return out;
}

const ResourceType* ResourceTypes::of_kind(std::string_view api_version, std::string_view kind) const {
  const auto found = std::find_if(types_.begin(), types_.end(), [&](const auto& type) {
    return type.kind == kind && type.api_version() == api_version;
  });
  return found == types_.end() ? nullptr : &*found;
}

Result<std::vector<WantedObjects>> wanted_objects(const ResourceTypes& types, const std::vector<std::string>& words) {
  std::vector<WantedObjects> out;
  if (words.empty()) return out;
  if (words.front().find('/') == std::string::npos) {
    JACKDAW_ASSIGN(std::vector<ResourceType> found, types.find_list(words.front()));
    const std::vector<std::string> names(words.begin() + 1, words.end());
    for (const std::string& name : names) {
      if (name.find('/') != std::string::npos) return object_and_names(name);
    }
    for (ResourceType& type : found) out.push_back({std::move(type), names});
    return out;
  }
  for (const std::string& word : words) {
    const std::size_t slash = word.find('/');
    if (slash == std::string::npos || word.find('/', slash + 1) != std::string::npos) return object_and_names(word);
    const std::string name = word.substr(slash + 1);
    if (name.empty()) return make_error(Code::invalid_argument, "'{}' lacks a name after the slash", word);
    JACKDAW_ASSIGN(ResourceType type, types.find(word.substr(0, slash)));
    if (!out.empty() && out.back().type.plural == type.plural && out.back().type.group == type.group) {
      out.back().names.push_back(name);
    } else {
      out.push_back({std::move(type), {name}});
    }
  }
  return out;
}

}  // namespace jackdaw::app
