#include <catch2/catch.hpp>

#include "src/api/openai/generate_call.h"
#include "src/api/openai/generation_request.h"
#include "src/api/openai/parameters.h"

using namespace jackdaw;
using namespace jackdaw::api;
using namespace jackdaw::api::openai;

namespace {

std::variant<GenerationRequest, Refusal> read_chat(const std::string& members) {
  return read_generation(
      R"({"messages":[{"role":"user","content":"hi"}])" + (members.empty() ? "" : "," + members) + "}", Kind::chat);
}

std::variant<GenerationRequest, Refusal> read_text(const std::string& members) {
  return read_generation(R"({"prompt":"hi")" + (members.empty() ? "" : "," + members) + "}", Kind::completions);
}

GenerationRequest accepted(std::variant<GenerationRequest, Refusal> read) {
  if (const auto* refusal = std::get_if<Refusal>(&read)) FAIL(refusal->message);
  return std::get<GenerationRequest>(std::move(read));
}

Refusal refused(std::variant<GenerationRequest, Refusal> read) {
  if (std::holds_alternative<GenerationRequest>(read)) FAIL("was accepted");
  return std::get<Refusal>(std::move(read));
}

std::string context(const std::string& messages, const std::string& more = {}) {
  return accepted(read_generation(R"({"messages":)" + messages + more + "}", Kind::chat)).chat.context_json;
}

std::string refused_param(const std::string& messages) {
  const Refusal refusal = refused(read_generation(R"({"messages":)" + messages + "}", Kind::chat));
  CHECK(refusal.status == 400);
  return refusal.param;
}

}  // namespace

TEST_CASE("EveryHonouredParameterReachesTheEngine") {
  const GenerationRequest r = accepted(read_chat(
      R"("model":"m","temperature":0.5,"top_p":0.25,"top_k":40,"min_p":0.125,"repetition_penalty":1.5,)"
      R"("presence_penalty":-1,"frequency_penalty":2,"logit_bias":{"7":-100,"8":1.5},"seed":-1,)"
      R"("allowed_token_ids":[1,2],"bad_words":["x"],"max_tokens":9,"max_completion_tokens":7,"min_tokens":3,)"
      R"("stop":["a","b"],"stop_token_ids":[5],"include_stop_str_in_output":true,"ignore_eos":true,"n":2,)"
      R"("logprobs":true,"top_logprobs":3,"skip_special_tokens":false,"return_token_ids":true,)"
      R"("return_tokens_as_token_ids":true,"priority":-4,"cache_salt":"salt","request_id":"r1","stream":true,)"
      R"("stream_options":{"include_usage":true,"continuous_usage_stats":true},"truncate_prompt_tokens":100,)"
      R"("truncation_side":"right","add_special_tokens":true,"echo":true,"return_prompt_text":true)"));
  const engine::GenerateInputs& in = r.inputs;
  CHECK(r.model == "m");
  CHECK(*in.sampling.temperature == 0.5f);
  CHECK(*in.sampling.top_p == 0.25f);
  CHECK(*in.sampling.top_k == 40);
  CHECK(*in.sampling.min_p == 0.125f);
  CHECK(*in.sampling.repetition_penalty == 1.5f);
  CHECK(in.sampling.presence_penalty == -1.0f);
  CHECK(in.sampling.frequency_penalty == 2.0f);
  CHECK(in.sampling.logit_bias == std::vector<std::pair<engine::TokenId, float>>{{7, -100.0f}, {8, 1.5f}});
  CHECK(*in.sampling.seed == ~std::uint64_t{0});
  CHECK(in.sampling.allowed_tokens == std::vector<engine::TokenId>{1, 2});
  CHECK(in.sampling.bad_words == std::vector<std::string>{"x"});
  CHECK(*in.max_tokens == 7);
  CHECK(in.min_tokens == 3);
  CHECK(in.stop == std::vector<std::string>{"a", "b"});
  CHECK(in.stop_tokens == std::vector<engine::TokenId>{5});
  CHECK(in.include_stop_in_output);
  CHECK(in.ignore_eos);
  CHECK(in.choices == 2);
  CHECK(in.top_logprobs == 3);
  CHECK_FALSE(in.skip_special_tokens);
  CHECK_FALSE(in.continues_text);
  CHECK(in.priority == -4);
  CHECK(in.cache_salt == "salt");
  CHECK(r.request_id == "r1");
  CHECK((r.stream && r.include_usage && r.continuous_usage && r.return_token_ids && r.return_tokens_as_token_ids));
  CHECK((r.echo && r.return_prompt_text && r.truncate_right));
  CHECK(*r.truncate_prompt_tokens == 100);
  CHECK(*r.add_special_tokens);
  CHECK(r.ignored.empty());
}

