// Node: one neutral tree for YAML and JSON, in which every value and every key knows where it was written.
//
// Scalars are taken as Kubernetes takes them (sigs.k8s.io/yaml, that is YAML 1.1 by go-yaml v2, then JSON): plain
// `yes`, `on`, `y` are booleans, `010` is eight, `1e3` is a number, `~` and nothing are null; quoted text is always
// text. Trees are immutable after reading and may be read from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/config_value.h"
#include "jackdaw/base/result.h"

namespace jackdaw::spec {

enum class NodeKind : unsigned char { null, boolean, integer, number, text, sequence, map };
// "null", "a boolean", "a whole number", "a number", "text", "a list", "a map": as sentences name them.
std::string_view kind_name(NodeKind kind);

struct Member;

struct Node {
  NodeKind kind = NodeKind::null;
  bool boolean = false;
  std::int64_t integer = 0;     // kind integer
  double number = 0;            // kind integer and number
  std::string text;             // kind text: the value; other scalars: as they were written
  std::vector<Node> items;      // kind sequence
  std::vector<Member> members;  // kind map, in the order of the document, names unique

  // Where the value begins; line and column are 1-based.
  int line = 0;
  int column = 0;
  // Filled in when the whole document was read.
  const Node* parent = nullptr;
  const std::string* file = nullptr;

  bool is_map() const { return kind == NodeKind::map; }
  bool is_sequence() const { return kind == NodeKind::sequence; }
  bool is_text() const { return kind == NodeKind::text; }
  bool is_null() const { return kind == NodeKind::null; }

  // The member's value, or null when this is no map or has no such member.
  const Node* find(std::string_view name) const;
  // The text of find(name), or "" when there is none or it is not text.
  std::string_view text_of(std::string_view name) const;
  // File, line, column and JSON pointer.
  SourcePlace place() const;
  // "/spec/predictor/model", "" for the root.
  std::string pointer() const;
  // "spec.predictor.containers[0].image": the way people write it.
  std::string path() const;

  // Typed reads. The errors say what is there instead, and carry the place.
  Result<std::string> as_text() const;
  Result<bool> as_boolean() const;
  Result<std::int64_t> as_integer() const;  // also numbers without a fraction, such as 1e3
  Result<double> as_number() const;
};

struct Member {
  std::string name;
  int line = 0;  // of the key
  int column = 0;
  Node value;

  SourcePlace key_place() const;  // the place of the key, the pointer of the value
};

// One document. Not movable as an object because its nodes point at each other; pass the pointer on.
struct Document {
  std::string file;
  Node root;

  Document() = default;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
};
using DocumentPtr = std::shared_ptr<const Document>;

struct ReadLimits {
  std::size_t bytes_max = 8u << 20;
  std::size_t nodes_max = 200'000;  // after aliases are written out: refuses alias bombs
  std::size_t documents_max = 10'000;
  int depth_max = 64;
  std::size_t key_bytes_max = 1024;
};

// Reads every document of a YAML text; empty documents are left out. Duplicate keys, odd tags, keys that are maps,
// recursive aliases and anything over a limit are refused with their place. `file` is only used for places.
Result<std::vector<DocumentPtr>> parse_yaml(std::string_view text, std::string_view file,
                                            const ReadLimits& limits = {});

// Reads one JSON value. Places have line and column too.
Result<DocumentPtr> parse_json(std::string_view text, std::string_view file, const ReadLimits& limits = {});

// The tree as compact JSON, in document order: how Kubernetes' API answers give an object back.
std::string to_json(const Node& node);

}  // namespace jackdaw::spec
