#include "src/api/call.h"

#include <utility>

#include "jackdaw/base/log.h"
#include "jackdaw/base/text.h"

namespace jackdaw::api {
namespace {

constexpr std::array<std::string_view, 2> passed_headers{"x-request-id", "traceparent"};

void log_access(const Call& call, const net::Response& response) {
  const net::Request& request = call.request();
  const Duration took = call.api->context.clock->now() - request.received();
  log_info("request", {{"method", request.method_text()},
                       {"path", request.path()},
                       {"status", response.status},
                       {"bytes_in", request.body().size()},
                       {"bytes_out", response.body.size()},
                       {"duration_us", std::chrono::duration<double, std::micro>(took).count()},
                       {"peer", request.peer()},
                       {"request_id", request.header("x-request-id").value_or("")},
                       {"traceparent", request.header("traceparent").value_or("")}});
}

}  // namespace

void answer(const Call& call, net::Response response) {
  for (const std::string_view name : passed_headers) {
    if (const auto value = call.request().header(name))
      response.headers.push_back({std::string(name), std::string(*value)});
  }
  if (call.api->options.access_log) log_access(call, response);
  call.exchange->reply(std::move(response));
}

void answer_json(const Call& call, std::string body) {
  net::Response response;
  response.body = std::move(body);
  answer(call, std::move(response));
}

namespace {

void answer_object(const Call& call, int status, std::string_view key, std::string_view text) {
  net::Response response;
  response.status = status;
  response.body = "{\"";
  response.body += key;
  response.body += "\":";
  append_json_string(response.body, text);
  response.body += '}';
  answer(call, std::move(response));
}

}  // namespace

void answer_error(const Call& call, int status, std::string_view message) {
  answer_object(call, status, "error", message);
}

void answer_detail(const Call& call, int status, std::string_view detail) {
  answer_object(call, status, "detail", detail);
}

int http_status(Code code) {
  switch (code) {
    case Code::invalid_argument:
    case Code::parse_error:
      return 400;
    case Code::permission_denied:
      return 403;
    case Code::not_found:
      return 404;
    case Code::already_exists:
      return 409;
    case Code::too_large:
      return 413;
    case Code::unprocessable:
      return 422;
    case Code::resource_exhausted:
      return 429;
    case Code::cancelled:
      return 499;
    case Code::unsupported:
      return 501;
    case Code::not_ready:
      return 503;
    case Code::deadline_exceeded:
      return 504;
    case Code::io_error:
    case Code::internal:
      return 500;
  }
  return 500;
}

}  // namespace jackdaw::api
