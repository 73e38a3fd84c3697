// Mixture-of-experts stages of the CPU backend. An entry is one token at one of its chosen experts; entries are ordered
// by expert, so that each expert's weights are read once per step. A token's result is the sum over its experts in the
// order of their weights, whoever else chose them.
#include <algorithm>
#include <cstring>

#include "src/ops/cpu_executable.h"

namespace jackdaw::ops {
namespace {

constexpr std::int64_t hidden_unit = 32;
constexpr std::size_t block_bytes = 64;

std::int64_t padded(std::int64_t columns) {
  return (columns + hidden_unit - 1) / hidden_unit * hidden_unit;
}

}  // namespace

void CpuExecutable::run(const ExpertsStage& stage, std::int64_t count, Worker& worker) {
  const Experts& op = stage.op;
  const Prepared in = prepare_experts(stage, count, worker);
  const Part experts = worker.part(op.expert_count, kernels::group_rows);
  Product product;
  product.weight = stage.router;
  product.row_begin = experts.begin;
  product.row_end = experts.end;
  product.in = in;
  product.tokens = count;
  product.out = floats_at(layout_.router, 0) + experts.begin;
  product.out_stride = static_cast<std::int64_t>(layout_.router.stride / sizeof(float));
  multiply(product);
  worker.barrier();
  const Part tokens = worker.part(count);
  for (std::int64_t t = tokens.begin; t < tokens.end; ++t) choose_experts(op, t);
  worker.barrier();
  if (worker.index == 0) group_entries(op, count);
  worker.barrier();
  const Prepared entries = gather_entries(stage, in, count, worker);
  worker.barrier();
  experts_hidden(stage, entries, worker);
  worker.barrier();
  experts_down(stage, count, worker);
}

CpuExecutable::Prepared CpuExecutable::prepare_experts(const ExpertsStage& stage, std::int64_t count, Worker& worker) {
  const Slot in = stage.op.in;
  Prepared out{at(layout_.blocks, 0), layout_.blocks.stride, reinterpret_cast<const std::byte*>(row(in, 0)),
               static_cast<std::size_t>(row_stride(in)) * sizeof(float)};
  if (!stage.router->wants_blocks && !stage.gate_up->wants_blocks) return out;
  const Part part = worker.part(count);
  if (part.begin < part.end) {
    kernels_.linear->quantize_rows({part.end - part.begin, width(in), row(in, part.begin), row_stride(in),
                                    at(layout_.blocks, part.begin), layout_.blocks.stride});
  }
  worker.barrier();
  return out;
}

void CpuExecutable::choose_experts(const Experts& op, std::int64_t token) {
  float* const scores = floats_at(layout_.router, token);
  if (op.softmax_before) kernels_.vector->softmax(scores, op.expert_count);
  Choice* const chosen = &choices_[static_cast<std::size_t>(token) * op.used_count];
  // The largest first, the lower number among equals; a chosen one is not found again.
  std::vector<bool> taken(op.expert_count, false);
  for (std::uint32_t k = 0; k < op.used_count; ++k) {
    std::uint32_t best = op.expert_count;
    for (std::uint32_t e = 0; e < op.expert_count; ++e) {
      if (!taken[e] && (best == op.expert_count || scores[e] > scores[best])) best = e;
    }
    taken[best] = true;
    chosen[k] = {best, scores[best], 0};
  }
  if (!op.softmax_before) {
    std::vector<float> weights(op.used_count);
    for (std::uint32_t k = 0; k < op.used_count; ++k) weights[k] = chosen[k].weight;
    kernels_.vector->softmax(weights.data(), weights.size());
    for (std::uint32_t k = 0; k < op.used_count; ++k) chosen[k].weight = weights[k];
  }
  float sum = 0.0f;
  for (std::uint32_t k = 0; k < op.used_count; ++k) sum += chosen[k].weight;
  const float factor = op.renormalize ? op.weights_scale / sum : op.weights_scale;
  for (std::uint32_t k = 0; k < op.used_count; ++k) chosen[k].weight *= factor;
}

// Counts, then places: entries of one expert stand in the order of their tokens.
void CpuExecutable::group_entries(const Experts& op, std::int64_t count) {
  const std::size_t entries = static_cast<std::size_t>(count) * op.used_count;
  std::fill(expert_begin_.begin(), expert_begin_.end(), 0u);
  for (std::size_t i = 0; i < entries; ++i) ++expert_begin_[choices_[i].expert + 1];
  for (std::uint32_t e = 0; e < op.expert_count; ++e) expert_begin_[e + 1] += expert_begin_[e];
  for (std::size_t i = 0; i < entries; ++i) {
    choices_[i].entry = expert_begin_[choices_[i].expert]++;
    entry_token_[choices_[i].entry] = static_cast<std::uint32_t>(i / op.used_count);
  }
  // Every begin has moved to its end, which is the next one's begin.
  for (std::uint32_t e = op.expert_count; e > 0; --e) expert_begin_[e] = expert_begin_[e - 1];
  expert_begin_[0] = 0;
}

CpuExecutable::Prepared CpuExecutable::gather_entries(const ExpertsStage& stage, const Prepared& rows,
                                                      std::int64_t count, Worker& worker) {
  const Prepared out{at(layout_.entry_blocks, 0), layout_.entry_blocks.stride, at(layout_.entry_floats, 0),
                     layout_.entry_floats.stride};
  const std::int64_t columns = width(stage.op.in);
  const Part part = worker.part(count * stage.op.used_count);
  for (std::int64_t i = part.begin; i < part.end; ++i) {
    const std::size_t token = entry_token_[static_cast<std::size_t>(i)];
    if (stage.gate_up->wants_blocks) {
      std::memcpy(at(layout_.entry_blocks, i), rows.blocks + token * rows.blocks_stride,
                  kernels::activation_bytes(kernels::ActivationForm::blocks, columns));
    }
    if (stage.gate_up->wants_floats) {
      std::memcpy(at(layout_.entry_floats, i), rows.floats + token * rows.floats_stride,
                  static_cast<std::size_t>(columns) * sizeof(float));
    }
  }
  return out;
}

// A share of every expert's hidden elements: gate, up, activation, and out in the forms that `down` wants.
void CpuExecutable::experts_hidden(const ExpertsStage& stage, const Prepared& entries, Worker& worker) {
  const Experts& op = stage.op;
  const std::int64_t hidden = op.hidden;
  const Part part = worker.part(hidden, hidden_unit);
  float* const scratch = floats_at(layout_.gate_scratch, worker.index);
  constexpr std::int64_t range = 256;
  constexpr std::int64_t tokens_max = gate_scratch_floats / (2 * range);
  for (std::uint32_t e = 0; e < op.expert_count; ++e) {
    const std::int64_t begin_entry = expert_begin_[e];
    const std::int64_t end_entry = expert_begin_[e + 1];
    if (begin_entry == end_entry) continue;
    for (std::int64_t begin = part.begin; begin < part.end; begin += range) {
      const std::int64_t n = std::min(range, part.end - begin);
      for (std::int64_t first = begin_entry; first < end_entry; first += tokens_max) {
        Product product;
        product.weight = stage.gate_up;
        product.in = entries;
        product.in.blocks += static_cast<std::size_t>(first) * entries.blocks_stride;
        product.in.floats += static_cast<std::size_t>(first) * entries.floats_stride;
        product.tokens = std::min(tokens_max, end_entry - first);
        product.out_stride = 2 * range;
        for (const std::int64_t side : {std::int64_t{0}, std::int64_t{1}}) {
          product.row_begin = (std::int64_t{e} * 2 + side) * hidden + begin;
          product.row_end = product.row_begin + n;
          product.out = scratch + side * range;
          multiply(product);
        }
        for (std::int64_t t = 0; t < product.tokens; ++t) {
          float* const gated = scratch + t * 2 * range;
          gate(op.activation, gated, gated + range, n, gated);
          if (stage.down->wants_floats) std::copy_n(gated, n, floats_at(layout_.entry_gated_floats, first + t) + begin);
          if (!stage.down->wants_blocks) continue;
          std::byte* const to =
              at(layout_.entry_gated, first + t) + static_cast<std::size_t>(begin / hidden_unit) * block_bytes;
          kernels_.linear->quantize_rows({1, padded(n), gated, n, to, layout_.entry_gated.stride});
        }
      }
    }
  }
}

// A share of the output's elements, of every expert; then, for the same elements, each token's weighted sum.
void CpuExecutable::experts_down(const ExpertsStage& stage, std::int64_t count, Worker& worker) {
  const Experts& op = stage.op;
  const std::int64_t columns = width(op.out);
  const Part part = worker.part(columns, kernels::group_rows);
  const std::int64_t out_stride = static_cast<std::int64_t>(layout_.entry_out.stride / sizeof(float));
  for (std::uint32_t e = 0; e < op.expert_count; ++e) {
    const std::int64_t first = expert_begin_[e];
    Product product;
    product.weight = stage.down;
    product.row_begin = std::int64_t{e} * columns + part.begin;
    product.row_end = std::int64_t{e} * columns + part.end;
    product.in = {at(layout_.entry_gated, first), layout_.entry_gated.stride, at(layout_.entry_gated_floats, first),
                  layout_.entry_gated_floats.stride};
    product.tokens = std::int64_t{expert_begin_[e + 1]} - first;
    if (product.tokens == 0) continue;
    product.out = floats_at(layout_.entry_out, first) + part.begin;
    product.out_stride = out_stride;
    multiply(product);
  }
  const auto n = static_cast<std::size_t>(part.end - part.begin);
  for (std::int64_t t = 0; t < count; ++t) {
    float* const out = row(op.out, t) + part.begin;
    if (!op.add_to_out) std::fill_n(out, n, 0.0f);
    for (std::uint32_t k = 0; k < op.used_count; ++k) {
      const Choice& choice = choices_[static_cast<std::size_t>(t) * op.used_count + k];
      kernels_.vector->add_scaled(floats_at(layout_.entry_out, choice.entry) + part.begin, choice.weight, n, out);
    }
  }
}

}  // namespace jackdaw::ops
