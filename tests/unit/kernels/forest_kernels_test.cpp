// The forest kernels against plain code, each instruction set this machine has.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "jackdaw/base/cpu.h"
#include "jackdaw/kernels/forest.h"

namespace jackdaw::kernels {
namespace {

struct Named {
  const char* name;
  const ForestBlockKernels* kernels;
};

std::vector<Named> implementations() {
  std::vector<Named> all{{"plain", forest_block_plain()}};
  if (cpu_features().avx2 && forest_block_avx2() != nullptr) all.push_back({"avx2", forest_block_avx2()});
  if (cpu_features().avx512 && forest_block_avx512() != nullptr) all.push_back({"avx512", forest_block_avx512()});
  return all;
}

template <typename Key, typename X>
Key key_of(X x) {
  const KeyColumn column{0, ColumnFill::nan_left};
  Key key = 0;
  forest_row_keys(&x, &column, 1, &key);
  return key;
}

TEST_CASE("ForestKeysOrderLikeNumbers") {
  const std::vector<float> ascending{-INFINITY, -3e38f, -1.5f, -1e-40f, 0.0f, 1e-45f, 1e-35f, 1.5f, 3e38f, INFINITY};
  for (std::size_t i = 1; i < ascending.size(); ++i) {
    CHECK(key_of<std::int32_t>(ascending[i - 1]) < key_of<std::int32_t>(ascending[i]));
    CHECK(key_of<std::int64_t>(double{ascending[i - 1]}) < key_of<std::int64_t>(double{ascending[i]}));
  }
  CHECK(key_of<std::int32_t>(-0.0f) == key_of<std::int32_t>(0.0f));
  CHECK(key_of<std::int64_t>(-0.0) == key_of<std::int64_t>(0.0));
}

TEST_CASE("ForestKeysFollowTheColumnsRuleForMissingValues") {
  const KeyColumn columns[] = {{0, ColumnFill::nan_left},
                               {0, ColumnFill::nan_right},
                               {0, ColumnFill::nan_zero},
                               {0, ColumnFill::zero_left},
                               {0, ColumnFill::zero_right}};
  const auto keys_for = [&](float x) {
    std::vector<std::int32_t> keys(5);
    forest_row_keys(&x, columns, 5, keys.data());
    return keys;
  };
  using Keys = std::vector<std::int32_t>;
  CHECK(keys_for(NAN) == Keys{INT32_MIN, INT32_MAX, 0, INT32_MIN, INT32_MAX});
  CHECK(keys_for(0.0f) == Keys{0, 0, 0, INT32_MIN, INT32_MAX});
  CHECK(keys_for(-1e-35f)[3] == INT32_MIN);
  CHECK(keys_for(1.1e-35f)[4] == key_of<std::int32_t>(1.1e-35f));
}

// A search tree over ascending keys, in the format of RankFeature.
template <typename Key>
std::vector<Key> search_tree(const std::vector<Key>& sorted, std::uint32_t levels) {
  const std::size_t size = std::size_t{1} << levels;
  std::vector<Key> tree(std::max<std::size_t>(size, 16), std::numeric_limits<Key>::max());
  std::size_t next = 0;
  const auto visit = [&](auto&& self, std::size_t i) -> void {
    if (i >= size) return;
    self(self, 2 * i);
    if (next < sorted.size()) tree[i] = sorted[next++];
    self(self, 2 * i + 1);
  };
  visit(visit, 1);
  return tree;
}

template <typename X, typename Key>
void check_ranks(std::size_t thresholds, std::mt19937_64& random) {
  std::vector<X> values(thresholds);
  for (X& value : values) value = static_cast<X>(static_cast<double>(random() % 100000) / 1000 - 50);
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  std::vector<Key> sorted;
  for (const X value : values) sorted.push_back(key_of<Key>(value));
  std::uint32_t levels = 0;
  while ((std::size_t{1} << levels) <= sorted.size()) ++levels;
  const std::vector<Key> tree = search_tree(sorted, levels);
  const RankColumn columns[] = {{0, ColumnFill::nan_left},
                                {255, ColumnFill::nan_right},
                                {0, ColumnFill::nan_zero},
                                {255, ColumnFill::zero_left},
                                {0, ColumnFill::zero_right}};
  const RankFeature feature{1, levels, 0, 0, 5};
  const RankPlan<X, Key> plan{&feature, 1, tree.data(), columns};
  const std::size_t n_rows = 1 + random() % 64;
  const std::size_t stride = 3;
  std::vector<X> rows(n_rows * stride, static_cast<X>(NAN));
  for (std::size_t row = 0; row < n_rows; ++row) {
    const std::uint64_t kind = random() % 8;
    X& x = rows[row * stride + 1];
    x = kind == 0 ? static_cast<X>(NAN) : kind == 1 ? X{0} : kind == 2 ? -X{0} : values[random() % values.size()];
    if (kind == 3) x = std::nextafter(x, std::numeric_limits<X>::infinity());
    if (kind == 4) x = static_cast<X>(random() % 2 == 0 ? INFINITY : -INFINITY);
  }
  for (const Named& named : implementations()) {
    alignas(64) std::uint8_t bytes[5 * forest_block_rows];
    if constexpr (sizeof(X) == 4) {
      named.kernels->rank32(plan, rows.data(), n_rows, stride, bytes);
    } else {
      named.kernels->rank64(plan, rows.data(), n_rows, stride, bytes);
    }
    for (std::size_t row = 0; row < n_rows; ++row) {
      const X x = rows[row * stride + 1];
      const bool nan = std::isnan(x);
      // A threshold's own value goes left, so only smaller ones count.
      const auto rank = std::lower_bound(values.begin(), values.end(), nan ? X{0} : x) - values.begin();
      const auto low = static_cast<int>(std::min<std::ptrdiff_t>(rank, 255));
      const auto high = static_cast<int>(std::clamp<std::ptrdiff_t>(rank - 255, 0, 255));
      const bool zero = nan || x == 0;
      const int expected[] = {nan ? 0 : low, nan ? 255 : high, low, zero ? 0 : high, zero ? 255 : low};
      for (int c = 0; c < 5; ++c) {
        if (bytes[static_cast<std::size_t>(c) * forest_block_rows + row] != expected[c])
          FAIL(named.name << " column " << c << " of value " << x << " among " << values.size() << " thresholds");
      }
    }
  }
}

TEST_CASE("ForestRanksCountTheThresholdsBelowAValue") {
  std::mt19937_64 random(20);
  for (std::size_t thresholds = 1; thresholds < 700; thresholds += 1 + thresholds / 9) {
    INFO("seed 20, thresholds " << thresholds);
    check_ranks<float, std::int32_t>(thresholds, random);
    check_ranks<double, std::int64_t>(thresholds, random);
  }
}

TEST_CASE("ForestBlocksFindTheLeafAWalkFinds") {
  std::mt19937_64 random(21);
  constexpr std::size_t n_columns = 5;
  constexpr std::size_t blocks = 3;
  alignas(64) std::uint8_t columns[blocks * n_columns * forest_block_rows];
  for (std::uint8_t& byte : columns) byte = static_cast<std::uint8_t>(random());
  for (std::uint32_t depth = 0; depth <= forest_block_depth_max; ++depth) {
    std::vector<BlockNode> nodes(std::size_t{1} << depth);
    for (BlockNode& node : nodes)
      node = {static_cast<std::uint32_t>(random() % n_columns) * forest_block_rows,
              static_cast<std::uint32_t>(random() % 256) * 0x01010101u};
    std::vector<float> leaves((std::size_t{1} << depth) + 64);
    for (std::size_t i = 0; i < leaves.size(); ++i) leaves[i] = static_cast<float>(i + 1);
    const BlockTree tree{0, 0, depth, 0, false};
    const BlockForest<float> forest{&tree, 1, 1, nodes.data(), leaves.data(), nullptr, nullptr, nullptr, nullptr};
    for (const Named& named : implementations()) {
      alignas(64) float sums[blocks * forest_block_rows] = {};
      named.kernels->score32(forest, {blocks, columns, n_columns * forest_block_rows, sums, forest_block_rows});
      for (std::size_t row = 0; row < blocks * forest_block_rows; ++row) {
        const std::uint8_t* column = columns + row / 64 * n_columns * 64 + row % 64;
        std::size_t at = 0;
        for (std::uint32_t level = 0; level < depth; ++level)
          at = 2 * at + 1 + (column[nodes[at].column_at] > (nodes[at].rank & 255) ? 1 : 0);
        const std::size_t leaf = at + 1 - (std::size_t{1} << depth);
        if (sums[row] != static_cast<float>(leaf + 1))
          FAIL(named.name << " depth " << depth << " row " << row << ": leaf " << sums[row] - 1 << ", not " << leaf);
      }
    }
  }
}

TEST_CASE("ForestBitColumnsTurnRowsIntoColumns") {
  std::mt19937_64 random(22);
  std::vector<std::vector<std::uint8_t>> rows(64, std::vector<std::uint8_t>(3));
  std::vector<const std::uint8_t*> pointers;
  for (auto& row : rows) {
    for (auto& byte : row) byte = static_cast<std::uint8_t>(random());
    pointers.push_back(row.data());
  }
  std::vector<std::uint8_t> columns(20 * 64, 7);
  forest_bit_columns(pointers.data(), 19, columns.data());
  for (std::size_t i = 0; i < 19; ++i) {
    for (std::size_t row = 0; row < 64; ++row)
      REQUIRE(columns[i * 64 + row] == ((rows[row][i / 8] >> (i % 8)) & 1 ? 255 : 0));
  }
  CHECK(std::count(columns.begin() + 19 * 64, columns.end(), 7) == 64);
}

}  // namespace
}  // namespace jackdaw::kernels
