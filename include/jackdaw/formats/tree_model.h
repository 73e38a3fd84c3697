// Tree model files as neutral data: what an XGBoost or LightGBM file says, checked, before anything is scored.
//
// Every length, child index, feature index, leaf index and category range in these structs has been checked against
// its bounds: trees are trees (each node reached once from the root), at most `TreeReadLimits::depth_max` deep.
// Immutable once read; owner: whoever asked. Formats are described beside the readers (src/formats/README.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jackdaw/base/bytes.h"
#include "jackdaw/base/result.h"

namespace jackdaw::formats {

enum class TreeFileKind : unsigned char { unknown, xgboost_json, xgboost_ubjson, xgboost_binary, lightgbm_text };
// From the first bytes alone. Anything not JSON, UBJSON or LightGBM text that could be XGBoost's legacy binary is
// reported as that only when its header is plausible.
TreeFileKind detect_tree_file(Bytes file);
std::string_view tree_file_kind_name(TreeFileKind kind);  // "XGBoost JSON"

struct TreeReadLimits {
  std::uint32_t depth_max = 4096;         // of a tree
  std::uint32_t nesting_max = 64;         // of JSON and UBJSON containers
  std::uint32_t features_max = 1u << 31;  // XGBoost's own bound
  std::uint32_t outputs_max = 1u << 20;   // groups, classes, targets, leaf width
};

using NamedValues = std::vector<std::pair<std::string, std::string>>;
// The value under `name`, or `fallback`.
std::string_view value_or(const NamedValues& values, std::string_view name, std::string_view fallback);

// ---- XGBoost ------------------------------------------------------------------------------------------------------

// Parallel arrays, one entry per node, node 0 the root. Nodes that pruning deleted are left out, so indices may differ
// from the file's. A row with x < condition goes left, both float32; a missing one (NaN) by default_left; a row whose
// category is in the node's set goes right, invalid categories (negative, >= 2^24) count as not in the set.
struct XgboostTree {
  std::vector<std::int32_t> left, right;  // -1 in both = leaf
  std::vector<std::uint32_t> feature;     // < XgboostModel::num_feature; 0 at leaves
  std::vector<float> value;               // split condition; at leaves the leaf value (scalar leaves)
  std::vector<std::uint8_t> default_left;
  // Categorical splits: node i's set is categories[category_begin[i], + category_count[i]). `category_begin` is empty
  // when no node is categorical; is_categorical tells the nodes (an empty set is possible).
  std::vector<std::uint8_t> is_categorical;  // empty = none
  std::vector<std::uint32_t> category_begin, category_count;
  std::vector<std::int32_t> categories;  // each in [0, 2^24)
  // Vector leaves (multi-output trees): leaf_width > 1, and leaf i's values are leaf_vectors[leaf[i] * leaf_width ...].
  std::uint32_t leaf_width = 1;
  std::vector<std::uint32_t> leaf;  // per node, 0 at inner nodes; empty when leaf_width == 1
  std::vector<float> leaf_vectors;
  std::vector<float>
      cover;  // sum of the hessians of the training rows that came here; per node, empty = not in the file

  std::size_t node_count() const { return left.size(); }
};

enum class XgboostBooster : unsigned char { gbtree, dart, gblinear };

// The names behind the codes of one categorical feature (files of XGBoost 3.1 and later).
struct XgboostCategories {
  std::vector<std::string> texts;  // text categories: code = index
  std::vector<double> numbers;     // or numeric ones
  bool empty() const { return texts.empty() && numbers.empty(); }
};

struct XgboostModel {
  TreeFileKind kind = TreeFileKind::unknown;
  std::array<std::int32_t, 3> version{};  // {0,0,0} in legacy files from before 1.0
  std::string objective;                  // one of xgboost_objectives()
  NamedValues objective_params;           // flattened: "reg_loss_param.scale_pos_weight" -> "1"
  XgboostBooster booster = XgboostBooster::gbtree;
  std::uint32_t num_feature = 0;
  std::uint32_t num_class = 0;  // as in the file: 0 unless multi-class
  std::uint32_t num_target = 1;
  std::uint32_t n_groups = 1;  // max(num_class, num_target, 1): outputs per row
  // In probability space (see the objective's link), one value or one per group.
  std::vector<float> base_score;
  bool base_score_is_margin = false;  // legacy files from before 1.0
  std::vector<XgboostTree> trees;
  std::vector<std::uint32_t> tree_group;  // per tree: the output it adds to (0 for vector-leaf trees)
  std::vector<float> tree_weight;         // dart: one per tree; else empty
  std::uint32_t num_parallel_tree = 1;
  std::vector<std::uint32_t> iteration_begin;  // first tree of each boosting round, then the tree count
  std::vector<float> linear_weights;           // gblinear: (num_feature + 1) x n_groups, bias row last
  std::vector<std::string> feature_names;      // empty, or num_feature of them
  std::vector<std::string> feature_types;      // "float", "int", "q", "i", "c" ...; empty, or num_feature
  std::vector<XgboostCategories> categories;   // empty, or num_feature of them
  NamedValues attributes;
  std::optional<std::uint32_t> best_iteration;

