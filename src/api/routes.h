// Routes: the one table of endpoints, read top to bottom in routes.cpp.
#pragma once

#include <span>
#include <string_view>

#include "src/api/call.h"

namespace jackdaw::api {

// The shape of the errors that routing itself answers.
enum class ErrorShape : unsigned char { detail, openai, kubernetes };

struct Route {
  net::Method method;
  // "/v2/models/{model}/infer"; a placeholder takes one non-empty segment, or the part of it before a literal suffix
  // ("/v1/models/{model}:predict").
  std::string_view pattern;
  Endpoint endpoint;
  Need need = Need::write;  // of its caller (see access/admit.h); a row that says nothing is closed, not open
  ErrorShape errors = ErrorShape::detail;
};

std::span<const Route> routes();

// True when `path` (without query, still percent-encoded) fits `pattern`; fills `values`.
bool match_path(std::string_view pattern, std::string_view path, PathValues& values);

// Finds the route and runs its endpoint; answers 404, 405 (with Allow) and 307 (trailing slash) itself.
void dispatch(Call call);

}  // namespace jackdaw::api
