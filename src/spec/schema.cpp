#include "src/spec/schema.h"

#include <array>
#include <unordered_map>

#include "jackdaw/base/result.h"

namespace jackdaw::spec {
namespace {

using RowsByObject = std::unordered_map<std::string_view, std::vector<const FieldRow*>>;

const RowsByObject& rows_by_object() {
  static const RowsByObject index = [] {
    RowsByObject rows;
    for (const auto table : {inference_service_rows(), llm_rows(), pod_rows(), volume_rows(), daemon_rows()}) {
      for (const FieldRow& row : table) rows[row.object].push_back(&row);
    }
    return rows;
  }();
  return index;
}

const std::vector<const FieldRow*>& rows_of(std::string_view object) {
  const auto found = rows_by_object().find(object);
  CHECK(found != rows_by_object().end());
  return found->second;
}

void collect_names(std::string_view object, std::vector<std::string_view>& names) {
  for (const FieldRow* row : rows_of(object)) {
    if (row->type == FieldType::inlined) {
      collect_names(row->of, names);
    } else {
      names.push_back(row->field);
    }
  }
}

}  // namespace

const FieldRow* find_field(std::string_view object, std::string_view field) {
  const auto& rows = rows_of(object);
  for (const FieldRow* row : rows) {
    if (row->type != FieldType::inlined && row->field == field) return row;
  }
  for (const FieldRow* row : rows) {
    if (row->type != FieldType::inlined) continue;
    if (const FieldRow* inlined = find_field(row->of, field)) return inlined;
  }
  return nullptr;
}

std::vector<std::string_view> field_names(std::string_view object) {
  std::vector<std::string_view> names;
  collect_names(object, names);
  return names;
}

}  // namespace jackdaw::spec
