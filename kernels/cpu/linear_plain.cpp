// Linear layers without vectors: one row per "vector", four codes in a word. The definition of the bits that the other
// instruction sets must give; also what serves CPUs without AVX2.
#include <cmath>
#include <cstring>

#include "jackdaw/base/float16.h"
#include "linear_activations.h"
#include "quant_tables.h"

namespace jackdaw::kernels {
namespace {

struct Vector {
  using Codes = std::uint32_t;
  using Int = std::int32_t;
  using Float = float;
  static constexpr int lanes = 1;
  static constexpr int tokens_max = 4;

  static Codes load(const unsigned char* at) {
    Codes codes;
    std::memcpy(&codes, at, sizeof(codes));
    return codes;
  }
  static Codes masked(Codes codes, std::uint32_t mask) { return codes & mask; }
  static Codes merged(Codes low, Codes high, std::uint32_t mask) { return low | (high & mask); }
  template <int bits>
  static Codes shift(Codes codes) {
    return bits >= 0 ? codes << (bits & 31) : codes >> (-bits & 31);
  }
  template <Encoding encoding>
  static Codes lookup(Codes nibbles) {
    const std::int8_t* book = encoding == Encoding::mxfp4 ? mxfp4_values : iq4_values;
    Codes out = 0;
    for (int i = 0; i < 4; ++i) {
      out |= static_cast<Codes>(book[nibbles >> (8 * i) & 15] + 128) << (8 * i);
    }
    return out;
  }

  template <bool wide>
  static Int dot(Int sum, Codes codes, const std::int8_t* values) {
    for (int i = 0; i < 4; ++i) sum += static_cast<Int>(codes >> (8 * i) & 0xff) * values[i];
    return sum;
  }
  static Int zero_int() { return 0; }
  static Int broadcast(const std::int32_t* at) { return *at; }
  template <int bits>
  static Int shift_signed(Int value) {
    return bits >= 0 ? value * (1 << (bits & 31)) : value >> (-bits & 31);
  }

  static Float to_float(Int value) { return static_cast<float>(value); }
  static Float as_float(Codes codes) { return float_of_bits(codes); }
  static Float zero() { return 0.0f; }
  static Float broadcast(const float* at) { return *at; }
  static Float add(Float a, Float b) { return a + b; }
  static Float mul(Float a, Float b) { return a * b; }
  static Float fma(Float a, Float b, Float c) { return std::fma(a, b, c); }
  static Float fnma(Float a, Float b, Float c) { return std::fma(-a, b, c); }
  static Float halves(const unsigned char* at) {
    std::uint16_t half;
    std::memcpy(&half, at, sizeof(half));
    return float_from_half(half);
  }
  static Float exponents(const unsigned char* at) { return mxfp4_scale(*at); }
  static Float bytes(const unsigned char* at) { return static_cast<float>(*at); }
  static Float signed_bytes(const unsigned char* at) { return static_cast<float>(static_cast<std::int8_t>(*at)); }
  static Float low_nibbles(const unsigned char* at) { return static_cast<float>(*at & 15); }
  static Float high_nibbles(const unsigned char* at) { return static_cast<float>(*at >> 4); }
  static Float load_floats(const unsigned char* at) {
    Float value;
    std::memcpy(&value, at, sizeof(value));
    return value;
  }
  static Float load_rows(const float* at, int) { return *at; }
  static void store_rows(float* at, Float value, int) { *at = value; }
};

struct Sixteen {
  float at[16];

  static Sixteen zero() { return {}; }
  static Sixteen load(const float* from) {
    Sixteen out;
    std::memcpy(out.at, from, sizeof(out.at));
    return out;
  }
  Sixteen times(float factor) const {
    Sixteen out;
    for (int i = 0; i < 16; ++i) out.at[i] = at[i] * factor;
    return out;
  }
  Sixteen times(const Sixteen& factors) const {
    Sixteen out;
    for (int i = 0; i < 16; ++i) out.at[i] = at[i] * factors.at[i];
    return out;
  }
  void add_square(const Sixteen& x) {
    for (int i = 0; i < 16; ++i) at[i] = std::fma(x.at[i], x.at[i], at[i]);
  }
  float total() const {
    Sixteen sum = *this;
    for (int half = 8; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) sum.at[i] += sum.at[i + half];
    }
    return sum.at[0];
  }
  static std::uint32_t magnitude_bits(const Sixteen& low, const Sixteen& high) {
    std::uint32_t largest = 0;
    for (const Sixteen* part : {&low, &high}) {
      for (const float x : part->at) {
        std::uint32_t bits;
        std::memcpy(&bits, &x, sizeof(bits));
        bits &= 0x7fffffff;
        if (bits > largest) largest = bits;
      }
    }
    return largest;
  }
  std::int32_t round_to(float inverse, std::int8_t* out) const {
    std::int32_t sum = 0;
    for (int i = 0; i < 16; ++i) {
      out[i] = static_cast<std::int8_t>(std::nearbyint(at[i] * inverse));
      sum += out[i];
    }
    return sum;
  }
};

constexpr LinearKernels kernels{"plain", quantize_rows_of<Sixteen>, normalize_rows_of<Sixteen>, linear_any<Vector>};

}  // namespace

const LinearKernels* linear_plain() {
  return &kernels;
}

}  // namespace jackdaw::kernels
