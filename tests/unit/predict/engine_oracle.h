// Reads the oracle files tests/data/{xgboost,lightgbm}/<version>/cases.json.
#pragma once

#include <simdjson.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "jackdaw/base/bytes.h"

namespace jackdaw::predict::oracle {

inline std::string data_path(const std::string& path) {
  return std::string(JACKDAW_SOURCE_DIR) + "/tests/data/" + path;
}

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// null is NaN, "inf" and "-inf" are the infinities.
inline double number(simdjson::dom::element element) {
  if (element.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (element.is_string()) {
    const double infinity = std::numeric_limits<double>::infinity();
    return element.get_string().value() == "inf" ? infinity : -infinity;
  }
  if (element.is_bool()) return element.get_bool().value() ? 1.0 : 0.0;
  return element.get_double().value();
}

template <typename T>
std::vector<T> numbers(simdjson::dom::element array) {
  std::vector<T> out;
  const simdjson::dom::array elements = array.get_array().value();
  for (simdjson::dom::element element : elements) out.push_back(static_cast<T>(number(element)));
  return out;
}

inline std::string text(simdjson::dom::element element) {
  return std::string(element.get_string().value());
}

// Calls fn(case) for every case of the file.
template <typename Fn>
void for_each_case(const std::string& path, Fn fn) {
  simdjson::dom::parser parser;
  simdjson::dom::element root = parser.load(data_path(path));
  const simdjson::dom::array cases = root["cases"].get_array().value();
  for (simdjson::dom::element one : cases) fn(one);
}

inline std::uint32_t bits(float x) {
  std::uint32_t out;
  std::memcpy(&out, &x, sizeof(out));
  return out;
}
inline std::uint64_t bits(double x) {
  std::uint64_t out;
  std::memcpy(&out, &x, sizeof(out));
  return out;
}
// NaN equals NaN; everything else by its bits.
template <typename T>
bool same_bits(T a, T b) {
  return (std::isnan(a) && std::isnan(b)) || bits(a) == bits(b);
}

}  // namespace jackdaw::predict::oracle
