// The only file that includes yaml-cpp. Its parser hands over events; the tree, its limits and its places are built
// here, so that no alias is ever expanded before it was counted.
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <istream>
#include <memory>
#include <optional>
#include <streambuf>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "jackdaw/base/text.h"
#include "src/spec/reader.h"
#include "src/spec/yaml_scalar.h"
#include "src/spec/yaml_source.h"

namespace jackdaw::spec {
namespace {

// Thrown through yaml-cpp, caught in read_yaml.
struct Refusal {
  std::string message;
  YAML::Mark mark;
};

// Reads a view without copying it.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // NOLINT: a get area is never written to
    setg(begin, begin, begin + text.size());
  }
};

struct Extent {
  std::size_t nodes = 0;
  std::size_t bytes = 0;
  int depth = 0;
};

Extent extent_of(const Node& node) {
  Extent extent{1, node.text.size(), 1};
  const auto add = [&](const Node& child) {
    const Extent inner = extent_of(child);
    extent.nodes += inner.nodes;
    extent.bytes += inner.bytes;
    extent.depth = std::max(extent.depth, inner.depth + 1);
  };
  for (const Node& item : node.items) add(item);
  for (const Member& member : node.members) {
    extent.bytes += member.name.size();
    add(member.value);
  }
  return extent;
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string_view file, const YamlSource& source, const ReadLimits& limits)
      : file_(file), source_(source), limits_(limits) {}

  // The document that just ended; null when it was empty.
  DocumentPtr take() { return std::exchange(finished_, nullptr); }

  // Everything was read: what only the end of the file closed is said now.
  void finish() const {
    if (last_quoted_ && !source_.quote_is_closed(last_quoted_->line, last_quoted_->column)) {
      throw Refusal{"the quote that begins here is never closed", *last_quoted_};
    }
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (any_document_ && !source_.document_may_begin(mark.line, mark.column)) {
      throw Refusal{"this belongs to nothing above it; is its indentation right? A new document begins with ---", mark};
    }
    any_document_ = true;
    frames_.clear();
    anchors_.clear();
    root_.reset();
  }

  void OnDocumentEnd() override {
    if (!root_ || root_->is_null()) return;
    auto document = std::make_shared<Document>();
    document->file = file_;
    document->root = std::move(*root_);
    root_.reset();
    link_nodes(*document);
    finished_ = std::move(document);
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    last_quoted_.reset();
    check_colon();
    place(scalar_at(mark), anchor, mark);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Refusal{"an alias inside its own anchor never ends", mark};
    const auto& [node, extent] = found->second;
    copied_bytes_ += extent.bytes;
    if (copied_bytes_ > limits_.bytes_max) refuse_bomb(mark);
    if (static_cast<int>(frames_.size()) + extent.depth > limits_.depth_max) refuse_depth(mark);
    count(extent.nodes, mark);
    place(node, 0, mark);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    Node node = scalar_at(mark);
    last_quoted_.reset();
    if (value.find('\0') != std::string::npos) throw Refusal{"a zero character is not allowed", mark};
    if (tag.empty() || tag == "?") {
      merge_ = value == "<<" && expects_key();
      resolve_plain_scalar(value, node);
    } else if (tag == "!") {
      last_quoted_ = mark;
      node.kind = NodeKind::text;
      node.text = value;
    } else if (!resolve_tagged_scalar(tag, value, node)) {
      throw Refusal{fmt::format("the tag '{}' is not supported here; remove it", tag), mark};
    }
    place(std::move(node), anchor, mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(NodeKind::sequence, "tag:yaml.org,2002:seq", mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(NodeKind::map, "tag:yaml.org,2002:map", mark, tag, anchor);
    frames_.back().block = style == YAML::EmitterStyle::Block;
  }
  void OnMapEnd() override { close(); }

 private:
  struct Key {
    std::string name;
    std::string raw;  // as it was written, without quotes
    YAML::Mark mark;
    bool merge = false;
  };
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    YAML::Mark mark;
    bool block = false;
    std::optional<Key> key;
    std::unordered_set<std::string> names;
    std::vector<std::pair<Node, YAML::Mark>> merges;
  };

  bool expects_key() const {
    return !frames_.empty() && frames_.back().node.is_map() && !frames_.back().key.has_value();
  }

  // A key at the end of a file may have lost its colon.
  void check_colon() const {
    if (frames_.empty() || !frames_.back().block || !frames_.back().key) return;
    const Key& key = *frames_.back().key;
    if (source_.key_has_colon(key.mark.line, key.mark.column, key.raw)) return;
    throw Refusal{fmt::format("'{}' is neither a key with a colon nor part of the value above", key.raw), key.mark};
  }

  static Node scalar_at(const YAML::Mark& mark) {
    Node node;
    node.line = mark.line + 1;
    node.column = mark.column + 1;
    return node;
  }

  [[noreturn]] void refuse_bomb(const YAML::Mark& mark) const {
    throw Refusal{
        fmt::format("the document has more than {} values once its aliases are written out", limits_.nodes_max), mark};
  }
  [[noreturn]] void refuse_depth(const YAML::Mark& mark) const {
    throw Refusal{fmt::format("lists and maps are nested deeper than {} levels", limits_.depth_max), mark};
  }

  void count(std::size_t nodes, const YAML::Mark& mark) {
    nodes_ += nodes;
    if (nodes_ > limits_.nodes_max) refuse_bomb(mark);
  }

  void open(NodeKind kind, std::string_view own_tag, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    if (!tag.empty() && tag != "?" && tag != "!" && tag != own_tag) {
      throw Refusal{fmt::format("the tag '{}' is not supported here; remove it", tag), mark};
    }
    if (expects_key()) throw Refusal{"a key must be text, not a list or a map", mark};
    if (static_cast<int>(frames_.size()) >= limits_.depth_max) refuse_depth(mark);
    Frame frame;
    frame.node = scalar_at(mark);
    frame.node.kind = kind;
    frame.anchor = anchor;
    frame.mark = mark;
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    for (auto& [source, mark] : frame.merges) merge(frame, source, mark);
    place(std::move(frame.node), frame.anchor, frame.mark);
  }

  // Puts a finished value where it belongs: as the root, a list item, a key or a member.
  void place(Node node, YAML::anchor_t anchor, const YAML::Mark& mark) {
    count(1, mark);
    if (anchor != 0) remember(anchor, node, mark);
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = frames_.back();
    if (frame.node.is_sequence()) {
      frame.node.items.push_back(std::move(node));
    } else if (!frame.key) {
      take_key(frame, node, mark);
    } else {
      take_member(frame, std::move(node));
    }
  }

  void remember(YAML::anchor_t anchor, const Node& node, const YAML::Mark& mark) {
    const Extent extent = extent_of(node);
    copied_bytes_ += extent.bytes;
    anchored_nodes_ += extent.nodes;
    if (copied_bytes_ > limits_.bytes_max || anchored_nodes_ > limits_.nodes_max) refuse_bomb(mark);
    anchors_[anchor] = {node, extent};
  }

  void take_key(Frame& frame, const Node& node, const YAML::Mark& mark) {
    if (std::exchange(merge_, false)) {
      frame.key = Key{"<<", "<<", mark, true};
      return;
    }
    const bool scalar = !node.is_null() && !node.is_map() && !node.is_sequence();
    std::string name = scalar ? key_text(node) : std::string();
    if (name.empty() && !(node.is_text() && node.text.empty())) {
      throw Refusal{fmt::format("a key must be text, not {}", kind_name(node.kind)), mark};
    }
    if (name.size() > limits_.key_bytes_max) {
      throw Refusal{fmt::format("this key is longer than {} bytes", limits_.key_bytes_max), mark};
    }
    if (!frame.names.insert(name).second) {
      throw Refusal{fmt::format("the key '{}' is here twice; the first one is in line {}", name, line_of(frame, name)),
                    mark};
    }
    frame.key = Key{std::move(name), node.text, mark, false};
  }

  static int line_of(const Frame& frame, std::string_view name) {
    for (const Member& member : frame.node.members) {
      if (member.name == name) return member.line;
    }
    return frame.node.line;
  }

  void take_member(Frame& frame, Node node) {
    const Key key = *std::exchange(frame.key, std::nullopt);
    if (key.merge) {
      frame.merges.emplace_back(std::move(node), key.mark);
      return;
    }
    Member member;
    member.name = key.name;
    member.line = key.mark.line + 1;
    member.column = key.mark.column + 1;
    member.value = std::move(node);
    frame.node.members.push_back(std::move(member));
  }

  // `<<: *base` and `<<: [*a, *b]`: members that the map does not have itself.
  void merge(Frame& frame, Node& source, const YAML::Mark& mark) {
    if (source.is_sequence()) {
      for (Node& item : source.items) {
        if (!item.is_map()) throw Refusal{"a merge key (<<) takes a map or a list of maps", mark};
        merge(frame, item, mark);
      }
      return;
    }
    if (!source.is_map()) throw Refusal{"a merge key (<<) takes a map or a list of maps", mark};
    for (Member& member : source.members) {
      if (frame.names.insert(member.name).second) frame.node.members.push_back(std::move(member));
    }
  }

  const std::string file_;
  const YamlSource& source_;
  const ReadLimits& limits_;
  std::vector<Frame> frames_;
  std::unordered_map<YAML::anchor_t, std::pair<Node, Extent>> anchors_;
  std::optional<Node> root_;
  DocumentPtr finished_;
  bool merge_ = false;
  bool any_document_ = false;
  std::optional<YAML::Mark> last_quoted_;  // the last value, when it was in quotes
  // Over the whole text, so that many documents are as bounded as one.
  std::size_t nodes_ = 0;
  std::size_t anchored_nodes_ = 0;
  std::size_t copied_bytes_ = 0;
};

