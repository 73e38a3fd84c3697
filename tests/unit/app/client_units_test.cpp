#include <catch2/catch.hpp>
#include <cmath>

#include "src/app/client/units.h"

using namespace jackdaw;
using namespace jackdaw::app;
using namespace std::chrono_literals;

TEST_CASE("DurationsAreReadAsPeopleWriteThem") {
  const std::pair<const char*, Duration> good[] = {{"90", 90s},      {"0", 0s},   {"30s", 30s},     {"5m", 5min},
                                                   {"1h30m", 90min}, {"2d", 48h}, {"500ms", 500ms}, {"1.5s", 1500ms},
                                                   {"1m1s", 61s},    {"0s", 0s}};
  for (const auto& [text, length] : good) {
    INFO(text);
    const auto read = parse_duration(text);
    REQUIRE(read.has_value());
    CHECK(*read == length);
  }
  for (const char* bad : {"", "x", "5x", "h", "1h30", "-5s", "5 m", "1e3s", "nan", "inf", "999999999999d", "5m "}) {
    INFO(bad);
    CHECK_FALSE(parse_duration(bad).has_value());
  }
}

TEST_CASE("AgesAreKubernetesOwn") {
  CHECK(short_age(-5) == "0s");
  CHECK(short_age(119) == "119s");
  CHECK(short_age(200) == "3m20s");
  CHECK(short_age(3600) == "60m");
  CHECK(short_age(4 * 3600 + 60) == "4h1m");
  CHECK(short_age(3 * 86400) == "3d");
  CHECK(short_age(400 * 86400) == "400d");
}

TEST_CASE("TimesAreReadFromRfc3339") {
  CHECK(parse_time("1970-01-01T00:00:00Z") == 0);
  CHECK(parse_time("2026-11-28T17:35:33Z") == 1795887333);
  CHECK(parse_time("2026-11-28T17:35:33.123456Z") == 1795887333);
  CHECK(parse_time("2026-02-30T00:00:00Z") == -1);
  CHECK(parse_time("yesterday") == -1);
}

TEST_CASE("NumbersAreShort") {
  CHECK(short_bytes(512) == "512 B");
  CHECK(short_bytes(1536) == "1.5 KiB");
  CHECK(short_bytes(21.4 * 1024 * 1024) == "21.4 MiB");
  CHECK(short_number(0) == "0");
  CHECK(short_number(0.254) == "0.25");
  CHECK(short_number(98'712) == "98.7k");
  CHECK(short_number(1'234'567) == "1.23M");
  CHECK(short_number(std::nan("")) == "-");
  CHECK(short_latency(18e-6) == "18 µs");
  CHECK(short_latency(4.21e-3) == "4.21 ms");
  CHECK(short_latency(1.3) == "1.30 s");
  CHECK(short_latency(std::nan("")) == "-");
}
