#include "utf8.h"

namespace jackdaw::text {

namespace {

// How many continuation bytes follow a lead byte, and the range of the first of them (Unicode 16, table 3-7).
struct Lead {
  std::uint32_t continuations;
  unsigned char low;
  unsigned char high;
};

Lead lead_of(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1, 0x80, 0xBF};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {2, 0x80, 0xBF};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {3, 0x80, 0xBF};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

Utf8Character decode_utf8_slow(const char* p, const char* end) {
  const auto byte = static_cast<unsigned char>(*p);
  const Lead lead = lead_of(byte);
  if (lead.continuations == 0) return {no_code_point, 1, Utf8Status::invalid};
  char32_t code = byte & (0x3Fu >> lead.continuations);
  unsigned char low = lead.low;
  unsigned char high = lead.high;
  for (std::uint32_t i = 1; i <= lead.continuations; ++i) {
    if (p + i == end) return {no_code_point, i, Utf8Status::incomplete};
    const auto next = static_cast<unsigned char>(p[i]);
    if (next < low || next > high) return {no_code_point, i, Utf8Status::invalid};
    code = code << 6 | (next & 0x3Fu);
    low = 0x80;
    high = 0xBF;
  }
  return {code, lead.continuations + 1, Utf8Status::valid};
}

void append_utf8(std::string& out, char32_t code) {
  const auto add = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return add(code);
  if (code < 0x800) {
    add(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    add(0xE0 | code >> 12);
    add(0x80 | (code >> 6 & 0x3F));
  } else {
    add(0xF0 | code >> 18);
    add(0x80 | (code >> 12 & 0x3F));
    add(0x80 | (code >> 6 & 0x3F));
  }
  add(0x80 | (code & 0x3F));
}

void append_certain_utf8(std::string& pending, std::string_view more, std::string& out) {
  std::string joined;
  if (!pending.empty()) {
    joined = pending + std::string(more);
    more = joined;
    pending.clear();
  }
  const char* p = more.data();
  const char* const end = p + more.size();
  while (p < end) {
    const Utf8Character c = decode_utf8(p, end);
    if (c.status == Utf8Status::incomplete) {
      pending.assign(p, end);
      return;
    }
    if (c.status == Utf8Status::valid) {
      out.append(p, c.length);
    } else {
      out += replacement_character;
    }
    p += c.length;
  }
}

}  // namespace jackdaw::text
