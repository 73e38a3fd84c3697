#include <catch2/catch.hpp>

#include "tests/unit/api/openai_world.h"

using namespace jackdaw;
using namespace jackdaw::api;

namespace {

std::string card(const std::string& id, const std::string& root, const std::string& owner = "jackdaw") {
  return R"("id":")" + id + R"(","object":"model","created":1700000000,"owned_by":")" + owner + R"(","root":")" + root +
         R"(","parent":null,"max_model_len":4096,"permission":[])";
}

}  // namespace

TEST_CASE("ModelsSpeakKServeWhileOnlyPredictiveModelsAreThere") {
  OpenAiWorld world;
  world.serve("iris");
  CHECK(world.get("/v1/models")->answer->body == R"({"models":["iris"]})");
  CHECK(world.get("/v1/models/iris")->answer->body == R"({"name":"iris","ready":true})");
  CHECK(world.get("/v1/models/none")->answer->body == R"({"error":"Model with name none does not exist."})");
  CHECK(world.get("/openai/v1/models")->answer->body == R"({"object":"list","data":[]})");
}

TEST_CASE("ModelsSatisfyBothReadersWhenLanguageModelsAreThere") {
  OpenAiWorld world;
  world.serve("iris");
  world.serve_llm("smol", {"gpt-4o"});
  CHECK(world.get("/v1/models")->answer->body == R"({"object":"list","data":[{)" + card("smol", "smol") + "},{" +
                                                     card("gpt-4o", "smol") + R"(}],"models":["iris","smol"]})");
  CHECK(world.get("/v1/models/smol")->answer->body == "{" + card("smol", "smol") + R"(,"name":"smol","ready":true})");
  CHECK(world.get("/v1/models/gpt-4o")->answer->body ==
        "{" + card("gpt-4o", "smol") + R"(,"name":"gpt-4o","ready":true})");
  CHECK(world.get("/v1/models/iris")->answer->body == R"({"name":"iris","ready":true})");
  const auto unknown = world.get("/v1/models/none");
  CHECK(unknown->answer->status == 404);
  CHECK(unknown->answer->body ==
        R"({"error":{"message":"The model `none` does not exist. Models here: smol.","type":"NotFoundError",)"
        R"("param":"model","code":404}})");
}

TEST_CASE("KServesPrefixIsAlwaysOpenAi") {
  OpenAiWorld world;
  world.serve("iris");
  const auto mock = world.serve_llm("smol");
  mock->reply = "ok";
  CHECK(world.get("/openai/v1/models")->answer->body ==
        R"({"object":"list","data":[{)" + card("smol", "smol", "") + "}]}");
  CHECK(world.get("/openai/v1/models/smol")->answer->body == "{" + card("smol", "smol", "") + "}");
  const std::string body = R"({"model":"NAME","messages":[{"role":"user","content":"hi"}]})";
  const auto chat = [&](const std::string& name) {
    std::string named = body;
    named.replace(named.find("NAME"), 4, name);
    return world.post("/openai/v1/chat/completions", named);
  };
  CHECK(chat("smol")->answer->status == 200);
  CHECK(chat("none")->answer->status == 404);
  CHECK(chat("none")->answer->body == R"({"error":"Model with name none does not exist."})");
  CHECK(chat("iris")->answer->status == 400);
  CHECK(
      chat("iris")->answer->body ==
      R"({"error":{"code":"400","message":"Model iris does not support Chat Completions API","param":"model","type":"BadRequestError"}})");
  const auto bad = world.post("/openai/v1/completions", R"({"model":"smol","prompt":"a","n":0})");
  CHECK(
      bad->answer->body ==
      R"({"error":{"code":"400","message":"n must be between 1 and 128, got 0.","param":"n","type":"BadRequestError"}})");
}

