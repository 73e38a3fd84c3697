// safetensors' header: u64 length (little-endian), then that many bytes of JSON, then the data.
//
//   {"name": {"dtype": "BF16", "shape": [2, 3], "data_offsets": [0, 12]}, ..., "__metadata__": {"format": "pt"}}
//
// Offsets count from the end of the header. As the reference implementation has it, tensors cover the data exactly: no
// hole, no overlap, nothing behind the last one. At most 100 MB of header.
#include <algorithm>
#include <charconv>

#include "src/formats/header_reader.h"
#include "src/formats/json_cursor.h"
#include "src/formats/model_listing.h"

namespace jackdaw::formats {

namespace {

constexpr std::uint64_t header_bytes_max = 100'000'000;
constexpr std::size_t name_bytes_max = 1024;
constexpr std::uint32_t nesting_max = 8;

struct DTypeRow {
  std::string_view name;
  std::uint32_t bytes;
  TensorUse use;
  Encoding encoding;
};
// Integers are buffers, unless their name says that they are packed weights.
constexpr DTypeRow dtypes[] = {
    {"F32", 4, TensorUse::weight, Encoding::f32},         {"F16", 2, TensorUse::weight, Encoding::f16},
    {"BF16", 2, TensorUse::weight, Encoding::bf16},       {"F64", 8, TensorUse::unreadable, Encoding::f32},
    {"F8_E4M3", 1, TensorUse::unreadable, Encoding::f32}, {"F8_E5M2", 1, TensorUse::unreadable, Encoding::f32},
    {"F8_E8M0", 1, TensorUse::unreadable, Encoding::f32}, {"C64", 8, TensorUse::unreadable, Encoding::f32},
    {"I64", 8, TensorUse::ignored, Encoding::f32},        {"U64", 8, TensorUse::ignored, Encoding::f32},
    {"I32", 4, TensorUse::ignored, Encoding::f32},        {"U32", 4, TensorUse::ignored, Encoding::f32},
    {"I16", 2, TensorUse::ignored, Encoding::f32},        {"U16", 2, TensorUse::ignored, Encoding::f32},
    {"I8", 1, TensorUse::ignored, Encoding::f32},         {"U8", 1, TensorUse::ignored, Encoding::f32},
    {"BOOL", 1, TensorUse::ignored, Encoding::f32},
};

bool names_packed_weight(std::string_view name) {
  constexpr std::string_view parts[] = {"weight", "qzeros", "g_idx", "_blocks", "_scales"};
  return std::any_of(std::begin(parts), std::end(parts),
                     [&](std::string_view part) { return name.find(part) != std::string_view::npos; });
}

class SafetensorsReader {
 public:
  SafetensorsReader(const ByteSource& source, std::uint32_t file) : source_(source), file_(file) {}

  Result<ModelListing> read() {
    out_.kind = ModelFileKind::safetensors;
    JACKDAW_TRY(read_header());
    // A sanitised header is small; the cursor allocates in proportion to it.
    const auto cursor = json_cursor(header_, nesting_max);
    JACKDAW_TRY(parse(*cursor));
    JACKDAW_TRY(check_cover());
    return std::move(out_);
  }

 private:
  template <typename... Args>
  Error refuse(Code code, fmt::format_string<Args...> format, Args&&... args) const {
    return Error{code, fmt::format(format, std::forward<Args>(args)...), fmt::format("offset {}", json_offset_)};
  }

  Result<void> read_header() {
    HeaderReader in(source_, header_bytes_max + 8);
    std::uint64_t length = 0;
    if (!in.read_le(length)) {
      return Error{Code::parse_error, "the file ends inside the header's length; it seems incomplete, fetch it again",
                   "offset 0"};
    }
    if (length > header_bytes_max) {
      return Error{Code::parse_error,
                   fmt::format("the header claims {} bytes; at most {} are allowed. This is no safetensors file",
                               length, header_bytes_max),
                   "offset 0"};
    }
    if (!in.take(length, header_)) {
      return Error{
          Code::parse_error,
          fmt::format("the file ends inside its header of {} bytes; it seems incomplete, fetch it again", length),
          "offset 8"};
    }
    data_begin_ = 8 + length;
    data_size_ = source_.size() - data_begin_;
    return {};
  }

  Result<void> parse(ValueCursor& cursor) {
    auto parsed = cursor.object([&](std::string_view key) -> Result<void> {
      if (key == "__metadata__") return read_metadata(cursor);
      return read_tensor(key, cursor);
    });
    if (parsed) {
      while (!header_.empty() && header_.back() == ' ') header_.pop_back();
      parsed = cursor.expect_end();
    }
    if (!parsed) return std::move(parsed).error().at("JSON header");
    return parsed;
  }

  Result<void> read_metadata(ValueCursor& cursor) {
    return cursor.object([&](std::string_view key) -> Result<void> {
      JACKDAW_ASSIGN(std::string value, cursor.scalar());
      out_.metadata.values.emplace("__metadata__." + std::string(key), std::move(value));
      return {};
    });
  }

