// Writes small GGUF and safetensors files for tests, right or wrong in one place each.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/temporary_folder.h"

namespace jackdaw::formats {

// GGUF's header, field by field; `tensor` takes ggml's order of dimensions (fastest first).
class GgufWriter {
 public:
  explicit GgufWriter(std::uint32_t version = 3) : version_(version) {}

  template <typename T>
  static std::string raw(T value) {
    std::string out(sizeof(T), '\0');
    std::memcpy(out.data(), &value, sizeof(T));
    return out;
  }
  static std::string text(std::string_view value) { return raw<std::uint64_t>(value.size()) + std::string(value); }

  GgufWriter& key(std::string_view name, std::uint32_t type, const std::string& value) {
    keys_ += text(name) + raw(type) + value;
    ++key_count_;
    return *this;
  }
  GgufWriter& key(std::string_view name, std::string_view value) { return key(name, 8, text(value)); }
  GgufWriter& key(std::string_view name, std::uint32_t value) { return key(name, 4, raw(value)); }
  GgufWriter& array(std::string_view name, std::uint32_t type, std::uint64_t count, const std::string& elements) {
    return key(name, 9, raw(type) + raw(count) + elements);
  }
  GgufWriter& tensor(std::string_view name, const std::vector<std::uint64_t>& ne, std::uint32_t type,
                     std::uint64_t offset) {
    tensors_ += text(name) + raw(static_cast<std::uint32_t>(ne.size()));
    for (const std::uint64_t n : ne) tensors_ += raw(n);
    tensors_ += raw(type) + raw(offset);
    ++tensor_count_;
    return *this;
  }
  GgufWriter& counts(std::uint64_t tensors, std::uint64_t keys) {
    tensor_count_ = tensors;
    key_count_ = keys;
    return *this;
  }

  std::string header() const {
    return "GGUF" + raw(version_) + raw(tensor_count_) + raw(key_count_) + keys_ + tensors_;
  }
  // Header, padding, data.
  std::string file(std::string_view data, std::size_t alignment = 32) const {
    std::string out = header();
    out.resize((out.size() + alignment - 1) / alignment * alignment);
    return out + std::string(data);
  }

 private:
  std::uint32_t version_;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t key_count_ = 0;
  std::string keys_;
  std::string tensors_;
};

inline std::string safetensors(std::string_view json, std::string_view data) {
  std::string header(json);
  header.resize((header.size() + 7) / 8 * 8, ' ');
  return GgufWriter::raw<std::uint64_t>(header.size()) + header + std::string(data);
}

using testing::TemporaryFolder;

}  // namespace jackdaw::formats
