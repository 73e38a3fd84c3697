// GET /admin/logs and /admin/stats, and the process in /metrics.
#include <catch2/catch.hpp>

#include "jackdaw/spec/json.h"
#include "src/api/admin/log_filter.h"
#include "src/api/admin/process_metrics.h"
#include "src/api/routes.h"
#include "tests/unit/api/fakes.h"

namespace jackdaw::api {
namespace {

struct AdminWorld : World {
  FakeClock still;
  LogRing ring;

  AdminWorld() { clock = &still; }

  void say(std::string_view message, std::initializer_list<LogField> fields, int seconds_ago = 0) {
    ring.on_record(
        {still.wall() - std::chrono::seconds(seconds_ago), LogLevel::info, message, {fields.begin(), fields.size()}});
  }

  std::shared_ptr<FakeExchange> logs(std::string query) {
    auto exchange = std::make_shared<FakeExchange>();
    exchange->request_value.method_value = net::Method::get;
    exchange->request_value.path_value = "/admin/logs";
    exchange->request_value.query_value = std::move(query);
    ApiContext context{&registry, &control, &pool, &metrics, clock, &system_random()};
    context.log = &ring;
    make_handler(context, options)(exchange);
    exchange->run();
    return exchange;
  }
};

// The messages of the lines, one after the other.
std::string messages(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const auto line = spec::read_json(lines.substr(0, end), "line");
    REQUIRE(line.has_value());
    out += (out.empty() ? "" : ",") + std::string(line->find("msg")->as_text());
    lines.remove_prefix(end + 1);
  }
  return out;
}

}  // namespace

TEST_CASE("LogsAreThoseOfTheService") {
  AdminWorld world;
  serving::ServedModel model;
  model.name = "flowers";
  model.aliases = {"blossoms"};
  model.service_name = "iris";
  model.namespace_name = "default";
  world.registry.put(model);
  world.say("a", {{"model", "flowers"}});
  world.say("b", {{"model", "other"}});
  world.say("c", {{"service", "iris"}, {"namespace", "default"}});
  world.say("d", {{"service", "iris"}, {"namespace", "elsewhere"}});
  world.say("e", {{"object", "inferenceservices/iris"}});
  world.say("f", {{"revision", "iris-predictor-00002"}});
  world.say("g", {{"revision", "iris-two-predictor-00002"}});
  world.say("request", {{"path", "/v1/models/flowers:predict"}});
  world.say("request", {{"path", "/v2/models/blossoms/infer"}});
  world.say("request", {{"path", "/v2/models/flowers-two/infer"}});
  world.say("request", {{"path", "/default/iris/v1/chat/completions"}});
  world.say("request", {{"path", "/apis/serving.kserve.io/v1beta1/namespaces/default/inferenceservices/iris/status"}});
  world.say("request", {{"path", "/apis/serving.kserve.io/v1beta1/namespaces/other/inferenceservices/iris"}});
  CHECK(messages(world.logs("namespace=default&service=iris")->answer->body) ==
        "a,c,e,f,request,request,request,request");
  CHECK(messages(world.logs("namespace=default&service=iris&tail=2")->answer->body) == "request,request");
  CHECK(messages(world.logs("service=nobody")->answer->body).empty());
  CHECK(messages(world.logs("namespace=elsewhere&tail=100")->answer->body).find('d') != std::string::npos);
}

TEST_CASE("LogsReachBackAsFarAsAsked") {
  AdminWorld world;
  world.say("old", {}, 100);
  world.say("new", {}, 10);
  CHECK(messages(world.logs("since=60")->answer->body) == "new");
  CHECK(messages(world.logs("")->answer->body) == "old,new");
}

TEST_CASE("BadQuestionsAboutLogsAre400") {
  AdminWorld world;
  for (const char* query : {"tail=x", "tail=-1", "since=1h", "since=-5", "since=99999999999999", "lines=5"}) {
    INFO(query);
    CHECK(world.logs(query)->answer->status == 400);
  }
}

TEST_CASE("AFollowerGetsWhatComes") {
  AdminWorld world;
  world.say("first", {{"model", "iris"}});
  const auto exchange = world.logs("service=iris&follow=true");
  REQUIRE(exchange->events != nullptr);
  CHECK(messages(exchange->events->sent) == "first");
  world.say("other", {{"model", "other"}});
  world.say("second", {{"model", "iris"}});
  const auto pass = [&](Duration time) {
    world.still.now_value += time;
    exchange->executor_value.run_timers(world.still.now_value);
  };
  pass(std::chrono::milliseconds(200));
  CHECK(messages(exchange->events->sent) == "first,second");
  pass(std::chrono::seconds(11));
  CHECK(exchange->events->sent.ends_with("\n\n"));  // still there
  exchange->disconnect();
  CHECK(exchange->events->ended);
  CHECK(exchange->executor_value.timers() == 0);
}

TEST_CASE("FollowersLeaveWhenTheDaemonEnds") {
  AdminWorld world;
  const auto exchange = world.logs("follow=true");
  world.ring.end();
  world.still.now_value += std::chrono::milliseconds(200);
  exchange->executor_value.run_timers(world.still.now_value);
  CHECK(exchange->events->ended);
  CHECK(exchange->executor_value.timers() == 0);
}

TEST_CASE("AFollowerThatDoesNotReadIsSentNoMore") {
  AdminWorld world;
  const auto exchange = world.logs("follow=true");
  exchange->events->stuck = true;
  for (int i = 0; i < 100; ++i) {
    for (int j = 0; j < 100; ++j) world.say(std::string(100, 'x'), {});
    world.still.now_value += std::chrono::milliseconds(200);
    exchange->executor_value.run_timers(world.still.now_value);
  }
  CHECK(exchange->events->queued < 2u << 20);
  exchange->disconnect();
}

TEST_CASE("StatsTellEveryModelsState") {
  AdminWorld world;
  world.serve("iris");
  const auto answer = world.get("/admin/stats");
  const auto body = spec::read_json(answer->answer->body, "stats");
  REQUIRE(body.has_value());
  CHECK(body->find("uptime_seconds")->as_integer(-1) >= 0);
  REQUIRE(body->find("models")->items().size() == 1);
  const spec::Json& model = body->find("models")->items()[0];
  CHECK(model.find("name")->as_text() == "iris");
  CHECK(model.find("state")->as_text() == "READY");
  CHECK(model.find("in_flight")->as_integer(-1) == 0);
}

TEST_CASE("MetricsTellOfTheProcess") {
  World world;
  const std::string text = world.get("/metrics")->answer->body;
  for (const char* name : {"process_cpu_seconds_total ", "process_resident_memory_bytes ", "process_open_fds ",
                           "process_start_time_seconds "}) {
    CHECK(text.find(name) != std::string::npos);
  }
  CHECK(admin::process_usage().resident_bytes > 1'000'000);
}

}  // namespace jackdaw::api
