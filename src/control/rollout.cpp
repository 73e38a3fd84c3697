#include "src/control/rollout.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace jackdaw::control {
namespace {

using namespace std::chrono_literals;

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (!name.empty() && !contains(names, name)) names.push_back(name);
}

void wake_by(RolloutStep& out, Instant at) {
  out.wake = out.wake ? std::min(*out.wake, at) : at;
}

}  // namespace

Duration retry_delay(unsigned attempts) {
  constexpr Duration longest = 5min;
  const unsigned doublings = std::min(attempts == 0 ? 0 : attempts - 1, 9u);
  return std::min<Duration>(1s * (1 << doublings), longest);
}

Rollout::Rollout(std::string prefix, RolloutMemory memory) : prefix_(std::move(prefix)), memory_(std::move(memory)) {
  for (Revision& revision : memory_.revisions) {
    revision.state = RevisionState::idle;
    revision.attempts = 0;
  }
  for (std::string* name : {&memory_.latest_created, &memory_.latest_ready, &memory_.rolled_out, &memory_.previous})
    if (find(*name) == nullptr) name->clear();
  memory_.latest_percent = std::clamp(memory_.latest_percent, 0, 99);
}

const Revision* Rollout::find(std::string_view name) const {
  const auto at = std::find_if(memory_.revisions.begin(), memory_.revisions.end(),
                               [name](const Revision& revision) { return revision.name == name; });
  return at == memory_.revisions.end() ? nullptr : &*at;
}

Revision* Rollout::known(std::string_view name) {
  return const_cast<Revision*>(find(name));
}

const Revision* Rollout::by_fingerprint(std::string_view fingerprint) const {
  const auto at = std::find_if(memory_.revisions.rbegin(), memory_.revisions.rend(),
                               [&](const Revision& revision) { return revision.fingerprint == fingerprint; });
  return at == memory_.revisions.rend() ? nullptr : &*at;
}

const RolledBack* Rollout::rolled_back(std::string_view revision) const {
  for (const RolledBack& one : memory_.rolled_back) {
    if (one.revision == revision) return &one;
  }
  return nullptr;
}

bool Rollout::is_ready(std::string_view name) const {
  const Revision* revision = find(name);
  return revision != nullptr && revision->state == RevisionState::ready;
}

bool Rollout::settled() const {
  return std::none_of(memory_.revisions.begin(), memory_.revisions.end(),
                      [](const Revision& revision) { return revision.state == RevisionState::loading; });
}

// What is loaded, or has a part in the traffic over a restart, is taken as it is; what was let go of long ago is a
// new revision with the same words, so that numbers tell the order of events.
Revision& Rollout::revision_of(const std::string& fingerprint) {
  if (const Revision* seen = by_fingerprint(fingerprint)) {
    const bool in_use = seen->state != RevisionState::idle || seen->name == memory_.latest_created ||
                        seen->name == memory_.rolled_out || seen->name == memory_.latest_ready ||
                        seen->generation == wish_.generation;
    const bool restarted = memory_.revisions.back().name == seen->name;
    if (in_use || restarted) return *known(seen->name);
  }
  Revision fresh;
  fresh.name = fmt::format("{}{:05}", prefix_, ++memory_.last_number);
  fresh.fingerprint = fingerprint;
  fresh.generation = wish_.generation;
  memory_.revisions.push_back(std::move(fresh));
  return memory_.revisions.back();
}

void Rollout::declare(RolloutWish wish) {
  const bool next_generation = wish.generation != wish_.generation;
  wish_ = std::move(wish);
  std::erase_if(memory_.rolled_back, [this](const RolledBack& one) { return one.generation != wish_.generation; });
  const auto renew = [&](const std::string& fingerprint) {
    Revision& revision = revision_of(fingerprint);
    // Somebody wrote the object again: no need to wait for the next attempt.
    if (next_generation && revision.state == RevisionState::failed) {
      revision.state = RevisionState::idle;
      revision.attempts = 0;
    }
    return revision.name;
  };
  // The stable predictor comes first, so that its number is the lower one.
  memory_.latest_created = renew(wish_.fingerprint);
  for (const CanaryWish& canary : wish_.canaries) renew(canary.fingerprint);
  if (!wish_.shadow.empty()) renew(wish_.shadow);
}

void Rollout::loaded(std::string_view name) {
  Revision* revision = known(name);
  if (revision == nullptr) return;
  revision->state = RevisionState::ready;
  revision->attempts = 0;
  revision->failure.clear();
}

void Rollout::failed(std::string_view name, std::string message, Instant now) {
  Revision* revision = known(name);
  if (revision == nullptr) return;
  revision->state = RevisionState::failed;
  revision->failure = std::move(message);
  revision->retry_at = now + retry_delay(++revision->attempts);
}

