// OutQueue: bytes of a connection that wait to be written. Small pieces are copied together, large ones are moved in,
// and all go out in one gather write.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace jackdaw::net {

class OutQueue {
 public:
  bool empty() const { return bytes_ == 0; }
  std::size_t size() const { return bytes_; }

  // The piece at the end, to append text to; call `appended` afterwards with the number of bytes added.
  std::string& tail();
  void appended(std::size_t bytes) { bytes_ += bytes; }

  void append(std::string_view bytes);
  void push(std::string&& bytes);
  // Appends all of another queue of which nothing has been written; it is empty afterwards.
  void take(OutQueue& other);

  // Fills up to `count` entries and returns how many.
  std::size_t gather(iovec* out, std::size_t count) const;
  void consume(std::size_t bytes);
  void clear();

 private:
  std::vector<std::string> pieces_;
  std::size_t first_ = 0;   // piece the next write starts with
  std::size_t offset_ = 0;  // in that piece
  std::size_t bytes_ = 0;
  bool tail_open_ = false;  // the last piece takes more text
};

}  // namespace jackdaw::net
