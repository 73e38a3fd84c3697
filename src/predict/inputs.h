// Inputs: from the tensors of a request to what models compute on.
//
// Tree models take straight rows of float or double; scikit-learn's estimators take a Frame. Numbers of every datatype
// are accepted where floats are wanted, nulls become NaN, BYTES cells are read as numbers where they are some.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "jackdaw/base/bytes.h"
#include "jackdaw/engine/engine.h"
#include "src/predict/frame.h"

namespace jackdaw::predict {

// Elements of a tensor as T (float or double), NaN where null. `out` has room for element_count(). Errors: a text that
// is no number ("could not convert string to float: 'wide'").
template <typename T>
Result<void> read_elements(const engine::Tensor& tensor, T* out);

// The tensor of a matrix request. MLServer's codec wants exactly one; KServe reads the first and ignores the others.
Result<const engine::Tensor*> matrix_tensor(const engine::InferenceRequest& request, bool mlserver);
// Shape and data agree; else in numpy's words.
Result<void> check_tensor(const engine::Tensor& tensor);
// "(2,4)", as Python prints a shape.
std::string shape_text(std::span<const std::int64_t> shape);

// Rows of a request, for estimates: the first dimension of a matrix, the longest column of a frame.
std::size_t request_rows(const engine::InferenceRequest& request);

// Names of categories per feature: what a text stands for.
class CategoryTable {
 public:
  // Codes are places in the list. `numbers` goes with categories that are numbers (then `texts` is not looked at).
  void set(std::size_t feature, const std::vector<std::string>& texts, const std::vector<double>& numbers);
  bool has(std::size_t feature) const { return features_.contains(feature); }
  bool empty() const { return features_.empty(); }
  // NaN when unknown.
  double code(std::size_t feature, const std::string& text) const;
  double code(std::size_t feature, double number) const;

 private:
  struct Codes {
    std::unordered_map<std::string, double> by_text;
    std::unordered_map<double, double> by_number;
  };
  std::unordered_map<std::size_t, Codes> features_;
};

// The calling thread's buffer for rows, empty of meaning between calls. A large request does not keep its memory.
template <typename T>
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    if (values().capacity() > (1u << 18)) values() = {};
  }
  std::vector<T>& values() const {
    thread_local std::vector<T> buffer;
    return buffer;
  }
};

// How a tree library takes a data frame.
struct ColumnRule {
  std::span<const std::string> names;  // of the model's features; empty = by order
  std::size_t n_features = 0;
  const CategoryTable* categories = nullptr;
  bool absent_is_missing = false;   // LightGBM: a feature without column is missing; XGBoost refuses
  bool unknown_is_missing = false;  // an unknown category likewise
};

// A data frame as rows of doubles, n x n_features. Columns go by name when the model has names and the request uses any
// of them, else by order; further columns are ignored when by name. Shorter columns are filled with NaN, as pandas
// does. When a column holds texts, the request speaks in category names: numeric categories are then looked up by value
// too.
struct FrameRows {
  std::size_t rows = 0;
  std::vector<double> values;
};
Result<FrameRows> rows_from_columns(const engine::InferenceRequest& request, const ColumnRule& rule);

// scikit-learn: matrix, data frame or texts. `texts`: the estimator takes raw documents. `class_name` is for messages.
// A flat [N] is a column when the estimator was fitted on one feature; otherwise it is refused as scikit-learn does.
struct FrameRule {
  bool mlserver = false;
  bool texts = false;
  std::int64_t n_features = -1;
  std::string_view class_name;
};
Result<Frame> frame_from_request(const engine::InferenceRequest& request, const FrameRule& rule);

}  // namespace jackdaw::predict
