#include "src/net/url.h"

#include <algorithm>
#include <charconv>

#include "jackdaw/base/ascii.h"

namespace jackdaw::net {
namespace {

Error bad_url(std::string_view text, std::string_view why) {
  return make_error(Code::invalid_argument, "\"{}\" is not a URL this client can call: {}", text, why);
}

bool is_clean(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c != 0x7f; });
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  if (!is_clean(text))
    return bad_url(text, "it holds spaces, control characters or bytes that must be percent-encoded");
  Url url;
  url.secure = ascii_iequals(text.substr(0, 8), "https://");
  if (url.secure) url.port = 443;
  if (!url.secure && !ascii_iequals(text.substr(0, 7), "http://")) {
    return bad_url(text, "it must start with http:// or https://");
  }
  std::string_view rest = text.substr(url.secure ? 8 : 7);
  rest = rest.substr(0, rest.find('#'));
  const std::size_t slash = rest.find_first_of("/?");
  const std::string_view authority = rest.substr(0, slash);
  url.authority = authority;
  url.target = slash == std::string_view::npos ? "/" : std::string(rest.substr(slash));
  if (url.target.front() == '?') url.target.insert(0, 1, '/');
  if (authority.find('@') != std::string_view::npos)
    return bad_url(text, "user names in URLs are not used; send a header");

  std::string_view host = authority;
  std::string_view port;
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
    const auto parsed = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (port.empty() || parsed.ec != std::errc{} || parsed.ptr != port.data() + port.size() || url.port == 0) {
      return bad_url(text, "the port is not a number from 1 to 65535");
    }
  }
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty()) return bad_url(text, "the host is missing");
  url.host = host;
  return url;
}

}  // namespace jackdaw::net
