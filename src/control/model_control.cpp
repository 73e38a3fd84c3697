#include "jackdaw/control/model_control.h"

#include <malloc.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "jackdaw/base/log.h"
#include "jackdaw/serving/engine_set.h"
#include "jackdaw/serving/worker_pool.h"
#include "src/control/fronts.h"
#include "src/control/model_memory.h"
#include "src/control/model_versions.h"
#include "src/control/strands.h"

namespace jackdaw::control {
namespace {

using serving::ModelState;
using serving::ModelVersion;
using serving::ServedModel;

Error too_many() {
  return make_error(Code::resource_exhausted, "too many model loads are waiting; try again later");
}

Error unknown(const std::string& namespace_name, const std::string& service_name) {
  return make_error(Code::not_found, "There is no service {}/{} that could be loaded or unloaded.", namespace_name,
                    service_name);
}

using namespace std::chrono_literals;

// A model that cannot be loaded when a request needs it is tried again after these.
constexpr Duration retry_first = 1s;
constexpr Duration retry_most = 60s;
// Memory that models gave back before the allocator is asked to do the same.
constexpr std::uint64_t trim_bytes = 8u << 20;

// A cold start: from the request that found no replica to the one that answers it, in seconds.
constexpr std::array<double, 14> cold_start_bounds{0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1,
                                                   0.2,   0.4,    1,     2.5,  5,    10,   30};

std::string key_of(std::string_view namespace_name, std::string_view service_name, std::string_view revision) {
  return std::string(namespace_name) + "/" + std::string(service_name) + "/" + std::string(revision);
}

std::string key_of(const DeclaredModel& model) {
  return key_of(model.namespace_name, model.service_name, model.revision);
}

Lane lane_of(const DeclaredModel& model) {
  return model.generates ? Lane::slow : Lane::quick;
}

// Bytes of a file, or of all files in a folder; what cannot be looked at counts nothing.
std::uint64_t file_bytes(const std::string& path) {
  namespace fs = std::filesystem;
  constexpr int entries_max = 10'000;
  std::error_code ec;
  if (fs::is_regular_file(path, ec)) return fs::file_size(path, ec);
  std::uint64_t bytes = 0;
  int entries = 0;
  for (fs::recursive_directory_iterator it(path, ec), end; !ec && it != end && entries < entries_max; ++entries) {
    std::error_code skipped;
    if (it->is_regular_file(skipped)) bytes += it->file_size(skipped);
    it.increment(ec);
  }
  return bytes;
}

double milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

std::uint32_t first_replicas(const ModelScaling& scaling) {
  const std::int64_t least = std::max({scaling.initial_scale, scaling.kpa.min_scale, std::int64_t{1}});
  const std::int64_t most = scaling.kpa.max_scale > 0 ? scaling.kpa.max_scale : least;
  return static_cast<std::uint32_t>(std::min(least, most));
}

// A model without engines, and why: it is being loaded, was stopped, or unloaded.
ServedModel pending(const DeclaredModel& declared, std::shared_ptr<serving::Gate> gate) {
  ServedModel served;
  served.name = declared.name;
  served.namespace_name = declared.namespace_name;
  served.service_name = declared.service_name;
  served.revision = declared.revision;
  served.dialect = declared.dialect;
  served.aliases = declared.aliases;
  served.generates = declared.generates;
  served.logger = declared.logger;
  served.transformer = declared.transformer;
  served.unloaded = declared.stopped;
  served.gate = std::move(gate);
  served.versions.push_back({.version = "1",
                             .state = declared.stopped ? ModelState::unavailable : ModelState::loading,
                             .reason = declared.stopped ? "stopped" : "",
                             .engine = {},
                             .metrics = {}});
  return served;
}

// The same without engines: requests wake it. `reason`: why the last one could not; "" when none failed.
ServedModel in_standby(ServedModel served, const std::string& reason) {
  served.unloaded = false;
  for (ModelVersion& version : served.versions) {
    version.state = ModelState::standby;
    version.reason = reason;
    version.engine.reset();
    version.batcher.reset();  // they hold the engine too
    version.cache.reset();
  }
  return served;
}

bool is_available(const ServedModel* model) {
  return model != nullptr && !model->unloaded && serving::is_available(*model->latest());
}

class Control final : public ModelControl {
 public:
  Control(engine::EngineFactory& factory, serving::Registry& registry, MetricsRegistry& metrics, Clock& clock,
          const MemoryLimits& limits)
      : factory_(factory),
        metrics_(metrics),
        clock_(clock),
        fronts_(registry),
        release_(std::make_shared<serving::WorkerPool>("release", 1, 4096)),
        memory_(limits, metrics) {}

