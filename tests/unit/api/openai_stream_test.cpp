// How answers end early: refusals before the head, errors after it, clients that go away or do not read.
#include <catch2/catch.hpp>
#include <thread>

#include "src/api/openai/token_bridge.h"
#include "tests/unit/api/openai_world.h"

using namespace jackdaw;
using namespace jackdaw::api;

TEST_CASE("AFullQueueIs429WithRetryAfterAlsoForStreams") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  mock->refusal = make_error(Code::resource_exhausted, "The queue is full.");
  mock->stats_value.estimated_wait = std::chrono::milliseconds(2500);
  for (const char* members : {"", R"("stream":true)"}) {
    const auto exchange = world.chat(members);
    REQUIRE(exchange->answer);
    CHECK_FALSE(exchange->events);
    CHECK(exchange->answer->status == 429);
    CHECK(exchange->header("retry-after") == "3");
    CHECK(exchange->header("retry-after-ms") == "2500");
    CHECK(exchange->answer->body ==
          R"({"error":{"message":"The queue is full.","type":"RateLimitError","param":null,"code":429}})");
  }
  mock->stats_value.estimated_wait = Duration{0};
  CHECK(world.chat("")->header("retry-after") == "1");
}

TEST_CASE("WhatTheEngineRefusesIsNamedByItsParameter") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  mock->refusal = Error{Code::invalid_argument, "n must be at most 8, got 9.", "n"};
  CHECK(world.chat("")->answer->body ==
        R"({"error":{"message":"n must be at most 8, got 9.","type":"BadRequestError","param":"n","code":400}})");
  // The engine knows tokens only; the client wrote messages.
  mock->refusal = Error{Code::invalid_argument, "The KV cache holds 64 tokens.", "prompt"};
  CHECK(
      world.chat("")->answer->body ==
      R"({"error":{"message":"The KV cache holds 64 tokens.","type":"BadRequestError","param":"messages","code":400}})");
  CHECK(world.complete(R"("prompt":"a")")->answer->body.find(R"("param":"prompt")") != std::string::npos);
  // Any other place stays in the sentence.
  mock->refusal = Error{Code::invalid_argument, "The weights are gone.", "layer 3"};
  CHECK(world.chat("")->answer->body.find(R"("layer 3: The weights are gone.")") != std::string::npos);
}

TEST_CASE("MorePromptsThanTheModelEverHoldsAreNotAskedForAgain") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  mock->stats_value.requests_max = 2;
  const auto fits = world.complete(R"("prompt":["a","b"])");
  REQUIRE(mock->taken.size() == 2);
  for (auto& taken : mock->taken) taken.answer("x");
  fits->run();
  CHECK(fits->answer->status == 200);
  const auto exchange = world.complete(R"("prompt":["a","b","c"])");
  REQUIRE(exchange->answer);
  CHECK(exchange->answer->status == 400);
  CHECK(exchange->header("retry-after").empty());
  CHECK(exchange->answer->body.find("3 prompts") != std::string::npos);
  CHECK(exchange->answer->body.find(R"("param":"prompt")") != std::string::npos);
  CHECK(mock->taken.size() == 2);
}

TEST_CASE("OnePromptThatIsRefusedCancelsTheOthers") {
  class SecondRefused final : public engine::Engine {
   public:
    MockLlmEngine inner;
    int submitted = 0;
    const engine::ModelMetadata& metadata() const override { return inner.metadata(); }
    void submit(std::shared_ptr<const engine::InferenceRequest> request,
                std::shared_ptr<engine::ResponseStream> stream) override {
      if (++submitted == 2) return stream->error(make_error(Code::resource_exhausted, "full"));
      inner.submit(std::move(request), std::move(stream));
    }
    Result<std::vector<engine::Tensor>> predict(const engine::InferenceRequest& r) override { return inner.predict(r); }
    std::uint64_t estimate_ns(const engine::InferenceRequest&) const override { return 0; }
    engine::EngineStats stats() const override { return {}; }
    const engine::PromptCodec* codec() const override { return inner.codec(); }
    void drain(Instant) override {}
  };
  OpenAiWorld world;
  world.serve_llm("m");
  auto engine = std::make_shared<SecondRefused>();
  serving::ServedModel model = *world.registry.snapshot()->find("m");
  model.versions[0].engine = engine;
  world.registry.put(model);
  const auto exchange = world.complete(R"("prompt":["a","b","c"])");
  CHECK(exchange->answer->status == 429);
  CHECK(engine->submitted == 2);
  CHECK(engine->inner.taken.front().stream->cancelled());
}

