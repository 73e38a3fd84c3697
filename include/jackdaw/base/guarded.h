// guarded: runs a piece of work whose exceptions must not end its thread, and with it the process. Nothing of ours
// throws across modules, but memory can run out anywhere, and libraries may throw.
#pragma once

#include <exception>
#include <string_view>

namespace jackdaw {

// One log record; without memory for that, none.
void log_exception(std::string_view where, std::string_view what) noexcept;

// False when the work threw; that is logged. `where` says what failed, as the beginning of a sentence: "a timer".
template <typename Work>
bool guarded(std::string_view where, Work&& work) noexcept {
  try {
    work();
    return true;
  } catch (const std::exception& error) {
    log_exception(where, error.what());
  } catch (...) {
    log_exception(where, "not a std::exception");
  }
  return false;
}

}  // namespace jackdaw
