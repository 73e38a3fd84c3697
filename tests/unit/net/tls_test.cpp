#include <catch2/catch.hpp>
#include <fstream>
#include <mutex>

#include "jackdaw/net/client.h"
#include "tests/unit/net/certificates.h"
#include "tests/unit/net/harness.h"

namespace jackdaw::net::test {
namespace {

class TlsServer {
 public:
  TlsServer(const KeyPair& pair, Handler handler, TlsServerOptions tls = {}, ServerLimits limits = {},
            MetricsRegistry* metrics = nullptr) {
    ServerOptions options;
    options.listen = {"https://127.0.0.1:0"};
    tls.cert_file = pair.cert_file;
    tls.key_file = pair.key_file;
    options.tls = tls;
    options.limits = limits;
    options.metrics = metrics;
    auto started = Server::start(options, std::move(handler));
    if (!started) FAIL(started.error().text());
    server_ = std::move(*started);
  }
  Server* operator->() { return server_.get(); }
  std::uint16_t port() const {
    const std::string address = server_->addresses()[0];
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  std::string url(std::string_view path, std::string_view host = "127.0.0.1") const {
    return "https://" + std::string(host) + ":" + std::to_string(port()) + std::string(path);
  }
  void stop() { server_.reset(); }

 private:
  std::unique_ptr<Server> server_;
};

Result<ClientResponse> ask(HttpClient& client, const std::string& url, std::string body = "") {
  ClientRequest request;
  request.url = url;
  if (!body.empty()) request.method = "POST";
  request.body = std::move(body);
  request.timeout = seconds(10);
  return client.send(request);
}

TlsClientOptions trusting(const Authority& authority) {
  TlsClientOptions options;
  options.ca_file = authority.ca_file();
  return options;
}

TlsClientOptions showing(const Authority& authority, const KeyPair& pair) {
  TlsClientOptions options = trusting(authority);
  options.cert_file = pair.cert_file;
  options.key_file = pair.key_file;
  return options;
}

// Answers with the names of the client's certificate, one a line.
void tell_names(const SharedExchange& exchange) {
  const ClientCertificate* certificate = exchange->request().client_certificate();
  std::string text;
  if (certificate == nullptr) text = "nobody";
  for (std::size_t i = 0; certificate != nullptr && i < certificate->names.size(); ++i) {
    text += (i == 0 ? "" : "\n") + certificate->names[i];
  }
  exchange->reply(text_response(text));
}

double count_of(const MetricsRegistry& metrics, const std::string& line) {
  const std::string text = metrics.expose();
  const std::size_t at = text.find("\n" + line + " ");
  return at == std::string::npos ? 0 : std::stod(text.substr(at + line.size() + 2));
}

}  // namespace

TEST_CASE("HttpsServerAndClientSpeakToEachOther") {
  const Authority authority;
  MetricsRegistry metrics;
  TlsServer server(authority.sign("server"), echo, {}, {}, &metrics);
  CHECK(server->urls()[0] == server.url(""));
  const auto client = make_http_client(trusting(authority));
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const auto answer = ask(*client, server.url("/a?b=1", host));
    INFO((answer ? std::string() : answer.error().text()));
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(answer->body == "GET /a?b=1 ");
  }
  // Kept connections: as many handshakes as hosts.
  REQUIRE(ask(*client, server.url("/again"))->status == 200);
  CHECK(count_of(metrics, R"(jackdaw_tls_handshakes_total{result="complete"})") == 2);
  CHECK(count_of(metrics, "jackdaw_tls_certificate_expires_seconds") > 1e9);
}

TEST_CASE("LargeBodiesPassThroughTlsWhole") {
  const Authority authority;
  TlsServer server(authority.sign("server"), echo);
  const auto client = make_http_client(trusting(authority));
  std::string body(5'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); i += 1000) body[i] = static_cast<char>('a' + i / 1000 % 26);
  for (int round = 0; round < 3; ++round) {
    const auto answer = ask(*client, server.url("/"), body);
    INFO((answer ? std::string() : answer.error().text()));
    REQUIRE(answer.has_value());
    CHECK((answer->body == "POST / " + body));
  }
}

TEST_CASE("EventStreamsReachTheirEndOverTls") {
  const Authority authority;
  TlsServer server(authority.sign("server"), [](const SharedExchange& exchange) {
    Response head;
    head.content_type = "text/event-stream";
    auto stream = exchange->begin_events(head);
    for (int i = 0; i < 1000; ++i) stream->send("data: " + std::to_string(i) + "\n\n");
    exchange->executor().post([stream] {
      stream->send("data: [DONE]\n\n");
      stream->end();
    });
  });
  const auto answer = ask(*make_http_client(trusting(authority)), server.url("/"));
  REQUIRE(answer.has_value());
  CHECK(answer->body.starts_with("data: 0\n\n"));
  CHECK(answer->body.ends_with("data: 999\n\ndata: [DONE]\n\n"));
}

TEST_CASE("TheClientTrustsOnlyItsAuthorityAndTheRightName") {
  const Authority authority, other("Other CA");
  TlsServer server(authority.sign("server", {"elsewhere", "DNS:elsewhere.example"}), echo);
  const auto stranger = ask(*make_http_client(trusting(other)), server.url("/"));
  REQUIRE_FALSE(stranger.has_value());
  CHECK(stranger.error().text().find("the server's certificate is not trusted") != std::string::npos);
  const auto misnamed = ask(*make_http_client(trusting(authority)), server.url("/"));
  REQUIRE_FALSE(misnamed.has_value());
  CHECK(misnamed.error().text().find("the server's certificate is not one for 127.0.0.1") != std::string::npos);
  TlsClientOptions expecting = trusting(authority);
  expecting.server_name = "elsewhere.example";
  CHECK(ask(*make_http_client(expecting), server.url("/")).has_value());
  TlsServer expired(authority.sign("expired", {"localhost", "IP:127.0.0.1", -7200, -3600}), echo);
  const auto late = ask(*make_http_client(trusting(authority)), expired.url("/"));
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().text().find("certificate has expired") != std::string::npos);
  TlsClientOptions missing;
  missing.ca_file = authority.path("none.pem");
  CHECK(ask(*make_http_client(missing), server.url("/")).error().text().find("none.pem cannot be used") !=
        std::string::npos);
}

TEST_CASE("ClientCertificatesAreVerifiedAndTold") {
  const Authority authority, other("Other CA");
  MetricsRegistry metrics;
  TlsServerOptions tls;
  tls.client_ca_file = authority.ca_file();
  tls.client_certificates = ClientCertificates::required;
  TlsServer server(authority.sign("server"), tell_names, tls, {}, &metrics);
  const KeyPair trainer = authority.sign(
      "trainer", {"trainer", "DNS:ci.example.com,URI:spiffe://a/b,email:ann@example.com,IP:10.0.0.7,IP:::1"});
  const auto known = ask(*make_http_client(showing(authority, trainer)), server.url("/"));
  REQUIRE(known.has_value());
  CHECK(known->body == "CN=trainer\nDNS:ci.example.com\nURI:spiffe://a/b\nemail:ann@example.com\nIP:10.0.0.7\nIP:::1");
  CHECK_FALSE(ask(*make_http_client(trusting(authority)), server.url("/")).has_value());
  CHECK_FALSE(ask(*make_http_client(showing(authority, other.sign("stranger"))), server.url("/")).has_value());
  const KeyPair old = authority.sign("old", {"old", "", -7200, -3600});
  CHECK_FALSE(ask(*make_http_client(showing(authority, old)), server.url("/")).has_value());
  CHECK(eventually([&] {
    return count_of(metrics, R"(jackdaw_tls_handshakes_total{result="no_client_certificate"})") == 1 &&
           count_of(metrics, R"(jackdaw_tls_handshakes_total{result="bad_client_certificate"})") == 2;
  }));

  tls.client_certificates = ClientCertificates::optional;
  TlsServer lenient(authority.sign("server2"), tell_names, tls);
  CHECK(ask(*make_http_client(trusting(authority)), lenient.url("/"))->body == "nobody");
  CHECK(ask(*make_http_client(showing(authority, trainer)), lenient.url("/"))->body.starts_with("CN=trainer\n"));
  // Not a way in for certificates that nobody vouches for.
  CHECK_FALSE(ask(*make_http_client(showing(authority, other.sign("stranger"))), lenient.url("/")).has_value());
}

TEST_CASE("ReloadedCertificatesAreUsedAndBrokenOnesAreNot") {
  const Authority authority, successor("Next CA");
  const KeyPair pair = authority.sign("server");
  TlsServer server(pair, echo);
  const auto kept = make_http_client(trusting(authority));
  REQUIRE(ask(*kept, server.url("/")).has_value());
  const auto replace = [](const KeyPair& from, const KeyPair& to, bool key_too) {
    std::filesystem::copy_file(from.cert_file, to.cert_file, std::filesystem::copy_options::overwrite_existing);
    if (key_too) {
      std::filesystem::copy_file(from.key_file, to.key_file, std::filesystem::copy_options::overwrite_existing);
    }
  };
  const KeyPair next = successor.sign("server");
  replace(next, pair, false);
  const auto half = server->reload_certificates();
  REQUIRE_FALSE(half.has_value());
  CHECK(half.error().text().find("is not the one of the certificate") != std::string::npos);
  CHECK(ask(*make_http_client(trusting(authority)), server.url("/")).has_value());
  replace(next, pair, true);
  REQUIRE(server->reload_certificates().has_value());
  CHECK(ask(*make_http_client(trusting(successor)), server.url("/")).has_value());
  CHECK_FALSE(ask(*make_http_client(trusting(authority)), server.url("/")).has_value());
  // A connection that was open stays.
  CHECK(ask(*kept, server.url("/")).has_value());
  std::ofstream(pair.key_file) << "no key at all\n";
  CHECK(server->reload_certificates().error().text().find("cannot be used") != std::string::npos);
  std::filesystem::remove(pair.cert_file);
  CHECK(server->reload_certificates().error().text().find("No such file") != std::string::npos);
  CHECK(ask(*make_http_client(trusting(successor)), server.url("/")).has_value());
}

TEST_CASE("AListenerWithoutItsCertificateIsRefused") {
  ServerOptions options;
  options.listen = {"https://127.0.0.1:0"};
  CHECK(Server::start(options, echo).error().text().find("HTTPS needs spec.tls.certFile") != std::string::npos);
  options.tls =
      TlsServerOptions{"/nonexistent.pem", "/nonexistent.key", "", ClientCertificates::none, TlsVersion::tls12};
  CHECK(Server::start(options, echo).error().text().find("/nonexistent.pem cannot be used: No such file") !=
        std::string::npos);
}

TEST_CASE("TheWrongProtocolGetsASentence") {
  const Authority authority;
  MetricsRegistry metrics;
  TlsServer secure(authority.sign("server"), echo, {}, {}, &metrics);
  for (const char* method : {"GET", "DELETE", "POST"}) {
    RawClient client(secure.port());
    client.send(std::string(method) + " / HTTP/1.1\r\nHost: x\r\n\r\n");
    const Answer answer = client.read_answer();
    CHECK(answer.status == 400);
    CHECK(answer.body.find("this port speaks HTTPS") != std::string::npos);
    CHECK(client.closed_within(seconds(3)));
  }
  CHECK(count_of(metrics, R"(jackdaw_tls_handshakes_total{result="plain_http"})") == 3);

  TestServer plain;
  RawClient client(plain.port());
  client.send(std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11));
  const Answer answer = client.read_answer();
  CHECK(answer.status == 400);
  CHECK(answer.body.find("this port speaks plain HTTP") != std::string::npos);
  const auto https =
      ask(*make_http_client(trusting(authority)), "https://127.0.0.1:" + std::to_string(plain.port()) + "/");
  CHECK_FALSE(https.has_value());
}

