// Messages to the chat template's context: every member as it came and in its order, except that content becomes one
// text (null: ""), as vLLM makes it for templates that want texts, and the arguments of tool calls become objects.
#include <utility>

#include "jackdaw/base/text.h"
#include "src/api/openai/reading.h"

namespace jackdaw::api::openai {
namespace {

constexpr std::size_t role_bytes_max = 64;
constexpr std::size_t parts_max = 4096;
constexpr int depth_max = 64;

using simdjson::dom::element_type;

// Deeper than what any reader of the context has to take.
bool too_deep(Element value, int depth) {
  if (depth > depth_max) return true;
  simdjson::dom::array list;
  simdjson::dom::object object;
  if (!value.get(list)) {
    for (const Element item : list) {
      if (too_deep(item, depth + 1)) return true;
    }
  } else if (!value.get(object)) {
    for (const auto& field : object) {
      if (too_deep(field.value, depth + 1)) return true;
    }
  }
  return false;
}

// The text of one part of a content list; nullopt after a refusal.
std::optional<std::string_view> part_text(Reading& reading, const std::string& place, Element part) {
  std::string_view text;
  if (!part.get(text)) return text;
  simdjson::dom::object object;
  if (part.get(object)) {
    reading.wrong_type(place, "a string or an object", part);
    return std::nullopt;
  }
  std::string_view type;
  if (object["type"].get(type)) {
    reading.fail(place, "{}.type is missing.", place);
    return std::nullopt;
  }
  std::string_view member;
  if (type == "text" || type == "input_text" || type == "output_text") {
    member = "text";
  } else if (type == "refusal" || type == "thinking") {
    member = type;
  } else {
    reading.fail(place, "{}: content of type \"{}\" is not supported; messages hold text only.", place, clipped(type));
    return std::nullopt;
  }
  if (object[member].get(text)) {
    reading.fail(place, "{}.{} must be a string.", place, member);
    return std::nullopt;
  }
  return text;
}

std::optional<std::string> content_text(Reading& reading, const std::string& place, Element content) {
  std::string_view text;
  if (!content.get(text)) return std::string(text);
  if (content.is_null()) return std::string();
  simdjson::dom::array parts;
  if (content.get(parts)) {
    reading.wrong_type(place, "a string or a list of content parts", content);
    return std::nullopt;
  }
  std::string joined;
  std::size_t count = 0;
  for (const Element part : parts) {
    if (count >= parts_max) {
      reading.fail(place, "{} has more than {} parts.", place, parts_max);
      return std::nullopt;
    }
    const auto piece = part_text(reading, fmt::format("{}[{}]", place, count), part);
    if (!piece) return std::nullopt;
    if (count++ > 0) joined += '\n';
    joined += *piece;
  }
  return joined;
}

// "arguments": "{\"city\":\"Paris\"}" becomes an object, which is what templates print.
void append_tool_function(std::string& out, const simdjson::dom::object& function) {
  out += '{';
  bool first = true;
  for (const auto& [key, value] : function) {
    if (!std::exchange(first, false)) out += ',';
    append_json_string(out, key);
    out += ':';
    std::string_view text;
    if (key == "arguments" && !value.get(text)) {
      simdjson::dom::parser parser;
      Element parsed;
      if (text.empty()) {
        out += "{}";
        continue;
      }
      if (!parser.parse(text.data(), text.size(), true).get(parsed) && parsed.is_object() && !too_deep(parsed, 0)) {
        out += simdjson::minify(parsed);
        continue;
      }
    }
    out += simdjson::minify(value);
  }
  out += '}';
}

void append_tool_calls(std::string& out, const simdjson::dom::array& calls) {
  out += '[';
  bool first = true;
  for (const Element call : calls) {
    if (!std::exchange(first, false)) out += ',';
    simdjson::dom::object object, function;
    if (call.get(object) || object["function"].get(function)) {
      out += simdjson::minify(call);
      continue;
    }
    out += '{';
    bool first_member = true;
    for (const auto& [key, value] : object) {
      if (!std::exchange(first_member, false)) out += ',';
      append_json_string(out, key);
      out += ':';
      if (key == "function") {
        append_tool_function(out, function);
      } else {
        out += simdjson::minify(value);
      }
    }
    out += '}';
  }
  out += ']';
}

struct MessageFacts {
  std::string_view role;
  bool has_content = false;
  bool may_lack_content = false;  // an assistant's that only calls tools
};

// Appends one member of a message; false after a refusal.
bool append_member(Reading& reading, const std::string& place, std::string_view key, Element value,
                   std::string& last_text) {
  std::string& out = reading.messages_json;
  append_json_string(out, key);
  out += ':';
  simdjson::dom::array calls;
  if (key == "content") {
    const auto text = content_text(reading, place + ".content", value);
    if (!text) return false;
    append_json_string(out, *text);
    last_text = *text;
  } else if (key == "tool_calls" && !value.get(calls)) {
    append_tool_calls(out, calls);
  } else {
    out += simdjson::minify(value);
  }
  return true;
}

void read_message(Reading& reading, std::size_t index, Element value) {
  const std::string place = fmt::format("messages[{}]", index);
  simdjson::dom::object message;
  if (value.get(message)) return reading.wrong_type(place, "an object", value);
  Element role_value, content;
  std::string_view role;
  if (message["role"].get(role_value)) return reading.fail(place + ".role", "{}.role is missing.", place);
  if (role_value.get(role) || role.empty() || role.size() > role_bytes_max)
    return reading.fail(place + ".role", "{}.role must be a string such as \"user\".", place);
  const bool has_content = !message["content"].get(content);
  if (role != "assistant" && (!has_content || content.is_null()))
    return reading.fail(place + ".content", "{}.content is missing.", place);
  if (too_deep(value, 0)) return reading.fail(place, "{} is nested deeper than {} levels.", place, depth_max);
  std::string text;
  bool first = true;
  reading.messages_json += index == 0 ? "{" : ",{";
  for (const auto& [key, member] : message) {
    if (!std::exchange(first, false)) reading.messages_json += ',';
    if (!append_member(reading, place, key, member, text)) return;
  }
  if (!has_content) reading.messages_json += R"(,"content":"")";
  reading.messages_json += '}';
  reading.out.last_message = role == "assistant" ? std::move(text) : std::string();
}

}  // namespace

void read_messages(Reading& reading, Element value) {
  simdjson::dom::array list;
  if (value.get(list)) return reading.wrong_type("messages", "a list of messages", value);
  reading.messages_json = "[";
  std::size_t count = 0;
  for (const Element message : list) {
    if (count >= messages_max) return reading.fail("messages", "messages holds more than {} messages.", messages_max);
    read_message(reading, count++, message);
    if (reading.refusal) return;
  }
  if (count == 0) return reading.fail("messages", "messages cannot be empty.");
  reading.messages_json += ']';
  reading.out.message_bytes = reading.messages_json.size();
}

void read_documents(Reading& reading, Element value) {
  if (!value.is_array()) return reading.wrong_type("documents", "a list of objects", value);
  if (too_deep(value, 0)) return reading.fail("documents", "documents is nested deeper than {} levels.", depth_max);
  reading.context_members += R"(,"documents":)" + simdjson::minify(value);
  reading.out.message_bytes += reading.context_members.size();
}

void read_chat_template_kwargs(Reading& reading, Element value) {
  simdjson::dom::object variables;
  if (value.get(variables)) return reading.wrong_type("chat_template_kwargs", "an object", value);
  if (too_deep(value, 0))
    return reading.fail("chat_template_kwargs", "chat_template_kwargs is nested deeper than {} levels.", depth_max);
  for (const auto& [key, variable] : variables) {
    for (const std::string_view own : {"messages", "tools", "documents", "chat_template", "tokenize",
                                       "add_generation_prompt", "continue_final_message"}) {
      if (key == own) {
        return reading.fail("chat_template_kwargs", "chat_template_kwargs cannot set {}; it is a parameter of its own.",
                            own);
      }
    }
    reading.context_members += ',';
    append_json_string(reading.context_members, key);
    reading.context_members += ':';
    reading.context_members += simdjson::minify(variable);
  }
}

void read_reasoning_effort(Reading& reading, Element value) {
  const auto effort = reading.text("reasoning_effort", value);
  if (!effort) return;
  static constexpr std::array<std::string_view, 7> known{"none", "minimal", "low", "medium", "high", "xhigh", "max"};
  for (const std::string_view one : known) {
    if (*effort == one) {
      reading.context_members += R"(,"reasoning_effort":")" + std::string(one) + '"';
      return;
    }
  }
  reading.fail("reasoning_effort",
               "reasoning_effort must be none, minimal, low, medium, high, xhigh or max, got \"{}\".",
               clipped(*effort));
}

}  // namespace jackdaw::api::openai