  void declare(std::vector<DeclaredModel> models, std::function<void()> all_done) override {
    const auto left = std::make_shared<std::atomic<std::size_t>>(models.size() + 1);
    const auto one_done = [left, all_done = std::move(all_done)] {
      if (left->fetch_sub(1) == 1 && all_done) all_done();
    };
    for (DeclaredModel& model : models) put(std::move(model), [one_done](const Result<void>&) { one_done(); });
    one_done();
  }

  void put(DeclaredModel model, std::function<void(Result<void>)> done) override {
    const auto gate = announce(model);
    const std::string key = key_of(model);
    const Lane lane = lane_of(model);
    auto work = [this, key, model = std::move(model), gate, done] { done(put_now(key, model, gate)); };
    if (!strands_.post(key, lane, std::move(work))) done(too_many());
  }

  void load_revision(DeclaredModel model, std::function<void(Result<void>)> done) override {
    const std::string key = key_of(model);
    const Lane lane = lane_of(model);
    const auto gate = model.only_if_loaded ? gate_of(key) : announce(model);
    auto work = [this, key, model = std::move(model), gate, done] {
      if (!is_alive(key, gate)) return done(model.only_if_loaded ? Result<void>() : Result<void>(removed()));
      const bool settings_alone = model.only_if_loaded || is_available(current(model).get());
      done(settings_alone ? take_over(key, model, gate) : bring(key, model, gate));
    };
    if (!strands_.post(key, lane, std::move(work))) done(too_many());
  }

  void serve(const std::string& namespace_name, const std::string& service_name, ServiceTraffic traffic) override {
    const auto named = [&](const std::string& revision) {
      const auto has_share = [&](const TrafficPart& part) { return part.revision == revision; };
      return revision == traffic.shadow ||
             std::find(traffic.kept.begin(), traffic.kept.end(), revision) != traffic.kept.end() ||
             std::any_of(traffic.shares.begin(), traffic.shares.end(), has_share);
    };
    std::vector<DeclaredModel> gone;
    for (DeclaredModel& model : declared_of(namespace_name, service_name)) {
      if (!named(model.revision)) gone.push_back(std::move(model));
    }
    fronts_.share(namespace_name, service_name, std::move(traffic));
    for (const DeclaredModel& model : gone) let_go(model);
  }

  std::shared_ptr<const serving::RevisionCounts> counts(const std::string& namespace_name,
                                                        const std::string& service_name,
                                                        const std::string& revision) const override {
    const auto model = fronts_.find(namespace_name, service_name, revision);
    return model == nullptr ? nullptr : model->counts;
  }

  void remove(std::string namespace_name, std::string service_name, std::function<void()> done) override {
    // At once: whoever declares the service again next declares another one, and what still waits or loads for this one
    // finds that its rows are gone.
    remove_now(namespace_name, service_name);
    if (done) done();
  }

  void load(std::string namespace_name, std::string service_name, std::function<void(Result<void>)> done) override {
    on_work({std::move(namespace_name), std::move(service_name)}, std::move(done),
            [this](const std::vector<DeclaredModel>& models) { return reload_now(models); });
  }

  void unload(std::string namespace_name, std::string service_name, std::function<void(Result<void>)> done) override {
    on_work({std::move(namespace_name), std::move(service_name)}, std::move(done),
            [this](const std::vector<DeclaredModel>& models) { return unload_now(models); });
  }

