#include "src/formats/compression.h"

#include <bzlib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <memory>
#include <string>
#include <utility>

namespace jackdaw::formats {

namespace {

struct Magic {
  std::string_view bytes;
  Compression compression;
};
constexpr std::array<Magic, 7> magics{{
    {std::string_view("\x1f\x8b", 2), Compression::gzip},
    {std::string_view("\xfd"
                      "7zXZ",
                      5),
     Compression::xz},
    {std::string_view("\x5d\x00", 2), Compression::lzma},
    {std::string_view("\x04\x22\x4d\x18", 4), Compression::lz4},
    {std::string_view("BZ", 2), Compression::bzip2},
    {std::string_view("ZF", 2), Compression::zfile},
    {std::string_view("\x78", 1), Compression::zlib},
}};

constexpr std::size_t first_growth = 256 << 10;
// The largest preset of xz needs 65 MiB; a header may ask for 4 GiB.
constexpr std::uint64_t lzma_memory_max = 256ull << 20;

// Where decompressed bytes go, and the place that refuses bombs.
class Sink {
 public:
  Sink(std::uint64_t compressed_bytes, const DecompressLimits& limits) {
    std::uint64_t by_ratio = std::numeric_limits<std::uint64_t>::max();
    (void)checked_mul(compressed_bytes, limits.expansion_max, by_ratio);
    by_ratio_ = std::max(by_ratio, limits.expansion_floor);
    by_size_ = limits.bytes_max;
  }

  // Makes room; false when the limits or memory forbid more.
  bool make_room() {
    if (store_.room() > 0) return true;
    const std::uint64_t allowed = std::min(by_ratio_, by_size_);
    if (store_.size() >= allowed) return false;
    const std::uint64_t want = std::clamp<std::uint64_t>(store_.size() / 2, first_growth, 256ull << 20);
    return store_.reserve_more(static_cast<std::size_t>(std::min(want, allowed - store_.size())));
  }
  std::byte* tail() { return store_.tail(); }
  std::size_t room() const { return store_.room(); }
  void advance(std::size_t written) { store_.advance(written); }
  std::size_t size() const { return store_.size(); }
  ByteStore take() { return std::move(store_); }

  // make_room said no with output still to come.
  Error refuse() const {
    const std::uint64_t allowed = std::min(by_ratio_, by_size_);
    if (store_.size() < allowed)
      return make_error(Code::too_large, "out of memory after {} decompressed bytes", store_.size());
    return make_error(
        Code::too_large,
        "the compressed file expands beyond {} bytes, the limit for its size; it looks like a decompression "
        "bomb. If you trust it, save it again without compression",
        allowed);
  }

 private:
  ByteStore store_;
  std::uint64_t by_ratio_;
  std::uint64_t by_size_;
};

Error damaged(std::string_view what, std::size_t offset, std::string_view why) {
  return Error{Code::parse_error, fmt::format("damaged {} data: {}", what, why),
               fmt::format("compressed offset {}", offset)};
}

// One library's decoder: `step` consumes from `in`, fills `out`, and says whether it goes on.
struct StepResult {
  enum class State { more, member_end, failed } state;
  std::size_t consumed;
  std::size_t produced;
  std::string_view why;
};
using State = StepResult::State;

// Drives a decoder over the file. A decoder is { StepResult step(Bytes in, span out); bool restart(Bytes rest); name }.
template <typename Decoder>
Result<ByteStore> drive(Decoder& decoder, Bytes file, std::size_t skip, const DecompressLimits& limits) {
  Sink sink(file.size(), limits);
  std::size_t at = skip;
  // Byte that holds what a decoder writes beyond the limit, to tell "exactly at the limit" from "beyond".
  std::byte spill;
  while (true) {
    const bool full = !sink.make_room();
    std::span<std::byte> out = full ? std::span<std::byte>(&spill, 1) : std::span<std::byte>(sink.tail(), sink.room());
    const StepResult result = decoder.step(file.subspan(at), out);
    at += result.consumed;
    if (full && result.produced > 0) return sink.refuse();
    sink.advance(result.produced);
    if (result.state == State::failed) return damaged(decoder.name, at, result.why);
    if (result.state == State::member_end) {
      if (!decoder.restart(file.subspan(at))) return sink.take();
      continue;
    }
    if (result.consumed == 0 && result.produced == 0) return damaged(decoder.name, at, "the file ends too early");
  }
}

template <typename T>
T clamp_to(std::size_t size) {
  return static_cast<T>(std::min<std::size_t>(size, 1u << 30));
}

bool starts_with(Bytes bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && as_text(bytes.first(magic.size())) == magic;
}

// zlib's structures want non-const input; it is never written.
template <typename T>
T* mutable_input(Bytes in) {
  return reinterpret_cast<T*>(const_cast<std::byte*>(in.data()));  // NOLINT
}

struct ZlibDecoder {
  std::string_view name;
  bool gzip;
  z_stream stream{};
  bool ready = false;

