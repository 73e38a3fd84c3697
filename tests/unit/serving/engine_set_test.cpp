#include "jackdaw/serving/engine_set.h"

#include <catch2/catch.hpp>

namespace jackdaw::serving {
namespace {

class BusyEngine final : public engine::Engine {
 public:
  explicit BusyEngine(std::uint64_t in_flight) { stats_value.in_flight = in_flight; }
  engine::EngineStats stats_value;
  int submitted = 0;
  bool drained = false;

  const engine::ModelMetadata& metadata() const override { return metadata_; }
  std::shared_ptr<engine::ResponseStream> stream;  // of the last request
  void submit(std::shared_ptr<const engine::InferenceRequest>,
              std::shared_ptr<engine::ResponseStream> answer) override {
    stream = std::move(answer);
    ++submitted;
    ++stats_value.in_flight;
  }
  Result<std::vector<engine::Tensor>> predict(const engine::InferenceRequest&) override {
    return std::vector<engine::Tensor>{};
  }
  std::uint64_t estimate_ns(const engine::InferenceRequest&) const override { return 1; }
  engine::EngineStats stats() const override { return stats_value; }
  void drain(Instant) override { drained = true; }

 private:
  engine::ModelMetadata metadata_;
};

TEST_CASE("ARequestGoesToTheEngineWithLeastToDo") {
  const auto a = std::make_shared<BusyEngine>(3), b = std::make_shared<BusyEngine>(1);
  EngineSet set(a);
  set.add(b);
  for (int i = 0; i < 4; ++i) set.submit(nullptr, nullptr);
  CHECK(a->stats_value.in_flight == 4);
  CHECK(b->stats_value.in_flight == 4);
  CHECK(set.stats().in_flight == 8);
  b->stats_value.in_flight = 0;
  b->stats_value.healthy = false;
  set.submit(nullptr, nullptr);
  CHECK(a->stats_value.in_flight == 5);  // not to one that has failed
  CHECK(set.stats().healthy);
  // An answer that has not ended keeps its engine, which keeps the answer.
  a->stream.reset();
  b->stream.reset();
}

TEST_CASE("ARetiredEngineGetsNothingNewAndEndsWithTheLastAnswerItHasBegun") {
  const auto a = std::make_shared<BusyEngine>(5);
  auto b = std::make_shared<BusyEngine>(1);
  const std::weak_ptr<BusyEngine> alive = b;
  EngineSet set(a);
  set.add(b);
  set.submit(nullptr, nullptr);
  CHECK(b->submitted == 1);
  auto answer = std::move(b->stream);
  set.retire();
  b.reset();
  CHECK(set.size() == 1);
  set.submit(nullptr, nullptr);
  CHECK(a->submitted == 1);
  CHECK_FALSE(alive.expired());
  answer.reset();
  CHECK(alive.expired());
  set.retire();
  CHECK(set.size() == 1);  // the first stays
  set.drain(Instant::max());
  CHECK(a->drained);
  a->stream.reset();
}

}  // namespace
}  // namespace jackdaw::serving
