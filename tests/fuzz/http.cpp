// The HTTP head parser, the chunked decoder and the inflater over hostile bytes. Besides not crashing, they must tell
// the same however the bytes arrive: whole, or one at a time.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "jackdaw/base/result.h"
#include "src/net/chunked_body.h"
#include "src/net/inflater.h"
#include "src/net/request_head.h"

namespace {

using namespace jackdaw::net;

constexpr std::size_t body_bytes_max = 64 * 1024;

HeadLimits small_limits() {
  HeadLimits limits;
  limits.head_bytes_max = 2048;
  limits.target_bytes_max = 256;
  limits.fields_max = 16;
  return limits;
}

void check_head(const RequestHead& head, std::string_view bytes) {
  const auto inside = [&](Span32 span) { CHECK(span.begin + span.size <= head.size); };
  CHECK(head.size <= bytes.size());
  CHECK(bytes.substr(head.size - 4, 4) == "\r\n\r\n");
  for (Span32 span : {head.method_text, head.target, head.path, head.query}) inside(span);
  CHECK(is_token(head.method_text.in(bytes.data())));
  CHECK(head.path.size > 0);
  for (const FieldSpan& field : head.fields) {
    inside(field.name);
    inside(field.value);
    CHECK(is_token(field.name.in(bytes.data())));
    CHECK(is_field_value(field.value.in(bytes.data())));
  }
  CHECK(!(head.chunked && head.has_length));
}

struct Decoded {
  ChunkedBody::Progress progress = ChunkedBody::Progress::need_more;
  std::string body;
  std::size_t used = 0;
};

// In place, as a connection does it.
Decoded decode(std::string_view coded, std::size_t piece) {
  ChunkedBody chunked;
  chunked.reset(body_bytes_max);
  Decoded result;
  std::string buffer;
  std::size_t raw = 0;  // coded bytes not used yet start here; decoded ones before result.body.size()
  std::size_t out = 0;
  for (std::size_t i = 0; i < coded.size() && result.progress == ChunkedBody::Progress::need_more; i += piece) {
    buffer.append(coded.substr(i, piece));
    std::size_t used = 0;
    std::size_t decoded = 0;
    result.progress = chunked.feed(buffer.data() + raw, buffer.size() - raw, buffer.data() + out, used, decoded);
    CHECK(used <= buffer.size() - raw);
    CHECK(decoded <= used);
    raw += used;
    out += decoded;
    result.used += used;
    buffer.erase(out, raw - out);
    raw = out;
  }
  result.body = buffer.substr(0, out);
  CHECK(out <= body_bytes_max);
  return result;
}

void fuzz_body(const RequestHead& head, std::string_view rest) {
  std::string body(rest);
  if (head.chunked) {
    const Decoded whole = decode(rest, rest.size() + 1);
    const Decoded pieces = decode(rest, 1);
    CHECK(whole.progress == pieces.progress);
    if (whole.progress == ChunkedBody::Progress::complete) {
      CHECK(whole.body == pieces.body);
      CHECK(whole.used == pieces.used);
    }
    body = whole.body;
  }
  if (head.coding != ContentCoding::gzip && head.coding != ContentCoding::deflate) return;
  std::string whole;
  std::string pieces;
  Inflater all(head.coding, body_bytes_max, 100);
  Inflater each(head.coding, body_bytes_max, 100);
  const bool whole_good = all.feed(body, whole) && all.finish();
  bool pieces_good = true;
  for (std::size_t i = 0; pieces_good && i < body.size(); ++i) {
    pieces_good = each.feed(std::string_view(body).substr(i, 1), pieces);
  }
  pieces_good = pieces_good && each.finish();
  if (whole_good && pieces_good) CHECK(whole == pieces);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  HeadParser whole(small_limits());
  const HeadParser::Progress progress = whole.feed(bytes);

  HeadParser pieces(small_limits());
  HeadParser::Progress bytewise = HeadParser::Progress::need_more;
  for (std::size_t end = 1; end <= size && bytewise == HeadParser::Progress::need_more; ++end) {
    bytewise = pieces.feed(bytes.substr(0, end));
  }
  CHECK(progress == bytewise);
  if (progress != HeadParser::Progress::complete) return 0;
  CHECK(whole.head().size == pieces.head().size);
  check_head(whole.head(), bytes);
  fuzz_body(whole.head(), bytes.substr(whole.head().size));
  return 0;
}
