// The engine with its thread: submit from anywhere, bounded queue, cancel, drain, failure, metrics.
#include "src/llm/llm_engine.h"

#include <catch2/catch.hpp>
#include <random>
#include <thread>

#include "fakes.h"
#include "src/llm/engine_numbers.h"

namespace jackdaw::llm {
namespace {

using engine::FinishReason;
using namespace std::chrono_literals;

// A step that takes real time, so that there is a middle to be cancelled in.
class SlowExecutable final : public ops::Executable {
 public:
  SlowExecutable(std::unique_ptr<ops::Executable> inner, Duration pause) : inner_(std::move(inner)), pause_(pause) {}
  Result<void> step(const ops::Batch& batch, std::span<ops::Sampled> out) override {
    std::this_thread::sleep_for(pause_);
    return inner_->step(batch, out);
  }
  void copy_page(std::uint32_t from, std::uint32_t to, std::uint32_t tokens) override {
    inner_->copy_page(from, to, tokens);
  }
  std::vector<float> logits(std::uint32_t row) const override { return inner_->logits(row); }
  ops::MemoryUse memory() const override { return inner_->memory(); }

 private:
  std::unique_ptr<ops::Executable> inner_;
  Duration pause_;
};

std::unique_ptr<LlmEngine> start(FakeEngine& fake, Duration pause = {}) {
  EngineParts parts = fake.parts();
  if (pause.count() > 0) parts.executable = std::make_unique<SlowExecutable>(std::move(parts.executable), pause);
  return std::make_unique<LlmEngine>(std::move(parts), nullptr);
}

std::shared_ptr<RecordingStream> submit(LlmEngine& engine, std::shared_ptr<engine::InferenceRequest> request) {
  auto stream = std::make_shared<RecordingStream>();
  engine.submit(std::move(request), stream);
  return stream;
}

TEST_CASE("ManyThreadsGetTheirOwnAnswers") {
  FakeEngine fake;
  auto engine = start(fake);
  std::vector<std::thread> threads;
  std::vector<std::vector<std::shared_ptr<RecordingStream>>> streams(4);
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned i = 0; i < 8; ++i)
        streams[t].push_back(submit(*engine, make_request(make_prompt(30, t * 8 + i), 20)));
      for (auto& stream : streams[t]) stream->wait();
    });
  }
  for (auto& thread : threads) thread.join();
  for (unsigned t = 0; t < 4; ++t) {
    for (unsigned i = 0; i < 8; ++i) {
      CHECK(streams[t][i]->choices[0].tokens == alone(*make_request(make_prompt(30, t * 8 + i), 20))[0].tokens);
    }
  }
  const auto stats = engine->stats();
  CHECK(stats.requests == 32);
  CHECK(stats.failures == 0);
  CHECK(stats.healthy);
  CHECK(stats.resident_bytes == 1110);
  CHECK(engine->metadata().platform == "llm");
}

TEST_CASE("AFullQueueIsSaidBeforeSubmitReturns") {
  EngineLimits limits = fake_limits();
  limits.max_num_seqs = 1;
  limits.queue_max = 3;
  FakeEngine fake(limits);
  auto engine = start(fake, 5ms);
  std::vector<std::shared_ptr<RecordingStream>> streams;
  int refused = 0;
  for (int i = 0; i < 12; ++i) {
    streams.push_back(submit(*engine, make_request(make_prompt(10, 1), 100)));
    if (!streams.back()->has_ended()) continue;
    ++refused;
    REQUIRE(streams.back()->failure);
    CHECK(streams.back()->failure->code == Code::resource_exhausted);
    CHECK_THAT(streams.back()->failure->message, Catch::Contains("waiting; try again in about"));
  }
  CHECK(refused >= 8);
  CHECK(refused <= 9);
  CHECK(engine->stats().estimated_wait > 0ns);
  for (auto& stream : streams) stream->cancel = true;
  for (auto& stream : streams) stream->wait();
}

TEST_CASE("InvalidRequestsEndBeforeSubmitReturns") {
  FakeEngine fake;
  auto engine = start(fake);
  auto stream = submit(*engine, make_request({}, 5));
  REQUIRE(stream->failure);
  CHECK(stream->failure->code == Code::invalid_argument);
  auto request = std::make_shared<engine::InferenceRequest>();
  stream = submit(*engine, request);
  REQUIRE(stream->failure);
  CHECK(stream->failure->code == Code::unsupported);
  CHECK(engine->predict(*request).error().code == Code::unsupported);
  CHECK(engine->stats().failures == 2);
}

TEST_CASE("ACancelledStreamEndsSoon") {
  FakeEngine fake;
  auto engine = start(fake, 2ms);
  auto stream = submit(*engine, make_request(make_prompt(10, 1), 450));
  while (stream->delta_count() < 3) std::this_thread::sleep_for(1ms);
  stream->cancel = true;
  stream->wait();
  REQUIRE(stream->failure);
  CHECK(stream->failure->code == Code::cancelled);
  while (engine->stats().kv_cache_usage > 0) std::this_thread::sleep_for(1ms);
}

