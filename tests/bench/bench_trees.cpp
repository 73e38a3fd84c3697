// bench_trees: rows per second and nanoseconds per single row of the tree engine, on one thread.
//
//   bench_trees MODEL ROWS.f32 N_FEATURES REPEATS       an XGBoost model and a raw float32 file (NaN is missing)
//   bench_trees --explain MODEL ROWS.f32 N_FEATURES REPEATS   contributions (TreeSHAP) instead of scores
//   bench_trees --synthetic TREES DEPTH [KIND [PATH]]   a random forest on random rows, 10 % of the values missing
// KIND: f32 (XGBoost's types), hist (the same with 255 thresholds per feature), f64 (LightGBM's), rf (scikit-learn's
// forest: vector leaves, unbalanced). PATH: auto, row, plain, avx2, avx512. Prints one JSON line for batches and one
// for single rows.
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "../unit/ops/random_forest.h"
#include "jackdaw/formats/tree_model.h"
#include "jackdaw/ops/forest_contributions.h"
#include "ops/forest_engine.h"
#include "predict/xgboost.h"

namespace jackdaw::ops {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

template <typename X, typename Sum>
void measure(const ForestSpec& spec, ForestPath path, const std::vector<X>& rows, int repeats) {
  const std::size_t n_rows = rows.size() / spec.n_features;
  auto made = make_forest_engine(spec);
  if (!made) {
    fmt::print(stderr, "{}\n", made.error().text());
    std::exit(1);
  }
  const auto& engine = static_cast<const TypedForestEngine<X, Sum>&>(**made);
  if (!engine.has(path)) {
    fmt::print(stderr, "This machine or model cannot take that path.\n");
    std::exit(1);
  }
  std::vector<Sum> out(n_rows * spec.n_outputs);
  double best = 1e30;
  for (int i = 0; i < repeats; ++i) {
    std::fill(out.begin(), out.end(), Sum{0});
    const auto begin = Clock::now();
    engine.add_scores(path, rows.data(), n_rows, spec.n_features, out.data());
    best = std::min(best, seconds_since(begin));
  }
  double checksum = 0;
  for (const Sum value : out) checksum += static_cast<double>(value);
  fmt::print("{{\"mode\":\"batch\",\"rows_per_s\":{:.0f},\"ns_per_row\":{:.1f},\"checksum\":{:.9g}}}\n", n_rows / best,
             best / n_rows * 1e9, checksum);
  best = 1e30;
  const std::size_t singles = std::min<std::size_t>(n_rows, 2000);
  for (int i = 0; i < repeats; ++i) {
    std::fill(out.begin(), out.end(), Sum{0});
    const auto begin = Clock::now();
    for (std::size_t row = 0; row < singles; ++row)
      engine.add_scores(ForestPath::automatic, &rows[row * spec.n_features], 1, spec.n_features,
                        &out[row * spec.n_outputs]);
    best = std::min(best, seconds_since(begin));
  }
  checksum = 0;
  for (std::size_t i = 0; i < singles * spec.n_outputs; ++i) checksum += static_cast<double>(out[i]);
  fmt::print(
      "{{\"mode\":\"single\",\"ns_per_row_b1\":{:.1f},\"row_ns_model\":{:.1f},\"checksum\":{:.9g},"
      "\"resident_bytes\":{}}}\n",
      best / singles * 1e9, engine.row_ns(), checksum, engine.resident_bytes());
}

ForestPath path_named(std::string_view name) {
  if (name == "row") return ForestPath::row;
  if (name == "plain") return ForestPath::block_plain;
  if (name == "avx2") return ForestPath::block_avx2;
  if (name == "avx512") return ForestPath::block_avx512;
  return ForestPath::automatic;
}

std::vector<char> read_file(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    fmt::print(stderr, "Cannot read {}.\n", path);
    std::exit(1);
  }
  return {std::istreambuf_iterator<char>(file), {}};
}

template <typename T>
T value_or_exit(Result<T> result) {
  if (result.has_value()) return std::move(*result);
  fmt::print(stderr, "{}\n", result.error().text());
  std::exit(1);
}

struct Case {
  ForestSpec spec;
  std::vector<float> rows;
};

