#include "src/formats/numpy_dtype.h"

#include <charconv>
#include <utility>

namespace jackdaw::formats {

namespace {

constexpr int dtype_depth_max = 8;
constexpr std::size_t fields_max = 4096;  // over all levels of one dtype
constexpr std::size_t dimensions_max = 32;
constexpr std::uint32_t item_size_max = 1u << 30;

Error bad_dtype(const GraphImpl& graph, NodeId node, std::string_view why) {
  return error_at(node == no_node ? 0 : graph.offset(node), Code::parse_error, "not a numpy dtype: {}", why);
}

class DTypeParser {
 public:
  explicit DTypeParser(const GraphImpl& graph) : graph_(graph) {}

  Result<NumpyDType> parse(NodeId node, int depth) {
    if (!graph_.is(node, NodeKind::object)) return bad_dtype(graph_, node, "no object");
    if (depth > dtype_depth_max) return bad_dtype(graph_, node, "structures nest too deep");
    const ObjectRecord& record = graph_.object(node);
    if (!is_dtype_global(record.callable)) return unknown_dtype(node, record.callable);
    NumpyDType dtype;
    JACKDAW_TRY(read_type_text(node, record.args, dtype));
    if (graph_.is(record.state, NodeKind::tuple)) JACKDAW_TRY(read_state(node, record.state, depth, dtype));
    return dtype;
  }

 private:
  bool is_dtype_global(NodeId callable) const {
    return graph_.is(callable, NodeKind::global) && graph_.global(callable).module == "numpy" &&
           graph_.global(callable).name == "dtype";
  }

  Error unknown_dtype(NodeId node, NodeId callable) const {
    if (!graph_.is(callable, NodeKind::global)) return bad_dtype(graph_, node, "made by something without a name");
    const GlobalName& global = graph_.global(callable);
    return error_at(graph_.offset(node), Code::unsupported, "dtype {}.{} is not supported", global.module, global.name);
  }

  // args[0] is "f8", "U10", "V56", "O"; or a type such as numpy.record, whose layout is in the state.
  Result<void> read_type_text(NodeId node, NodeId args, NumpyDType& dtype) const {
    if (!graph_.is(args, NodeKind::tuple) || graph_.items(args).empty()) return bad_dtype(graph_, node, "no type text");
    const NodeId first = graph_.items(args)[0];
    if (graph_.is(first, NodeKind::global)) {
      dtype.kind = 'V';
      dtype.item_size = 0;
      return {};
    }
    if (!graph_.is(first, NodeKind::text)) return bad_dtype(graph_, node, "no type text");
    std::string_view text = graph_.text(first);
    if (!text.empty() && std::string_view("<>=|").find(text[0]) != std::string_view::npos) {
      dtype.big_endian = text[0] == '>';
      text.remove_prefix(1);
    }
    if (text.empty() || std::string_view("biufcUSOVMma?").find(text[0]) == std::string_view::npos) {
      return bad_dtype(graph_, node, "an unknown type letter");
    }
    dtype.kind = text[0] == '?' ? 'b' : text[0] == 'a' ? 'S' : text[0];
    std::uint32_t size = dtype.kind == 'b' ? 1 : dtype.kind == 'O' ? 8 : 0;
    text.remove_prefix(1);
    if (!text.empty()) {
      const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), size);
      const bool unit_follows = dtype.kind == 'M' || dtype.kind == 'm';  // "M8[ns]"
      if (code != std::errc{} || (end != text.data() + text.size() && !unit_follows))
        return bad_dtype(graph_, node, "a malformed size");
    }
    if (size > item_size_max / 4) return bad_dtype(graph_, node, "an element size beyond reason");
    dtype.item_size = dtype.kind == 'U' ? size * 4 : size;
    return check_size(node, dtype);
  }

  Result<void> check_size(NodeId node, const NumpyDType& dtype) const {
    const std::uint32_t size = dtype.item_size;
    bool fits = true;
    switch (dtype.kind) {
      case 'b':
        fits = size == 1;
        break;
      case 'i':
      case 'u':
        fits = size == 1 || size == 2 || size == 4 || size == 8;
        break;
      case 'f':
        fits = size == 2 || size == 4 || size == 8 || size == 12 || size == 16;
        break;
      case 'c':
        fits = size == 8 || size == 16 || size == 24 || size == 32;
        break;
      case 'M':
      case 'm':
        fits = size == 8;
        break;
      case 'U':
        fits = size % 4 == 0;
        break;
      default:
        break;
    }
    if (!fits) return bad_dtype(graph_, node, fmt::format("type '{}' cannot have {} bytes", dtype.kind, size));
    return {};
  }

  Result<void> read_state(NodeId node, NodeId state, int depth, NumpyDType& dtype) {
    const auto parts = graph_.items(state);
    if (parts.size() < 5) return bad_dtype(graph_, node, "a state that is too short");
    if (graph_.is(parts[1], NodeKind::text)) dtype.big_endian = graph_.text(parts[1]) == ">";
    if (!graph_.is(parts[2], NodeKind::none)) {
      return error_at(graph_.offset(node), Code::unsupported, "numpy dtypes with subarrays are not supported");
    }
    if (parts.size() > 5 && graph_.is(parts[5], NodeKind::integer) && is_flexible(dtype.kind)) {
      const std::int64_t size = graph_.integer(parts[5]);
      if (size > item_size_max) return bad_dtype(graph_, node, "an element size beyond reason");
      if (size >= 0) dtype.item_size = static_cast<std::uint32_t>(size);
      JACKDAW_TRY(check_size(node, dtype));
    }
    if (graph_.is(parts[3], NodeKind::tuple) && graph_.is(parts[4], NodeKind::dict)) {
      return read_fields(node, parts[3], parts[4], depth, dtype);
    }
    return {};
  }

