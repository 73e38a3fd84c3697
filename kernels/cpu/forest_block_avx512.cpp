// The block kernels for AVX-512 (F, BW, DQ, VL): one 64-byte vector is the block.
//
// Per node: one broadcast, one byte compare against the column in memory, one masked add. Ranking a feature is a binary
// search of 16 rows per vector whose first eight levels sit in registers (vpermd, vpermi2d); deeper levels gather.
// Leaf values of trees up to 64 leaves are looked up by permutes as well; gathers take over above that.
#include "forest_block.h"

#ifdef __AVX512BW__
#include <immintrin.h>

namespace jackdaw::kernels {
namespace {

// ---- Ranks --------------------------------------------------------------------------------------------------------

struct Values {  // 64 rows of one feature: keys with NaN as zero, and what is missing.
  __mmask64 nan = 0;
  __mmask64 zero = 0;
};

inline __m512i keys_of(__m512 x, __mmask16 nan) {
  const __m512 clean = _mm512_add_ps(_mm512_maskz_mov_ps(_mm512_knot(nan), x), _mm512_setzero_ps());
  const __m512i bits = _mm512_castps_si512(clean);
  return _mm512_xor_si512(bits, _mm512_and_si512(_mm512_srai_epi32(bits, 31), _mm512_set1_epi32(INT32_MAX)));
}

inline __m512i keys_of(__m512d x, __mmask8 nan) {
  const __m512d clean = _mm512_add_pd(_mm512_maskz_mov_pd(static_cast<__mmask8>(~nan), x), _mm512_setzero_pd());
  const __m512i bits = _mm512_castpd_si512(clean);
  return _mm512_xor_si512(bits, _mm512_and_si512(_mm512_srai_epi64(bits, 63), _mm512_set1_epi64(INT64_MAX)));
}

// One level down: at = 2 * at + (probe < key).
inline __m512i descend32(__m512i at, __m512i probe, __m512i key) {
  const __mmask16 right = _mm512_cmplt_epi32_mask(probe, key);
  at = _mm512_add_epi32(at, at);
  return _mm512_mask_add_epi32(at, right, at, _mm512_set1_epi32(1));
}

inline __m512i descend64(__m512i at, __m512i probe, __m512i key) {
  const __mmask8 right = _mm512_cmplt_epi64_mask(probe, key);
  at = _mm512_add_epi64(at, at);
  return _mm512_mask_add_epi64(at, right, at, _mm512_set1_epi64(1));
}

// The entry at[lane] of a level's table of 16 x `registers` entries, by permutes. Index bits above the table's width
// are the level's leading 1, which the permutes ignore.
template <int registers>
inline __m512i probe32(const std::int32_t* table, __m512i at) {
  if constexpr (registers == 1) {
    return _mm512_permutexvar_epi32(at, _mm512_loadu_si512(table));
  } else if constexpr (registers == 2) {
    return _mm512_permutex2var_epi32(_mm512_loadu_si512(table), at, _mm512_loadu_si512(table + 16));
  } else {
    const __m512i low = probe32<registers / 2>(table, at);
    const __m512i high = probe32<registers / 2>(table + 8 * registers, at);
    return _mm512_mask_blend_epi32(_mm512_test_epi32_mask(at, _mm512_set1_epi32(8 * registers)), low, high);
  }
}

template <int registers>
inline __m512i probe64(const std::int64_t* table, __m512i at) {
  if constexpr (registers == 1) {
    return _mm512_permutexvar_epi64(at, _mm512_loadu_si512(table));
  } else if constexpr (registers == 2) {
    return _mm512_permutex2var_epi64(_mm512_loadu_si512(table), at, _mm512_loadu_si512(table + 8));
  } else {
    const __m512i low = probe64<registers / 2>(table, at);
    const __m512i high = probe64<registers / 2>(table + 4 * registers, at);
    return _mm512_mask_blend_epi64(_mm512_test_epi64_mask(at, _mm512_set1_epi64(4 * registers)), low, high);
  }
}

template <int registers, int vectors>
inline void level32(const std::int32_t* table, const __m512i* key, __m512i* at) {
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) at[v] = descend32(at[v], probe32<registers>(table, at[v]), key[v]);
}

template <int registers, int vectors>
inline void level64(const std::int64_t* table, const __m512i* key, __m512i* at) {
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) at[v] = descend64(at[v], probe64<registers>(table, at[v]), key[v]);
}