SyntaxFault fault_at(std::string message, std::string_view file, int line, int column) {
  return {std::move(message), SourcePlace{std::string(file), line, column, {}}};
}

// yaml-cpp's words for what people do most, in words that say what to do.
std::string in_plain_words(std::string_view words) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 9> table = {{
      {"end of map not found", "a key with a colon is expected here; is the indentation right?"},
      {"end of sequence not found", "a list item (- ) is expected here; is the indentation right?"},
      {"end of map flow not found", "the map that begins with '{' is not closed before this place"},
      {"end of sequence flow not found", "the list that begins with '[' is not closed before this place"},
      {"illegal map value", "a ': ' is not allowed here; put the text in quotes, or begin a new line"},
      {"illegal block entry", "a '- ' is not allowed here; begin a new line"},
      {"illegal flow end", "this bracket closes nothing"},
      {"unknown token", "this character cannot begin a value; put the value in quotes"},
      {"illegal EOF in scalar", "the quote before this place is never closed"},
  }};
  for (const auto& [theirs, ours] : table) {
    if (words == theirs) return std::string(ours);
  }
  return std::string(words);
}

// yaml-cpp keeps some 200 bytes for each of these until the line ends.
constexpr std::ptrdiff_t flow_signs_max = 65'536;
bool crowded(std::string_view row) {
  const auto is_sign = [](char c) { return c == '[' || c == ']' || c == '{' || c == '}' || c == ','; };
  return std::count_if(row.begin(), row.end(), is_sign) > flow_signs_max;
}

