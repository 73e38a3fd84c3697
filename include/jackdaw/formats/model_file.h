// ModelFile: a neural network on disk, GGUF or safetensors, memory-mapped: named tensors and metadata. Nothing in it is
// executed and nothing is copied that need not be.
//
// Sources: GGUF v3 (ggml's docs/gguf.md), safetensors (8-byte little-endian header length, JSON header, data), Hugging
// Face config.json. Errors name file, offset (or JSON pointer) and what to do. Any thread; immutable after open.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "jackdaw/base/encoding.h"
#include "jackdaw/base/result.h"

namespace jackdaw::formats {

// One metadata value. Integers of every width come as int64 (u64 above 2^63-1 is refused), floats as double.
using MetadataValue = std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<bool>,
                                   std::vector<std::int64_t>, std::vector<double>, std::vector<std::string>>;

// GGUF's key-value pairs, or config.json with nested objects flattened ("rope_scaling.factor"); a JSON null is
// monostate, arrays of mixed or nested elements are left out.
class Metadata {
 public:
  std::map<std::string, MetadataValue, std::less<>> values;

  const MetadataValue* find(std::string_view key) const;
  // nullopt when absent or of another kind; integer accepts whole doubles, number accepts integers.
  std::optional<bool> boolean(std::string_view key) const;
  std::optional<std::int64_t> integer(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  std::optional<std::string_view> text(std::string_view key) const;
  // Null when absent or of another kind: a single integer is no list. An empty list in config.json is one of integers.
  const std::vector<std::string>* texts(std::string_view key) const;
  const std::vector<std::int64_t>* integers(std::string_view key) const;
  const std::vector<double>* numbers(std::string_view key) const;
  const std::vector<bool>* booleans(std::string_view key) const;
  // A list of integers, or a single one as a list of one; empty when there is neither. For keys that may be written
  // either way (attention.head_count_kv).
  std::vector<std::int64_t> integer_list(std::string_view key) const;
};

struct FileTensor {
  std::string name;
  Encoding encoding = Encoding::f32;
  // Row-major, outermost first; the last dimension is contiguous (GGUF's ne[0] comes last here). A linear layer is
  // [outputs, inputs] in both formats; experts are [experts, outputs, inputs] in GGUF.
  std::vector<std::int64_t> shape;
  std::span<const std::byte> data;  // within the mapping

  std::int64_t element_count() const;
};

enum class ModelFileKind : std::uint8_t { gguf, safetensors };

class ModelFile {
 public:
  // `path`: a .gguf file (the first shard of several finds the others), a folder with config.json and *.safetensors
  // (an index file is honoured), or a folder with one GGUF model. Checks every header, length, shape and offset
  // against the file's size before anything is handed out. Blocking.
  static Result<std::shared_ptr<const ModelFile>> open(const std::filesystem::path& path);

  virtual ~ModelFile() = default;
  virtual ModelFileKind kind() const = 0;
  virtual const Metadata& metadata() const = 0;
  virtual const std::vector<FileTensor>& tensors() const = 0;         // in file order
  virtual const FileTensor* tensor(std::string_view name) const = 0;  // null when absent
  virtual const std::filesystem::path& folder() const = 0;            // where tokenizer.json and its like are
  virtual const std::vector<std::filesystem::path>& files() const = 0;
  virtual std::uint64_t data_bytes() const = 0;  // of all tensors
  // Tells the kernel that this tensor's pages will not be read again: they leave resident memory.
  virtual void let_go(const FileTensor& tensor) const = 0;
};

}  // namespace jackdaw::formats