TEST_CASE("StormsOfDisconnectsLeaveTheOthersAlone") {
  EngineLimits limits = fake_limits();
  limits.pages = 60;
  FakeEngine fake(limits);
  auto engine = start(fake);
  std::atomic<bool> stop{false};
  std::thread storm([&] {
    std::mt19937 random(1);
    std::vector<std::shared_ptr<RecordingStream>> doomed;
    while (!stop) {
      doomed.push_back(submit(*engine, make_request(make_prompt(1 + random() % 100, random()), 1 + random() % 100)));
      doomed[random() % doomed.size()]->cancel = true;
      if (doomed.size() > 100) doomed.clear();
      std::this_thread::sleep_for(200us);
    }
    for (auto& stream : doomed) stream->cancel = true;
  });
  for (unsigned i = 0; i < 20; ++i) {
    auto request = make_request(make_prompt(50, i), 40);
    request->generate->priority = -1;
    auto stream = submit(*engine, request);
    stream->wait();
    REQUIRE_FALSE(stream->failure);
    CHECK(stream->choices[0].tokens == alone(*request)[0].tokens);
  }
  stop = true;
  storm.join();
}

TEST_CASE("DrainWaitsAndThenEndsWhatIsLeft") {
  FakeEngine fake;
  auto engine = start(fake, 2ms);
  auto quick = submit(*engine, make_request(make_prompt(10, 1), 5));
  auto slow = submit(*engine, make_request(make_prompt(10, 2), 480));
  while (slow->delta_count() < 1) std::this_thread::sleep_for(1ms);
  engine->drain(std::chrono::steady_clock::now() + 100ms);
  CHECK(quick->has_ended());
  CHECK(quick->choices[0].finish == FinishReason::length);
  REQUIRE(slow->has_ended());
  CHECK_FALSE(slow->failure);
  CHECK(slow->choices[0].finish == FinishReason::abort);
  auto late = submit(*engine, make_request(make_prompt(10, 1), 5));
  REQUIRE(late->failure);
  CHECK(late->failure->code == Code::not_ready);
}

TEST_CASE("DrainOfAnIdleEngineReturnsAtOnce") {
  FakeEngine fake;
  auto engine = start(fake);
  submit(*engine, make_request(make_prompt(10, 1), 5))->wait();
  engine->drain(Instant::max());
  CHECK(engine->stats().in_flight == 0);
}

TEST_CASE("DestructionEndsEveryStream") {
  FakeEngine fake;
  auto engine = start(fake, 2ms);
  std::vector<std::shared_ptr<RecordingStream>> streams;
  for (unsigned i = 0; i < 30; ++i) streams.push_back(submit(*engine, make_request(make_prompt(10, i), 400)));
  engine.reset();
  for (auto& stream : streams) CHECK(stream->has_ended());
}

TEST_CASE("AFailedDeviceIsReportedAsUnhealthy") {
  FakeEngine fake(fake_limits(), {.fail_at_step = 4});
  auto engine = start(fake);
  auto stream = submit(*engine, make_request(make_prompt(10, 1), 50));
  stream->wait();
  REQUIRE(stream->failure);
  CHECK(stream->failure->message == "The device caught fire.");
  while (engine->stats().healthy) std::this_thread::sleep_for(1ms);
  auto late = submit(*engine, make_request(make_prompt(10, 1), 5));
  REQUIRE(late->failure);
  CHECK(late->failure->code == Code::not_ready);
}

TEST_CASE("EnginesOfOneModelAreCountedApartAndFallToZeroWhenTheyGo") {
  MetricsRegistry registry;
  const auto numbers = std::make_shared<EngineNumbers>();
  auto first = std::make_unique<LlmMetrics>(registry, "smol", numbers->take("smol"));
  auto second = std::make_unique<LlmMetrics>(registry, "smol", numbers->take("smol"));
  CHECK(*numbers->take("other") == "0");
  second->describe_cache(fake_limits(), "f16");
  first->running.set(3);
  second->running.set(2);
  second->kv_cache_usage.set(0.5);
  second->prompt_tokens.add(7);
  const auto shows = [&](const std::string& line) { CHECK_THAT(registry.expose(), Catch::Contains(line + "\n")); };
  shows(R"(vllm:num_requests_running{model_name="smol",engine="0"} 3.0)");
  shows(R"(vllm:num_requests_running{model_name="smol",engine="1"} 2.0)");
  second.reset();
  shows(R"(vllm:num_requests_running{model_name="smol",engine="0"} 3.0)");
  shows(R"(vllm:num_requests_running{model_name="smol",engine="1"} 0.0)");
  shows(R"(vllm:kv_cache_usage_perc{model_name="smol",engine="1"} 0.0)");
  shows(R"(vllm:prompt_tokens_total{model_name="smol",engine="1"} 7.0)");
  first.reset();
  CHECK(*numbers->take("smol") == "0");
}

