// What every predictive engine does the same, whatever the model.
#include <chrono>
#include <thread>

#include "src/predict/inputs.h"
#include "tests/unit/predict/engine_requests.h"

namespace jackdaw::predict {
namespace {

using namespace oracle;
using engine::Tensor;

std::shared_ptr<engine::Engine> small_engine() {
  return load(spec_of("xgboost", data_path("xgboost/2.1/squared.json")));
}
engine::InferenceRequest small_request() {
  return matrix_request(tensor_of<float>(DType::fp32, {1, 6}, std::vector<float>(6)));
}

struct RecordingStream final : engine::ResponseStream {
  void tensors(std::vector<Tensor> outputs) override { got = std::move(outputs); }
  void done() override { ++ends; }
  void error(Error failure) override {
    message = failure.message;
    ++ends;
  }
  std::vector<Tensor> got;
  std::string message;
  int ends = 0;
};

}  // namespace

TEST_CASE("SubmitEndsTheStreamOnceWithTensorsOrAnError", "[engine]") {
  auto engine = small_engine();
  auto good = std::make_shared<RecordingStream>();
  engine->submit(std::make_shared<engine::InferenceRequest>(small_request()), good);
  CHECK(good->ends == 1);
  CHECK(good->got.size() == 1);
  CHECK(good->message.empty());
  auto bad = std::make_shared<RecordingStream>();
  engine->submit(std::make_shared<engine::InferenceRequest>(), bad);
  CHECK(bad->ends == 1);
  CHECK(bad->got.empty());
  CHECK(!bad->message.empty());
}

TEST_CASE("StatsCountRequestsAndFailures", "[engine]") {
  auto engine = small_engine();
  (void)engine->predict(small_request());
  (void)engine->predict({});
  const auto stats = engine->stats();
  CHECK(stats.requests == 2);
  CHECK(stats.failures == 1);
  CHECK(stats.in_flight == 0);
  CHECK(stats.resident_bytes > 100);
}

TEST_CASE("ADrainedEngineTakesNoMoreRequests", "[engine]") {
  auto engine = small_engine();
  engine->drain(std::chrono::steady_clock::now() + std::chrono::seconds(1));
  CHECK(refusal(*engine, small_request()).code == Code::not_ready);
}

TEST_CASE("RefusesOtherVerbsAndLateRequests", "[engine]") {
  auto engine = small_engine();
  auto request = small_request();
  request.verb = engine::Verb::generate;
  CHECK(refusal(*engine, request).code == Code::unsupported);
  request.verb = engine::Verb::predict;
  request.deadline = std::chrono::steady_clock::now() - std::chrono::seconds(1);
  CHECK(refusal(*engine, request).code == Code::deadline_exceeded);
}

TEST_CASE("EstimatesGrowWithRows", "[engine]") {
  auto engine = small_engine();
  const auto one = engine->estimate_ns(small_request());
  const auto many =
      engine->estimate_ns(matrix_request(tensor_of<float>(DType::fp32, {100000, 6}, std::vector<float>(600000))));
  CHECK(one < 100'000);
  CHECK(many > 100'000);
}

TEST_CASE("ManyThreadsGetTheSameAnswer", "[engine]") {
  auto engine = small_engine();
  const auto want = values_of<float>(answer(*engine, small_request())[0]);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int call = 0; call < 200; ++call) {
        auto got = engine->predict(small_request());
        if (!got || std::memcmp((*got)[0].data.data(), want.data(), 4) != 0) ++wrong;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(engine->stats().requests == 801);
}

TEST_CASE("RefusesFormatsAndPathsItDoesNotKnow", "[engine]") {
  auto factory = make_engine_factory();
  CHECK(factory->load(spec_of("onnx", "/")).error().code == Code::unsupported);
  CHECK(factory->load(spec_of("xgboost", data_path("nowhere"))).error().code == Code::not_found);
}

}  // namespace jackdaw::predict
