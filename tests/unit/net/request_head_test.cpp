#include "src/net/request_head.h"

#include <catch2/catch.hpp>

namespace jackdaw::net {
namespace {

using namespace std::string_literals;
using Progress = HeadParser::Progress;

struct Parsed {
  Progress progress;
  RequestHead head;
  Refusal refusal;
  std::string bytes;
  std::string_view text(Span32 span) const { return span.in(bytes.data()); }
};

Parsed parse(std::string bytes, HeadLimits limits = {}) {
  HeadParser parser(limits);
  Parsed parsed;
  parsed.bytes = std::move(bytes);
  parsed.progress = parser.feed(parsed.bytes);
  parsed.head = parser.head();
  parsed.refusal = parser.refusal();
  return parsed;
}

// The same bytes, one more at a time: what is told must not depend on how they arrive.
Parsed parse_bytewise(const std::string& bytes, HeadLimits limits = {}) {
  HeadParser parser(limits);
  Parsed parsed;
  parsed.progress = Progress::need_more;
  for (std::size_t size = 1; size <= bytes.size() && parsed.progress == Progress::need_more; ++size) {
    parsed.bytes = bytes.substr(0, size);
    parsed.progress = parser.feed(parsed.bytes);
  }
  parsed.head = parser.head();
  parsed.refusal = parser.refusal();
  return parsed;
}

int refused_with(const std::string& bytes, HeadLimits limits = {}) {
  const Parsed whole = parse(bytes, limits);
  const Parsed bytewise = parse_bytewise(bytes, limits);
  CHECK(whole.progress == bytewise.progress);
  if (whole.progress != Progress::refused) return 0;
  CHECK_FALSE(whole.refusal.message.empty());
  CHECK(whole.refusal.status == bytewise.refusal.status);
  return whole.refusal.status;
}

TEST_CASE("ReadsMethodTargetAndFields") {
  const Parsed parsed =
      parse("POST /v2/models/iris/infer?a=1&b HTTP/1.1\r\nHost: x:8080\r\nX-Empty:\r\nX-Pad: \t a b \t\r\n\r\nbody");
  REQUIRE(parsed.progress == Progress::complete);
  CHECK(parsed.head.method == Method::post);
  CHECK(parsed.text(parsed.head.target) == "/v2/models/iris/infer?a=1&b");
  CHECK(parsed.text(parsed.head.path) == "/v2/models/iris/infer");
  CHECK(parsed.text(parsed.head.query) == "a=1&b");
  REQUIRE(parsed.head.fields.size() == 3);
  CHECK(parsed.text(parsed.head.fields[1].value).empty());
  CHECK(parsed.text(parsed.head.fields[2].value) == "a b");
  CHECK(parsed.bytes.substr(parsed.head.size) == "body");
  CHECK(parsed.head.keep_alive);
}

TEST_CASE("ParsesTheSameBytewise") {
  const std::string bytes = "\r\nGET http://h/p?q HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n";
  const Parsed parsed = parse_bytewise(bytes);
  REQUIRE(parsed.progress == Progress::complete);
  CHECK(parsed.text(parsed.head.path) == "/p");
  CHECK(parsed.text(parsed.head.query) == "q");
  CHECK_FALSE(parsed.head.keep_alive);
}

TEST_CASE("ReadsAbsoluteTargetWithoutPathAsRoot") {
  const Parsed parsed = parse("GET http://h HTTP/1.1\r\nHost: h\r\n\r\n");
  REQUIRE(parsed.progress == Progress::complete);
  CHECK(parsed.text(parsed.head.path) == "/");
}

TEST_CASE("RefusesAbsoluteTargetThatDisagreesWithHost") {
  CHECK(refused_with("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n") == 400);
  CHECK(refused_with("GET http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n") == 400);
  CHECK(refused_with("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
}

TEST_CASE("RefusesMalformedRequestLines") {
  CHECK(refused_with("GET /\r\n\r\n") == 400);                     // HTTP/0.9
  CHECK(refused_with("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 505);  // HTTP/2 preface
  CHECK(refused_with("GET / HTTP/1.2\r\nHost: a\r\n\r\n") == 505);
  CHECK(refused_with("GET / HTTP/11\r\nHost: a\r\n\r\n") == 400);
  CHECK(refused_with("GET / http/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refused_with("GET  / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);    // two spaces
  CHECK(refused_with("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n") == 400);  // space in target
  CHECK(refused_with("GET / HTTP/1.1 \r\nHost: a\r\n\r\n") == 400);    // trailing space
  CHECK(refused_with("GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refused_with(" GET / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refused_with("G(T / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refused_with("GET a HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refused_with("GET * HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refused_with("GET /#f HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refused_with("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n") == 400);
  CHECK(refused_with("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n") == 405);
  CHECK(refused_with("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"s) == 400);
}

TEST_CASE("RefusesWhatIsNotHttpAtItsFirstByte") {
  CHECK(refused_with("\x16\x03\x01\x02") == 400);
  CHECK(parse("\x16\x03\x01").refusal.message.find("TLS") != std::string::npos);
  CHECK(refused_with(std::string(1, '\0')) == 400);
}

TEST_CASE("AcceptsOptionsAsterisk") {
  CHECK(parse("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").progress == Progress::complete);
}

TEST_CASE("RefusesMalformedFields") {
  const auto with = [](std::string_view fields) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
  };
  CHECK(refused_with(with("X : 1\r\n")) == 400);       // space before colon
  CHECK(refused_with(with("X: 1\r\n y\r\n")) == 400);  // obs-fold
  CHECK(refused_with(with("X\r\n")) == 400);           // no colon
  CHECK(refused_with(with(": 1\r\n")) == 400);         // no name
  CHECK(refused_with(with("X: 1\n")) == 400);          // bare LF
  CHECK(refused_with(with("X: a\rb\r\n")) == 400);     // bare CR
  CHECK(refused_with(with("X: a\x7f\r\n")) == 400);
  CHECK(refused_with(with("X\xc3: a\r\n")) == 400);
  CHECK(refused_with(with("X: a\0b\r\n"s)) == 400);
  CHECK(refused_with(with("X\0: a\r\n"s)) == 400);
  CHECK(refused_with("GET / HTTP/1.1\r\n Host: a\r\n\r\n") == 400);  // white space before the first field
  CHECK(refused_with("GET / HTTP/1.1\nHost: a\n\n") == 400);
}

TEST_CASE("RefusesAmbiguousLengths") {
  const auto with = [](std::string_view fields) {
    return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n";
  };
  CHECK(refused_with(with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n")) == 400);
  CHECK(refused_with(with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n")) == 400);
  CHECK(refused_with(with("Content-Length: 5\r\nContent-Length: 6\r\n")) == 400);
  CHECK(refused_with(with("Content-Length: 5\r\ncontent-length: 5\r\n")) == 400);
  for (const char* bad : {"+5", "-1", "5, 5", "0x5", "5 5", "", "1e3", "99999999999999999999", "5;"}) {
    CHECK(refused_with(with("Content-Length: " + std::string(bad) + "\r\n")) == 400);
  }
  for (const char* bad :
       {"identity", "gzip, chunked", "chunked, chunked", "xchunked", "chunked;q=1", "", "\"chunked\""}) {
    CHECK(refused_with(with("Transfer-Encoding: " + std::string(bad) + "\r\n")) == 400);
  }
  CHECK(refused_with(with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n")) == 400);
  CHECK(refused_with("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
  CHECK(parse(with("Transfer-Encoding: Chunked\r\n")).progress == Progress::complete);
}

TEST_CASE("RefusesMissingRepeatedOrMalformedHost") {
  CHECK(refused_with("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(refused_with("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n") == 400);
  CHECK(refused_with("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n") == 400);
  CHECK(refused_with("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n") == 400);
  CHECK(refused_with("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n") == 400);
  CHECK(parse("GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n").progress == Progress::complete);
  CHECK(parse("GET / HTTP/1.0\r\n\r\n").progress == Progress::complete);
}

TEST_CASE("RefusesOtherExpectationsAndCodings") {
  const auto with = [](std::string_view fields) {
    return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n" + std::string(fields) + "\r\n";
  };
  CHECK(refused_with(with("Expect: 200-ok\r\n")) == 417);
  CHECK(refused_with(with("Content-Encoding: br\r\n")) == 415);
  CHECK(refused_with(with("Content-Encoding: gzip, gzip\r\n")) == 415);
  CHECK(refused_with(with("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n")) == 415);
  CHECK(parse(with("Content-Encoding: X-GZIP\r\n")).head.coding == ContentCoding::gzip);
  CHECK(parse(with("Expect: 100-Continue\r\n")).head.expects_continue);
}

TEST_CASE("KeepsAliveByTheRulesOfTheVersion") {
  CHECK_FALSE(parse("GET / HTTP/1.0\r\n\r\n").head.keep_alive);
  CHECK(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").head.keep_alive);
  CHECK(parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n").head.keep_alive);
  CHECK_FALSE(parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, close\r\n\r\n").head.keep_alive);
  CHECK_FALSE(
      parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n").head.keep_alive);
}

TEST_CASE("BoundsHeadTargetAndFields") {
  HeadLimits limits;
  limits.head_bytes_max = 512;
  limits.target_bytes_max = 64;
  limits.fields_max = 3;
  CHECK(refused_with("GET /" + std::string(64, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", limits) == 414);
  CHECK(refused_with("GET /" + std::string(500, 'a'), limits) == 414);
  CHECK(refused_with("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(600, 'a') + "\r\n\r\n", limits) == 431);
  CHECK(refused_with("GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(600, 'a'), limits) == 431);
  CHECK(refused_with("GET / HTTP/1.1\r\nA: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n\r\n", limits) == 431);
  CHECK(parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n" + std::string(1000, 'b'), limits).progress == Progress::complete);
}

TEST_CASE("WaitsForIncompleteHeads") {
  const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(parse(bytes.substr(0, size)).progress == Progress::need_more);
  }
}

}  // namespace
}  // namespace jackdaw::net