  std::shared_ptr<const std::vector<ScaledModel>> scaled() const override {
    const std::lock_guard lock(mutex_);
    if (scaled_ == nullptr) {
      auto all = std::make_shared<std::vector<ScaledModel>>();
      for (const auto& [service, revisions] : rows_) {
        for (const auto& [name, row] : revisions) {
          const DeclaredModel& model = row.model;
          all->push_back({key_of(model), model.namespace_name, model.service_name, model.revision, row.gate,
                          model.scaling, model.generates});
        }
      }
      scaled_ = std::move(all);
    }
    return scaled_;
  }

  void scale(std::string key, std::int64_t replicas, std::function<void(std::int64_t)> done) override {
    auto work = [this, key, replicas, done] {
      const auto row = row_of(key);
      if (row && row->gate->is_open() && replicas >= 0) {
        if (replicas > 0) {
          resize(key, replicas);
        } else {
          to_standby(key, "idle");
        }
      }
      done(row ? row->gate->replicas() : 0);
    };
    const auto row = row_of(key);
    if (!strands_.post(key, row ? lane_of(row->model) : Lane::quick, work)) done(-1);
  }

 private:
  // One revision, from its declaration until it is let go of. Its gate is its identity: a service that was deleted and
  // declared again has the same keys.
  struct Row {
    DeclaredModel model;
    std::shared_ptr<serving::Gate> gate;
    Duration retry_after = retry_first;  // when it cannot be woken
    std::uint64_t bytes = 0;             // that it took when it was loaded last
  };
  using Revisions = std::map<std::string, Row>;            // by name
  using ServiceKey = std::pair<std::string, std::string>;  // namespace and name

  // With all revisions of the service.
  template <typename Action>
  void on_work(ServiceKey service, std::function<void(Result<void>)> done, Action action) {
    const std::vector<DeclaredModel> known = declared_of(service.first, service.second);
    if (known.empty()) return done(unknown(service.first, service.second));
    auto work = [this, service, done, action] {
      const std::vector<DeclaredModel> models = declared_of(service.first, service.second);
      done(models.empty() ? Result<void>(unknown(service.first, service.second)) : action(models));
    };
    if (!strands_.post(key_of(known.front()), lane_of(known.front()), std::move(work))) done(too_many());
  }

  std::vector<DeclaredModel> declared_of(const std::string& namespace_name, const std::string& service_name) const {
    const std::lock_guard lock(mutex_);
    std::vector<DeclaredModel> out;
    if (const auto at = rows_.find({namespace_name, service_name}); at != rows_.end()) {
      for (const auto& [revision, row] : at->second) out.push_back(row.model);
    }
    return out;
  }

  std::optional<Row> row_of(const std::string& key) const {
    const std::lock_guard lock(mutex_);
    const Row* row = row_at(key);
    return row == nullptr ? std::nullopt : std::optional(*row);
  }

  // With the lock held; null when it is not declared. `key`: namespace/service/revision, none of which has a slash.
  const Row* row_at(const std::string& key) const {
    const std::size_t first = key.find('/');
    const std::size_t second = key.find('/', first + 1);
    const auto service = rows_.find({key.substr(0, first), key.substr(first + 1, second - first - 1)});
    if (service == rows_.end()) return nullptr;
    const auto row = service->second.find(key.substr(second + 1));
    return row == service->second.end() ? nullptr : &row->second;
  }

  template <typename Change>
  void change_row(const std::string& key, Change change) {
    const std::lock_guard lock(mutex_);
    if (const Row* row = row_at(key)) change(const_cast<Row&>(*row));
  }

  // What is declared of the revision from here on, and its gate, which is made with the first word of it.
  std::shared_ptr<serving::Gate> remember(const DeclaredModel& model) {
    const std::lock_guard lock(mutex_);
    Row& row = rows_[{model.namespace_name, model.service_name}][model.revision];
    row.model = model;
    scaled_.reset();
    if (row.gate == nullptr) {
      row.gate = std::make_shared<serving::Gate>(model.scaling.gate, clock_, metrics_, model.namespace_name,
                                                 model.service_name);
      row.gate->on_wake([this, key = key_of(model), lane = lane_of(model)] { wake(key, lane); });
    }
    return row.gate;
  }

