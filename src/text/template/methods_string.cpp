// The methods of Python's str.
#include "src/text/template/methods_string.h"

#include <algorithm>

#include "src/text/template/arguments.h"
#include "src/text/template/format_spec.h"
#include "src/text/template/library.h"
#include "src/text/template/operators.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {

std::string_view strip_characters(std::string_view text, Value chars, bool left, bool right) {
  if (chars.is_missing() || chars.is_none()) {
    if (left) text = strip_left(text);
    if (right) text = strip_right(text);
    return text;
  }
  const std::string_view set = text_of(chars, "the characters to strip");
  const auto in_set = [&](std::string_view c) {
    for (std::size_t at = 0; at < set.size();) {
      const std::size_t start = at;
      next_code_point(set, at);
      if (set.substr(start, at - start) == c) return true;
    }
    return false;
  };
  while (left && !text.empty()) {
    std::size_t after = 0;
    next_code_point(text, after);
    if (!in_set(text.substr(0, after))) break;
    text.remove_prefix(after);
  }
  while (right && !text.empty()) {
    const std::size_t start = previous_start(text, text.size());
    if (!in_set(text.substr(start))) break;
    text = text.substr(0, start);
  }
  return text;
}

std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> out;
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = at;
    const char32_t c = next_code_point(text, at);
    if (!is_line_break(c)) continue;
    if (c == '\r' && at < text.size() && text[at] == '\n') ++at;
    out.push_back(text.substr(start, (keep_ends ? at : end) - start));
    start = at;
  }
  if (start < text.size()) out.push_back(text.substr(start));
  return out;
}

Value replace_text(Render& render, std::string_view text, std::string_view from, std::string_view to,
                   std::int64_t count) {
  render.step_bytes(text.size());
  std::string out;
  const auto grow = [&](std::string_view more) {
    if (out.size() + more.size() > render.limits().memory_bytes_max)
      fail_limit("the template needs more than {} bytes of memory", render.limits().memory_bytes_max);
    out += more;
  };
  std::size_t at = 0;
  if (from.empty()) {  // Before every character and at the end.
    for (; count != 0 && at < text.size(); --count) {
      grow(to);
      const std::size_t start = at;
      next_code_point(text, at);
      grow(text.substr(start, at - start));
    }
    if (count != 0) grow(to);
    grow(text.substr(at));
    return render.string(out);
  }
  for (; count != 0; --count) {
    const std::size_t found = text.find(from, at);
    if (found == std::string_view::npos) break;
    grow(text.substr(at, found - at));
    grow(to);
    at = found + from.size();
  }
  if (at == 0) return render.view(text);
  grow(text.substr(at));
  return render.string(out);
}

