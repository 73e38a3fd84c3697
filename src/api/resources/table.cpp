#include "src/api/resources/table.h"

#include <array>
#include <optional>

#include "jackdaw/base/text.h"

namespace jackdaw::api::resources {
namespace {

using spec::Json;

struct Column {
  std::string_view name;
  std::string_view type;  // "string" or "date"
  std::string_view description;
  Json (*cell)(const Json& object, WallTime now);
};

Json text_or_empty(const Json* value) {
  return value == nullptr || value->is_null() ? Json::text("") : *value;
}

// The element of a list whose member has that value.
const Json* element(const Json* list, std::string_view member, const Json& wanted) {
  if (list == nullptr) return nullptr;
  for (const Json& item : list->items()) {
    const Json* value = item.find(member);
    if (value != nullptr && *value == wanted) return &item;
  }
  return nullptr;
}

Json name_cell(const Json& object, WallTime) {
  return text_or_empty(object.find_path({"metadata", "name"}));
}
Json url_cell(const Json& object, WallTime) {
  return text_or_empty(object.find_path({"status", "url"}));
}
Json ready_member(const Json& object, std::string_view member) {
  const Json* ready = element(object.find_path({"status", "conditions"}), "type", Json::text("Ready"));
  return text_or_empty(ready == nullptr ? nullptr : ready->find(member));
}
Json ready_cell(const Json& object, WallTime) {
  return ready_member(object, "status");
}
Json reason_cell(const Json& object, WallTime) {
  return ready_member(object, "reason");
}

Json traffic_member(const Json& object, std::string_view by, const Json& value, std::string_view member) {
  const Json* traffic = element(object.find_path({"status", "components", "predictor", "traffic"}), by, value);
  return text_or_empty(traffic == nullptr ? nullptr : traffic->find(member));
}
// KServe looks for the tag, which a service has only where tags are routed.
Json prev_member(const Json& object, std::string_view member) {
  const Json* traffic = object.find_path({"status", "components", "predictor", "traffic"});
  const bool tagged = element(traffic, "tag", Json::text("prev")) != nullptr;
  return tagged ? traffic_member(object, "tag", Json::text("prev"), member)
                : traffic_member(object, "latestRevision", Json::boolean(false), member);
}
Json prev_percent(const Json& object, WallTime) {
  return prev_member(object, "percent");
}
Json latest_percent(const Json& object, WallTime) {
  return traffic_member(object, "latestRevision", Json::boolean(true), "percent");
}
Json prev_revision(const Json& object, WallTime) {
  return prev_member(object, "revisionName");
}
Json latest_revision(const Json& object, WallTime) {
  return traffic_member(object, "latestRevision", Json::boolean(true), "revisionName");
}

Json age_cell(const Json& object, WallTime now) {
  const Json* created = object.find_path({"metadata", "creationTimestamp"});
  const auto since = created == nullptr ? std::nullopt : parse_rfc3339(created->as_text());
  return Json::text(since ? short_age(now - *since) : "<unknown>");
}

constexpr Column name_column{"Name", "string", "Name must be unique within a namespace.", name_cell};
constexpr Column url_column{"URL", "string", "Where the service answers.", url_cell};
constexpr Column ready_column{"Ready", "string", "Whether it answers.", ready_cell};
constexpr Column age_column{"Age", "date", "Time since it was created.", age_cell};

constexpr std::array inference_service_columns{
    name_column,
    url_column,
    ready_column,
    Column{"Prev", "integer", "Percent of traffic to the previous revision.", prev_percent},
    Column{"Latest", "integer", "Percent of traffic to the latest revision.", latest_percent},
    Column{"PrevRolledoutRevision", "string", "The previous revision.", prev_revision},
    Column{"LatestReadyRevision", "string", "The latest revision.", latest_revision},
    age_column,
};
constexpr std::array llm_columns{
    name_column, url_column, ready_column, Column{"Reason", "string", "Why it does not answer.", reason_cell},
    age_column,
};
constexpr std::array plain_columns{name_column, age_column};

std::span<const Column> columns_of(const control::ResourceKind& kind) {
  if (kind.kind == "InferenceService") return inference_service_columns;
  if (kind.kind == "LLMInferenceService") return llm_columns;
  return plain_columns;
}

Json definition(const Column& column) {
  const bool name = column.name == "Name";
  return Json::object({{"name", Json::text(std::string(column.name))},
                       {"type", Json::text(std::string(column.type))},
                       {"format", Json::text(name ? "name" : "")},
                       {"description", Json::text(std::string(column.description))},
                       {"priority", Json::integer(0)}});
}

Json row(std::span<const Column> columns, const Json& object, std::string_view include_object, WallTime now) {
  std::vector<Json> cells;
  for (const Column& column : columns) cells.push_back(column.cell(object, now));
  Json out = Json::object({{"cells", Json::array(std::move(cells))}});
  if (include_object == "None") return out;
  if (include_object == "Object") {
    out.set("object", object);
  } else {
    out.set("object", Json::object({{"kind", Json::text("PartialObjectMetadata")},
                                    {"apiVersion", Json::text("meta.k8s.io/v1")},
                                    {"metadata", text_or_empty(object.find("metadata"))}}));
  }
  return out;
}

}  // namespace

Json table_of(const control::ResourceKind& kind, std::span<const std::shared_ptr<const Json>> objects,
              std::string_view include_object, bool with_columns, WallTime now) {
  const std::span<const Column> columns = columns_of(kind);
  std::vector<Json> definitions;
  if (with_columns) {
    for (const Column& column : columns) definitions.push_back(definition(column));
  }
  std::vector<Json> rows;
  for (const auto& object : objects) rows.push_back(row(columns, *object, include_object, now));
  return Json::object({{"kind", Json::text("Table")},
                       {"apiVersion", Json::text("meta.k8s.io/v1")},
                       {"metadata", Json::object()},
                       {"columnDefinitions", Json::array(std::move(definitions))},
                       {"rows", Json::array(std::move(rows))}});
}

}  // namespace jackdaw::api::resources
