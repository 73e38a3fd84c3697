// What stands between a parsed predict call and its engine: response cache and batcher, as clients see them.
#include <catch2/catch.hpp>

#include "jackdaw/serving/batcher.h"
#include "jackdaw/serving/response_cache.h"
#include "tests/unit/api/fakes.h"

using namespace jackdaw;
using namespace jackdaw::api;

namespace {

class StagedWorld : public World {
 public:
  std::shared_ptr<EchoEngine> engine;

  explicit StagedWorld(std::optional<serving::BatcherOptions> batching, std::size_t cache_bytes = 0) {
    engine = serve("m");
    serving::ServedModel model = *registry.snapshot()->find("m");
    serving::ModelVersion& version = model.versions.back();
    if (batching) {
      serving::BatcherContext context;
      context.engine = engine;
      context.clock = &system_clock();
      context.random = &system_random();
      context.metrics = &metrics;
      context.pool = [this](std::function<void()> work) { return pool.post(std::move(work)); };
      context.model = "m";
      context.version = "1";
      version.batcher = serving::make_batcher(*batching, std::move(context));
    }
    if (cache_bytes > 0) {
      version.cache = std::make_shared<serving::ResponseCache>(serving::ResponseCacheOptions{cache_bytes, Duration{0}},
                                                               system_clock(), system_random(), metrics, "m", "1");
    }
    registry.put(std::move(model));
  }

  std::shared_ptr<FakeExchange> v1(std::string body) { return post("/v1/models/m:predict", std::move(body)); }
  std::shared_ptr<FakeExchange> v2(std::string rows, std::string_view data, std::string_view parameters = "{}") {
    return post("/v2/models/m/infer",
                fmt::format(R"({{"id":"7","parameters":{},"inputs":[{{"name":"x","shape":[{},2],"datatype":"FP64",)"
                            R"("data":{}}}]}})",
                            parameters, rows, data));
  }
};

serving::BatcherOptions kserve_batcher(std::size_t size) {
  serving::BatcherOptions options;
  options.rule = serving::BatchRule::collect;
  options.max_batch_size = size;
  options.max_delay = std::chrono::seconds(5);
  return options;
}

// `body` with its batch id, 36 characters after the key, made equal.
std::string without_id(std::string body) {
  const std::size_t at = body.find(R"("batchId":")");
  if (at != std::string::npos && body.size() > at + 47) body.replace(at + 11, 36, "ID");
  return body;
}

}  // namespace

TEST_CASE("KServesBatcherGivesEachRequestItsSlice") {
  StagedWorld world(kserve_batcher(3));
  const auto a = world.v1(R"({"instances":[[1.5,2.5]]})");
  CHECK_FALSE(a->answer);
  const auto b = world.v1(R"({"instances":[[3.5,4.5],[5.5,6.5]]})");
  a->run();
  REQUIRE(a->answer);
  REQUIRE(b->answer);
  CHECK(without_id(a->answer->body) == R"({"message":"","batchId":"ID","predictions":[[1.5,2.5]]})");
  CHECK(without_id(b->answer->body) == R"({"message":"","batchId":"ID","predictions":[[3.5,4.5],[5.5,6.5]]})");
  CHECK(a->answer->body.substr(0, 60) == b->answer->body.substr(0, 60));
  CHECK(world.engine->last.inputs[0].shape == std::vector<std::int64_t>{3, 2});
  const std::string text = world.metrics.expose();
  CHECK(text.find(R"(nv_inference_exec_count{model="m",version="1"} 1.0)") != std::string::npos);
  CHECK(text.find(R"(nv_inference_count{model="m",version="1"} 3.0)") != std::string::npos);
}

TEST_CASE("V1AndV2ShareABatchAndV2KeepsItsShape") {
  StagedWorld world(kserve_batcher(2));
  const auto a = world.v1(R"({"instances":[[1.5,2.5]]})");
  const auto b = world.v2("1", "[3.5,4.5]");
  a->run();
  CHECK(b->answer->body == R"({"model_name":"m","model_version":null,"id":"7","parameters":null,"outputs":[{"name":)"
                           R"("output-0","shape":[1,2],"datatype":"FP64","parameters":null,"data":[3.5,4.5]}]})");
  CHECK(b->header("x-batch-id").size() == 36);
  CHECK(a->answer->body.find(b->header("x-batch-id")) != std::string::npos);
}

TEST_CASE("KServesBatcherRefusesInItsOwnWords") {
  StagedWorld world(kserve_batcher(1));
  for (const auto& [body, text] :
       std::vector<std::pair<std::string, std::string>>{{"", "can't Unmarshal body\n"},
                                                        {"{", "can't Unmarshal body\n"},
                                                        {"[1]", "can't Unmarshal body\n"},
                                                        {R"({"instances":5})", "can't Unmarshal body\n"},
                                                        {R"({"instances":[]})", "no instances in the request\n"},
                                                        {R"({"instances":null})", "no instances in the request\n"},
                                                        {"{}", "no instances in the request\n"}}) {
    const auto refused = world.v1(body);
    REQUIRE(refused->answer);
    INFO(body);
    CHECK(refused->answer->status == 400);
    CHECK(refused->answer->content_type == "text/plain; charset=utf-8");
    CHECK(refused->answer->body == text);
  }
}