TEST_CASE("WhatARequestDoesNotSayIsLeftToTheModel") {
  const GenerationRequest chat = accepted(read_chat(""));
  CHECK_FALSE(chat.inputs.sampling.temperature);
  CHECK_FALSE(chat.inputs.max_tokens);
  CHECK(chat.inputs.top_logprobs == -1);
  CHECK(chat.chat.add_generation_prompt);
  const GenerationRequest text = accepted(read_text(""));
  CHECK(*text.inputs.max_tokens == 16);
  CHECK(text.max_tokens_is_default);
  CHECK(text.inputs.continues_text);
}

TEST_CASE("NullIsTheSameAsNotSaid") {
  std::string members;
  for (const Parameter& parameter : parameters()) {
    if ((parameter.where & static_cast<unsigned>(Kind::chat)) == 0 || parameter.name == "messages") continue;
    if (!members.empty()) members += ',';
    members += '"' + std::string(parameter.name) + "\":null";
  }
  const GenerationRequest r = accepted(read_chat(members));
  CHECK(r.ignored.empty());
  CHECK(r.inputs.choices == 1);
}

TEST_CASE("ValuesOutOfRangeOrOfTheWrongTypeAreRefusedByName") {
  for (const char* member : {R"("temperature":2.1)",
                             R"("temperature":-0.1)",
                             R"("temperature":"hot")",
                             R"("temperature":true)",
                             R"("top_p":1.1)",
                             R"("top_p":-1)",
                             R"("top_k":-2)",
                             R"("top_k":1.5)",
                             R"("min_p":1.5)",
                             R"("repetition_penalty":0)",
                             R"("presence_penalty":2.5)",
                             R"("frequency_penalty":-2.5)",
                             R"("n":0)",
                             R"("n":129)",
                             R"("n":"1")",
                             R"("max_tokens":0)",
                             R"("max_tokens":-1)",
                             R"("max_tokens":4294967296)",
                             R"("max_completion_tokens":0)",
                             R"("min_tokens":-1)",
                             R"("seed":9223372036854775808)",
                             R"("seed":1.5)",
                             R"("seed":"1")",
                             R"("stop":"")",
                             R"("stop":[""])",
                             R"("stop":[1])",
                             R"("stop":7)",
                             R"("stop":{})",
                             R"("stop_token_ids":[-1])",
                             R"("stop_token_ids":["a"])",
                             R"("stop_token_ids":5)",
                             R"("logit_bias":{"a":1})",
                             R"("logit_bias":{"1":101})",
                             R"("logit_bias":{"-1":1})",
                             R"("logit_bias":{"1":"x"})",
                             R"("logit_bias":[])",
                             R"("logit_bias":{"99999999999":1})",
                             R"("allowed_token_ids":[])",
                             R"("bad_words":"x")",
                             R"("bad_words":[""])",
                             R"("logprobs":5)",
                             R"("top_logprobs":21,"logprobs":true)",
                             R"("top_logprobs":-1,"logprobs":true)",
                             R"("top_logprobs":2)",
                             R"("stream":"yes")",
                             R"("stream_options":{"include_usage":true})",
                             R"("stream_options":1,"stream":true)",
                             R"("cache_salt":"")",
                             R"("cache_salt":"a@b")",
                             R"("priority":1.5)",
                             R"("truncate_prompt_tokens":0)",
                             R"("truncate_prompt_tokens":-2)",
                             R"("truncation_side":"middle")",
                             R"("chat_template":"{{x}}")",
                             R"("chat_template_kwargs":{"messages":[]})",
                             R"("chat_template_kwargs":5)",
                             R"("documents":{})",
                             R"("reasoning_effort":"lots")",
                             R"("reasoning_effort":3)",
                             R"("model":3)",
                             R"("prompt_logprobs":-2)",
                             R"("prompt_logprobs":21)",
                             R"("echo":1)",
                             R"("request_id":7)"}) {
    INFO(member);
    const Refusal refusal = refused(read_chat(member));
    CHECK(refusal.status == 400);
    const std::string name = std::string(member + 1, std::string_view(member).find('"', 1) - 1);
    CHECK(refusal.param == name);
    CHECK(refusal.message.find(name) != std::string::npos);
  }
  CHECK(refused(read_chat(R"("max_tokens":4294967296)")).message ==
        "max_tokens must be at most 2147483647, got 4294967296.");
  CHECK(refused(read_chat(R"("max_tokens":-1)")).message == "max_tokens must be at least 0, got -1.");
  CHECK(refused(read_chat(R"("stop_token_ids":[1,"a"])")).message ==
        "stop_token_ids[1] must be an integer, not a string.");
  CHECK(refused(read_chat(R"("stream":true,"prompt_logprobs":1)")).param == "prompt_logprobs");
  CHECK(refused(read_chat(R"("min_tokens":5,"max_tokens":4)")).param == "min_tokens");
  CHECK(refused(read_chat(R"("continue_final_message":true,"add_generation_prompt":true)")).param ==
        "continue_final_message");
}