  // The same for a revision that is there already; false when it has been let go of since.
  bool renew(const DeclaredModel& model, const std::shared_ptr<serving::Gate>& gate) {
    bool renewed = false;
    change_row(key_of(model), [&](Row& row) {
      renewed = row.gate == gate;
      if (renewed) row.model = model;
    });
    if (renewed) forget_scaled();
    return renewed;
  }

  void forget_scaled() {
    const std::lock_guard lock(mutex_);
    scaled_.reset();
  }

  std::shared_ptr<serving::Gate> gate_of(const std::string& key) const {
    const auto row = row_of(key);
    return row ? row->gate : nullptr;
  }

  // Whether the revision that had this gate is still declared.
  bool is_alive(const std::string& key, const std::shared_ptr<serving::Gate>& gate) const {
    return gate != nullptr && gate_of(key) == gate;
  }

  static Error removed() { return make_error(Code::not_found, "It was removed before it was loaded."); }

  // What stands behind a gate, and whether it is open, change together; so does whether there is a row at all.
  void remove_now(const std::string& namespace_name, const std::string& service_name) {
    Revisions gone;
    {
      const std::lock_guard swapping(swap_mutex_);
      {
        const std::lock_guard lock(mutex_);
        const auto at = rows_.find({namespace_name, service_name});
        if (at != rows_.end()) {
          gone = std::move(at->second);
          rows_.erase(at);
          scaled_.reset();
        }
      }
      fronts_.remove(namespace_name, service_name);
      for (const auto& [revision, row] : gone) close_for_good(row.gate);
    }
    for (const auto& [revision, row] : gone) {
      memory_.left(key_of(row.model));
      row.gate->release();
    }
    if (!gone.empty()) log_info("service removed", {{"namespace", namespace_name}, {"service", service_name}});
  }

  // A request that was routed a moment before the revision went finds the gate closed, and nobody to wake: it looks
  // again at once.
  static void close_for_good(const std::shared_ptr<serving::Gate>& gate) {
    gate->on_wake([weak = std::weak_ptr(gate)] {
      if (const auto left = weak.lock()) left->release();
    });
    gate->close();
  }

  void let_go(const DeclaredModel& model) {
    std::shared_ptr<serving::Gate> gate;
    {
      const std::lock_guard swapping(swap_mutex_);
      {
        const std::lock_guard lock(mutex_);
        const auto at = rows_.find({model.namespace_name, model.service_name});
        if (at == rows_.end()) return;
        const auto row = at->second.find(model.revision);
        if (row == at->second.end()) return;
        gate = row->second.gate;
        at->second.erase(row);
        scaled_.reset();
      }
      fronts_.remove(model.namespace_name, model.service_name, model.revision);
      close_for_good(gate);
    }
    memory_.left(key_of(model));
    gate->release();
    log_info("revision let go", {{"service", model.service_name}, {"revision", model.revision}});
  }

  serving::ServedModelPtr current(const DeclaredModel& model) const {
    return fronts_.find(model.namespace_name, model.service_name, model.revision);
  }

  // The revision is known from here on; what its service serves already stays.
  std::shared_ptr<serving::Gate> announce(const DeclaredModel& model) {
    const std::lock_guard swapping(swap_mutex_);
    auto gate = remember(model);
    if (current(model) == nullptr) fronts_.put(pending(model, gate));
    return gate;
  }

  // The revision is there: only what is said about it has changed, and what stands before its engines.
  Result<void> take_over(const std::string& key, const DeclaredModel& model,
                         const std::shared_ptr<serving::Gate>& gate) {
    for (;;) {
      const auto served = current(model);
      if (!is_available(served.get())) return model.only_if_loaded ? Result<void>() : bring(key, model, gate);
      std::vector<ModelVersion> versions = served->versions;
      for (ModelVersion& version : versions) {
        version.batcher.reset();
        version.cache.reset();
        if (version.state == ModelState::ready && model.prepare) JACKDAW_TRY(model.prepare(version));
      }
      const std::lock_guard swapping(swap_mutex_);
      if (!is_alive(key, gate)) return make_error(Code::not_found, "It was removed while it was prepared.");
      if (current(model) != served) continue;  // it left or came back meanwhile
      renew(model, gate);
      fronts_.put(dressed(model, gate, std::move(versions), served->counts));
      gate->configure(model.scaling.gate);
      return {};
    }
  }

