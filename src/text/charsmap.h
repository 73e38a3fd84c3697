// Charsmap: SentencePiece's precompiled normalizer: a map from byte strings to byte strings, applied longest match
// first.
//
// Layout (sentencepiece's src/normalizer.cc): u32 little-endian, the size in bytes of a darts-clone double array; the
// array, u32 units; then the replacements, each ended by NUL, which the array's values are offsets into. A unit
// (darts-clone's darts.h): bits 0-7 label, bit 8 "has a leaf", bits 10-30 offset (shifted left by 8 when bit 9 is set),
// bit 31 leaf, whose other bits are the value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/result.h"

namespace jackdaw::text {

class Charsmap {
 public:
  static Result<Charsmap> read(std::string blob);
  // Bytes that are no UTF-8 stay, so that byte fallback can carry them.
  std::string apply(std::string_view text) const;

 private:
  // The longest key that `text` begins with: its length, 0 when none, and the offset of its replacement.
  std::size_t longest(std::string_view text, std::size_t& replacement) const;

  std::vector<std::uint32_t> units_;
  std::string replacements_;  // ends with NUL
};

}  // namespace jackdaw::text
