// SHA-256 (FIPS 180-4) of bytes in memory, for secrets that are kept as hashes. Small inputs; nothing here is tuned.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace jackdaw {

using Sha256 = std::array<std::uint8_t, 32>;

Sha256 sha256(std::string_view bytes);

// True when both are the same; takes the same time wherever they differ.
bool equal_in_constant_time(const Sha256& a, const Sha256& b);

// 64 hexadecimal digits of either case; nullopt for anything else.
std::optional<Sha256> sha256_from_hex(std::string_view hex);

}  // namespace jackdaw
