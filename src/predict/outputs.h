// Outputs: from arrays of numbers to the tensors of an answer, in the shape each dialect gives them.
#pragma once

#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "jackdaw/base/bytes.h"
#include "jackdaw/engine/engine.h"
#include "src/predict/frame.h"
#include "src/predict/sklearn/estimator.h"

namespace jackdaw::predict {

// A tensor with room for its elements, unset.
engine::Tensor make_output(DType dtype, std::vector<std::int64_t> shape);

// [rows] for one column, [rows, cols] for more: numpy's shapes of a prediction.
std::vector<std::int64_t> prediction_shape(std::size_t rows, std::size_t cols);

// Names the tensor; MLServer's codec makes [N] to [N,1] and says "np".
engine::Tensor named(engine::Tensor tensor, std::string_view name, bool mlserver);

// The arrays of one method as one tensor: several of one shape (a list of per-output arrays) are stacked along a new
// first axis as numpy.array does; arrays that differ in shape stay several.
std::vector<engine::Tensor> stacked(Output output);

// A transformer's result as arrays: a matrix (dense), texts, or one array per column of a frame that holds texts.
Result<std::vector<engine::Tensor>> frame_tensors(Frame frame);

// Refuses answers of more than 2^28 elements before memory is asked for.
Result<void> check_answer_size(std::size_t rows, std::size_t cols);

// KServe's answer: the one result under "output-0", once for each time it was asked for; another name is an error.
Result<std::vector<engine::Tensor>> kserve_outputs(std::vector<engine::Tensor> result,
                                                   const engine::InferenceRequest& request,
                                                   std::string_view model_name);

}  // namespace jackdaw::predict
