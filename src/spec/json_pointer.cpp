#include "src/spec/json_pointer.h"

#include <algorithm>

namespace jackdaw::spec {
namespace {

// False when a `~` is followed by neither 0 nor 1.
bool unescape(std::string_view escaped, std::string& out) {
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '~') {
      out += escaped[i];
      continue;
    }
    if (++i == escaped.size() || (escaped[i] != '0' && escaped[i] != '1')) return false;
    out += escaped[i] == '0' ? '~' : '/';
  }
  return true;
}

}  // namespace

Result<std::vector<std::string>> read_pointer(std::string_view text) {
  std::vector<std::string> steps;
  if (!text.empty() && text.front() != '/') {
    return make_error(Code::invalid_argument, "a pointer begins with '/', or is empty for the whole document");
  }
  while (!text.empty()) {
    text.remove_prefix(1);
    const std::string_view step = text.substr(0, text.find('/'));
    if (!unescape(step, steps.emplace_back())) {
      return make_error(Code::invalid_argument, "in a pointer, '~' is written ~0 and '/' within a name ~1");
    }
    text.remove_prefix(step.size());
  }
  return steps;
}

std::string pointer_text(std::span<const std::string> steps) {
  std::string out;
  for (const std::string& step : steps) {
    out += '/';
    for (const char c : step) {
      if (c == '~') {
        out += "~0";
      } else if (c == '/') {
        out += "~1";
      } else {
        out += c;
      }
    }
  }
  return out;
}

std::optional<std::size_t> array_index(std::string_view step) {
  constexpr std::size_t digits_max = 9;
  const bool digits = std::all_of(step.begin(), step.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (step.empty() || !digits || step.size() > digits_max || (step.size() > 1 && step[0] == '0')) return {};
  std::size_t index = 0;
  for (const char c : step) index = index * 10 + static_cast<std::size_t>(c - '0');
  return index;
}

}  // namespace jackdaw::spec
