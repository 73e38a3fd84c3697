#include "jackdaw/base/log_ring.h"

#include <catch2/catch.hpp>
#include <thread>

namespace jackdaw {
namespace {

std::vector<std::string> lines(const std::vector<LogRing::RecordPtr>& records) {
  std::vector<std::string> out;
  for (const auto& record : records) out.push_back(record->line);
  return out;
}

void say(LogRing& ring, std::string_view message, std::initializer_list<LogField> fields = {}, int second = 0) {
  ring.on_record({WallTime(std::chrono::seconds(second)), LogLevel::info, message, {fields.begin(), fields.size()}});
}

}  // namespace

TEST_CASE("LogRingKeepsRecordsAsJsonLines") {
  LogRing ring;
  say(ring, "model ready", {{"model", "iris"}, {"load_ms", 1.5}}, 1'700'000'000);
  const auto records = ring.read({});
  REQUIRE(records.size() == 1);
  CHECK(records[0]->line ==
        R"({"ts":"2023-11-14T22:13:20.000Z","level":"info","msg":"model ready","model":"iris","load_ms":1.5})");
  CHECK(records[0]->text("model") == "iris");
  CHECK(records[0]->text("load_ms").empty());
  CHECK(records[0]->sequence == 1);
}

TEST_CASE("LogRingGivesWhatFits") {
  LogRing ring;
  for (int i = 0; i < 10; ++i) say(ring, "m" + std::to_string(i), {{"model", i % 2 == 0 ? "even" : "odd"}}, i);
  CHECK(ring.read({.after = 8}).size() == 2);
  CHECK(ring.read({.since = WallTime(std::chrono::seconds(7))}).size() == 3);
  const auto odd = ring.read({.last_max = 2, .fits = [](const auto& record) { return record.text("model") == "odd"; }});
  REQUIRE(odd.size() == 2);
  CHECK(odd[0]->sequence == 8);
  CHECK(odd[1]->sequence == 10);
}

TEST_CASE("RequestsNeverPushOutWhatElseWasSaid") {
  LogRing ring({.lane_records_max = 4});
  say(ring, "model ready");
  for (int i = 0; i < 100; ++i) say(ring, "request", {{"path", "/v1/models"}});
  say(ring, "model unloaded");
  const auto records = ring.read({});
  REQUIRE(records.size() == 6);  // in the order they came
  CHECK(records.front()->line.find("model ready") != std::string::npos);
  CHECK(records[1]->sequence == 98);
  CHECK(records.back()->line.find("model unloaded") != std::string::npos);
}

TEST_CASE("LogRingIsBoundedInBytes") {
  LogRing ring({.lane_bytes_max = 64 * 1024});
  for (int i = 0; i < 1000; ++i) say(ring, std::string(1000, 'x'));
  CHECK(ring.read({}).size() < 64);
  CHECK(ring.read({}).size() > 32);
  say(ring, std::string(1 << 20, 'y'));  // larger than the lane: nothing is left, and nothing breaks
  CHECK(ring.read({}).empty());
  say(ring, "small");
  CHECK(lines(ring.read({})).size() == 1);
}

TEST_CASE("LogRingListensToTheLog") {
  const auto ring = std::make_shared<LogRing>();
  set_log_listener(ring);
  configure_log({.level = LogLevel::warning, .fd = -1});
  log_info("below the level", {});
  log_warning("heard", {{"model", std::string("iris")}});
  std::thread other([] { log_error("heard too"); });
  other.join();
  set_log_listener(nullptr);
  log_error("not any more");
  configure_log({});
  const auto records = ring->read({});
  REQUIRE(records.size() == 2);
  CHECK(records[0]->line.find(R"("level":"warning","msg":"heard","model":"iris")") != std::string::npos);
  CHECK(ring->last_sequence() == 2);
}

}  // namespace jackdaw
