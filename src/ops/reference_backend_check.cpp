#include "src/ops/reference_backend_check.h"

#include <string_view>

namespace jackdaw::ops::reference {
namespace {

class Checker {
 public:
  Checker(const Program& program, const std::function<const WeightShape*(Weight)>& shape_of)
      : program_(program), shape_of_(shape_of) {}

  Result<void> run() {
    JACKDAW_TRY(attention_shape());
    JACKDAW_TRY(ropes());
    JACKDAW_TRY(ops(program_.body, "body"));
    need(width(program_.head_in) == width(program_.head_rows), "head_in and head_rows differ in width");
    JACKDAW_TRY(ops(program_.head, "head"));
    need(width(program_.logits) > 0, "there is no slot of logits");
    return verdict("program");
  }

 private:
  Result<void> attention_shape() {
    const AttentionShape& shape = program_.attention;
    need(shape.kv_heads == 0 || shape.heads % shape.kv_heads == 0, "heads is not a multiple of kv_heads");
    return verdict("attention");
  }

  Result<void> ropes() {
    for (const Rope& rope : program_.ropes) {
      need(rope.inverse_frequency.size() * 2 <= program_.attention.head_dim, "more rotary dimensions than a head has");
    }
    return verdict("ropes");
  }

  Result<void> ops(const std::vector<Op>& list, std::string_view part) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      std::visit([this](const auto& op) { check(op); }, list[i]);
      JACKDAW_TRY(verdict(fmt::format("{}[{}]", part, i)));
    }
    return {};
  }

  void check(const Embed& op) { linear(op.table, 0, width(op.out)); }
  void check(const Norm& op) {
    need(width(op.in) == width(op.out), "widths of in and out differ");
    vector(op.weight, width(op.in));
  }
  void check(const Linear& op) {
    linear(op.weight, width(op.out), width(op.in));
    if (op.bias.valid()) vector(op.bias, width(op.out));
  }
  void check(const Gate& op) { need(width(op.in) == 2 * width(op.out), "in is not twice as wide as out"); }
  void check(const StoreKv& op) {
    qkv(op.qkv, op.layer);
    if (op.q_norm.valid()) vector(op.q_norm, program_.attention.head_dim);
    if (op.k_norm.valid()) vector(op.k_norm, program_.attention.head_dim);
    need(op.rope < static_cast<std::int32_t>(program_.ropes.size()), "no such rope");
  }
  void check(const Attend& op) {
    qkv(op.qkv, op.layer);
    need(width(op.out) == program_.attention.q_width(), "out is not heads * head_dim wide");
    if (op.sinks.valid()) vector(op.sinks, program_.attention.heads);
  }
  void check(const Experts& op) {
    const std::int64_t in = width(op.in);
    const std::int64_t experts = op.expert_count;
    need(op.used_count >= 1 && op.used_count <= op.expert_count, "used_count is not within 1 and expert_count");
    need(width(op.out) == in, "widths of in and out differ");
    linear(op.router, experts, in);
    linear(op.gate_up, experts * 2 * op.hidden, in);
    linear(op.down, experts * in, op.hidden);
  }
  void check(const Softcap& op) {
    width(op.slot);
    need(op.cap > 0.0f, "the cap is not positive");
  }
  void check(const Scale& op) { width(op.slot); }

  void qkv(Slot slot, std::uint32_t layer) {
    need(width(slot) == program_.attention.q_width() + 2 * program_.attention.kv_width(), "qkv has the wrong width");
    need(layer < program_.attention.layers, "no such layer");
  }

  // rows == 0: any.
  void linear(Weight weight, std::int64_t rows, std::int64_t columns) {
    const WeightShape* shape = shape_of_(weight);
    if (!need(shape != nullptr && !shape->is_vector, "a linear weight is missing")) return;
    need((rows == 0 || shape->rows == rows) && shape->columns == columns, "a linear weight has the wrong shape");
  }
  void vector(Weight weight, std::int64_t size) {
    const WeightShape* shape = shape_of_(weight);
    if (!need(shape != nullptr && shape->is_vector, "a vector is missing")) return;
    need(shape->columns == size, "a vector has the wrong size");
  }

  std::int64_t width(Slot slot) {
    const bool known = slot.index >= 0 && static_cast<std::size_t>(slot.index) < program_.slot_widths.size();
    if (!need(known, "no such slot")) return 0;
    return program_.slot_widths[static_cast<std::size_t>(slot.index)];
  }

  bool need(bool holds, std::string_view otherwise) {
    if (!holds && problem_.empty()) problem_ = otherwise;
    return holds;
  }
  Result<void> verdict(std::string_view place) const {
    if (problem_.empty()) return {};
    return make_error(Code::internal, "The program cannot run: {}.", problem_).at(place);
  }

  const Program& program_;
  const std::function<const WeightShape*(Weight)>& shape_of_;
  std::string_view problem_;
};

}  // namespace

Result<void> check_program(const Program& program, const std::function<const WeightShape*(Weight)>& shape_of) {
  return Checker(program, shape_of).run();
}

}  // namespace jackdaw::ops::reference
