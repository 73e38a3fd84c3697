// XGBoost's legacy binary format, written until 3.0 ("deprecated") and not readable since 3.1. Little-endian throughout
// (xgboost 1.x src/learner.cc LoadModel(dmlc::Stream), src/gbm/gbtree_model.h, include/xgboost/tree_model.h):
//
//   "binf"?                                           optional since 1.0
//   LearnerModelParam, 136 bytes                      f32 base_score, u32 num_feature, i32 num_class,
//                                                     i32 contain_extra_attrs, i32 contain_eval_metrics, u32 major,
//                                                     u32 minor, u32 num_target, 26 x i32 zero
//   text objective, text booster                      u64 length and bytes
//   gbtree and dart: GBTreeModelParam, 160 bytes      i32 num_trees, num_parallel_tree, ...; i32 at 24:
//   num_output_group
//     num_trees x { TreeParam 37 x i32: num_roots, num_nodes, num_deleted, max_depth, num_feature, size_leaf_vector;
//                   num_nodes x { i32 parent, left, right; u32 feature (bit 31: default left); f32 value };
//                   num_nodes x 16 bytes of statistics; with size_leaf_vector: u64 n, n x f32 }
//     num_trees x i32 tree_info;  dart: u64 n, n x f32 weights
//   gblinear: 136 bytes of parameters; u64 n, n x f32 weights
//   contain_extra_attrs: u64 n, n x (text, text)
//
// What follows (metric names) is not read.
#include <algorithm>

#include "src/formats/xgboost_parts.h"

namespace jackdaw::formats {
namespace {

constexpr std::uint64_t name_max = 256;
constexpr std::uint32_t node_bytes = 20, stat_bytes = 16, tree_param_bytes = 37 * 4;

class BinaryReader {
 public:
  explicit BinaryReader(Bytes file) : reader_(file) {}

  Result<RawXgboostModel> run() {
    raw_.model.kind = TreeFileKind::xgboost_binary;
    JACKDAW_TRY(read_header());
    if (raw_.model.booster == XgboostBooster::gblinear) {
      JACKDAW_TRY(read_linear());
    } else {
      JACKDAW_TRY(read_trees());
    }
    if (has_attributes_) JACKDAW_TRY(read_attributes());
    return std::move(raw_);
  }

  // Header and names only.
  Result<void> read_header() {
    if (as_text(reader_.rest()).substr(0, 4) == "binf") (void)reader_.skip(4);
    float base_score;
    std::uint32_t num_feature, major, minor, num_target;
    std::int32_t num_class, extra, metrics;
    if (!(reader_.read_le(base_score) && reader_.read_le(num_feature) && reader_.read_le(num_class) &&
          reader_.read_le(extra) && reader_.read_le(metrics) && reader_.read_le(major) && reader_.read_le(minor) &&
          reader_.read_le(num_target) && reader_.skip(26 * 4))) {
      return truncated("the header");
    }
    XgboostModel& model = raw_.model;
    if (major > 3 || minor > 1000) return error(Code::parse_error, "The version makes no sense.");
    model.version = {static_cast<std::int32_t>(major), static_cast<std::int32_t>(minor), 0};
    model.base_score = {base_score};
    model.base_score_is_margin = major < 1;
    raw_.learner_params = {{"num_feature", std::to_string(num_feature)},
                           {"num_class", std::to_string(num_class)},
                           {"num_target", std::to_string(num_target)}};
    has_attributes_ = extra != 0;
    JACKDAW_ASSIGN(model.objective, text("the objective", name_max));
    JACKDAW_ASSIGN(const std::string booster, text("the booster", name_max));
    if (booster == "dart") {
      model.booster = XgboostBooster::dart;
    } else if (booster == "gblinear") {
      model.booster = XgboostBooster::gblinear;
    } else if (booster != "gbtree") {
      return error(Code::unsupported,
                   fmt::format("Unknown booster '{}'; known are gbtree, dart and gblinear.", booster));
    }
    return {};
  }

  const XgboostModel& model() const { return raw_.model; }

 private:
  Error error(Code code, std::string_view message) const {
    return Error{code, std::string(message), fmt::format("offset {}", reader_.offset())};
  }
  Error truncated(std::string_view what) const {
    return error(Code::parse_error, fmt::format("The file ends inside {}.", what));
  }

  Result<std::string> text(std::string_view what, std::uint64_t size_max) {
    std::uint64_t size;
    Bytes bytes;
    if (!reader_.read_le(size)) return truncated(what);
    if (size > size_max) return error(Code::parse_error, fmt::format("{} claims {} bytes.", what, size));
    if (!reader_.take(size, bytes)) return truncated(what);
    return std::string(as_text(bytes));
  }

  Result<std::vector<float>> floats(std::string_view what) {
    std::uint64_t count;
    if (!reader_.read_le(count)) return truncated(what);
    if (count > reader_.remaining() / 4) {
      return error(Code::parse_error,
                   fmt::format("{} claim {} numbers, {} bytes are left.", what, count, reader_.remaining()));
    }
    std::vector<float> out(count);
    for (float& value : out) (void)reader_.read_le(value);
    return out;
  }

