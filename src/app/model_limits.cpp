#include "src/app/model_limits.h"

#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "jackdaw/base/cpu.h"
#include "jackdaw/base/env.h"
#include "jackdaw/kernels/linear.h"
#include "jackdaw/kernels/machine.h"

namespace jackdaw::app {
namespace {

constexpr std::size_t bytes_read = 256u << 20;
constexpr std::size_t huge_page = 2u << 20;

kernels::MachineIsa isa() {
  const CpuFeatures& cpu = cpu_features();
  if (cpu.amx_int8 && kernels::linear_amx() != nullptr) return kernels::MachineIsa::amx_int8;
  if (cpu.avx512 && cpu.avx512_vnni) return kernels::MachineIsa::avx512_vnni;
  return cpu.avx2 ? kernels::MachineIsa::avx2 : kernels::MachineIsa::plain;
}

double seconds_since(Instant begin) {
  return std::chrono::duration<double>(system_clock().now() - begin).count();
}

}  // namespace

MachineLimits::MachineLimits(ops::ThreadPool& pool) : pool_(pool) {
  memory_ = static_cast<std::byte*>(std::aligned_alloc(huge_page, bytes_read));
  CHECK(memory_ != nullptr);
  madvise(memory_, bytes_read, MADV_HUGEPAGE);
  pool_.run([&](int worker, ops::Team& team) {
    const ops::Part part = ops::part_of(bytes_read, worker, team.size(), huge_page);
    std::memset(memory_ + part.begin, worker + 1, static_cast<std::size_t>(part.end - part.begin));
  });
}

MachineLimits::~MachineLimits() {
  std::free(memory_);
}

double MachineLimits::read_bytes_per_second() {
  std::atomic<std::uint64_t> keep{0};
  const Instant begin = system_clock().now();
  pool_.run([&](int worker, ops::Team& team) {
    const ops::Part part = ops::part_of(bytes_read, worker, team.size(), huge_page);
    keep += kernels::read_bytes(isa(), memory_ + part.begin, static_cast<std::size_t>(part.end - part.begin));
  });
  return static_cast<double>(bytes_read) / seconds_since(begin);
}

double MachineLimits::int8_multiply_adds_per_second() {
  constexpr std::uint64_t rounds = 4'000'000;
  const bool narrow = isa() == kernels::MachineIsa::plain || isa() == kernels::MachineIsa::amx_int8;
  const std::uint64_t part = narrow ? rounds / 16 : rounds;
  std::atomic<std::int64_t> keep{0};
  const Instant begin = system_clock().now();
  pool_.run([&](int, ops::Team&) { keep += kernels::int8_multiply_adds(isa(), part); });
  const double count = static_cast<double>(kernels::int8_multiply_add_count(isa(), part)) * pool_.size();
  return count / seconds_since(begin);
}

}  // namespace jackdaw::app
