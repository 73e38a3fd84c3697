#include "src/ops/cpu_plan.h"

#include <algorithm>
#include <utility>

namespace jackdaw::ops {
namespace {

bool same(Slot a, Slot b) {
  return a.index == b.index;
}

// What an op does to a slot.
struct Use {
  bool reads = false;
  bool overwrites = false;  // all of it, without looking
};

Use use(Slot slot, Slot in, Slot out, bool adds) {
  return {same(slot, in) || (adds && same(slot, out)), same(slot, out) && !adds};
}

struct UseOf {
  Slot slot;
  Use operator()(const Embed& op) const { return {false, same(slot, op.out)}; }
  Use operator()(const Norm& op) const { return use(slot, op.in, op.out, op.add_to_out); }
  Use operator()(const Linear& op) const { return use(slot, op.in, op.out, op.add_to_out); }
  Use operator()(const Gate& op) const { return use(slot, op.in, op.out, false); }
  Use operator()(const StoreKv& op) const { return {same(slot, op.qkv), false}; }
  Use operator()(const Attend& op) const { return use(slot, op.qkv, op.out, false); }
  Use operator()(const Experts& op) const { return use(slot, op.in, op.out, op.add_to_out); }
  Use operator()(const Softcap& op) const { return {same(slot, op.slot), false}; }
  Use operator()(const Scale& op) const { return {same(slot, op.slot), false}; }
};

class Planner {
 public:
  Planner(const Program& program, const CpuWeights& weights) : program_(program), weights_(weights) {}

  CpuPlan plan() {
    ops_ = &program_.body;
    last_reader_ = program_.head_in;
    stages_ = &out_.body;
    run();
    ops_ = &program_.head;
    last_reader_ = program_.logits;
    stages_ = &out_.head;
    begin_head();
    run();
    return std::move(out_);
  }

 private:
  // The head's rows are gathered by its first Norm and Linear when those are fused, else by a stage.
  void begin_head() {
    const bool fused = !ops_->empty() && std::holds_alternative<Norm>((*ops_)[0]) &&
                       same(std::get<Norm>((*ops_)[0]).in, program_.head_rows) && fused_readers(0) > 0 &&
                       !read_after(0, program_.head_rows);
    if (fused) {
      gathering_ = true;
    } else {
      stages_->emplace_back(GatherStage{program_.head_in, program_.head_rows});
    }
  }

  void run() {
    for (std::size_t i = 0; i < ops_->size();) {
      i = std::visit([&](const auto& op) { return add(op, i); }, (*ops_)[i]);
    }
  }

  std::size_t add(const Embed& op, std::size_t i) {
    stages_->emplace_back(EmbedStage{&weights_.at(op.table), op.scale, op.out});
    return i + 1;
  }

  std::size_t add(const Norm& op, std::size_t i) {
    const std::size_t readers = fused_readers(i);
    if (readers == 0) {
      stages_->emplace_back(NormStage{op.in, op.out, vector_of(op.weight), op.eps, op.add_to_out});
      return i + 1;
    }
    LinearStage first;
    first.in = op.in;
    first.norm = vector_of(op.weight);
    first.eps = op.eps;
    if (gathering_) first.in = program_.head_in;
    first.gather = std::exchange(gathering_, false);
    return add_linears(i + 1, readers, first);
  }

  std::size_t add(const Linear& op, std::size_t i) {
    LinearStage first;
    first.in = op.in;
    return add_linears(i, 1, first);
  }

  // `count` Linears from op i on read one prepared row; `first` says which.
  std::size_t add_linears(std::size_t i, std::size_t count, const LinearStage& first) {
    const std::size_t begin = stages_->size();
    for (std::size_t k = 0; k < count; ++k) {
      const Linear& op = std::get<Linear>((*ops_)[i + k]);
      LinearStage stage = k == 0 ? first : LinearStage{};
      if (k > 0) {
        stage.in = first.in;
        stage.input = LinearStage::Input::prepared;
      }
      stage.weight = &weights_.at(op.weight);
      stage.bias = vector_of(op.bias);
      stage.out = op.out;
      stage.add_to_out = op.add_to_out;
      stages_->emplace_back(stage);
    }
    LinearStage& preparing = std::get<LinearStage>((*stages_)[begin]);
    for (std::size_t k = 0; k < count; ++k) {
      const LinearStage& stage = std::get<LinearStage>((*stages_)[begin + k]);
      preparing.prepare.blocks |= stage.weight->wants_blocks;
      preparing.prepare.floats |= stage.weight->wants_floats;
      preparing.reads_output |= same(stage.out, preparing.in);
    }
    return count == 1 ? try_gate(i) : i + count;
  }

