// A Program as the CPU backend runs it: a flat list of stages. Every worker runs every stage with its part; all meet at
// the end of each stage, and within a stage where its comment says so.
//
// What is fused: a Norm into the Linears that alone read it (each prepares its activations from the normed row), a Gate
// into the Linear before it (a worker computes matching gate and up rows, so no other worker is needed) and into the
// Linear after it (written as that one's activations), StoreKv with Attend, the gathering of the head's rows.
// Fusions depend on the Program alone, never on the batch, so a token's arithmetic is always the same.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "src/ops/cpu_weights.h"

namespace jackdaw::ops {

struct EmbedStage {
  const CpuWeight* table = nullptr;
  float scale = 1.0f;
  Slot out;
};

struct NormStage {
  Slot in;
  Slot out;
  const float* weight = nullptr;
  float eps = 0.0f;
  bool add_to_out = false;
};

// Which forms of activations the readers of a row want.
struct Forms {
  bool blocks = false;
  bool floats = false;
};

struct LinearStage {
  enum class Input : std::uint8_t {
    slot,      // prepared here from slot `in`, normed when `norm` is set
    prepared,  // as the stage before left it
    gated,     // as the gated stage before left it
  };
  Input input = Input::slot;
  Slot in;
  const float* norm = nullptr;
  float eps = 0.0f;
  bool gather = false;        // row i is the row of token rows[i].batch_token
  bool reads_output = false;  // `in` is `out`: nobody may write before all have prepared
  Forms prepare;              // for this stage and those that reuse it

  const CpuWeight* weight = nullptr;
  const float* bias = nullptr;
  Slot out;
  bool add_to_out = false;

  // Gated: `out` is never stored; slot `gate_out` = activation(first half) * second half, in the forms of `gate_forms`.
  bool gated = false;
  Activation activation = Activation::silu;
  Slot gate_out;
  Forms gate_forms;
};

struct GateStage {
  Slot in;
  Slot out;
  Activation activation = Activation::silu;
};

// StoreKv, Attend or, mostly, both.
struct AttentionStage {
  bool store = false;
  bool attend = false;
  Slot qkv;
  std::uint32_t layer = 0;
  const float* q_norm = nullptr;
  const float* k_norm = nullptr;
  float eps = 0.0f;
  std::int32_t rope = -1;
  float scale = 1.0f;
  float softcap = 0.0f;
  std::uint32_t schedule = 0;  // index into CpuPlan::windows
  const float* sinks = nullptr;
  Slot out;
};

struct ExpertsStage {
  Experts op;
  const CpuWeight* router = nullptr;
  const CpuWeight* gate_up = nullptr;
  const CpuWeight* down = nullptr;
};

// slot = cap * tanh(slot / cap), or slot *= factor.
struct ElementStage {
  Slot slot;
  float cap = 0.0f;
  float factor = 1.0f;
};

struct GatherStage {
  Slot in;
  Slot out;
};

using Stage = std::variant<EmbedStage, NormStage, LinearStage, GateStage, AttentionStage, ExpertsStage, ElementStage,
                           GatherStage>;

struct CpuPlan {
  std::vector<Stage> body;
  std::vector<Stage> head;
  std::vector<std::uint32_t> windows;  // distinct ones; 0 = none
};

// The program is checked already.
CpuPlan make_cpu_plan(const Program& program, const CpuWeights& weights);

}  // namespace jackdaw::ops
