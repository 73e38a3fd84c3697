#include "jackdaw/serving/payload_event.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>

#include "jackdaw/base/text.h"
#include "src/serving/json_scan.h"

namespace jackdaw::serving {
namespace {

// RFC 4648.
std::string base64(std::string_view bytes) {
  static constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t word = 0;
    for (std::size_t k = 0; k < 3; ++k) word = word << 8 | (k < count ? static_cast<std::uint8_t>(bytes[i + k]) : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? alphabet[word >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

bool is_json_type(std::string_view content_type) {
  const std::string_view media = content_type.substr(0, content_type.find(';'));
  return media == "application/json" || media.ends_with("+json");
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out += fmt::format(R"(,"{}":)", name);
  append_json_string(out, value);
}

void append_data(std::string& out, const PayloadEvent& event) {
  if (is_json_type(event.content_type) && is_json(event.body)) {
    // In valid JSON a line's end stands only between values.
    std::string line = event.body;
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    out += R"(,"data":)" + line;
  } else if (!is_json_type(event.content_type) && is_valid_utf8(event.body)) {
    out += R"(,"data":)";
    append_json_string(out, event.body);
  } else {
    out += fmt::format(R"(,"data_base64":"{}")", base64(event.body));
  }
}

}  // namespace

std::string_view event_type(EventKind kind) {
  return kind == EventKind::request ? "org.kubeflow.serving.inference.request"
                                    : "org.kubeflow.serving.inference.response";
}

std::string event_time(WallTime time) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(static_cast<std::time_t>(micros / 1'000'000)),
                     micros % 1'000'000);
}

std::string event_json(const PayloadEvent& event) {
  const EventOrigin& origin = *event.origin;
  std::string out = R"({"specversion":"1.0","id":)";
  append_json_string(out, event.id);
  append_member(out, "type", event_type(event.kind));
  append_member(out, "source", origin.source);
  append_member(out, "time", event_time(event.time));
  append_member(out, "inferenceservicename", origin.service_name);
  append_member(out, "namespace", origin.namespace_name);
  append_member(out, "component", origin.component);
  append_member(out, "endpoint", origin.endpoint);
  append_member(out, "metadata", event.metadata);
  append_member(out, "annotations", origin.annotations);
  if (event.truncated) out += R"(,"truncated":true)";
  append_member(out, "datacontenttype", event.content_type);
  append_data(out, event);
  return out + "}";
}

}  // namespace jackdaw::serving
