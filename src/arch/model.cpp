// load_model and plan_model: the same builder over a backend, or over a sum of bytes.
#include "jackdaw/arch/model.h"

#include <utility>

#include "src/arch/builder.h"
#include "src/arch/description.h"

namespace jackdaw::arch {
namespace {

class BackendSink final : public WeightSink {
 public:
  explicit BackendSink(ops::Backend& backend) : backend_(backend) {}
  Result<ops::Weight> linear(std::span<const ops::LinearPart> parts) override { return backend_.add_linear(parts); }
  Result<ops::Weight> vector(std::span<const float> values) override { return backend_.add_vector(values); }
  bool reads() const override { return true; }

 private:
  ops::Backend& backend_;
};

class PlanSink final : public WeightSink {
 public:
  explicit PlanSink(const ops::Backend& backend) : backend_(backend) {}
  Result<ops::Weight> linear(std::span<const ops::LinearPart> parts) override {
    for (const ops::LinearPart& part : parts) bytes_ += backend_.linear_bytes(part.encoding, part.rows, part.columns);
    return next();
  }
  Result<ops::Weight> vector(std::span<const float> values) override {
    bytes_ += values.size_bytes();
    return next();
  }
  bool reads() const override { return false; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  ops::Weight next() { return {count_++}; }

  const ops::Backend& backend_;
  std::uint64_t bytes_ = 0;
  std::int32_t count_ = 0;
};

}  // namespace

Result<LoadedModel> load_model(const formats::ModelFile& file, ops::Backend& backend, const LoadOptions& options) {
  JACKDAW_ASSIGN(Description description, describe(file));
  const std::uint32_t context =
      options.max_model_len > 0 ? options.max_model_len : description.hyperparameters.context_length;
  BackendSink sink(backend);
  JACKDAW_ASSIGN(ops::Program program, build_program(file, description, sink, context, options.progress));
  if (options.progress) options.progress(file.data_bytes(), file.data_bytes());
  return LoadedModel{std::move(description.hyperparameters), std::move(program)};
}

Result<ModelPlan> plan_model(const formats::ModelFile& file, const ops::Backend& backend) {
  JACKDAW_ASSIGN(Description description, describe(file));
  PlanSink sink(backend);
  JACKDAW_ASSIGN(ops::Program program,
                 build_program(file, description, sink, description.hyperparameters.context_length, {}));
  return ModelPlan{std::move(description.hyperparameters), sink.bytes(), std::move(program)};
}

}  // namespace jackdaw::arch
