#include "jackdaw/autoscale/kpa.h"

#include <algorithm>
#include <cmath>

namespace jackdaw::autoscale {
namespace {

constexpr double default_concurrency = 100;
constexpr double default_rps = 200;
constexpr double least_target = 0.01;
constexpr double most_replicas = 1e9;  // keeps conversions to integers defined

Duration panic_window(const KpaSettings& settings) {
  const double length = static_cast<double>(settings.stable_window.count()) * settings.panic_window_share;
  return std::max(Duration(static_cast<std::int64_t>(length)), Duration(1s));
}

std::int64_t whole(double replicas) {
  return static_cast<std::int64_t>(std::clamp(replicas, 0.0, most_replicas));
}

}  // namespace

double KpaSettings::total() const {
  const double standard = metric == Metric::concurrency ? default_concurrency : default_rps;
  const bool capped = metric == Metric::concurrency && container_concurrency > 0;
  const double wanted = target > 0 ? target : capped ? container_concurrency : standard;
  return capped ? std::min(wanted, container_concurrency) : wanted;
}

Kpa::Kpa(const KpaSettings& settings, std::int64_t ready, Instant now)
    : settings_(settings),
      stable_(settings.stable_window, settings.aggregation),
      panic_(panic_window(settings), settings.aggregation) {
  if (ready <= 1) return;
  panicking_ = true;
  panic_since_ = now;
  panic_most_ = static_cast<double>(ready);
}

void Kpa::configure(const KpaSettings& settings) {
  settings_ = settings;
  stable_.resize(settings.stable_window);
  panic_.resize(panic_window(settings));
}

void Kpa::record(Instant now, double value) {
  stable_.add(now, value);
  panic_.add(now, value);
}

Kpa::Wishes Kpa::wishes(double stable_average, double panic_average, double ready, bool reachable) const {
  const double target = std::max(least_target, settings_.total() * settings_.target_utilization);
  const double most = std::ceil(settings_.max_scale_up_rate * ready);
  const double least = reachable ? std::floor(ready / settings_.max_scale_down_rate) : 0;
  const double raw_stable = std::ceil(stable_average / target);
  const double raw_panic = std::ceil(panic_average / target);
  Wishes out;
  out.stable = std::min(std::max(raw_stable, least), most);
  out.panic = std::min(std::max(raw_panic, least), most);
  const auto activation = static_cast<double>(settings_.activation_scale);
  if (activation > 1) {
    if (raw_stable > 0) out.stable = std::max(out.stable, activation);
    if (raw_panic > 0) out.panic = std::max(out.panic, activation);
  }
  out.over_threshold = raw_panic / ready >= settings_.panic_threshold;
  return out;
}

void Kpa::update_panic(Instant now, bool over_threshold) {
  if (over_threshold) {
    panicking_ = true;
    panic_since_ = now;
  } else if (panicking_ && panic_since_ + settings_.stable_window < now) {
    panicking_ = false;
    panic_most_ = 0;
  }
}

// The largest wish within the delay: a queue whose wishes fall from front to back.
std::int64_t Kpa::delayed(Instant now, std::int64_t wanted) {
  if (settings_.scale_down_delay <= Duration(0)) {
    recent_.clear();
    return wanted;
  }
  while (!recent_.empty() && recent_.back().second <= wanted) recent_.pop_back();
  recent_.emplace_back(now, wanted);
  while (recent_.front().first + settings_.scale_down_delay < now) recent_.pop_front();
  return recent_.front().second;
}

std::int64_t Kpa::bounded(std::int64_t wanted, bool reachable) const {
  const std::int64_t least =
      settings_.scale_to_zero ? settings_.min_scale : std::max<std::int64_t>(settings_.min_scale, 1);
  if (reachable) wanted = std::max(wanted, least);
  if (settings_.max_scale > 0) wanted = std::min(wanted, settings_.max_scale);
  return wanted;
}

std::int64_t Kpa::retained(Instant now, std::int64_t wanted) {
  if (wanted > 0) {
    idle_ = false;
    return wanted;
  }
  if (!idle_) idle_since_ = now;
  idle_ = true;
  return now - idle_since_ < settings_.zero_retention ? 1 : 0;
}

ScaleDecision Kpa::decide(Instant now, std::int64_t ready, bool reachable) {
  ScaleDecision out;
  out.stable = stable_.average(now);
  out.panic = panic_.average(now);
  const Wishes wanted = wishes(out.stable, out.panic, static_cast<double>(std::max<std::int64_t>(ready, 1)), reachable);
  update_panic(now, wanted.over_threshold);
  out.panicking = panicking_;
  double replicas = wanted.stable;
  if (panicking_) {
    panic_most_ = std::max({panic_most_, wanted.stable, wanted.panic});
    replicas = panic_most_;
  }
  const double burst = settings_.target_burst_capacity;
  if (burst < 0) {
    out.excess_burst_capacity = -1;
  } else if (burst > 0) {
    out.excess_burst_capacity = std::floor(static_cast<double>(ready) * settings_.total() - burst - out.panic);
  }
  out.replicas = retained(now, bounded(delayed(now, whole(replicas)), reachable));
  return out;
}

}  // namespace jackdaw::autoscale
