#include <catch2/catch.hpp>
#include <thread>

#include "tests/unit/api/openai_world.h"

using namespace jackdaw;
using namespace jackdaw::api;

namespace {

constexpr const char* fingerprint = R"("system_fingerprint":"jackdaw-0.0.0")";

}  // namespace

TEST_CASE("ChatAnswersWithOpenAisObject") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  mock->reply = "Hello \"you\"\n";
  const auto exchange = world.chat(R"("request_id":"r1")");
  REQUIRE(exchange->answer);
  CHECK(exchange->answer->status == 200);
  CHECK(
      exchange->answer->body ==
      std::string(R"({"id":"chatcmpl-r1","object":"chat.completion","created":1700000000,"model":"m",)") + fingerprint +
          R"(,"service_tier":null,"choices":[{"index":0,"message":{"role":"assistant","content":"Hello \"you\"\n",)"
          R"("refusal":null,"annotations":null,"audio":null,"function_call":null,"tool_calls":[],"reasoning":null},)"
          R"("logprobs":null,"finish_reason":"stop","stop_reason":null}],)"
          R"("usage":{"prompt_tokens":56,"total_tokens":68,"completion_tokens":12,"prompt_tokens_details":{"cached_tokens":0}}})");
  CHECK(exchange->header("x-request-id") == "r1");
  // What the template got, and no BOS beside it.
  const auto& prompt = mock->taken.front().inputs().prompt;
  CHECK(mock->codec_value.decode(prompt, false) == R"({"messages":[{"role":"user","content":"hi"}]}|assistant:)");
  CHECK(mock->taken.front().request->verb == engine::Verb::generate);
}

TEST_CASE("ChatStreamsOpenAisEvents") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  const auto exchange = world.chat(R"("stream":true,"request_id":"r1","stream_options":{"include_usage":true})");
  // The head leaves before the prompt is computed.
  REQUIRE(exchange->events);
  CHECK(exchange->answer->status == 200);
  CHECK(exchange->answer->content_type == "text/event-stream; charset=utf-8");
  CHECK(exchange->header("cache-control") == "no-cache");
  CHECK(exchange->header("x-accel-buffering") == "no");
  CHECK(exchange->events->sent.empty());
  auto& taken = mock->taken.front();
  taken.prompt_done(16);
  taken.say("Hel");
  exchange->run();
  taken.say("lo");
  taken.say("", 0, engine::FinishReason::stop);
  taken.finish(16);
  exchange->run();
  const std::string head =
      std::string(R"({"id":"chatcmpl-r1","object":"chat.completion.chunk","created":1700000000,"model":"m",)") +
      fingerprint;
  const auto events = events_of(exchange->events->sent);
  REQUIRE(events.size() == 6);
  CHECK(
      events[0] ==
      head +
          R"(,"choices":[{"index":0,"delta":{"role":"assistant","content":""},"logprobs":null,"finish_reason":null}],"usage":null})");
  CHECK(events[1] ==
        head +
            R"(,"choices":[{"index":0,"delta":{"content":"Hel"},"logprobs":null,"finish_reason":null}],"usage":null})");
  CHECK(events[2] ==
        head +
            R"(,"choices":[{"index":0,"delta":{"content":"lo"},"logprobs":null,"finish_reason":null}],"usage":null})");
  CHECK(
      events[3] ==
      head +
          R"(,"choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop","stop_reason":null}],"usage":null})");
  CHECK(
      events[4] ==
      head +
          R"(,"choices":[],"usage":{"prompt_tokens":56,"total_tokens":61,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":16}}})");
  CHECK(events[5] == "[DONE]");
  CHECK(exchange->events->ended);
  CHECK(exchange->executor_value.timers() == 0);
}

TEST_CASE("ChatStreamsOfSeveralChoicesInterleave") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  const auto exchange = world.chat(R"("stream":true,"n":2)");
  auto& taken = mock->taken.front();
  CHECK(taken.inputs().choices == 2);
  taken.prompt_done();
  taken.say("a", 1);
  taken.say("b", 0);
  exchange->run();
  taken.say("c", 0, engine::FinishReason::length);
  taken.say("d", 1, engine::FinishReason::stop);
  taken.finish();
  exchange->run();
  const auto events = events_of(exchange->events->sent);
  REQUIRE(events.size() == 9);
  CHECK(holds(events[0], R"("index":1,"delta":{"role":"assistant")"));
  CHECK(holds(events[1], R"("index":1,"delta":{"content":"a"})"));
  CHECK(holds(events[2], R"("index":0,"delta":{"role":"assistant")"));
  CHECK(holds(events[3], R"("index":0,"delta":{"content":"b"})"));
  CHECK(holds(events[4], R"("index":0,"delta":{"content":"c"})"));
  CHECK(holds(events[5], R"("index":0,"delta":{},"logprobs":null,"finish_reason":"length")"));
  CHECK(holds(events[6], R"("index":1,"delta":{"content":"d"})"));
  CHECK(holds(events[7], R"("index":1,"delta":{},"logprobs":null,"finish_reason":"stop")"));
  CHECK_FALSE(holds(exchange->events->sent, "usage"));
}

