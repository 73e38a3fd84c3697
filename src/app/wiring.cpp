#include "src/app/wiring.h"

#include <array>
#include <filesystem>
#include <thread>
#include <utility>

#include "jackdaw/api/api.h"
#include "jackdaw/base/cpu.h"
#include "jackdaw/base/env.h"
#include "jackdaw/base/file.h"
#include "jackdaw/base/log.h"
#include "jackdaw/base/log_ring.h"
#include "jackdaw/base/machine_memory.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/control/config_apply.h"
#include "jackdaw/control/declared_object.h"
#include "jackdaw/control/kinds.h"
#include "jackdaw/control/model_control.h"
#include "jackdaw/control/reconciler.h"
#include "jackdaw/control/resource_store.h"
#include "jackdaw/control/scaler.h"
#include "jackdaw/llm/llm.h"
#include "jackdaw/net/async_client.h"
#include "jackdaw/net/client.h"
#include "jackdaw/net/server.h"
#include "jackdaw/ops/thread_pool.h"
#include "jackdaw/predict/predict.h"
#include "jackdaw/serving/batcher.h"
#include "jackdaw/serving/event_sender.h"
#include "jackdaw/serving/registry.h"
#include "jackdaw/serving/transformer.h"
#include "jackdaw/serving/worker_pool.h"
#include "jackdaw/storage/object_table.h"
#include "jackdaw/storage/resolver.h"
#include "src/app/config_watch.h"
#include "src/app/own_sources.h"
#include "src/app/secrets.h"
#include "src/app/serving_stages.h"
#include "src/app/version.h"

