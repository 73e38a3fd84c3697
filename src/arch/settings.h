// Settings: typed, bounded look-ups in a model's metadata, under GGUF's key or config.json's, whichever the file has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/formats/model_file.h"

namespace jackdaw::arch {

// One setting under its two names; an empty one means that the format has no such setting.
struct Key {
  std::string_view gguf;    // after "<architecture>."
  std::string_view config;  // after "text_config.", where the family has that
};

struct Range {
  std::int64_t min = 0;
  std::int64_t max = 0;
};

class Settings {
 public:
  // `prefix`: "llama.", "text_config." or "". The metadata outlives this.
  Settings(const formats::Metadata& metadata, formats::ModelFileKind kind, std::string prefix)
      : metadata_(metadata), is_gguf_(kind == formats::ModelFileKind::gguf), prefix_(std::move(prefix)) {}

  bool is_gguf() const { return is_gguf_; }
  const formats::Metadata& metadata() const { return metadata_; }
  // The full name in this file; "" when the format has none.
  std::string name(const Key& key) const;
  // False for absent keys; JSON's null counts as absent, `is_null` tells it apart.
  bool has(const Key& key) const;
  bool is_null(const Key& key) const;

  // Absent: `fallback`, or an error naming the key when there is none. Errors: invalid_argument for another kind of
  // value or one outside of the range. A list whose elements are all equal counts as that element; unsupported else.
  Result<std::uint32_t> count(const Key& key, Range range, std::optional<std::uint32_t> fallback) const;
  // Finite, within [min, max].
  Result<float> number(const Key& key, double min, double max, std::optional<float> fallback) const;
  bool boolean(const Key& key, bool fallback) const;
  std::string text(const Key& key, std::string_view fallback) const;
  // Finite numbers, integers among them; empty when absent.
  Result<std::vector<float>> numbers(const Key& key) const;

 private:
  const formats::MetadataValue* find(const Key& key) const;

  const formats::Metadata& metadata_;
  bool is_gguf_;
  std::string prefix_;
};

}  // namespace jackdaw::arch
