// Random writers, watchers, restarts and full disks against a model of a few lines. A seed that fails is printed and
// fails again.
#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <random>
#include <tuple>

#include "tests/unit/control/store_world.h"

namespace jackdaw::control {
namespace {

using spec::Json;

// What must be known of an object to say what the next write does.
struct Expected {
  int replicas = 0;
  std::string team;   // the label; "" = none
  bool held = false;  // by a finalizer
  bool terminating = false;
  int generation = 1;
  int status = 0;  // 0 = none
  std::uint64_t version = 0;
  std::string uid;
};
using Model = std::map<std::string, Expected>;

Json wanted(const std::string& name, const Expected& object) {
  Json out = service(name, R"({"predictor":{"minReplicas":)" + std::to_string(object.replicas) + "}}");
  if (!object.team.empty()) out.member("metadata").set("labels", Json::object({{"team", Json::text(object.team)}}));
  if (object.held) out.member("metadata").set("finalizers", json(R"(["a.dev/held"])"));
  return out;
}

// A watcher and the picture it has made of events.
struct Watcher {
  std::string team;  // it selects
  std::unique_ptr<Watch> watch;
  std::map<std::string, std::uint64_t> seen;  // name -> version of the last event
  std::uint64_t version = 0;
};

// A list that is read in pieces, and what the model held when it began.
struct Reader {
  std::string token;
  std::vector<std::pair<std::string, std::uint64_t>> left;  // names and versions
  std::uint64_t version = 0;
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : world_(seed), choose_(seed * 7919 + 1) {
    world_.options.history_max = 12;
    world_.options.watch_queue_max = 6;
    world_.options.objects_max = 6;
    world_.options.tombstones_max = 3;
    world_.start();
  }

  void run(int steps) {
    for (int step = 0; step < steps; ++step) {
      INFO("step " << step);
      world_.clock.wall_value += std::chrono::milliseconds(below(3));
      one_step();
      check_store();
    }
    world_.disk.full = false;
    for (std::size_t i = watchers_.size(); i-- > 0;) drain(watchers_[i]);  // one that is expired goes
  }

 private:
  std::size_t below(std::size_t bound) { return choose_() % bound; }
  bool chance(std::size_t one_in) { return below(one_in) == 0; }
  std::string any_name() { return std::string(1, static_cast<char>('a' + below(8))); }

  void one_step() {
    switch (below(14)) {
      case 0:
      case 1:
        return create();
      case 2:
      case 3:
        return update();
      case 4:
        return update_status();
      case 5:
      case 6:
        return apply();
      case 7:
        return merge_patch();
      case 8:
        return remove();
      case 9:
        return join();
      case 10:
        if (!watchers_.empty()) drain(watchers_[below(watchers_.size())]);
        return;
      case 11:
        return begin_to_read();
      case 12:
        return read_on();
      default:
        return chance(3) ? restart() : toggle_disk();
    }
  }

  // ---- writes: each knows what must come of it

  enum class Outcome { changed, unchanged, refused };

  Outcome settle(const std::string& name, const StoreAnswer& answer, std::optional<Reason> refusal,
                 std::optional<Expected> next) {
    const std::uint64_t version = world_.store->resource_version();
    if (!refusal && world_.disk.full && changes(name, next)) refusal = Reason::unavailable;
    if (refusal) {
      REQUIRE(answer.error);
      CHECK(answer.error->reason == *refusal);
      CHECK(version == version_);
      return Outcome::refused;
    }
    INFO((answer.error ? answer.error->message : std::string()));
    REQUIRE(!answer.error);
    const bool changed = changes(name, next);
    CHECK(answer.changed == changed);
    CHECK(version == version_ + (changed ? 1 : 0));
    version_ = version;
    if (!changed) return Outcome::unchanged;
    if (!next) {
      gone_.emplace_back(name, model_.at(name).uid);
      if (gone_.size() > world_.options.tombstones_max) gone_.erase(gone_.begin());
      model_.erase(name);
      return Outcome::changed;
    }
    std::erase_if(gone_, [&](const auto& one) { return one.first == name; });
    next->version = version;
    if (next->uid.empty()) next->uid = at(answer.object, {"metadata", "uid"});
    model_[name] = *next;
    return Outcome::changed;
  }

