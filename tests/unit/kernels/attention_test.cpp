#include "jackdaw/kernels/attention.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "jackdaw/base/cpu.h"

namespace jackdaw::kernels {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr KvFormat formats[]{KvFormat::f16, KvFormat::bf16, KvFormat::q8_0};

std::vector<VectorSet> sets_here() {
  std::vector<VectorSet> sets{VectorSet::plain};
  if (cpu_features().avx2 && cpu_features().fma) sets.push_back(VectorSet::avx2);
  if (cpu_features().avx512) sets.push_back(VectorSet::avx512);
  return sets;
}

std::vector<float> random_floats(std::size_t n, float spread, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> out(n);
  for (float& x : out) x = normal(random);
  return out;
}

// A sequence of random keys and values in a cache whose pages lie backwards; unused tokens hold NaN bit patterns.
struct Stored {
  Stored(VectorSet vector_set, KvFormat format, std::uint32_t dim, std::uint32_t tokens)
      : set(vector_set),
        head_dim(dim),
        keys(random_floats(std::size_t{tokens} * dim, 1.0f, 11)),
        values(random_floats(std::size_t{tokens} * dim, 1.0f, 12)) {
    const std::uint32_t count = (tokens + kv_block_tokens - 1) / kv_block_tokens;
    source.layout = kv_block_layout(format, dim);
    source.page_stride = source.layout.bytes + 128;
    cache.assign(source.page_stride * count, std::byte{0xff});
    for (std::uint32_t i = 0; i < count; ++i) pages.push_back(count - 1 - i);
    source.base = cache.data();
    source.pages = pages.data();
    source.scale = 1.0f / std::sqrt(static_cast<float>(dim));
    for (std::uint32_t t = 0; t < tokens; ++t) store(t, &keys[t * dim], &values[t * dim]);
  }

  void store(std::uint32_t token, const float* key, const float* value) {
    std::byte* block = cache.data() + pages[token / kv_block_tokens] * source.page_stride;
    attention_kernels(set).store_kv(source.layout, block, token % kv_block_tokens, key, value);
  }

  // The rows' results; all of them in one call per chunk, or one at a time.
  std::vector<std::vector<float>> attend(const std::vector<AttentionRow>& rows, std::size_t at_once,
                                         float sink = -infinity) const {
    const AttentionKernels& k = attention_kernels(set);
    const std::uint32_t stride = source.layout.value_stride;
    std::vector<std::vector<float>> out(rows.size(), std::vector<float>(head_dim));
    std::vector<float> scratch(attention_scratch_floats(head_dim));
    for (std::size_t first = 0; first < rows.size(); first += at_once) {
      const std::size_t count = std::min(at_once, rows.size() - first);
      std::vector<float> merged(count * stride, 0.0f), fresh(count * stride);
      std::vector<AttentionState> states, parts;
      std::uint32_t end = 0;
      for (std::size_t r = 0; r < count; ++r) {
        states.push_back({-infinity, 0.0f, &merged[r * stride]});
        parts.push_back({-infinity, 0.0f, &fresh[r * stride]});
        end = std::max(end, rows[first + r].end);
      }
      for (std::uint32_t chunk = 0; chunk * kv_chunk_tokens < end; ++chunk) {
        k.attend_chunk(source, &rows[first], static_cast<std::uint32_t>(count), chunk, parts.data(), scratch.data());
        for (std::size_t r = 0; r < count; ++r) k.merge_state(states[r], parts[r], stride);
      }
      for (std::size_t r = 0; r < count; ++r) k.finish_state(states[r], sink, head_dim, out[first + r].data());
    }
    return out;
  }

  std::vector<double> expected(const AttentionRow& row, float sink = -infinity) const {
    std::vector<double> scores;
    double peak = sink;
    for (std::uint32_t t = row.first; t < row.end; ++t) {
      double s = 0;
      for (std::uint32_t d = 0; d < head_dim; ++d) s += static_cast<double>(row.query[d]) * keys[t * head_dim + d];
      s *= source.scale;
      if (source.softcap > 0) s = source.softcap * std::tanh(s / source.softcap);
      scores.push_back(s);
      peak = std::max(peak, s);
    }
    double total = std::isinf(sink) ? 0.0 : std::exp(sink - peak);
    std::vector<double> out(head_dim, 0.0);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const double weight = std::exp(scores[i] - peak);
      total += weight;
      for (std::uint32_t d = 0; d < head_dim; ++d) out[d] += weight * values[(row.first + i) * head_dim + d];
    }
    for (double& x : out) x /= total;
    return out;
  }

  VectorSet set;
  std::uint32_t head_dim;
  std::vector<float> keys, values;
  std::vector<std::byte> cache;
  std::vector<std::uint32_t> pages;
  KvSource source;
};

double tolerance(KvFormat format) {
  return format == KvFormat::f16 ? 2e-3 : 2e-2;
}

void require_close(const std::vector<float>& out, const std::vector<double>& right, double margin) {
  for (std::size_t d = 0; d < out.size(); ++d) REQUIRE(out[d] == Approx(right[d]).margin(margin));
}

}  // namespace

