#include "src/arch/builder.h"

#include <cmath>
#include <utility>
#include <vector>

#include "jackdaw/base/float16.h"
#include "src/arch/names.h"

namespace jackdaw::arch {
namespace {

using formats::FileTensor;
using ops::Slot;
using ops::Weight;
using Piece = WeightLoader::Piece;
using Rows = WeightLoader::Rows;

class Builder {
 public:
  Builder(const formats::ModelFile& file, const Description& description, WeightSink& sink, std::uint32_t context,
          WeightLoader::Progress progress)
      : file_(file),
        description_(description),
        family_(*description.family),
        hp_(description.hyperparameters),
        names_(file, family_),
        loader_(file, sink, std::move(progress)),
        context_(context) {}

  Result<ops::Program> run() {
    program_.attention = {hp_.layers, hp_.heads, hp_.kv_heads, hp_.head_dim};
    declare_slots();
    JACKDAW_TRY(ropes());
    JACKDAW_TRY(embedding());
    for (std::uint32_t i = 0; i < hp_.layers; ++i) JACKDAW_TRY(layer(i));
    JACKDAW_TRY(head());
    JACKDAW_TRY(no_tensor_left_over());
    return std::move(program_);
  }

 private:
  void declare_slots() {
    residual_ = program_.add_slot(hp_.width);
    normed_ = program_.add_slot(hp_.width);
    qkv_ = program_.add_slot(q_width() + 2 * kv_width());
    attended_ = program_.add_slot(q_width());
  }

  Result<void> ropes() {
    const ops::RopeStyle style =
        description_.kind == formats::ModelFileKind::gguf ? family_.gguf_rope : ops::RopeStyle::half_split;
    JACKDAW_TRY(add_rope(description_.rope, style));
    if (description_.local_rope) JACKDAW_TRY(add_rope(*description_.local_rope, style));
    return {};
  }
  Result<void> add_rope(const RopeScaling& scaling, ops::RopeStyle style) {
    JACKDAW_ASSIGN(ops::Rope rope, make_rope(scaling, style, hp_.rope_dimensions, context_));
    program_.ropes.push_back(std::move(rope));
    return {};
  }

  Result<void> embedding() {
    const Piece piece{names_.embedding(), hp_.vocabulary};
    JACKDAW_ASSIGN(table_, loader_.linear({&piece, 1}, hp_.width));
    program_.body.emplace_back(ops::Embed{table_, embedding_scale(piece.name), residual_});
    return {};
  }

  // transformers rounds the factor to the type of its weights, as the model was trained; ggml keeps the float.
  float embedding_scale(const std::string& name) const {
    if (!family_.scaled_embedding) return 1.0f;
    const float scale = std::sqrt(static_cast<float>(hp_.width));
    const FileTensor* table = file_.tensor(name + ".weight");
    const bool rounds = description_.kind == formats::ModelFileKind::safetensors && table->encoding == Encoding::bf16;
    return rounds ? float_from_bfloat16(bfloat16_from_float(scale)) : scale;
  }

  Result<void> layer(std::uint32_t index) {
    JACKDAW_TRY(add_norm(residual_, names_.layer(index, Role::attention_norm), normed_, false));
    JACKDAW_TRY(project_qkv(index));
    JACKDAW_TRY(attention(index));
    JACKDAW_TRY(join(attended_, index, Role::attention_output, Role::post_attention_norm, q_width()));
    JACKDAW_TRY(add_norm(residual_, names_.layer(index, Role::ffn_norm), normed_, false));
    const std::string router = names_.layer(index, Role::router);
    if (family_.has_experts && loader_.has(router)) return experts(index, router);
    return feed_forward(index);
  }

  // ---- attention --------------------------------------------------------------------------------------------------

  Result<void> project_qkv(std::uint32_t index) {
    std::vector<Piece> pieces{{names_.layer(index, Role::query), q_width()},
                              {names_.layer(index, Role::key), kv_width()},
                              {names_.layer(index, Role::value), kv_width()}};
    if (family_.fused_projections) pieces = {{names_.layer(index, Role::query_key_value), q_width() + 2 * kv_width()}};
    return add_linear(normed_, pieces, hp_.width, qkv_, false, family_.qkv_bias);
  }