  bool changes(const std::string& name, const std::optional<Expected>& next) const {
    const auto now = model_.find(name);
    if (now == model_.end()) return next.has_value();
    if (!next) return true;
    const Expected& a = now->second;
    return std::tie(a.replicas, a.team, a.held, a.terminating, a.status, a.generation) !=
           std::tie(next->replicas, next->team, next->held, next->terminating, next->status, next->generation);
  }

  Expected random_object() {
    Expected out;
    out.replicas = static_cast<int>(below(3));
    out.team = chance(2) ? "" : chance(2) ? "birds" : "cats";
    out.held = chance(4);
    return out;
  }

  // What a replacement of `now` by `next` comes to: nothing when the last finalizer of a dying object went.
  static std::optional<Expected> replaced(const Expected& now, Expected next) {
    next.generation = now.generation + (next.replicas == now.replicas ? 0 : 1);
    next.status = now.status;
    next.terminating = now.terminating;
    next.uid = now.uid;
    if (next.terminating && !next.held) return std::nullopt;
    return next;
  }

  void create() {
    const std::string name = any_name();
    const Expected object = random_object();
    const StoreAnswer answer = world_.store->create(named(name), wanted(name, object), {"creator", false});
    std::optional<Reason> refusal;
    if (model_.contains(name)) {
      refusal = Reason::already_exists;
    } else if (model_.size() >= world_.options.objects_max) {
      refusal = Reason::unavailable;
    }
    settle(name, answer, refusal, object);
  }

  void update() {
    const std::string name = any_name();
    const auto now = model_.find(name);
    Expected object = random_object();
    Json body = wanted(name, object);
    const bool stale = chance(4);
    if (now != model_.end() && (stale || chance(2))) {
      const std::uint64_t version = now->second.version - (stale ? 1 : 0);
      body.member("metadata").set("resourceVersion", Json::text(std::to_string(version)));
    }
    const bool dry = chance(5);
    const StoreAnswer answer = world_.store->update(named(name), body, {"updater", dry});
    if (now == model_.end()) return void(settle(name, answer, Reason::not_found, std::nullopt));
    if (stale) return void(settle(name, answer, Reason::conflict, std::nullopt));
    const bool adds_finalizer = now->second.terminating && object.held && !now->second.held;
    if (adds_finalizer) return void(settle(name, answer, Reason::invalid, std::nullopt));
    if (dry) {
      CHECK(!answer.error);
      return;
    }
    settle(name, answer, std::nullopt, replaced(now->second, object));
  }

  void update_status() {
    const std::string name = any_name();
    const int status = static_cast<int>(below(3));
    Json body = service(name);
    if (status > 0) body.set("status", Json::object({{"n", Json::integer(status)}}));
    const StoreAnswer answer = world_.store->update_status(named(name), body, {"jackdaw", false});
    const auto now = model_.find(name);
    if (now == model_.end()) return void(settle(name, answer, Reason::not_found, std::nullopt));
    Expected next = now->second;
    next.status = status;
    settle(name, answer, std::nullopt, next);
  }

  // Forced, and of everything, so that it never conflicts and always says it all.
  void apply() {
    const std::string name = any_name();
    const auto now = model_.find(name);
    Expected object = random_object();
    object.held = now != model_.end() && now->second.held;  // lists of finalizers merge
    if (now != model_.end()) object.team = now->second.team;
    const Json body = wanted(name, object);
    const std::string manager = chance(2) ? "one" : "two";
    const std::uint64_t before = world_.store->resource_version();
    const StoreAnswer answer =
        world_.store->patch(named(name), {PatchRequest::Type::apply, body, true, ""}, {manager, false});
    if (now == model_.end()) {
      const bool full = model_.size() >= world_.options.objects_max;
      return void(settle(name, answer, full ? std::optional(Reason::unavailable) : std::nullopt, object));
    }
    // Who manages what may change although nothing else does.
    if (!answer.error && answer.changed && world_.store->resource_version() == before + 1 &&
        object.replicas == now->second.replicas) {
      version_ = before + 1;
      now->second.version = version_;
      return;
    }
    if (answer.error && world_.disk.full && object.replicas == now->second.replicas) {
      CHECK(answer.error->reason == Reason::unavailable);
      return;
    }
    settle(name, answer, std::nullopt, replaced(now->second, object));
  }

