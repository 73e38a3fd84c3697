// GGUF's header. Little-endian throughout:
//
//   "GGUF"  u32 version (2 or 3)  u64 tensors  u64 keys
//   keys:     text key, u32 type, value          text = u64 length, bytes
//             type 0 u8, 1 i8, 2 u16, 3 i16, 4 u32, 5 i32, 6 f32, 7 bool, 8 text, 10 u64, 11 i64, 12 f64,
//             9 array = u32 type, u64 count, elements
//   tensors:  text name, u32 dimensions, u64 ne[dimensions] (fastest first), u32 ggml type, u64 offset
//   data:     begins at the next multiple of general.alignment (32 when the key is absent); offsets count from there
//
// Version 1 had 32-bit lengths and is refused. Version 3 is version 2 that may also be big-endian, which is refused.
#include <algorithm>
#include <set>

#include "src/formats/ggml_types.h"
#include "src/formats/header_reader.h"
#include "src/formats/model_listing.h"

namespace jackdaw::formats {

namespace {

// 262,144 pieces with scores and merges are 20 MB. Values take up to eight times their bytes in memory.
constexpr std::uint64_t header_bytes_max = 128ull << 20;
constexpr std::uint64_t elements_max = 1u << 24;  // of one array
constexpr std::uint64_t key_bytes_max = 65'535;
constexpr std::uint64_t name_bytes_max = 256;
constexpr std::uint64_t keys_max = 100'000;
constexpr std::uint32_t array_depth_max = 4;
constexpr std::uint32_t default_alignment = 32;
constexpr std::uint64_t alignment_max = 1u << 20;

enum class ValueType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

// Bytes of the least element of a type: bounds how many a file can hold. 0 for no type.
std::uint64_t least_bytes(ValueType type) {
  switch (type) {
    case ValueType::u8:
    case ValueType::i8:
    case ValueType::boolean:
      return 1;
    case ValueType::u16:
    case ValueType::i16:
      return 2;
    case ValueType::u32:
    case ValueType::i32:
    case ValueType::f32:
      return 4;
    case ValueType::text:
    case ValueType::u64:
    case ValueType::i64:
    case ValueType::f64:
      return 8;
    case ValueType::array:
      return 12;
  }
  return 0;
}

bool is_whole(ValueType type) {
  return type != ValueType::f32 && type != ValueType::f64 && type != ValueType::boolean && type != ValueType::text &&
         type != ValueType::array;
}

class GgufReader {
 public:
  explicit GgufReader(const ByteSource& source) : source_(source), in_(source, header_bytes_max) {}

  Result<ModelListing> read(std::uint32_t file) {
    std::uint64_t tensors = 0;
    std::uint64_t keys = 0;
    JACKDAW_TRY(read_preamble(tensors, keys));
    for (std::uint64_t i = 0; i < keys; ++i) JACKDAW_TRY(read_key());
    JACKDAW_ASSIGN(const std::uint64_t alignment, find_alignment());
    out_.tensors.reserve(static_cast<std::size_t>(tensors));
    for (std::uint64_t i = 0; i < tensors; ++i) JACKDAW_TRY(read_tensor(file, alignment));
    JACKDAW_TRY(place_tensors(alignment));
    return std::move(out_);
  }

 private:
  template <typename... Args>
  Error refuse(Code code, fmt::format_string<Args...> format, Args&&... args) const {
    return Error{code, fmt::format(format, std::forward<Args>(args)...), fmt::format("offset {}", in_.offset())};
  }
  Error ends(std::string_view what) const {
    return refuse(Code::parse_error, "the file ends inside {}; it seems incomplete, fetch it again", what);
  }

