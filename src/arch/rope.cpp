#include "src/arch/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace jackdaw::arch {
namespace {

using Frequencies = std::vector<double>;

Frequencies plain(double base, std::uint32_t dimensions) {
  Frequencies out(dimensions / 2);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(dimensions));
  }
  return out;
}

Result<void> divide(Frequencies& frequencies, const std::vector<float>& divisors) {
  if (divisors.size() != frequencies.size()) {
    return make_error(Code::invalid_argument, "There are {} rotary factors for {} pairs.", divisors.size(),
                      frequencies.size());
  }
  for (std::size_t i = 0; i < divisors.size(); ++i) frequencies[i] /= double{divisors[i]};
  return {};
}

// Long waves are stretched by the factor, short ones left alone, those between blended.
void stretch_llama3(Frequencies& frequencies, const RopeScaling& s) {
  const double original = s.original_context;
  for (double& frequency : frequencies) {
    const double wavelength = 2.0 * std::numbers::pi / frequency;
    if (wavelength < original / s.high_frequency_factor) continue;
    if (wavelength > original / s.low_frequency_factor) {
      frequency /= s.factor;
      continue;
    }
    const double smooth =
        (original / wavelength - s.low_frequency_factor) / (s.high_frequency_factor - s.low_frequency_factor);
    frequency *= (1.0 - smooth) / s.factor + smooth;
  }
}

// The dimension whose wave turns `rotations` times over the original context.
double yarn_dimension(double rotations, const RopeScaling& s, double dimensions) {
  return dimensions * std::log(s.original_context / (rotations * 2.0 * std::numbers::pi)) /
         (2.0 * std::log(double{s.base}));
}

void stretch_yarn(Frequencies& frequencies, const RopeScaling& s, std::uint32_t dimensions) {
  double low = yarn_dimension(s.beta_fast, s, dimensions);
  double high = yarn_dimension(s.beta_slow, s, dimensions);
  if (s.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, dimensions - 1.0);
  if (high == low) high += 0.001;
  for (std::size_t i = 0; i < frequencies.size(); ++i) {
    const double ramp = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    frequencies[i] = frequencies[i] / s.factor * ramp + frequencies[i] * (1.0 - ramp);
  }
}

double yarn_magnitude(const RopeScaling& s) {
  if (s.attention_factor) return *s.attention_factor;
  const auto scale = [&](double mscale) { return s.factor <= 1.0f ? 1.0 : 0.1 * mscale * std::log(s.factor) + 1.0; };
  return s.mscale != 0.0f && s.mscale_all != 0.0f ? scale(s.mscale) / scale(s.mscale_all) : scale(1.0);
}

double longrope_magnitude(const RopeScaling& s) {
  if (s.attention_factor) return *s.attention_factor;
  if (s.factor <= 1.0f) return 1.0;
  return std::sqrt(1.0 + std::log(s.factor) / std::log(static_cast<double>(s.original_context)));
}

}  // namespace

Result<ops::Rope> make_rope(const RopeScaling& s, ops::RopeStyle style, std::uint32_t dimensions,
                            std::uint32_t context) {
  Frequencies frequencies = plain(s.base, dimensions);
  double magnitude = 1.0;
  switch (s.kind) {
    case RopeScalingKind::none:
      break;
    case RopeScalingKind::linear:
      for (double& frequency : frequencies) frequency /= s.factor;
      break;
    case RopeScalingKind::llama3:
      stretch_llama3(frequencies, s);
      break;
    case RopeScalingKind::yarn:
      stretch_yarn(frequencies, s, dimensions);
      magnitude = yarn_magnitude(s);
      break;
    case RopeScalingKind::longrope:
      JACKDAW_TRY(divide(frequencies, context > s.original_context ? s.long_factors : s.short_factors));
      magnitude = longrope_magnitude(s);
      break;
  }
  if (!s.divisors.empty()) JACKDAW_TRY(divide(frequencies, s.divisors));

  ops::Rope rope{style, {}, static_cast<float>(magnitude)};
  for (const double frequency : frequencies) rope.inverse_frequency.push_back(static_cast<float>(frequency));
  const bool finite = std::isfinite(rope.magnitude) &&
                      std::ranges::all_of(rope.inverse_frequency, [](float f) { return std::isfinite(f); });
  if (!finite) return make_error(Code::invalid_argument, "The rotary settings give frequencies that are not finite.");
  return rope;
}

}  // namespace jackdaw::arch
