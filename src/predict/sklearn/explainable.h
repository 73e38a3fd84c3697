// Explainable: an estimator that can say how much each feature moved its raw answers; a second base of models of trees
// and of pipelines.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "src/predict/sklearn/estimator.h"

namespace jackdaw::predict {

// rows x outputs x (features + 1), the expected answer last. A row's numbers add up to the probabilities of trees and
// forests of classifiers, the raw scores of boosted ones, the mean path length of an isolation forest.
struct Contributions {
  std::size_t rows = 0;
  std::size_t outputs = 1;
  std::size_t features = 0;
  std::vector<double> values;
};

class Explainable {
 public:
  virtual ~Explainable() = default;
  // Errors as those of Estimator::run, and why a model of trees cannot be explained after all.
  virtual Result<Contributions> explain(const Frame& x) const = 0;
  // Names of the features, where they are known.
  virtual std::span<const std::string> explained_names() const = 0;
  virtual double explain_ns(std::size_t rows) const = 0;
  // False for a pipeline whose last step is none.
  virtual bool explains() const { return true; }
};

// The estimator as an explainable one; null when it is none.
inline const Explainable* explainable(const Estimator& estimator) {
  const auto* found = dynamic_cast<const Explainable*>(&estimator);
  return found != nullptr && found->explains() ? found : nullptr;
}

}  // namespace jackdaw::predict
