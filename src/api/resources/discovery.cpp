// Discovery as kubectl reads it: groups, versions, resources and their verbs, and the little of OpenAPI that lets it
// leave validation to the server.
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "src/api/resources/accepted.h"
#include "src/api/resources/resource_call.h"
#include "src/api/resources/resources.h"

namespace jackdaw::api::resources {
namespace {

using control::ResourceKind;
using spec::Json;

Json texts(std::initializer_list<std::string_view> list) {
  std::vector<Json> items;
  for (const std::string_view item : list) items.push_back(Json::text(std::string(item)));
  return Json::array(std::move(items));
}

// The groups in the order of their first kind, with every version of theirs.
std::vector<std::pair<std::string, std::vector<std::string>>> groups_of(const control::ResourceStore& store) {
  std::vector<std::pair<std::string, std::vector<std::string>>> out;
  for (const ResourceKind& kind : store.kinds()) {
    auto group = std::find_if(out.begin(), out.end(), [&](const auto& g) { return g.first == kind.group; });
    if (group == out.end()) group = out.insert(out.end(), {kind.group, {}});
    for (const std::string& version : kind.versions) {
      if (std::find(group->second.begin(), group->second.end(), version) == group->second.end()) {
        group->second.push_back(version);
      }
    }
  }
  return out;
}

Json group_version(const std::string& group, const std::string& version) {
  return Json::object({{"groupVersion", Json::text(group + "/" + version)}, {"version", Json::text(version)}});
}

Json group_object(const std::string& group, const std::vector<std::string>& versions) {
  std::vector<Json> list;
  for (const std::string& version : versions) list.push_back(group_version(group, version));
  return Json::object({{"name", Json::text(group)},
                       {"versions", Json::array(std::move(list))},
                       {"preferredVersion", group_version(group, versions.front())}});
}

Json resource(const std::string& name, const ResourceKind& kind, Json verbs) {
  return Json::object({{"name", Json::text(name)},
                       {"singularName", Json::text(kind.singular)},
                       {"namespaced", Json::boolean(kind.namespaced)},
                       {"kind", Json::text(kind.kind)},
                       {"verbs", std::move(verbs)}});
}

// Those that are accepted and have no effect: discovery knows them, so that manifests with them apply.
void add_accepted(std::vector<Json>& list, std::string_view group, std::string_view version) {
  for (const AcceptedKind& kind : accepted_kinds()) {
    if (kind.group != group || kind.version != version) continue;
    Json one = Json::object({{"name", Json::text(std::string(kind.plural))},
                             {"singularName", Json::text(std::string(kind.singular))},
                             {"namespaced", Json::boolean(kind.namespaced)},
                             {"kind", Json::text(std::string(kind.kind))},
                             {"verbs", texts({"create", "delete", "get", "list", "patch", "update"})}});
    if (!kind.short_name.empty()) one.set("shortNames", texts({kind.short_name}));
    list.push_back(std::move(one));
  }
}

Json resource_list(std::string group_version, std::vector<Json> resources) {
  return Json::object({{"kind", Json::text("APIResourceList")},
                       {"apiVersion", Json::text("v1")},
                       {"groupVersion", Json::text(std::move(group_version))},
                       {"resources", Json::array(std::move(resources))}});
}

const control::ResourceStore* store_of(const Call& call) {
  const control::ResourceStore* store = call.api->context.resources;
  if (store == nullptr) answer_status(call, 404, "NotFound", "the server could not find the requested resource");
  return store;
}

// ---- OpenAPI ------------------------------------------------------------------------------------------------------

Json parameter(std::string_view name) {
  return Json::object(
      {{"name", Json::text(std::string(name))},
       {"in", Json::text("query")},
       {"schema", Json::object({{"type", Json::text("string")}, {"uniqueItems", Json::boolean(true)}})}});
}

// One kind of one version, as OpenAPI names it.
struct GroupVersionKind {
  std::string_view group, version, kind, plural;
  bool namespaced = true;

