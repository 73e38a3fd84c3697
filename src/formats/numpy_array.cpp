// Finds the ndarray behind a node, whichever way it was pickled:
//   numpy.core.multiarray._reconstruct(cls, (0,), b'b') + BUILD (1, shape, dtype, is_fortran, bytes | list)
//   numpy.core.numeric._frombuffer(buffer, dtype, shape, order)                                     protocol 5
//   numpy.core.multiarray.scalar(dtype, bytes)                                                      a numpy scalar
//   joblib's wrapper                                                                                kind array
// each also as numpy._core.* (numpy 2).
#include <cmath>
#include <utility>

#include "src/formats/numpy_dtype.h"
#include "src/formats/numpy_element.h"
#include "src/formats/object_graph_impl.h"

namespace jackdaw::formats {

namespace {

enum class ArrayForm : unsigned char { no_array, wrapped, reconstructed, from_buffer, scalar };

ArrayForm array_form(const GraphImpl& graph, NodeId node) {
  if (node == no_node) return ArrayForm::no_array;
  if (graph.kind(node) == NodeKind::array) return ArrayForm::wrapped;
  if (graph.kind(node) != NodeKind::object) return ArrayForm::no_array;
  const NodeId callable = graph.object(node).callable;
  if (!graph.is(callable, NodeKind::global)) return ArrayForm::no_array;
  const auto& [module, name] = graph.global(callable);
  if (module == "numpy.core.multiarray" || module == "numpy._core.multiarray") {
    if (name == "_reconstruct") return ArrayForm::reconstructed;
    if (name == "scalar") return ArrayForm::scalar;
  }
  if ((module == "numpy.core.numeric" || module == "numpy._core.numeric") && name == "_frombuffer")
    return ArrayForm::from_buffer;
  return ArrayForm::no_array;
}

Error bad_array(const GraphImpl& graph, NodeId node, std::string_view why) {
  return error_at(graph.offset(node), Code::parse_error, "a numpy array that cannot be read: {}", why);
}

// bytes, or the ASCII str of Python 2.
bool raw_bytes(const GraphImpl& graph, NodeId node, Bytes& out) {
  if (graph.is(node, NodeKind::bytes)) {
    out = graph.bytes(node);
    return true;
  }
  if (graph.is(node, NodeKind::text)) {
    out = as_bytes(graph.text(node));
    return true;
  }
  return false;
}

Result<void> check_size(const GraphImpl& graph, NodeId node, const NdArray& array) {
  std::uint64_t length = 0;
  const bool fits = array_bytes(array.shape, array.dtype, graph.info.stream_bytes, length);
  if (fits && length == array.data.size()) return {};
  return bad_array(graph, node,
                   fmt::format("shape {} of {} does not match its {} bytes", shape_text(array.shape),
                               dtype_text(array.dtype), array.data.size()));
}

Result<void> set_objects(const GraphImpl& graph, NodeId node, NodeId list, NdArray& array) {
  if (!graph.is(list, NodeKind::list)) return bad_array(graph, node, "its elements are no list");
  array.objects = graph.items(list);
  array.fortran_order = false;  // numpy lists objects in C order, whatever the array's own order
  std::int64_t count = 0;
  if (element_count(array.shape, count) && static_cast<std::uint64_t>(count) == array.objects.size()) return {};
  return bad_array(graph, node, fmt::format("shape {} with {} objects", shape_text(array.shape), array.objects.size()));
}

Result<NdArray> from_wrapped(const GraphImpl& graph, NodeId node) {
  const ArrayRecord& record = graph.array(node);
  NdArray array{*record.dtype, record.shape, record.fortran_order, record.data, {}};
  if (record.objects != no_node) JACKDAW_TRY(set_objects(graph, node, record.objects, array));
  return array;
}

Result<NdArray> from_reconstructed(const GraphImpl& graph, NodeId node) {
  const NodeId state = graph.object(node).state;
  if (!graph.is(state, NodeKind::tuple)) return bad_array(graph, node, "it has no state");
  auto parts = graph.items(state);
  if (parts.size() == 5) parts = parts.subspan(1);  // the version came with numpy 1.0
  if (parts.size() != 4) return bad_array(graph, node, "a state of unknown form");
  NdArray array;
  JACKDAW_ASSIGN(array.shape, shape_of_node(graph, parts[0]));
  JACKDAW_ASSIGN(array.dtype, parse_dtype(graph, parts[1]));
  array.fortran_order = graph.is(parts[2], NodeKind::boolean)
                            ? graph.nodes[parts[2]].value != 0
                            : graph.is(parts[2], NodeKind::integer) && graph.integer(parts[2]) != 0;
  if (holds_objects(array.dtype)) {
    JACKDAW_TRY(set_objects(graph, node, parts[3], array));
    return array;
  }
  if (!raw_bytes(graph, parts[3], array.data)) return bad_array(graph, node, "its data are no bytes");
  JACKDAW_TRY(check_size(graph, node, array));
  return array;
}

Result<NdArray> from_buffer(const GraphImpl& graph, NodeId node) {
  const NodeId args_tuple = graph.object(node).args;
  const auto args = graph.items(args_tuple);
  if (args.size() < 3 || args.size() > 5) return bad_array(graph, node, "_frombuffer with unknown arguments");
  NdArray array;
  if (!raw_bytes(graph, args[0], array.data)) return bad_array(graph, node, "its data are no bytes");
  JACKDAW_ASSIGN(array.dtype, parse_dtype(graph, args[1]));
  JACKDAW_ASSIGN(array.shape, shape_of_node(graph, args[2]));
  array.fortran_order = args.size() > 3 && graph.is(args[3], NodeKind::text) && graph.text(args[3]) == "F";
  if (args.size() == 5 && !graph.is(args[4], NodeKind::none)) {
    return error_at(graph.offset(node), Code::unsupported, "a numpy array with transposed axes is not supported");
  }
  if (holds_objects(array.dtype)) return bad_array(graph, node, "objects in a byte buffer");
  JACKDAW_TRY(check_size(graph, node, array));
  return array;
}

Result<NdArray> from_scalar(const GraphImpl& graph, NodeId node) {
  const auto args = graph.items(graph.object(node).args);
  if (args.size() != 2) return bad_array(graph, node, "scalar with unknown arguments");
  NdArray array;
  JACKDAW_ASSIGN(array.dtype, parse_dtype(graph, args[0]));
  if (array.dtype.kind == 'O') {
    array.objects = args.subspan(1, 1);
    return array;
  }
  if (!raw_bytes(graph, args[1], array.data)) return bad_array(graph, node, "its value is no bytes");
  JACKDAW_TRY(check_size(graph, node, array));
  return array;
}

std::optional<double> big_to_double(Bytes little_endian) {
  double value = 0;
  const bool negative = !little_endian.empty() && (static_cast<std::uint8_t>(little_endian.back()) & 0x80) != 0;
  for (std::size_t i = little_endian.size(); i-- > 0;) {
    const auto byte = static_cast<std::uint8_t>(little_endian[i]);
    value = value * 256 + (negative ? static_cast<std::uint8_t>(~byte) : byte);
  }
  return negative ? -value - 1 : value;
}

}  // namespace

std::int64_t NdArray::count() const {
  std::int64_t count = 0;
  return element_count(shape, count) ? count : 0;
}

bool is_ndarray(const ObjectGraph& graph, NodeId node) {
  return array_form(graph.impl(), node) != ArrayForm::no_array;
}

Result<NdArray> to_ndarray(const ObjectGraph& object_graph, NodeId node) {
  const GraphImpl& graph = object_graph.impl();
  switch (array_form(graph, node)) {
    case ArrayForm::wrapped:
      return from_wrapped(graph, node);
    case ArrayForm::reconstructed:
      return from_reconstructed(graph, node);
    case ArrayForm::from_buffer:
      return from_buffer(graph, node);
    case ArrayForm::scalar:
      return from_scalar(graph, node);
    case ArrayForm::no_array:
      break;
  }
  if (node == no_node) return make_error(Code::not_found, "a numpy array is missing");
  const std::string cls = object_graph.class_name(node);
  return error_at(graph.offset(node), Code::parse_error, "a numpy array was expected, not a {}{}{}",
                  kind_name(graph.kind(node)), cls.empty() ? "" : " ", cls);
}

std::optional<double> to_number(const ObjectGraph& graph, NodeId node) {
  if (node == no_node) return std::nullopt;
  switch (graph.kind(node)) {
    case NodeKind::boolean:
      return graph.boolean(node) ? 1.0 : 0.0;
    case NodeKind::integer:
      return static_cast<double>(graph.integer(node));
    case NodeKind::real:
      return graph.real(node);
    case NodeKind::big_integer:
      return big_to_double(graph.bytes(node));
    case NodeKind::object:
    case NodeKind::array:
      break;
    default:
      return std::nullopt;
  }
  if (!is_ndarray(graph, node)) return std::nullopt;
  auto array = to_ndarray(graph, node);
  if (!array || !array->shape.empty()) return std::nullopt;
  if (!array->objects.empty()) {
    const NodeId element = array->objects[0];
    const NodeKind kind = graph.kind(element);
    if (kind == NodeKind::object || kind == NodeKind::array) return std::nullopt;  // never a number, maybe a cycle
    return to_number(graph, element);
  }
  return read_number(array->data.data(), array->dtype);
}

}  // namespace jackdaw::formats
