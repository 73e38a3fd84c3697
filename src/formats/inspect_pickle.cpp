// A pickle or joblib file for people: what it is, which names it would make Python import, and its tree of attributes.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "src/formats/inspect_names.h"
#include "src/formats/inspect_parts.h"
#include "src/formats/numpy_dtype.h"
#include "src/formats/object_graph_impl.h"

namespace jackdaw::formats {

namespace {

constexpr std::size_t text_columns = 60;
constexpr std::size_t name_columns = 80;
constexpr std::size_t dtype_columns = 44;
constexpr std::size_t names_shown_max = 40;

// ---- one value in one line ------------------------------------------------------------------------------------------

std::string brief(const ObjectGraph& graph, NodeId node);

std::string element_text(const ObjectGraph& graph, const NdArray& head, std::size_t i,
                         const std::vector<double>& numbers, const std::vector<std::string>& texts) {
  if (!head.objects.empty()) return brief(graph, head.objects[i]);
  if (!texts.empty()) return fmt::format("'{}'", printable(texts[i], 20));
  if (head.dtype.kind == 'b') return numbers[i] != 0 ? "True" : "False";
  return number_text(numbers[i]);
}

// The first values in stored order; none for structures, nor for arrays stored by columns.
std::string first_values(const ObjectGraph& graph, const NdArray& array, int values_max) {
  const auto shown = static_cast<std::size_t>(std::min<std::int64_t>(array.count(), values_max));
  if (shown == 0 || (array.fortran_order && array.shape.size() > 1) || !array.dtype.fields.empty()) return {};
  NdArray head = array;
  head.shape = {static_cast<std::int64_t>(shown)};
  head.fortran_order = false;
  if (array.objects.empty()) {
    head.data = array.data.first(shown * array.dtype.item_size);
  } else {
    head.objects = array.objects.first(shown);
  }
  std::vector<double> numbers;
  std::vector<std::string> texts;
  if (head.objects.empty()) {
    if (auto as_numbers = to_doubles(graph, head)) {
      numbers = std::move(*as_numbers);
    } else if (auto as_texts = to_strings(graph, head)) {
      texts = std::move(*as_texts);
    } else {
      return {};
    }
  }
  std::string out = " [";
  for (std::size_t i = 0; i < shown; ++i) out += (i == 0 ? "" : ", ") + element_text(graph, head, i, numbers, texts);
  return out + (array.count() > static_cast<std::int64_t>(shown) ? ", …]" : "]");
}

std::string array_text(const ObjectGraph& graph, NodeId node, int values_max) {
  const auto array = to_ndarray(graph, node);
  if (!array) return fmt::format("numpy array that cannot be read: {}", array.error().message);
  std::string out = printable(dtype_text(array->dtype), dtype_columns);
  if (!array->shape.empty()) out += " " + shape_text(array->shape);
  return out + first_values(graph, *array, values_max);
}

std::string sparse_text(const ObjectGraph& graph, NodeId node) {
  const auto matrix = to_csr(graph, node);
  if (!matrix) return fmt::format("sparse matrix that cannot be read: {}", matrix.error().message);
  return fmt::format("sparse matrix ({}, {}), {} values stored", matrix->rows, matrix->cols, matrix->values.size());
}

std::string class_text(const ObjectGraph& graph, NodeId node) {
  const std::string full = graph.class_name(node);
  if (full.empty()) return "object";
  const std::size_t dot = full.rfind('.');
  return fmt::format("{} ({})", printable(full.substr(dot + 1), name_columns),
                     printable(full.substr(0, dot), name_columns));
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} of {}", what, grouped(count));
}

// A scalar's value, or what kind of container it is. Never looks at more than one level.
std::string brief(const ObjectGraph& graph, NodeId node) {
  switch (graph.kind(node)) {
    case NodeKind::none:
      return "None";
    case NodeKind::boolean:
      return graph.boolean(node) ? "True" : "False";
    case NodeKind::integer:
      return std::to_string(graph.integer(node));
    case NodeKind::big_integer:
      return fmt::format("{:.17g}", to_number(graph, node).value_or(NAN));
    case NodeKind::real:
      return number_text(graph.real(node));
    case NodeKind::text:
      return fmt::format("'{}'", printable(graph.text(node), text_columns));
    case NodeKind::bytes:
      return counted(graph.bytes(node).size(), "bytes");
    case NodeKind::tuple:
      return counted(graph.items(node).size(), "tuple");
    case NodeKind::list:
      return counted(graph.items(node).size(), "list");
    case NodeKind::set:
    case NodeKind::frozenset:
      return counted(graph.items(node).size(), "set");
    case NodeKind::dict:
      return counted(graph.items(node).size() / 2, "dict");
    case NodeKind::global:
      return fmt::format("<{}>", printable(graph.class_name(node), name_columns));
    case NodeKind::array:
      return "numpy array";
    case NodeKind::object:
      return class_text(graph, node);
  }
  return "?";
}

// ---- the tree -------------------------------------------------------------------------------------------------------

struct Child {
  std::string label;
  NodeId node;
};

class TreePrinter {
 public:
  TreePrinter(const ObjectGraph& graph, Page& page) : graph_(graph), page_(page) {}

