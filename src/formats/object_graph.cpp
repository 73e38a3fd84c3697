#include "jackdaw/formats/object_graph.h"

#include <bit>
#include <utility>

#include "src/formats/object_graph_impl.h"
#include "src/formats/pickle_vm.h"

namespace jackdaw::formats {

namespace {

// How much may follow the pickle's STOP: Python reads the first of several pickles in a file and ignores the rest.
constexpr std::uint64_t trailing_bytes_max = 64ull << 20;

std::uint32_t low(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}
std::uint32_t high(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32);
}

// Functions whose first argument is the class of what they make.
bool makes_its_argument(std::string_view name) {
  return name == "_reconstructor" || name == "__newobj__" || name == "__newobj_ex__" || name == "newObj" ||
         name == "_reconstruct" || name.starts_with("__pyx_unpickle_");
}

}  // namespace

std::string_view kind_name(NodeKind kind) {
  switch (kind) {
    case NodeKind::none:
      return "None";
    case NodeKind::boolean:
      return "bool";
    case NodeKind::integer:
    case NodeKind::big_integer:
      return "int";
    case NodeKind::real:
      return "float";
    case NodeKind::text:
      return "str";
    case NodeKind::bytes:
      return "bytes";
    case NodeKind::tuple:
      return "tuple";
    case NodeKind::list:
      return "list";
    case NodeKind::set:
      return "set";
    case NodeKind::frozenset:
      return "frozenset";
    case NodeKind::dict:
      return "dict";
    case NodeKind::global:
      return "class or function name";
    case NodeKind::object:
      return "object";
    case NodeKind::array:
      return "numpy array";
  }
  return "?";
}

// ---- Impl: reading --------------------------------------------------------------------------------------------------

std::int64_t GraphImpl::integer(NodeId node) const {
  CHECK(kind(node) == NodeKind::integer);
  return static_cast<std::int64_t>(nodes[node].value);
}
double GraphImpl::real(NodeId node) const {
  CHECK(kind(node) == NodeKind::real);
  return std::bit_cast<double>(nodes[node].value);
}
std::string_view GraphImpl::text(NodeId node) const {
  CHECK(kind(node) == NodeKind::text);
  const Node& n = nodes[node];
  return {reinterpret_cast<const char*>(n.value), n.a | static_cast<std::uint64_t>(n.b) << 32};
}
Bytes GraphImpl::bytes(NodeId node) const {
  CHECK(kind(node) == NodeKind::bytes || kind(node) == NodeKind::big_integer);
  const Node& n = nodes[node];
  return {reinterpret_cast<const std::byte*>(n.value), n.a | static_cast<std::uint64_t>(n.b) << 32};
}
std::span<const NodeId> GraphImpl::items(NodeId node) const {
  const NodeKind k = kind(node);
  CHECK(k == NodeKind::tuple || k == NodeKind::list || k == NodeKind::set || k == NodeKind::frozenset ||
        k == NodeKind::dict);
  return {children.data() + nodes[node].value, nodes[node].a};
}
const GlobalName& GraphImpl::global(NodeId node) const {
  CHECK(kind(node) == NodeKind::global);
  return globals[nodes[node].a];
}
const ObjectRecord& GraphImpl::object(NodeId node) const {
  CHECK(kind(node) == NodeKind::object);
  return objects[nodes[node].a];
}
ObjectParts GraphImpl::object_parts(NodeId node) const {
  const ObjectRecord& record = object(node);
  ObjectParts parts{record.callable, record.args, record.kwargs, record.state, {}, {}};
  if (record.extra != no_node) {
    parts.appended = children_of(extras[record.extra].appended);
    parts.set_items = children_of(extras[record.extra].set_items);
  }
  return parts;
}
const ArrayRecord& GraphImpl::array(NodeId node) const {
  CHECK(kind(node) == NodeKind::array);
  return arrays[nodes[node].a];
}

// Python's later assignment wins, so the search starts at the end.
NodeId GraphImpl::find_key(std::span<const NodeId> pairs, std::string_view key) const {
  for (std::size_t i = pairs.size(); i >= 2; i -= 2) {
    if (kind(pairs[i - 2]) == NodeKind::text && text(pairs[i - 2]) == key) return pairs[i - 1];
  }
  return no_node;
}

