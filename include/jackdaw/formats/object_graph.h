// ObjectGraph: a pickle or joblib file read as inert data. Nothing in the file is ever called, imported or built:
// GLOBAL pushes a name, REDUCE/NEWOBJ push "this name with these arguments", BUILD attaches state. Who knows a class
// reads its attributes from here; an unknown one stays what it is, harmless.
//
// Format: Python's pickle protocols 0-5 (Lib/pickletools.py) and joblib's array wrapper (joblib/numpy_pickle.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/bytes.h"
#include "jackdaw/base/result.h"

namespace jackdaw::formats {

using NodeId = std::uint32_t;
inline constexpr NodeId no_node = 0xffffffffu;

enum class NodeKind : unsigned char {
  none,
  boolean,
  integer,
  big_integer,  // does not fit std::int64_t; `bytes` has its little-endian two's complement
  real,
  text,
  bytes,
  tuple,
  list,
  set,
  frozenset,
  dict,    // `items`: key, value, key, value ...
  global,  // `module` and `name`
  object,  // made by `callable`(`args`); see ObjectParts
  array,   // an ndarray written by joblib; see numpy_array.h
};

// What REDUCE, NEWOBJ or NEWOBJ_EX and the opcodes after it said of one object.
struct ObjectParts {
  NodeId callable = no_node;          // usually a global
  NodeId args = no_node;              // a tuple
  NodeId kwargs = no_node;            // NEWOBJ_EX only
  NodeId state = no_node;             // BUILD's argument; the last one wins
  std::span<const NodeId> appended;   // APPEND(S), ADDITEMS
  std::span<const NodeId> set_items;  // SETITEM(S): key, value, ...
};

// numpy.dtype as pickle describes it.
struct NumpyDType {
  char kind = 'f';  // b i u f c U S O V M m, as numpy's dtype.kind
  std::uint32_t item_size = 8;
  bool big_endian = false;
  struct Field;
  std::vector<Field> fields;  // kind V: read by name and offset, never by position
};
struct NumpyDType::Field {
  std::string name;
  NumpyDType dtype;
  std::uint32_t offset = 0;
};

struct ReadLimits {
  std::uint64_t stream_bytes_max = 4ull << 30;  // after decompression
  std::uint64_t expansion_max = 1000;           // decompressed / compressed, beyond the first 64 MiB
  std::uint64_t nodes_max = 1u << 26;
  std::uint32_t stack_max = 1'000'000;
};

// Immutable once read; thread-safe. Owns every byte its nodes refer to.
class ObjectGraph {
 public:
  ObjectGraph(ObjectGraph&&) noexcept;
  ObjectGraph& operator=(ObjectGraph&&) noexcept;
  ~ObjectGraph();

  NodeId root() const;
  std::size_t size() const;
  NodeKind kind(NodeId node) const;
  // Place in the uncompressed stream where the node was made; errors name it.
  std::uint64_t offset(NodeId node) const;

  // Each is valid for its kind only (CHECK).
  bool boolean(NodeId node) const;
  std::int64_t integer(NodeId node) const;
  double real(NodeId node) const;
  std::string_view text(NodeId node) const;
  Bytes bytes(NodeId node) const;
  std::span<const NodeId> items(NodeId node) const;  // tuple, list, set, frozenset, dict
  std::string_view module(NodeId node) const;
  std::string_view name(NodeId node) const;
  ObjectParts object(NodeId node) const;

  // An array of joblib's (kind `array`).
  struct ArrayParts {
    const NumpyDType* dtype;
    std::span<const std::int64_t> shape;
    bool fortran_order;
    Bytes data;                       // raw elements; empty for dtype O
    std::span<const NodeId> objects;  // elements of dtype O, in the stored order
  };
  ArrayParts array(NodeId node) const;

  // "module.name" of an object's class or of a global, "" otherwise.
  std::string class_name(NodeId node) const;
  // The value under a text key in a dict, or in the state of an object (its __dict__; a (dict, slots) tuple too);
  // no_node when absent.
  NodeId attribute(NodeId node, std::string_view key) const;

  struct Impl;
  explicit ObjectGraph(std::unique_ptr<Impl> impl);
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Reads a pickle, or a joblib file in any compression joblib writes (zlib, gzip, bz2, xz, lzma, lz4, old zfile), found
// by magic. Errors: parse_error with the offset and the opcode; unsupported for side-file joblib (< 0.10), persistent
// ids, INST/OBJ/EXT; too_large for a bomb.
Result<ObjectGraph> read_object_graph(std::vector<std::byte> file, const ReadLimits& limits = {});

// ---- numpy, as data -----------------------------------------------------------------------------------------------

// An ndarray whichever way it was pickled: numpy's _reconstruct + BUILD, _frombuffer (protocol 5), joblib's wrapper,
// or a numpy scalar (shape ()). Views into the graph.
struct NdArray {
  NumpyDType dtype;
  std::vector<std::int64_t> shape;
  bool fortran_order = false;
  Bytes data;
  std::span<const NodeId> objects;

  std::int64_t count() const;
};

bool is_ndarray(const ObjectGraph& graph, NodeId node);
Result<NdArray> to_ndarray(const ObjectGraph& graph, NodeId node);

// Elements in C order. Numeric kinds and object arrays of Python numbers convert; None becomes NaN in to_doubles.
Result<std::vector<double>> to_doubles(const ObjectGraph& graph, const NdArray& array);
Result<std::vector<float>> to_floats(const ObjectGraph& graph, const NdArray& array);
Result<std::vector<std::int64_t>> to_int64s(const ObjectGraph& graph, const NdArray& array);
// Kinds U and S, and object arrays of text.
Result<std::vector<std::string>> to_strings(const ObjectGraph& graph, const NdArray& array);
// One field of a structured array (kind V) as doubles or integers; not_found when there is no such field.
Result<std::vector<double>> field_doubles(const NdArray& array, std::string_view field);
Result<std::vector<std::int64_t>> field_int64s(const NdArray& array, std::string_view field);
bool has_field(const NdArray& array, std::string_view field);

// scipy.sparse csr_matrix/csr_array (any module path), or csc converted.
struct CsrMatrix {
  std::int64_t rows = 0, cols = 0;
  std::vector<std::int64_t> row_begin;  // rows + 1
  std::vector<std::int32_t> columns;
  std::vector<double> values;
};
bool is_csr(const ObjectGraph& graph, NodeId node);
Result<CsrMatrix> to_csr(const ObjectGraph& graph, NodeId node);

// A Python or numpy number (int, float, bool, numpy scalar, 0-d array) as double; nullopt for anything else.
std::optional<double> to_number(const ObjectGraph& graph, NodeId node);

}  // namespace jackdaw::formats
