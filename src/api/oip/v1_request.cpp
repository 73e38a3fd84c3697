#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <utility>

#include "jackdaw/base/text.h"
#include "src/api/oip/json_document.h"
#include "src/api/oip/numpy.h"
#include "src/api/oip/request.h"

namespace jackdaw::api::oip {
namespace {

using engine::InferenceRequest;
using engine::Tensor;
using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::element_type;
using simdjson::dom::object;

constexpr std::size_t columns_max = 65'536;

// A data frame may have this many cells that nobody sent, or this many times those that were sent.
constexpr std::size_t cells_free = 1 << 20;
constexpr std::size_t sparseness_max = 8;

// A data frame under construction: columns in the order they first appear, each with the cells it was given. A cell
// that no instance gave is null.
class FrameBuilder {
 public:
  // One instance: {"a": [1, 2], "b": [3, 4]}, {"a": {"0": 1}, ...}, {"a": 1, ...}, or [{"a": 1, "b": 2}, ...].
  Result<void> add(element instance) {
    object columns;
    array rows;
    if (instance.get(columns) == simdjson::SUCCESS) return add_columns(columns);
    if (instance.get(rows) == simdjson::SUCCESS) return add_rows(rows);
    return make_error(Code::invalid_argument, "an instance must be an object or a list of objects like the first one");
  }

  Result<std::vector<Tensor>> finish() && {
    // Holes cost memory too: 30,000 rows with a column each of their own would be 900 million cells.
    if (rows_ * columns_.size() > cells_free + sparseness_max * given_) {
      return make_error(Code::invalid_argument,
                        "the data frame would have {} rows x {} columns for {} values; rows must share their columns",
                        rows_, columns_.size(), given_);
    }
    std::vector<Tensor> out;
    for (const Column& column : columns_) {
      JACKDAW_ASSIGN(Tensor tensor, to_tensor(filled(column)));
      out.push_back(std::move(tensor));
    }
    return out;
  }

 private:
  struct Column {
    std::string name;
    std::vector<std::pair<std::size_t, element>> cells;  // row and value, rows ascending
  };
  struct FilledColumn {
    std::string_view name;
    std::vector<std::optional<element>> cells;
  };

  FilledColumn filled(const Column& column) const {
    FilledColumn out{column.name, std::vector<std::optional<element>>(rows_)};
    for (const auto& [row, cell] : column.cells) out.cells[row] = cell;
    return out;
  }

  Column* column(std::string_view name) {
    const auto found = index_.find(name);
    if (found != index_.end()) return &columns_[found->second];
    if (columns_.size() >= columns_max) return nullptr;
    index_.emplace(name, columns_.size());
    columns_.push_back({std::string(name), {}});
    return &columns_.back();
  }

  // A key twice in one row: the last value counts, as in Python.
  Result<void> put(std::string_view name, std::size_t row, element cell) {
    Column* c = column(name);
    if (c == nullptr) return make_error(Code::invalid_argument, "more than {} columns", columns_max);
    c->cells.emplace_back(row, cell);
    ++given_;
    return {};
  }

  Result<void> add_rows(array rows) {
    for (const element row : rows) {
      object cells;
      if (row.get(cells) != simdjson::SUCCESS) {
        return make_error(Code::invalid_argument, "a list of rows must hold objects only");
      }
      for (const auto [name, cell] : cells) JACKDAW_TRY(put(name, rows_, cell));
      ++rows_;
    }
    return {};
  }

  // The cells of one column of one instance; returns how many.
  Result<std::size_t> put_cells(std::string_view name, element cells) {
    array list;
    object indexed;
    std::size_t count = 0;
    if (cells.get(list) == simdjson::SUCCESS) {
      for (const element cell : list) JACKDAW_TRY(put(name, rows_ + count++, cell));
    } else if (cells.get(indexed) == simdjson::SUCCESS) {
      for (const auto [index, cell] : indexed) JACKDAW_TRY(put(name, rows_ + count++, cell));
    } else {
      JACKDAW_TRY(put(name, rows_ + count++, cells));
    }
    return count;
  }

  Result<void> add_columns(object columns) {
    std::optional<std::size_t> height;
    for (const auto [name, cells] : columns) {
      JACKDAW_ASSIGN(const std::size_t count, put_cells(name, cells));
      if (height.value_or(count) != count)
        return make_error(Code::invalid_argument, "All arrays must be of the same length");
      height = count;
    }
    rows_ += height.value_or(0);
    return {};
  }

  static Result<Tensor> to_tensor(const FilledColumn& column) {
    Tensor out;
    out.name = column.name;
    out.shape = {static_cast<std::int64_t>(column.cells.size())};
    JACKDAW_ASSIGN(out.dtype, dtype_of(column));
    for (std::size_t row = 0; row < column.cells.size(); ++row) {
      const std::optional<element>& cell = column.cells[row];
      const bool missing = !cell || cell->is_null();
      if (out.dtype == DType::bytes) {
        if (missing) out.missing.resize(column.cells.size(), 0);
        if (missing) out.missing[row] = 1;
        out.strings.emplace_back(missing ? std::string_view() : cell->get_string().value_unsafe());
        continue;
      }
      append(out, missing ? std::nullopt : cell);
    }
    return out;
  }