  ZlibDecoder(std::string_view n, bool is_gzip) : name(n), gzip(is_gzip) {
    ready = inflateInit2(&stream, gzip ? 15 + 16 : 15) == Z_OK;
  }
  ~ZlibDecoder() {
    if (ready) inflateEnd(&stream);
  }
  ZlibDecoder(const ZlibDecoder&) = delete;
  ZlibDecoder& operator=(const ZlibDecoder&) = delete;

  StepResult step(Bytes in, std::span<std::byte> out) {
    if (!ready) return {State::failed, 0, 0, "zlib could not start"};
    stream.next_in = mutable_input<Bytef>(in);
    stream.avail_in = clamp_to<uInt>(in.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = clamp_to<uInt>(out.size());
    const uInt in_before = stream.avail_in;
    const uInt out_before = stream.avail_out;
    const int code = inflate(&stream, Z_NO_FLUSH);
    const std::size_t consumed = in_before - stream.avail_in;
    const std::size_t produced = out_before - stream.avail_out;
    if (code == Z_STREAM_END) return {State::member_end, consumed, produced, {}};
    if (code == Z_OK || code == Z_BUF_ERROR) return {State::more, consumed, produced, {}};
    return {State::failed, consumed, produced, stream.msg != nullptr ? stream.msg : "invalid stream"};
  }
  bool restart(Bytes rest) { return gzip && starts_with(rest, "\x1f\x8b") && inflateReset(&stream) == Z_OK; }
};

struct Bzip2Decoder {
  std::string_view name = "bzip2";
  bz_stream stream{};
  bool ready = false;

  Bzip2Decoder() { ready = BZ2_bzDecompressInit(&stream, 0, 0) == BZ_OK; }
  ~Bzip2Decoder() {
    if (ready) BZ2_bzDecompressEnd(&stream);
  }
  Bzip2Decoder(const Bzip2Decoder&) = delete;
  Bzip2Decoder& operator=(const Bzip2Decoder&) = delete;

  StepResult step(Bytes in, std::span<std::byte> out) {
    if (!ready) return {State::failed, 0, 0, "bzip2 could not start"};
    stream.next_in = mutable_input<char>(in);
    stream.avail_in = clamp_to<unsigned>(in.size());
    stream.next_out = reinterpret_cast<char*>(out.data());
    stream.avail_out = clamp_to<unsigned>(out.size());
    const unsigned in_before = stream.avail_in;
    const unsigned out_before = stream.avail_out;
    const int code = BZ2_bzDecompress(&stream);
    const std::size_t consumed = in_before - stream.avail_in;
    const std::size_t produced = out_before - stream.avail_out;
    if (code == BZ_STREAM_END) return {State::member_end, consumed, produced, {}};
    if (code == BZ_OK) return {State::more, consumed, produced, {}};
    return {State::failed, consumed, produced, "invalid block or checksum"};
  }
  bool restart(Bytes rest) {
    if (!starts_with(rest, "BZ")) return false;
    BZ2_bzDecompressEnd(&stream);
    stream = {};
    ready = BZ2_bzDecompressInit(&stream, 0, 0) == BZ_OK;
    return ready;
  }
};

struct LzmaDecoder {
  std::string_view name;
  bool alone;
  lzma_stream stream = LZMA_STREAM_INIT;
  bool ready = false;

  LzmaDecoder(std::string_view n, bool is_alone) : name(n), alone(is_alone) { start(); }
  ~LzmaDecoder() { lzma_end(&stream); }
  LzmaDecoder(const LzmaDecoder&) = delete;
  LzmaDecoder& operator=(const LzmaDecoder&) = delete;

  void start() {
    ready = (alone ? lzma_alone_decoder(&stream, lzma_memory_max) : lzma_stream_decoder(&stream, lzma_memory_max, 0)) ==
            LZMA_OK;
  }
  StepResult step(Bytes in, std::span<std::byte> out) {
    if (!ready) return {State::failed, 0, 0, "liblzma could not start"};
    stream.next_in = reinterpret_cast<const std::uint8_t*>(in.data());
    stream.avail_in = in.size();
    stream.next_out = reinterpret_cast<std::uint8_t*>(out.data());
    stream.avail_out = out.size();
    const lzma_ret code = lzma_code(&stream, LZMA_RUN);
    const std::size_t consumed = in.size() - stream.avail_in;
    const std::size_t produced = out.size() - stream.avail_out;
    // An lzma-alone stream of unknown length and no end marker ends with its input.
    if (code == LZMA_STREAM_END) return {State::member_end, consumed, produced, {}};
    if (code == LZMA_OK || code == LZMA_BUF_ERROR) return {State::more, consumed, produced, {}};
    if (code == LZMA_MEMLIMIT_ERROR)
      return {State::failed, consumed, produced, "its dictionary needs more than 256 MiB"};
    return {State::failed, consumed, produced, "invalid stream or checksum"};
  }
  bool restart(Bytes rest) {
    if (alone || !starts_with(rest,
                              "\xfd"
                              "7zXZ"))
      return false;
    start();
    return ready;
  }
};

struct Lz4Decoder {
  std::string_view name = "lz4";
  LZ4F_dctx* context = nullptr;