  // Depth is bounded by max_depth (at most 64), so this recursion is too.
  void print(const std::string& label, NodeId node, int depth) {
    if (page_.full()) return;
    const std::string head = label.empty() ? "" : label + ": ";
    const int indent = 2 + 2 * depth;
    if (is_ndarray(graph_, node))
      return page_.line(indent, head + array_text(graph_, node, page_.options().values_max));
    if (is_csr(graph_, node)) return page_.line(indent, head + sparse_text(graph_, node));
    std::size_t left_out = 0;
    const std::vector<Child> children = children_of(node, left_out);
    if (children.empty()) return page_.line(indent, head + brief(graph_, node));
    if (!printed_.insert(node).second)
      return page_.line(indent, head + brief(graph_, node) + ", same as above", LineStyle::faint);
    if (const std::string flat = one_line(node, left_out); !flat.empty()) return page_.line(indent, head + flat);
    page_.line(indent, head + brief(graph_, node),
               graph_.kind(node) == NodeKind::object ? LineStyle::title : LineStyle::plain);
    if (depth + 1 >= page_.options().max_depth)
      return page_.line(indent + 2, "… deeper parts are left out", LineStyle::faint);
    for (const Child& child : children) print(child.label, child.node, depth + 1);
    if (left_out > 0) page_.line(indent + 2, fmt::format("… {} more", grouped(left_out)), LineStyle::faint);
  }

 private:
  bool is_scalar(NodeId node) const { return graph_.kind(node) <= NodeKind::text; }

  // Short sequences of scalars read best on one line.
  std::string one_line(NodeId node, std::size_t left_out) const {
    const NodeKind kind = graph_.kind(node);
    if (kind != NodeKind::tuple && kind != NodeKind::list && kind != NodeKind::set && kind != NodeKind::frozenset)
      return {};
    const auto items = graph_.items(node);
    std::string out;
    for (std::size_t i = 0; i < items.size() - left_out; ++i) {
      if (!is_scalar(items[i])) return {};
      out += (i == 0 ? "" : ", ") + brief(graph_, items[i]);
    }
    if (left_out > 0) out += fmt::format(", … {} more", grouped(left_out));
    return (kind == NodeKind::tuple  ? "("
            : kind == NodeKind::list ? "["
                                     : "{") +
           out +
           (kind == NodeKind::tuple  ? ")"
            : kind == NodeKind::list ? "]"
                                     : "}");
  }

  // Members of an ensemble look alike: two of them tell the story.
  bool alike(std::span<const NodeId> items) const {
    if (items.size() < 4) return false;
    const std::string first = graph_.class_name(items[0]);
    return !first.empty() && graph_.kind(items[1]) == NodeKind::object && first == graph_.class_name(items[1]);
  }

  void add_items(std::span<const NodeId> items, std::vector<Child>& out, std::size_t& left_out) const {
    const std::size_t most = alike(items) ? 2 : static_cast<std::size_t>(page_.options().items_max);
    for (std::size_t i = 0; i < items.size() && i < most; ++i) out.push_back({fmt::format("[{}]", i), items[i]});
    if (items.size() > most) left_out += items.size() - most;
  }

  // Attributes of objects are all worth seeing (`all`); entries of a plain dict are samples.
  void add_pairs(std::span<const NodeId> pairs, bool all, std::vector<Child>& out, std::size_t& left_out) const {
    const std::size_t most = all ? 200 : static_cast<std::size_t>(page_.options().items_max);
    const std::size_t count = pairs.size() / 2;
    for (std::size_t i = 0; i < count && i < most; ++i) {
      const NodeId key = pairs[2 * i];
      const bool is_text = graph_.kind(key) == NodeKind::text;
      out.push_back({is_text ? printable(graph_.text(key), text_columns) : brief(graph_, key), pairs[2 * i + 1]});
    }
    if (count > most) left_out += count - most;
  }

  std::vector<Child> children_of(NodeId node, std::size_t& left_out) const {
    std::vector<Child> out;
    switch (graph_.kind(node)) {
      case NodeKind::tuple:
      case NodeKind::list:
      case NodeKind::set:
      case NodeKind::frozenset:
        add_items(graph_.items(node), out, left_out);
        break;
      case NodeKind::dict:
        add_pairs(graph_.items(node), false, out, left_out);
        break;
      case NodeKind::object:
        add_object(graph_.object(node), out, left_out);
        break;
      default:
        break;
    }
    return out;
  }

