#include "jackdaw/serving/transformer.h"

#include <catch2/catch.hpp>

#include "tests/unit/api/fakes.h"

using namespace jackdaw;
using namespace jackdaw::api;

namespace {

using Headers = std::map<std::string, std::string, std::less<>>;

// Keeps the calls; the test answers them.
class FakeClient final : public net::AsyncClient {
 public:
  struct Kept {
    net::ClientRequest request;
    Done done;
    std::string header(std::string_view name) const {
      for (const net::Header& one : request.headers) {
        if (one.name == name) return one.value;
      }
      return {};
    }
  };
  std::vector<Kept> calls;
  std::vector<std::uint64_t> cancelled;
  std::uint64_t send(net::ClientRequest request, Done done) override {
    calls.push_back({std::move(request), std::move(done)});
    return calls.size();
  }
  void cancel(std::uint64_t ticket) override { cancelled.push_back(ticket); }
  std::size_t in_flight() const override { return calls.size(); }
  std::size_t drain(Instant) override { return 0; }
};

GrantPtr grant(std::string name, std::vector<std::string> models = {}, std::vector<std::string> namespaces = {}) {
  Grant out;
  out.name = std::move(name);
  out.infer = true;
  out.models = std::move(models);
  out.namespaces = std::move(namespaces);
  return std::make_shared<const Grant>(std::move(out));
}

constexpr const char* app_key = "app-key-0123456789abcdef";

AccessRules keyed() {
  AccessRules rules;
  rules.inference_keys = true;
  rules.tokens = {{sha256(app_key), grant("app")}};
  return rules;
}

// iris in "default" with a transformer at http://transformer:9000/base, and rose without one.
struct TransformedWorld {
  World world;
  FakeClient client;  // of the calls
  FakeClient probes;
  serving::Transformers transformers{probes, system_clock(), world.metrics};
  std::shared_ptr<serving::Transformer> transformer =
      transformers.get({"default", "iris", "http://transformer:9000/base", std::chrono::seconds(7), "/v1/models/iris"});
  std::shared_ptr<EchoEngine> predictor = world.serve("iris");
  std::shared_ptr<EchoEngine> other = world.serve("rose");
  Access access;
  std::optional<net::Handler> handler;  // one for all: what is under way is known to it

  TransformedWorld() {
    serving::ServedModel model = *world.registry.snapshot()->find("iris");
    model.transformer = transformer;
    world.registry.put(model);
  }

  std::shared_ptr<FakeExchange> send(net::Method method, std::string path, std::string body = {},
                                     Headers headers = {}) {
    auto exchange = std::make_shared<FakeExchange>();
    exchange->request_value.method_value = method;
    exchange->request_value.path_value = std::move(path);
    exchange->request_value.body_value = std::move(body);
    exchange->request_value.header_values = std::move(headers);
    exchange->request_value.header_values.try_emplace("content-type", "application/json");
    if (!handler) {
      ApiContext context{&world.registry, &world.control, &world.pool, &world.metrics, world.clock, &system_random()};
      context.transformer_client = &client;
      context.access = &access;
      handler = make_handler(context, world.options);
    }
    (*handler)(exchange);
    exchange->run();
    return exchange;
  }
  std::shared_ptr<FakeExchange> post(std::string path, std::string body, Headers headers = {}) {
    return send(net::Method::post, std::move(path), std::move(body), std::move(headers));
  }
  int status(std::string path, Headers headers, std::string body = R"({"instances":[[1,2]]})") {
    const auto exchange = post(std::move(path), std::move(body), std::move(headers));
    return exchange->answer ? exchange->answer->status : 0;
  }
};

Headers with_host(const char* host) {
  return {{"host", host}};
}
Headers bearing(const std::string& key, const char* host = "iris-default.example.com") {
  return {{"host", host}, {"authorization", "Bearer " + key}};
}

constexpr const char* iris_predict = "/v1/models/iris:predict";
constexpr const char* past_it = "/default/iris-predictor/v1/models/iris:predict";
const std::string v1_body = R"({"instances":[[1,2]]})";
const std::string v1_answer = R"({"predictions":[[1,2]]})";

}  // namespace

