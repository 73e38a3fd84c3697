#include "src/api/openai/reading.h"

namespace jackdaw::api::openai {

using simdjson::dom::element_type;

std::string_view kind_of(Element value) {
  switch (value.type()) {
    case element_type::ARRAY:
      return "a list";
    case element_type::OBJECT:
      return "an object";
    case element_type::INT64:
    case element_type::UINT64:
    case element_type::DOUBLE:
      return "a number";
    case element_type::STRING:
      return "a string";
    case element_type::BOOL:
      return "a boolean";
    case element_type::NULL_VALUE:
      return "null";
  }
  return "something else";
}

void Reading::boolean(std::string_view name, Element value, bool& to) {
  if (value.get(to)) wrong_type(name, "a boolean", value);
}

std::optional<double> Reading::number(std::string_view name, Element value, double low, double high) {
  double read = 0;
  if (value.get(read)) {  // simdjson reads integers as doubles too
    wrong_type(name, "a number", value);
    return std::nullopt;
  }
  if (!(read >= low && read <= high)) {
    if (std::isinf(high)) {
      fail(name, "{} must be at least {}, got {}.", name, low, read);
    } else {
      fail(name, "{} must be between {} and {}, got {}.", name, low, high, read);
    }
    return std::nullopt;
  }
  return read;
}

std::optional<std::int64_t> Reading::integer(std::string_view name, Element value, std::int64_t low,
                                             std::int64_t high) {
  std::int64_t read = 0;
  double real = 0;
  if (value.get(read)) {
    // 16.0 is an integer to JavaScript and pydantic.
    constexpr double exact = 9007199254740992.0;  // 2^53
    if (!value.get(real) && std::fabs(real) <= exact && real == std::floor(real)) {
      read = static_cast<std::int64_t>(real);
    } else if (value.is_number()) {
      fail(name, "{} must be an integer between {} and {}.", name, low, high);
      return std::nullopt;
    } else {
      wrong_type(name, "an integer", value);
      return std::nullopt;
    }
  }
  if (read < low || read > high) {
    const bool unbounded =
        high == std::numeric_limits<std::int64_t>::max() || high == std::numeric_limits<std::int32_t>::max();
    if (!unbounded) {
      fail(name, "{} must be between {} and {}, got {}.", name, low, high, read);
    } else if (read < low) {
      fail(name, "{} must be at least {}, got {}.", name, low, read);
    } else {
      fail(name, "{} must be at most {}, got {}.", name, high, read);
    }
    return std::nullopt;
  }
  return read;
}

std::optional<std::string_view> Reading::text(std::string_view name, Element value) {
  std::string_view read;
  if (value.get(read)) {
    wrong_type(name, "a string", value);
    return std::nullopt;
  }
  return read;
}

void Reading::tokens(std::string_view name, Element value, std::size_t count_max, std::vector<engine::TokenId>& to) {
  simdjson::dom::array list;
  to.clear();
  if (value.get(list)) return wrong_type(name, "a list of token ids", value);
  for (const Element item : list) {
    if (to.size() >= count_max) return fail(name, "{} holds more than {} token ids.", name, count_max);
    const auto token = integer(name, item, 0, std::numeric_limits<engine::TokenId>::max());
    if (!token) {
      // What is said begins with the name.
      if (refusal) refusal->message.insert(name.size(), fmt::format("[{}]", to.size()));
      return;
    }
    to.push_back(static_cast<engine::TokenId>(*token));
  }
}

void Reading::texts(std::string_view name, Element value, std::size_t count_max, std::size_t bytes_max,
                    bool text_allowed, std::vector<std::string>& to) {
  to.clear();
  const auto add = [&](Element item) {
    std::string_view read;
    if (item.get(read))
      return wrong_type(name, text_allowed ? "a string or a list of strings" : "a list of strings", item);
    if (read.empty()) return fail(name, "{} cannot contain an empty string.", name);
    if (read.size() > bytes_max) return fail(name, "{} holds a string of more than {} bytes.", name, bytes_max);
    to.emplace_back(read);
  };
  simdjson::dom::array list;
  if (value.get(list)) {
    if (!text_allowed) return wrong_type(name, "a list of strings", value);
    return add(value);
  }
  for (const Element item : list) {
    if (to.size() >= count_max) return fail(name, "{} holds more than {} strings.", name, count_max);
    add(item);
    if (refusal) return;
  }
}

}  // namespace jackdaw::api::openai
