#include "jackdaw/serving/transformer.h"

#include <catch2/catch.hpp>
#include <vector>

using namespace jackdaw;
using namespace jackdaw::serving;
using namespace std::chrono_literals;
using State = TransformerHealth::State;

namespace {

class FakeClock final : public Clock {
 public:
  Instant value{1h};
  Instant now() override { return value; }
  WallTime wall() override { return {}; }
};

// Keeps the calls; the test answers them.
class FakeClient final : public net::AsyncClient {
 public:
  std::vector<std::pair<net::ClientRequest, Done>> calls;
  std::uint64_t send(net::ClientRequest request, Done done) override {
    calls.emplace_back(std::move(request), std::move(done));
    return calls.size();
  }
  void cancel(std::uint64_t) override {}
  std::size_t in_flight() const override { return calls.size(); }
  std::size_t drain(Instant) override { return 0; }
  void answer(Result<net::ClientResponse> result) { std::exchange(calls.back().second, nullptr)(std::move(result)); }
};

net::ClientResponse status(int code) {
  net::ClientResponse response;
  response.status = code;
  return response;
}

TransformerSettings settings(std::string url = "http://t:9000") {
  return {"default", "iris", std::move(url), 20s, "/v1/models/iris"};
}

}  // namespace

TEST_CASE("AReadyTransformerMayMissTwoProbesInARow") {
  Instant now{1h};
  TransformerHealth health;
  CHECK(health.state() == State::unknown);
  CHECK(health.due(now));
  health.probed(now, "");
  CHECK(health.state() == State::ready);
  CHECK_FALSE(health.due(now + 9s));
  CHECK(health.due(now + 10s));
  for (int i = 0; i < 2; ++i) {
    health.probed(now += 10s, "refused");
    CHECK(health.state() == State::ready);
    CHECK(health.due(now + 1s));
  }
  health.probed(now, "refused");
  CHECK(health.state() == State::failing);
  CHECK(health.fault() == "refused");
  health.probed(now, "");
  CHECK(health.state() == State::ready);
  CHECK(health.fault().empty());
}

TEST_CASE("OneThatDoesNotAnswerIsAskedLessAndLess") {
  Instant now{1h};
  TransformerHealth health;
  std::vector<Duration> waits;
  for (int i = 0; i < 7; ++i) {
    health.probed(now, "refused");
    CHECK(health.state() == State::failing);
    Duration wait = 0s;
    while (!health.due(now + wait)) wait += 1s;
    waits.push_back(wait);
    now += wait;
  }
  CHECK(waits == std::vector<Duration>{1s, 2s, 4s, 8s, 10s, 10s, 10s});
}

TEST_CASE("TransformersAreProbedOnceAtATimeAndOnlyWhenItIsTime") {
  FakeClient client;
  FakeClock clock;
  MetricsRegistry metrics;
  Transformers transformers(client, clock, metrics);
  const auto one = transformers.get(settings());
  CHECK(transformers.get(settings()) == one);
  REQUIRE(client.calls.size() == 1);
  CHECK(client.calls[0].first.method == "GET");
  CHECK(client.calls[0].first.url == "http://t:9000/v1/models/iris");
  clock.value += 60s;
  transformers.tick();
  CHECK(client.calls.size() == 1);  // The first one is under way still.
  client.answer(status(200));
  CHECK(one->is_ready());
  CHECK(metrics.expose().find(R"(jackdaw_transformer_ready{namespace_name="default",service_name="iris"} 1)") !=
        std::string::npos);
  transformers.tick();
  CHECK(client.calls.size() == 1);
  clock.value += 10s;
  transformers.tick();
  CHECK(client.calls.size() == 2);
}

TEST_CASE("AnyAnswerBut5xxIsOneOfAReadyServer") {
  const std::pair<int, bool> rows[] = {{200, true}, {404, true}, {302, true}, {500, false}, {503, false}};
  for (const auto& [code, ready] : rows) {
    INFO(code);
    FakeClient client;
    FakeClock clock;
    MetricsRegistry metrics;
    Transformers transformers(client, clock, metrics);
    const auto one = transformers.get(settings());
    client.answer(status(code));
    CHECK(one->is_ready() == ready);
    if (!ready) CHECK(one->health().fault() == fmt::format("GET http://t:9000/v1/models/iris: it answered {}", code));
  }
}

TEST_CASE("ATransformerNobodyHasIsNotProbed") {
  FakeClient client;
  FakeClock clock;
  MetricsRegistry metrics;
  Transformers transformers(client, clock, metrics);
  auto one = transformers.get(settings());
  const auto moved = transformers.get(settings("http://t:9001"));
  CHECK(moved != one);
  REQUIRE(client.calls.size() == 2);
  client.answer(make_error(Code::not_ready, "refused"));
  client.calls.clear();
  one.reset();
  clock.value += 60s;
  transformers.tick();
  REQUIRE(client.calls.size() == 1);
  CHECK(client.calls[0].first.url == "http://t:9001/v1/models/iris");
}
