#include "src/net/address.h"

#include <charconv>

namespace jackdaw::net {
namespace {

Error bad_address(std::string_view text, std::string_view why) {
  return make_error(Code::invalid_argument,
                    "cannot listen on \"{}\": {}; write it as 127.0.0.1:8080, [::1]:8080 or "
                    "https://0.0.0.0:8443",
                    text, why);
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  ListenAddress address;
  std::string_view host = text;
  address.tls = host.starts_with("https://");
  if (address.tls || host.starts_with("http://")) host.remove_prefix(host.find("//") + 2);
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos) return bad_address(text, "the port is missing");
  const std::string_view port = host.substr(colon + 1);
  host = host.substr(0, colon);
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (port.empty() || parsed.ec != std::errc{} || parsed.ptr != port.data() + port.size()) {
    return bad_address(text, "the port is not a number from 0 to 65535");
  }
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return bad_address(text, "an IPv6 address needs brackets");
  }
  if (host.empty()) return bad_address(text, "the address is missing; 0.0.0.0 means all");
  address.host = host == "localhost" ? "127.0.0.1" : std::string(host);
  return address;
}

}  // namespace jackdaw::net