TEST_CASE("WhatWouldChangeTheAnswerAndIsNotSupportedIsRefusedByName") {
  for (const char* member : {R"("tools":[{"type":"function"}])",
                             R"("tool_choice":"auto")",
                             R"("functions":[{}])",
                             R"("function_call":"auto")",
                             R"("response_format":{"type":"json_object"})",
                             R"("response_format":{"type":"json_schema"})",
                             R"("structured_outputs":{"json":{}})",
                             R"("guided_json":{"a":1})",
                             R"("guided_regex":"a+")",
                             R"("guided_choice":["a"])",
                             R"("guided_grammar":"root ::= x")",
                             R"("grammar":"root ::= x")",
                             R"("json_schema":{"a":1})",
                             R"("use_beam_search":true)",
                             R"("length_penalty":1.2)",
                             R"("modalities":["text","audio"])",
                             R"("audio":{"voice":"x"})",
                             R"("web_search_options":{})",
                             R"("kv_transfer_params":{"a":1})",
                             R"("mm_processor_kwargs":{"a":1})",
                             R"("dry_multiplier":0.8)",
                             R"("xtc_probability":0.5)",
                             R"("mirostat":2)",
                             R"("typical_p":0.9)",
                             R"("dynatemp_range":0.5)",
                             R"("repeat_penalty":1.1)",
                             R"("include_reasoning":false)",
                             R"("thinking_token_budget":10)",
                             R"("logprob_token_ids":[1])",
                             R"("lora":[{"id":0}])",
                             R"("samplers":["top_k"])",
                             R"("watermarking":true)"}) {
    INFO(member);
    const Refusal refusal = refused(read_chat(member));
    CHECK(refusal.status == 400);
    CHECK(refusal.param == std::string(member + 1, std::string_view(member).find('"', 1) - 1));
    CHECK(refusal.message.find("is not supported") != std::string::npos);
  }
  CHECK(refused(read_text(R"("best_of":3)")).param == "best_of");
  CHECK(refused(read_text(R"("suffix":"x")")).param == "suffix");
  CHECK(refused(read_text(R"("prompt_embeds":"AAAA")")).param == "prompt_embeds");
}

TEST_CASE("ValuesThatMeanOffAreAccepted") {
  const GenerationRequest r = accepted(read_chat(
      R"("tools":[],"tool_choice":"none","functions":[],"function_call":"none","response_format":{"type":"text"},)"
      R"("structured_outputs":{},"guided_json":{},"guided_regex":"","use_beam_search":false,"length_penalty":1.0,)"
      R"("modalities":["text"],"dry_multiplier":0,"xtc_probability":0.0,"mirostat":0,"typical_p":1,"dynatemp_range":0,)"
      R"("repeat_penalty":1,"include_reasoning":true,"lora":[],"samplers":[],"n_keep":0,"t_max_predict_ms":-1)"));
  CHECK(r.ignored.empty());
  accepted(read_text(R"("best_of":1,"suffix":"")"));
  accepted(read_text(R"("best_of":4,"n":4)"));
}

