// The vector kernels in terms of vector_simd.h; compiled once per instruction set.
#pragma once

#include "jackdaw/kernels/vector.h"
#include "vector_simd.h"

namespace jackdaw::kernels {
namespace {

// f(vector) for whole vectors and then once for the rest, padded with zeros: every element sees the same arithmetic.
template <typename F>
inline void for_each_part(std::size_t width, F f) {
  std::size_t i = 0;
  for (; i + lanes <= width; i += lanes) f(i, static_cast<std::size_t>(lanes));
  if (i < width) f(i, width - i);
}
inline Floats load_n(const float* p, std::size_t n) {
  return n == lanes ? load(p) : load_some(p, n);
}
inline void store_n(float* p, Floats v, std::size_t n) {
  n == lanes ? store(p, v) : store_some(p, v, n);
}

// Four running sums, so that additions do not wait for each other.
inline float sum_of_squares(const float* in, std::size_t width) {
  Floats s0 = all(0.0f), s1 = s0, s2 = s0, s3 = s0;
  std::size_t i = 0;
  for (; i + 4 * lanes <= width; i += 4 * lanes) {
    const Floats a = load(in + i), b = load(in + i + lanes);
    const Floats c = load(in + i + 2 * lanes), d = load(in + i + 3 * lanes);
    s0 = fma(a, a, s0);
    s1 = fma(b, b, s1);
    s2 = fma(c, c, s2);
    s3 = fma(d, d, s3);
  }
  for_each_part(width - i, [&](std::size_t j, std::size_t n) {
    const Floats a = load_n(in + i + j, n);
    s0 = fma(a, a, s0);
  });
  return sum(add(add(s0, s1), add(s2, s3)));
}

inline Floats norm_factor(const float* in, float eps, std::size_t width) {
  return all(1.0f / __builtin_sqrtf(sum_of_squares(in, width) / static_cast<float>(width) + eps));
}

void rms_norm(const float* in, const float* weight, float eps, std::size_t width, float* out) {
  const Floats factor = norm_factor(in, eps, width);
  for_each_part(width, [&](std::size_t i, std::size_t n) {
    store_n(out + i, mul(mul(load_n(in + i, n), factor), load_n(weight + i, n)), n);
  });
}

void rms_norm_add(const float* in, const float* weight, float eps, std::size_t width, float* out) {
  const Floats factor = norm_factor(in, eps, width);
  for_each_part(width, [&](std::size_t i, std::size_t n) {
    const Floats normed = mul(mul(load_n(in + i, n), factor), load_n(weight + i, n));
    store_n(out + i, add(load_n(out + i, n), normed), n);
  });
}

void gate_silu(const float* gate, const float* up, std::size_t width, float* out) {
  for_each_part(width, [&](std::size_t i, std::size_t n) {
    const Floats g = load_n(gate + i, n);
    const Floats silu = div(g, add(all(1.0f), exponential(sub(all(0.0f), g))));
    store_n(out + i, mul(silu, load_n(up + i, n)), n);
  });
}

// 0.5 g (1 + tanh(sqrt(2/pi) (g + 0.044715 g^3))) = g / (1 + e^-2(...)).
void gate_gelu_tanh(const float* gate, const float* up, std::size_t width, float* out) {
  for_each_part(width, [&](std::size_t i, std::size_t n) {
    const Floats g = load_n(gate + i, n);
    const Floats inner = mul(all(-1.5957691216057308f), fma(mul(mul(g, g), g), all(0.044715f), g));
    store_n(out + i, mul(div(g, add(all(1.0f), exponential(inner))), load_n(up + i, n)), n);
  });
}

void softcap(float* x, std::size_t width, float cap) {
  const Floats inverse = all(1.0f / cap);
  for_each_part(width, [&](std::size_t i, std::size_t n) {
    store_n(x + i, mul(all(cap), hyperbolic_tangent(mul(load_n(x + i, n), inverse))), n);
  });
}

void scale(float* x, std::size_t width, float factor) {
  for_each_part(width, [&](std::size_t i, std::size_t n) { store_n(x + i, mul(load_n(x + i, n), all(factor)), n); });
}

void add_row(const float* in, std::size_t width, float* out) {
  for_each_part(width,
                [&](std::size_t i, std::size_t n) { store_n(out + i, add(load_n(out + i, n), load_n(in + i, n)), n); });
}

void add_scaled(const float* in, float factor, std::size_t width, float* out) {
  for_each_part(width, [&](std::size_t i, std::size_t n) {
    store_n(out + i, fma(all(factor), load_n(in + i, n), load_n(out + i, n)), n);
  });
}

void rotate_adjacent(float* head, const float* cosines, const float* sines, std::size_t pairs) {
  for_each_part(2 * pairs, [&](std::size_t i, std::size_t n) {
    const Floats x = load_n(head + i, n);
    store_n(head + i, fma(swap_pairs(x), load_n(sines + i, n), mul(x, load_n(cosines + i, n))), n);
  });
}

void rotate_half_split(float* head, const float* cosines, const float* sines, std::size_t pairs) {
  for_each_part(pairs, [&](std::size_t i, std::size_t n) {
    const Floats a = load_n(head + i, n), b = load_n(head + pairs + i, n);
    store_n(head + i, fma(b, load_n(sines + i, n), mul(a, load_n(cosines + i, n))), n);
    store_n(head + pairs + i, fma(a, load_n(sines + pairs + i, n), mul(b, load_n(cosines + pairs + i, n))), n);
  });
}

inline float largest_value(const float* x, std::size_t width) {
  Floats m = all(minus_infinity);
  std::size_t i = 0;
  for (; i + lanes <= width; i += lanes) m = max(load(x + i), m);
  float best = largest(m);
  for (; i < width; ++i) best = x[i] > best ? x[i] : best;
  return best;
}

void softmax(float* x, std::size_t width) {
  const Floats shift = all(largest_value(x, width));
  Floats total = all(0.0f);
  for_each_part(width, [&](std::size_t i, std::size_t n) {
    const Floats e = keep_lanes(exponential(sub(load_n(x + i, n), shift)), 0, static_cast<int>(n), all(0.0f));
    total = add(total, e);
    store_n(x + i, e, n);
  });
  scale(x, width, 1.0f / sum(total));
}

LargestElement largest_element(const float* x, std::size_t width) {
  const float best = largest_value(x, width);
  if (best == minus_infinity) return {best, 0};
  for (std::size_t i = 0; i < width; ++i) {
    if (x[i] == best) return {best, static_cast<std::uint32_t>(i)};
  }
  return {minus_infinity, 0};
}

constexpr VectorKernels vector_table{
    rms_norm, rms_norm_add, gate_silu,       gate_gelu_tanh,    softcap, scale,
    add_row,  add_scaled,   rotate_adjacent, rotate_half_split, softmax, largest_element,
};

}  // namespace
}  // namespace jackdaw::kernels
