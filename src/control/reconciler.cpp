#include "jackdaw/control/reconciler.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "jackdaw/base/log.h"
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

// What the thread has to do, now or later, and how work that ends elsewhere comes back to it. Outlives the reconciler
// where ModelControl still holds callbacks.
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

  void post_after(Duration delay, std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      later_.emplace(std::chrono::steady_clock::now() + delay, std::move(work));
    }
    ready_.notify_one();
  }

  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      queue_.clear();
      later_.clear();
    }
    ready_.notify_all();
  }

  void run() {
    for (;;) {
      std::function<void()> work;
      {
        std::unique_lock lock(mutex_);
        while (!closed_ && queue_.empty()) wait(lock);
        if (closed_) return;
        work = std::move(queue_.front());
        queue_.pop_front();
      }
      work();
    }
  }

 private:
  // Until something is posted or due; what is due joins the queue.
  void wait(std::unique_lock<std::mutex>& lock) {
    if (later_.empty()) return ready_.wait(lock);
    ready_.wait_until(lock, later_.begin()->first);
    while (!later_.empty() && later_.begin()->first <= std::chrono::steady_clock::now()) {
      queue_.push_back(std::move(later_.begin()->second));
      later_.erase(later_.begin());
    }
  }

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;
  std::multimap<std::chrono::steady_clock::time_point, std::function<void()>> later_;
  bool closed_ = false;
};

constexpr Duration first_retry = std::chrono::seconds(1);
constexpr Duration last_retry = std::chrono::seconds(30);

class ServiceReconciler final : public Reconciler {
 public:
  ServiceReconciler(ResourceStore& store, ModelControl& models, ReconcilerOptions options)
      : store_(store), models_(models), options_(std::move(options)), inbox_(std::make_shared<Inbox>()) {}

  ~ServiceReconciler() override {
    watches_.clear();
    inbox_->close();
    if (thread_.joinable()) thread_.join();
  }

  void begin() override {
    for (const ResourceKind& kind : store_.kinds()) {
      for (const ObjectPtr& object : store_.list(kind.group, kind.plural, "", {}).objects)
        first_.insert(key_of(kind, *object));
    }
    for (const ResourceKind& kind : store_.kinds()) watch(kind);
    inbox_->post([this] { settled(""); });
  }

