// Rollout: the revisions of one service and how its traffic is shared among them. Pure decisions: wishes, loads that
// ended and the time go in, what is to be loaded and who answers comes out. docs/rollouts.md has the picture.
//
// Owner: the control thread; plain data otherwise. Facts: KServe's canaryTrafficPercent over Knative revisions
// (latestCreated, latestReady, latestRolledout, previousRolledout), KServe 0.20's spec.canary.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/control/model_control.h"

namespace jackdaw::control {

// idle: known, and not in memory.
enum class RevisionState : unsigned char { idle, loading, ready, failed };

struct Revision {
  std::string name;         // "iris-predictor-00002"
  std::string fingerprint;  // of all that decides its answers
  std::int64_t generation = 0;
  RevisionState state = RevisionState::idle;
  std::string failure;    // what the last load said
  unsigned attempts = 0;  // failed loads in a row
  Instant retry_at{};     // failed: not before
};

struct CanaryWish {
  std::string name;
  std::string fingerprint;
  int percent = 0;
};

// What a service's object asks for.
struct RolloutWish {
  std::int64_t generation = 0;
  std::string fingerprint;   // of spec.predictor
  int canary_percent = 100;  // of a new revision
  std::vector<CanaryWish> canaries;
  std::string shadow;     // fingerprint of the shadow, "" = none
  bool tags = false;      // latest-… and prev-… hosts
  bool paused = false;    // no share moves
  bool recreate = false;  // the old one goes before the new one comes
  bool stopped = false;   // nothing is loaded
  Duration duration{0};   // over which a new revision's share grows
  Duration standby{0};    // how long the one before stays loaded
  unsigned history = 10;  // revisions remembered that are not in use
};

// A revision whose traffic was taken away because of what it answered; until the object's next generation.
struct RolledBack {
  std::string revision;
  std::int64_t generation = 0;
  std::string reason;  // "ErrorRate", "Latency"
  std::string message;
};

// What is kept over restarts, in the object's status.
struct RolloutMemory {
  std::uint64_t last_number = 0;
  std::vector<Revision> revisions;  // oldest first
  std::string latest_created;       // of spec.predictor
  std::string latest_ready;
  std::string rolled_out;  // the one that has had all traffic last
  std::string previous;    // the one that had it before
  int latest_percent = 0;  // share of latest_ready while it is not rolled out
  std::vector<RolledBack> rolled_back;
};

struct RolloutStep {
  std::vector<std::string> load;  // begin to load these, in order; the rollout counts them as loading
  ServiceTraffic traffic;         // from now on
  std::optional<Instant> wake;    // step again then, if nothing happens before
};

class Rollout {
 public:
  // Names are `prefix` and a number of five digits. Nothing of what `memory` holds is loaded.
  Rollout(std::string prefix, RolloutMemory memory);

  // The wish as it is now; makes revisions for what has not been seen, and takes back those that are still loaded.
  void declare(RolloutWish wish);
  void loaded(std::string_view revision);
  void failed(std::string_view revision, std::string message, Instant now);
  // Takes the traffic away from a revision that has some, and has one to fall back on; false otherwise.
  bool roll_back(std::string_view revision, std::string reason, std::string message);

  RolloutStep step(Instant now);

  const RolloutMemory& memory() const { return memory_; }
  const RolloutWish& wish() const { return wish_; }
  const Revision* find(std::string_view name) const;
  // The revision of a canary or the shadow; null when there is none.
  const Revision* by_fingerprint(std::string_view fingerprint) const;
  const RolledBack* rolled_back(std::string_view revision) const;
  bool settled() const;  // nothing is being loaded
  // A new revision that has shown that it loads, and that nothing leads to (Knative: unreachable): no share and none to
  // come, no tag. It is let go of, and loaded again before it gets a share. Not while somebody holds the rollout, nor
  // while the one rolled out may need it to stand in.
  bool at_rest(std::string_view revision) const;

 private:
  struct Shift {
    int from = 0;
    int target = 0;
    Instant begin{};
  };

  Revision* known(std::string_view name);
  Revision& revision_of(const std::string& fingerprint);
  bool is_ready(std::string_view name) const;
  int target_percent() const;
  void choose_latest_ready();
  void move_share(Instant now, RolloutStep& out);
  void promote(Instant now);
  bool recreating() const;
  bool stands_in() const;
  std::vector<std::string> wanted(Instant now, RolloutStep& out) const;
  void load_wanted(const std::vector<std::string>& names, Instant now, RolloutStep& out);
  void share_out(RolloutStep& out) const;
  void forget_old(const std::vector<std::string>& names);

  std::string prefix_;
  RolloutWish wish_;
  RolloutMemory memory_;
  std::optional<Shift> shift_;
  std::optional<Instant> promoted_at_;
  bool alone_ = false;  // latest_ready answers for the one rolled out, until that is back
};

// How long a failed load waits before the next: 1 s, doubled up to 5 min.
Duration retry_delay(unsigned attempts);

}  // namespace jackdaw::control
