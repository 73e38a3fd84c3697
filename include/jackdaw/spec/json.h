// Json: a JSON value that can be changed, as Kubernetes objects are while they are patched. Plain data: one thread at a
// time may change it, any number may read it while nobody does. Members keep their order; numbers keep how they were
// written (1.0 stays 1.0, 1e30 stays 1e30). What is read is bounded in depth by ReadLimits, what is patched by the same
// limit; code that nests values by hand stays below json_depth_max, or dump and equality end the process.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/spec/node.h"

namespace jackdaw::spec {

inline constexpr int json_depth_max = 512;

class Json {
 public:
  enum class Kind : unsigned char { null, boolean, number, text, array, object };
  struct Member;

  Json();  // null
  Json(const Json& other);
  Json(Json&& other) noexcept;
  ~Json();
  // A value may be assigned a part of itself: `json = json.items()[0]`.
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;

  static Json boolean(bool value);
  static Json integer(std::int64_t value);
  static Json text(std::string value);
  static Json array(std::vector<Json> items = {});
  static Json object(std::initializer_list<std::pair<std::string_view, Json>> members = {});
  // A tree that was read before; places are lost. Scalars that only YAML knows (0x1f, 1_000, yes) become JSON's.
  static Json of(const Node& node);

  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::null; }
  bool is_object() const { return kind_ == Kind::object; }
  bool is_array() const { return kind_ == Kind::array; }
  bool is_text() const { return kind_ == Kind::text; }

  bool as_boolean() const { return kind_ == Kind::boolean && text_ == "true"; }
  // The text of a text, "" of anything else.
  std::string_view as_text() const { return kind_ == Kind::text ? std::string_view(text_) : std::string_view(); }
  // A whole number that fits, or `otherwise`.
  std::int64_t as_integer(std::int64_t otherwise = 0) const;

  // Objects. find: null when this is no object or has no such member; it looks at one member after the other, so do
  // not call it for every member of an object of unknown size. set: adds at the end or replaces in place; what is no
  // object becomes one. `at("metadata", "name")`-like paths: find_path({"metadata", "name"}).
  const Json* find(std::string_view name) const;
  Json* find(std::string_view name);
  const Json* find_path(std::initializer_list<std::string_view> names) const;
  Json& set(std::string_view name, Json value);
  // The member, made as null when it is missing.
  Json& member(std::string_view name);
  bool erase(std::string_view name);
  const std::vector<Member>& members() const { return members_; }
  std::vector<Member>& members() { return members_; }

  const std::vector<Json>& items() const { return items_; }
  std::vector<Json>& items() { return items_; }
  // Adds to an array; what is no array becomes one.
  Json& append(Json item);

  // Equal as values: members in any order, 1 equals 1.0; numbers are compared digit by digit, not as doubles.
  friend bool operator==(const Json& a, const Json& b);

  // Compact, in order; text escaped as orjson does.
  std::string dump() const;

 private:
  friend struct JsonAccess;  // json.cpp

  Kind kind_ = Kind::null;
  std::string text_;  // of a text: its value; of a number or boolean: as written
  std::vector<Json> items_;
  std::vector<Member> members_;
};

struct Json::Member {
  std::string name;
  Json value;
};

// Down here, where Member is complete.
inline Json::Json() = default;
inline Json::Json(const Json&) = default;
inline Json::Json(Json&&) noexcept = default;
inline Json::~Json() = default;

// One JSON value, with the limits of parse_json(); errors carry line and column.
Result<Json> read_json(std::string_view text, std::string_view file, const ReadLimits& limits = {});

}  // namespace jackdaw::spec
