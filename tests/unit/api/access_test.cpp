#include "jackdaw/api/access.h"

#include <catch2/catch.hpp>
#include <set>

#include "src/api/routes.h"
#include "tests/unit/api/openai_world.h"

using namespace jackdaw;
using namespace jackdaw::api;

namespace {

constexpr const char* writer_token = "writer-token-0123456789";
constexpr const char* reader_token = "reader-token-0123456789";
constexpr const char* iris_token = "iris-key-0123456789abc";
constexpr const char* one_token = "sk-one-0123456789abcdef";

GrantPtr grant(std::string name, std::string_view scopes, std::vector<std::string> models = {},
               std::vector<std::string> namespaces = {}) {
  Grant out;
  out.name = std::move(name);
  out.write = scopes.find('w') != std::string_view::npos;
  out.read = scopes.find('r') != std::string_view::npos;
  out.infer = scopes.find('i') != std::string_view::npos;
  out.metrics = scopes.find('m') != std::string_view::npos;
  out.models = std::move(models);
  out.namespaces = std::move(namespaces);
  return std::make_shared<const Grant>(std::move(out));
}

AccessRules open_network() {
  AccessRules rules;
  rules.this_machine_only = false;
  return rules;
}

AccessRules guarded() {
  AccessRules rules = open_network();
  rules.tokens = {{sha256(writer_token), grant("writer", "w")},
                  {sha256(reader_token), grant("reader", "ri")},
                  {sha256(iris_token), grant("iris", "iw", {"iris*"}, {"default"})}};
  rules.certificates = {{{"DNS:ci.example.com", "CN=ci-*"}, grant("ci", "w")}};
  return rules;
}

// Keys for inference are asked for on loopback too.
AccessRules with_keys(std::vector<TokenRow> tokens) {
  AccessRules rules;
  rules.inference_keys = true;
  rules.tokens = std::move(tokens);
  return rules;
}

using Headers = std::map<std::string, std::string, std::less<>>;

Headers bearing(const std::string& token) {
  return {{"content-type", "application/json"}, {"authorization", "Bearer " + token}};
}

int unload(World& world, Headers headers = {}, const std::string& model = "iris") {
  return world.send(net::Method::post, "/v2/repository/models/" + model + "/unload", "", std::move(headers))
      ->answer->status;
}

int predict(World& world, Headers headers, const std::string& model = "iris") {
  return world
      .send(net::Method::post, "/v1/models/" + model + ":predict", R"({"instances":[[1,2]]})", std::move(headers))
      ->answer->status;
}

}  // namespace

TEST_CASE("OnLoopbackEverythingIsOpen") {
  World world;
  world.serve("iris");
  const Access access;
  world.access = &access;
  CHECK(unload(world) == 200);
  CHECK(predict(world, {}) == 200);
  CHECK(world.get("/metrics")->answer->status == 200);
}

TEST_CASE("AwayFromLoopbackWritesAreClosedUntilSomeoneMay") {
  World world;
  world.serve("iris");
  const Access access(open_network());
  world.access = &access;
  const auto refused = world.post("/v2/repository/models/iris/unload", "");
  CHECK(refused->answer->status == 403);
  CHECK(refused->answer->body.find("spec.auth of kind Daemon") != std::string::npos);
  CHECK(world.control.calls.empty());
  CHECK(predict(world, {}) == 200);
  CHECK(world.get("/metrics")->answer->status == 200);
  CHECK(world.get("/v2/health/ready")->answer->status == 200);
}

