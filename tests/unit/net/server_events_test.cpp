// Streamed answers, disconnects and the graceful end.
#include <atomic>
#include <mutex>
#include <new>
#include <stdexcept>

#include "tests/unit/net/harness.h"

namespace jackdaw::net::test {
namespace {

Response event_head() {
  Response head;
  head.content_type = "text/event-stream";
  return head;
}

TEST_CASE("StreamsEventsAsTheyCome") {
  std::shared_ptr<EventStream> stream;
  Executor* executor = nullptr;
  std::atomic<bool> began{false};
  std::atomic<bool> closed{false};
  TestServer server([&](const SharedExchange& exchange) {
    if (exchange->request().path() == "/plain") return echo(exchange);
    stream = exchange->begin_events(event_head());
    executor = &exchange->executor();
    began = true;
  });
  RawClient client(server.port());
  client.send(get("/stream") + get("/plain"));
  // The head comes before any event.
  REQUIRE(client.read_until("\r\n\r\n"));
  CHECK(client.received().find("Transfer-Encoding: chunked\r\n") != std::string::npos);
  CHECK(client.received().find("Content-Length") == std::string::npos);
  REQUIRE(eventually([&] { return began.load(); }));
  executor->post([&] { stream->send("data: 1\n\n"); });
  REQUIRE(client.read_until("9\r\ndata: 1\n\n\r\n"));
  executor->post([&] {
    stream->send("data: 2\n\n");
    stream->send("");
    stream->send("data: 3\n\n");
    stream->end();
    closed = stream->closed();
    stream.reset();
  });
  REQUIRE(client.read_until("9\r\ndata: 2\n\n\r\n9\r\ndata: 3\n\n\r\n0\r\n\r\n"));
  // The connection goes on with the request that waited behind.
  CHECK(client.read_until("GET /plain "));
  CHECK(closed);
}

TEST_CASE("StreamsToHttp10UntilClose") {
  TestServer server([&](const SharedExchange& exchange) {
    auto stream = exchange->begin_events(event_head());
    stream->send("one,");
    stream->send("two");
    stream->end();
  });
  RawClient client(server.port());
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const std::string all = client.read_all();
  CHECK(all.find("chunked") == std::string::npos);
  CHECK(all.substr(all.find("\r\n\r\n") + 4) == "one,two");
}

TEST_CASE("AnswersHeadOfStreamWithoutEvents") {
  TestServer server([&](const SharedExchange& exchange) {
    auto stream = exchange->begin_events(event_head());
    stream->send("never seen");
    stream->end();
  });
  RawClient client(server.port());
  client.send("HEAD / HTTP/1.1\r\nHost: t\r\n\r\n");
  CHECK(client.read_answer(true).says("text/event-stream"));
  CHECK_FALSE(client.read_some(milliseconds(50)));
}

TEST_CASE("SlowReaderOfEventsIsCut") {
  ServerLimits limits;
  limits.event_bytes_queued_max = 256 * 1024;
  std::size_t queued_most = 0;
  std::atomic<bool> was_closed{false};
  std::atomic<bool> told{false};
  TestServer server(
      [&](const SharedExchange& exchange) {
        exchange->on_disconnect([&] { told = true; });
        auto stream = exchange->begin_events(event_head());
        for (int i = 0; i < 100000 && !stream->closed(); ++i) {
          queued_most = std::max(queued_most, stream->send(std::string(1000, 'x')));
        }
        was_closed = stream->closed();
      },
      limits);
  RawClient client(server.port(), 4096);
  client.send(get("/"));
  CHECK(eventually([&] { return was_closed && told; }));
  CHECK(queued_most > 100000);
  CHECK(queued_most <= limits.event_bytes_queued_max);
  CHECK(eventually([&] { return server->connection_count() == 0; }));
}

TEST_CASE("CutsStreamThatIsDroppedUnfinished") {
  TestServer server([&](const SharedExchange& exchange) {
    auto stream = exchange->begin_events(event_head());
    stream->send("half");
  });
  RawClient client(server.port());
  client.send(get("/"));
  CHECK(client.read_all().find("0\r\n\r\n") == std::string::npos);
}

TEST_CASE("NoticesDisconnectWhileAnswerIsPending") {
  std::atomic<int> told{0};
  std::atomic<int> waiting{0};
  std::vector<SharedExchange> kept;
  std::mutex mutex;
  TestServer server([&](const SharedExchange& exchange) {
    exchange->on_disconnect([&] { ++told; });
    const std::lock_guard lock(mutex);
    kept.push_back(exchange);
    ++waiting;
  });
  for (const bool orderly : {true, false}) {
    told = waiting = 0;
    RawClient client(server.port());
    client.send(get("/1") + get("/2"));
    REQUIRE(eventually([&] { return waiting == 2; }));
    CHECK(told == 0);
    if (orderly) {
      client.close();
    } else {
      client.reset();
    }
    CHECK(eventually([&] { return told == 2; }));
    // Answers that come after all go nowhere, and harm nobody.
    const std::lock_guard lock(mutex);
    for (auto& exchange : kept) {
      Executor& executor = exchange->executor();
      executor.post([exchange] { echo(exchange); });
    }
    kept.clear();
  }
  CHECK(eventually([&] { return server->connection_count() == 0; }));
}

TEST_CASE("NoticesDisconnectOfCrowdedConnection") {
  ServerLimits limits;
  limits.pipelined_max = 2;
  std::atomic<int> told{0};
  std::atomic<int> waiting{0};
  std::vector<SharedExchange> kept;
  TestServer server(
      [&](const SharedExchange& exchange) {
        exchange->on_disconnect([&] { ++told; });
        kept.push_back(exchange);
        ++waiting;
      },
      limits);
  RawClient client(server.port());
  client.send(get("/1") + get("/2") + post("/3", std::string(100000, 'x')));
  REQUIRE(eventually([&] { return waiting == 2; }));
  client.close();
  CHECK(eventually([&] { return told == 2; }));
  server.stop();
  kept.clear();
}

TEST_CASE("TellsOfDisconnectOnlyBeforeTheAnswerIsComplete") {
  std::atomic<int> told{0};
  TestServer server([&](const SharedExchange& exchange) {
    exchange->on_disconnect([&] { ++told; });
    echo(exchange);
  });
  {
    RawClient client(server.port());
    CHECK(client.ask(get("/")).status == 200);
  }
  REQUIRE(eventually([&] { return server->connection_count() == 0; }));
  CHECK(told == 0);
}

TEST_CASE("NoticesDisconnectDuringStream") {
  std::atomic<bool> told{false};
  std::atomic<bool> closed{false};
  std::shared_ptr<EventStream> stream;
  TestServer server([&](const SharedExchange& exchange) {
    exchange->on_disconnect([&] {
      closed = stream->closed() && stream->send("x") == 0;
      stream->end();
      stream.reset();
      told = true;
    });
    stream = exchange->begin_events(event_head());
  });
  RawClient client(server.port());
  client.send(get("/"));
  REQUIRE(client.read_until("\r\n\r\n"));
  client.close();
  CHECK(eventually([&] { return told.load(); }));
  CHECK(closed);
}

TEST_CASE("DrainFinishesRequestsInFlight") {
  std::atomic<bool> waiting{false};
  TestServer server([&](const SharedExchange& exchange) {
    waiting = true;
    exchange->executor().at(soon(milliseconds(200)), [exchange] { echo(exchange); });
  });
  RawClient idle(server.port());
  RawClient busy(server.port());
  REQUIRE(idle.connected());
  busy.send(get("/busy"));
  REQUIRE(eventually([&] { return waiting && server->connection_count() == 2; }));
  std::size_t cut = 99;
  std::thread drainer([&] { cut = server->drain(soon(seconds(10))); });
  const Instant began = std::chrono::steady_clock::now();
  CHECK(idle.closed_within(seconds(5)));
  CHECK(std::chrono::steady_clock::now() - began < milliseconds(190));
  const Answer answer = busy.read_answer();
  CHECK(answer.body == "GET /busy ");
  CHECK(answer.says("Connection: close\r\n"));
  busy.close();
  drainer.join();
  CHECK(cut == 0);
  CHECK(std::chrono::steady_clock::now() - began < seconds(5));
  RawClient late(server.port());
  CHECK_FALSE(late.connected());
}

TEST_CASE("DrainCutsWhatOutlastsTheDeadline") {
  std::vector<SharedExchange> kept;
  std::atomic<int> waiting{0};
  TestServer server([&](const SharedExchange& exchange) {
    kept.push_back(exchange);
    ++waiting;
  });
  RawClient client(server.port());
  client.send(get("/"));
  REQUIRE(eventually([&] { return waiting == 1; }));
  CHECK(server->drain(soon(milliseconds(50))) == 1);
  CHECK(client.closed_within(seconds(2)));
  CHECK(server->drain(soon(milliseconds(50))) == 0);
  // The exchange outlives the server's loop.
  kept.clear();
}

TEST_CASE("ExchangesMayOutliveTheServer") {
  SharedExchange kept;
  std::shared_ptr<EventStream> stream;
  std::atomic<int> waiting{0};
  {
    TestServer server([&](const SharedExchange& exchange) {
      if (exchange->request().path() == "/stream") {
        stream = exchange->begin_events(event_head());
      } else {
        kept = exchange;
      }
      ++waiting;
    });
    RawClient client(server.port());
    client.send(get("/stream") + get("/kept"));
    REQUIRE(eventually([&] { return waiting == 2; }));
  }
  CHECK(kept->request().path() == "/kept");
  CHECK(stream->closed());
  kept->executor().post([] {});
  kept.reset();
  stream.reset();
}

TEST_CASE("StopsWhileTimersFire") {
  ServerLimits limits;
  limits.idle_timeout = milliseconds(4);  // sweeps come as often as they can
  for (int i = 0; i < 100; ++i) {
    TestServer server(echo, limits);
    std::this_thread::sleep_for(std::chrono::microseconds(4000 + i * 20));
  }
}

TEST_CASE("DrainsUnderLoadFromSeveralThreads") {
  TestServer server(
      [](const SharedExchange& exchange) {
        if (exchange->request().path() == "/now") return echo(exchange);
        std::thread([exchange] { exchange->executor().post([exchange] { echo(exchange); }); }).detach();
      },
      {}, nullptr, 2);
  std::atomic<bool> stop{false};
  std::atomic<int> good{0};
  std::atomic<int> bad{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, i] {
      while (!stop) {
        RawClient client(server.port());
        if (!client.connected()) return;
        for (int k = 0; k < 20; ++k) {
          client.send(get(i % 2 == 0 ? "/now" : "/later"));
          if (!client.read_until("\r\n\r\n")) break;
          (client.read_answer().status == 200 ? good : bad)++;
        }
      }
    });
  }
  REQUIRE(eventually([&] { return good > 200; }, seconds(20)));
  std::thread other([&] { server->drain(soon(seconds(5))); });
  server->drain(soon(seconds(5)));
  stop = true;
  other.join();
  for (auto& client : clients) client.join();
  CHECK(bad == 0);
}