  Result<void> read_preamble(std::uint64_t& tensors, std::uint64_t& keys) {
    std::uint32_t magic = 0;
    if (!in_.read_le(magic) || !in_.read_le(out_.version)) return ends("the preamble");
    if (magic != 0x46554747) return Error{Code::parse_error, "this is no GGUF file: the magic is missing", "offset 0"};
    JACKDAW_TRY(check_version());
    if (!in_.read_le(tensors) || !in_.read_le(keys)) return ends("the preamble");
    // 13 and 24 are the least bytes of a key with its value and of a tensor.
    if (keys > keys_max || keys > in_.remaining() / 13) {
      return refuse(Code::parse_error, "the file claims {} keys, which cannot be", keys);
    }
    if (tensors > tensors_max || tensors > in_.remaining() / 24) {
      return refuse(Code::parse_error, "the file claims {} tensors, which cannot be", tensors);
    }
    return {};
  }

  Result<void> check_version() {
    if (out_.version == 2 || out_.version == 3) return {};
    if (out_.version == 1) {
      return refuse(Code::unsupported,
                    "GGUF version 1 (2023) is not read; convert the model again with a current "
                    "convert_hf_to_gguf.py");
    }
    if ((out_.version & 0xffffu) == 0) {
      return refuse(Code::unsupported, "the file is big-endian GGUF; fetch or convert the little-endian one");
    }
    return refuse(Code::unsupported, "GGUF version {} is not known; versions 2 and 3 are read", out_.version);
  }

  Result<void> read_text(std::string_view what, std::uint64_t bytes_max, std::string& out) {
    std::uint64_t length = 0;
    if (!in_.read_le(length)) return ends(what);
    if (length > bytes_max) {
      return refuse(Code::parse_error, "{} claims {} bytes; at most {} are allowed", what, length, bytes_max);
    }
    if (!in_.take(length, out)) return ends(what);
    return {};
  }

  Result<void> read_key() {
    std::string key;
    JACKDAW_TRY(read_text("a key", key_bytes_max, key));
    if (key.empty()) return refuse(Code::parse_error, "a key is empty");
    JACKDAW_ASSIGN(const ValueType type, read_type());
    MetadataValue value;
    auto read = type == ValueType::array ? read_array(value, 1) : read_scalar(type, value);
    if (!read) {
      Error error = std::move(read).error();
      error.message = fmt::format("key \"{}\": {}", key, error.message);
      return error;
    }
    if (std::holds_alternative<std::monostate>(value)) return {};  // an array of arrays
    const auto [place, fresh] = out_.metadata.values.emplace(std::move(key), std::move(value));
    if (!fresh) return refuse(Code::parse_error, "the key \"{}\" comes twice", place->first);
    return {};
  }

  Result<ValueType> read_type() {
    std::uint32_t number = 0;
    if (!in_.read_le(number)) return ends("the type of a value");
    const auto type = static_cast<ValueType>(number);
    if (least_bytes(type) == 0) return refuse(Code::parse_error, "value type {} is not known", number);
    return type;
  }

  template <typename Stored>
  bool read_as(std::int64_t& out) {
    Stored value{};
    if (!in_.read_le(value)) return false;
    out = static_cast<std::int64_t>(value);
    return true;
  }

  Result<std::int64_t> read_whole(ValueType type) {
    std::int64_t value = 0;
    bool there = false;
    switch (type) {
      case ValueType::u8:
        there = read_as<std::uint8_t>(value);
        break;
      case ValueType::i8:
        there = read_as<std::int8_t>(value);
        break;
      case ValueType::u16:
        there = read_as<std::uint16_t>(value);
        break;
      case ValueType::i16:
        there = read_as<std::int16_t>(value);
        break;
      case ValueType::u32:
        there = read_as<std::uint32_t>(value);
        break;
      case ValueType::i32:
        there = read_as<std::int32_t>(value);
        break;
      default:
        there = read_as<std::int64_t>(value);
        break;
    }
    if (!there) return ends("a number");
    if (type == ValueType::u64 && value < 0) return refuse(Code::parse_error, "a number is above 2^63-1");
    return value;
  }
  Result<double> read_real(ValueType type) {
    float narrow = 0;
    double value = 0;
    if (type == ValueType::f32 ? !in_.read_le(narrow) : !in_.read_le(value)) return ends("a number");
    return type == ValueType::f32 ? static_cast<double>(narrow) : value;
  }
  Result<bool> read_boolean() {
    std::uint8_t value = 0;
    if (!in_.read_le(value)) return ends("a boolean");
    return value != 0;
  }

