// Packing is lossless and may happen in any order of parts.
#include <catch2/catch.hpp>

#include "linear_cases.h"

namespace {

using namespace linear_cases;
using namespace jackdaw::kernels;

std::size_t bytes_of_row(const Case& c) {
  return jackdaw::row_bytes(c.encoding, static_cast<std::size_t>(c.columns)).value();
}

TEST_CASE("PackedRowsUnpackAsTheyDequantize") {
  std::mt19937 random(1);
  for (const Case& c : all_cases()) {
    INFO(jackdaw::encoding_info(c.encoding).name << " " << c.rows << "x" << c.columns);
    const auto source = random_rows(c.encoding, c.rows, c.columns, random);
    Bytes packed(packed_bytes(c.encoding, c.rows, c.columns));
    pack_rows(c.encoding, c.columns, source.data(), c.rows, 0, packed.data());
    const PackedLinear weight{c.encoding, c.rows, c.columns, packed.data()};
    std::vector<float> expected(static_cast<std::size_t>(c.columns)), out(expected.size());
    for (std::int64_t row = 0; row < c.rows; ++row) {
      dequantize_row(c.encoding, source.data() + static_cast<std::size_t>(row) * bytes_of_row(c), c.columns,
                     expected.data());
      unpack_row(weight, row, out.data());
      REQUIRE(out == expected);
    }
  }
}

TEST_CASE("PartsThatBeginInsideAGroupPackAsOne") {
  std::mt19937 random(2);
  for (const Encoding encoding : {Encoding::q4_1, Encoding::q6_k, Encoding::bf16}) {
    const Case c{encoding, 50, 256};
    const auto source = random_rows(c.encoding, c.rows, c.columns, random);
    Bytes whole(packed_bytes(c.encoding, c.rows, c.columns)), parts(packed_bytes(c.encoding, c.rows, c.columns));
    pack_rows(c.encoding, c.columns, source.data(), c.rows, 0, whole.data());
    const std::int64_t cuts[] = {35, 50, 0, 7, 7, 35};  // from, to: out of order, inside groups
    for (int i = 0; i < 6; i += 2) {
      pack_rows(c.encoding, c.columns, source.data() + static_cast<std::size_t>(cuts[i]) * bytes_of_row(c),
                cuts[i + 1] - cuts[i], cuts[i], parts.data());
    }
    CHECK(std::memcmp(whole.data(), parts.data(), packed_bytes(c.encoding, c.rows, c.columns)) == 0);
  }
}

TEST_CASE("AViewOnStackedRowsHasTheirBytes") {
  std::mt19937 random(3);
  const auto source = random_rows(Encoding::q8_0, 96, 64, random);
  Bytes packed(packed_bytes(Encoding::q8_0, 96, 64));
  pack_rows(Encoding::q8_0, 64, source.data(), 96, 0, packed.data());
  const PackedLinear all{Encoding::q8_0, 96, 64, packed.data()};
  const PackedLinear view = packed_view(all, 48, 20);
  CHECK(view.rows == 20);
  CHECK(view.groups() == 2);
  std::vector<float> expected(64), out(64);
  unpack_row(all, 48 + 19, expected.data());
  unpack_row(view, 19, out.data());
  CHECK(out == expected);
}

TEST_CASE("PackedWeightsStayWithinAFewPercentOfTheFile") {
  for (std::size_t e = 0; e < jackdaw::encoding_table.size(); ++e) {
    const auto encoding = static_cast<Encoding>(e);
    INFO(jackdaw::encoding_info(encoding).name);
    const double file = static_cast<double>(1024 * jackdaw::row_bytes(encoding, 2048).value());
    const double packed = static_cast<double>(packed_bytes(encoding, 1024, 2048));
    CHECK(packed >= file);
    CHECK(packed <= file * 1.06);
  }
}

TEST_CASE("RefusesShapesWithoutWholeBlocks") {
  CHECK(can_pack(Encoding::q4_0, 1, 32));
  CHECK_FALSE(can_pack(Encoding::q4_0, 1, 33));
  CHECK_FALSE(can_pack(Encoding::q4_k, 1, 576));
  CHECK_FALSE(can_pack(Encoding::q4_0, 0, 32));
  CHECK_FALSE(can_pack(Encoding::f32, 1, 0));
  CHECK(can_pack(Encoding::bf16, 1, 3));
}

}  // namespace
