// Decoding of blocks against golden values of the Python package gguf (tests/data/llm/quant/make_quant.py), and the
// quantizers against the error their step allows.
#include "jackdaw/kernels/quant.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace {

using jackdaw::Encoding;
using jackdaw::encoding_info;

std::vector<char> file_bytes(const std::string& name) {
  std::ifstream in(std::string(JACKDAW_SOURCE_DIR) + "/tests/data/llm/quant/" + name, std::ios::binary);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Golden {
  Encoding encoding;
  std::vector<std::byte> blocks;
  std::vector<float> values;
};

std::vector<Golden> goldens() {
  const std::vector<char> bytes = file_bytes("blocks.bin");
  std::vector<Golden> out;
  for (std::size_t at = 0; at < bytes.size();) {
    std::uint32_t head[3];
    std::memcpy(head, bytes.data() + at, sizeof(head));
    at += sizeof(head);
    Golden golden;
    golden.encoding = jackdaw::encoding_from_ggml(head[0]).value();
    golden.blocks.resize(jackdaw::row_bytes(golden.encoding, head[2]).value());
    golden.values.resize(head[2]);
    std::memcpy(golden.blocks.data(), bytes.data() + at, golden.blocks.size());
    at += golden.blocks.size();
    std::memcpy(golden.values.data(), bytes.data() + at, golden.values.size() * sizeof(float));
    at += golden.values.size() * sizeof(float);
    out.push_back(std::move(golden));
  }
  return out;
}

TEST_CASE("DequantizesEveryEncodingAsGgufDoes") {
  const std::vector<Golden> all = goldens();
  CHECK(all.size() == jackdaw::encoding_table.size() - 1);  // F32 is itself
  for (const Golden& golden : all) {
    INFO(encoding_info(golden.encoding).name);
    std::vector<float> out(golden.values.size());
    jackdaw::kernels::dequantize_row(golden.encoding, golden.blocks.data(), static_cast<std::int64_t>(out.size()),
                                     out.data());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < out.size(); ++i) wrong += out[i] != golden.values[i];
    CHECK(wrong == 0);
  }
}

TEST_CASE("DequantizesFloatsAsTheyAre") {
  const float in[3] = {1.5f, -0.0f, 3e38f};
  float out[3] = {};
  jackdaw::kernels::dequantize_row(Encoding::f32, reinterpret_cast<const std::byte*>(in), 3, out);
  CHECK(std::memcmp(in, out, sizeof(in)) == 0);
}

TEST_CASE("QuantizedRowsComeBackWithinTheirStep") {
  // Half a step of the scale, plus the rounding of the scale (and min) to half precision.
  const std::vector<std::pair<Encoding, double>> cases{{Encoding::f32, 0.0},        {Encoding::f16, 0x1p-11},
                                                       {Encoding::bf16, 0x1p-8},    {Encoding::q4_0, 1.02 / 16},
                                                       {Encoding::q4_1, 1.02 / 15}, {Encoding::q5_0, 1.03 / 32},
                                                       {Encoding::q5_1, 1.03 / 31}, {Encoding::q8_0, 1.1 / 254}};
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  for (const auto& [encoding, step] : cases) {
    INFO(encoding_info(encoding).name);
    REQUIRE(jackdaw::kernels::can_quantize(encoding));
    std::vector<float> in(256), out(256);
    for (float& x : in) x = normal(random);
    std::fill(in.begin() + 32, in.begin() + 64, 0.0f);
    std::vector<std::byte> blocks(jackdaw::row_bytes(encoding, in.size()).value());
    jackdaw::kernels::quantize_row(encoding, in.data(), 256, blocks.data());
    jackdaw::kernels::dequantize_row(encoding, blocks.data(), 256, out.data());
    for (std::size_t b = 0; b < in.size(); b += 32) {
      double range = 0.0;
      for (std::size_t i = b; i < b + 32; ++i) range = std::max(range, 2.0 * std::fabs(in[i]));
      for (std::size_t i = b; i < b + 32; ++i) REQUIRE(std::fabs(out[i] - in[i]) <= range * step + 1e-12);
    }
  }
  CHECK_FALSE(jackdaw::kernels::can_quantize(Encoding::q4_k));
}

}  // namespace
