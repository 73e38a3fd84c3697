// Linear layers on every instruction set of this machine: against double arithmetic on decoded weights, against each
// other bit by bit, and bit by bit against themselves in other batches and other splits.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "jackdaw/base/cpu.h"
#include "linear_cases.h"

namespace {

using namespace linear_cases;
using namespace jackdaw::kernels;

std::vector<const LinearKernels*> implementations() {
  std::vector<const LinearKernels*> out{linear_plain()};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && linear_avx2() != nullptr) {
    out.push_back(linear_avx2());
  }
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") && linear_avx512() != nullptr) {
    out.push_back(linear_avx512());
    if (jackdaw::cpu_features().amx_int8 && linear_amx() != nullptr) out.push_back(linear_amx());
  }
#endif
  return out;
}

// A weight with its source kept for the reference.
struct Weights {
  Case shape;
  std::vector<std::byte> source;
  Bytes packed;
  PackedLinear linear;

  Weights(const Case& c, std::mt19937& random)
      : shape(c),
        source(random_rows(c.encoding, c.rows, c.columns, random)),
        packed(packed_bytes(c.encoding, c.rows, c.columns)),
        linear{c.encoding, c.rows, c.columns, packed.data()} {
    pack_rows(c.encoding, c.columns, source.data(), c.rows, 0, packed.data());
  }
  std::vector<float> row(std::int64_t index) const {
    std::vector<float> out(static_cast<std::size_t>(shape.columns));
    const std::size_t bytes = jackdaw::row_bytes(shape.encoding, out.size()).value();
    dequantize_row(shape.encoding, source.data() + static_cast<std::size_t>(index) * bytes, shape.columns, out.data());
    return out;
  }
};

struct Activations {
  std::vector<float> floats;
  std::size_t stride;
  Bytes bytes;

  Activations(const LinearKernels& kernels, const Case& c, std::int64_t tokens, std::vector<float> values)
      : floats(std::move(values)),
        stride(activation_bytes(activation_form(c.encoding), c.columns)),
        bytes(stride * static_cast<std::size_t>(tokens)) {
    if (activation_form(c.encoding) == ActivationForm::blocks) {
      kernels.quantize_rows({tokens, c.columns, floats.data(), c.columns, bytes.data(), stride});
      return;
    }
    for (std::int64_t t = 0; t < tokens; ++t) {
      std::memcpy(bytes.data() + static_cast<std::size_t>(t) * stride, floats.data() + t * c.columns,
                  static_cast<std::size_t>(c.columns) * sizeof(float));
    }
  }
};

LinearCall call_of(const Weights& weights, const Activations& in, std::int64_t tokens, std::vector<float>& out) {
  LinearCall call;
  call.weight = &weights.linear;
  call.activations = in.bytes.data();
  call.activation_stride = in.stride;
  call.tokens = tokens;
  call.group_end = weights.linear.groups();
  call.out = out.data();
  call.out_stride = weights.shape.rows;
  return call;
}

std::vector<float> product(const LinearKernels& kernels, const Weights& weights, const Activations& in,
                           std::int64_t tokens) {
  std::vector<float> out(static_cast<std::size_t>(tokens * weights.shape.rows), -1.0f);
  kernels.linear(call_of(weights, in, tokens, out));
  return out;
}

struct Exact {
  double value;
  double magnitude;  // sum of |w x|
};

Exact exact_dot(const std::vector<float>& w, const float* x) {
  Exact out{0.0, 0.0};
  for (std::size_t k = 0; k < w.size(); ++k) {
    const double term = static_cast<double>(w[k]) * x[k];
    out.value += term;
    out.magnitude += std::fabs(term);
  }
  return out;
}

// Rounding an activation moves it by at most half of its block's scale (largest magnitude / 127).
double quantization_bound(const std::vector<float>& w, const float* x) {
  double bound = 0.0;
  for (std::size_t b = 0; b < w.size(); b += 32) {
    double largest = 0.0, weights = 0.0;
    for (std::size_t k = b; k < b + 32; ++k) {
      largest = std::max(largest, static_cast<double>(std::fabs(x[k])));
      weights += std::fabs(static_cast<double>(w[k]));
    }
    bound += largest / 127.0 * 0.5001 * weights;
  }
  return bound;
}

