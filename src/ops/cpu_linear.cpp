// Linear stages of the CPU backend: preparing activations, products, gates.
#include <algorithm>
#include <cstring>

#include "src/ops/cpu_executable.h"

namespace jackdaw::ops {
namespace {

using kernels::ActivationForm;
using kernels::group_rows;
using kernels::LinearCall;
using kernels::PackedLinear;

constexpr std::int64_t gate_unit = 32;  // elements of one block of activations
constexpr std::size_t block_bytes = 64;
constexpr std::int64_t gate_tokens_max = 256;

}  // namespace

void CpuExecutable::run(const LinearStage& stage, std::int64_t count, Worker& worker) {
  Prepared in;
  switch (stage.input) {
    case LinearStage::Input::slot:
      in = prepare(stage, count, worker);
      prepared_[static_cast<std::size_t>(worker.index)] = in;
      break;
    case LinearStage::Input::prepared:
      in = prepared_[static_cast<std::size_t>(worker.index)];
      break;
    case LinearStage::Input::gated:
      in = {at(layout_.gated, 0), layout_.gated.stride, reinterpret_cast<const std::byte*>(row(stage.in, 0)),
            static_cast<std::size_t>(row_stride(stage.in)) * sizeof(float)};
      break;
  }
  if (stage.gated) {
    gated_product(stage, in, count, worker);
    return;
  }
  for (const CpuSegment& segment : stage.weight->segments) {
    const Part part = worker.part(segment.packed.rows, group_rows);
    Product product;
    product.weight = stage.weight;
    product.row_begin = segment.first_row + part.begin;
    product.row_end = segment.first_row + part.end;
    product.in = in;
    product.tokens = count;
    product.out = row(stage.out, 0) + product.row_begin;
    product.out_stride = row_stride(stage.out);
    product.bias = stage.bias == nullptr ? nullptr : stage.bias + product.row_begin;
    product.add_to_out = stage.add_to_out;
    multiply(product);
  }
}

// Few tokens: every worker prepares all rows for itself, which is quicker than meeting. Else all share the work.
CpuExecutable::Prepared CpuExecutable::prepare(const LinearStage& stage, std::int64_t count, Worker& worker) {
  const bool alone = count <= few_tokens && !stage.reads_output;
  const bool in_place = stage.norm == nullptr && !stage.gather && !stage.reads_output;
  Prepared out;
  const std::int64_t first = alone ? worker.index * few_tokens : 0;
  const WorkspaceLayout::Rows& blocks = alone ? layout_.own_blocks : layout_.blocks;
  const WorkspaceLayout::Rows& floats = alone ? layout_.own_floats : layout_.floats;
  std::byte* const blocks_begin = at(blocks, first);
  std::byte* const floats_begin = at(floats, first);
  out.blocks = blocks_begin;
  out.blocks_stride = blocks.stride;
  out.floats = floats_begin;
  out.floats_stride = floats.stride;
  const bool floats_needed = stage.prepare.floats && !in_place;
  const Part part = alone ? Part{0, count} : worker.part(count);
  for (std::int64_t t = part.begin; t < part.end; ++t) {
    const float* const source = row(stage.in, stage.gather ? batch_.rows[static_cast<std::size_t>(t)].batch_token : t);
    const std::int64_t columns = width(stage.in);
    if (stage.prepare.blocks) {
      std::byte* const to = blocks_begin + static_cast<std::size_t>(t) * blocks.stride;
      const kernels::ActivationRows rows{1, columns, source, columns, to, blocks.stride};
      if (stage.norm != nullptr) {
        kernels_.linear->normalize_rows(rows, stage.norm, stage.eps);
      } else {
        kernels_.linear->quantize_rows(rows);
      }
    }
    if (floats_needed) {
      float* const to = reinterpret_cast<float*>(floats_begin + static_cast<std::size_t>(t) * floats.stride);
      if (stage.norm != nullptr) {
        kernels_.vector->rms_norm(source, stage.norm, stage.eps, static_cast<std::size_t>(columns), to);
      } else {
        std::copy_n(source, columns, to);
      }
    }
  }
  if (!alone && (stage.prepare.blocks || floats_needed)) worker.barrier();
  if (stage.prepare.floats && in_place) {
    out.floats = reinterpret_cast<const std::byte*>(row(stage.in, 0));
    out.floats_stride = static_cast<std::size_t>(row_stride(stage.in)) * sizeof(float);
  }
  return out;
}

// A worker's share of the gate's outputs, some at a time: gate rows and up rows into scratch, the gate, and out in the
// forms that the next stage wants.
void CpuExecutable::gated_product(const LinearStage& stage, const Prepared& in, std::int64_t count, Worker& worker) {
  const std::int64_t half = width(stage.gate_out);
  const std::int64_t tokens_at_once = std::min(count, gate_tokens_max);
  const std::int64_t range = std::max(gate_unit, gate_scratch_floats / 2 / tokens_at_once / gate_unit * gate_unit);
  const Part part = worker.part(half, gate_unit);
  float* const scratch = floats_at(layout_.gate_scratch, worker.index);
  for (std::int64_t begin = part.begin; begin < part.end; begin += range) {
    const std::int64_t n = std::min(range, part.end - begin);
    for (std::int64_t first = 0; first < count; first += tokens_at_once) {
      const std::int64_t tokens = std::min(tokens_at_once, count - first);
      Product product;
      product.weight = stage.weight;
      product.in = in;
      product.in.blocks += static_cast<std::size_t>(first) * in.blocks_stride;
      product.in.floats += static_cast<std::size_t>(first) * in.floats_stride;
      product.tokens = tokens;
      product.out_stride = 2 * n;
      for (const std::int64_t side : {std::int64_t{0}, std::int64_t{1}}) {
        product.row_begin = side * half + begin;
        product.row_end = product.row_begin + n;
        product.out = scratch + side * n;
        product.bias = stage.bias == nullptr ? nullptr : stage.bias + product.row_begin;
        multiply(product);
      }
      for (std::int64_t t = 0; t < tokens; ++t) {
        float* const gated = scratch + t * 2 * n;
        gate(stage.activation, gated, gated + n, n, gated);
        if (stage.gate_forms.floats) std::copy_n(gated, n, row(stage.gate_out, first + t) + begin);
        if (!stage.gate_forms.blocks) continue;
        std::byte* const to = at(layout_.gated, first + t) + static_cast<std::size_t>(begin / gate_unit) * block_bytes;
        kernels_.linear->quantize_rows({1, n, gated, n, to, layout_.gated.stride});
      }
    }
  }
}

void CpuExecutable::multiply(const Product& product) const {
  for (const CpuSegment& segment : product.weight->segments) {
    const std::int64_t begin = std::max(product.row_begin, segment.first_row) - segment.first_row;
    const std::int64_t end = std::min(product.row_end, segment.first_row + segment.packed.rows) - segment.first_row;
    if (begin >= end) continue;
    const bool blocks = kernels::activation_form(segment.packed.encoding) == ActivationForm::blocks;
    const std::int64_t column = segment.first_row + begin - product.row_begin;
    LinearCall call;
    call.activations = blocks ? product.in.blocks : product.in.floats;
    call.activation_stride = blocks ? product.in.blocks_stride : product.in.floats_stride;
    call.tokens = product.tokens;
    call.out = product.out + column;
    call.out_stride = product.out_stride;
    call.bias = product.bias == nullptr ? nullptr : product.bias + column;
    call.add_to_out = product.add_to_out;
    if (begin % group_rows != 0) {
      multiply_unaligned(segment.packed, begin, end, call);
      continue;
    }
    const PackedLinear view = kernels::packed_view(segment.packed, begin, end - begin);
    call.weight = &view;
    call.group_begin = 0;
    call.group_end = view.groups();
    kernels_.linear->linear(call);
  }
}

// Rows that begin within a group (experts of odd sizes): group by group into a scratch of whole groups.
void CpuExecutable::multiply_unaligned(const PackedLinear& packed, std::int64_t begin, std::int64_t end,
                                       const LinearCall& call) const {
  constexpr std::int64_t tokens_max = 32;
  float out[tokens_max * group_rows];
  for (std::int64_t group = begin / group_rows; group * group_rows < end; ++group) {
    const std::int64_t first = group * group_rows;
    const std::int64_t rows = std::min(group_rows, packed.rows - first);
    const PackedLinear view = kernels::packed_view(packed, first, rows);
    for (std::int64_t t = 0; t < call.tokens; t += tokens_max) {
      LinearCall part = call;
      part.weight = &view;
      part.activations =
          static_cast<const std::byte*>(call.activations) + static_cast<std::size_t>(t) * call.activation_stride;
      part.tokens = std::min(tokens_max, call.tokens - t);
      part.group_begin = 0;
      part.group_end = 1;
      part.out = out;
      part.out_stride = group_rows;
      part.bias = nullptr;
      part.add_to_out = false;
      kernels_.linear->linear(part);
      for (std::int64_t k = 0; k < part.tokens; ++k) {
        for (std::int64_t r = std::max(begin, first); r < std::min(end, first + rows); ++r) {
          float value = out[k * group_rows + r - first];
          float& to = call.out[(t + k) * call.out_stride + r - begin];
          if (call.bias != nullptr) value += call.bias[r - begin];
          to = call.add_to_out ? to + value : value;
        }
      }
    }
  }
}

}  // namespace jackdaw::ops
