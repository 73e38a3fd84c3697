#include "src/api/oip/v2_validation.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string_view>
#include <vector>

#include "jackdaw/base/text.h"

namespace jackdaw::api::oip {
namespace {

using serving::Dialect;
using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

// A refusal repeats the offending input; beyond these sizes it stays out, so that an answer is not larger than a
// request.
constexpr std::size_t details_max = 20;
constexpr std::size_t input_bytes_max = 16 * 1024;

class Validation {
 public:
  explicit Validation(Dialect dialect) : kserve_(dialect == Dialect::kserve) {}

  std::optional<std::string> run(element root) {
    const std::string loc = kserve_ ? R"("body","InferenceRequest")" : R"("body")";
    object body;
    if (root.get(body) != simdjson::SUCCESS) {
      add("model_attributes_type", loc, "Input should be a valid dictionary or object to extract fields from", root);
    } else {
      check_body(loc, body, root);
    }
    if (out_.empty()) return std::nullopt;
    // KServe's handler takes "InferenceRequest or bytes", so pydantic also says why it is not the latter.
    if (kserve_) add("bytes_type", R"("body","bytes")", "Input should be a valid bytes", root, true);
    return R"({"detail":[)" + out_ + "]}";
  }

 private:
  void add(std::string_view type, std::string_view loc, std::string_view message, element input, bool always = false,
           std::string_view context = {}) {
    if (count_++ >= details_max && !always) return;
    if (!out_.empty()) out_ += ',';
    std::string text = simdjson::to_string(input);
    if (text.size() > input_bytes_max) text = "null";
    out_ += fmt::format(R"({{"type":"{}","loc":[{}],"msg":)", type, loc);
    append_json_string(out_, message);
    out_ += R"(,"input":)" + text;
    if (!context.empty()) out_ += fmt::format(R"(,"ctx":{})", context);
    out_ += '}';
  }

  static std::string under(std::string_view loc, std::string_view key) {
    std::string out(loc);
    out += ',';
    append_json_string(out, key);
    return out;
  }
  static std::string under(std::string_view loc, std::size_t index) { return fmt::format("{},{}", loc, index); }

  // The last value of a key that stands more than once, as Python's readers take it.
  static std::optional<element> member(object parent, std::string_view key) {
    std::optional<element> found;
    for (const auto [name, value] : parent) {
      if (name == key) found = value;
    }
    return found;
  }

  std::optional<element> required(std::string_view loc, object parent, element whole, std::string_view key) {
    const auto value = member(parent, key);
    if (!value) add("missing", under(loc, key), "Field required", whole);
    return value;
  }

  void check_text(const std::string& loc, element value) {
    if (!value.is_string()) add("string_type", loc, "Input should be a valid string", value);
  }

  bool check_list(const std::string& loc, element value, array& list) {
    if (value.get(list) == simdjson::SUCCESS) return true;
    add("list_type", loc, "Input should be a valid list", value);
    return false;
  }

  void check_body(const std::string& loc, object body, element root) {
    if (const auto id = member(body, "id"); id && !id->is_null()) check_text(under(loc, "id"), *id);
    check_parameters(loc, body);
    array list;
    if (const auto inputs = required(loc, body, root, "inputs");
        inputs && check_list(under(loc, "inputs"), *inputs, list)) {
      std::size_t index = 0;
      for (const element input : list) check_input(under(under(loc, "inputs"), index++), input);
    }
    const auto outputs = member(body, "outputs");
    if (!outputs || outputs->is_null() || !check_list(under(loc, "outputs"), *outputs, list)) return;
    std::size_t index = 0;
    for (const element output : list) check_output(under(under(loc, "outputs"), index++), output);
  }

  void check_parameters(const std::string& loc, object parent) {
    const auto parameters = member(parent, "parameters");
    if (!parameters || parameters->is_null()) return;
    const std::string here = under(loc, "parameters");
    object values;
    if (parameters->get(values) != simdjson::SUCCESS) {
      const bool model = !kserve_;
      add(model ? "model_attributes_type" : "dict_type", here,
          model ? "Input should be a valid dictionary or object to extract fields from"
                : "Input should be a valid dictionary",
          *parameters);
      return;
    }
    if (!kserve_) return;
    for (const auto [name, value] : values) {
      const bool simple = value.is_number() || value.is_bool() || value.is_string();
      if (simple) continue;
      const std::string place = under(here, name);
      add("float_type", under(place, "float"), "Input should be a valid number", value);
      add("int_type", under(place, "int"), "Input should be a valid integer", value);
      add("bool_type", under(place, "bool"), "Input should be a valid boolean", value);
      add("string_type", under(place, "str"), "Input should be a valid string", value);
    }
  }