TEST_CASE("CallsToAServiceWithATransformerAreForwarded") {
  TransformedWorld w;
  const auto exchange = w.post("/v1/models/iris:predict", v1_body,
                               {{"host", "iris-default.example.com"},
                                {"authorization", "Bearer theirs"},
                                {"x-mine", "1"},
                                {"inference-header-content-length", "12"},
                                {"traceparent", "00-a-b-01"},
                                {"connection", "close, x-hop"},
                                {"x-hop", "2"},
                                {"te", "trailers"},
                                {"content-encoding", "gzip"},
                                {"x-forwarded-host", "forged"}});
  REQUIRE(w.client.calls.size() == 1);
  const auto call = w.client.calls[0];
  CHECK(call.request.method == "POST");
  CHECK(call.request.url == "http://transformer:9000/base/v1/models/iris:predict");
  CHECK(call.request.body == v1_body);
  CHECK(call.request.timeout == std::chrono::seconds(7));
  CHECK(call.header("content-type") == "application/json");
  CHECK(call.header("authorization") == "Bearer theirs");
  CHECK(call.header("x-mine") == "1");
  CHECK(call.header("inference-header-content-length") == "12");
  CHECK(call.header("traceparent") == "00-a-b-01");
  CHECK(call.header("x-forwarded-host") == "iris-default.example.com");
  for (const char* name : {"connection", "x-hop", "te", "host", "content-encoding"}) CHECK(call.header(name).empty());
  CHECK(call.header("x-request-id").size() == 36);
  CHECK(call.header("x-b3-traceid").size() == 32);
  CHECK_FALSE(exchange->answer.has_value());

  call.done(net::ClientResponse{201,
                                {{"Content-Type", "application/json"},
                                 {"Transfer-Encoding", "chunked"},
                                 {"Connection", "x-hop"},
                                 {"X-Hop", "1"},
                                 {"Access-Control-Allow-Origin", "*"},
                                 {"TraceParent", "theirs"},
                                 {"Set-Cookie", "a=1"},
                                 {"Set-Cookie", "b=2"},
                                 {"X-Mine", "1"}},
                                "{\"a\":1}"});
  exchange->run();
  REQUIRE(exchange->answer.has_value());
  CHECK(exchange->answer->status == 201);
  CHECK(exchange->answer->body == "{\"a\":1}");
  CHECK(exchange->answer->content_type.empty());
  std::string headers;
  for (const net::Header& header : exchange->answer->headers) headers += header.name + "=" + header.value + ";";
  CHECK(headers == "content-type=application/json;set-cookie=a=1;set-cookie=b=2;x-mine=1;traceparent=00-a-b-01;");
  CHECK(
      w.world.metrics.expose().find(
          R"(jackdaw_transformer_requests_total{namespace_name="default",service_name="iris",result="answered"} 1)") !=
      std::string::npos);
}

TEST_CASE("WhatIsNotATransformersIsNotForwarded") {
  TransformedWorld w;
  CHECK(w.post("/v1/models/rose:predict", v1_body)->answer->body == v1_answer);
  CHECK(w.post("/v1/models/nobody:predict", v1_body)->answer->status == 404);
  CHECK(w.post("/v1/models/iris:explain", v1_body)->answer.has_value());
  CHECK(w.send(net::Method::get, "/v2/models/iris")->answer->status == 200);
  CHECK(w.client.calls.empty());
  w.post("/v2/models/iris/infer", "{}");
  w.post("/v2/models/iris/versions/1/infer", "{}");
  REQUIRE(w.client.calls.size() == 2);
  CHECK(w.client.calls[1].request.url == "http://transformer:9000/base/v2/models/iris/versions/1/infer");

  serving::ServedModel broken = *w.world.registry.snapshot()->find("iris");
  broken.versions.back().state = serving::ModelState::unavailable;
  broken.versions.back().reason = "no such file";
  broken.versions.back().engine.reset();
  w.world.registry.put(broken);
  CHECK(w.post(iris_predict, v1_body)->answer->body ==
        R"({"error":"Model with name iris is not ready. no such file"})");
  // A model in standby is woken by the transformer's own call.
  broken.versions.back().state = serving::ModelState::standby;
  broken.versions.back().reason.clear();
  w.world.registry.put(broken);
  CHECK_FALSE(w.post(iris_predict, v1_body)->answer.has_value());
  CHECK(w.client.calls.size() == 3);
}

