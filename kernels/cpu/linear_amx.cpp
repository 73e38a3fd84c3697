// Linear layers of many tokens on AMX-INT8; everything else goes to AVX-512.
//
// A block of packed codes (linear_layout.h) is what a tile register wants as the right factor: eight rows of 64 bytes,
// four columns of one output row per 32-bit lane; 16 activation records, `activation_stride` apart, are the left one.
// One tdpbssd gives the exact integer products of 16 tokens with 16 rows over a block's 32 columns. They go through
// memory to vectors, where scales are applied in the order of linear_tile.h: the same bits as everywhere else.
//
// Loops: some groups are unpacked to signed bytes (offsets subtracted) and float scales that stay in L2; then, for each
// 16 tokens, whose records stay in L1, all those groups.
//
// What bounds it, measured on Sapphire Rapids at 3 GHz with loops of nothing else: tdpbssd takes 16 cycles for a block
// of 16 tokens, its two loads 13, tilestored 17, and tilezero, tdpbssd and tilestored together 30. The 64 vector
// operations that add the products take 34 alone, but 67 as soon as there is any tile instruction near, a tilezero will
// do: for a while after it vectors of 512 bits have one port instead of two, and those of 256 bits are not faster. So
// 67 cycles a block, 365 G multiply-adds/s, where linear_avx512 is bound by 105. All products of 9, 16 or 32 blocks
// first and their sums afterwards bring the second port back, but then nothing overlaps: 15 % slower. Codes asked for
// ahead into L1: 10 % slower. Neither four product registers nor fewer groups at a time changed anything. Measured
// (bench_kernels --quick --isa amx --threads 1 --encoding Q4_1, then avx512, in turns; 3072 x 576, the better of
// three): 128 tokens 255 and 181, 512 tokens 288 and 166 G multiply-adds/s.
//
// Tile instructions are written out: the intrinsics of GCC 12 do not say what memory they read, and the compiler drops
// the stores before them.
#include "jackdaw/kernels/linear.h"

#if defined(__AMX_INT8__) && defined(__AVX512VNNI__)
#include <sys/syscall.h>
#include <unistd.h>

#include "linear_avx512.h"

