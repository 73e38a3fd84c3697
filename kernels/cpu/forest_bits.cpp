// Rows of bits to byte columns: columns[i][row] = 255 where bit i of rows[row] is set, else 0, for 64 rows.
//
// Eight columns at a time: the rows' bytes are collected into 64 bytes, and each of their bits becomes a column by one
// vector AND and compare per 16 rows.
#include "jackdaw/kernels/forest.h"

namespace jackdaw::kernels {
namespace {

typedef std::uint8_t U8x16 __attribute__((vector_size(16)));

void write_column(const std::uint8_t* bytes, std::uint8_t bit, std::uint8_t* out) {
  for (std::uint32_t row = 0; row < forest_block_rows; row += 16) {
    U8x16 lanes;
    __builtin_memcpy(&lanes, bytes + row, sizeof(lanes));
    lanes = (U8x16)((lanes & bit) == bit);
    __builtin_memcpy(out + row, &lanes, sizeof(lanes));
  }
}

}  // namespace

void forest_bit_columns(const std::uint8_t* const* rows, std::size_t n_columns, std::uint8_t* columns) {
  std::uint8_t bytes[forest_block_rows];
  for (std::size_t column = 0; column < n_columns; ++column) {
    if (column % 8 == 0) {
      for (std::uint32_t row = 0; row < forest_block_rows; ++row) bytes[row] = rows[row][column / 8];
    }
    write_column(bytes, static_cast<std::uint8_t>(1u << (column % 8)), columns + column * forest_block_rows);
  }
}

}  // namespace jackdaw::kernels
