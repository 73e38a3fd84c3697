// The CPU backend with a chosen instruction set, for tests and benches; make_cpu_backend() asks the CPU.
#pragma once

#include <memory>
#include <vector>

#include "jackdaw/base/cpu.h"
#include "jackdaw/kernels/vector.h"
#include "jackdaw/ops/backend.h"

namespace jackdaw::ops {

// Those this machine (as cpu_features() says) can run, fastest last.
std::vector<kernels::VectorSet> cpu_instruction_sets();
std::shared_ptr<Backend> make_cpu_backend(ThreadPool& pool, kernels::VectorSet set);

}  // namespace jackdaw::ops
