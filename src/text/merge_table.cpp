#include "merge_table.h"

#include <bit>
#include <string>

#include "vocabulary.h"

namespace jackdaw::text {

void MergeTable::reset(std::size_t count) {
  slots_.assign(std::bit_ceil(count + count / 2 + 1), Slot{});
  mask_ = slots_.size() - 1;
}

void MergeTable::insert(TokenId left, TokenId right, std::uint32_t rank, TokenId merged) {
  const std::uint64_t key = pair(left, right);
  std::size_t at = start(key);
  while (slots_[at].key != empty) {
    if (slots_[at].key == key) return;
    at = (at + 1) & mask_;
  }
  slots_[at] = {key, rank, merged};
}

namespace {

// Two pieces and the space between them.
constexpr std::size_t merge_bytes_max = 2 * limits::piece_bytes_max + 1;
// Each border costs a look at the whole merge, and a hostile one may be all spaces.
constexpr int borders_max = 64;

Error unknown_pieces(std::size_t rank, std::string_view merge) {
  return make_error(Code::invalid_argument,
                    "Merge {} (\"{}\") is made of pieces that the vocabulary does not have. The tokenizer's merges and "
                    "its vocabulary do not belong together.",
                    rank, merge.substr(0, 100));
}

// Pieces hold no space as a rule, so the first place that gives three known pieces is the border.
bool insert_merge(MergeTable& table, std::string_view merge, std::uint32_t rank, const PieceTable& pieces,
                  std::string (*key_of)(std::string_view)) {
  int borders = 0;
  for (std::size_t space = merge.find(' ', 1); space != merge.npos && borders < borders_max;
       space = merge.find(' ', space + 1), ++borders) {
    const std::string left = key_of(merge.substr(0, space));
    const std::string right = key_of(merge.substr(space + 1));
    const TokenId left_id = pieces.find(left);
    const TokenId right_id = pieces.find(right);
    const TokenId merged = left_id < 0 || right_id < 0 ? -1 : pieces.find(left + right);
    if (merged < 0) continue;
    table.insert(left_id, right_id, rank, merged);
    return true;
  }
  return false;
}

}  // namespace

Result<MergeTable> read_merges(const TokenizerSpec& spec, const std::vector<std::string_view>& keys,
                               const PieceTable& pieces, std::string (*key_of)(std::string_view)) {
  MergeTable table;
  table.reset(spec.merge_ids.empty() ? spec.merges.size() : spec.merge_ids.size());
  std::uint32_t rank = 0;
  for (const std::string& merge : spec.merge_ids.empty() ? spec.merges : std::vector<std::string>{}) {
    if (merge.size() > merge_bytes_max) {
      return make_error(Code::too_large, "Merge {} of the tokenizer is {} bytes long; the limit is {}.", rank,
                        merge.size(), merge_bytes_max);
    }
    if (!insert_merge(table, merge, rank, pieces, key_of)) return unknown_pieces(rank, merge);
    ++rank;
  }
  for (const auto& [left, right] : spec.merge_ids) {
    const auto size = static_cast<TokenId>(keys.size());
    if (left < 0 || right < 0 || left >= size || right >= size) return unknown_pieces(rank, "ids out of range");
    const std::string text =
        std::string(keys[static_cast<std::size_t>(left)]) + std::string(keys[static_cast<std::size_t>(right)]);
    const TokenId merged = pieces.find(text);
    if (merged < 0) return unknown_pieces(rank, text);
    table.insert(left, right, rank++, merged);
  }
  return table;
}

}  // namespace jackdaw::text
