// Files that are read whole: settings, templates, tokens, a model's small companions.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "jackdaw/base/result.h"

namespace jackdaw {

// All bytes of a regular file of at most `bytes_max` bytes. Pipes and devices, which may block or never end, are
// refused. Errors: not_found, invalid_argument (no regular file), too_large, io_error. Their messages go on from the
// file's name: "cannot be read: Permission denied", "is a folder", "is larger than 1 MiB".
Result<std::string> read_file(const std::filesystem::path& path, std::size_t bytes_max);

// The same for a companion that may be absent: then nullopt. Errors are whole sentences and say the path.
Result<std::optional<std::string>> read_file_if_present(const std::filesystem::path& path, std::size_t bytes_max);

// What comes from an open descriptor, a pipe too, until its end or until there are `bytes_max` bytes. Blocks meanwhile.
Result<std::string> read_descriptor(int descriptor, std::size_t bytes_max);

}  // namespace jackdaw
