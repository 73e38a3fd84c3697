// What the tests of the pickle readers share: files under tests/data, and pickles written as byte strings.
#pragma once

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/formats/object_graph.h"

namespace jackdaw::formats {

inline std::vector<std::byte> to_bytes(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

inline std::vector<std::byte> read_test_file(const std::string& path) {
  std::ifstream in(std::string(JACKDAW_SOURCE_DIR) + "/tests/data/" + path, std::ios::binary);
  INFO(path);
  REQUIRE(in.good());
  const std::string content((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return to_bytes(content);
}

inline ObjectGraph read_file_graph(const std::string& path) {
  auto graph = read_object_graph(read_test_file(path));
  INFO(path << ": " << (graph ? "" : graph.error().text()));
  REQUIRE(graph.has_value());
  return std::move(*graph);
}

// A pickle that must load.
inline ObjectGraph read_pickle(std::string_view pickle) {
  auto graph = read_object_graph(to_bytes(pickle));
  INFO((graph ? "" : graph.error().text()));
  REQUIRE(graph.has_value());
  return std::move(*graph);
}

// The error of a pickle that must be refused.
inline Error refusal(std::string_view pickle, const ReadLimits& limits = {}) {
  auto graph = read_object_graph(to_bytes(pickle), limits);
  REQUIRE_FALSE(graph.has_value());
  return graph.error();
}

// A byte string with its zeros: bytes_of("\x80\x04N.").
template <std::size_t N>
std::string bytes_of(const char (&literal)[N]) {
  return std::string(literal, N - 1);
}

// Little-endian number, `size` bytes.
inline std::string little_endian(std::uint64_t value, int size) {
  std::string out;
  for (int i = 0; i < size; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  return out;
}

inline bool mentions(const Error& error, std::string_view what) {
  return error.text().find(what) != std::string::npos;
}

}  // namespace jackdaw::formats