TEST_CASE("ChatLogprobsHaveTokensBytesAndAlternatives") {
  OpenAiWorld world;
  world.serve_llm("m")->reply = "\xc3";  // half a character: the text would be held back by an engine
  auto exchange = world.chat(R"("logprobs":true,"top_logprobs":2)");
  CHECK(holds(
      exchange->answer->body,
      R"("logprobs":{"content":[{"token":"�","logprob":-0.5,"bytes":[195],"top_logprobs":[)"
      R"({"token":"�","logprob":-0.5,"bytes":[195]},{"token":"�","logprob":-1.5,"bytes":[196]}]}],"refusal":null})"));
  world.serve_llm("m")->reply = "a";
  exchange = world.chat(R"("logprobs":true,"return_tokens_as_token_ids":true)");
  CHECK(holds(
      exchange->answer->body,
      R"("logprobs":{"content":[{"token":"token_id:97","logprob":-0.5,"bytes":[97],"top_logprobs":[]}],"refusal":null})"));
  exchange = world.chat(R"("logprobs":true,"stream":true)");
  CHECK(holds(exchange->events->sent, R"("delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":-0.5)"));
}

TEST_CASE("TokenIdsAndPromptTextComeWhenAsked") {
  OpenAiWorld world;
  world.serve_llm("m")->reply = "ab";
  const std::string members = R"("return_token_ids":true,"return_prompt_text":true,"truncate_prompt_tokens":2)";
  auto exchange = world.chat(members);
  CHECK(holds(exchange->answer->body, R"("stop_reason":null,"token_ids":[97,98]}])"));
  CHECK(holds(exchange->answer->body, R"("prompt_token_ids":[116,58],"prompt_text":"{\"messages\")"));
  exchange = world.chat(members + R"(,"stream":true)");
  const auto events = events_of(exchange->events->sent);
  CHECK(holds(events[0], R"("finish_reason":null}],"prompt_token_ids":[116,58],"prompt_text":"{)"));
  CHECK(holds(events[1], R"("finish_reason":null,"token_ids":[97,98]}]})"));
}

TEST_CASE("StopReasonNamesWhatStopped") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  const auto finish_with = [&](std::string text, engine::TokenId token) {
    const auto exchange = world.chat("");
    engine::TokenDelta delta;
    delta.finish = engine::FinishReason::stop;
    delta.stop_text = std::move(text);
    delta.stop_token = token;
    mock->taken.back().prompt_done();
    mock->taken.back().stream->tokens(std::move(delta));
    mock->taken.back().finish();
    exchange->run();
    return exchange->answer->body;
  };
  CHECK(holds(finish_with("\n", -1), R"("finish_reason":"stop","stop_reason":"\n")"));
  CHECK(holds(finish_with("", 42), R"("finish_reason":"stop","stop_reason":42)"));
  CHECK(holds(finish_with("", -1), R"("finish_reason":"stop","stop_reason":null)"));
}

TEST_CASE("EchoPutsTheAssistantsOwnLastMessageFirst") {
  OpenAiWorld world;
  world.serve_llm("m")->reply = " world";
  const std::string body = R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"Hello"}],)"
                           R"("continue_final_message":true,"echo":true)";
  CHECK(holds(world.post("/v1/chat/completions", body + "}")->answer->body, R"("content":"Hello world")"));
  const auto streamed = world.post("/v1/chat/completions", body + R"(,"stream":true})");
  CHECK(holds(streamed->events->sent, R"("delta":{"role":"assistant","content":"Hello"})"));
}

TEST_CASE("ContinuousUsageStandsInEveryChunk") {
  OpenAiWorld world;
  world.serve_llm("m")->reply = "ab";
  const auto exchange =
      world.chat(R"("stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true})");
  const auto events = events_of(exchange->events->sent);
  CHECK(holds(events[1], R"("usage":{"prompt_tokens":56,"total_tokens":58,"completion_tokens":2}})"));
}

TEST_CASE("PromptLogprobsOfAChatStandBesideItsChoices") {
  OpenAiWorld world;
  world.serve_llm("m")->reply = "a";
  const auto exchange = world.chat(R"("prompt_logprobs":1,"truncate_prompt_tokens":2)");
  CHECK(holds(exchange->answer->body,
              R"("prompt_logprobs":[null,{"58":{"logprob":-0.5,"rank":1,"decoded_token":":"}}])"));
}

