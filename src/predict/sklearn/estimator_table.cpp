// The table of every class jackdaw builds, family by family. A new class is a row in its family's file.
#include <algorithm>

#include "src/predict/sklearn/estimator.h"

namespace jackdaw::predict {
namespace {

using Rows = std::span<const ClassRow> (*)();

constexpr Rows families[] = {
    linear_rows,             // sklearn.linear_model.*, sklearn.svm.LinearSVC, LinearSVR
    preprocessing_rows,      // sklearn.preprocessing: scalers, polynomial features, bins, functions
    encoder_rows,            // sklearn.preprocessing: one-hot, ordinal, target and label encoders
    imputer_rows,            // sklearn.impute.*
    compose_rows,            // sklearn.pipeline.*, sklearn.compose.*, searches of sklearn.model_selection
    text_rows,               // sklearn.feature_extraction.*
    naive_bayes_rows,        // sklearn.naive_bayes.*
    decomposition_rows,      // sklearn.decomposition.*
    cluster_rows,            // sklearn.cluster.*
    feature_selection_rows,  // sklearn.feature_selection.*
    dummy_rows,              // sklearn.dummy.*
    tree_rows,               // sklearn.tree.*, forests of sklearn.ensemble
    boosting_rows,           // gradient boosting, AdaBoost
    ensemble_rows,           // bagging, voting, stacking, calibration, multi-*
    svm_rows,                // sklearn.svm with kernels
    neighbors_rows,          // sklearn.neighbors.*
    neural_rows,             // sklearn.neural_network.*
    mixture_rows,            // sklearn.discriminant_analysis, sklearn.mixture
};

std::vector<ClassRow> join() {
  std::vector<ClassRow> out;
  for (const Rows rows : families) out.insert(out.end(), rows().begin(), rows().end());
  std::sort(out.begin(), out.end(), [](const ClassRow& a, const ClassRow& b) { return a.class_name < b.class_name; });
  return out;
}

}  // namespace

std::span<const ClassRow> estimator_table() {
  static const std::vector<ClassRow> table = join();
  return table;
}

const ClassRow* find_class(std::string_view canonical) {
  const auto table = estimator_table();
  const auto found = std::lower_bound(table.begin(), table.end(), canonical,
                                      [](const ClassRow& row, std::string_view name) { return row.class_name < name; });
  return found != table.end() && found->class_name == canonical ? &*found : nullptr;
}

}  // namespace jackdaw::predict
