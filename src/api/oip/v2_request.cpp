#include <charconv>
#include <cstring>
#include <utility>

#include "jackdaw/base/bytes.h"
#include "jackdaw/base/text.h"
#include "src/api/oip/json_document.h"
#include "src/api/oip/numpy.h"
#include "src/api/oip/request.h"
#include "src/api/oip/v2_validation.h"

namespace jackdaw::api::oip {
namespace {

using engine::InputForm;
using engine::Tensor;
using serving::Dialect;
using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

// What one pass over a JSON object finds; absent members stay null elements.
struct InputFields {
  std::optional<element> name, shape, datatype, parameters, data;
};

std::optional<element> parameter(const std::optional<element>& parameters, std::string_view key) {
  object values;
  if (!parameters || parameters->get(values) != simdjson::SUCCESS) return std::nullopt;
  std::optional<element> found;
  for (const auto [name, value] : values) {
    if (name == key) found = value;
  }
  return found;
}

// Python's truth: KServe takes any value of binary_data and binary_data_output for a flag.
bool truthy(const std::optional<element>& value) {
  if (!value || value->is_null()) return false;
  if (value->is_bool()) return value->get_bool().value_unsafe();
  if (value->is_string()) return value->get_string_length().value_unsafe() > 0;
  return !value->is_number() || value->get_double().value_unsafe() != 0.0;
}

// A non-negative integer, or 0 with `fault` set when there is something else.
std::uint64_t count_of(const std::optional<element>& parameters, std::string_view key, std::string& fault) {
  const auto value = parameter(parameters, key);
  std::uint64_t count = 0;
  if (!value || value->is_null()) return 0;
  if (value->get(count) == simdjson::SUCCESS) return count;
  fault = fmt::format("the request parameter '{}' must be an integer that is not negative", key);
  return 0;
}

std::string text_of(const std::optional<element>& value) {
  std::string_view text;
  if (!value || value->get(text) != simdjson::SUCCESS) return {};
  return std::string(text);
}

InputFields fields_of(object input) {
  InputFields fields;
  for (const auto [key, value] : input) {
    if (key == "name") fields.name = value;
    if (key == "shape") fields.shape = value;
    if (key == "datatype") fields.datatype = value;
    if (key == "parameters") fields.parameters = value;
    if (key == "data") fields.data = value;
  }
  return fields;
}

// Checked by validate_v2 before, except in bodies with raw tensors.
Result<std::vector<std::int64_t>> shape_of(element value) {
  array list;
  if (value.get(list) != simdjson::SUCCESS)
    return make_error(Code::invalid_argument, "'shape' must be a list of integers");
  std::vector<std::int64_t> shape;
  for (const element dimension : list) {
    std::int64_t number = 0;
    double real = 0.0;
    std::string_view text;
    if (dimension.get(number) == simdjson::SUCCESS) {
      shape.push_back(number);
    } else if (dimension.is_bool()) {
      shape.push_back(dimension.get_bool().value_unsafe() ? 1 : 0);
    } else if (dimension.get(text) == simdjson::SUCCESS &&
               std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc()) {
      shape.push_back(number);
    } else if (dimension.get(real) == simdjson::SUCCESS && real >= -9e15 && real <= 9e15) {
      shape.push_back(static_cast<std::int64_t>(real));
    } else {
      return make_error(Code::invalid_argument, "Maximum allowed dimension exceeded");
    }
    if (shape.size() > 32)
      return make_error(Code::invalid_argument, "maximum supported dimension for an ndarray is currently 32");
  }
  return shape;
}

// One length-prefixed element after the other (Triton's binary tensor extension, BYTES).
Result<void> read_strings(Bytes raw, Tensor& out) {
  ByteReader reader(raw);
  while (!reader.at_end()) {
    std::uint32_t length = 0;
    Bytes text;
    if (!reader.read_le(length) || !reader.take(length, text)) {
      return make_error(Code::invalid_argument,
                        "BYTES input '{}': the element at offset {} runs past the end of its {} raw bytes", out.name,
                        reader.offset(), raw.size());
    }
    out.strings.emplace_back(jackdaw::as_text(text));
    if (!is_valid_utf8(out.strings.back())) {
      return make_error(Code::invalid_argument, "BYTES input '{}': element {} is not UTF-8 text", out.name,
                        out.strings.size() - 1);
    }
  }
  return {};
}

Result<void> read_raw(Bytes raw, const std::vector<std::int64_t>& shape, Tensor& out) {
  if (out.dtype == DType::bytes) {
    JACKDAW_TRY(read_strings(raw, out));
  } else {
    if (raw.size() % element_size(out.dtype) != 0) {
      return make_error(Code::invalid_argument, "buffer size must be a multiple of element size");
    }
    out.data.assign(raw.begin(), raw.end());
    if (out.dtype == DType::boolean) {
      for (std::byte& b : out.data) b = b == std::byte{0} ? std::byte{0} : std::byte{1};
    }
  }
  JACKDAW_ASSIGN(out.shape, reshaped(out.element_count(), shape));
  return {};
}

class V2Parser {
 public:
  V2Parser(std::string_view model_name, Dialect dialect, bool framed)
      : model_(model_name), dialect_(dialect), framed_(framed) {}

