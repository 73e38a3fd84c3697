#include "jackdaw/net/client.h"

#include <atomic>

#include "src/net/url.h"
#include "tests/unit/net/harness.h"

namespace jackdaw::net::test {
namespace {

ClientRequest request_to(const std::string& url, std::string body = "") {
  ClientRequest request;
  request.url = url;
  if (!body.empty()) request.method = "POST";
  request.body = std::move(body);
  request.timeout = seconds(5);
  return request;
}

// A server that says the same bytes to everyone, HTTP or not.
class FixedServer {
 public:
  explicit FixedServer(std::string bytes, bool close = true) : bytes_(std::move(bytes)) {
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(fd_, 8) == 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, close] {
      for (;;) {
        const int peer = ::accept(fd_, nullptr, nullptr);
        if (peer < 0) return;
        char request[4096];
        if (::recv(peer, request, sizeof request, 0) > 0) ::send(peer, bytes_.data(), bytes_.size(), MSG_NOSIGNAL);
        if (close) {
          ::close(peer);
        } else {
          open_.push_back(peer);
        }
      }
    });
  }
  ~FixedServer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
    for (int peer : open_) ::close(peer);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/"; }

 private:
  std::string bytes_;
  int fd_ = -1;
  int port_ = 0;
  std::vector<int> open_;
  std::thread thread_;
};

TEST_CASE("ClientCallsAndKeepsTheConnection") {
  TestServer server;
  const auto client = make_http_client();
  for (int i = 0; i < 3; ++i) {
    const auto answer = client->send(request_to(server.url("/p?q"), "body" + std::to_string(i)));
    REQUIRE(answer.has_value());
    CHECK(answer->status == 200);
    CHECK(answer->body == "POST /p?q body" + std::to_string(i));
    CHECK(server->connection_count() == 1);
  }
  auto head = request_to(server.url("/"));
  head.method = "HEAD";
  CHECK(client->send(head)->body.empty());
  CHECK(client->send(request_to(server.url("/after")))->body == "GET /after ");
}

TEST_CASE("ClientSendsItsHeaders") {
  TestServer server([](const SharedExchange& exchange) {
    exchange->reply(text_response(std::string(exchange->request().header("x-test").value_or("")) + "|" +
                                  std::string(exchange->request().header("host").value_or(""))));
  });
  auto request = request_to(server.url("/"));
  request.headers = {{"X-Test", "v"}, {"Host", "iris.default.example.com"}};
  CHECK(make_http_client()->send(request)->body == "v|iris.default.example.com");
  request.headers = {{"X-Test", "v\r\nX-Evil: 1"}};
  CHECK(make_http_client()->send(request).error().code == Code::invalid_argument);
}

TEST_CASE("ClientReadsChunkedAnswers") {
  TestServer server([](const SharedExchange& exchange) {
    auto stream = exchange->begin_events(text_response(""));
    stream->send("one,");
    stream->send("two");
    stream->end();
  });
  CHECK(make_http_client()->send(request_to(server.url("/")))->body == "one,two");
}

TEST_CASE("ClientComesBackAfterTheServerClosedAnIdleConnection") {
  ServerLimits limits;
  limits.idle_timeout = milliseconds(40);
  TestServer server(echo, limits);
  const auto client = make_http_client();
  REQUIRE(client->send(request_to(server.url("/1"))).has_value());
  REQUIRE(eventually([&] { return server->connection_count() == 0; }));
  CHECK(client->send(request_to(server.url("/2"), "x"))->body == "POST /2 x");
}

TEST_CASE("ClientGivesUpInTime") {
  std::vector<SharedExchange> kept;
  TestServer server([&](const SharedExchange& exchange) { kept.push_back(exchange); });
  auto request = request_to(server.url("/"));
  request.timeout = milliseconds(100);
  const auto answer = make_http_client()->send(request);
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == Code::deadline_exceeded);
  server.stop();
  kept.clear();
}

TEST_CASE("ClientBoundsTheAnswer") {
  TestServer server([](const SharedExchange& exchange) { exchange->reply(text_response(std::string(5000, 'x'))); });
  auto request = request_to(server.url("/"));
  request.body_bytes_max = 4999;
  CHECK(make_http_client()->send(request).error().code == Code::too_large);
  request.body_bytes_max = 5000;
  CHECK(make_http_client()->send(request).has_value());
}

