// ChunkedBody: takes the chunked transfer coding (RFC 9112 §7.1) off a request body, in place.
//
// Decoded bytes are moved to the front of the range that held the coded ones; the decoder never needs memory of its
// own. Chunk extensions are read and ignored up to a small budget, trailers likewise: both are only good for abuse.
#pragma once

#include <cstddef>
#include <cstdint>

#include "src/net/request_head.h"

namespace jackdaw::net {

class ChunkedBody {
 public:
  enum class Progress : unsigned char { need_more, complete, refused };

  void reset(std::size_t body_bytes_max);
  // Decodes `size` coded bytes at `coded`, writing to `out` (which may not lie behind `coded`). Reports how many coded
  // bytes were used and how many decoded bytes came out; what is not used must be given again, with more behind it.
  Progress feed(const char* coded, std::size_t size, char* out, std::size_t& used, std::size_t& decoded);

  const Refusal& refusal() const { return refusal_; }

 private:
  enum class State : unsigned char { size_line, data, data_end, trailer };
  Progress refuse(int status, std::string_view reason, std::string_view what);
  bool take_size_line(std::string_view line);

  State state_ = State::size_line;
  std::uint64_t chunk_left_ = 0;
  std::uint64_t total_ = 0;
  std::size_t body_bytes_max_ = 0;
  std::size_t overhead_ = 0;  // bytes of extensions and trailers so far
  Refusal refusal_;
};

}  // namespace jackdaw::net