  Result<V2Request> parse(object root, Bytes raw) {
    raw_ = raw;
    std::optional<element> id, parameters, inputs, outputs;
    for (const auto [key, value] : root) {
      if (key == "id") id = value;
      if (key == "parameters") parameters = value;
      if (key == "inputs") inputs = value;
      if (key == "outputs") outputs = value;
    }
    V2Request out;
    out.has_id = id && id->is_string();
    out.request.id = text_of(id);
    // MLServer knows no binary outputs: only who sent the binary form gets it back.
    const bool may_be_binary = framed_ || dialect_ == Dialect::kserve;
    out.binary_output = may_be_binary && truthy(parameter(parameters, "binary_data_output"));
    out.priority = count_of(parameters, "priority", out.queue_fault);
    out.timeout_us = count_of(parameters, "timeout", out.queue_fault);
    if (text_of(parameter(parameters, "content_type")) == "pd") out.request.form = InputForm::columns;
    array list;
    if (!inputs || inputs->get(list) != simdjson::SUCCESS) {
      return make_error(Code::invalid_argument, "'inputs' is missing or not a list");
    }
    for (const element input : list) {
      JACKDAW_ASSIGN(Tensor tensor, parse_input(input));
      out.request.inputs.push_back(std::move(tensor));
    }
    if (outputs && outputs->get(list) == simdjson::SUCCESS) JACKDAW_TRY(parse_outputs(list, out));
    return out;
  }

 private:
  Result<Tensor> parse_input(element input) {
    object members;
    if (input.get(members) != simdjson::SUCCESS)
      return make_error(Code::invalid_argument, "an input must be an object");
    const InputFields fields = fields_of(members);
    for (const auto& [field, name] : {std::pair(&fields.name, "name"), std::pair(&fields.shape, "shape"),
                                      std::pair(&fields.datatype, "datatype")}) {
      if (!*field) return make_error(Code::invalid_argument, "an input lacks its '{}'", name);
    }
    Tensor out;
    out.name = text_of(fields.name);
    out.content_type = text_of(parameter(fields.parameters, "content_type"));
    JACKDAW_ASSIGN(out.dtype, datatype_of(text_of(fields.datatype)));
    JACKDAW_ASSIGN(const std::vector<std::int64_t> shape, shape_of(*fields.shape));
    const auto raw_size = parameter(fields.parameters, "binary_data_size");
    if (framed_ && raw_size && (!fields.data || fields.data->is_null())) {
      JACKDAW_TRY(take_raw(*raw_size, shape, out));
      return out;
    }
    if (!fields.data || fields.data->is_null()) {
      return make_error(Code::invalid_argument, "'data' field is missing for input '{}' for model '{}'", out.name,
                        model_);
    }
    array data;
    if (fields.data->get(data) != simdjson::SUCCESS) {
      return make_error(Code::invalid_argument, "'data' of input '{}' must be a list", out.name);
    }
    // MLServer takes FP16 as JSON numbers, KServe does not.
    if ((out.dtype == DType::fp16 && dialect_ == Dialect::kserve) || out.dtype == DType::bf16) {
      return make_error(Code::invalid_argument,
                        "{} {} data via JSON is not supported. Please use the binary data format for input {}",
                        framed_ ? "Receiving" : "Sending", oip_name(out.dtype), out.name);
    }
    auto parsed = array_of(data, out.dtype, shape);
    if (!parsed) return std::move(parsed).error();
    parsed->name = std::move(out.name);
    parsed->content_type = std::move(out.content_type);
    return std::move(*parsed);
  }

