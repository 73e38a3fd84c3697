#include "src/spec/checker.h"

#include <utility>

#include "jackdaw/base/text.h"
#include "src/spec/schema.h"

namespace jackdaw::spec {
namespace {

bool is_scalar_number(const Node& node) {
  return node.kind == NodeKind::integer || node.kind == NodeKind::number;
}

// The error's words without the place, which the finding has itself.
template <typename T>
void check_scalar(const Node& node, const Result<T>& read, Complaints& complaints) {
  if (!read) complaints.error(FindingKind::wrong_type, node, read.error().message);
}

void wrong_type(const Node& node, std::string_view wanted, Complaints& complaints) {
  complaints.error(FindingKind::wrong_type, node, fmt::format("must be {}, not {}", wanted, kind_name(node.kind)));
}

class Walk {
 public:
  explicit Walk(Complaints& complaints) : complaints_(complaints) {}

  // `quiet`: a field above was reported already, so only wrong names and types are said below it.
  void object(const Node& node, std::string_view type, bool quiet) {
    if (!node.is_map()) {
      wrong_type(node, "a map", complaints_);
      return;
    }
    for (const Member& member : node.members) field(member, type, quiet);
  }

 private:
  void field(const Member& member, std::string_view type, bool quiet) {
    const FieldRow* row = find_field(type, member.name);
    if (row == nullptr) {
      // Looking for the nearest name costs; beyond the last finding kept only the count matters.
      if (complaints_.full_of_errors()) return complaints_.error(FindingKind::unknown_field, member, {});
      return unknown(member, type);
    }
    if (member.value.is_null()) return;  // Kubernetes takes null for "not set".
    if (!quiet) say_class(member, *row);
    value(member.value, *row, quiet || row->cls != FieldClass::effective);
  }

  void unknown(const Member& member, std::string_view type) {
    const auto names = field_names(type);
    const Node* parent = member.value.parent;
    std::string of = parent != nullptr ? parent->path() : std::string();
    if (of.empty()) of = "the document";
    complaints_.error(FindingKind::unknown_field, member,
                      fmt::format("unknown field '{}' in {}{}", member.name, of, suggestion(member.name, names)));
  }

  void say_class(const Member& member, const FieldRow& row) {
    if (row.cls == FieldClass::no_effect) {
      const std::string_view why = row.help.empty() ? "jackdaw runs no pods; it is kept as it is" : row.help;
      complaints_.report(member, fmt::format("'{}' has no effect here: {}", member.name, why));
    } else if (row.cls == FieldClass::unsupported) {
      complaints_.error(FindingKind::unsupported, member,
                        fmt::format("not supported yet by this version: '{}': {}", member.name, row.help));
    }
  }

  void value(const Node& node, const FieldRow& row, bool quiet) {
    switch (row.type) {
      case FieldType::text:
        return check_scalar(node, node.as_text(), complaints_);
      case FieldType::boolean:
        return check_scalar(node, node.as_boolean(), complaints_);
      case FieldType::integer:
        return check_scalar(node, node.as_integer(), complaints_);
      case FieldType::number:
        return check_scalar(node, node.as_number(), complaints_);
      case FieldType::quantity:
        return quantity(node);
      case FieldType::anything:
      case FieldType::inlined:
        return;
      case FieldType::object:
        return object(node, row.of, quiet);
      case FieldType::text_list:
        return list(node, [&](const Node& item) { check_scalar(item, item.as_text(), complaints_); });
      case FieldType::integer_list:
        return list(node, [&](const Node& item) { check_scalar(item, item.as_integer(), complaints_); });
      case FieldType::object_list:
        return list(node, [&](const Node& item) { object(item, row.of, quiet); });
      case FieldType::text_map:
        return map(node, [&](const Node& item) { check_scalar(item, item.as_text(), complaints_); });
      case FieldType::quantity_map:
        return map(node, [&](const Node& item) { quantity(item); });
    }
  }

  void quantity(const Node& node) {
    if (!node.is_text() && !is_scalar_number(node)) wrong_type(node, "a number or text such as \"500m\"", complaints_);
  }

  template <typename Check>
  void list(const Node& node, Check check) {
    if (!node.is_sequence()) return wrong_type(node, "a list", complaints_);
    for (const Node& item : node.items) check(item);
  }

  template <typename Check>
  void map(const Node& node, Check check) {
    if (!node.is_map()) return wrong_type(node, "a map", complaints_);
    for (const Member& member : node.members) {
      if (!member.value.is_null()) check(member.value);
    }
  }

  Complaints& complaints_;
};

}  // namespace

std::string suggestion(std::string_view name, std::span<const std::string_view> known) {
  constexpr std::size_t few = 8;
  if (const std::string near = nearest_name(name, known); !near.empty()) {
    return fmt::format("; did you mean '{}'?", near);
  }
  if (known.empty() || known.size() > few) return {};
  return fmt::format("; known are: {}", fmt::join(known, ", "));
}

void check_object(const Node& node, std::string_view object, Complaints& complaints) {
  Walk(complaints).object(node, object, false);
}

}  // namespace jackdaw::spec
