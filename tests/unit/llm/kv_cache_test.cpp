// Pages, prefixes and their hashes, against a model that remembers everything in plain maps.
#include "src/llm/kv_cache.h"

#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <random>
#include <set>

#include "src/llm/block_hash.h"

namespace jackdaw::llm {
namespace {

// Remembers what each page holds, so that a copy can be checked.
class PageBook final : public ops::Executable {
 public:
  explicit PageBook(std::uint32_t pages) : contents(pages) {}
  Result<void> step(const ops::Batch&, std::span<ops::Sampled>) override { return {}; }
  void copy_page(std::uint32_t from, std::uint32_t to, std::uint32_t tokens) override {
    contents[to].assign(contents[from].begin(), contents[from].begin() + tokens);
  }
  std::vector<float> logits(std::uint32_t) const override { return {}; }
  ops::MemoryUse memory() const override { return {}; }
  std::vector<std::vector<std::int32_t>> contents;
};

struct Holder {
  PageTable table;
  std::vector<std::int32_t> tokens;
  std::uint32_t computed = 0;
};

void write(PageBook& book, const Holder& holder, std::uint32_t begin, std::uint32_t end) {
  for (std::uint32_t p = begin; p < end; ++p) {
    auto& page = book.contents[holder.table.pages[p / 16]];
    page.resize(p % 16);
    page.push_back(holder.tokens[p]);
  }
}

void check_contents(const PageBook& book, const Holder& holder) {
  for (std::uint32_t p = 0; p < holder.computed; ++p) {
    const auto& page = book.contents[holder.table.pages.at(p / 16)];
    REQUIRE(p % 16 < page.size());
    REQUIRE(page[p % 16] == holder.tokens[p]);
  }
}

TEST_CASE("SipHashGivesThePublishedVectors") {
  // vectors_128 of the reference implementation (SipHash-2-4, 128 bits): key 00..0f, input 00, 01, ... of length i.
  const std::array<std::uint64_t, 2> key{0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};
  std::vector<std::byte> in;
  CHECK(sip_hash_128(in, key, 2, 4) == BlockHash{0xe6a825ba047f81a3ull, 0x930255c71472f66dull});
  in.push_back(std::byte{0});
  CHECK(sip_hash_128(in, key, 2, 4) == BlockHash{0x44af996bd8c187daull, 0x45fc229b11597634ull});
}

TEST_CASE("BlockHashesChainAndDependOnSaltAndModel") {
  std::vector<std::int32_t> block(16);
  for (int i = 0; i < 16; ++i) block[static_cast<std::size_t>(i)] = i * 7;
  const BlockHash root = root_hash("model", "");
  CHECK_FALSE(root == root_hash("model", "salt"));
  CHECK_FALSE(root == root_hash("other", ""));
  CHECK_FALSE(root_hash("a", "b") == root_hash("ab", ""));
  const BlockHash first = chain_hash(root, block);
  CHECK(first == chain_hash(root, block));
  CHECK_FALSE(chain_hash(first, block) == first);
  // The same as hashing the bytes.
  std::vector<std::byte> bytes(16 + 64);
  std::memcpy(bytes.data(), &root, 16);
  std::memcpy(bytes.data() + 16, block.data(), 64);
  CHECK(first == sip_hash_128(bytes, block_hash_key, 1, 3));
  block[15] ^= 1;
  CHECK_FALSE(chain_hash(root, block) == first);
}

TEST_CASE("FreePagesAreGivenAwayOldestFirst") {
  BlockPool pool(3);
  const Page a = pool.take();
  const Page b = pool.take();
  const Page c = pool.take();
  CHECK(pool.take() == no_page);
  pool.release(b, true);
  pool.release(a, true);
  pool.release(c, false);  // nothing worth keeping: first in turn
  CHECK(pool.free_count() == 3);
  CHECK(pool.take() == c);
  CHECK(pool.take() == b);
  pool.reference(a);
  pool.reference(a);
  CHECK(pool.free_count() == 0);
  pool.release(a, true);
  CHECK(pool.free_count() == 0);
  pool.release(a, true);
  CHECK(pool.take() == a);
}

TEST_CASE("ASecondRequestFindsWholeBlocksAndCopiesTheRest") {
  PageBook book(16);
  KvCache cache(book, 16, true);
  Holder first;
  for (int i = 0; i < 40; ++i) first.tokens.push_back(i);
  CHECK(cache.adopt(first.table, first.tokens) == 0);
  REQUIRE(cache.grow(first.table, 40));
  write(book, first, 0, 40);
  first.computed = 40;
  cache.release(first.table, first.tokens, 40);
  CHECK(cache.free_pages() == 16);

  SECTION("the same prompt leaves one token to compute") {
    Holder second{{}, first.tokens, 0};
    second.computed = cache.adopt(second.table, second.tokens);
    CHECK(second.computed == 39);
    check_contents(book, second);
  }
  SECTION("a prompt of whole blocks leaves one token to compute as well") {
    Holder second{{}, {first.tokens.begin(), first.tokens.begin() + 32}, 0};
    second.computed = cache.adopt(second.table, second.tokens);
    CHECK(second.computed == 31);
    check_contents(book, second);
  }
  SECTION("a prompt that goes another way inside a whole block") {
    Holder second{{}, first.tokens, 0};
    second.tokens[20] = 99;
    second.computed = cache.adopt(second.table, second.tokens);
    CHECK(second.computed == 20);
    check_contents(book, second);
  }
  SECTION("another salt shares nothing") {
    Holder second{{}, first.tokens, 0};
    second.table.root = root_hash("", "other");
    CHECK(cache.adopt(second.table, second.tokens) == 0);
  }
  SECTION("without sharing nothing is found") {
    KvCache plain(book, 16, false);
    Holder second{{}, first.tokens, 0};
    CHECK(plain.adopt(second.table, second.tokens) == 0);
  }
}

TEST_CASE("TheTailOfAChainIsGivenAwayFirst") {
  PageBook book(4);
  KvCache cache(book, 4, true);
  Holder first;
  for (int i = 0; i < 64; ++i) first.tokens.push_back(i);
  REQUIRE(cache.grow(first.table, 64));
  write(book, first, 0, 64);
  cache.release(first.table, first.tokens, 64);
  Holder other;
  other.tokens.assign(16, 7);
  REQUIRE(cache.grow(other.table, 16));  // takes one page
  Holder again{{}, first.tokens, 0};
  again.computed = cache.adopt(again.table, again.tokens);
  CHECK(again.computed == 48);
}

TEST_CASE("RandomSequencesAlwaysReadTheirOwnTokens") {
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::mt19937 random(seed);
    const std::uint32_t pages = 8 + random() % 40;
    PageBook book(pages);
    KvCache cache(book, pages, true);
    std::map<int, Holder> holders;
    int next = 0;
    std::uint64_t adopted = 0;
    for (int action = 0; action < 600; ++action) {
      const unsigned what = random() % 10;
      if (what < 3) {
        // Prompts from a small alphabet of blocks, so that they often agree.
        Holder holder;
        const std::uint32_t size = 1 + random() % 90;
        for (std::uint32_t i = 0; i < size; ++i) {
          holder.tokens.push_back(static_cast<std::int32_t>(i / 12 * 10 + (random() % 40 == 0 ? 1 : 0)));
        }
        holder.table.root = root_hash("m", random() % 4 == 0 ? "salt" : "");
        holder.computed = cache.adopt(holder.table, holder.tokens);
        REQUIRE(holder.computed < holder.tokens.size());
        adopted += holder.computed;
        check_contents(book, holder);
        holders.emplace(next++, std::move(holder));
      } else if (!holders.empty()) {
        auto at = holders.begin();
        std::advance(at, random() % holders.size());
        Holder& holder = at->second;
        if (what < 7) {
          const auto pending = static_cast<std::uint32_t>(holder.tokens.size()) - holder.computed;
          if (pending == 0) {
            holder.tokens.push_back(static_cast<std::int32_t>(random() % 3));
          } else if (const std::uint32_t end = holder.computed + 1 + random() % pending;
                     cache.grow(holder.table, end)) {
            write(book, holder, holder.computed, end);
            holder.computed = end;
            cache.publish(holder.table, holder.tokens, holder.computed);
          }
        } else if (what == 7) {
          cache.publish(holder.table, holder.tokens, holder.computed);
          Holder twin;
          twin.tokens = holder.tokens;
          if (cache.fork(holder.table, twin.table, holder.computed)) {
            twin.computed = holder.computed;
            check_contents(book, twin);
            holders.emplace(next++, std::move(twin));
          }
        } else {
          cache.release(holder.table, holder.tokens, holder.computed);
          holders.erase(at);
        }
      }
      std::set<Page> used;
      for (const auto& [name, holder] : holders) {
        check_contents(book, holder);
        used.insert(holder.table.pages.begin(), holder.table.pages.end());
      }
      REQUIRE(cache.free_pages() == pages - used.size());
    }
    CHECK(adopted > 0);
    for (auto& [name, holder] : holders) cache.release(holder.table, holder.tokens, holder.computed);
    CHECK(cache.free_pages() == pages);
  }
}

}  // namespace
}  // namespace jackdaw::llm