  void add_object(const ObjectParts& parts, std::vector<Child>& out, std::size_t& left_out) const {
    if (parts.args != no_node && !graph_.items(parts.args).empty()) out.push_back({"arguments", parts.args});
    if (parts.kwargs != no_node) out.push_back({"keyword arguments", parts.kwargs});
    if (parts.state != no_node && graph_.kind(parts.state) == NodeKind::dict) {
      add_pairs(graph_.items(parts.state), true, out, left_out);
    } else if (parts.state != no_node) {
      out.push_back({"state", parts.state});
    }
    add_items(parts.appended, out, left_out);
    add_pairs(parts.set_items, false, out, left_out);
  }

  const ObjectGraph& graph_;
  Page& page_;
  std::unordered_set<NodeId> printed_;
};

// ---- the names ------------------------------------------------------------------------------------------------------

struct NamesByRisk {
  std::set<std::string> dangerous, unknown, known;
};

NamesByRisk collect_names(const GraphImpl& graph) {
  std::unordered_set<NodeId> called;
  for (const ObjectRecord& record : graph.objects) called.insert(record.callable);
  NamesByRisk names;
  for (NodeId node = 0; node < graph.nodes.size(); ++node) {
    if (graph.kind(node) != NodeKind::global) continue;
    const auto& [module, name] = graph.global(node);
    const NameRisk risk = name_risk(module, name, called.contains(node));
    auto& list = risk == NameRisk::dangerous ? names.dangerous
                 : risk == NameRisk::unknown ? names.unknown
                                             : names.known;
    list.insert(printable(fmt::format("{}.{}", module, name), name_columns));
  }
  return names;
}

void print_name_list(const std::set<std::string>& names, std::string_view mark, LineStyle style, Page& page) {
  std::size_t shown = 0;
  for (const std::string& name : names) {
    if (shown++ == names_shown_max) {
      page.line(2, fmt::format("… {} more", names.size() - names_shown_max), style);
      return;
    }
    page.line(2, fmt::format("{} {}", mark, name), style);
  }
}

void print_names(const NamesByRisk& names, Page& page) {
  page.blank();
  if (!names.dangerous.empty()) {
    page.line(0, "DANGER: loading this file in Python can run code through", LineStyle::danger);
    print_name_list(names.dangerous, "!!", LineStyle::danger, page);
    page.line(2, "jackdaw does not run it, now or when serving.", LineStyle::plain);
  }
  if (!names.unknown.empty()) {
    page.line(0, "Code outside numpy, scipy, scikit-learn and joblib that Python would import", LineStyle::caution);
    print_name_list(names.unknown, "? ", LineStyle::caution, page);
  }
  if (names.dangerous.empty() && names.unknown.empty()) {
    page.line(0, "Python would import only data types and known classes", LineStyle::good);
  } else if (!names.known.empty()) {
    page.line(0, "Data types and known classes");
  }
  print_name_list(names.known, "  ", LineStyle::faint, page);
}

// ---- the head -------------------------------------------------------------------------------------------------------

std::string versions_text(const ObjectGraph& graph) {
  constexpr std::size_t large_dict = 400;
  std::set<std::string> versions;
  for (NodeId node = 0; node < graph.size() && versions.size() < 5; ++node) {
    if (graph.kind(node) != NodeKind::dict || graph.items(node).size() > large_dict) continue;
    const NodeId version = graph.attribute(node, "_sklearn_version");
    if (version != no_node && graph.kind(version) == NodeKind::text)
      versions.insert(printable(graph.text(version), 20));
  }
  std::string out;
  for (const std::string& version : versions) out += (out.empty() ? "" : ", ") + version;
  return out;
}

bool has_joblib_arrays(const GraphImpl& graph) {
  return !graph.arrays.empty();
}

}  // namespace

void describe_object_graph(const ObjectGraph& graph, std::string_view name, Page& page) {
  const StreamInfo& info = graph.impl().info;
  const bool is_joblib = has_joblib_arrays(graph.impl()) || info.compression != Compression::none;
  page.line(0, fmt::format("{}: {}", name, is_joblib ? "joblib file (a pickle with raw arrays)" : "pickle"),
            LineStyle::title);
  page.row("size",
           info.compression == Compression::none
               ? fmt::format("{} bytes", grouped(info.file_bytes))
               : fmt::format("{} bytes, {} decompressed", grouped(info.file_bytes), grouped(info.stream_bytes)));
  page.row("compression", compression_name(info.compression));
  page.row("pickle protocol", info.protocol == 0 ? "0 or 1" : std::to_string(info.protocol));
  const std::string versions = versions_text(graph);
  if (!versions.empty()) page.row("scikit-learn", versions);
  page.row("root", brief(graph, graph.root()));
  page.row("objects", grouped(graph.size()));
  if (info.trailing_bytes > 0) {
    page.row("after the pickle", fmt::format("{} bytes that Python and jackdaw ignore", grouped(info.trailing_bytes)),
             LineStyle::caution);
  }
  print_names(collect_names(graph.impl()), page);
  page.blank();
  page.line(0, "Contents");
  TreePrinter(graph, page).print("", graph.root(), 0);
}

}  // namespace jackdaw::formats