  static ServedModel dressed(const DeclaredModel& declared, std::shared_ptr<serving::Gate> gate,
                             std::vector<ModelVersion> versions, std::shared_ptr<serving::RevisionCounts> counts) {
    ServedModel served = pending(declared, std::move(gate));
    served.unloaded = false;
    served.versions = std::move(versions);
    served.counts = counts != nullptr ? std::move(counts) : std::make_shared<serving::RevisionCounts>();
    return served;
  }

  Result<void> put_now(const std::string& key, const DeclaredModel& model, const std::shared_ptr<serving::Gate>& gate) {
    if (!renew(model, gate)) return removed();
    if (!model.stopped) return bring(key, model, gate);
    // Nobody answers from here on, until somebody loads it.
    for (const DeclaredModel& other : declared_of(model.namespace_name, model.service_name)) {
      if (other.revision != model.revision) let_go(other);
    }
    shut(key, gate, pending(model, gate));
    return {};
  }

  // Takes the revision's engines away, whoever is at work.
  void shut(const std::string& key, const std::shared_ptr<serving::Gate>& gate, ServedModel served) {
    {
      const std::lock_guard swapping(swap_mutex_);
      if (!is_alive(key, gate)) return;
      gate->close();
      fronts_.put(std::move(served));
    }
    memory_.left(key);
    gate->release();
  }

  // Loads the revision, or leaves it to its first request.
  Result<void> bring(const std::string& key, const DeclaredModel& model, const std::shared_ptr<serving::Gate>& gate) {
    if (!waits_for_a_request(key, model)) return load_now(key, model, gate);
    const std::lock_guard swapping(swap_mutex_);
    if (!is_alive(key, gate)) return removed();
    gate->configure(model.scaling.gate);
    fronts_.put(in_standby(dressed(model, gate, pending(model, nullptr).versions, nullptr), ""));
    return {};
  }

  // A service that is new is not loaded when it says so, nor at the cost of others that are. A revision that is to
  // follow another one shows first that it can be.
  bool waits_for_a_request(const std::string& key, const DeclaredModel& model) {
    const auto row = row_of(key);
    if (!row || row->gate->is_open()) return false;
    if (declared_of(model.namespace_name, model.service_name).size() > 1 || is_available(current(model).get()))
      return false;
    if (model.scaling.initial_scale == 0) return true;
    const auto path = model.resolve();
    return path && !memory_.fits(key, needed_bytes(key, *path));
  }

  // What the model will take: as much as the last time, or as its files.
  std::uint64_t needed_bytes(const std::string& key, const std::string& path) const {
    const auto row = row_of(key);
    return row && row->bytes > 0 ? row->bytes : file_bytes(path);
  }

  // Engines are large: what ends them is a thread that may take its time, never the io thread with the last request.
  std::shared_ptr<engine::Engine> released_apart(std::shared_ptr<engine::Engine> engine) {
    engine::Engine* const raw = engine.get();
    return {raw, [held = std::move(engine), release = release_, freed = freed_](engine::Engine*) mutable {
              if (!release->post([held = std::move(held), freed]() mutable { end(std::move(held), *freed); }))
                log_warning("an engine is ended by the thread that used it last");
            }};
  }

  static void end(std::shared_ptr<engine::Engine> engine, std::atomic<std::uint64_t>& freed) {
    const std::uint64_t bytes = engine->stats().resident_bytes;
    engine.reset();
    // The allocator keeps what many small blocks held; others need it more.
    if (freed.fetch_add(bytes) + bytes < trim_bytes) return;
    freed.store(0);
    malloc_trim(0);
  }

  // Whatever was let go of before, and is used by nobody, is gone.
  void await_released() {
    const auto done = std::make_shared<std::promise<void>>();
    if (release_->post([done] { done->set_value(); })) (void)done->get_future().wait_for(std::chrono::seconds(30));
  }

