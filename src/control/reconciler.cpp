#include "jackdaw/control/reconciler.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "jackdaw/base/log.h"
#include "jackdaw/base/text.h"
#include "jackdaw/serving/transformer.h"
#include "src/control/repeated_fault.h"
#include "src/control/revision_object.h"
#include "src/control/rollback.h"
#include "src/control/rollout.h"
#include "src/control/rollout_memory.h"
#include "src/control/service_status.h"

namespace jackdaw::control {
namespace {

using spec::Json;
using ObjectPtr = std::shared_ptr<const Json>;

std::string text_at(const Json& object, std::initializer_list<std::string_view> path) {
  const Json* found = object.find_path(path);
  return found == nullptr ? std::string() : std::string(found->as_text());
}

std::int64_t generation_of(const Json& object) {
  const Json* found = object.find_path({"metadata", "generation"});
  return found == nullptr ? 0 : found->as_integer();
}

// All of an object that decides what runs: its spec, and annotations (which count no generation up).
std::string wish_of(const Json& object) {
  std::string out;
  if (const Json* wanted = object.find("spec")) out = wanted->dump();
  const Json* annotations = object.find_path({"metadata", "annotations"});
  if (annotations == nullptr) return out;
  for (const Json::Member& member : annotations->members()) {
    if (member.name != "kubectl.kubernetes.io/last-applied-configuration")
      out += "\n" + member.name + "=" + member.value.dump();
  }
  return out;
}

// What the thread has to do, and how work that ends elsewhere comes back to it. Outlives the reconciler where
// ModelControl still holds callbacks.
class Inbox {
 public:
  void post(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      queue_.push_back(std::move(work));
    }
    ready_.notify_one();
  }

  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      queue_.clear();
    }
    ready_.notify_all();
  }

  // The next work; nothing when there was none until `deadline`. False: closed.
  bool take(std::optional<Instant> deadline, std::function<void()>& work) {
    std::unique_lock lock(mutex_);
    const auto some = [this] { return closed_ || !queue_.empty(); };
    if (deadline) {
      ready_.wait_until(lock, *deadline, some);
    } else {
      ready_.wait(lock, some);
    }
    if (closed_) return false;
    if (queue_.empty()) return true;
    work = std::move(queue_.front());
    queue_.pop_front();
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;
  bool closed_ = false;
};

// What a rollout has to know of the settings, and of the object for what they do not hold.
RolloutWish wish_for(const Json& object, const DeclaredModel& model) {
  const spec::RolloutSettings& settings = model.rollout;
  RolloutWish wish;
  wish.generation = generation_of(object);
  wish.fingerprint = fingerprint_of(object);
  wish.canary_percent = static_cast<int>(*settings.canary_percent);
  wish.tags = *settings.tags;
  wish.paused = *settings.paused;
  wish.recreate = *settings.recreate;
  wish.stopped = model.stopped;
  wish.duration = *settings.duration;
  if (settings.rollback.any()) wish.standby = *settings.rollback.window;
  const Json* canaries = object.find_path({"spec", "canary"});
  for (std::size_t i = 0; canaries != nullptr && i < canaries->items().size() && i < settings.canaries.size(); ++i) {
    const spec::CanarySettings& canary = settings.canaries[i];
    wish.canaries.push_back(
        {*canary.name, fingerprint_of(canary_object(object, canaries->items()[i])), static_cast<int>(*canary.percent)});
  }
  if (settings.shadow->empty()) return wish;
  const auto named = std::find_if(wish.canaries.begin(), wish.canaries.end(),
                                  [&](const CanaryWish& canary) { return canary.name == *settings.shadow; });
  wish.shadow =
      named != wish.canaries.end() ? named->fingerprint : fingerprint_of(shadow_object(object, *settings.shadow));
  return wish;
}

