// PrefixCache: which page holds which block of tokens, found by the chained hash of the block and all before it.
//
// Whole blocks are found by their own hash. Blocks that differ from what is asked for, and blocks that were never
// filled, are found by their parent's hash, so that their first tokens can be copied. Every answer is checked token by
// token: a hash is never trusted with the contents. Owner: the engine thread. No allocation after construction.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "jackdaw/ops/backend.h"
#include "src/llm/block_hash.h"
#include "src/llm/block_pool.h"

namespace jackdaw::llm {

class PrefixCache {
 public:
  explicit PrefixCache(std::uint32_t pages);

  // Makes a page known that holds `tokens` (at most 16) after the block chain named `parent`. `hash` is the chain's
  // name with it, for whole blocks. False when the cache holds that already and has no use for a second one.
  bool insert(Page page, const BlockHash& parent, const BlockHash& hash, std::span<const std::int32_t> tokens);
  bool contains(Page page) const { return entries_[page].count > 0; }
  void forget(Page page);

  // The page with exactly this whole block; no_page when there is none.
  Page find(const BlockHash& parent, const BlockHash& hash, std::span<const std::int32_t> tokens) const;

  struct Partial {
    Page page = no_page;
    std::uint32_t tokens = 0;  // how many of the first ones agree
  };
  // The block after `parent` that agrees with the most of `tokens`.
  Partial find_partial(const BlockHash& parent, std::span<const std::int32_t> tokens) const;

 private:
  // Chains of pages by hash: one table for whole blocks by their own hash, one for all by their parent's.
  struct Link {
    Page previous = no_page;
    Page next = no_page;
  };
  struct Entry {
    BlockHash parent;
    BlockHash hash;
    std::array<std::int32_t, ops::page_tokens> tokens{};
    std::uint32_t count = 0;  // 0 = not known
    Link by_hash;
    Link by_parent;
  };
  using Table = std::vector<Page>;

  std::size_t bucket(const BlockHash& hash) const { return hash.low & (whole_.size() - 1); }
  void link(Table& table, Link Entry::*member, const BlockHash& key, Page page);
  void unlink(Table& table, Link Entry::*member, const BlockHash& key, Page page);

  std::vector<Entry> entries_;  // by page
  Table whole_;                 // first page of each bucket
  Table children_;
};

}  // namespace jackdaw::llm