// Work that is posted, or put off, and then throws while it holds the exchange.
void fail_later(const SharedExchange& exchange) {
  Executor& executor = exchange->executor();
  const std::string_view path = exchange->request().path();
  if (path == "/posted") executor.post([exchange] { throw std::bad_alloc(); });
  if (path == "/odd") executor.post([exchange] { throw 7; });
  if (path == "/timer") executor.at(soon(milliseconds(5)), [exchange] { throw std::runtime_error("no"); });
  if (path == "/elsewhere") {
    std::thread([exchange] { exchange->executor().post([exchange] { throw std::bad_alloc(); }); }).detach();
  }
  if (path == "/events") {
    auto stream = exchange->begin_events(event_head());
    executor.post([stream] {
      stream->send("one");
      throw std::bad_alloc();
    });
  }
}

TEST_CASE("WorkThatThrowsEndsItsRequestAndNothingElse") {
  TestServer server(fail_later);
  for (const char* path : {"/posted", "/odd", "/timer", "/elsewhere"}) {
    INFO(path);
    RawClient client(server.port());
    CHECK(client.ask(get(path)).status == 500);
    CHECK(client.ask(get(path)).status == 500);  // the same connection goes on
  }
  RawClient streaming(server.port());
  streaming.send(get("/events"));
  CHECK(streaming.read_until("\r\n\r\n"));
  CHECK(streaming.closed_within(seconds(5)));
  RawClient client(server.port());
  CHECK(client.ask(get("/posted")).status == 500);
}