  Json json() const {
    return Json::object({{"group", Json::text(std::string(group))},
                         {"kind", Json::text(std::string(kind))},
                         {"version", Json::text(std::string(version))}});
  }
  // "/apis/serving.kserve.io/v1beta1", "/api/v1".
  std::string root() const {
    return group.empty() ? fmt::format("/api/{}", version) : fmt::format("/apis/{}/{}", group, version);
  }
  std::string object_path() const {
    return fmt::format("{}{}/{}/{{name}}", root(), namespaced ? "/namespaces/{namespace}" : "", plural);
  }
};

// Every kind that may be sent in that version.
std::vector<GroupVersionKind> kinds_in(const control::ResourceStore& store, std::string_view group,
                                       std::string_view version) {
  std::vector<GroupVersionKind> out;
  for (const ResourceKind& kind : store.kinds()) {
    const bool served = std::find(kind.versions.begin(), kind.versions.end(), version) != kind.versions.end();
    if (kind.group == group && served) out.push_back({kind.group, version, kind.kind, kind.plural, kind.namespaced});
  }
  for (const AcceptedKind& kind : accepted_kinds()) {
    if (kind.group == group && kind.version == version)
      out.push_back({kind.group, kind.version, kind.kind, kind.plural, kind.namespaced});
  }
  if (group.empty() && version == "v1") out.push_back({"", "v1", "Namespace", "namespaces", false});
  return out;
}

// kubectl looks for the parameter fieldValidation of PATCH: with it, the server validates.
Json patch_operation(const GroupVersionKind& kind) {
  return Json::object({{"x-kubernetes-action", Json::text("patch")},
                       {"x-kubernetes-group-version-kind", kind.json()},
                       {"parameters", Json::array({parameter("dryRun"), parameter("fieldManager"),
                                                   parameter("fieldValidation"), parameter("force")})},
                       {"responses", Json::object({{"200", Json::object({{"description", Json::text("OK")}})}})}});
}

std::string reversed_group(const std::string& group) {
  std::string out;
  std::size_t end = group.size();
  while (end != std::string::npos && end > 0) {
    const std::size_t dot = group.rfind('.', end - 1);
    const std::size_t begin = dot == std::string::npos ? 0 : dot + 1;
    out += (out.empty() ? "" : ".") + group.substr(begin, end - begin);
    end = dot;
  }
  return out;
}

}  // namespace

void api_versions(Call call) {
  answer_json(call, Json::object({{"kind", Json::text("APIVersions")},
                                  {"versions", texts({"v1"})},
                                  {"serverAddressByClientCIDRs", Json::array()}})
                        .dump());
}

void core_resources(Call call) {
  const ResourceKind namespaces{"", "namespaces", "namespace", "Namespace", {}, {"v1"}, false};
  const ResourceKind events{"", "events", "event", "Event", {}, {"v1"}, true};
  const ResourceKind pods{"", "pods", "pod", "Pod", {}, {"v1"}, true};
  std::vector<Json> list{
      resource("namespaces", namespaces, texts({"create", "delete", "get", "list", "patch", "update"})),
      resource("events", events, texts({"get", "list", "watch"})),
      resource("pods", pods, texts({"get", "list", "watch"}))};
  list[0].set("shortNames", texts({"ns"}));
  list[1].set("shortNames", texts({"ev"}));
  list[2].set("shortNames", texts({"po"}));
  add_accepted(list, "", "v1");
  answer_json(call, resource_list("v1", std::move(list)).dump());
}

void api_groups(Call call) {
  const auto* store = store_of(call);
  if (store == nullptr) return;
  std::vector<Json> groups;
  for (const auto& [group, versions] : groups_of(*store)) groups.push_back(group_object(group, versions));
  answer_json(call, Json::object({{"kind", Json::text("APIGroupList")},
                                  {"apiVersion", Json::text("v1")},
                                  {"groups", Json::array(std::move(groups))}})
                        .dump());
}

void api_group(Call call) {
  const auto* store = store_of(call);
  if (store == nullptr) return;
  for (const auto& [group, versions] : groups_of(*store)) {
    if (group != call.path[0]) continue;
    Json object = Json::object({{"kind", Json::text("APIGroup")}, {"apiVersion", Json::text("v1")}});
    for (auto& member : group_object(group, versions).members()) object.set(member.name, std::move(member.value));
    answer_json(call, object.dump());
    return;
  }
  answer_status(call, 404, "NotFound", "the server could not find the requested resource");
}

void group_resources(Call call) {
  const auto* store = store_of(call);
  if (store == nullptr) return;
  std::vector<Json> list;
  for (const ResourceKind& kind : store->kinds()) {
    const bool served = std::find(kind.versions.begin(), kind.versions.end(), call.path[1]) != kind.versions.end();
    if (kind.group != call.path[0] || !served) continue;
    Json main = resource(kind.plural, kind,
                         texts({"create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"}));
    std::vector<Json> names;
    for (const std::string& name : kind.short_names) names.push_back(Json::text(name));
    if (!names.empty()) main.set("shortNames", Json::array(std::move(names)));
    main.set("categories", texts({"all"}));
    list.push_back(std::move(main));
    Json status = resource(kind.plural + "/status", kind, texts({"get", "patch", "update"}));
    status.set("singularName", Json::text(""));
    list.push_back(std::move(status));
  }
  add_accepted(list, call.path[0], call.path[1]);
  if (list.empty()) {
    answer_status(call, 404, "NotFound", "the server could not find the requested resource");
    return;
  }
  answer_json(call, resource_list(call.path[0] + "/" + call.path[1], std::move(list)).dump());
}

void openapi_index(Call call) {
  const auto* store = store_of(call);
  if (store == nullptr) return;
  Json paths = Json::object();
  const auto add = [&](const std::string& path) {
    const std::string url = "/openapi/v3/" + path + "?hash=" + call.api->options.version;
    paths.set(path, Json::object({{"serverRelativeURL", Json::text(url)}}));
  };
  add("api/v1");
  for (const auto& [group, versions] : groups_of(*store)) {
    for (const std::string& version : versions) add("apis/" + group + "/" + version);
  }
  answer_json(call, Json::object({{"paths", std::move(paths)}}).dump());
}

namespace {

void answer_openapi(const Call& call, std::string_view group, std::string_view version) {
  const auto* store = store_of(call);
  if (store == nullptr) return;
  Json paths = Json::object();
  Json schemas = Json::object();
  for (const GroupVersionKind& kind : kinds_in(*store, group, version)) {
    paths.set(kind.object_path(), Json::object({{"patch", patch_operation(kind)}}));
    const std::string space = group.empty() ? "io.k8s.api.core" : reversed_group(std::string(group));
    schemas.set(fmt::format("{}.{}.{}", space, version, kind.kind),
                Json::object({{"type", Json::text("object")},
                              {"x-kubernetes-preserve-unknown-fields", Json::boolean(true)},
                              {"x-kubernetes-group-version-kind", Json::array({kind.json()})}}));
  }
  if (paths.members().empty()) {
    answer_status(call, 404, "NotFound", "the server could not find the requested resource");
    return;
  }
  answer_json(call, Json::object({{"openapi", Json::text("3.0.0")},
                                  {"info", Json::object({{"title", Json::text("jackdaw")},
                                                         {"version", Json::text(call.api->options.version)}})},
                                  {"paths", std::move(paths)},
                                  {"components", Json::object({{"schemas", std::move(schemas)}})}})
                        .dump());
}

}  // namespace

void openapi_group(Call call) {
  answer_openapi(call, call.path[0], call.path[1]);
}
void openapi_core(Call call) {
  answer_openapi(call, "", "v1");
}

// ---- namespaces -----------------------------------------------------------------------------------------------------

Json namespace_object(const std::string& name) {
  return Json::object({{"kind", Json::text("Namespace")},
                       {"apiVersion", Json::text("v1")},
                       {"metadata", Json::object({{"name", Json::text(name)}})},
                       {"spec", Json::object()},
                       {"status", Json::object({{"phase", Json::text("Active")}})}});
}

void list_namespaces(Call call) {
  const auto* store = store_of(call);
  if (store == nullptr) return;
  std::set<std::string> names{"default"};
  for (const ResourceKind& kind : store->kinds()) {
    for (const auto& object : store->list(kind.group, kind.plural, "", {}).objects) {
      if (const Json* name = object->find_path({"metadata", "namespace"})) names.insert(std::string(name->as_text()));
    }
  }
  std::vector<Json> items;
  for (const std::string& name : names) {
    if (call.grant == nullptr || call.grant->covers_namespace(name)) items.push_back(namespace_object(name));
  }
  answer_json(
      call, Json::object({{"kind", Json::text("NamespaceList")},
                          {"apiVersion", Json::text("v1")},
                          {"metadata",
                           Json::object({{"resourceVersion", Json::text(std::to_string(store->resource_version()))}})},
                          {"items", Json::array(std::move(items))}})
                .dump());
}

void get_namespace(Call call) {
  answer_json(call, namespace_object(call.path[0]).dump());
}

}  // namespace jackdaw::api::resources