namespace jackdaw::kernels {
namespace {

constexpr std::int64_t tile_tokens = 16;
// Below, unpacking first and multiplying then costs more than tiles save: streams of SmolLM2 (jackdaw bench llm with
// JACKDAW_CPU=amx and avx512 in turns, medians of 7) 16: -12 %, 32: -2 %, 64: +11 %, 128: +24 %; on another day with
// this limit at 16 and at 48 (medians of 4) 16: -21 %, 32: -4 %.
constexpr std::int64_t tokens_min = 48;
constexpr std::int64_t unpacked_blocks = 256;      // of all groups unpacked together,
constexpr std::int64_t unpacked_blocks_max = 512;  // or of a single one: 16,384 columns
constexpr std::int64_t piece_bytes = 1 << 20;      // of activations, which all groups pass before the next

struct alignas(64) UnpackedBlock {
  std::int8_t codes[8][64];
  float scale[2][16];
  float min[2][16];
};

// Operand of ldtilecfg (Intel SDM volume 1, 18.3.1), palette 1.
struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};
static_assert(sizeof(TileConfig) == 64);

// Two sets of three registers: 3 * set is the left factor, then the right one, then the products.
constexpr int sets = 2;

TileConfig config_for(int columns) {
  TileConfig config;
  for (int set = 0; set < sets; ++set) {
    const int left = 3 * set;
    config.rows[left] = tile_tokens;
    config.row_bytes[left] = static_cast<std::uint16_t>(columns);
    config.rows[left + 1] = static_cast<std::uint8_t>(columns / 4);
    config.row_bytes[left + 1] = 64;
    config.rows[left + 2] = tile_tokens;
    config.row_bytes[left + 2] = 64;
  }
  return config;
}

// Tiles are this thread's while one of these lives; afterwards a switch of threads does not save them.
class Tiles {
 public:
  explicit Tiles(const TileConfig& config) { asm volatile("ldtilecfg %0" ::"m"(config)); }
  ~Tiles() { asm volatile("tilerelease"); }
  Tiles(const Tiles&) = delete;
  Tiles& operator=(const Tiles&) = delete;
};

struct alignas(64) Products {
  std::int32_t at[tile_tokens][16];  // by token and row
};

// products = 16 records' values times codes, over as many columns as the tiles are configured for.
template <int set>
JACKDAW_INLINE void multiply(const std::int8_t* values, std::int64_t stride, const std::int8_t* codes,
                             Products& products) {
  asm volatile(
      "tilezero %%tmm%c[products]\n\t"
      "tileloadd (%[values],%[stride],1), %%tmm%c[left]\n\t"
      "tileloadd (%[codes],%[line],1), %%tmm%c[right]\n\t"
      "tdpbssd %%tmm%c[right], %%tmm%c[left], %%tmm%c[products]\n\t"
      "tilestored %%tmm%c[products], (%[out],%[line],1)"
      :
      : [values] "r"(values), [stride] "r"(stride), [codes] "r"(codes), [line] "r"(std::int64_t{64}),
        [out] "r"(products.at), [left] "i"(3 * set), [right] "i"(3 * set + 1), [products] "i"(3 * set + 2)
      : "memory");
}

JACKDAW_INLINE __m512i signed_codes(__m512i codes, int offset) {
  return _mm512_sub_epi8(codes, _mm512_set1_epi8(static_cast<char>(offset)));
}

template <Encoding encoding>
void unpack_group(const unsigned char* group, std::int64_t blocks, UnpackedBlock* out) {
  constexpr Layout layout = layout_at<encoding>;
  constexpr int header_bytes = static_cast<int>(layout.header_bytes());
  constexpr int block_bytes = static_cast<int>(layout.block_bytes());
  constexpr int chunk_blocks = static_cast<int>(layout.chunk_blocks);
  for (std::int64_t left = blocks; left > 0; left -= chunk_blocks) {
    const int count = left < chunk_blocks ? static_cast<int>(left) : chunk_blocks;
    const Super<Vector512> super = super_of<Vector512, encoding>(group, 0);
    const unsigned char* planes = group + header_bytes;
    for (int i = 0; i < count; ++i, ++out, planes += block_bytes) {
      each<block_bytes / 64>(JACKDAW_EACH(line) { __builtin_prefetch(planes + prefetch_far + 64 * line.index, 0, 2); });
      const Scales<Vector512> scales = scales_of<Vector512, encoding>(super, group, i, 0);
      each<layout.halves() ? 2 : 1>(JACKDAW_EACH(half) {
        _mm512_store_ps(out->scale[half.index], scales.scale[half.index]);
        if constexpr (layout.has_min()) _mm512_store_ps(out->min[half.index], scales.min[half.index]);
      });
      each<8>(JACKDAW_EACH(j) {
        const __m512i codes = codes_of<Vector512, encoding, j.index>(planes);
        _mm512_store_si512(out->codes[j.index], signed_codes(codes, layout.offset));
      });
    }
    group = planes;
  }
}

template <Encoding encoding>
JACKDAW_INLINE Scales<Vector512> load_scales(const UnpackedBlock& block) {
  Scales<Vector512> scales{};
  each<layout_at<encoding>.halves() ? 2 : 1>(JACKDAW_EACH(half) {
    scales.scale[half.index] = _mm512_load_ps(block.scale[half.index]);
    if constexpr (layout_at<encoding>.has_min()) scales.min[half.index] = _mm512_load_ps(block.min[half.index]);
  });
  return scales;
}

JACKDAW_INLINE const ActivationBlock& record_at(const Tile& tile, std::int64_t block, int token) {
  return reinterpret_cast<const ActivationBlock*>(tile.activations + token * tile.activation_stride)[block];
}

template <Encoding encoding>
JACKDAW_INLINE void add_products(const Tile& tile, std::int64_t index, const UnpackedBlock& block,
                                 const Products& products, __m512* sums) {
  const Scales<Vector512> scales = load_scales<encoding>(block);
  each<tile_tokens>(JACKDAW_EACH(t) {
    const __m512i dot = _mm512_load_si512(products.at[t.index]);
    sums[t.index] = add_dot<Vector512, encoding>(dot, scales, record_at(tile, index, t.index), sums[t.index]);
  });
}

template <Encoding encoding>
JACKDAW_INLINE void add_halves(const Tile& tile, std::int64_t index, const UnpackedBlock& block,
                               const Products* products, __m512* sums) {
  const Scales<Vector512> scales = load_scales<encoding>(block);
  each<tile_tokens>(JACKDAW_EACH(t) {
    const __m512i low = _mm512_load_si512(products[0].at[t.index]);
    const __m512i high = _mm512_load_si512(products[1].at[t.index]);
    const __m512 part = Vector512::mul(Vector512::to_float(low), scales.scale[0]);
    sums[t.index] =
        add_half_dots<Vector512, encoding>(part, high, scales, record_at(tile, index, t.index), sums[t.index]);
  });
}

// 16 tokens by one group.
template <Encoding encoding>
void amx_tile(const Tile& tile, const UnpackedBlock* blocks) {
  const std::int64_t count = tile.columns / block_columns;
  const std::int64_t stride = tile.activation_stride;
  __m512 sums[tile_tokens];
  Products products[sets];
  expect_stores<Vector512, tile_tokens>(tile);
  each<tile_tokens>(JACKDAW_EACH(t) { sums[t.index] = _mm512_setzero_ps(); });
  const auto values = [&](std::int64_t b) __attribute__((always_inline)) {
    return record_at(tile, b, 0).values;
  };
  if constexpr (layout_at<encoding>.halves()) {
    for (std::int64_t b = 0; b < count; ++b) {
      multiply<0>(values(b), stride, blocks[b].codes[0], products[0]);
      multiply<1>(values(b) + 16, stride, blocks[b].codes[4], products[1]);
      add_halves<encoding>(tile, b, blocks[b], products, sums);
    }
  } else {
    // One block ahead, so that its products are there when the sums get to them.
    multiply<0>(values(0), stride, blocks[0].codes[0], products[0]);
    std::int64_t b = 0;
    for (; b + 2 < count; b += 2) {
      multiply<1>(values(b + 1), stride, blocks[b + 1].codes[0], products[1]);
      add_products<encoding>(tile, b, blocks[b], products[0], sums);
      multiply<0>(values(b + 2), stride, blocks[b + 2].codes[0], products[0]);
      add_products<encoding>(tile, b + 1, blocks[b + 1], products[1], sums);
    }
    if (b + 1 < count) multiply<1>(values(b + 1), stride, blocks[b + 1].codes[0], products[1]);
    add_products<encoding>(tile, b, blocks[b], products[0], sums);
    if (b + 1 < count) add_products<encoding>(tile, b + 1, blocks[b + 1], products[1], sums);
  }
  store_tile<Vector512, tile_tokens>(tile, sums);
}

// All tokens of a call whose number is a multiple of 16.
template <Encoding encoding>
void amx_linear_of(const LinearCall& call) {
  const PackedLinear& weight = *call.weight;
  const std::int64_t blocks = weight.columns / block_columns;
  const auto group_bytes = static_cast<std::int64_t>(packed_group_bytes(encoding, weight.columns));
  const auto stride = static_cast<std::int64_t>(call.activation_stride);
  const std::int64_t together = blocks < unpacked_blocks ? unpacked_blocks / blocks : 1;
  std::int64_t piece = piece_bytes / (stride * tile_tokens) * tile_tokens;
  if (piece < 4 * tile_tokens) piece = 4 * tile_tokens;
  UnpackedBlock unpacked[unpacked_blocks_max];
  const Tiles tiles(config_for(layout_at<encoding>.halves() ? 16 : 32));
  for (std::int64_t first = 0; first < call.tokens; first += piece) {
    const std::int64_t last = call.tokens - first < piece ? call.tokens : first + piece;
    for (std::int64_t begin = call.group_begin; begin < call.group_end; begin += together) {
      const std::int64_t end = call.group_end - begin < together ? call.group_end : begin + together;
      for (std::int64_t group = begin; group < end; ++group) {
        const auto* packed = reinterpret_cast<const unsigned char*>(weight.data) + group * group_bytes;
        unpack_group<encoding>(packed, blocks, unpacked + (group - begin) * blocks);
      }
      for (std::int64_t token = first; token < last; token += tile_tokens) {
        for (std::int64_t group = begin; group < end; ++group) {
          const Tile tile = tile_at(call, group * group_rows, group_rows, token);
          amx_tile<encoding>(tile, unpacked + (group - begin) * blocks);
        }
      }
    }
  }
}

template <Encoding encoding>
constexpr LinearFunction amx_function() {
  if constexpr (layout_at<encoding>.is_float())
    return nullptr;
  else
    return amx_linear_of<encoding>;
}

template <int... encodings>
constexpr auto amx_table(std::integer_sequence<int, encodings...>) {
  struct Table {
    LinearFunction at[sizeof...(encodings)];
  };
  return Table{{amx_function<static_cast<Encoding>(encodings)>()...}};
}

void amx_linear(const LinearCall& call) {
  static constexpr auto table = amx_table(std::make_integer_sequence<int, static_cast<int>(encoding_table.size())>{});
  const LinearFunction function = table.at[static_cast<std::size_t>(call.weight->encoding)];
  LinearCall rest = call;
  const bool fits = call.weight->columns <= unpacked_blocks_max * block_columns;
  if (function != nullptr && fits && call.tokens >= tokens_min) {
    LinearCall whole = call;
    whole.tokens = call.tokens / tile_tokens * tile_tokens;
    function(whole);
    rest.tokens -= whole.tokens;
    rest.activations = static_cast<const unsigned char*>(call.activations) +
                       static_cast<std::size_t>(whole.tokens) * call.activation_stride;
    rest.out += whole.tokens * call.out_stride;
  }
  if (rest.tokens > 0) linear_avx512()->linear(rest);
}

// Tile registers are lent by the system on request, to the whole process (Documentation/arch/x86/xstate.rst).
bool tiles_are_lent() {
  constexpr long request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long tile_data = 18;               // XFEATURE_XTILE_DATA
  return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

}  // namespace

const LinearKernels* linear_amx() {
  static const LinearKernels kernels{"amx-int8", linear_avx512()->quantize_rows, linear_avx512()->normalize_rows,
                                     amx_linear};
  static const bool lent = tiles_are_lent();
  return lent ? &kernels : nullptr;
}

}  // namespace jackdaw::kernels
#else
namespace jackdaw::kernels {
const LinearKernels* linear_amx() {
  return nullptr;
}
}  // namespace jackdaw::kernels
#endif
