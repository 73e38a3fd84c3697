// What scikit-learn checks before it computes: widths, names, texts, NaN; and how class names are told.
#include <catch2/catch.hpp>
#include <cmath>

#include "src/predict/sklearn/check_input.h"

using namespace jackdaw;
using namespace jackdaw::predict;

namespace {

InputRule scaler_rule() {
  InputRule rule;
  rule.class_name = "StandardScaler";
  rule.n_features = 2;
  rule.names = {"age", "fare"};
  return rule;
}

Column numbers(std::string name, std::vector<double> values) {
  Column column;
  column.name = std::move(name);
  column.numbers = std::move(values);
  return column;
}

Column texts(std::string name, std::vector<std::string> values) {
  Column column;
  column.name = std::move(name);
  column.is_text = true;
  column.dtype = DType::bytes;
  column.texts = std::move(values);
  return column;
}

Matrix matrix(std::size_t rows, std::size_t cols, std::vector<double> values) {
  Matrix m = Matrix::dense(rows, cols, DType::fp64);
  m.values = std::move(values);
  return m;
}

}  // namespace

TEST_CASE("SaysTheWidthAsScikitLearnDoes") {
  const auto got = check_input(Frame(matrix(1, 3, {1, 2, 3})), scaler_rule());
  REQUIRE_FALSE(got.has_value());
  REQUIRE(got.error().message == "X has 3 features, but StandardScaler is expecting 2 features as input.");
}

TEST_CASE("ReordersColumnsByName") {
  DataFrame frame;
  frame.rows = 2;
  frame.columns = {numbers("fare", {7, 8}), numbers("age", {30, 40})};
  const auto got = check_input(Frame(frame), scaler_rule());
  REQUIRE(got.has_value());
  REQUIRE((*got)->values == std::vector<double>{30, 7, 40, 8});
}

TEST_CASE("NamesMissingAndUnseenColumns") {
  DataFrame frame;
  frame.rows = 1;
  frame.columns = {numbers("price", {7}), numbers("age", {30})};
  const auto got = check_input(Frame(frame), scaler_rule());
  REQUIRE_FALSE(got.has_value());
  REQUIRE(
      got.error().message ==
      "The feature names should match those that were passed during fit.\nFeature names unseen at fit time:\n- price"
      "\nFeature names seen at fit time, yet now missing:\n- fare");
}

TEST_CASE("ReadsNumbersInTextColumnsAndRefusesWords") {
  DataFrame frame;
  frame.rows = 2;
  frame.columns = {texts("age", {"30", " 4.5e1 "}), numbers("fare", {7, 8})};
  const auto got = check_input(Frame(frame), scaler_rule());
  REQUIRE(got.has_value());
  REQUIRE((*got)->values == std::vector<double>{30, 7, 45, 8});
  frame.columns[0].texts[1] = "old";
  const auto refused = check_input(Frame(frame), scaler_rule());
  REQUIRE_FALSE(refused.has_value());
  REQUIRE(refused.error().message ==
          "could not convert string to float: 'old' (column 'age'). StandardScaler takes numbers only.");
}

TEST_CASE("RefusesNanAndInfinityUnlessAllowed") {
  InputRule rule = scaler_rule();
  const Frame nan(matrix(1, 2, {1, NAN}));
  const Frame infinite(matrix(1, 2, {1, INFINITY}));
  REQUIRE(check_input(nan, rule).error().message.starts_with("Input X contains NaN."));
  REQUIRE(check_input(infinite, rule).error().message ==
          "Input X contains infinity or a value too large for dtype('float64').");
  rule.finite = Finite::nan_allowed;
  REQUIRE(check_input(nan, rule).has_value());
  REQUIRE_FALSE(check_input(infinite, rule).has_value());
}

TEST_CASE("RefusesEmptyBatches") {
  const auto got = check_input(Frame(matrix(0, 2, {})), scaler_rule());
  REQUIRE_FALSE(got.has_value());
  REQUIRE(got.error().message ==
          "Found array with 0 sample(s) (shape=(0, 2)) while a minimum of 1 is required by StandardScaler.");
}

TEST_CASE("KnowsOldModuleNames") {
  REQUIRE(canonical_class("sklearn.svm.classes", "SVC") == "sklearn.svm.SVC");
  REQUIRE(canonical_class("sklearn.svm._classes", "SVC") == "sklearn.svm.SVC");
  REQUIRE(canonical_class("sklearn.ensemble.forest", "RandomForestClassifier") ==
          "sklearn.ensemble.RandomForestClassifier");
  REQUIRE(canonical_class("sklearn.feature_extraction.text", "CountVectorizer") ==
          "sklearn.feature_extraction.text.CountVectorizer");
  REQUIRE(canonical_class("sklearn.ensemble._hist_gradient_boosting.gradient_boosting",
                          "HistGradientBoostingClassifier") == "sklearn.ensemble.HistGradientBoostingClassifier");
  REQUIRE(canonical_class("__main__", "Mine") == "__main__.Mine");
}

TEST_CASE("PromotesAsNumpyDoes") {
  REQUIRE(promote(DType::int64, DType::fp32) == DType::fp64);
  REQUIRE(promote(DType::int16, DType::fp32) == DType::fp32);
  REQUIRE(promote(DType::fp32, DType::fp64) == DType::fp64);
  REQUIRE(promote(DType::boolean, DType::int8) == DType::int8);
  REQUIRE(promote(DType::uint64, DType::int64) == DType::fp64);
  REQUIRE(promote(DType::uint8, DType::int8) == DType::int16);
}

TEST_CASE("EveryClassIsInTheTableOnce") {
  const auto table = estimator_table();
  REQUIRE(table.size() > 80);
  for (std::size_t i = 1; i < table.size(); ++i) {
    INFO(table[i].class_name);
    REQUIRE(table[i - 1].class_name < table[i].class_name);
    REQUIRE(find_class(table[i].class_name) == &table[i]);
  }
  REQUIRE(find_class("sklearn.nothing.Nobody") == nullptr);
}