TEST_CASE("NeutralParametersAreAcceptedAndUnknownOnesNamed") {
  const GenerationRequest r = accepted(
      read_chat(R"("user":"u","metadata":{"a":"b"},"store":true,"service_tier":"auto","safety_identifier":"x",)"
                R"("prompt_cache_key":"k","verbosity":"low","parallel_tool_calls":true,"cache_prompt":false,)"
                R"("frobnicate":1,"stream":true,"stream_options":{"surprise":1},"x\r\ny":2)"));
  CHECK(r.ignored == std::vector<std::string>{"frobnicate", "stream_options.surprise", "x\r\ny"});
  CHECK(ignored_fields_header(r.ignored) == "frobnicate, stream_options.surprise, x??y");
  const std::vector<std::string> many(30, std::string(100, 'a'));
  CHECK(ignored_fields_header(many).size() < 1500);
  CHECK(ignored_fields_header(many).ends_with(", ..."));
}

TEST_CASE("MessagesReachTheTemplateAsTheyCame") {
  CHECK(
      context(
          R"([{"role":"system","content":"be brief","name":"x"},{"content":"hi","role":"user","extra":{"b":1,"a":[true,null]}}])") ==
      R"({"messages":[{"role":"system","content":"be brief","name":"x"},{"content":"hi","role":"user","extra":{"b":1,"a":[true,null]}}]})");
  CHECK(context(R"([{"role":"user","content":[{"type":"text","text":"a"},"b",{"type":"input_text","text":"c"}]}])") ==
        R"({"messages":[{"role":"user","content":"a\nb\nc"}]})");
  CHECK(context(R"([{"role":"user","content":[]}])") == R"({"messages":[{"role":"user","content":""}]})");
  CHECK(
      context(
          R"([{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{\"b\": 1, \"a\": 2}"}}]},{"role":"tool","tool_call_id":"1","content":"ok"}])") ==
      R"({"messages":[{"role":"assistant","content":"","tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":{"b":1,"a":2}}}]},{"role":"tool","tool_call_id":"1","content":"ok"}]})");
  CHECK(
      context(
          R"([{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"not json"}},5]},{"role":"user","content":"é\n\"\u0001"}])") ==
      R"({"messages":[{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":"not json"}},5],"content":""},{"role":"user","content":"é\n\"\u0001"}]})");
  CHECK(
      context(
          R"([{"role":"user","content":"hi"}])",
          R"(,"documents":[{"title":"t"}],"chat_template_kwargs":{"enable_thinking":false},"reasoning_effort":"low")") ==
      R"({"messages":[{"role":"user","content":"hi"}],"documents":[{"title":"t"}],"enable_thinking":false,"reasoning_effort":"low"})");
  const GenerationRequest open = accepted(read_chat(R"("continue_final_message":true)"));
  CHECK(open.chat.continue_final_message);
  CHECK_FALSE(open.chat.add_generation_prompt);
  CHECK(open.inputs.continues_text);
}

TEST_CASE("BadMessagesAreRefusedWithTheirPlace") {
  CHECK(refused_param("[]") == "messages");
  CHECK(refused_param(R"("hi")") == "messages");
  CHECK(refused_param("null") == "messages");
  CHECK(refused_param(R"(["hi"])") == "messages[0]");
  CHECK(refused_param(R"([{"content":"hi"}])") == "messages[0].role");
  CHECK(refused_param(R"([{"role":"","content":"hi"}])") == "messages[0].role");
  CHECK(refused_param(R"([{"role":"user","content":"a"},{"role":"user"}])") == "messages[1].content");
  CHECK(refused_param(R"([{"role":"user","content":null}])") == "messages[0].content");
  CHECK(refused_param(R"([{"role":"user","content":5}])") == "messages[0].content");
  CHECK(refused_param(R"([{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}])") ==
        "messages[0].content[0]");
  CHECK(refused_param(R"([{"role":"user","content":[{"type":"text"}]}])") == "messages[0].content[0]");
  CHECK(refused_param(R"([{"role":"user","content":[{"text":"x"}]}])") == "messages[0].content[0]");
  CHECK(refused_param(R"([{"role":"user","content":[7]}])") == "messages[0].content[0]");
  std::string deep = R"([{"role":"user","content":"x","y":)";
  deep += std::string(200, '[') + std::string(200, ']') + "}]";
  CHECK(refused_param(deep) == "messages[0]");
}

