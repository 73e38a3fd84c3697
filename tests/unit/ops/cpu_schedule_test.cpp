#include "src/ops/cpu_schedule.h"

#include <catch2/catch.hpp>
#include <map>
#include <tuple>

#include "jackdaw/kernels/attention.h"

namespace jackdaw::ops {
namespace {

struct Tokens {
  std::uint32_t count;
  std::uint32_t first_position;
};

std::vector<BatchSequence> sequences_of(const std::vector<Tokens>& list) {
  std::vector<BatchSequence> out;
  std::uint32_t token = 0;
  for (const Tokens& tokens : list) {
    out.push_back({token, tokens.count, tokens.first_position, {}});
    token += tokens.count;
  }
  return out;
}

const std::vector<std::vector<Tokens>> batches{
    {{1, 0}},
    {{1, 5000}},
    {{512, 0}},
    {{100, 3000}, {1, 7}, {1, 2000}, {4, 900}},
    {{1, 10}, {1, 20}, {1, 30}, {1, 40}, {1, 50}, {1, 60}, {1, 70}, {1, 80}},
};

ScheduleLimits limits_for(int workers) {
  return {.heads_per_kv = 3, .kv_heads = 3, .rows_max = 64, .states_max = 9 * 256, .workers = workers};
}

}  // namespace

TEST_CASE("ScheduleSeesEveryChunkOfEveryTokenAndHeadOnce") {
  for (const auto& batch : batches) {
    for (const std::uint32_t window : {0u, 300u}) {
      for (const int workers : {1, 2, 3, 8}) {
        AttentionSchedule schedule;
        const auto sequences = sequences_of(batch);
        make_schedule(sequences, window, limits_for(workers), schedule);
        std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, int> seen;
        for (const AttentionUnit& u : schedule.units) {
          REQUIRE((u.first_state < 0 || u.chunk_end == u.chunk_begin + 1));
          for (std::uint32_t t = u.token_begin; t < u.token_end; ++t) {
            for (std::uint32_t c = u.chunk_begin; c < u.chunk_end; ++c) ++seen[{t, u.kv_head, c}];
          }
        }
        for (const auto& [key, times] : seen) REQUIRE(times == 1);
        for (const BatchSequence& s : sequences) {
          for (std::uint32_t i = 0; i < s.token_count; ++i) {
            const std::uint32_t position = s.first_position + i;
            for (std::uint32_t c = first_visible(position, window) / kernels::kv_chunk_tokens;
                 c <= position / kernels::kv_chunk_tokens; ++c) {
              for (std::uint32_t h = 0; h < 3; ++h) REQUIRE(seen.contains({s.first_token + i, h, c}));
            }
          }
        }
        REQUIRE(schedule.worker_begin.front() == 0);
        REQUIRE(schedule.worker_begin.back() == schedule.units.size());
        REQUIRE(std::ranges::is_sorted(schedule.worker_begin));
      }
    }
  }
}

TEST_CASE("ScheduleSharesOneLongContextBetweenWorkers") {
  AttentionSchedule schedule;
  make_schedule(sequences_of({{1, 5000}}), 0, limits_for(2), schedule);
  REQUIRE_FALSE(schedule.stores_itself);
  REQUIRE(schedule.splits.size() == 3);
  const auto half = static_cast<double>(schedule.units.size()) / 2;
  REQUIRE(schedule.worker_begin[1] == Approx(half).margin(2.0));
}

TEST_CASE("ScheduleOfManyShortContextsNeedsNoBarrier") {
  AttentionSchedule schedule;
  make_schedule(sequences_of(batches[4]), 0, limits_for(2), schedule);
  REQUIRE(schedule.stores_itself);
}

TEST_CASE("ScheduleKeepsPartialStatesWithinTheirRoom") {
  ScheduleLimits limits = limits_for(4);
  limits.states_max = 20;
  AttentionSchedule schedule;
  make_schedule(sequences_of({{1, 900}, {1, 3000}, {1, 100}}), 0, limits, schedule);
  for (const AttentionUnit& u : schedule.units) REQUIRE(u.first_state + 3 <= 20);
}

}  // namespace jackdaw::ops
