// Merger: the loop of byte-pair encoding. Neighbours merge, the pair of the lowest priority first and of those the
// leftmost, until no pair can.
//
// `Pairs` says what merges: using Symbol; bool find(const Symbol& left, const Symbol& right, std::uint32_t& priority,
// Symbol& merged) const. Short words take a scan; long ones a heap and a linked list, n log n whatever the text.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <vector>

namespace jackdaw::text {

template <typename Pairs>
class Merger {
 public:
  using Symbol = typename Pairs::Symbol;

  // Fill symbols(), merge, read symbols(). At most 2^32 - 2 of them.
  std::vector<Symbol>& symbols() { return symbols_; }
  void merge(const Pairs& pairs) {
    if (symbols_.size() < 2) return;
    if (symbols_.size() <= scan_max) {
      merge_by_scan(pairs);
    } else {
      merge_by_heap(pairs);
    }
  }

 private:
  static constexpr std::size_t scan_max = 40;
  static constexpr std::uint32_t none = 0xFFFFFFFFu;  // no pair; also: no neighbour

  struct Node {
    Symbol symbol;
    Symbol merged;           // of this node and the next
    std::uint32_t priority;  // of that pair; `none` when it does not merge or this node is gone
    std::uint32_t previous;
    std::uint32_t next;
  };

  void merge_by_scan(const Pairs& pairs) {
    std::size_t count = symbols_.size();
    priorities_.resize(count);
    merged_.resize(count);
    const auto look = [&](std::size_t i) {
      if (i + 1 >= count || !pairs.find(symbols_[i], symbols_[i + 1], priorities_[i], merged_[i]))
        priorities_[i] = none;
    };
    for (std::size_t i = 0; i < count; ++i) look(i);
    while (count > 1) {
      const auto first = priorities_.begin();
      const auto best = std::min_element(first, first + static_cast<std::ptrdiff_t>(count - 1));
      if (*best == none) break;
      const auto i = static_cast<std::size_t>(best - first);
      symbols_[i] = merged_[i];
      for (std::size_t j = i + 1; j + 1 < count; ++j) {
        symbols_[j] = symbols_[j + 1];
        priorities_[j] = priorities_[j + 1];
        merged_[j] = merged_[j + 1];
      }
      --count;
      if (i > 0) look(i - 1);
      look(i);
    }
    symbols_.resize(count);
  }

  // An entry of the heap is priority << 32 | position: the smallest is the next to merge. It is stale when the node's
  // priority has changed since.
  void merge_by_heap(const Pairs& pairs) {
    const auto count = static_cast<std::uint32_t>(symbols_.size());
    nodes_.resize(count);
    heap_.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
      nodes_[i] = {symbols_[i], symbols_[i], none, i == 0 ? none : i - 1, i + 1 == count ? none : i + 1};
    }
    for (std::uint32_t i = 0; i + 1 < count; ++i) look_at(pairs, i, false);
    std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
      const std::uint64_t entry = heap_.back();
      heap_.pop_back();
      const auto at = static_cast<std::uint32_t>(entry);
      if (nodes_[at].priority == static_cast<std::uint32_t>(entry >> 32)) join(pairs, at);
    }
    symbols_.clear();
    for (std::uint32_t i = 0; i != none; i = nodes_[i].next) symbols_.push_back(nodes_[i].symbol);
  }

  void join(const Pairs& pairs, std::uint32_t at) {
    Node& left = nodes_[at];
    Node& right = nodes_[left.next];
    left.symbol = left.merged;
    left.next = right.next;
    right.priority = none;
    if (left.next != none) nodes_[left.next].previous = at;
    look_at(pairs, at, true);
    if (left.previous != none) look_at(pairs, left.previous, true);
  }

  void look_at(const Pairs& pairs, std::uint32_t at, bool keep_order) {
    Node& node = nodes_[at];
    if (node.next == none || !pairs.find(node.symbol, nodes_[node.next].symbol, node.priority, node.merged)) {
      node.priority = none;
      return;
    }
    heap_.push_back(std::uint64_t{node.priority} << 32 | at);
    if (keep_order) std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }

  std::vector<Symbol> symbols_;
  std::vector<std::uint32_t> priorities_;
  std::vector<Symbol> merged_;
  std::vector<Node> nodes_;
  std::vector<std::uint64_t> heap_;
};

}  // namespace jackdaw::text
