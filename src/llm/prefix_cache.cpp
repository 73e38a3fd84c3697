#include "src/llm/prefix_cache.h"

#include <algorithm>
#include <bit>

#include "jackdaw/base/result.h"

namespace jackdaw::llm {

namespace {
// How many blocks after one parent are looked at: a bound on the time, newest first.
constexpr int siblings_max = 32;
}  // namespace

PrefixCache::PrefixCache(std::uint32_t pages)
    : entries_(pages),
      whole_(std::bit_ceil(std::size_t{pages} * 2 + 1), no_page),
      children_(std::bit_ceil(std::size_t{pages} * 2 + 1), no_page) {}

void PrefixCache::link(Table& table, Link Entry::*member, const BlockHash& key, Page page) {
  Page& head = table[bucket(key)];
  entries_[page].*member = Link{no_page, head};
  if (head != no_page) (entries_[head].*member).previous = page;
  head = page;
}

void PrefixCache::unlink(Table& table, Link Entry::*member, const BlockHash& key, Page page) {
  const Link link = entries_[page].*member;
  if (link.previous != no_page) {
    (entries_[link.previous].*member).next = link.next;
  } else {
    table[bucket(key)] = link.next;
  }
  if (link.next != no_page) (entries_[link.next].*member).previous = link.previous;
}

bool PrefixCache::insert(Page page, const BlockHash& parent, const BlockHash& hash,
                         std::span<const std::int32_t> tokens) {
  CHECK(!tokens.empty() && tokens.size() <= ops::page_tokens && !contains(page));
  const bool whole = tokens.size() == ops::page_tokens;
  if (whole ? find(parent, hash, tokens) != no_page : find_partial(parent, tokens).tokens == tokens.size()) {
    return false;
  }
  Entry& entry = entries_[page];
  entry.parent = parent;
  entry.hash = hash;
  entry.count = static_cast<std::uint32_t>(tokens.size());
  std::copy(tokens.begin(), tokens.end(), entry.tokens.begin());
  if (whole) link(whole_, &Entry::by_hash, hash, page);
  link(children_, &Entry::by_parent, parent, page);
  return true;
}

void PrefixCache::forget(Page page) {
  Entry& entry = entries_[page];
  if (entry.count == 0) return;
  if (entry.count == ops::page_tokens) unlink(whole_, &Entry::by_hash, entry.hash, page);
  unlink(children_, &Entry::by_parent, entry.parent, page);
  entry.count = 0;
}

Page PrefixCache::find(const BlockHash& parent, const BlockHash& hash, std::span<const std::int32_t> tokens) const {
  for (Page page = whole_[bucket(hash)]; page != no_page; page = entries_[page].by_hash.next) {
    const Entry& entry = entries_[page];
    if (entry.hash == hash && entry.parent == parent &&
        std::equal(tokens.begin(), tokens.end(), entry.tokens.begin())) {
      return page;
    }
  }
  return no_page;
}

PrefixCache::Partial PrefixCache::find_partial(const BlockHash& parent, std::span<const std::int32_t> tokens) const {
  Partial best;
  int looked_at = 0;
  for (Page page = children_[bucket(parent)]; page != no_page && looked_at < siblings_max;
       page = entries_[page].by_parent.next) {
    const Entry& entry = entries_[page];
    ++looked_at;
    if (!(entry.parent == parent)) continue;
    const std::size_t comparable = std::min<std::size_t>(tokens.size(), entry.count);
    std::size_t same = 0;
    while (same < comparable && tokens[same] == entry.tokens[same]) ++same;
    if (same > best.tokens) best = {page, static_cast<std::uint32_t>(same)};
  }
  return best;
}

}  // namespace jackdaw::llm
