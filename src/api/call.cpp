#include "src/api/call.h"

#include <utility>

#include "jackdaw/base/log.h"
#include "jackdaw/base/text.h"
#include "src/api/access/cors.h"
#include "src/api/payload_log.h"

namespace jackdaw::api {
namespace {

constexpr std::array<std::string_view, 2> passed_headers{"x-request-id", "traceparent"};

void pass_headers(const Call& call, net::Response& response) {
  for (const std::string_view name : passed_headers) {
    if (const auto value = call.request().header(name))
      response.headers.push_back({std::string(name), std::string(*value)});
  }
  add_cors_headers(call, response);
  if (call.revision != nullptr && !call.revision->revision.empty())
    response.headers.push_back({"x-jackdaw-revision", call.revision->revision});
}

void count_answer(const Call& call, int status) {
  if (!call.measured || call.revision == nullptr || call.revision->counts == nullptr) return;
  const Duration took = call.api->context.clock->now() - call.request().received();
  call.revision->counts->count(took, call.refused || status >= 500);
}

}  // namespace

AccessRecord access_record(const Call& call) {
  const net::Request& request = call.request();
  return {std::string(request.method_text()),
          std::string(request.path()),
          std::string(request.peer()),
          std::string(request.header("x-request-id").value_or("")),
          std::string(request.header("traceparent").value_or("")),
          request.body().size(),
          request.received(),
          call.grant == nullptr ? std::string() : call.grant->name};
}

void log_access(const Api& api, const AccessRecord& record, int status, std::size_t bytes_out) {
  const Duration took = api.context.clock->now() - record.received;
  log_info("request", {{"method", record.method},
                       {"path", record.path},
                       {"status", status},
                       {"bytes_in", record.bytes_in},
                       {"bytes_out", bytes_out},
                       {"duration_us", std::chrono::duration<double, std::micro>(took).count()},
                       {"peer", record.peer},
                       {"identity", record.identity},
                       {"request_id", record.request_id},
                       {"traceparent", record.traceparent}});
}

void answer(const Call& call, net::Response response) {
  pass_headers(call, response);
  count_answer(call, response.status);
  if (call.api->options.access_log) log_access(*call.api, access_record(call), response.status, response.body.size());
  if (call.log != nullptr) call.log->answered(response.status, response.content_type, response.body);
  call.exchange->reply(std::move(response));
}

std::shared_ptr<net::EventStream> answer_events(const Call& call, net::Response head) {
  pass_headers(call, head);
  const int status = head.status;
  const std::string_view content_type = head.content_type;
  auto stream = call.exchange->begin_events(std::move(head));
  return call.log == nullptr ? stream : call.log->tapped(std::move(stream), status, content_type);
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
