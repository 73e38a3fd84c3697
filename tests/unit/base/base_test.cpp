#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <thread>

#include "jackdaw/base/bytes.h"
#include "jackdaw/base/config_value.h"
#include "jackdaw/base/cpu.h"
#include "jackdaw/base/dtype.h"
#include "jackdaw/base/env.h"
#include "jackdaw/base/log.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/base/result.h"
#include "jackdaw/base/text.h"

using namespace jackdaw;

namespace {

Result<int> positive(int value) {
  if (value <= 0) return make_error(Code::invalid_argument, "{} is not positive", value);
  return value;
}

Result<int> doubled(int value) {
  JACKDAW_ASSIGN(const int checked, positive(value));
  return checked * 2;
}

Result<void> only_checked(int value) {
  JACKDAW_TRY(positive(value));
  return {};
}

std::string json_double(double value) {
  std::string out;
  append_json_double(out, value);
  return out;
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

TEST_CASE("ResultCarriesValueOrErrorThroughTheMacros") {
  CHECK(doubled(4).value() == 8);
  const auto failed = doubled(-1);
  REQUIRE(!failed);
  CHECK(failed.error().code == Code::invalid_argument);
  CHECK(failed.error().message == "-1 is not positive");
  CHECK(only_checked(1).has_value());
  CHECK_FALSE(only_checked(0).has_value());
}

TEST_CASE("ErrorTextSaysThePlaceFirst") {
  CHECK(make_error(Code::parse_error, "bad").at("offset 7").text() == "offset 7: bad");
  CHECK(make_error(Code::parse_error, "bad").at("offset 7").at("m.json").text() == "m.json: offset 7: bad");
  CHECK(make_error(Code::parse_error, "bad").at("m.json").at("m.json").text() == "m.json: bad");
  CHECK(make_error(Code::parse_error, "m.json: bad").at("m.json").text() == "m.json: bad");
  CHECK(make_error(Code::parse_error, "m.json is bad").at("m").text() == "m: m.json is bad");
  CHECK(code_info(Code::resource_exhausted).retryable);
  CHECK(code_info(Code::parse_error).name == "parse_error");
}

TEST_CASE("ByteReaderRefusesToReadPastTheEnd") {
  const std::string data("\x01\x02\x03\x04\x05", 5);
  ByteReader reader(as_bytes(data));
  std::uint32_t word = 0;
  REQUIRE(reader.read_le(word));
  CHECK(word == 0x04030201u);
  CHECK_FALSE(reader.read_le(word));
  CHECK(reader.offset() == 4);
  std::uint8_t byte = 0;
  REQUIRE(reader.read_be(byte));
  CHECK(byte == 5);
  CHECK(reader.at_end());
  Bytes rest;
  CHECK_FALSE(reader.take(1, rest));
  CHECK_FALSE(reader.skip(std::numeric_limits<std::size_t>::max()));
  REQUIRE(reader.seek(0));
  REQUIRE(reader.read_be(word));
  CHECK(word == 0x01020304u);
  CHECK_FALSE(reader.seek(6));
}

TEST_CASE("ByteReaderTakesUntilADelimiter") {
  ByteReader reader(as_bytes("ab\ncd"));
  std::string_view line;
  REQUIRE(reader.take_until('\n', line));
  CHECK(line == "ab");
  CHECK_FALSE(reader.take_until('\n', line));
  CHECK(reader.remaining() == 2);
}

TEST_CASE("ElementCountRefusesOverflowAndNegativeDimensions") {
  std::int64_t count = 0;
  const std::array<std::int64_t, 2> fine{3, 4};
  REQUIRE(element_count(fine, count));
  CHECK(count == 12);
  const std::array<std::int64_t, 3> huge{1ll << 40, 1ll << 40, 2};
  CHECK_FALSE(element_count(huge, count));
  const std::array<std::int64_t, 2> negative{-1, 4};
  CHECK_FALSE(element_count(negative, count));
  REQUIRE(element_count({}, count));
  CHECK(count == 1);
}

TEST_CASE("DTypeNamesAndSizesFollowTheProtocol") {
  CHECK(oip_name(DType::boolean) == "BOOL");
  CHECK(element_size(DType::bf16) == 2);
  CHECK(element_size(DType::bytes) == 0);
  CHECK(dtype_from_oip("FP64") == DType::fp64);
  CHECK_FALSE(dtype_from_oip("FP8").has_value());
  CHECK(is_integer(DType::uint8));
  CHECK_FALSE(is_integer(DType::boolean));
}

TEST_CASE("JsonNumbersPrintAsOrjsonPrintsThem") {
  CHECK(json_double(1.0) == "1.0");
  CHECK(json_double(0.1) == "0.1");
  CHECK(json_double(-0.0) == "-0.0");
  CHECK(json_double(static_cast<double>(6.8f)) == "6.800000190734863");
  CHECK(json_double(1e15) == "1000000000000000.0");
  CHECK(json_double(1e16) == "1e+16");
  CHECK(json_double(-1e300) == "-1e+300");
  CHECK(json_double(123456.0) == "123456.0");
  CHECK(json_double(1200000.0) == "1200000.0");
  CHECK(json_double(0.000012345) == "0.000012345");
  CHECK(json_double(-12.5) == "-12.5");
  CHECK(json_double(9.9e-6) == "9.9e-6");
  CHECK(json_double(1.5e-7) == "1.5e-7");
  CHECK(json_double(1e-5) == "0.00001");
  CHECK(json_double(1e-6) == "1e-6");
  CHECK(json_double(123456789012345680.0) == "1.2345678901234568e+17");
  CHECK(json_double(5e-324) == "5e-324");
  CHECK(json_double(std::nan("")) == "null");
  CHECK(json_double(std::numeric_limits<double>::infinity()) == "null");
}

TEST_CASE("JsonStringsEscapeOnlyWhatTheyMust") {
  CHECK(json_string("a\"b\\c\n\t\x01/") == R"("a\"b\\c\n\t\u0001/")");
  CHECK(json_string("z\xc3\xbcrich") == "\"z\xc3\xbcrich\"");
}

TEST_CASE("IntegersBeyond64BitsBecomeReals") {
  const std::string large = R"({"a": 1000000000000000019884624838656, "b": [-12345678901234567890123,1]})";
  CHECK(with_large_integers_as_reals(large) ==
        R"({"a": 1000000000000000019884624838656.0, "b": [-12345678901234567890123.0,1]})");
  for (const char* same :
       {R"({"a":"1000000000000000019884624838656","\":"\\"})", "[123456789012345678, 0.1234567890123456789]",
        "[1000000000000000019884624838656.5, 1e1000000000000000019884624838656]", "[12", R"("\)", ""}) {
    CHECK(with_large_integers_as_reals(same) == same);
  }
}

TEST_CASE("Utf8ValidationRefusesOverlongSurrogatesAndTruncation") {
  CHECK(is_valid_utf8("plain ascii text of more than eight bytes"));
  CHECK(is_valid_utf8("\xf0\x9f\xa6\x9c"));
  CHECK_FALSE(is_valid_utf8("\xc0\xaf"));
  CHECK_FALSE(is_valid_utf8("\xed\xa0\x80"));
  CHECK_FALSE(is_valid_utf8("\xe2\x82"));
  CHECK_FALSE(is_valid_utf8("\xf4\x90\x80\x80"));
  CHECK_FALSE(is_valid_utf8("\xff"));
}

TEST_CASE("NearestNameFindsTyposAndStaysQuietOtherwise") {
  const std::array<std::string_view, 4> names{"storageUri", "modelFormat", "minReplicas", "runtime"};
  CHECK(nearest_name("storageURI", names) == "storageUri");
  CHECK(nearest_name("modelFromat", names) == "modelFormat");
  CHECK(nearest_name("minReplica", names) == "minReplicas");
  CHECK(nearest_name("zzzzzzzz", names).empty());
  CHECK(nearest_name(std::string(5000, 'x'), names).empty());
}

TEST_CASE("TimesAreWrittenAndReadAsKubernetesWritesThem") {
  using namespace std::chrono_literals;
  const WallTime time{1795887333s};
  CHECK(rfc3339(time) == "2026-11-28T17:35:33Z");
  CHECK(rfc3339(time + 999ms) == "2026-11-28T17:35:33Z");
  CHECK(rfc3339(WallTime{0s}) == "1970-01-01T00:00:00Z");
  CHECK(parse_rfc3339("2026-11-28T17:35:33Z") == time);
  CHECK(parse_rfc3339("2026-11-28T17:35:33.123456Z") == time);
  for (const char* bad :
       {"", "yesterday", "2026-02-30T00:00:00Z", "2026-11-28T24:00:00Z", "2026-11-28T17:35Z",
        "2026-11-28T17:35:33+01:00", "2026-11-28T17:35:33", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"}) {
    INFO(bad);
    CHECK(!parse_rfc3339(bad));
  }
}

TEST_CASE("AgesAreShortAsKubectlShowsThem") {
  using namespace std::chrono_literals;
  CHECK(short_age(0s) == "0s");
  CHECK(short_age(-1s) == "0s");
  CHECK(short_age(-5s) == "<invalid>");
  CHECK(short_age(119s) == "119s");
  CHECK(short_age(120s) == "2m");
  CHECK(short_age(200s) == "3m20s");
  CHECK(short_age(10min) == "10m");
  CHECK(short_age(1h) == "60m");
  CHECK(short_age(179min) == "179m");
  CHECK(short_age(3h) == "3h");
  CHECK(short_age(5h + 7min) == "5h7m");
  CHECK(short_age(47h) == "47h");
  CHECK(short_age(49h) == "2d1h");
  CHECK(short_age(24h * 8) == "8d");
  CHECK(short_age(24h * 400) == "400d");
  CHECK(short_age(24h * 365 * 2) == "2y");
  CHECK(short_age(24h * (365 * 3 + 4)) == "3y4d");
}

TEST_CASE("UuidsAreVersionFourAndDiffer") {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string id = make_uuid(system_random());
    REQUIRE(id.size() == 36);
    CHECK(id[14] == '4');
    CHECK(std::string("89ab").find(id[19]) != std::string::npos);
    seen.insert(id);
  }
  CHECK(seen.size() == 100);
}

TEST_CASE("LogLinesAreOneLineInBothFormats") {
  LogOptions text;
  const auto line = format_log_line(text, "T", LogLevel::warning, "two\nlines",
                                    {{"model", "iris svc"}, {"status", 404}, {"ok", false}, {"ms", 1.5}});
  CHECK(line == "T warning two lines model=\"iris svc\" status=404 ok=false ms=1.5");
  LogOptions json;
  json.format = LogFormat::json;
  CHECK(format_log_line(json, "T", LogLevel::info, "hi \"x\"", {{"bad", "\xff"}}) ==
        R"({"ts":"T","level":"info","msg":"hi \"x\"","bad":"?"})");
}

TEST_CASE("MetricsExposeAsPrometheusText") {
  MetricsRegistry registry;
  const std::array<std::string_view, 1> names{"model"};
  const std::array<std::string_view, 1> iris{"ir\"is\n"};
  registry.counter("requests_total", "All requests.", names, iris).add(3);
  registry.gauge("loaded", "Loaded models.").set(1.5);
  const std::array<double, 2> bounds{0.1, 1.0};
  auto& histogram = registry.histogram("latency_seconds", "Latency.", bounds);
  histogram.observe(0.1);
  histogram.observe(0.5);
  histogram.observe(7);
  const std::string text = registry.expose();
  CHECK(text.find("# HELP requests_total All requests.\n# TYPE requests_total counter\n"
                  "requests_total{model=\"ir\\\"is\\n\"} 3.0\n") != std::string::npos);
  CHECK(text.find("loaded 1.5\n") != std::string::npos);
  CHECK(text.find("latency_seconds_bucket{le=\"0.1\"} 1.0\nlatency_seconds_bucket{le=\"1.0\"} 2.0\n"
                  "latency_seconds_bucket{le=\"+Inf\"} 3.0\nlatency_seconds_count 3.0\nlatency_seconds_sum 7.6\n") !=
        std::string::npos);
  CHECK(&registry.counter("requests_total", "All requests.", names, iris) ==
        &registry.counter("requests_total", "All requests.", names, iris));
}

TEST_CASE("CountersLoseNothingBetweenThreads") {
  MetricsRegistry registry;
  Counter& counter = registry.counter("n", "n");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&counter] {
      for (int i = 0; i < 10'000; ++i) counter.add();
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(counter.value() == 40'000);
}

TEST_CASE("CpuQuotaComesFromTheCgroup") {
  CHECK(cpus_from_cgroup_v2("max 100000\n") == 0.0);
  CHECK(cpus_from_cgroup_v2("250000 100000\n") == 2.5);
  CHECK(cpus_from_cgroup_v2("") == 0.0);
  CHECK(cpus_from_cgroup_v2("abc 0") == 0.0);
  CHECK(usable_cpu_count() >= 1);
}

TEST_CASE("ConfigValuesRememberTheirPlace") {
  ConfigValue<int> port(8080);
  CHECK_FALSE(port.is_set);
  port.set(9090, SourcePlace{"a.yaml", 3, 7, "/spec/port"});
  CHECK(*port == 9090);
  CHECK(port.place.text() == "a.yaml:3:7");
  CHECK(SourcePlace{"a.json", 0, 0, "/spec"}.text() == "a.json#/spec");
  CHECK(SourcePlace{"--listen", 0, 0, ""}.text() == "--listen");
}
