#include "jackdaw/base/guarded.h"

#include <string>

#include "jackdaw/base/log.h"

namespace jackdaw {

void log_exception(std::string_view where, std::string_view what) noexcept {
  try {
    log_error(std::string(where) + " failed with an exception", {{"what", what}});
  } catch (...) {  // NOLINT(bugprone-empty-catch): there is nobody left to tell
  }
}

}  // namespace jackdaw