// What yaml-cpp would take in silence but Kubernetes' reader refuses, and bytes no text has.
SyntaxFault check_bytes(std::string_view text, std::string_view file, const ReadLimits& limits) {
  if (text.size() > limits.bytes_max) {
    return fault_at(fmt::format("the file has {} bytes, more than the {} allowed", text.size(), limits.bytes_max), file,
                    0, 0);
  }
  int line = 1;
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view row = text.substr(begin, end - begin);
    if (!is_valid_utf8(row)) return fault_at("this line is not valid UTF-8 text", file, line, 0);
    if (const auto nul = row.find('\0'); nul != std::string_view::npos) {
      return fault_at("a zero byte is not allowed in YAML", file, line, static_cast<int>(nul) + 1);
    }
    const auto first = row.find_first_not_of("\t \r");
    const bool content = first != std::string_view::npos && row[first] != '#';
    if (crowded(row)) {
      return fault_at(
          fmt::format("this line holds more than {} brackets and commas; break it into several lines, or name the "
                      "file .json",
                      flow_signs_max),
          file, line, 0);
    }
    if (content && row[0] == '\t')
      return fault_at("YAML does not allow tabs for indentation; use spaces", file, line, 1);
    begin = end + 1;
    ++line;
  }
  return {};
}

void link_below(Node& node, const std::string& file) {
  node.file = &file;
  for (Node& item : node.items) {
    item.parent = &node;
    link_below(item, file);
  }
  for (Member& member : node.members) {
    member.value.parent = &node;
    link_below(member.value, file);
  }
}

SyntaxFault read_documents(std::string_view text, std::string_view file, const ReadLimits& limits,
                           std::vector<DocumentPtr>& documents) {
  ViewBuffer buffer(text);
  std::istream stream(&buffer);
  const YamlSource source(text);
  TreeBuilder builder(file, source, limits);
  YAML::Parser parser(stream);
  while (parser.HandleNextDocument(builder)) {
    if (DocumentPtr document = builder.take()) documents.push_back(std::move(document));
    if (documents.size() > limits.documents_max) {
      return fault_at(fmt::format("more than {} documents in one file", limits.documents_max), file, 0, 0);
    }
  }
  builder.finish();
  return {};
}

}  // namespace

void link_nodes(Document& document) {
  link_below(document.root, document.file);
}

SyntaxFault read_yaml(std::string_view text, std::string_view file, const ReadLimits& limits,
                      std::vector<DocumentPtr>& documents) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.substr(0, byte_order_mark.size()) == byte_order_mark) text.remove_prefix(byte_order_mark.size());
  if (SyntaxFault fault = check_bytes(text, file, limits); !fault.message.empty()) return fault;
  try {
    return read_documents(text, file, limits, documents);
  } catch (const Refusal& refusal) {
    return fault_at(refusal.message, file, refusal.mark.line + 1, refusal.mark.column + 1);
  } catch (const YAML::Exception& fault) {
    return fault_at(fmt::format("not valid YAML: {}", in_plain_words(fault.msg)), file, fault.mark.line + 1,
                    fault.mark.column + 1);
  } catch (const std::exception& fault) {
    return fault_at(fmt::format("not valid YAML: {}", fault.what()), file, 0, 0);
  }
}

Result<std::vector<DocumentPtr>> parse_yaml(std::string_view text, std::string_view file, const ReadLimits& limits) {
  std::vector<DocumentPtr> documents;
  SyntaxFault fault = read_yaml(text, file, limits, documents);
  if (!fault.message.empty()) return Error{Code::parse_error, std::move(fault.message), fault.place.text()};
  return documents;
}

}  // namespace jackdaw::spec