bool Rollout::roll_back(std::string_view revision, std::string reason, std::string message) {
  const std::string name(revision);  // it may be one of the names that change
  if (rolled_back(name) != nullptr) return false;
  const bool was_rolled_out = name == memory_.rolled_out;
  if (!is_ready(was_rolled_out ? memory_.previous : memory_.rolled_out)) return false;
  if (was_rolled_out) {
    memory_.rolled_out = std::exchange(memory_.previous, "");
    promoted_at_.reset();
  }
  memory_.latest_percent = name == memory_.latest_ready ? 0 : memory_.latest_percent;
  shift_.reset();
  memory_.rolled_back.push_back({name, wish_.generation, std::move(reason), std::move(message)});
  return true;
}

// A new revision that is ready takes the place of the one that has the canary's share now; not while that is paused.
void Rollout::choose_latest_ready() {
  if (memory_.latest_ready == memory_.latest_created || !is_ready(memory_.latest_created)) return;
  if (wish_.paused && memory_.latest_percent > 0 && is_ready(memory_.latest_ready)) return;
  memory_.latest_ready = memory_.latest_created;
  memory_.latest_percent = 0;
  shift_.reset();
}

// What latest_ready is to have of the traffic in the end.
int Rollout::target_percent() const {
  if (rolled_back(memory_.latest_ready) != nullptr) return 0;
  if (wish_.paused) return memory_.latest_percent;
  if (memory_.latest_ready != memory_.latest_created) return std::min(memory_.latest_percent, wish_.canary_percent);
  return wish_.canary_percent;
}

void Rollout::promote(Instant now) {
  memory_.previous = std::exchange(memory_.rolled_out, memory_.latest_ready);
  memory_.latest_percent = 0;
  shift_.reset();
  promoted_at_ = now;
}

// Knative's rollout-duration: one percent at once, the rest evenly over the time.
void Rollout::move_share(Instant now, RolloutStep& out) {
  if (!is_ready(memory_.latest_ready)) return;
  if (memory_.rolled_out.empty()) {
    memory_.rolled_out = memory_.latest_ready;  // the first one has nobody to share with
    return;
  }
  if (memory_.latest_ready == memory_.rolled_out) {
    memory_.latest_percent = 0;
    shift_.reset();
    return;
  }
  const int target = target_percent();
  if (wish_.duration <= Duration{0} || target <= memory_.latest_percent) {
    memory_.latest_percent = target;
    shift_.reset();
  } else {
    if (!shift_ || shift_->target != target) shift_ = Shift{memory_.latest_percent, target, now};
    const int steps = std::max(target - shift_->from - 1, 1);
    const Duration a_step = wish_.duration / steps;
    const auto done =
        static_cast<int>(std::clamp<std::int64_t>((now - shift_->begin) / std::max(a_step, Duration(1)), 0, steps));
    memory_.latest_percent = std::max(memory_.latest_percent, std::min(shift_->from + 1 + done, target));
    if (memory_.latest_percent < target) wake_by(out, shift_->begin + a_step * (done + 1));
  }
  if (memory_.latest_percent >= 100) promote(now);
}

// The old revision goes before the new one is loaded. Not when the two are to share the traffic, and only once: after
// a failed load the old one comes back and stays.
bool Rollout::recreating() const {
  if (!wish_.recreate || wish_.paused || wish_.canary_percent < 100) return false;
  const Revision* latest = find(memory_.latest_created);
  if (latest == nullptr || latest->name == memory_.rolled_out || latest->attempts > 0) return false;
  return latest->state == RevisionState::idle || latest->state == RevisionState::loading;
}

// Once the one rolled out could not be loaded (after a restart), the new one answers for it, until it is back.
bool Rollout::stands_in() const {
  const Revision* stable = find(memory_.rolled_out);
  const bool is_new = memory_.latest_ready != memory_.rolled_out && is_ready(memory_.latest_ready) &&
                      rolled_back(memory_.latest_ready) == nullptr;
  return is_new && stable != nullptr && stable->state != RevisionState::ready && (alone_ || stable->attempts > 0);
}

bool Rollout::at_rest(std::string_view name) const {
  const Revision* revision = find(name);
  const Revision* stable = find(memory_.rolled_out);
  if (revision == nullptr || stable == nullptr || revision == stable) return false;
  const bool shown = name == memory_.latest_created && name == memory_.latest_ready;
  const bool still = revision->state == RevisionState::ready || revision->state == RevisionState::idle;
  const bool reached = wish_.tags || wish_.paused || memory_.latest_percent > 0 || target_percent() > 0;
  return shown && still && !reached && stable->attempts == 0 && !stands_in();
}

// Who is to be in memory, the most needed first.
std::vector<std::string> Rollout::wanted(Instant now, RolloutStep& out) const {
  std::vector<std::string> names;
  if (wish_.stopped) return names;
  if (!recreating()) add_once(names, memory_.rolled_out);
  const bool waits_for_room = wish_.recreate && wish_.paused && !memory_.rolled_out.empty();
  if (!waits_for_room && !at_rest(memory_.latest_created)) add_once(names, memory_.latest_created);
  if (memory_.latest_percent > 0 || stands_in()) add_once(names, memory_.latest_ready);
  const auto add_of = [&](const std::string& fingerprint) {
    if (const Revision* revision = by_fingerprint(fingerprint)) add_once(names, revision->name);
  };
  for (const CanaryWish& canary : wish_.canaries) add_of(canary.fingerprint);
  if (!wish_.shadow.empty()) add_of(wish_.shadow);
  const bool standby = promoted_at_ && now < *promoted_at_ + wish_.standby && is_ready(memory_.previous);
  if (standby && !wish_.recreate) {
    add_once(names, memory_.previous);
    wake_by(out, *promoted_at_ + wish_.standby);
  }
  return names;
}

