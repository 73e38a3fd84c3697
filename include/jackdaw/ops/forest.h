// Forest: an ensemble of decision trees laid out for speed, one engine for XGBoost, LightGBM and scikit-learn.
//
// Build once from a ForestSpec (checked: child indices, cycles, depth, features, leaf and category ranges), score from
// any thread. The layouts and the kernels behind them are private; the answer is the same on every CPU, bit for bit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "jackdaw/base/result.h"

namespace jackdaw::ops {

// What a numeric split does with NaN (and with zero, for LightGBM's zero_as_missing).
enum class Missing : std::uint8_t {
  nan_default,          // NaN goes to the default side (XGBoost, LightGBM NaN, scikit-learn >= 1.3)
  nan_as_zero,          // NaN counts as 0.0 (LightGBM None)
  zero_or_nan_default,  // |x| <= 1e-35 or NaN goes to the default side (LightGBM Zero)
};

struct ForestNode {
  std::int32_t left = -1;  // index within the tree; -1 = leaf
  std::int32_t right = -1;
  std::int32_t feature = 0;
  double threshold = 0.0;  // NaN: always right
  bool default_left = false;
  bool categorical = false;
  Missing missing = Missing::nan_default;
  // Categorical: bits of `category_bits` words [category_begin, category_begin + category_words); x goes left iff its
  // bit is set (or unset, when category_left_if_absent). NaN, negative, beyond 2^31 or past the bits: `default_left`
  // decides for NaN and negatives, absence of the bit for the rest.
  bool category_left_if_absent = false;
  // XGBoost: an invalid (negative, >= 2^24) category is handled like one that is not in the set; LightGBM and
  // scikit-learn send it to the default side.
  bool invalid_category_is_absent = false;
  std::uint32_t category_begin = 0;
  std::uint32_t category_words = 0;
  std::uint32_t leaf = 0;  // leaf: its vector is leaf_values[leaf * leaf_width ...]
};

struct ForestTree {
  std::uint32_t node_begin = 0;
  std::uint32_t node_count = 0;
  std::uint32_t output = 0;  // its leaf vector is added to outputs [output, output + leaf_width)
};

struct ForestSpec {
  enum class Compare : std::uint8_t { less, less_equal };
  Compare compare = Compare::less;
  // Width of the features when compared: f32 rounds thresholds so that float(x) against a double threshold gives what
  // the source library gives.
  bool features_f64 = false;
  // Width of leaf values and of the running sum, in tree order.
  bool sums_f64 = false;
  std::uint32_t n_features = 0;
  std::uint32_t n_outputs = 1;
  std::uint32_t leaf_width = 1;
  std::vector<ForestTree> trees;
  std::vector<ForestNode> nodes;
  std::vector<double> leaf_values;  // leaves x leaf_width; f32 sums use float(value)
  std::vector<std::uint32_t> category_bits;
  // Training rows (or weight) that reached each node, for ForestContributions; one per node, or empty when the file
  // does not say.
  std::vector<double> covers;
};

class Forest {
 public:
  // Errors: parse_error naming tree and node. Bounded: depth <= 4096.
  static Result<Forest> build(const ForestSpec& spec);
  Forest(Forest&&) noexcept;
  Forest& operator=(Forest&&) noexcept;
  ~Forest();

  std::uint32_t n_features() const;
  std::uint32_t n_outputs() const;
  bool features_f64() const;
  bool sums_f64() const;
  std::size_t tree_count() const;
  std::size_t resident_bytes() const;
  // Estimated cost of one row, in nanoseconds, for inline-or-pool decisions.
  double row_ns() const;

  // Adds every tree's leaf to `out`, which holds the initial values: row r's outputs are out[r * n_outputs ...], rows
  // are row-major with `stride` elements between them. The overload must fit features_f64/sums_f64 (CHECK).
  // Thread-safe; scratch is thread-local.
  void add_scores(const float* rows, std::size_t n_rows, std::size_t stride, float* out) const;
  void add_scores(const float* rows, std::size_t n_rows, std::size_t stride, double* out) const;
  void add_scores(const double* rows, std::size_t n_rows, std::size_t stride, double* out) const;

 private:
  struct Impl;
  explicit Forest(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace jackdaw::ops
