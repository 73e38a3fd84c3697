#include <algorithm>

#include "src/ops/cpu_executable.h"

namespace jackdaw::ops {
namespace {

using kernels::activation_bytes;
using kernels::ActivationForm;

// Widest rows that are prepared, gated, chosen: what the shared buffers must hold.
struct Extent {
  std::uint32_t prepared = 0;
  std::uint32_t gated = 0;
  std::uint32_t experts = 0;
  std::uint32_t used = 0;
  std::uint32_t expert_width = 0;
  std::uint32_t expert_hidden = 0;
};

Extent extent_of(const Program& program) {
  Extent out;
  const auto width = [&](Slot slot) { return program.slot_widths[static_cast<std::size_t>(slot.index)]; };
  for (const std::vector<Op>* ops : {&program.body, &program.head}) {
    for (const Op& op : *ops) {
      if (const auto* linear = std::get_if<Linear>(&op)) out.prepared = std::max(out.prepared, width(linear->in));
      if (const auto* gate = std::get_if<Gate>(&op)) out.gated = std::max(out.gated, width(gate->out));
      if (const auto* experts = std::get_if<Experts>(&op)) {
        out.prepared = std::max(out.prepared, width(experts->in));
        out.experts = std::max(out.experts, experts->expert_count);
        out.used = std::max(out.used, experts->used_count);
        out.expert_width = std::max(out.expert_width, width(experts->in));
        out.expert_hidden = std::max(out.expert_hidden, experts->hidden);
      }
    }
  }
  return out;
}

// Which of the program's two parts use a slot.
struct SlotUse {
  bool body = false;
  bool head = false;
};

struct MarkSlots {
  std::vector<SlotUse>& uses;
  bool SlotUse::*part;
  void mark(Slot slot) const { uses[static_cast<std::size_t>(slot.index)].*part = true; }
  void operator()(const Embed& op) const { mark(op.out); }
  void operator()(const Norm& op) const { mark(op.in), mark(op.out); }
  void operator()(const Linear& op) const { mark(op.in), mark(op.out); }
  void operator()(const Gate& op) const { mark(op.in), mark(op.out); }
  void operator()(const StoreKv& op) const { mark(op.qkv); }
  void operator()(const Attend& op) const { mark(op.qkv), mark(op.out); }
  void operator()(const Experts& op) const { mark(op.in), mark(op.out); }
  void operator()(const Softcap& op) const { mark(op.slot); }
  void operator()(const Scale& op) const { mark(op.slot); }
};

std::vector<SlotUse> slot_uses(const Program& program) {
  std::vector<SlotUse> uses(program.slot_widths.size());
  for (const Op& op : program.body) std::visit(MarkSlots{uses, &SlotUse::body}, op);
  for (const Op& op : program.head) std::visit(MarkSlots{uses, &SlotUse::head}, op);
  const auto index = [](Slot slot) { return static_cast<std::size_t>(slot.index); };
  uses[index(program.head_in)].body = true;
  uses[index(program.head_rows)].head = true;
  uses[index(program.logits)].head = true;
  return uses;
}

}  // namespace

WorkspaceLayout::WorkspaceLayout(const Program& program, const StepLimits& limits, int workers) {
  const auto place = [this](std::size_t rows, std::size_t row_bytes) {
    const Rows out{bytes, aligned_bytes(row_bytes)};
    bytes += rows * out.stride;
    return out;
  };
  // Rows of prepared activations are read several at a time: no power of two between them.
  const auto place_apart = [&](std::size_t rows, std::size_t row_bytes) { return place(rows, row_bytes + 64); };
  const Extent extent = extent_of(program);
  const std::size_t tokens = std::max(limits.tokens_max, limits.rows_max);
  const auto team = static_cast<std::size_t>(workers);
  const auto blocks_of = [](std::uint32_t width) {
    return activation_bytes(ActivationForm::blocks, (width + 31) / 32 * 32);
  };
  const auto floats_of = [](std::uint32_t width) { return activation_bytes(ActivationForm::floats, width); };

  const std::vector<SlotUse> uses = slot_uses(program);
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const std::size_t rows =
        std::max<std::size_t>(uses[i].body ? limits.tokens_max : 0, uses[i].head ? limits.rows_max : 0);
    slots.push_back(place_apart(rows, program.slot_widths[i] * sizeof(float)));
  }
  blocks = place_apart(tokens, blocks_of(extent.prepared));
  floats = place_apart(tokens, floats_of(extent.prepared));
  gated = place_apart(tokens, blocks_of(extent.gated));
  const auto few = static_cast<std::size_t>(few_tokens);
  own_blocks = place_apart(team * few, blocks_of(extent.prepared));
  own_floats = place_apart(team * few, floats_of(extent.prepared));
  gate_scratch = place(team, static_cast<std::size_t>(gate_scratch_floats) * sizeof(float));

  const AttentionShape& shape = program.attention;
  const std::size_t value_stride = (std::size_t{shape.head_dim} + 15) / 16 * 16;
  const std::size_t attention_floats =
      kernels::attention_scratch_floats(shape.head_dim) + 2 * kernels::attention_rows_max * value_stride;
  attention = place(team, attention_floats * sizeof(float));
  const std::size_t states_max = workers > 1 ? std::size_t{shape.heads} * 256 : 0;
  states = place(states_max, (state_header_floats + value_stride) * sizeof(float));
  for (const Rope& rope : program.ropes) {
    ropes.push_back(place(limits.tokens_max, rope.inverse_frequency.size() * 4 * sizeof(float)));
  }
  logits_copy = place(team, program.slot_widths[static_cast<std::size_t>(program.logits.index)] * sizeof(float));

  experts_max = extent.experts;
  used_max = extent.used;
  const std::size_t entries = std::size_t{limits.tokens_max} * used_max;
  router = place(limits.tokens_max, experts_max * sizeof(float));
  entry_blocks = place_apart(entries, blocks_of(extent.expert_width));
  entry_floats = place_apart(entries, floats_of(extent.expert_width));
  entry_gated = place_apart(entries, blocks_of(extent.expert_hidden));
  entry_gated_floats = place_apart(entries, floats_of(extent.expert_hidden));
  entry_out = place(entries, extent.expert_width * sizeof(float));
}

}  // namespace jackdaw::ops
