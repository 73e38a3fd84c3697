// The CPU backend's Executable: buffers, and the stages of a plan run by the whole team at once.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "jackdaw/kernels/attention.h"
#include "jackdaw/kernels/linear.h"
#include "jackdaw/kernels/vector.h"
#include "jackdaw/ops/backend.h"
#include "jackdaw/ops/thread_pool.h"
#include "src/ops/cpu_memory.h"
#include "src/ops/cpu_plan.h"
#include "src/ops/cpu_schedule.h"

namespace jackdaw::ops {

// The kernels of one instruction set.
struct CpuKernels {
  const kernels::LinearKernels* linear = nullptr;
  const kernels::VectorKernels* vector = nullptr;
  const kernels::AttentionKernels* attention = nullptr;
};

// Where everything lies in the one mapping of a compiled program. Computed from the program and the limits alone, so
// that plans made before weights are read say the same.
struct WorkspaceLayout {
  WorkspaceLayout(const Program& program, const StepLimits& limits, int workers);

  // A buffer: where it begins and how far its rows are apart.
  struct Rows {
    std::size_t offset = 0;
    std::size_t stride = 0;  // bytes
  };
  std::vector<Rows> slots;
  Rows blocks;              // prepared activations of all tokens, in blocks
  Rows floats;              // and as floats
  Rows gated;               // what a gated stage leaves, in blocks
  Rows own_blocks;          // per worker, few_tokens rows each
  Rows own_floats;          // the same
  Rows gate_scratch;        // per worker
  Rows attention;           // per worker: scratch, states
  Rows logits_copy;         // per worker: a row to sample from
  std::vector<Rows> ropes;  // per token: cosines, then sines
  Rows states;              // per partial state: largest, sum, padding, values
  // Experts:
  Rows router;        // per token: a logit per expert
  Rows entry_blocks;  // per token and chosen expert: activations gathered by expert
  Rows entry_floats;
  Rows entry_gated;  // the same after the gate
  Rows entry_gated_floats;
  Rows entry_out;
  std::uint32_t experts_max = 0;
  std::uint32_t used_max = 0;
  std::size_t bytes = 0;
};

inline constexpr std::int64_t few_tokens = 4;  // so few that every worker prepares them for itself
inline constexpr std::int64_t gate_scratch_floats = 32768;
inline constexpr std::uint32_t state_header_floats = 16;

class CpuExecutable final : public Executable {
 public:
  static Result<std::unique_ptr<CpuExecutable>> make(std::shared_ptr<const Backend> backend, const CpuWeights& weights,
                                                     const CpuKernels& kernels, ThreadPool& pool, Program program,
                                                     const StepLimits& limits);

  Result<void> step(const Batch& batch, std::span<Sampled> out) override;
  void copy_page(std::uint32_t from, std::uint32_t to, std::uint32_t tokens) override;
  std::vector<float> logits(std::uint32_t row) const override;
  MemoryUse memory() const override;

  // Barriers that each worker passed in the last step.
  std::uint64_t barriers() const { return barriers_; }
  // Nanoseconds of worker 0 per kind of stage (the variant's index) since the last call, waiting included; only while
  // `measure` is on.
  std::vector<double> take_stage_times();
  void measure(bool on) { measuring_ = on; }

 private:
  // One worker within a step.
  struct Worker {
    int index;
    int size;
    Team& team;
    std::uint64_t barriers = 0;
    void barrier() {
      team.barrier();
      ++barriers;
    }
    Part part(std::int64_t count, std::int64_t multiple = 1) const { return part_of(count, index, size, multiple); }
  };
  // Activations of a stage's input rows, for all or for this worker only.
  struct Prepared {
    const std::byte* blocks = nullptr;
    std::size_t blocks_stride = 0;
    const std::byte* floats = nullptr;
    std::size_t floats_stride = 0;
  };
  // Rows [begin, end) of a weight times some prepared rows.
  struct Product {
    const CpuWeight* weight = nullptr;
    std::int64_t row_begin = 0;
    std::int64_t row_end = 0;
    Prepared in;
    std::int64_t tokens = 0;
    float* out = nullptr;  // of row_begin
    std::int64_t out_stride = 0;
    const float* bias = nullptr;  // of row_begin
    bool add_to_out = false;
  };
  struct Choice {
    std::uint32_t expert = 0;
    float weight = 0.0f;
    std::uint32_t entry = 0;  // row among all entries, which are ordered by expert
  };

  CpuExecutable(std::shared_ptr<const Backend> backend, const CpuWeights& weights, const CpuKernels& kernels,
                ThreadPool& pool, Program program, const StepLimits& limits, Mapping workspace, Mapping cache);

