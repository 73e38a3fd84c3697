#include "src/ops/row_math.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace jackdaw::ops {

namespace {

constexpr float minus_infinity = -std::numeric_limits<float>::infinity();
constexpr std::size_t block = 256;

// Four lanes of the baseline's vector registers.
typedef float Floats __attribute__((vector_size(16)));
typedef std::int32_t Ints __attribute__((vector_size(16)));
typedef std::uint32_t Words __attribute__((vector_size(16)));

Floats load(const float* from) {
  Floats value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

Floats all(float value) {
  return Floats{value, value, value, value};
}

// exp(x) for x <= 0: 2^n * 2^f with n whole and |f| <= 1/2, the latter as a polynomial (relative error < 3e-7).
Floats exp_lanes(Floats x) {
  // NaN compares false with everything and so ends as 0, like -inf.
  const Ints alive = x >= all(-87.0f);
  x = alive ? x : all(-87.0f);
  x = x > all(0.0f) ? all(0.0f) : x;
  const Floats scaled = x * all(1.44269504f);
  // Adding and taking away 1.5 * 2^23 rounds to the nearest whole number.
  const Floats magic = all(12582912.0f);
  const Floats shifted = scaled + magic;
  const Floats whole = shifted - magic;
  const Floats r = (x - whole * all(0.693359375f)) + whole * all(2.12194440e-4f);
  Floats p = all(1.9875691500e-4f);
  p = p * r + all(1.3981999507e-3f);
  p = p * r + all(8.3334519073e-3f);
  p = p * r + all(4.1665795894e-2f);
  p = p * r + all(1.6666665459e-1f);
  p = p * r + all(5.0000001201e-1f);
  const Floats fraction = (p * r * r + r) + all(1.0f);
  const Words exponent = std::bit_cast<Words>(shifted) << 23;
  const Words result = std::bit_cast<Words>(fraction) + exponent;
  return std::bit_cast<Floats>(std::bit_cast<Ints>(result) & alive);
}

float largest_of_block(const float* from, std::size_t count) {
  Floats m0 = all(minus_infinity);
  Floats m1 = m0;
  Floats m2 = m0;
  Floats m3 = m0;
  std::size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const Floats a = load(from + i);
    const Floats b = load(from + i + 4);
    const Floats c = load(from + i + 8);
    const Floats d = load(from + i + 12);
    m0 = a > m0 ? a : m0;
    m1 = b > m1 ? b : m1;
    m2 = c > m2 ? c : m2;
    m3 = d > m3 ? d : m3;
  }
  m0 = m1 > m0 ? m1 : m0;
  m2 = m3 > m2 ? m3 : m2;
  m0 = m2 > m0 ? m2 : m0;
  float best = std::max(std::max(m0[0], m0[1]), std::max(m0[2], m0[3]));
  for (; i < count; ++i) best = from[i] > best ? from[i] : best;
  return best;
}

// Sums one block's exponentials in float lanes; blocks are added in double.
template <bool Write>
double exp_block(float* to, const float* from, std::size_t count, float max, float scale) {
  Floats sum0 = all(0.0f);
  Floats sum1 = all(0.0f);
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    const Floats a = exp_lanes((load(from + i) - all(max)) * all(scale));
    const Floats b = exp_lanes((load(from + i + 4) - all(max)) * all(scale));
    sum0 += a;
    sum1 += b;
    if constexpr (Write) {
      std::memcpy(to + i, &a, sizeof a);
      std::memcpy(to + i + 4, &b, sizeof b);
    }
  }
  sum0 += sum1;
  double sum = (static_cast<double>(sum0[0]) + static_cast<double>(sum0[1])) +
               (static_cast<double>(sum0[2]) + static_cast<double>(sum0[3]));
  for (; i < count; ++i) {
    const Floats one = exp_lanes(all((from[i] - max) * scale));
    sum += static_cast<double>(one[0]);
    if constexpr (Write) to[i] = one[0];
  }
  return sum;
}

