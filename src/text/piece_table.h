// PieceTable: exact text -> token id, with a hash that can be joined: the hash of "ab" comes from those of "a" and "b"
// without reading them again, which is what merging by text needs.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "jackdaw/text/tokenizer.h"

namespace jackdaw::text {

// A polynomial in an odd base, modulo 2^64.
struct TextHash {
  std::uint64_t value = 0;
  std::uint64_t power = 1;  // base to the length

  static constexpr std::uint64_t base = 0x9E3779B97F4A7C15u;
  static TextHash of(std::string_view text) {
    TextHash hash;
    for (const char c : text) {
      hash.value = hash.value * base + static_cast<unsigned char>(c) + 1;
      hash.power *= base;
    }
    return hash;
  }
  friend TextHash operator+(const TextHash& a, const TextHash& b) {
    return {a.value * b.power + b.value, a.power * b.power};
  }
};

class PieceTable {
 public:
  // Keys are views; what they see must outlive the table. `count` bounds how many will be inserted.
  void reset(std::size_t count);
  // The first of equal keys stays; false for the others.
  bool insert(std::string_view key, TokenId id);
  TokenId find(std::string_view key) const { return find(TextHash::of(key).value, key); }
  TokenId find(std::uint64_t hash, std::string_view key) const {
    for (std::size_t at = start(hash);; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.entry == empty) return -1;
      if (slot.tag == tag(hash) && entries_[slot.entry].key == key) return entries_[slot.entry].id;
    }
  }

 private:
  static constexpr std::uint32_t empty = 0xFFFFFFFFu;
  struct Slot {
    std::uint32_t tag = 0;
    std::uint32_t entry = empty;
  };
  struct Entry {
    std::string_view key;
    TokenId id;
  };
  static std::uint64_t mixed(std::uint64_t hash) { return (hash ^ hash >> 31) * 0xD6E8FEB86659FD93u; }
  static std::uint32_t tag(std::uint64_t hash) { return static_cast<std::uint32_t>(hash); }
  std::size_t start(std::uint64_t hash) const { return mixed(hash) >> 32 & mask_; }

  std::vector<Slot> slots_{1};
  std::vector<Entry> entries_;
  std::size_t mask_ = 0;
};

}  // namespace jackdaw::text
