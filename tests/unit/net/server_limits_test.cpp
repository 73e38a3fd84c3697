// What a hostile or broken client sees.
#include <zlib.h>

#include "tests/unit/net/harness.h"

namespace jackdaw::net::test {
namespace {

// The answer to `bytes`, after which the connection must be closed without a reset.
Answer refused(const TestServer& server, const std::string& bytes) {
  RawClient client(server.port());
  std::thread sender([&] { client.send(bytes); });
  const Answer answer = client.read_answer();
  sender.join();
  CHECK(answer.says("Connection: close\r\n"));
  CHECK(answer.says("Content-Type: application/json\r\n"));
  CHECK(answer.body.substr(0, 10) == R"({"error":")");
  client.close_sending();
  CHECK(client.closed_within(seconds(5)));
  CHECK_FALSE(client.was_reset());
  return answer;
}

TEST_CASE("RefusesContentLengthWithTransferEncoding") {
  TestServer server;
  const std::string bytes =
      "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + get("/evil");
  CHECK(refused(server, bytes).status == 400);
}

TEST_CASE("RefusesSmugglingForms") {
  TestServer server;
  CHECK(refused(server, "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab").status ==
        400);
  CHECK(refused(server, "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n").status == 400);
  CHECK(refused(server, "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n").status == 400);
  CHECK(refused(server, "GET / HTTP/1.1\r\nHost: t\r\nX: a\r\n b\r\n\r\n").status == 400);
  CHECK(refused(server, "GET / HTTP/1.1\nHost: t\n\n").status == 400);
  CHECK(refused(server, "GET / HTTP/1.1\r\n\r\n").status == 400);
  CHECK(
      refused(server, "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n").status ==
      400);
}

TEST_CASE("RefusesAfterAnsweringWhatCameBefore") {
  TestServer server([](const SharedExchange& exchange) {
    exchange->executor().at(soon(milliseconds(30)), [exchange] { echo(exchange); });
  });
  RawClient client(server.port());
  client.send(get("/good") + "BAD\r\n\r\n" + get("/never"));
  CHECK(client.read_answer().body == "GET /good ");
  CHECK(client.read_answer().status == 400);
  CHECK(client.read_all().empty());
}

TEST_CASE("RefusesOtherVersionsAndMethodsOfProxies") {
  TestServer server;
  CHECK(refused(server, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").status == 505);
  CHECK(refused(server, "GET /\r\n").status == 400);
  CHECK(refused(server, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n").says("Allow: "));
  CHECK(refused(server, std::string("\x16\x03\x01\x02\x00\x01", 6)).status == 400);
}

TEST_CASE("RefusesWhatIsTooLarge") {
  ServerLimits limits;
  limits.body_bytes_max = 1000;
  limits.header_bytes_max = 2000;
  limits.target_bytes_max = 100;
  limits.header_fields_max = 10;
  TestServer server(echo, limits);
  CHECK(refused(server, post("/", std::string(1001, 'x'))).status == 413);
  CHECK(refused(server, "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 999999999999\r\n\r\n").status == 413);
  CHECK(refused(server, "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n").status == 413);
  CHECK(refused(server, get("/" + std::string(100, 'x'))).status == 414);
  CHECK(refused(server, get("/", "X: " + std::string(2000, 'x') + "\r\n")).status == 431);
  std::string fields;
  for (int i = 0; i < 10; ++i) fields += "X: 1\r\n";
  CHECK(refused(server, get("/", fields)).status == 431);
  RawClient client(server.port());
  CHECK(client.ask(post("/", std::string(1000, 'x'))).status == 200);
}

TEST_CASE("DeliversRefusalToClientThatKeepsSending") {
  ServerLimits limits;
  limits.body_bytes_max = 1000;
  TestServer server(echo, limits);
  CHECK(refused(server, post("/", std::string(3 * 1024 * 1024, 'x'))).status == 413);
}

std::string gzip_zeros(std::size_t size) {
  const std::string text(size, '\0');
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, size) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(size);
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

TEST_CASE("RefusesGzipBomb") {
  TestServer server;
  const std::string bomb = gzip_zeros(20 * 1024 * 1024);
  CHECK(refused(server, post("/", bomb, "Content-Encoding: gzip\r\n")).status == 413);
}

TEST_CASE("RefusesUnknownOrBrokenContentEncoding") {
  TestServer server;
  CHECK(refused(server, post("/", "x", "Content-Encoding: br\r\n")).says("Accept-Encoding: gzip, deflate\r\n"));
  CHECK(refused(server, post("/", "not gzip", "Content-Encoding: gzip\r\n")).status == 400);
  CHECK(refused(server, post("/", gzip_zeros(1000).substr(0, 20), "Content-Encoding: gzip\r\n")).status == 400);
}

TEST_CASE("Sends100ContinueOnlyForAcceptableHeads") {
  ServerLimits limits;
  limits.body_bytes_max = 1000;
  TestServer server(echo, limits);
  {
    RawClient client(server.port());
    client.send("POST /a HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    const Answer interim = client.read_answer(true);
    CHECK(interim.head == "HTTP/1.1 100 Continue\r\n\r\n");
    CHECK(client.ask("body").body == "POST /a body");
  }
  CHECK(refused(server, "POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n").status ==
        413);
  CHECK(refused(server, "POST / HTTP/1.1\r\nHost: t\r\nExpect: a-pony\r\nContent-Length: 1\r\n\r\n").status == 417);
  RawClient eager(server.port());
  CHECK(eager.ask("POST /b HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nhi").body ==
        "POST /b hi");
  RawClient old(server.port());
  old.send("POST /c HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK_FALSE(old.read_some(milliseconds(50)));
  CHECK(old.ask("hi").body == "POST /c hi");
}

TEST_CASE("SendsContinueAfterEarlierAnswers") {
  SharedExchange first;
  TestServer server([&](const SharedExchange& exchange) {
    if (exchange->request().path() == "/first") {
      exchange->executor().at(soon(milliseconds(50)), [exchange] { echo(exchange); });
    } else {
      echo(exchange);
    }
  });
  RawClient client(server.port());
  client.send(get("/first") + "POST /a HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  CHECK(client.read_answer().body == "GET /first ");
  CHECK(client.read_answer(true).status == 100);
  CHECK(client.ask("body").body == "POST /a body");
}

ServerLimits hasty() {
  ServerLimits limits;
  limits.header_timeout = milliseconds(100);
  limits.body_timeout = milliseconds(150);
  limits.idle_timeout = milliseconds(100);
  limits.write_timeout = milliseconds(200);
  return limits;
}

TEST_CASE("CutsSlowLoris") {
  TestServer server(echo, hasty());
  RawClient client(server.port());
  const Instant began = std::chrono::steady_clock::now();
  client.send("GET / HTTP/1.1\r\nHost: t\r\n");
  // A header line every 20 ms would keep a connection with a per-read timeout open for ever.
  bool gone = false;
  for (int i = 0; i < 100 && !gone; ++i) {
    gone = client.read_some(milliseconds(20));
    client.send("X: 1\r\n");
  }
  CHECK(std::chrono::steady_clock::now() - began < seconds(1));
  CHECK(client.read_answer().status == 408);
}

TEST_CASE("CutsSilentAndIdleConnections") {
  TestServer server(echo, hasty());
  RawClient silent(server.port());
  CHECK(silent.closed_within(seconds(2)));
  CHECK(silent.received().empty());
  RawClient idle(server.port());
  CHECK(idle.ask(get("/")).status == 200);
  CHECK(idle.closed_within(seconds(2)));
  CHECK(idle.received().empty());
}

TEST_CASE("CutsSlowBodies") {
  TestServer server(echo, hasty());
  RawClient client(server.port());
  client.send("POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n");
  bool gone = false;
  for (int i = 0; i < 100 && !gone; ++i) {
    gone = client.read_some(milliseconds(20));
    client.send("x");
  }
  CHECK(client.read_answer().status == 408);
}

TEST_CASE("WaitsForLateAnswersLongerThanTheClientMayTake") {
  TestServer server(
      [](const SharedExchange& exchange) {
        exchange->executor().at(soon(milliseconds(400)), [exchange] { echo(exchange); });
      },
      hasty());
  RawClient client(server.port());
  CHECK(client.ask(get("/slow")).body == "GET /slow ");
}

TEST_CASE("CutsClientThatDoesNotTakeItsAnswer") {
  MetricsRegistry metrics;
  TestServer server([](const SharedExchange& exchange) { exchange->reply(text_response(std::string(30 << 20, 'x'))); },
                    hasty(), &metrics);
  RawClient client(server.port(), 4096);
  client.send(get("/"));
  REQUIRE(eventually([&] { return server->connection_count() == 1; }));
  CHECK(eventually([&] { return server->connection_count() == 0; }));
  CHECK(metrics.expose().find("jackdaw_http_requests_refused_total{reason=\"write_timeout\"} 1") != std::string::npos);
}

TEST_CASE("StopsReadingFromClientThatReadsNoAnswers") {
  std::atomic<int> handled{0};
  TestServer server([&](const SharedExchange& exchange) {
    ++handled;
    exchange->reply(text_response(std::string(10000, 'x')));
  });
  RawClient client(server.port(), 4096);
  std::atomic<bool> done{false};
  std::thread sender([&] {
    std::string bytes;
    for (int i = 0; i < 5000; ++i) bytes += get("/");
    client.send(bytes);
    done = true;
  });
  std::this_thread::sleep_for(milliseconds(200));
  const int so_far = handled;
  CHECK(so_far < 1500);
  std::size_t answers = 0;
  while (answers < 5000 && client.read_answer().status == 200) ++answers;
  sender.join();
  CHECK(answers == 5000);
}

TEST_CASE("BoundsConnections") {
  ServerLimits limits;
  limits.connections_max = 3;
  MetricsRegistry metrics;
  TestServer server(echo, limits, &metrics);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    CHECK(clients.back()->ask(get("/")).status == 200);
  }
  CHECK(refused(server, get("/")).status == 503);
  CHECK(metrics.expose().find("jackdaw_http_requests_refused_total{reason=\"connections\"} 1") != std::string::npos);
  CHECK(metrics.expose().find("jackdaw_http_connections 3") != std::string::npos);
  clients.pop_back();
  REQUIRE(eventually([&] { return server->connection_count() == 2; }));
  RawClient again(server.port());
  CHECK(again.ask(get("/")).status == 200);
  CHECK(clients[0]->ask(get("/")).status == 200);
}

TEST_CASE("BoundsBodiesOfAllConnectionsTogether") {
  ServerLimits limits;
  limits.buffered_bytes_max = 3 * 1024 * 1024;
  std::vector<SharedExchange> kept;
  TestServer server(
      [&](const SharedExchange& exchange) {
        if (exchange->request().body().size() > 1000) {
          kept.push_back(exchange);
        } else {
          kept.clear();
          echo(exchange);
        }
      },
      limits);
  std::vector<std::unique_ptr<RawClient>> clients;
  int refusals = 0;
  for (int i = 0; i < 6; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    clients.back()->send(post("/", std::string(1024 * 1024, 'x')));
    if (clients.back()->read_some(milliseconds(100))) {
      CHECK(clients.back()->read_answer().status == 503);
      ++refusals;
    }
  }
  CHECK(refusals >= 3);
  CHECK(refusals < 6);
  RawClient small(server.port());
  CHECK(small.ask(post("/", "small")).status == 200);
  clients.clear();
  RawClient large(server.port());
  CHECK(eventually([&] {
    RawClient retry(server.port());
    retry.send(post("/", std::string(1024 * 1024, 'x')));
    return !retry.read_some(milliseconds(100));
  }));
  // Drop what the handler holds before the vector goes.
  CHECK(small.ask(post("/", "small")).status == 200);
  server.stop();
  kept.clear();
}

TEST_CASE("SurvivesGarbage") {
  TestServer server;
  std::uint64_t state = 88172645463325252ULL;
  for (int round = 0; round < 200; ++round) {
    RawClient client(server.port());
    std::string bytes = round % 2 == 0 ? "POST / HTTP/1.1\r\nHost: t\r\n" : "";
    for (int i = 0; i < 200; ++i) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      bytes += static_cast<char>(state);
    }
    client.send(bytes);
    if (round % 3 == 0) client.reset();
  }
  RawClient client(server.port());
  CHECK(client.ask(get("/alive")).body == "GET /alive ");
}

}  // namespace
}  // namespace jackdaw::net::test
