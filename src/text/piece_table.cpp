#include "piece_table.h"

#include <bit>

namespace jackdaw::text {

void PieceTable::reset(std::size_t count) {
  slots_.assign(std::bit_ceil(2 * count + 1), Slot{});
  mask_ = slots_.size() - 1;
  entries_.clear();
  entries_.reserve(count);
}

bool PieceTable::insert(std::string_view key, TokenId id) {
  const std::uint64_t hash = TextHash::of(key).value;
  std::size_t at = start(hash);
  for (; slots_[at].entry != empty; at = (at + 1) & mask_) {
    if (slots_[at].tag == tag(hash) && entries_[slots_[at].entry].key == key) return false;
  }
  slots_[at] = {tag(hash), static_cast<std::uint32_t>(entries_.size())};
  entries_.push_back({key, id});
  return true;
}

}  // namespace jackdaw::text
