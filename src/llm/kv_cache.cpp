#include "src/llm/kv_cache.h"

#include <algorithm>

#include "jackdaw/base/result.h"

namespace jackdaw::llm {

using ops::page_tokens;

KvCache::KvCache(ops::Executable& executable, std::uint32_t pages, bool share_prefixes)
    : executable_(executable), share_prefixes_(share_prefixes), pool_(pages), cache_(share_prefixes ? pages : 0) {}

Page KvCache::take() {
  const Page page = pool_.take();
  if (page != no_page && share_prefixes_) cache_.forget(page);
  return page;
}

std::uint32_t KvCache::adopt(PageTable& table, std::span<const std::int32_t> tokens) {
  CHECK(table.pages.empty() && table.hashes.empty() && !tokens.empty());
  if (!share_prefixes_) return 0;
  const std::span<const std::int32_t> usable = tokens.first(tokens.size() - 1);
  BlockHash parent = table.root;
  std::uint32_t found = 0;
  while (found + page_tokens <= usable.size()) {
    const auto block = usable.subspan(found, page_tokens);
    const BlockHash hash = chain_hash(parent, block);
    const Page page = cache_.find(parent, hash, block);
    if (page == no_page) break;
    pool_.reference(page);
    table.pages.push_back(page);
    table.hashes.push_back(hash);
    parent = hash;
    found += page_tokens;
  }
  return found + adopt_partial(table, parent, usable.subspan(found));
}

std::uint32_t KvCache::adopt_partial(PageTable& table, const BlockHash& parent, std::span<const std::int32_t> rest) {
  if (rest.empty()) return 0;
  const PrefixCache::Partial partial =
      cache_.find_partial(parent, rest.first(std::min<std::size_t>(rest.size(), page_tokens)));
  if (partial.page == no_page) return 0;
  pool_.reference(partial.page);  // so that it is not the page we are given
  const Page copy = take();
  if (copy != no_page) {
    executable_.copy_page(partial.page, copy, partial.tokens);
    table.pages.push_back(copy);
  }
  release_page(partial.page);
  return copy == no_page ? 0 : partial.tokens;
}

bool KvCache::grow(PageTable& table, std::uint32_t positions) {
  const std::size_t wanted = pages_for(positions);
  if (wanted <= table.pages.size()) return true;
  if (wanted - table.pages.size() > pool_.free_count()) return false;
  while (table.pages.size() < wanted) table.pages.push_back(take());
  return true;
}

void KvCache::publish(PageTable& table, std::span<const std::int32_t> tokens, std::uint32_t computed) {
  if (!share_prefixes_) return;
  while ((table.hashes.size() + 1) * page_tokens <= computed) {
    const std::size_t i = table.hashes.size();
    const auto block = tokens.subspan(i * page_tokens, page_tokens);
    const BlockHash parent = i == 0 ? table.root : table.hashes.back();
    const BlockHash hash = chain_hash(parent, block);
    if (!cache_.contains(table.pages[i])) cache_.insert(table.pages[i], parent, hash, block);
    table.hashes.push_back(hash);
  }
}

void KvCache::release(PageTable& table, std::span<const std::int32_t> tokens, std::uint32_t computed) {
  publish(table, tokens, computed);
  const std::uint32_t rest = computed % page_tokens;
  const std::size_t last = computed / page_tokens;
  if (share_prefixes_ && rest > 0 && last < table.pages.size() && last == table.hashes.size()) {
    const BlockHash parent = last == 0 ? table.root : table.hashes.back();
    cache_.insert(table.pages[last], parent, {}, tokens.subspan(last * page_tokens, rest));
  }
  for (std::size_t i = table.pages.size(); i-- > 0;) release_page(table.pages[i]);
  table.pages.clear();
  table.hashes.clear();
}

bool KvCache::fork(const PageTable& from, PageTable& to, std::uint32_t computed) {
  CHECK(to.pages.empty() && to.hashes.empty());
  const std::size_t whole = computed / page_tokens;
  const std::uint32_t rest = computed % page_tokens;
  if (rest > 0 && pool_.free_count() == 0) return false;
  to.root = from.root;
  for (std::size_t i = 0; i < whole; ++i) {
    pool_.reference(from.pages[i]);
    to.pages.push_back(from.pages[i]);
  }
  to.hashes.assign(from.hashes.begin(),
                   from.hashes.begin() + static_cast<std::ptrdiff_t>(std::min(whole, from.hashes.size())));
  if (rest > 0) {
    const Page copy = take();
    executable_.copy_page(from.pages[whole], copy, rest);
    to.pages.push_back(copy);
  }
  return true;
}

}  // namespace jackdaw::llm