  Result<void> read_scalar(ValueType type, MetadataValue& out) {
    if (is_whole(type)) {
      JACKDAW_ASSIGN(out, read_whole(type));
    } else if (type == ValueType::boolean) {
      JACKDAW_ASSIGN(out, read_boolean());
    } else if (type == ValueType::text) {
      JACKDAW_TRY(read_text("a text", header_bytes_max, out.emplace<std::string>()));
    } else {
      JACKDAW_ASSIGN(out, read_real(type));
    }
    return {};
  }

  // An array inside an array is read past and left out: nothing that decoders need is written so.
  Result<void> read_array(MetadataValue& out, std::uint32_t depth) {
    if (depth > array_depth_max) return refuse(Code::parse_error, "arrays are nested deeper than {}", array_depth_max);
    JACKDAW_ASSIGN(const ValueType type, read_type());
    std::uint64_t count = 0;
    if (!in_.read_le(count)) return ends("the length of an array");
    if (count > in_.remaining() / least_bytes(type)) {
      return refuse(Code::parse_error, "an array claims {} elements, more than the file has bytes for", count);
    }
    if (count > elements_max)
      return refuse(Code::too_large, "an array has {} elements; at most {} are read", count, elements_max);
    const auto n = static_cast<std::size_t>(count);
    if (is_whole(type))
      return read_elements(n, out.emplace<std::vector<std::int64_t>>(), [&] { return read_whole(type); });
    if (type == ValueType::boolean)
      return read_elements(n, out.emplace<std::vector<bool>>(), [&] { return read_boolean(); });
    if (type == ValueType::text) return read_texts(n, out.emplace<std::vector<std::string>>());
    if (type == ValueType::array) return skip_arrays(n, depth);
    return read_elements(n, out.emplace<std::vector<double>>(), [&] { return read_real(type); });
  }

  template <typename T, typename ReadOne>
  Result<void> read_elements(std::size_t count, std::vector<T>& out, ReadOne read_one) {
    out.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
      JACKDAW_ASSIGN(const T value, read_one());
      out.push_back(value);
    }
    return {};
  }
  Result<void> read_texts(std::size_t count, std::vector<std::string>& out) {
    out.resize(count);
    for (std::string& text : out) JACKDAW_TRY(read_text("a text in an array", header_bytes_max, text));
    return {};
  }
  Result<void> skip_arrays(std::size_t count, std::uint32_t depth) {
    for (std::size_t i = 0; i < count; ++i) {
      MetadataValue left_out;
      JACKDAW_TRY(read_array(left_out, depth + 1));
    }
    return {};
  }

  Result<std::uint64_t> find_alignment() const {
    if (out_.metadata.find("general.alignment") == nullptr) return default_alignment;
    const auto value = out_.metadata.integer("general.alignment");
    const auto alignment = static_cast<std::uint64_t>(value.value_or(0));
    if (!value || alignment < 8 || alignment > alignment_max || (alignment & (alignment - 1)) != 0) {
      return refuse(Code::parse_error, "general.alignment must be a power of two from 8 to {}", alignment_max);
    }
    return alignment;
  }

  Result<void> read_tensor(std::uint32_t file, std::uint64_t alignment) {
    ListedTensor tensor;
    tensor.file = file;
    JACKDAW_TRY(read_text("a tensor's name", name_bytes_max, tensor.name));
    if (tensor.name.empty()) return refuse(Code::parse_error, "a tensor has no name");
    JACKDAW_TRY(read_shape(tensor));
    std::uint32_t type = 0;
    if (!in_.read_le(type) || !in_.read_le(tensor.begin)) return ends("the description of a tensor");
    if (tensor.begin % alignment != 0) {
      return refuse(Code::parse_error, "tensor \"{}\" begins at {}, which is no multiple of the alignment {}",
                    tensor.name, tensor.begin, alignment);
    }
    JACKDAW_TRY(measure(type, tensor));
    out_.tensors.push_back(std::move(tensor));
    return {};
  }

