// JSON into the node tree. simdjson checks and reads the text; a cursor walks the (then valid) source beside it and
// supplies line and column of every key and value.
#include <simdjson.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "src/spec/reader.h"

namespace jackdaw::spec {
namespace {

struct Position {
  int line = 1;
  int column = 1;
};

// Steps from token to token of a text that is valid JSON.
class TokenCursor {
 public:
  explicit TokenCursor(std::string_view text) : text_(text) {}

  // Skips white space, commas, colons and closing brackets; answers where the next token begins, and its text.
  std::pair<Position, std::string_view> next() {
    while (at_ < text_.size() && std::string_view(" \t\r\n,:]}").find(text_[at_]) != std::string_view::npos) step(1);
    const Position position = position_;
    const std::size_t length = token_length();
    const std::string_view token = text_.substr(at_, length);
    step(length);
    return {position, token};
  }

 private:
  std::size_t token_length() const {
    if (at_ >= text_.size()) return 0;
    const char c = text_[at_];
    if (c == '[' || c == '{') return 1;
    if (c == '"') return string_length();
    return std::min(text_.find_first_of(" \t\r\n,:]}", at_), text_.size()) - at_;
  }
  std::size_t string_length() const {
    for (std::size_t i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == '"') {
        return i + 1 - at_;
      }
    }
    return text_.size() - at_;
  }
  void step(std::size_t length) {
    for (const char c : text_.substr(at_, length)) {
      ++position_.column;
      if (c == '\n') position_ = {position_.line + 1, 1};
    }
    at_ += length;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Position position_;
};

// What the builder refuses; an empty message means that all is well.
struct JsonRefusal {
  std::string message;
  Position position;
};

class TreeBuilder {
 public:
  TreeBuilder(std::string_view text, const ReadLimits& limits) : cursor_(text), limits_(limits) {}

  // Recursion is bounded by the parser's own depth limit.
  bool build(const simdjson::dom::element& element, Node& node) {
    const auto [position, token] = cursor_.next();
    node.line = position.line;
    node.column = position.column;
    if (++nodes_ > limits_.nodes_max) {
      return refuse(fmt::format("the document has more than {} values", limits_.nodes_max), position);
    }
    switch (element.type()) {
      case simdjson::dom::element_type::ARRAY:
        return build_items(element.get_array().value_unsafe(), node);
      case simdjson::dom::element_type::OBJECT:
        return build_members(element.get_object().value_unsafe(), node);
      default:
        build_scalar(element, token, node);
        return node.text.find('\0') == std::string::npos || refuse("a zero character is not allowed", position);
    }
  }
  const JsonRefusal& refusal() const { return refusal_; }

 private:
  bool refuse(std::string message, Position position) {
    refusal_ = {std::move(message), position};
    return false;
  }

  static void build_scalar(const simdjson::dom::element& element, std::string_view token, Node& node) {
    node.text = std::string(token);
    switch (element.type()) {
      case simdjson::dom::element_type::STRING:
        node.kind = NodeKind::text;
        node.text = std::string(element.get_string().value_unsafe());
        return;
      case simdjson::dom::element_type::BOOL:
        node.kind = NodeKind::boolean;
        node.boolean = element.get_bool().value_unsafe();
        return;
      case simdjson::dom::element_type::INT64:
        node.kind = NodeKind::integer;
        node.integer = element.get_int64().value_unsafe();
        node.number = static_cast<double>(node.integer);
        return;
      case simdjson::dom::element_type::UINT64:
        node.kind = NodeKind::number;
        node.number = static_cast<double>(element.get_uint64().value_unsafe());
        return;
      case simdjson::dom::element_type::DOUBLE:
        node.kind = NodeKind::number;
        node.number = element.get_double().value_unsafe();
        return;
      default:
        node.kind = NodeKind::null;
    }
  }

  bool build_items(const simdjson::dom::array& array, Node& node) {
    node.kind = NodeKind::sequence;
    for (const simdjson::dom::element item : array) {
      node.items.emplace_back();
      if (!build(item, node.items.back())) return false;
    }
    return true;
  }

  bool build_members(const simdjson::dom::object& object, Node& node) {
    node.kind = NodeKind::map;
    std::unordered_map<std::string_view, int> lines;
    for (const auto& [key, value] : object) {
      const auto [position, token] = cursor_.next();
      if (key.size() > limits_.key_bytes_max) {
        return refuse(fmt::format("this key is longer than {} bytes", limits_.key_bytes_max), position);
      }
      if (key.find('\0') != std::string_view::npos) return refuse("a zero character is not allowed", position);
      if (const auto [before, fresh] = lines.emplace(key, position.line); !fresh) {
        return refuse(fmt::format("the key '{}' is here twice; the first one is in line {}", key, before->second),
                      position);
      }
      Member& member = node.members.emplace_back();
      member.name = std::string(key);
      member.line = position.line;
      member.column = position.column;
      if (!build(value, member.value)) return false;
    }
    return true;
  }

  TokenCursor cursor_;
  const ReadLimits& limits_;
  std::size_t nodes_ = 0;
  JsonRefusal refusal_;
};

// simdjson does not say where a text stops being JSON. What is broken JSON is nearly always broken YAML at the same
// place, so the YAML reader finds it.
SourcePlace place_of_fault(std::string_view text, std::string_view file, const ReadLimits& limits) {
  std::vector<DocumentPtr> ignored;
  SyntaxFault fault = read_yaml(text, file, limits, ignored);
  if (!fault.message.empty()) return fault.place;
  return {std::string(file), 0, 0, {}};
}

}  // namespace

SyntaxFault read_json(std::string_view text, std::string_view file, const ReadLimits& limits,
                      std::vector<DocumentPtr>& documents) {
  if (text.size() > limits.bytes_max) {
    return {fmt::format("the file has {} bytes, more than the {} allowed", text.size(), limits.bytes_max),
            {std::string(file), 0, 0, {}}};
  }
  if (text.empty()) text = " ";  // simdjson copies from data(), which may be null here
  simdjson::dom::parser parser(limits.bytes_max + simdjson::SIMDJSON_PADDING);
  simdjson::dom::element root;
  auto fault = parser.allocate(std::max<std::size_t>(text.size(), 64), static_cast<std::size_t>(limits.depth_max));
  if (!fault) fault = parser.parse(text.data(), text.size()).get(root);
  if (fault == simdjson::DEPTH_ERROR) {
    return {fmt::format("lists and maps are nested deeper than {} levels", limits.depth_max),
            {std::string(file), 0, 0, {}}};
  }
  if (fault) {
    return {fmt::format("not valid JSON: {}", simdjson::error_message(fault)), place_of_fault(text, file, limits)};
  }
  auto document = std::make_shared<Document>();
  document->file = std::string(file);
  TreeBuilder builder(text, limits);
  if (!builder.build(root, document->root)) {
    const auto& [message, position] = builder.refusal();
    return {message, {std::string(file), position.line, position.column, {}}};
  }
  link_nodes(*document);
  documents.push_back(std::move(document));
  return {};
}

Result<DocumentPtr> parse_json(std::string_view text, std::string_view file, const ReadLimits& limits) {
  std::vector<DocumentPtr> documents;
  SyntaxFault fault = read_json(text, file, limits, documents);
  if (!fault.message.empty()) return Error{Code::parse_error, std::move(fault.message), fault.place.text()};
  return documents.front();
}

}  // namespace jackdaw::spec