TEST_CASE("AFailureBehindKServesBatcherKeepsItsStatus") {
  StagedWorld world(kserve_batcher(1));
  const auto ragged = world.v1(R"({"instances":[[1],[1,2]]})");
  CHECK(ragged->answer->status == 400);
  CHECK(ragged->answer->body.starts_with(R"({"message":"{\"error\":)"));
  CHECK(ragged->answer->body.ends_with(R"(,"batchId":"","predictions":null})"));
  world.engine->failure = make_error(Code::invalid_argument, "no such column");
  const auto failed = world.v1(R"({"instances":[[1,2]]})");
  CHECK(failed->answer->status == 400);
  CHECK(failed->answer->body == R"({"message":"{\"error\":\"no such column\"}","batchId":"","predictions":null})");
}

TEST_CASE("AClientThatLeavesIsTakenOutOfTheBatch") {
  StagedWorld world(kserve_batcher(2));
  const auto gone = world.v1(R"({"instances":[[1.5,2.5]]})");
  REQUIRE(gone->disconnect);
  gone->disconnect();
  CHECK(gone->answer->status == 499);
  const auto b = world.v1(R"({"instances":[[3.5,4.5]]})");
  CHECK_FALSE(b->answer);
  world.registry.snapshot()->find("m")->latest()->batcher->drain();
  b->run();
  CHECK(world.engine->last.inputs[0].shape == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("DynamicBatchingChangesNoAnswer") {
  StagedWorld plain(std::nullopt);
  StagedWorld world(serving::BatcherOptions{});
  CHECK(world.v1(R"({"instances":[[1.5,2.5]]})")->answer->body ==
        plain.v1(R"({"instances":[[1.5,2.5]]})")->answer->body);
  const auto answer = world.v2("1", "[3.5,4.5]", R"({"priority":1,"timeout":1000})");
  CHECK(answer->answer->body == plain.v2("1", "[3.5,4.5]")->answer->body);
  CHECK(answer->header("x-batch-id").empty());
  const auto refused = world.v2("1", "[3.5,4.5]", R"({"priority":"high"})");
  CHECK(refused->answer->status == 400);
  CHECK(refused->answer->body ==
        R"({"error":"the request parameter 'priority' must be an integer that is not negative"})");
  // Without a queue nobody looks at the parameter, as in KServe.
  CHECK(plain.v2("1", "[3.5,4.5]", R"({"priority":"high"})")->answer->status == 200);
}

TEST_CASE("TheCacheAnswersWithoutTheEngine") {
  StagedWorld world(std::nullopt, 1 << 20);
  const auto first = world.v1(R"({"instances":[[1.5,2.5]]})");
  world.engine->failure = make_error(Code::internal, "the engine was asked again");
  const auto second = world.v1(R"({"instances":[[1.5,2.5]]})");
  CHECK(second->answer->status == 200);
  CHECK(second->answer->body == first->answer->body);
  CHECK(world.v1(R"({"instances":[[1.5,2.75]]})")->answer->status == 500);
  const std::string text = world.metrics.expose();
  CHECK(text.find(R"(nv_inference_request_success{model="m",version="1"} 2.0)") != std::string::npos);
  CHECK(text.find(R"(nv_inference_count{model="m",version="1"} 1.0)") != std::string::npos);
  CHECK(text.find(R"(nv_cache_num_hits_per_model{model="m",version="1"} 1.0)") != std::string::npos);
}

TEST_CASE("ACachedAnswerHasTheBatchersShapeToo") {
  StagedWorld world(kserve_batcher(1), 1 << 20);
  const auto first = world.v1(R"({"instances":[[1.5,2.5]]})");
  const auto second = world.v1(R"({"instances":[[1.5,2.5]]})");
  CHECK(without_id(second->answer->body) == without_id(first->answer->body));
}

TEST_CASE("AWarmUpBodyMayBeV1OrV2") {
  CHECK(read_predict_body(R"({"instances":[[1.5,2.5]]})")->inputs[0].shape == std::vector<std::int64_t>{1, 2});
  CHECK(read_predict_body(R"({"inputs":[{"name":"x","shape":[2],"datatype":"FP32","data":[1,2]}]})")->inputs[0].dtype ==
        DType::fp32);
  CHECK(read_predict_body("{").has_error());
}

// Recorded from KServe 0.21: binary mode, and a plain V2 body in the structured mode's content type. Structured events
// KServe refuses.
TEST_CASE("V2AnswersCloudEventsAsKServeDoes") {
  StagedWorld world(std::nullopt);
  const std::string body = R"({"id":"42","inputs":[{"name":"x","shape":[1,2],"datatype":"FP64","data":[1.5,1e16]}]})";
  const std::string data = R"({"id": "42", "model_name": "m", "model_version": null, "outputs": [{"name": "output-0", )"
                           R"("shape": [1, 2], "datatype": "FP64", "data": [1.5, 1e+16]}]})";
  const auto binary = world.send(net::Method::post, "/v2/models/m/infer", body,
                                 {{"content-type", "application/json"},
                                  {"ce-id", "a1"},
                                  {"ce-source", "here"},
                                  {"ce-specversion", "1.0"},
                                  {"ce-type", "com.example"}});
  CHECK(binary->answer->body == data);
  CHECK(binary->header("ce-type") == "io.kserve.inference.response");
  CHECK(binary->header("ce-source") == "io.kserve.inference.m");
  for (const std::string& sent :
       {body, R"({"specversion":"1.0","id":"1","source":"x","type":"y","data":)" + body + "}"}) {
    const auto structured =
        world.send(net::Method::post, "/v2/models/m/infer", sent, {{"content-type", "application/cloudevents+json"}});
    REQUIRE(structured->answer->status == 200);
    CHECK(structured->answer->content_type == "application/cloudevents+json");
    CHECK(structured->answer->body.find("\"source\": \"io.kserve.inference.m\"") != std::string::npos);
    CHECK(structured->answer->body.ends_with(", \"data\": " + data + "}"));
  }
}
