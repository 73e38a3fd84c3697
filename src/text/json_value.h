// Reading tokenizer.json with simdjson: members that may be missing, and errors that name the component.
// For .cpp files only.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "jackdaw/base/result.h"

namespace jackdaw::text::json {

using Element = simdjson::dom::element;

inline constexpr std::size_t depth_max = 64;

// Null elements count as missing.
inline std::optional<Element> member(const Element& object, std::string_view key) {
  Element value;
  if (!object.is_object() || object[key].get(value) != simdjson::SUCCESS || value.is_null()) return std::nullopt;
  return value;
}

inline std::optional<std::string_view> text(const Element& object, std::string_view key) {
  const auto value = member(object, key);
  std::string_view out;
  if (!value || value->get(out) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

inline std::optional<bool> boolean(const Element& object, std::string_view key) {
  const auto value = member(object, key);
  bool out = false;
  if (!value || value->get(out) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

inline std::optional<std::int64_t> integer(const Element& object, std::string_view key) {
  const auto value = member(object, key);
  std::int64_t out = 0;
  if (!value || value->get(out) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

inline std::optional<simdjson::dom::array> array(const Element& object, std::string_view key) {
  const auto value = member(object, key);
  simdjson::dom::array out;
  if (!value || value->get(out) != simdjson::SUCCESS) return std::nullopt;
  return out;
}

}  // namespace jackdaw::text::json