  Result<void> read_shape(ListedTensor& tensor) {
    std::uint32_t dimensions = 0;
    if (!in_.read_le(dimensions)) return ends("a tensor's shape");
    if (dimensions > dimensions_max) {
      return refuse(Code::parse_error, "tensor \"{}\" has {} dimensions; at most {} are known", tensor.name, dimensions,
                    dimensions_max);
    }
    tensor.shape.resize(dimensions);
    for (std::uint32_t i = 0; i < dimensions; ++i) {
      std::uint64_t n = 0;
      if (!in_.read_le(n)) return ends("a tensor's shape");
      if (n == 0 || n > (1ull << 62)) {
        return refuse(Code::parse_error, "tensor \"{}\" has a dimension of {}", tensor.name, n);
      }
      tensor.shape[dimensions - 1 - i] = static_cast<std::int64_t>(n);
    }
    if (!element_count(tensor.shape, tensor.elements)) {
      return refuse(Code::parse_error, "tensor \"{}\" has more elements than can be counted", tensor.name);
    }
    return {};
  }

  Result<void> measure(std::uint32_t number, ListedTensor& tensor) {
    tensor.type = ggml_type_name(number);
    const auto encoding = encoding_from_ggml(number);
    tensor.use = encoding ? TensorUse::weight : TensorUse::unreadable;
    tensor.encoding = encoding.value_or(Encoding::f32);
    const GgmlType* type = ggml_type(number);
    if (type == nullptr) return {};
    const std::int64_t row = tensor.shape.empty() ? 1 : tensor.shape.back();
    if (row % type->block_elements != 0) {
      return refuse(Code::parse_error, "tensor \"{}\" has rows of {} elements, no whole number of {} blocks of {}",
                    tensor.name, row, type->name, type->block_elements);
    }
    const auto blocks = static_cast<std::uint64_t>(tensor.elements) / type->block_elements;
    if (!checked_mul<std::uint64_t>(blocks, type->block_bytes, tensor.bytes)) {
      return refuse(Code::parse_error, "tensor \"{}\" has more bytes than can be counted", tensor.name);
    }
    return {};
  }

  // Offsets become places in the file; every tensor must lie inside it and have its bytes to itself.
  Result<void> place_tensors(std::uint64_t alignment) {
    const std::uint64_t data = (in_.offset() + alignment - 1) / alignment * alignment;
    const std::uint64_t size = source_.size();
    if (!out_.tensors.empty() && data > size) return ends("its header");
    for (ListedTensor& tensor : out_.tensors) {
      if (tensor.begin > size - data || tensor.bytes > size - data - tensor.begin) {
        return refuse(Code::parse_error,
                      "tensor \"{}\" needs {} bytes at {} of the data, but the file ends at {}; it seems incomplete, "
                      "fetch it again",
                      tensor.name, tensor.bytes, tensor.begin, size - data);
      }
      tensor.begin += data;
    }
    return check_overlap();
  }
  Result<void> check_overlap() const {
    std::vector<const ListedTensor*> order;
    for (const ListedTensor& tensor : out_.tensors) order.push_back(&tensor);
    std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) { return a->begin < b->begin; });
    for (std::size_t i = 1; i < order.size(); ++i) {
      if (order[i]->begin - order[i - 1]->begin < order[i - 1]->bytes) {
        return refuse(Code::parse_error, "tensors \"{}\" and \"{}\" share bytes of the file", order[i - 1]->name,
                      order[i]->name);
      }
    }
    return {};
  }

  const ByteSource& source_;
  HeaderReader in_;
  ModelListing out_;
};

}  // namespace

Result<ModelListing> list_gguf(const ByteSource& source, std::uint32_t file) {
  return GgufReader(source).read(file);
}

}  // namespace jackdaw::formats
