// Which kind of file this seems to be, from its first and last bytes, for kinds jackdaw has no reader for.
#pragma once

#include <optional>
#include <string>

#include "jackdaw/base/bytes.h"
#include "jackdaw/formats/model_file.h"

namespace jackdaw::formats {

struct ForeignFile {
  std::string kind;    // "an ONNX model"
  std::string advice;  // what to do instead, a sentence
};

// `head` and `tail` are the file's first and last bytes; they may overlap.
std::optional<ForeignFile> recognise_foreign_file(Bytes head, Bytes tail);

// Whether this is a language model's file, from its first bytes and its size.
std::optional<ModelFileKind> detect_model_file(Bytes head, std::uint64_t size);

}  // namespace jackdaw::formats
