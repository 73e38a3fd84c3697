// Attention stages of the CPU backend.
#include <algorithm>
#include <cmath>
#include <limits>

#include "src/ops/cpu_executable.h"

namespace jackdaw::ops {
namespace {

using kernels::AttentionRow;
using kernels::AttentionState;

constexpr float nothing = -std::numeric_limits<float>::infinity();

}  // namespace

// Once per step and token, for all layers; used after the barriers that end the first stages.
void CpuExecutable::rope_tables(Worker& worker) {
  const Part part = worker.part(static_cast<std::int64_t>(batch_.tokens.size()));
  for (std::size_t r = 0; r < program_.ropes.size(); ++r) {
    const Rope& rope = program_.ropes[r];
    const std::size_t pairs = rope.inverse_frequency.size();
    const bool adjacent = rope.style == RopeStyle::adjacent;
    for (std::int64_t t = part.begin; t < part.end; ++t) {
      float* const cosines = floats_at(layout_.ropes[r], t);
      float* const sines = cosines + 2 * pairs;
      const auto position = static_cast<double>(position_of_[static_cast<std::size_t>(t)]);
      for (std::size_t i = 0; i < pairs; ++i) {
        const double angle = position * static_cast<double>(rope.inverse_frequency[i]);
        const std::size_t low = adjacent ? 2 * i : i;
        const std::size_t high = adjacent ? 2 * i + 1 : i + pairs;
        cosines[low] = cosines[high] = static_cast<float>(std::cos(angle)) * rope.magnitude;
        sines[high] = static_cast<float>(std::sin(angle)) * rope.magnitude;
        sines[low] = -sines[high];
      }
    }
  }
  // Programs that begin otherwise than with Embed could store keys in their first stage.
  if (plan_.body.empty() || !std::holds_alternative<EmbedStage>(plan_.body[0])) worker.barrier();
}

std::byte* CpuExecutable::block_of(std::uint32_t layer, std::uint32_t page, std::uint32_t kv_head) const {
  const std::size_t index = (std::size_t{layer} * limits_.pages + page) * program_.attention.kv_heads + kv_head;
  return cache_.data() + index * block_.bytes;
}

kernels::KvSource CpuExecutable::source_of(const AttentionStage& stage, std::uint32_t sequence,
                                           std::uint32_t kv_head) const {
  kernels::KvSource source;
  source.layout = block_;
  source.base = block_of(stage.layer, 0, kv_head);
  source.page_stride = std::size_t{program_.attention.kv_heads} * block_.bytes;
  source.pages = batch_.sequences[sequence].pages.data();
  source.scale = stage.scale;
  source.softcap = stage.softcap;
  return source;
}

void CpuExecutable::run(const AttentionStage& stage, std::int64_t count, Worker& worker) {
  const AttentionShape& shape = program_.attention;
  if (!stage.attend) {
    const Part part = worker.part(count * shape.kv_heads);
    for (std::int64_t i = part.begin; i < part.end; ++i) {
      store_token(stage, static_cast<std::uint32_t>(i / shape.kv_heads),
                  static_cast<std::uint32_t>(i % shape.kv_heads));
    }
    return;
  }
  const AttentionSchedule& schedule = schedules_[stage.schedule];
  const bool stores_itself = stage.store && schedule.stores_itself;
  if (stage.store && !stores_itself) {
    const Part part = worker.part(count * shape.kv_heads);
    for (std::int64_t i = part.begin; i < part.end; ++i) {
      store_token(stage, static_cast<std::uint32_t>(i / shape.kv_heads),
                  static_cast<std::uint32_t>(i % shape.kv_heads));
    }
    worker.barrier();
  }
  const auto me = static_cast<std::size_t>(worker.index);
  for (std::uint32_t i = schedule.worker_begin[me]; i < schedule.worker_begin[me + 1]; ++i) {
    const AttentionUnit& unit = schedule.units[i];
    if (stores_itself) {
      for (std::uint32_t t = unit.token_begin; t < unit.token_end; ++t) store_token(stage, t, unit.kv_head);
    }
    attend_unit(stage, unit, worker);
  }
  if (!schedule.splits.empty()) {
    worker.barrier();
    merge_splits(stage, schedule, worker);
  }
}

// The key head's query heads and key are normed and turned in place; key and value go to the cache.
void CpuExecutable::store_token(const AttentionStage& stage, std::uint32_t token, std::uint32_t kv_head) {
  const AttentionShape& shape = program_.attention;
  const std::size_t head_dim = shape.head_dim;
  const std::size_t group = shape.heads / shape.kv_heads;
  float* const qkv = row(stage.qkv, token);
  float* const key = qkv + shape.q_width() + kv_head * head_dim;
  float* const value = key + shape.kv_width();
  const auto turn = [&](float* head, const float* norm) {
    if (norm != nullptr) kernels_.vector->rms_norm(head, norm, stage.eps, head_dim, head);
    if (stage.rope < 0) return;
    const Rope& rope = program_.ropes[static_cast<std::size_t>(stage.rope)];
    const std::size_t pairs = rope.inverse_frequency.size();
    const float* const cosines = floats_at(layout_.ropes[static_cast<std::size_t>(stage.rope)], token);
    const auto rotate =
        rope.style == RopeStyle::adjacent ? kernels_.vector->rotate_adjacent : kernels_.vector->rotate_half_split;
    rotate(head, cosines, cosines + 2 * pairs, pairs);
  };
  for (std::size_t h = 0; h < group; ++h) turn(qkv + (kv_head * group + h) * head_dim, stage.q_norm);
  turn(key, stage.k_norm);
  const std::uint32_t position = position_of_[token];
  const std::uint32_t page = batch_.sequences[sequence_of_[token]].pages[position / page_tokens];
  kernels_.attention->store_kv(block_, block_of(stage.layer, page, kv_head), position % page_tokens, key, value);
}

void CpuExecutable::attend_unit(const AttentionStage& stage, const AttentionUnit& unit, Worker& worker) {
  const std::uint32_t group = program_.attention.heads / program_.attention.kv_heads;
  const std::uint32_t tile = std::max(1u, kernels::attention_rows_max / group);
  for (std::uint32_t t = unit.token_begin; t < unit.token_end; t += tile) {
    attend_tile(stage, unit, t, std::min(t + tile, unit.token_end), worker);
  }
}

// Tokens [begin, end) of a unit, all its query heads together: at most attention_rows_max rows, or one token with more
// heads than that, some at a time.
void CpuExecutable::attend_tile(const AttentionStage& stage, const AttentionUnit& unit, std::uint32_t begin,
                                std::uint32_t end, Worker& worker) {
  const AttentionShape& shape = program_.attention;
  const std::uint32_t group = shape.heads / shape.kv_heads;
  const std::uint32_t window = plan_.windows[stage.schedule];
  const std::uint32_t stride = block_.value_stride;
  const kernels::KvSource source = source_of(stage, unit.sequence, unit.kv_head);
  float* const scratch = floats_at(layout_.attention, worker.index);
  float* const merged = scratch + kernels::attention_scratch_floats(shape.head_dim);
  float* const fresh = merged + std::size_t{kernels::attention_rows_max} * stride;

  const std::uint32_t total = (end - begin) * group;
  for (std::uint32_t first = 0; first < total; first += kernels::attention_rows_max) {
    const std::uint32_t count = std::min(total - first, kernels::attention_rows_max);
    AttentionRow rows[kernels::attention_rows_max];
    AttentionState states[kernels::attention_rows_max];
    AttentionState parts[kernels::attention_rows_max];
    std::uint32_t low = std::numeric_limits<std::uint32_t>::max();
    std::uint32_t high = 0;
    for (std::uint32_t r = 0; r < count; ++r) {
      const std::uint32_t token = begin + (first + r) / group;
      const std::uint32_t head = unit.kv_head * group + (first + r) % group;
      const std::uint32_t position = position_of_[token];
      rows[r] = {row(stage.qkv, token) + std::size_t{head} * shape.head_dim, first_visible(position, window),
                 position + 1};
      states[r] = {nothing, 0.0f, merged + std::size_t{r} * stride};
      parts[r] = {nothing, 0.0f, fresh + std::size_t{r} * stride};
      std::fill_n(states[r].values, stride, 0.0f);
      low = std::min(low, rows[r].first);
      high = std::max(high, rows[r].end);
    }
    const std::uint32_t chunk_begin = std::max(unit.chunk_begin, low / kernels::kv_chunk_tokens);
    const std::uint32_t chunk_end =
        std::min(unit.chunk_end, (high + kernels::kv_chunk_tokens - 1) / kernels::kv_chunk_tokens);
    if (unit.first_state >= 0) {  // one chunk of split rows
      for (std::uint32_t r = 0; r < count; ++r) {
        parts[r].values = floats_at(layout_.states, unit.first_state + first + r) + state_header_floats;
      }
      kernels_.attention->attend_chunk(source, rows, count, unit.chunk_begin, parts, scratch);
      for (std::uint32_t r = 0; r < count; ++r) {
        float* const state = floats_at(layout_.states, unit.first_state + first + r);
        state[0] = parts[r].largest;
        state[1] = parts[r].sum;
      }
      continue;
    }
    for (std::uint32_t chunk = chunk_begin; chunk < chunk_end; ++chunk) {
      kernels_.attention->attend_chunk(source, rows, count, chunk, parts, scratch);
      for (std::uint32_t r = 0; r < count; ++r) kernels_.attention->merge_state(states[r], parts[r], stride);
    }
    for (std::uint32_t r = 0; r < count; ++r) {
      const std::uint32_t token = begin + (first + r) / group;
      const std::uint32_t head = unit.kv_head * group + (first + r) % group;
      kernels_.attention->finish_state(states[r], stage.sinks == nullptr ? nothing : stage.sinks[head], shape.head_dim,
                                       row(stage.out, token) + std::size_t{head} * shape.head_dim);
    }
  }
}

// Rows whose chunks were split are merged chunk by chunk, as one worker alone would have done it.
void CpuExecutable::merge_splits(const AttentionStage& stage, const AttentionSchedule& schedule, Worker& worker) {
  const AttentionShape& shape = program_.attention;
  const std::uint32_t group = shape.heads / shape.kv_heads;
  float* const merged = floats_at(layout_.attention, worker.index);
  std::int64_t index = 0;
  for (const SplitRows& split : schedule.splits) {
    const AttentionUnit& unit = split.all;
    const std::uint32_t count = (unit.token_end - unit.token_begin) * group;
    for (std::uint32_t r = 0; r < count; ++r, ++index) {
      if (index % worker.size != worker.index) continue;
      AttentionState state{nothing, 0.0f, merged};
      std::fill_n(merged, block_.value_stride, 0.0f);
      for (std::uint32_t c = 0; c < unit.chunk_end - unit.chunk_begin; ++c) {
        float* const part = floats_at(layout_.states, unit.first_state + std::int64_t{c} * count + r);
        kernels_.attention->merge_state(state, {part[0], part[1], part + state_header_floats}, block_.value_stride);
      }
      const std::uint32_t token = unit.token_begin + r / group;
      const std::uint32_t head = unit.kv_head * group + r % group;
      kernels_.attention->finish_state(state, stage.sinks == nullptr ? nothing : stage.sinks[head], shape.head_dim,
                                       row(stage.out, token) + std::size_t{head} * shape.head_dim);
    }
  }
}

}  // namespace jackdaw::ops