TEST_CASE("ErrorsAfterTheHeadAreEventsBeforeDone") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  const auto exchange = world.chat(R"("stream":true,"stream_options":{"include_usage":true})");
  mock->taken.front().prompt_done();
  mock->taken.front().say("a");
  mock->taken.front().stream->error(make_error(Code::internal, "The engine has failed."));
  exchange->run();
  const auto events = events_of(exchange->events->sent);
  REQUIRE(events.size() == 4);
  CHECK(events[2] ==
        R"({"error":{"message":"The engine has failed.","type":"InternalServerError","param":null,"code":500}})");
  CHECK(events[3] == "[DONE]");
  CHECK(exchange->events->ended);
}

TEST_CASE("ErrorsOfWholeAnswersAreStatuses") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  const auto exchange = world.chat("");
  CHECK_FALSE(exchange->answer);
  mock->taken.front().stream->error(make_error(Code::not_ready, "The engine is stopping."));
  exchange->run();
  CHECK(exchange->answer->status == 503);
}

TEST_CASE("AnEngineThatForgetsARequestFailsIt") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  const auto exchange = world.chat("");
  mock->taken.clear();
  exchange->run();
  REQUIRE(exchange->answer);
  CHECK(exchange->answer->status == 500);
}

TEST_CASE("AClientThatGoesAwayCancelsItsRequestAtOnce") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  for (const char* members : {"", R"("stream":true)"}) {
    const auto exchange = world.chat(members);
    auto& taken = mock->taken.back();
    CHECK_FALSE(taken.stream->cancelled());
    exchange->disconnect();
    CHECK(taken.stream->cancelled());
    taken.say("late");
    taken.finish();
    exchange->run();
    CHECK(exchange->executor_value.timers() == 0);
    CHECK((exchange->events == nullptr || exchange->events->sent.empty()));
  }
  // Without a call-back, the next event finds out.
  const auto exchange = world.chat(R"("stream":true)");
  exchange->events->gone = true;
  mock->taken.back().say("a");
  exchange->run();
  CHECK(mock->taken.back().stream->cancelled());
}

TEST_CASE("NothingIsKeptOfAnAnswerThatHasEnded") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  for (const char* members : {"", R"("stream":true)"}) {
    auto exchange = world.chat(members);
    const std::weak_ptr<FakeExchange> exchange_alive = exchange;
    const std::weak_ptr<FakeEventStream> events_alive = exchange->events;
    mock->taken.front().answer("a");
    exchange->run();
    mock->taken.clear();
    exchange.reset();
    CHECK(exchange_alive.expired());
    CHECK(events_alive.expired());
  }
}

TEST_CASE("SilentStreamsAreKeptAliveByComments") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  const auto exchange = world.chat(R"("stream":true)");
  const auto pass = [&](int seconds) {
    world.fake_clock.now_value += std::chrono::seconds(seconds);
    exchange->executor_value.run_timers(world.fake_clock.now_value);
  };
  pass(9);
  CHECK(exchange->events->sent.empty());
  pass(1);
  CHECK(exchange->events->sent == ": ping\n\n");
  pass(10);
  CHECK(exchange->events->sent == ": ping\n\n: ping\n\n");
  exchange->events->sent.clear();
  pass(5);
  mock->taken.front().say("a");
  exchange->run();
  exchange->events->sent.clear();
  pass(5);  // ten seconds after the last ping, five after the token
  CHECK(exchange->events->sent.empty());
  pass(5);
  CHECK(exchange->events->sent == ": ping\n\n");
  exchange->disconnect();
}