TEST_CASE("AttentionMatchesDoublesInEveryFormatAndHeadSize") {
  for (const VectorSet set : sets_here()) {
    for (const KvFormat format : formats) {
      for (const std::uint32_t head_dim : {8u, 16u, 40u, 64u, 80u, 96u, 128u, 256u}) {
        const Stored stored(set, format, head_dim, 300);
        const auto queries = random_floats(std::size_t{7} * head_dim, 1.0f, 13);
        std::vector<AttentionRow> rows;
        const std::uint32_t ends[]{1, 16, 17, 64, 255, 257, 300};
        for (std::size_t r = 0; r < 7; ++r) rows.push_back({&queries[r * head_dim], 0, ends[r]});
        rows[6].first = 130;  // a window
        rows[4].first = 254;
        const auto together = stored.attend(rows, 7);
        const auto alone = stored.attend(rows, 1);
        for (std::size_t r = 0; r < rows.size(); ++r) {
          INFO("set " << static_cast<int>(set) << ", format " << static_cast<int>(format) << ", head " << head_dim
                      << ", row " << r);
          require_close(together[r], stored.expected(rows[r]), tolerance(format));
          REQUIRE(std::memcmp(together[r].data(), alone[r].data(), head_dim * sizeof(float)) == 0);
        }
      }
    }
  }
}

TEST_CASE("AttentionResultDoesNotDependOnTheRowsBeside") {
  for (const VectorSet set : sets_here()) {
    for (const KvFormat format : formats) {
      const std::uint32_t head_dim = 64;
      const Stored stored(set, format, head_dim, 600);
      const auto queries = random_floats(std::size_t{64} * head_dim, 2.0f, 14);
      std::vector<AttentionRow> rows;
      for (std::uint32_t r = 0; r < 64; ++r) {
        const std::uint32_t end = 520 + r;
        rows.push_back({&queries[r * head_dim], r % 2 == 0 ? 0u : end - 100, end});
      }
      const auto alone = stored.attend(rows, 1);
      for (const std::size_t at_once : {2u, 3u, 4u, 5u, 13u, 64u}) {
        const auto together = stored.attend(rows, at_once);
        for (std::size_t r = 0; r < rows.size(); ++r) {
          REQUIRE(std::memcmp(together[r].data(), alone[r].data(), head_dim * sizeof(float)) == 0);
        }
      }
    }
  }
}

TEST_CASE("AttentionHonoursSoftcapAndSink") {
  for (const VectorSet set : sets_here()) {
    Stored stored(set, KvFormat::f16, 64, 70);
    stored.source.softcap = 3.0f;
    stored.source.scale = 0.5f;
    const auto query = random_floats(64, 2.0f, 15);
    const std::vector<AttentionRow> rows{{query.data(), 0, 70}};
    require_close(stored.attend(rows, 1)[0], stored.expected(rows[0]), 2e-3);
    require_close(stored.attend(rows, 1, 2.5f)[0], stored.expected(rows[0], 2.5f), 2e-3);
    require_close(stored.attend(rows, 1, -9.0f)[0], stored.expected(rows[0], -9.0f), 2e-3);
  }
}

TEST_CASE("HostileValuesOfOthersDoNotReachARow") {
  for (const VectorSet set : sets_here()) {
    for (const KvFormat format : formats) {
      Stored stored(set, format, 64, 20);
      const std::vector<float> hostile(64, infinity), nothing(64, std::nanf("")), query(64, 0.1f);
      stored.store(3, hostile.data(), hostile.data());
      stored.store(4, nothing.data(), nothing.data());
      const std::vector<AttentionRow> rows{{query.data(), 0, 3}, {query.data(), 0, 20}};
      const auto out = stored.attend(rows, 2);
      require_close(out[0], stored.expected(rows[0]), tolerance(format));
    }
  }
}

TEST_CASE("CopiedTokensGiveTheSameAttention") {
  for (const KvFormat format : formats) {
    Stored stored(VectorSet::plain, format, 80, 32);
    const auto query = random_floats(80, 1.0f, 16);
    const std::vector<AttentionRow> rows{{query.data(), 0, 9}};
    const auto before = stored.attend(rows, 1);
    std::byte* first = stored.cache.data() + stored.pages[0] * stored.source.page_stride;
    std::byte* second = stored.cache.data() + stored.pages[1] * stored.source.page_stride;
    std::fill_n(second, stored.source.layout.bytes, std::byte{0xff});
    copy_kv_tokens(stored.source.layout, first, second, 9);
    std::swap(stored.pages[0], stored.pages[1]);
    REQUIRE(stored.attend(rows, 1) == before);
  }
}

TEST_CASE("StateOfNothingChangesNothing") {
  for (const VectorSet set : sets_here()) {
    const AttentionKernels& k = attention_kernels(set);
    std::vector<float> a(16, 3.0f), b(16, 0.0f), out(16);
    AttentionState state{1.5f, 2.0f, a.data()};
    k.merge_state(state, {-infinity, 0.0f, b.data()}, 16);
    REQUIRE(state.largest == 1.5f);
    REQUIRE(state.sum == 2.0f);
    REQUIRE(a == std::vector<float>(16, 3.0f));
    AttentionState nothing{-infinity, 0.0f, b.data()};
    k.finish_state(nothing, -infinity, 16, out.data());
    REQUIRE(out == std::vector<float>(16, 0.0f));
    k.merge_state(nothing, state, 16);
    REQUIRE(b == a);
  }
}

}  // namespace jackdaw::kernels
