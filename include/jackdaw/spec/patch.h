// The three ways Kubernetes clients change a part of an object. Pure functions over Json; every one bounds its time by
// the sizes of what it is given.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/base/result.h"
#include "jackdaw/spec/json.h"

namespace jackdaw::spec {

// RFC 7386 (application/merge-patch+json): null removes, objects merge, everything else replaces.
Json merge_patch(Json target, const Json& patch);

// RFC 6902 (application/json-patch+json): add, remove, replace, move, copy, test. The error names the operation's
// number and pointer; Code::unprocessable when a test does not hold, too_large when the result or the work would pass
// the limits (all that is added counts, so that copies cannot double a value over and over), invalid_argument
// otherwise.
Result<Json> json_patch(Json target, const Json& operations, const ReadLimits& limits = {});

// ---- server-side apply (application/apply-patch+yaml)
// ------------------------------------------------------------------------ Kubernetes:
// staging/src/k8s.io/apimachinery/pkg/util/managedfields and sigs.k8s.io/structured-merge-diff. Objects merge member by
// member; lists are atomic, but for those that Kubernetes' own types merge by key (containers by name, env by name,
// conditions by type, ...: the table in src/spec/field_view.cpp). A list map whose elements lack their keys is atomic.

// Who changed what, and how: one entry of metadata.managedFields.
struct FieldManager {
  std::string name;         // "kubectl", "config"
  std::string operation;    // "Apply" or "Update"
  std::string api_version;  // "serving.kserve.io/v1beta1"
  std::string subresource;  // "" or "status"
};

struct FieldConflict {
  std::string manager;  // who owns it
  std::string path;     // ".spec.predictor.minReplicas", ".spec.predictor.containers[name=\"a\"].image"
  std::string owner;    // as Kubernetes words it after "conflict with": "\"kubectl\" using serving.kserve.io/v1beta1"
};

struct Applied {
  Json object;                           // merged, with metadata.managedFields brought up to date
  std::vector<FieldConflict> conflicts;  // not empty: nothing was changed (and `object` is the live one)
};

// Applies what `manager` wants of the object. Fields it owned by an earlier apply and names no more are removed unless
// another manager owns them too. A field that another manager owns with another value is a conflict unless `force`,
// which takes it over; values that are equal are shared. `live` is null for an object that does not exist yet. What the
// server owns (uid, resourceVersion, generation, ...) is taken from `live` whatever `wanted` says; the status is
// applied by the manager of subresource "status" alone, and nothing else is by it. An apply that changes nothing gives
// an object that equals `live`. Refuses with invalid_argument: no map, metadata.managedFields, one key twice in a list
// map.
Result<Applied> apply_patch(const Json& live, const Json& wanted, const FieldManager& manager, bool force,
                            WallTime now);

// After a create, update or other patch by `manager`: `after` with metadata.managedFields telling which fields it
// changed from `before` (null for a create). Fields that are gone leave every entry; entries without fields go. Entries
// that `after` brings with it replace those of `before`, as kubectl needs; [{}] forgets them.
Json with_updated_managers(const Json& before, Json after, const FieldManager& manager, WallTime now);

}  // namespace jackdaw::spec