  void merge_patch() {
    const std::string name = any_name();
    const int replicas = static_cast<int>(below(3));
    const Json body = json(R"({"spec":{"predictor":{"minReplicas":)" + std::to_string(replicas) + "}}}");
    const StoreAnswer answer =
        world_.store->patch(named(name), {PatchRequest::Type::merge, body, false, ""}, {"patcher", false});
    const auto now = model_.find(name);
    if (now == model_.end()) return void(settle(name, answer, Reason::not_found, std::nullopt));
    Expected next = now->second;
    next.replicas = replicas;
    settle(name, answer, std::nullopt, replaced(now->second, next));
  }

  void remove() {
    const std::string name = any_name();
    const auto now = model_.find(name);
    Preconditions preconditions;
    const bool wrong = chance(4);
    if (wrong) preconditions.uid = "another";
    if (!wrong && now != model_.end()) preconditions.uid = now->second.uid;
    const StoreAnswer answer = world_.store->remove(named(name), preconditions, {"remover", false});
    if (now == model_.end()) return void(settle(name, answer, Reason::not_found, std::nullopt));
    if (wrong) return void(settle(name, answer, Reason::conflict, std::nullopt));
    if (!now->second.held) return void(settle(name, answer, std::nullopt, std::nullopt));
    Expected next = now->second;
    if (!next.terminating) ++next.generation;
    next.terminating = true;
    settle(name, answer, std::nullopt, next);
  }

  // ---- the world around

  void toggle_disk() { world_.disk.full = !world_.disk.full && chance(2); }

  void restart() {
    watchers_.clear();
    ++restarts_;
    world_.start();
    history_begin_ = version_;
    CHECK(world_.store->resource_version() == version_);
  }

  void join() {
    if (watchers_.size() >= 4) watchers_.erase(watchers_.begin());
    Watcher watcher;
    watcher.team = chance(2) ? "" : "birds";
    WatchRequest request{"serving.kserve.io", "inferenceservices", "", {}, "", chance(2), {}};
    if (!watcher.team.empty()) request.selector.labels = "team=" + watcher.team;
    StoreError error;
    watcher.watch = world_.store->watch(std::move(request), error);
    REQUIRE(watcher.watch != nullptr);
    watchers_.push_back(std::move(watcher));
    drain(watchers_.back());
  }

  // Events come in order and without gaps: what they add up to is what is there. An expired watch lists anew.
  void drain(Watcher& watcher) {
    bool expired = false;
    for (const WatchEvent& event : watcher.watch->take(expired)) {
      CHECK(event.resource_version >= watcher.version);
      watcher.version = event.resource_version;
      if (event.type == EventType::bookmark) continue;
      const std::string name = at(*event.object, {"metadata", "name"});
      CHECK((event.type == EventType::added) == !watcher.seen.contains(name));
      if (event.type == EventType::deleted) {
        watcher.seen.erase(name);
      } else {
        watcher.seen[name] = std::stoull(at(*event.object, {"metadata", "resourceVersion"}));
      }
    }
    if (expired) {
      const auto at =
          std::find_if(watchers_.begin(), watchers_.end(), [&](const Watcher& w) { return &w == &watcher; });
      watchers_.erase(at);
      return;
    }
    CHECK(watcher.watch->resource_version() == version_);
    std::map<std::string, std::uint64_t> there;
    for (const auto& [name, object] : model_) {
      if (watcher.team.empty() || watcher.team == object.team) there[name] = object.version;
    }
    CHECK(watcher.seen == there);
    check_replay();
  }