// ranks[v]: 16 x u32 for 16 rows each.
inline void search32(const std::int32_t* keys, std::uint32_t levels, const __m512i* key, __m512i* ranks) {
  __m512i at[4];
  for (auto& lanes : at) lanes = _mm512_set1_epi32(1);
  for (std::uint32_t level = 0; level < levels; ++level) {
    if (level < 4) {
      level32<1, 4>(keys, key, at);
    } else if (level == 4) {
      level32<1, 4>(keys + 16, key, at);
    } else if (level == 5) {
      level32<2, 4>(keys + 32, key, at);
    } else if (level == 6) {
      level32<4, 4>(keys + 64, key, at);
    } else if (level == 7) {
      level32<8, 4>(keys + 128, key, at);
    } else {
      for (int v = 0; v < 4; ++v) at[v] = descend32(at[v], _mm512_i32gather_epi32(at[v], keys, 4), key[v]);
    }
  }
  for (int v = 0; v < 4; ++v) ranks[v] = _mm512_sub_epi32(at[v], _mm512_set1_epi32(1 << levels));
}

inline void search64(const std::int64_t* keys, std::uint32_t levels, const __m512i* key, __m512i* ranks) {
  __m512i at[8];
  for (auto& lanes : at) lanes = _mm512_set1_epi64(1);
  for (std::uint32_t level = 0; level < levels; ++level) {
    if (level < 3) {
      level64<1, 8>(keys, key, at);
    } else if (level == 3) {
      level64<1, 8>(keys + 8, key, at);
    } else if (level == 4) {
      level64<2, 8>(keys + 16, key, at);
    } else if (level == 5) {
      level64<4, 8>(keys + 32, key, at);
    } else if (level == 6) {
      level64<8, 8>(keys + 64, key, at);
    } else {
      for (int v = 0; v < 8; ++v) at[v] = descend64(at[v], _mm512_i64gather_epi64(at[v], keys, 8), key[v]);
    }
  }
  const __m512i base = _mm512_set1_epi32(1 << levels);
  for (int v = 0; v < 4; ++v) {
    const __m512i low = _mm512_castsi256_si512(_mm512_cvtepi64_epi32(at[2 * v]));
    const __m512i both = _mm512_inserti64x4(low, _mm512_cvtepi64_epi32(at[2 * v + 1]), 1);
    ranks[v] = _mm512_sub_epi32(both, base);
  }
}

