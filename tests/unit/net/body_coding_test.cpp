// Chunked transfer coding and compressed bodies, without a network.
#include <zlib.h>

#include <catch2/catch.hpp>

#include "src/net/chunked_body.h"
#include "src/net/inflater.h"

namespace jackdaw::net {
namespace {

struct Decoded {
  ChunkedBody::Progress progress = ChunkedBody::Progress::need_more;
  std::string body;
  std::size_t used = 0;
  int status = 0;
};

// Feeds `coded` in pieces of `piece` bytes, as a connection does: unused bytes come again with more behind them.
Decoded decode(const std::string& coded, std::size_t piece, std::size_t body_bytes_max = 1 << 20) {
  ChunkedBody chunked;
  chunked.reset(body_bytes_max);
  Decoded result;
  std::string pending;
  std::size_t taken = 0;
  while (result.progress == ChunkedBody::Progress::need_more && taken < coded.size()) {
    pending += coded.substr(taken, piece);
    taken += std::min(piece, coded.size() - taken);
    std::string out(pending.size(), '\0');
    std::size_t used = 0;
    std::size_t decoded = 0;
    result.progress = chunked.feed(pending.data(), pending.size(), out.data(), used, decoded);
    result.body += out.substr(0, decoded);
    result.used += used;
    pending.erase(0, used);
  }
  result.status = chunked.refusal().status;
  return result;
}

TEST_CASE("DecodesChunksHoweverTheyArrive") {
  const std::string coded = "5\r\nhello\r\n1;name=value\r\n,\r\n006\r\n world\r\n0\r\nTrailer: x\r\n\r\nGET /";
  for (std::size_t piece = 1; piece <= coded.size(); ++piece) {
    const Decoded decoded = decode(coded, piece);
    CHECK(decoded.progress == ChunkedBody::Progress::complete);
    CHECK(decoded.body == "hello, world");
    CHECK(decoded.used == coded.size() - 5);
  }
}

TEST_CASE("DecodesChunksInPlace") {
  std::string bytes = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  ChunkedBody chunked;
  chunked.reset(100);
  std::size_t used = 0;
  std::size_t decoded = 0;
  CHECK(chunked.feed(bytes.data(), bytes.size(), bytes.data(), used, decoded) == ChunkedBody::Progress::complete);
  CHECK(bytes.substr(0, decoded) == "abcde");
}

TEST_CASE("RefusesMalformedChunks") {
  for (const char* bad :
       {"\r\n", "g\r\n", "5 \r\nhello\r\n", " 5\r\nhello\r\n", "5\nhello\r\n", "5\r\nhelloX\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n", "-1\r\n", "0x5\r\n", "+5\r\n", "5;a\rb\r\nhello\r\n", "10000000000000000\r\n",
        "ffffffffffffffff\r\n", "0\r\nX: a\nb\r\n\r\n", "5,\r\n"}) {
    INFO(bad);
    CHECK(decode(bad, 1000).progress == ChunkedBody::Progress::refused);
    CHECK(decode(bad, 1).progress == ChunkedBody::Progress::refused);
  }
}

TEST_CASE("RefusesChunksOverTheBodyLimit") {
  CHECK(decode("5\r\nhello\r\n6\r\n", 100, 10).status == 413);
  CHECK(decode("fffffffffffffff\r\n", 100, 10).status == 413);
}

TEST_CASE("RefusesAbuseOfExtensionsAndTrailers") {
  CHECK(decode("1;" + std::string(1000, 'a') + "\r\n", 100).progress == ChunkedBody::Progress::refused);
  std::string many;
  for (int i = 0; i < 100; ++i) many += "1;" + std::string(100, 'a') + "\r\nx\r\n";
  CHECK(decode(many, 100).progress == ChunkedBody::Progress::refused);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 100; ++i) trailers += "X: " + std::string(100, 'a') + "\r\n";
  CHECK(decode(trailers, 100).status == 431);
}

std::string compress(std::string_view text, int window) {
  z_stream z{};
  REQUIRE(deflateInit2(&z, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&z, Z_FINISH) == Z_STREAM_END);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}
std::string gzip(std::string_view text) {
  return compress(text, 15 + 16);
}

struct Inflated {
  bool good = true;
  std::string text;
  int status = 0;
  std::string_view reason;
};

Inflated inflate_all(ContentCoding coding, const std::string& bytes, std::size_t piece, std::size_t max = 1 << 24,
                     std::size_t ratio = 200) {
  Inflater inflater(coding, max, ratio);
  Inflated result;
  for (std::size_t i = 0; result.good && i < bytes.size(); i += piece) {
    result.good = inflater.feed(std::string_view(bytes).substr(i, piece), result.text);
  }
  result.good = result.good && inflater.finish();
  result.status = inflater.refusal().status;
  result.reason = inflater.refusal().reason;
  return result;
}

std::string sample_text() {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919 % 10007) + ",";
  return text;
}

TEST_CASE("InflatesGzipZlibAndRawDeflate") {
  const std::string text = sample_text();
  for (std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{777}, std::size_t{1} << 20}) {
    CHECK(inflate_all(ContentCoding::gzip, gzip(text), piece).text == text);
    CHECK(inflate_all(ContentCoding::deflate, compress(text, 15), piece).text == text);
    CHECK(inflate_all(ContentCoding::deflate, compress(text, -15), piece).text == text);
    CHECK(inflate_all(ContentCoding::gzip, gzip("first,") + gzip("second"), piece).text == "first,second");
  }
}

TEST_CASE("RefusesTruncatedOrDamagedCompression") {
  const std::string good = gzip(sample_text());
  for (std::size_t size : {std::size_t{1}, std::size_t{9}, std::size_t{10}, good.size() / 2, good.size() - 1}) {
    CHECK_FALSE(inflate_all(ContentCoding::gzip, good.substr(0, size), 4096).good);
  }
  std::string damaged = good;
  damaged[damaged.size() - 5] = static_cast<char>(damaged[damaged.size() - 5] ^ 1);
  CHECK(inflate_all(ContentCoding::gzip, damaged, 4096).status == 400);
  CHECK(inflate_all(ContentCoding::gzip, good + "garbage", 4096).status == 400);
  CHECK(inflate_all(ContentCoding::deflate, compress("text", 15) + "x", 4096).status == 400);
  CHECK(inflate_all(ContentCoding::gzip, "not gzip at all", 4096).status == 400);
}

TEST_CASE("StopsBombsAtTheirRatioAndTheAbsoluteLimit") {
  const std::string zeros(8 << 20, '\0');
  const Inflated bomb = inflate_all(ContentCoding::gzip, gzip(zeros), 4096);
  CHECK(bomb.status == 413);
  CHECK(bomb.reason == "gzip_ratio");
  CHECK(bomb.text.size() < zeros.size() / 2);
  CHECK(inflate_all(ContentCoding::gzip, gzip(zeros), 4096, 1 << 20, 100000).reason == "body_too_large");
  CHECK(inflate_all(ContentCoding::gzip, gzip(std::string(60000, 'a')), 4096).good);
}

}  // namespace
}  // namespace jackdaw::net
