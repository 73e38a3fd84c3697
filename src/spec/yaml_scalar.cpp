#include "src/spec/yaml_scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

#include "jackdaw/base/text.h"

namespace jackdaw::spec {
namespace {

template <std::size_t n>
bool one_of(std::string_view text, const std::array<std::string_view, n>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 11> true_words = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                                         "True", "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 11> false_words = {"n",     "N",     "no",  "No",  "NO", "false",
                                                          "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 5> null_words = {"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 3> nan_words = {".nan", ".NaN", ".NAN"};
constexpr std::array<std::string_view, 6> inf_words = {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"};
constexpr std::array<std::string_view, 3> minus_inf_words = {"-.inf", "-.Inf", "-.INF"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string without_underscores(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != '_') out += c;
  }
  return out;
}

struct BasedDigits {
  int base = 10;
  std::string_view digits;
};

// The base by prefix, as Go's ParseInt(text, 0, 64) reads it: 0x, 0o, 0b, and a leading 0 for octal.
BasedDigits split_base(std::string_view text) {
  if (text.size() < 2 || text[0] != '0') return {10, text};
  switch (text[1]) {
    case 'x':
    case 'X':
      return {16, text.substr(2)};
    case 'o':
    case 'O':
      return {8, text.substr(2)};
    case 'b':
    case 'B':
      return {2, text.substr(2)};
    default:
      return {8, text.substr(1)};
  }
}

bool parse_whole(std::string_view text, Node& node) {
  bool negative = false;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    negative = text[0] == '-';
    text.remove_prefix(1);
  }
  const auto [base, digits] = split_base(text);
  std::uint64_t magnitude = 0;
  const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
  if (digits.empty() || fault != std::errc() || end != digits.data() + digits.size()) return false;
  constexpr std::uint64_t int_max = std::numeric_limits<std::int64_t>::max();
  if (negative && magnitude > int_max + 1) return false;
  if (!negative && magnitude > int_max) {
    node.kind = NodeKind::number;
    node.number = static_cast<double>(magnitude);
    return true;
  }
  node.kind = NodeKind::integer;
  node.integer = negative ? static_cast<std::int64_t>(0 - magnitude) : static_cast<std::int64_t>(magnitude);
  node.number = static_cast<double>(node.integer);
  return true;
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
bool looks_like_float(std::string_view text) {
  std::size_t i = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  const auto skip_digits = [&] {
    const std::size_t begin = i;
    while (i < text.size() && is_digit(text[i])) ++i;
    return i - begin;
  };
  const std::size_t whole = skip_digits();
  if (i < text.size() && text[i] == '.') {
    ++i;
    if (skip_digits() == 0 && whole == 0) return false;
  } else if (whole == 0) {
    return false;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    if (skip_digits() == 0) return false;
  }
  return i == text.size();
}

bool parse_float(std::string_view text, Node& node) {
  if (!looks_like_float(text)) return false;
  if (text[0] == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return false;
  node.kind = NodeKind::number;
  node.number = value;
  return true;
}

bool parse_number(std::string_view text, Node& node) {
  if (text.empty()) return false;
  if (text[0] == '.') return parse_float(text, node);
  if (!is_digit(text[0]) && text[0] != '+' && text[0] != '-') return false;
  const std::string plain = without_underscores(text);
  return parse_whole(plain, node) || parse_float(plain, node);
}

bool resolve_word(std::string_view text, Node& node) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const auto number = [&](double value) {
    node.kind = NodeKind::number;
    node.number = value;
    return true;
  };
  if (one_of(text, null_words)) {
    node.kind = NodeKind::null;
    return true;
  }
  if (one_of(text, true_words) || one_of(text, false_words)) {
    node.kind = NodeKind::boolean;
    node.boolean = one_of(text, true_words);
    return true;
  }
  if (one_of(text, nan_words)) return number(std::numeric_limits<double>::quiet_NaN());
  if (one_of(text, inf_words)) return number(infinity);
  if (one_of(text, minus_inf_words)) return number(-infinity);
  return false;
}

}  // namespace

void resolve_plain_scalar(std::string text, Node& node) {
  if (!resolve_word(text, node) && !parse_number(text, node)) node.kind = NodeKind::text;
  node.text = std::move(text);
}

bool resolve_tagged_scalar(std::string_view tag, std::string text, Node& node) {
  constexpr std::string_view core = "tag:yaml.org,2002:";
  if (tag.substr(0, core.size()) != core) return false;
  tag.remove_prefix(core.size());
  if (tag == "str") {
    node.kind = NodeKind::text;
    node.text = std::move(text);
    return true;
  }
  resolve_plain_scalar(std::move(text), node);
  if (tag == "null") return node.kind == NodeKind::null;
  if (tag == "bool") return node.kind == NodeKind::boolean;
  if (tag == "int") return node.kind == NodeKind::integer;
  if (tag == "float") {
    if (node.kind == NodeKind::integer) node.kind = NodeKind::number;
    return node.kind == NodeKind::number;
  }
  return false;
}

std::string key_text(const Node& key) {
  switch (key.kind) {
    case NodeKind::text:
      return key.text;
    case NodeKind::boolean:
      return key.boolean ? "true" : "false";
    case NodeKind::integer:
      return std::to_string(key.integer);
    case NodeKind::number:
      return std::isfinite(key.number) ? to_json(key) : std::string();
    default:
      return {};
  }
}

}  // namespace jackdaw::spec
