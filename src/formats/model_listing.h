// ModelListing: what the headers of a model's files say, checked against the files' sizes, before any weight is mapped.
// ModelFile::open maps it; `jackdaw inspect` prints it, tensors without a reader included.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "jackdaw/formats/model_file.h"
#include "src/formats/input_file.h"

namespace jackdaw::formats {

enum class TensorUse : std::uint8_t {
  weight,      // has an Encoding
  ignored,     // an integer buffer such as position_ids, which models compute for themselves
  unreadable,  // a weight in a type without a reader: ModelFile::open refuses it by name
};

struct ListedTensor {
  std::string name;
  std::string type;  // as the file's format calls it: "Q4_K", "BF16", "F8_E4M3"
  TensorUse use = TensorUse::weight;
  Encoding encoding = Encoding::f32;  // with use == weight
  std::vector<std::int64_t> shape;    // outermost first
  std::int64_t elements = 0;
  std::uint64_t begin = 0;  // in its file
  std::uint64_t bytes = 0;  // 0 for a type whose size nobody knows
  std::uint32_t file = 0;   // index into ModelListing::files
};

struct ModelListing {
  ModelFileKind kind = ModelFileKind::gguf;
  std::uint32_t version = 0;  // of GGUF
  Metadata metadata;
  std::vector<ListedTensor> tensors;  // in file order
  std::vector<InputFile> files;       // none when read from memory
  std::filesystem::path folder;
};

constexpr std::size_t tensors_max = 1u << 20;
constexpr std::size_t dimensions_max = 4;

// One GGUF file's header. `file` goes into each tensor.
Result<ModelListing> list_gguf(const ByteSource& source, std::uint32_t file = 0);
// One safetensors file's header; no metadata but the header's own "__metadata__", under "__metadata__.<key>".
Result<ModelListing> list_safetensors(const ByteSource& source, std::uint32_t file = 0);

// A model as a whole, whatever `path` is; see ModelFile::open. Refuses names that come twice.
Result<ModelListing> list_model(const std::filesystem::path& path);

// JSON text (config.json) as Metadata; nested objects flattened with dots.
Result<Metadata> read_config_json(std::string_view text);

// What is listed here, mapped.
Result<std::shared_ptr<const ModelFile>> map_model(ModelListing listing);

}  // namespace jackdaw::formats
