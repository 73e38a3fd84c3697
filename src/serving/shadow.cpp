#include "jackdaw/serving/shadow.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

#include "jackdaw/base/log.h"

namespace jackdaw::serving {
namespace {

constexpr double absolute_tolerance = 1e-6;
constexpr double relative_tolerance = 1e-5;
constexpr Duration log_interval = std::chrono::seconds(1);

struct Elements {
  std::size_t differing = 0;
  double max_difference = 0;
};

template <typename T>
Elements compare_numbers(const engine::Tensor& a, const engine::Tensor& b) {
  Elements out;
  const std::size_t count = a.element_count();
  for (std::size_t i = 0; i < count; ++i) {
    const auto x = static_cast<double>(a.as<T>()[i]);
    const auto y = static_cast<double>(b.as<T>()[i]);
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    const double difference = std::abs(x - y);
    const bool finite = std::isfinite(difference);
    if (finite) out.max_difference = std::max(out.max_difference, difference);
    const double allowed = absolute_tolerance + relative_tolerance * std::max(std::abs(x), std::abs(y));
    const bool within = std::is_floating_point_v<T> && finite && difference <= allowed;
    if (!within) ++out.differing;
  }
  return out;
}

Elements compare_bytes(const engine::Tensor& a, const engine::Tensor& b) {
  Elements out;
  const std::size_t size = element_size(a.dtype);
  for (std::size_t i = 0; i < a.element_count(); ++i) {
    const auto begin = a.data.begin() + static_cast<std::ptrdiff_t>(i * size);
    if (!std::equal(begin, begin + static_cast<std::ptrdiff_t>(size),
                    b.data.begin() + static_cast<std::ptrdiff_t>(i * size)))
      ++out.differing;
  }
  return out;
}

Elements compare_elements(const engine::Tensor& a, const engine::Tensor& b) {
  switch (a.dtype) {
    case DType::bytes: {
      Elements out;
      for (std::size_t i = 0; i < a.strings.size(); ++i) out.differing += a.strings[i] != b.strings[i] ? 1 : 0;
      return out;
    }
    case DType::fp32:
      return compare_numbers<float>(a, b);
    case DType::fp64:
      return compare_numbers<double>(a, b);
    case DType::int32:
      return compare_numbers<std::int32_t>(a, b);
    case DType::int64:
      return compare_numbers<std::int64_t>(a, b);
    default:
      return compare_bytes(a, b);
  }
}

bool same_form(const engine::Tensor& a, const engine::Tensor& b) {
  return a.dtype == b.dtype && a.shape == b.shape && a.element_count() == b.element_count() &&
         a.missing.size() == b.missing.size();
}

std::string_view request_word(const std::string& id) {
  return id.empty() ? std::string_view("-") : std::string_view(id);
}

// The kernel's priority of the calling thread alone: Linux keeps it by thread.
void lower_priority() {
  thread_local const bool lowered = setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 19) == 0;
  (void)lowered;
}

}  // namespace

AnswerDifference compare_answers(const std::vector<engine::Tensor>& given, const std::vector<engine::Tensor>& shadow) {
  AnswerDifference out;
  if (given.size() != shadow.size()) {
    out.words = fmt::format("{} outputs, not {}", shadow.size(), given.size());
    return out;
  }
  for (std::size_t i = 0; i < given.size(); ++i) {
    const engine::Tensor& a = given[i];
    const engine::Tensor& b = shadow[i];
    if (!same_form(a, b)) {
      out.words = fmt::format("{} is {} [{}], not {} [{}]", a.name, oip_name(b.dtype), fmt::join(b.shape, ","),
                              oip_name(a.dtype), fmt::join(a.shape, ","));
      return out;
    }
    const Elements elements = compare_elements(a, b);
    out.max_difference = std::max(out.max_difference, elements.max_difference);
    if (elements.differing == 0 && a.missing == b.missing) continue;
    if (out.words.empty())
      out.words = fmt::format("{} differs in {} of {} elements", a.name, elements.differing, a.element_count());
  }
  return out;
}

// Looked up for each copy: shadows are rare, and a revision's labels outlive it only as numbers.
struct Shadow::Counts {
  Counter& compared;
  Counter& differing;
  Counter& failed;
  Counter& dropped;
  Gauge& max_difference;
};

Shadow::Counts Shadow::counts_of(const ServedModel& revision) {
  static constexpr std::array<std::string_view, 2> labels{"namespace", "service"};
  const std::array<std::string_view, 2> values{revision.namespace_name, revision.service_name};
  return {metrics_.counter("jackdaw_shadow_compared_total", "Answers compared with those of a shadow", labels, values),
          metrics_.counter("jackdaw_shadow_differing_total", "Answers that a shadow would have given otherwise", labels,
                           values),
          metrics_.counter("jackdaw_shadow_failed_total", "Copies of requests that a shadow did not answer", labels,
                           values),
          metrics_.counter("jackdaw_shadow_dropped_total", "Copies of requests for which a shadow had no time", labels,
                           values),
          metrics_.gauge("jackdaw_shadow_max_abs_difference", "Largest difference between two numbers of answers",
                         labels, values)};
}

Shadow::Shadow(MetricsRegistry& metrics, Clock& clock, std::size_t queue_max)
    : metrics_(metrics), clock_(clock), queue_max_(queue_max), pool_("shadow", 1, queue_max) {}

Shadow::~Shadow() = default;

bool Shadow::wants(const ServedModel& revision, Random& random) {
  if (revision.shadow == nullptr) return false;
  if (revision.shadow_percent < 100 && random.next() % 100 >= static_cast<std::uint64_t>(revision.shadow_percent))
    return false;
  if (pool_.queued() < queue_max_) return true;
  counts_of(revision).dropped.add();
  return false;
}

void Shadow::compare(ShadowRequest request) {
  const ServedModelPtr revision = request.revision;
  if (!pool_.post([this, request = std::move(request)] { run(request); })) counts_of(*revision).dropped.add();
}

void Shadow::run(const ShadowRequest& request) {
  lower_priority();
  const ServedModel& shadow = *request.revision->shadow;
  const ModelVersion* version = shadow.latest();
  const Counts counts = counts_of(*request.revision);
  if (version == nullptr || version->engine == nullptr) return counts.dropped.add();
  const Instant begin = clock_.now();
  const auto answer = version->engine->predict(*request.request);
  if (shadow.counts != nullptr) shadow.counts->count(clock_.now() - begin, !answer);
  if (!answer) {
    counts.failed.add();
    return say(request, "a shadow failed", answer.error().text());
  }
  const AnswerDifference difference = compare_answers(request.outputs, *answer);
  counts.compared.add();
  // One thread writes it.
  counts.max_difference.set(std::max(counts.max_difference.value(), difference.max_difference));
  if (difference.words.empty()) return;
  counts.differing.add();
  say(request, "a shadow answers otherwise", difference.words);
}

void Shadow::say(const ShadowRequest& request, std::string_view what, const std::string& words) {
  const std::int64_t now = clock_.now().time_since_epoch().count();
  if (now < next_log_ns_.load(std::memory_order_relaxed)) return;
  next_log_ns_.store(now + log_interval.count(), std::memory_order_relaxed);
  log_warning(what, {{"service", request.revision->service_name},
                     {"revision", request.revision->revision},
                     {"shadow", request.revision->shadow->revision},
                     {"request_id", request_word(request.id)},
                     {"difference", words}});
}

}  // namespace jackdaw::serving
