// A ModelFile made of vectors: metadata and tensors as a test wants them, and no file behind.
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "jackdaw/base/float16.h"
#include "jackdaw/formats/model_file.h"

namespace jackdaw::arch::testing {

class FakeModelFile final : public formats::ModelFile {
 public:
  explicit FakeModelFile(formats::ModelFileKind kind) : kind_(kind) {}

  formats::Metadata metadata_values;

  template <typename T>
  FakeModelFile& set(const std::string& key, T value) {
    metadata_values.values[key] = std::move(value);
    return *this;
  }
  FakeModelFile& set(const std::string& key, int value) { return set(key, std::int64_t{value}); }
  FakeModelFile& set(const std::string& key, const char* value) { return set(key, std::string(value)); }

  // F32 elements that depend on the name and the index, or `value` everywhere.
  FakeModelFile& add(const std::string& name, std::vector<std::int64_t> shape, Encoding encoding = Encoding::f32) {
    formats::FileTensor tensor{name, encoding, std::move(shape), {}};
    std::vector<float> values(static_cast<std::size_t>(tensor.element_count()));
    std::uint32_t state = 1;
    for (const char c : name) state = state * 31 + static_cast<unsigned char>(c);
    for (float& value : values) {
      state = state * 1664525u + 1013904223u;
      value = static_cast<float>(state >> 8) * 0x1p-24f - 0.5f;
    }
    return add_values(std::move(tensor), values);
  }
  FakeModelFile& add_values(formats::FileTensor tensor, const std::vector<float>& values) {
    const bool wide = tensor.encoding == Encoding::f32;
    bytes_.push_back(std::make_unique<std::vector<std::byte>>(values.size() * (wide ? 4 : 2)));
    for (std::size_t i = 0; i < values.size(); ++i) {
      const std::uint16_t narrow =
          tensor.encoding == Encoding::f16 ? half_from_float(values[i]) : bfloat16_from_float(values[i]);
      std::byte* at = bytes_.back()->data() + i * (wide ? 4 : 2);
      if (wide) std::memcpy(at, &values[i], 4);
      if (!wide) std::memcpy(at, &narrow, 2);
    }
    tensor.data = *bytes_.back();
    remove(tensor.name);
    tensors_.push_back(std::move(tensor));
    return *this;
  }
  FakeModelFile& remove(std::string_view name) {
    std::erase_if(tensors_, [&](const formats::FileTensor& tensor) { return tensor.name == name; });
    return *this;
  }
  // A tensor that claims a shape and has no bytes.
  FakeModelFile& claim(const std::string& name, std::vector<std::int64_t> shape) {
    remove(name);
    tensors_.push_back({name, Encoding::f32, std::move(shape), {}});
    return *this;
  }

  formats::ModelFileKind kind() const override { return kind_; }
  const formats::Metadata& metadata() const override { return metadata_values; }
  const std::vector<formats::FileTensor>& tensors() const override { return tensors_; }
  const formats::FileTensor* tensor(std::string_view name) const override {
    const auto found = std::ranges::find(tensors_, name, &formats::FileTensor::name);
    return found == tensors_.end() ? nullptr : &*found;
  }
  const std::filesystem::path& folder() const override { return folder_; }
  const std::vector<std::filesystem::path>& files() const override { return files_; }
  std::uint64_t data_bytes() const override {
    std::uint64_t sum = 0;
    for (const formats::FileTensor& tensor : tensors_) sum += tensor.data.size();
    return sum;
  }
  void let_go(const formats::FileTensor& tensor) const override { gone.push_back(tensor.name); }

  mutable std::vector<std::string> gone;

 private:
  formats::ModelFileKind kind_;
  std::vector<formats::FileTensor> tensors_;
  std::vector<std::unique_ptr<std::vector<std::byte>>> bytes_;
  std::filesystem::path folder_ = "fake";
  std::vector<std::filesystem::path> files_;
};

}  // namespace jackdaw::arch::testing
