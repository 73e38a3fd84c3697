#include "src/formats/joblib_array.h"

#include "src/formats/numpy_dtype.h"
#include "src/formats/pickle_vm.h"

namespace jackdaw::formats {

namespace {

// joblib pads to 16; anything near that is believed.
constexpr std::uint8_t padding_max = 64;

// The list of elements inside the nested pickle's ndarray: state (1, shape, dtype, is_fortran, list).
NodeId object_list(const GraphImpl& graph, NodeId array) {
  if (!graph.is(array, NodeKind::object)) return no_node;
  const NodeId state = graph.object(array).state;
  if (!graph.is(state, NodeKind::tuple) || graph.items(state).empty()) return no_node;
  const NodeId list = graph.items(state).back();
  return graph.is(list, NodeKind::list) ? list : no_node;
}

Result<void> read_nested_objects(GraphImpl& graph, ArrayRecord& record, ByteReader& in, const ReadLimits& limits) {
  const std::uint64_t start = in.offset();
  PickleVm vm(graph, in, limits, PickleVm::Place::nested);
  JACKDAW_ASSIGN(const NodeId root, vm.run());
  record.objects = object_list(graph, root);
  if (record.objects == no_node) {
    return error_at(start, Code::parse_error, "the pickle inside a joblib array of objects is not such an array");
  }
  // numpy lists objects in C order, whatever the array's own order.
  record.fortran_order = false;
  std::int64_t count = 0;
  if (!element_count(record.shape, count) || static_cast<std::uint64_t>(count) != graph.items(record.objects).size()) {
    return error_at(start, Code::parse_error, "a joblib array of objects holds {} elements, not what its shape says",
                    graph.items(record.objects).size());
  }
  return {};
}

Result<void> skip_padding(const GraphImpl& graph, NodeId wrapper, ByteReader& in) {
  const NodeId alignment = graph.attribute(wrapper, "numpy_array_alignment_bytes");
  if (alignment == no_node || graph.is(alignment, NodeKind::none)) return {};
  std::uint8_t padding = 0;
  const std::uint64_t start = in.offset();
  if (!in.read_le(padding)) return error_at(start, Code::parse_error, "the file ends before a joblib array's padding");
  if (padding > padding_max)
    return error_at(start, Code::parse_error, "a joblib array has {} bytes of padding; at most {} make sense", padding,
                    padding_max);
  if (!in.skip(padding)) return error_at(start, Code::parse_error, "the file ends inside a joblib array's padding");
  return {};
}

Result<void> read_elements(const GraphImpl& graph, NodeId wrapper, ArrayRecord& record, ByteReader& in) {
  JACKDAW_TRY(skip_padding(graph, wrapper, in));
  const std::uint64_t start = in.offset();
  std::uint64_t length = 0;
  if (!array_bytes(record.shape, *record.dtype, in.remaining(), length)) {
    return error_at(start, Code::parse_error,
                    "a joblib array of shape {} and {} bytes an element does not fit the {} bytes left",
                    shape_text(record.shape), record.dtype->item_size, in.remaining());
  }
  CHECK(in.take(static_cast<std::size_t>(length), record.data));
  return {};
}

}  // namespace

bool is_joblib_array_wrapper(const GraphImpl& graph, NodeId object) {
  const NodeId cls = graph.class_of(object);
  if (cls == no_node) return false;
  const GlobalName& global = graph.global(cls);
  if (!global.name.ends_with("ArrayWrapper")) return false;
  // joblib.numpy_pickle, joblib.numpy_pickle_compat, sklearn.externals.joblib.numpy_pickle ...
  return global.module.starts_with("joblib.numpy_pickle") ||
         global.module.starts_with("sklearn.externals.joblib.numpy_pickle");
}

Result<void> read_joblib_array(GraphImpl& graph, NodeId wrapper, ByteReader& in, const ReadLimits& limits) {
  const std::uint64_t place = graph.offset(wrapper);
  const std::string_view class_name = graph.global(graph.class_of(wrapper)).name;
  if (class_name != "NumpyArrayWrapper") {
    return error_at(place, Code::unsupported,
                    "{}: this file was written by joblib < 0.10 and keeps its arrays in side files (*_01.npy); load it "
                    "with that joblib and save it again with a newer one",
                    class_name);
  }
  ArrayRecord record;
  JACKDAW_ASSIGN(record.dtype, dtype_of_node(graph, graph.attribute(wrapper, "dtype")));
  JACKDAW_ASSIGN(record.shape, shape_of_node(graph, graph.attribute(wrapper, "shape")));
  const NodeId order = graph.attribute(wrapper, "order");
  record.fortran_order = graph.is(order, NodeKind::text) && graph.text(order) == "F";
  if (holds_objects(*record.dtype)) {
    JACKDAW_TRY(read_nested_objects(graph, record, in, limits));
  } else {
    JACKDAW_TRY(read_elements(graph, wrapper, record, in));
  }
  graph.arrays.push_back(std::move(record));
  graph.nodes[wrapper].a = static_cast<std::uint32_t>(graph.arrays.size() - 1);
  graph.set_kind(wrapper, NodeKind::array);
  return {};
}

}  // namespace jackdaw::formats
