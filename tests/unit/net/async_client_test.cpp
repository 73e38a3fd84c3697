#include "jackdaw/net/async_client.h"

#include <atomic>
#include <future>
#include <mutex>
#include <stdexcept>

#include "tests/unit/net/certificates.h"
#include "tests/unit/net/harness.h"

namespace jackdaw::net::test {
namespace {

ClientRequest request_to(std::string url, std::string body = "") {
  ClientRequest request;
  request.url = std::move(url);
  if (!body.empty()) request.method = "POST";
  request.body = std::move(body);
  request.timeout = seconds(5);
  return request;
}

// A call, and what became of it.
struct Call {
  std::future<Result<ClientResponse>> outcome;
  std::uint64_t ticket = 0;

  Call(AsyncClient& client, ClientRequest request) {
    auto promise = std::make_shared<std::promise<Result<ClientResponse>>>();
    outcome = promise->get_future();
    ticket = client.send(std::move(request),
                         [promise](Result<ClientResponse> result) { promise->set_value(std::move(result)); });
  }
  Result<ClientResponse> wait() {
    REQUIRE(outcome.wait_for(seconds(20)) == std::future_status::ready);
    return outcome.get();
  }
};

Result<ClientResponse> ask(AsyncClient& client, ClientRequest request) {
  return Call(client, std::move(request)).wait();
}

// Keeps every exchange: nobody is answered.
class SilentServer {
 public:
  SilentServer() : server_([this](const SharedExchange& exchange) { keep(exchange); }) {}
  ~SilentServer() {
    server_.stop();
    kept_.clear();
  }
  TestServer* operator->() { return &server_; }
  std::size_t asked() {
    const std::lock_guard lock(mutex_);
    return kept_.size();
  }

