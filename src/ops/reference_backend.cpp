// The reference backend: what every other backend is compared with. One thread, plain loops, nothing fused.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "jackdaw/ops/backend.h"
#include "src/ops/reference_backend_check.h"
#include "src/ops/reference_backend_math.h"
#include "src/ops/reference_backend_weights.h"

namespace jackdaw::ops {
namespace {

using reference::StoredWeight;

// Activations: slots x rows of floats, as many rows as the largest step needs.
class Slots {
 public:
  Slots(const std::vector<std::uint32_t>& widths, std::size_t rows) : widths_(widths) {
    for (const std::uint32_t width : widths_) values_.emplace_back(rows * width);
  }
  std::span<float> row(Slot slot, std::size_t index) {
    const auto at = static_cast<std::size_t>(slot.index);
    return std::span(values_[at]).subspan(index * widths_[at], widths_[at]);
  }

 private:
  std::vector<std::uint32_t> widths_;
  std::vector<std::vector<float>> values_;
};

// Keys and values as the cache's encoding gives them back: [layer][page][key or value][token of the page][kv_width].
class KvCache {
 public:
  KvCache(const AttentionShape& shape, std::uint32_t pages)
      : width_(shape.kv_width()), pages_(pages), layers_(shape.layers) {
    values_.resize(std::size_t{layers_} * pages_ * 2 * page_tokens * width_);
  }
  std::span<float> at(std::uint32_t layer, std::uint32_t page, bool value, std::uint32_t token) {
    const std::size_t row = ((std::size_t{layer} * pages_ + page) * 2 + (value ? 1 : 0)) * page_tokens + token;
    return std::span(values_).subspan(row * width_, width_);
  }
  void copy(std::uint32_t from, std::uint32_t to, std::uint32_t tokens) {
    for (std::uint32_t layer = 0; layer < layers_; ++layer) {
      for (const bool value : {false, true}) {
        for (std::uint32_t token = 0; token < tokens; ++token) {
          std::ranges::copy(at(layer, from, value, token), at(layer, to, value, token).begin());
        }
      }
    }
  }

 private:
  std::size_t width_;
  std::uint32_t pages_;
  std::uint32_t layers_;
  std::vector<float> values_;
};

// A token of the step: which sequence it belongs to and where it stands in it.
struct Place {
  const BatchSequence* sequence = nullptr;
  std::uint32_t position = 0;
};

std::vector<Place> places_of(const Batch& batch) {
  std::vector<Place> places(batch.tokens.size());
  for (const BatchSequence& sequence : batch.sequences) {
    for (std::uint32_t i = 0; i < sequence.token_count; ++i) {
      places[sequence.first_token + i] = {&sequence, sequence.first_position + i};
    }
  }
  return places;
}

class ReferenceBackend;

class ReferenceExecutable final : public Executable {
 public:
  ReferenceExecutable(std::shared_ptr<const ReferenceBackend> backend, Program program, const StepLimits& limits,
                      MemoryUse memory);

  Result<void> step(const Batch& batch, std::span<Sampled> out) override;
  void copy_page(std::uint32_t from, std::uint32_t to, std::uint32_t tokens) override { cache_.copy(from, to, tokens); }
  std::vector<float> logits(std::uint32_t row) const override { return logits_.at(row); }
  MemoryUse memory() const override { return memory_; }

 private:
  void run_all(const std::vector<Op>& ops, std::size_t rows);
  void run(const Embed& op, std::size_t rows);
  void run(const Norm& op, std::size_t rows);
  void run(const Linear& op, std::size_t rows);
  void run(const Gate& op, std::size_t rows);
  void run(const StoreKv& op, std::size_t rows);
  void run(const Attend& op, std::size_t rows);
  void run(const Experts& op, std::size_t rows);
  void run(const Softcap& op, std::size_t rows);
  void run(const Scale& op, std::size_t rows);

  void attend_head(const Attend& op, std::size_t row, std::uint32_t head);
  std::vector<float> expert_output(const Experts& op, std::uint32_t expert, std::span<const float> in) const;
  std::span<float> cached(std::uint32_t layer, const Place& place, std::uint32_t position, bool value);
  std::span<const float> vector_of(Weight weight) const;
  const StoredWeight& weight(Weight weight) const;
  std::size_t width(Slot slot) const { return program_.slot_widths[static_cast<std::size_t>(slot.index)]; }

