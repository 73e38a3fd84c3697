// What the engine does with a request, one behaviour at a time, stepped by hand over the hash model.
#include "src/llm/engine_core.h"

#include <catch2/catch.hpp>
#include <numeric>

#include "fakes.h"
#include "src/llm/request_check.h"

namespace jackdaw::llm {
namespace {

using engine::FinishReason;

TEST_CASE("AnAnswerHasItsTokensUsageAndEnd") {
  FakeEngine fake;
  EngineCore core(fake.parts());
  auto stream = add(core, make_request(make_prompt(40, 1), 10));
  run_to_end(core);
  CHECK_FALSE(stream->failure);
  REQUIRE(stream->choices.size() == 1);
  const auto& choice = stream->choices[0];
  CHECK(choice.tokens.size() == 10);
  CHECK(choice.finish == FinishReason::length);
  CHECK(choice.text == fake.tokenizer->decode(choice.tokens));
  CHECK(stream->prompt.prompt_tokens == 40);
  CHECK(stream->used.prompt_tokens == 40);
  CHECK(stream->used.completion_tokens == 10);
  CHECK(stream->used.cached_tokens == 0);
  CHECK(core.cache().free_pages() == core.cache().pages());
}

TEST_CASE("TheSecondRequestWithAPrefixComputesOnlyTheRest") {
  FakeEngine fake;
  EngineCore core(fake.parts());
  auto first = add(core, make_request(make_prompt(100, 1), 1));
  run_to_end(core);
  const auto before = fake.work->tokens;
  auto second = add(core, make_request(make_prompt(100, 1), 1));
  run_to_end(core);
  CHECK(fake.work->tokens - before == 1);
  CHECK(second->used.cached_tokens == 99);
  CHECK(second->choices[0].tokens == first->choices[0].tokens);
  auto salted = make_request(make_prompt(100, 1), 1);
  salted->generate->cache_salt = "tenant";
  auto third = add(core, salted);
  run_to_end(core);
  CHECK(third->used.cached_tokens == 0);
  CHECK(third->choices[0].tokens == first->choices[0].tokens);
}

TEST_CASE("AFollowUpTurnFindsThePreviousAnswer") {
  FakeEngine fake;
  EngineCore core(fake.parts());
  auto prompt = make_prompt(50, 1);
  auto first = add(core, make_request(prompt, 30));
  run_to_end(core);
  prompt.insert(prompt.end(), first->choices[0].tokens.begin(), first->choices[0].tokens.end());
  prompt.push_back(5);
  auto second = add(core, make_request(prompt, 1));
  run_to_end(core);
  CHECK(second->used.cached_tokens == 79);  // the last token of the answer was never computed
}

TEST_CASE("ChoicesComputeTheirPromptOnce") {
  FakeEngine fake;
  EngineCore core(fake.parts());
  auto request = make_request(make_prompt(100, 1), 5);
  request->generate->choices = 4;
  request->generate->sampling.temperature = 1.0f;
  auto stream = add(core, request);
  run_to_end(core);
  CHECK(fake.work->tokens == 100 + 4 * 4);
  CHECK(fake.work->copies == 3);
  REQUIRE(stream->choices.size() == 4);
  CHECK(stream->choices[0].tokens != stream->choices[1].tokens);
  CHECK(stream->used.completion_tokens == 20);
  // Choice 0 draws what n = 1 would.
  request->generate->choices = 1;
  CHECK(alone(*request)[0].tokens == stream->choices[0].tokens);
}

TEST_CASE("EndTokensStopUnlessIgnored") {
  const FakeModel model{.end_bias = 4.0f};  // soon
  auto request = make_request(make_prompt(20, 3), 200);
  request->generate->sampling.temperature = 1.0f;
  request->generate->ignore_eos = false;
  const auto ended = alone(*request, model)[0];
  CHECK(ended.finish == FinishReason::stop);
  CHECK(ended.tokens.back() == fake_eos);
  CHECK(ended.stop_token == -1);
  CHECK(ended.text.find("<end>") == std::string::npos);
  request->generate->ignore_eos = true;
  const auto ignored = alone(*request, model)[0];
  CHECK(ignored.finish == FinishReason::length);
  CHECK(ignored.tokens.size() == 200);
  request->generate->ignore_eos = false;
  request->generate->min_tokens = 150;
  const auto held_back = alone(*request, model)[0];
  CHECK(held_back.tokens.size() > 150);
  CHECK(std::find(held_back.tokens.begin(), held_back.tokens.begin() + 150, fake_eos) ==
        held_back.tokens.begin() + 150);
  request->generate->min_tokens = 0;
  request->generate->include_stop_in_output = true;
  request->generate->skip_special_tokens = false;
  const auto shown = alone(*request, model)[0];
  CHECK(shown.text == ended.text + "<end>");
}

TEST_CASE("EndTokensOfTheGenerationConfigCount") {
  FakeEngine fake;
  auto request = make_request(make_prompt(20, 3), 200);
  request->generate->ignore_eos = false;
  const auto plain = alone(*request)[0];
  REQUIRE(plain.tokens.size() > 5);
  fake.defaults.end_tokens = {plain.tokens[4]};
  EngineCore core(fake.parts());
  auto stream = add(core, request);
  run_to_end(core);
  CHECK(stream->choices[0].finish == FinishReason::stop);
  CHECK(stream->choices[0].tokens.size() <= 5);
}

TEST_CASE("StopTokensAndStopStringsEndTheAnswer") {
  auto request = make_request(make_prompt(30, 9), 100);
  const auto plain = alone(*request)[0];
  SECTION("a token") {
    request->generate->stop_tokens = {plain.tokens[7]};
    const auto stopped = alone(*request)[0];
    CHECK(stopped.finish == FinishReason::stop);
    CHECK(stopped.stop_token == plain.tokens[7]);
    CHECK(stopped.tokens.back() == plain.tokens[7]);
  }
  SECTION("a string across tokens") {
    const std::string stop = plain.text.substr(6, 3);
    request->generate->stop = {"no such thing", stop};
    const auto stopped = alone(*request)[0];
    CHECK(stopped.finish == FinishReason::stop);
    CHECK(stopped.stop_text == stop);
    CHECK(stopped.text == plain.text.substr(0, plain.text.find(stop)));
    request->generate->include_stop_in_output = true;
    CHECK(alone(*request)[0].text == plain.text.substr(0, plain.text.find(stop)) + stop);
  }
}

TEST_CASE("BadWordsAreNeverProduced") {
  auto request = make_request(make_prompt(30, 9), 200);
  request->generate->sampling.temperature = 1.5f;
  const auto plain = alone(*request)[0];
  const std::string single(FakeTokenizer().bytes(plain.tokens[3]));
  const std::string twice =
      std::string(FakeTokenizer().bytes(plain.tokens[10])) + std::string(FakeTokenizer().bytes(plain.tokens[11]));
  request->generate->sampling.bad_words = {single, twice};
  const auto clean = alone(*request)[0];
  CHECK(std::find(clean.tokens.begin(), clean.tokens.end(), plain.tokens[3]) == clean.tokens.end());
  for (std::size_t i = 0; i + 1 < clean.tokens.size(); ++i) {
    CHECK_FALSE((clean.tokens[i] == plain.tokens[10] && clean.tokens[i + 1] == plain.tokens[11]));
  }
}

TEST_CASE("NoTokensMeansThePromptOnly") {
  FakeEngine fake;
  EngineCore core(fake.parts());
  auto request = make_request(make_prompt(50, 2), 0);
  request->generate->prompt_logprobs = 2;
  request->generate->choices = 2;
  auto stream = add(core, request);
  run_to_end(core);
  CHECK(stream->choices.size() == 2);
  CHECK(stream->choices[1].finish == FinishReason::length);
  CHECK(stream->choices[0].tokens.empty());
  CHECK(stream->used.completion_tokens == 0);
  const auto& logprobs = stream->prompt.prompt_logprobs;
  REQUIRE(logprobs.size() == 50);
  CHECK(logprobs[0].top.empty());
  for (std::size_t i = 1; i < logprobs.size(); ++i) {
    CHECK(logprobs[i].token == request->generate->prompt[i]);
    CHECK(logprobs[i].logprob < 0.0f);
    CHECK(logprobs[i].top.size() == 2);
  }
}

TEST_CASE("PromptLogprobsAreTheSameInChunks") {
  auto request = make_request(make_prompt(90, 2), 3);
  request->generate->prompt_logprobs = 0;
  std::vector<float> expected;
  for (const std::uint32_t chunk : {128u, 16u, 7u}) {
    EngineLimits limits = fake_limits();
    limits.max_num_seqs = 4;
    limits.max_num_batched_tokens = chunk;
    limits.rows_max = chunk == 7 ? 4 : 32;
    FakeEngine fake(limits);
    EngineCore core(fake.parts());
    auto warm = add(core, make_request(make_prompt(90, 2), 1));  // a cached prefix must not hide any rows
    run_to_end(core);
    auto stream = add(core, request);
    run_to_end(core);
    std::vector<float> logprobs;
    for (const auto& entry : stream->prompt.prompt_logprobs) logprobs.push_back(entry.logprob);
    REQUIRE(logprobs.size() == 90);
    if (expected.empty()) expected = logprobs;
    CHECK(logprobs == expected);
  }
}

TEST_CASE("CancelledRequestsGiveTheirPagesBackWithinAStep") {
  FakeEngine fake;
  EngineCore core(fake.parts());
  auto stream = add(core, make_request(make_prompt(100, 1), 400));
  auto queued = add(core, make_request(make_prompt(100, 2), 400));
  for (int i = 0; i < 5; ++i) core.step();
  CHECK(core.cache().free_pages() < core.cache().pages());
  stream->cancel = true;
  queued->cancel = true;
  core.step();
  CHECK(core.cache().free_pages() == core.cache().pages());
  REQUIRE(stream->failure);
  CHECK(stream->failure->code == Code::cancelled);
  CHECK(core.idle());
}

// A gauge that is only set while there is work keeps its last value for as long as nothing comes.
TEST_CASE("GaugesFallToNothingWhenTheLastRequestIsCancelledOrFails") {
  FakeEngine fake;
  MetricsRegistry registry;
  LlmMetrics metrics(registry, "fake");
  fake.metrics = &metrics;
  EngineCore core(fake.parts());
  auto stream = add(core, make_request(make_prompt(100, 1), 400));
  for (int i = 0; i < 5; ++i) core.step();
  REQUIRE(metrics.running.value() == 1);
  REQUIRE(metrics.kv_cache_usage.value() > 0);

  SECTION("cancelled: the next step lets go of it") {
    stream->cancel = true;
    core.step();
  }
  SECTION("failed: at once, for there may be no step after it") {
    core.fail_all(make_error(Code::internal, "The device is gone."));
  }
  SECTION("aborted: at once") {
    core.abort_all(make_error(Code::not_ready, "The model is being shut down."));
  }
  CHECK(core.idle());
  CHECK(metrics.running.value() == 0);
  CHECK(metrics.waiting.value() == 0);
  CHECK(metrics.kv_cache_usage.value() == 0);
}

TEST_CASE("RequestsPastTheirDeadlineEnd") {
  FakeEngine fake(fake_limits(), {.ms_per_step = 10});
  EngineCore core(fake.parts());
  auto request = make_request(make_prompt(10, 1), 400);
  request->deadline = fake.clock.now() + std::chrono::milliseconds(55);
  auto stream = add(core, request, fake.clock.now());
  run_to_end(core);
  REQUIRE(stream->failure);
  CHECK(stream->failure->code == Code::deadline_exceeded);
  CHECK(stream->choices[0].tokens.size() == 6);
}

TEST_CASE("AFailedStepEndsEverythingAndIsRemembered") {
  FakeEngine fake(fake_limits(), {.fail_at_step = 3});
  EngineCore core(fake.parts());
  auto a = add(core, make_request(make_prompt(10, 1), 50));
  auto b = add(core, make_request(make_prompt(10, 2), 50));
  for (int i = 0; i < 5; ++i) core.step();
  REQUIRE(a->failure);
  REQUIRE(b->failure);
  CHECK(a->failure->message == "The device caught fire.");
  CHECK(core.broken());
  CHECK(core.idle());
}

TEST_CASE("SmallerPrioritiesGoFirst") {
  EngineLimits limits = fake_limits();
  limits.max_num_seqs = 1;
  FakeEngine fake(limits);
  EngineCore core(fake.parts());
  auto running = add(core, make_request(make_prompt(10, 1), 5));
  core.step();
  auto late = make_request(make_prompt(10, 2), 5);
  late->generate->priority = 5;
  auto soon = make_request(make_prompt(10, 3), 5);
  soon->generate->priority = -1;
  auto late_stream = add(core, late);
  auto soon_stream = add(core, soon);
  while (!soon_stream->ended) core.step();
  CHECK(late_stream->prompts == 0);
  run_to_end(core);
  CHECK(late_stream->ended);
}

TEST_CASE("TheLowestRankIsPreemptedAndRecomputed") {
  EngineLimits limits = fake_limits();
  limits.pages = 12;
  FakeEngine fake(limits);
  MetricsRegistry registry;
  LlmMetrics metrics(registry, "fake");
  fake.metrics = &metrics;
  EngineCore core(fake.parts());
  auto first = make_request(make_prompt(60, 1), 100);
  auto second = make_request(make_prompt(60, 2), 100);
  auto a = add(core, first);
  auto b = add(core, second);
  while (!a->ended) core.step();
  CHECK_FALSE(b->ended);
  run_to_end(core);
  CHECK(metrics.preemptions.value() >= 1);
  CHECK(a->choices[0].tokens == alone(*first)[0].tokens);
  CHECK(b->choices[0].tokens == alone(*second)[0].tokens);
  CHECK(b->choices[0].tokens.size() == 100);
}

TEST_CASE("LongPromptsAreNotStarvedByShortOnes") {
  EngineLimits limits = fake_limits();
  limits.max_num_seqs = 4;
  limits.max_num_batched_tokens = 32;
  FakeEngine fake(limits);
  EngineCore core(fake.parts());
  std::vector<std::shared_ptr<RecordingStream>> shorts;
  for (int i = 0; i < 3; ++i) shorts.push_back(add(core, make_request(make_prompt(20, static_cast<unsigned>(i)), 10)));
  auto big = add(core, make_request(make_prompt(400, 77), 5));
  int steps = 0;
  while (!big->ended) {
    REQUIRE(++steps < 60);
    shorts.push_back(add(core, make_request(make_prompt(20, 100u + static_cast<unsigned>(steps)), 10)));
    core.step();
  }
  core.fail_all(make_error(Code::cancelled, "The test is over."));
}

TEST_CASE("ChunksOfPromptLeaveRoomForTheInterTokenLatency") {
  EngineLimits limits = fake_limits();
  limits.itl_target_ms = 50;
  limits.speculative_tokens = 0;
  // 10 ms a step and 1 ms a token: some 40 tokens of prompt fit beside an answer.
  FakeEngine fake(limits, {.ms_per_step = 10, .ms_per_token = 1});
  EngineCore core(fake.parts());
  auto answer = add(core, make_request(make_prompt(10, 1), 400));
  for (int i = 0; i < 10; ++i) core.step();
  for (unsigned i = 0; i < 3; ++i) {  // learns what prompts cost
    auto other = add(core, make_request(make_prompt(300, 50 + i), 1));
    while (!other->ended) core.step();
  }
  fake.work->largest_step = 0;
  auto big = add(core, make_request(make_prompt(400, 2), 1));
  Instant last = fake.clock.now();
  while (!big->ended) {
    core.step();
    const Duration took = fake.clock.now() - last;
    CHECK(took < std::chrono::milliseconds(75));
    last = fake.clock.now();
  }
  CHECK(fake.work->largest_step >= 32);
  CHECK(answer->choices[0].tokens.size() > 10);
  core.fail_all(make_error(Code::cancelled, "The test is over."));
  // Alone, a prompt takes the whole budget.
  fake.work->largest_step = 0;
  auto alone_now = add(core, make_request(make_prompt(400, 3), 1));
  run_to_end(core);
  CHECK(fake.work->largest_step == limits.max_num_batched_tokens);
}

TEST_CASE("RepetitiveTextIsGuessedAndGivesTheSameTokens") {
  const FakeModel model{.context = 2, .ms_per_step = 10, .ms_per_token = 0.1};
  auto request = make_request(make_prompt(30, 4), 400);
  const auto expected = alone(*request, model)[0];
  FakeEngine fake(fake_limits(), model);
  EngineCore core(fake.parts());
  auto stream = add(core, request);
  run_to_end(core);
  CHECK(stream->choices[0].tokens == expected.tokens);
  CHECK(stream->used.accepted_tokens > 200);
  CHECK(fake.work->steps < 250);
  CHECK(stream->choices[0].deltas < 250);
}

TEST_CASE("WhereGuessingDoesNotHelpItStopsSoon") {
  // Only two tokens to choose from and no rule between them: n-grams are found all the time and are wrong half of it;
  // a draft token costs as much as a step.
  const FakeModel model{.ms_per_step = 1, .ms_per_token = 1};
  auto request = make_request(make_prompt(30, 4), 480);
  request->generate->sampling.temperature = 100.0f;
  request->generate->sampling.allowed_tokens = {1, 2};
  FakeEngine fake(fake_limits(), model);
  EngineCore core(fake.parts());
  auto stream = add(core, request);
  run_to_end(core);
  CHECK(stream->choices[0].tokens == alone(*request, model)[0].tokens);
  CHECK(stream->used.draft_tokens > 0);
  CHECK(stream->used.draft_tokens < 80);
}

TEST_CASE("DraftsRepeatWhatFollowedTheLastTime") {
  std::vector<std::int32_t> draft;
  const std::vector<std::int32_t> tokens{1, 2, 3, 4, 5, 9, 1, 2, 3, 7, 8, 1, 2, 3};
  propose_draft(tokens, 2, draft);
  CHECK(draft == std::vector<std::int32_t>{7, 8});
  draft.clear();
  propose_draft(std::vector<std::int32_t>{4, 2, 3, 6, 2, 3}, 8, draft);
  CHECK(draft == std::vector<std::int32_t>{6, 2, 3});
  draft.clear();
  propose_draft(std::vector<std::int32_t>{1, 2, 3, 4}, 8, draft);
  propose_draft(std::vector<std::int32_t>{1}, 8, draft);
  propose_draft({}, 8, draft);
  CHECK(draft.empty());
}

TEST_CASE("AbortSendsWhatIsThereAndAFinalEvent") {
  FakeEngine fake;
  EngineCore core(fake.parts());
  auto begun = add(core, make_request(make_prompt(10, 1), 400));
  for (int i = 0; i < 5; ++i) core.step();
  auto queued = add(core, make_request(make_prompt(10, 2), 400));
  core.abort_all(make_error(Code::not_ready, "Shutting down."));
  CHECK(core.idle());
  CHECK(begun->ended);
  CHECK_FALSE(begun->failure);
  CHECK(begun->choices[0].finish == FinishReason::abort);
  CHECK(begun->usages == 1);
  REQUIRE(queued->failure);
  CHECK(queued->failure->code == Code::not_ready);
}

TEST_CASE("LogprobsComeWithEachToken") {
  auto request = make_request(make_prompt(10, 1), 6);
  request->generate->top_logprobs = 3;
  const auto choice = alone(*request)[0];
  REQUIRE(choice.logprobs.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(choice.logprobs[i].token == choice.tokens[i]);
    REQUIRE(choice.logprobs[i].top.size() == 3);
    CHECK(choice.logprobs[i].top[0].token == choice.tokens[i]);  // greedy
    CHECK(choice.logprobs[i].top[0].logprob == choice.logprobs[i].logprob);
  }
}

TEST_CASE("TheContextsEndIsALength") {
  auto request = make_request(make_prompt(500, 1), 12);
  request->generate->max_tokens.reset();
  const auto choice = alone(*request)[0];
  CHECK(choice.tokens.size() == 12);
  CHECK(choice.finish == FinishReason::length);
}

// ---- checks -------------------------------------------------------------------------------------------------------

void refuses(const engine::GenerateInputs& inputs, const std::string& where, const std::string& words) {
  const auto checked = check_request(inputs, fake_limits());
  REQUIRE_FALSE(checked.has_value());
  CHECK(checked.error().code == Code::invalid_argument);
  CHECK(checked.error().where == where);
  CHECK_THAT(checked.error().message, Catch::Contains(words));
}

TEST_CASE("RequestsThatCannotBeAnsweredAreRefusedByName") {
  engine::GenerateInputs good = *make_request(make_prompt(10, 1), 10)->generate;
  CHECK(check_request(good, fake_limits()).has_value());
  auto inputs = good;
  inputs.prompt.clear();
  refuses(inputs, "prompt", "empty");
  inputs = good;
  inputs.max_tokens = 510;
  refuses(inputs, "max_tokens",
          "maximum context length is 512 tokens, but 520 were asked for: 10 in the prompt and 510");
  inputs = good;
  inputs.prompt = make_prompt(512, 1);
  inputs.max_tokens.reset();
  refuses(inputs, "prompt", "the prompt has 512");
  inputs.max_tokens = 0;
  CHECK(check_request(inputs, fake_limits()).has_value());
  inputs = good;
  inputs.prompt[3] = fake_vocabulary;
  refuses(inputs, "prompt", "Token id 80");
  inputs = good;
  inputs.prompt[3] = -1;
  refuses(inputs, "prompt", "Token id -1");
  inputs = good;
  inputs.choices = 17;
  refuses(inputs, "n", "16");
  inputs = good;
  inputs.choices = 0;
  refuses(inputs, "n", "0");
  inputs = good;
  inputs.sampling.temperature = std::numeric_limits<float>::quiet_NaN();
  refuses(inputs, "temperature", "nan");
  inputs = good;
  inputs.sampling.top_p = 0.0f;
  refuses(inputs, "top_p", "(0, 1]");
  inputs = good;
  inputs.sampling.logit_bias = {{500, 1.0f}};
  refuses(inputs, "logit_bias", "500");
  inputs = good;
  inputs.sampling.allowed_tokens = {-5};
  refuses(inputs, "allowed_token_ids", "-5");
  inputs = good;
  inputs.stop_tokens = {99};
  refuses(inputs, "stop_token_ids", "99");
  inputs = good;
  inputs.stop = {""};
  refuses(inputs, "stop", "empty");
  inputs = good;
  inputs.min_tokens = 11;
  refuses(inputs, "min_tokens", "11");
}

TEST_CASE("DefaultsComeFromTheGenerationConfig") {
  auto defaults = parse_generation_config(
      R"({"temperature": 0.6, "top_p": 0.95, "top_k": 20, "min_p": 7, "eos_token_id": [5, 6], "do_sample": true})");
  REQUIRE(defaults.has_value());
  CHECK(defaults->temperature == 0.6f);
  CHECK(defaults->end_tokens == std::vector<std::int32_t>{5, 6});
  CHECK_FALSE(defaults->min_p);  // out of range
  engine::GenerateInputs inputs;
  inputs.sampling.top_k = 3;
  inputs.sampling.logit_bias = {{9, 1.0f}, {2, 2.0f}};
  const auto parameters = resolve_sampling(inputs, *defaults, 42, 0);
  CHECK(parameters.temperature == 0.6f);
  CHECK(parameters.top_p == 0.95f);
  CHECK(parameters.top_k == 3);
  CHECK(parameters.repetition_penalty == 1.0f);
  CHECK(parameters.seed == 42);
  CHECK(parameters.logit_bias[0].first == 2);
  CHECK(resolve_sampling(inputs, *defaults, 42, 1).seed != 42);
  CHECK(parse_generation_config(R"({"eos_token_id": 7})")->end_tokens == std::vector<std::int32_t>{7});
  CHECK(parse_generation_config(R"({"eos_token_id": "x", "temperature": "hot", "top_k": null})").has_value());
  CHECK(parse_generation_config("[1]").error().code == Code::parse_error);
  CHECK(parse_generation_config("{").error().code == Code::parse_error);
}

}  // namespace
}  // namespace jackdaw::llm