inline __m512i bytes_above(const __m512i* ranks, std::uint32_t first_rank) {
  const __m512i first = _mm512_set1_epi32(static_cast<int>(first_rank));
  __m128i quarters[4];
  for (int v = 0; v < 4; ++v)
    quarters[v] = _mm512_cvtusepi32_epi8(_mm512_sub_epi32(_mm512_max_epu32(ranks[v], first), first));
  const __m256i low = _mm256_inserti128_si256(_mm256_castsi128_si256(quarters[0]), quarters[1], 1);
  const __m256i high = _mm256_inserti128_si256(_mm256_castsi128_si256(quarters[2]), quarters[3], 1);
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

inline __m512i filled(__m512i bytes, ColumnFill fill, const Values& values) {
  const __m512i right = _mm512_set1_epi8(-1);
  switch (fill) {
    case ColumnFill::nan_left:
      return _mm512_maskz_mov_epi8(~values.nan, bytes);
    case ColumnFill::nan_right:
      return _mm512_mask_mov_epi8(bytes, values.nan, right);
    case ColumnFill::nan_zero:
      return bytes;
    case ColumnFill::zero_left:
      return _mm512_maskz_mov_epi8(~values.zero, bytes);
    case ColumnFill::zero_right:
      return _mm512_mask_mov_epi8(bytes, values.zero, right);
  }
  return bytes;
}

inline void store_columns(const RankColumn* plan, const RankFeature& feature, const __m512i* ranks,
                          const Values& values, std::uint8_t* columns) {
  for (std::uint32_t c = feature.column_begin; c < feature.column_end; ++c) {
    const __m512i bytes = bytes_above(ranks, plan[c].first_rank);
    _mm512_store_si512(columns + std::size_t{c} * forest_block_rows, filled(bytes, plan[c].fill, values));
  }
}

void rank32(const RankPlan32& plan, const float* rows, std::size_t n_rows, std::size_t stride, std::uint8_t* columns) {
  if (stride > INT32_MAX / forest_block_rows) return rank_block(plan, rows, n_rows, stride, columns);
  alignas(64) std::int32_t offsets[forest_block_rows];
  for (std::uint32_t row = 0; row < forest_block_rows; ++row)
    offsets[row] = static_cast<std::int32_t>((row < n_rows ? row : n_rows - 1) * stride);
  const __m512 zero_threshold = _mm512_set1_ps(1e-35f);
  for (std::size_t i = 0; i < plan.feature_count; ++i) {
    const RankFeature& feature = plan.features[i];
    Values values;
    __m512i key[4], ranks[4];
    for (int v = 0; v < 4; ++v) {
      const __m512 x = _mm512_i32gather_ps(_mm512_load_si512(offsets + 16 * v), rows + feature.feature, 4);
      const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
      const __mmask16 zero = _mm512_cmp_ps_mask(_mm512_abs_ps(x), zero_threshold, _CMP_NGT_UQ);
      values.nan |= static_cast<__mmask64>(nan) << (16 * v);
      values.zero |= static_cast<__mmask64>(zero) << (16 * v);
      key[v] = keys_of(x, nan);
    }
    search32(plan.keys + feature.key_begin, feature.levels, key, ranks);
    store_columns(plan.columns, feature, ranks, values, columns);
  }
}

void rank64(const RankPlan64& plan, const double* rows, std::size_t n_rows, std::size_t stride, std::uint8_t* columns) {
  if (stride > INT32_MAX / forest_block_rows) return rank_block(plan, rows, n_rows, stride, columns);
  alignas(64) std::int32_t offsets[forest_block_rows];
  for (std::uint32_t row = 0; row < forest_block_rows; ++row)
    offsets[row] = static_cast<std::int32_t>((row < n_rows ? row : n_rows - 1) * stride);
  const __m512d zero_threshold = _mm512_set1_pd(static_cast<double>(1e-35f));
  for (std::size_t i = 0; i < plan.feature_count; ++i) {
    const RankFeature& feature = plan.features[i];
    Values values;
    __m512i key[8], ranks[4];
    for (int v = 0; v < 8; ++v) {
      const __m256i at = _mm256_load_si256(reinterpret_cast<const __m256i*>(offsets + 8 * v));
      const __m512d x = _mm512_i32gather_pd(at, rows + feature.feature, 8);
      const __mmask8 nan = _mm512_cmp_pd_mask(x, x, _CMP_UNORD_Q);
      const __mmask8 zero = _mm512_cmp_pd_mask(_mm512_abs_pd(x), zero_threshold, _CMP_NGT_UQ);
      values.nan |= static_cast<__mmask64>(nan) << (8 * v);
      values.zero |= static_cast<__mmask64>(zero) << (8 * v);
      key[v] = keys_of(x, nan);
    }
    search64(plan.keys + feature.key_begin, feature.levels, key, ranks);
    store_columns(plan.columns, feature, ranks, values, columns);
  }
}

// ---- Trees --------------------------------------------------------------------------------------------------------

// Leaves of 64 x `blocks` rows, block b's columns lying b * column_stride further on: two blocks share the loads of a
// node and hide each other's latency.
template <int blocks>
struct Leaves {
  __m512i of[blocks];
};

// Masks must not outlive a few instructions (there are seven mask registers), so children come before the compare; the
// constant is opaque, or GCC makes it anew from a general register for every use.
template <int blocks, int height, int index>
[[gnu::always_inline]] inline Leaves<blocks> leaf_of(const BlockNode* nodes, const std::uint8_t* columns,
                                                     std::size_t column_stride, const __m512i& one) {
  Leaves<blocks> left, below;
  if constexpr (height > 1) {
    left = leaf_of<blocks, height - 1, 2 * index + 1>(nodes, columns, column_stride, one);
    below = leaf_of<blocks, height - 1, 2 * index + 2>(nodes, columns, column_stride, one);
  }
  const __m512i rank = _mm512_set1_epi32(static_cast<int>(nodes[index].rank));
  const std::uint8_t* column = columns + nodes[index].column_at;
  for (int b = 0; b < blocks; ++b) {
    const __mmask64 right = _mm512_cmpgt_epu8_mask(_mm512_load_si512(column + b * column_stride), rank);
    if constexpr (height == 1) {
      left.of[b] = _mm512_maskz_mov_epi8(right, one);
    } else {
      const __m512i bit = _mm512_set1_epi8(static_cast<char>(1 << (height - 1)));
      left.of[b] = _mm512_mask_add_epi8(left.of[b], right, below.of[b], bit);
    }
  }
  return left;
}

// The function that holds a whole tree of one depth; not inlined, so that each gets its registers for itself.
template <int blocks, int depth>
[[gnu::noinline]] void tree_leaves(const BlockNode* nodes, const std::uint8_t* columns, std::size_t column_stride,
                                   __m512i* leaves) {
  __m512i one = _mm512_set1_epi8(1);
  asm("" : "+v"(one));
  const auto result = leaf_of<blocks, depth, 0>(nodes, columns, column_stride, one);
  for (int b = 0; b < blocks; ++b) leaves[b] = result.of[b];
}

template <int blocks>
inline void tree_leaves_of(std::uint32_t depth, const BlockNode* nodes, const std::uint8_t* columns,
                           std::size_t column_stride, __m512i* leaves) {
  switch (depth) {
    case 0:
      for (int b = 0; b < blocks; ++b) leaves[b] = _mm512_setzero_si512();
      return;
    case 1:
      return tree_leaves<blocks, 1>(nodes, columns, column_stride, leaves);
    case 2:
      return tree_leaves<blocks, 2>(nodes, columns, column_stride, leaves);
    case 3:
      return tree_leaves<blocks, 3>(nodes, columns, column_stride, leaves);
    case 4:
      return tree_leaves<blocks, 4>(nodes, columns, column_stride, leaves);
    case 5:
      return tree_leaves<blocks, 5>(nodes, columns, column_stride, leaves);
    case 6:
      return tree_leaves<blocks, 6>(nodes, columns, column_stride, leaves);
    case 7:
      return tree_leaves<blocks, 7>(nodes, columns, column_stride, leaves);
    default:
      return tree_leaves<blocks, 8>(nodes, columns, column_stride, leaves);
  }
}

// Leaf tables are readable to 64 bytes past their begin whatever the depth (the layout pads the array's end).
inline __m512 look_up(std::uint32_t depth, const float* values, __m512i at) {
  const auto* table = reinterpret_cast<const std::int32_t*>(values);
  if (depth <= 4) return _mm512_castsi512_ps(probe32<1>(table, at));
  if (depth == 5) return _mm512_castsi512_ps(probe32<2>(table, at));
  if (depth == 6) return _mm512_castsi512_ps(probe32<4>(table, at));
  if (depth == 7) return _mm512_castsi512_ps(probe32<8>(table, at));
  return _mm512_i32gather_ps(at, values, 4);
}

inline __m512d look_up(std::uint32_t depth, const double* values, __m512i at) {
  const auto* table = reinterpret_cast<const std::int64_t*>(values);
  if (depth <= 3) return _mm512_castsi512_pd(probe64<1>(table, at));
  if (depth == 4) return _mm512_castsi512_pd(probe64<2>(table, at));
  if (depth == 5) return _mm512_castsi512_pd(probe64<4>(table, at));
  if (depth == 6) return _mm512_castsi512_pd(probe64<8>(table, at));
  return _mm512_i64gather_pd(at, values, 8);
}

inline void add_values(const BlockTree& tree, const float* values, __m512i leaves, float* out) {
  const __m128i quarters[4] = {_mm512_castsi512_si128(leaves), _mm512_extracti32x4_epi32(leaves, 1),
                               _mm512_extracti32x4_epi32(leaves, 2), _mm512_extracti32x4_epi32(leaves, 3)};
  for (int v = 0; v < 4; ++v) {
    const __m512 value = look_up(tree.depth, values, _mm512_cvtepu8_epi32(quarters[v]));
    _mm512_storeu_ps(out + 16 * v, _mm512_add_ps(_mm512_loadu_ps(out + 16 * v), value));
  }
}

inline void add_values(const BlockTree& tree, const double* values, __m512i leaves, double* out) {
  alignas(64) std::uint8_t bytes[forest_block_rows];
  _mm512_store_si512(bytes, leaves);
  for (int v = 0; v < 8; ++v) {
    const __m128i eight = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(bytes + 8 * v));
    const __m512d value = look_up(tree.depth, values, _mm512_cvtepu8_epi64(eight));
    _mm512_storeu_pd(out + 8 * v, _mm512_add_pd(_mm512_loadu_pd(out + 8 * v), value));
  }
}

