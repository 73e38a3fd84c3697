#include "jackdaw/serving/response_cache.h"

#include <catch2/catch.hpp>

#include "src/serving/sip_hash.h"
#include "tests/unit/serving/simulation.h"

using namespace jackdaw;
using namespace jackdaw::serving;
using namespace jackdaw::serving::testing;

namespace {

struct World {
  SimClock clock;
  SeededRandom random{7};
  MetricsRegistry metrics;
  ResponseCache cache;

  explicit World(ResponseCacheOptions options) : cache(options, clock, random, metrics, "m", "1") {}

  static std::vector<engine::Tensor> answer(double value) { return rows_request({value}).inputs; }
  bool has(const engine::InferenceRequest& request) { return cache.find(cache.key_of(request)) != nullptr; }
  void put(const engine::InferenceRequest& request, double value) {
    cache.insert(cache.key_of(request), answer(value));
  }
};

}  // namespace

// Python 3.11 hashes bytes with SipHash-1-3; with PYTHONHASHSEED=0 its key is zero: hash(b"a"), hash(bytes(range(15))),
// ….
TEST_CASE("SipHashGivesWhatPythonGives") {
  std::string input;
  for (char c = 0; c < 15; ++c) input += c;
  CHECK(sip_hash_1_3({0, 0}, "a") == 0x407448d2b89b1813u);
  CHECK(sip_hash_1_3({0, 0}, input) == 0xf30eb725bb91c9eau);
  CHECK(sip_hash_1_3({0, 0}, input + '\x0f') == 0x8972188433a5c5b7u);
}

TEST_CASE("TheSameRequestIsAnsweredFromTheCache") {
  World world({1 << 20, Duration{0}});
  const auto request = rows_request({1, 2});
  CHECK_FALSE(world.has(request));
  world.put(request, 5);
  const auto hit = world.cache.find(world.cache.key_of(request));
  REQUIRE(hit != nullptr);
  CHECK(numbers((*hit)[0]) == std::vector<double>{5});
  const std::string text = world.metrics.expose();
  CHECK(text.find(R"(nv_cache_num_hits_per_model{model="m",version="1"} 1.0)") != std::string::npos);
  CHECK(text.find(R"(nv_cache_num_misses_per_model{model="m",version="1"} 1.0)") != std::string::npos);
}

TEST_CASE("WhatCouldChangeTheAnswerIsPartOfTheKey") {
  World world({1 << 20, Duration{0}});
  const auto request = rows_request({1, 2});
  world.put(request, 5);
  auto other = request;
  other.id = "another id";
  CHECK(world.has(other));
  other = request;
  other.outputs = {"predict_proba"};
  CHECK_FALSE(world.has(other));
  other = request;
  other.form = engine::InputForm::columns;
  CHECK_FALSE(world.has(other));
  other = request;
  other.inputs[0].shape = {1, 2};
  CHECK_FALSE(world.has(other));
  other = request;
  other.inputs[0].dtype = DType::int64;
  CHECK_FALSE(world.has(other));
  other = request;
  other.inputs[0].name = "x";
  CHECK_FALSE(world.has(other));
  other = request;
  other.inputs[0].missing = {0, 1};
  CHECK_FALSE(world.has(other));
  other = request;
  other.inputs[0].data[0] = std::byte{1};
  CHECK_FALSE(world.has(other));
}

TEST_CASE("TheLeastRecentlyUsedAnswersLeaveAndTheBytesStayBounded") {
  const std::size_t bytes_max = 256 * 1024;
  World world({bytes_max, Duration{0}});
  for (int i = 0; i < 5000; ++i) {
    world.put(rows_request({static_cast<double>(i)}), i);
    CHECK(world.has(rows_request({0})) == true);  // used all the time: stays
  }
  CHECK(world.cache.bytes() <= bytes_max);
  CHECK(world.cache.entries() > 100);
  CHECK(world.cache.entries() < 5000);
  CHECK(world.has(rows_request({4999})));
  CHECK_FALSE(world.has(rows_request({1})));
}

TEST_CASE("AnAnswerThatIsTooLargeIsNotKept") {
  World world({64 * 1024, Duration{0}});
  const auto request = rows_request(std::vector<double>(1000, 1.0));
  world.put(request, 1);
  CHECK_FALSE(world.has(request));
  CHECK(world.cache.bytes() == 0);
}

TEST_CASE("AnAnswerIsGoodForItsTime") {
  World world({1 << 20, std::chrono::seconds(10)});
  const auto request = rows_request({1});
  world.put(request, 1);
  world.clock.time += std::chrono::seconds(9);
  CHECK(world.has(request));
  world.clock.time += std::chrono::seconds(1);
  CHECK_FALSE(world.has(request));
  CHECK(world.cache.entries() == 0);
}