  // After the Linear op i, whose stage is the last: when the next is its Gate and only Linears right behind read that,
  // all become one gated stage and its readers.
  std::size_t try_gate(std::size_t i) {
    const std::size_t next = i + 1;
    if (next >= ops_->size() || !std::holds_alternative<Gate>((*ops_)[next])) return next;
    const Gate& gate = std::get<Gate>((*ops_)[next]);
    LinearStage& stage = std::get<LinearStage>(stages_->back());
    const std::size_t width = program_.slot_widths[static_cast<std::size_t>(gate.out.index)];
    const bool fits = same(gate.in, stage.out) && !stage.add_to_out && !same(gate.out, stage.in) && width % 32 == 0;
    if (!fits || read_after(next, gate.in)) return next;
    const std::size_t readers = fused_readers(next);
    if (readers == 0) return next;
    stage.gated = true;
    stage.activation = gate.activation;
    stage.gate_out = gate.out;
    const std::size_t index = stages_->size() - 1;
    for (std::size_t k = 0; k < readers; ++k) {
      const Linear& op = std::get<Linear>((*ops_)[next + 1 + k]);
      LinearStage reader;
      reader.input = LinearStage::Input::gated;
      reader.in = gate.out;
      reader.weight = &weights_.at(op.weight);
      reader.bias = vector_of(op.bias);
      reader.out = op.out;
      reader.add_to_out = op.add_to_out;
      stages_->emplace_back(reader);
      LinearStage& gated = std::get<LinearStage>((*stages_)[index]);
      gated.gate_forms.blocks |= reader.weight->wants_blocks;
      gated.gate_forms.floats |= reader.weight->wants_floats;
    }
    return next + 1 + readers;
  }

  std::size_t add(const Gate& op, std::size_t i) {
    stages_->emplace_back(GateStage{op.in, op.out, op.activation});
    return i + 1;
  }

  std::size_t add(const StoreKv& op, std::size_t i) {
    AttentionStage stage;
    stage.store = true;
    stage.qkv = op.qkv;
    stage.layer = op.layer;
    stage.q_norm = vector_of(op.q_norm);
    stage.k_norm = vector_of(op.k_norm);
    stage.eps = op.eps;
    stage.rope = op.rope;
    const Attend* next = i + 1 < ops_->size() ? std::get_if<Attend>(&(*ops_)[i + 1]) : nullptr;
    const bool both = next != nullptr && same(next->qkv, op.qkv) && next->layer == op.layer;
    if (both) set_attend(stage, *next);
    stages_->emplace_back(stage);
    return both ? i + 2 : i + 1;
  }

  std::size_t add(const Attend& op, std::size_t i) {
    AttentionStage stage;
    stage.qkv = op.qkv;
    stage.layer = op.layer;
    set_attend(stage, op);
    stages_->emplace_back(stage);
    return i + 1;
  }

  void set_attend(AttentionStage& stage, const Attend& op) {
    stage.attend = true;
    stage.scale = op.scale;
    stage.softcap = op.softcap;
    stage.sinks = vector_of(op.sinks);
    stage.out = op.out;
    const auto at = std::ranges::find(out_.windows, op.window);
    stage.schedule = static_cast<std::uint32_t>(at - out_.windows.begin());
    if (at == out_.windows.end()) out_.windows.push_back(op.window);
  }

  std::size_t add(const Experts& op, std::size_t i) {
    stages_->emplace_back(ExpertsStage{op, &weights_.at(op.router), &weights_.at(op.gate_up), &weights_.at(op.down)});
    return i + 1;
  }

  std::size_t add(const Softcap& op, std::size_t i) {
    stages_->emplace_back(ElementStage{op.slot, op.cap, 1.0f});
    return i + 1;
  }

  std::size_t add(const Scale& op, std::size_t i) {
    stages_->emplace_back(ElementStage{op.slot, 0.0f, op.factor});
    return i + 1;
  }

  // How many Linears right after op i (a Norm or a Gate) read its output, when nobody else does; else 0.
  std::size_t fused_readers(std::size_t i) const {
    Slot out;
    if (const Norm* norm = std::get_if<Norm>(&(*ops_)[i])) {
      if (norm->add_to_out || same(norm->in, norm->out)) return 0;
      out = norm->out;
    } else {
      out = std::get<Gate>((*ops_)[i]).out;
    }
    std::size_t count = 0;
    while (i + 1 + count < ops_->size()) {
      const Linear* linear = std::get_if<Linear>(&(*ops_)[i + 1 + count]);
      if (linear == nullptr || !same(linear->in, out) || same(linear->out, out)) break;
      ++count;
    }
    // A later one may not read what an earlier one has changed under the norm.
    if (count > 0 && read_after(i + count, out)) return 0;
    return count;
  }

  // Whether `slot` is read after op i before it is overwritten.
  bool read_after(std::size_t i, Slot slot) const {
    for (std::size_t k = i + 1; k < ops_->size(); ++k) {
      const Use u = std::visit(UseOf{slot}, (*ops_)[k]);
      if (u.reads) return true;
      if (u.overwrites) return false;
    }
    return same(slot, last_reader_);
  }

  const float* vector_of(Weight weight) const { return weight.valid() ? weights_.at(weight).values.data() : nullptr; }

  const Program& program_;
  const CpuWeights& weights_;
  CpuPlan out_;
  const std::vector<Op>* ops_ = nullptr;
  std::vector<Stage>* stages_ = nullptr;
  Slot last_reader_;
  bool gathering_ = false;
};

}  // namespace

CpuPlan make_cpu_plan(const Program& program, const CpuWeights& weights) {
  return Planner(program, weights).plan();
}

}  // namespace jackdaw::ops
