// numpy.dtype and array shapes as pickle describes them:
//   dtype('f8', False, True) + BUILD (3, '<', subdtype, names, fields, itemsize, alignment, flags)
// names is a tuple, fields a dict {name: (dtype, offset[, title])}. Fields are read by name and offset, never by
// position.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "jackdaw/base/result.h"
#include "src/formats/object_graph_impl.h"

namespace jackdaw::formats {

// The dtype at `node`; read once per node and kept in the graph. Errors: unsupported for subarrays and dtypes of other
// libraries, parse_error for what is no dtype.
Result<const NumpyDType*> dtype_of_node(GraphImpl& graph, NodeId node);
Result<NumpyDType> parse_dtype(const GraphImpl& graph, NodeId node);

// A tuple of non-negative integers (a single integer counts as one dimension), at most 32 of them.
Result<std::vector<std::int64_t>> shape_of_node(const GraphImpl& graph, NodeId node);

// Bytes of an array; false when the shape overflows or more than `available` bytes would be needed. Elements without
// bytes (dtype 'S0') count as one byte against `available`, so that a shape alone cannot ask for endless work.
bool array_bytes(std::span<const std::int64_t> shape, const NumpyDType& dtype, std::uint64_t available,
                 std::uint64_t& length);

// Kind O, or a structure with such a field.
bool holds_objects(const NumpyDType& dtype);

// "(3, 4)" and "float64", "<U10", "V56{left_child, ...}" for people.
std::string shape_text(std::span<const std::int64_t> shape);
std::string dtype_text(const NumpyDType& dtype);

}  // namespace jackdaw::formats