TEST_CASE("ProductsMatchDoubleArithmetic") {
  std::mt19937 random(11);
  for (const LinearKernels* kernels : implementations()) {
    for (const Case& c : all_cases()) {
      INFO(kernels->name << " " << jackdaw::encoding_info(c.encoding).name << " " << c.rows << "x" << c.columns);
      const Weights weights(c, random);
      const std::int64_t tokens = 3;
      const Activations in(*kernels, c, tokens, random_floats(tokens * c.columns, random));
      const std::vector<float> out = product(*kernels, weights, in, tokens);
      for (std::int64_t row = 0; row < c.rows; ++row) {
        const std::vector<float> w = weights.row(row);
        for (std::int64_t t = 0; t < tokens; ++t) {
          const float* x = in.floats.data() + t * c.columns;
          const Exact exact = exact_dot(w, x);
          // Float sums: each of at most `columns` additions rounds by 2^-24 of what has been added so far. Offsets of
          // codes are subtracted exactly; mins add terms of up to 15 (2^6 for 6-bit mins) times the codes' own size.
          double bound = exact.magnitude * static_cast<double>(c.columns) * 0x1p-24 + 1e-5;
          if (activation_form(c.encoding) == ActivationForm::blocks) bound = 1.01 * quantization_bound(w, x) + 1e-4;
          REQUIRE(std::fabs(out[static_cast<std::size_t>(t * c.rows + row)] - exact.value) <= bound);
        }
      }
    }
  }
}

TEST_CASE("EveryInstructionSetGivesTheSameBits") {
  std::mt19937 random(12);
  for (const Case& c : all_cases()) {
    const Weights weights(c, random);
    const std::vector<float> values = random_floats(7 * c.columns, random);
    const Activations plain_in(*linear_plain(), c, 7, values);
    const std::vector<float> expected = product(*linear_plain(), weights, plain_in, 7);
    for (const LinearKernels* kernels : implementations()) {
      INFO(kernels->name << " " << jackdaw::encoding_info(c.encoding).name << " " << c.rows << "x" << c.columns);
      const Activations in(*kernels, c, 7, values);
      REQUIRE(std::memcmp(in.bytes.data(), plain_in.bytes.data(), in.stride * 7) == 0);
      REQUIRE(product(*kernels, weights, in, 7) == expected);
    }
  }
}

TEST_CASE("ATokenHasTheSameBitsInEveryBatch") {
  std::mt19937 random(13);
  for (const LinearKernels* kernels : implementations()) {
    for (std::size_t e = 0; e < jackdaw::encoding_table.size(); ++e) {
      const Case c{static_cast<Encoding>(e), 33, 512};
      INFO(kernels->name << " " << jackdaw::encoding_info(c.encoding).name);
      const Weights weights(c, random);
      const std::int64_t most = 81;
      const std::vector<float> values = random_floats(most * c.columns, random);
      std::vector<float> alone;
      for (std::int64_t t = 0; t < most; ++t) {
        const auto first = values.begin() + t * c.columns;
        const Activations one(*kernels, c, 1, {first, first + c.columns});
        const std::vector<float> out = product(*kernels, weights, one, 1);
        alone.insert(alone.end(), out.begin(), out.end());
      }
      const Activations in(*kernels, c, most, values);
      // Tiles of 12 tokens and fewer; from 48 on some kernels change to tiles of 16.
      for (std::int64_t tokens = 1; tokens <= most; tokens += tokens < 30 ? 1 : 17) {
        const std::vector<float> out = product(*kernels, weights, in, tokens);
        REQUIRE(std::equal(out.begin(), out.end(), alone.begin()));
      }
    }
  }
}