  Lz4Decoder() {
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)) != 0) context = nullptr;
  }
  ~Lz4Decoder() { LZ4F_freeDecompressionContext(context); }
  Lz4Decoder(const Lz4Decoder&) = delete;
  Lz4Decoder& operator=(const Lz4Decoder&) = delete;

  StepResult step(Bytes in, std::span<std::byte> out) {
    if (context == nullptr) return {State::failed, 0, 0, "lz4 could not start"};
    std::size_t consumed = in.size();
    std::size_t produced = out.size();
    const std::size_t code = LZ4F_decompress(context, out.data(), &produced, in.data(), &consumed, nullptr);
    if (LZ4F_isError(code) != 0) return {State::failed, 0, 0, LZ4F_getErrorName(code)};
    return {code == 0 ? State::member_end : State::more, consumed, produced, {}};
  }
  // A finished context starts the next frame by itself.
  bool restart(Bytes rest) { return starts_with(rest, "\x04\x22\x4d\x18"); }
};

// joblib < 0.10: "ZF", the decompressed length as hex padded to 19 characters (20 under Python 2), a zlib stream.
Result<ByteStore> decompress_zfile(Bytes file, const DecompressLimits& limits) {
  constexpr std::size_t header_bytes = 2 + 19;
  if (file.size() < header_bytes) return damaged("zfile", file.size(), "the header is cut off");
  std::string_view digits = as_text(file.subspan(2, 19));
  if (digits.starts_with("0x")) digits.remove_prefix(2);
  std::uint64_t length = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), length, 16);
  if (code != std::errc{} || end == digits.data()) return damaged("zfile", 2, "the length is not a hexadecimal number");
  std::size_t skip = header_bytes;
  if (file.size() > skip && static_cast<char>(file[skip]) == ' ') ++skip;
  ZlibDecoder decoder("zfile", false);
  JACKDAW_ASSIGN(ByteStore store, drive(decoder, file, skip, limits));
  if (store.size() != length)
    return damaged("zfile", 2, fmt::format("{} bytes announced, {} found", length, store.size()));
  return store;
}

}  // namespace

std::string_view compression_name(Compression compression) {
  constexpr std::array<std::string_view, 8> names{"none", "zlib", "gzip", "bzip2",
                                                  "xz",   "lzma", "lz4",  "zfile (joblib < 0.10)"};
  return names[static_cast<std::size_t>(compression)];
}

Compression detect_compression(Bytes file) {
  for (const Magic& magic : magics) {
    if (starts_with(file, magic.bytes)) return magic.compression;
  }
  return Compression::none;
}

ByteStore::ByteStore(std::vector<std::byte> bytes) : vector_(std::move(bytes)) {}
ByteStore::ByteStore(ByteStore&& other) noexcept
    : vector_(std::move(other.vector_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}
ByteStore& ByteStore::operator=(ByteStore&& other) noexcept {
  std::swap(vector_, other.vector_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  std::swap(capacity_, other.capacity_);
  return *this;
}
ByteStore::~ByteStore() {
  std::free(data_);
}

bool ByteStore::reserve_more(std::size_t want) {
  std::size_t capacity = 0;
  if (!checked_add(size_, want, capacity)) return false;
  if (capacity <= capacity_) return true;
  void* grown = std::realloc(data_, capacity);
  if (grown == nullptr) return false;
  data_ = static_cast<std::byte*>(grown);
  capacity_ = capacity;
  return true;
}

Result<ByteStore> decompress(Bytes file, Compression compression, const DecompressLimits& limits) {
  switch (compression) {
    case Compression::none:
      break;
    case Compression::zlib: {
      ZlibDecoder decoder("zlib", false);
      return drive(decoder, file, 0, limits);
    }
    case Compression::gzip: {
      ZlibDecoder decoder("gzip", true);
      return drive(decoder, file, 0, limits);
    }
    case Compression::bzip2: {
      Bzip2Decoder decoder;
      return drive(decoder, file, 0, limits);
    }
    case Compression::xz: {
      LzmaDecoder decoder("xz", false);
      return drive(decoder, file, 0, limits);
    }
    case Compression::lzma: {
      LzmaDecoder decoder("lzma", true);
      return drive(decoder, file, 0, limits);
    }
    case Compression::lz4: {
      Lz4Decoder decoder;
      return drive(decoder, file, 0, limits);
    }
    case Compression::zfile:
      return decompress_zfile(file, limits);
  }
  return ByteStore(std::vector<std::byte>(file.begin(), file.end()));
}

}  // namespace jackdaw::formats
