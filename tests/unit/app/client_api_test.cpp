// ApiClient against a small server that answers what a test tells it.
#include <catch2/catch.hpp>
#include <functional>
#include <map>

#include "jackdaw/net/server.h"
#include "src/app/client/api_client.h"
#include "src/app/client/session.h"

using namespace jackdaw;
using namespace jackdaw::app;

namespace {

// Answers by "METHOD target"; everything else is a Status 404.
class FakeDaemon {
 public:
  std::map<std::string, net::Response> answers;
  std::map<std::string, std::vector<std::string>> streams;  // pieces of a body that goes out in time
  std::string last_authorization, last_accept;

  FakeDaemon() {
    net::ServerOptions options;
    options.listen = {"127.0.0.1:0"};
    auto started =
        net::Server::start(options, [this](const std::shared_ptr<net::Exchange>& exchange) { answer(exchange); });
    REQUIRE(started.has_value());
    server_ = std::move(*started);
  }
  ~FakeDaemon() { server_.reset(); }

  ConnectionFlags flags() const {
    ConnectionFlags flags;
    flags.server = "http://" + server_->addresses()[0] + "/";
    return flags;
  }
  ApiClient client() const {
    auto client = ApiClient::make(flags(), net::make_http_client());
    REQUIRE(client.has_value());
    return std::move(*client);
  }

 private:
  void answer(const std::shared_ptr<net::Exchange>& exchange) {
    const net::Request& request = exchange->request();
    last_authorization = request.header("authorization").value_or("");
    last_accept = request.header("accept").value_or("");
    const std::string key = std::string(request.method_text()) + " " + std::string(request.target());
    if (const auto stream = streams.find(key); stream != streams.end()) {
      const auto out = exchange->begin_events({});
      for (const std::string& piece : stream->second) out->send(piece);
      out->end();
      return;
    }
    const auto found = answers.find(key);
    net::Response missing;
    missing.status = 404;
    missing.body = R"({"kind":"Status","reason":"NotFound","message":"no )" + std::string(request.path()) + R"("})";
    exchange->reply(found == answers.end() ? missing : found->second);
  }

  std::unique_ptr<net::Server> server_;
};

net::Response json(std::string body) {
  net::Response response;
  response.body = std::move(body);
  return response;
}

}  // namespace

TEST_CASE("AnswersBringTheirWarnings") {
  FakeDaemon daemon;
  daemon.answers["GET /x"] = json(R"({"kind":"X"})");
  daemon.answers["GET /x"].headers = {{"warning", R"(299 - "resources has \"no\" effect")"},
                                      {"Warning", R"(299 - "two")"},
                                      {"warning", R"(199 - "not for people")"}};
  ApiClient client = daemon.client();
  const ApiOutcome outcome = client.get("/x");
  REQUIRE(outcome.ok());
  CHECK(outcome.answer.body.find("kind")->as_text() == "X");
  CHECK(outcome.answer.warnings == std::vector<std::string>{"resources has \"no\" effect", "two"});
}

TEST_CASE("RefusalsAreNoErrorsOfTheConnection") {
  FakeDaemon daemon;
  ApiClient client = daemon.client();
  const ApiOutcome outcome = client.get("/nothing");
  CHECK_FALSE(outcome.ok());
  REQUIRE(outcome.refusal.has_value());
  CHECK(outcome.refusal->is_not_found());
  CHECK(outcome.text() == "Error from server (NotFound): no /nothing");
}

TEST_CASE("AnAnswerThatIsNoJsonIsSaid") {
  FakeDaemon daemon;
  daemon.answers["GET /x"] = json("<html>");
  ApiClient client = daemon.client();
  CHECK(client.get("/x").text().find("something else than JSON") != std::string::npos);
}

TEST_CASE("AServerThatIsNotThereIsSaidWithWhatToDo") {
  ConnectionFlags flags;
  flags.server = "127.0.0.1:1";
  auto client = ApiClient::make(flags, net::make_http_client());
  REQUIRE(client.has_value());
  const std::string text = client->get("/x").text();
  CHECK(text.find("there is no daemon at http://127.0.0.1:1 (Connection refused)") != std::string::npos);
  CHECK(text.find("JACKDAW_SERVER") != std::string::npos);
}