TEST_CASE("ClientSaysWhatIsWrongWithTheServer") {
  const auto client = make_http_client();
  CHECK(client->send(request_to("http://127.0.0.1:1/")).error().message.find("refused") != std::string::npos);
  CHECK(client->send(request_to(FixedServer("hello\r\n\r\n").url())).error().code == Code::parse_error);
  CHECK(client->send(request_to(FixedServer("").url())).error().code == Code::io_error);
  const FixedServer half("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
  CHECK(client->send(request_to(half.url())).error().code == Code::io_error);
  const FixedServer interim("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  CHECK(client->send(request_to(interim.url()))->body == "ok");
  const FixedServer until_close("HTTP/1.0 200 OK\r\n\r\nall of it");
  CHECK(client->send(request_to(until_close.url()))->body == "all of it");
}

TEST_CASE("ClientTakesTheAnswerOfServerThatRefusesTheBody") {
  ServerLimits limits;
  limits.body_bytes_max = 1000;
  TestServer server(echo, limits);
  const auto answer = make_http_client()->send(request_to(server.url("/"), std::string(2 << 20, 'x')));
  REQUIRE(answer.has_value());
  CHECK(answer->status == 413);
}

TEST_CASE("TakesUrlsApart") {
  const auto url = parse_url("http://[::1]:8080/a/b?c=d#fragment");
  REQUIRE(url.has_value());
  CHECK(url->host == "::1");
  CHECK(url->port == 8080);
  CHECK(url->authority == "[::1]:8080");
  CHECK(url->target == "/a/b?c=d");
  CHECK(parse_url("http://h")->target == "/");
  CHECK(parse_url("http://h?q")->target == "/?q");
  CHECK(parse_url("https://h/")->port == 443);
  CHECK(parse_url("https://h/")->secure);
  CHECK(parse_url("ftp://h/").error().code == Code::invalid_argument);
  for (const char* bad : {"", "h", "ftp://h/", "http://", "http://:80/", "http://h:0/", "http://h:99999/", "http://h:/",
                          "http://u@h/", "http://h/a b", "http://h/\r\nX: 1", "http://h/\xc3\xa4"}) {
    INFO(bad);
    CHECK_FALSE(parse_url(bad).has_value());
  }
}

// ---- streams
// ----------------------------------------------------------------------------------------------------------

TEST_CASE("ClientStreamsAnAnswerPieceByPiece") {
  std::shared_ptr<EventStream> out;
  TestServer server([&](const SharedExchange& exchange) {
    out = exchange->begin_events(text_response(""));
    out->send("one\n");
    exchange->executor().at(soon(milliseconds(50)), [&] {
      out->send("two\n");
      out->end();
    });
  });
  std::vector<std::string> pieces;
  const auto answer = make_http_client()->stream(request_to(server.url("/")), [&](std::string_view piece) {
    pieces.emplace_back(piece);
    return true;
  });
  REQUIRE(answer.has_value());
  CHECK(answer->status == 200);
  CHECK(answer->body.empty());
  CHECK(pieces == std::vector<std::string>{"one\n", "two\n"});
}

TEST_CASE("ClientLeavesAStreamWhenItsReaderHasEnough") {
  std::shared_ptr<EventStream> out;
  TestServer server([&](const SharedExchange& exchange) {
    out = exchange->begin_events(text_response(""));
    out->send("enough");
  });
  const auto client = make_http_client();
  const auto answer = client->stream(request_to(server.url("/")), [](std::string_view) { return false; });
  REQUIRE(answer.has_value());
  CHECK(eventually([&] { return server->connection_count() == 0; }));
  server.stop();
}

TEST_CASE("ClientGivesUpOnAStreamThatStaysSilent") {
  std::shared_ptr<EventStream> out;
  TestServer server([&](const SharedExchange& exchange) {
    out = exchange->begin_events(text_response(""));
    out->send("one");
  });
  auto request = request_to(server.url("/"));
  request.timeout = milliseconds(150);
  std::string seen;
  const auto answer = make_http_client()->stream(request, [&](std::string_view piece) {
    seen += piece;
    return true;
  });
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().code == Code::deadline_exceeded);
  CHECK(seen == "one");
  server.stop();
}

TEST_CASE("ClientGivesARefusedStreamBackWhole") {
  TestServer server([](const SharedExchange& exchange) { exchange->reply(text_response("no such thing", 404)); });
  const auto answer = make_http_client()->stream(request_to(server.url("/")), [](std::string_view) {
    FAIL_CHECK("a refusal is not streamed");
    return true;
  });
  REQUIRE(answer.has_value());
  CHECK(answer->status == 404);
  CHECK(answer->body == "no such thing");
}

TEST_CASE("ClientStreamsMoreThanItWouldKeep") {
  TestServer server([](const SharedExchange& exchange) {
    auto stream = exchange->begin_events(text_response(""));
    for (int i = 0; i < 64; ++i) stream->send(std::string(1024, 'x'));
    stream->end();
  });
  auto request = request_to(server.url("/"));
  request.body_bytes_max = 1000;
  std::size_t bytes = 0;
  const auto answer = make_http_client()->stream(request, [&](std::string_view piece) {
    bytes += piece.size();
    return true;
  });
  REQUIRE(answer.has_value());
  CHECK(bytes == 64 * 1024);
}

}  // namespace
}  // namespace jackdaw::net::test
