#include "src/api/oip/cloud_event.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "jackdaw/base/text.h"

namespace jackdaw::api::oip {
namespace {

constexpr std::array<std::string_view, 4> required_headers{"ce-id", "ce-source", "ce-specversion", "ce-type"};
constexpr std::string_view response_type = "io.kserve.inference.response";

// "2026-11-24T01:12:13.123456+00:00"
std::string event_time(WallTime now) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}+00:00", fmt::gmtime(static_cast<std::time_t>(micros / 1'000'000)),
                     micros % 1'000'000);
}

}  // namespace

EventMode event_mode(const net::Request& request) {
  if (request.header("content-type").value_or("") == "application/cloudevents+json") return EventMode::structured;
  const bool binary = std::all_of(required_headers.begin(), required_headers.end(),
                                  [&](std::string_view name) { return request.header(name).has_value(); });
  return binary ? EventMode::binary : EventMode::none;
}

net::Response event_response(const Call& call, EventMode mode, std::string_view model, std::string body) {
  const std::string id = make_uuid(*call.api->context.random);
  const std::string source = "io.kserve.inference." + std::string(model);
  const std::string time = event_time(call.api->context.clock->wall());
  net::Response response;
  if (mode == EventMode::binary) {
    response.headers = {{"ce-specversion", "1.0"},
                        {"ce-id", id},
                        {"ce-source", source},
                        {"ce-type", std::string(response_type)},
                        {"ce-time", time}};
    response.body = std::move(body);
    return response;
  }
  response.content_type = "application/cloudevents+json";
  response.body = fmt::format(R"({{"specversion": "1.0", "id": "{}", "source": )", id);
  append_json_string(response.body, source);
  response.body += fmt::format(R"(, "type": "{}", "time": "{}", "data": {}}})", response_type, time, body);
  return response;
}

}  // namespace jackdaw::api::oip