  std::size_t iterations() const { return iteration_begin.empty() ? 0 : iteration_begin.size() - 1; }
};

// Objectives that can be read; another one is refused by name.
const std::vector<std::string_view>& xgboost_objectives();

// JSON, UBJSON or legacy binary, found by detect_tree_file. Errors: parse_error with offset or tree and node in
// `where`; unsupported for an objective, booster or split this build does not know.
Result<XgboostModel> read_xgboost(Bytes file, const TreeReadLimits& limits = {});

// ---- LightGBM -----------------------------------------------------------------------------------------------------

enum class LightgbmMissing : std::uint8_t { none = 0, zero = 1, nan = 2 };

// Inner nodes 0 .. num_leaves-2, leaves 0 .. num_leaves-1. Children >= 0 are inner nodes, negative ones leaf ~c.
// Numeric: x <= threshold goes left, in doubles. Categorical: in the set goes left; the set of node i is the bits of
// cat_words[cat_boundaries[c], cat_boundaries[c + 1]) with c = int(threshold[i]).
struct LightgbmTree {
  std::uint32_t num_leaves = 1;
  std::vector<std::uint32_t> split_feature;  // < LightgbmModel::num_feature
  std::vector<double> threshold;
  std::vector<std::uint8_t> decision_type;  // bit 0 categorical, bit 1 default left, bits 2-3 LightgbmMissing
  std::vector<std::int32_t> left, right;
  std::vector<double> leaf_value;             // num_leaves; shrinkage is inside already
  std::vector<std::uint32_t> cat_boundaries;  // ascending, last <= cat_words.size(); empty when there is no category
  std::vector<std::uint32_t> cat_words;
  // Linear leaves: value = leaf_const + sum of coeff * x, or leaf_value when one of those x is NaN.
  bool is_linear = false;
  std::vector<double> leaf_const;           // num_leaves
  std::vector<std::uint32_t> linear_begin;  // num_leaves + 1 offsets into the two below
  std::vector<std::uint32_t> linear_feature;
  std::vector<double> linear_coeff;
  double shrinkage = 1.0;
  // Training rows that came to each inner node and each leaf; both empty when the file does not say.
  std::vector<double> internal_count, leaf_count;

  bool categorical(std::size_t node) const { return (decision_type[node] & 1u) != 0; }
  bool default_left(std::size_t node) const { return (decision_type[node] & 2u) != 0; }
  LightgbmMissing missing(std::size_t node) const {
    return static_cast<LightgbmMissing>((decision_type[node] >> 2) & 3u);
  }
};

// One list of `pandas_categorical`: the values of a category column in training, in code order.
struct PandasCategories {
  std::vector<std::string> texts;  // as text: numbers and booleans as JSON writes them
  bool numeric = false;            // the values are numbers; compare by value
  std::vector<double> numbers;     // when numeric, one per text
};

struct LightgbmModel {
  std::string version;  // "v2", "v3", "v4"
  std::uint32_t num_class = 1;
  std::uint32_t num_tree_per_iteration = 1;
  std::uint32_t num_feature = 0;  // max_feature_idx + 1
  std::int32_t label_index = 0;
  std::string objective;                   // first word: "binary"; "" or "custom" when training had its own
  NamedValues objective_params;            // "sigmoid" -> "1"; a word alone ("sqrt") has value ""
  bool average_output = false;             // random forest
  std::vector<std::string> feature_names;  // num_feature
  std::vector<std::string> feature_infos;  // "[min:max]", "none" or "a:b:c"; empty when absent
  std::vector<LightgbmTree> trees;
  bool has_linear_trees = false;
  std::vector<PandasCategories> pandas_categorical;  // one per category column, in column order
  NamedValues parameters;                            // the [name: value] lines after the trees
};

const std::vector<std::string_view>& lightgbm_objectives();

// Text of versions v2 to v4; LF or CRLF, last newline optional. Errors: parse_error with the line or tree in `where`.
Result<LightgbmModel> read_lightgbm(std::string_view text, const TreeReadLimits& limits = {});

}  // namespace jackdaw::formats
