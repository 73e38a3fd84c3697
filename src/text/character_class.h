// CharacterClass: what a code point is to the pre-tokenizers' regular expressions. Unicode 16.0, as two-stage tables
// made by make_unicode_tables.py.
#pragma once

#include <cstdint>

namespace jackdaw::text {

enum class CharacterClass : std::uint8_t {
  other,         // controls, format characters, private use, unassigned, no character at all
  space,         // White_Space: \s (line ends included)
  upper,         // Lu
  lower,         // Ll
  title,         // Lt
  modifier,      // Lm
  other_letter,  // Lo
  mark,          // M
  number,        // N
  punctuation,   // P
  symbol,        // S
};

// A set of classes, one bit each.
using ClassMask = std::uint16_t;
constexpr ClassMask mask_of(CharacterClass c) {
  return static_cast<ClassMask>(1u << static_cast<unsigned>(c));
}
constexpr ClassMask operator|(CharacterClass a, CharacterClass b) {
  return static_cast<ClassMask>(mask_of(a) | mask_of(b));
}

namespace classes {
inline constexpr ClassMask space = mask_of(CharacterClass::space);
inline constexpr ClassMask mark = mask_of(CharacterClass::mark);
inline constexpr ClassMask number = mask_of(CharacterClass::number);
inline constexpr ClassMask punctuation = mask_of(CharacterClass::punctuation);
inline constexpr ClassMask symbol = mask_of(CharacterClass::symbol);
inline constexpr ClassMask letter = (CharacterClass::upper | CharacterClass::lower) |
                                    (CharacterClass::title | CharacterClass::modifier) |
                                    mask_of(CharacterClass::other_letter);
// [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}] and [\p{Ll}\p{Lm}\p{Lo}\p{M}]: the two halves of o200k's words.
inline constexpr ClassMask caseless = (CharacterClass::modifier | CharacterClass::other_letter) | mark;
inline constexpr ClassMask upper_like = (CharacterClass::upper | CharacterClass::title) | caseless;
inline constexpr ClassMask lower_like = mask_of(CharacterClass::lower) | caseless;
}  // namespace classes

extern const std::uint16_t character_block[0x110000 / 128];
extern const std::uint8_t character_entry[];

inline std::uint8_t character_bits(char32_t code) {
  return code < 0x110000 ? character_entry[character_block[code >> 7] * 128u + (code & 127u)] : std::uint8_t{0};
}
inline ClassMask class_mask(char32_t code) {
  return static_cast<ClassMask>(1u << (character_bits(code) & 15u));
}
// The character may change or combine under NFC: it has NFC_Quick_Check other than Yes, or a combining class.
inline bool needs_care_in_nfc(char32_t code) {
  return (character_bits(code) & 0x80u) != 0;
}

}  // namespace jackdaw::text
