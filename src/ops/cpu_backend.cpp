#include "src/ops/cpu_backend.h"

#include <utility>

#include "src/ops/cpu_executable.h"
#include "src/ops/cpu_kv.h"
#include "src/ops/reference_backend_check.h"

namespace jackdaw::ops {
namespace {

using kernels::VectorSet;

CpuKernels kernels_of(VectorSet set) {
  const kernels::LinearKernels* linear = nullptr;
  if (set == VectorSet::amx) linear = kernels::linear_amx();
  if (set == VectorSet::avx512) linear = kernels::linear_avx512();
  if (set == VectorSet::avx2) linear = kernels::linear_avx2();
  if (linear == nullptr) linear = kernels::linear_plain();
  return {linear, &kernels::vector_kernels(set), &kernels::attention_kernels(set)};
}

class CpuBackend final : public Backend, public std::enable_shared_from_this<CpuBackend> {
 public:
  CpuBackend(ThreadPool& pool, VectorSet set)
      : pool_(pool),
        kernels_(kernels_of(set)),
        name_(fmt::format("cpu ({}), {} thread{}", kernels_.linear->name, pool.size(), pool.size() == 1 ? "" : "s")) {}

  std::string_view name() const override { return name_; }
  Result<Weight> add_linear(std::span<const LinearPart> parts) override { return weights_.add_linear(parts); }
  Result<Weight> add_vector(std::span<const float> values) override { return weights_.add_vector(values); }

  std::uint64_t linear_bytes(Encoding encoding, std::int64_t rows, std::int64_t columns) const override {
    if (!kernels::can_pack(encoding, rows, columns)) return 0;
    return aligned_bytes(kernels::packed_bytes(encoding, rows, columns));
  }
  std::uint64_t page_bytes(const AttentionShape& shape, KvEncoding encoding) const override {
    return kv_page_bytes(shape, encoding);
  }
  std::uint64_t workspace_bytes(const Program& program, const StepLimits& limits) const override {
    return WorkspaceLayout(program, limits, pool_.size()).bytes;
  }

  Result<std::unique_ptr<Executable>> compile(Program program, const StepLimits& limits) override {
    JACKDAW_TRY(reference::check_program(program, [this](Weight weight) { return shape_of(weight); }));
    if (program.attention.head_dim > kernels::attention_head_dim_max) {
      return make_error(Code::unsupported,
                        "Attention heads of {} elements are too wide for the CPU backend: {} is most.",
                        program.attention.head_dim, kernels::attention_head_dim_max);
    }
    JACKDAW_ASSIGN(auto executable,
                   CpuExecutable::make(shared_from_this(), weights_, kernels_, pool_, std::move(program), limits));
    return std::unique_ptr<Executable>(std::move(executable));
  }

 private:
  const reference::WeightShape* shape_of(Weight handle) {
    const CpuWeight* weight = weights_.find(handle);
    if (weight == nullptr) return nullptr;
    shape_ = {weight->rows, weight->columns, weight->is_vector};
    return &shape_;
  }

  ThreadPool& pool_;
  const CpuKernels kernels_;
  const std::string name_;
  CpuWeights weights_;
  reference::WeightShape shape_;  // of the last handle asked for
};

}  // namespace

std::vector<VectorSet> cpu_instruction_sets() {
  const CpuFeatures& cpu = cpu_features();
  std::vector<VectorSet> out{VectorSet::plain};
  if (cpu.avx2 && cpu.fma && kernels::linear_avx2() != nullptr) out.push_back(VectorSet::avx2);
  if (cpu.avx512_vnni && kernels::linear_avx512() != nullptr) out.push_back(VectorSet::avx512);
  if (cpu.amx_int8 && kernels::linear_amx() != nullptr) out.push_back(VectorSet::amx);
  return out;
}

std::shared_ptr<Backend> make_cpu_backend(ThreadPool& pool, VectorSet set) {
  return std::make_shared<CpuBackend>(pool, set);
}

std::shared_ptr<Backend> make_cpu_backend(ThreadPool& pool) {
  return make_cpu_backend(pool, cpu_instruction_sets().back());
}

}  // namespace jackdaw::ops
