// Who attends to what in a step: units of similar cost in a fixed order, contiguous runs of them per worker. Results do
// not depend on it (attention.h); only the time does.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "jackdaw/ops/backend.h"

namespace jackdaw::ops {

// Tokens [token_begin, token_end) of the batch, all of one sequence, for one key head, over chunks
// [chunk_begin, chunk_end) of its positions.
struct AttentionUnit {
  std::uint32_t sequence = 0;
  std::uint32_t kv_head = 0;
  std::uint32_t token_begin = 0;
  std::uint32_t token_end = 0;
  std::uint32_t chunk_begin = 0;
  std::uint32_t chunk_end = 0;
  std::int64_t first_state = -1;  // where its partial states go; -1: the unit sees all chunks and finishes its rows
};

// Rows whose chunks were split: states [first_state + (chunk - chunk_begin) * rows + row].
struct SplitRows {
  AttentionUnit all;  // of all its chunks
};

struct AttentionSchedule {
  // True: no two workers touch the same sequence and key head, so keys may be stored right before they are read.
  bool stores_itself = false;
  std::vector<AttentionUnit> units;
  std::vector<std::uint32_t> worker_begin;  // workers + 1 indices into units
  std::vector<SplitRows> splits;
};

struct ScheduleLimits {
  std::uint32_t heads_per_kv = 1;
  std::uint32_t kv_heads = 1;
  std::uint32_t rows_max = 1;   // rows of a unit
  std::int64_t states_max = 0;  // partial states there is room for
  int workers = 1;
};

// First position a token at `position` sees.
constexpr std::uint32_t first_visible(std::uint32_t position, std::uint32_t window) {
  return window > 0 && position + 1 > window ? position + 1 - window : 0;
}

void make_schedule(std::span<const BatchSequence> sequences, std::uint32_t window, const ScheduleLimits& limits,
                   AttentionSchedule& out);

}  // namespace jackdaw::ops