namespace {

Value same_kind(Render& render, Value self, std::string_view text) {
  return render.view(text, self.markup);
}
Value same_kind_copy(Render& render, Value self, const std::string& text) {
  return render.view(render.heap().copy(text), self.markup);
}

Value list_of(Render& render, Value self, const std::vector<std::string_view>& parts) {
  std::vector<Value> items;
  items.reserve(parts.size());
  render.step(parts.size());
  for (const std::string_view part : parts) items.push_back(render.view(part, self.markup));
  return render.list(items);
}

// Splits at white space from the left; the rest is kept whole after `most` splits.
std::vector<std::string_view> split_space(std::string_view text, std::int64_t most) {
  std::vector<std::string_view> out;
  text = strip_left(text);
  while (!text.empty()) {
    if (most-- == 0) {
      out.push_back(text);
      break;
    }
    std::size_t end = 0;
    while (end < text.size()) {
      std::size_t after = end;
      if (is_space(next_code_point(text, after))) break;
      end = after;
    }
    out.push_back(text.substr(0, end));
    text = strip_left(text.substr(end));
  }
  return out;
}

std::vector<std::string_view> rsplit_space(std::string_view text, std::int64_t most) {
  std::vector<std::string_view> out;
  text = strip_right(text);
  while (!text.empty()) {
    if (most-- == 0) {
      out.push_back(text);
      break;
    }
    std::size_t start = text.size();
    while (start > 0) {
      const std::size_t before = previous_start(text, start);
      std::size_t probe = before;
      if (is_space(next_code_point(text, probe))) break;
      start = before;
    }
    out.push_back(text.substr(start));
    text = strip_right(text.substr(0, start));
  }
  std::reverse(out.begin(), out.end());
  return out;
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, std::int64_t most) {
  std::vector<std::string_view> out;
  std::size_t start = 0;
  while (most-- != 0) {
    const std::size_t found = text.find(separator, start);
    if (found == std::string_view::npos) break;
    out.push_back(text.substr(start, found - start));
    start = found + separator.size();
  }
  out.push_back(text.substr(start));
  return out;
}

std::vector<std::string_view> rsplit_at(std::string_view text, std::string_view separator, std::int64_t most) {
  std::vector<std::string_view> out;
  while (most-- != 0) {
    const std::size_t found = text.rfind(separator);
    if (found == std::string_view::npos) break;
    out.push_back(text.substr(found + separator.size()));
    text = text.substr(0, found);
  }
  out.push_back(text);
  std::reverse(out.begin(), out.end());
  return out;
}

Value split_either(Render& render, Value self, const Arguments& arguments, bool from_right) {
  const auto [separator, most] = bind(from_right ? "rsplit" : "split", arguments, {"sep", "maxsplit"});
  const std::int64_t limit = index_or(most, -1, "maxsplit");
  render.step_bytes(self.string->size);
  if (separator.is_missing() || separator.is_none())
    return list_of(render, self, from_right ? rsplit_space(self.text(), limit) : split_space(self.text(), limit));
  const std::string_view at = text_of(separator, "the separator");
  if (at.empty()) fail("empty separator");
  return list_of(render, self, from_right ? rsplit_at(self.text(), at, limit) : split_at(self.text(), at, limit));
}
Value split(Render& render, Value self, const Arguments& arguments) {
  return split_either(render, self, arguments, false);
}
Value rsplit(Render& render, Value self, const Arguments& arguments) {
  return split_either(render, self, arguments, true);
}

Value splitlines(Render& render, Value self, const Arguments& arguments) {
  const auto [keep] = bind("splitlines", arguments, {"keepends"});
  render.step_bytes(self.string->size);
  return list_of(render, self, split_lines(self.text(), !keep.is_missing() && render.truth(keep)));
}

template <bool left, bool right>
Value strip(Render& render, Value self, const Arguments& arguments) {
  const auto [chars] = bind("strip", arguments, {"chars"}, 0, false);
  return same_kind(render, self, strip_characters(self.text(), chars, left, right));
}

template <std::string (*change)(std::string_view)>
Value changed(Render& render, Value self, const Arguments& arguments) {
  bind_nothing("this method", arguments);
  render.step_bytes(self.string->size);
  return same_kind_copy(render, self, change(self.text()));
}

Value casefold(Render& render, Value self, const Arguments& arguments) {
  bind_nothing("casefold", arguments);
  if (!is_ascii(self.text())) fail("casefold() of text beyond ASCII is not supported");
  return same_kind_copy(render, self, to_lower(self.text()));
}

// The part of the text between two optional code point bounds, and where it begins.
struct Part {
  std::string_view text;
  std::int64_t start = 0;  // code points
  bool valid = true;       // false: the start lies beyond the end
};
Part part_of(Render& render, Value self, Value start, Value stop) {
  Part part{self.text(), 0, true};
  const auto given = [](Value v) { return !v.is_missing() && !v.is_none(); };
  if (!given(start) && !given(stop)) return part;
  const auto length = static_cast<std::int64_t>(render.length(self));
  const auto place = [&](Value v, std::int64_t fallback) {
    if (!given(v)) return fallback;
    const std::int64_t at = to_index(v, "a bound");
    return at < 0 ? (at < -length ? 0 : at + length) : at;
  };
  const std::int64_t from = place(start, 0), to = std::min(place(stop, length), length);
  part.start = from;
  part.valid = from <= to;
  part.text =
      part.valid ? render.slice(self, Value::of(from), Value::of(to), Value::none()).text() : std::string_view();
  return part;
}

std::int64_t search(Render& render, Value self, const Arguments& arguments, const char* name, bool backwards) {
  const auto [sub, start, stop] = bind(name, arguments, {"sub", "start", "end"}, 1, false);
  const std::string_view wanted = text_of(sub, "the text to look for");
  const Part part = part_of(render, self, start, stop);
  render.step_bytes(part.text.size());
  if (!part.valid) return -1;
  const std::size_t found = backwards ? part.text.rfind(wanted) : part.text.find(wanted);
  if (found == std::string_view::npos) return -1;
  return part.start + static_cast<std::int64_t>(count_code_points(part.text.substr(0, found)));
}
Value find_text(Render& r, Value self, const Arguments& a) {
  return Value::of(search(r, self, a, "find", false));
}
Value rfind_text(Render& r, Value self, const Arguments& a) {
  return Value::of(search(r, self, a, "rfind", true));
}
Value index_text(Render& r, Value self, const Arguments& a) {
  const std::int64_t at = search(r, self, a, "index", false);
  if (at < 0) fail("substring not found");
  return Value::of(at);
}
Value rindex_text(Render& r, Value self, const Arguments& a) {
  const std::int64_t at = search(r, self, a, "rindex", true);
  if (at < 0) fail("substring not found");
  return Value::of(at);
}

Value count_text(Render& render, Value self, const Arguments& arguments) {
  const auto [sub, start, stop] = bind("count", arguments, {"sub", "start", "end"}, 1, false);
  const std::string_view wanted = text_of(sub, "the text to count");
  const Part part = part_of(render, self, start, stop);
  render.step_bytes(part.text.size());
  if (!part.valid) return Value::of(std::int64_t{0});
  if (wanted.empty()) return Value::of(static_cast<std::int64_t>(count_code_points(part.text)) + 1);
  std::int64_t count = 0;
  for (std::size_t at = 0; (at = part.text.find(wanted, at)) != std::string_view::npos; at += wanted.size()) ++count;
  return Value::of(count);
}

Value affix(Render& render, Value self, const Arguments& arguments, bool at_start) {
  const auto [given, start, stop] =
      bind(at_start ? "startswith" : "endswith", arguments, {"prefix", "start", "end"}, 1, false);
  const Part part = part_of(render, self, start, stop);
  const auto fits = [&](Value v) {
    const std::string_view text = text_of(v, "the argument of startswith() or endswith()");
    return part.valid && (at_start ? part.text.starts_with(text) : part.text.ends_with(text));
  };
  if (!given.is(Kind::tuple)) return Value::of(fits(given));
  bool any = false;
  for (const Value& v : given.items()) any = any || fits(v);
  return Value::of(any);
}
Value startswith(Render& r, Value self, const Arguments& a) {
  return affix(r, self, a, true);
}
Value endswith(Render& r, Value self, const Arguments& a) {
  return affix(r, self, a, false);
}

Value replace(Render& render, Value self, const Arguments& arguments) {
  const auto [from, to, count] = bind("replace", arguments, {"old", "new", "count"}, 2, false);
  Value out = replace_text(render, self.text(), text_of(from, "the text to replace"), text_of(to, "the replacement"),
                           index_or(count, -1, "count"));
  out.markup = self.markup;
  return out;
}

Value join(Render& render, Value self, const Arguments& arguments) {
  const auto [iterable] = bind("join", arguments, {"iterable"}, 1, false);
  std::string out;
  bool first = true;
  Iterator* items = render.iterate(iterable);
  Value item;
  while (items->next(render, item)) {
    render.step();
    if (!item.is_string()) fail("sequence item: expected str instance, {} found", type_name(item));
    if (!first) {
      render.heap().charge(self.string->size);
      out += self.text();
    }
    first = false;
    render.heap().charge(item.string->size);
    out += item.text();
  }
  return same_kind_copy(render, self, out);
}

Value format(Render& render, Value self, const Arguments& arguments) {
  Value out = brace_format(render, self, arguments);
  out.markup = self.markup;
  return out;
}
Value format_map(Render& render, Value self, const Arguments& arguments) {
  const auto [mapping] = bind("format_map", arguments, {"mapping"}, 1, false);
  if (!mapping.is(Kind::dict)) fail("format_map() needs a mapping");
  std::vector<Keyword> named;
  for (std::size_t i = 0; i < mapping.dict->size; ++i)
    if (mapping.dict->entries[i].key.is_string())
      named.push_back({mapping.dict->entries[i].key.text(), mapping.dict->entries[i].value});
  return format(render, self, {{}, named});
}

template <char align>
Value justify(Render& render, Value self, const Arguments& arguments) {
  const auto [width, fill] = bind("center", arguments, {"width", "fillchar"}, 1, false);
  if (!fill.is_missing() && (!fill.is_string() || string_length(fill) != 1))
    fail("the fill character must be exactly one character long");
  const std::int64_t wide = to_index(width, "width");
  const std::string_view with = fill.is_missing() ? " " : fill.text();
  std::string text(self.text());
  if (align == '^') {  // Python puts the odd blank on the left when the width is odd.
    const auto length = static_cast<std::int64_t>(render.length(self));
    const std::int64_t gap = wide - length;
    if (gap > 0) text = pad(render, std::move(text), length + gap / 2 + (gap & wide & 1), '>', with);
    return same_kind_copy(render, self, pad(render, std::move(text), wide, '<', with));
  }
  return same_kind_copy(render, self, pad(render, std::move(text), wide, align, with));
}

Value zfill(Render& render, Value self, const Arguments& arguments) {
  const auto [width] = bind("zfill", arguments, {"width"}, 1, false);
  std::string_view text = self.text();
  std::string sign;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    sign = text[0];
    text.remove_prefix(1);
  }
  const std::int64_t wide = to_index(width, "width") - static_cast<std::int64_t>(sign.size());
  return same_kind_copy(render, self, sign + pad(render, std::string(text), wide, '>', "0"));
}

