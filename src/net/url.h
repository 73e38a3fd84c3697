// Url: "http[s]://host[:port]/path?query" taken apart for the client.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "jackdaw/base/result.h"

namespace jackdaw::net {

struct Url {
  std::string host;         // without brackets
  std::uint16_t port = 80;  // 443 of https
  bool secure = false;      // https
  std::string authority;    // as it goes into Host
  std::string target;       // path and query, starts with '/'
};

// Refuses other schemes, user names, and characters that must be percent-encoded. A fragment is dropped.
Result<Url> parse_url(std::string_view text);

}  // namespace jackdaw::net