  static void append(Tensor& out, std::optional<element> cell) {
    std::byte raw[8];
    std::size_t size = element_size(out.dtype);
    if (out.dtype == DType::fp64) {
      const double value = cell ? number_of(*cell) : std::numeric_limits<double>::quiet_NaN();
      std::memcpy(raw, &value, size);
    } else if (out.dtype == DType::int64) {
      const std::int64_t value = cell->type() == element_type::BOOL ? std::int64_t{cell->get_bool().value_unsafe()}
                                                                    : cell->get_int64().value_unsafe();
      std::memcpy(raw, &value, size);
    } else {
      const std::uint8_t value = cell->get_bool().value_unsafe() ? 1 : 0;
      std::memcpy(raw, &value, size);
    }
    out.data.insert(out.data.end(), raw, raw + size);
  }

  static double number_of(element cell) {
    if (cell.type() == element_type::BOOL) return cell.get_bool().value_unsafe() ? 1.0 : 0.0;
    return cell.get_double().value_unsafe();  // integers convert
  }

  static Result<DType> dtype_of(const FilledColumn& column) {
    bool text = false, real = false, integer = false, boolean = false, missing = false;
    for (const std::optional<element>& cell : column.cells) {
      switch (cell ? cell->type() : element_type::NULL_VALUE) {
        case element_type::STRING:
          text = true;
          break;
        case element_type::DOUBLE:
        case element_type::UINT64:
          real = true;
          break;
        case element_type::INT64:
          integer = true;
          break;
        case element_type::BOOL:
          boolean = true;
          break;
        case element_type::NULL_VALUE:
          missing = true;
          break;
        default:
          return make_error(Code::invalid_argument, "column '{}' holds a list or an object where one value is expected",
                            column.name);
      }
    }
    if (text && (real || integer || boolean)) {
      return make_error(Code::invalid_argument, "column '{}' mixes texts and numbers", column.name);
    }
    if (text) return DType::bytes;
    if (real || missing) return DType::fp64;
    return integer || column.cells.empty() ? DType::int64 : DType::boolean;
  }

  std::vector<Column> columns_;
  std::map<std::string, std::size_t, std::less<>> index_;
  std::size_t rows_ = 0;
  std::size_t given_ = 0;
};

bool starts_a_frame(element first) {
  array inner;
  if (first.is_object()) return true;
  return first.get(inner) == simdjson::SUCCESS && inner.size() > 0 && inner.at(0).is_object();
}

Result<InferenceRequest> request_of(array instances) {
  InferenceRequest request;
  if (instances.size() > 0 && starts_a_frame(instances.at(0).value_unsafe())) {
    FrameBuilder frame;
    for (const element instance : instances) JACKDAW_TRY(frame.add(instance));
    request.form = engine::InputForm::columns;
    JACKDAW_ASSIGN(request.inputs, std::move(frame).finish());
    return request;
  }
  JACKDAW_ASSIGN(Tensor tensor, array_of(instances));
  tensor.name = "input-0";
  request.inputs.push_back(std::move(tensor));
  return request;
}

}  // namespace

Refusal refuse(int status, std::string_view error) {
  Refusal refusal{status, R"({"error":)"};
  append_json_string(refusal.body, error);
  refusal.body += '}';
  return refusal;
}

Refusal refuse_detail(int status, std::string_view detail) {
  Refusal refusal{status, R"({"detail":)"};
  append_json_string(refusal.body, detail);
  refusal.body += '}';
  return refusal;
}

std::optional<std::string_view> batcher_refusal(std::string_view body) {
  JsonDocument document;
  object root;
  if (document.parse(body) || document.root().get(root) != simdjson::SUCCESS) return "can't Unmarshal body";
  std::optional<element> instances;
  for (const auto [key, value] : root) {
    if (key == "instances") instances = value;
  }
  if (!instances || instances->is_null()) return "no instances in the request";
  array list;
  if (instances->get(list) != simdjson::SUCCESS) return "can't Unmarshal body";
  if (list.size() == 0) return "no instances in the request";
  return std::nullopt;
}

std::variant<InferenceRequest, Refusal> parse_v1(std::string_view body, bool is_event) {
  JsonDocument document;
  if (const auto fault = document.parse(body)) return refuse(400, "Unrecognized request format: " + fault->text());
  object root;
  if (is_event && document.root()["data"].get(root) != simdjson::SUCCESS) {
    return refuse(400, R"(a structured CloudEvent must hold an object under "data")");
  }
  if (!is_event && document.root().get(root) != simdjson::SUCCESS) {
    return refuse(400, R"(the body must be a JSON object with "instances" or "inputs")");
  }
  // A key twice: the last one counts, as in Python. "inputs" wins over "instances", as in KServe's servers.
  element inputs, instances;
  bool has_inputs = false, has_instances = false;
  for (const auto [key, value] : root) {
    if (key == "inputs") inputs = value, has_inputs = true;
    if (key == "instances") instances = value, has_instances = true;
  }
  if (!has_inputs && !has_instances) return refuse(400, "'instances'");
  const char* key = has_instances ? "instances" : "inputs";
  array list;
  const bool instances_listed = !has_instances || instances.is_array();
  if (!instances_listed || (has_inputs ? inputs : instances).get(list) != simdjson::SUCCESS) {
    return refuse(400, fmt::format("Expected \"{}\" to be a list", key));
  }
  auto request = request_of(list);
  if (!request) return refuse(400, request.error().text());
  return std::move(*request);
}

}  // namespace jackdaw::api::oip
