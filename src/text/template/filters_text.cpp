#include <algorithm>

#include "src/text/template/arguments.h"
#include "src/text/template/filters.h"
#include "src/text/template/format_spec.h"
#include "src/text/template/methods_string.h"
#include "src/text/template/operators.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {
namespace {

// soft_str: Markup stays Markup.
Value soft(Render& render, Value value) {
  return value.is_string() ? value : render.view(render.str(value));
}
Value result(Render& render, const std::string& text, bool markup = false) {
  return render.view(render.heap().copy(text), markup);
}
bool flag(Render& render, Value value, bool fallback) {
  return value.is_missing() ? fallback : render.truth(value);
}

template <std::string (*change)(std::string_view)>
Value changed(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("this filter", arguments);
  const Value text = soft(render, value);
  render.step_bytes(text.string->size);
  return result(render, change(text.text()), text.markup);
}

// Words begin after blanks, hyphens and opening brackets.
std::string title_words(std::string_view text) {
  std::string out;
  std::size_t word = 0;
  const auto flush = [&](std::size_t end) {
    if (end == word) return;
    std::size_t after = word;
    next_code_point(text, after);
    out += to_upper(text.substr(word, after - word));
    out += to_lower(text.substr(after, end - after));
  };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t c = next_code_point(text, at);
    if (c != '-' && c != '(' && c != '{' && c != '[' && c != '<' && !is_space(c)) continue;
    flush(start);
    out += text.substr(start, at - start);
    word = at;
  }
  flush(text.size());
  return out;
}

bool is_word(char32_t c) {
  return c == '_' || is_alnum(c);
}

std::string quote_url(std::string_view text, bool for_query) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~' || (c == '/' && !for_query);
    if (plain)
      out += c;
    else if (c == ' ' && for_query)
      out += '+';
    else
      out += fmt::format("%{:02X}", byte);
  }
  return out;
}

}  // namespace

Value filter_lower(Render& r, Value v, const Arguments& a) {
  return changed<to_lower>(r, v, a);
}
Value filter_upper(Render& r, Value v, const Arguments& a) {
  return changed<to_upper>(r, v, a);
}
Value filter_capitalize(Render& r, Value v, const Arguments& a) {
  return changed<capitalize>(r, v, a);
}
Value filter_title(Render& r, Value v, const Arguments& a) {
  Value out = changed<title_words>(r, v, a);
  out.markup = false;
  return out;
}

Value filter_string(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("string", arguments);
  return soft(render, value);
}
Value filter_safe(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("safe", arguments);
  return render.view(render.str(value), true);
}
Value filter_escape(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("escape", arguments);
  if (value.is_string() && value.markup) return value;
  return result(render, escape_html(render.str(value)), true);
}
Value filter_forceescape(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("forceescape", arguments);
  return result(render, escape_html(render.str(value)), true);
}

Value filter_trim(Render& render, Value value, const Arguments& arguments) {
  const auto [chars] = bind("trim", arguments, {"chars"});
  const Value text = soft(render, value);
  return render.view(strip_characters(text.text(), chars, true, true), text.markup);
}

Value filter_replace(Render& render, Value value, const Arguments& arguments) {
  const auto [from, to, count] = bind("replace", arguments, {"old", "new", "count"}, 2);
  const std::int64_t most = count.is_none() ? -1 : index_or(count, -1, "count");
  return replace_text(render, render.str(value), render.str(from), render.str(to), most);
}

Value filter_center(Render& render, Value value, const Arguments& arguments) {
  const auto [width] = bind("center", arguments, {"width"});
  const Value wide = width.is_missing() ? Value::of(std::int64_t{80}) : width;
  const Value text = soft(render, value);
  return render.call(render.get_attribute(text, "center"), {{&wide, 1}, {}});
}

Value filter_format(Render& render, Value value, const Arguments& arguments) {
  if (!arguments.positional.empty() && !arguments.named.empty())
    fail("can't handle positional and keyword arguments at the same time");
  const Value format = soft(render, value);
  if (arguments.named.empty()) return percent_format(render, format, render.tuple(arguments.positional));
  DictObject* values = render.new_dict(arguments.named.size());
  for (const Keyword& keyword : arguments.named) render.put(*values, render.view(keyword.name), keyword.value);
  return percent_format(render, format, Value::of(static_cast<const DictObject*>(values)));
}

Value filter_indent(Render& render, Value value, const Arguments& arguments) {
  const auto [width, first, blank] = bind("indent", arguments, {"width", "first", "blank"});
  if (value.is_undefined()) render.fail_undefined(value);
  if (!value.is_string()) fail("indent needs a string, not '{}'", type_name(value));
  std::string indention = "    ";
  if (width.is_string())
    indention = width.text();
  else if (!width.is_missing())
    indention = pad(render, "", to_index(width, "width"), '<');
  const bool all = flag(render, blank, false);
  std::string out = flag(render, first, false) ? indention : "";
  const std::string text = std::string(value.text()) + "\n";
  bool is_first = true;
  render.step_bytes(text.size());
  for (const std::string_view line : split_lines(text, false)) {
    if (!is_first) out += '\n';
    if (!is_first && (all || !line.empty())) {
      render.heap().charge(indention.size());
      out += indention;
    }
    is_first = false;
    out += line;
  }
  return result(render, out, value.markup);
}

