#include "src/serving/sip_hash.h"

#include <bit>
#include <cstddef>
#include <cstring>

namespace jackdaw::serving {
namespace {

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
  void take(std::uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

// Up to eight bytes, the first one lowest.
std::uint64_t word_at(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data() + at, count);
  return word;
}

}  // namespace

std::uint64_t sip_hash_1_3(const std::array<std::uint64_t, 2>& key, std::string_view bytes) {
  State state{key[0] ^ 0x736f6d6570736575u, key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
              key[1] ^ 0x7465646279746573u};
  const std::size_t whole = bytes.size() & ~std::size_t{7};
  for (std::size_t at = 0; at < whole; at += 8) state.take(word_at(bytes, at, 8));
  const std::uint64_t rest = whole < bytes.size() ? word_at(bytes, whole, bytes.size() - whole) : 0;
  state.take(rest | static_cast<std::uint64_t>(bytes.size()) << 56);
  state.v2 ^= 0xff;
  for (int i = 0; i < 3; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

}  // namespace jackdaw::serving
