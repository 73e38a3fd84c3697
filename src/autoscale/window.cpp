#include "jackdaw/autoscale/window.h"

#include <algorithm>
#include <cmath>

namespace jackdaw::autoscale {
namespace {

std::int64_t second_of(Instant at) {
  return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
}

std::size_t whole_seconds(Duration length) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(length).count();
  return static_cast<std::size_t>(std::max<std::int64_t>(seconds, 1));
}

// Sums of many small numbers must not ask for one replica more.
double without_noise(double value) {
  return std::round(value * 1e6) / 1e6;
}

// Share of the latest second, such that what is a whole window old counts for a ten-thousandth.
double smoothing(std::size_t seconds) {
  return std::max(1 - std::pow(1e-4, 1 / static_cast<double>(seconds)), 0.2);
}

}  // namespace

Window::Window(Duration length, Aggregation aggregation)
    : aggregation_(aggregation), buckets_(whole_seconds(length), 0.0) {}

std::size_t Window::slot(std::int64_t second) const {
  return static_cast<std::size_t>((second % seconds() + seconds()) % seconds());
}

double Window::value_at(std::int64_t second) const {
  const bool held = second >= first_ && second <= last_ && second > last_ - seconds();
  return held ? buckets_[slot(second)] : 0;
}

void Window::add(Instant at, double value) {
  const std::int64_t second = second_of(at);
  const bool empty = last_ < first_;
  if (empty || second - last_ >= seconds()) {
    std::fill(buckets_.begin(), buckets_.end(), 0.0);
    first_ = last_ = second;
  } else if (second <= last_ - seconds()) {
    return;
  }
  while (last_ < second) buckets_[slot(++last_)] = 0;
  first_ = std::min(first_, second);
  buckets_[slot(second)] += value;
}

double Window::average(Instant now) const {
  const std::int64_t end = std::max(second_of(now), last_);
  if (last_ < first_ || end - last_ >= seconds()) return 0;
  const std::int64_t begin = end - seconds() + 1;
  if (aggregation_ == Aggregation::weighted_exponential) {
    const double share = smoothing(buckets_.size());
    double sum = 0;
    double weight = share;
    for (std::int64_t second = end; second >= std::max(begin, first_); --second, weight *= 1 - share) {
      sum += value_at(second) * weight;
    }
    return without_noise(sum);
  }
  double sum = 0;
  for (std::int64_t second = std::max(begin, first_); second <= last_; ++second) sum += value_at(second);
  const std::int64_t covered = std::min(last_ - first_ + 1, seconds() - (end - last_));
  return without_noise(sum / static_cast<double>(covered));
}

void Window::resize(Duration length) {
  Window resized(length, aggregation_);
  for (std::int64_t second = std::max(first_, last_ - seconds() + 1); second <= last_; ++second) {
    resized.add(Instant(std::chrono::seconds(second)), value_at(second));
  }
  *this = std::move(resized);
}

}  // namespace jackdaw::autoscale