  void check_input(const std::string& loc, element input) {
    object fields;
    if (input.get(fields) != simdjson::SUCCESS) {
      add("model_attributes_type", loc, "Input should be a valid dictionary or object to extract fields from", input);
      return;
    }
    if (const auto name = required(loc, fields, input, "name")) check_text(under(loc, "name"), *name);
    if (const auto shape = required(loc, fields, input, "shape")) check_shape(under(loc, "shape"), *shape);
    if (const auto datatype = required(loc, fields, input, "datatype"))
      check_datatype(under(loc, "datatype"), *datatype);
    check_parameters(loc, fields);
    array list;
    if (const auto data = required(loc, fields, input, "data"); data && kserve_)
      check_list(under(loc, "data"), *data, list);
  }

  void check_datatype(const std::string& loc, element value) {
    if (kserve_) return check_text(loc, value);
    static constexpr std::string_view names =
        "'BOOL', 'UINT8', 'UINT16', 'UINT32', 'UINT64', 'INT8', 'INT16', 'INT32', 'INT64', 'FP16', 'FP32', 'FP64' or "
        "'BYTES'";
    std::string_view text;
    const bool known =
        value.get(text) == simdjson::SUCCESS && names.find(fmt::format("'{}'", text)) != std::string_view::npos;
    if (known) return;
    add("enum", loc, fmt::format("Input should be {}", names), value, false,
        fmt::format(R"({{"expected":"{}"}})", names));
  }

  void check_shape(const std::string& loc, element value) {
    array list;
    if (!check_list(loc, value, list)) return;
    std::size_t index = 0;
    for (const element dimension : list) check_integer(under(loc, index++), dimension);
  }

  void check_integer(const std::string& loc, element value) {
    if (value.type() == element_type::INT64 || value.type() == element_type::UINT64 ||
        value.type() == element_type::BOOL)
      return;
    double real = 0.0;
    std::string_view text;
    if (value.get(real) == simdjson::SUCCESS) {
      if (!kserve_ && std::fabs(real) >= 0x1p63) {
        add("int_parsing_size", loc, "Unable to parse input string as an integer, exceeded maximum size", value);
      } else if (real != std::floor(real))
        add("int_from_float", loc, "Input should be a valid integer, got a number with a fractional part", value);
    } else if (value.get(text) == simdjson::SUCCESS) {
      std::int64_t parsed = 0;
      const auto end = std::from_chars(text.data(), text.data() + text.size(), parsed);
      if (end.ec == std::errc() && end.ptr == text.data() + text.size()) return;
      add("int_parsing", loc, "Input should be a valid integer, unable to parse string as an integer", value);
    } else {
      add("int_type", loc, "Input should be a valid integer", value);
    }
  }

  void check_output(const std::string& loc, element output) {
    object fields;
    if (output.get(fields) != simdjson::SUCCESS) {
      add("model_attributes_type", loc, "Input should be a valid dictionary or object to extract fields from", output);
      return;
    }
    if (const auto name = required(loc, fields, output, "name")) check_text(under(loc, "name"), *name);
    check_parameters(loc, fields);
  }

  const bool kserve_;
  std::string out_;
  std::size_t count_ = 0;
};

}  // namespace

std::optional<std::string> validate_v2(element root, Dialect dialect) {
  return Validation(dialect).run(root);
}

std::string invalid_json_detail(const JsonFault& fault) {
  std::string out = fmt::format(
      R"({{"detail":[{{"type":"json_invalid","loc":["body",{}],"msg":"JSON decode error","input":{{}},"ctx":{{"error":)",
      fault.offset);
  append_json_string(out, fault.message);
  return out + "}}]}";
}

std::string not_json_detail(std::string_view body) {
  std::string out =
      R"({"detail":[{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":)";
  const bool repeatable = body.size() <= input_bytes_max && is_valid_utf8(body);
  repeatable ? append_json_string(out, body) : (void)(out += "null");
  return out + "}]}";
}

std::string missing_body_detail() {
  return R"({"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]})";
}

}  // namespace jackdaw::api::oip