  Result<void> attention(std::uint32_t index) {
    const LayerPlan& plan = description_.layers[index];
    ops::StoreKv store{qkv_, index, {}, {}, hp_.norm_eps, -1};
    if (plan.has_positions) store.rope = plan.uses_local_rope ? 1 : 0;
    if (family_.qk_norm) {
      JACKDAW_ASSIGN(store.q_norm, load_norm(names_.layer(index, Role::query_norm), hp_.head_dim));
      JACKDAW_ASSIGN(store.k_norm, load_norm(names_.layer(index, Role::key_norm), hp_.head_dim));
    }
    program_.body.emplace_back(store);
    program_.body.emplace_back(
        ops::Attend{qkv_, index, hp_.attention_scale, hp_.attention_softcap, plan.window, {}, attended_});
    return {};
  }

  // ---- feed-forward -----------------------------------------------------------------------------------------------

  Result<void> feed_forward(std::uint32_t index) {
    if (gated_.index < 0) {  // a model of experts alone needs no such slots
      gate_up_ = program_.add_slot(2 * hp_.hidden);
      gated_ = program_.add_slot(hp_.hidden);
    }
    std::vector<Piece> pieces{{names_.layer(index, Role::gate), hp_.hidden},
                              {names_.layer(index, Role::up), hp_.hidden}};
    if (family_.fused_projections) pieces = {{names_.layer(index, Role::gate_up), 2 * std::int64_t{hp_.hidden}}};
    JACKDAW_TRY(add_linear(normed_, pieces, hp_.width, gate_up_, false, false));
    program_.body.emplace_back(ops::Gate{gate_up_, gated_, family_.activation});
    return join(gated_, index, Role::down, Role::post_ffn_norm, hp_.hidden);
  }

  Result<void> experts(std::uint32_t index, const std::string& router) {
    ops::Experts op;
    op.in = normed_;
    op.out = residual_;
    op.expert_count = hp_.experts;
    op.used_count = hp_.experts_used;
    op.hidden = hp_.expert_hidden;
    op.softmax_before = family_.softmax_before;
    op.renormalize = description_.renormalize_experts;
    op.weights_scale = description_.experts_scale;
    op.activation = family_.activation;
    const Piece piece{router, hp_.experts};
    JACKDAW_ASSIGN(op.router, loader_.linear({&piece, 1}, hp_.width));

    JACKDAW_ASSIGN(const std::vector<Rows> gates,
                   expert_rows(index, Role::gate, Role::gate_experts, hp_.expert_hidden, hp_.width));
    JACKDAW_ASSIGN(const std::vector<Rows> ups,
                   expert_rows(index, Role::up, Role::up_experts, hp_.expert_hidden, hp_.width));
    JACKDAW_ASSIGN(const std::vector<Rows> downs,
                   expert_rows(index, Role::down, Role::down_experts, hp_.width, hp_.expert_hidden));
    std::vector<Rows> gate_up;
    for (std::size_t e = 0; e < gates.size(); ++e) {
      gate_up.push_back(gates[e]);
      gate_up.push_back(ups[e]);
    }
    JACKDAW_ASSIGN(op.gate_up, loader_.linear_of_rows(gate_up, hp_.width));
    JACKDAW_ASSIGN(op.down, loader_.linear_of_rows(downs, hp_.expert_hidden));
    program_.body.emplace_back(op);
    return {};
  }

  // The rows of each expert, from one merged tensor or from a tensor for each.
  Result<std::vector<Rows>> expert_rows(std::uint32_t index, Role role, Role merged, std::int64_t rows,
                                        std::int64_t columns) {
    std::vector<Rows> out;
    if (const std::string name = names_.layer(index, merged); !name.empty() && loader_.has(name)) {
      const std::int64_t shape[] = {hp_.experts, rows, columns};
      JACKDAW_ASSIGN(const FileTensor* tensor, loader_.require(name + ".weight", shape));
      for (std::uint32_t e = 0; e < hp_.experts; ++e) out.push_back({tensor, e * rows, rows});
      return out;
    }
    const std::int64_t shape[] = {rows, columns};
    for (std::uint32_t e = 0; e < hp_.experts; ++e) {
      JACKDAW_ASSIGN(const FileTensor* tensor, loader_.require(names_.expert(index, e, role) + ".weight", shape));
      out.push_back({tensor, 0, rows});
    }
    return out;
  }

