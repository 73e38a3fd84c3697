#include "sklearn_harness.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <regex>

#include "jackdaw/base/text.h"

namespace jackdaw::predict::testing {
namespace {

using simdjson::dom::element;

constexpr double not_a_number = std::numeric_limits<double>::quiet_NaN();

std::string text_of(element e) {
  return std::string(std::string_view(e));
}

double number_of(element e) {
  if (e.is_null()) return not_a_number;
  if (e.is_bool()) return bool(e) ? 1.0 : 0.0;
  if (e.is_string()) return text_of(e) == "inf" ? INFINITY : -INFINITY;
  return double(e);
}

std::string cell_text(element e) {
  if (e.is_null()) return "";
  if (e.is_string()) return text_of(e);
  if (e.is_int64()) return std::to_string(int64_t(e));
  std::string out;
  append_json_double(out, double(e));
  return out;
}

ExpectedArray read_array(element e) {
  ExpectedArray out;
  out.dtype = text_of(e["dtype"]);
  const bool is_text = out.dtype == "str" || out.dtype == "object";
  for (element n : e["shape"].get_array()) out.shape.push_back(int64_t(n));
  for (element v : e["data"].get_array()) {
    out.missing.push_back(v.is_null());
    if (is_text) {
      out.texts.push_back(cell_text(v));
    } else {
      out.numbers.push_back(number_of(v));
    }
  }
  return out;
}

Expected read_expected(element e) {
  Expected out;
  element found;
  if (e["error"].get(found) == simdjson::SUCCESS) {
    out.error = text_of(found);
  } else if (e["list"].get(found) == simdjson::SUCCESS) {
    for (element item : found.get_array()) out.arrays.push_back(read_array(item));
  } else {
    out.arrays.push_back(read_array(e));
  }
  return out;
}

DType dtype_named(const std::string& name) {
  static const std::map<std::string, DType> names = {
      {"f64", DType::fp64},     {"f32", DType::fp32},     {"i64", DType::int64},   {"float64", DType::fp64},
      {"float32", DType::fp32}, {"int64", DType::int64},  {"int32", DType::int32}, {"bool", DType::boolean},
      {"str", DType::bytes},    {"object", DType::bytes}, {"int8", DType::int8},   {"uint8", DType::uint8}};
  const auto found = names.find(name);
  return found == names.end() ? DType::bf16 : found->second;
}

Frame read_frame(element input, const std::string& form) {
  if (form == "texts") {
    Texts texts;
    for (element t : input["texts"].get_array()) texts.values.push_back(text_of(t));
    return texts;
  }
  if (form == "columns") {
    DataFrame frame;
    frame.rows = static_cast<std::size_t>(int64_t(input["rows"]));
    for (element c : input["columns"].get_array()) {
      Column column;
      column.name = text_of(c["name"]);
      column.is_text = text_of(c["kind"]) == "text";
      column.dtype = column.is_text ? DType::bytes : dtype_named(text_of(c["dtype"]));
      for (element v : c["data"].get_array()) {
        column.missing.push_back(v.is_null());
        if (column.is_text) {
          column.texts.push_back(cell_text(v));
        } else {
          column.numbers.push_back(number_of(v));
        }
      }
      frame.columns.push_back(std::move(column));
    }
    return frame;
  }
  const auto rows = static_cast<std::size_t>(int64_t(input["rows"]));
  const auto cols = std::max<std::size_t>(1, static_cast<std::size_t>(int64_t(input["cols"])));
  Matrix m = Matrix::dense(rows, cols, dtype_named(form));
  std::size_t i = 0;
  for (element v : input["data"].get_array()) m.values[i++] = number_of(v);
  return m;
}

SklearnCase read_case(element e, const std::filesystem::path& folder) {
  SklearnCase out;
  out.version = folder.filename().string();
  out.name = text_of(e["name"]);
  out.class_name = text_of(e["class"]);
  out.file = folder / text_of(e["file"]);
  for (element i : e["inputs"].get_array()) {
    CaseInput input;
    input.form = text_of(i["form"]);
    input.frame = read_frame(i, input.form);
    for (auto [method, expected] : i["expected"].get_object()) {
      input.methods.emplace(std::string(method), read_expected(expected));
    }
    out.inputs.push_back(std::move(input));
  }
  return out;
}

double element_at(const engine::Tensor& t, std::size_t i) {
  switch (t.dtype) {
    case DType::fp64:
      return t.as<double>()[i];
    case DType::fp32:
      return t.as<float>()[i];
    case DType::int64:
      return static_cast<double>(t.as<std::int64_t>()[i]);
    case DType::int32:
      return t.as<std::int32_t>()[i];
    case DType::int8:
      return t.as<std::int8_t>()[i];
    case DType::boolean:
    case DType::uint8:
      return t.as<std::uint8_t>()[i];
    default:
      return not_a_number;
  }
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  return fmt::format("({})", fmt::join(shape, ", "));
}

std::string compare_texts(const ExpectedArray& want, const engine::Tensor& got) {
  for (std::size_t i = 0; i < want.texts.size(); ++i) {
    const bool missing = !got.missing.empty() && got.missing[i] != 0;
    if (missing != want.missing[i]) return fmt::format("element {}: missing is {}", i, missing);
    if (!missing && got.strings[i] != want.texts[i]) {
      return fmt::format("element {}: '{}', expected '{}'", i, got.strings[i], want.texts[i]);
    }
  }
  return "";
}

enum class Precision { full, single, single_inside };

double tolerance_for(Precision precision, double want, double largest) {
  switch (precision) {
    case Precision::full:
      return 1e-12 * std::max(1.0, std::abs(want));
    case Precision::single:
      return 1e-6 * std::max(1e-3 * largest, std::abs(want));
    case Precision::single_inside:
      return 2e-6 * std::max(1.0, largest);
  }
  return 0.0;
}

std::string compare_numbers(const ExpectedArray& want, const engine::Tensor& got, Precision precision) {
  double largest = 0;
  for (double v : want.numbers) {
    if (std::isfinite(v)) largest = std::max(largest, std::abs(v));
  }
  for (std::size_t i = 0; i < want.numbers.size(); ++i) {
    const double a = element_at(got, i);
    const double b = want.numbers[i];
    if (std::isnan(a) && std::isnan(b)) continue;
    if (a == b || std::abs(a - b) <= tolerance_for(precision, b, largest)) continue;
    return fmt::format("element {}: {}, expected {}", i, a, b);
  }
  return "";
}

std::string compare_array(const ExpectedArray& want, const engine::Tensor& got, Precision precision) {
  if (dtype_named(want.dtype) != got.dtype)
    return fmt::format("dtype {}, expected {}", oip_name(got.dtype), want.dtype);
  if (want.shape != got.shape) {
    return fmt::format("shape {}, expected {}", shape_text(got.shape), shape_text(want.shape));
  }
  if (got.element_count() != want.missing.size()) return fmt::format("{} elements", got.element_count());
  if (got.dtype == DType::bytes) return compare_texts(want, got);
  if (precision == Precision::full && got.dtype == DType::fp32) precision = Precision::single;
  return compare_numbers(want, got, precision);
}

}  // namespace

std::vector<SklearnCase> read_cases() {
  const char* wanted = std::getenv("JACKDAW_CASE");
  const std::regex pattern(wanted == nullptr ? "" : wanted);
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(JACKDAW_SOURCE_DIR "/tests/data/sklearn")) {
    if (std::filesystem::exists(entry.path() / "cases.json")) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  std::vector<SklearnCase> out;
  for (const auto& folder : folders) {
    simdjson::dom::parser parser;
    element root = parser.load((folder / "cases.json").string());
    for (element e : root["cases"].get_array()) {
      if (std::regex_search(text_of(e["name"]), pattern)) out.push_back(read_case(e, folder));
    }
  }
  return out;
}

Result<LoadedModel> load_model(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return make_error(Code::not_found, "no file {}", file.string());
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  std::vector<std::byte> bytes(text.size());
  std::transform(text.begin(), text.end(), bytes.begin(), [](char c) { return static_cast<std::byte>(c); });
  LoadedModel out;
  JACKDAW_ASSIGN(formats::ObjectGraph graph, formats::read_object_graph(std::move(bytes)));
  out.graph = std::make_unique<formats::ObjectGraph>(std::move(graph));
  JACKDAW_ASSIGN(out.estimator, build_estimator(BuildContext{*out.graph, out.graph->root(), ""}));
  return out;
}

std::string compare(const Expected& expected, const Result<Output>& got, const std::string& form) {
  if (!expected.error.empty()) {
    if (got) return "answered, but scikit-learn refused: " + expected.error;
    const std::string words = expected.error.substr(expected.error.find(": ") + 2);
    if (got.error().message.find(words) == std::string::npos) {
      return "refused with '" + got.error().text() + "', expected '" + words + "'";
    }
    return "";
  }
  if (!got) return "refused: " + got.error().text();
  if (got->arrays.size() != expected.arrays.size()) return fmt::format("{} arrays", got->arrays.size());
  const Precision precision = form == "single-inside" ? Precision::single_inside
                              : form == "f32"         ? Precision::single
                                                      : Precision::full;
  for (std::size_t i = 0; i < expected.arrays.size(); ++i) {
    std::string difference = compare_array(expected.arrays[i], got->arrays[i], precision);
    if (!difference.empty()) return difference;
  }
  return "";
}

}  // namespace jackdaw::predict::testing