Value expandtabs(Render& render, Value self, const Arguments& arguments) {
  const auto [size] = bind("expandtabs", arguments, {"tabsize"});
  const std::int64_t tab = std::max<std::int64_t>(index_or(size, 8, "tabsize"), 0);
  std::string out;
  std::int64_t column = 0;
  const std::string_view text = self.text();
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = at;
    const char32_t c = next_code_point(text, at);
    if (c == '\t') {
      if (tab > 0) {
        const std::int64_t blanks = tab - column % tab;
        out = pad(render, std::move(out), static_cast<std::int64_t>(count_code_points(out)) + blanks, '<');
        column += blanks;
      }
      continue;
    }
    column = c == '\n' || c == '\r' ? 0 : column + 1;
    out += text.substr(start, at - start);
  }
  return same_kind_copy(render, self, out);
}

template <bool from_right>
Value partition(Render& render, Value self, const Arguments& arguments) {
  const auto [separator] = bind("partition", arguments, {"sep"}, 1, false);
  const std::string_view at = text_of(separator, "the separator"), text = self.text();
  if (at.empty()) fail("empty separator");
  const std::size_t found = from_right ? text.rfind(at) : text.find(at);
  const Value none = same_kind(render, self, "");
  if (found == std::string_view::npos)
    return from_right ? render.tuple({none, none, self}) : render.tuple({self, none, none});
  return render.tuple({same_kind(render, self, text.substr(0, found)), same_kind(render, self, at),
                       same_kind(render, self, text.substr(found + at.size()))});
}

