#include "jackdaw/spec/json.h"

#include <algorithm>
#include <cmath>

#include "jackdaw/base/text.h"
#include "src/spec/json_number.h"

namespace jackdaw::spec {
namespace {

// Equality and dumping walk down at most this deep; deeper values are made by our own code only.
void check_depth(int depth) {
  CHECK(depth <= json_depth_max);
}

bool equal(const Json& a, const Json& b, int depth);

std::vector<const Json::Member*> by_name(const std::vector<Json::Member>& members, std::size_t from) {
  std::vector<const Json::Member*> sorted;
  sorted.reserve(members.size() - from);
  for (std::size_t i = from; i < members.size(); ++i) sorted.push_back(&members[i]);
  std::sort(sorted.begin(), sorted.end(), [](const auto* x, const auto* y) { return x->name < y->name; });
  return sorted;
}

// Members mostly come in the same order; from the first that does not, both sides are sorted.
bool equal_members(const std::vector<Json::Member>& a, const std::vector<Json::Member>& b, int depth) {
  if (a.size() != b.size()) return false;
  std::size_t at = 0;
  for (; at < a.size() && a[at].name == b[at].name; ++at) {
    if (!equal(a[at].value, b[at].value, depth)) return false;
  }
  const auto left = by_name(a, at), right = by_name(b, at);
  return std::equal(left.begin(), left.end(), right.begin(), [depth](const auto* x, const auto* y) {
    return x->name == y->name && equal(x->value, y->value, depth);
  });
}

}  // namespace

// The parts of Json that its own walks need.
struct JsonAccess {
  static const std::string& written(const Json& json) { return json.text_; }

  static void append(std::string& out, const Json& json, int depth) {
    check_depth(depth);
    switch (json.kind_) {
      case Json::Kind::null:
        out += "null";
        return;
      case Json::Kind::boolean:
      case Json::Kind::number:
        out += json.text_;
        return;
      case Json::Kind::text:
        append_json_string(out, json.text_);
        return;
      case Json::Kind::array:
        append_items(out, json, depth);
        return;
      case Json::Kind::object:
        append_members(out, json, depth);
        return;
    }
  }

  // A scalar whose text is written as JSON writes it.
  static Json scalar(Json::Kind kind, std::string written) {
    Json json;
    json.kind_ = kind;
    json.text_ = std::move(written);
    return json;
  }

