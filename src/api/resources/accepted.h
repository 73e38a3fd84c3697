// Kinds that KServe's manifests bring along and that have nothing to do here: Secrets, ServiceAccounts, ServingRuntimes
// and the like. They are accepted, so that a manifest applies as it is, said to be without effect in a Warning, and
// kept nowhere; those without which a service would answer otherwise are refused in words.
#pragma once

#include <span>
#include <string_view>

#include "src/api/call.h"

namespace jackdaw::api::resources {

struct AcceptedKind {
  std::string_view group;
  std::string_view version;
  std::string_view plural;
  std::string_view singular;
  std::string_view kind;
  std::string_view short_name;  // "" = none
  bool namespaced = true;
  bool refused = false;
  std::string_view why;  // it has no effect, or is refused: the rest of a sentence
};

std::span<const AcceptedKind> accepted_kinds();
const AcceptedKind* accepted_kind(std::string_view group, std::string_view version, std::string_view plural);

// True when the path of /apis/{group}/{version}/namespaces/{namespace}/{plural}[/{name}] names such a kind; it is
// answered then.
bool answer_accepted(const Call& call);
bool answer_accepted_everywhere(const Call& call);  // of /apis/{group}/{version}/{plural}

// The same for paths of other shapes.
void core_collection(Call call);   // GET, POST /api/v1/namespaces/{namespace}/{plural}: events and pods too
void core_object(Call call);       // any method, /api/v1/namespaces/{namespace}/{plural}/{name}
void core_everywhere(Call call);   // GET /api/v1/{plural}
void cluster_create(Call call);    // POST /apis/{group}/{version}/{plural}
void cluster_object(Call call);    // any method, /apis/{group}/{version}/{plural}/{name}
void write_namespace(Call call);   // POST /api/v1/namespaces, PUT and PATCH of one
void remove_namespace(Call call);  // DELETE of one

}  // namespace jackdaw::api::resources