Value removeprefix(Render& render, Value self, const Arguments& arguments) {
  const auto [prefix] = bind("removeprefix", arguments, {"prefix"}, 1, false);
  const std::string_view text = self.text(), p = text_of(prefix, "the prefix");
  return same_kind(render, self, text.starts_with(p) ? text.substr(p.size()) : text);
}
Value removesuffix(Render& render, Value self, const Arguments& arguments) {
  const auto [suffix] = bind("removesuffix", arguments, {"suffix"}, 1, false);
  const std::string_view text = self.text(), s = text_of(suffix, "the suffix");
  return same_kind(render, self, text.ends_with(s) ? text.substr(0, text.size() - s.size()) : text);
}

template <bool (*fits)(char32_t), bool of_empty>
Value all_of(Render& render, Value self, const Arguments& arguments) {
  bind_nothing("this method", arguments);
  render.step_bytes(self.string->size);
  const std::string_view text = self.text();
  for (std::size_t at = 0; at < text.size();)
    if (!fits(next_code_point(text, at))) return Value::of(false);
  return Value::of(of_empty || !text.empty());
}

// Some cased character, and none of the other case.
template <bool upper>
Value is_case(Render& render, Value self, const Arguments& arguments) {
  bind_nothing("this method", arguments);
  render.step_bytes(self.string->size);
  const std::string_view text = self.text();
  bool any = false;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    if (is_title(c) || (upper ? is_lower(c) : is_upper(c))) return Value::of(false);
    any = any || (upper ? is_upper(c) : is_lower(c));
  }
  return Value::of(any);
}