 private:
  void keep(const SharedExchange& exchange) {
    const std::lock_guard lock(mutex_);
    kept_.push_back(exchange);
  }
  std::mutex mutex_;
  std::vector<SharedExchange> kept_;
  TestServer server_;
};

}  // namespace

TEST_CASE("AnAnswerWhoseReceiverThrowsCountsAsGiven") {
  TestServer server;
  const auto client = make_async_client({});
  client->send(request_to(server.url("/first")), [](const auto&) { throw std::runtime_error("no"); });
  const auto second = ask(*client, request_to(server.url("/second")));
  REQUIRE(second.has_value());
  CHECK(second->status == 200);
  CHECK(client->drain(soon(seconds(5))) == 0);
}

TEST_CASE("AsyncClientKeepsItsConnection", "[async]") {
  TestServer server;
  const auto client = make_async_client();
  for (int i = 0; i < 5; ++i) {
    const auto answer = ask(*client, request_to(server.url("/p?q"), "body" + std::to_string(i)));
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(answer->body == "POST /p?q body" + std::to_string(i));
    CHECK(server->connection_count() == 1);
  }
  CHECK(eventually([&] { return client->in_flight() == 0; }));
}

TEST_CASE("AsyncClientLetsIdleConnectionsGo", "[async]") {
  TestServer server;
  AsyncClientOptions options;
  options.idle_timeout = milliseconds(50);
  const auto client = make_async_client(options);
  REQUIRE(ask(*client, request_to(server.url("/1"))).has_value());
  CHECK(eventually([&] { return server->connection_count() == 0; }));
  REQUIRE(ask(*client, request_to(server.url("/2"))).has_value());
}

TEST_CASE("AsyncClientComesBackAfterTheServerClosedAKeptConnection", "[async]") {
  ServerLimits limits;
  limits.idle_timeout = milliseconds(40);
  TestServer server(echo, limits);
  const auto client = make_async_client();
  REQUIRE(ask(*client, request_to(server.url("/1"))).has_value());
  REQUIRE(eventually([&] { return server->connection_count() == 0; }));
  CHECK(ask(*client, request_to(server.url("/2"), "x"))->body == "POST /2 x");
}

TEST_CASE("AConnectionThatBroughtAFailureIsNotKept", "[async]") {
  TestServer server([](const SharedExchange& exchange) { exchange->reply(text_response("", 500)); });
  const auto client = make_async_client();
  CHECK(ask(*client, request_to(server.url("/"), "x"))->status == 500);
  CHECK(eventually([&] { return server->connection_count() == 0; }));
}

TEST_CASE("AsyncClientRunsManyCallsAtOnce", "[async]") {
  std::vector<SharedExchange> held;
  TestServer server([&](const SharedExchange& exchange) {  // Nobody is answered before all 40 are there.
    held.push_back(exchange);
    if (held.size() < 40) return;
    for (const auto& one : held) echo(one);
    held.clear();
  });
  const auto client = make_async_client();
  std::atomic<int> answered{0};
  for (int i = 0; i < 40; ++i) {
    client->send(request_to(server.url("/"), "x"),
                 [&](const Result<ClientResponse>& result) { answered += result.has_value() ? 1 : 0; });
  }
  CHECK(eventually([&] { return answered == 40; }));
}

TEST_CASE("AsyncClientSendsWhatItIsGivenAndKeepsTheFraming", "[async]") {
  TestServer server([](const SharedExchange& exchange) {
    const Request& request = exchange->request();
    std::string said;
    for (const Header& header : request.headers()) said += header.name + "=" + header.value + ";";
    exchange->reply(text_response(said));
  });
  const auto client = make_async_client();
  auto request = request_to(server.url("/"), "four");
  request.headers = {{"X-A", "1"}, {"Content-Length", "99"}, {"Connection", "close"}, {"x-a", "2"}};
  const std::string host = "Host=127.0.0.1:" + std::to_string(server.port()) + ";";
  CHECK(ask(*client, request)->body == "X-A=1;x-a=2;" + host + "Content-Length=4;");
}

TEST_CASE("AsyncClientRefusesWhatIsTooMuch", "[async]") {
  SilentServer silent;
  AsyncClientOptions options;
  options.in_flight_max = 1;
  const auto client = make_async_client(options);
  Call first(*client, request_to(silent->url("/")));
  const auto second = ask(*client, request_to(silent->url("/")));
  CHECK(second.error().code == Code::resource_exhausted);
  client->cancel(first.ticket);
  CHECK(first.wait().error().code == Code::cancelled);
}

TEST_CASE("AsyncClientBoundsItsAnswersAloneAndTogether", "[async]") {
  TestServer server([](const SharedExchange& exchange) { exchange->reply(text_response(std::string(500'000, 'x'))); });
  {
    const auto client = make_async_client();
    auto request = request_to(server.url("/"));
    request.body_bytes_max = 499'999;
    CHECK(ask(*client, request).error().code == Code::too_large);
  }
  AsyncClientOptions options;
  options.answer_bytes_max = 400'000;
  const auto client = make_async_client(options);
  CHECK(ask(*client, request_to(server.url("/"))).error().code == Code::resource_exhausted);
}

TEST_CASE("AsyncClientGivesUpInTime", "[async]") {
  SilentServer silent;
  const auto client = make_async_client();
  auto request = request_to(silent->url("/"));
  request.timeout = milliseconds(100);
  CHECK(ask(*client, request).error().code == Code::deadline_exceeded);
  CHECK(eventually([&] { return client->in_flight() == 0; }));
}

TEST_CASE("ACancelledCallLeavesItsServer", "[async]") {
  std::atomic<bool> asked{false}, gone{false};
  SharedExchange kept;
  TestServer server([&](const SharedExchange& exchange) {
    kept = exchange;
    exchange->on_disconnect([&gone] { gone = true; });
    asked = true;
  });
  const auto client = make_async_client();
  Call call(*client, request_to(server.url("/"), "x"));
  REQUIRE(eventually([&] { return asked.load(); }));
  client->cancel(call.ticket);
  CHECK(call.wait().error().code == Code::cancelled);
  CHECK(eventually([&] { return gone.load(); }));
  client->cancel(call.ticket);  // It is over: nothing happens.
  client->cancel(12345);
  server.stop();
  kept.reset();
}

TEST_CASE("DrainingWaitsForCallsAndRefusesNewOnes", "[async]") {
  SharedExchange kept;
  std::atomic<bool> asked{false};
  TestServer server([&](const SharedExchange& exchange) {
    kept = exchange;
    asked = true;
  });
  const auto client = make_async_client();
  Call call(*client, request_to(server.url("/"), "x"));
  REQUIRE(eventually([&] { return asked.load(); }));
  auto drained = std::async(std::launch::async, [&] { return client->drain(soon(seconds(20))); });
  REQUIRE(eventually([&] {
    return ask(*client, request_to("http://127.0.0.1:1/")).error().text().find("stopping") != std::string::npos;
  }));
  CHECK(drained.wait_for(milliseconds(50)) == std::future_status::timeout);
  kept->executor().post([&kept] { echo(std::exchange(kept, nullptr)); });
  CHECK(drained.get() == 0);
  CHECK(call.wait()->body == "POST / x");
}

TEST_CASE("DrainingEndsWhatDoesNotEnd", "[async]") {
  SilentServer silent;
  auto client = make_async_client();
  Call one(*client, request_to(silent->url("/")));
  Call two(*client, request_to(silent->url("/")));
  CHECK(client->drain(soon(milliseconds(50))) == 2);
  CHECK(one.wait().error().code == Code::not_ready);
  CHECK(two.wait().error().text().find("stopping") != std::string::npos);
}

TEST_CASE("AClientThatEndsEndsItsCalls", "[async]") {
  SilentServer silent;
  auto client = make_async_client();
  Call call(*client, request_to(silent->url("/")));
  REQUIRE(eventually([&] { return silent.asked() == 1; }));
  client.reset();
  CHECK(call.wait().error().code == Code::not_ready);
}

TEST_CASE("AsyncClientSaysWhatIsWrong", "[async]") {
  const auto client = make_async_client();
  const auto refused = ask(*client, request_to("http://127.0.0.1:1/"));
  CHECK(refused.error().code == Code::not_ready);
  CHECK(refused.error().text() == "GET http://127.0.0.1:1/: cannot connect to 127.0.0.1:1: Connection refused");
  CHECK(ask(*client, request_to("http://no-such-host.invalid/")).error().code == Code::not_ready);
  CHECK(ask(*client, request_to("nonsense")).error().code == Code::invalid_argument);
  auto bad = request_to("http://127.0.0.1:1/");
  bad.headers = {{"x", "a\r\nb: c"}};
  CHECK(ask(*client, bad).error().code == Code::invalid_argument);
}

TEST_CASE("AsyncClientSpeaksTlsToWhomItTrusts", "[async]") {
  const Authority authority, other("Other CA");
  const KeyPair pair = authority.sign("server");
  ServerOptions server_options;
  server_options.listen = {"https://127.0.0.1:0"};
  server_options.tls = TlsServerOptions{};
  server_options.tls->cert_file = pair.cert_file;
  server_options.tls->key_file = pair.key_file;
  auto server = Server::start(server_options, echo);
  REQUIRE(server.has_value());
  const std::string url = (*server)->urls()[0];

  AsyncClientOptions options;
  options.tls.ca_file = authority.ca_file();
  const auto client = make_async_client(options);
  std::string body(300'000, 'y');
  for (int i = 0; i < 3; ++i) {
    const auto answer = ask(*client, request_to(url + "/s", body));
    INFO((answer ? std::string() : answer.error().text()));
    REQUIRE(answer.has_value());
    CHECK((answer->body == "POST /s " + body));
  }
  CHECK((*server)->connection_count() == 1);

  options.tls.ca_file = other.ca_file();
  const auto stranger = ask(*make_async_client(options), request_to(url + "/"));
  CHECK(stranger.error().code == Code::not_ready);
  CHECK(stranger.error().text().find("the server's certificate is not trusted") != std::string::npos);
  options.tls.ca_file = other.path("none.pem");
  const auto fileless = ask(*make_async_client(options), request_to(url + "/"));
  CHECK(fileless.error().text().find("none.pem cannot be used") != std::string::npos);
}

}  // namespace jackdaw::net::test
