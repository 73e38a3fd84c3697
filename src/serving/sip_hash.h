// SipHash-1-3 (Aumasson, Bernstein 2012): a keyed hash for tables whose keys strangers choose.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace jackdaw::serving {

std::uint64_t sip_hash_1_3(const std::array<std::uint64_t, 2>& key, std::string_view bytes);

}  // namespace jackdaw::serving