  // KServe takes any case; MLServer's enum was checked before.
  Result<DType> datatype_of(std::string name) const {
    for (char& c : name) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    const auto dtype = dtype_from_oip(name);
    if (!dtype) {
      return make_error(
          Code::invalid_argument,
          "invalid datatype '{}' in the input; it must be BOOL, UINT8-64, INT8-64, FP16, BF16, FP32, FP64 or BYTES",
          name);
    }
    return *dtype;
  }

  Result<void> take_raw(element size, const std::vector<std::int64_t>& shape, Tensor& out) {
    std::uint64_t count = 0;
    if (size.get(count) != simdjson::SUCCESS) {
      return make_error(Code::invalid_argument, "'binary_data_size' is not specified for input '{}' for model '{}'",
                        out.name, model_);
    }
    if (count > raw_.size()) {
      return make_error(Code::invalid_argument,
                        "input '{}' says binary_data_size {}, but only {} raw bytes are left in the body", out.name,
                        count, raw_.size());
    }
    const Bytes mine = raw_.first(count);
    raw_ = raw_.subspan(count);
    return read_raw(mine, shape, out);
  }

  Result<void> parse_outputs(array list, V2Request& out) const {
    for (const element output : list) {
      object fields;
      if (output.get(fields) != simdjson::SUCCESS)
        return make_error(Code::invalid_argument, "an output must be an object");
      const InputFields members = fields_of(fields);
      if (!members.name) return make_error(Code::invalid_argument, "an output lacks its 'name'");
      RequestedOutput wanted;
      wanted.name = text_of(members.name);
      wanted.binary = (framed_ || dialect_ == Dialect::kserve) && truthy(parameter(members.parameters, "binary_data"));
      wanted.content_type = text_of(parameter(members.parameters, "content_type"));
      out.request.outputs.push_back(wanted.name);
      out.requested.push_back(std::move(wanted));
    }
    return {};
  }

  const std::string_view model_;
  const Dialect dialect_;
  const bool framed_;  // raw tensors follow the JSON
  Bytes raw_;
};

}  // namespace

std::optional<std::string> event_data(std::string_view body) {
  JsonDocument document;
  object root, data;
  if (document.parse(body) || document.root().get(root) != simdjson::SUCCESS) return std::nullopt;
  if (root["specversion"].error() != simdjson::SUCCESS || root["data"].get(data) != simdjson::SUCCESS) {
    return std::nullopt;
  }
  return simdjson::minify(data);
}

std::variant<V2Request, Refusal> parse_v2(std::string_view body, std::optional<std::string_view> json_length,
                                          std::string_view model_name, Dialect dialect) {
  std::string_view json = body;
  Bytes raw;
  if (json_length) {
    std::size_t length = 0;
    const auto end = std::from_chars(json_length->data(), json_length->data() + json_length->size(), length);
    if (end.ec != std::errc() || end.ptr != json_length->data() + json_length->size() || length > body.size()) {
      return refuse(
          400,
          fmt::format(
              "Unrecognized request format: header Inference-Header-Content-Length is '{}', but the body has {} bytes",
              *json_length, body.size()));
    }
    json = body.substr(0, length);
    raw = as_bytes(body.substr(length));
  }
  JsonDocument document;
  // KServe reads a JSON body with Python's json module, and clients that dump NaN from Python rely on it.
  const bool python = dialect == Dialect::kserve && !json_length;
  if (const auto fault = document.parse(json, python ? JsonDocument::Numbers::python : JsonDocument::Numbers::json)) {
    if (json_length) return refuse(400, "Unrecognized request format: " + fault->text());
    if (json.empty()) return Refusal{422, missing_body_detail()};
    if (!is_valid_utf8(json) && dialect == Dialect::kserve)
      return refuse_detail(400, "There was an error parsing the body");
    return Refusal{422, invalid_json_detail(*fault)};
  }
  if (!json_length) {
    if (auto detail = validate_v2(document.root(), dialect)) return Refusal{422, std::move(*detail)};
  }
  object root;
  if (document.root().get(root) != simdjson::SUCCESS) return refuse(400, "the JSON part of the body must be an object");
  auto parsed = V2Parser(model_name, dialect, json_length.has_value()).parse(root, raw);
  if (!parsed) return refuse(400, parsed.error().text());
  return std::move(*parsed);
}

}  // namespace jackdaw::api::oip