TEST_CASE("PromptsBeyondTheContextAreRefusedWithTheNumbers") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  mock->codec_value.max_model_len_value = 61;
  mock->reply = "ok";
  CHECK(world.chat("")->answer->status == 200);
  CHECK(world.chat(R"("max_tokens":5)")->answer->status == 200);
  const auto over = world.chat(R"("max_tokens":6)");
  CHECK(over->answer->status == 400);
  CHECK(over->answer->body ==
        R"({"error":{"message":"This model's maximum context length is 61 tokens. However, you requested 62 tokens )"
        R"((56 in the messages, 6 in the completion). Please reduce the length of the messages or completion.",)"
        R"("type":"BadRequestError","param":"max_tokens","code":400}})");
  mock->codec_value.max_model_len_value = 56;
  const auto full = world.chat(R"("stream":true)");
  CHECK(full->answer->status == 400);
  CHECK_FALSE(full->events);
  CHECK(holds(full->answer->body, "maximum context length is 56 tokens"));
  CHECK(world.chat(R"("truncate_prompt_tokens":-1,"max_tokens":5)")->answer->status == 200);
  CHECK(mock->taken.back().inputs().prompt.size() == 51);
  CHECK(mock->taken.back().inputs().prompt.back() == ':');
  CHECK(world.chat(R"("truncate_prompt_tokens":10,"truncation_side":"right")")->answer->status == 200);
  CHECK(mock->taken.back().inputs().prompt.front() == '{');
}

TEST_CASE("TokensOutsideTheVocabularyAreRefused") {
  OpenAiWorld world;
  world.serve_llm("m")->reply = "ok";
  CHECK(holds(world.chat(R"("logit_bias":{"258":1})")->answer->body, R"("param":"logit_bias")"));
  CHECK(holds(world.chat(R"("allowed_token_ids":[300])")->answer->body, "vocabulary of 258 tokens"));
  CHECK(world.chat(R"("logit_bias":{"257":1})")->answer->status == 200);
}

TEST_CASE("TemplatesThatFailAreTheRequestsFault") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  mock->codec_value.render_failure = make_error(Code::invalid_argument, "Conversation roles must alternate");
  auto exchange = world.chat("");
  CHECK(exchange->answer->status == 400);
  CHECK(holds(exchange->answer->body, "Conversation roles must alternate"));
  mock->codec_value.render_failure = make_error(Code::unsupported, "This model has no chat template.");
  CHECK(world.chat("")->answer->status == 400);
  mock->codec_value.render_failure = make_error(Code::too_large, "The chat template's output is too long.");
  CHECK(world.chat("")->answer->status == 400);
  mock->codec_value.render_failure = make_error(Code::internal, "bug");
  CHECK(world.chat("")->answer->status == 500);
}

TEST_CASE("ChatTemplatesOfRequestsAreRefusedUnlessTrusted") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  mock->reply = "ok";
  CHECK(world.chat(R"("chat_template":"x")")->answer->status == 400);
  world.options.trust_request_chat_template = true;
  CHECK(world.chat(R"("chat_template":"x")")->answer->status == 200);
  CHECK(mock->codec_value.last_chat.chat_template == "x");
}

TEST_CASE("LongPromptsAreTokenizedOnTheWorkerPool") {
  OpenAiWorld world;
  const auto mock = world.serve_llm("m");
  mock->codec_value.max_model_len_value = 1 << 20;
  mock->reply = "ok";
  const auto exchange = world.chat(R"("documents":[{"text":")" + std::string(20'000, 'x') + R"("}])");
  for (int i = 0; i < 2000 && !exchange->answer; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    exchange->run();
  }
  REQUIRE(exchange->answer);
  CHECK(exchange->answer->status == 200);
  CHECK(mock->taken.front().inputs().prompt.size() > 20'000);
}

TEST_CASE("IgnoredFieldsAreNamedAndCounted") {
  OpenAiWorld world;
  world.serve_llm("m")->reply = "ok";
  const auto exchange = world.chat(R"("frobnicate":1,"twiddle":2)");
  CHECK(exchange->answer->status == 200);
  CHECK(exchange->header("x-ignored-fields") == "frobnicate, twiddle");
  CHECK(world.chat(R"("stream":true,"frobnicate":1)")->header("x-ignored-fields") == "frobnicate");
  CHECK(holds(world.metrics.expose(), R"(jackdaw_openai_ignored_fields_total{endpoint="chat"} 3)"));
}

TEST_CASE("TheClientsRequestIdIsTheAnswersId") {
  OpenAiWorld world;
  world.serve_llm("m")->reply = "ok";
  const auto exchange = world.send(net::Method::post, "/v1/chat/completions",
                                   R"({"messages":[{"role":"user","content":"hi"}]})", {{"x-request-id", "abc"}});
  CHECK(holds(exchange->answer->body, R"("id":"chatcmpl-abc")"));
  CHECK(exchange->header("x-request-id") == "abc");
  const auto made = world.chat("");
  CHECK(made->header("x-request-id").size() == 32);
  CHECK(holds(made->answer->body, "chatcmpl-" + made->header("x-request-id")));
}
