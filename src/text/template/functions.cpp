// The global functions of a chat template's environment.
#include <ctime>

#include "src/text/template/arguments.h"
#include "src/text/template/library.h"

namespace jackdaw::text::jinja {
namespace {

Value range(Render& render, const Arguments& arguments) {
  const auto [first, second, third] = bind("range", arguments, {"start", "stop", "step"}, 1, false);
  const std::int64_t a = to_index(first, "range()'s argument");
  if (second.is_missing()) return render.range(0, a, 1);
  const std::int64_t step = index_or(third, 1, "range()'s step");
  if (step == 0) fail("range() arg 3 must not be zero");
  return render.range(a, to_index(second, "range()'s argument"), step);
}

// dict(mapping or pairs, name=value...)
DictObject* make_dict(Render& render, const Arguments& arguments, const char* name) {
  if (arguments.positional.size() > 1)
    fail("{} expected at most 1 argument, got {}", name, arguments.positional.size());
  std::vector<DictEntry> entries;
  if (!arguments.positional.empty()) {
    const Value source = arguments.positional[0];
    if (source.is(Kind::dict)) {
      entries.assign(source.dict->entries, source.dict->entries + source.dict->size);
    } else {
      for (const Value& pair : render.collect(source)) {
        const std::span<const Value> items = render.collect(pair);
        if (items.size() != 2) fail("a dict's update sequence needs pairs; one has length {}", items.size());
        entries.push_back({items[0], items[1]});
      }
    }
  }
  for (const Keyword& keyword : arguments.named) entries.push_back({render.view(keyword.name), keyword.value});
  DictObject* out = render.new_dict(entries.size());
  for (const DictEntry& entry : entries) {
    render.step();
    render.put(*out, entry.key, entry.value);
  }
  return out;
}

void check_attribute_name(Value name) {
  if (name.is_string() && name.text().starts_with("_"))
    fail("chat templates cannot store underscore-prefixed attributes on a namespace, but got '{}'", name.text());
}

Value name_space(Render& render, const Arguments& arguments) {
  DictObject* attributes = make_dict(render, arguments, "namespace");
  for (std::size_t i = 0; i < attributes->size; ++i) check_attribute_name(attributes->entries[i].key);
  Value out = Value::of(Kind::name_space);
  out.name_space = render.heap().make<NamespaceObject>(attributes, attributes->size);
  return out;
}

Value cycler(Render& render, const Arguments& arguments) {
  if (!arguments.named.empty()) fail("cycler() takes no keyword arguments");
  if (arguments.positional.empty()) fail("at least one item has to be provided");
  Value out = Value::of(Kind::cycler);
  out.cycler = render.heap().make<CyclerObject>(render.list(arguments.positional).items(), std::size_t{0});
  return out;
}

Value joiner(Render& render, const Arguments& arguments) {
  const auto [separator] = bind("joiner", arguments, {"sep"});
  Value out = Value::of(Kind::joiner);
  out.joiner = render.heap().make<JoinerObject>(separator.is_missing() ? render.view(", ") : separator, false);
  return out;
}

[[noreturn]] void raise(Render& render, const Arguments& arguments) {
  const auto [message] = bind("raise_exception", arguments, {"message"}, 1);
  fail("{}", render.str(message));
}

// datetime.strftime knows %f, and has no time zone to print.
std::string python_format(std::string_view format) {
  std::string out;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%' || i + 1 == format.size()) {
      out += format[i];
      continue;
    }
    const char c = format[++i];
    if (c == 'f') out += "000000";
    if (c == 'f' || c == 'z' || c == 'Z') continue;
    out += '%';
    out += c;
  }
  return out;
}

Value strftime_now(Render& render, const Arguments& arguments) {
  const auto [given] = bind("strftime_now", arguments, {"format"}, 1);
  const std::string_view wanted = text_of(given, "strftime_now()'s format");
  if (wanted.size() > 1024 || wanted.find('\0') != std::string_view::npos) fail("strftime_now()'s format is too long");
  const std::string format = python_format(wanted) + ".";  // So that no result is empty.
  const auto now = static_cast<std::time_t>(render.now());
  std::tm parts{};
  if (gmtime_r(&now, &parts) == nullptr) fail("the time {} is out of range", render.now());
  std::string out(16 << 10, '\0');
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  const std::size_t size = std::strftime(out.data(), out.size(), format.c_str(), &parts);
#pragma GCC diagnostic pop
  if (size == 0) fail("strftime_now()'s result is too long");
  return render.string(std::string_view(out).substr(0, size - 1));
}

struct FunctionName {
  std::string_view name;
  Function function;
};
constexpr FunctionName functions[] = {
    {"range", Function::range},
    {"dict", Function::dict},
    {"namespace", Function::name_space},
    {"cycler", Function::cycler},
    {"joiner", Function::joiner},
    {"lipsum", Function::lipsum},
    {"raise_exception", Function::raise_exception},
    {"strftime_now", Function::strftime_now},
};

}  // namespace

std::optional<Function> find_function(std::string_view name) {
  for (const FunctionName& f : functions)
    if (f.name == name) return f.function;
  return std::nullopt;
}

Value call_function(Render& render, Function function, const Arguments& arguments) {
  switch (function) {
    case Function::range:
      return range(render, arguments);
    case Function::dict:
      return Value::of(static_cast<const DictObject*>(make_dict(render, arguments, "dict")));
    case Function::name_space:
      return name_space(render, arguments);
    case Function::cycler:
      return cycler(render, arguments);
    case Function::joiner:
      return joiner(render, arguments);
    case Function::raise_exception:
      raise(render, arguments);
    case Function::strftime_now:
      return strftime_now(render, arguments);
    case Function::lipsum:
      break;
  }
  fail("lipsum() is not supported in chat templates");
}

void set_namespace_attribute(Render& render, NamespaceObject& object, std::string_view name, Value value) {
  if (name.starts_with("_")) check_attribute_name(render.view(name));
  const Value* found = render.find(*object.attributes, name);
  if (found == nullptr && object.attributes->size == object.capacity) {
    object.capacity = object.capacity * 2 + 4;
    DictObject* larger = render.new_dict(object.capacity);
    for (std::size_t i = 0; i < object.attributes->size; ++i)
      render.put(*larger, object.attributes->entries[i].key, object.attributes->entries[i].value);
    object.attributes = larger;
  }
  if (found != nullptr)
    *const_cast<Value*>(found) = value;
  else
    render.put(*object.attributes, render.view(name), value);
}

}  // namespace jackdaw::text::jinja