Value istitle(Render&, Value self, const Arguments& arguments) {
  bind_nothing("istitle", arguments);
  const std::string_view text = self.text();
  bool any = false, after_cased = false;
  for (std::size_t at = 0; at < text.size();) {
    const char32_t c = next_code_point(text, at);
    const bool upper = is_upper(c) || is_title(c), lower = is_lower(c);
    if ((upper && after_cased) || (lower && !after_cased)) return Value::of(false);
    after_cased = upper || lower;
    any = any || after_cased;
  }
  return Value::of(any);
}

Value isidentifier(Render&, Value self, const Arguments& arguments) {
  bind_nothing("isidentifier", arguments);
  const std::string_view text = self.text();
  bool fine = !text.empty();
  for (std::size_t at = 0; at < text.size();) {
    const bool first = at == 0;
    const char32_t c = next_code_point(text, at);
    fine = fine && (first ? is_identifier_start(c) : is_identifier_part(c));
  }
  return Value::of(fine);
}

bool is_ascii_character(char32_t c) {
  return c < 0x80;
}

Value refused(Render&, Value, const Arguments&) {
  fail("this method of str is not supported in templates");
}

constexpr MethodInfo methods[] = {
    {"capitalize", changed<capitalize>},
    {"casefold", casefold},
    {"center", justify<'^'>},
    {"count", count_text},
    {"encode", refused},
    {"endswith", endswith},
    {"expandtabs", expandtabs},
    {"find", find_text},
    {"format", format},
    {"format_map", format_map},
    {"index", index_text},
    {"isalnum", all_of<is_alnum, false>},
    {"isalpha", all_of<is_alpha, false>},
    {"isascii", all_of<is_ascii_character, true>},
    {"isdecimal", all_of<is_decimal, false>},
    {"isdigit", all_of<is_digit, false>},
    {"isidentifier", isidentifier},
    {"islower", is_case<false>},
    {"isnumeric", all_of<is_numeric, false>},
    {"isprintable", all_of<is_printable, true>},
    {"isspace", all_of<is_space, false>},
    {"istitle", istitle},
    {"isupper", is_case<true>},
    {"join", join},
    {"ljust", justify<'<'>},
    {"lower", changed<to_lower>},
    {"lstrip", strip<true, false>},
    {"maketrans", refused},
    {"partition", partition<false>},
    {"removeprefix", removeprefix},
    {"removesuffix", removesuffix},
    {"replace", replace},
    {"rfind", rfind_text},
    {"rindex", rindex_text},
    {"rjust", justify<'>'>},
    {"rpartition", partition<true>},
    {"rsplit", rsplit},
    {"rstrip", strip<false, true>},
    {"split", split},
    {"splitlines", splitlines},
    {"startswith", startswith},
    {"strip", strip<true, true>},
    {"swapcase", changed<swap_case>},
    {"title", changed<title_case>},
    {"translate", refused},
    {"upper", changed<to_upper>},
    {"zfill", zfill},
};

}  // namespace

std::span<const MethodInfo> string_methods() {
  return methods;
}

}  // namespace jackdaw::text::jinja
