#include "src/predict/sklearn/categories.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "jackdaw/base/text.h"
#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {

using formats::NodeId;
using formats::NodeKind;

Result<void> Categories::add(const BuildContext& context, NodeId node, std::string_view name) {
  const auto index = static_cast<std::uint32_t>(size_++);
  if (context.graph.kind(node) == NodeKind::none) {
    none_ = index;
  } else if (auto text = to_text(context.graph, node)) {
    texts_.emplace(std::move(*text), index);
  } else if (const auto number = formats::to_number(context.graph, node)) {
    if (std::isnan(*number)) {
      nan_ = index;
    } else {
      numbers_.emplace(*number, index);
    }
  } else {
    return context.error(Code::unsupported,
                         fmt::format("'{}' holds categories that are neither numbers nor texts", name));
  }
  return {};
}

Result<Categories> Categories::read(const BuildContext& context, NodeId node, std::string_view name) {
  if (node == formats::no_node || !formats::is_ndarray(context.graph, node)) {
    return context.error(Code::parse_error, fmt::format("'{}' is not a list of arrays", name));
  }
  Categories out;
  JACKDAW_ASSIGN(const formats::NdArray array, formats::to_ndarray(context.graph, node));
  if (array.dtype.kind == 'O') {
    for (NodeId item : array.objects) JACKDAW_TRY(out.add(context, item, name));
  } else if (array.dtype.kind == 'U' || array.dtype.kind == 'S') {
    JACKDAW_ASSIGN(const std::vector<std::string> texts, formats::to_strings(context.graph, array));
    for (const std::string& t : texts) out.texts_.emplace(t, static_cast<std::uint32_t>(out.size_++));
  } else {
    JACKDAW_ASSIGN(const std::vector<double> numbers, formats::to_doubles(context.graph, array));
    for (double v : numbers) {
      const auto index = static_cast<std::uint32_t>(out.size_++);
      if (std::isnan(v)) {
        out.nan_ = index;
      } else {
        out.numbers_.emplace(v, index);
      }
    }
  }
  return out;
}

std::uint32_t Categories::find(const ColumnView& column, std::size_t r) const {
  if (column.is_missing(r)) return missing_index();
  if (column.is_text()) {
    const auto found = texts_.find(column.text(r));
    return found == texts_.end() ? unknown : found->second;
  }
  const auto found = numbers_.find(column.number(r));
  return found == numbers_.end() ? unknown : found->second;
}

Result<std::vector<Categories>> read_categories(const BuildContext& context) {
  JACKDAW_ASSIGN(const std::vector<NodeId> nodes, object_list(context, "categories_"));
  std::vector<Categories> out;
  for (NodeId node : nodes) {
    JACKDAW_ASSIGN(Categories c, Categories::read(context, node, "categories_"));
    out.push_back(std::move(c));
  }
  return out;
}

Error unknown_categories(const Categories& categories, const ColumnView& column, std::size_t place) {
  constexpr std::size_t shown_max = 10;
  std::set<std::string> texts;
  std::set<double> numbers;
  bool missing = false;
  for (std::size_t r = 0; r < column.rows(); ++r) {
    if (categories.find(column, r) != Categories::unknown) continue;
    if (column.is_missing(r)) {
      missing = true;
    } else if (column.is_text()) {
      if (texts.size() < shown_max) texts.emplace(column.text(r).substr(0, 60));
    } else if (numbers.size() < shown_max) {
      numbers.insert(column.number(r));
    }
  }
  std::vector<std::string> shown;
  for (double v : numbers) {
    std::string text;
    append_json_double(text, v);
    if (!is_float(column.dtype()) && text.ends_with(".0")) text.resize(text.size() - 2);
    shown.push_back(std::move(text));
  }
  for (const std::string& t : texts) shown.push_back("'" + t + "'");
  if (missing) shown.emplace_back(column.is_text() ? "None" : "nan");
  return make_error(Code::invalid_argument, "Found unknown categories [{}] in column {} during transform",
                    fmt::join(shown, ", "), place);
}

namespace {

std::optional<DType> dtype_named(std::string_view name) {
  struct Row {
    std::string_view name;
    DType dtype;
  };
  static constexpr Row rows[] = {
      {"float64", DType::fp64},  {"float", DType::fp64},   {"f8", DType::fp64},       {"float32", DType::fp32},
      {"f4", DType::fp32},       {"float16", DType::fp32}, {"int64", DType::int64},   {"int", DType::int64},
      {"i8", DType::int64},      {"int_", DType::int64},   {"int32", DType::int32},   {"i4", DType::int32},
      {"int16", DType::int16},   {"i2", DType::int16},     {"int8", DType::int8},     {"i1", DType::int8},
      {"uint8", DType::uint8},   {"u1", DType::uint8},     {"uint16", DType::uint16}, {"uint32", DType::uint32},
      {"uint64", DType::uint64}, {"bool", DType::boolean}, {"bool_", DType::boolean}, {"b1", DType::boolean},
  };
  for (const Row& row : rows) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

}  // namespace

DType dtype_attribute(const BuildContext& context, std::string_view name, DType fallback) {
  const NodeId node = context.attribute(name);
  const auto& g = context.graph;
  if (node == formats::no_node) return fallback;
  if (g.kind(node) == NodeKind::text) return dtype_named(g.text(node)).value_or(fallback);
  if (g.kind(node) == NodeKind::global) return dtype_named(g.name(node)).value_or(fallback);
  if (g.kind(node) != NodeKind::object) return fallback;
  const NodeId args = g.object(node).args;
  if (args == formats::no_node || g.kind(args) != NodeKind::tuple || g.items(args).empty()) return fallback;
  const NodeId first = g.items(args)[0];
  return g.kind(first) == NodeKind::text ? dtype_named(g.text(first)).value_or(fallback) : fallback;
}

}  // namespace jackdaw::predict
