#include "src/llm/block_hash.h"

#include <bit>
#include <cstring>
#include <string>

namespace jackdaw::llm {

namespace {

class Sip {
 public:
  Sip(std::array<std::uint64_t, 2> key, int block_rounds)
      : v0_(key[0] ^ 0x736f6d6570736575ull),
        v1_(key[1] ^ 0x646f72616e646f6dull ^ 0xee),
        v2_(key[0] ^ 0x6c7967656e657261ull),
        v3_(key[1] ^ 0x7465646279746573ull),
        block_rounds_(block_rounds) {}

  void word(std::uint64_t m) {
    v3_ ^= m;
    rounds(block_rounds_);
    v0_ ^= m;
  }

  BlockHash finish(int final_rounds) {
    BlockHash hash;
    v2_ ^= 0xee;
    rounds(final_rounds);
    hash.low = v0_ ^ v1_ ^ v2_ ^ v3_;
    v1_ ^= 0xdd;
    rounds(final_rounds);
    hash.high = v0_ ^ v1_ ^ v2_ ^ v3_;
    return hash;
  }

 private:
  void rounds(int count) {
    for (int i = 0; i < count; ++i) {
      v0_ += v1_;
      v1_ = std::rotl(v1_, 13) ^ v0_;
      v0_ = std::rotl(v0_, 32);
      v2_ += v3_;
      v3_ = std::rotl(v3_, 16) ^ v2_;
      v0_ += v3_;
      v3_ = std::rotl(v3_, 21) ^ v0_;
      v2_ += v1_;
      v1_ = std::rotl(v1_, 17) ^ v2_;
      v2_ = std::rotl(v2_, 32);
    }
  }

  std::uint64_t v0_, v1_, v2_, v3_;
  int block_rounds_;
};

constexpr int chain_block_rounds = 1;
constexpr int chain_final_rounds = 3;

// The last word holds the bytes left over and, on top, the length modulo 256.
std::uint64_t last_word(std::span<const std::byte> rest, std::size_t length) {
  std::uint64_t word = static_cast<std::uint64_t>(length) << 56;
  for (std::size_t i = 0; i < rest.size(); ++i) word |= std::to_integer<std::uint64_t>(rest[i]) << (8 * i);
  return word;
}

}  // namespace

BlockHash sip_hash_128(std::span<const std::byte> bytes, std::array<std::uint64_t, 2> key, int block_rounds,
                       int final_rounds) {
  Sip sip(key, block_rounds);
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    sip.word(word);
  }
  sip.word(last_word(bytes.subspan(at), bytes.size()));
  return sip.finish(final_rounds);
}

BlockHash root_hash(std::string_view model_identity, std::string_view cache_salt) {
  std::string text;
  text.reserve(model_identity.size() + cache_salt.size() + 1);
  text.append(model_identity);
  text.push_back('\0');
  text.append(cache_salt);
  return sip_hash_128(std::as_bytes(std::span(text)), block_hash_key, chain_block_rounds, chain_final_rounds);
}

BlockHash chain_hash(const BlockHash& parent, std::span<const std::int32_t> tokens) {
  Sip sip(block_hash_key, chain_block_rounds);
  sip.word(parent.low);
  sip.word(parent.high);
  std::size_t at = 0;
  for (; at + 2 <= tokens.size(); at += 2) {
    sip.word(static_cast<std::uint32_t>(tokens[at]) |
             static_cast<std::uint64_t>(static_cast<std::uint32_t>(tokens[at + 1])) << 32);
  }
  const std::uint64_t length = 16 + 4 * tokens.size();
  std::uint64_t rest = length << 56;
  if (at < tokens.size()) rest |= static_cast<std::uint32_t>(tokens[at]);
  sip.word(rest);
  return sip.finish(chain_final_rounds);
}

}  // namespace jackdaw::llm