NodeId GraphImpl::attribute(NodeId node, std::string_view key) const {
  if (node == no_node) return no_node;
  if (kind(node) == NodeKind::dict) return find_key(items(node), key);
  if (kind(node) != NodeKind::object) return no_node;
  const ObjectParts parts = object_parts(node);
  if (parts.state != no_node && kind(parts.state) == NodeKind::dict) {
    if (const NodeId found = find_key(items(parts.state), key); found != no_node) return found;
  }
  if (parts.state != no_node && kind(parts.state) == NodeKind::tuple && items(parts.state).size() == 2) {
    for (const NodeId part : items(parts.state)) {
      if (kind(part) != NodeKind::dict) continue;
      if (const NodeId found = find_key(items(part), key); found != no_node) return found;
    }
  }
  return find_key(parts.set_items, key);
}

NodeId GraphImpl::class_of(NodeId node) const {
  if (!is(node, NodeKind::object)) return no_node;
  const ObjectRecord& record = object(node);
  if (!is(record.callable, NodeKind::global)) return no_node;
  if (makes_its_argument(global(record.callable).name) && is(record.args, NodeKind::tuple)) {
    const auto args = items(record.args);
    if (!args.empty() && kind(args[0]) == NodeKind::global) return args[0];
  }
  return record.callable;
}

// ---- Impl: building -------------------------------------------------------------------------------------------------

NodeId GraphImpl::add(NodeKind kind, std::uint64_t offset, std::uint64_t value, std::uint32_t a, std::uint32_t b) {
  nodes.push_back({value, offset << 8 | static_cast<std::uint64_t>(kind), a, b});
  return static_cast<NodeId>(nodes.size() - 1);
}

NodeId GraphImpl::add_view(NodeKind kind, std::uint64_t offset, Bytes view) {
  return add(kind, offset, reinterpret_cast<std::uintptr_t>(view.data()), low(view.size()), high(view.size()));
}

NodeId GraphImpl::add_decoded(NodeKind kind, std::uint64_t offset, std::string content) {
  decoded.push_back(std::move(content));
  return add_view(kind, offset, as_bytes(decoded.back()));
}

NodeId GraphImpl::add_container(NodeKind kind, std::uint64_t offset, std::span<const NodeId> ids) {
  const NodeId node = add(kind, offset);
  if (!ids.empty()) CHECK(append(node, ids));
  return node;
}

bool GraphImpl::append(NodeId container, std::span<const NodeId> ids) {
  Node& node = nodes[container];
  ChildRange range{node.value, node.a, node.b};
  if (!grow(range, ids)) return false;
  node.value = range.begin;
  node.a = range.count;
  node.b = range.capacity;
  return true;
}

bool GraphImpl::append_to_object(NodeId object, bool as_items, std::span<const NodeId> ids) {
  ObjectRecord& record = objects[nodes[object].a];
  if (record.extra == no_node) {
    record.extra = static_cast<std::uint32_t>(extras.size());
    extras.emplace_back();
  }
  ObjectExtra& extra = extras[record.extra];
  return grow(as_items ? extra.set_items : extra.appended, ids);
}

// Ranges at the pool's end grow in place; others move to the end with twice the room, so copies stay linear.
bool GraphImpl::grow(ChildRange& range, std::span<const NodeId> ids) {
  if (range.capacity == ChildRange::frozen) return false;
  const std::uint64_t needed = std::uint64_t{range.count} + ids.size();
  if (needed >= ChildRange::frozen) return false;
  if (needed > range.capacity) {
    const bool at_end = range.begin + range.capacity == children.size() && range.capacity > 0;
    std::uint64_t capacity = needed;
    if (!at_end) {
      if (range.count > 0) capacity = std::max<std::uint64_t>(needed, std::uint64_t{range.count} * 2);
      if (capacity >= ChildRange::frozen) capacity = needed;
      const std::uint64_t begin = children.size();
      children.resize(begin + capacity, no_node);
      std::copy_n(children.begin() + static_cast<std::ptrdiff_t>(range.begin), range.count,
                  children.begin() + static_cast<std::ptrdiff_t>(begin));
      range.begin = begin;
    } else {
      children.resize(range.begin + capacity, no_node);
    }
    range.capacity = static_cast<std::uint32_t>(capacity);
  }
  std::copy(ids.begin(), ids.end(), children.begin() + static_cast<std::ptrdiff_t>(range.begin + range.count));
  range.count = static_cast<std::uint32_t>(needed);
  return true;
}

