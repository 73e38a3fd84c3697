// The calls that older protocols use to spell plain data, read as that data. Nothing is called; each is matched by
// exact name and by the form of its arguments, and anything else stays an inert object:
//   _codecs.encode(str, 'latin1')   bytes under protocols 0-2
//   builtins.bytearray(...)          bytearray below protocol 5; builtins.bytes() empty bytes below protocol 3
//   builtins.set([...]), frozenset   sets below protocol 4
#include <string>
#include <unordered_map>

#include "src/formats/pickle_vm.h"

namespace jackdaw::formats {

namespace {

// UTF-8 text whose code points are all below 256, as those bytes. The text was checked to be UTF-8.
bool encode_latin1(std::string_view text, std::string& out) {
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      out.push_back(text[i]);
    } else if (lead <= 0xc3 && i + 1 < text.size()) {
      out.push_back(static_cast<char>(lead << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f)));
    } else {
      return false;
    }
  }
  return true;
}

bool is_latin1_name(std::string_view name) {
  return name == "latin1" || name == "latin-1";
}

}  // namespace

std::optional<bool> PickleVm::reduce_to_data(const GlobalName& callable, NodeId args_tuple) {
  const auto args = graph_.items(args_tuple);
  const auto is_latin1_call = [&] {
    return args.size() == 2 && graph_.is(args[0], NodeKind::text) && graph_.is(args[1], NodeKind::text) &&
           is_latin1_name(graph_.text(args[1]));
  };
  if (callable.module == "_codecs") {
    if (callable.name == "encode" && is_latin1_call()) return push_encoded(args[0]);
    return std::nullopt;
  }
  if (callable.module != "builtins" && callable.module != "__builtin__") return std::nullopt;
  if (callable.name == "bytearray" && is_latin1_call()) return push_encoded(args[0]);
  if ((callable.name == "bytearray" || callable.name == "bytes") && args.size() <= 1) {
    if (args.empty() || graph_.is(args[0], NodeKind::bytes)) return push_byte_string(args);
  }
  if (callable.name == "set" || callable.name == "frozenset") {
    if (args.empty() || (args.size() == 1 && graph_.is(args[0], NodeKind::list))) {
      return push_collection(callable.name == "set" ? NodeKind::set : NodeKind::frozenset, args);
    }
  }
  return std::nullopt;
}

// Encoded once per text: a memoised text could be asked for again and again.
bool PickleVm::push_encoded(NodeId text) {
  if (const auto found = graph_.encoded_of.find(text); found != graph_.encoded_of.end()) return push(found->second);
  std::string content;
  if (!encode_latin1(graph_.text(text), content)) {
    return fail(Code::parse_error, "bytes written as text hold a character above 255");
  }
  if (!node_fits()) return false;
  const NodeId node = graph_.add_decoded(NodeKind::bytes, op_offset_, std::move(content));
  graph_.encoded_of.emplace(text, node);
  return push(node);
}

bool PickleVm::push_byte_string(std::span<const NodeId> args) {
  if (!args.empty()) return push(args[0]);
  return node_fits() && push(graph_.add_view(NodeKind::bytes, op_offset_, {}));
}

// The set shares the list's ids and may not grow: copies of a memoised list could be asked for again and again.
bool PickleVm::push_collection(NodeKind kind, std::span<const NodeId> args) {
  if (!node_fits()) return false;
  if (args.empty()) return push(graph_.add(kind, op_offset_));
  const Node list = graph_.nodes[args[0]];
  return push(graph_.add(kind, op_offset_, list.value, list.a, ChildRange::frozen));
}

}  // namespace jackdaw::formats
