// KvCache: pages of keys and values handed out to sequences, shared among those with a common prefix.
//
// A sequence's PageTable lists its pages in order of position. Whole blocks whose tokens have been computed are
// published to the prefix cache while the sequence runs; its last, unfilled block when it lets go. Published blocks are
// never written again, so sharing needs no copies; the first tokens of a block that agrees in part are copied. Owner:
// the engine thread.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "jackdaw/ops/backend.h"
#include "src/llm/block_hash.h"
#include "src/llm/block_pool.h"
#include "src/llm/prefix_cache.h"

namespace jackdaw::llm {

struct PageTable {
  std::vector<Page> pages;
  std::vector<BlockHash> hashes;  // of whole published (or found) blocks, in order
  BlockHash root;
};

constexpr std::uint32_t pages_for(std::uint64_t tokens) {
  return static_cast<std::uint32_t>((tokens + ops::page_tokens - 1) / ops::page_tokens);
}

class KvCache {
 public:
  // `executable` copies pages; it outlives the cache.
  KvCache(ops::Executable& executable, std::uint32_t pages, bool share_prefixes);

  // Gives an empty table the pages of the longest known prefix of `tokens`, leaving at least one token to compute.
  // Returns how many tokens need not be computed.
  std::uint32_t adopt(PageTable& table, std::span<const std::int32_t> tokens);
  // Pages for `positions` tokens. False (and nothing changed) when there are not enough.
  bool grow(PageTable& table, std::uint32_t positions);
  // Makes the whole blocks among the first `computed` tokens known.
  void publish(PageTable& table, std::span<const std::int32_t> tokens, std::uint32_t computed);
  // Lets go of all pages, the last first, so that a chain's tail is given away before its head.
  void release(PageTable& table, std::span<const std::int32_t> tokens, std::uint32_t computed);
  // A second sequence with the same first `computed` tokens: shares whole blocks, copies the rest. False (and nothing
  // changed) without a page for the copy.
  bool fork(const PageTable& from, PageTable& to, std::uint32_t computed);

  std::uint32_t pages() const { return pool_.size(); }
  std::uint32_t free_pages() const { return pool_.free_count(); }
  double usage() const {
    return pages() == 0 ? 0.0 : static_cast<double>(pages() - free_pages()) / static_cast<double>(pages());
  }

 private:
  Page take();
  void release_page(Page page) { pool_.release(page, share_prefixes_ && cache_.contains(page)); }
  std::uint32_t adopt_partial(PageTable& table, const BlockHash& parent, std::span<const std::int32_t> rest);

  ops::Executable& executable_;
  bool share_prefixes_;
  BlockPool pool_;
  PrefixCache cache_;
};

}  // namespace jackdaw::llm