  std::shared_ptr<const ReferenceBackend> backend_;
  Program program_;
  StepLimits limits_;
  MemoryUse memory_;
  Slots slots_;
  KvCache cache_;
  std::span<const std::int32_t> tokens_;  // of the step in progress
  std::vector<Place> places_;
  std::vector<std::vector<float>> logits_;  // of the last step
  SamplingScratch scratch_;
};

class ReferenceBackend final : public Backend, public std::enable_shared_from_this<ReferenceBackend> {
 public:
  std::string_view name() const override { return "reference"; }

  Result<Weight> add_linear(std::span<const LinearPart> parts) override {
    JACKDAW_ASSIGN(StoredWeight weight, StoredWeight::linear(parts));
    return add(std::move(weight));
  }
  Result<Weight> add_vector(std::span<const float> values) override { return add(StoredWeight::vector(values)); }

  std::uint64_t linear_bytes(Encoding encoding, std::int64_t rows, std::int64_t columns) const override {
    return row_bytes(encoding, static_cast<std::size_t>(columns)).value_or(0) * static_cast<std::uint64_t>(rows);
  }
  // Floats, whatever they were rounded to.
  std::uint64_t page_bytes(const AttentionShape& shape, KvEncoding) const override {
    return std::uint64_t{shape.layers} * 2 * page_tokens * shape.kv_width() * sizeof(float);
  }
  std::uint64_t workspace_bytes(const Program& program, const StepLimits& limits) const override {
    std::uint64_t widths = 0;
    for (const std::uint32_t width : program.slot_widths) widths += width;
    return widths * std::max(limits.tokens_max, limits.rows_max) * sizeof(float);
  }

  Result<std::unique_ptr<Executable>> compile(Program program, const StepLimits& limits) override {
    JACKDAW_TRY(reference::check_program(program, [this](Weight weight) { return shape_of(weight); }));
    MemoryUse memory;
    for (const StoredWeight& weight : weights_) memory.weights += weight.bytes();
    memory.kv_cache = limits.pages * page_bytes(program.attention, limits.kv_encoding);
    memory.workspace = workspace_bytes(program, limits);
    return std::unique_ptr<Executable>(
        std::make_unique<ReferenceExecutable>(shared_from_this(), std::move(program), limits, memory));
  }

  const StoredWeight& weight(Weight weight) const { return weights_[static_cast<std::size_t>(weight.index)]; }

 private:
  Weight add(StoredWeight weight) {
    weights_.push_back(std::move(weight));
    return Weight{static_cast<std::int32_t>(weights_.size()) - 1};
  }
  const reference::WeightShape* shape_of(Weight weight) const {
    if (weight.index < 0 || static_cast<std::size_t>(weight.index) >= weights_.size()) return nullptr;
    return &weights_[static_cast<std::size_t>(weight.index)].shape();
  }