TEST_CASE("GarbageAndSlownessEndAHandshake") {
  const Authority authority;
  MetricsRegistry metrics;
  ServerLimits limits;
  limits.header_timeout = milliseconds(300);
  TlsServer server(authority.sign("server"), echo, {}, limits, &metrics);
  {
    RawClient garbage(server.port());
    garbage.send(std::string(1000, '\xff'));
    CHECK(garbage.closed_within(seconds(3)));
    // A record that says it is larger than any may be.
    RawClient oversized(server.port());
    oversized.send(std::string_view("\x16\x03\x01\xff\xff", 5));
    oversized.send(std::string(20'000, 'x'));
    CHECK(oversized.closed_within(seconds(3)));
  }
  const Instant begin = std::chrono::steady_clock::now();
  RawClient silent(server.port()), slow(server.port());
  slow.send(std::string_view("\x16\x03\x01\x02\x00\x01", 6));
  CHECK(silent.closed_within(seconds(3)));
  CHECK(slow.closed_within(seconds(3)));
  CHECK(std::chrono::steady_clock::now() - begin < seconds(2));
  CHECK(count_of(metrics, R"(jackdaw_http_requests_refused_total{reason="handshake_timeout"})") == 2);
  CHECK(ask(*make_http_client(trusting(authority)), server.url("/")).has_value());
  CHECK(eventually([&] { return server->connection_count() <= 1; }));
}

TEST_CASE("TooManyHandshakesPushTheOldestOut") {
  const Authority authority;
  ServerLimits limits;
  limits.handshakes_max = 3;
  TlsServer server(authority.sign("server"), echo, {}, limits);
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 3; ++i) idle.push_back(std::make_unique<RawClient>(server.port()));
  CHECK(eventually([&] { return server->connection_count() == 3; }));
  CHECK(ask(*make_http_client(trusting(authority)), server.url("/")).has_value());
  CHECK(idle[0]->closed_within(seconds(3)));
  CHECK_FALSE(idle[2]->closed_within(milliseconds(50)));
}

TEST_CASE("ATlsServerDrainsAndItsClientsSeeTheEnd") {
  const Authority authority;
  std::mutex mutex;
  std::vector<SharedExchange> held;
  TlsServer server(authority.sign("server"), [&](const SharedExchange& exchange) {
    const std::lock_guard lock(mutex);
    held.push_back(exchange);
  });
  std::string answered;
  std::thread asking([&] {
    const auto answer = ask(*make_http_client(trusting(authority)), server.url("/late"));
    answered = answer ? answer->body : answer.error().text();
  });
  REQUIRE(eventually([&] {
    const std::lock_guard lock(mutex);
    return held.size() == 1;
  }));
  std::thread answering([&] {
    std::this_thread::sleep_for(milliseconds(100));
    const std::lock_guard lock(mutex);
    const SharedExchange exchange = std::exchange(held[0], nullptr);
    exchange->executor().post([exchange] { echo(exchange); });
  });
  CHECK(server->drain(soon(seconds(5))) == 0);
  asking.join();
  answering.join();
  CHECK(answered == "GET /late ");
}

}  // namespace jackdaw::net::test
