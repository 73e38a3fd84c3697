#include <catch2/catch.hpp>

#include "tests/unit/api/openai_world.h"

using namespace jackdaw;
using namespace jackdaw::api;

TEST_CASE("CompletionsAnswerWithOpenAisObject") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  mock->reply = " there";
  const auto exchange = world.complete(R"("prompt":"hi","request_id":"r1")");
  CHECK(exchange->answer->status == 200);
  CHECK(
      exchange->answer->body ==
      R"({"id":"cmpl-r1","object":"text_completion","created":1700000000,"model":"m",)"
      R"("system_fingerprint":"jackdaw-0.0.0","service_tier":null,"choices":[{"index":0,"text":" there",)"
      R"("logprobs":null,"finish_reason":"stop","stop_reason":null}],)"
      R"("usage":{"prompt_tokens":3,"total_tokens":9,"completion_tokens":6,"prompt_tokens_details":{"cached_tokens":0}}})");
  const engine::GenerateInputs& inputs = mock->taken.front().inputs();
  CHECK(inputs.prompt == std::vector<engine::TokenId>{MockCodec::bos_token, 'h', 'i'});
  CHECK(*inputs.max_tokens == 16);
  CHECK(inputs.continues_text);
}

TEST_CASE("ChoicesOfSeveralPromptsAreNumberedPromptByPrompt") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  const auto exchange = world.complete(R"("prompt":["a",[98,99]],"n":2,"echo":true)");
  REQUIRE(mock->taken.size() == 2);
  CHECK(mock->taken[1].inputs().prompt == std::vector<engine::TokenId>{98, 99});
  // The second prompt is done first.
  mock->taken[1].answer("2");
  CHECK_FALSE(exchange->answer);
  mock->taken[0].answer("1");
  exchange->run();
  const std::string& body = exchange->answer->body;
  CHECK(holds(body, R"("index":0,"text":"a1")"));
  CHECK(holds(body, R"("index":1,"text":"a1")"));
  CHECK(holds(body, R"("index":2,"text":"bc2")"));
  CHECK(holds(body, R"("index":3,"text":"bc2")"));
  CHECK(holds(body, R"("usage":{"prompt_tokens":4,"total_tokens":8,"completion_tokens":4)"));
}

TEST_CASE("CompletionsStream") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  const auto exchange = world.complete(R"("prompt":["a","b"],"stream":true,"request_id":"r1","echo":true)");
  mock->taken[1].prompt_done();
  mock->taken[1].say("y");
  exchange->run();
  mock->taken[0].answer("x", engine::FinishReason::length);
  mock->taken[1].say("z", 0, engine::FinishReason::stop);
  mock->taken[1].finish();
  exchange->run();
  const std::string head =
      R"({"id":"cmpl-r1","object":"text_completion","created":1700000000,"model":"m","system_fingerprint":"jackdaw-0.0.0",)";
  const auto events = events_of(exchange->events->sent);
  REQUIRE(events.size() == 4);
  CHECK(events[0] == head + R"("choices":[{"index":1,"text":"by","logprobs":null,"finish_reason":null}]})");
  CHECK(events[1] ==
        head + R"("choices":[{"index":0,"text":"ax","logprobs":null,"finish_reason":"length","stop_reason":null}]})");
  CHECK(events[2] ==
        head + R"("choices":[{"index":1,"text":"z","logprobs":null,"finish_reason":"stop","stop_reason":null}]})");
  CHECK(events[3] == "[DONE]");
}

TEST_CASE("LegacyLogprobsHaveFourParallelLists") {
  OpenAiWorld world;
  world.serve_llm("m")->reply = "ab";
  const auto exchange = world.complete(R"("prompt":"hi","logprobs":2)");
  CHECK(holds(exchange->answer->body,
              R"("logprobs":{"text_offset":[0,1],"token_logprobs":[-0.5,-0.5],"tokens":["a","b"],)"
              R"("top_logprobs":[{"a":-0.5,"b":-1.5},{"b":-0.5,"c":-1.5}]})"));
  const auto streamed = world.complete(R"("prompt":"hi","logprobs":0,"stream":true)");
  CHECK(holds(streamed->events->sent, R"("logprobs":{"text_offset":[0,1],)"));
}

TEST_CASE("EchoWithLogprobsScoresThePrompt") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  mock->reply = "x";
  const std::string scored =
      R"("text":"hi","logprobs":{"text_offset":[0,1],"token_logprobs":[null,-0.5],"tokens":["h","i"],)"
      R"("top_logprobs":[null,{"i":-0.5}]},"finish_reason":"length","stop_reason":null)";
  const std::string members = R"("prompt":[104,105],"echo":true,"logprobs":1,"max_tokens":0)";
  const auto exchange = world.complete(members);
  CHECK(holds(exchange->answer->body, scored));
  CHECK(holds(exchange->answer->body, R"("total_tokens":2,"completion_tokens":0)"));
  CHECK(*mock->taken.front().inputs().max_tokens == 1);
  CHECK(mock->taken.front().inputs().prompt_logprobs == 1);
  CHECK(holds(world.complete(members + R"(,"stream":true)")->events->sent, scored));
  const auto both = world.complete(R"("prompt":[104],"echo":true,"logprobs":1,"max_tokens":1)");
  CHECK(holds(both->answer->body,
              R"("text":"hx","logprobs":{"text_offset":[0,1],"token_logprobs":[null,-0.5],"tokens":["h","x"])"));
}

TEST_CASE("PromptLogprobsOfCompletionsStandInTheirChoice") {
  OpenAiWorld world;
  world.serve_llm("m")->reply = "x";
  const auto exchange = world.complete(R"("prompt":[104,105],"prompt_logprobs":0)");
  CHECK(holds(exchange->answer->body,
              R"("prompt_logprobs":[null,{"105":{"logprob":-0.5,"rank":1,"decoded_token":"i"}}]})"));
}

TEST_CASE("PartsOfCharactersAreNamedByTheirBytes") {
  OpenAiWorld world;
  world.serve_llm("m")->reply = "\xc3";
  const auto exchange = world.complete(R"("prompt":"hi","logprobs":0,"return_token_ids":true)");
  CHECK(holds(exchange->answer->body, R"("tokens":["bytes:\\xc3"],"top_logprobs":[{"bytes:\\xc3":-0.5}])"));
  CHECK(holds(exchange->answer->body, R"("prompt_token_ids":[256,104,105],"token_ids":[195])"));
}

TEST_CASE("TheDefaultLengthShrinksToTheContext") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  mock->reply = "x";
  mock->codec_value.max_model_len_value = 10;
  CHECK(world.complete(R"("prompt":"abc")")->answer->status == 200);
  CHECK(*mock->taken.back().inputs().max_tokens == 6);
  CHECK(world.complete(R"("prompt":"abc","max_tokens":16)")->answer->status == 400);
  CHECK(world.complete(R"("prompt":"abcdefghi")")->answer->status == 400);
}

TEST_CASE("EmptyAndForeignPromptsAreRefused") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  mock->reply = "x";
  CHECK(world.complete(R"("prompt":"")")->answer->status == 200);  // BOS alone
  CHECK(mock->taken.back().inputs().prompt == std::vector<engine::TokenId>{MockCodec::bos_token});
  CHECK(holds(world.complete(R"("prompt":[5,999])")->answer->body, "token id 999 is out of the vocabulary"));
}