  std::vector<StoredWeight> weights_;
};

ReferenceExecutable::ReferenceExecutable(std::shared_ptr<const ReferenceBackend> backend, Program program,
                                         const StepLimits& limits, MemoryUse memory)
    : backend_(std::move(backend)),
      program_(std::move(program)),
      limits_(limits),
      memory_(memory),
      slots_(program_.slot_widths, std::max(limits.tokens_max, limits.rows_max)),
      cache_(program_.attention, limits.pages) {}

const StoredWeight& ReferenceExecutable::weight(Weight weight) const {
  return backend_->weight(weight);
}

std::span<const float> ReferenceExecutable::vector_of(Weight handle) const {
  return handle.valid() ? weight(handle).values() : std::span<const float>{};
}

Result<void> ReferenceExecutable::step(const Batch& batch, std::span<Sampled> out) {
  CHECK(batch.tokens.size() <= limits_.tokens_max && batch.rows.size() <= limits_.rows_max);
  CHECK(out.size() == batch.rows.size());
  tokens_ = batch.tokens;
  places_ = places_of(batch);
  run_all(program_.body, batch.tokens.size());

  for (std::size_t i = 0; i < batch.rows.size(); ++i) {
    std::ranges::copy(slots_.row(program_.head_in, batch.rows[i].batch_token),
                      slots_.row(program_.head_rows, i).begin());
  }
  run_all(program_.head, batch.rows.size());

  logits_.clear();
  for (std::size_t i = 0; i < batch.rows.size(); ++i) {
    const std::span<float> logits = slots_.row(program_.logits, i);
    logits_.emplace_back(logits.begin(), logits.end());
    sample_row(logits, batch.rows[i], scratch_, out[i]);
  }
  return {};
}

void ReferenceExecutable::run_all(const std::vector<Op>& ops, std::size_t rows) {
  for (const Op& op : ops) {
    std::visit([&](const auto& one) { run(one, rows); }, op);
  }
}

void ReferenceExecutable::run(const Embed& op, std::size_t rows) {
  for (std::size_t r = 0; r < rows; ++r) {
    const std::span<float> out = slots_.row(op.out, r);
    weight(op.table).row(tokens_[r], out);
    for (float& x : out) x *= op.scale;
  }
}

// Writes or adds `values` to `out`.
void put(std::span<const float> values, std::span<float> out, bool add) {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = add ? out[i] + values[i] : values[i];
}

void ReferenceExecutable::run(const Norm& op, std::size_t rows) {
  std::vector<float> normed(width(op.out));
  for (std::size_t r = 0; r < rows; ++r) {
    reference::rms_norm(slots_.row(op.in, r), vector_of(op.weight), op.eps, normed);
    put(normed, slots_.row(op.out, r), op.add_to_out);
  }
}

void ReferenceExecutable::run(const Linear& op, std::size_t rows) {
  const StoredWeight& matrix = weight(op.weight);
  const std::span<const float> bias = vector_of(op.bias);
  std::vector<float> weights(width(op.in));
  for (std::size_t o = 0; o < width(op.out); ++o) {
    matrix.row(static_cast<std::int64_t>(o), weights);
    for (std::size_t r = 0; r < rows; ++r) {
      const double sum = reference::dot(weights, slots_.row(op.in, r)) + (bias.empty() ? 0.0 : double{bias[o]});
      float& out = slots_.row(op.out, r)[o];
      out = static_cast<float>(op.add_to_out ? double{out} + sum : sum);
    }
  }
}

void ReferenceExecutable::run(const Gate& op, std::size_t rows) {
  for (std::size_t r = 0; r < rows; ++r) {
    const std::span<float> in = slots_.row(op.in, r);
    const std::span<float> out = slots_.row(op.out, r);
    for (std::size_t i = 0; i < out.size(); ++i) {
      out[i] = reference::activate(in[i], op.activation) * in[out.size() + i];
    }
  }
}

std::span<float> ReferenceExecutable::cached(std::uint32_t layer, const Place& place, std::uint32_t position,
                                             bool value) {
  return cache_.at(layer, place.sequence->pages[position / page_tokens], value, position % page_tokens);
}

void ReferenceExecutable::run(const StoreKv& op, std::size_t rows) {
  const AttentionShape& shape = program_.attention;
  const std::size_t head_dim = shape.head_dim;
  for (std::size_t r = 0; r < rows; ++r) {
    const std::span<float> qkv = slots_.row(op.qkv, r);
    for (std::size_t h = 0; h < shape.heads + shape.kv_heads; ++h) {
      const std::span<float> head = qkv.subspan(h * head_dim, head_dim);
      const Weight norm = h < shape.heads ? op.q_norm : op.k_norm;
      if (norm.valid()) reference::rms_norm(head, vector_of(norm), op.eps, head);
      if (op.rope >= 0) {
        reference::rotate(head, program_.ropes[static_cast<std::size_t>(op.rope)], places_[r].position);
      }
    }
    for (const bool value : {false, true}) {
      const std::span<float> row = cached(op.layer, places_[r], places_[r].position, value);
      const std::size_t from = shape.q_width() + (value ? shape.kv_width() : 0);
      std::ranges::copy(qkv.subspan(from, shape.kv_width()), row.begin());
      for (std::size_t h = 0; h < shape.kv_heads; ++h) {
        reference::round_to(limits_.kv_encoding, row.subspan(h * head_dim, head_dim));
      }
    }
  }
}

void ReferenceExecutable::run(const Attend& op, std::size_t rows) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::uint32_t head = 0; head < program_.attention.heads; ++head) attend_head(op, r, head);
  }
}

