// Which kind of file this seems to be, from its first and last bytes, for kinds jackdaw has no reader for.
#pragma once

#include <optional>
#include <string>

#include "jackdaw/base/bytes.h"

namespace jackdaw::formats {

struct ForeignFile {
  std::string kind;    // "an ONNX model"
  std::string advice;  // what to do instead, a sentence
};

// `head` and `tail` are the file's first and last bytes (they may overlap); `size` is the whole file's.
std::optional<ForeignFile> recognise_foreign_file(Bytes head, Bytes tail, std::uint64_t size);

}  // namespace jackdaw::formats