  ModelVersion load_version(const DeclaredModel& declared, const VersionPath& row) {
    engine::EngineSpec spec = declared.engine;
    spec.path = row.path;
    ModelVersion version;
    version.version = row.version;
    auto loaded = factory_.load(spec);
    if (!loaded) return failed(declared, std::move(version), with_advice(declared, loaded.error()));
    version.state = ModelState::ready;
    version.engine = released_apart(std::move(*loaded));
    if (has_instances(declared)) version.engine = std::make_shared<serving::EngineSet>(std::move(version.engine));
    version.metrics = std::make_shared<serving::ModelMetrics>(metrics_, declared.name, row.version);
    if (const engine::PromptCodec* codec = version.engine->codec()) version.max_model_len = codec->max_model_len();
    if (!declared.prepare) return version;
    if (const auto prepared = declared.prepare(version); !prepared) {
      return failed(declared, {.version = row.version}, prepared.error());
    }
    return version;
  }

  // Two revisions at once may be more than there is room for.
  Error with_advice(const DeclaredModel& declared, Error error) const {
    if (error.code != Code::resource_exhausted && error.code != Code::too_large) return error;
    for (const DeclaredModel& other : declared_of(declared.namespace_name, declared.service_name)) {
      const auto served = current(other);
      if (other.revision == declared.revision || served == nullptr || served->latest()->engine == nullptr) continue;
      error.message += " The revision " + other.revision +
                       " is in memory too; deploymentStrategy.type: Recreate lets it go before the new one is loaded.";
      break;
    }
    return error;
  }

  static ModelVersion failed(const DeclaredModel& declared, ModelVersion version, const Error& error) {
    version.state = ModelState::unavailable;
    version.reason = error.text();
    log_error("model failed to load", {{"model", declared.name},
                                       {"revision", declared.revision},
                                       {"version", version.version},
                                       {"declared_at", declared.place},
                                       {"reason", version.reason}});
    return version;
  }

  // Every version, ready or with the reason why not; within the memory there is. Blocking.
  std::vector<ModelVersion> loaded(const std::string& key, const DeclaredModel& declared) {
    const Instant begin = clock_.now();
    // Only what is large is worth waiting for.
    if (declared.generates) await_released();
    std::vector<ModelVersion> versions;
    const auto path = declared.resolve();
    const std::uint64_t bytes = path ? needed_bytes(key, *path) : 0;
    const Result<void> room = path ? make_room(key, bytes) : Result<void>(path.error());
    if (room) {
      for (const VersionPath& row : model_versions(*path)) versions.push_back(load_version(declared, row));
      settle_memory(key, declared, versions, bytes);
    } else {
      ModelVersion version;
      version.version = "1";
      versions.push_back(failed(declared, std::move(version), room.error()));
    }
    if (versions.back().state == ModelState::ready) {
      log_info("model ready", {{"model", declared.name},
                               {"revision", declared.revision},
                               {"format", declared.engine.model_format},
                               {"path", *path},
                               {"load_ms", milliseconds(clock_.now() - begin)}});
    }
    return versions;
  }

  // Others that are idle go into standby for it.
  Result<void> make_room(const std::string& key, std::uint64_t bytes) {
    return memory_.reserve(key, bytes, [this](const std::string& other) { return to_standby(other, "memory"); });
  }

  // What the model really takes; when that is more than there was room for, others go, or it does itself.
  void settle_memory(const std::string& key, const DeclaredModel& declared, std::vector<ModelVersion>& versions,
                     std::uint64_t bytes) {
    std::uint64_t taken = 0;
    for (const ModelVersion& version : versions) {
      if (version.engine != nullptr) taken += version.engine->stats().resident_bytes;
    }
    const Result<void> room = taken > bytes ? make_room(key, taken - bytes) : Result<void>();
    if (!room) {
      ModelVersion version;
      version.version = versions.back().version;
      versions = {failed(declared, std::move(version), room.error())};
    }
    const auto row = row_of(key);
    if (versions.back().state != ModelState::ready || !row) return memory_.release(key);
    change_row(key, [&](Row& changed) { changed.bytes = taken; });
    memory_.loaded(key, taken, row->gate);
  }