TEST_CASE("ThePredictorsOwnAddressesGoPastTheTransformer") {
  TransformedWorld w;
  for (const char* host : {"iris-predictor-default.example.com", "iris-predictor.default.svc.cluster.local",
                           "iris-predictor.default", "iris-predictor.default:8080"}) {
    INFO(host);
    const auto exchange = w.post(iris_predict, v1_body, with_host(host));
    REQUIRE(exchange->answer.has_value());
    CHECK(exchange->answer->body == v1_answer);
  }
  CHECK(w.post(past_it, v1_body)->answer->body == v1_answer);
  CHECK(w.post("/default/rose-predictor/v1/models/rose:predict", v1_body)->answer->body == v1_answer);
  CHECK(w.status("/default/iris-predictor/v2/models/iris/infer", {},
                 R"({"inputs":[{"name":"x","shape":[1],"datatype":"FP64","data":[1]}]})") == 200);
  CHECK(w.status("/other/iris-predictor/v1/models/iris:predict", {}) == 404);
  CHECK(w.status("/default/rose-predictor/v1/models/iris:predict", {}) == 404);
  CHECK(w.send(net::Method::get, "/default/iris-predictor/v1/models/iris")->answer->body ==
        R"({"name":"iris","ready":true})");
  CHECK(w.send(net::Method::get, "/default/iris-predictor/v2/models/iris/ready")->answer->status == 200);
  CHECK(w.send(net::Method::get, "/default/iris-predictor/v2/models/iris")->answer->status == 200);
  CHECK(w.send(net::Method::get, "/default/none-predictor/v1/models/iris")->answer->status == 404);
  CHECK(w.client.calls.empty());
}

TEST_CASE("ALoopIsAnswered508") {
  TransformedWorld w;
  auto first = w.post(iris_predict, v1_body);
  const std::string mark = w.client.calls[0].header("x-jackdaw-transformer");
  const std::string trace = w.client.calls[0].header("x-b3-traceid");
  // A proxy passes every header on; KServe's transformers pass the trace id.
  const auto by_header = w.post(iris_predict, v1_body, {{"x-jackdaw-transformer", mark}});
  REQUIRE(by_header->answer.has_value());
  CHECK(by_header->answer->status == 508);
  CHECK(by_header->answer->body.find("iris-predictor-default.<domain>") != std::string::npos);
  CHECK(w.status(iris_predict, {{"x-b3-traceid", trace}}) == 508);
  // The same trace on the way to the predictor is no loop, and neither is anybody else's.
  CHECK(w.status(iris_predict, {{"x-b3-traceid", trace}, {"host", "iris-predictor-default.example.com"}}) == 200);
  CHECK(w.status(iris_predict, {{"x-b3-traceid", std::string(32, 'a')}}) == 0);
  REQUIRE(w.client.calls.size() == 2);
  // When the call is over, its trace is no loop any more.
  w.client.calls[0].done(net::ClientResponse{200, {}, "{}"});
  w.client.calls[0].done = nullptr;
  first->run();
  first.reset();
  w.client.calls.clear();
  CHECK(w.status(iris_predict, {{"x-b3-traceid", trace}}) == 0);
}

TEST_CASE("TransformersThatFailAreAnsweredAsAGatewayDoes") {
  const std::pair<Code, int> rows[] = {
      {Code::io_error, 502},           {Code::parse_error, 502}, {Code::too_large, 502}, {Code::deadline_exceeded, 504},
      {Code::resource_exhausted, 503}, {Code::not_ready, 503},   {Code::cancelled, 499}};
  for (const auto& [code, status] : rows) {
    TransformedWorld w;
    const auto exchange = w.post(iris_predict, v1_body);
    w.client.calls[0].done(make_error(code, "connection refused"));
    exchange->run();
    REQUIRE(exchange->answer.has_value());
    CHECK(exchange->answer->status == status);
    CHECK(exchange->answer->body ==
          R"({"error":"The transformer of default/iris did not answer: connection refused"})");
  }
}

TEST_CASE("AClientThatLeavesTakesItsTransformersCallAlong") {
  TransformedWorld w;
  const auto exchange = w.post(iris_predict, v1_body);
  REQUIRE(exchange->disconnect);
  exchange->disconnect();
  CHECK(w.client.cancelled == std::vector<std::uint64_t>{1});
}

TEST_CASE("ATransformerThatHangsTakesSoManyCallsAndNoMore") {
  TransformedWorld w;
  std::vector<std::shared_ptr<FakeExchange>> held;
  for (int i = 0; i < serving::Transformer::calls_max; ++i) {
    held.push_back(w.post(iris_predict, v1_body));
    REQUIRE_FALSE(held.back()->answer.has_value());
  }
  const auto refused = w.post(iris_predict, v1_body);
  REQUIRE(refused->answer.has_value());
  CHECK(refused->answer->status == 503);
  CHECK(refused->answer->body ==
        R"({"error":"The transformer of default/iris did not answer: 512 calls to it are under way already"})");
  CHECK(w.post("/v1/models/rose:predict", v1_body)->answer->status == 200);
  w.client.calls[0].done(net::ClientResponse{200, {}, "{}"});
  w.client.calls[0].done = nullptr;
  held.front()->run();
  held.erase(held.begin());
  CHECK_FALSE(w.post(iris_predict, v1_body)->answer.has_value());
}

