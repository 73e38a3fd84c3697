#include "jackdaw/serving/event_sender.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "jackdaw/serving/payload_logger.h"
#include "src/serving/event_file.h"
#include "src/serving/json_scan.h"
#include "tests/unit/temporary_folder.h"

using namespace jackdaw;
using namespace jackdaw::serving;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Instant in(Duration wait) {
  return std::chrono::steady_clock::now() + wait;
}

// What receivers got, and how they answer; shared by the clients of all threads.
struct Receivers {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<net::ClientRequest> got;
  std::vector<int> statuses;  // of the next answers; then 200. 0 = no answer
  bool stuck = false;         // answers are held back until the timeout

  std::size_t wait_for(std::size_t count) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, seconds(10), [&] { return got.size() >= count; });
    return got.size();
  }
};

class FakeClient final : public net::HttpClient {
 public:
  explicit FakeClient(Receivers& receivers) : receivers_(receivers) {}
  Result<net::ClientResponse> send(const net::ClientRequest& request) override {
    std::unique_lock lock(receivers_.mutex);
    receivers_.got.push_back(request);
    receivers_.changed.notify_all();
    if (receivers_.stuck && request.url.find("slow") != std::string::npos) {
      receivers_.changed.wait_for(lock, request.timeout, [&] { return !receivers_.stuck; });
      return make_error(Code::deadline_exceeded, "no answer");
    }
    int status = 200;
    if (!receivers_.statuses.empty()) {
      status = receivers_.statuses.front();
      receivers_.statuses.erase(receivers_.statuses.begin());
    }
    if (status == 0) return make_error(Code::io_error, "connection refused");
    net::ClientResponse response;
    response.status = status;
    return response;
  }

 private:
  Receivers& receivers_;
};

struct World {
  MetricsRegistry metrics;
  Receivers receivers;
  EventSender sender;

  explicit World(EventSenderOptions options = quick())
      : sender(
            options, [this] { return std::make_unique<FakeClient>(receivers); }, metrics) {}

  static EventSenderOptions quick() {
    EventSenderOptions options;
    options.backoff_min = milliseconds(1);
    options.backoff_max = milliseconds(5);
    options.send_timeout = milliseconds(300);
    return options;
  }
  std::string counted(std::string_view reason) const {
    const std::string text = metrics.expose();
    const std::string name = fmt::format("jackdaw_logger_dropped_total{{reason=\"{}\"}} ", reason);
    const std::size_t at = text.find(name);
    return at == std::string::npos ? "" : text.substr(at + name.size(), text.find('\n', at) - at - name.size());
  }
};

