// BlockPool: the pages of a KV cache: who uses them, and in which order unused ones are given away.
//
// A page is in use (references > 0) or on the free list. Pages on the free list keep their contents; those that the
// prefix cache still knows are taken last, the least recently released first. No allocation after construction.
// Owner: the engine thread.
#pragma once

#include <cstdint>
#include <vector>

namespace jackdaw::llm {

using Page = std::uint32_t;
inline constexpr Page no_page = ~Page{0};

class BlockPool {
 public:
  explicit BlockPool(std::uint32_t pages);

  std::uint32_t size() const { return static_cast<std::uint32_t>(blocks_.size()) - 1; }
  std::uint32_t free_count() const { return free_count_; }
  std::uint32_t references(Page page) const { return blocks_[page].references; }

  // The page that is next in turn, with one reference; no_page when all are in use. The caller makes the prefix cache
  // forget it.
  Page take();
  // One more user; takes the page off the free list if it is there.
  void reference(Page page);
  // One user less. The last one puts it on the free list: at the end when `keep`, else at the front.
  void release(Page page, bool keep);

 private:
  struct Block {
    std::uint32_t references = 0;
    Page previous = 0;
    Page next = 0;
  };
  void unlink(Page page);
  void link_after(Page where, Page page);

  std::vector<Block> blocks_;  // the last one is the free list's sentinel
  std::uint32_t free_count_ = 0;
};

}  // namespace jackdaw::llm
