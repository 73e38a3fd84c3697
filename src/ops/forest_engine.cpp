#include "forest_engine.h"

#include "forest_check.h"
#include "forest_row_layout.h"

namespace jackdaw::ops {
namespace {

template <typename X, typename Sum>
class Engine final : public TypedForestEngine<X, Sum> {
 public:
  Engine(const ForestSpec& spec, const Splits& splits) : n_outputs_(spec.n_outputs), rows_(spec, splits) {}

  std::size_t resident_bytes() const override { return sizeof(*this) + rows_.resident_bytes(); }
  double row_ns() const override { return rows_.row_ns(); }
  bool has(ForestPath path) const override { return path == ForestPath::automatic || path == ForestPath::row; }

  void add_scores(ForestPath path, const X* rows, std::size_t n_rows, std::size_t stride, Sum* out) const override {
    CHECK(has(path));
    for (std::size_t row = 0; row < n_rows; ++row) rows_.add_row(rows + row * stride, out + row * n_outputs_);
  }

 private:
  std::uint32_t n_outputs_;
  RowLayout<X, Sum> rows_;
};

}  // namespace

Result<std::unique_ptr<ForestEngine>> make_forest_engine(const ForestSpec& spec) {
  JACKDAW_ASSIGN(const std::vector<std::uint32_t> depths, check_forest(spec));
  const Splits splits = make_splits(spec, depths);
  std::unique_ptr<ForestEngine> engine;
  if (spec.features_f64) {
    engine = std::make_unique<Engine<double, double>>(spec, splits);
  } else if (spec.sums_f64) {
    engine = std::make_unique<Engine<float, double>>(spec, splits);
  } else {
    engine = std::make_unique<Engine<float, float>>(spec, splits);
  }
  return engine;
}

}  // namespace jackdaw::ops