  void start(std::string address) override {
    address_ = std::move(address);
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "control");
      inbox_->run();
    });
  }

 private:
  struct Known {
    std::string wish;      // that was last handed to ModelControl
    bool answers = false;  // some revision does
    // What clients call its models, as "namespace/name"; `blocked`: another service has one of them.
    std::vector<std::string> model_names;
    bool blocked = false;
  };

  static std::string key_of(const ResourceKind& kind, const Json& object) {
    return kind.plural + "/" + text_at(object, {"metadata", "namespace"}) + "/" + text_at(object, {"metadata", "name"});
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
    status_turns_.erase(key);
    models_.remove(namespace_name, name, {});
    settled(key);
  }

  void removed(const ResourceKind& kind, const Json& object) {
    forget(key_of(kind, object), text_at(object, {"metadata", "namespace"}), text_at(object, {"metadata", "name"}));
  }

  static std::vector<std::string> names_of(const DeclaredModel& model) {
    std::vector<std::string> out{model.namespace_name + "/" + model.name};
    for (const std::string& alias : model.aliases) out.push_back(model.namespace_name + "/" + alias);
    return out;
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
    Known& known = known_[key];
    if (known.model_names == names) return;
    if (!known.model_names.empty()) inbox_->post([this] { retry_blocked(); });
    for (const std::string& name : known.model_names) owners_.erase(name);
    for (const std::string& name : names) owners_[name] = key;
    known.model_names = std::move(names);
  }

  // A name is free again: whoever waited for one is looked at anew.
  void retry_blocked() {
    std::vector<std::string> waiting;
    for (auto& [key, known] : known_) {
      if (known.blocked) waiting.push_back(key);
    }
    for (const std::string& key : waiting) {
      const std::size_t space = key.find('/') + 1, name = key.find('/', space) + 1;
      const ResourceKind& kind = *kind_of(key.substr(0, space - 1));
      const ObjectPtr object =
          store_.get({kind.group, kind.plural, key.substr(space, name - space - 1), key.substr(name)});
      if (object == nullptr) continue;
      known_[key].wish.clear();
      changed(kind, object);
    }
  }

  // Once for each state, not for each try to write it.
  void note(const Json& object, const ServiceState& state) const {
    if (options_.events == nullptr) return;
    switch (state.phase) {
      case ServicePhase::loading:
        return options_.events->record(object, false, "Loading", "The model is being loaded.");
      case ServicePhase::ready:
        return options_.events->record(object, false, "Ready", "The service answers.");
      case ServicePhase::stopped:
        return options_.events->record(object, false, "Stopped", "The service is stopped.");
      case ServicePhase::failed:
        return options_.events->record(object, true, state.reason, state.message);
    }
  }

  void changed(const ResourceKind& kind, const ObjectPtr& object) {
    const std::string key = key_of(kind, *object);
    Known& known = known_[key];
    std::string wish = wish_of(*object);
    if (known.wish == wish) return;  // our own status, labels, managers
    known.wish = std::move(wish);
    Result<DeclaredModel> model = options_.translate(*object);
    if (!model) {
      post_status(kind, object,
                  {ServicePhase::failed, known.answers, "InvalidPredictorSpec", model.error().text(), {}});
      inbox_->post([this, key] { settled(key); });
      return;
    }
    std::vector<std::string> names = names_of(*model);
    if (const std::string owner = owner_of(names, key); !owner.empty()) {
      known.blocked = true;
      post_status(kind, object,
                  {ServicePhase::failed,
                   known.answers,
                   "InvalidPredictorSpec",
                   fmt::format("the model name '{}' is taken already, by {}; give one of them another --model_name",
                               model->name, owner),
                   {}});
      inbox_->post([this, key] { settled(key); });
      return;
    }
    known.blocked = false;
    own_names(key, std::move(names));
    const bool stopped = model->stopped;
    const std::string model_name = model->name;
    if (!stopped) post_status(kind, object, {ServicePhase::loading, known.answers, {}, {}, model_name});
    models_.put(std::move(*model),
                [this, &kind, key, object, stopped, model_name, inbox = inbox_](Result<void> loaded) {
                  inbox->post([this, &kind, key, object, stopped, model_name, loaded = std::move(loaded)] {
                    put_done(kind, key, object, stopped, model_name, loaded);
                  });
                });
  }

  void put_done(const ResourceKind& kind, const std::string& key, const ObjectPtr& object, bool stopped,
                const std::string& model_name, const Result<void>& loaded) {
    const auto at = known_.find(key);
    const bool current = at != known_.end() && at->second.wish == wish_of(*object);
    if (current) {
      if (loaded) at->second.answers = !stopped;
      ServiceState state{stopped ? ServicePhase::stopped : ServicePhase::ready, at->second.answers, {}, {}, model_name};
      if (!loaded)
        state.phase = ServicePhase::failed, state.reason = "ModelLoadFailed", state.message = loaded.error().text();
      write_status(kind, object, state);
    }
    settled(key);
  }

  // On the thread, in turn: the disk must not hold up models that wait to be loaded.
  void post_status(const ResourceKind& kind, const ObjectPtr& object, ServiceState state) {
    inbox_->post([this, &kind, object, state = std::move(state)] { write_status(kind, object, state); });
  }

  // Status over the object as it is now; a write that raced with it is tried again on the newer one, and one that the
  // disk refused is tried again later, unless there is a newer status by then.
  void write_status(const ResourceKind& kind, const ObjectPtr& object, const ServiceState& state,
                    Duration retry_after = first_retry) {
    const std::uint64_t turn = ++status_turns_[key_of(kind, *object)];
    if (retry_after == first_retry) note(*object, state);
    const ResourceName name{kind.group, kind.plural, text_at(*object, {"metadata", "namespace"}),
                            text_at(*object, {"metadata", "name"})};
    for (int attempt = 0; attempt < 8; ++attempt) {
      const ObjectPtr now = store_.get(name);
      if (now == nullptr || generation_of(*now) != generation_of(*object)) return;
      Json with = with_status(*now, state, {options_.domain, address_}, options_.clock->wall());
      const StoreAnswer answer = store_.update_status(name, std::move(with), {"jackdaw", false});
      if (!answer.error) return;
      if (answer.error->reason != Reason::conflict) {
        log_error("a status could not be written, and is tried again",
                  {{"object", name.plural + "/" + name.name}, {"reason", answer.error->message}});
        inbox_->post_after(retry_after, [this, &kind, object, state, turn, retry_after] {
          const auto at = status_turns_.find(key_of(kind, *object));
          if (at == status_turns_.end() || at->second != turn) return;
          write_status(kind, object, state, std::min(2 * retry_after, last_retry));
        });
        return;
      }
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
  std::map<std::string, std::uint64_t> status_turns_;      // by key_of(): which write of a status is the newest
  std::set<std::string> first_;                            // objects of the start that are not settled yet
  std::string address_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Reconciler> make_reconciler(ResourceStore& store, ModelControl& models, ReconcilerOptions options) {
  return std::make_unique<ServiceReconciler>(store, models, std::move(options));
}

}  // namespace jackdaw::control
