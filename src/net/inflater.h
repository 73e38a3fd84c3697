// Inflater: takes gzip (RFC 1952) or deflate (RFC 1950, or raw RFC 1951 as some clients send it) off a request body as
// its bytes arrive, and stops a bomb at its ratio before it fills the absolute limit.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "src/net/request_head.h"

namespace jackdaw::net {

class Inflater {
 public:
  Inflater(ContentCoding coding, std::size_t body_bytes_max, std::size_t ratio_max);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Appends what `compressed` inflates to. False: see refusal().
  [[nodiscard]] bool feed(std::string_view compressed, std::string& out);
  // The compressed body has ended; false when it broke off in the middle.
  [[nodiscard]] bool finish();

  const Refusal& refusal() const { return refusal_; }

 private:
  struct Stream;
  bool start(std::string_view compressed);
  bool refuse(int status, std::string_view reason, std::string_view what);
  bool check_size(std::size_t inflated);

  ContentCoding coding_;
  std::size_t body_bytes_max_;
  std::size_t ratio_max_;
  std::size_t compressed_ = 0;
  bool at_end_ = false;  // of a member
  std::unique_ptr<Stream> stream_;
  std::string held_;  // first byte of a deflate body, until two are there to tell zlib from raw
  Refusal refusal_;
};

}  // namespace jackdaw::net
