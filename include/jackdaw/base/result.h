// Result<T>, Error and the table of error codes: how every fallible function of jackdaw answers.
//
// Errors are values on the way and words at the door: code below `api` returns Result<T>; only `api` turns a Code
// into an HTTP status. CHECK is for our own bugs, never for input.
#pragma once

#include <fmt/format.h>

#include <boost/system/result.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace jackdaw {

// One code per way a caller may act; the words are in `Error::message`.
enum class Code : unsigned char {
  invalid_argument,    // The request or file is wrong; the same one will fail again.
  parse_error,         // Bytes that are not what their format says; `where` tells the place.
  not_found,           // No such model, file, field or route.
  already_exists,      // The name is taken.
  not_ready,           // Exists, but cannot answer yet or any more.
  unsupported,         // Understood, but this build or model cannot do it.
  unprocessable,       // Valid syntax, wrong shape: HTTP's 422.
  too_large,           // Over a configured limit.
  resource_exhausted,  // A queue or budget is full; worth retrying later.
  deadline_exceeded,   // Did not finish in time.
  cancelled,           // The caller went away.
  permission_denied,   // Outside the declared roots, or without the right key.
  io_error,            // The operating system refused; `message` has its words.
  internal,            // Our fault.
};

struct CodeInfo {
  Code code;
  std::string_view name;  // snake_case, as it appears in logs and metrics
  std::string_view help;
  bool retryable;
};
const CodeInfo& code_info(Code code);

struct Error {
  Code code = Code::internal;
  std::string message;  // What is wrong and what to do, as a sentence for the user.
  std::string where;    // "file.yaml:3:5", "offset 17", "/inputs/0/shape"; empty when there is no place.

  // "where: message", or the message alone.
  std::string text() const;
  // Puts `place` before what `where` holds already, unless the error begins with it.
  Error at(std::string_view place) &&;
};

template <typename... Args>
Error make_error(Code code, fmt::format_string<Args...> format, Args&&... args) {
  return Error{code, fmt::format(format, std::forward<Args>(args)...), {}};
}

[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& place);

template <typename T>
class [[nodiscard]] Result : public boost::system::result<T, Error> {
 public:
  using boost::system::result<T, Error>::result;
};

// Our own bugs end the process with the expression and the place.
[[noreturn]] void check_failed(const char* expression, const char* file, int line);

}  // namespace jackdaw

// Catch2 has a CHECK too: in a test file, which includes it first, Catch2's stands. Never use CHECK in a header.
#ifndef CHECK
#define CHECK(expression) \
  (static_cast<bool>(expression) ? void() : ::jackdaw::check_failed(#expression, __FILE__, __LINE__))
#endif

#define JACKDAW_CONCAT2(a, b) a##b
#define JACKDAW_CONCAT(a, b) JACKDAW_CONCAT2(a, b)

// JACKDAW_TRY(expr): returns the error of a Result from the enclosing function, goes on otherwise.
#define JACKDAW_TRY(...)                                                                                              \
  do {                                                                                                                \
    if (auto&& jackdaw_try_result = (__VA_ARGS__); !jackdaw_try_result) return std::move(jackdaw_try_result).error(); \
  } while (false)

// JACKDAW_ASSIGN(auto x, expr): x = the value, or returns the error.
#define JACKDAW_ASSIGN(target, ...) \
  JACKDAW_ASSIGN_IMPL(JACKDAW_CONCAT(jackdaw_result_, __COUNTER__), target, __VA_ARGS__)
#define JACKDAW_ASSIGN_IMPL(name, target, ...) \
  auto name = (__VA_ARGS__);                   \
  if (!name) return std::move(name).error();   \
  target = std::move(*name)
