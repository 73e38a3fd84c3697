// PayloadEvent: what a service was asked or has answered, as a CloudEvent. Attributes as KServe's agent sets them
// (pkg/logger/worker.go); CloudEvents 1.0.2, HTTP binding (binary mode) and JSON format.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "jackdaw/base/env.h"

namespace jackdaw::serving {

enum class EventKind : unsigned char { request, response };
// "org.kubeflow.serving.inference.request" and its like.
std::string_view event_type(EventKind kind);

// Which service events are about; the same for all of a logger.
struct EventOrigin {
  std::string source;  // "iris-predictor"
  std::string service_name;
  std::string namespace_name;
  std::string component = "predictor";
  std::string endpoint = "default";
  std::string annotations;  // a JSON object of the annotations asked for, "" = none
};

struct PayloadEvent {
  EventKind kind = EventKind::request;
  std::string id;            // the request's Ce-Id or one made for it; an answer has its request's
  std::string content_type;  // of the body, "" = none
  std::string body;
  bool truncated = false;  // the body was longer than a logger keeps
  std::string metadata;    // a JSON object of the request headers asked for, "" = none
  WallTime time{};         // when it was asked or answered
  std::shared_ptr<const EventOrigin> origin;

  std::size_t bytes() const { return 256 + id.size() + content_type.size() + body.size() + metadata.size(); }
};

// "2026-11-24T01:12:13.123456Z"
std::string event_time(WallTime time);
// One line of JSON: the event with its body as data, or as data_base64 when it is no JSON and no text.
std::string event_json(const PayloadEvent& event);

}  // namespace jackdaw::serving
