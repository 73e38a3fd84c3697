#include "jackdaw/base/float16.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

#include "jackdaw/base/encoding.h"

using namespace jackdaw;

TEST_CASE("HalfAndBfloatWidenExactly") {
  CHECK(float_from_half(0x3c00) == 1.0f);
  CHECK(float_from_half(0xc000) == -2.0f);
  CHECK(float_from_half(0x7bff) == 65504.0f);
  CHECK(float_from_half(0x0001) == 5.9604644775390625e-8f);
  CHECK(float_from_half(0x8001) == -5.9604644775390625e-8f);
  CHECK(float_from_half(0x0400) == 6.103515625e-5f);
  CHECK(std::isinf(float_from_half(0x7c00)));
  CHECK(std::isnan(float_from_half(0x7e00)));
  CHECK(float_from_bfloat16(0xbf80) == -1.0f);
}

TEST_CASE("EveryHalfSurvivesTheWayThereAndBack") {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float wide = float_from_half(half);
    if (std::isnan(wide)) {
      REQUIRE(std::isnan(float_from_half(half_from_float(wide))));
    } else {
      REQUIRE(half_from_float(wide) == half);
    }
  }
}

TEST_CASE("HalvesRoundToNearestTiesToEven") {
  CHECK(half_from_float(2049.0f) == half_from_float(2048.0f));  // halfway, the even one is below
  CHECK(half_from_float(2051.0f) == half_from_float(2052.0f));  // halfway, the even one is above
  CHECK(half_from_float(65519.0f) == 0x7bff);
  CHECK(half_from_float(65520.0f) == 0x7c00);
  CHECK(half_from_float(0x1p-25f) == 0x0000);
  CHECK(half_from_float(0x1.000002p-25f) == 0x0001);
  CHECK(half_from_float(-0.0f) == 0x8000);
  CHECK(half_from_float(std::numeric_limits<float>::infinity()) == 0x7c00);
}

TEST_CASE("Bfloat16RoundsToNearestTiesToEven") {
  CHECK(bfloat16_from_float(1.0f) == 0x3f80);
  CHECK(bfloat16_from_float(std::bit_cast<float>(0x3f808000u)) == 0x3f80);
  CHECK(bfloat16_from_float(std::bit_cast<float>(0x3f818000u)) == 0x3f82);
  CHECK(std::isnan(float_from_bfloat16(bfloat16_from_float(std::bit_cast<float>(0x7f800001u)))));
}

TEST_CASE("RowsAreWholeBlocks") {
  CHECK(row_bytes(Encoding::q4_1, 576) == 360u);
  CHECK(row_bytes(Encoding::q4_k, 512) == 288u);
  CHECK_FALSE(row_bytes(Encoding::q4_k, 576).has_value());
  CHECK(encoding_from_ggml(39) == Encoding::mxfp4);
  CHECK_FALSE(encoding_from_ggml(4).has_value());
}
