// ListenAddress: "127.0.0.1:8080", "[::1]:8080", "localhost:0", "https://0.0.0.0:8443" taken apart.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "jackdaw/base/result.h"

namespace jackdaw::net {

struct ListenAddress {
  std::string host;  // numeric, without brackets
  std::uint16_t port = 0;
  bool tls = false;  // https://
};

Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace jackdaw::net