TEST_CASE("GroupsMayBeSplitOverThreadsAnyhow") {
  std::mt19937 random(14);
  for (const LinearKernels* kernels : implementations()) {
    const Case c{Encoding::q4_1, 100, 96};
    const Weights weights(c, random);
    const Activations in(*kernels, c, 17, random_floats(17 * c.columns, random));
    const std::vector<float> whole = product(*kernels, weights, in, 17);
    for (const std::int64_t cut : {1, 3, 6}) {
      std::vector<float> out(whole.size(), -1.0f);
      LinearCall call = call_of(weights, in, 17, out);
      call.group_begin = cut;
      kernels->linear(call);
      call.group_begin = 0;
      call.group_end = cut;
      kernels->linear(call);
      CHECK(out == whole);
    }
  }
}

TEST_CASE("LongBatchesArePiecewiseTheSame") {
  // Above the piece of tokens whose activations are held in L2.
  std::mt19937 random(15);
  const Case c{Encoding::q8_0, 17, 1536};
  for (const LinearKernels* kernels : implementations()) {
    const Weights weights(c, random);
    const std::int64_t tokens = 150;
    const Activations in(*kernels, c, tokens, random_floats(tokens * c.columns, random));
    const std::vector<float> out = product(*kernels, weights, in, tokens);
    for (const std::int64_t t : {0, 47, 48, 131, 132, 149}) {
      const auto first = in.floats.begin() + t * c.columns;
      const Activations one(*kernels, c, 1, {first, first + c.columns});
      const std::vector<float> alone = product(*kernels, weights, one, 1);
      REQUIRE(std::equal(alone.begin(), alone.end(), out.begin() + t * c.rows));
    }
  }
}

TEST_CASE("BiasAndResidualAreAddedAndNothingElseIsWritten") {
  std::mt19937 random(16);
  for (const LinearKernels* kernels : implementations()) {
    for (const Encoding encoding : {Encoding::q4_0, Encoding::f16}) {
      const Case c{encoding, 21, 64};
      const Weights weights(c, random);
      const Activations in(*kernels, c, 5, random_floats(5 * c.columns, random));
      const std::vector<float> plain = product(*kernels, weights, in, 5);
      const std::vector<float> bias = random_floats(c.rows, random);
      const std::int64_t stride = c.rows + 3;
      std::vector<float> out = random_floats(5 * stride, random);
      const std::vector<float> before = out;
      LinearCall call = call_of(weights, in, 5, out);
      call.out_stride = stride;
      call.bias = bias.data();
      call.add_to_out = true;
      kernels->linear(call);
      for (std::size_t i = 0; i < out.size(); ++i) {
        const std::size_t t = i / static_cast<std::size_t>(stride), r = i % static_cast<std::size_t>(stride);
        if (r >= bias.size()) {
          REQUIRE(out[i] == before[i]);
        } else {
          REQUIRE(out[i] == before[i] + (plain[t * bias.size() + r] + bias[r]));
        }
      }
    }
  }
}

TEST_CASE("ExtremeCodesAndActivationsDoNotSaturate") {
  // All codes at their largest against activations at both ends: where 16-bit sums would overflow.
  for (const LinearKernels* kernels : implementations()) {
    for (const Encoding encoding : {Encoding::q4_0, Encoding::q5_0, Encoding::q8_0, Encoding::iq4_nl}) {
      for (const int fill : {0x00, 0xff, 0x7f, 0x80}) {
        std::mt19937 random(17);
        const Case c{encoding, 16, 64};
        Weights weights(c, random);
        for (std::size_t i = 0; i < weights.source.size(); ++i) {
          if (i % jackdaw::encoding_info(encoding).block_bytes >= 2) weights.source[i] = static_cast<std::byte>(fill);
        }
        pack_rows(encoding, c.columns, weights.source.data(), c.rows, 0, weights.packed.data());
        for (const float sign : {1.0f, -1.0f}) {
          const Activations in(*kernels, c, 1, std::vector<float>(64, sign * 3.0f));
          const std::vector<float> out = product(*kernels, weights, in, 1);
          for (std::int64_t row = 0; row < c.rows; ++row) {
            const Exact exact = exact_dot(weights.row(row), in.floats.data());
            INFO(kernels->name << " " << jackdaw::encoding_info(encoding).name << " " << fill);
            REQUIRE(out[static_cast<std::size_t>(row)] == Approx(exact.value).epsilon(1e-5));
          }
        }
      }
    }
  }
}

