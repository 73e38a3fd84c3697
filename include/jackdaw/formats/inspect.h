// inspect_file: what is in a model file, as text for people, without ever running anything in it.
//
// Pickle and joblib: compression, protocol, scikit-learn version, every name the file would make Python import (with a
// warning beside those that can run code), and a tree of classes, attributes, array shapes and first values. XGBoost
// and LightGBM: objective, trees, depth, features, classes. GGUF and safetensors: architecture, sizes, quantization,
// tokenizer, metadata and tensors, from the headers alone. Others are named by their magic bytes. Every byte of the
// file is escaped before it is printed, so a file cannot steer the terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/result.h"

namespace jackdaw::formats {

struct InspectOptions {
  int width = 100;      // columns; longer lines are cut. At least 40
  bool colour = false;  // ANSI colours; the caller asks isatty
  int max_depth = 8;    // of the tree; deeper parts are left out. At most 64
  int items_max = 8;    // children shown of one list, dict or tuple
  int values_max = 6;   // first values shown of one array
  int lines_max = 400;  // of the whole text
  bool all = false;     // every tensor and every metadata key of a language model, whatever lines_max says
};

// `path` may be a language model's folder too. Errors: not_found, io_error, invalid_argument (another directory),
// too_large, and parse_error or unsupported when the file is of a known kind but damaged or refused. A file of a kind
// jackdaw cannot serve is no error: the text says so.
Result<std::string> inspect_file(const std::string& path, const InspectOptions& options = {});

// The same for bytes at hand; `name` is what the first line calls them.
Result<std::string> inspect_bytes(std::vector<std::byte> file, std::string_view name,
                                  const InspectOptions& options = {});

}  // namespace jackdaw::formats