Value filter_truncate(Render& render, Value value, const Arguments& arguments) {
  const auto [length_arg, kill, end_arg, leeway_arg] =
      bind("truncate", arguments, {"length", "killwords", "end", "leeway"});
  const std::int64_t length = index_or(length_arg, 255, "length");
  const Value end = end_arg.is_missing() ? render.view("...") : end_arg;
  const std::int64_t leeway = leeway_arg.is_none() ? 5 : index_or(leeway_arg, 5, "leeway");
  const auto end_length = static_cast<std::int64_t>(render.length(end));
  if (length < end_length) fail("expected length >= {}, got {}", end_length, length);
  if (leeway < 0) fail("expected leeway >= 0, got {}", leeway);
  if (static_cast<std::int64_t>(render.length(value)) <= length + leeway) return value;
  const Value head = render.slice(value, Value::none(), Value::of(length - end_length), Value::none());
  if (flag(render, kill, false)) return apply(render, Arithmetic::add, head, end);
  if (!head.is_string()) fail("truncate needs a string, not '{}'", type_name(value));
  const Value words = render.view(head.text().substr(0, head.text().rfind(' ')), head.markup);
  return apply(render, Arithmetic::add, words, end);
}

Value filter_wordcount(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("wordcount", arguments);
  const std::string_view text = render.str(value);
  render.step_bytes(text.size());
  std::int64_t words = 0;
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const bool word = is_word(next_code_point(text, at));
    if (word && !inside) ++words;
    inside = word;
  }
  return Value::of(words);
}

Value filter_urlencode(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("urlencode", arguments);
  const bool pairs = value.is(Kind::dict) || value.is(Kind::list) || value.is(Kind::tuple) || value.is(Kind::view) ||
                     value.is(Kind::iterator) || value.is(Kind::range) || value.is_undefined();
  if (!pairs) return result(render, quote_url(render.str(value), false));
  std::string out;
  const Value items = value.is(Kind::dict) ? render.call(render.get_attribute(value, "items"), {}) : value;
  for (const Value& pair : render.collect(items)) {
    const std::span<const Value> parts = render.collect(pair);
    if (parts.size() != 2) fail("urlencode needs pairs; one has length {}", parts.size());
    if (!out.empty()) out += '&';
    out += quote_url(render.str(parts[0]), true) + "=" + quote_url(render.str(parts[1]), true);
  }
  return result(render, out);
}

// Removes <!-- --> and <...>, makes white space single blanks, and resolves the five common entities.
Value filter_striptags(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("striptags", arguments);
  std::string text(render.str(value));
  render.step_bytes(text.size());
  const auto remove = [&](std::string_view open, std::string_view close) {
    std::string out;
    std::size_t at = 0;
    while (true) {
      const std::size_t start = text.find(open, at);
      const std::size_t end = start == std::string::npos ? start : text.find(close, start + open.size());
      if (end == std::string::npos) break;
      out.append(text, at, start - at);
      at = end + close.size();
    }
    text = out.append(text, at);
  };
  remove("<!--", "-->");
  remove("<", ">");
  std::string out;
  const Value words = render.call(render.get_attribute(render.string(text), "split"), {});
  for (const Value& word : words.items()) out.append(out.empty() ? "" : " ").append(word.text());
  constexpr std::pair<std::string_view, std::string_view> entities[] = {
      {"&lt;", "<"}, {"&gt;", ">"}, {"&#39;", "'"}, {"&#34;", "\""}, {"&quot;", "\""}, {"&amp;", "&"}};
  Value plain = render.string(out);
  for (const auto& [entity, character] : entities) plain = replace_text(render, plain.text(), entity, character, -1);
  return plain;
}

Value filter_xmlattr(Render& render, Value value, const Arguments& arguments) {
  const auto [autospace] = bind("xmlattr", arguments, {"autospace"});
  if (!value.is(Kind::dict)) fail("xmlattr needs a mapping, not '{}'", type_name(value));
  std::string out;
  for (std::size_t i = 0; i < value.dict->size; ++i) {
    const DictEntry& entry = value.dict->entries[i];
    if (entry.value.is_none() || entry.value.is_undefined()) continue;
    const std::string_view name = text_of(entry.key, "an attribute's name");
    if (name.find_first_of(" \t\n\r\f\v/>=") != std::string_view::npos)
      fail("invalid character in attribute name: '{}'", name);
    out += out.empty() ? "" : " ";
    const bool safe = entry.value.is_string() && entry.value.markup;
    const std::string_view text = render.str(entry.value);
    out += escape_html(name) + "=\"" + (safe ? std::string(text) : escape_html(text)) + "\"";
  }
  if (!out.empty() && flag(render, autospace, true)) out.insert(0, " ");
  return result(render, out);
}

}  // namespace jackdaw::text::jinja
