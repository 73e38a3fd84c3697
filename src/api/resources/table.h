// Objects as rows: what `kubectl get` prints (meta.k8s.io/v1 Table). Columns are those of KServe's CRDs.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "jackdaw/base/env.h"
#include "jackdaw/control/resource_store.h"
#include "jackdaw/spec/json.h"

namespace jackdaw::api::resources {

// `with_columns`: false for the later events of a watch. `include_object`: "None", "Metadata" (default) or "Object".
spec::Json table_of(const control::ResourceKind& kind, std::span<const std::shared_ptr<const spec::Json>> objects,
                    std::string_view include_object, bool with_columns, WallTime now);

}  // namespace jackdaw::api::resources