namespace jackdaw::app {
namespace {

constexpr std::size_t cpu_queue_max = 1024;
constexpr std::size_t store_queue_max = 1024;
constexpr std::size_t transformer_calls_max = 2048;
constexpr Duration last_events_timeout = std::chrono::seconds(2);

storage::StorageSettings storage_settings(const spec::DaemonStorage& from) {
  storage::StorageSettings to;
  for (const auto& [prefix, path] : from.map) to.map.emplace(prefix, *path);
  for (const auto& [claim, path] : from.pvc) to.pvc.emplace(claim, *path);
  to.pvc_root = *from.pvc_root;
  for (const auto& root : from.roots) to.roots.push_back(*root);
  return to;
}

// The text of a chat template that was given as a file; what its option says otherwise.
Result<std::string> chat_template_text(const spec::LlmSettings& settings, const std::string& base_dir,
                                       const storage::StorageSettings& storage) {
  constexpr std::size_t bytes_max = std::size_t{1} << 20;
  if (settings.chat_template->empty() || settings.chat_template_is_text()) return *settings.chat_template;
  std::filesystem::path path = std::filesystem::path(base_dir) / *settings.chat_template;
  if (!path.is_absolute()) {
    return make_error(Code::invalid_argument,
                      "The chat template {} is relative, and an object that comes from no file has no folder to start "
                      "from; write an absolute path.",
                      path.string());
  }
  if (storage.local_needs_root) {
    JACKDAW_ASSIGN(path, storage::resolve(*settings.chat_template, base_dir, storage));
  }
  Result<std::string> text = read_file(path, bytes_max);
  if (text) return text;
  return make_error(text.error().code, "The chat template {} {}.", path.string(), text.error().message)
      .at(settings.chat_template.place.text());
}

engine::LlmOptions llm_options(const spec::LlmSettings& from) {
  engine::LlmOptions to;
  to.max_model_len = *from.max_model_len;
  to.max_num_seqs = *from.max_num_seqs;
  to.max_num_batched_tokens = *from.max_num_batched_tokens;
  to.kv_cache_dtype = *from.kv_cache_dtype;
  to.kv_cache_bytes = *from.kv_cache_bytes;
  to.memory_bytes = *from.memory_bytes;
  to.enable_prefix_caching = *from.enable_prefix_caching;
  to.generation_config = *from.generation_config;
  to.speculative_tokens = *from.speculative_tokens;
  to.queue_max = *from.queue_max;
  to.itl_target_ms = *from.itl_target_ms;
  return to;
}

// What a language model needs beyond a predictive one, whichever kind declared it.
void declare_language_model(control::DeclaredModel& model, const spec::LlmSettings& settings,
                            const std::vector<ConfigValue<std::string>>& aliases, const std::string& base_dir,
                            const storage::StorageSettings& storage) {
  for (const auto& alias : aliases) model.aliases.push_back(*alias);
  model.generates = true;
  model.engine.model_format = "huggingface";
  model.engine.llm = llm_options(settings);
  Result<std::string> chat_template = chat_template_text(settings, base_dir, storage);
  if (chat_template) {
    model.engine.llm.chat_template = std::move(*chat_template);
  } else {
    model.resolve = [error = chat_template.error()]() -> Result<std::string> { return error; };
  }
}

control::ModelScaling model_scaling(const spec::Scaling& from, bool generates) {
  control::ModelScaling to;
  to.kpa.metric = *from.metric == spec::ScaleMetric::rps ? autoscale::Metric::rps : autoscale::Metric::concurrency;
  to.kpa.target = *from.target;
  to.kpa.container_concurrency = *from.container_concurrency;
  to.kpa.target_utilization = *from.target_utilization;
  to.kpa.target_burst_capacity = *from.target_burst_capacity;
  to.kpa.stable_window = *from.window;
  to.kpa.panic_window_share = *from.panic_window;
  to.kpa.panic_threshold = *from.panic_threshold;
  to.kpa.min_scale = *from.min_replicas;
  to.kpa.max_scale = *from.max_replicas;
  to.kpa.activation_scale = *from.activation_scale;
  to.kpa.scale_down_delay = *from.scale_down_delay;
  to.kpa.zero_retention = *from.zero_retention;
  to.kpa.aggregation = *from.weighted ? autoscale::Aggregation::weighted_exponential : autoscale::Aggregation::linear;
  to.gate.concurrency = *from.container_concurrency;
  to.gate.held_max = *from.held_max;
  to.gate.hold_max = *from.timeout;
  to.initial_scale = *from.lazy ? 0 : *from.initial_scale;
  // An instance of a language model is large: there are more only when someone says how many.
  if (generates && to.kpa.max_scale == 0) to.kpa.max_scale = std::max<std::int64_t>(to.kpa.min_scale, 1);
  to.fixed = from.fixed;
  return to;
}

// The transformer of a service that has one; probed as KServe's own servers are, whichever protocol it speaks.
std::shared_ptr<serving::Transformer> transformer_of(const spec::InferenceService& service,
                                                     serving::Transformers& transformers) {
  if (!service.transformer) return nullptr;
  serving::TransformerSettings settings;
  settings.namespace_name = *service.metadata.namespace_name;
  settings.service_name = *service.metadata.name;
  settings.url = *service.transformer->url;
  settings.timeout = *service.transformer->timeout;
  const std::string& model = *service.predictor.served_name;
  const bool v2 = *service.predictor.protocol == spec::Protocol::v2;
  settings.probe_path = v2 ? "/v2/models/" + model + "/ready" : "/v1/models/" + model;
  return transformers.get(settings);
}

control::DeclaredModel declared_model(const spec::InferenceService& service, const storage::StorageSettings& storage,
                                      const StageContext& context) {
  const spec::Predictor& predictor = service.predictor;
  control::DeclaredModel model;
  model.name = *predictor.served_name;
  model.service_name = *service.metadata.name;
  model.namespace_name = *service.metadata.namespace_name;
  model.runtime = service.runtime.name;
  const bool mlserver = service.runtime.dialect == spec::RuntimeDialect::mlserver;
  model.dialect = mlserver ? serving::Dialect::mlserver : serving::Dialect::kserve;
  model.stopped = service.stopped;
  model.rollout = service.rollout;
  model.place = predictor.place.text();
  model.engine.model_name = model.name;
  model.engine.model_format = *predictor.model_format;
  model.engine.mlserver_dialect = mlserver;
  model.engine.predict_proba = *predictor.predict_proba;
  model.engine.predict_fn = *predictor.predict_fn;
  model.scaling = model_scaling(predictor.scaling, predictor.is_language_model());
  model.engine.memory_limit_bytes = *predictor.memory_limit_bytes;
  model.resolve = [uri = *predictor.storage_uri, base = service.base_dir, storage] {
    return storage::resolve(uri, base, storage);
  };
  if (predictor.is_language_model()) {
    declare_language_model(model, predictor.llm, predictor.aliases, service.base_dir, storage);
  }
  add_stages(model, predictor.stages, service.metadata, service.base_dir, context);
  model.transformer = transformer_of(service, *context.transformers);
  return model;
}

control::DeclaredModel declared_model(const spec::LlmInferenceService& service, const storage::StorageSettings& storage,
                                      const StageContext& context) {
  control::DeclaredModel model;
  model.name = *service.served_name;
  model.service_name = *service.metadata.name;
  model.namespace_name = *service.metadata.namespace_name;
  model.stopped = service.stopped;
  model.rollout = service.rollout;
  model.scaling = model_scaling(service.scaling, true);
  model.place = service.place.text();
  model.engine.model_name = model.name;
  model.resolve = [uri = *service.model_uri, base = service.base_dir, storage] {
    return storage::resolve(uri, base, storage);
  };
  declare_language_model(model, service.llm, service.aliases, service.base_dir, storage);
  add_stages(model, service.stages, service.metadata, service.base_dir, context);
  return model;
}

// Which object a model is declared by, for messages.
std::string object_words(const spec::Json& object) {
  const auto text = [&object](std::initializer_list<std::string_view> path) {
    const spec::Json* found = object.find_path(path);
    return found == nullptr ? std::string_view() : found->as_text();
  };
  const std::string_view file = text({"metadata", "annotations", control::config_file_annotation});
  return fmt::format("{}{}{} {}/{}", file, file.empty() ? "" : ": ", text({"kind"}), text({"metadata", "namespace"}),
                     text({"metadata", "name"}));
}

// The model that a declared object asks for. `own`: sources that need no root; null when none does.
Result<control::DeclaredModel> declared_model(const spec::Json& object, storage::StorageSettings storage,
                                              const std::vector<std::string>& mapped, const StageContext& context,
                                              const OwnSources* own) {
  const spec::LoadedConfig read = control::read_declared(object, mapped);
  for (const spec::Finding& finding : read.findings) {
    if (finding.severity != spec::Severity::error) continue;
    return make_error(Code::invalid_argument, "{}{}{}", finding.path, finding.path.empty() ? "" : ": ",
                      finding.message);
  }
  if (read.services.empty() && read.llm_services.empty()) {
    return make_error(Code::unsupported, "{} declares no model", object_words(object));
  }
  const bool trusted = own == nullptr || (read.services.empty() ? own->hold(read.llm_services.front())
                                                                : own->hold(read.services.front()));
  const spec::ServingStages& stages =
      read.services.empty() ? read.llm_services.front().stages : read.services.front().predictor.stages;
  if (!trusted && names_files(stages)) {
    return make_error(
        Code::permission_denied,
        "{} names a file for its logger or its warm-up; over the network that is not taken: declare it in "
        "a file of --config",
        object_words(object));
  }
  storage.local_needs_root = !trusted;
  control::DeclaredModel model = read.services.empty() ? declared_model(read.llm_services.front(), storage, context)
                                                       : declared_model(read.services.front(), storage, context);
  model.place = object_words(object);
  return model;
}

std::vector<std::string> mapped_prefixes(const spec::DaemonStorage& storage) {
  std::vector<std::string> out;
  for (const auto& [prefix, path] : storage.map) out.push_back(prefix);
  return out;
}

// In memory when there is no folder to keep it in.
Result<std::unique_ptr<control::ResourceStore>> open_store(const spec::DaemonSpec& daemon) {
  std::unique_ptr<storage::ObjectTable> table;
  if (!daemon.state_dir->empty()) {
    const std::string path = (std::filesystem::path(*daemon.state_dir) / "store.db").string();
    JACKDAW_ASSIGN(table, storage::ObjectTable::open(path));
  }
  control::ResourceStoreOptions options;
  options.kinds = control::declared_kinds();
  options.validate = control::make_spec_validator(mapped_prefixes(daemon.storage));
  options.clock = &system_clock();
  options.random = &system_random();
  options.node_name = *daemon.name;
  return control::make_resource_store(std::move(table), std::move(options));
}

// One factory for both kinds of engines, by the format of the model.
class Factories final : public engine::EngineFactory {
 public:
  explicit Factories(llm::LlmContext context)
      : predictive_(predict::make_engine_factory()), language_(llm::make_engine_factory(context)) {}

