#include "jackdaw/spec/node.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>

#include "jackdaw/base/text.h"

namespace jackdaw::spec {
namespace {

// What stands at a place instead of what was wanted: "the text \"abc\"", "a list".
std::string described(const Node& node) {
  constexpr std::size_t shown_max = 40;
  switch (node.kind) {
    case NodeKind::boolean:
    case NodeKind::integer:
    case NodeKind::number:
      return fmt::format("{} ({})", node.text, kind_name(node.kind));
    case NodeKind::text:
      if (node.text.size() > shown_max) return "a longer text";
      return fmt::format("\"{}\"", node.text);
    case NodeKind::null:
      return "nothing";
    default:
      return std::string(kind_name(node.kind));
  }
}

Error wrong_kind(const Node& node, std::string_view wanted, std::string_view advice) {
  Error error = make_error(Code::invalid_argument, "must be {}, not {}{}", wanted, described(node), advice);
  error.where = node.place().text();
  return error;
}

// The member that holds `child`, by its address: a map may have very many.
const Member& member_holding(const Node& parent, const Node& child) {
  const auto found = std::partition_point(parent.members.begin(), parent.members.end(), [&](const Member& member) {
    return std::less<const Node*>()(&member.value, &child);
  });
  CHECK(found != parent.members.end() && &found->value == &child);
  return *found;
}

void append_pointer_step(std::string& out, const Node& parent, const Node& child) {
  out += '/';
  if (parent.is_sequence()) {
    out += std::to_string(&child - parent.items.data());
    return;
  }
  for (const char c : member_holding(parent, child).name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
}

void append_path_step(std::string& out, const Node& parent, const Node& child) {
  if (parent.is_sequence()) {
    out += fmt::format("[{}]", &child - parent.items.data());
    return;
  }
  const std::string& name = member_holding(parent, child).name;
  const bool plain = name.find_first_of("./[]\"") == std::string::npos && !name.empty();
  if (plain) {
    if (!out.empty()) out += '.';
    out += name;
  } else {
    out += fmt::format("[\"{}\"]", name);
  }
}

// Node and its ancestors, the root first.
std::vector<const Node*> lineage(const Node& node) {
  std::vector<const Node*> up;
  for (const Node* n = &node; n != nullptr; n = n->parent) up.push_back(n);
  return {up.rbegin(), up.rend()};
}

void append_json(std::string& out, const Node& node) {
  switch (node.kind) {
    case NodeKind::null:
      out += "null";
      return;
    case NodeKind::boolean:
      out += node.boolean ? "true" : "false";
      return;
    case NodeKind::integer:
      out += std::to_string(node.integer);
      return;
    case NodeKind::number: {
      const bool whole = std::floor(node.number) == node.number && std::abs(node.number) < 1e15;
      if (whole) {
        out += std::to_string(static_cast<std::int64_t>(node.number));
      } else {
        append_json_double(out, node.number);
      }
      return;
    }
    case NodeKind::text:
      append_json_string(out, node.text);
      return;
    case NodeKind::sequence:
      out += '[';
      for (const Node& item : node.items) {
        if (&item != node.items.data()) out += ',';
        append_json(out, item);
      }
      out += ']';
      return;
    case NodeKind::map:
      out += '{';
      for (const Member& member : node.members) {
        if (&member != node.members.data()) out += ',';
        append_json_string(out, member.name);
        out += ':';
        append_json(out, member.value);
      }
      out += '}';
      return;
  }
}

}  // namespace

std::string_view kind_name(NodeKind kind) {
  switch (kind) {
    case NodeKind::null:
      return "null";
    case NodeKind::boolean:
      return "a boolean";
    case NodeKind::integer:
      return "a whole number";
    case NodeKind::number:
      return "a number";
    case NodeKind::text:
      return "text";
    case NodeKind::sequence:
      return "a list";
    case NodeKind::map:
      return "a map";
  }
  return "";
}

const Node* Node::find(std::string_view name) const {
  for (const Member& member : members) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

std::string_view Node::text_of(std::string_view name) const {
  const Node* found = find(name);
  return found != nullptr && found->is_text() ? std::string_view(found->text) : std::string_view();
}

SourcePlace Node::place() const {
  return {file != nullptr ? *file : std::string(), line, column, pointer()};
}

SourcePlace Member::key_place() const {
  SourcePlace place = value.place();
  place.line = line;
  place.column = column;
  return place;
}

std::string Node::pointer() const {
  std::string out;
  const auto nodes = lineage(*this);
  for (std::size_t i = 1; i < nodes.size(); ++i) append_pointer_step(out, *nodes[i - 1], *nodes[i]);
  return out;
}

std::string Node::path() const {
  std::string out;
  const auto nodes = lineage(*this);
  for (std::size_t i = 1; i < nodes.size(); ++i) append_path_step(out, *nodes[i - 1], *nodes[i]);
  return out;
}

Result<std::string> Node::as_text() const {
  if (kind == NodeKind::text) return text;
  const bool scalar = kind == NodeKind::boolean || kind == NodeKind::integer || kind == NodeKind::number;
  return wrong_kind(*this, "text", scalar ? fmt::format("; put it in quotes: \"{}\"", text) : std::string());
}

Result<bool> Node::as_boolean() const {
  if (kind == NodeKind::boolean) return boolean;
  const bool quoted = kind == NodeKind::text && (text == "true" || text == "false");
  return wrong_kind(*this, "true or false", quoted ? "; take the quotes away" : "");
}

Result<std::int64_t> Node::as_integer() const {
  if (kind == NodeKind::integer) return integer;
  constexpr double exact_max = 9007199254740992.0;  // 2^53
  if (kind == NodeKind::number && std::floor(number) == number && std::abs(number) <= exact_max) {
    return static_cast<std::int64_t>(number);
  }
  return wrong_kind(*this, "a whole number", "");
}

Result<double> Node::as_number() const {
  if (kind == NodeKind::integer || kind == NodeKind::number) return number;
  return wrong_kind(*this, "a number", "");
}

std::string to_json(const Node& node) {
  std::string out;
  append_json(out, node);
  return out;
}

}  // namespace jackdaw::spec