RollbackLimits limits_of(const spec::RollbackSettings& settings) {
  RollbackLimits limits;
  if (settings.error_rate.is_set) limits.error_rate = *settings.error_rate;
  if (settings.latency_p99.is_set) limits.latency_p99 = *settings.latency_p99;
  limits.window = *settings.window;
  limits.min_requests = *settings.min_requests;
  return limits;
}

// File names in messages may be any bytes; an object holds text.
std::string readable(std::string text) {
  if (is_valid_utf8(text)) return text;
  for (char& c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return text;
}

constexpr Duration first_retry = std::chrono::seconds(1);
constexpr Duration last_retry = std::chrono::seconds(30);

class ServiceReconciler final : public Reconciler {
 public:
  ServiceReconciler(ResourceStore& store, ModelControl& models, ReconcilerOptions options)
      : store_(store), models_(models), options_(std::move(options)), inbox_(std::make_shared<Inbox>()) {}

  ~ServiceReconciler() override {
    inbox_->close();
    if (thread_.joinable()) thread_.join();
    watches_.clear();  // the thread's own until it has ended
  }

  void begin() override {
    for (const ResourceKind& kind : store_.kinds()) {
      for (const ObjectPtr& object : store_.list(kind.group, kind.plural, "", {}).objects)
        first_.insert(key_of(kind, *object));
    }
    for (const ResourceKind& kind : store_.kinds()) watch(kind);
    inbox_->post([this] { settled(""); });
  }

  void look_around() override {
    inbox_->post([this] {
      compare_replicas();
      compare_transformers();
    });
  }

  void start(std::string address) override {
    address_ = std::move(address);
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "control");
      run();
    });
  }

 private:
  // A declared service: what it asks for, and how far that has come.
  struct Known {
    const ResourceKind* kind = nullptr;
    std::uint64_t birth = 0;  // tells it from a service of the same name that was there before
    ObjectPtr object;         // as it was seen last
    std::string wish;         // that was declared last
    std::string invalid;      // why the object cannot be translated; the rollout goes on with the wish before
    // What clients call its models, as "namespace/name"; `blocked`: another service has one of them.
    std::vector<std::string> model_names;
    bool blocked = false;
    std::string noted;  // the last event about it
    std::string model_name;
    std::string runtime;
    std::optional<Rollout> rollout;
    spec::RolloutSettings settings;
    RevisionSources sources;
    ServiceTraffic traffic;  // as it was published last
    bool published = false;
    std::int64_t replicas = -1;  // as they were counted last
    std::shared_ptr<serving::Transformer> transformer;
    TransformerState transformer_state;            // as it was seen last
    std::map<std::string, RollbackWatch> watches;  // by revision
    std::optional<Instant> wake;
    bool status_posted = false;  // a write of it is in the inbox
    std::optional<Instant> status_retry;
    Duration status_delay = first_retry;
  };

  static std::string key_of(const ResourceKind& kind, const Json& object) {
    return kind.plural + "/" + text_at(object, {"metadata", "namespace"}) + "/" + text_at(object, {"metadata", "name"});
  }

  void run() {
    std::function<void()> work;
    while (inbox_->take(next_wake(), work)) {
      if (work) std::exchange(work, nullptr)();
      wake_due();
    }
  }

  static Instant now() { return std::chrono::steady_clock::now(); }

  std::optional<Instant> next_wake() const {
    std::optional<Instant> next;
    for (const auto& [key, known] : known_) {
      for (const auto& at : {known.wake, known.status_retry}) {
        if (at && (!next || *at < *next)) next = at;
      }
    }
    return next;
  }

  void wake_due() {
    const Instant current = now();
    std::vector<std::string> due;
    for (auto& [key, known] : known_) {
      if (known.wake && *known.wake <= current) due.push_back(key);
      if (!known.status_retry || *known.status_retry > current) continue;
      known.status_retry.reset();
      post_status(key, known);
    }
    for (const std::string& key : due) advance(key);
  }

  void watch(const ResourceKind& kind) {
    WatchRequest request;
    request.group = kind.group;
    request.plural = kind.plural;
    request.send_initial_events = true;
    request.wake = [this, plural = kind.plural, inbox = inbox_] { inbox->post([this, plural] { take(plural); }); };
    StoreError error;
    watches_[kind.plural] = store_.watch(std::move(request), error);
    if (watches_[kind.plural] == nullptr) {
      if (error.reason == Reason::unavailable) return;  // the daemon ends
      log_error("the declared objects cannot be watched", {{"kind", kind.kind}, {"reason", error.message}});
      return;
    }
    take(kind.plural);
  }

  void take(const std::string& plural) {
    const auto at = watches_.find(plural);
    if (at == watches_.end() || at->second == nullptr) return;
    const ResourceKind& kind = *kind_of(plural);
    bool expired = false;
    for (const WatchEvent& event : at->second->take(expired)) {
      if (event.type == EventType::bookmark) continue;
      if (event.type == EventType::deleted) {
        removed(kind, *event.object);
      } else {
        changed(kind, event.object);
      }
    }
    if (expired) resync(kind);
  }

  const ResourceKind* kind_of(const std::string& plural) const {
    for (const ResourceKind& kind : store_.kinds()) {
      if (kind.plural == plural) return &kind;
    }
    return nullptr;
  }

  // Events were lost: what is gone is told by what is there.
  void resync(const ResourceKind& kind) {
    std::set<std::string> there;
    for (const ObjectPtr& object : store_.list(kind.group, kind.plural, "", {}).objects)
      there.insert(key_of(kind, *object));
    std::vector<std::string> gone;
    for (const auto& [key, known] : known_) {
      if (key.starts_with(kind.plural + "/") && !there.contains(key)) gone.push_back(key);
    }
    for (const std::string& key : gone) {
      const std::size_t slash = key.find('/', kind.plural.size() + 1);
      forget(key, key.substr(kind.plural.size() + 1, slash - kind.plural.size() - 1), key.substr(slash + 1));
    }
    watch(kind);
  }

  void forget(const std::string& key, const std::string& namespace_name, const std::string& name) {
    own_names(key, {});
    known_.erase(key);
    models_.remove(namespace_name, name, {});
    settled(key);
  }

  void removed(const ResourceKind& kind, const Json& object) {
    forget(key_of(kind, object), text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"}));
  }

  // A service that was there before this process remembers its revisions in its status.
  Known& known_of(const ResourceKind& kind, const std::string& key, const Json& object) {
    const auto [at, fresh] = known_.try_emplace(key);
    if (!fresh) return at->second;
    Known& known = at->second;
    known.kind = &kind;
    known.birth = ++births_;
    RecalledRollout recalled = recall(object);
    known.sources = std::move(recalled.sources);
    const bool language_model = text_at(object, {"kind"}) == "LLMInferenceService";
    const std::string prefix = text_at(object, {"metadata", "name"}) + (language_model ? "-kserve-" : "-predictor-");
    known.rollout.emplace(prefix, std::move(recalled.memory));
    return known;
  }

  void changed(const ResourceKind& kind, const ObjectPtr& object) {
    const std::string key = key_of(kind, *object);
    Known& known = known_of(kind, key, *object);
    known.object = object;
    std::string wish = wish_of(*object);
    if (known.wish == wish) {                                          // our own status, labels, managers
      if (object->find("status") == nullptr) post_status(key, known);  // someone has wiped it
      return;
    }
    known.wish = std::move(wish);
    const Result<DeclaredModel> model = options_.translate(*object);
    known.invalid = model ? "" : model.error().text();
    known.blocked = false;
    if (model) take_names(key, known, *model);
    if (known.invalid.empty()) declare(known, *model);
    advance(key);
  }

  static std::vector<std::string> names_of(const DeclaredModel& model) {
    std::vector<std::string> out{model.namespace_name + "/" + model.name};
    for (const std::string& alias : model.aliases) out.push_back(model.namespace_name + "/" + alias);
    return out;
  }

  // A model has its names for itself: the object that asks for one that is taken waits until it is free.
  void take_names(const std::string& key, Known& known, const DeclaredModel& model) {
    std::vector<std::string> names = names_of(model);
    const std::string owner = owner_of(names, key);
    if (owner.empty()) return own_names(key, std::move(names));
    known.blocked = true;
    known.invalid = fmt::format("the model name '{}' is taken already, by {}; give one of them another --model_name",
                                model.name, owner);
  }

  // Which other object has one of these names; "" = none.
  std::string owner_of(const std::vector<std::string>& names, const std::string& key) const {
    for (const std::string& name : names) {
      const auto owner = owners_.find(name);
      if (owner != owners_.end() && owner->second != key) return owner->second;
    }
    return {};
  }

  void own_names(const std::string& key, std::vector<std::string> names) {
    const auto at = known_.find(key);
    if (at == known_.end() || at->second.model_names == names) return;
    Known& known = at->second;
    if (!known.model_names.empty()) inbox_->post([this] { retry_blocked(); });
    for (const std::string& name : known.model_names) owners_.erase(name);
    for (const std::string& name : names) owners_[name] = key;
    known.model_names = std::move(names);
  }

  // A name is free again: whoever waited for one is looked at anew.
  void retry_blocked() {
    std::vector<std::pair<const ResourceKind*, ObjectPtr>> waiting;
    for (auto& [key, known] : known_) {
      if (!known.blocked) continue;
      known.wish.clear();
      waiting.emplace_back(known.kind, known.object);
    }
    for (const auto& [kind, object] : waiting) changed(*kind, object);
  }

  // Once for each state, not for each try to write it.
  void note(Known& known, const ServiceState& state) const {
    if (options_.events == nullptr) return;
    const bool transformer_fails = state.phase == ServicePhase::ready && state.transformer.truth == "False";
    const bool failed = state.phase == ServicePhase::failed || transformer_fails;
    std::string reason = state.reason;
    std::string message = state.message;
    if (state.phase == ServicePhase::loading) reason = "Loading", message = "The model is being loaded.";
    if (state.phase == ServicePhase::ready) reason = "Ready", message = "The service answers.";
    if (state.phase == ServicePhase::ready && state.transformer.hinders())
      reason = state.transformer.reason, message = state.transformer.message;
    if (state.phase == ServicePhase::stopped) reason = "Stopped", message = "The service is stopped.";
    if (std::exchange(known.noted, fmt::format("{} {} {}", known.wish, reason, message)) !=
        fmt::format("{} {} {}", known.wish, reason, message))
      options_.events->record(*known.object, failed, reason, message);
  }

  void declare(Known& known, const DeclaredModel& model) {
    known.model_name = model.name;
    known.transformer = model.transformer;
    known.transformer_state = state_of(known.transformer.get());
    known.runtime = model.runtime;
    known.settings = model.rollout;
    known.watches.clear();
    known.rollout->declare(wish_for(*known.object, model));
    remember_sources(known);
    if (model.stopped) {
      known.published = false;
      return models_.put(model, [](const Result<void>&) {});
    }
    // What is loaded already takes over what else the object says of it.
    for (const Revision& revision : known.rollout->memory().revisions) {
      if (revision.state != RevisionState::ready) continue;
      if (Result<DeclaredModel> again = model_of(known, revision)) {
        again->only_if_loaded = true;  // it may be let go of before its turn comes
        models_.load_revision(std::move(*again), [](auto) {});
      }
    }
  }

  // What new revisions are made of.
  void remember_sources(Known& known) {
    const RolloutWish& wish = known.rollout->wish();
    const auto remember = [&](const std::string& fingerprint, const Json& object) {
      if (const Revision* revision = known.rollout->by_fingerprint(fingerprint))
        known.sources.try_emplace(revision->name, remembered(object));
    };
    remember(wish.fingerprint, *known.object);
    const Json* canaries = known.object->find_path({"spec", "canary"});
    for (std::size_t i = 0; i < wish.canaries.size(); ++i)
      remember(wish.canaries[i].fingerprint, canary_object(*known.object, canaries->items()[i]));
    if (!wish.shadow.empty()) remember(wish.shadow, shadow_object(*known.object, *known.settings.shadow));
  }

  // The object as the revision sees it: a canary has settings of its own, an earlier revision today's.
  Json object_for(const Known& known, const Revision& revision) const {
    const RolloutWish& wish = known.rollout->wish();
    if (revision.fingerprint == wish.fingerprint) return *known.object;
    const Json* canaries = known.object->find_path({"spec", "canary"});
    for (std::size_t i = 0; i < wish.canaries.size(); ++i) {
      if (wish.canaries[i].fingerprint == revision.fingerprint)
        return canary_object(*known.object, canaries->items()[i]);
    }
    const auto source = known.sources.find(revision.name);
    return source == known.sources.end() ? *known.object : object_of(*known.object, source->second);
  }

  Result<DeclaredModel> model_of(const Known& known, const Revision& revision) const {
    JACKDAW_ASSIGN(DeclaredModel model, options_.translate(object_for(known, revision)));
    model.revision = revision.name;
    model.stopped = false;
    return model;
  }

  // Brings the service as far as it can come now: who is loaded, who answers, what the status says.
  void advance(const std::string& key) {
    const auto at = known_.find(key);
    if (at == known_.end()) return;
    Known& known = at->second;
    if (known.rollout->memory().latest_created.empty()) {  // it never was one that could be understood
      post_status(key, known);
      return inbox_->post([this, key] { settled(key); });
    }
    const Instant current = now();
    look_for_rollbacks(known, current);
    RolloutStep step = known.rollout->step(current);
    known.wake = step.wake;
    step.traffic.shadow_percent = static_cast<int>(*known.settings.shadow_percent);
    publish(known, std::move(step.traffic));
    wake_for_rollbacks(known, current);
    post_status(key, known);
    for (const std::string& revision : step.load) load(key, known, revision);
    if (known.rollout->settled()) inbox_->post([this, key] { settled(key); });
  }

  void publish(Known& known, ServiceTraffic traffic) {
    if (known.rollout->wish().stopped || (known.published && known.traffic == traffic)) {
      if (known.rollout->wish().stopped) known.traffic = {};
      return;
    }
    for (const TrafficPart& part : traffic.shares) {
      log_info("traffic", {{"service", service_name(known)}, {"revision", part.revision}, {"percent", part.percent}});
    }
    known.traffic = std::move(traffic);
    known.published = true;
    models_.serve(namespace_name(known), service_name(known), known.traffic);
  }

  void compare_replicas() {
    std::map<std::pair<std::string_view, std::string_view>, std::int64_t> counts;
    const auto scaled = models_.scaled();
    for (const ScaledModel& model : *scaled)
      counts[{model.namespace_name, model.service_name}] += model.gate->replicas();
    for (auto& [key, known] : known_) {
      if (known.object == nullptr) continue;
      const std::string place = namespace_name(known);
      const std::string name = service_name(known);
      const auto at = counts.find({place, name});
      const std::int64_t now = at == counts.end() ? 0 : at->second;
      if (std::exchange(known.replicas, now) != now) post_status(key, known);
    }
  }

  void compare_transformers() {
    for (auto& [key, known] : known_) {
      if (known.transformer == nullptr) continue;
      TransformerState state = state_of(known.transformer.get());
      if (state == known.transformer_state) continue;
      known.transformer_state = std::move(state);
      post_status(key, known);
    }
  }

  // The state without a transformer: an empty one.
  static TransformerState state_of(const serving::Transformer* transformer) {
    if (transformer == nullptr) return {};
    const serving::TransformerHealth health = transformer->health();
    const std::string& url = transformer->settings().url;
    switch (health.state()) {
      case serving::TransformerHealth::State::ready:
        return {"True", "", ""};
      case serving::TransformerHealth::State::unknown:
        return {"Unknown", "Probing", fmt::format("The transformer at {} is asked whether it is ready.", url)};
      case serving::TransformerHealth::State::failing:
        break;
    }
    return {"False", "TransformerNotReady", fmt::format("The transformer does not answer: {}", health.fault())};
  }

  static std::string service_name(const Known& known) { return text_at(*known.object, {"metadata", "name"}); }
  static std::string namespace_name(const Known& known) { return text_at(*known.object, {"metadata", "namespace"}); }

  void load(const std::string& key, Known& known, const std::string& revision) {
    Result<DeclaredModel> model = model_of(known, *known.rollout->find(revision));
    const auto done = [this, key, birth = known.birth, revision, inbox = inbox_](Result<void> outcome) {
      inbox->post(
          [this, key, birth, revision, outcome = std::move(outcome)] { loaded(key, birth, revision, outcome); });
    };
    if (!model) return done(std::move(model).error());
    models_.load_revision(std::move(*model), done);
  }

  void loaded(const std::string& key, std::uint64_t birth, const std::string& revision, const Result<void>& outcome) {
    const auto at = known_.find(key);
    if (at == known_.end() || at->second.birth != birth) return;
    if (outcome) {
      at->second.rollout->loaded(revision);
    } else {
      at->second.rollout->failed(revision, readable(outcome.error().text()), now());
    }
    at->second.published = false;  // what was published did not have it
    advance(key);
  }

  // Revisions that have taken traffic and could lose it: those with a share beside the one rolled out, and that one
  // itself while the one before stands by.
  std::vector<std::string> suspects(const Known& known) const {
    std::vector<std::string> names;
    const RolloutMemory& memory = known.rollout->memory();
    for (const TrafficPart& part : known.traffic.shares) {
      const bool rolled_out = part.revision == memory.rolled_out;
      if (part.percent > 0 && (!rolled_out || !fallback(known).empty())) names.push_back(part.revision);
    }
    return names;
  }

  // The one before, while it stands by.
  static std::string fallback(const Known& known) {
    const std::string& previous = known.rollout->memory().previous;
    const auto& kept = known.traffic.kept;
    return std::find(kept.begin(), kept.end(), previous) == kept.end() ? "" : previous;
  }

  void look_for_rollbacks(Known& known, Instant current) {
    if (!known.settings.rollback.any()) return;
    for (const std::string& suspect : suspects(known)) {
      const auto counts = models_.counts(namespace_name(known), service_name(known), suspect);
      if (counts == nullptr) continue;
      const bool rolled_out = suspect == known.rollout->memory().rolled_out;
      const auto other =
          rolled_out ? nullptr
                     : models_.counts(namespace_name(known), service_name(known), known.rollout->memory().rolled_out);
      RollbackWatch& watch = known.watches.try_emplace(suspect, limits_of(known.settings.rollback)).first->second;
      const auto verdict =
          watch.look(current, counts->read(), other == nullptr ? serving::RevisionReading{} : other->read());
      if (!verdict || !known.rollout->roll_back(suspect, verdict->reason, verdict->message)) continue;
      if (options_.events != nullptr)
        options_.events->record(*known.object, true, "RolledBack", suspect + ": " + verdict->message);
      log_warning("rolled back", {{"service", service_name(known)},
                                  {"revision", suspect},
                                  {"reason", verdict->reason},
                                  {"message", verdict->message}});
    }
  }

  void wake_for_rollbacks(Known& known, Instant current) {
    if (!known.settings.rollback.any() || suspects(known).empty()) return;
    const Instant at = current + RollbackWatch(limits_of(known.settings.rollback)).interval();
    known.wake = known.wake ? std::min(*known.wake, at) : at;
  }

  ServiceState state_of(const Known& known) const {
    ServiceState state;
    state.model_name = known.model_name;
    state.runtime = known.runtime;
    state.rollout = &*known.rollout;
    state.sources = &known.sources;
    state.traffic = known.traffic;
    state.transformer = known.transformer_state;
    const Revision* latest = known.rollout->find(known.rollout->memory().latest_created);
    if (!known.invalid.empty()) {
      state.phase = ServicePhase::failed;
      state.reason = "InvalidPredictorSpec";
      state.message = known.invalid;
    } else if (known.rollout->wish().stopped) {
      state.phase = ServicePhase::stopped;
    } else if (latest != nullptr && (latest->state == RevisionState::ready || known.rollout->at_rest(latest->name))) {
      state.phase = known.traffic.shares.empty() ? ServicePhase::loading : ServicePhase::ready;
    } else if (latest != nullptr && !latest->failure.empty()) {
      // Also while it is tried again: what is wrong is known.
      state.phase = ServicePhase::failed;
      state.reason = "ModelLoadFailed";
      state.message = latest->failure;
    }
    return state;
  }

  // On the thread, in turn: the disk must not hold up models that wait to be loaded. What comes until then is one
  // write.
  void post_status(const std::string& key, Known& known) {
    if (std::exchange(known.status_posted, true)) return;
    inbox_->post([this, key, birth = known.birth] {
      const auto at = known_.find(key);
      if (at == known_.end() || at->second.birth != birth) return;
      at->second.status_posted = false;
      write_status(at->second);
    });
  }

  // Status over the object as it is now; a write that raced with it is tried again on the newer one, and one that the
  // disk refused is tried again later.
  void write_status(Known& known) {
    known.status_retry.reset();
    const ResourceKind& kind = *known.kind;
    const ResourceName name{kind.group, kind.plural, namespace_name(known), service_name(known)};
    ServiceState state = state_of(known);
    state.replicas = known.replicas;
    note(known, state);
    for (int attempt = 0; attempt < 8; ++attempt) {
      const ObjectPtr object = store_.get(name);
      if (object == nullptr || generation_of(*object) != generation_of(*known.object)) return;
      Json with = with_status(*object, state, {options_.domain, address_}, options_.clock->wall());
      const Json* old = object->find("status");
      if (old != nullptr && *old == *with.find("status")) return;
      const StoreAnswer answer = store_.update_status(name, std::move(with), {"jackdaw", false});
      if (!answer.error) {
        known.status_delay = first_retry;
        if (unwritten_.went()) log_info("statuses are written again");
        return;
      }
      if (answer.error->reason == Reason::conflict) continue;
      if (const std::uint64_t times = unwritten_.came(answer.error->message, now())) {
        log_error("a status could not be written, and is tried again",
                  {{"object", name.plural + "/" + name.name}, {"times", times}, {"reason", answer.error->message}});
      }
      known.status_retry = now() + known.status_delay;
      known.status_delay = std::min(2 * known.status_delay, last_retry);
      return;
    }
  }

  // "" = none in particular: nothing may have been there at all.
  void settled(const std::string& key) {
    first_.erase(key);
    if (first_.empty() && options_.first_settled) std::exchange(options_.first_settled, nullptr)();
  }

  ResourceStore& store_;
  ModelControl& models_;
  ReconcilerOptions options_;
  std::shared_ptr<Inbox> inbox_;
  std::map<std::string, std::unique_ptr<Watch>> watches_;  // by plural
  std::map<std::string, Known> known_;                     // by key_of()
  std::map<std::string, std::string> owners_;              // key_of() by "namespace/name" of a model
  std::uint64_t births_ = 0;
  RepeatedFault unwritten_;      // statuses, of whatever service
  std::set<std::string> first_;  // objects of the start that are not settled yet
  std::string address_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Reconciler> make_reconciler(ResourceStore& store, ModelControl& models, ReconcilerOptions options) {
  return std::make_unique<ServiceReconciler>(store, models, std::move(options));
}

}  // namespace jackdaw::control
