// Labels: reading classes_ and turning argmax indices into predict's output; outputs as numpy would type them.
#pragma once

#include <span>
#include <vector>

#include "src/predict/sklearn/estimator.h"

namespace jackdaw::predict {

// numpy's dtype as ours; nullopt for objects, structures, dates and complex numbers.
std::optional<DType> dtype_of(const formats::NumpyDType& dtype);

// A text, or a numpy.str_ scalar (what an object array may hold instead of plain text); nullopt for anything else.
std::optional<std::string> to_text(const formats::ObjectGraph& graph, formats::NodeId node);

// A classes_ array: numbers, booleans, texts (kinds U, S, and O of one kind of element).
Result<Labels> read_labels(const formats::ObjectGraph& graph, formats::NodeId node);

// An array from doubles, converted to `dtype` (integers are exact, booleans are v != 0).
engine::Tensor make_tensor(DType dtype, std::vector<std::int64_t> shape, std::span<const double> values);
// Shape (n,): labels.at(indices[i]) for each i.
engine::Tensor label_tensor(const Labels& labels, std::span<const std::uint32_t> indices);

Output one_array(engine::Tensor tensor);
Output vector_output(DType dtype, std::span<const double> values);  // shape (n,)
Output matrix_output(const Matrix& m);                              // shape (rows, cols), dense

// Shape (rows, outputs) from one index column per output, as predict of a multi-output classifier stacks them.
// `indices` is output-major: indices[o * rows + r].
engine::Tensor stacked_labels(std::span<const Labels> labels, std::span<const std::uint32_t> indices, std::size_t rows);

}  // namespace jackdaw::predict
