// Tables of canonical composition, Unicode 16.0, made by make_unicode_tables.py. All are sorted rows of three numbers.
#pragma once

#include <cstddef>
#include <cstdint>

namespace jackdaw::text {

extern const std::size_t nfc_decomposition_count;
extern const std::uint32_t nfc_decomposition[];  // code point, offset into the pool, length; full decompositions
extern const std::uint32_t nfc_decomposition_pool[];
extern const std::size_t nfc_combining_count;
extern const std::uint32_t nfc_combining[];  // first, last code point, combining class
extern const std::size_t nfc_composition_count;
extern const std::uint32_t nfc_composition[];  // first, second, composed

}  // namespace jackdaw::text