template <typename Sum>
inline void add_tree(const BlockForest<Sum>& forest, const BlockTree& tree, const std::uint8_t* columns, __m512i leaves,
                     Sum* sums) {
  if (tree.deep) {
    alignas(64) std::uint8_t bytes[forest_block_rows];
    _mm512_store_si512(bytes, leaves);
    return add_deep_leaves(forest, tree, columns, bytes, sums);
  }
  for (std::uint32_t k = 0; k < forest.leaf_width; ++k)
    add_values(tree, forest.leaves + tree.leaf_begin + (std::size_t{k} << tree.depth), leaves,
               sums + std::size_t{tree.output + k} * forest_block_rows);
}

template <int blocks, typename Sum>
inline void score_tree(const BlockForest<Sum>& forest, const BlockTree& tree, const BlockBatch<Sum>& batch,
                       std::size_t block) {
  const std::uint8_t* columns = batch.columns + block * batch.column_stride;
  __m512i leaves[blocks];
  tree_leaves_of<blocks>(tree.depth, forest.nodes + tree.node_begin, columns, batch.column_stride, leaves);
  for (int b = 0; b < blocks; ++b)
    add_tree(forest, tree, columns + b * batch.column_stride, leaves[b], batch.sums + (block + b) * batch.sum_stride);
}

template <typename Sum>
void score(const BlockForest<Sum>& forest, const BlockBatch<Sum>& batch) {
  for (std::size_t i = 0; i < forest.tree_count; ++i) {
    std::size_t block = 0;
    for (; block + 2 <= batch.block_count; block += 2) score_tree<2>(forest, forest.trees[i], batch, block);
    if (block < batch.block_count) score_tree<1>(forest, forest.trees[i], batch, block);
  }
}

}  // namespace

const ForestBlockKernels* forest_block_avx512() {
  static constexpr ForestBlockKernels kernels{rank32, rank64, score<float>, score<double>};
  return &kernels;
}

}  // namespace jackdaw::kernels
#else

namespace jackdaw::kernels {
const ForestBlockKernels* forest_block_avx512() {
  return nullptr;
}
}  // namespace jackdaw::kernels
#endif