TEST_CASE("TokensGoIntoEveryRequest") {
  FakeDaemon daemon;
  ConnectionFlags flags = daemon.flags();
  flags.token = "secret";
  auto client = ApiClient::make(flags, net::make_http_client());
  (void)client->get("/x");
  CHECK(daemon.last_authorization == "Bearer secret");
  flags.token = "two words";
  CHECK_FALSE(ApiClient::make(flags, net::make_http_client()).has_value());
  flags.token = "";
  flags.token_file = "/nowhere/token";
  CHECK(ApiClient::make(flags, net::make_http_client()).error().text().find("/nowhere/token") != std::string::npos);
  flags.token_file = "";
  flags.ca_file = "/ca.pem";
  CHECK_FALSE(ApiClient::make(flags, net::make_http_client()).has_value());  // the server speaks http
}

TEST_CASE("WatchesAreReadLineByLineHoweverTheyArrive") {
  FakeDaemon daemon;
  daemon.streams["GET /w?watch=true"] = {R"({"type":"ADDED","obj)",
                                         R"(ect":{"n":1}})"
                                         "\n"
                                         R"({"type":"MODIFIED","object":{"n":2}})",
                                         "\n\n",
                                         R"({"type":"DELETED","object":{"n":3}})"
                                         "\n"};
  ApiClient client = daemon.client();
  std::string seen;
  const auto take = [&](const WatchedEvent& event) {
    seen += event.type + event.object.find("n")->dump() + " ";
    return event.type != "MODIFIED" || seen.size() > 100;
  };
  const ApiOutcome outcome = client.watch({.path = "/w?watch=true"}, [&](const WatchedEvent& event) {
    (void)take(event);
    return true;
  });
  CHECK(outcome.ok());
  CHECK(seen == "ADDED1 MODIFIED2 DELETED3 ");
  seen.clear();
  CHECK(client.watch({.path = "/w?watch=true"}, take).ok());
  CHECK(seen == "ADDED1 MODIFIED2 ");
  daemon.streams["GET /w?watch=true"] = {"no json\n"};
  CHECK(client.watch({.path = "/w?watch=true"}, take).text().find("no JSON") != std::string::npos);
  CHECK(client.watch({.path = "/gone?watch=true"}, take).refusal->is_not_found());
}

TEST_CASE("DiscoveryAsksForOurGroupsOnly") {
  FakeDaemon daemon;
  daemon.answers["GET /apis"] = json(R"({"groups":[
    {"name":"apps","versions":[{"groupVersion":"apps/v1"}]},
    {"name":"serving.kserve.io","versions":[{"groupVersion":"serving.kserve.io/v1beta1"},{"groupVersion":"serving.kserve.io/v1"}]}]})");
  daemon.answers["GET /apis/serving.kserve.io/v1beta1"] =
      json(R"({"groupVersion":"serving.kserve.io/v1beta1","resources":[
    {"name":"inferenceservices","kind":"InferenceService","shortNames":["isvc"]}]})");
  daemon.answers["GET /api/v1"] = json(R"({"groupVersion":"v1","resources":[{"name":"events","kind":"Event"}]})");
  ApiClient client = daemon.client();
  const auto types = ResourceTypes::discover(client);
  REQUIRE(types.has_value());
  REQUIRE(types->all().size() == 2);
  CHECK(types->find("isvc")->plural == "inferenceservices");
  TargetFlags target;
  target.connection = daemon.flags();
  CHECK(Session::open(target)->namespace_name == "default");
  FakeDaemon old;
  ApiClient other = old.client();
  CHECK(ResourceTypes::discover(other).error().text().find("older jackdaw") != std::string::npos);
}

TEST_CASE("ServicesAreFoundByNameInEitherKind") {
  FakeDaemon daemon;
  daemon.answers["GET /apis"] =
      json(R"({"groups":[{"name":"serving.kserve.io","versions":[{"groupVersion":"serving.kserve.io/v1"}]}]})");
  daemon.answers["GET /apis/serving.kserve.io/v1"] = json(R"({"groupVersion":"serving.kserve.io/v1","resources":[
    {"name":"inferenceservices","kind":"InferenceService"},{"name":"llminferenceservices","kind":"LLMInferenceService"}]})");
  daemon.answers["GET /api/v1"] = json(R"({"groupVersion":"v1","resources":[]})");
  daemon.answers["GET /apis/serving.kserve.io/v1/namespaces/default/llminferenceservices/chat"] =
      json(R"({"kind":"LLMInferenceService"})");
  TargetFlags target;
  target.connection = daemon.flags();
  auto session = Session::open(target);
  REQUIRE(session.has_value());
  REQUIRE(find_service(*session, "chat").has_value());
  CHECK(find_service(*session, "chat")->type.kind == "LLMInferenceService");
  CHECK(find_service(*session, "llminferenceservices/chat").has_value());
  CHECK(find_service(*session, "nobody").error().text() == "there is no service \"nobody\" in namespace default");
}
