// Philox4x32-10, the counter-based generator of Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as
// 1, 2, 3" (SC 2011): ten rounds of two 32x32 multiplications turn a counter and a key into four random words.
#pragma once

#include <array>
#include <cstdint>

namespace jackdaw::ops {

using PhiloxCounter = std::array<std::uint32_t, 4>;
using PhiloxKey = std::array<std::uint32_t, 2>;

constexpr PhiloxCounter philox_round(PhiloxCounter x, PhiloxKey key) {
  const std::uint64_t product0 = std::uint64_t{0xD2511F53u} * x[0];
  const std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * x[2];
  return {static_cast<std::uint32_t>(product1 >> 32) ^ x[1] ^ key[0], static_cast<std::uint32_t>(product1),
          static_cast<std::uint32_t>(product0 >> 32) ^ x[3] ^ key[1], static_cast<std::uint32_t>(product0)};
}

constexpr PhiloxCounter philox4x32_10(PhiloxCounter counter, PhiloxKey key) {
  for (int round = 0; round < 10; ++round) {
    counter = philox_round(counter, key);
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return counter;
}

// The words for one draw: key = seed, counter = (position, stream).
constexpr PhiloxCounter philox_at(std::uint64_t seed, std::uint64_t position, std::uint32_t stream) {
  return philox4x32_10({static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(position >> 32), stream, 0u},
                       {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
}

}  // namespace jackdaw::ops
