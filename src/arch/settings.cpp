#include "src/arch/settings.h"

#include <algorithm>
#include <cmath>

namespace jackdaw::arch {

std::string Settings::name(const Key& key) const {
  const std::string_view own = is_gguf_ ? key.gguf : key.config;
  return own.empty() ? std::string() : prefix_ + std::string(own);
}

const formats::MetadataValue* Settings::find(const Key& key) const {
  const std::string full = name(key);
  return full.empty() ? nullptr : metadata_.find(full);
}

bool Settings::has(const Key& key) const {
  return find(key) != nullptr && !is_null(key);
}

bool Settings::is_null(const Key& key) const {
  const formats::MetadataValue* value = find(key);
  return value != nullptr && std::holds_alternative<std::monostate>(*value);
}

Result<std::uint32_t> Settings::count(const Key& key, Range range, std::optional<std::uint32_t> fallback) const {
  if (!has(key)) {
    if (fallback) return *fallback;
    return make_error(Code::invalid_argument, "The model's metadata lacks this number.").at(name(key));
  }
  const std::string full = name(key);
  std::vector<std::int64_t> values;
  if (const auto* list = metadata_.integers(full)) values = *list;
  if (const auto one = metadata_.integer(full)) values = {*one};
  if (values.empty()) return make_error(Code::invalid_argument, "This is not a whole number.").at(full);
  if (std::ranges::any_of(values, [&](std::int64_t value) { return value != values.front(); })) {
    return make_error(Code::unsupported, "It differs from layer to layer, which no kernel here can do.").at(full);
  }
  if (values.front() < range.min || values.front() > range.max) {
    return make_error(Code::invalid_argument, "{} is not within {} and {}.", values.front(), range.min, range.max)
        .at(full);
  }
  return static_cast<std::uint32_t>(values.front());
}

Result<float> Settings::number(const Key& key, double min, double max, std::optional<float> fallback) const {
  if (!has(key)) {
    if (fallback) return *fallback;
    return make_error(Code::invalid_argument, "The model's metadata lacks this number.").at(name(key));
  }
  const auto value = metadata_.number(name(key));
  if (!value) return make_error(Code::invalid_argument, "This is not a number.").at(name(key));
  if (!(*value >= min && *value <= max)) {  // NaN too
    return make_error(Code::invalid_argument, "{} is not within {} and {}.", *value, min, max).at(name(key));
  }
  return static_cast<float>(*value);
}

bool Settings::boolean(const Key& key, bool fallback) const {
  const std::string full = name(key);
  return full.empty() ? fallback : metadata_.boolean(full).value_or(fallback);
}

std::string Settings::text(const Key& key, std::string_view fallback) const {
  const std::string full = name(key);
  return std::string(full.empty() ? fallback : metadata_.text(full).value_or(fallback));
}

Result<std::vector<float>> Settings::numbers(const Key& key) const {
  std::vector<float> out;
  if (!has(key)) return out;
  const std::string full = name(key);
  if (const auto* list = metadata_.numbers(full)) out.assign(list->begin(), list->end());
  if (const auto* list = metadata_.integers(full)) {
    for (const std::int64_t value : *list) out.push_back(static_cast<float>(value));
  }
  if (out.empty() || !std::ranges::all_of(out, [](float value) { return std::isfinite(value); })) {
    return make_error(Code::invalid_argument, "This is not a list of finite numbers.").at(full);
  }
  return out;
}

}  // namespace jackdaw::arch
