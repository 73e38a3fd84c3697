#include "src/text/template/json_load.h"

#include <simdjson.h>

#include <vector>

#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {

struct JsonDocument::Parts {
  simdjson::ondemand::parser parser;
  simdjson::padded_string text;
  simdjson::ondemand::document document;
};

namespace {

constexpr int depth_max = 200;

template <typename T>
T check(simdjson::simdjson_result<T> result) {
  T value{};
  if (const auto error = std::move(result).get(value); error != simdjson::SUCCESS)
    fail("the template's variables are no valid JSON: {}", simdjson::error_message(error));
  return value;
}
void check(simdjson::error_code error) {
  if (error != simdjson::SUCCESS)
    fail("the template's variables are no valid JSON: {}", simdjson::error_message(error));
}

class Loader {
 public:
  explicit Loader(Render& render) : render_(render) {}

  Value value(simdjson::ondemand::value element, int depth) {
    render_.heap().charge(1);
    if (depth > depth_max) fail("the template's variables are nested deeper than {} levels", depth_max);
    switch (check(element.type())) {
      case simdjson::ondemand::json_type::object:
        return object(check(element.get_object()), depth);
      case simdjson::ondemand::json_type::array:
        return array(check(element.get_array()), depth);
      case simdjson::ondemand::json_type::string:
        return render_.view(check(element.get_string()));
      case simdjson::ondemand::json_type::number:
        return number(element);
      case simdjson::ondemand::json_type::boolean:
        return Value::of(check(element.get_bool()));
      case simdjson::ondemand::json_type::null:
        if (!check(element.is_null())) fail("the template's variables are no valid JSON: bad literal");
        return Value::none();
    }
    fail("the template's variables are no valid JSON");
  }

  Value object(simdjson::ondemand::object members, int depth) {
    std::vector<DictEntry> entries;
    for (auto member : members) {
      check(member.error());
      const std::string_view key = check(member.unescaped_key());
      entries.push_back({render_.view(key), value(check(member.value()), depth + 1)});
    }
    DictObject* dict = render_.new_dict(entries.size());
    for (const DictEntry& entry : entries) render_.put(*dict, entry.key, entry.value);
    return Value::of(static_cast<const DictObject*>(dict));
  }

 private:
  Value array(simdjson::ondemand::array elements, int depth) {
    std::vector<Value> items;
    for (auto element : elements) items.push_back(value(check(std::move(element)), depth + 1));
    return render_.list(items);
  }

  Value number(simdjson::ondemand::value element) {
    std::string_view token = element.raw_json_token();
    while (!token.empty() && is_space(static_cast<unsigned char>(token.back()))) token.remove_suffix(1);
    if (token.find_first_of(".eE") != std::string_view::npos) return real(element, token);
    std::int64_t whole = 0;
    if (element.get_int64().get(whole) == simdjson::SUCCESS) return Value::of(whole);
    return big_integer(token);
  }

  // An exponent too large for a double is infinity to Python and an error to simdjson.
  Value real(simdjson::ondemand::value element, std::string_view token) {
    double d = 0;
    if (element.get_double().get(d) == simdjson::SUCCESS) return Value::of(d);
    fail("the template's variables are no valid JSON: the number {} is out of range", token.substr(0, 40));
  }

  Value big_integer(std::string_view token) {
    const std::string_view digits = token.substr(token.starts_with('-') ? 1 : 0);
    const bool fine =
        digits.size() > 1 && digits[0] != '0' && digits.find_first_not_of("0123456789") == std::string_view::npos;
    if (!fine) fail("the template's variables are no valid JSON: bad number {}", token.substr(0, 40));
    Value out = render_.view(token);
    out.kind = Kind::big_integer;
    return out;
  }

  Render& render_;
};

}  // namespace

JsonDocument::JsonDocument() : parts_(std::make_unique<Parts>()) {}
JsonDocument::~JsonDocument() = default;

Value JsonDocument::load(Render& render, std::string_view json) {
  render.heap().charge(json.size());
  parts_->text = simdjson::padded_string(json);
  check(parts_->parser.iterate(parts_->text).get(parts_->document));
  simdjson::ondemand::object root;
  check(parts_->document.get_object().get(root));
  const Value out = Loader(render).object(root, 1);
  // At the end there is no place to tell.
  if (parts_->document.current_location().error() == simdjson::SUCCESS)
    fail("the template's variables are no valid JSON: text after the object");
  return out;
}

}  // namespace jackdaw::text::jinja
