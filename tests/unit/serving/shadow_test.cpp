#include "jackdaw/serving/shadow.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <mutex>

using namespace jackdaw;
using namespace jackdaw::serving;

namespace {

template <typename T>
engine::Tensor tensor(DType dtype, const std::vector<T>& values, std::string name = "output-0") {
  engine::Tensor out;
  out.name = std::move(name);
  out.dtype = dtype;
  out.shape = {static_cast<std::int64_t>(values.size())};
  out.data.resize(values.size() * sizeof(T));
  std::memcpy(out.data.data(), values.data(), out.data.size());
  return out;
}

// Answers what it was given, once it is let.
class HeldEngine final : public engine::Engine {
 public:
  std::vector<engine::Tensor> outputs;
  bool fails = false;

  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    opened_.notify_all();
  }
  const engine::ModelMetadata& metadata() const override { return metadata_; }
  void submit(std::shared_ptr<const engine::InferenceRequest>, std::shared_ptr<engine::ResponseStream>) override {}
  Result<std::vector<engine::Tensor>> predict(const engine::InferenceRequest&) override {
    std::unique_lock lock(mutex_);
    opened_.wait(lock, [this] { return open_; });
    if (fails) return make_error(Code::invalid_argument, "no");
    return outputs;
  }
  std::uint64_t estimate_ns(const engine::InferenceRequest&) const override { return 0; }
  engine::EngineStats stats() const override { return {}; }
  void drain(Instant) override {}

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  bool open_ = false;
  engine::ModelMetadata metadata_;
};

struct World {
  MetricsRegistry metrics;
  std::shared_ptr<HeldEngine> engine = std::make_shared<HeldEngine>();

  ServedModelPtr revision(int percent = 100) {
    ServedModel shadow;
    shadow.versions.push_back({"1", ModelState::ready, "", engine, nullptr});
    ServedModel model;
    model.name = model.service_name = "iris";
    model.namespace_name = "default";
    model.shadow = std::make_shared<const ServedModel>(std::move(shadow));
    model.shadow_percent = percent;
    return std::make_shared<const ServedModel>(std::move(model));
  }
  bool says(const std::string& line) const { return metrics.expose().find(line + "\n") != std::string::npos; }
};

const std::string labels = R"({namespace="default",service="iris"} )";

}  // namespace

TEST_CASE("AnswersAreComparedByWhatTheySay") {
  const auto words = [](engine::Tensor a, engine::Tensor b) {
    return compare_answers({std::move(a)}, {std::move(b)}).words;
  };
  const auto fp32 = [](std::vector<float> values) { return tensor(DType::fp32, values); };
  CHECK(words(fp32({1.0f, 2.0f}), fp32({1.0f, 2.000001f})).empty());
  CHECK(words(fp32({1.0f, 2.0f}), fp32({1.0f, 2.1f})) == "output-0 differs in 1 of 2 elements");
  CHECK(words(fp32({NAN}), fp32({NAN})).empty());
  CHECK(words(fp32({NAN}), fp32({1.0f})) == "output-0 differs in 1 of 1 elements");
  CHECK(words(fp32({INFINITY}), fp32({-INFINITY})) == "output-0 differs in 1 of 1 elements");
  CHECK(words(fp32({1.0f}), fp32({1.0f, 1.0f})) == "output-0 is FP32 [2], not FP32 [1]");
  CHECK(words(tensor<std::int64_t>(DType::int64, {1, 1}), tensor<std::int64_t>(DType::int64, {1, 2})) ==
        "output-0 differs in 1 of 2 elements");
  CHECK(words(tensor<std::uint8_t>(DType::uint8, {1, 9}), tensor<std::uint8_t>(DType::uint8, {2, 8})) ==
        "output-0 differs in 2 of 2 elements");
  CHECK(compare_answers({}, {fp32({1.0f})}).words == "1 outputs, not 0");
  CHECK(compare_answers({fp32({1.0f})}, {fp32({1.5f})}).max_difference == Approx(0.5));
}

TEST_CASE("ShadowsAreCountedByHowTheyAnswer") {
  World world;
  const auto model = world.revision();
  world.engine->outputs = {tensor<float>(DType::fp32, {1.0f})};
  world.engine->open();
  {
    Shadow shadow(world.metrics, system_clock());
    auto& random = system_random();
    const auto request = std::make_shared<const engine::InferenceRequest>();
    REQUIRE(shadow.wants(*model, random));
    shadow.compare({model, request, {tensor<float>(DType::fp32, {1.0f})}, "a"});
    shadow.compare({model, request, {tensor<float>(DType::fp32, {3.0f})}, "b"});
  }
  CHECK(world.says("jackdaw_shadow_compared_total" + labels + "2.0"));
  CHECK(world.says("jackdaw_shadow_differing_total" + labels + "1.0"));
  CHECK(world.says("jackdaw_shadow_max_abs_difference" + labels + "2.0"));
  world.engine->fails = true;
  {
    Shadow shadow(world.metrics, system_clock());
    shadow.compare({model, std::make_shared<const engine::InferenceRequest>(), {}, ""});
  }
  CHECK(world.says("jackdaw_shadow_failed_total" + labels + "1.0"));
}

TEST_CASE("ABusyShadowDropsCopiesAndHoldsNobody") {
  World world;
  const auto model = world.revision();
  Shadow shadow(world.metrics, system_clock(), 2);
  const auto request = std::make_shared<const engine::InferenceRequest>();
  int dropped = 0;
  for (int i = 0; i < 20; ++i) {
    if (shadow.wants(*model, system_random())) {
      shadow.compare({model, request, {}, ""});
    } else {
      ++dropped;
    }
  }
  CHECK(dropped >= 17);
  CHECK(world.says("jackdaw_shadow_dropped_total" + labels + std::to_string(dropped) + ".0"));
  world.engine->open();
}

TEST_CASE("OnlyAShareOfTheRequestsIsCopied") {
  World world;
  world.engine->open();
  Shadow shadow(world.metrics, system_clock());
  int wanted = 0;
  for (int i = 0; i < 10'000; ++i) wanted += shadow.wants(*world.revision(25), system_random()) ? 1 : 0;
  CHECK(std::abs(wanted - 2500) < 4 * 44);
  ServedModel without;
  CHECK_FALSE(shadow.wants(without, system_random()));
}
