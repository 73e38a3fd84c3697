// BlockHash: 128-bit name of a block of 16 tokens and of all tokens before it.
//
// hash_i = SipHash-1-3 with 128 bits of output, keyed with `block_hash_key`, of (hash_{i-1}, the block's tokens as
// 32-bit little-endian words); hash_{-1}, the root, is that of the model's identity and the request's cache_salt. The
// key is a constant, so that all processes agree on names. SipHash: Aumasson and Bernstein, 2012; about 2 ns per token.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace jackdaw::llm {

struct BlockHash {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  friend bool operator==(const BlockHash&, const BlockHash&) = default;
};

// The bytes "jackdaw KvCache." as two little-endian words.
inline constexpr std::array<std::uint64_t, 2> block_hash_key{0x207761646b63616aull, 0x2e6568636143764bull};

// SipHash-c-d with 128 bits of output, for the tests' published vectors.
BlockHash sip_hash_128(std::span<const std::byte> bytes, std::array<std::uint64_t, 2> key, int block_rounds,
                       int final_rounds);

BlockHash root_hash(std::string_view model_identity, std::string_view cache_salt);
BlockHash chain_hash(const BlockHash& parent, std::span<const std::int32_t> tokens);

}  // namespace jackdaw::llm