 private:
  static void append_items(std::string& out, const Json& json, int depth) {
    out += '[';
    for (const Json& item : json.items_) {
      if (&item != json.items_.data()) out += ',';
      append(out, item, depth + 1);
    }
    out += ']';
  }
  static void append_members(std::string& out, const Json& json, int depth) {
    out += '{';
    for (const Json::Member& member : json.members_) {
      if (&member != json.members_.data()) out += ',';
      append_json_string(out, member.name);
      out += ':';
      append(out, member.value, depth + 1);
    }
    out += '}';
  }
};

namespace {

bool equal(const Json& a, const Json& b, int depth) {
  check_depth(depth);
  if (a.kind() != b.kind()) return false;
  const std::string &left = JsonAccess::written(a), &right = JsonAccess::written(b);
  switch (a.kind()) {
    case Json::Kind::null:
      return true;
    case Json::Kind::boolean:
    case Json::Kind::text:
      return left == right;
    case Json::Kind::number:
      return left == right || JsonNumber::of(left) == JsonNumber::of(right);
    case Json::Kind::array:
      return std::equal(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(),
                        [depth](const Json& x, const Json& y) { return equal(x, y, depth + 1); });
    case Json::Kind::object:
      return equal_members(a.members(), b.members(), depth + 1);
  }
  return false;
}

// The number as JSON writes it: as it stands, unless only YAML knows it so. Infinities are null, as JSON has none.
Json number_of(const Node& node) {
  if (is_json_number(node.text)) return JsonAccess::scalar(Json::Kind::number, node.text);
  if (node.kind == NodeKind::integer) return Json::integer(node.integer);
  if (!std::isfinite(node.number)) return {};
  constexpr double exact_max = 1e15;
  if (std::floor(node.number) == node.number && std::abs(node.number) < exact_max) {
    return Json::integer(static_cast<std::int64_t>(node.number));
  }
  std::string written;
  append_json_double(written, node.number);
  return JsonAccess::scalar(Json::Kind::number, std::move(written));
}

}  // namespace

Json& Json::operator=(const Json& other) {
  return *this = Json(other);
}

Json& Json::operator=(Json&& other) noexcept {
  Json taken(std::move(other));  // `other` may lie within this value
  kind_ = taken.kind_;
  text_.swap(taken.text_);
  items_.swap(taken.items_);
  members_.swap(taken.members_);
  return *this;
}

Json Json::boolean(bool value) {
  return JsonAccess::scalar(Kind::boolean, value ? "true" : "false");
}

Json Json::integer(std::int64_t value) {
  return JsonAccess::scalar(Kind::number, std::to_string(value));
}

Json Json::text(std::string value) {
  return JsonAccess::scalar(Kind::text, std::move(value));
}

Json Json::array(std::vector<Json> items) {
  Json json;
  json.kind_ = Kind::array;
  json.items_ = std::move(items);
  return json;
}

Json Json::object(std::initializer_list<std::pair<std::string_view, Json>> members) {
  Json json;
  json.kind_ = Kind::object;
  for (const auto& [name, value] : members) json.set(name, value);
  return json;
}

// Nodes are read with a depth limit.
Json Json::of(const Node& node) {
  switch (node.kind) {
    case NodeKind::null:
      return {};
    case NodeKind::boolean:
      return boolean(node.boolean);
    case NodeKind::integer:
    case NodeKind::number:
      return number_of(node);
    case NodeKind::text:
      return text(node.text);
    case NodeKind::sequence:
      break;
    case NodeKind::map:
      break;
  }
  Json json = node.is_map() ? object() : array();
  json.items_.reserve(node.items.size());
  for (const Node& item : node.items) json.items_.push_back(of(item));
  json.members_.reserve(node.members.size());
  for (const spec::Member& member : node.members) json.members_.push_back({member.name, of(member.value)});
  return json;
}

std::int64_t Json::as_integer(std::int64_t otherwise) const {
  return kind_ == Kind::number ? JsonNumber::of(text_).whole().value_or(otherwise) : otherwise;
}

const Json* Json::find(std::string_view name) const {
  if (kind_ != Kind::object) return nullptr;
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.name == name; });
  return found == members_.end() ? nullptr : &found->value;
}

Json* Json::find(std::string_view name) {
  return const_cast<Json*>(std::as_const(*this).find(name));
}

const Json* Json::find_path(std::initializer_list<std::string_view> names) const {
  const Json* at = this;
  for (const std::string_view name : names) {
    if (at == nullptr) return nullptr;
    at = at->find(name);
  }
  return at;
}

Json& Json::set(std::string_view name, Json value) {
  return member(name) = std::move(value);
}

Json& Json::member(std::string_view name) {
  if (kind_ != Kind::object) *this = object();
  if (Json* found = find(name)) return *found;
  return members_.emplace_back(Member{std::string(name), {}}).value;
}

bool Json::erase(std::string_view name) {
  if (kind_ != Kind::object) return false;
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const Member& m) { return m.name == name; });
  if (found == members_.end()) return false;
  members_.erase(found);
  return true;
}

Json& Json::append(Json item) {
  if (kind_ != Kind::array) *this = array();
  return items_.emplace_back(std::move(item));
}

bool operator==(const Json& a, const Json& b) {
  return equal(a, b, 0);
}

std::string Json::dump() const {
  std::string out;
  JsonAccess::append(out, *this, 0);
  return out;
}

Result<Json> read_json(std::string_view text, std::string_view file, const ReadLimits& limits) {
  JACKDAW_ASSIGN(const DocumentPtr document, parse_json(text, file, limits));
  return Json::of(document->root);
}

}  // namespace jackdaw::spec