  // Loads every version, then puts the revision in its place at once: requests see the old one until then.
  Result<void> load_now(const std::string& key, const DeclaredModel& declared,
                        const std::shared_ptr<serving::Gate>& gate) {
    std::vector<ModelVersion> versions = loaded(key, declared);
    const bool ready = versions.back().state == ModelState::ready;
    const std::string reason = versions.back().reason;
    {
      const std::lock_guard swapping(swap_mutex_);
      if (!is_alive(key, gate)) {
        memory_.left(key);
        return make_error(Code::not_found, "It was removed while it was loaded.");
      }
      const auto old = current(declared);
      // A model that answers already is not taken away by a failed reload.
      if (!ready && is_available(old.get())) return make_error(Code::not_ready, "{}", reason);
      fronts_.put(dressed(declared, gate, std::move(versions), old == nullptr ? nullptr : old->counts));
      if (!ready) return make_error(Code::not_ready, "{}", reason);
      open(key, declared, *gate);
    }
    // More replicas than one come after the first, which answers meanwhile.
    if (has_instances(declared)) resize(key, first_replicas(declared.scaling));
    return {};
  }

  // A language model's replicas are engines of their own; all others only have their number.
  static bool has_instances(const DeclaredModel& declared) {
    return declared.generates && declared.scaling.kpa.max_scale != 1;
  }

  // On the revision's strand.
  void resize(const std::string& key, std::int64_t replicas) {
    const auto row = row_of(key);
    if (!row) return;
    const auto served = current(row->model);
    const auto set = served == nullptr || served->versions.empty()
                         ? nullptr
                         : std::dynamic_pointer_cast<serving::EngineSet>(served->versions.back().engine);
    if (set != nullptr) {
      while (set->size() > static_cast<std::size_t>(replicas)) set->retire();
      while (set->size() < static_cast<std::size_t>(replicas) && add_instance(key, *row, *set)) {
      }
      replicas = static_cast<std::int64_t>(set->size());
      memory_.loaded(key, set->stats().resident_bytes, row->gate);
    }
    if (row->gate->is_open()) row->gate->open(static_cast<std::uint32_t>(replicas));
  }

  // False when there is no room for another one, or it cannot be loaded.
  bool add_instance(const std::string& key, const Row& row, serving::EngineSet& set) {
    const std::uint64_t bytes = set.stats().resident_bytes / set.size();
    // Nobody else leaves for one more of what is there already.
    const Result<void> room = memory_.reserve(key, bytes, [](const std::string&) { return false; });
    const auto path = row.model.resolve();
    if (!room || !path) {
      log_warning("no further replica", {{"model", row.model.name},
                                         {"replicas", set.size()},
                                         {"reason", room ? path.error().text() : room.error().text()}});
      if (room) memory_.release(key);
      return false;
    }
    ModelVersion version = load_version(row.model, model_versions(*path).back());
    memory_.release(key);
    const auto engine = std::dynamic_pointer_cast<serving::EngineSet>(version.engine);
    if (engine == nullptr) return false;
    set.add(engine->first());
    return true;
  }

  // The engines are there: requests may go to them.
  void open(const std::string& key, const DeclaredModel& declared, serving::Gate& gate) {
    change_row(key, [](Row& row) { row.retry_after = retry_first; });
    gate.configure(declared.scaling.gate);
    gate.open(has_instances(declared) ? 1 : std::max(gate.replicas(), first_replicas(declared.scaling)));
  }

  // All revisions of a service: at least one.
  Result<void> unload_now(const std::vector<DeclaredModel>& models) {
    const DeclaredModel& any = models.front();
    const auto unloaded = [this](const DeclaredModel& model) {
      const auto served = current(model);
      return served == nullptr || served->unloaded;
    };
    if (std::all_of(models.begin(), models.end(), unloaded)) {
      return unknown(any.namespace_name, any.service_name);
    }
    for (const DeclaredModel& model : models) {
      const auto row = row_of(key_of(model));
      if (!row) continue;
      ServedModel served = pending(model, row->gate);
      served.unloaded = true;  // until someone loads it again
      served.versions.front().state = ModelState::unavailable;
      served.versions.front().reason = "unloaded";
      shut(key_of(model), row->gate, std::move(served));
    }
    log_info("model unloaded", {{"namespace", any.namespace_name}, {"service", any.service_name}});
    return {};
  }

