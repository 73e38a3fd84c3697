// config.json as Metadata: {"rope_scaling": {"factor": 8.0}} is "rope_scaling.factor". Python's writers put NaN and
// Infinity into it, so the cursor that knows them reads it.
#include <charconv>

#include "src/formats/json_cursor.h"
#include "src/formats/model_listing.h"

namespace jackdaw::formats {

namespace {

constexpr std::uint32_t nesting_max = 32;
constexpr std::size_t keys_max = 100'000;
constexpr std::size_t key_bytes_max = 4096;

class ConfigReader {
 public:
  explicit ConfigReader(std::string_view text) : cursor_(json_cursor(text, nesting_max)) {}

  Result<Metadata> read() {
    JACKDAW_TRY(read_object(""));
    JACKDAW_TRY(cursor_->expect_end());
    return std::move(out_);
  }

 private:
  // Recursion is bounded by the cursor's nesting limit.
  Result<void> read_object(const std::string& prefix) {
    return cursor_->object([&](std::string_view key) -> Result<void> {
      std::string name = prefix + std::string(key);
      if (name.size() > key_bytes_max) return cursor_->error(Code::parse_error, "A key is too long.");
      return read_value(std::move(name));
    });
  }

  Result<void> read_value(std::string name) {
    const ValueKind kind = cursor_->kind();
    if (kind == ValueKind::object) return read_object(name + ".");
    MetadataValue value;
    bool kept = true;
    if (kind == ValueKind::array) {
      JACKDAW_ASSIGN(kept, read_array(value));
    } else {
      JACKDAW_ASSIGN(value, read_scalar(kind));
    }
    return kept ? put(std::move(name), std::move(value)) : Result<void>();
  }

  Result<void> put(std::string name, MetadataValue value) {
    if (out_.values.size() == keys_max) return cursor_->error(Code::too_large, "The file has too many keys.");
    const auto [place, fresh] = out_.values.emplace(std::move(name), std::move(value));
    // {"a.b": 1, "a": {"b": 2}}
    if (!fresh) return cursor_->error(Code::parse_error, fmt::format("\"{}\" is said twice.", place->first));
    return {};
  }

  Result<MetadataValue> read_scalar(ValueKind kind) {
    JACKDAW_ASSIGN(std::string text, cursor_->scalar());
    if (kind == ValueKind::null) return MetadataValue();
    if (kind == ValueKind::boolean) return MetadataValue(text == "true");
    if (kind == ValueKind::text) return MetadataValue(std::move(text));
    return number(text);
  }

  static MetadataValue number(std::string_view text) {
    std::int64_t whole = 0;
    const char* end = text.data() + text.size();
    if (const auto [stop, status] = std::from_chars(text.data(), end, whole); stop == end && status == std::errc()) {
      return whole;
    }
    // The cursor has checked that this is a number; NaN and Infinity, any case, are from_chars' too.
    double real = 0;
    std::from_chars(text.data(), end, real);
    return real;
  }

  // False when its elements are of several kinds, or lists or objects, and so are left out.
  Result<bool> read_array(MetadataValue& out) {
    std::vector<MetadataValue> values;
    bool plain = true;
    JACKDAW_TRY(cursor_->array([&]() -> Result<void> {
      const ValueKind kind = cursor_->kind();
      if (kind == ValueKind::object || kind == ValueKind::array) {
        plain = false;
        return cursor_->skip();
      }
      JACKDAW_ASSIGN(MetadataValue value, read_scalar(kind));
      values.push_back(std::move(value));
      return {};
    }));
    return plain && (all_of<std::int64_t>(values, out) || all_numbers(values, out) ||
                     all_of<std::string>(values, out) || all_of<bool>(values, out));
  }

  template <typename T>
  static bool all_of(const std::vector<MetadataValue>& values, MetadataValue& out) {
    std::vector<T> list;
    for (const MetadataValue& value : values) {
      const T* element = std::get_if<T>(&value);
      if (element == nullptr) return false;
      list.push_back(*element);
    }
    out = std::move(list);
    return true;
  }
  static bool all_numbers(const std::vector<MetadataValue>& values, MetadataValue& out) {
    std::vector<double> list;
    for (const MetadataValue& value : values) {
      if (const auto* real = std::get_if<double>(&value)) {
        list.push_back(*real);
      } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
        list.push_back(static_cast<double>(*whole));
      } else {
        return false;
      }
    }
    out = std::move(list);
    return true;
  }

  std::unique_ptr<ValueCursor> cursor_;
  Metadata out_;
};

}  // namespace

Result<Metadata> read_config_json(std::string_view text) {
  return ConfigReader(text).read();
}

}  // namespace jackdaw::formats
