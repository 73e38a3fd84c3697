// PrefixIndex: which of many keys does the text go on with here? Sorted keys, narrowed byte by byte: four words a key,
// no trie in memory.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "jackdaw/text/tokenizer.h"

namespace jackdaw::text {

class PrefixIndex {
 public:
  struct Key {
    std::string_view text;  // not empty; what it sees must outlive the index
    TokenId id;
  };
  // Of equal keys the one with the lowest id stays.
  void build(std::vector<Key> keys);

  bool empty() const { return keys_.empty(); }
  bool may_start(char first) const {
    const auto& range = first_[static_cast<unsigned char>(first)];
    return range.first != range.second;
  }
  // found(length, id) for every key that `text` begins with, shortest first.
  template <typename Found>
  void each_prefix(std::string_view text, Found&& found) const;
  // The longest key that `text` begins with; {0, -1} when there is none.
  std::pair<std::size_t, TokenId> longest(std::string_view text) const {
    std::pair<std::size_t, TokenId> best{0, -1};
    each_prefix(text, [&best](std::size_t length, TokenId id) { best = {length, id}; });
    return best;
  }

 private:
  // Of keys [low, high), which agree before `depth`, those that have `byte` there.
  void narrow(std::uint32_t& low, std::uint32_t& high, std::size_t depth, unsigned char byte) const;

  std::vector<Key> keys_;
  std::array<std::pair<std::uint32_t, std::uint32_t>, 256> first_{};
};

template <typename Found>
void PrefixIndex::each_prefix(std::string_view text, Found&& found) const {
  if (text.empty()) return;
  auto [low, high] = first_[static_cast<unsigned char>(text[0])];
  for (std::size_t depth = 1; low < high; ++depth) {
    if (high - low == 1) {
      const Key& key = keys_[low];
      if (text.substr(depth).starts_with(key.text.substr(depth))) found(key.text.size(), key.id);
      return;
    }
    if (keys_[low].text.size() == depth) {
      found(depth, keys_[low].id);
      ++low;
    }
    if (depth == text.size()) return;
    narrow(low, high, depth, static_cast<unsigned char>(text[depth]));
  }
}

}  // namespace jackdaw::text
