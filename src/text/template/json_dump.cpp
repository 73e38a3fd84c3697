// json.dumps, byte for byte.
#include <algorithm>
#include <cmath>
#include <vector>

#include "src/text/template/operators.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {
namespace {

class JsonWriter {
 public:
  JsonWriter(Render& render, const JsonStyle& style) : render_(render), style_(style) {}

  void value(Value v) {
    render_.step();
    if (out.size() > render_.limits().memory_bytes_max)
      fail_limit("the template needs more than {} bytes of memory", render_.limits().memory_bytes_max);
    switch (v.kind) {
      case Kind::none:
        out += "null";
        return;
      case Kind::boolean:
        out += v.boolean ? "true" : "false";
        return;
      case Kind::integer:
        fmt::format_to(std::back_inserter(out), "{}", v.integer);
        return;
      case Kind::big_integer:
        out.append(v.text());
        return;
      case Kind::real:
        real(v.real);
        return;
      case Kind::string:
        string(v.text());
        return;
      case Kind::list:
      case Kind::tuple:
        array(v.items());
        return;
      case Kind::dict:
        object(*v.dict);
        return;
      default:
        fail("Object of type {} is not JSON serializable", type_name(v));
    }
  }

  std::string out;

 private:
  void real(double d) {
    if (std::isfinite(d))
      append_float(out, d);
    else
      out += std::isnan(d) ? "NaN" : d > 0 ? "Infinity" : "-Infinity";
  }

  void string(std::string_view text) {
    render_.step_bytes(text.size());
    out += '"';
    std::size_t clean = 0;  // start of what needs no escape
    for (std::size_t at = 0; at < text.size();) {
      const auto byte = static_cast<unsigned char>(text[at]);
      if (byte >= 0x20 && byte != '"' && byte != '\\' && (byte < 0x80 || !style_.ensure_ascii)) {
        ++at;
        continue;
      }
      out.append(text.substr(clean, at - clean));
      escape(next_code_point(text, at));
      clean = at;
    }
    out.append(text.substr(clean)).append("\"");
  }

  void escape(char32_t c) {
    switch (c) {
      case '"':
        out += "\\\"";
        return;
      case '\\':
        out += "\\\\";
        return;
      case '\n':
        out += "\\n";
        return;
      case '\r':
        out += "\\r";
        return;
      case '\t':
        out += "\\t";
        return;
      case '\f':
        out += "\\f";
        return;
      case '\b':
        out += "\\b";
        return;
      default:
        break;
    }
    auto code = static_cast<std::uint32_t>(c);
    if (code >= 0x10000) {
      code -= 0x10000;
      out += fmt::format("\\u{:04x}", 0xD800 | (code >> 10));
      code = 0xDC00 | (code & 0x3FF);
    }
    out += fmt::format("\\u{:04x}", code);
  }

  void line() {
    if (!style_.pretty) return;
    out += '\n';
    for (std::size_t i = 0; i < level_; ++i) out += style_.indent;
    if (style_.indent.size() * level_ > 64) render_.step_bytes(style_.indent.size() * level_);
  }

  template <typename Each>
  void block(char open, char close, std::size_t size, Each each) {
    out += open;
    if (size > 0) {
      DepthGuard guard(render_.value_depth, value_depth_max, "a value is");
      ++level_;
      for (std::size_t i = 0; i < size; ++i) {
        if (i > 0) out += style_.item_separator;
        line();
        each(i);
      }
      --level_;
      line();
    }
    out += close;
  }

  void array(std::span<const Value> items) {
    block('[', ']', items.size(), [&](std::size_t i) { value(items[i]); });
  }

  void object(const DictObject& dict) {
    std::vector<const DictEntry*> entries(dict.size);
    for (std::size_t i = 0; i < dict.size; ++i) entries[i] = &dict.entries[i];
    if (style_.sort_keys)
      std::stable_sort(entries.begin(), entries.end(), [&](const DictEntry* a, const DictEntry* b) {
        render_.step();
        return render_.less(a->key, b->key);
      });
    block('{', '}', entries.size(), [&](std::size_t i) {
      key(entries[i]->key);
      out += style_.key_separator;
      value(entries[i]->value);
    });
  }

  void key(Value k) {
    if (k.is_string()) return string(k.text());
    if (!k.is_number() && !k.is_none() && !k.is(Kind::big_integer))
      fail("keys must be str, int, float, bool or None, not {}", type_name(k));
    out += '"';
    value(k);
    out += '"';
  }

  Render& render_;
  const JsonStyle& style_;
  std::size_t level_ = 0;
};

}  // namespace

Value to_json(Render& render, Value value, const JsonStyle& style) {
  JsonWriter writer(render, style);
  writer.value(value);
  return render.string(writer.out);
}

}  // namespace jackdaw::text::jinja