TEST_CASE("MetricsHaveVllmsNamesAndCounts") {
  MetricsRegistry registry;
  LlmMetrics metrics(registry, "smol");
  metrics.describe_cache(fake_limits(), "f16");
  FakeEngine fake;
  fake.metrics = &metrics;
  {
    auto engine = start(fake);
    auto request = make_request(make_prompt(100, 1), 10);
    request->generate->choices = 2;
    submit(*engine, request)->wait();
    submit(*engine, make_request(make_prompt(100, 1), 10))->wait();
    auto doomed = make_request(make_prompt(10, 1), 400);
    doomed->deadline = fake.clock.now();
    auto stream = std::make_shared<RecordingStream>();
    stream->cancel = true;
    engine->submit(doomed, stream);
    stream->wait();
  }
  const std::string text = registry.expose();
  const auto counts = [&](const std::string& line) { CHECK_THAT(text, Catch::Contains(line + ".0\n")); };
  counts(R"(vllm:prompt_tokens_total{model_name="smol",engine="0"} 200)");
  counts(R"(vllm:generation_tokens_total{model_name="smol",engine="0"} 30)");
  counts(R"(vllm:prefix_cache_queries_total{model_name="smol",engine="0"} 200)");
  counts(R"(vllm:prefix_cache_hits_total{model_name="smol",engine="0"} 99)");
  counts(R"(vllm:request_success_total{finished_reason="length",model_name="smol",engine="0"} 3)");
  counts(R"(vllm:request_success_total{finished_reason="abort",model_name="smol",engine="0"} 1)");
  counts(R"(vllm:request_params_n_count{model_name="smol",engine="0"} 2)");
  counts(R"(vllm:time_to_first_token_seconds_count{model_name="smol",engine="0"} 2)");
  counts(R"(vllm:inter_token_latency_seconds_count{model_name="smol",engine="0"} 27)");
  CHECK_THAT(text, Catch::Contains(R"(vllm:cache_config_info{block_size="16",num_gpu_blocks="512",cache_dtype="f16")"));
  for (const char* name :
       {"num_requests_running", "num_requests_waiting", "kv_cache_usage_perc", "num_preemptions_total",
        "iteration_tokens_total", "request_prompt_tokens", "request_generation_tokens", "request_params_max_tokens",
        "e2e_request_latency_seconds", "request_queue_time_seconds", "request_inference_time_seconds",
        "request_prefill_time_seconds", "request_decode_time_seconds", "spec_decode_num_drafts_total",
        "spec_decode_num_draft_tokens_total", "spec_decode_num_accepted_tokens_total"}) {
    CHECK_THAT(text, Catch::Contains(std::string("# TYPE vllm:") + name));
  }
}

// Hidden: test_llm "[.speed]" prints what the engine itself adds to a step of 256 sequences.
class NullExecutable final : public ops::Executable {
 public:
  Result<void> step(const ops::Batch& batch, std::span<ops::Sampled> out) override {
    for (std::size_t i = 0; i < batch.rows.size(); ++i) out[i].token = static_cast<std::int32_t>(mix(i, ++calls_) % 70);
    return {};
  }
  void copy_page(std::uint32_t, std::uint32_t, std::uint32_t) override {}
  std::vector<float> logits(std::uint32_t) const override { return {}; }
  ops::MemoryUse memory() const override { return {}; }

 private:
  std::uint64_t calls_ = 0;
};

class NullStream final : public engine::ResponseStream {
 public:
  void done() override {}
  void error(Error) override {}
};

TEST_CASE("StepOverheadOf256Sequences", "[.speed]") {
  EngineLimits limits = fake_limits();
  limits.max_num_seqs = 256;
  limits.rows_max = 256;
  limits.max_num_batched_tokens = 512;
  limits.max_model_len = 4096;
  limits.pages = 256 * 256;
  FakeEngine fake(limits);
  MetricsRegistry registry;
  LlmMetrics metrics(registry, "fake");
  fake.metrics = &metrics;
  EngineParts parts = fake.parts();
  parts.executable = std::make_unique<NullExecutable>();
  parts.clock = &system_clock();
  EngineCore core(std::move(parts));
  for (unsigned i = 0; i < 256; ++i)
    core.add({make_request(make_prompt(100, i), 3000), std::make_shared<NullStream>(), {}});
  for (int i = 0; i < 200; ++i) core.step();
  std::vector<double> times;
  for (int i = 0; i < 1000; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    core.step();
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  std::printf("a step of 256 sequences: median %.1f us, p99 %.1f us\n", times[500], times[990]);
}

}  // namespace
}  // namespace jackdaw::llm
