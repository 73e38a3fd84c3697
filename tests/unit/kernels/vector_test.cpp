#include "jackdaw/kernels/vector.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "jackdaw/base/cpu.h"

namespace jackdaw::kernels {
namespace {

std::vector<VectorSet> sets_here() {
  std::vector<VectorSet> sets{VectorSet::plain};
  if (cpu_features().avx2 && cpu_features().fma) sets.push_back(VectorSet::avx2);
  if (cpu_features().avx512) sets.push_back(VectorSet::avx512);
  return sets;
}

std::vector<float> random_floats(std::size_t n, float spread, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> out(n);
  for (float& x : out) x = normal(random);
  return out;
}

constexpr float infinity = std::numeric_limits<float>::infinity();
const std::vector<std::size_t> widths{1, 3, 4, 7, 8, 15, 16, 17, 33, 64, 100, 576};

}  // namespace

TEST_CASE("RmsNormMatchesDoubles") {
  for (const VectorSet set : sets_here()) {
    const VectorKernels& k = vector_kernels(set);
    for (const std::size_t n : widths) {
      const auto in = random_floats(n, 3.0f, 1), weight = random_floats(n, 1.0f, 2);
      std::vector<float> out(n), added(n, 2.0f);
      k.rms_norm(in.data(), weight.data(), 1e-5f, n, out.data());
      k.rms_norm_add(in.data(), weight.data(), 1e-5f, n, added.data());
      double squares = 0;
      for (const float x : in) squares += static_cast<double>(x) * x;
      const double factor = 1.0 / std::sqrt(squares / static_cast<double>(n) + 1e-5);
      for (std::size_t i = 0; i < n; ++i) {
        const double right = in[i] * factor * weight[i];
        REQUIRE(out[i] == Approx(right).epsilon(1e-5).margin(1e-6));
        REQUIRE(added[i] == Approx(2.0 + right).epsilon(1e-5).margin(1e-6));
      }
    }
  }
}

TEST_CASE("GatesMatchDoubles") {
  for (const VectorSet set : sets_here()) {
    const VectorKernels& k = vector_kernels(set);
    for (const std::size_t n : widths) {
      const auto gate = random_floats(n, 5.0f, 3), up = random_floats(n, 1.0f, 4);
      std::vector<float> silu(n), gelu(n);
      k.gate_silu(gate.data(), up.data(), n, silu.data());
      k.gate_gelu_tanh(gate.data(), up.data(), n, gelu.data());
      for (std::size_t i = 0; i < n; ++i) {
        const double g = gate[i];
        const double inner = std::sqrt(2.0 / M_PI) * (g + 0.044715 * g * g * g);
        REQUIRE(silu[i] == Approx(g / (1.0 + std::exp(-g)) * up[i]).epsilon(1e-5).margin(1e-6));
        REQUIRE(gelu[i] == Approx(0.5 * g * (1.0 + std::tanh(inner)) * up[i]).epsilon(1e-4).margin(2e-6));
      }
    }
  }
}

TEST_CASE("GatesSurviveExtremes") {
  for (const VectorSet set : sets_here()) {
    const std::vector<float> gate{-infinity, -1e30f, -200.0f, 0.0f, 200.0f, 1e30f, std::nanf("")};
    const std::vector<float> up(gate.size(), 1.0f);
    std::vector<float> out(gate.size());
    vector_kernels(set).gate_silu(gate.data(), up.data(), gate.size(), out.data());
    for (std::size_t i = 1; i < 4; ++i) REQUIRE(std::abs(out[i]) < 1e-6f);
    REQUIRE(out[4] == 200.0f);
    REQUIRE(out[5] == 1e30f);
    REQUIRE(std::isnan(out[6]));
  }
}

TEST_CASE("SoftcapMatchesDoubles") {
  for (const VectorSet set : sets_here()) {
    auto x = random_floats(333, 40.0f, 5);
    const auto in = x;
    vector_kernels(set).softcap(x.data(), x.size(), 30.0f);
    for (std::size_t i = 0; i < x.size(); ++i) {
      REQUIRE(x[i] == Approx(30.0 * std::tanh(in[i] / 30.0)).epsilon(1e-5).margin(1e-5));
    }
  }
}

TEST_CASE("SoftmaxSumsToOneAndMatchesDoubles") {
  for (const VectorSet set : sets_here()) {
    for (const std::size_t n : widths) {
      auto x = random_floats(n, 8.0f, 6);
      const auto in = x;
      vector_kernels(set).softmax(x.data(), n);
      const double peak = *std::max_element(in.begin(), in.end());
      double total = 0;
      for (const float v : in) total += std::exp(v - peak);
      for (std::size_t i = 0; i < n; ++i) REQUIRE(x[i] == Approx(std::exp(in[i] - peak) / total).epsilon(1e-5));
    }
  }
}

TEST_CASE("RotationsTurnPairs") {
  for (const VectorSet set : sets_here()) {
    const VectorKernels& k = vector_kernels(set);
    for (const std::size_t pairs : {1u, 4u, 5u, 20u, 32u, 64u}) {
      const auto in = random_floats(2 * pairs, 1.0f, 7), angles = random_floats(pairs, 3.0f, 8);
      for (const bool adjacent : {false, true}) {
        std::vector<float> c(2 * pairs), s(2 * pairs), x = in;
        for (std::size_t i = 0; i < pairs; ++i) {
          const std::size_t low = adjacent ? 2 * i : i, high = adjacent ? 2 * i + 1 : i + pairs;
          c[low] = c[high] = std::cos(angles[i]);
          s[high] = std::sin(angles[i]);
          s[low] = -s[high];
        }
        (adjacent ? k.rotate_adjacent : k.rotate_half_split)(x.data(), c.data(), s.data(), pairs);
        for (std::size_t i = 0; i < pairs; ++i) {
          const std::size_t low = adjacent ? 2 * i : i, high = adjacent ? 2 * i + 1 : i + pairs;
          const double a = in[low], b = in[high], cosine = std::cos(angles[i]), sine = std::sin(angles[i]);
          REQUIRE(x[low] == Approx(a * cosine - b * sine).margin(1e-5));
          REQUIRE(x[high] == Approx(b * cosine + a * sine).margin(1e-5));
        }
      }
    }
  }
}

TEST_CASE("LargestTakesTheLowestIndexAmongEquals") {
  for (const VectorSet set : sets_here()) {
    const VectorKernels& k = vector_kernels(set);
    for (const std::size_t n : widths) {
      std::vector<float> x(n, 1.0f);
      REQUIRE(k.largest(x.data(), n).index == 0);
      x[n / 2] = x[n - 1] = 2.0f;
      REQUIRE(k.largest(x.data(), n).index == n / 2);
      REQUIRE(k.largest(x.data(), n).value == 2.0f);
      std::fill(x.begin(), x.end(), std::nanf(""));
      REQUIRE(k.largest(x.data(), n).index == 0);
      REQUIRE(k.largest(x.data(), n).value == -infinity);
      x[n - 1] = -5.0f;
      REQUIRE(k.largest(x.data(), n).index == n - 1);
    }
  }
}

TEST_CASE("SumsAndScales") {
  for (const VectorSet set : sets_here()) {
    const VectorKernels& k = vector_kernels(set);
    std::vector<float> out(21, 1.0f);
    const std::vector<float> in(21, 2.0f);
    k.add(in.data(), in.size(), out.data());
    k.add_scaled(in.data(), 0.5f, in.size(), out.data());
    k.scale(out.data(), out.size(), 3.0f);
    for (const float x : out) REQUIRE(x == 12.0f);
  }
}

}  // namespace jackdaw::kernels