  Result<void> read_tensor(std::string_view name, ValueCursor& cursor) {
    json_offset_ = cursor.offset();
    if (name.empty() || name.size() > name_bytes_max) {
      return refuse(Code::parse_error, "a tensor's name has {} bytes; 1 to {} are allowed", name.size(),
                    name_bytes_max);
    }
    if (out_.tensors.size() == tensors_max) {
      return refuse(Code::parse_error, "the file has more than {} tensors", tensors_max);
    }
    ListedTensor tensor;
    tensor.name = name;
    tensor.file = file_;
    std::vector<std::int64_t> offsets;
    JACKDAW_TRY(cursor.object([&](std::string_view key) -> Result<void> {
      if (key == "dtype") {
        JACKDAW_ASSIGN(tensor.type, cursor.scalar());
      } else if (key == "shape") {
        JACKDAW_ASSIGN(tensor.shape, cursor.integers());
      } else if (key == "data_offsets") {
        JACKDAW_ASSIGN(offsets, cursor.integers());
      } else {
        return refuse(Code::parse_error, "tensor \"{}\" has an unknown member \"{}\"", name, key);
      }
      return {};
    }));
    JACKDAW_TRY(check_tensor(offsets, tensor));
    out_.tensors.push_back(std::move(tensor));
    return {};
  }

  Result<void> check_tensor(const std::vector<std::int64_t>& offsets, ListedTensor& tensor) {
    if (offsets.size() != 2 || offsets[0] < 0 || offsets[1] < offsets[0]) {
      return refuse(Code::parse_error, "tensor \"{}\" needs data_offsets [begin, end] with begin <= end", tensor.name);
    }
    tensor.begin = static_cast<std::uint64_t>(offsets[0]);
    tensor.bytes = static_cast<std::uint64_t>(offsets[1] - offsets[0]);
    if (static_cast<std::uint64_t>(offsets[1]) > data_size_) {
      return refuse(
          Code::parse_error,
          "tensor \"{}\" ends at {} of the data, but the file ends at {}; it seems incomplete, fetch it again",
          tensor.name, offsets[1], data_size_);
    }
    const auto* dtype = std::find_if(std::begin(dtypes), std::end(dtypes),
                                     [&](const DTypeRow& row) { return row.name == tensor.type; });
    // Sizes of dtypes that came after this table are not known; they still may not overlap.
    if (dtype == std::end(dtypes)) {
      tensor.use = TensorUse::unreadable;
      return count_elements(tensor);
    }
    tensor.encoding = dtype->encoding;
    tensor.use =
        dtype->use == TensorUse::ignored && names_packed_weight(tensor.name) ? TensorUse::unreadable : dtype->use;
    if (tensor.use == TensorUse::weight && tensor.shape.size() > dimensions_max) {
      return refuse(Code::parse_error, "tensor \"{}\" has {} dimensions; at most {} are known", tensor.name,
                    tensor.shape.size(), dimensions_max);
    }
    JACKDAW_TRY(count_elements(tensor));
    return check_size(*dtype, tensor);
  }

  Result<void> count_elements(ListedTensor& tensor) const {
    if (element_count(tensor.shape, tensor.elements)) return {};
    return refuse(Code::parse_error, "tensor \"{}\" has a negative dimension or more elements than can be counted",
                  tensor.name);
  }

  Result<void> check_size(const DTypeRow& dtype, const ListedTensor& tensor) const {
    std::uint64_t bytes = 0;
    if (!checked_mul<std::uint64_t>(static_cast<std::uint64_t>(tensor.elements), dtype.bytes, bytes) ||
        bytes != tensor.bytes) {
      return refuse(Code::parse_error, "tensor \"{}\" has {} elements of {}, but {} bytes", tensor.name,
                    tensor.elements, tensor.type, tensor.bytes);
    }
    if (tensor.use == TensorUse::weight && (data_begin_ + tensor.begin) % dtype.bytes != 0) {
      return refuse(
          Code::unsupported,
          "tensor \"{}\" is not aligned in the file, as writers before 2023 left it; save the model again with "
          "a current safetensors",
          tensor.name);
    }
    return {};
  }

  // Sorts by place, which is file order, and checks that each tensor begins where the one before ended.
  Result<void> check_cover() {
    std::stable_sort(out_.tensors.begin(), out_.tensors.end(), [](const ListedTensor& a, const ListedTensor& b) {
      return a.begin != b.begin ? a.begin < b.begin : a.bytes < b.bytes;
    });
    std::uint64_t end = 0;
    for (ListedTensor& tensor : out_.tensors) {
      if (tensor.begin != end) {
        return Error{Code::parse_error,
                     fmt::format("tensor \"{}\" begins at {} of the data, where {} was expected: tensors must neither "
                                 "overlap nor leave holes",
                                 tensor.name, tensor.begin, end),
                     fmt::format("offset {}", data_begin_ + tensor.begin)};
      }
      end += tensor.bytes;
      tensor.begin += data_begin_;
    }
    if (end == data_size_) return {};
    return Error{Code::parse_error, fmt::format("{} bytes behind the last tensor belong to none", data_size_ - end),
                 fmt::format("offset {}", data_begin_ + end)};
  }

  const ByteSource& source_;
  std::uint32_t file_;
  std::string header_;
  std::uint64_t data_begin_ = 0;
  std::uint64_t data_size_ = 0;
  std::size_t json_offset_ = 0;
  ModelListing out_;
};

}  // namespace

Result<ModelListing> list_safetensors(const ByteSource& source, std::uint32_t file) {
  return SafetensorsReader(source, file).read();
}

}  // namespace jackdaw::formats
