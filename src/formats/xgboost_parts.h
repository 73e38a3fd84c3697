// The stages of reading an XGBoost file: a container (JSON schema or legacy binary) fills an XgboostModel with arrays
// as the file has them; finish_xgboost checks every one of them and derives the rest.
#pragma once

#include "jackdaw/formats/tree_model.h"
#include "src/formats/json_cursor.h"

namespace jackdaw::formats {

// A tree whose arrays are as the file has them: lengths and indices unchecked, deleted nodes still inside.
struct RawXgboostTree {
  XgboostTree tree;
  std::vector<std::int64_t> category_nodes, category_segments, category_sizes;  // one per categorical node
  std::vector<float> base_weights;  // node vectors of multi-output trees before 3.2
  std::vector<float> leaf_weights;  // leaf vectors from 3.2 on; right_children of a leaf is its index
  std::uint64_t size_leaf_vector = 1;
};

struct RawXgboostModel {
  XgboostModel model;
  std::vector<RawXgboostTree> trees;
  NamedValues learner_params;  // base_score, num_class, num_feature, num_target
  NamedValues tree_params;     // num_trees, num_parallel_tree
  std::vector<std::int64_t> tree_info, iteration_begin;
};

Result<RawXgboostModel> read_xgboost_schema(ValueCursor& cursor);
Result<RawXgboostModel> read_xgboost_binary(Bytes file);

// Turns the raw model into a checked one.
Result<XgboostModel> finish_xgboost(RawXgboostModel raw, const TreeReadLimits& limits);

// Checks one tree and drops the nodes its root does not reach. `where` of an error is "tree 3, node 7".
Result<XgboostTree> check_xgboost_tree(RawXgboostTree raw, std::size_t index, std::uint64_t num_feature,
                                       const TreeReadLimits& limits);

// True when the bytes start like a legacy file: sane lengths and an objective by name.
bool looks_like_xgboost_binary(Bytes file);

}  // namespace jackdaw::formats
