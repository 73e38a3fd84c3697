// Checker: holds a document against the schema's rows. Finds unknown fields, wrong types, fields without effect and
// fields this version cannot serve, all in one walk.
#pragma once

#include <string_view>

#include "src/spec/complaints.h"

namespace jackdaw::spec {

// `object` names the rows that describe `node`.
void check_object(const Node& node, std::string_view object, Complaints& complaints);

// ": did you mean 'x'?" when a known name is near, else the known names when they are few, else "".
std::string suggestion(std::string_view name, std::span<const std::string_view> known);

}  // namespace jackdaw::spec
