#include "jackdaw/ops/forest.h"

#include "forest_engine.h"

namespace jackdaw::ops {

struct Forest::Impl {
  std::uint32_t n_features;
  std::uint32_t n_outputs;
  bool features_f64;
  bool sums_f64;
  std::size_t tree_count;
  std::unique_ptr<ForestEngine> engine;

  template <typename X, typename Sum>
  void add_scores(const X* rows, std::size_t n_rows, std::size_t stride, Sum* out) const {
    CHECK(features_f64 == (sizeof(X) == 8) && sums_f64 == (sizeof(Sum) == 8));
    if (n_rows == 0) return;
    static_cast<const TypedForestEngine<X, Sum>&>(*engine).add_scores(ForestPath::automatic, rows, n_rows, stride, out);
  }
};

Result<Forest> Forest::build(const ForestSpec& spec) {
  JACKDAW_ASSIGN(auto engine, make_forest_engine(spec));
  return Forest(std::make_unique<Impl>(
      Impl{spec.n_features, spec.n_outputs, spec.features_f64, spec.sums_f64, spec.trees.size(), std::move(engine)}));
}

Forest::Forest(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Forest::Forest(Forest&&) noexcept = default;
Forest& Forest::operator=(Forest&&) noexcept = default;
Forest::~Forest() = default;

std::uint32_t Forest::n_features() const {
  return impl_->n_features;
}
std::uint32_t Forest::n_outputs() const {
  return impl_->n_outputs;
}
bool Forest::features_f64() const {
  return impl_->features_f64;
}
bool Forest::sums_f64() const {
  return impl_->sums_f64;
}
std::size_t Forest::tree_count() const {
  return impl_->tree_count;
}
std::size_t Forest::resident_bytes() const {
  return sizeof(Impl) + impl_->engine->resident_bytes();
}
double Forest::row_ns() const {
  return impl_->engine->row_ns();
}

void Forest::add_scores(const float* rows, std::size_t n_rows, std::size_t stride, float* out) const {
  impl_->add_scores(rows, n_rows, stride, out);
}
void Forest::add_scores(const float* rows, std::size_t n_rows, std::size_t stride, double* out) const {
  impl_->add_scores(rows, n_rows, stride, out);
}
void Forest::add_scores(const double* rows, std::size_t n_rows, std::size_t stride, double* out) const {
  impl_->add_scores(rows, n_rows, stride, out);
}

}  // namespace jackdaw::ops
