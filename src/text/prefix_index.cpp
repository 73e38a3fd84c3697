#include "prefix_index.h"

#include <algorithm>

namespace jackdaw::text {

void PrefixIndex::build(std::vector<Key> keys) {
  keys_ = std::move(keys);
  std::stable_sort(keys_.begin(), keys_.end(),
                   [](const Key& a, const Key& b) { return a.text != b.text ? a.text < b.text : a.id < b.id; });
  keys_.erase(std::unique(keys_.begin(), keys_.end(), [](const Key& a, const Key& b) { return a.text == b.text; }),
              keys_.end());
  first_ = {};
  for (std::uint32_t i = 0; i < keys_.size(); ++i) {
    auto& range = first_[static_cast<unsigned char>(keys_[i].text[0])];
    if (range.first == range.second) range.first = i;
    range.second = i + 1;
  }
}

void PrefixIndex::narrow(std::uint32_t& low, std::uint32_t& high, std::size_t depth, unsigned char byte) const {
  const auto at = [depth](const Key& key) { return static_cast<unsigned char>(key.text[depth]); };
  const auto begin = keys_.begin() + low;
  const auto end = keys_.begin() + high;
  const auto from = std::lower_bound(begin, end, byte, [&](const Key& key, unsigned char b) { return at(key) < b; });
  const auto to = std::upper_bound(from, end, byte, [&](unsigned char b, const Key& key) { return b < at(key); });
  low = static_cast<std::uint32_t>(from - keys_.begin());
  high = static_cast<std::uint32_t>(to - keys_.begin());
}

}  // namespace jackdaw::text
