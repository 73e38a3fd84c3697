#include "src/serving/json_scan.h"

#include <bitset>
#include <cstddef>

#include "jackdaw/base/text.h"

namespace jackdaw::serving {
namespace {

class Scan {
 public:
  explicit Scan(std::string_view text) : rest_(text) {}

  bool whole() {
    if (!value()) return false;
    while (depth_ > 0) {
      if (!next_member()) return false;
    }
    skip_space();
    return rest_.empty();
  }

 private:
  static constexpr std::size_t depth_max = 512;

  void skip_space() {
    const std::size_t at = rest_.find_first_not_of(" \t\n\r");
    rest_.remove_prefix(at == std::string_view::npos ? rest_.size() : at);
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  bool take(char c) {
    skip_space();
    return take(std::string_view(&c, 1));
  }

  bool open(bool object) {
    if (depth_ == depth_max) return false;
    is_object_[depth_++] = object;
    first_ = true;
    return true;
  }

  // Opens a list or an object, or passes over another value.
  bool value() {
    skip_space();
    if (rest_.empty()) return false;
    switch (rest_.front()) {
      case '{':
      case '[': {
        const bool object = rest_.front() == '{';
        rest_.remove_prefix(1);
        return open(object);
      }
      case '"':
        return text();
      case 't':
        return take("true");
      case 'f':
        return take("false");
      case 'n':
        return take("null");
      default:
        return number();
    }
  }

  // The next element of the innermost list or object, or its end.
  bool next_member() {
    const bool object = is_object_[depth_ - 1];
    const bool first = first_;
    first_ = false;
    if (take(object ? '}' : ']')) {
      --depth_;
      return true;
    }
    if (!first && !take(',')) return false;
    if (object) {
      skip_space();
      if (!text() || !take(':')) return false;
    }
    return value();
  }

  bool text() {
    if (!take("\"")) return false;
    while (!rest_.empty()) {
      const auto c = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (c < 0x20 || (c == '\\' && !escape())) return false;
    }
    return false;
  }
  bool escape() {
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c != 'u') return std::string_view("\"\\/bfnrt").find(c) != std::string_view::npos;
    const std::size_t end = rest_.find_first_not_of("0123456789abcdefABCDEF");
    const std::size_t digits = end == std::string_view::npos ? rest_.size() : end;
    if (digits < 4) return false;
    rest_.remove_prefix(4);
    return true;
  }

  bool digits() {
    const std::size_t end = rest_.find_first_not_of("0123456789");
    const std::size_t count = end == std::string_view::npos ? rest_.size() : end;
    rest_.remove_prefix(count);
    return count > 0;
  }
  bool number() {
    take("-");
    if (!take("0") && !digits()) return false;
    if (take(".") && !digits()) return false;
    if (!take("e") && !take("E")) return true;
    if (!take("+")) take("-");
    return digits();
  }

  std::string_view rest_;
  std::bitset<depth_max> is_object_;
  std::size_t depth_ = 0;
  bool first_ = false;
};

}  // namespace

bool is_json(std::string_view text) {
  return is_valid_utf8(text) && Scan(text).whole();
}

}  // namespace jackdaw::serving
