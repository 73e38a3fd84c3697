// MergeTable: (left id, right id) -> rank and merged id, the ranked merges of a BPE vocabulary.
#pragma once

#include <cstdint>
#include <vector>

#include "jackdaw/base/result.h"
#include "piece_table.h"

namespace jackdaw::text {

class MergeTable {
 public:
  void reset(std::size_t count);
  // The first of equal pairs stays.
  void insert(TokenId left, TokenId right, std::uint32_t rank, TokenId merged);

  using Symbol = TokenId;
  bool find(TokenId left, TokenId right, std::uint32_t& rank, TokenId& merged) const {
    const std::uint64_t key = pair(left, right);
    for (std::size_t at = start(key);; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.key == key) {
        rank = slot.rank;
        merged = slot.merged;
        return true;
      }
      if (slot.key == empty) return false;
    }
  }

 private:
  static constexpr std::uint64_t empty = ~std::uint64_t{0};  // no pair of ids, which are not negative
  struct Slot {
    std::uint64_t key = empty;
    std::uint32_t rank = 0;
    TokenId merged = -1;
  };
  static std::uint64_t pair(TokenId left, TokenId right) {
    return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
  }
  std::size_t start(std::uint64_t key) const { return (key * 0x9E3779B97F4A7C15u) >> 32 & mask_; }

  std::vector<Slot> slots_{1};
  std::size_t mask_ = 0;
};

// Reads the merges of `spec`: `piece_of` is what a half of a merge is called in `pieces` (GPT-2's alphabet undone, or
// the text as it is). A merge of pieces that the vocabulary does not have is invalid_argument.
Result<MergeTable> read_merges(const TokenizerSpec& spec, const std::vector<std::string_view>& keys,
                               const PieceTable& pieces, std::string (*key_of)(std::string_view));

}  // namespace jackdaw::text