  Result<std::shared_ptr<engine::Engine>> load(const engine::EngineSpec& spec) override {
    return spec.model_format == "huggingface" ? language_->load(spec) : predictive_->load(spec);
  }

 private:
  std::unique_ptr<engine::EngineFactory> predictive_;
  std::unique_ptr<engine::EngineFactory> language_;
};

int cpu_threads(const spec::DaemonSpec& daemon) {
  return *daemon.cpu_threads > 0 ? *daemon.cpu_threads : usable_cpu_count();
}

// Models may have four fifths of what is there, unless the configuration says how much.
control::MemoryLimits memory_limits(const spec::DaemonSpec& daemon) {
  const std::uint64_t share = machine_memory().total / 5 * 4;
  return {*daemon.memory_budget > 0 ? *daemon.memory_budget : share, *daemon.loaded_models_max};
}

net::ServerOptions server_options(const spec::DaemonSpec& daemon, MetricsRegistry& metrics) {
  net::ServerOptions options;
  for (const auto& address : daemon.listen) options.listen.push_back(*address);
  options.io_threads = *daemon.io_threads > 0 ? *daemon.io_threads : usable_cpu_count();
  options.limits.header_bytes_max = *daemon.limits.header_bytes_max;
  options.limits.body_bytes_max = *daemon.limits.body_bytes_max;
  options.limits.buffered_bytes_max = *daemon.limits.buffered_bytes_max;
  options.limits.connections_max = *daemon.limits.connections_max;
  options.limits.header_timeout = *daemon.limits.header_timeout;
  options.limits.body_timeout = *daemon.limits.body_timeout;
  options.limits.idle_timeout = *daemon.limits.idle_timeout;
  options.limits.write_timeout = *daemon.limits.write_timeout;
  options.metrics = &metrics;
  if (daemon.tls.is_set()) options.tls = tls_options(daemon.tls);
  return options;
}

// Whoever has to show a token should not have to show it to everyone on the way.
void warn_of_plain_tokens(const spec::DaemonSpec& daemon) {
  if (daemon.auth.tokens.empty()) return;
  for (const auto& address : daemon.listen) {
    if (is_loopback(*address) || address->starts_with("https://")) continue;
    log_warning("tokens travel unencrypted to this listener; write it as https://", {{"listener", *address}});
  }
}

api::CorsOptions cors_options(const spec::DaemonCors& from) {
  api::CorsOptions to;
  for (const auto& origin : from.allowed_origins) to.allowed_origins.push_back(*origin);
  to.allowed_headers = from.allowed_headers;
  to.allowed_methods = from.allowed_methods;
  to.max_age = std::chrono::duration_cast<std::chrono::seconds>(*from.max_age);
  to.allow_credentials = *from.allow_credentials;
  return to;
}

class Wired final : public Daemon {
 public:
  explicit Wired(const spec::DaemonSpec& daemon)
      : daemon_(daemon),
        certificate_files_(certificate_files(daemon.tls)),
        token_files_(token_files(daemon.auth)),
        drain_timeout_(*daemon.drain_timeout),
        compute_(cpu_threads(daemon)),
        factory_({&compute_, &metrics_, &system_clock(), &system_random()}),
        event_sender_(
            {}, [] { return net::make_http_client(); }, metrics_),
        control_(control::make_model_control(factory_, registry_, metrics_, system_clock(), memory_limits(daemon))),
        shadow_(metrics_, system_clock()),
        cpu_pool_("cpu", static_cast<std::size_t>(cpu_threads(daemon)), cpu_queue_max),
        store_pool_("store", 1, store_queue_max) {
    set_log_listener(log_ring_);
  }