  static bool is_flexible(char kind) { return kind == 'U' || kind == 'S' || kind == 'V'; }

  Result<void> read_fields(NodeId node, NodeId names, NodeId fields, int depth, NumpyDType& dtype) {
    if (graph_.items(fields).size() > 4 * fields_max) return bad_dtype(graph_, node, "too many fields");
    for (const NodeId name : graph_.items(names)) {
      if (++fields_seen_ > fields_max) return bad_dtype(graph_, node, "too many fields");
      if (!graph_.is(name, NodeKind::text)) return bad_dtype(graph_, node, "a field name that is no text");
      NumpyDType::Field field;
      field.name = graph_.text(name);
      const NodeId entry = graph_.attribute(fields, field.name);
      if (!graph_.is(entry, NodeKind::tuple) || graph_.items(entry).size() < 2) {
        return bad_dtype(graph_, node, fmt::format("field '{}' without its entry", field.name));
      }
      const auto parts = graph_.items(entry);
      JACKDAW_ASSIGN(field.dtype, parse(parts[0], depth + 1));
      if (!graph_.is(parts[1], NodeKind::integer)) return bad_dtype(graph_, node, "a field offset that is no number");
      const std::int64_t offset = graph_.integer(parts[1]);
      if (offset < 0 || offset > dtype.item_size ||
          field.dtype.item_size > dtype.item_size - static_cast<std::uint32_t>(offset)) {
        return bad_dtype(graph_, node, fmt::format("field '{}' lies outside its element", field.name));
      }
      field.offset = static_cast<std::uint32_t>(offset);
      dtype.fields.push_back(std::move(field));
    }
    return {};
  }

  const GraphImpl& graph_;
  std::size_t fields_seen_ = 0;
};

}  // namespace

Result<NumpyDType> parse_dtype(const GraphImpl& graph, NodeId node) {
  return DTypeParser(graph).parse(node, 0);
}

Result<const NumpyDType*> dtype_of_node(GraphImpl& graph, NodeId node) {
  if (const auto found = graph.dtype_of.find(node); found != graph.dtype_of.end()) return found->second;
  JACKDAW_ASSIGN(NumpyDType dtype, parse_dtype(graph, node));
  graph.dtypes.push_back(std::move(dtype));
  graph.dtype_of.emplace(node, &graph.dtypes.back());
  return &graph.dtypes.back();
}

Result<std::vector<std::int64_t>> shape_of_node(const GraphImpl& graph, NodeId node) {
  if (graph.is(node, NodeKind::integer) && graph.integer(node) >= 0)
    return std::vector<std::int64_t>{graph.integer(node)};
  const std::uint64_t place = node == no_node ? 0 : graph.offset(node);
  if (!graph.is(node, NodeKind::tuple)) return error_at(place, Code::parse_error, "an array's shape is not a tuple");
  const auto items = graph.items(node);
  if (items.size() > dimensions_max)
    return error_at(place, Code::parse_error, "an array of {} dimensions", items.size());
  std::vector<std::int64_t> shape;
  for (const NodeId item : items) {
    if (!graph.is(item, NodeKind::integer) || graph.integer(item) < 0) {
      return error_at(place, Code::parse_error, "an array's shape holds something other than lengths");
    }
    shape.push_back(graph.integer(item));
  }
  return shape;
}

bool array_bytes(std::span<const std::int64_t> shape, const NumpyDType& dtype, std::uint64_t available,
                 std::uint64_t& length) {
  std::int64_t count = 0;
  if (!element_count(shape, count)) return false;
  std::uint64_t needed = 0;
  const std::uint64_t items = static_cast<std::uint64_t>(count);
  if (!checked_mul<std::uint64_t>(items, dtype.item_size, needed)) return false;
  if (needed > available || (dtype.item_size == 0 && items > available)) return false;
  length = needed;
  return true;
}

bool holds_objects(const NumpyDType& dtype) {
  if (dtype.kind == 'O') return true;
  for (const auto& field : dtype.fields) {
    if (holds_objects(field.dtype)) return true;
  }
  return false;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "(";
  for (std::size_t i = 0; i < shape.size(); ++i)
    fmt::format_to(std::back_inserter(out), "{}{}", i == 0 ? "" : ", ", shape[i]);
  return out + (shape.size() == 1 ? ",)" : ")");
}

std::string dtype_text(const NumpyDType& dtype) {
  const std::string_view order = dtype.big_endian ? ">" : "";
  switch (dtype.kind) {
    case 'b':
      return "bool";
    case 'i':
      return fmt::format("{}int{}", order, dtype.item_size * 8);
    case 'u':
      return fmt::format("{}uint{}", order, dtype.item_size * 8);
    case 'f':
      return fmt::format("{}float{}", order, dtype.item_size * 8);
    case 'c':
      return fmt::format("{}complex{}", order, dtype.item_size * 8);
    case 'U':
      return fmt::format("{}U{}", dtype.big_endian ? ">" : "<", dtype.item_size / 4);
    case 'S':
      return fmt::format("S{}", dtype.item_size);
    case 'O':
      return "object";
    case 'M':
      return "datetime64";
    case 'm':
      return "timedelta64";
    default:
      break;
  }
  std::string out = fmt::format("V{}", dtype.item_size);
  if (dtype.fields.empty()) return out;
  out += "{";
  for (std::size_t i = 0; i < dtype.fields.size(); ++i) out += (i == 0 ? "" : ", ") + dtype.fields[i].name;
  return out + "}";
}

}  // namespace jackdaw::formats