TEST_CASE("TokensAreTakenForWhatTheyMayDo") {
  World world;
  world.serve("iris");
  const Access access(guarded());
  world.access = &access;
  const auto missing = world.post("/v2/repository/models/iris/unload", "");
  CHECK(missing->answer->status == 401);
  CHECK(missing->header("WWW-Authenticate") == "Bearer realm=\"jackdaw\"");
  CHECK(missing->answer->body.starts_with(R"({"error":"No API key provided.)"));
  CHECK(unload(world, bearing("wrong-token-0123456789")) == 401);
  CHECK(unload(world, bearing("")) == 401);
  CHECK(unload(world, bearing(reader_token)) == 403);
  CHECK(unload(world, {{"authorization", "Basic " + std::string(writer_token)}}) == 401);
  CHECK(unload(world, bearing(std::string(writer_token) + "x")) == 401);
  CHECK(world.control.calls.empty());
  CHECK(unload(world, bearing(writer_token)) == 200);
  CHECK(unload(world, {{"authorization", "bEARER  " + std::string(writer_token)}}) == 200);
  CHECK(unload(world, {{"x-api-key", writer_token}}) == 200);
}

TEST_CASE("CertificatesAreTakenByTheirNames") {
  World world;
  world.serve("iris");
  const Access access(guarded());
  world.access = &access;
  net::ClientCertificate certificate;
  world.certificate = &certificate;
  CHECK(unload(world) == 401);
  certificate.names = {"CN=someone", "DNS:ci.example.com.evil.net", "URI:DNS:ci.example.com"};
  CHECK(unload(world) == 401);
  certificate.names = {"CN=ci-7"};
  CHECK(unload(world) == 200);
  certificate.names = {"CN=other", "DNS:ci.example.com"};
  CHECK(unload(world) == 200);
  // A client library that sends some key is still who its certificate says.
  CHECK(unload(world, bearing("EMPTY-0123456789abcdef")) == 200);
}

TEST_CASE("InferenceNeedsAKeyOnlyWhenAskedTo") {
  World world;
  world.serve("iris");
  world.serve("other");
  AccessRules rules = guarded();
  rules.this_machine_only = true;
  rules.inference_keys = true;
  const Access access(rules);
  world.access = &access;
  CHECK(predict(world, {}) == 401);
  CHECK(predict(world, bearing(writer_token)) == 403);
  CHECK(predict(world, bearing(reader_token)) == 200);
  CHECK(predict(world, bearing(iris_token)) == 200);
  CHECK(predict(world, bearing(iris_token), "other") == 403);
  CHECK(world.get("/v2/models/iris/ready")->answer->status == 200);
  CHECK(world.send(net::Method::get, "/v2/models", "", bearing(iris_token))->answer->body == R"({"models":["iris"]})");
  CHECK(world.send(net::Method::post, "/v2/repository/index", "{}", bearing(iris_token))->answer->body ==
        R"([{"name":"iris","version":"1","state":"READY","reason":""}])");
  const auto refused = world.post("/v1/chat/completions", R"({"model":"iris","messages":[]})");
  CHECK(refused->answer->status == 401);
  CHECK(refused->answer->body.find(R"("code":"invalid_api_key"}})") != std::string::npos);
}

TEST_CASE("GrantsReachAsFarAsTheirModelsAndNamespaces") {
  World world;
  world.serve("iris");
  world.serve("other");
  const Access access(guarded());
  world.access = &access;
  CHECK(unload(world, bearing(iris_token)) == 200);
  CHECK(unload(world, bearing(iris_token), "other") == 403);
  serving::ServedModel elsewhere;
  elsewhere.name = elsewhere.service_name = "iris-b";
  elsewhere.namespace_name = "team";
  world.registry.put(elsewhere);
  CHECK(unload(world, bearing(iris_token), "iris-b") == 403);
}

TEST_CASE("OpenAiEndpointsAnswerForTheModelsOfTheKeyOnly") {
  OpenAiWorld world;
  world.serve_llm("la", {"gpt-4o"});
  world.serve_llm("lb", {"gpt-5"});
  const Access access(with_keys({{sha256(one_token), grant("one", "i", {"la"})}}));
  world.access = &access;
  const auto post = [&](const std::string& path, const std::string& model) {
    return world.send(
        net::Method::post, path,
        R"({"model":")" + model + R"(","prompt":"a","tokens":[97],"messages":[{"role":"user","content":"a"}]})",
        bearing(one_token));
  };
  for (const std::string mount : {"/v1", "/openai/v1", "/default/la/v1", "/default/lb/v1"}) {
    for (const char* endpoint : {"/completions", "/chat/completions", "/tokenize", "/detokenize"}) {
      for (const char* name : {"lb", "gpt-5"}) {
        INFO(mount << endpoint << " " << name);
        const auto refused = post(mount + endpoint, name);
        // The words for a name that nobody has.
        REQUIRE(refused->answer.has_value());
        CHECK(refused->answer->status == 404);
        CHECK(refused->answer->body.find("Models here: lb") == std::string::npos);
      }
    }
    INFO(mount);
    const auto card = world.send(net::Method::get, mount + "/models/gpt-5", "", bearing(one_token));
    CHECK((card->answer->status == 404 || card->answer->status == 403));
  }
  CHECK(world.send(net::Method::get, "/openai/v1/models/lb", "", bearing(one_token))->answer->status == 404);
  CHECK(world.send(net::Method::get, "/v1/models/lb", "", bearing(one_token))->answer->status == 403);
  CHECK(post("/tokenize", "lb")->answer->status == 404);
  CHECK(post("/tokenize", "lb")->answer->body ==
        R"({"error":{"message":"The model `lb` does not exist. Models here: la.",)"
        R"("type":"NotFoundError","param":"model","code":404}})");
  // Its own, by each of its names.
  CHECK(post("/tokenize", "la")->answer->status == 200);
  CHECK(post("/openai/v1/tokenize", "gpt-4o")->answer->status == 200);
  CHECK(post("/tokenize", "")->answer->status == 200);
  CHECK(world.send(net::Method::get, "/openai/v1/models/la", "", bearing(one_token))->answer->status == 200);
  CHECK(world.send(net::Method::get, "/openai/v1/models/lb", "", {})->answer->status == 401);
}

TEST_CASE("OpenAiEndpointsAnswerForTheNamespacesOfTheKeyOnly") {
  OpenAiWorld world;
  world.serve_llm("mine", {}, "team-a");
  world.serve_llm("theirs", {}, "team-b");
  world.serve_llm("both", {}, "team-a");
  world.serve_llm("both", {}, "team-b");
  const Access access(with_keys({{sha256(one_token), grant("a", "i", {}, {"team-a"})}}));
  world.access = &access;
  const auto tokenize = [&](const std::string& model, const std::string& host) {
    Headers headers = bearing(one_token);
    headers["host"] = host;
    return world.send(net::Method::post, "/tokenize", R"({"model":")" + model + R"(","prompt":"a"})", headers)
        ->answer->status;
  };
  CHECK(tokenize("mine", "localhost") == 200);
  CHECK(tokenize("theirs", "localhost") == 404);
  CHECK(tokenize("theirs", "theirs.team-a.example.com") == 404);
  CHECK(tokenize("both", "both.team-a.example.com") == 200);
  CHECK(tokenize("both", "both.team-b.example.com") == 404);
  const auto card = [&](const std::string& path) {
    return world.send(net::Method::get, path, "", bearing(one_token))->answer->status;
  };
  CHECK(card("/openai/v1/models/mine") == 200);
  CHECK(card("/openai/v1/models/theirs") == 404);
  CHECK(card("/team-b/theirs/v1/models/theirs") == 403);
}

TEST_CASE("WhoseModelIsUnloadedIsWhatTheHostSays") {
  World world;
  world.serve("m");
  serving::ServedModel other = *world.registry.snapshot()->models().front();
  other.namespace_name = "team-a";
  other.service_name = "m-of-team-a";
  world.registry.put(other);
  AccessRules rules = open_network();
  rules.tokens = {{sha256(writer_token), grant("writer", "w")},
                  {sha256(one_token), grant("team", "w", {}, {"team-a"})}};
  const Access access(rules);
  world.access = &access;
  const auto ask = [&](const std::string& token, const std::string& verb, const std::string& host) {
    Headers headers = bearing(token);
    headers["host"] = host;
    return world.send(net::Method::post, "/v2/repository/models/m/" + verb, "", headers)->answer->status;
  };
  CHECK(ask(one_token, "unload", "localhost") == 403);
  CHECK(ask(one_token, "unload", "m.default.example.com") == 403);
  CHECK(ask(one_token, "load", "m.default.example.com") == 403);
  CHECK(world.control.calls.empty());
  const std::string host = "m-of-team-a.team-a.example.com";
  CHECK(ask(one_token, "unload", host) == 200);
  CHECK(ask(one_token, "load", host) == 200);
  CHECK(ask(writer_token, "unload", host) == 200);
  CHECK(ask(writer_token, "unload", "localhost") == 200);
  CHECK(world.control.calls == std::vector<std::string>{"unload team-a/m-of-team-a", "load team-a/m-of-team-a",
                                                        "unload team-a/m-of-team-a", "unload default/m"});
}

TEST_CASE("MetricsAreClosedOnceSomeoneIsGrantedThem") {
  World world;
  AccessRules rules = open_network();
  rules.tokens = {{sha256(reader_token), grant("prometheus", "m")}};
  const Access access(rules);
  world.access = &access;
  CHECK(world.get("/metrics")->answer->status == 401);
  CHECK(world.send(net::Method::get, "/metrics", "", bearing(reader_token))->answer->status == 200);
}

TEST_CASE("ReplacedRulesHoldForTheNextRequest") {
  World world;
  world.serve("iris");
  Access access(guarded());
  world.access = &access;
  CHECK(unload(world, bearing(writer_token)) == 200);
  AccessRules rules = open_network();
  rules.tokens = {{sha256(reader_token), grant("writer", "w")}};
  access.replace(rules);
  CHECK(unload(world, bearing(writer_token)) == 401);
  CHECK(unload(world, bearing(reader_token)) == 200);
}

// Reads the table as a whole: a row that changes anything must not be open.
TEST_CASE("EveryRouteThatIsOpenIsHealth") {
  for (const Route& route : routes()) {
    INFO(route.pattern);
    if (route.need == Need::open) {
      const bool health = route.pattern.find("health") != std::string_view::npos || route.pattern.ends_with("/ready") ||
                          route.pattern.ends_with("/ping") || route.pattern.ends_with("/version") ||
                          route.pattern == "/";
      CHECK(health);
    }
    const bool changes =
        route.method == net::Method::put || route.method == net::Method::patch || route.method == net::Method::delete_;
    if (changes || route.pattern.ends_with("load")) CHECK(route.need == Need::write);
  }
}

TEST_CASE("TokenFilesAreLinesOfTokensAndHashes") {
  const std::string hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  const auto read = read_token_lines("# comment\n\n  " + std::string(writer_token) + "\r\nsha256:" + hex);
  REQUIRE(read.has_value());
  REQUIRE(read->size() == 2);
  CHECK((*read)[0] == sha256(writer_token));
  CHECK((*read)[1] == sha256("abc"));
  CHECK(read_token_lines("")->empty());
  const auto fault = [](std::string_view text) { return read_token_lines(text).error().text(); };
  CHECK(fault("\nshort") == "line 2: a token has 16 to 4096 characters; \"openssl rand -hex 32\" makes a good one");
  CHECK(fault("secret token with spaces") == "line 1: a token is visible ASCII characters without spaces");
  CHECK(fault("sha256:12") == "line 1: after \"sha256:\" there must be 64 hexadecimal digits");
}

TEST_CASE("GlobsMatchWhatTheySay") {
  CHECK(matches_glob("iris", "iris"));
  CHECK_FALSE(matches_glob("iris", "iris2"));
  CHECK(matches_glob("*", ""));
  CHECK(matches_glob("iris-*", "iris-"));
  CHECK(matches_glob("*-v*-a", "x-v1-v2-a"));
  CHECK_FALSE(matches_glob("*-v*-a", "x-v1-v2-b"));
  CHECK_FALSE(matches_glob("", "x"));
  CHECK(matches_glob("a**b", "ab"));
  CHECK_FALSE(matches_glob(std::string(2000, '*') + "b", std::string(2000, 'a')));
}

// ------------------------------------------------------------------------------------------------------ CORS

namespace {

std::shared_ptr<FakeExchange> preflight(World& world, const std::string& origin) {
  return world.send(net::Method::options, "/v1/chat/completions", "",
                    {{"origin", origin},
                     {"access-control-request-method", "POST"},
                     {"access-control-request-headers", "authorization, content-type"}});
}

}  // namespace

TEST_CASE("WithoutCorsNothingIsSaidAboutOrigins") {
  World world;
  CHECK(preflight(world, "https://app.example.com")->answer->status == 405);
  const auto plain = world.send(net::Method::get, "/v2/health/live", "", {{"origin", "https://app.example.com"}});
  CHECK(plain->header("access-control-allow-origin").empty());
}

TEST_CASE("PreflightsAreAnsweredForAllowedOriginsOnly") {
  World world;
  world.options.cors.allowed_origins = {"https://app.example.com"};
  world.options.cors.allow_credentials = true;
  const auto allowed = preflight(world, "https://app.example.com");
  CHECK(allowed->answer->status == 204);
  CHECK(allowed->header("access-control-allow-origin") == "https://app.example.com");
  CHECK(allowed->header("access-control-allow-headers") == "authorization, content-type");
  CHECK(allowed->header("access-control-allow-methods") == "GET, HEAD, POST, PUT, PATCH, DELETE");
  CHECK(allowed->header("access-control-allow-credentials") == "true");
  CHECK(allowed->header("access-control-max-age") == "600");
  CHECK(allowed->header("vary") == "Origin");
  const auto refused = preflight(world, "https://app.example.com.evil.net");
  CHECK(refused->answer->status == 403);
  CHECK(refused->header("access-control-allow-origin").empty());
}

TEST_CASE("AnswersAndRefusalsCarryTheOrigin") {
  World world;
  world.serve("iris");
  world.options.cors.allowed_origins = {"*"};
  AccessRules rules = guarded();
  rules.inference_keys = true;
  const Access access(rules);
  world.access = &access;
  const Headers page{{"origin", "https://any.example"}, {"content-type", "application/json"}};
  const auto live = world.send(net::Method::get, "/v2/health/live", "", page);
  CHECK(live->header("access-control-allow-origin") == "*");
  CHECK(live->header("access-control-expose-headers").find("x-request-id") != std::string::npos);
  // A page has to be able to read that its key is wrong.
  const auto denied = world.send(net::Method::post, "/v1/models/iris:predict", "{}", page);
  CHECK(denied->answer->status == 401);
  CHECK(denied->header("access-control-allow-origin") == "*");
  CHECK(preflight(world, "https://any.example")->answer->status == 204);
  CHECK(world.send(net::Method::get, "/v2/health/live", "", {})->header("access-control-allow-origin").empty());
}
