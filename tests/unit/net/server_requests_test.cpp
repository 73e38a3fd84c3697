// What a well-behaved client sees.
#include <zlib.h>

#include <mutex>

#include "tests/unit/net/harness.h"

namespace jackdaw::net::test {
namespace {

TEST_CASE("AnswersOverKeptAliveConnection") {
  TestServer server;
  RawClient client(server.port());
  for (int i = 0; i < 5; ++i) {
    const Answer answer = client.ask(post("/p?q=1", "body" + std::to_string(i)));
    CHECK(answer.status == 200);
    CHECK(answer.body == "POST /p?q=1 body" + std::to_string(i));
    CHECK(answer.says("\r\nServer: jackdaw\r\n"));
    CHECK(answer.says("\r\nDate: "));
    CHECK(answer.says("\r\nContent-Type: text/plain\r\n"));
    CHECK_FALSE(answer.says("Connection:"));
  }
}

TEST_CASE("ShowsTheHandlerTheWholeRequest") {
  std::string seen;
  TestServer server([&](const SharedExchange& exchange) {
    const Request& request = exchange->request();
    seen = std::string(request.path()) + "|" + std::string(request.query()) + "|" +
           std::string(request.header("x-TEST").value_or("none")) + "|" +
           std::string(request.header("absent").value_or("none")) + "|" + std::string(request.peer().substr(0, 10));
    const Instant now = std::chrono::steady_clock::now();
    if (request.method() == Method::put) seen += "|put";
    if (request.received() <= now && request.received() > now - seconds(5)) seen += "|just now";
    exchange->reply(text_response("ok"));
  });
  RawClient client(server.port());
  client.ask("PUT /a%20b?x=y HTTP/1.1\r\nHost: t\r\nX-Test:  v \r\nContent-Length: 0\r\n\r\n");
  CHECK(seen == "/a%20b|x=y|v|none|127.0.0.1:|put|just now");
}

TEST_CASE("ReadsRequestsHoweverTheyArrive") {
  TestServer server;
  const std::string chunked =
      "POST /c HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n3\r\n-is\r\n0\r\n\r\n";
  const std::string bytes = post("/a", "one") + chunked + get("/b");
  for (std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{17}, bytes.size()}) {
    RawClient client(server.port());
    client.send_in_pieces(bytes, piece);
    CHECK(client.read_answer().body == "POST /a one");
    CHECK(client.read_answer().body == "POST /c body-is");
    CHECK(client.read_answer().body == "GET /b ");
  }
}

TEST_CASE("AnswersPipelinedRequestsInOrder") {
  // Every third request is answered at once, the others later and in reverse.
  std::vector<SharedExchange> waiting;
  TestServer server([&](const SharedExchange& exchange) {
    const std::string target(exchange->request().target());
    const int number = std::stoi(target.substr(1));
    if (number % 3 == 0 && number != 29) {
      echo(exchange);
    } else if (number != 29) {
      waiting.push_back(exchange);
    } else {
      waiting.push_back(exchange);
      exchange->executor().post([&waiting] {
        while (!waiting.empty()) {
          echo(waiting.back());
          waiting.pop_back();
        }
      });
    }
  });
  RawClient client(server.port());
  std::string bytes;
  for (int i = 0; i < 30; ++i)
    bytes += post("/" + std::to_string(i), std::string(static_cast<std::size_t>(i) * 10, 'b'));
  client.send(bytes);
  for (int i = 0; i < 30; ++i) {
    const Answer answer = client.read_answer();
    REQUIRE(answer.status == 200);
    CHECK(answer.body == "POST /" + std::to_string(i) + " " + std::string(static_cast<std::size_t>(i) * 10, 'b'));
  }
}

TEST_CASE("BoundsRequestsReadAhead") {
  std::mutex mutex;
  std::vector<SharedExchange> waiting;
  ServerLimits limits;
  limits.pipelined_max = 4;
  TestServer server(
      [&](const SharedExchange& exchange) {
        const std::lock_guard lock(mutex);
        waiting.push_back(exchange);
      },
      limits);
  const auto count = [&] {
    const std::lock_guard lock(mutex);
    return waiting.size();
  };
  RawClient client(server.port());
  std::string bytes;
  for (int i = 0; i < 20; ++i) bytes += get("/" + std::to_string(i));
  client.send(bytes);
  REQUIRE(eventually([&] { return count() == 4; }));
  std::this_thread::sleep_for(milliseconds(50));
  CHECK(count() == 4);
  for (int i = 0; i < 20; ++i) {
    REQUIRE(eventually([&] { return count() > 0; }));
    SharedExchange first;
    {
      const std::lock_guard lock(mutex);
      first = waiting.front();
      waiting.erase(waiting.begin());
    }
    Executor& executor = first->executor();
    executor.post([first = std::move(first)] { echo(first); });
    CHECK(client.read_answer().body == "GET /" + std::to_string(i) + " ");
  }
}

TEST_CASE("KeepsViewsOfLateRequestsWhileMoreArrive") {
  SharedExchange first;
  TestServer server([&](const SharedExchange& exchange) {
    if (exchange->request().target() != "/first") {
      echo(exchange);
      if (exchange->request().target() == "/last") {
        echo(first);
        first.reset();
      }
      return;
    }
    first = exchange;
  });
  RawClient client(server.port());
  const std::string body(5000, 'f');
  client.send(post("/first", body));
  std::string expected = "POST /first " + body;
  for (int i = 0; i < 10; ++i) client.send(post("/more", std::string(3000, static_cast<char>('a' + i))));
  client.send(get("/last"));
  CHECK(client.read_answer().body == expected);
  for (int i = 0; i < 10; ++i) {
    CHECK(client.read_answer().body == "POST /more " + std::string(3000, static_cast<char>('a' + i)));
  }
  CHECK(client.read_answer().body == "GET /last ");
}

TEST_CASE("CarriesLargeBodiesBothWays") {
  TestServer server([](const SharedExchange& exchange) {
    Response response;
    response.body = exchange->request().body();
    exchange->reply(std::move(response));
  });
  std::string body(9 * 1024 * 1024, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i * 2654435761U % 26);
  RawClient client(server.port());
  for (int round = 0; round < 2; ++round) {
    std::thread sender([&] { client.send(post("/", body)); });
    const Answer answer = client.read_answer();
    sender.join();
    CHECK(answer.body == body);
  }
}

TEST_CASE("AnswersHeadWithoutBody") {
  TestServer server([](const SharedExchange& exchange) { exchange->reply(text_response("twelve bytes")); });
  RawClient client(server.port());
  client.send("HEAD / HTTP/1.1\r\nHost: t\r\n\r\n" + get("/after"));
  const Answer head = client.read_answer(true);
  CHECK(head.says("Content-Length: 12\r\n"));
  CHECK(client.read_answer().body == "twelve bytes");
}

TEST_CASE("SendsNoBodyWithNoContent") {
  TestServer server([](const SharedExchange& exchange) { exchange->reply(text_response("ignored", 204)); });
  RawClient client(server.port());
  client.send(get("/") + get("/"));
  CHECK_FALSE(client.read_answer(true).says("Content-Length"));
  CHECK(client.read_answer(true).status == 204);
}

TEST_CASE("ClosesHttp10UnlessAskedToKeepAlive") {
  TestServer server;
  RawClient plain(server.port());
  plain.send("GET /a HTTP/1.0\r\n\r\n");
  const Answer answer = plain.read_answer();
  CHECK(answer.says("Connection: close\r\n"));
  CHECK(answer.body == "GET /a ");
  CHECK(plain.closed_within(seconds(5)));

  RawClient kept(server.port());
  const std::string request = "GET /b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  CHECK(kept.ask(request).says("Connection: keep-alive\r\n"));
  CHECK(kept.ask(request).body == "GET /b ");
}

TEST_CASE("ClosesWhenTheClientSaysClose") {
  TestServer server;
  RawClient client(server.port());
  client.send(get("/a", "Connection: close\r\n") + get("/never"));
  CHECK(client.read_answer().says("Connection: close\r\n"));
  CHECK(client.read_all().empty());
  CHECK_FALSE(client.was_reset());
}

TEST_CASE("AnswersClientThatHasClosedItsSendingSide") {
  TestServer server([](const SharedExchange& exchange) {
    exchange->executor().at(soon(milliseconds(50)), [exchange] { echo(exchange); });
  });
  RawClient client(server.port());
  client.send(get("/1") + get("/2"));
  client.close_sending();
  CHECK(client.read_answer().body == "GET /1 ");
  CHECK(client.read_answer().body == "GET /2 ");
  CHECK(client.closed_within(seconds(5)));
}

TEST_CASE("AnswersDroppedExchangeWith500") {
  TestServer server([](const SharedExchange& exchange) {
    if (exchange->request().path() == "/inline") return;
    std::thread([exchange] { std::this_thread::sleep_for(milliseconds(10)); }).detach();
  });
  RawClient client(server.port());
  const Answer answer = client.ask(get("/inline"));
  CHECK(answer.status == 500);
  CHECK(answer.body == R"({"error":"the server dropped this request"})");
  CHECK(client.ask(get("/elsewhere")).status == 500);
}

TEST_CASE("AnswersThrowingHandlerWith500") {
  TestServer server([](const SharedExchange&) { throw std::runtime_error("boom"); });
  RawClient client(server.port());
  CHECK(client.ask(get("/")).status == 500);
  CHECK(client.ask(get("/")).status == 500);
}

TEST_CASE("AnswersFromOtherThreadsThroughTheExecutor") {
  TestServer server([](const SharedExchange& exchange) {
    std::thread([exchange] { exchange->executor().post([exchange] { echo(exchange); }); }).detach();
  });
  RawClient client(server.port());
  for (int i = 0; i < 50; ++i) CHECK(client.ask(post("/x", "y")).body == "POST /x y");
}

TEST_CASE("RunsPostedWorkInOrderAndTimersInTime") {
  std::vector<int> order;
  bool cancels_well = false;
  TestServer server([&](const SharedExchange& exchange) {
    Executor& executor = exchange->executor();
    executor.post([&] { order.push_back(1); });
    executor.post([&] { order.push_back(2); });
    const auto late = executor.at(soon(milliseconds(60)), [&order, exchange] {
      order.push_back(5);
      echo(exchange);
    });
    const auto cancelled = executor.at(soon(milliseconds(30)), [&] { order.push_back(99); });
    executor.at(soon(milliseconds(20)), [&] { order.push_back(3); });
    executor.at(soon(milliseconds(40)), [&] { order.push_back(4); });
    cancels_well = executor.cancel(cancelled) && !executor.cancel(cancelled) && !executor.cancel(late + 1000);
  });
  RawClient client(server.port());
  CHECK(client.ask(get("/")).status == 200);
  CHECK(order == std::vector<int>{1, 2, 3, 4, 5});
  CHECK(cancels_well);
}

TEST_CASE("NeverLetsAnAnswerSmuggleHeaders") {
  TestServer server([](const SharedExchange& exchange) {
    Response response = text_response("ok");
    response.headers = {{"X-Id", "a\r\nX-Evil: 1"}, {"Bad Name", "x"}, {"Content-Length", "999"}, {"X-Good", "yes"}};
    exchange->reply(std::move(response));
  });
  RawClient client(server.port());
  const Answer answer = client.ask(get("/"));
  CHECK(answer.says("X-Id: a  X-Evil: 1\r\n"));
  CHECK_FALSE(answer.says("\r\nX-Evil"));
  CHECK_FALSE(answer.says("Bad Name"));
  CHECK_FALSE(answer.says("999"));
  CHECK(answer.says("X-Good: yes\r\n"));
}

std::string gzip(std::string_view text) {
  z_stream z{};
  deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

std::string chunked(std::string_view body, std::size_t chunk) {
  std::string out;
  for (std::size_t i = 0; i < body.size(); i += chunk) {
    const std::string_view part = body.substr(i, chunk);
    char size[20];
    std::snprintf(size, sizeof size, "%zx\r\n", part.size());
    out += size + std::string(part) + "\r\n";
  }
  return out + "0\r\n\r\n";
}

TEST_CASE("InflatesCompressedBodies") {
  TestServer server([](const SharedExchange& exchange) {
    Response response;
    response.body = exchange->request().body();
    if (exchange->request().path() == "/late") {
      exchange->executor().post([exchange] {
        Response late;
        late.body = exchange->request().body();
        exchange->reply(std::move(late));
      });
      return;
    }
    exchange->reply(std::move(response));
  });
  std::string text;
  for (int i = 0; i < 30000; ++i) text += std::to_string(i * 31 % 1009) + " ";
  const std::string packed = gzip(text);
  const std::string framed =
      "POST /c HTTP/1.1\r\nHost: t\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n" +
      chunked(packed, 1000);
  const std::string bytes = post("/", packed, "Content-Encoding: gzip\r\n") + framed +
                            post("/late", packed, "Content-Encoding: gzip\r\n") + post("/", "plain");
  for (std::size_t piece : {std::size_t{999}, std::size_t{100000}, bytes.size()}) {
    RawClient client(server.port());
    std::thread sender([&] { client.send_in_pieces(bytes, piece); });
    CHECK(client.read_answer().body == text);
    CHECK(client.read_answer().body == text);
    CHECK(client.read_answer().body == text);
    CHECK(client.read_answer().body == "plain");
    sender.join();
  }
}

TEST_CASE("ReadsLargeChunkedBodies") {
  TestServer server([](const SharedExchange& exchange) {
    Response response;
    response.body = exchange->request().body();
    exchange->reply(std::move(response));
  });
  std::string body(5 * 1024 * 1024, 'x');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i * 2654435761U % 26);
  const std::string head = "POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  RawClient client(server.port());
  for (std::size_t chunk : {std::size_t{37}, std::size_t{1000}, std::size_t{3000000}}) {
    const std::string sent = chunk == 37 ? body.substr(0, 100000) : body;
    std::thread sender([&] { client.send(head + chunked(sent, chunk)); });
    const Answer answer = client.read_answer();
    sender.join();
    CHECK(answer.body == sent);
  }
}

TEST_CASE("DecodesChunksBehindLateRequests") {
  TestServer server([](const SharedExchange& exchange) {
    exchange->executor().at(soon(milliseconds(3)), [exchange] { echo(exchange); });
  });
  const std::string head = "POST /c HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  std::string bytes;
  for (int i = 0; i < 20; ++i) {
    bytes += head + chunked(std::string(1500, static_cast<char>('a' + i)), 7) + post("/p", std::string(100, 'z'));
  }
  for (std::size_t piece : {std::size_t{211}, std::size_t{1777}, bytes.size()}) {
    RawClient client(server.port());
    std::thread sender([&] { client.send_in_pieces(bytes, piece); });
    for (int i = 0; i < 20; ++i) {
      CHECK(client.read_answer().body == "POST /c " + std::string(1500, static_cast<char>('a' + i)));
      CHECK(client.read_answer().body == "POST /p " + std::string(100, 'z'));
    }
    sender.join();
  }
}

TEST_CASE("ServesEveryThreadsConnections") {
  TestServer server(echo, {}, nullptr, 3);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 30; ++i) clients.push_back(std::make_unique<RawClient>(server.port()));
  for (auto& client : clients) CHECK(client->ask(get("/x")).body == "GET /x ");
  CHECK(server->connection_count() == 30);
}

TEST_CASE("SaysWhichAddressIsTaken") {
  TestServer server(echo, {}, nullptr, 2);
  for (int io_threads : {1, 2}) {
    ServerOptions options;
    options.listen = {(*server).addresses()[0]};
    options.io_threads = io_threads;
    const auto second = Server::start(options, echo);
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().text().find((*server).addresses()[0]) != std::string::npos);
    CHECK(second.error().text().find("in use") != std::string::npos);
  }
}

TEST_CASE("RefusesAddressesItCannotRead") {
  for (const char* bad :
       {"", "8080", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x", "::1:80", "no.such.host:80", ":80"}) {
    ServerOptions options;
    options.listen = {bad};
    INFO(bad);
    CHECK_FALSE(Server::start(options, echo).has_value());
  }
  CHECK_FALSE(Server::start({}, echo).has_value());
}

}  // namespace
}  // namespace jackdaw::net::test
