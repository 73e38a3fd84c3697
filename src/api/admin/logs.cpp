#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "src/api/access/admit.h"
#include "src/api/admin/admin.h"
#include "src/api/admin/log_filter.h"

namespace jackdaw::api::admin {
namespace {

// How often a follower looks, and how long its stream stays silent at most.
constexpr Duration look_interval = std::chrono::milliseconds(200);
constexpr Duration silence_max = std::chrono::seconds(10);
// A reader that has this much unread waits; the ring forgets meanwhile what it has to.
constexpr std::size_t unread_bytes_max = 256 * 1024;
constexpr std::string_view content_type = "application/x-ndjson";

struct Wanted {
  LogQuery query;
  std::string namespace_name;
  std::string service;
  bool follow = false;
};

template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return fault == std::errc() && end == text.data() + text.size();
}

// Names are those of Kubernetes objects: nothing in them needs percent-encoding. What is wrong, or "".
std::string read_parameter(std::string_view name, std::string_view value, WallTime now, Wanted& wanted) {
  if (name == "namespace") {
    wanted.namespace_name = value;
  } else if (name == "service") {
    wanted.service = value;
  } else if (name == "follow") {
    wanted.follow = value == "true" || value == "1";
  } else if (name == "tail") {
    if (!read_number(value, wanted.query.last_max)) return "tail must be a whole number, such as 100.";
  } else if (name == "since") {
    std::int64_t seconds = 0;
    constexpr std::int64_t seconds_max = 100LL * 365 * 86400;
    if (!read_number(value, seconds) || seconds < 0 || seconds > seconds_max)
      return "since must be a number of seconds, such as 3600.";
    wanted.query.since = now - std::chrono::seconds(seconds);
  } else {
    return "There is no parameter " + std::string(name) + ": namespace, service, since, tail and follow are known.";
  }
  return {};
}

// Answers 400 itself.
std::optional<Wanted> read_query(const Call& call) {
  Wanted wanted;
  std::string_view rest = call.request().query();
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    const std::size_t equals = pair.find('=');
    const std::string_view value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    const std::string wrong = read_parameter(pair.substr(0, equals), value, call.api->context.clock->wall(), wanted);
    if (wrong.empty()) continue;
    answer_error(call, 400, wrong);
    return std::nullopt;
  }
  return wanted;
}

// Models may come and go while a stream follows: the names are looked up each time.
std::string lines_of(const Api& api, Wanted& wanted) {
  const LogFilter filter = filter_for(*api.context.registry->snapshot(), wanted.namespace_name, wanted.service);
  wanted.query.fits = [&filter](const KeptLogRecord& record) { return filter.fits(record); };
  const std::uint64_t last = api.context.log->last_sequence();
  std::string out;
  std::uint64_t seen = last;
  for (const auto& record : api.context.log->read(wanted.query)) {
    out += record->line;
    out += '\n';
    seen = std::max(seen, record->sequence);
  }
  wanted.query.fits = nullptr;
  wanted.query.after = seen;
  return out;
}

// Lives on the io thread of its connection, as long as somebody listens.
class LogStream : public std::enable_shared_from_this<LogStream> {
 public:
  LogStream(Call call, Wanted wanted) : call_(std::move(call)), wanted_(std::move(wanted)) {}

  void start() {
    net::Response head;
    head.content_type = content_type;
    head.headers.push_back({"cache-control", "no-cache"});
    out_ = answer_events(call_, std::move(head));
    self_ = shared_from_this();
    call_.exchange->on_disconnect([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->finish();
    });
    send(lines_of(*call_.api, wanted_));
    wanted_.query.last_max = SIZE_MAX;
    wanted_.query.since = {};
    set_timer();
  }

 private:
  void set_timer() {
    if (out_ == nullptr) return;
    timer_ = call_.exchange->executor().at(now() + look_interval, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->look();
    });
  }

  void look() {
    if (out_ == nullptr) return;
    if (out_->closed() || call_.api->context.log->ended()) return finish();
    if (out_->send({}) < unread_bytes_max) {
      std::string lines = lines_of(*call_.api, wanted_);
      // An empty line says that the daemon is there.
      if (lines.empty() && now() - sent_ >= silence_max) lines = "\n";
      send(std::move(lines));
    }
    set_timer();
  }

  void send(std::string lines) {
    if (lines.empty()) return;
    sent_ = now();
    out_->send(std::move(lines));
  }

  void finish() {
    if (out_ == nullptr) return;
    call_.exchange->executor().cancel(timer_);
    if (!out_->closed()) out_->end();
    out_.reset();
    self_.reset();
  }

  Instant now() const { return call_.api->context.clock->now(); }

  Call call_;
  Wanted wanted_;
  std::shared_ptr<net::EventStream> out_;  // null once ended
  std::shared_ptr<LogStream> self_;        // keeps the stream while it is open
  std::uint64_t timer_ = 0;
  Instant sent_{};
};

// The table's row asks for the right to write; one that is limited to some models or namespaces is for their logs only.
bool may_read(const Call& call, const Wanted& wanted) {
  if (may_use(call, wanted.service, wanted.namespace_name)) return true;
  answer_error(call, 403,
               "The rights of \"" + call.grant->name + "\" do not cover these logs; name a service and its namespace.");
  return false;
}

}  // namespace

void logs(Call call) {
  if (call.api->context.log == nullptr) return answer_error(call, 404, "This daemon keeps no log records.");
  auto wanted = read_query(call);
  if (!wanted || !may_read(call, *wanted)) return;
  if (wanted->follow) {
    std::make_shared<LogStream>(std::move(call), std::move(*wanted))->start();
    return;
  }
  net::Response response;
  response.content_type = content_type;
  response.body = lines_of(*call.api, *wanted);
  answer(call, std::move(response));
}

}  // namespace jackdaw::api::admin
