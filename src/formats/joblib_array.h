// joblib's array wrapper (joblib/numpy_pickle.py NumpyArrayWrapper). Where a pickle would hold an ndarray, joblib >=
// 0.10 writes an object NumpyArrayWrapper{subclass, shape, order, dtype, allow_mmap, numpy_array_alignment_bytes};
// right behind its BUILD opcode the stream holds
//   1. joblib >= 1.2, when numpy_array_alignment_bytes is there and not None: a byte p, then p bytes of padding;
//   2. product(shape) x itemsize raw bytes; order 'F' means they are laid out column by column;
//   or, when the dtype holds Python objects, a whole pickle of the array with its own STOP instead of both.
#pragma once

#include "jackdaw/base/bytes.h"
#include "jackdaw/base/result.h"
#include "src/formats/object_graph_impl.h"

namespace jackdaw::formats {

// True for NumpyArrayWrapper and for the side-file wrappers of joblib < 0.10, which read_joblib_array refuses.
bool is_joblib_array_wrapper(const GraphImpl& graph, NodeId object);

// Turns the wrapper into a node of kind array; `in` stands right behind its BUILD and is moved past the elements.
Result<void> read_joblib_array(GraphImpl& graph, NodeId wrapper, ByteReader& in, const ReadLimits& limits);

}  // namespace jackdaw::formats