TEST_CASE("AModelIsReadyWhenItsTransformerIs") {
  TransformedWorld w;
  const auto ready = [&w](const char* path, Headers headers = {}) {
    return w.send(net::Method::get, path, "", std::move(headers))->answer->status;
  };
  CHECK(ready("/v2/models/iris/ready") == 503);
  CHECK(w.send(net::Method::get, "/v1/models/iris")->answer->body.find("has not been asked yet") != std::string::npos);
  w.transformer->probed(system_clock().now(), "GET http://transformer:9000/base: refused");
  CHECK(
      w.send(net::Method::get, "/v1/models/iris")->answer->body ==
      R"({"error":"Model with name iris is not ready. Its transformer at http://transformer:9000/base does not answer: )"
      R"(GET http://transformer:9000/base: refused"})");
  CHECK(ready("/v2/models/iris/ready", with_host("iris-predictor-default.example.com")) == 200);
  CHECK(ready("/default/iris-predictor/v2/models/iris/ready") == 200);
  w.transformer->probed(system_clock().now(), "");
  CHECK(ready("/v2/models/iris/ready") == 200);
  CHECK(ready("/v1/models/iris") == 200);
}

TEST_CASE("ThePredictorsAddressesNeedTheSameKeysAsTheService") {
  TransformedWorld w;
  w.access.replace(keyed());
  CHECK(w.status(iris_predict, {}) == 401);
  CHECK(w.status(past_it, {}) == 401);
  CHECK(w.status(iris_predict, with_host("iris-predictor-default.example.com")) == 401);
  CHECK(w.client.calls.empty());
  CHECK(w.status(past_it, bearing(app_key)) == 200);
  AccessRules rules = keyed();
  rules.tokens = {{sha256(app_key), grant("app", {}, {"team"})}};
  w.access.replace(rules);
  CHECK(w.status(past_it, bearing(app_key)) == 403);
  rules.tokens = {{sha256(app_key), grant("app", {"rose"}, {"default"})}};
  w.access.replace(rules);
  CHECK(w.status(past_it, bearing(app_key)) == 403);
  CHECK(w.status("/default/rose-predictor/v1/models/rose:predict", bearing(app_key)) == 200);
}

TEST_CASE("ATransformerGetsAKeyOfTheCallInTheCallersPlace") {
  TransformedWorld w;
  w.access.replace(keyed());
  auto exchange = w.post(iris_predict, v1_body, {{"x-api-key", app_key}});
  REQUIRE(w.client.calls.size() == 1);
  const std::string passed = w.client.calls[0].header("authorization");
  REQUIRE(passed.starts_with("Bearer jackdaw-call."));
  CHECK(w.client.calls[0].header("x-api-key").empty());
  const std::string key = passed.substr(7);
  // It is good for the predictor of this service, by path and by Host,
  CHECK(w.status(past_it, bearing(key)) == 200);
  CHECK(w.status(iris_predict, bearing(key, "iris-predictor-default.example.com")) == 200);
  // and for nothing else.
  CHECK(w.status("/v1/models/rose:predict", bearing(key)) == 401);
  CHECK(w.status("/default/rose-predictor/v1/models/rose:predict", bearing(key)) == 401);
  CHECK(w.status("/v2/repository/index", bearing(key)) == 401);
  std::string guessed = key;
  guessed.back() = guessed.back() == '0' ? '1' : '0';
  CHECK(w.status(past_it, bearing(guessed)) == 401);
  // The call ends, and its key with it.
  w.client.calls[0].done(net::ClientResponse{200, {}, "{}"});
  w.client.calls.clear();
  exchange->run();
  exchange.reset();
  CHECK(w.status(past_it, bearing(key)) == 401);
}

TEST_CASE("KeysOfJackdawsOwnStayHereAlsoWhereNoneIsNeeded") {
  TransformedWorld w;
  AccessRules rules = keyed();
  rules.inference_keys = false;
  w.access.replace(rules);
  w.post(iris_predict, v1_body, {{"authorization", std::string("Bearer ") + app_key}});
  w.post(iris_predict, v1_body, {{"authorization", "Bearer the-transformers-own"}, {"x-api-key", "theirs"}});
  REQUIRE(w.client.calls.size() == 2);
  CHECK(w.client.calls[0].header("authorization").empty());
  CHECK(w.client.calls[1].header("authorization") == "Bearer the-transformers-own");
  CHECK(w.client.calls[1].header("x-api-key") == "theirs");
}