void ReferenceExecutable::attend_head(const Attend& op, std::size_t row, std::uint32_t head) {
  const AttentionShape& shape = program_.attention;
  const std::size_t head_dim = shape.head_dim;
  const std::size_t kv_offset = head / (shape.heads / shape.kv_heads) * head_dim;
  const std::span<const float> q = slots_.row(op.qkv, row).subspan(head * head_dim, head_dim);
  const Place& place = places_[row];
  const std::uint32_t end = place.position + 1;
  const std::uint32_t begin = op.window > 0 && end > op.window ? end - op.window : 0;

  std::vector<double> scores;
  for (std::uint32_t p = begin; p < end; ++p) {
    const double score = op.scale * reference::dot(q, cached(op.layer, place, p, false).subspan(kv_offset, head_dim));
    scores.push_back(op.softcap > 0.0f ? op.softcap * std::tanh(score / op.softcap) : score);
  }
  const double sink = op.sinks.valid() ? vector_of(op.sinks)[head] : -std::numeric_limits<double>::infinity();
  reference::softmax(scores, sink);

  std::vector<double> sum(head_dim);
  for (std::uint32_t p = begin; p < end; ++p) {
    const std::span<const float> v = cached(op.layer, place, p, true).subspan(kv_offset, head_dim);
    for (std::size_t i = 0; i < head_dim; ++i) sum[i] += scores[p - begin] * double{v[i]};
  }
  const std::span<float> out = slots_.row(op.out, row).subspan(head * head_dim, head_dim);
  std::ranges::transform(sum, out.begin(), [](double x) { return static_cast<float>(x); });
}

std::vector<float> ReferenceExecutable::expert_output(const Experts& op, std::uint32_t expert,
                                                      std::span<const float> in) const {
  std::vector<float> weights(in.size());
  std::vector<float> gate_up(2 * op.hidden);
  for (std::uint32_t i = 0; i < 2 * op.hidden; ++i) {
    weight(op.gate_up).row(std::int64_t{expert} * 2 * op.hidden + i, weights);
    gate_up[i] = static_cast<float>(reference::dot(weights, in));
  }
  std::vector<float> hidden(op.hidden);
  for (std::uint32_t i = 0; i < op.hidden; ++i) {
    hidden[i] = reference::activate(gate_up[i], op.activation) * gate_up[op.hidden + i];
  }
  weights.resize(op.hidden);
  std::vector<float> out(in.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    weight(op.down).row(static_cast<std::int64_t>(expert * out.size() + i), weights);
    out[i] = static_cast<float>(reference::dot(weights, hidden));
  }
  return out;
}

void ReferenceExecutable::run(const Experts& op, std::size_t rows) {
  std::vector<float> weights(width(op.in));
  std::vector<float> router_logits(op.expert_count);
  for (std::size_t r = 0; r < rows; ++r) {
    const std::span<const float> in = slots_.row(op.in, r);
    for (std::uint32_t e = 0; e < op.expert_count; ++e) {
      weight(op.router).row(e, weights);
      router_logits[e] = static_cast<float>(reference::dot(weights, in));
    }
    std::vector<double> sum(width(op.out));
    for (const reference::Choice& choice : reference::choose_experts(router_logits, op)) {
      const std::vector<float> part = expert_output(op, choice.expert, in);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += choice.weight * double{part[i]};
    }
    const std::vector<float> values(sum.begin(), sum.end());
    put(values, slots_.row(op.out, r), op.add_to_out);
  }
}

void ReferenceExecutable::run(const Softcap& op, std::size_t rows) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (float& x : slots_.row(op.slot, r)) x = op.cap * std::tanh(x / op.cap);
  }
}

void ReferenceExecutable::run(const Scale& op, std::size_t rows) {
  for (std::size_t r = 0; r < rows; ++r) {
    for (float& x : slots_.row(op.slot, r)) x *= op.factor;
  }
}

}  // namespace

std::shared_ptr<Backend> make_reference_backend() {
  return std::make_shared<ReferenceBackend>();
}

}  // namespace jackdaw::ops
