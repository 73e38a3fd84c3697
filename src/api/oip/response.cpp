#include "src/api/oip/response.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "jackdaw/base/float16.h"
#include "jackdaw/base/text.h"
#include "jackdaw/engine/explanation.h"
#include "src/api/oip/numpy.h"

namespace jackdaw::api::oip {
namespace {

using engine::Tensor;
using serving::Dialect;

template <typename T>
T element_at(const Tensor& tensor, std::size_t index) {
  T value;
  std::memcpy(&value, tensor.data.data() + index * sizeof(T), sizeof(T));
  return value;
}

template <typename T>
void append_integer(std::string& out, T value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), value);
  out.append(buffer, end.ptr);
}

void append_element(std::string& out, const Tensor& tensor, std::size_t i) {
  switch (tensor.dtype) {
    case DType::boolean:
      out += element_at<std::uint8_t>(tensor, i) != 0 ? "true" : "false";
      return;
    case DType::uint8:
      return append_integer(out, element_at<std::uint8_t>(tensor, i));
    case DType::uint16:
      return append_integer(out, element_at<std::uint16_t>(tensor, i));
    case DType::uint32:
      return append_integer(out, element_at<std::uint32_t>(tensor, i));
    case DType::uint64:
      return append_integer(out, element_at<std::uint64_t>(tensor, i));
    case DType::int8:
      return append_integer(out, element_at<std::int8_t>(tensor, i));
    case DType::int16:
      return append_integer(out, element_at<std::int16_t>(tensor, i));
    case DType::int32:
      return append_integer(out, element_at<std::int32_t>(tensor, i));
    case DType::int64:
      return append_integer(out, element_at<std::int64_t>(tensor, i));
    case DType::fp16:
      return append_json_double(out, float_from_half(element_at<std::uint16_t>(tensor, i)));
    case DType::bf16:
      return append_json_double(out, float_from_bfloat16(element_at<std::uint16_t>(tensor, i)));
    case DType::fp32:
      return append_json_double(out, element_at<float>(tensor, i));
    case DType::fp64:
      return append_json_double(out, element_at<double>(tensor, i));
    case DType::bytes:
      return append_json_string(out, tensor.strings[i]);
  }
}

void append_flat(std::string& out, const Tensor& tensor) {
  out += '[';
  const std::size_t count = tensor.element_count();
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    append_element(out, tensor, i);
  }
  out += ']';
}

// json.dumps with its defaults: non-ASCII as \uXXXX, in surrogate pairs beyond the basic plane. `text` is UTF-8.
void append_ascii_string(std::string& out, std::string_view text) {
  std::string escaped;
  append_json_string(escaped, text);
  for (std::size_t i = 0; i < escaped.size();) {
    const auto lead = static_cast<unsigned char>(escaped[i]);
    if (lead < 0x80) {
      out += escaped[i++];
      continue;
    }
    const std::size_t extra = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    std::uint32_t code = lead & (0x3fu >> extra);
    for (std::size_t k = 1; k <= extra && i + k < escaped.size(); ++k)
      code = (code << 6) | (static_cast<unsigned char>(escaped[i + k]) & 0x3fu);
    i += extra + 1;
    if (code >= 0x10000) {
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + ((code - 0x10000) & 0x3ff));
    } else {
      out += fmt::format("\\u{:04x}", code);
    }
  }
}

void append_python_element(std::string& out, const Tensor& tensor, std::size_t i) {
  if (tensor.dtype == DType::fp64) {
    out += python_repr(element_at<double>(tensor, i));
  } else if (tensor.dtype == DType::fp32) {
    out += python_repr(element_at<float>(tensor, i));
  } else if (tensor.dtype == DType::bytes) {
    append_ascii_string(out, tensor.strings[i]);
  } else {
    append_element(out, tensor, i);
  }
}

// Depth is the tensor's rank, which engines keep at 3 or less.
void append_nested(std::string& out, const Tensor& tensor, std::size_t dimension, std::size_t& next, JsonStyle style) {
  if (dimension == tensor.shape.size()) {
    style == JsonStyle::orjson ? append_element(out, tensor, next) : append_python_element(out, tensor, next);
    ++next;
    return;
  }
  const std::string_view separator = style == JsonStyle::orjson ? "," : ", ";
  out += '[';
  for (std::int64_t i = 0; i < tensor.shape[dimension]; ++i) {
    if (i > 0) out += separator;
    append_nested(out, tensor, dimension + 1, next, style);
  }
  out += ']';
}

void append_shape(std::string& out, const Tensor& tensor) {
  out += '[';
  for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
    if (i > 0) out += ',';
    append_integer(out, tensor.shape[i]);
  }
  out += ']';
}

