#include "jackdaw/serving/transformer.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "jackdaw/base/log.h"

namespace jackdaw::serving {
namespace {

constexpr Duration probe_timeout = std::chrono::seconds(2);
constexpr std::size_t probe_bytes_max = 64 * 1024;

constexpr std::array<std::string_view, 2> service_labels{"namespace_name", "service_name"};
constexpr std::array<std::string_view, 3> result_labels{"namespace_name", "service_name", "result"};

Gauge& ready_gauge(MetricsRegistry& metrics, const TransformerSettings& of) {
  return metrics.gauge("jackdaw_transformer_ready", "1 when the service's transformer answers its probes.",
                       service_labels, std::array<std::string_view, 2>{of.namespace_name, of.service_name});
}

// What a probe's answer says against the server; "" = nothing.
std::string fault_of(const TransformerSettings& settings, const Result<net::ClientResponse>& answer) {
  if (!answer) return answer.error().text();
  if (answer->status < 500) return "";
  return fmt::format("GET {}{}: it answered {}", settings.url, settings.probe_path, answer->status);
}

}  // namespace

void TransformerHealth::probed(Instant now, std::string fault) {
  if (fault.empty()) {
    *this = {};
    state_ = State::ready;
    next_ = now + interval;
    return;
  }
  fault_ = std::move(fault);
  ++failures_;
  if (state_ != State::ready || failures_ >= failures_max) state_ = State::failing;
  const int doublings = state_ == State::ready ? 0 : std::min(failures_ - 1, 4);
  next_ = now + std::min(retry_interval * (1 << doublings), interval);
}

Transformer::Transformer(TransformerSettings settings, MetricsRegistry& metrics)
    : settings_(std::move(settings)), metrics_(metrics), ready_(ready_gauge(metrics, settings_)) {}

bool Transformer::is_ready() const {
  const std::lock_guard lock(mutex_);
  return health_.state() == TransformerHealth::State::ready;
}

TransformerHealth Transformer::health() const {
  const std::lock_guard lock(mutex_);
  return health_;
}

bool Transformer::begin_probe(Instant now) {
  const std::lock_guard lock(mutex_);
  if (probing_ || !health_.due(now)) return false;
  return probing_ = true;
}

void Transformer::probed(Instant now, std::string fault) {
  const std::lock_guard lock(mutex_);
  const auto before = health_.state();
  health_.probed(now, std::move(fault));
  probing_ = false;
  const bool ready = health_.state() == TransformerHealth::State::ready;
  ready_.set(ready ? 1 : 0);
  if (health_.state() == before) return;
  if (ready) {
    log_info("transformer ready", {{"service", settings_.service_name}, {"url", settings_.url}});
  } else {
    log_warning("transformer not ready", {{"service", settings_.service_name}, {"reason", health_.fault()}});
  }
}

bool Transformer::begin_call() {
  if (calls_.fetch_add(1, std::memory_order_relaxed) < calls_max) return true;
  end_call();
  return false;
}

void Transformer::count(std::string_view result) {
  const std::array<std::string_view, 3> values{settings_.namespace_name, settings_.service_name, result};
  metrics_
      .counter("jackdaw_transformer_requests_total", "Requests that were sent to transformers.", result_labels, values)
      .add();
}

std::shared_ptr<Transformer> Transformers::get(const TransformerSettings& settings) {
  std::shared_ptr<Transformer> transformer;
  {
    const std::lock_guard lock(mutex_);
    std::weak_ptr<Transformer>& known = known_[settings];
    transformer = known.lock();
    if (transformer == nullptr) known = transformer = std::make_shared<Transformer>(settings, metrics_);
  }
  if (transformer->begin_probe(clock_.now())) probe(transformer);
  return transformer;
}

void Transformers::tick() {
  std::vector<std::shared_ptr<Transformer>> due;
  {
    const std::lock_guard lock(mutex_);
    const Instant now = clock_.now();
    std::erase_if(known_, [](const auto& entry) { return entry.second.expired(); });
    for (const auto& [settings, known] : known_) {
      auto transformer = known.lock();
      if (transformer != nullptr && transformer->begin_probe(now)) due.push_back(std::move(transformer));
    }
  }
  for (const auto& transformer : due) probe(transformer);
}

void Transformers::probe(const std::shared_ptr<Transformer>& transformer) {
  const TransformerSettings& settings = transformer->settings();
  net::ClientRequest request;
  request.url = settings.url + settings.probe_path;
  request.headers = {{"accept", "application/json"}, {"user-agent", "jackdaw-probe"}};
  request.timeout = std::min(probe_timeout, settings.timeout);
  request.body_bytes_max = probe_bytes_max;
  client_.send(std::move(request), [transformer, clock = &clock_](const Result<net::ClientResponse>& answer) {
    transformer->probed(clock->now(), fault_of(transformer->settings(), answer));
  });
}

}  // namespace jackdaw::serving