  ~Wired() override {
    stop();
    set_log_listener(nullptr);
  }

  Result<void> start(const spec::LoadedConfig& config, std::vector<std::string> paths, const spec::LoadOptions& load) {
    JACKDAW_ASSIGN(api::AccessRules rules, access_rules(daemon_));
    access_.replace(std::move(rules));
    warn_of_plain_tokens(daemon_);
    JACKDAW_ASSIGN(store_, open_store(config.daemon));
    const std::vector<std::string> faults = paths.empty() ? std::vector<std::string>() : apply(config);
    reconcile(config.daemon);
    scaler_ = control::make_scaler(*control_, metrics_, system_clock());
    ticker_ = control::every_second([this] {
      scaler_->tick();
      transformers_.tick();
      reconciler_->look_around();
    });

    net::ServerOptions options = server_options(config.daemon, metrics_);
    api::ApiOptions api_options;
    api_options.version = version;
    api_options.access_log = *config.daemon.logging.access;
    api_options.cors = cors_options(config.daemon.cors);
    api::ApiContext context{&registry_,       control_.get(), &cpu_pool_,   &metrics_, &system_clock(),
                            &system_random(), store_.get(),   &store_pool_, &events_,  &access_};
    context.log = log_ring_.get();
    context.shadow = &shadow_;
    context.transformer_client = transformer_client_.get();
    const int io_threads = options.io_threads;
    JACKDAW_ASSIGN(server_, net::Server::start(std::move(options), api::make_handler(context, api_options)));
    for (const std::string& url : server_->urls()) {
      log_info("listening", {{"url", url}, {"io_threads", io_threads}, {"version", version}});
    }
    reconciler_->start(server_->urls().front());
    return watch_config(config, std::move(paths), load, faults);
  }

