#include "src/ops/reference_backend_math.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "jackdaw/base/float16.h"

namespace jackdaw::ops::reference {
namespace {

constexpr std::size_t q8_block = 32;

void round_to_q8_0(std::span<float> block) {
  float largest = 0.0f;
  for (const float x : block) largest = std::max(largest, std::fabs(x));
  const float scale = largest / 127.0f;
  const float inverse = scale > 0.0f ? 1.0f / scale : 0.0f;
  const float stored_scale = float_from_half(half_from_float(scale));
  for (float& x : block) x = std::round(x * inverse) * stored_scale;
}

}  // namespace

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * double{b[i]};
  return sum;
}

void rms_norm(std::span<const float> in, std::span<const float> weight, float eps, std::span<float> out) {
  const double mean = dot(in, in) / static_cast<double>(in.size());
  const double factor = 1.0 / std::sqrt(mean + double{eps});
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double w = weight.empty() ? 1.0 : double{weight[i]};
    out[i] = static_cast<float>(double{in[i]} * factor * w);
  }
}

float activate(float x, Activation activation) {
  const double v = x;
  switch (activation) {
    case Activation::silu:
      return static_cast<float>(v / (1.0 + std::exp(-v)));
    case Activation::gelu_tanh:
      break;
  }
  const double inner = std::sqrt(2.0 * std::numbers::inv_pi) * (v + 0.044715 * v * v * v);
  return static_cast<float>(0.5 * v * (1.0 + std::tanh(inner)));
}

void rotate(std::span<float> head, const Rope& rope, std::uint32_t position) {
  const std::size_t pairs = rope.inverse_frequency.size();
  for (std::size_t i = 0; i < pairs; ++i) {
    // The angle is a float product, as in every implementation that models were trained and quantized with.
    const double angle = static_cast<float>(position) * rope.inverse_frequency[i];
    const double cosine = std::cos(angle) * double{rope.magnitude};
    const double sine = std::sin(angle) * double{rope.magnitude};
    const bool adjacent = rope.style == RopeStyle::adjacent;
    float& first = head[adjacent ? 2 * i : i];
    float& second = head[adjacent ? 2 * i + 1 : i + pairs];
    const double x = first;
    const double y = second;
    first = static_cast<float>(x * cosine - y * sine);
    second = static_cast<float>(x * sine + y * cosine);
  }
}

void round_to(KvEncoding encoding, std::span<float> head) {
  switch (encoding) {
    case KvEncoding::f16:
      for (float& x : head) x = float_from_half(half_from_float(x));
      return;
    case KvEncoding::bf16:
      for (float& x : head) x = float_from_bfloat16(bfloat16_from_float(x));
      return;
    case KvEncoding::q8_0:
      for (std::size_t i = 0; i < head.size(); i += q8_block) {
        round_to_q8_0(head.subspan(i, std::min(q8_block, head.size() - i)));
      }
      return;
  }
}

void softmax(std::span<double> scores, double sink) {
  double largest = sink;
  for (const double s : scores) largest = std::max(largest, s);
  double sum = std::exp(sink - largest);
  for (double& s : scores) {
    s = std::exp(s - largest);
    sum += s;
  }
  for (double& s : scores) s /= sum;
}

std::vector<Choice> choose_experts(std::span<const float> router_logits, const Experts& op) {
  constexpr double no_sink = -std::numeric_limits<double>::infinity();
  std::vector<double> scores(router_logits.begin(), router_logits.end());
  if (op.softmax_before) softmax(scores, no_sink);

  std::vector<std::uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] > scores[b]; });
  order.resize(op.used_count);

  std::vector<double> chosen;
  for (const std::uint32_t expert : order) chosen.push_back(scores[expert]);
  if (!op.softmax_before) softmax(chosen, no_sink);
  const double sum = std::accumulate(chosen.begin(), chosen.end(), 0.0);
  const double factor = double{op.weights_scale} / (op.renormalize ? sum : 1.0);

  std::vector<Choice> out;
  for (std::size_t i = 0; i < order.size(); ++i) out.push_back({order[i], chosen[i] * factor});
  return out;
}

}  // namespace jackdaw::ops::reference