  Result<void> read_trees() {
    std::int32_t num_trees, num_parallel;
    if (!(reader_.read_le(num_trees) && reader_.read_le(num_parallel) && reader_.skip(160 - 8))) {
      return truncated("the booster's parameters");
    }
    if (num_trees < 0 || static_cast<std::uint64_t>(num_trees) > reader_.remaining() / tree_param_bytes) {
      return error(Code::parse_error,
                   fmt::format("The file claims {} trees, {} bytes are left.", num_trees, reader_.remaining()));
    }
    raw_.tree_params = {{"num_trees", std::to_string(num_trees)},
                        {"num_parallel_tree", std::to_string(std::max(num_parallel, 1))}};
    for (std::int32_t i = 0; i < num_trees; ++i) {
      auto done = read_tree();
      if (!done) return std::move(done).error().at(fmt::format("tree {}", i));
    }
    for (std::int32_t i = 0; i < num_trees; ++i) {
      std::int32_t group;
      if (!reader_.read_le(group)) return truncated("tree_info");
      raw_.tree_info.push_back(group);
    }
    if (raw_.model.booster == XgboostBooster::dart) {
      JACKDAW_ASSIGN(raw_.model.tree_weight, floats("dart weights"));
    }
    return {};
  }

  Result<void> read_tree() {
    std::int32_t num_roots, num_nodes, num_deleted, max_depth, num_feature, size_leaf_vector;
    if (!(reader_.read_le(num_roots) && reader_.read_le(num_nodes) && reader_.read_le(num_deleted) &&
          reader_.read_le(max_depth) && reader_.read_le(num_feature) && reader_.read_le(size_leaf_vector) &&
          reader_.skip(tree_param_bytes - 6 * 4))) {
      return truncated("a tree's parameters");
    }
    if (num_nodes < 1 || static_cast<std::uint64_t>(num_nodes) > reader_.remaining() / (node_bytes + stat_bytes)) {
      return error(Code::parse_error,
                   fmt::format("A tree claims {} nodes, {} bytes are left.", num_nodes, reader_.remaining()));
    }
    if (num_roots > 1) return error(Code::unsupported, "Trees with several roots are not supported.");
    XgboostTree& tree = raw_.trees.emplace_back().tree;
    for (std::int32_t i = 0; i < num_nodes; ++i) JACKDAW_TRY(read_node(tree));
    for (std::int32_t i = 0; i < num_nodes; ++i) JACKDAW_TRY(read_statistics(tree));
    if (size_leaf_vector != 0) JACKDAW_TRY(floats("leaf vectors"));
    return {};
  }

  Result<void> read_node(XgboostTree& tree) {
    std::int32_t parent, left, right;
    std::uint32_t feature;
    float value;
    if (!(reader_.read_le(parent) && reader_.read_le(left) && reader_.read_le(right) && reader_.read_le(feature) &&
          reader_.read_le(value))) {
      return truncated("a node");
    }
    tree.left.push_back(left);
    tree.right.push_back(right);
    tree.feature.push_back(feature & 0x7fffffffu);
    tree.default_left.push_back(static_cast<std::uint8_t>(feature >> 31));
    tree.value.push_back(value);
    return {};
  }

  // f32 loss_chg, f32 sum_hess, f32 base_weight, i32 leaf_child_cnt.
  Result<void> read_statistics(XgboostTree& tree) {
    float gain;
    if (!(reader_.read_le(gain) && reader_.read_le(tree.cover.emplace_back()) && reader_.skip(stat_bytes - 8))) {
      return truncated("a tree's statistics");
    }
    return {};
  }

  Result<void> read_linear() {
    if (!reader_.skip(136)) return truncated("the booster's parameters");
    JACKDAW_ASSIGN(raw_.model.linear_weights, floats("weights"));
    return {};
  }

  Result<void> read_attributes() {
    std::uint64_t count;
    if (!reader_.read_le(count)) return truncated("attributes");
    if (count > reader_.remaining() / 16)
      return error(Code::parse_error, fmt::format("The file claims {} attributes.", count));
    for (std::uint64_t i = 0; i < count; ++i) {
      JACKDAW_ASSIGN(std::string name, text("an attribute's name", reader_.remaining()));
      JACKDAW_ASSIGN(std::string value, text("an attribute", reader_.remaining()));
      raw_.model.attributes.emplace_back(std::move(name), std::move(value));
    }
    return {};
  }

  ByteReader reader_;
  RawXgboostModel raw_;
  bool has_attributes_ = false;
};

}  // namespace

Result<RawXgboostModel> read_xgboost_binary(Bytes file) {
  return BinaryReader(file).run();
}

bool looks_like_xgboost_binary(Bytes file) {
  if (as_text(file).substr(0, 4) == "binf") return true;
  BinaryReader reader(file);
  auto header = reader.read_header();
  if (!header) return false;
  const auto& known = xgboost_objectives();
  return std::find(known.begin(), known.end(), reader.model().objective) != known.end();
}

}  // namespace jackdaw::formats