TEST_CASE("NonFiniteActivationsMakeTheirTokenNanAndNoOther") {
  std::mt19937 random(18);
  const Case c{Encoding::q4_k, 16, 256};
  for (const LinearKernels* kernels : implementations()) {
    const Weights weights(c, random);
    for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            -std::numeric_limits<float>::infinity()}) {
      std::vector<float> values = random_floats(3 * 256, random);
      values[256 + 77] = bad;
      const Activations in(*kernels, c, 3, values);
      const std::vector<float> out = product(*kernels, weights, in, 3);
      for (std::size_t i = 0; i < out.size(); ++i) REQUIRE(std::isnan(out[i]) == (i / 16 == 1));
    }
  }
}

TEST_CASE("TinyAndHugeActivationsStayFinite") {
  std::mt19937 random(19);
  const Case c{Encoding::q4_1, 16, 64};
  for (const LinearKernels* kernels : implementations()) {
    const Weights weights(c, random);
    for (const float size : {0.0f, 1e-45f, 1e-38f, 1e-31f, 1e30f}) {
      const Activations in(*kernels, c, 1, std::vector<float>(64, size));
      for (const float x : product(*kernels, weights, in, 1)) REQUIRE(std::isfinite(x));
    }
  }
}

TEST_CASE("NormalizedRowsAreTheQuantizedNorm") {
  std::mt19937 random(20);
  std::vector<std::byte> first;
  const std::vector<float> in = random_floats(2 * 576, random), weight = random_floats(576, random);
  for (const LinearKernels* kernels : implementations()) {
    INFO(kernels->name);
    std::vector<float> normed(in.size());
    for (std::size_t t = 0; t < 2; ++t) {
      double squares = 0.0;
      for (std::size_t k = 0; k < 576; ++k) squares += static_cast<double>(in[t * 576 + k]) * in[t * 576 + k];
      const double factor = 1.0 / std::sqrt(squares / 576 + 1e-5);
      for (std::size_t k = 0; k < 576; ++k) {
        normed[t * 576 + k] = static_cast<float>(in[t * 576 + k] * factor * weight[k]);
      }
    }
    // An identity weight in F32 cannot read blocks; a Q8_0 one with code 127 and scale 1/127 on the diagonal can.
    const std::size_t stride = activation_bytes(ActivationForm::blocks, 576);
    Bytes blocks(2 * stride);
    kernels->normalize_rows({2, 576, in.data(), 576, blocks.data(), stride}, weight.data(), 1e-5f);
    std::vector<std::byte> source(576 / 32 * 34 * 576);
    for (std::size_t r = 0; r < 576; ++r) {
      for (std::size_t b = 0; b < 18; ++b) {
        std::byte* block = source.data() + (r * 18 + b) * 34;
        const std::uint16_t scale = jackdaw::half_from_float(1.0f / 64);
        std::memcpy(block, &scale, 2);
        if (r / 32 == b) block[2 + r % 32] = std::byte{64};
      }
    }
    Bytes packed(packed_bytes(Encoding::q8_0, 576, 576));
    pack_rows(Encoding::q8_0, 576, source.data(), 576, 0, packed.data());
    const PackedLinear linear{Encoding::q8_0, 576, 576, packed.data()};
    std::vector<float> out(2 * 576);
    LinearCall call;
    call.weight = &linear;
    call.activations = blocks.data();
    call.activation_stride = stride;
    call.tokens = 2;
    call.group_end = linear.groups();
    call.out = out.data();
    call.out_stride = 576;
    kernels->linear(call);
    for (std::size_t i = 0; i < out.size(); ++i) {
      float largest = 0.0f;
      for (std::size_t k = i / 32 * 32; k < i / 32 * 32 + 32; ++k) largest = std::max(largest, std::fabs(normed[k]));
      REQUIRE(std::fabs(out[i] - normed[i]) <= largest / 127 * 0.501f);
    }
    const std::vector<std::byte> bytes(blocks.data(), blocks.data() + 2 * stride);
    if (first.empty()) first = bytes;
    REQUIRE(bytes == first);
  }
}

}  // namespace
