#include "src/api/resources/watch_stream.h"

#include <array>
#include <utility>

#include "src/api/resources/table.h"

namespace jackdaw::api::resources {
namespace {

using control::EventType;
using control::WatchEvent;
using spec::Json;

constexpr Duration default_length = std::chrono::minutes(30);
constexpr Duration bookmark_interval = std::chrono::seconds(60);
// A client that lets this much pile up is cut off, and lists anew.
constexpr std::size_t unwritten_bytes_max = 4u << 20;

std::string_view event_name(EventType type) {
  switch (type) {
    case EventType::added:
      return "ADDED";
    case EventType::modified:
      return "MODIFIED";
    case EventType::deleted:
      return "DELETED";
    case EventType::bookmark:
      break;
  }
  return "BOOKMARK";
}

// Lives on the io thread of its connection, until the stream has ended.
class WatchStream : public std::enable_shared_from_this<WatchStream> {
 public:
  WatchStream(Call call, Addressed target, Query query, View view)
      : call_(std::move(call)), target_(std::move(target)), query_(std::move(query)), view_(view) {}

  void start() {
    control::WatchRequest request;
    request.group = target_.name.group;
    request.plural = target_.name.plural;
    request.namespace_name = target_.name.namespace_name;
    request.selector = {query_.label_selector, query_.field_selector};
    request.resource_version = query_.resource_version;
    request.send_initial_events = query_.send_initial_events;
    // The watch may outlive the stream for a moment, in a wake-up that is under way.
    request.wake = [weak = weak_from_this(), executor = &call_.exchange->executor()] {
      executor->post([weak] {
        if (const auto self = weak.lock()) self->pump();
      });
    };
    control::StoreError error;
    watch_ = call_.api->context.resources->watch(std::move(request), error);
    if (watch_ == nullptr) {
      answer_status_error(call_, target_, error);
      return;
    }
    out_ = answer_events(call_, {});
    self_ = shared_from_this();
    call_.exchange->on_disconnect([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->finish();
    });
    const Duration length =
        query_.timeout_seconds > 0 ? Duration(std::chrono::seconds(query_.timeout_seconds)) : default_length;
    end_ = call_.api->context.clock->now() + length;
    set_timer();
    pump();
  }

 private:
  void pump() {
    if (out_ == nullptr) return;
    bool expired = false;
    for (const WatchEvent& event : watch_->take(expired)) send(event);
    if (expired && out_ != nullptr) {
      send_line("ERROR", status_object(410, "Expired", "The watch fell behind. List again, and watch from there."));
      finish();
    }
  }

  void send(const WatchEvent& event) {
    if (out_ == nullptr) return;
    if (event.type == EventType::bookmark) {
      send_bookmark(event.resource_version, event.initial_events_end);
      return;
    }
    send_line(event_name(event.type), shown(event.object));
  }

  Json shown(const std::shared_ptr<const Json>& object) {
    if (view_ == View::table) {
      const std::array objects{object};
      const bool first = !std::exchange(columns_sent_, true);
      return table_of(*target_.kind, objects, query_.include_object, first, call_.api->context.clock->wall());
    }
    if (view_ == View::object) return in_version(*object, target_);
    const Json* metadata = object->find("metadata");
    return Json::object({{"kind", Json::text("PartialObjectMetadata")},
                         {"apiVersion", Json::text("meta.k8s.io/v1")},
                         {"metadata", metadata == nullptr ? Json::object() : *metadata}});
  }

  void send_bookmark(std::uint64_t version, bool initial_events_end) {
    if (!query_.allow_watch_bookmarks && !initial_events_end) return;
    Json metadata = Json::object({{"resourceVersion", Json::text(std::to_string(version))}});
    if (initial_events_end) {
      metadata.set("annotations", Json::object({{"k8s.io/initial-events-end", Json::text("true")}}));
    }
    send_line("BOOKMARK", Json::object({{"kind", Json::text(target_.kind->kind)},
                                        {"apiVersion", Json::text(target_.name.group + "/" + target_.version)},
                                        {"metadata", std::move(metadata)}}));
  }

  void send_line(std::string_view type, const Json& object) {
    std::string line = R"({"type":")" + std::string(type) + R"(","object":)" + object.dump() + "}\n";
    if (out_->send(std::move(line)) > unwritten_bytes_max) finish();
  }

  void set_timer() {
    const Instant now = call_.api->context.clock->now();
    timer_ = call_.exchange->executor().at(std::min(end_, now + bookmark_interval), [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->on_timer();
    });
  }

  void on_timer() {
    if (out_ == nullptr) return;
    if (call_.api->context.clock->now() >= end_) {
      timer_ = 0;
      finish();
      return;
    }
    pump();
    if (out_ == nullptr) return;
    send_bookmark(watch_->resource_version(), false);
    if (out_ != nullptr) set_timer();
  }

  void finish() {
    if (out_ == nullptr) return;
    if (timer_ != 0) call_.exchange->executor().cancel(timer_);
    watch_.reset();
    if (!out_->closed()) out_->end();
    out_.reset();
    self_.reset();
  }

  Call call_;
  Addressed target_;
  Query query_;
  View view_;
  std::unique_ptr<control::Watch> watch_;
  std::shared_ptr<net::EventStream> out_;  // null once ended
  std::shared_ptr<WatchStream> self_;      // keeps the stream while it is open
  Instant end_{};
  std::uint64_t timer_ = 0;
  bool columns_sent_ = false;
};

}  // namespace

void start_watch(Call call, const Addressed& target, const Query& query, View view) {
  std::make_shared<WatchStream>(std::move(call), target, query, view)->start();
}

}  // namespace jackdaw::api::resources
