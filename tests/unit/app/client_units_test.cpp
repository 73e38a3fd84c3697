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
