#include "src/llm/block_pool.h"

#include "jackdaw/base/result.h"

namespace jackdaw::llm {

BlockPool::BlockPool(std::uint32_t pages) : blocks_(std::size_t{pages} + 1) {
  const Page sentinel = pages;
  blocks_[sentinel].previous = sentinel;
  blocks_[sentinel].next = sentinel;
  for (Page page = 0; page < pages; ++page) link_after(blocks_[sentinel].previous, page);
}

void BlockPool::link_after(Page where, Page page) {
  const Page next = blocks_[where].next;
  blocks_[page].previous = where;
  blocks_[page].next = next;
  blocks_[where].next = page;
  blocks_[next].previous = page;
  ++free_count_;
}

void BlockPool::unlink(Page page) {
  const Block& block = blocks_[page];
  blocks_[block.previous].next = block.next;
  blocks_[block.next].previous = block.previous;
  --free_count_;
}

Page BlockPool::take() {
  if (free_count_ == 0) return no_page;
  const Page page = blocks_[size()].next;
  unlink(page);
  blocks_[page].references = 1;
  return page;
}

void BlockPool::reference(Page page) {
  if (blocks_[page].references++ == 0) unlink(page);
}

void BlockPool::release(Page page, bool keep) {
  CHECK(blocks_[page].references > 0);
  if (--blocks_[page].references > 0) return;
  link_after(keep ? blocks_[size()].previous : size(), page);
}

}  // namespace jackdaw::llm
