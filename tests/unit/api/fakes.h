// A world without network and models: exchanges that keep their answer, engines that echo.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jackdaw/api/api.h"

namespace jackdaw::api {

class FakeRequest final : public net::Request {
 public:
  net::Method method_value = net::Method::post;
  std::string path_value;
  std::string query_value;
  std::string body_value;
  std::map<std::string, std::string, std::less<>> header_values;
  const net::ClientCertificate* certificate = nullptr;

  const net::ClientCertificate* client_certificate() const override { return certificate; }
  net::Method method() const override { return method_value; }
  std::string_view method_text() const override { return net::method_name(method_value); }
  std::string_view target() const override { return path_value; }
  std::string_view path() const override { return path_value; }
  std::string_view query() const override { return query_value; }
  std::optional<std::string_view> header(std::string_view name) const override {
    const auto found = header_values.find(name);
    return found == header_values.end() ? std::nullopt : std::optional<std::string_view>(found->second);
  }
  std::vector<net::Header> headers() const override {
    std::vector<net::Header> out;
    for (const auto& [name, value] : header_values) out.push_back({name, value});
    return out;
  }
  std::string_view body() const override { return body_value; }
  std::string_view peer() const override { return "127.0.0.1:1"; }
  Instant received() const override { return system_clock().now(); }
};

// A clock that stands still until the test moves it.
class FakeClock final : public Clock {
 public:
  Instant now_value{std::chrono::hours(1)};
  WallTime wall_value{std::chrono::seconds(1'700'000'000)};
  Instant now() override { return now_value; }
  WallTime wall() override { return wall_value; }
};

// Work posted to the io thread waits here until the test runs it, timers until the test says it is late enough.
class FakeExecutor final : public Executor {
 public:
  void post(std::function<void()> work) override {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  std::uint64_t at(Instant deadline, std::function<void()> work) override {
    timers_.emplace(++timer_last_, std::pair(deadline, std::move(work)));
    return timer_last_;
  }
  bool cancel(std::uint64_t timer) override { return timers_.erase(timer) > 0; }
  void run_timers(Instant now) {
    for (auto at = timers_.begin(); at != timers_.end();) {
      if (at->second.first > now) {
        ++at;
        continue;
      }
      const auto work = std::move(at->second.second);
      timers_.erase(at);
      work();
      at = timers_.begin();
    }
  }
  std::size_t timers() const { return timers_.size(); }
  std::size_t posted() {
    const std::lock_guard lock(mutex_);
    return queue_.size();
  }
  bool run_one() {
    std::function<void()> work;
    {
      const std::lock_guard lock(mutex_);
      if (queue_.empty()) return false;
      work = std::move(queue_.front());
      queue_.erase(queue_.begin());
    }
    work();
    return true;
  }

 private:
  std::mutex mutex_;
  std::vector<std::function<void()>> queue_;
  std::map<std::uint64_t, std::pair<Instant, std::function<void()>>> timers_;
  std::uint64_t timer_last_ = 0;
};

// Keeps what was sent. A reader that is `stuck` takes nothing: bytes pile up as queued.
class FakeEventStream final : public net::EventStream {
 public:
  std::string sent;
  std::size_t sends = 0;  // that had bytes
  std::size_t queued = 0;
  bool stuck = false;
  bool ended = false;
  bool gone = false;

  std::size_t send(std::string bytes) override {
    if (!bytes.empty()) ++sends;
    if (stuck) queued += bytes.size();
    sent += bytes;
    return queued;
  }
  void end() override { ended = true; }
  bool closed() const override { return ended || gone; }
};

class FakeExchange final : public net::Exchange {
 public:
  FakeRequest request_value;
  FakeExecutor executor_value;
  std::optional<net::Response> answer;  // of an event stream: its head
  std::shared_ptr<FakeEventStream> events;
  std::function<void()> disconnect;

  const net::Request& request() const override { return request_value; }
  void reply(net::Response response) override { answer = std::move(response); }
  std::shared_ptr<net::EventStream> begin_events(net::Response head) override {
    answer = std::move(head);
    return events = std::make_shared<FakeEventStream>();
  }
  void on_disconnect(std::function<void()> callback) override { disconnect = std::move(callback); }
  Executor& executor() override { return executor_value; }

  void run() {
    while (executor_value.run_one()) {
    }
  }

  std::string header(std::string_view name) const {
    for (const net::Header& h : answer->headers) {
      if (h.name == name) return h.value;
    }
    return {};
  }
};

// Answers the first input back as "output-0" (or under the names asked for), after keeping the request.
class EchoEngine final : public engine::Engine {
 public:
  engine::ModelMetadata metadata_value{
      "echo", {{"input-0", DType::fp64, {-1, 4}}}, {{"output-0", DType::fp64, {-1}}}, {}};
  std::uint64_t estimate = 100;
  std::optional<Error> failure;
  engine::InferenceRequest last;

  const engine::ModelMetadata& metadata() const override { return metadata_value; }
  void submit(std::shared_ptr<const engine::InferenceRequest> request,
              std::shared_ptr<engine::ResponseStream> stream) override {
    auto outputs = predict(*request);
    if (!outputs) return stream->error(outputs.error());
    stream->tensors(std::move(*outputs));
    stream->done();
  }
  Result<std::vector<engine::Tensor>> predict(const engine::InferenceRequest& request) override {
    last = request;
    if (failure) return *failure;
    std::vector<engine::Tensor> outputs;
    const std::vector<std::string> names =
        request.outputs.empty() ? std::vector<std::string>{"output-0"} : request.outputs;
    for (const std::string& name : names) {
      outputs.push_back(request.inputs.empty() ? engine::Tensor{} : request.inputs.front());
      outputs.back().name = name;
    }
    return outputs;
  }
  std::uint64_t estimate_ns(const engine::InferenceRequest&) const override { return estimate; }
  engine::EngineStats stats() const override { return {}; }
  void drain(Instant) override {}
};

class FakeControl final : public control::ModelControl {
 public:
  Result<void> outcome;
  std::vector<std::string> calls;
  void declare(std::vector<control::DeclaredModel>, std::function<void()>) override {}
  void put(control::DeclaredModel, std::function<void(Result<void>)> done) override { done(outcome); }
  void load_revision(control::DeclaredModel, std::function<void(Result<void>)> done) override { done(outcome); }
  void serve(const std::string&, const std::string&, control::ServiceTraffic) override {}
  std::shared_ptr<const serving::RevisionCounts> counts(const std::string&, const std::string&,
                                                        const std::string&) const override {
    return nullptr;
  }
  void remove(std::string, std::string, std::function<void()> done) override { done(); }
  void load(std::string namespace_name, std::string service_name, std::function<void(Result<void>)> done) override {
    calls.push_back("load " + namespace_name + "/" + service_name);
    done(outcome);
  }
  void unload(std::string namespace_name, std::string service_name, std::function<void(Result<void>)> done) override {
    calls.push_back("unload " + namespace_name + "/" + service_name);
    done(outcome);
  }
  std::shared_ptr<const std::vector<control::ScaledModel>> scaled() const override {
    return std::make_shared<std::vector<control::ScaledModel>>();
  }
  void scale(std::string, std::int64_t, std::function<void(std::int64_t)> done) override { done(0); }
};

// One daemon's api with the models a test puts in.
class World {
 public:
  serving::Registry registry;
  FakeControl control;
  MetricsRegistry metrics;
  serving::WorkerPool pool{"test", 1, 1};
  ApiOptions options;
  Clock* clock = &system_clock();
  const Access* access = nullptr;
  const net::ClientCertificate* certificate = nullptr;  // of every caller

  std::shared_ptr<EchoEngine> serve(std::string name, serving::Dialect dialect = serving::Dialect::kserve) {
    auto echo = std::make_shared<EchoEngine>();
    serving::ServedModel model;
    model.name = model.service_name = std::move(name);
    model.namespace_name = "default";
    model.dialect = dialect;
    model.versions.push_back(
        {"1", serving::ModelState::ready, "", echo, std::make_shared<serving::ModelMetrics>(metrics, model.name, "1")});
    registry.put(std::move(model));
    return echo;
  }

  std::shared_ptr<FakeExchange> send(net::Method method, std::string path, std::string body = {},
                                     std::map<std::string, std::string, std::less<>> headers = {
                                         {"content-type", "application/json"}}) {
    auto exchange = std::make_shared<FakeExchange>();
    exchange->request_value.method_value = method;
    exchange->request_value.path_value = std::move(path);
    exchange->request_value.body_value = std::move(body);
    exchange->request_value.header_values = std::move(headers);
    exchange->request_value.certificate = certificate;
    ApiContext context{&registry, &control, &pool, &metrics, clock, &system_random()};
    context.access = access;
    const net::Handler handler = make_handler(context, options);
    handler(exchange);
    exchange->run();
    return exchange;
  }
  std::shared_ptr<FakeExchange> get(std::string path) { return send(net::Method::get, std::move(path)); }
  std::shared_ptr<FakeExchange> post(std::string path, std::string body) {
    return send(net::Method::post, std::move(path), std::move(body));
  }
};

}  // namespace jackdaw::api
