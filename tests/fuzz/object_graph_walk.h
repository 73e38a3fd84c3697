// Reads every node of a graph in every way its kind offers. Results do not matter; crashes and sanitizer reports do.
#pragma once

#include <algorithm>

#include "jackdaw/formats/object_graph.h"

namespace jackdaw::formats {

inline void convert(const ObjectGraph& graph, NodeId node) {
  (void)to_number(graph, node);
  if (is_ndarray(graph, node)) {
    const auto array = to_ndarray(graph, node);
    if (!array) return;
    (void)to_doubles(graph, *array);
    (void)to_floats(graph, *array);
    (void)to_int64s(graph, *array);
    (void)to_strings(graph, *array);
    for (const auto& field : array->dtype.fields) {
      (void)field_doubles(*array, field.name);
      (void)field_int64s(*array, field.name);
    }
  }
  if (is_csr(graph, node)) (void)to_csr(graph, node);
}

inline void walk_graph(const ObjectGraph& graph) {
  // Conversions cost up to the stream's size each; a few hundred nodes are enough to meet every path.
  const NodeId count = static_cast<NodeId>(std::min<std::size_t>(graph.size(), 300));
  for (NodeId node = 0; node < count; ++node) {
    (void)graph.offset(node);
    (void)graph.class_name(node);
    (void)graph.attribute(node, "coef_");
    switch (graph.kind(node)) {
      case NodeKind::text:
        (void)graph.text(node).size();
        break;
      case NodeKind::bytes:
      case NodeKind::big_integer:
        (void)graph.bytes(node).size();
        break;
      case NodeKind::tuple:
      case NodeKind::list:
      case NodeKind::set:
      case NodeKind::frozenset:
      case NodeKind::dict:
        for (const NodeId child : graph.items(node)) (void)graph.kind(child);
        break;
      case NodeKind::object:
        for (const NodeId child : graph.object(node).appended) (void)graph.kind(child);
        for (const NodeId child : graph.object(node).set_items) (void)graph.kind(child);
        break;
      case NodeKind::array:
        (void)graph.array(node).data.size();
        break;
      default:
        break;
    }
    convert(graph, node);
  }
}

}  // namespace jackdaw::formats