TEST_CASE("AModelIsFoundByNameAliasSoleOrHost") {
  OpenAiWorld world;
  const auto one = world.serve_llm("one", {"gpt-4o", "org/one"});
  one->reply = "1";
  const auto chat = [&](const std::string& model, const std::string& host = "localhost") {
    return world
        .send(net::Method::post, "/v1/chat/completions",
              R"({"messages":[{"role":"user","content":"hi"}])" + (model.empty() ? "" : R"(,"model":")" + model + '"') +
                  "}",
              {{"host", host}})
        ->answer->body;
  };
  CHECK(holds(chat("one"), R"("model":"one")"));
  CHECK(holds(chat("gpt-4o"), R"("model":"gpt-4o")"));
  CHECK(holds(chat("org/one"), R"("model":"org/one")"));
  CHECK(holds(chat(""), R"("model":"one")"));
  CHECK(holds(chat("two"), R"("message":"The model `two` does not exist. Models here: one.","type":"NotFoundError")"));
  world.serve_llm("two", {}, "team")->reply = "2";
  CHECK(holds(chat(""), R"("message":"model is missing; models here: one, two.")"));
  CHECK(holds(chat("", "two-team.example.com"), R"("model":"two")"));
  CHECK(holds(chat("", "one.default.example.com"), R"("model":"one")"));
  CHECK(world.get("/v1/models/org/one")->answer->status == 200);
  CHECK(world.get("/v1/models/org%2Fone")->answer->status == 200);
  CHECK(world.get("/openai/v1/models/org/one")->answer->status == 200);
}

