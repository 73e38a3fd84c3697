#include "jackdaw/base/config_value.h"

#include <fmt/format.h>

namespace jackdaw {

std::string SourcePlace::text() const {
  if (line > 0 && column > 0) return fmt::format("{}:{}:{}", file, line, column);
  if (line > 0) return fmt::format("{}:{}", file, line);
  if (!pointer.empty()) return fmt::format("{}#{}", file, pointer);
  return file;
}

}  // namespace jackdaw
