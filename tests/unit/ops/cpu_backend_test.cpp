// The CPU backend on every instruction set this machine has, against the reference and against itself.
#include "src/ops/cpu_backend.h"

#include <catch2/catch.hpp>
#include <string>

#include "backend_cases.h"
#include "jackdaw/ops/thread_pool.h"

namespace jackdaw::ops {
namespace {

using testing::BackendCase;

std::string set_name(kernels::VectorSet set) {
  return set == kernels::VectorSet::plain ? "plain" : set == kernels::VectorSet::avx2 ? "avx2" : "avx512";
}

}  // namespace

TEST_CASE("CpuBackendAgreesWithReference") {
  for (const kernels::VectorSet set : cpu_instruction_sets()) {
    ThreadPool pool(set == kernels::VectorSet::plain ? 1 : 2);
    for (const BackendCase& c : testing::backend_cases()) {
      INFO(c.name << " on " << set_name(set));
      CHECK(testing::compare_with_reference(c, *make_cpu_backend(pool, set), 0.02) == "");
    }
  }
}

TEST_CASE("CpuBackendGivesTheSameBitsHoweverStepsAreCut") {
  for (const kernels::VectorSet set : cpu_instruction_sets()) {
    ThreadPool pool(3);
    for (const BackendCase& c : testing::backend_cases()) {
      for (const std::uint32_t chunk : {1u, 5u}) {
        INFO(c.name << " on " << set_name(set) << ", chunks of " << chunk);
        CHECK(testing::differs_when_split(c, *make_cpu_backend(pool, set), chunk) == "");
      }
    }
  }
}

TEST_CASE("CpuBackendGivesTheSameBitsOnAnyNumberOfThreads") {
  const kernels::VectorSet set = cpu_instruction_sets().back();
  ThreadPool one(1), two(2), five(5);
  for (const BackendCase& c : testing::backend_cases()) {
    INFO(c.name);
    const auto right = testing::run_case(c, *make_cpu_backend(one, set));
    REQUIRE(right.has_value());
    for (ThreadPool* pool : {&two, &five}) {
      const auto got = testing::run_case(c, *make_cpu_backend(*pool, set));
      REQUIRE(got.has_value());
      CHECK(*got == *right);
    }
  }
}

}  // namespace jackdaw::ops
