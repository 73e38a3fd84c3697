#include "jackdaw/base/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <deque>
#include <iterator>
#include <limits>
#include <unordered_map>

#include "jackdaw/base/result.h"

namespace jackdaw {
namespace {

// As prometheus_client: a number that is whole prints with ".0", infinities as +Inf/-Inf.
std::string number_text(double value) {
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  if (std::isnan(value)) return "NaN";
  if (value == std::floor(value) && std::fabs(value) < 1e15) return fmt::format("{:.1f}", value);
  return fmt::format("{}", value);
}

void append_escaped(std::string& out, std::string_view text, bool quotes) {
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

constexpr std::array<double, 14> latency_buckets{0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25,
                                                 0.5,   0.75, 1.0,   2.5,  5.0,   7.5, 10.0};

}  // namespace

std::span<const double> default_latency_buckets() {
  return latency_buckets;
}

Histogram::Histogram(std::span<const double> bounds)
    : bounds_(bounds.begin(), bounds.end()), counts_(new std::atomic<std::uint64_t>[bounds.size() + 1]()) {
  CHECK(std::is_sorted(bounds_.begin(), bounds_.end()));
}

void Histogram::observe(double value) {
  const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  counts_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value, std::memory_order_relaxed);
}

std::vector<std::uint64_t> Histogram::bucket_counts() const {
  std::vector<std::uint64_t> counts(bounds_.size() + 1);
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] = counts_[i].load(std::memory_order_relaxed);
  return counts;
}

struct MetricsRegistry::Child {
  std::vector<std::string> label_values;
  Counter counter;
  Gauge gauge;
  std::unique_ptr<Histogram> histogram;
};

struct MetricsRegistry::Family {
  MetricType type;
  std::string name;
  std::string help;
  std::vector<std::string> label_names;
  std::vector<double> bounds;
  std::deque<Child> children;  // stable addresses
  std::unordered_map<std::string, Child*> by_values;
};

MetricsRegistry::MetricsRegistry() = default;
MetricsRegistry::~MetricsRegistry() = default;

MetricsRegistry::Child& MetricsRegistry::child(MetricType type, std::string_view name, std::string_view help,
                                               std::span<const double> bounds,
                                               std::span<const std::string_view> label_names,
                                               std::span<const std::string_view> label_values) {
  CHECK(label_names.size() == label_values.size());
  const std::lock_guard lock(mutex_);
  auto family = std::find_if(families_.begin(), families_.end(), [&](const auto& f) { return f->name == name; });
  if (family == families_.end()) {
    auto made = std::make_unique<Family>();
    made->type = type;
    made->name = name;
    made->help = help;
    made->label_names.assign(label_names.begin(), label_names.end());
    made->bounds.assign(bounds.begin(), bounds.end());
    families_.push_back(std::move(made));
    family = std::prev(families_.end());
  }
  Family& f = **family;
  CHECK(f.type == type);
  CHECK(std::equal(f.label_names.begin(), f.label_names.end(), label_names.begin(), label_names.end()));
  std::string values;
  for (const std::string_view value : label_values) values.append(value).push_back('\0');
  Child*& known = f.by_values[values];
  if (known != nullptr) return *known;
  Child& c = f.children.emplace_back();
  known = &c;
  c.label_values.assign(label_values.begin(), label_values.end());
  if (type == MetricType::histogram) c.histogram = std::make_unique<Histogram>(f.bounds);
  return c;
}

Counter& MetricsRegistry::counter(std::string_view name, std::string_view help,
                                  std::span<const std::string_view> label_names,
                                  std::span<const std::string_view> label_values) {
  return child(MetricType::counter, name, help, {}, label_names, label_values).counter;
}

Gauge& MetricsRegistry::gauge(std::string_view name, std::string_view help,
                              std::span<const std::string_view> label_names,
                              std::span<const std::string_view> label_values) {
  return child(MetricType::gauge, name, help, {}, label_names, label_values).gauge;
}

Histogram& MetricsRegistry::histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                                      std::span<const std::string_view> label_names,
                                      std::span<const std::string_view> label_values) {
  return *child(MetricType::histogram, name, help, bounds, label_names, label_values).histogram;
}

namespace {

std::string label_text(std::span<const std::string> names, std::span<const std::string> values,
                       std::string_view extra_name = {}, std::string_view extra_value = {}) {
  if (names.empty() && extra_name.empty()) return {};
  std::string out = "{";
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += ',';
    out += names[i] + "=\"";
    append_escaped(out, values[i], true);
    out += '"';
  }
  if (!extra_name.empty()) {
    if (!names.empty()) out += ',';
    out += fmt::format("{}=\"{}\"", extra_name, extra_value);
  }
  return out + "}";
}

void append_histogram(std::string& out, std::string_view name, const Histogram& histogram,
                      std::span<const std::string> label_names, std::span<const std::string> label_values) {
  const std::vector<std::uint64_t> counts = histogram.bucket_counts();
  const auto to = std::back_inserter(out);
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    cumulative += counts[i];
    const double bound =
        i < histogram.bounds().size() ? histogram.bounds()[i] : std::numeric_limits<double>::infinity();
    fmt::format_to(to, "{}_bucket{} {}\n", name, label_text(label_names, label_values, "le", number_text(bound)),
                   number_text(static_cast<double>(cumulative)));
  }
  const std::string labels = label_text(label_names, label_values);
  fmt::format_to(to, "{}_count{} {}\n", name, labels, number_text(static_cast<double>(cumulative)));
  fmt::format_to(to, "{}_sum{} {}\n", name, labels, number_text(histogram.sum()));
}

}  // namespace

std::string MetricsRegistry::expose() const {
  static constexpr std::array<std::string_view, 3> type_names{"counter", "gauge", "histogram"};
  const std::lock_guard lock(mutex_);
  std::string out;
  const auto to = std::back_inserter(out);
  for (const auto& f : families_) {
    fmt::format_to(to, "# HELP {} ", f->name);
    append_escaped(out, f->help, false);
    fmt::format_to(to, "\n# TYPE {} {}\n", f->name, type_names[static_cast<std::size_t>(f->type)]);
    for (const Child& c : f->children) {
      if (f->type == MetricType::histogram) {
        append_histogram(out, f->name, *c.histogram, f->label_names, c.label_values);
        continue;
      }
      const double value = f->type == MetricType::counter ? c.counter.value() : c.gauge.value();
      fmt::format_to(to, "{}{} {}\n", f->name, label_text(f->label_names, c.label_values), number_text(value));
    }
  }
  return out;
}

}  // namespace jackdaw
