// What a service's logger is told of its calls.
#include "src/api/payload_log.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <mutex>

#include "jackdaw/serving/payload_logger.h"
#include "src/api/call.h"
#include "tests/unit/api/fakes.h"

using namespace jackdaw;
using namespace jackdaw::api;

namespace {

class LoggedWorld : public World {
 public:
  std::shared_ptr<EchoEngine> engine;

  explicit LoggedWorld(bool requests = true, bool responses = true)
      : sender_(
            {}, [this] { return std::make_unique<Client>(*this); }, metrics) {
    engine = serve("m");
    serving::PayloadLoggerOptions wanted;
    wanted.requests = requests;
    wanted.responses = responses;
    wanted.metadata_headers = {"X-User", "X-Absent"};
    wanted.origin.service_name = "m";
    wanted.origin.namespace_name = "default";
    wanted.destinations = {sender_.destination("http://sink", 0)};
    logger = std::make_shared<serving::PayloadLogger>(std::move(wanted), sender_);
    serving::ServedModel model = *registry.snapshot()->find("m");
    model.logger = logger;
    registry.put(std::move(model));
  }

  // "type id content-type body" of every event, in order of their kinds.
  std::vector<std::string> told() {
    sender_.stop(std::chrono::steady_clock::now() + std::chrono::seconds(10));
    std::sort(events_.begin(), events_.end());
    return events_;
  }
  std::string last_metadata() const { return metadata_; }

  std::shared_ptr<serving::PayloadLogger> logger;

 private:
  class Client final : public net::HttpClient {
   public:
    explicit Client(LoggedWorld& world) : world_(world) {}
    Result<net::ClientResponse> send(const net::ClientRequest& request) override {
      const auto header = [&](std::string_view name) {
        for (const net::Header& h : request.headers) {
          if (h.name == name) return h.value;
        }
        return std::string("-");
      };
      const std::lock_guard lock(world_.mutex_);
      world_.events_.push_back(header("Ce-Type").substr(31) + " " + header("Ce-Id") + " " + header("Content-Type") +
                               " " + request.body);
      world_.metadata_ = header("Ce-Metadata");
      net::ClientResponse response;
      response.status = 200;
      return response;
    }

   private:
    LoggedWorld& world_;
  };

  std::mutex mutex_;
  std::vector<std::string> events_;
  std::string metadata_;
  serving::EventSender sender_;
};

using Headers = std::map<std::string, std::string, std::less<>>;

constexpr const char* body = R"({"instances":[[1.5,2.5]]})";

}  // namespace

TEST_CASE("RequestAndAnswerAreToldWithTheSameId") {
  LoggedWorld world;
  world.send(net::Method::post, "/v1/models/m:predict", body,
             Headers{{"content-type", "application/json"}, {"ce-id", "abc"}, {"X-User", "ada"}});
  CHECK(world.told() == std::vector<std::string>{std::string("request abc application/json ") + body,
                                                 R"(response abc application/json {"predictions":[[1.5,2.5]]})"});
  CHECK(world.last_metadata() == R"({"X-User":["ada"]})");
}

TEST_CASE("WithoutAnIdOneIsMade") {
  LoggedWorld world;
  world.post("/v1/models/m:predict", body);
  const auto told = world.told();
  REQUIRE(told.size() == 2);
  const std::string id = told[0].substr(8, 36);
  CHECK(told[1].substr(9, 36) == id);
  CHECK(id[14] == '4');
}

TEST_CASE("TheModeSaysWhatIsTold") {
  LoggedWorld requests(true, false);
  requests.post("/v1/models/m:predict", body);
  CHECK(requests.told().size() == 1);
  LoggedWorld responses(false, true);
  responses.post("/v1/models/m:predict", body);
  const auto told = responses.told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].starts_with("response "));
}

TEST_CASE("OnlyAnswersWithStatus200AreTold") {
  LoggedWorld world;
  world.engine->failure = make_error(Code::invalid_argument, "no");
  world.post("/v1/models/m:predict", body);
  world.post("/v2/models/m/infer", "{");
  const auto told = world.told();
  REQUIRE(told.size() == 2);
  CHECK(told[0].starts_with("request "));
  CHECK(told[1].starts_with("request "));
}

TEST_CASE("V2CallsAreToldAndProbesAreNot") {
  LoggedWorld world;
  const std::string v2 = R"({"id":"7","inputs":[{"name":"x","shape":[1,2],"datatype":"FP64","data":[1.5,2.5]}]})";
  world.post("/v2/models/m/infer", v2);
  world.send(net::Method::post, "/v2/models/m/infer", v2, Headers{{"user-agent", "kube-probe/1.30"}});
  world.send(net::Method::post, "/v2/models/m/infer", v2, Headers{{"k-kubelet-probe", "queue"}});
  world.get("/v2/models/m/ready");
  CHECK(world.told().size() == 2);
}

TEST_CASE("ACallThatTheGateHoldsIsToldOnce") {
  LoggedWorld world;
  const auto gate = std::make_shared<serving::Gate>(serving::GateLimits{}, *world.clock, world.metrics, "default", "m");
  serving::ServedModel model = *world.registry.snapshot()->find("m");
  model.gate = gate;
  world.registry.put(std::move(model));
  const std::string v2 = R"({"id":"7","inputs":[{"name":"x","shape":[1,2],"datatype":"FP64","data":[1.5,2.5]}]})";
  const auto first = world.post("/v2/models/m/infer", v2);
  const auto second = world.post("/v1/models/m:predict", body);
  REQUIRE_FALSE(first->answer.has_value());
  gate->open(1);
  first->run();
  second->run();
  CHECK(first->answer->status == 200);
  CHECK(second->answer->status == 200);
  CHECK(world.told().size() == 4);
}

TEST_CASE("AStreamIsHandedOnAtOnceAndToldWhenItEnds") {
  LoggedWorld world(false, true);
  PayloadLog log(world.logger, "s1", "", system_clock());
  const auto stream = std::make_shared<FakeEventStream>();
  const auto tapped = log.tapped(stream, 200, "text/event-stream");
  tapped->send("data: a\n\n");
  CHECK(stream->sent == "data: a\n\n");
  tapped->send("data: [DONE]\n\n");
  tapped->end();
  CHECK(stream->ended);
  CHECK(tapped->closed());
  tapped->end();
  CHECK(world.told() == std::vector<std::string>{"response s1 text/event-stream data: a\n\ndata: [DONE]\n\n"});
  // Nothing is kept of what nobody will be told of.
  CHECK(log.tapped(stream, 503, "text/event-stream") == stream);
}

TEST_CASE("ALongStreamIsToldInPart") {
  LoggedWorld world(false, true);
  PayloadLog log(world.logger, "s1", "", system_clock());
  const auto stream = std::make_shared<FakeEventStream>();
  const auto tapped = log.tapped(stream, 200, "text/event-stream");
  const std::string chunk(1 << 20, 'x');
  for (int i = 0; i < 6; ++i) tapped->send(chunk);
  tapped->end();
  CHECK(stream->sent.size() == chunk.size() * 6);
  const auto told = world.told();
  REQUIRE(told.size() == 1);
  CHECK(told[0].size() < chunk.size() * 4 + 100);
}