  std::vector<std::string> addresses() const override { return server_->addresses(); }

  void reload() override {
    if (config_watch_ == nullptr) return log_info("there is no configuration that can be read again");
    log_info("the configuration is read again");
    config_watch_->reload();
  }

  void reload_secrets(Secrets which) override {
    const bool all = which == Secrets::all;
    if (certificate_files_.changed() || all) reload_certificates();
    if (token_files_.changed() || all) reload_tokens();
  }

  void stop() override {
    if (!server_) return;
    log_info("draining", {{"connections", server_->connection_count()}});
    ticker_.reset();
    config_watch_.reset();
    reconciler_.reset();
    store_->end_watches();
    log_ring_->end();
    const Instant begin = system_clock().now();
    // A transformer at work calls back over a connection of its own: as long as one is, connections are accepted. It
    // gets half of the time.
    const std::size_t left = transformer_client_->drain(begin + drain_timeout_ / 2);
    if (left > 0) log_warning("calls to transformers were ended", {{"calls", left}});
    // What is being generated gets nine tenths of the time; the rest is for its last words to reach the clients.
    std::thread engines([this, deadline = begin + drain_timeout_ * 9 / 10] { drain_engines(deadline); });
    const std::size_t cut = server_->drain(begin + drain_timeout_);
    engines.join();
    server_.reset();
    // The last answers' events are on their way still.
    event_sender_.stop(std::max(begin + drain_timeout_, system_clock().now() + last_events_timeout));
    log_info("stopped", {{"connections_cut", cut}});
  }

 private:
  // The models of every declared object are known to the registry from here on.
  void reconcile(const spec::DaemonSpec& daemon) {
    std::size_t count = 0;
    for (const control::ResourceKind& kind : store_->kinds()) {
      count += store_->list(kind.group, kind.plural, "", {}).objects.size();
    }
    control::ReconcilerOptions options;
    options.clock = &system_clock();
    options.events = &events_;
    options.first_settled = [count] { log_info("all models settled", {{"models", count}}); };
    const OwnSources* own = listens_on_loopback_only(daemon) ? nullptr : &own_sources_;
    const StageContext stages{&cpu_pool_,
                              &metrics_,
                              &system_clock(),
                              &system_random(),
                              &event_sender_,
                              &transformers_,
                              api::ApiOptions{}.inline_ns_max};
    options.translate = [storage = storage_settings(daemon.storage), mapped = mapped_prefixes(daemon.storage), stages,
                         own](const spec::Json& object) {
      return declared_model(object, storage, mapped, stages, own);
    };
    reconciler_ = control::make_reconciler(*store_, *control_, std::move(options));
    reconciler_->begin();
  }

  std::vector<std::string> apply(const spec::LoadedConfig& config) {
    own_sources_.replace(config);
    const control::ConfigApplied applied = control::apply_config(*store_, config);
    if (applied.changed + applied.pruned > 0) {
      log_info("configuration applied",
               {{"objects", applied.objects}, {"changed", applied.changed}, {"removed", applied.pruned}});
    }
    for (const std::string& fault : applied.faults) log_error("a service could not be declared", {{"reason", fault}});
    return applied.faults;
  }

  Result<void> watch_config(const spec::LoadedConfig& config, std::vector<std::string> paths,
                            const spec::LoadOptions& load, const std::vector<std::string>& faults) {
    // Standard input can be read once.
    if (paths.empty() || std::find(paths.begin(), paths.end(), "-") != paths.end()) return {};
    Gauge& valid = metrics_.gauge("jackdaw_config_valid", "1 when the configuration was taken over as it is now");
    valid.set(faults.empty() ? 1 : 0);
    ConfigWatchOptions options;
    options.paths = std::move(paths);
    options.load = load;
    options.apply = [this](const spec::LoadedConfig& again) { return apply(again); };
    options.outcome = [&valid](bool good) { valid.set(good ? 1 : 0); };
    JACKDAW_ASSIGN(config_watch_, ConfigWatch::start(std::move(options), config, faults.empty()));
    return {};
  }