  // One that begins anywhere in the past sees the same, or is told that it is too late.
  void check_replay() {
    if (version_ == 0) return;
    const std::uint64_t since = 1 + below(version_);
    WatchRequest request{"serving.kserve.io", "inferenceservices", "", {}, std::to_string(since), false, {}};
    StoreError error;
    const auto late = world_.store->watch(std::move(request), error);
    if (late == nullptr) {
      CHECK(error.reason == Reason::expired);
      CHECK((since < history_begin_ || version_ - since > world_.options.history_max));
      return;
    }
    bool expired = false;
    const auto events = late->take(expired);
    CHECK(events.size() == version_ - since);
  }

  ListAnswer next_piece() {
    return world_.store->list("serving.kserve.io", "inferenceservices", "", {}, {1 + below(3), reader_.token});
  }

  void begin_to_read() {
    reader_ = Reader{"", {}, version_};
    for (const auto& [name, object] : model_) reader_.left.emplace_back(name, object.version);
    take_piece(next_piece());
  }

  void read_on() {
    if (reader_.token.empty()) return;
    const ListAnswer answer = next_piece();
    if (!answer.error) return take_piece(answer);
    CHECK(answer.error->reason == Reason::expired);
    CHECK((reader_.version < history_begin_ || version_ - reader_.version > world_.options.history_max ||
           restarts_ != reader_restarts_));
    reader_ = {};
  }

  // The next of what was there when the list began, as it was then.
  void take_piece(const ListAnswer& answer) {
    reader_restarts_ = restarts_;
    REQUIRE(!answer.error);
    CHECK(answer.resource_version == reader_.version);
    REQUIRE(answer.objects.size() <= reader_.left.size());
    for (std::size_t i = 0; i < answer.objects.size(); ++i) {
      CHECK(at(*answer.objects[i], {"metadata", "name"}) == reader_.left[i].first);
      CHECK(at(*answer.objects[i], {"metadata", "resourceVersion"}) == std::to_string(reader_.left[i].second));
    }
    reader_.left.erase(reader_.left.begin(), reader_.left.begin() + static_cast<std::ptrdiff_t>(answer.objects.size()));
    CHECK(answer.next.empty() == reader_.left.empty());
    CHECK(answer.remaining.value_or(0) == reader_.left.size());
    reader_.token = answer.next;
  }

  void check_store() {
    const ListAnswer list = world_.store->list("serving.kserve.io", "inferenceservices", "", {});
    REQUIRE(list.objects.size() == model_.size());
    CHECK(list.resource_version == version_);
    std::vector<std::pair<std::string, std::string>> gone;
    for (const Tombstone& stone : world_.store->tombstones()) gone.emplace_back(stone.name.name, stone.uid);
    CHECK(gone == gone_);
    auto expected = model_.begin();
    for (const auto& object : list.objects) {
      const auto& [name, wanted_state] = *expected++;
      CHECK(at(*object, {"metadata", "name"}) == name);
      CHECK(at(*object, {"metadata", "uid"}) == wanted_state.uid);
      CHECK(at(*object, {"metadata", "generation"}) == std::to_string(wanted_state.generation));
      CHECK(at(*object, {"metadata", "resourceVersion"}) == std::to_string(wanted_state.version));
      CHECK(at(*object, {"spec", "predictor", "minReplicas"}) == std::to_string(wanted_state.replicas));
      CHECK((object->find_path({"metadata", "labels", "team"}) != nullptr) == !wanted_state.team.empty());
      CHECK((object->find_path({"metadata", "deletionTimestamp"}) != nullptr) == wanted_state.terminating);
      CHECK(at(*object, {"status", "n"}) ==
            (wanted_state.status == 0 ? "(missing)" : std::to_string(wanted_state.status)));
    }
  }

  StoreWorld world_;
  std::mt19937_64 choose_;
  Model model_;
  std::vector<Watcher> watchers_;
  std::vector<std::pair<std::string, std::string>> gone_;  // removed last, and not there again: names and uids
  Reader reader_;
  int restarts_ = 0;
  int reader_restarts_ = 0;  // when its last piece was read
  std::uint64_t version_ = 0;
  std::uint64_t history_begin_ = 0;
};

TEST_CASE("RandomWritersWatchersAndRestartsAgreeWithTheModel") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    Simulation(seed).run(300);
  }
}

}  // namespace
}  // namespace jackdaw::control