TEST_CASE("ASlowReaderGetsItsTokensInFewerEventsAndAllOfThem") {
  OpenAiWorld world;
  world.options.stream_queue_bytes_max = 1000;
  const auto mock = world.serve_llm("m");
  const auto exchange = world.chat(R"("stream":true)");
  auto& taken = mock->taken.front();
  exchange->events->stuck = true;
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    taken.say("token ");
    expected += "token ";
    exchange->run();
  }
  taken.finish();
  exchange->run();
  CHECK(exchange->events->queued < 2000);
  CHECK(exchange->events->sends < 10);
  CHECK_FALSE(exchange->events->ended);
  // It reads again: the rest comes in one event.
  exchange->events->stuck = false;
  exchange->events->queued = 0;
  world.fake_clock.now_value += std::chrono::seconds(1);
  exchange->executor_value.run_timers(world.fake_clock.now_value);
  CHECK(exchange->events->ended);
  CHECK(exchange->events->sends < 11);
  std::string text;
  for (const std::string& event : events_of(exchange->events->sent)) {
    const std::size_t at = event.find(R"("content":")");
    if (at != std::string::npos) text += event.substr(at + 11, event.find('"', at + 11) - at - 11);
  }
  CHECK(text == expected);
}

TEST_CASE("AReaderThatIsFarTooSlowIsCutOff") {
  OpenAiWorld world;
  world.options.stream_queue_bytes_max = 1000;
  world.options.stream_waiting_bytes_max = 10'000;
  const auto mock = world.serve_llm("m");
  const auto exchange = world.chat(R"("stream":true)");
  auto& taken = mock->taken.front();
  exchange->events->stuck = true;
  int said = 0;
  while (said < 10'000 && !taken.stream->cancelled()) {
    taken.say("0123456789");
    exchange->run();
    ++said;
  }
  CHECK(taken.stream->cancelled());
  CHECK(said < 1100);
  CHECK(exchange->events->queued < 2000);
  taken.stream->error(make_error(Code::cancelled, "cancelled"));
  exchange->events->stuck = false;
  exchange->events->queued = 0;
  world.fake_clock.now_value += std::chrono::seconds(1);
  exchange->executor_value.run_timers(world.fake_clock.now_value);
  CHECK(exchange->events->ended);
  CHECK(holds(exchange->events->sent, "reads too slowly"));
}

TEST_CASE("TokensOfOneStepCrossWithOneWakeUp") {
  FakeExecutor executor;
  auto bridge =
      std::make_shared<openai::TokenBridge>(executor, nullptr, openai::BridgeOptions{1, 4, true, false, 1000});
  const auto stream = bridge->stream(0);
  for (std::uint32_t choice = 0; choice < 4; ++choice) stream->tokens({choice, "a", {1}, {}, {}, {}, -1});
  stream->tokens({2, "b", {1}, {}, {}, {}, -1});
  CHECK(executor.posted() == 1);
  openai::News news;
  bridge->take(news);
  CHECK(news.fresh == std::vector<std::uint32_t>{0, 1, 2, 3});
  CHECK(news.choices[2].text == "ab");
  CHECK(news.choices[2].token_count == 2);
  stream->tokens({0, "c", {1}, {}, {}, {}, -1});
  CHECK(executor.posted() == 2);
  stream->done();
}

TEST_CASE("ThreadsMayAnswerWhileTheIoThreadTakes") {
  FakeExecutor executor;
  auto bridge =
      std::make_shared<openai::TokenBridge>(executor, nullptr, openai::BridgeOptions{2, 1, true, true, 1 << 20});
  std::vector<std::thread> engines;
  for (std::uint32_t prompt = 0; prompt < 2; ++prompt) {
    engines.emplace_back([stream = bridge->stream(prompt)] {
      stream->prompt_done({1, 0, {}});
      for (int i = 0; i < 10'000; ++i) stream->tokens({0, "x", {i}, {}, {}, {}, -1});
      stream->usage({});
      stream->done();
    });
  }
  openai::News news;
  std::size_t text = 0, tokens = 0;
  while (!news.ended) {
    bridge->take(news);
    for (const std::uint32_t index : news.fresh) {
      text += news.choices[index].text.size();
      tokens += news.choices[index].tokens.size();
      news.choices[index].clear();
    }
    while (executor.run_one()) {
    }
  }
  for (std::thread& engine : engines) engine.join();
  CHECK(text == 20'000);
  CHECK(tokens == 20'000);
  CHECK(news.prompts.size() == 2);
}