// {"name":…,"shape":…,"datatype":…  — left open.
void open_output(std::string& out, const Tensor& tensor) {
  out += R"({"name":)";
  append_json_string(out, tensor.name);
  out += R"(,"shape":)";
  append_shape(out, tensor);
  out += R"(,"datatype":")";
  out += oip_name(tensor.dtype);
  out += '"';
}

void append_raw(std::string& out, const Tensor& tensor) {
  if (tensor.dtype != DType::bytes) {
    out.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
    return;
  }
  for (const std::string& text : tensor.strings) {
    const auto length = static_cast<std::uint32_t>(text.size());
    char prefix[sizeof(length)];
    std::memcpy(prefix, &length, sizeof(length));
    out.append(prefix, sizeof(prefix));
    out += text;
  }
}

std::size_t raw_size(const Tensor& tensor) {
  if (tensor.dtype != DType::bytes) return tensor.data.size();
  std::size_t size = 0;
  for (const std::string& text : tensor.strings) size += text.size() + sizeof(std::uint32_t);
  return size;
}

// KServe: once outputs are named, only their own flags count; the request-wide flag stands for all otherwise.
bool wants_binary(const V2Request& request, std::string_view output) {
  if (request.requested.empty()) return request.binary_output;
  for (const RequestedOutput& wanted : request.requested) {
    if (wanted.name == output) return wanted.binary;
  }
  return false;
}

std::string_view content_type_of(const V2Request& request, const Tensor& tensor) {
  for (const RequestedOutput& wanted : request.requested) {
    if (wanted.name == tensor.name && wanted.content_type == "str") return "str";
  }
  return tensor.content_type.empty() ? "np" : std::string_view(tensor.content_type);
}

void append_kserve_output(std::string& out, const Tensor& tensor) {
  open_output(out, tensor);
  out += R"(,"parameters":null,"data":)";
  append_flat(out, tensor);
  out += '}';
}

void append_mlserver_output(std::string& out, const Tensor& tensor, std::string_view content_type) {
  open_output(out, tensor);
  out += R"(,"parameters":{"content_type":")";
  out += content_type;
  out += R"("},"data":)";
  append_flat(out, tensor);
  out += '}';
}

void append_name(std::string& out, std::string_view key, std::string_view value) {
  out += key;
  append_json_string(out, value);
}

std::string render_json(const V2Names& names, const V2Request& request, const std::vector<Tensor>& outputs,
                        Dialect dialect) {
  std::string out;
  out.reserve(256);
  append_name(out, R"({"model_name":)", names.model);
  const bool kserve = dialect == Dialect::kserve;
  if (!names.version.empty()) {
    append_name(out, R"(,"model_version":)", names.version);
  } else if (kserve) {
    out += R"(,"model_version":null)";
  }
  append_name(out, R"(,"id":)", names.id);
  out += kserve ? R"(,"parameters":null,"outputs":[)" : R"(,"parameters":{},"outputs":[)";
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (i > 0) out += ',';
    kserve ? append_kserve_output(out, outputs[i])
           : append_mlserver_output(out, outputs[i], content_type_of(request, outputs[i]));
  }
  out += "]}";
  return out;
}

V2Response render_binary(const V2Names& names, const V2Request& request, const std::vector<Tensor>& outputs) {
  V2Response response;
  std::string& out = response.body;
  append_name(out, R"({"id":)", names.id);
  append_name(out, R"(,"model_name":)", names.model);
  if (names.version.empty()) {
    out += R"(,"model_version":null)";
  } else {
    append_name(out, R"(,"model_version":)", names.version);
  }
  out += R"(,"outputs":[)";
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (i > 0) out += ',';
    open_output(out, outputs[i]);
    if (wants_binary(request, outputs[i].name)) {
      out += R"(,"parameters":{"binary_data_size":)";
      append_integer(out, raw_size(outputs[i]));
      out += "}}";
    } else {
      out += R"(,"data":)";
      append_flat(out, outputs[i]);
      out += '}';
    }
  }
  out += "]}";
  response.json_length = out.size();
  for (const Tensor& tensor : outputs) {
    if (wants_binary(request, tensor.name)) append_raw(out, tensor);
  }
  return response;
}

}  // namespace

std::string render_v1(const std::vector<Tensor>& outputs, JsonStyle style) {
  std::string out = style == JsonStyle::orjson ? R"({"predictions":)" : R"({"predictions": )";
  const bool list = outputs.size() != 1;
  if (list) out += '[';
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (i > 0) out += style == JsonStyle::orjson ? "," : ", ";
    std::size_t next = 0;
    append_nested(out, outputs[i], 0, next, style);
  }
  if (list) out += ']';
  return out + "}";
}

bool answers_with_tensors(const V2Request& request, const std::vector<Tensor>& outputs) {
  return std::any_of(outputs.begin(), outputs.end(),
                     [&](const Tensor& tensor) { return wants_binary(request, tensor.name); });
}