// The sums are those of the trees alone: base_score and the link are not part of the engine.
Case read_case(char** argv) {
  const std::vector<char> file = read_file(argv[0]);
  const auto bytes = std::as_bytes(std::span(file));
  const formats::XgboostModel read = value_or_exit(formats::read_xgboost(bytes));
  Case out{value_or_exit(predict::xgboost_forest_spec(read, read.trees.size())), {}};
  const std::vector<char> raw = read_file(argv[1]);
  const auto n_features = static_cast<std::uint32_t>(std::atoi(argv[2]));
  if (n_features != out.spec.n_features || raw.size() % (n_features * sizeof(float)) != 0) {
    fmt::print(stderr, "The model has {} features; {} bytes are no rows of {}.\n", out.spec.n_features, raw.size(),
               n_features);
    std::exit(1);
  }
  out.rows.resize(raw.size() / sizeof(float));
  std::memcpy(out.rows.data(), raw.data(), raw.size());
  return out;
}

int model(char** argv) {
  const Case read = read_case(argv);
  measure<float, float>(read.spec, ForestPath::automatic, read.rows, std::max(1, std::atoi(argv[3])));
  return 0;
}

int explain(char** argv) {
  const Case read = read_case(argv);
  const ForestContributions forest = value_or_exit(ForestContributions::build(read.spec));
  const std::size_t n_rows = read.rows.size() / read.spec.n_features, width = read.spec.n_features + 1;
  std::vector<double> out(n_rows * width * read.spec.n_outputs);
  double best = 1e30, single = 1e30;
  for (int i = 0; i < std::max(1, std::atoi(argv[3])); ++i) {
    auto begin = Clock::now();
    forest.write(read.rows.data(), n_rows, read.spec.n_features, out.data());
    best = std::min(best, seconds_since(begin));
    begin = Clock::now();
    for (std::size_t row = 0; row < 500; ++row)
      forest.write(&read.rows[row * read.spec.n_features], 1, read.spec.n_features, out.data());
    single = std::min(single, seconds_since(begin) / 500);
  }
  forest.write(read.rows.data(), n_rows, read.spec.n_features, out.data());
  double checksum = 0, first = 0;
  for (const double value : out) checksum += value;
  for (std::size_t row = 0; row < n_rows; ++row) first += out[row * width * read.spec.n_outputs];
  fmt::print(
      "{{\"mode\":\"explain\",\"rows_per_s\":{:.0f},\"ns_per_row\":{:.1f},\"ns_per_row_b1\":{:.1f},\"row_ns_model\":{:."
      "1f},"
      "\"call_ns_model\":{:.1f},\"checksum\":{:.9g},\"first_feature\":{:.9g},\"resident_bytes\":{}}}\n",
      n_rows / best, best / n_rows * 1e9, single * 1e9, forest.row_ns(), forest.call_ns(), checksum, first,
      forest.resident_bytes());
  return 0;
}

int synthetic(int argc, char** argv) {
  const std::string_view kind = argc > 4 ? argv[4] : "f32";
  test::RandomForestOptions options{.seed = 7};
  options.trees = static_cast<std::uint32_t>(std::atoi(argv[2]));
  options.depth = static_cast<std::uint32_t>(std::atoi(argv[3]));
  options.sums_f64 = kind == "f64" || kind == "rf";
  options.features_f64 = kind == "f64";
  if (options.sums_f64) options.compare = ForestSpec::Compare::less_equal;
  if (kind == "f64" || kind == "hist") options.distinct_thresholds = 255;
  if (kind == "rf") {
    options.leaf_chance = 0.2;
    options.n_outputs = options.leaf_width = 2;
  }
  test::RandomForest random(options);
  ForestSpec spec = random.spec();
  const ForestPath path = path_named(argc > 5 ? argv[5] : "auto");
  if (kind == "f64") {
    measure<double, double>(spec, path, random.rows<double>(spec, 20000, 0.1, false), 15);
  } else if (kind == "rf") {
    measure<float, double>(spec, path, random.rows<float>(spec, 20000, 0.1, false), 15);
  } else {
    measure<float, float>(spec, path, random.rows<float>(spec, 20000, 0.1, false), 15);
  }
  return 0;
}

}  // namespace
}  // namespace jackdaw::ops

int main(int argc, char** argv) {
  if (argc >= 4 && std::string_view(argv[1]) == "--synthetic") return jackdaw::ops::synthetic(argc, argv);
  if (argc == 6 && std::string_view(argv[1]) == "--explain") return jackdaw::ops::explain(argv + 2);
  if (argc == 5) return jackdaw::ops::model(argv + 1);
  fmt::print(
      stderr,
      "usage: bench_trees [--explain] MODEL ROWS.f32 N_FEATURES REPEATS | --synthetic TREES DEPTH [KIND [PATH]]\n");
  return 2;
}
