// ConfigValue<T>: a setting that remembers where it was written, so that every later complaint can say the place.
#pragma once

#include <string>
#include <utility>

namespace jackdaw {

// Where a value stands: "service.yaml:12:5", a JSON pointer, "--listen", or "" for a built-in default.
struct SourcePlace {
  std::string file;
  int line = 0;         // 1-based, 0 = no line
  int column = 0;       // 1-based, 0 = no column
  std::string pointer;  // JSON pointer of the value in its document, "" for the root

  // "file:line:column", "file#pointer", or the name of a default.
  std::string text() const;
};

template <typename T>
struct ConfigValue {
  T value{};
  SourcePlace place;
  bool is_set = false;  // false: nobody wrote it, `value` is the default

  ConfigValue() = default;
  ConfigValue(T default_value) : value(std::move(default_value)) {}  // NOLINT: a default reads as its value
  void set(T v, SourcePlace p) {
    value = std::move(v);
    place = std::move(p);
    is_set = true;
  }
  const T& operator*() const { return value; }
  const T* operator->() const { return &value; }
};

}  // namespace jackdaw