void Rollout::load_wanted(const std::vector<std::string>& names, Instant now, RolloutStep& out) {
  for (Revision& revision : memory_.revisions) {
    if (revision.state == RevisionState::ready && !contains(names, revision.name)) revision.state = RevisionState::idle;
  }
  for (const std::string& name : names) {
    Revision& revision = *known(name);
    if (revision.state == RevisionState::failed) {
      // Another attempt would take the one that answers away again.
      const Revision* stable = find(memory_.rolled_out);
      const bool stable_there = stable != nullptr && stable->state != RevisionState::failed;
      if (wish_.recreate && name != memory_.rolled_out && stable_there) continue;
      if (now < revision.retry_at) {
        wake_by(out, revision.retry_at);
        continue;
      }
    }
    if (revision.state != RevisionState::idle && revision.state != RevisionState::failed) continue;
    revision.state = RevisionState::loading;
    out.load.push_back(name);
  }
}

// Only those who are ready have a share. While the one that has been rolled out is on its way (a restart), nobody
// answers in its place; once it has failed, the new one does.
void Rollout::share_out(RolloutStep& out) const {
  const Revision* stable = find(memory_.rolled_out);
  const bool stable_ready = stable != nullptr && stable->state == RevisionState::ready;
  const bool has_new = memory_.latest_ready != memory_.rolled_out && is_ready(memory_.latest_ready);
  const bool new_alone = stands_in();
  std::vector<TrafficPart>& shares = out.traffic.shares;
  int rest = 100;
  std::vector<TrafficPart> canaries;
  for (const CanaryWish& canary : wish_.canaries) {
    const Revision* revision = by_fingerprint(canary.fingerprint);
    if (revision == nullptr || revision->state != RevisionState::ready || revision->name == memory_.rolled_out)
      continue;
    if (has_new && revision->name == memory_.latest_ready) continue;
    const int percent = rolled_back(revision->name) != nullptr ? 0 : std::clamp(canary.percent, 0, rest);
    rest -= percent;
    canaries.push_back({revision->name, percent, canary.name});
  }
  if (!stable_ready && !new_alone) return;
  const int newest = new_alone ? rest : has_new ? rest * memory_.latest_percent / 100 : 0;
  if (has_new && (newest > 0 || wish_.tags))
    shares.push_back({memory_.latest_ready, newest, wish_.tags ? "latest" : ""});
  shares.insert(shares.end(), canaries.begin(), canaries.end());
  if (!stable_ready) return;
  const std::string tag = !wish_.tags ? "" : has_new ? "prev" : "latest";
  shares.push_back({memory_.rolled_out, rest - newest, tag});
}

// Names that nobody needs go from the front, but for the last `history` of them.
void Rollout::forget_old(const std::vector<std::string>& names) {
  const auto needed = [&](const Revision& revision) {
    return revision.state != RevisionState::idle || contains(names, revision.name) ||
           revision.name == memory_.rolled_out || revision.name == memory_.latest_created ||
           revision.name == memory_.latest_ready;
  };
  auto unneeded = static_cast<std::size_t>(std::count_if(memory_.revisions.begin(), memory_.revisions.end(),
                                                         [&](const Revision& one) { return !needed(one); }));
  std::erase_if(memory_.revisions, [&](const Revision& revision) {
    if (needed(revision) || unneeded <= wish_.history) return false;
    --unneeded;
    return true;
  });
  if (find(memory_.previous) == nullptr) memory_.previous.clear();
}

RolloutStep Rollout::step(Instant now) {
  RolloutStep out;
  if (!wish_.stopped) {
    choose_latest_ready();
    move_share(now, out);
  }
  alone_ = !wish_.stopped && stands_in();
  const std::vector<std::string> names = wanted(now, out);
  load_wanted(names, now, out);
  if (!wish_.stopped) share_out(out);
  for (const std::string& name : names) {
    if (is_ready(name)) out.traffic.kept.push_back(name);
  }
  // Also what nobody wants any more: its load ends in its own time.
  for (const Revision& revision : memory_.revisions) {
    if (revision.state == RevisionState::loading) out.traffic.kept.push_back(revision.name);
  }
  if (!wish_.shadow.empty()) {
    const Revision* shadow = by_fingerprint(wish_.shadow);
    if (shadow != nullptr && shadow->state == RevisionState::ready) out.traffic.shadow = shadow->name;
  }
  forget_old(names);
  return out;
}

}  // namespace jackdaw::control