std::string render_v2_event(const V2Names& names, const std::vector<Tensor>& outputs) {
  std::string out = R"({"id": )";
  append_ascii_string(out, names.id);
  out += R"(, "model_name": )";
  append_ascii_string(out, names.model);
  out += R"(, "model_version": )";
  names.version.empty() ? void(out += "null") : append_ascii_string(out, names.version);
  out += R"(, "outputs": [)";
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& tensor = outputs[i];
    out += i > 0 ? R"(, {"name": )" : R"({"name": )";
    append_ascii_string(out, tensor.name);
    out += fmt::format(R"(, "shape": [{}], "datatype": "{}", "data": [)", fmt::join(tensor.shape, ", "),
                       oip_name(tensor.dtype));
    const std::size_t count = tensor.element_count();
    for (std::size_t k = 0; k < count; ++k) {
      if (k > 0) out += ", ";
      append_python_element(out, tensor, k);
    }
    out += "]}";
  }
  return out + "]}";
}

namespace {

// Explanations in either style of printing.
class ExplanationWriter {
 public:
  ExplanationWriter(const std::vector<Tensor>& outputs, const std::vector<std::string>& classes, JsonStyle style)
      : contributions_(outputs[0]),
        names_(outputs.size() > 1 && outputs[1].name == engine::feature_names_output ? &outputs[1] : nullptr),
        prediction_(outputs.size() > (names_ != nullptr ? 2u : 1u) ? &outputs[names_ != nullptr ? 2 : 1] : nullptr),
        classes_(classes),
        style_(style),
        rows_(static_cast<std::size_t>(contributions_.shape[0])),
        width_(static_cast<std::size_t>(contributions_.shape.back())),
        several_(contributions_.shape.size() == 3),
        outputs_(several_ ? static_cast<std::size_t>(contributions_.shape[1]) : 1) {}

  std::string run() && {
    out_ = "{";
    key("explanations");
    list(rows_, [&](std::size_t row) { explanation(row); });
    if (names_ != nullptr) names("feature_names", names_->strings);
    if (several_ && classes_.size() == outputs_) names("classes", classes_);
    return std::move(out_) + "}";
  }

 private:
  std::string_view comma() const { return style_ == JsonStyle::orjson ? "," : ", "; }
  void key(std::string_view name) {
    if (out_.back() != '{') out_ += comma();
    out_ += fmt::format(R"("{}":{})", name, style_ == JsonStyle::orjson ? "" : " ");
  }
  void number(const Tensor& tensor, std::size_t at) {
    style_ == JsonStyle::orjson ? append_element(out_, tensor, at) : append_python_element(out_, tensor, at);
  }
  template <typename Item>
  void list(std::size_t count, Item&& item) {
    out_ += '[';
    for (std::size_t i = 0; i < count; ++i) {
      if (i > 0) out_ += comma();
      item(i);
    }
    out_ += ']';
  }
  void names(std::string_view name, const std::vector<std::string>& texts) {
    key(name);
    list(texts.size(), [&](std::size_t i) {
      style_ == JsonStyle::orjson ? append_json_string(out_, texts[i]) : append_ascii_string(out_, texts[i]);
    });
  }

  void explanation(std::size_t row) {
    const std::size_t begin = row * outputs_ * width_;
    const auto values = [&](std::size_t k) {
      list(width_ - 1, [&](std::size_t c) { number(contributions_, begin + k * width_ + c); });
    };
    const auto base = [&](std::size_t k) { number(contributions_, begin + (k + 1) * width_ - 1); };
    out_ += '{';
    key("values");
    several_ ? list(outputs_, values) : values(0);
    key("base_value");
    several_ ? list(outputs_, base) : base(0);
    if (prediction_ != nullptr && !prediction_->shape.empty() &&
        prediction_->shape[0] == static_cast<std::int64_t>(rows_)) {
      key("prediction");
      std::size_t next = row * (prediction_->element_count() / rows_);
      append_nested(out_, *prediction_, 1, next, style_);
    }
    out_ += '}';
  }

  const Tensor& contributions_;
  const Tensor* names_;
  const Tensor* prediction_;
  const std::vector<std::string>& classes_;
  JsonStyle style_;
  std::size_t rows_, width_;
  bool several_;
  std::size_t outputs_;
  std::string out_;
};

}  // namespace

std::string render_explanations(const std::vector<Tensor>& outputs, const std::vector<std::string>& classes,
                                JsonStyle style) {
  return ExplanationWriter(outputs, classes, style).run();
}

V2Response render_v2(const V2Names& names, const V2Request& request, std::vector<Tensor>& outputs, Dialect dialect) {
  if (answers_with_tensors(request, outputs)) return render_binary(names, request, outputs);
  return {render_json(names, request, outputs, dialect), 0};
}

}  // namespace jackdaw::api::oip
