#include "src/net/inflater.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace jackdaw::net {
namespace {

// Small bodies may exceed the ratio: 200 bytes of gzip that hold 64 KiB hurt nobody.
constexpr std::size_t ratio_free_bytes = 64 * 1024;
constexpr std::size_t step_bytes = 32 * 1024;
constexpr int gzip_window = 15 + 16;
constexpr int zlib_window = 15;
constexpr int raw_window = -15;

bool looks_like_zlib(std::string_view two) {
  const auto cmf = static_cast<unsigned char>(two[0]);
  const auto flg = static_cast<unsigned char>(two[1]);
  return (cmf & 0x0f) == 8 && (cmf >> 4) <= 7 && (cmf * 256 + flg) % 31 == 0;
}

}  // namespace

struct Inflater::Stream {
  z_stream z{};
  bool started = false;
  ~Stream() {
    if (started) inflateEnd(&z);
  }
};

Inflater::Inflater(ContentCoding coding, std::size_t body_bytes_max, std::size_t ratio_max)
    : coding_(coding), body_bytes_max_(body_bytes_max), ratio_max_(std::max<std::size_t>(ratio_max, 1)) {}
Inflater::~Inflater() = default;

bool Inflater::refuse(int status, std::string_view reason, std::string_view what) {
  refusal_ = {status, reason, std::string(what) + " (byte " + std::to_string(compressed_) + " of the compressed body)"};
  return false;
}

bool Inflater::start(std::string_view compressed) {
  stream_ = std::make_unique<Stream>();
  int window = gzip_window;
  if (coding_ == ContentCoding::deflate) window = looks_like_zlib(compressed) ? zlib_window : raw_window;
  stream_->started = inflateInit2(&stream_->z, window) == Z_OK;
  return stream_->started || refuse(503, "memory", "no memory to inflate the body");
}

bool Inflater::check_size(std::size_t inflated) {
  if (inflated > body_bytes_max_) {
    return refuse(413, "body_too_large",
                  "the inflated request body is larger than " + std::to_string(body_bytes_max_) + " bytes");
  }
  if (inflated > ratio_free_bytes && inflated / ratio_max_ > compressed_) {
    return refuse(413, "gzip_ratio",
                  "the request body inflates more than " + std::to_string(ratio_max_) + "-fold: refused as a bomb");
  }
  return true;
}

bool Inflater::feed(std::string_view compressed, std::string& out) {
  if (stream_ == nullptr) {
    // Two bytes tell zlib from raw deflate; hold the first one back when it comes alone.
    if (!held_.empty() || compressed.size() < 2) {
      held_.append(compressed);
      if (held_.size() < 2) return true;
      const std::string all = std::move(held_);
      held_.clear();
      return feed(all, out);
    }
    if (!start(compressed)) return false;
  }
  z_stream& z = stream_->z;
  while (!compressed.empty()) {
    if (at_end_) {
      if (coding_ != ContentCoding::gzip) return refuse(400, "bad_encoding", "bytes after the end of the deflate body");
      if (inflateReset(&z) != Z_OK) return refuse(400, "bad_encoding", "the gzip body cannot be read on");
      at_end_ = false;
    }
    const std::size_t slice = std::min<std::size_t>(compressed.size(), std::numeric_limits<uInt>::max());
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
    z.avail_in = static_cast<uInt>(slice);
    int code = Z_OK;
    do {
      const std::size_t before = out.size();
      out.resize(before + step_bytes);
      z.next_out = reinterpret_cast<Bytef*>(out.data() + before);
      z.avail_out = step_bytes;
      const uInt in_before = z.avail_in;
      code = inflate(&z, Z_NO_FLUSH);
      compressed_ += in_before - z.avail_in;
      out.resize(before + step_bytes - z.avail_out);
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR) {
        return refuse(400, "bad_encoding",
                      coding_ == ContentCoding::gzip ? "the body is not valid gzip" : "the body is not valid deflate");
      }
      if (!check_size(out.size())) return false;
    } while (code == Z_OK && (z.avail_in > 0 || z.avail_out == 0));
    at_end_ = code == Z_STREAM_END;
    if (code == Z_BUF_ERROR && z.avail_in > 0) return refuse(400, "bad_encoding", "the compressed body makes no sense");
    compressed.remove_prefix(slice - z.avail_in);
  }
  return true;
}

bool Inflater::finish() {
  const bool nothing_came = stream_ == nullptr && held_.empty();
  if (at_end_ || nothing_came) return true;
  return refuse(400, "bad_encoding", "the compressed body breaks off");
}

}  // namespace jackdaw::net
