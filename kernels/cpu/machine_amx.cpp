#include "machine.h"

#if defined(__x86_64__)

namespace jackdaw::kernels {

std::int64_t int8_multiply_adds_amx(std::uint64_t rounds) {
  alignas(64) std::uint8_t config[64] = {1};  // palette 1; every tile 16 rows of 64 bytes
  for (int tile = 0; tile < 8; ++tile) {
    config[16 + 2 * tile] = 64;
    config[48 + tile] = 16;
  }
  asm volatile("ldtilecfg %0" ::"m"(config));
  asm volatile(
      "tilezero %%tmm0\n\ttilezero %%tmm1\n\ttilezero %%tmm2\n\ttilezero %%tmm3\n\t"
      "tilezero %%tmm4\n\ttilezero %%tmm5\n\ttilezero %%tmm6\n\ttilezero %%tmm7" ::);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    asm volatile(
        "tdpbssd %%tmm7, %%tmm6, %%tmm0\n\ttdpbssd %%tmm7, %%tmm6, %%tmm1\n\t"
        "tdpbssd %%tmm7, %%tmm6, %%tmm2\n\ttdpbssd %%tmm7, %%tmm6, %%tmm3" ::);
  }
  asm volatile("tilerelease");
  return static_cast<std::int64_t>(rounds);
}

}  // namespace jackdaw::kernels
#endif
