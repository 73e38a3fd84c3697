// SklearnCase: one model of tests/data/sklearn with its inputs and the answers scikit-learn gave, and the comparison.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "src/predict/sklearn/estimator.h"

namespace jackdaw::predict::testing {

struct ExpectedArray {
  std::string dtype;  // numpy's name; "str" or "object" for texts
  std::vector<std::int64_t> shape;
  std::vector<double> numbers;
  std::vector<std::string> texts;  // str and object
  std::vector<bool> missing;       // one per element
};

struct Expected {
  std::string error;  // scikit-learn refused with this
  std::vector<ExpectedArray> arrays;
};

struct CaseInput {
  std::string form;
  Frame frame;
  std::map<std::string, Expected> methods;
};

struct SklearnCase {
  std::string version;
  std::string name;
  std::string class_name;
  std::filesystem::path file;
  std::vector<CaseInput> inputs;
};

// Every case of every tests/data/sklearn/*/cases.json whose name matches JACKDAW_CASE (a regular expression).
std::vector<SklearnCase> read_cases();

// A model and the graph it was built from.
struct LoadedModel {
  std::unique_ptr<formats::ObjectGraph> graph;
  std::unique_ptr<Estimator> estimator;
};
Result<LoadedModel> load_model(const std::filesystem::path& file);

// "" when the answer is the expected one, else what differs. Single-precision inputs are compared to 1e-6 of the
// largest magnitude, all others to 1e-12. The form "single-inside" is for double answers with float32 steps on the way.
std::string compare(const Expected& expected, const Result<Output>& got, const std::string& form);

}  // namespace jackdaw::predict::testing