PayloadEvent event(std::string id, std::string body = R"({"instances":[[1]]})") {
  static const auto origin = std::make_shared<const EventOrigin>(
      EventOrigin{"iris-predictor", "iris", "default", "predictor", "default", R"({"team":"birds"})"});
  PayloadEvent out;
  out.id = std::move(id);
  out.content_type = "application/json";
  out.body = std::move(body);
  out.metadata = R"({"X-User":["ada"]})";
  out.time = WallTime(std::chrono::microseconds(1'795'509'320'123'456));
  out.origin = origin;
  return out;
}

std::string header(const net::ClientRequest& request, std::string_view name) {
  for (const net::Header& h : request.headers) {
    if (h.name == name) return h.value;
  }
  return "";
}

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("AnEventIsPostedInBinaryMode") {
  World world;
  world.sender.send(world.sender.destination("http://sink/x", 0), event("a-1"));
  REQUIRE(world.receivers.wait_for(1) == 1);
  const net::ClientRequest& got = world.receivers.got[0];
  CHECK(got.method == "POST");
  CHECK(got.url == "http://sink/x");
  CHECK(got.body == R"({"instances":[[1]]})");
  const std::pair<const char*, const char*> headers[] = {{"Content-Type", "application/json"},
                                                         {"Ce-Specversion", "1.0"},
                                                         {"Ce-Id", "a-1"},
                                                         {"Ce-Type", "org.kubeflow.serving.inference.request"},
                                                         {"Ce-Source", "iris-predictor"},
                                                         {"Ce-Time", "2026-11-24T08:35:20.123456Z"},
                                                         {"Ce-Recordedtime", "2026-11-24T08:35:20.123456Z"},
                                                         {"Ce-Inferenceservicename", "iris"},
                                                         {"Ce-Namespace", "default"},
                                                         {"Ce-Component", "predictor"},
                                                         {"Ce-Endpoint", "default"},
                                                         {"Ce-Metadata", R"({"X-User":["ada"]})"},
                                                         {"Ce-Annotations", R"({"team":"birds"})"},
                                                         {"Ce-Truncated", ""}};
  for (const auto& [name, value] : headers) CHECK(header(got, name) == value);
  world.sender.stop(in(seconds(5)));
  CHECK(world.metrics.expose().find("jackdaw_logger_sent_total 1.0") != std::string::npos);
}

TEST_CASE("WhatFailsForAWhileIsTriedAgainInOrder") {
  World world;
  world.receivers.statuses = {0, 503, 429};
  const auto sink = world.sender.destination("http://sink", 0);
  world.sender.send(sink, event("first"));
  REQUIRE(world.receivers.wait_for(4) == 4);
  for (const net::ClientRequest& got : world.receivers.got) CHECK(header(got, "Ce-Id") == "first");
  world.sender.stop(in(seconds(5)));
  CHECK(world.counted("failed") == "0.0");
}

TEST_CASE("WhatKeepsFailingOrIsRefusedIsDroppedAndCounted") {
  World world;
  world.receivers.statuses = {500, 500, 500, 500, 400};
  const auto sink = world.sender.destination("http://sink", 0);
  world.sender.send(sink, event("fails"));
  REQUIRE(world.receivers.wait_for(4) == 4);
  world.sender.send(sink, event("refused"));
  REQUIRE(world.receivers.wait_for(5) == 5);
  world.sender.send(sink, event("arrives"));
  world.sender.stop(in(seconds(5)));
  CHECK(world.counted("failed") == "1.0");
  CHECK(world.counted("rejected") == "1.0");
  CHECK(header(world.receivers.got.back(), "Ce-Id") == "arrives");
}

TEST_CASE("AQueueIsBoundedByEventsAndByBytes") {
  EventSenderOptions options = World::quick();
  options.threads = 0;  // nobody takes anything out
  options.queue_max = 3;
  options.queue_bytes_max = 10'000;
  World world(options);
  const auto few = world.sender.destination("http://few", 0);
  for (int i = 0; i < 5; ++i) world.sender.send(few, event("x"));
  CHECK(world.counted("queue_full") == "2.0");
  const auto large = world.sender.destination("http://large", 0);
  for (int i = 0; i < 3; ++i) world.sender.send(large, event("x", std::string(4'500, ' ')));
  CHECK(world.counted("queue_full") == "3.0");
  CHECK(world.sender.waiting() == 5);
  world.sender.stop(in(milliseconds(10)));
  CHECK(world.counted("shutdown") == "5.0");
  world.sender.send(few, event("late"));
  CHECK(world.counted("shutdown") == "6.0");
}

TEST_CASE("ASlowDestinationLeavesTheOthersRoomAndSendNeverWaits") {
  World world;
  world.receivers.stuck = true;
  const auto slow = world.sender.destination("http://slow", 0);
  const auto quick = world.sender.destination("http://quick", 0);
  const Instant begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 100; ++i) world.sender.send(slow, event("s"));
  for (int i = 0; i < 100; ++i) world.sender.send(quick, event("q"));
  CHECK(std::chrono::steady_clock::now() - begin < milliseconds(200));
  std::unique_lock lock(world.receivers.mutex);
  const auto quick_ones = [&] {
    return std::count_if(world.receivers.got.begin(), world.receivers.got.end(),
                         [](const auto& got) { return got.url == "http://quick"; });
  };
  world.receivers.changed.wait_for(lock, seconds(10), [&] { return quick_ones() == 100; });
  CHECK(quick_ones() == 100);
  lock.unlock();
  const Instant stop_begin = std::chrono::steady_clock::now();
  world.sender.stop(in(milliseconds(100)));
  CHECK(std::chrono::steady_clock::now() - stop_begin < seconds(2));
  CHECK(world.counted("shutdown") != "0.0");
}

TEST_CASE("StoppingSendsWhatIsThere") {
  World world;
  const auto sink = world.sender.destination("http://sink", 0);
  for (int i = 0; i < 500; ++i) world.sender.send(sink, event(std::to_string(i)));
  world.sender.stop(in(seconds(10)));
  std::set<std::string> ids;
  for (const auto& got : world.receivers.got) ids.insert(header(got, "Ce-Id"));
  CHECK(ids.size() == 500);
}

TEST_CASE("AnEventIsOneLineOfJsonInAFile") {
  const testing::TemporaryFolder folder;
  const auto path = folder / "events.jsonl";
  World world;
  const auto sink = world.sender.destination("file://" + path.string(), 1 << 20);
  world.sender.send(sink, event("pretty", "{\n  \"instances\": [[1]]\r\n}"));
  world.sender.send(sink, event("broken", "{\"instances\": [[1"));
  PayloadEvent text = event("text", "data: {}\n\n");
  text.kind = EventKind::response;
  text.content_type = "text/event-stream; charset=utf-8";
  text.truncated = true;
  world.sender.send(sink, text);
  PayloadEvent binary = event("binary", std::string("\xff\x00\x01", 3));
  binary.content_type.clear();
  world.sender.send(sink, binary);
  world.sender.stop(in(seconds(10)));
  const auto lines = lines_of(path);
  REQUIRE(lines.size() == 4);
  for (const std::string& line : lines) CHECK(is_json(line));
  CHECK(lines[0] ==
        R"({"specversion":"1.0","id":"pretty","type":"org.kubeflow.serving.inference.request","source":)"
        R"("iris-predictor","time":"2026-11-24T08:35:20.123456Z","inferenceservicename":"iris","namespace":"default",)"
        R"("component":"predictor","endpoint":"default","metadata":"{\"X-User\":[\"ada\"]}","annotations":)"
        R"("{\"team\":\"birds\"}","datacontenttype":"application/json","data":{   "instances": [[1]]  }})");
  CHECK(lines[1].find(R"("data_base64":"eyJpbnN0YW5jZXMiOiBbWzE=")") != std::string::npos);
  CHECK(lines[2].find(
            R"("truncated":true,"datacontenttype":"text/event-stream; charset=utf-8","data":"data: {}\n\n"})") !=
        std::string::npos);
  CHECK(lines[3].find(R"("data_base64":"/wAB"})") != std::string::npos);
}

TEST_CASE("AFileThatHasGrownIsPutAside") {
  const testing::TemporaryFolder folder;
  const auto path = folder / "events.jsonl";
  EventFile file(path.string(), 100, 2);
  const std::string line(40, 'x');
  for (int i = 0; i < 7; ++i) CHECK(file.append(line + std::to_string(i)).has_value());
  CHECK(lines_of(path) == std::vector<std::string>{line + "6"});
  CHECK(lines_of(path.string() + ".1") == std::vector<std::string>{line + "4", line + "5"});
  CHECK(lines_of(path.string() + ".2") == std::vector<std::string>{line + "2", line + "3"});
  CHECK_FALSE(std::filesystem::exists(path.string() + ".3"));
  // Taken away by someone else: written anew.
  std::filesystem::rename(path, folder / "moved");
  CHECK(file.append("next").has_value());
  CHECK(lines_of(path) == std::vector<std::string>{"next"});
}

TEST_CASE("AFileThatCannotBeWrittenDropsItsEventsAndSaysWhy") {
  World world;
  const auto sink = world.sender.destination("file:///nowhere/at/all.jsonl", 1 << 20);
  world.sender.send(sink, event("x"));
  world.sender.stop(in(seconds(5)));
  CHECK(world.counted("failed") == "1.0");
  const auto error = EventFile("/nowhere/at/all.jsonl", 100, 1).append("x");
  REQUIRE(error.has_error());
  CHECK(error.error().message.find("/nowhere/at/all.jsonl cannot be opened") != std::string::npos);
}

TEST_CASE("APipeIsNoFileForALogAndDoesNotHoldTheThread") {
  const testing::TemporaryFolder folder;
  const auto pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  World world;
  const auto sink = world.sender.destination("file://" + pipe.string(), 1 << 20);
  world.sender.send(sink, event("x"));
  world.sender.stop(in(seconds(5)));
  CHECK(world.counted("failed") == "1.0");
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  for (const std::string& path : {pipe.string(), std::string("/dev/null")}) {
    const auto error = EventFile(path, 100, 1).append("x");
    REQUIRE(error.has_error());
    CHECK(error.error().message == path + " is a pipe or a device, not a file; name a file for the log");
  }
  ::close(reader);
}

TEST_CASE("ALinkToAFileTakesTheLog") {
  const testing::TemporaryFolder folder;
  std::filesystem::create_symlink("real.jsonl", folder / "events.jsonl");
  CHECK(EventFile((folder / "events.jsonl").string(), 100, 1).append("x").has_value());
  CHECK(lines_of(folder / "real.jsonl") == std::vector<std::string>{"x"});
}

TEST_CASE("ALoggerSendsToEveryDestination") {
  World world;
  PayloadLoggerOptions options;
  options.destinations = {world.sender.destination("http://a", 0), world.sender.destination("http://b", 0)};
  options.origin.service_name = "iris";
  const PayloadLogger logger(std::move(options), world.sender);
  logger.log(event("1"));
  world.sender.stop(in(seconds(5)));
  REQUIRE(world.receivers.got.size() == 2);
  CHECK(world.receivers.got[0].body == world.receivers.got[1].body);
  CHECK(header(world.receivers.got[0], "Ce-Inferenceservicename") == "iris");
}

TEST_CASE("JsonIsToldFromWhatIsNone") {
  for (const std::string_view text : {"{}", "[]", " [1, -2.5e+3, \"a\\u00e9\\n\", true, false, null, {\"a\": {}}] ",
                                      "0", "\"x\"", "{\"a\":[{\"b\":[]}]}"}) {
    INFO(text);
    CHECK(is_json(text));
  }
  for (const std::string_view text :
       {"",        "{",           "[1,]", "{\"a\"}", "{a:1}", "01", "1.", "1e",         "[1 2]", "\"a\nb\"",
        "\"\\x\"", "\"\\u12g4\"", "nul",  "{} {}",   "\xff",  "]",  "[}", "{\"a\":1,}", "-",     "+1"}) {
    INFO(text);
    CHECK_FALSE(is_json(text));
  }
  CHECK(is_json(std::string(512, '[') + std::string(512, ']')));
  CHECK_FALSE(is_json(std::string(513, '[') + std::string(513, ']')));
}