TEST_CASE("WorkBehindWorkThatThrowsStillRuns") {
  std::atomic<int> ran{0};
  TestServer server([&](const SharedExchange& exchange) {
    exchange->executor().post([] { throw std::runtime_error("no"); });
    exchange->executor().post([&] { ++ran; });
    exchange->executor().at(soon(milliseconds(1)), [] { throw std::runtime_error("no"); });
    exchange->executor().at(soon(milliseconds(1)), [&] { ++ran; });
    echo(exchange);
  });
  RawClient client(server.port());
  CHECK(client.ask(get("/")).status == 200);
  CHECK(eventually([&] { return ran == 2; }));
}

TEST_CASE("CountsBytesAndConnections") {
  MetricsRegistry metrics;
  TestServer server(echo, {}, &metrics);
  {
    RawClient client(server.port());
    CHECK(client.ask(get("/")).status == 200);
    const double sent = static_cast<double>(get("/").size());
    CHECK(eventually([&] {
      return metrics.counter("jackdaw_http_bytes_read_total", "Bytes read from HTTP connections.").value() == sent;
    }));
    CHECK(metrics.counter("jackdaw_http_bytes_written_total", "Bytes written to HTTP connections.").value() > 50);
    CHECK(metrics.expose().find("jackdaw_http_connections 1") != std::string::npos);
  }
  CHECK(eventually([&] { return metrics.expose().find("jackdaw_http_connections 0") != std::string::npos; }));
}

}  // namespace
}  // namespace jackdaw::net::test