TEST_CASE("PromptsComeAsTextsOrTokens") {
  const auto prompts = [](const std::string& prompt) {
    return accepted(read_generation(R"({"prompt":)" + prompt + "}", Kind::completions)).prompts;
  };
  CHECK(prompts(R"("a")").at(0).text == "a");
  CHECK(prompts(R"(["a","b"])").size() == 2);
  CHECK(prompts("[1,2,3]").size() == 1);
  CHECK(prompts("[1,2,3]").at(0).tokens == std::vector<engine::TokenId>{1, 2, 3});
  CHECK(prompts("[[1],[2,3]]").at(1).tokens == std::vector<engine::TokenId>{2, 3});
  CHECK(prompts(R"([[1],"b"])").at(1).text == "b");
  for (const char* wrong : {"[]", "[[]]", "{}", "7", "[true]", "[1,\"a\"]", "[1.5]", "[-1]", "[[1],2]", "null"}) {
    INFO(wrong);
    CHECK(refused(read_generation(std::string(R"({"prompt":)") + wrong + "}", Kind::completions)).param == "prompt");
  }
}

TEST_CASE("CompletionsTakeTheLegacyLogprobsAndEchoWithoutAnAnswer") {
  CHECK(accepted(read_text(R"("logprobs":5)")).inputs.top_logprobs == 5);
  CHECK(accepted(read_text(R"("logprobs":true)")).inputs.top_logprobs == 1);
  CHECK(accepted(read_text(R"("logprobs":false)")).inputs.top_logprobs == -1);
  CHECK(refused(read_text(R"("logprobs":21)")).param == "logprobs");
  const GenerationRequest scored = accepted(read_text(R"("echo":true,"max_tokens":0,"logprobs":0)"));
  CHECK(scored.prompt_only);
  CHECK(*scored.inputs.max_tokens == 1);
  CHECK(refused(read_text(R"("max_tokens":0)")).param == "max_tokens");
  CHECK(*accepted(read_text(R"("n_predict":5)")).inputs.max_tokens == 5);
}

TEST_CASE("RequestsAreBounded") {
  std::string stops = R"("stop":["a")";
  for (int i = 0; i < 40; ++i) stops += R"(,"a")";
  CHECK(refused(read_chat(stops + "]")).param == "stop");
  CHECK(refused(read_chat(R"("stop":")" + std::string(2000, 'x') + '"')).param == "stop");
  std::string prompts = R"({"n":128,"prompt":["a")";
  for (int i = 0; i < 10; ++i) prompts += R"(,"a")";
  CHECK(refused(read_generation(prompts + "]}", Kind::completions)).param == "n");
  std::string messages = R"({"messages":[{"role":"user","content":"a"})";
  for (int i = 0; i < 9000; ++i) messages += R"(,{"role":"user","content":"a"})";
  CHECK(refused(read_generation(messages + "]}", Kind::chat)).param == "messages");
  // Quoted back, a value is short.
  CHECK(refused(read_chat(R"("truncation_side":")" + std::string(100000, 'x') + '"')).message.size() < 300);
}

TEST_CASE("BodiesThatAreNotJsonObjectsAreRefused") {
  for (const std::string body : {"", "nope", "[]", "7", "{", R"({"messages":[)", "{\"model\":\"\xff\xfe\"}",
                                 "{\"messages\":[{\"role\":\"user\",\"content\":\"\xc3\x28\"}]}"}) {
    INFO(body);
    const Refusal refusal = refused(read_generation(body, Kind::chat));
    CHECK(refusal.status == 400);
    CHECK_FALSE(refusal.message.empty());
  }
  CHECK(refused(read_generation(std::string(5000, '['), Kind::chat)).status == 400);
}

TEST_CASE("TheTableNamesEachParameterOnceForEachEndpoint") {
  for (const Parameter& a : parameters()) {
    CHECK_FALSE(a.words.empty());
    CHECK((a.read != nullptr) == (a.fate == Fate::honoured));
    CHECK((a.off != nullptr) == (a.fate == Fate::refused));
    int times = 0;
    for (const Parameter& b : parameters()) times += a.name == b.name && (a.where & b.where) != 0;
    INFO(a.name);
    CHECK(times == 1);
  }
}
