#include "src/ops/cpu_schedule.h"

#include <algorithm>

#include "jackdaw/kernels/attention.h"

namespace jackdaw::ops {
namespace {

constexpr std::uint32_t chunk_tokens = kernels::kv_chunk_tokens;
// Costs are in positions of one row; a unit costs some even when it sees few. Work below the imbalance is not worth a
// barrier (about 1 us, some 300 positions of one row).
constexpr std::uint64_t unit_cost = 32;
constexpr std::uint64_t imbalance_max = 600;

// Positions a token sees within chunks [begin, end).
std::uint64_t positions_seen(std::uint32_t position, std::uint32_t window, std::uint32_t begin, std::uint32_t end) {
  const std::uint64_t low =
      std::max<std::uint64_t>(first_visible(position, window), std::uint64_t{begin} * chunk_tokens);
  const std::uint64_t high = std::min<std::uint64_t>(position + 1, std::uint64_t{end} * chunk_tokens);
  return high > low ? high - low : 0;
}

class Scheduler {
 public:
  Scheduler(std::span<const BatchSequence> sequences, std::uint32_t window, const ScheduleLimits& limits,
            AttentionSchedule& out)
      : sequences_(sequences), window_(window), limits_(limits), out_(out) {}

  void run() {
    whole_sequences();
    divide();
    if (limits_.workers == 1 || imbalance() <= imbalance_max) return;
    out_.stores_itself = false;
    tiles();
    divide();
  }

 private:
  // One unit per sequence and key head.
  void whole_sequences() {
    clear();
    out_.stores_itself = true;
    for (std::uint32_t s = 0; s < sequences_.size(); ++s) {
      for (std::uint32_t h = 0; h < limits_.kv_heads; ++h) add(unit(s, h, 0, sequences_[s].token_count));
    }
  }

  // Long prompts by tiles of tokens; few tokens with many positions by chunks.
  void tiles() {
    clear();
    const std::uint32_t tile = std::max(1u, limits_.rows_max / limits_.heads_per_kv);
    for (std::uint32_t s = 0; s < sequences_.size(); ++s) {
      const std::uint32_t count = sequences_[s].token_count;
      for (std::uint32_t h = 0; h < limits_.kv_heads; ++h) {
        for (std::uint32_t at = 0; at < count; at += tile) {
          const AttentionUnit whole = unit(s, h, at, std::min(at + tile, count));
          if (count > tile || !split(whole)) add(whole);
        }
      }
    }
  }

  bool split(const AttentionUnit& whole) {
    const std::uint32_t chunks = whole.chunk_end - whole.chunk_begin;
    const std::int64_t rows = std::int64_t{whole.token_end - whole.token_begin} * limits_.heads_per_kv;
    if (chunks < 2 || states_ + rows * chunks > limits_.states_max) return false;
    out_.splits.push_back({whole});
    out_.splits.back().all.first_state = states_;
    for (std::uint32_t c = whole.chunk_begin; c < whole.chunk_end; ++c) {
      AttentionUnit part = whole;
      part.chunk_begin = c;
      part.chunk_end = c + 1;
      part.first_state = states_;
      states_ += rows;
      add(part);
    }
    return true;
  }

  AttentionUnit unit(std::uint32_t sequence, std::uint32_t head, std::uint32_t begin, std::uint32_t end) const {
    const BatchSequence& s = sequences_[sequence];
    AttentionUnit u;
    u.sequence = sequence;
    u.kv_head = head;
    u.token_begin = s.first_token + begin;
    u.token_end = s.first_token + end;
    u.chunk_begin = first_visible(s.first_position + begin, window_) / chunk_tokens;
    u.chunk_end = (s.first_position + end - 1) / chunk_tokens + 1;
    return u;
  }

  std::uint64_t cost(const AttentionUnit& u) const {
    const BatchSequence& s = sequences_[u.sequence];
    std::uint64_t positions = 0;
    for (std::uint32_t t = u.token_begin; t < u.token_end; ++t) {
      positions += positions_seen(s.first_position + (t - s.first_token), window_, u.chunk_begin, u.chunk_end);
    }
    return unit_cost + positions * limits_.heads_per_kv;
  }

  void clear() {
    out_.units.clear();
    out_.splits.clear();
    costs_.clear();
    states_ = 0;
  }
  void add(const AttentionUnit& u) {
    out_.units.push_back(u);
    costs_.push_back(cost(u));
  }

  // A unit goes to the worker in whose equal share of the cost its middle lies.
  void divide() {
    total_ = 0;
    for (const std::uint64_t c : costs_) total_ += c;
    const auto workers = static_cast<std::uint64_t>(limits_.workers);
    out_.worker_begin.assign(static_cast<std::size_t>(limits_.workers) + 1, static_cast<std::uint32_t>(costs_.size()));
    out_.worker_begin[0] = 0;
    std::uint64_t before = 0;
    std::uint64_t worker = 0;
    for (std::size_t i = 0; i < costs_.size(); ++i) {
      const std::uint64_t owner =
          std::min((before + costs_[i] / 2) * workers / std::max<std::uint64_t>(total_, 1), workers - 1);
      while (worker < owner) out_.worker_begin[static_cast<std::size_t>(++worker)] = static_cast<std::uint32_t>(i);
      before += costs_[i];
    }
  }

  std::uint64_t imbalance() const {
    std::uint64_t worst = 0;
    for (std::size_t w = 0; w + 1 < out_.worker_begin.size(); ++w) {
      std::uint64_t sum = 0;
      for (std::uint32_t i = out_.worker_begin[w]; i < out_.worker_begin[w + 1]; ++i) sum += costs_[i];
      worst = std::max(worst, sum);
    }
    return worst - std::min(worst, total_ / static_cast<std::uint64_t>(limits_.workers));
  }

  std::span<const BatchSequence> sequences_;
  std::uint32_t window_;
  const ScheduleLimits& limits_;
  AttentionSchedule& out_;
  std::vector<std::uint64_t> costs_;
  std::uint64_t total_ = 0;
  std::int64_t states_ = 0;
};

}  // namespace

void make_schedule(std::span<const BatchSequence> sequences, std::uint32_t window, const ScheduleLimits& limits,
                   AttentionSchedule& out) {
  Scheduler(sequences, window, limits, out).run();
}

}  // namespace jackdaw::ops