// ---- ObjectGraph ----------------------------------------------------------------------------------------------------

ObjectGraph::ObjectGraph(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ObjectGraph::ObjectGraph(ObjectGraph&&) noexcept = default;
ObjectGraph& ObjectGraph::operator=(ObjectGraph&&) noexcept = default;
ObjectGraph::~ObjectGraph() = default;

NodeId ObjectGraph::root() const {
  return impl_->root;
}
std::size_t ObjectGraph::size() const {
  return impl_->nodes.size();
}
NodeKind ObjectGraph::kind(NodeId node) const {
  return impl_->kind(node);
}
std::uint64_t ObjectGraph::offset(NodeId node) const {
  return impl_->offset(node);
}
bool ObjectGraph::boolean(NodeId node) const {
  CHECK(kind(node) == NodeKind::boolean);
  return impl_->nodes[node].value != 0;
}
std::int64_t ObjectGraph::integer(NodeId node) const {
  return impl_->integer(node);
}
double ObjectGraph::real(NodeId node) const {
  return impl_->real(node);
}
std::string_view ObjectGraph::text(NodeId node) const {
  return impl_->text(node);
}
Bytes ObjectGraph::bytes(NodeId node) const {
  return impl_->bytes(node);
}
std::span<const NodeId> ObjectGraph::items(NodeId node) const {
  return impl_->items(node);
}
std::string_view ObjectGraph::module(NodeId node) const {
  return impl_->global(node).module;
}
std::string_view ObjectGraph::name(NodeId node) const {
  return impl_->global(node).name;
}
ObjectParts ObjectGraph::object(NodeId node) const {
  return impl_->object_parts(node);
}

ObjectGraph::ArrayParts ObjectGraph::array(NodeId node) const {
  const ArrayRecord& record = impl_->array(node);
  ArrayParts parts{record.dtype, record.shape, record.fortran_order, record.data, {}};
  if (record.objects != no_node) parts.objects = impl_->items(record.objects);
  return parts;
}

std::string ObjectGraph::class_name(NodeId node) const {
  if (node == no_node) return {};
  NodeId named = no_node;
  if (kind(node) == NodeKind::global) named = node;
  if (kind(node) == NodeKind::object) named = impl_->class_of(node);
  if (named == no_node) return {};
  const GlobalName& global = impl_->global(named);
  return fmt::format("{}.{}", global.module, global.name);
}

NodeId ObjectGraph::attribute(NodeId node, std::string_view key) const {
  return impl_->attribute(node, key);
}

Result<ObjectGraph> read_object_graph(std::vector<std::byte> file, const ReadLimits& limits) {
  auto impl = std::make_unique<ObjectGraph::Impl>();
  impl->info.file_bytes = file.size();
  impl->info.compression = detect_compression(file);
  if (impl->info.compression != Compression::none) {
    const DecompressLimits caps{.bytes_max = limits.stream_bytes_max, .expansion_max = limits.expansion_max};
    JACKDAW_ASSIGN(impl->stream, decompress(file, impl->info.compression, caps));
    file = {};
  } else {
    if (file.size() > limits.stream_bytes_max) {
      return make_error(Code::too_large, "the file has {} bytes, more than the limit of {}", file.size(),
                        limits.stream_bytes_max);
    }
    impl->stream = ByteStore(std::move(file));
  }
  const Bytes stream = impl->stream.bytes();
  impl->info.stream_bytes = stream.size();
  ByteReader reader(stream);
  PickleVm vm(*impl, reader, limits, PickleVm::Place::outer);
  JACKDAW_ASSIGN(impl->root, vm.run());
  impl->info.protocol = vm.protocol();
  impl->info.trailing_bytes = reader.remaining();
  if (reader.remaining() > trailing_bytes_max) {
    return error_at(reader.offset(), Code::too_large, "{} bytes follow the end of the pickle; at most {} are ignored",
                    reader.remaining(), trailing_bytes_max);
  }
  return ObjectGraph(std::move(impl));
}

}  // namespace jackdaw::formats
