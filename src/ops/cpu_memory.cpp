#include "src/ops/cpu_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace jackdaw::ops {
namespace {

constexpr std::size_t huge_page = std::size_t{2} << 20;
constexpr std::size_t chunk_bytes = std::size_t{64} << 20;

}  // namespace

Result<Mapping> Mapping::make(std::size_t bytes) {
  Mapping out;
  if (bytes == 0) return out;
  const std::size_t mapped = bytes + huge_page;
  void* base = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) {
    return make_error(Code::resource_exhausted, "The system gives no {} MiB of memory: {}.", mapped >> 20,
                      std::strerror(errno));
  }
  out.base_ = base;
  out.mapped_ = mapped;
  const auto address = reinterpret_cast<std::uintptr_t>(base);
  out.data_ = static_cast<std::byte*>(base) + ((huge_page - address % huge_page) % huge_page);
  out.size_ = bytes;
  madvise(out.data_, bytes, MADV_HUGEPAGE);  // a wish; without it everything works, slower
  return out;
}

Mapping::~Mapping() {
  if (base_ != nullptr) munmap(base_, mapped_);
}

Result<std::byte*> Arena::allocate(std::size_t bytes) {
  const std::size_t size = aligned_bytes(bytes);
  if (chunks_.empty() || chunks_.back().size() - taken_ < size) {
    JACKDAW_ASSIGN(Mapping chunk, Mapping::make(std::max(size, chunk_bytes)));
    chunks_.push_back(std::move(chunk));
    taken_ = 0;
  }
  std::byte* piece = chunks_.back().data() + taken_;
  taken_ += size;
  used_ += size;
  return piece;
}

}  // namespace jackdaw::ops
