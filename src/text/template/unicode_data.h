// Tables behind unicode.h; unicode_data.cpp is made by make_unicode_data.py.
#pragma once

#include <cstddef>
#include <cstdint>

namespace jackdaw::text::jinja {

struct Range {
  std::uint32_t first, last;
};
struct CaseRun {
  std::uint32_t first, last, stride;
  std::int32_t delta;
};
struct CaseSpecial {
  std::uint32_t code_point;
  const char* text;  // UTF-8
};

#define JACKDAW_RANGES(name)     \
  extern const Range k_##name[]; \
  extern const std::size_t k_##name##_count;
#define JACKDAW_CASES(name)                      \
  extern const CaseRun k_##name[];               \
  extern const std::size_t k_##name##_count;     \
  extern const CaseSpecial k_##name##_special[]; \
  extern const std::size_t k_##name##_special_count;

JACKDAW_RANGES(printable)
JACKDAW_RANGES(alpha)
JACKDAW_RANGES(decimal)
JACKDAW_RANGES(digit)
JACKDAW_RANGES(numeric)
JACKDAW_RANGES(upper)
JACKDAW_RANGES(lower)
JACKDAW_RANGES(title)
JACKDAW_RANGES(cased)
JACKDAW_RANGES(ignorable)
JACKDAW_RANGES(identifier_start)
JACKDAW_RANGES(identifier_part)
JACKDAW_CASES(to_upper)
JACKDAW_CASES(to_lower)
JACKDAW_CASES(to_title)

#undef JACKDAW_RANGES
#undef JACKDAW_CASES

}  // namespace jackdaw::text::jinja
