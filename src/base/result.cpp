#include "jackdaw/base/result.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace jackdaw {
namespace {

constexpr std::array<CodeInfo, 14> code_table{{
    {Code::invalid_argument, "invalid_argument", "The request or file is wrong; the same one will fail again.", false},
    {Code::parse_error, "parse_error", "Bytes that are not what their format says.", false},
    {Code::not_found, "not_found", "No such model, file, field or route.", false},
    {Code::already_exists, "already_exists", "The name is taken.", false},
    {Code::not_ready, "not_ready", "Exists, but cannot answer yet or any more.", true},
    {Code::unsupported, "unsupported", "Understood, but this build or model cannot do it.", false},
    {Code::unprocessable, "unprocessable", "Valid syntax, wrong shape.", false},
    {Code::too_large, "too_large", "Over a configured limit.", false},
    {Code::resource_exhausted, "resource_exhausted", "A queue or budget is full.", true},
    {Code::deadline_exceeded, "deadline_exceeded", "Did not finish in time.", true},
    {Code::cancelled, "cancelled", "The caller went away.", false},
    {Code::permission_denied, "permission_denied", "Outside the declared roots, or without the right key.", false},
    {Code::io_error, "io_error", "The operating system refused.", true},
    {Code::internal, "internal", "Our fault.", false},
}};

constexpr bool table_is_in_order() {
  for (std::size_t i = 0; i < code_table.size(); ++i) {
    if (static_cast<std::size_t>(code_table[i].code) != i) return false;
  }
  return true;
}
static_assert(table_is_in_order());

}  // namespace

const CodeInfo& code_info(Code code) {
  return code_table[static_cast<std::size_t>(code)];
}

std::string Error::text() const {
  return where.empty() ? message : where + ": " + message;
}

Error Error::at(std::string_view place) && {
  const auto begins_with_place = [place](std::string_view text) {
    return text.starts_with(place) && (text.size() == place.size() || text.substr(place.size()).starts_with(": "));
  };
  if (begins_with_place(where.empty() ? message : where)) return std::move(*this);
  where = where.empty() ? std::string(place) : fmt::format("{}: {}", place, where);
  return std::move(*this);
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
  // Reached only by Result::value() on an error: a bug of ours, since everyone checks first.
  throw std::runtime_error(error.text());
}

void check_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "jackdaw: internal check failed: %s (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace jackdaw
