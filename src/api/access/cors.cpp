#include "src/api/access/cors.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace jackdaw::api {
namespace {

constexpr std::string_view all_methods = "GET, HEAD, POST, PUT, PATCH, DELETE";
// What pages may read beside the headers that are always theirs.
constexpr std::string_view exposed =
    "x-request-id, x-ignored-fields, retry-after, retry-after-ms, warning, traceparent";

std::string joined(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& item : list) out += (out.empty() ? "" : ", ") + item;
  return out;
}

// The value of Access-Control-Allow-Origin; nullopt when the page may not.
std::optional<std::string> allowed_origin(const CorsOptions& cors, std::string_view origin) {
  const auto has = [&cors](std::string_view text) {
    return std::find(cors.allowed_origins.begin(), cors.allowed_origins.end(), text) != cors.allowed_origins.end();
  };
  if (has(origin)) return std::string(origin);
  if (has("*")) return "*";
  return std::nullopt;
}

void allow(const CorsOptions& cors, std::string allowed, net::Response& response) {
  // A cache must not give one origin the answer of another.
  if (allowed != "*") response.headers.push_back({"vary", "Origin"});
  response.headers.push_back({"access-control-allow-origin", std::move(allowed)});
  if (cors.allow_credentials) response.headers.push_back({"access-control-allow-credentials", "true"});
}

}  // namespace

bool answer_preflight(const Call& call) {
  const CorsOptions& cors = call.api->options.cors;
  const net::Request& request = call.request();
  const auto origin = request.header("origin");
  if (cors.allowed_origins.empty() || request.method() != net::Method::options || !origin ||
      !request.header("access-control-request-method")) {
    return false;
  }
  auto allowed = allowed_origin(cors, *origin);
  if (!allowed) {
    answer_error(call, 403, "This origin is not one of spec.cors.allowedOrigins of kind Daemon.");
    return true;
  }
  net::Response response;
  response.status = 204;
  allow(cors, std::move(*allowed), response);
  response.headers.push_back({"access-control-allow-methods",
                              cors.allowed_methods.empty() ? std::string(all_methods) : joined(cors.allowed_methods)});
  std::string headers = cors.allowed_headers.empty()
                            ? std::string(request.header("access-control-request-headers").value_or(""))
                            : joined(cors.allowed_headers);
  if (!headers.empty()) response.headers.push_back({"access-control-allow-headers", std::move(headers)});
  response.headers.push_back({"access-control-max-age", std::to_string(cors.max_age.count())});
  call.exchange->reply(std::move(response));
  return true;
}

void add_cors_headers(const Call& call, net::Response& response) {
  const CorsOptions& cors = call.api->options.cors;
  if (cors.allowed_origins.empty()) return;
  const auto origin = call.request().header("origin");
  if (!origin) return;
  auto allowed = allowed_origin(cors, *origin);
  if (!allowed) return;
  allow(cors, std::move(*allowed), response);
  response.headers.push_back({"access-control-expose-headers", std::string(exposed)});
}

}  // namespace jackdaw::api