  // ---- head -------------------------------------------------------------------------------------------------------

  Result<void> head() {
    program_.head_in = residual_;
    program_.head_rows = program_.add_slot(hp_.width);
    program_.logits = program_.add_slot(hp_.vocabulary);
    const Slot normed = program_.add_slot(hp_.width);
    JACKDAW_ASSIGN(const Weight norm, load_norm(names_.final_norm(), hp_.width));
    program_.head.emplace_back(ops::Norm{program_.head_rows, norm, hp_.norm_eps, normed, false});

    ops::Linear linear{normed, table_, {}, program_.logits, false};
    const Piece piece{names_.head(), hp_.vocabulary};
    if (!description_.tied_embedding) {
      JACKDAW_ASSIGN(linear.weight, loader_.linear({&piece, 1}, hp_.width));
    }
    JACKDAW_ASSIGN(linear.bias, loader_.biases({&piece, 1}, false));
    program_.head.emplace_back(linear);
    if (hp_.logit_softcap > 0.0f) program_.head.emplace_back(ops::Softcap{program_.logits, hp_.logit_softcap});
    return {};
  }

  Result<void> no_tensor_left_over() const {
    for (const FileTensor& tensor : file_.tensors()) {
      if (loader_.used(tensor.name) || !names_.in_layers(tensor.name, hp_.layers)) continue;
      return make_error(Code::unsupported,
                        "{} of {} layers has no use for this tensor, so this must be another kind of model, or a "
                        "damaged one; answers without it would be wrong.",
                        family_.name, hp_.layers)
          .at(tensor.name);
    }
    return {};
  }

  // ---- parts ------------------------------------------------------------------------------------------------------

  // Back to the residual stream: out-projection, with gemma's norm before the sum.
  Result<void> join(Slot in, std::uint32_t index, Role role, Role post_norm, std::int64_t columns) {
    const Piece piece{names_.layer(index, role), hp_.width};
    if (!family_.post_norms) return add_linear(in, {piece}, columns, residual_, true, false);
    JACKDAW_TRY(add_linear(in, {piece}, columns, normed_, false, false));
    return add_norm(normed_, names_.layer(index, post_norm), residual_, true);
  }

  Result<void> add_linear(Slot in, const std::vector<Piece>& pieces, std::int64_t columns, Slot out, bool add_to_out,
                          bool bias_required) {
    ops::Linear op{in, {}, {}, out, add_to_out};
    JACKDAW_ASSIGN(op.weight, loader_.linear(pieces, columns));
    JACKDAW_ASSIGN(op.bias, loader_.biases(pieces, bias_required));
    program_.body.emplace_back(op);
    return {};
  }

  Result<void> add_norm(Slot in, const std::string& name, Slot out, bool add_to_out) {
    JACKDAW_ASSIGN(const Weight weight, load_norm(name, hp_.width));
    program_.body.emplace_back(ops::Norm{in, weight, hp_.norm_eps, out, add_to_out});
    return {};
  }

  Result<Weight> load_norm(const std::string& name, std::int64_t size) {
    const bool plus_one = family_.norm_plus_one && description_.kind == formats::ModelFileKind::safetensors;
    return loader_.norm(name, size, plus_one);
  }

  std::uint32_t q_width() const { return program_.attention.q_width(); }
  std::uint32_t kv_width() const { return program_.attention.kv_width(); }

  const formats::ModelFile& file_;
  const Description& description_;
  const Family& family_;
  const Hyperparameters& hp_;
  Names names_;
  WeightLoader loader_;
  std::uint32_t context_;
  ops::Program program_;
  Slot residual_, normed_, qkv_, attended_, gate_up_, gated_;
  Weight table_;
};

}  // namespace

Result<ops::Program> build_program(const formats::ModelFile& file, const Description& description, WeightSink& sink,
                                   std::uint32_t context, WeightLoader::Progress progress) {
  return Builder(file, description, sink, context, std::move(progress)).run();
}

}  // namespace jackdaw::arch
