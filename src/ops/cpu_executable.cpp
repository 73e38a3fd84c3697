#include "src/ops/cpu_executable.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "src/ops/cpu_kv.h"

namespace jackdaw::ops {

Result<std::unique_ptr<CpuExecutable>> CpuExecutable::make(std::shared_ptr<const Backend> backend,
                                                           const CpuWeights& weights, const CpuKernels& kernels,
                                                           ThreadPool& pool, Program program,
                                                           const StepLimits& limits) {
  const WorkspaceLayout layout(program, limits, pool.size());
  JACKDAW_ASSIGN(Mapping workspace, Mapping::make(layout.bytes));
  const std::uint64_t cache_bytes = limits.pages * kv_page_bytes(program.attention, limits.kv_encoding);
  JACKDAW_ASSIGN(Mapping cache, Mapping::make(cache_bytes));
  return std::unique_ptr<CpuExecutable>(new CpuExecutable(
      std::move(backend), weights, kernels, pool, std::move(program), limits, std::move(workspace), std::move(cache)));
}

CpuExecutable::CpuExecutable(std::shared_ptr<const Backend> backend, const CpuWeights& weights,
                             const CpuKernels& kernels, ThreadPool& pool, Program program, const StepLimits& limits,
                             Mapping workspace, Mapping cache)
    : backend_(std::move(backend)),
      weights_(weights),
      kernels_(kernels),
      pool_(pool),
      program_(std::move(program)),
      limits_(limits),
      plan_(make_cpu_plan(program_, weights)),
      layout_(program_, limits, pool.size()),
      workspace_(std::move(workspace)),
      cache_(std::move(cache)),
      block_(kernels::kv_block_layout(kv_format(limits.kv_encoding), program_.attention.head_dim)),
      sequence_of_(limits.tokens_max),
      position_of_(limits.tokens_max),
      schedules_(plan_.windows.size()),
      choices_(std::size_t{limits.tokens_max} * layout_.used_max),
      expert_begin_(std::size_t{layout_.experts_max} + 1),
      entry_token_(choices_.size()),
      best_(static_cast<std::size_t>(pool.size()), std::vector<kernels::LargestElement>(limits.rows_max)),
      sampling_(static_cast<std::size_t>(pool.size())),
      prepared_(static_cast<std::size_t>(pool.size())),
      stage_times_(std::variant_size_v<Stage> + 1) {}

MemoryUse CpuExecutable::memory() const {
  return {weights_.bytes(), cache_.size(), layout_.bytes};
}

std::vector<float> CpuExecutable::logits(std::uint32_t index) const {
  CHECK(index < limits_.rows_max);
  const float* begin = row(program_.logits, index);
  return {begin, begin + width(program_.logits)};
}

void CpuExecutable::copy_page(std::uint32_t from, std::uint32_t to, std::uint32_t tokens) {
  CHECK(from < limits_.pages && to < limits_.pages && tokens <= page_tokens);
  for (std::uint32_t layer = 0; layer < program_.attention.layers; ++layer) {
    for (std::uint32_t head = 0; head < program_.attention.kv_heads; ++head) {
      kernels::copy_kv_tokens(block_, block_of(layer, from, head), block_of(layer, to, head), tokens);
    }
  }
}

std::vector<double> CpuExecutable::take_stage_times() {
  return std::exchange(stage_times_, std::vector<double>(std::variant_size_v<Stage> + 1));
}

Result<void> CpuExecutable::step(const Batch& batch, std::span<Sampled> out) {
  CHECK(batch.tokens.size() <= limits_.tokens_max && batch.rows.size() <= limits_.rows_max);
  CHECK(out.size() == batch.rows.size());
  if (batch.tokens.empty()) return {};
  begin_step(batch);
  pool_.run([&](int index, Team& team) {
    Worker worker{index, team.size(), team};
    run_worker(worker, out);
    if (index == 0) barriers_ = worker.barriers;
  });
  return {};
}

void CpuExecutable::begin_step(const Batch& batch) {
  batch_ = batch;
  for (std::uint32_t s = 0; s < batch.sequences.size(); ++s) {
    const BatchSequence& sequence = batch.sequences[s];
    for (std::uint32_t i = 0; i < sequence.token_count; ++i) {
      sequence_of_[sequence.first_token + i] = s;
      position_of_[sequence.first_token + i] = sequence.first_position + i;
    }
  }
  const AttentionShape& shape = program_.attention;
  ScheduleLimits limits;
  limits.kv_heads = shape.kv_heads;
  limits.heads_per_kv = shape.kv_heads == 0 ? 1 : shape.heads / shape.kv_heads;
  limits.rows_max = kernels::attention_rows_max;
  limits.workers = pool_.size();
  limits.states_max = limits.workers > 1 ? std::int64_t{shape.heads} * 256 : 0;
  for (std::size_t i = 0; i < schedules_.size(); ++i) {
    make_schedule(batch.sequences, plan_.windows[i], limits, schedules_[i]);
  }
}

void CpuExecutable::run_worker(Worker& worker, std::span<Sampled> out) {
  rope_tables(worker);
  run_stages(plan_.body, static_cast<std::int64_t>(batch_.tokens.size()), worker);
  if (batch_.rows.empty()) return;
  run_stages(plan_.head, static_cast<std::int64_t>(batch_.rows.size()), worker);
  const auto begin = std::chrono::steady_clock::now();
  sample(out, worker);
  if (measuring_ && worker.index == 0) {
    stage_times_.back() += std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count();
  }
}

void CpuExecutable::run_stages(const std::vector<Stage>& stages, std::int64_t count, Worker& worker) {
  const bool timing = measuring_ && worker.index == 0;
  auto begin = std::chrono::steady_clock::now();
  for (const Stage& stage : stages) {
    std::visit([&](const auto& one) { run(one, count, worker); }, stage);
    worker.barrier();
    if (timing) {
      const auto now = std::chrono::steady_clock::now();
      stage_times_[stage.index()] += std::chrono::duration<double, std::nano>(now - begin).count();
      begin = now;
    }
  }
}

void CpuExecutable::run(const EmbedStage& stage, std::int64_t count, Worker& worker) {
  const Part part = worker.part(count);
  for (std::int64_t t = part.begin; t < part.end; ++t) {
    float* const out = row(stage.out, t);
    unpack_row(*stage.table, batch_.tokens[static_cast<std::size_t>(t)], out);
    if (stage.scale != 1.0f) kernels_.vector->scale(out, static_cast<std::size_t>(width(stage.out)), stage.scale);
  }
}

void CpuExecutable::run(const NormStage& stage, std::int64_t count, Worker& worker) {
  const auto norm = stage.add_to_out ? kernels_.vector->rms_norm_add : kernels_.vector->rms_norm;
  const Part part = worker.part(count);
  for (std::int64_t t = part.begin; t < part.end; ++t) {
    norm(row(stage.in, t), stage.weight, stage.eps, static_cast<std::size_t>(width(stage.in)), row(stage.out, t));
  }
}

void CpuExecutable::gate(Activation activation, const float* in, const float* up, std::int64_t count,
                         float* out) const {
  const auto function = activation == Activation::silu ? kernels_.vector->gate_silu : kernels_.vector->gate_gelu_tanh;
  function(in, up, static_cast<std::size_t>(count), out);
}

void CpuExecutable::run(const GateStage& stage, std::int64_t count, Worker& worker) {
  const std::int64_t half = width(stage.out);
  const Part part = worker.part(half, 16);
  for (std::int64_t t = 0; t < count; ++t) {
    const float* const in = row(stage.in, t);
    gate(stage.activation, in + part.begin, in + half + part.begin, part.end - part.begin,
         row(stage.out, t) + part.begin);
  }
}

void CpuExecutable::run(const ElementStage& stage, std::int64_t count, Worker& worker) {
  const Part part = worker.part(width(stage.slot), 16);
  const auto n = static_cast<std::size_t>(part.end - part.begin);
  for (std::int64_t t = 0; t < count; ++t) {
    float* const x = row(stage.slot, t) + part.begin;
    if (stage.cap > 0.0f) {
      kernels_.vector->softcap(x, n, stage.cap);
    } else {
      kernels_.vector->scale(x, n, stage.factor);
    }
  }
}

void CpuExecutable::run(const GatherStage& stage, std::int64_t count, Worker& worker) {
  const Part part = worker.part(count);
  for (std::int64_t r = part.begin; r < part.end; ++r) {
    const float* const from = row(stage.in, batch_.rows[static_cast<std::size_t>(r)].batch_token);
    std::copy_n(from, width(stage.in), row(stage.out, r));
  }
}

}  // namespace jackdaw::ops