  void begin_step(const Batch& batch);
  void run_worker(Worker& worker, std::span<Sampled> out);
  void run_stages(const std::vector<Stage>& stages, std::int64_t count, Worker& worker);

  void run(const EmbedStage& stage, std::int64_t count, Worker& worker);
  void run(const NormStage& stage, std::int64_t count, Worker& worker);
  void run(const LinearStage& stage, std::int64_t count, Worker& worker);
  void run(const GateStage& stage, std::int64_t count, Worker& worker);
  void run(const AttentionStage& stage, std::int64_t count, Worker& worker);
  void run(const ExpertsStage& stage, std::int64_t count, Worker& worker);
  void run(const ElementStage& stage, std::int64_t count, Worker& worker);
  void run(const GatherStage& stage, std::int64_t count, Worker& worker);

  Prepared prepare(const LinearStage& stage, std::int64_t count, Worker& worker);
  void prepare_row(const LinearStage& stage, std::int64_t row, Prepared to) const;
  void gated_product(const LinearStage& stage, const Prepared& in, std::int64_t count, Worker& worker);
  void multiply(const Product& product) const;
  void multiply_unaligned(const kernels::PackedLinear& packed, std::int64_t begin, std::int64_t end,
                          const kernels::LinearCall& call) const;
  void gate(Activation activation, const float* in, const float* up, std::int64_t width, float* out) const;

  void rope_tables(Worker& worker);
  void store_token(const AttentionStage& stage, std::uint32_t token, std::uint32_t kv_head);
  void attend_unit(const AttentionStage& stage, const AttentionUnit& unit, Worker& worker);
  void attend_tile(const AttentionStage& stage, const AttentionUnit& unit, std::uint32_t begin, std::uint32_t end,
                   Worker& worker);
  void merge_splits(const AttentionStage& stage, const AttentionSchedule& schedule, Worker& worker);
  kernels::KvSource source_of(const AttentionStage& stage, std::uint32_t sequence, std::uint32_t kv_head) const;
  std::byte* block_of(std::uint32_t layer, std::uint32_t page, std::uint32_t kv_head) const;

  void choose_experts(const Experts& op, std::int64_t token);
  void group_entries(const Experts& op, std::int64_t count);
  Prepared prepare_experts(const ExpertsStage& stage, std::int64_t count, Worker& worker);
  Prepared gather_entries(const ExpertsStage& stage, const Prepared& rows, std::int64_t count, Worker& worker);
  void experts_hidden(const ExpertsStage& stage, const Prepared& entries, Worker& worker);
  void experts_down(const ExpertsStage& stage, std::int64_t count, Worker& worker);

  void sample(std::span<Sampled> out, Worker& worker);

  std::byte* at(const WorkspaceLayout::Rows& rows, std::int64_t row) const {
    return workspace_.data() + rows.offset + static_cast<std::size_t>(row) * rows.stride;
  }
  float* floats_at(const WorkspaceLayout::Rows& rows, std::int64_t row) const {
    return reinterpret_cast<float*>(at(rows, row));
  }
  float* row(Slot slot, std::int64_t index) const {
    return floats_at(layout_.slots[static_cast<std::size_t>(slot.index)], index);
  }
  std::int64_t row_stride(Slot slot) const {
    return static_cast<std::int64_t>(layout_.slots[static_cast<std::size_t>(slot.index)].stride / sizeof(float));
  }
  std::int64_t width(Slot slot) const { return program_.slot_widths[static_cast<std::size_t>(slot.index)]; }

  const std::shared_ptr<const Backend> backend_;
  const CpuWeights& weights_;
  const CpuKernels kernels_;
  ThreadPool& pool_;
  const Program program_;
  const StepLimits limits_;
  const CpuPlan plan_;
  const WorkspaceLayout layout_;
  const Mapping workspace_;
  const Mapping cache_;
  const kernels::KvBlockLayout block_;

  // Of the step in progress.
  Batch batch_;
  std::vector<std::uint32_t> sequence_of_;  // by token
  std::vector<std::uint32_t> position_of_;
  std::vector<AttentionSchedule> schedules_;  // by CpuPlan::windows
  std::vector<Choice> choices_;               // token by token, heaviest first
  std::vector<std::uint32_t> expert_begin_;   // entries of expert e: [expert_begin_[e], expert_begin_[e + 1])
  std::vector<std::uint32_t> entry_token_;
  std::vector<std::vector<kernels::LargestElement>> best_;  // by worker, then row
  std::vector<SamplingScratch> sampling_;                   // by worker
  std::vector<Prepared> prepared_;                          // by worker: what the last preparing stage left
  std::uint64_t barriers_ = 0;
  bool measuring_ = false;
  std::vector<double> stage_times_;
};

}  // namespace jackdaw::ops
