// Reading attributes of a fitted object. Every error names the step's path, the class and the attribute.
#include <array>

#include "src/predict/sklearn/estimator.h"
#include "src/predict/sklearn/labels.h"

namespace jackdaw::predict {
namespace {

using formats::no_node;
using formats::NodeId;
using formats::NodeKind;

bool is_sequence(NodeKind kind) {
  return kind == NodeKind::list || kind == NodeKind::tuple;
}

}  // namespace

std::string canonical_of(const formats::ObjectGraph& graph, NodeId node) {
  const std::string full = graph.class_name(node);
  const std::size_t dot = full.rfind('.');
  return dot == std::string::npos ? full : canonical_class(full.substr(0, dot), full.substr(dot + 1));
}

std::string BuildContext::canonical() const {
  return canonical_of(graph, node);
}

std::string BuildContext::short_class() const {
  const std::string full = graph.class_name(node);
  return full.substr(full.rfind('.') + 1);
}

BuildContext BuildContext::child(NodeId n, std::string_view step) const {
  BuildContext out{graph, n, path, depth + 1, sklearn_version, state};
  if (!step.empty() && step.front() != '[' && !path.empty()) out.path += '.';
  out.path += step;
  const NodeId version = n == no_node ? no_node : graph.attribute(n, "_sklearn_version");
  if (version != no_node && graph.kind(version) == NodeKind::text) out.sklearn_version = graph.text(version);
  return out;
}

Error BuildContext::error(Code code, std::string_view message) const {
  const std::string class_text = graph.class_name(node);
  Error out{code, std::string(message), path};
  if (!class_text.empty()) out.message = fmt::format("{}: {}", class_text, message);
  if (path.empty()) out.where = fmt::format("offset {}", graph.offset(node));
  return out;
}

NodeId BuildContext::attribute(std::string_view name) const {
  return graph.attribute(node, name);
}

bool BuildContext::has(std::string_view name) const {
  const NodeId n = attribute(name);
  return n != no_node && graph.kind(n) != NodeKind::none;
}

namespace {

Error absent(const BuildContext& c, std::string_view name) {
  return c.error(Code::parse_error, fmt::format("the attribute '{}' is missing; was this object fitted?", name));
}

Error wrong(const BuildContext& c, std::string_view name, std::string_view wanted) {
  return c.error(Code::parse_error, fmt::format("the attribute '{}' is not {}", name, wanted));
}

Error in_attribute(const BuildContext& c, std::string_view name, const Error& cause) {
  return c.error(cause.code, fmt::format("attribute '{}': {}", name, cause.text()));
}

// Counts numbers copied out of the graph, so that a small file whose objects are shared many times stays small.
Result<void> spend(const BuildContext& c, std::uint64_t count) {
  if (!c.state) return {};
  c.state->bytes += count * sizeof(double);
  if (c.state->bytes > c.state->bytes_max) {
    return c.error(Code::too_large, "the model unfolds to more numbers than the memory limit allows");
  }
  return {};
}

Result<std::vector<double>> sequence_doubles(const BuildContext& c, std::string_view name, NodeId n) {
  std::vector<double> out;
  for (NodeId item : c.graph.items(n)) {
    const auto number = formats::to_number(c.graph, item);
    if (!number) return wrong(c, name, "a list of numbers");
    out.push_back(*number);
  }
  return out;
}

}  // namespace

Result<double> BuildContext::number(std::string_view name) const {
  const NodeId n = attribute(name);
  if (n == no_node) return absent(*this, name);
  const auto value = formats::to_number(graph, n);
  if (!value) return wrong(*this, name, "a number");
  return *value;
}

double BuildContext::number_or(std::string_view name, double fallback) const {
  const NodeId n = attribute(name);
  if (n == no_node) return fallback;
  return formats::to_number(graph, n).value_or(fallback);
}

namespace {

std::optional<std::int64_t> whole(double value) {
  if (!(value >= -9007199254740992.0 && value <= 9007199254740992.0)) return std::nullopt;
  const auto out = static_cast<std::int64_t>(value);
  if (static_cast<double>(out) != value) return std::nullopt;
  return out;
}

}  // namespace

Result<std::int64_t> BuildContext::integer(std::string_view name) const {
  JACKDAW_ASSIGN(const double value, number(name));
  const auto out = whole(value);
  if (!out) return wrong(*this, name, "an integer");
  return *out;
}

std::int64_t BuildContext::integer_or(std::string_view name, std::int64_t fallback) const {
  const NodeId n = attribute(name);
  if (n == no_node) return fallback;
  const auto value = formats::to_number(graph, n);
  return value ? whole(*value).value_or(fallback) : fallback;
}

bool BuildContext::flag_or(std::string_view name, bool fallback) const {
  const NodeId n = attribute(name);
  if (n == no_node) return fallback;
  const auto value = formats::to_number(graph, n);
  return value ? *value != 0.0 : fallback;
}

Result<std::string> BuildContext::text(std::string_view name) const {
  const NodeId n = attribute(name);
  if (n == no_node) return absent(*this, name);
  if (auto value = to_text(graph, n)) return std::move(*value);
  return wrong(*this, name, "a text");
}

std::string BuildContext::text_or(std::string_view name, std::string_view fallback) const {
  auto out = text(name);
  return out ? std::move(*out) : std::string(fallback);
}

Result<formats::NdArray> BuildContext::ndarray(std::string_view name) const {
  const NodeId n = attribute(name);
  if (n == no_node) return absent(*this, name);
  if (!formats::is_ndarray(graph, n)) return wrong(*this, name, "an array");
  auto array = formats::to_ndarray(graph, n);
  if (!array) return in_attribute(*this, name, array.error());
  if (array->count() > 0) JACKDAW_TRY(spend(*this, static_cast<std::uint64_t>(array->count())));
  return array;
}

Result<std::vector<double>> BuildContext::doubles(std::string_view name) const {
  const NodeId n = attribute(name);
  if (n == no_node) return absent(*this, name);
  if (is_sequence(graph.kind(n))) {
    JACKDAW_TRY(spend(*this, graph.items(n).size()));
    return sequence_doubles(*this, name, n);
  }
  if (!formats::is_ndarray(graph, n)) {
    if (const auto value = formats::to_number(graph, n)) return std::vector<double>{*value};
    return wrong(*this, name, "an array of numbers");
  }
  JACKDAW_ASSIGN(const formats::NdArray array, ndarray(name));
  auto values = formats::to_doubles(graph, array);
  if (!values) return in_attribute(*this, name, values.error());
  return values;
}

namespace {

Result<Matrix> csr_to_dense(const BuildContext& c, std::string_view name, NodeId n) {
  auto csr = formats::to_csr(c.graph, n);
  if (!csr) return in_attribute(c, name, csr.error());
  if (csr->rows < 0 || csr->cols < 0 || csr->rows > (1 << 20) ||
      csr->cols > (1 << 30) / std::max<std::int64_t>(1, csr->rows)) {
    return c.error(Code::too_large, fmt::format("the attribute '{}' is too large", name));
  }
  JACKDAW_TRY(spend(c, static_cast<std::uint64_t>(csr->rows * csr->cols)));
  Matrix out = Matrix::dense(static_cast<std::size_t>(csr->rows), static_cast<std::size_t>(csr->cols), DType::fp64);
  for (std::size_t r = 0; r < out.rows; ++r) {
    for (auto k = csr->row_begin[r]; k < csr->row_begin[r + 1]; ++k) {
      const auto i = static_cast<std::size_t>(k);
      out.row(r)[csr->columns[i]] += csr->values[i];
    }
  }
  return out;
}

}  // namespace

Result<Matrix> BuildContext::matrix(std::string_view name) const {
  const NodeId n = attribute(name);
  if (n == no_node) return absent(*this, name);
  if (formats::is_csr(graph, n)) return csr_to_dense(*this, name, n);
  Matrix out;
  if (!formats::is_ndarray(graph, n)) {
    JACKDAW_ASSIGN(out.values, doubles(name));
    out.rows = 1;
    out.cols = out.values.size();
    return out;
  }
  JACKDAW_ASSIGN(const formats::NdArray array, ndarray(name));
  if (array.shape.size() > 2) return wrong(*this, name, "a matrix");
  auto values = formats::to_doubles(graph, array);
  if (!values) return in_attribute(*this, name, values.error());
  out.values = std::move(*values);
  out.dtype = dtype_of(array.dtype).value_or(DType::fp64);
  out.rows = array.shape.size() == 2 ? static_cast<std::size_t>(array.shape[0]) : 1;
  out.cols = array.shape.empty() ? 1 : static_cast<std::size_t>(array.shape.back());
  return out;
}

Result<Labels> BuildContext::labels(std::string_view name) const {
  const NodeId n = attribute(name);
  if (n == no_node) return absent(*this, name);
  auto out = read_labels(graph, n);
  if (!out) return in_attribute(*this, name, out.error());
  JACKDAW_TRY(spend(*this, out->size() * 4));
  return out;
}

Result<std::vector<Labels>> BuildContext::labels_list(std::string_view name) const {
  const NodeId n = attribute(name);
  if (n == no_node) return absent(*this, name);
  std::vector<Labels> out;
  if (!is_sequence(graph.kind(n))) {
    JACKDAW_ASSIGN(Labels one, labels(name));
    out.push_back(std::move(one));
    return out;
  }
  for (NodeId item : graph.items(n)) {
    auto one = read_labels(graph, item);
    if (!one) return in_attribute(*this, name, one.error());
    JACKDAW_TRY(spend(*this, one->size() * 4));
    out.push_back(std::move(*one));
  }
  return out;
}

std::vector<std::string> BuildContext::strings_or_empty(std::string_view name) const {
  const NodeId n = attribute(name);
  if (n == no_node) return {};
  std::vector<std::string> out;
  if (is_sequence(graph.kind(n))) {
    for (NodeId item : graph.items(n)) {
      auto value = to_text(graph, item);
      if (!value) return {};
      out.push_back(std::move(*value));
    }
    return out;
  }
  if (!formats::is_ndarray(graph, n)) return {};
  const auto array = formats::to_ndarray(graph, n);
  if (!array) return {};
  for (NodeId item : array->objects) {
    auto value = to_text(graph, item);
    if (!value) return {};
    out.push_back(std::move(*value));
  }
  if (!array->objects.empty()) return out;
  auto texts = formats::to_strings(graph, *array);
  return texts ? std::move(*texts) : out;
}

Result<std::unique_ptr<Estimator>> BuildContext::estimator(std::string_view name) const {
  const NodeId n = attribute(name);
  if (n == no_node) return absent(*this, name);
  return build_estimator(child(n, name));
}

}  // namespace jackdaw::predict
