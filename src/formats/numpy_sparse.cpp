// scipy.sparse compressed matrices: an object with the state {_shape, data, indices, indptr, ...}; very old ones say
// `shape`. csc is turned into csr by counting.
#include <algorithm>
#include <limits>

#include "src/formats/numpy_dtype.h"
#include "src/formats/object_graph_impl.h"

namespace jackdaw::formats {

namespace {

enum class SparseForm : unsigned char { no_sparse, csr, csc };

SparseForm sparse_form(const GraphImpl& graph, NodeId node) {
  if (!graph.is(node, NodeKind::object)) return SparseForm::no_sparse;
  const NodeId cls = graph.class_of(node);
  if (cls == no_node) return SparseForm::no_sparse;
  const auto& [module, name] = graph.global(cls);
  if (!module.starts_with("scipy.sparse")) return SparseForm::no_sparse;
  if (name == "csr_matrix" || name == "csr_array") return SparseForm::csr;
  if (name == "csc_matrix" || name == "csc_array") return SparseForm::csc;
  return SparseForm::no_sparse;
}

// Compressed along one axis: rows of a csr, columns of a csc.
struct Compressed {
  std::int64_t lines = 0;
  std::int64_t width = 0;
  std::vector<std::int64_t> begin;  // lines + 1
  std::vector<std::int64_t> across;
  std::vector<double> values;
};

Error bad_matrix(const ObjectGraph& graph, NodeId node, std::string_view why) {
  return error_at(graph.offset(node), Code::parse_error, "a sparse matrix that cannot be read: {}", why);
}

Result<std::vector<std::int64_t>> integers(const ObjectGraph& graph, NodeId node, std::string_view name) {
  const NodeId value = graph.attribute(node, name);
  if (value == no_node) return bad_matrix(graph, node, fmt::format("it has no {}", name));
  JACKDAW_ASSIGN(const NdArray array, to_ndarray(graph, value));
  return to_int64s(graph, array);
}

Result<void> check_structure(const ObjectGraph& graph, NodeId node, const Compressed& m) {
  if (m.width > std::numeric_limits<std::int32_t>::max() || m.lines > std::numeric_limits<std::int32_t>::max()) {
    return bad_matrix(graph, node, "more than 2^31 rows or columns");
  }
  if (static_cast<std::uint64_t>(m.lines) + 1 != m.begin.size())
    return bad_matrix(graph, node, "indptr does not match the shape");
  if (m.across.size() != m.values.size()) return bad_matrix(graph, node, "indices and data differ in length");
  if (m.begin.front() != 0 || !std::is_sorted(m.begin.begin(), m.begin.end()) ||
      static_cast<std::uint64_t>(m.begin.back()) > m.values.size()) {
    return bad_matrix(graph, node, "indptr does not ascend inside the data");
  }
  const auto outside = [&](std::int64_t i) { return i < 0 || i >= m.width; };
  if (std::any_of(m.across.begin(), m.across.end(), outside))
    return bad_matrix(graph, node, "an index outside the shape");
  return {};
}

Result<Compressed> read_compressed(const ObjectGraph& graph, NodeId node, SparseForm form) {
  NodeId shape_node = graph.attribute(node, "_shape");
  if (shape_node == no_node) shape_node = graph.attribute(node, "shape");
  JACKDAW_ASSIGN(const std::vector<std::int64_t> shape, shape_of_node(graph.impl(), shape_node));
  if (shape.size() != 2) return bad_matrix(graph, node, "its shape is not two-dimensional");
  Compressed m;
  m.lines = shape[form == SparseForm::csr ? 0 : 1];
  m.width = shape[form == SparseForm::csr ? 1 : 0];
  JACKDAW_ASSIGN(m.begin, integers(graph, node, "indptr"));
  JACKDAW_ASSIGN(m.across, integers(graph, node, "indices"));
  const NodeId data = graph.attribute(node, "data");
  if (data == no_node) return bad_matrix(graph, node, "it has no data");
  JACKDAW_ASSIGN(const NdArray values, to_ndarray(graph, data));
  JACKDAW_ASSIGN(m.values, to_doubles(graph, values));
  JACKDAW_TRY(check_structure(graph, node, m));
  m.across.resize(static_cast<std::size_t>(m.begin.back()));
  m.values.resize(m.across.size());
  return m;
}

CsrMatrix from_csr(Compressed m) {
  CsrMatrix out;
  out.rows = m.lines;
  out.cols = m.width;
  out.row_begin = std::move(m.begin);
  out.columns.assign(m.across.begin(), m.across.end());
  out.values = std::move(m.values);
  return out;
}

CsrMatrix from_csc(const Compressed& m) {
  CsrMatrix out;
  out.rows = m.width;
  out.cols = m.lines;
  out.row_begin.assign(static_cast<std::size_t>(m.width) + 1, 0);
  for (const std::int64_t row : m.across) ++out.row_begin[static_cast<std::size_t>(row) + 1];
  for (std::size_t r = 0; r < static_cast<std::size_t>(m.width); ++r) out.row_begin[r + 1] += out.row_begin[r];
  std::vector<std::int64_t> next = out.row_begin;
  out.columns.resize(m.values.size());
  out.values.resize(m.values.size());
  for (std::size_t column = 0; column < static_cast<std::size_t>(m.lines); ++column) {
    for (std::int64_t i = m.begin[column]; i < m.begin[column + 1]; ++i) {
      const std::int64_t at = next[static_cast<std::size_t>(m.across[static_cast<std::size_t>(i)])]++;
      out.columns[static_cast<std::size_t>(at)] = static_cast<std::int32_t>(column);
      out.values[static_cast<std::size_t>(at)] = m.values[static_cast<std::size_t>(i)];
    }
  }
  return out;
}

}  // namespace

bool is_csr(const ObjectGraph& graph, NodeId node) {
  return sparse_form(graph.impl(), node) != SparseForm::no_sparse;
}

Result<CsrMatrix> to_csr(const ObjectGraph& graph, NodeId node) {
  const SparseForm form = sparse_form(graph.impl(), node);
  if (form == SparseForm::no_sparse) return make_error(Code::parse_error, "a scipy.sparse matrix was expected");
  JACKDAW_ASSIGN(Compressed m, read_compressed(graph, node, form));
  // A csc may claim 2^31 rows with no element: its row table must be paid for by bytes in the file.
  if (form == SparseForm::csc && static_cast<std::uint64_t>(m.width) > graph.impl().info.stream_bytes + (1u << 20)) {
    return bad_matrix(graph, node, "far more rows than the file has bytes");
  }
  return form == SparseForm::csr ? from_csr(std::move(m)) : from_csc(m);
}

}  // namespace jackdaw::formats
