// Prometheus metrics: counters, gauges and histograms with labels, and their text exposition (format 0.0.4).
//
// A Family is a row of a table of metrics (name, help, type, label names); a child is one combination of label values.
// Children live as long as the registry, so a hot path looks its child up once and keeps the reference. Updates are
// relaxed atomics from any thread; looking a child up takes a lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jackdaw {

enum class MetricType : unsigned char { counter, gauge, histogram };

class Counter {
 public:
  void add(double amount = 1.0) { value_.fetch_add(amount, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0.0};
};

class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0.0};
};

class Histogram {
 public:
  // `bounds` are upper bounds in ascending order, without +Inf.
  explicit Histogram(std::span<const double> bounds);
  void observe(double value);
  std::span<const double> bounds() const { return bounds_; }
  // Not cumulative; one more entry than bounds.
  std::vector<std::uint64_t> bucket_counts() const;
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  std::vector<double> bounds_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> counts_;
  std::atomic<double> sum_{0.0};
};

// The buckets prometheus_client gives a histogram that names none (KServe's latency histograms), in seconds.
std::span<const double> default_latency_buckets();

class MetricsRegistry {
 public:
  MetricsRegistry();
  ~MetricsRegistry();
  MetricsRegistry(const MetricsRegistry&) = delete;
  MetricsRegistry& operator=(const MetricsRegistry&) = delete;

  // Finds or makes the child of family `name` with these label values. The first call fixes help, type, label names
  // and buckets; a later call with others is a bug (CHECK).
  Counter& counter(std::string_view name, std::string_view help, std::span<const std::string_view> label_names = {},
                   std::span<const std::string_view> label_values = {});
  Gauge& gauge(std::string_view name, std::string_view help, std::span<const std::string_view> label_names = {},
               std::span<const std::string_view> label_values = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                       std::span<const std::string_view> label_names = {},
                       std::span<const std::string_view> label_values = {});

  // The whole registry as Prometheus text, families in the order they were made.
  std::string expose() const;

 private:
  struct Child;
  struct Family;
  Child& child(MetricType type, std::string_view name, std::string_view help, std::span<const double> bounds,
               std::span<const std::string_view> label_names, std::span<const std::string_view> label_values);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Family>> families_;
};

}  // namespace jackdaw
