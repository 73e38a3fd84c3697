// PickleVm: runs the opcodes of one pickle (protocols 0-5) and leaves inert nodes in an ObjectGraph::Impl.
//
// GLOBAL pushes a name. REDUCE and NEWOBJ push "this name with these arguments"; nothing is looked up or called. Four
// constructors of plain data become the data itself (see pickle_reduce.cpp). Refused by name and offset: INST, OBJ,
// EXT1/2/4, PERSID, BINPERSID, NEXT_BUFFER. Limits: stack entries and nodes by ReadLimits, 1000 open marks, memo
// indices below the number of bytes read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jackdaw/base/bytes.h"
#include "jackdaw/base/result.h"
#include "src/formats/object_graph_impl.h"
#include "src/formats/pickle_opcodes.h"

namespace jackdaw::formats {

class PickleVm {
 public:
  // `nested`: a pickle inside a joblib array of objects; there joblib's own wrapper means nothing special.
  enum class Place : unsigned char { outer, nested };
  // All three must outlive the VM; `in` ends up behind STOP.
  PickleVm(GraphImpl& graph, ByteReader& in, const ReadLimits& limits, Place place);

  Result<NodeId> run();
  int protocol() const { return protocol_; }

 private:
  bool step(std::uint8_t opcode);
  bool step_literal(Opcode opcode);
  bool step_container(Opcode opcode);

  // Literals.
  bool read_proto();
  bool read_frame();
  bool push_text_literal(Opcode opcode);
  bool push_int_text();
  bool push_long_text();
  bool push_float_text();
  bool push_string_text();
  bool push_unicode_text();
  bool push_long(std::uint64_t length);
  bool push_binfloat();
  template <typename Length>
  bool push_sized(NodeKind kind);
  template <typename Length>
  bool push_sized_str8();
  template <typename Number>
  bool push_binint();
  bool push_str8(Bytes content);
  bool push_big_integer(Bytes little_endian);
  bool push_decimal(std::string_view digits);

  // Names and objects.
  bool push_global_lines();
  bool push_stack_global();
  bool reduce();
  bool newobj(bool with_kwargs);
  bool build();
  bool push_object(NodeId callable, NodeId args, NodeId kwargs);
  // True when the call makes plain data and the data was pushed (or error_ is set).
  std::optional<bool> reduce_to_data(const GlobalName& callable, NodeId args);
  bool push_encoded(NodeId text);
  bool push_collection(NodeKind kind, std::span<const NodeId> args);
  bool push_byte_string(std::span<const NodeId> args);

  // Containers.
  bool push_container_from_mark(NodeKind kind);
  bool push_tuple(std::size_t count);
  bool append_items(std::size_t first, NodeKind wanted);
  bool set_items(std::size_t first);

  // Memo.
  bool put(std::uint64_t index);
  bool get(std::uint64_t index);
  template <typename Index>
  bool put_indexed();
  template <typename Index>
  bool get_indexed();
  bool index_from_line(std::uint64_t& index);

  // Stack. `need` and `pop_mark` never reach below the innermost mark.
  bool push(NodeId node);
  bool make_and_push(NodeKind kind, std::uint64_t value = 0);
  bool push_singleton(NodeId& slot, NodeKind kind, std::uint64_t value);
  bool node_fits();
  bool need(std::size_t entries);
  NodeId take();
  bool pop();
  bool push_mark();
  std::optional<std::size_t> pop_mark();
  std::size_t fence() const { return marks_.empty() ? 0 : marks_.back(); }

  bool read_line(std::string_view& line);
  template <typename T>
  bool read(T& out);
  bool take_bytes(std::uint64_t length, Bytes& out);

  template <typename... Args>
  bool fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
    error_ = error_at(op_offset_, code, format, std::forward<Args>(args)...);
    return false;
  }
  std::string op_name() const { return opcode_name(opcode_); }

  GraphImpl& graph_;
  ByteReader& in_;
  const ReadLimits& limits_;
  Place place_;
  std::vector<NodeId> stack_;
  std::vector<std::size_t> marks_;
  std::vector<NodeId> memo_;
  std::uint64_t memo_count_ = 0;
  std::uint64_t start_ = 0;
  std::uint64_t op_offset_ = 0;
  std::uint8_t opcode_ = 0;
  int protocol_ = 0;
  NodeId none_ = no_node;
  NodeId true_ = no_node;
  NodeId false_ = no_node;
  Error error_;
};

}  // namespace jackdaw::formats
