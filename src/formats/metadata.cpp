// Metadata's typed look-ups.
#include <cmath>

#include "jackdaw/formats/model_file.h"

namespace jackdaw::formats {

namespace {

template <typename T>
const T* find_as(const Metadata& metadata, std::string_view key) {
  const MetadataValue* value = metadata.find(key);
  return value == nullptr ? nullptr : std::get_if<T>(value);
}

}  // namespace

const MetadataValue* Metadata::find(std::string_view key) const {
  const auto found = values.find(key);
  return found == values.end() ? nullptr : &found->second;
}

std::optional<bool> Metadata::boolean(std::string_view key) const {
  const bool* value = find_as<bool>(*this, key);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<std::int64_t> Metadata::integer(std::string_view key) const {
  if (const auto* value = find_as<std::int64_t>(*this, key)) return *value;
  const auto* real = find_as<double>(*this, key);
  if (real == nullptr || std::trunc(*real) != *real || std::abs(*real) >= 0x1p63) return std::nullopt;
  return static_cast<std::int64_t>(*real);
}

std::optional<double> Metadata::number(std::string_view key) const {
  if (const auto* value = find_as<double>(*this, key)) return *value;
  if (const auto* value = find_as<std::int64_t>(*this, key)) return static_cast<double>(*value);
  return std::nullopt;
}

std::optional<std::string_view> Metadata::text(std::string_view key) const {
  const auto* value = find_as<std::string>(*this, key);
  return value == nullptr ? std::nullopt : std::optional<std::string_view>(*value);
}

const std::vector<std::string>* Metadata::texts(std::string_view key) const {
  return find_as<std::vector<std::string>>(*this, key);
}
const std::vector<std::int64_t>* Metadata::integers(std::string_view key) const {
  return find_as<std::vector<std::int64_t>>(*this, key);
}
const std::vector<double>* Metadata::numbers(std::string_view key) const {
  return find_as<std::vector<double>>(*this, key);
}
const std::vector<bool>* Metadata::booleans(std::string_view key) const {
  return find_as<std::vector<bool>>(*this, key);
}

std::vector<std::int64_t> Metadata::integer_list(std::string_view key) const {
  if (const auto* list = integers(key)) return *list;
  if (const auto one = integer(key)) return {*one};
  return {};
}

std::int64_t FileTensor::element_count() const {
  std::int64_t count = 1;
  for (const std::int64_t n : shape) count *= n;  // open() has checked that the product fits
  return count;
}

}  // namespace jackdaw::formats
