#include "src/api/routes.h"

#include <catch2/catch.hpp>
#include <thread>

#include "tests/unit/api/fakes.h"

using namespace jackdaw;
using namespace jackdaw::api;

TEST_CASE("PathsMatchTheirPatternsAndNothingElse") {
  PathValues values;
  REQUIRE(match_path("/v2/models/{model}/infer", "/v2/models/iris/infer", values));
  CHECK(values[0] == "iris");
  values.count = 0;
  REQUIRE(match_path("/v1/models/{model}:predict", "/v1/models/a%3Ab%20c:predict", values));
  CHECK(values[0] == "a:b c");
  for (const char* wrong :
       {"/v2/models//infer", "/v2/models/iris/infer/", "/v2/models/iris", "v2/models/iris/infer",
        "/v2/models/%zz/infer", "/v2/models/%00/infer", "/v2/models/%ff/infer", "/v2/models/%4/infer"}) {
    INFO(wrong);
    values.count = 0;
    CHECK_FALSE(match_path("/v2/models/{model}/infer", wrong, values));
  }
  CHECK_FALSE(match_path("/v1/models/{model}:predict", "/v1/models/:predict", values));
}

TEST_CASE("UnknownPathsAre404WrongMethods405WithAllowAndTrailingSlashes307") {
  World world;
  CHECK(world.get("/nothing")->answer->status == 404);
  CHECK(world.get("/nothing")->answer->body == R"({"detail":"Not Found"})");
  const auto wrong = world.get("/v2/models/iris/infer");
  CHECK(wrong->answer->status == 405);
  CHECK(wrong->header("allow") == "POST");
  const auto slash = world.get("/v2/models/");
  CHECK(slash->answer->status == 307);
  CHECK(slash->header("location") == "/v2/models");
  CHECK(world.send(net::Method::head, "/v2/health/live")->answer->status == 200);
}

TEST_CASE("RequestIdsAndTraceparentsPassThrough") {
  World world;
  const auto exchange =
      world.send(net::Method::get, "/", {}, {{"x-request-id", "r-1"}, {"traceparent", "00-ab-cd-01"}});
  CHECK(exchange->header("x-request-id") == "r-1");
  CHECK(exchange->header("traceparent") == "00-ab-cd-01");
  CHECK(exchange->answer->body == R"({"status":"alive"})");
}

TEST_CASE("ServerIsReadyOnlyWhenEveryModelIs") {
  World world;
  world.serve("good");
  CHECK(world.get("/v2/health/ready")->answer->status == 200);
  serving::ServedModel loading;
  loading.name = "slow";
  loading.namespace_name = "default";
  loading.versions.push_back({.version = "1"});
  world.registry.put(loading);
  CHECK(world.get("/v2/health/ready")->answer->status == 503);
  CHECK(world.get("/v2/models/slow/ready")->answer->body == R"({"error":"Model with name slow is not ready."})");
  loading.unloaded = true;
  world.registry.put(loading);
  CHECK(world.get("/v2/health/ready")->answer->status == 200);
  CHECK(world.get("/v2/models/slow/ready")->answer->status == 404);
}

TEST_CASE("MetadataListsTheModelsRealInputsAndOutputs") {
  World world;
  world.serve("iris");
  CHECK(
      world.get("/v2/models/iris")->answer->body ==
      R"({"name":"iris","versions":["1"],"platform":"echo","inputs":[{"name":"input-0","datatype":"FP64","shape":[-1,4]}],"outputs":[{"name":"output-0","datatype":"FP64","shape":[-1]}]})");
  CHECK(world.get("/v2/models/iris/versions/1/ready")->answer->status == 200);
  CHECK(world.get("/v2/models/iris/versions/2/ready")->answer->status == 404);
}

TEST_CASE("RepositoryLoadsUnloadsAndLists") {
  World world;
  world.serve("iris");
  CHECK(world.post("/v2/repository/index", "{}")->answer->body ==
        R"([{"name":"iris","version":"1","state":"READY","reason":""}])");
  CHECK(world.post("/v2/repository/index", "{")->answer->status == 400);
  CHECK(world.post("/v2/repository/models/iris/unload", "")->answer->body == R"({"name":"iris","unload":true})");
  CHECK(world.control.calls == std::vector<std::string>{"unload default/iris"});
  world.control.outcome = make_error(Code::not_found, "no");
  CHECK(world.post("/v2/repository/models/x/unload", "")->answer->status == 404);
  world.control.outcome = make_error(Code::parse_error, "offset 3: bad opcode");
  const auto failed = world.post("/v2/repository/models/iris/load", "");
  CHECK(failed->answer->status == 503);
  CHECK(failed->answer->body.find("offset 3: bad opcode") != std::string::npos);
}

TEST_CASE("RepositoryIsReadOnlyAwayFromLoopback") {
  World world;
  world.serve("iris");
  AccessRules rules;
  rules.this_machine_only = false;
  const Access access(rules);
  world.access = &access;
  CHECK(world.post("/v2/repository/models/iris/unload", "")->answer->status == 403);
  CHECK(world.control.calls.empty());
}

TEST_CASE("MetricsCountSuccessesAndFailuresByKServesAndTritonsNames") {
  World world;
  const auto echo = world.serve("iris");
  world.post("/v1/models/iris:predict", R"({"instances":[[1,2],[3,4]]})");
  echo->failure = make_error(Code::invalid_argument, "no");
  CHECK(world.post("/v1/models/iris:predict", R"({"instances":[[1]]})")->answer->status == 400);
  const std::string text = world.get("/metrics")->answer->body;
  CHECK(text.find(R"(nv_inference_request_success{model="iris",version="1"} 1.0)") != std::string::npos);
  CHECK(text.find(R"(nv_inference_request_failure{model="iris",version="1"} 1.0)") != std::string::npos);
  CHECK(text.find(R"(nv_inference_count{model="iris",version="1"} 2.0)") != std::string::npos);
  CHECK(text.find(R"(request_predict_seconds_count{model_name="iris"} 1.0)") != std::string::npos);
}

TEST_CASE("LargePredictionsRunOnThePoolAndAnswerOnTheIoThread") {
  World world;
  const auto echo = world.serve("big");
  echo->estimate = 1'000'000'000;
  const auto exchange = world.post("/v1/models/big:predict", R"({"instances":[[1]]})");
  while (!exchange->answer) {
    exchange->executor_value.run_one();
    std::this_thread::yield();
  }
  CHECK(exchange->answer->body == R"({"predictions":[[1]]})");
}

TEST_CASE("AReplacedModelFinishesItsRequests") {
  World world;
  auto echo = world.serve("iris");
  const auto held = world.registry.snapshot();
  world.registry.remove("iris", "default");
  CHECK(world.get("/v2/models/iris")->answer->status == 404);
  CHECK(held->find("iris")->latest()->engine == echo);
}

TEST_CASE("OneNameInTwoNamespacesIsFoundByHostOrInDefault") {
  World world;
  for (const char* where : {"team-a", "default"}) {
    serving::ServedModel model;
    model.name = model.service_name = "iris";
    model.namespace_name = where;
    model.versions.push_back({.version = where});
    world.registry.put(model);
  }
  const auto snapshot = world.registry.snapshot();
  CHECK(snapshot->find("iris")->namespace_name == "default");
  CHECK(snapshot->find("iris", "iris-team-a.example.com")->namespace_name == "team-a");
  CHECK(snapshot->find("iris", "iris.team-a.example.com:8080")->namespace_name == "team-a");
  CHECK(snapshot->find("other") == nullptr);
}
