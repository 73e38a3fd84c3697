// The storage behind ObjectGraph: 24-byte nodes, one pool of child ids, and side tables for the few fat kinds.
//
// The pickle VM fills it, everybody else reads it. Memory stays proportional to the stream: a node costs at least one
// opcode byte, a child id at least one more, and text, bytes and array data are views of the stream itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "jackdaw/base/bytes.h"
#include "jackdaw/base/result.h"
#include "jackdaw/formats/object_graph.h"
#include "src/formats/compression.h"

namespace jackdaw::formats {

struct Node {
  std::uint64_t value = 0;            // number bits, pointer of text/bytes, or first child
  std::uint64_t offset_and_kind = 0;  // stream offset << 8 | NodeKind
  std::uint32_t a = 0;                // child count, low half of a length, or index in a side table
  std::uint32_t b = 0;                // child capacity, or high half of a length
};
static_assert(sizeof(Node) == 24);

// Children of one growing container in the pool. `frozen` as capacity: may not grow, its ids belong to another node.
struct ChildRange {
  static constexpr std::uint32_t frozen = 0xffffffffu;
  std::uint64_t begin = 0;
  std::uint32_t count = 0;
  std::uint32_t capacity = 0;
};

struct ObjectRecord {
  NodeId callable = no_node;
  NodeId args = no_node;
  NodeId kwargs = no_node;
  NodeId state = no_node;
  std::uint32_t extra = no_node;  // index into `extras`; most objects have none
};

struct ObjectExtra {
  ChildRange appended;
  ChildRange set_items;
};

struct GlobalName {
  std::string_view module;
  std::string_view name;
};

struct ArrayRecord {
  const NumpyDType* dtype = nullptr;
  std::vector<std::int64_t> shape;
  bool fortran_order = false;
  Bytes data;
  NodeId objects = no_node;  // list node with the elements of dtype O
};

// What the reader learned about the file as a whole; `inspect` prints it.
struct StreamInfo {
  Compression compression = Compression::none;
  std::uint64_t file_bytes = 0;
  std::uint64_t stream_bytes = 0;
  std::uint64_t trailing_bytes = 0;
  int protocol = 0;
};

struct ObjectGraph::Impl {
  std::vector<Node> nodes;
  std::vector<NodeId> children;
  std::vector<ObjectRecord> objects;
  std::vector<ObjectExtra> extras;
  std::vector<GlobalName> globals;
  std::vector<ArrayRecord> arrays;
  std::deque<NumpyDType> dtypes;                           // stable addresses
  std::unordered_map<NodeId, const NumpyDType*> dtype_of;  // a dtype node is read once
  std::unordered_map<NodeId, NodeId> encoded_of;           // text node -> its latin-1 bytes
  std::deque<std::string> decoded;                         // text and bytes that are not in the stream as they are
  ByteStore stream;
  StreamInfo info;
  NodeId root = no_node;

  NodeKind kind(NodeId node) const {
    if (node >= nodes.size()) check_failed("node < nodes.size()", __FILE__, __LINE__);
    return static_cast<NodeKind>(nodes[node].offset_and_kind & 0xff);
  }
  bool is(NodeId node, NodeKind wanted) const { return node != no_node && kind(node) == wanted; }
  std::uint64_t offset(NodeId node) const {
    if (node >= nodes.size()) check_failed("node < nodes.size()", __FILE__, __LINE__);
    return nodes[node].offset_and_kind >> 8;
  }
  void set_kind(NodeId node, NodeKind kind) {
    nodes[node].offset_and_kind =
        (nodes[node].offset_and_kind & ~std::uint64_t{0xff}) | static_cast<std::uint64_t>(kind);
  }

  std::int64_t integer(NodeId node) const;
  double real(NodeId node) const;
  std::string_view text(NodeId node) const;
  Bytes bytes(NodeId node) const;
  std::span<const NodeId> items(NodeId node) const;
  const GlobalName& global(NodeId node) const;
  const ObjectRecord& object(NodeId node) const;
  ObjectParts object_parts(NodeId node) const;
  const ArrayRecord& array(NodeId node) const;
  NodeId attribute(NodeId node, std::string_view key) const;
  // The global an object is an instance of: its callable, or the class handed to copyreg._reconstructor and its kin.
  // no_node when neither is a global.
  NodeId class_of(NodeId node) const;

  NodeId add(NodeKind kind, std::uint64_t offset, std::uint64_t value = 0, std::uint32_t a = 0, std::uint32_t b = 0);
  NodeId add_view(NodeKind kind, std::uint64_t offset, Bytes view);
  NodeId add_decoded(NodeKind kind, std::uint64_t offset, std::string content);
  NodeId add_container(NodeKind kind, std::uint64_t offset, std::span<const NodeId> ids);
  // False when the container may not grow (frozen, or 2^32 children).
  bool append(NodeId container, std::span<const NodeId> ids);
  bool append_to_object(NodeId object, bool as_items, std::span<const NodeId> ids);

 private:
  bool grow(ChildRange& range, std::span<const NodeId> ids);
  std::span<const NodeId> children_of(const ChildRange& range) const {
    return {children.data() + range.begin, range.count};
  }
  NodeId find_key(std::span<const NodeId> pairs, std::string_view key) const;
};

using GraphImpl = ObjectGraph::Impl;

// The name of a kind in error texts: "list", "numpy array".
std::string_view kind_name(NodeKind kind);

// An error that says where in the stream it is.
template <typename... Args>
Error error_at(std::uint64_t offset, Code code, fmt::format_string<Args...> format, Args&&... args) {
  return Error{code, fmt::format(format, std::forward<Args>(args)...), fmt::format("offset {}", offset)};
}

}  // namespace jackdaw::formats
