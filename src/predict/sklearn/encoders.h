// Builders of encoders that stand in their own files; encoders.cpp holds all rows.
#pragma once

#include "src/predict/sklearn/check_input.h"

namespace jackdaw::predict {

Result<std::unique_ptr<Estimator>> build_one_hot_encoder(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_label_encoder(const BuildContext& context);
Result<std::unique_ptr<Estimator>> build_label_binarizer(const BuildContext& context);

// _infrequent_indices and _default_to_infrequent_mappings of one column; empty vectors when the column has none.
struct Infrequent {
  std::vector<std::uint32_t> indices;
  std::vector<std::uint32_t> mapping;  // one entry per category
};
// One per column; all empty before 1.1 or when grouping is off. Mappings are checked against the category counts.
Result<std::vector<Infrequent>> read_infrequent(const BuildContext& context, std::span<const std::size_t> counts);

}  // namespace jackdaw::predict
