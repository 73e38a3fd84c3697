#include "src/control/rollback.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace jackdaw::control {
namespace {

using serving::RevisionReading;

constexpr int window_parts = 12;

double error_rate(const RevisionReading& reading) {
  return reading.requests == 0 ? 0.0 : static_cast<double>(reading.failures) / static_cast<double>(reading.requests);
}

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

std::optional<RollbackVerdict> judge_errors(const RollbackLimits& limits, const RevisionReading& suspect,
                                            const RevisionReading& others) {
  const double rate = error_rate(suspect);
  if (!limits.error_rate || rate <= *limits.error_rate) return std::nullopt;
  const double other_rate = error_rate(others);
  if (other_rate > *limits.error_rate && other_rate >= rate) return std::nullopt;
  return RollbackVerdict{
      "ErrorRate",
      fmt::format("{} of {} answers failed in the last {:.3g} s ({:.2f} %); {:.2f} % are allowed.", suspect.failures,
                  suspect.requests, milliseconds(limits.window) / 1e3, rate * 100, *limits.error_rate * 100)};
}

std::optional<RollbackVerdict> judge_latency(const RollbackLimits& limits, const RevisionReading& suspect,
                                             const RevisionReading& others) {
  const Duration p99 = suspect.quantile(0.99);
  if (!limits.latency_p99 || p99 <= *limits.latency_p99) return std::nullopt;
  const Duration other_p99 = others.quantile(0.99);
  if (other_p99 > *limits.latency_p99 && other_p99 >= p99) return std::nullopt;
  return RollbackVerdict{"Latency",
                         fmt::format("99 % of {} answers took up to {:.4g} ms in the last {:.3g} s; {:.4g} ms are "
                                     "allowed.",
                                     suspect.requests, milliseconds(p99), milliseconds(limits.window) / 1e3,
                                     milliseconds(*limits.latency_p99))};
}

}  // namespace

Duration RollbackWatch::spacing() const {
  return std::max<Duration>(limits_.window / window_parts, std::chrono::milliseconds(50));
}

Duration RollbackWatch::interval() const {
  return std::min<Duration>(spacing(), std::chrono::seconds(5));
}

std::optional<RollbackVerdict> RollbackWatch::look(Instant now, const RevisionReading& suspect,
                                                   const RevisionReading& others) {
  // The oldest sample that is kept is the last one at or before the window's beginning.
  while (samples_.size() > 1 && samples_[1].at <= now - limits_.window) samples_.pop_front();
  const bool due = samples_.empty() || now - samples_.back().at >= spacing();
  std::optional<RollbackVerdict> verdict;
  if (!samples_.empty()) {
    const RevisionReading of_suspect = suspect.since(samples_.front().suspect);
    const RevisionReading of_others = others.since(samples_.front().others);
    if (of_suspect.requests >= std::max<std::uint64_t>(limits_.min_requests, 1)) {
      verdict = judge_errors(limits_, of_suspect, of_others);
      if (!verdict) verdict = judge_latency(limits_, of_suspect, of_others);
    }
  }
  if (due) samples_.push_back({now, suspect, others});
  if (samples_.size() > static_cast<std::size_t>(window_parts) + 2) samples_.pop_front();
  return verdict;
}

}  // namespace jackdaw::control