  void reload_certificates() {
    if (!daemon_.tls.is_set()) return;
    const Result<void> reloaded = server_->reload_certificates();
    count_reload("certificates", reloaded.has_value());
    if (reloaded) {
      log_info("certificates were read again", {{"file", *daemon_.tls.cert_file}});
    } else {
      log_error("the new certificates cannot be used; the old ones stay", {{"why", reloaded.error().text()}});
    }
  }

  void reload_tokens() {
    if (daemon_.auth.tokens.empty()) return;
    Result<api::AccessRules> rules = access_rules(daemon_);
    count_reload("tokens", rules.has_value());
    if (rules) {
      log_info("token files were read again", {{"tokens", rules->tokens.size()}});
      access_.replace(std::move(*rules));
    } else {
      log_error("the new token files cannot be used; the old tokens stay", {{"why", rules.error().text()}});
    }
  }

  void count_reload(std::string_view what, bool ok) {
    static constexpr std::array<std::string_view, 2> labels{"what", "result"};
    const std::array<std::string_view, 2> values{what, ok ? "ok" : "failed"};
    metrics_.counter("jackdaw_secrets_reloads_total", "Certificates and token files read again.", labels, values).add();
  }

  // What waits for company in a batch runs now. Of the engines those that generate are drained: a prediction is over
  // before its connection is, and connections are drained anyway; an engine that drains refuses what a connection still
  // brings.
  static void drain_revision(const serving::ServedModel& revision, Instant deadline) {
    for (const serving::ModelVersion& version : revision.versions) {
      if (version.batcher != nullptr) version.batcher->drain();
      if (version.engine != nullptr && version.engine->codec() != nullptr) version.engine->drain(deadline);
    }
  }

  void drain_engines(Instant deadline) {
    const auto snapshot = registry_.snapshot();
    for (const auto& model : snapshot->models()) {
      if (model->traffic == nullptr) {
        drain_revision(*model, deadline);
      } else {
        for (const serving::TrafficShare& share : model->traffic->shares) drain_revision(*share.revision, deadline);
      }
    }
    // Whoever still waits for a replica is told so.
    const Error stopping = make_error(Code::not_ready, "The daemon is stopping.");
    for (const control::ScaledModel& model : *control_->scaled()) model.gate->fail(stopping, Instant::max());
  }

  const spec::DaemonSpec daemon_;
  WatchedFiles certificate_files_;
  WatchedFiles token_files_;
  api::Access access_;
  OwnSources own_sources_;
  const Duration drain_timeout_;
  const std::shared_ptr<LogRing> log_ring_ = std::make_shared<LogRing>();
  MetricsRegistry metrics_;
  ops::ThreadPool compute_;  // all language models share it; before the registry, which holds their engines
  Factories factory_;
  serving::EventSender event_sender_;  // before the registry, whose models log through it
  const std::unique_ptr<net::AsyncClient> transformer_client_ =
      net::make_async_client({.in_flight_max = transformer_calls_max});
  serving::Transformers transformers_{*transformer_client_, system_clock(), metrics_};
  serving::Registry registry_;
  std::unique_ptr<control::ResourceStore> store_;
  control::EventLog events_{system_clock()};
  std::unique_ptr<control::ModelControl> control_;
  std::unique_ptr<control::Reconciler> reconciler_;
  std::unique_ptr<ConfigWatch> config_watch_;
  serving::Shadow shadow_;
  std::unique_ptr<control::Scaler> scaler_;
  std::unique_ptr<control::Ticker> ticker_;  // its thread runs the scaler
  serving::WorkerPool cpu_pool_;
  serving::WorkerPool store_pool_;       // one thread: what is written waits for the disk there
  std::unique_ptr<net::Server> server_;  // last: its threads use everything above
};

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::start(const spec::LoadedConfig& config, std::vector<std::string> paths,
                                              const spec::LoadOptions& load) {
  auto daemon = std::make_unique<Wired>(config.daemon);
  JACKDAW_TRY(daemon->start(config, std::move(paths), load));
  return std::unique_ptr<Daemon>(std::move(daemon));
}

}  // namespace jackdaw::app
