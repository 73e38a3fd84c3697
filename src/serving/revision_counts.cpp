#include "jackdaw/serving/revision_counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <string_view>
#include <vector>

#include "jackdaw/serving/registry.h"

namespace jackdaw::serving {
namespace {

constexpr int lowest_octave = 10;  // 2^10 ns
constexpr int octaves = static_cast<int>(RevisionReading::bucket_count) / 8;

}  // namespace

std::size_t latency_bucket(Duration latency) {
  const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
  const int octave = std::bit_width(ns) - 1;
  if (octave < lowest_octave) return 0;
  if (octave >= lowest_octave + octaves) return RevisionReading::bucket_count - 1;
  const std::uint64_t eighth = (ns >> (octave - 3)) & 7;
  return static_cast<std::size_t>(octave - lowest_octave) * 8 + static_cast<std::size_t>(eighth);
}

Duration latency_bucket_end(std::size_t bucket) {
  const auto octave = lowest_octave + static_cast<int>(bucket / 8);
  return Duration(static_cast<std::int64_t>((8 + bucket % 8 + 1) << (octave - 3)));
}

RevisionReading RevisionReading::since(const RevisionReading& before) const {
  RevisionReading out = *this;
  out.requests -= before.requests;
  out.failures -= before.failures;
  out.seconds -= before.seconds;
  for (std::size_t i = 0; i < bucket_count; ++i) out.latency[i] -= before.latency[i];
  return out;
}

Duration RevisionReading::quantile(double q) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(q * static_cast<double>(requests)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bucket_count && requests > 0; ++i) {
    seen += latency[i];
    if (seen >= std::max<std::uint64_t>(wanted, 1)) return latency_bucket_end(i);
  }
  return Duration{0};
}

void RevisionCounts::count(Duration latency, bool failed) {
  latency_[latency_bucket(latency)].fetch_add(1, std::memory_order_relaxed);
  nanoseconds_.fetch_add(static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0)),
                         std::memory_order_relaxed);
  if (failed) failures_.fetch_add(1, std::memory_order_relaxed);
}

// Requests are the sum of the buckets, so that the two never disagree.
RevisionReading RevisionCounts::read() const {
  RevisionReading out;
  out.failures = failures_.load(std::memory_order_relaxed);
  out.seconds = static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) * 1e-9;
  for (std::size_t i = 0; i < out.latency.size(); ++i) {
    out.latency[i] = latency_[i].load(std::memory_order_relaxed);
    out.requests += out.latency[i];
  }
  out.failures = std::min(out.failures, out.requests);
  return out;
}

namespace {

struct Row {
  std::string labels;
  int percent;
  RevisionReading reading;
};

void add_row(std::vector<Row>& rows, const ServedModel& revision, int percent) {
  if (revision.counts == nullptr || revision.revision.empty()) return;
  // Names of services and revisions are Kubernetes names: nothing in them needs escaping.
  rows.push_back({fmt::format(R"(namespace="{}",service="{}",revision="{}")", revision.namespace_name,
                              revision.service_name, revision.revision),
                  percent, revision.counts->read()});
}

std::vector<Row> rows_of(const RegistrySnapshot& snapshot) {
  std::vector<Row> rows;
  for (const ServedModelPtr& model : snapshot.models()) {
    if (model->traffic == nullptr) {
      add_row(rows, *model, model->unloaded ? 0 : 100);
      continue;
    }
    for (const TrafficShare& share : model->traffic->shares) add_row(rows, *share.revision, share.percent);
  }
  return rows;
}

void append_head(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

// One bucket to an octave: a histogram of 216 lines for each revision would serve nobody.
void append_histogram(std::string& out, const Row& row) {
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < row.reading.latency.size(); ++i) {
    seen += row.reading.latency[i];
    if (i % 8 != 7) continue;
    const double end = std::chrono::duration<double>(latency_bucket_end(i)).count();
    fmt::format_to(std::back_inserter(out), "jackdaw_revision_request_seconds_bucket{{{},le=\"{:.6g}\"}} {}\n",
                   row.labels, end, seen);
  }
  fmt::format_to(std::back_inserter(out),
                 "jackdaw_revision_request_seconds_bucket{{{0},le=\"+Inf\"}} {1}\n"
                 "jackdaw_revision_request_seconds_sum{{{0}}} {2}\n"
                 "jackdaw_revision_request_seconds_count{{{0}}} {1}\n",
                 row.labels, row.reading.requests, row.reading.seconds);
}

}  // namespace

std::string expose_revisions(const RegistrySnapshot& snapshot) {
  const std::vector<Row> rows = rows_of(snapshot);
  std::string out;
  if (rows.empty()) return out;
  append_head(out, "jackdaw_revision_requests_total", "counter", "Requests answered by a revision of a service");
  for (const Row& row : rows)
    fmt::format_to(std::back_inserter(out), "jackdaw_revision_requests_total{{{}}} {}\n", row.labels,
                   row.reading.requests);
  append_head(out, "jackdaw_revision_failures_total", "counter",
              "Answers of a revision that were 5xx, or refused by its model");
  for (const Row& row : rows)
    fmt::format_to(std::back_inserter(out), "jackdaw_revision_failures_total{{{}}} {}\n", row.labels,
                   row.reading.failures);
  append_head(out, "jackdaw_revision_traffic_percent", "gauge", "Share of its service's traffic that a revision has");
  for (const Row& row : rows)
    fmt::format_to(std::back_inserter(out), "jackdaw_revision_traffic_percent{{{}}} {}\n", row.labels, row.percent);
  append_head(out, "jackdaw_revision_request_seconds", "histogram",
              "From a request's head to its answer, of a streamed one to its end");
  for (const Row& row : rows) append_histogram(out, row);
  return out;
}

}  // namespace jackdaw::serving
