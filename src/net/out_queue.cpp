#include "src/net/out_queue.h"

#include "jackdaw/base/result.h"

namespace jackdaw::net {
namespace {

constexpr std::size_t copy_bytes_max = 16 * 1024;  // larger pieces are moved
constexpr std::size_t tail_bytes_max = 64 * 1024;
constexpr std::size_t kept_bytes_max = 16 * 1024;  // capacity an idle connection keeps

constexpr std::size_t written_pieces_max = 64;  // then the row of pieces is closed up

}  // namespace

std::string& OutQueue::tail() {
  if (!tail_open_ || pieces_.back().size() > tail_bytes_max) {
    pieces_.emplace_back();
    tail_open_ = true;
  }
  return pieces_.back();
}

void OutQueue::append(std::string_view bytes) {
  if (bytes.empty()) return;
  tail().append(bytes);
  bytes_ += bytes.size();
}

void OutQueue::push(std::string&& bytes) {
  if (bytes.size() <= copy_bytes_max) {
    append(bytes);
    return;
  }
  bytes_ += bytes.size();
  pieces_.push_back(std::move(bytes));
  tail_open_ = false;
}

void OutQueue::take(OutQueue& other) {
  for (std::string& piece : other.pieces_) push(std::move(piece));
  other.pieces_.clear();
  other.clear();
}

std::size_t OutQueue::gather(iovec* out, std::size_t count) const {
  std::size_t filled = 0;
  std::size_t skip = offset_;
  for (std::size_t i = first_; i < pieces_.size() && filled < count; ++i) {
    const std::string& piece = pieces_[i];
    if (piece.size() > skip) out[filled++] = {const_cast<char*>(piece.data()) + skip, piece.size() - skip};
    skip = 0;
  }
  return filled;
}

void OutQueue::consume(std::size_t bytes) {
  CHECK(bytes <= bytes_);
  bytes_ -= bytes;
  if (bytes_ == 0) {
    clear();
    return;
  }
  while (bytes > 0) {
    const std::size_t left = pieces_[first_].size() - offset_;
    if (bytes < left) {
      offset_ += bytes;
      return;
    }
    bytes -= left;
    offset_ = 0;
    std::string().swap(pieces_[first_++]);
  }
  if (first_ >= written_pieces_max) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void OutQueue::clear() {
  bytes_ = offset_ = first_ = 0;
  // The first piece is kept with its memory, for the next answer.
  if (pieces_.size() > 1) pieces_.resize(1);
  tail_open_ = !pieces_.empty();
  if (pieces_.empty()) return;
  if (pieces_[0].capacity() > kept_bytes_max) std::string().swap(pieces_[0]);
  pieces_[0].clear();
}

}  // namespace jackdaw::net
