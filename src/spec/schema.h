// Schema: what KServe, Kubernetes and jackdaw know as fields, as rows of data. One row says a field's type and which of
// the three classes it is in; the checker (checker.h) walks a document along the rows.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jackdaw::spec {

enum class FieldType : unsigned char {
  text,
  boolean,
  integer,
  number,
  quantity,  // text or a number: "500m", 2, "25%"
  anything,  // not looked into
  object,
  text_list,
  integer_list,
  object_list,
  text_map,
  quantity_map,
  inlined,  // not a field: all fields of `of` are fields of this object too
};

enum class FieldClass : unsigned char {
  effective,    // read, or part of a block whose own row says what it is; no finding
  handled,      // a reader says what it is worth; no finding here, nor for what is inside
  no_effect,    // accepted and kept; reported
  unsupported,  // would change the answer and this version cannot do it; an error
};

struct FieldRow {
  std::string_view object;
  std::string_view field;
  FieldType type = FieldType::text;
  std::string_view of = "";  // the object type of object, object_list and inlined
  FieldClass cls = FieldClass::effective;
  std::string_view help = "";  // the rest of the sentence in findings: why, and what to do
};

// The tables. Names of objects are ours, names of fields are the API's.
std::span<const FieldRow> inference_service_rows();  // schema_inference_service.cpp
std::span<const FieldRow> llm_rows();                // schema_llm.cpp
std::span<const FieldRow> pod_rows();                // schema_pod.cpp
std::span<const FieldRow> volume_rows();             // schema_volume.cpp
std::span<const FieldRow> daemon_rows();             // schema_daemon.cpp

// The row of `field` in `object`, its own or an inlined one; null when there is none. A row that stands directly in
// the object wins over an inlined one, so an object can change the class of a field it inlines.
const FieldRow* find_field(std::string_view object, std::string_view field);
// Every field name of the object, for suggestions.
std::vector<std::string_view> field_names(std::string_view object);

}  // namespace jackdaw::spec
