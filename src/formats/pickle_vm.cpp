#include "src/formats/pickle_vm.h"

#include <algorithm>

#include "jackdaw/base/text.h"
#include "src/formats/joblib_array.h"

namespace jackdaw::formats {

namespace {

// Python's own pickler stops at its recursion limit of 1000, well before that many containers are open at once.
constexpr std::size_t marks_max = 1000;

}  // namespace

PickleVm::PickleVm(GraphImpl& graph, ByteReader& in, const ReadLimits& limits, Place place)
    : graph_(graph), in_(in), limits_(limits), place_(place), start_(in.offset()) {}

Result<NodeId> PickleVm::run() {
  while (true) {
    op_offset_ = in_.offset();
    if (!in_.read_le(opcode_)) {
      (void)fail(Code::parse_error, "{}",
                 in_.offset() == 0 ? "the file is empty" : "the pickle ends without STOP; the file is cut off");
      return std::move(error_);
    }
    if (static_cast<Opcode>(opcode_) == Opcode::stop) {
      if (!need(1)) return std::move(error_);
      return take();
    }
    if (!step(opcode_)) return std::move(error_);
  }
}

bool PickleVm::step(std::uint8_t opcode) {
  const Opcode op = static_cast<Opcode>(opcode);
  switch (op) {
    case Opcode::proto:
      return read_proto();
    case Opcode::frame:
      return read_frame();
    case Opcode::none:
      return push_singleton(none_, NodeKind::none, 0);
    case Opcode::newtrue:
      return push_singleton(true_, NodeKind::boolean, 1);
    case Opcode::newfalse:
      return push_singleton(false_, NodeKind::boolean, 0);
    case Opcode::memoize:
      return put(memo_count_);
    case Opcode::binput:
      return put_indexed<std::uint8_t>();
    case Opcode::long_binput:
      return put_indexed<std::uint32_t>();
    case Opcode::binget:
      return get_indexed<std::uint8_t>();
    case Opcode::long_binget:
      return get_indexed<std::uint32_t>();
    case Opcode::put:
    case Opcode::get: {
      std::uint64_t index = 0;
      return index_from_line(index) && (op == Opcode::put ? put(index) : get(index));
    }
    case Opcode::mark:
      return push_mark();
    case Opcode::pop:
      return pop();
    case Opcode::pop_mark: {
      const auto first = pop_mark();
      if (first) stack_.resize(*first);
      return first.has_value();
    }
    case Opcode::dup:
      return need(1) && push(stack_.back());
    case Opcode::global:
      return push_global_lines();
    case Opcode::stack_global:
      return push_stack_global();
    case Opcode::reduce:
      return reduce();
    case Opcode::newobj:
      return newobj(false);
    case Opcode::newobj_ex:
      return newobj(true);
    case Opcode::build:
      return build();
    case Opcode::readonly_buffer:
      return need(1);
    case Opcode::inst:
    case Opcode::obj:
    case Opcode::ext1:
    case Opcode::ext2:
    case Opcode::ext4:
      return fail(Code::unsupported, "opcode {} is refused: no scikit-learn or joblib file needs it", op_name());
    case Opcode::persid:
    case Opcode::binpersid:
      return fail(Code::unsupported,
                  "opcode {} is refused: persistent ids point outside the file (PyTorch writes such files; export the "
                  "model to ONNX instead)",
                  op_name());
    case Opcode::next_buffer:
      return fail(Code::unsupported,
                  "opcode {} is refused: out-of-band buffers are not in the file; pickle it without "
                  "buffer_callback",
                  op_name());
    default:
      return step_literal(op);
  }
}

bool PickleVm::step_container(Opcode op) {
  switch (op) {
    case Opcode::empty_tuple:
      return make_and_push(NodeKind::tuple);
    case Opcode::empty_list:
      return make_and_push(NodeKind::list);
    case Opcode::empty_dict:
      return make_and_push(NodeKind::dict);
    case Opcode::empty_set:
      return make_and_push(NodeKind::set);
    case Opcode::tuple:
      return push_container_from_mark(NodeKind::tuple);
    case Opcode::list:
      return push_container_from_mark(NodeKind::list);
    case Opcode::dict:
      return push_container_from_mark(NodeKind::dict);
    case Opcode::frozenset:
      return push_container_from_mark(NodeKind::frozenset);
    case Opcode::tuple1:
      return push_tuple(1);
    case Opcode::tuple2:
      return push_tuple(2);
    case Opcode::tuple3:
      return push_tuple(3);
    case Opcode::append:
      return need(2) && append_items(stack_.size() - 1, NodeKind::list);
    case Opcode::setitem:
      return need(3) && set_items(stack_.size() - 2);
    case Opcode::appends:
    case Opcode::additems: {
      const auto first = pop_mark();
      return first && append_items(*first, op == Opcode::appends ? NodeKind::list : NodeKind::set);
    }
    case Opcode::setitems: {
      const auto first = pop_mark();
      return first && set_items(*first);
    }
    default:
      return fail(Code::parse_error,
                  "byte {} is not a pickle opcode; this is not a pickle or joblib file, or it is damaged", op_name());
  }
}

// ---- containers -----------------------------------------------------------------------------------------------------

bool PickleVm::push_container_from_mark(NodeKind kind) {
  const auto first = pop_mark();
  if (!first || !node_fits()) return false;
  const std::span<const NodeId> ids(stack_.data() + *first, stack_.size() - *first);
  if (kind == NodeKind::dict && ids.size() % 2 != 0)
    return fail(Code::parse_error, "DICT with a key that has no value");
  const NodeId node = graph_.add_container(kind, op_offset_, ids);
  stack_.resize(*first);
  return push(node);
}

bool PickleVm::push_tuple(std::size_t count) {
  if (!need(count) || !node_fits()) return false;
  const std::size_t first = stack_.size() - count;
  const NodeId node = graph_.add_container(NodeKind::tuple, op_offset_, {stack_.data() + first, count});
  stack_.resize(first);
  return push(node);
}

// The container stands below `first` on the stack; appending changes the node itself, so every reference sees it.
bool PickleVm::append_items(std::size_t first, NodeKind wanted) {
  if (first <= fence()) return fail(Code::parse_error, "{} without a container below its items", op_name());
  const NodeId container = stack_[first - 1];
  const std::span<const NodeId> ids(stack_.data() + first, stack_.size() - first);
  const NodeKind kind = graph_.kind(container);
  bool done = false;
  if (kind == wanted) {
    done = ids.empty() || graph_.append(container, ids);
  } else if (kind == NodeKind::object) {
    done = ids.empty() || graph_.append_to_object(container, false, ids);
  } else {
    return fail(Code::parse_error, "{} on a {}", op_name(), kind_name(kind));
  }
  if (!done) return fail(Code::parse_error, "{} on a {} that cannot grow", op_name(), kind_name(kind));
  stack_.resize(first);
  return true;
}

bool PickleVm::set_items(std::size_t first) {
  if (first <= fence()) return fail(Code::parse_error, "{} without a dict below its items", op_name());
  const NodeId container = stack_[first - 1];
  const std::span<const NodeId> ids(stack_.data() + first, stack_.size() - first);
  if (ids.size() % 2 != 0) return fail(Code::parse_error, "{} with a key that has no value", op_name());
  const NodeKind kind = graph_.kind(container);
  bool done = false;
  if (kind == NodeKind::dict) {
    done = ids.empty() || graph_.append(container, ids);
  } else if (kind == NodeKind::object) {
    done = ids.empty() || graph_.append_to_object(container, true, ids);
  } else {
    return fail(Code::parse_error, "{} on a {}", op_name(), kind_name(kind));
  }
  if (!done) return fail(Code::parse_error, "{} on a {} that cannot grow", op_name(), kind_name(kind));
  stack_.resize(first);
  return true;
}

// ---- memo -----------------------------------------------------------------------------------------------------------

// Picklers number the memo from 0 in steps of one, so an index beyond the bytes read so far is a lie about memory.
bool PickleVm::put(std::uint64_t index) {
  if (!need(1)) return false;
  if (index > in_.offset() - start_) {
    return fail(Code::parse_error, "{} with memo index {}, larger than the number of bytes before it", op_name(),
                index);
  }
  if (index >= memo_.size()) memo_.resize(index + 1, no_node);
  if (memo_[index] == no_node) ++memo_count_;
  memo_[index] = stack_.back();
  return true;
}

bool PickleVm::get(std::uint64_t index) {
  if (index >= memo_.size() || memo_[index] == no_node) {
    return fail(Code::parse_error, "{} of memo entry {}, which was never stored", op_name(), index);
  }
  return push(memo_[index]);
}

template <typename Index>
bool PickleVm::put_indexed() {
  Index index = 0;
  return read(index) && put(index);
}

template <typename Index>
bool PickleVm::get_indexed() {
  Index index = 0;
  return read(index) && get(index);
}

// ---- stack ----------------------------------------------------------------------------------------------------------

bool PickleVm::push(NodeId node) {
  if (stack_.size() >= limits_.stack_max) {
    return fail(Code::too_large, "the pickle stack grows beyond {} entries", limits_.stack_max);
  }
  stack_.push_back(node);
  return true;
}

bool PickleVm::node_fits() {
  if (graph_.nodes.size() < limits_.nodes_max && graph_.nodes.size() < no_node - 1) return true;
  return fail(Code::too_large, "the pickle holds more than {} objects", limits_.nodes_max);
}

bool PickleVm::make_and_push(NodeKind kind, std::uint64_t value) {
  return node_fits() && push(graph_.add(kind, op_offset_, value));
}

// None, True and False are one node each per pickle: big object lists consist of them.
bool PickleVm::push_singleton(NodeId& slot, NodeKind kind, std::uint64_t value) {
  if (slot == no_node) {
    if (!node_fits()) return false;
    slot = graph_.add(kind, op_offset_, value);
  }
  return push(slot);
}

bool PickleVm::need(std::size_t entries) {
  if (stack_.size() - fence() >= entries) return true;
  return fail(Code::parse_error, "{} needs {} stack entr{}, {} there", op_name(), entries, entries == 1 ? "y" : "ies",
              stack_.size() - fence());
}

NodeId PickleVm::take() {
  const NodeId node = stack_.back();
  stack_.pop_back();
  return node;
}

bool PickleVm::pop() {
  if (!marks_.empty() && stack_.size() == marks_.back()) {
    marks_.pop_back();
    return true;
  }
  if (!need(1)) return false;
  stack_.pop_back();
  return true;
}

bool PickleVm::push_mark() {
  if (marks_.size() >= marks_max)
    return fail(Code::too_large, "more than {} containers are open inside each other", marks_max);
  marks_.push_back(stack_.size());
  return true;
}

std::optional<std::size_t> PickleVm::pop_mark() {
  if (marks_.empty()) {
    (void)fail(Code::parse_error, "{} without a MARK before it", op_name());
    return std::nullopt;
  }
  const std::size_t first = marks_.back();
  marks_.pop_back();
  return first;
}

// ---- names and objects ----------------------------------------------------------------------------------------------

bool PickleVm::push_global_lines() {
  std::string_view module;
  std::string_view name;
  if (!read_line(module) || !read_line(name) || !node_fits()) return false;
  if (!is_valid_utf8(module) || !is_valid_utf8(name))
    return fail(Code::parse_error, "GLOBAL with a name that is not UTF-8");
  graph_.globals.push_back({module, name});
  return push(graph_.add(NodeKind::global, op_offset_, 0, static_cast<std::uint32_t>(graph_.globals.size() - 1)));
}

bool PickleVm::push_stack_global() {
  if (!need(2)) return false;
  const NodeId name = take();
  const NodeId module = take();
  if (!graph_.is(name, NodeKind::text) || !graph_.is(module, NodeKind::text)) {
    return fail(Code::parse_error, "STACK_GLOBAL needs two strings");
  }
  if (!node_fits()) return false;
  graph_.globals.push_back({graph_.text(module), graph_.text(name)});
  return push(graph_.add(NodeKind::global, op_offset_, 0, static_cast<std::uint32_t>(graph_.globals.size() - 1)));
}

bool PickleVm::push_object(NodeId callable, NodeId args, NodeId kwargs) {
  if (!node_fits()) return false;
  graph_.objects.push_back({callable, args, kwargs});
  return push(graph_.add(NodeKind::object, op_offset_, 0, static_cast<std::uint32_t>(graph_.objects.size() - 1)));
}

bool PickleVm::reduce() {
  if (!need(2)) return false;
  const NodeId args = take();
  const NodeId callable = take();
  if (!graph_.is(args, NodeKind::tuple)) return fail(Code::parse_error, "REDUCE with arguments that are not a tuple");
  if (graph_.is(callable, NodeKind::global)) {
    if (const auto pushed = reduce_to_data(graph_.global(callable), args)) return *pushed;
  }
  return push_object(callable, args, no_node);
}

bool PickleVm::newobj(bool with_kwargs) {
  if (!need(with_kwargs ? 3 : 2)) return false;
  const NodeId kwargs = with_kwargs ? take() : no_node;
  const NodeId args = take();
  const NodeId callable = take();
  if (!graph_.is(args, NodeKind::tuple))
    return fail(Code::parse_error, "{} with arguments that are not a tuple", op_name());
  return push_object(callable, args, kwargs);
}

bool PickleVm::build() {
  if (!need(2)) return false;
  const NodeId state = take();
  const NodeId target = stack_.back();
  // Python would change the class itself, for everybody; a name has nothing to change.
  if (graph_.is(target, NodeKind::global)) return true;
  if (!graph_.is(target, NodeKind::object)) {
    return fail(Code::parse_error, "BUILD on a {}", kind_name(graph_.kind(target)));
  }
  graph_.objects[graph_.nodes[target].a].state = state;
  if (place_ == Place::nested || !is_joblib_array_wrapper(graph_, target)) return true;
  if (auto read = read_joblib_array(graph_, target, in_, limits_); !read) {
    error_ = std::move(read).error();
    return false;
  }
  return true;
}

}  // namespace jackdaw::formats