TEST_CASE("ServicePathsReachTheirModelAlone") {
  OpenAiWorld world;
  world.serve_llm("smol", {"chat"}, "team-a")->reply = "a";
  world.serve_llm("smol", {"chat"}, "team-b")->reply = "b";
  const auto chat = [&](const std::string& path, const std::string& model) {
    return world.post(path + "/v1/chat/completions", R"({"messages":[{"role":"user","content":"hi"}])" +
                                                         (model.empty() ? "" : R"(,"model":")" + model + '"') + "}");
  };
  CHECK(holds(chat("/team-a/smol", "smol")->answer->body, R"("content":"a")"));
  CHECK(holds(chat("/team-b/smol", "")->answer->body, R"("content":"b")"));
  CHECK(holds(chat("/team-b/smol", "chat")->answer->body, R"("content":"b")"));
  CHECK(chat("/team-b/smol", "other")->answer->status == 404);
  CHECK(chat("/team-c/smol", "smol")->answer->status == 404);
  CHECK(world.get("/team-a/smol/v1/models")->answer->body ==
        R"({"object":"list","data":[{)" + card("smol", "smol") + "},{" + card("chat", "smol") + "}]}");
  CHECK(world.get("/team-a/smol/v1/models/chat")->answer->body == "{" + card("chat", "smol") + "}");
  CHECK(world.get("/team-a/smol/health")->answer->status == 200);
  CHECK(world.get("/team-x/smol/health")->answer->status == 404);
  CHECK(world.post("/team-a/smol/v1/completions", R"({"prompt":"a"})")->answer->status == 200);
  CHECK(holds(world.post("/team-a/smol/tokenize", R"({"prompt":"a"})")->answer->body, R"("tokens":[256,97])"));
}

TEST_CASE("ModelsThatAreNotReadySaySo") {
  OpenAiWorld world;
  world.declare_llm("m", serving::ModelState::loading);
  const auto loading = world.chat("");
  CHECK(loading->answer->status == 503);
  CHECK(loading->header("retry-after") == "2");
  CHECK(holds(loading->answer->body, "is loading"));
  CHECK(world.get("/v1/models")->answer->body == R"({"object":"list","data":[],"models":["m"]})");
  CHECK(world.get("/health")->answer->status == 503);
  CHECK(holds(world.get("/health")->answer->body, R"("type":"unavailable_error")"));
  world.declare_llm("m", serving::ModelState::unavailable, "The file is cut off at offset 17.");
  const auto failed = world.chat("");
  CHECK(failed->answer->status == 503);
  CHECK(failed->header("retry-after").empty());
  CHECK(holds(failed->answer->body, "The file is cut off at offset 17."));
  world.serve_llm("m");
  CHECK(world.get("/health")->answer->body == R"({"status":"ok"})");
}

TEST_CASE("PredictiveAndLanguageModelsKeepToTheirProtocols") {
  OpenAiWorld world;
  world.serve("iris");
  world.serve_llm("smol");
  const auto predict = world.post("/v1/models/smol:predict", R"({"instances":[[1,2]]})");
  CHECK(predict->answer->status == 400);
  CHECK(holds(predict->answer->body, "Model smol generates text and does not support predict."));
  const auto infer =
      world.post("/v2/models/smol/infer", R"({"inputs":[{"name":"a","shape":[1],"datatype":"FP32","data":[1]}]})");
  CHECK(infer->answer->status == 400);
  const auto chat =
      world.post("/v1/chat/completions", R"({"model":"iris","messages":[{"role":"user","content":"hi"}]})");
  CHECK(chat->answer->status == 400);
  CHECK(holds(chat->answer->body, "Model iris does not support Chat Completions API"));
  CHECK(holds(world.post("/v1/completions", R"({"model":"iris","prompt":"a"})")->answer->body,
              "Model iris does not support Completions API"));
  CHECK(holds(world.post("/v1/embeddings", "{}")->answer->body, "Embeddings API"));
}

TEST_CASE("WrongMethodsOnOpenAiPathsAreAnsweredInItsShape") {
  OpenAiWorld world;
  const auto wrong = world.get("/v1/chat/completions");
  CHECK(wrong->answer->status == 405);
  CHECK(wrong->header("allow") == "POST");
  CHECK(holds(wrong->answer->body, R"("error":{"message":"Method Not Allowed")"));
}

TEST_CASE("VersionAndPing") {
  OpenAiWorld world;
  CHECK(world.get("/version")->answer->body == R"({"version":"0.0.0"})");
  CHECK(world.get("/ping")->answer->status == 200);
  CHECK(world.post("/ping", "")->answer->status == 200);
}

TEST_CASE("TokenizeAnswersInTheShapeItWasAskedIn") {
  OpenAiWorld world;
  world.serve_llm("m");
  CHECK(world.post("/tokenize", R"({"model":"m","prompt":"ab"})")->answer->body ==
        R"({"count":3,"max_model_len":4096,"tokens":[256,97,98],"token_strs":null})");
  CHECK(world.post("/v1/tokenize", R"({"prompt":"a","add_special_tokens":false,"return_token_strs":true})")
            ->answer->body == R"({"count":1,"max_model_len":4096,"tokens":[97],"token_strs":["a"]})");
  CHECK(holds(world.post("/tokenize", R"({"messages":[{"role":"user","content":"x"}],"add_generation_prompt":false})")
                  ->answer->body,
              R"({"count":45,)"));
  CHECK(world.post("/tokenize", R"({"content":"ab"})")->answer->body == R"({"tokens":[97,98]})");
  CHECK(world.post("/tokenize", R"({"content":"é","add_special":true,"with_pieces":true})")->answer->body ==
        R"({"tokens":[{"id":256,"piece":"<s>"},{"id":195,"piece":[195]},{"id":169,"piece":[169]}]})");
  CHECK(world.post("/detokenize", R"({"model":"m","tokens":[104,105]})")->answer->body ==
        R"({"prompt":"hi","content":"hi"})");
  CHECK(world.post("/detokenize", R"({"tokens":[300]})")->answer->status == 400);
  CHECK(world.post("/detokenize", R"({})")->answer->status == 400);
  CHECK(world.post("/tokenize", R"({})")->answer->status == 400);
  CHECK(world.post("/tokenize", R"({"prompt":["a","b"]})")->answer->status == 400);
  CHECK(world.post("/tokenize", R"({"model":"none","prompt":"a"})")->answer->status == 404);
}
