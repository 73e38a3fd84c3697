// What Pipeline, FeatureUnion and ColumnTransformer share: reading (name, estimator) lists and laying answers side by
// side.
#pragma once

#include "src/predict/sklearn/check_input.h"

namespace jackdaw::predict {

// One entry of steps, transformer_list or transformers_.
struct NamedNode {
  std::string name;
  formats::NodeId node;
  formats::NodeId columns;  // ColumnTransformer only
};
Result<NamedNode> named_node(const BuildContext& context, formats::NodeId node, std::string_view attribute);
bool is_passthrough(const formats::ObjectGraph& graph, formats::NodeId node);  // 'passthrough' or None
bool is_drop(const formats::ObjectGraph& graph, formats::NodeId node);
double weight_of(const BuildContext& context, std::string_view name);  // transformer_weights, 1 when absent
std::unique_ptr<Estimator> identity_transformer();

// Frames of equal row count side by side. `sparse`: as one sparse matrix (all must be numbers); else dense, an object
// frame when one of them holds texts. Bounded at 2^28 numbers.
Result<Frame> stack_frames(std::vector<Frame> parts, std::size_t rows, bool sparse, std::string_view class_name);
void scale_frame(Frame& frame, double weight);

Result<std::unique_ptr<Estimator>> build_feature_union(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_column_transformer(const BuildContext& context);

}  // namespace jackdaw::predict
