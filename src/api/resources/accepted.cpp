#include "src/api/resources/accepted.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "src/api/resources/events.h"
#include "src/api/resources/resource_call.h"
#include "src/api/resources/resources.h"

namespace jackdaw::api::resources {
namespace {

using net::Method;
using spec::Json;

constexpr std::string_view kserve = "serving.kserve.io";
constexpr std::string_view no_images = "jackdaw is the runtime and runs no images";
constexpr std::string_view no_pods = "jackdaw runs no pods";

// clang-format off
constexpr std::array rows{
    AcceptedKind{"", "v1", "secrets", "secret", "Secret", "", true, false, "models are read where they are, which needs no credentials"},
    AcceptedKind{"", "v1", "serviceaccounts", "serviceaccount", "ServiceAccount", "sa", true, false, no_pods},
    AcceptedKind{"", "v1", "configmaps", "configmap", "ConfigMap", "cm", true, false, no_pods},
    AcceptedKind{"", "v1", "persistentvolumeclaims", "persistentvolumeclaim", "PersistentVolumeClaim", "pvc", true, false, "spec.storage.pvc of kind Daemon says where a claim's folder is"},
    AcceptedKind{kserve, "v1alpha1", "servingruntimes", "servingruntime", "ServingRuntime", "", true, false, no_images},
    AcceptedKind{kserve, "v1alpha1", "clusterservingruntimes", "clusterservingruntime", "ClusterServingRuntime", "", false, false, no_images},
    AcceptedKind{kserve, "v1alpha1", "clusterstoragecontainers", "clusterstoragecontainer", "ClusterStorageContainer", "", false, false, no_images},
    AcceptedKind{kserve, "v1alpha1", "inferencegraphs", "inferencegraph", "InferenceGraph", "ig", true, true, "graphs come later"},
    AcceptedKind{kserve, "v1alpha1", "trainedmodels", "trainedmodel", "TrainedModel", "tm", true, true, "write an InferenceService for the model instead"},
};
// clang-format on

std::string qualified(const AcceptedKind& kind) {
  return kind.group.empty() ? std::string(kind.plural) : fmt::format("{}.{}", kind.plural, kind.group);
}
std::string api_version(const AcceptedKind& kind) {
  return kind.group.empty() ? std::string(kind.version) : fmt::format("{}/{}", kind.group, kind.version);
}

void answer_not_found(const Call& call, const AcceptedKind& kind, std::string_view name) {
  answer_status(call, 404, "NotFound", fmt::format("{} \"{}\" not found", qualified(kind), name));
}

void answer_no_resource(const Call& call) {
  answer_status(call, 404, "NotFound", "the server could not find the requested resource");
}

void answer_empty_list(const Call& call, std::string_view api_version, std::string_view kind) {
  answer_json(call, Json::object({{"kind", Json::text(std::string(kind) + "List")},
                                  {"apiVersion", Json::text(std::string(api_version))},
                                  {"metadata", Json::object({{"resourceVersion", Json::text("0")}})},
                                  {"items", Json::array()}})
                        .dump());
}

void answer_with_warning(const Call& call, int status, const Json& body, const std::string& warning) {
  net::Response response;
  response.status = status;
  response.headers.push_back(warning_header(warning));
  response.body = body.dump();
  answer(call, std::move(response));
}

// What was sent comes back, as if it were there now.
void answer_write(const Call& call, const AcceptedKind& kind, std::string_view namespace_name, std::string_view name) {
  if (kind.refused) {
    return answer_status(call, 422, "Invalid", fmt::format("this version does not serve {}: {}", kind.kind, kind.why));
  }
  auto object = read_body(call);
  if (!object) return;
  if (!object->is_object()) return answer_status(call, 400, "BadRequest", "the body is no object");
  object->set("apiVersion", Json::text(api_version(kind)));
  object->set("kind", Json::text(std::string(kind.kind)));
  Json& metadata = object->member("metadata");
  if (!metadata.is_object()) metadata = Json::object();
  if (!name.empty()) metadata.set("name", Json::text(std::string(name)));
  if (kind.namespaced) metadata.set("namespace", Json::text(std::string(namespace_name)));
  const bool created = call.request().method() != Method::put;
  answer_with_warning(call, created ? 201 : 200, *object,
                      fmt::format("{} has no effect here and is not kept: {}", kind.kind, kind.why));
}

void answer_removed(const Call& call, const AcceptedKind& kind, std::string_view name) {
  Json status = status_object(200, "", "");
  status.erase("code");
  status.set("details", Json::object({{"name", Json::text(std::string(name))},
                                      {"group", Json::text(std::string(kind.group))},
                                      {"kind", Json::text(std::string(kind.plural))}}));
  answer_json(call, status.dump());
}

// `name` is empty for a collection.
void answer_for(const Call& call, const AcceptedKind& kind, std::string_view namespace_name, std::string_view name) {
  switch (call.request().method()) {
    case Method::get:
    case Method::head:
      if (!name.empty()) return answer_not_found(call, kind, name);
      return answer_empty_list(call, api_version(kind), kind.kind);
    case Method::delete_:
      return answer_removed(call, kind, name);
    default:
      return answer_write(call, kind, namespace_name, name);
  }
}

void answer_core(const Call& call, std::string_view namespace_name, std::string_view plural, std::string_view name) {
  const bool reading = call.request().method() == Method::get || call.request().method() == Method::head;
  if (plural == "events" && name.empty() && reading) return list_events(call, namespace_name);
  if (plural == "pods" && name.empty() && reading) return answer_empty_list(call, "v1", "Pod");
  if (const AcceptedKind* kind = accepted_kind("", "v1", plural)) return answer_for(call, *kind, namespace_name, name);
  answer_no_resource(call);
}

}  // namespace

std::span<const AcceptedKind> accepted_kinds() {
  return rows;
}

const AcceptedKind* accepted_kind(std::string_view group, std::string_view version, std::string_view plural) {
  const auto at = std::find_if(rows.begin(), rows.end(), [&](const AcceptedKind& row) {
    return row.group == group && row.version == version && row.plural == plural;
  });
  return at == rows.end() ? nullptr : &*at;
}

bool answer_accepted(const Call& call) {
  const AcceptedKind* kind = accepted_kind(call.path[0], call.path[1], call.path[3]);
  if (kind == nullptr) return false;
  answer_for(call, *kind, call.path[2], call.path.count > 4 ? std::string_view(call.path[4]) : std::string_view());
  return true;
}

bool answer_accepted_everywhere(const Call& call) {
  const AcceptedKind* kind = accepted_kind(call.path[0], call.path[1], call.path[2]);
  if (kind != nullptr) answer_for(call, *kind, "", "");
  return kind != nullptr;
}

void core_collection(Call call) {
  answer_core(call, call.path[0], call.path[1], "");
}
void core_object(Call call) {
  answer_core(call, call.path[0], call.path[1], call.path[2]);
}
void core_everywhere(Call call) {
  answer_core(call, "", call.path[0], "");
}

void cluster_create(Call call) {
  const AcceptedKind* kind = accepted_kind(call.path[0], call.path[1], call.path[2]);
  if (kind == nullptr || kind->namespaced) return answer_no_resource(call);
  answer_for(call, *kind, "", "");
}

void cluster_object(Call call) {
  const AcceptedKind* kind = accepted_kind(call.path[0], call.path[1], call.path[2]);
  if (kind == nullptr || kind->namespaced) return answer_no_resource(call);
  answer_for(call, *kind, "", call.path[3]);
}

// Every name is a namespace here, so there is nothing to make or change.
void write_namespace(Call call) {
  std::string name = call.path.count > 0 ? call.path[0] : std::string();
  if (name.empty()) {
    const auto body = read_body(call);
    if (!body) return;
    if (const Json* stated = body->find_path({"metadata", "name"})) name = stated->as_text();
  }
  if (name.empty()) return answer_status(call, 422, "Invalid", "metadata.name: Required value: a namespace has a name");
  answer_with_warning(call, call.request().method() == Method::post ? 201 : 200, namespace_object(name),
                      "every name is a namespace here; what else this object says is not kept");
}

void remove_namespace(Call call) {
  answer_status(call, 405, "MethodNotAllowed",
                "namespaces are names here, not objects; delete what is in one: kubectl delete isvc,llmisvc --all -n " +
                    call.path[0]);
}

}  // namespace jackdaw::api::resources