// Larger first, then the lower id.
struct Better {
  const float* row;
  bool operator()(std::int32_t a, std::int32_t b) const {
    const float x = row[a];
    const float y = row[b];
    return x != y ? x > y : a < b;
  }
};

}  // namespace

RowMax row_max(std::span<const float> row) {
  RowMax best{0, minus_infinity};
  std::size_t best_block = 0;
  for (std::size_t begin = 0; begin < row.size(); begin += block) {
    const float value = largest_of_block(row.data() + begin, std::min(block, row.size() - begin));
    if (!(value > best.value)) continue;
    best.value = value;
    best_block = begin;
  }
  if (best.value == minus_infinity) return best;
  best.index = best_block;
  while (row[best.index] != best.value) ++best.index;
  return best;
}

double row_exp_sum(std::span<const float> row, float max, float scale) {
  double sum = 0;
  for (std::size_t begin = 0; begin < row.size(); begin += block) {
    sum += exp_block<false>(nullptr, row.data() + begin, std::min(block, row.size() - begin), max, scale);
  }
  return sum;
}

double row_exp(std::span<float> row, float max, float scale) {
  double sum = 0;
  for (std::size_t begin = 0; begin < row.size(); begin += block) {
    float* at = row.data() + begin;
    sum += exp_block<true>(at, at, std::min(block, row.size() - begin), max, scale);
  }
  return sum;
}

double row_sum(std::span<const float> row) {
  Floats sum0 = all(0.0f);
  Floats sum1 = all(0.0f);
  std::size_t i = 0;
  for (; i + 8 <= row.size(); i += 8) {
    sum0 += load(row.data() + i);
    sum1 += load(row.data() + i + 4);
  }
  sum0 += sum1;
  double sum = (static_cast<double>(sum0[0]) + static_cast<double>(sum0[1])) +
               (static_cast<double>(sum0[2]) + static_cast<double>(sum0[3]));
  for (; i < row.size(); ++i) sum += static_cast<double>(row[i]);
  return sum;
}

std::size_t row_count_above(std::span<const float> row, float value) {
  std::size_t count = 0;
  for (const float x : row) count += x > value ? 1u : 0u;
  return count;
}

// One pass that keeps a short list: what cannot beat the list's worst is skipped a block at a time.
void row_top(std::span<const float> row, std::size_t count, std::vector<std::int32_t>& out) {
  out.clear();
  if (count == 0) return;
  const Better better{row.data()};
  const std::size_t list_max = std::max<std::size_t>(2 * count, 128);
  float worst = minus_infinity;  // of the best `count` so far; equal values with higher ids lose
  const auto shrink = [&] {
    if (out.size() <= count) return;
    std::nth_element(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(count) - 1, out.end(), better);
    out.resize(count);
    worst = row[static_cast<std::size_t>(out.back())];
  };
  constexpr std::size_t small_block = 64;
  for (std::size_t begin = 0; begin < row.size(); begin += small_block) {
    const std::size_t end = std::min(begin + small_block, row.size());
    if (!(largest_of_block(row.data() + begin, end - begin) > worst)) continue;
    for (std::size_t i = begin; i < end; ++i) {
      if (!(row[i] > worst)) continue;
      out.push_back(static_cast<std::int32_t>(i));
      if (out.size() >= list_max) shrink();
    }
  }
  shrink();
  std::sort(out.begin(), out.end(), better);
}

void row_at_least(std::span<const float> row, float floor, std::vector<std::int32_t>& out) {
  out.clear();
  constexpr std::size_t small_block = 64;
  for (std::size_t begin = 0; begin < row.size(); begin += small_block) {
    const std::size_t end = std::min(begin + small_block, row.size());
    if (!(largest_of_block(row.data() + begin, end - begin) >= floor)) continue;
    for (std::size_t i = begin; i < end; ++i) {
      if (row[i] >= floor) out.push_back(static_cast<std::int32_t>(i));
    }
  }
}

}  // namespace jackdaw::ops
