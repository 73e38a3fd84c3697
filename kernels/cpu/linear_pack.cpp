// Repacking of rows: each block of 32 columns becomes plain codes and scales first, whatever its encoding, then planes.
//
// Rows are written one after the other: 4 bytes per plane, 16 rows apart by 4 bytes, so that a group's lines stay in L1
// while its 16 rows pass. Codes are handled eight or four at a time as bytes of a word.
#include <algorithm>
#include <cstring>

#include "jackdaw/kernels/linear.h"
#include "jackdaw/kernels/quant.h"
#include "linear_layout.h"
#include "quant_tables.h"

namespace jackdaw::kernels {
namespace {

// One block of 32 columns of one row, unpacked.
struct Codes {
  std::uint32_t words[8];  // codes as bytes, columns in order
};

std::uint32_t nibbles_low(std::uint32_t word) {
  return word & 0x0f0f0f0f;
}
std::uint32_t nibbles_high(std::uint32_t word) {
  return word >> 4 & 0x0f0f0f0f;
}

// 16 bytes: columns 0..15 in the low, 16..31 in the high nibbles.
Codes codes_of_nibbles(const std::byte* source) {
  Codes codes;
  for (std::size_t i = 0; i < 4; ++i) {
    const std::uint32_t word = word_at(source, 4 * i);
    codes.words[i] = nibbles_low(word);
    codes.words[i + 4] = nibbles_high(word);
  }
  return codes;
}

// Four bits to the lowest bits of four bytes.
std::uint32_t spread_bits(std::uint32_t bits) {
  return (bits * 0x00204081u) & 0x01010101u;
}

// Adds `bits` (bit i for column i) as bit 4.
void add_fifth_bits(Codes& codes, std::uint32_t bits) {
  for (std::size_t j = 0; j < 8; ++j) codes.words[j] |= spread_bits(bits >> (4 * j) & 15) << 4;
}

// Block ib (0..7) of a k-quant's 256 columns, by how each spreads codes over bytes. Every byte holds fields of several
// blocks: `field` cuts `mask` out of 32 bytes at a shift.
Codes field(const std::byte* source, std::size_t shift, std::uint32_t mask) {
  Codes codes;
  for (std::size_t j = 0; j < 8; ++j) codes.words[j] = word_at(source, 4 * j) >> shift & mask;
  return codes;
}

void or_shifted(Codes& codes, const Codes& high, std::size_t shift) {
  for (std::size_t j = 0; j < 8; ++j) codes.words[j] |= high.words[j] << shift;
}

Codes k_quant_codes(Encoding encoding, const std::byte* block, std::size_t ib) {
  const std::size_t half = ib / 4, quarter = ib % 4;
  switch (encoding) {
    case Encoding::q2_k:
      return field(block + 16 + half * 32, quarter * 2, 0x03030303);
    case Encoding::q3_k: {
      Codes codes = field(block + 32 + half * 32, quarter * 2, 0x03030303);
      or_shifted(codes, field(block, ib, 0x01010101), 2);
      return codes;
    }
    case Encoding::q4_k:
      return field(block + 16 + ib / 2 * 32, ib % 2 * 4, 0x0f0f0f0f);
    case Encoding::q5_k: {
      Codes codes = field(block + 48 + ib / 2 * 32, ib % 2 * 4, 0x0f0f0f0f);
      or_shifted(codes, field(block + 16, ib, 0x01010101), 4);
      return codes;
    }
    default: {  // Q6_K
      Codes codes = field(block + half * 64 + (quarter & 1) * 32, quarter / 2 * 4, 0x0f0f0f0f);
      or_shifted(codes, field(block + 128 + half * 32, quarter * 2, 0x03030303), 4);
      return codes;
    }
  }
}

// Block `index` of a row.
Codes codes_at(Encoding encoding, const std::byte* row, std::size_t index) {
  const EncodingInfo& info = encoding_info(encoding);
  const std::size_t per_block = info.block_elements / static_cast<std::size_t>(block_columns);
  const std::byte* block = row + index / per_block * info.block_bytes;
  switch (encoding) {
    case Encoding::q4_0:
    case Encoding::iq4_nl:
      return codes_of_nibbles(block + 2);
    case Encoding::q4_1:
      return codes_of_nibbles(block + 4);
    case Encoding::mxfp4:
      return codes_of_nibbles(block + 1);
    case Encoding::iq4_xs:
      return codes_of_nibbles(block + 8 + index % 8 * 16);
    case Encoding::q5_0: {
      Codes codes = codes_of_nibbles(block + 6);
      add_fifth_bits(codes, word_at(block, 2));
      return codes;
    }
    case Encoding::q5_1: {
      Codes codes = codes_of_nibbles(block + 8);
      add_fifth_bits(codes, word_at(block, 4));
      return codes;
    }
    case Encoding::q8_0: {
      Codes codes;
      for (std::size_t j = 0; j < 8; ++j) codes.words[j] = word_at(block + 2, 4 * j) ^ 0x80808080;
      return codes;
    }
    default:
      return k_quant_codes(encoding, block, index % 8);
  }
}

void put_word(std::byte* planes, std::size_t plane, std::size_t lane, std::uint32_t word) {
  std::memcpy(planes + plane * plane_bytes + 4 * lane, &word, sizeof(word));
}

std::uint32_t get_word(const std::byte* planes, std::size_t plane, std::size_t lane) {
  return word_at(planes, plane * plane_bytes + 4 * lane);
}

void put_planes4(const Codes& codes, std::byte* planes, std::size_t lane) {
  for (std::size_t p = 0; p < 4; ++p) {
    put_word(planes, p, lane, nibbles_low(codes.words[p]) | nibbles_low(codes.words[p + 4]) << 4);
  }
}

void put_planes2(const Codes& codes, std::size_t shift, std::byte* planes, std::size_t lane) {
  for (std::size_t p = 0; p < 2; ++p) {
    std::uint32_t word = 0;
    for (std::size_t i = 0; i < 4; ++i) word |= (codes.words[4 * p + i] >> shift & 0x03030303) << (2 * i);
    put_word(planes, p, lane, word);
  }
}

void put_plane1(const Codes& codes, std::size_t shift, std::byte* planes, std::size_t lane) {
  std::uint32_t word = 0;
  for (std::size_t j = 0; j < 8; ++j) word |= (codes.words[j] >> shift & 0x01010101) << j;
  put_word(planes, 0, lane, word);
}

void put_codes(const Codes& codes, std::size_t bits, std::byte* planes, std::size_t lane) {
  if (bits == 8) {
    for (std::size_t j = 0; j < 8; ++j) put_word(planes, j, lane, codes.words[j]);
    return;
  }
  const std::size_t low_bits = bits < 4 ? 2 : 4;
  if (low_bits == 4) put_planes4(codes, planes, lane);
  if (low_bits == 2) put_planes2(codes, 0, planes, lane);
  std::byte* high = planes + low_bits * plane_bytes;
  if (bits - low_bits == 2) put_planes2(codes, 4, high, lane);
  if (bits - low_bits == 1) put_plane1(codes, low_bits, high, lane);
}

Codes get_codes(std::size_t bits, const std::byte* planes, std::size_t lane) {
  Codes codes;
  const std::size_t low_bits = bits == 8 ? 8 : bits < 4 ? 2 : 4;
  const std::byte* high = planes + low_bits * plane_bytes;
  for (std::size_t j = 0; j < 8; ++j) {
    std::uint32_t word = 0;
    if (low_bits == 8) word = get_word(planes, j, lane);
    if (low_bits == 4) word = get_word(planes, j % 4, lane) >> (j / 4 * 4) & 0x0f0f0f0f;
    if (low_bits == 2) word = get_word(planes, j / 4, lane) >> (j % 4 * 2) & 0x03030303;
    if (bits - low_bits == 2) word |= (get_word(high, j / 4, lane) >> (j % 4 * 2) & 0x03030303) << low_bits;
    if (bits - low_bits == 1) word |= (get_word(high, 0, lane) >> j & 0x01010101) << low_bits;
    codes.words[j] = word;
  }
  return codes;
}

// ---- Scales -------------------------------------------------------------------------------------------------------

void put_half(std::byte* array, std::size_t lane, const std::byte* source) {
  std::memcpy(array + 2 * lane, source, 2);
}

void put_byte(std::byte* array, std::size_t lane, unsigned value) {
  array[lane] = static_cast<std::byte>(value);
}

// Scales of a k-quant's 256 columns: `header` is the chunk's.
void put_super_scales(Encoding encoding, const std::byte* block, std::byte* header, std::size_t lane) {
  switch (encoding) {
    case Encoding::q2_k:
      put_half(header, lane, block + 80);
      put_half(header + 32, lane, block + 82);
      for (std::size_t i = 0; i < 16; ++i) put_byte(header + 64 + 16 * i, lane, byte_at(block, i));
      break;
    case Encoding::q3_k: {
      std::int8_t scales[16];
      q3_k_scales(block + 96, scales);
      put_half(header, lane, block + 108);
      for (std::size_t i = 0; i < 16; ++i) put_byte(header + 32 + 16 * i, lane, static_cast<std::uint8_t>(scales[i]));
      break;
    }
    case Encoding::q4_k:
    case Encoding::q5_k:
      put_half(header, lane, block);
      put_half(header + 32, lane, block + 2);
      for (std::size_t i = 0; i < 8; ++i) {
        const ScaleMin pair = k_scale_min(block + 4, i);
        put_byte(header + 64 + 32 * i, lane, pair.scale);
        put_byte(header + 80 + 32 * i, lane, pair.min);
      }
      break;
    case Encoding::q6_k:
      put_half(header, lane, block + 208);
      for (std::size_t i = 0; i < 16; ++i) put_byte(header + 32 + 16 * i, lane, byte_at(block, 192 + i));
      break;
    default:  // IQ4_XS
      put_half(header, lane, block);
      for (std::size_t i = 0; i < 8; ++i) {
        const std::int8_t scale = iq4_xs_scale(half_bits_at(block, 2), block + 4, i);
        put_byte(header + 32 + 16 * i, lane, static_cast<std::uint8_t>(scale));
      }
      break;
  }
}

void put_scales(Encoding encoding, const std::byte* row, std::size_t index, std::byte* header, std::size_t in_chunk,
                std::size_t lane) {
  const EncodingInfo& info = encoding_info(encoding);
  switch (layout_of(encoding).header) {
    case Header::half:
      put_half(header + 32 * in_chunk, lane, row + index * info.block_bytes);
      break;
    case Header::half_min:
      put_half(header + 64 * in_chunk, lane, row + index * info.block_bytes);
      put_half(header + 64 * in_chunk + 32, lane, row + index * info.block_bytes + 2);
      break;
    case Header::exponent:
      put_byte(header + 16 * in_chunk, lane, byte_at(row, index * info.block_bytes));
      break;
    default:
      if (in_chunk == 0) put_super_scales(encoding, row + index / 8 * info.block_bytes, header, lane);
      break;
  }
}

// Scale and min (to be added) of each half of a block.
struct BlockScales {
  float scale[2];
  float min[2];
};

BlockScales get_scales(const Layout& layout, const std::byte* header, std::size_t in_chunk, std::size_t lane) {
  const auto signed_at = [&](std::size_t at) {
    return static_cast<float>(static_cast<std::int8_t>(header[at + lane]));
  };
  const auto byte_of = [&](std::size_t at) { return static_cast<unsigned>(byte_at(header, at + lane)); };
  switch (layout.header) {
    case Header::half: {
      const float d = half_at(header, 32 * in_chunk + 2 * lane);
      return {{d, d}, {}};
    }
    case Header::half_min: {
      const float d = half_at(header, 64 * in_chunk + 2 * lane), m = half_at(header, 64 * in_chunk + 32 + 2 * lane);
      return {{d, d}, {m, m}};
    }
    case Header::exponent: {
      const float d = mxfp4_scale(byte_of(16 * in_chunk));
      return {{d, d}, {}};
    }
    case Header::super_min: {
      const float d = half_at(header, 2 * lane) * static_cast<float>(byte_of(64 + 32 * in_chunk));
      const float m = -(half_at(header, 32 + 2 * lane) * static_cast<float>(byte_of(80 + 32 * in_chunk)));
      return {{d, d}, {m, m}};
    }
    case Header::super_min16: {
      BlockScales scales;
      for (std::size_t i = 0; i < 2; ++i) {
        const unsigned pair = byte_of(64 + 32 * in_chunk + 16 * i);
        scales.scale[i] = half_at(header, 2 * lane) * static_cast<float>(pair & 15);
        scales.min[i] = -(half_at(header, 32 + 2 * lane) * static_cast<float>(pair >> 4));
      }
      return scales;
    }
    case Header::super_signed: {
      const float d = half_at(header, 2 * lane) * signed_at(32 + 16 * in_chunk);
      return {{d, d}, {}};
    }
    default: {
      const float d = half_at(header, 2 * lane);
      return {{d * signed_at(32 + 32 * in_chunk), d * signed_at(48 + 32 * in_chunk)}, {}};
    }
  }
}

// ---- Rows ---------------------------------------------------------------------------------------------------------

void pack_blocks(Encoding encoding, const std::byte* row, std::int64_t columns, std::byte* group, std::size_t lane) {
  const Layout& layout = layout_of(encoding);
  const std::size_t blocks = static_cast<std::size_t>(columns / block_columns);
  for (std::size_t i = 0; i < blocks; ++i) {
    const BlockPlace place = block_place(layout, i);
    put_codes(codes_at(encoding, row, i), layout.bits, group + place.codes, lane);
    put_scales(encoding, row, i, group + place.header, place.in_chunk, lane);
  }
}

const std::int8_t* book_of(Encoding encoding) {
  return encoding == Encoding::mxfp4 ? mxfp4_values : iq4_values;
}

void unpack_blocks(Encoding encoding, const std::byte* group, std::int64_t columns, std::size_t lane, float* out) {
  const Layout& layout = layout_of(encoding);
  const std::size_t blocks = static_cast<std::size_t>(columns / block_columns);
  for (std::size_t i = 0; i < blocks; ++i, out += block_columns) {
    const BlockPlace place = block_place(layout, i);
    const Codes codes = get_codes(layout.bits, group + place.codes, lane);
    const BlockScales scales = get_scales(layout, group + place.header, place.in_chunk, lane);
    for (std::size_t k = 0; k < 32; ++k) {
      const int code = static_cast<int>(codes.words[k / 4] >> (8 * (k % 4)) & 0xff);
      const float value = static_cast<float>(layout.book ? book_of(encoding)[code] : code - layout.offset);
      out[k] = scales.scale[k / 16] * value;
      if (layout.has_min()) out[k] += scales.min[k / 16];
    }
  }
}

// Where element (lane, k) of a float group is: bf16 keeps pairs of columns together, as vdpbf16ps and 32-bit lanes
// like them.
std::size_t float_place(Encoding encoding, std::size_t lane, std::size_t k) {
  if (encoding == Encoding::f32) return (k * 16 + lane) * 4;
  if (encoding == Encoding::f16) return (k * 16 + lane) * 2;
  return (k / 2 * 32 + lane * 2 + k % 2) * 2;
}

template <std::size_t size>
void pack_floats(Encoding encoding, const std::byte* row, std::int64_t columns, std::byte* group, std::size_t lane) {
  for (std::size_t k = 0; k < static_cast<std::size_t>(columns); ++k) {
    std::memcpy(group + float_place(encoding, lane, k), row + k * size, size);
  }
}

void unpack_floats(Encoding encoding, const std::byte* group, std::int64_t columns, std::size_t lane, float* out) {
  for (std::size_t k = 0; k < static_cast<std::size_t>(columns); ++k) {
    dequantize_row(encoding, group + float_place(encoding, lane, k), 1, out + k);
  }
}

std::size_t round_up(std::size_t value, std::size_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace

bool can_pack(Encoding encoding, std::int64_t rows, std::int64_t columns) {
  return rows > 0 && columns > 0 && row_bytes(encoding, static_cast<std::size_t>(columns)).has_value();
}

std::size_t packed_group_bytes(Encoding encoding, std::int64_t columns) {
  const Layout& layout = layout_of(encoding);
  const auto width = static_cast<std::size_t>(columns);
  if (layout.is_float()) {
    return round_up(16 * round_up(width, encoding == Encoding::bf16 ? 2 : 1) * layout.bits / 8, packed_alignment);
  }
  const std::size_t blocks = width / static_cast<std::size_t>(block_columns);
  const std::size_t chunks = (blocks + layout.chunk_blocks - 1) / layout.chunk_blocks;
  return chunks * layout.header_bytes() + blocks * layout.block_bytes();
}

std::size_t packed_bytes(Encoding encoding, std::int64_t rows, std::int64_t columns) {
  return static_cast<std::size_t>((rows + group_rows - 1) / group_rows) * packed_group_bytes(encoding, columns);
}

void pack_rows(Encoding encoding, std::int64_t columns, const std::byte* source, std::int64_t source_rows,
               std::int64_t first_row, std::byte* packed) {
  const std::size_t group_bytes = packed_group_bytes(encoding, columns);
  const std::size_t source_bytes = row_bytes(encoding, static_cast<std::size_t>(columns)).value_or(0);
  for (std::int64_t i = 0; i < source_rows; ++i, source += source_bytes) {
    const std::int64_t row = first_row + i;
    std::byte* group = packed + static_cast<std::size_t>(row / group_rows) * group_bytes;
    const auto lane = static_cast<std::size_t>(row % group_rows);
    if (encoding == Encoding::f32) {
      pack_floats<4>(encoding, source, columns, group, lane);
    } else if (layout_of(encoding).is_float()) {
      pack_floats<2>(encoding, source, columns, group, lane);
    } else {
      pack_blocks(encoding, source, columns, group, lane);
    }
  }
}

PackedLinear packed_view(const PackedLinear& weight, std::int64_t first_row, std::int64_t rows) {
  const std::size_t at =
      static_cast<std::size_t>(first_row / group_rows) * packed_group_bytes(weight.encoding, weight.columns);
  return {weight.encoding, rows, weight.columns, weight.data + at};
}

void unpack_row(const PackedLinear& weight, std::int64_t row, float* out) {
  const std::byte* group =
      weight.data + static_cast<std::size_t>(row / group_rows) * packed_group_bytes(weight.encoding, weight.columns);
  const auto lane = static_cast<std::size_t>(row % group_rows);
  if (layout_of(weight.encoding).is_float()) {
    unpack_floats(weight.encoding, group, weight.columns, lane, out);
  } else {
    unpack_blocks(weight.encoding, group, weight.columns, lane, out);
  }
}

ActivationForm activation_form(Encoding encoding) {
  return layout_of(encoding).is_float() ? ActivationForm::floats : ActivationForm::blocks;
}

std::size_t activation_bytes(ActivationForm form, std::int64_t columns) {
  const auto width = static_cast<std::size_t>(columns);
  if (form == ActivationForm::floats) return round_up(width * sizeof(float), packed_alignment);
  return width / static_cast<std::size_t>(block_columns) * sizeof(ActivationBlock);
}

}  // namespace jackdaw::kernels
