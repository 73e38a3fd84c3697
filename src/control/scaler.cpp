#include "jackdaw/control/scaler.h"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace jackdaw::control {
namespace {

using autoscale::Kpa;
using autoscale::Metric;
using autoscale::ScaleDecision;

// Knative's autoscaler looks at the metrics every second and decides every two.
constexpr unsigned ticks_per_decision = 2;
// A request may be over before the clock moves; it was there all the same.
constexpr double least_concurrency = 0.01;

struct Gauges {
  static constexpr std::array<std::string_view, 3> labels{"namespace_name", "service_name", "revision_name"};
  using Values = std::array<std::string_view, 3>;

  Gauges(MetricsRegistry& r, const Values& of)
      : desired(r.gauge("autoscaler_desired_pods", "Number of replicas the autoscaler wants.", labels, of)),
        actual(r.gauge("autoscaler_actual_pods", "Number of replicas that are there.", labels, of)),
        panic(r.gauge("autoscaler_panic_mode", "1 while the autoscaler only scales up.", labels, of)),
        stable_average(r.gauge("autoscaler_stable_request_concurrency",
                               "Average of the scaling metric over the stable window.", labels, of)),
        panic_average(r.gauge("autoscaler_panic_request_concurrency",
                              "Average of the scaling metric over the panic window.", labels, of)),
        excess_burst(r.gauge("autoscaler_excess_burst_capacity", "Requests of a burst there is room for.", labels, of)),
        queue_depth(r.gauge("revision_queue_depth", "Requests that are held.", labels, of)),
        at_work(r.gauge("revision_request_concurrency", "Requests at work.", labels, of)) {}

  // The revision is gone: its series stay, and say that nothing is there.
  void clear() {
    for (Gauge* gauge :
         {&desired, &actual, &panic, &stable_average, &panic_average, &excess_burst, &queue_depth, &at_work})
      gauge->set(0);
  }

  Gauge &desired, &actual, &panic, &stable_average, &panic_average, &excess_burst, &queue_depth, &at_work;
};

struct Row {
  Row(const ScaledModel& model, MetricsRegistry& metrics, Instant now)
      : gate(model.gate),
        kpa(model.scaling.kpa, model.gate->replicas(), now),
        gauges(metrics, {model.namespace_name, model.service_name, model.revision}) {
    gauges.desired.set(gate->replicas());  // until it is decided
  }

  std::shared_ptr<serving::Gate> gate;
  Kpa kpa;
  Gauges gauges;
  bool fixed = false;
  bool open = false;
  Instant open_since{};
  // While ModelControl is at it there is nothing more to say; shared with its callback.
  std::shared_ptr<std::atomic<bool>> busy = std::make_shared<std::atomic<bool>>(false);
};

class KnativeScaler final : public Scaler {
 public:
  KnativeScaler(ModelControl& models, MetricsRegistry& metrics, Clock& clock)
      : models_(models), metrics_(metrics), clock_(clock) {}

  void tick() override {
    const Instant now = clock_.now();
    if (const auto models = models_.scaled(); models != known_) follow(models, now);
    const bool deciding = ++ticks_ % ticks_per_decision == 0;
    for (auto& [key, row] : rows_) look(key, *row, deciding, now);
  }

 private:
  // Services came, went or changed. One that comes again with another gate begins anew.
  void follow(std::shared_ptr<const std::vector<ScaledModel>> models, Instant now) {
    std::map<std::string, std::unique_ptr<Row>> rows;
    for (const ScaledModel& model : *models) {
      auto old = rows_.extract(model.key);
      std::unique_ptr<Row> row;
      if (!old.empty() && old.mapped()->gate == model.gate) {
        row = std::move(old.mapped());
        row->kpa.configure(model.scaling.kpa);
      } else {
        row = std::make_unique<Row>(model, metrics_, now);
      }
      row->fixed = model.scaling.fixed;
      rows.emplace(model.key, std::move(row));
    }
    for (const auto& [key, gone] : rows_) {
      if (gone != nullptr && !rows.contains(key)) gone->gauges.clear();
    }
    rows_ = std::move(rows);
    known_ = std::move(models);
  }

  void look(const std::string& key, Row& row, bool deciding, Instant now) {
    const serving::GateObservation seen = row.gate->observe();
    double value = seen.per_second;
    if (row.kpa.settings().metric == Metric::concurrency)
      value = seen.per_second > 0 ? std::max(seen.concurrency, least_concurrency) : seen.concurrency;
    row.kpa.record(now, value);
    if (!std::exchange(row.open, seen.replicas > 0)) row.open_since = now;
    row.gauges.actual.set(seen.replicas);
    row.gauges.queue_depth.set(seen.held);
    row.gauges.at_work.set(seen.at_work);
    if (!deciding) return;
    const ScaleDecision decision = row.kpa.decide(now, seen.replicas);
    const std::int64_t wanted = wanted_replicas(row, decision, seen, now);
    row.gauges.desired.set(static_cast<double>(wanted));
    row.gauges.panic.set(decision.panicking ? 1 : 0);
    row.gauges.stable_average.set(decision.stable);
    row.gauges.panic_average.set(decision.panic);
    row.gauges.excess_burst.set(decision.excess_burst_capacity);
    if (row.fixed || seen.replicas == 0 || wanted == seen.replicas || row.busy->load()) return;
    row.busy->store(true);
    models_.scale(key, wanted, [busy = row.busy](std::int64_t) { busy->store(false); });
  }

  // A replica that came a moment ago stays: the window it would be judged by is not its own.
  static std::int64_t wanted_replicas(const Row& row, const ScaleDecision& decision,
                                      const serving::GateObservation& seen, Instant now) {
    if (row.fixed) return seen.replicas;
    if (decision.replicas > 0 || seen.replicas == 0) return decision.replicas;
    const autoscale::KpaSettings& settings = row.kpa.settings();
    const bool young = now - row.open_since < settings.stable_window;
    return young || seen.at_work > 0 || seen.held > 0 ? 1 : 0;
  }

  ModelControl& models_;
  MetricsRegistry& metrics_;
  Clock& clock_;
  std::shared_ptr<const std::vector<ScaledModel>> known_;
  std::map<std::string, std::unique_ptr<Row>> rows_;  // by ScaledModel::key
  unsigned ticks_ = 0;
};

class SecondTicker final : public Ticker {
 public:
  explicit SecondTicker(std::function<void()> work) : work_(std::move(work)), thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "scaler");
  }
  ~SecondTicker() override {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_all();
    thread_.join();
  }

 private:
  void run() {
    auto next = std::chrono::steady_clock::now();
    for (;;) {
      next += std::chrono::seconds(1);
      {
        std::unique_lock lock(mutex_);
        if (ended_.wait_until(lock, next, [this] { return over_; })) return;
      }
      work_();
    }
  }

  std::function<void()> work_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;  // last: it uses everything above
};

}  // namespace

std::unique_ptr<Scaler> make_scaler(ModelControl& models, MetricsRegistry& metrics, Clock& clock) {
  return std::make_unique<KnativeScaler>(models, metrics, clock);
}

std::unique_ptr<Ticker> every_second(std::function<void()> work) {
  return std::make_unique<SecondTicker>(std::move(work));
}

}  // namespace jackdaw::control