  // A request waits and there is no replica. Any thread.
  void wake(const std::string& key, Lane lane) {
    const Instant since = clock_.now();
    const auto work = [this, key, since] { wake_now(key, since); };
    if (strands_.post(key, lane, work)) return;
    if (const auto row = row_of(key)) row->gate->fail(too_many(), clock_.now() + retry_first);
  }

  void wake_now(const std::string& key, Instant since) {
    const auto row = row_of(key);
    if (!row) return;
    const DeclaredModel& declared = row->model;
    const auto before = current(declared);
    // It was stopped or unloaded meanwhile, or another load was quicker.
    if (before == nullptr || before->unloaded) return row->gate->release();
    if (row->gate->is_open()) return row->gate->open(row->gate->replicas());
    std::vector<ModelVersion> versions = loaded(key, declared);
    const bool ready = versions.back().state == ModelState::ready;
    const std::string reason = versions.back().reason;
    {
      const std::lock_guard swapping(swap_mutex_);
      if (!is_alive(key, row->gate)) {
        memory_.left(key);
        return row->gate->release();
      }
      if (ready) {
        fronts_.put(dressed(declared, row->gate, std::move(versions), before->counts));
        open(key, declared, *row->gate);
      } else {
        fronts_.put(in_standby(*before, reason));
      }
    }
    if (!ready) {
      row->gate->fail(make_error(Code::not_ready, "Model with name {} is not ready. {}", declared.name, reason),
                      clock_.now() + row->retry_after);
      change_row(key, [](Row& changed) { changed.retry_after = std::min(changed.retry_after * 2, retry_most); });
      return;
    }
    const Duration took = clock_.now() - since;
    cold_starts_.observe(std::chrono::duration<double>(took).count());
    log_info("model woken", {{"model", declared.name}, {"cold_start_ms", milliseconds(took)}});
    if (has_instances(declared)) resize(key, first_replicas(declared.scaling));
  }

  // Any work thread, also another revision's: what closes the gate and what opens it exclude each other.
  bool to_standby(const std::string& key, std::string_view why) {
    const auto row = row_of(key);
    if (!row || !row->gate->is_open()) return false;
    {
      const std::lock_guard swapping(swap_mutex_);
      const auto before = current(row->model);
      if (before == nullptr || before->unloaded || !row->gate->close_if_idle()) return false;
      fronts_.put(in_standby(*before, ""));
    }
    memory_.left(key);
    log_info("model in standby", {{"model", row->model.name}, {"why", why}});
    return true;
  }

  // Everything is loaded anew from where it is; what fails stays as it was.
  Result<void> reload_now(const std::vector<DeclaredModel>& models) {
    for (const DeclaredModel& model : models) JACKDAW_TRY(load_now(key_of(model), model, gate_of(key_of(model))));
    return {};
  }

  engine::EngineFactory& factory_;
  MetricsRegistry& metrics_;
  Clock& clock_;
  Histogram& cold_starts_ =
      metrics_.histogram("jackdaw_cold_start_seconds",
                         "From the request that found no replica to the replica that answers it.", cold_start_bounds);
  Fronts fronts_;
  mutable std::mutex mutex_;  // of rows_ and scaled_
  std::map<ServiceKey, Revisions> rows_;
  mutable std::shared_ptr<const std::vector<ScaledModel>> scaled_;  // null: to be made anew
  std::mutex swap_mutex_;  // what opens or closes a gate, together with what the registry shows; before mutex_
  std::shared_ptr<std::atomic<std::uint64_t>> freed_ = std::make_shared<std::atomic<std::uint64_t>>(0);  // untrimmed
  std::shared_ptr<serving::WorkerPool> release_;  // engines hold it too: they may outlive this
  ModelMemory memory_;
  Strands strands_;  // last: its threads use everything above
};

}  // namespace

std::unique_ptr<ModelControl> make_model_control(engine::EngineFactory& factory, serving::Registry& registry,
                                                 MetricsRegistry& metrics, Clock& clock, const MemoryLimits& limits) {
  return std::make_unique<Control>(factory, registry, metrics, clock, limits);
}

}  // namespace jackdaw::control
