// XGBoost and LightGBM files for people, through the same readers that serving uses.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "src/formats/inspect_parts.h"

namespace jackdaw::formats {

namespace {

constexpr std::size_t names_shown_max = 12;
constexpr std::size_t values_shown_max = 8;

struct TreeSizes {
  std::size_t nodes = 0;
  std::size_t leaves = 0;
  std::size_t depth_max = 0;
};

// Walks a binary tree from node 0. children(node) gives left and right, or a pair of -1 for a leaf. The readers have
// checked that it is a tree.
template <typename Children>
void measure_tree(Children children, TreeSizes& sizes) {
  std::vector<std::pair<std::int64_t, std::size_t>> open{{0, 0}};
  while (!open.empty()) {
    const auto [node, depth] = open.back();
    open.pop_back();
    ++sizes.nodes;
    sizes.depth_max = std::max(sizes.depth_max, depth);
    const auto [left, right] = children(node);
    if (left < 0) {
      ++sizes.leaves;
      continue;
    }
    open.push_back({left, depth + 1});
    open.push_back({right, depth + 1});
  }
}

TreeSizes measure(const XgboostModel& model) {
  TreeSizes sizes;
  for (const XgboostTree& tree : model.trees) {
    if (tree.left.empty()) continue;
    measure_tree(
        [&](std::int64_t node) {
          const auto n = static_cast<std::size_t>(node);
          return std::pair<std::int64_t, std::int64_t>(tree.left[n], tree.right[n]);
        },
        sizes);
  }
  return sizes;
}

// Leaves ~c are numbered behind the inner nodes here, so that one walk serves both kinds of tree.
TreeSizes measure(const LightgbmModel& model) {
  TreeSizes sizes;
  for (const LightgbmTree& tree : model.trees) {
    const std::int64_t inner = tree.num_leaves - 1;
    const auto number = [&](std::int32_t child) {
      return child >= 0 ? std::int64_t{child} : inner + ~std::int64_t{child};
    };
    measure_tree(
        [&](std::int64_t node) {
          if (node >= inner) return std::pair<std::int64_t, std::int64_t>(-1, -1);
          const auto n = static_cast<std::size_t>(node);
          return std::pair<std::int64_t, std::int64_t>(number(tree.left[n]), number(tree.right[n]));
        },
        sizes);
  }
  return sizes;
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < names_shown_max; ++i)
    out += (i == 0 ? "" : ", ") + printable(names[i], 40);
  if (names.size() > names_shown_max) out += fmt::format(", … {} more", names.size() - names_shown_max);
  return out;
}

std::string joined(const std::vector<float>& values) {
  std::string out;
  for (std::size_t i = 0; i < values.size() && i < values_shown_max; ++i) {
    out += (i == 0 ? "" : ", ") + number_text(static_cast<double>(values[i]));
  }
  if (values.size() > values_shown_max) out += fmt::format(", … {} more", values.size() - values_shown_max);
  return out;
}

void print_named_values(std::string_view title, const NamedValues& values, Page& page) {
  if (values.empty()) return;
  page.blank();
  page.line(0, title);
  for (std::size_t i = 0; i < values.size() && i < 2 * names_shown_max; ++i) {
    page.line(2, fmt::format("{}: {}", printable(values[i].first, 40), printable(values[i].second, 60)));
  }
  if (values.size() > 2 * names_shown_max)
    page.line(2, fmt::format("… {} more", values.size() - 2 * names_shown_max), LineStyle::faint);
}

void print_sizes(std::size_t trees, const TreeSizes& sizes, Page& page) {
  page.row("trees", fmt::format("{}, at most {} deep", grouped(trees), sizes.depth_max));
  page.row("nodes", fmt::format("{}, {} of them leaves", grouped(sizes.nodes), grouped(sizes.leaves)));
}

std::string_view booster_name(XgboostBooster booster) {
  return booster == XgboostBooster::gbtree ? "gbtree" : booster == XgboostBooster::dart ? "dart" : "gblinear";
}

void describe_xgboost(const XgboostModel& model, Page& page) {
  const auto [major, minor, patch] = model.version;
  page.row("written by", major + minor + patch == 0 ? std::string("XGBoost before 1.0")
                                                    : fmt::format("XGBoost {}.{}.{}", major, minor, patch));
  page.row("objective", printable(model.objective, 60));
  page.row("booster", booster_name(model.booster));
  if (model.num_class > 0) page.row("classes", std::to_string(model.num_class));
  page.row("outputs per row", std::to_string(model.n_groups));
  page.row("base_score", joined(model.base_score) + (model.base_score_is_margin ? " (margin)" : ""));
  if (model.booster == XgboostBooster::gblinear) {
    page.row("weights", grouped(model.linear_weights.size()));
  } else {
    print_sizes(model.trees.size(), measure(model), page);
    page.row("boosting rounds", grouped(model.iterations()));
  }
  if (model.best_iteration) page.row("best iteration", std::to_string(*model.best_iteration));
  const auto categorical =
      static_cast<std::size_t>(std::count(model.feature_types.begin(), model.feature_types.end(), "c"));
  page.row("features",
           grouped(model.num_feature) + (categorical > 0 ? fmt::format(", {} categorical", categorical) : ""));
  if (!model.feature_names.empty()) page.row("feature names", joined(model.feature_names));
  print_named_values("Objective parameters", model.objective_params, page);
  print_named_values("Attributes", model.attributes, page);
}

void describe_lightgbm(const LightgbmModel& model, Page& page) {
  page.row("format version", printable(model.version, 20));
  page.row("objective", model.objective.empty() ? "none (custom)" : printable(model.objective, 60));
  if (model.num_class > 1) page.row("classes", std::to_string(model.num_class));
  print_sizes(model.trees.size(), measure(model), page);
  page.row("trees per round", std::to_string(model.num_tree_per_iteration));
  if (model.average_output) page.row("output", "average of the trees (random forest)");
  if (model.has_linear_trees) page.row("leaves", "linear models");
  page.row("features", grouped(model.num_feature));
  page.row("feature names", joined(model.feature_names));
  if (!model.pandas_categorical.empty())
    page.row("pandas categories", fmt::format("{} columns", model.pandas_categorical.size()));
  print_named_values("Objective parameters", model.objective_params, page);
  print_named_values("Training parameters", model.parameters, page);
}

}  // namespace

Result<void> describe_tree_file(Bytes file, TreeFileKind kind, std::string_view name, Page& page) {
  page.line(0, fmt::format("{}: {} model", name, tree_file_kind_name(kind)), LineStyle::title);
  page.row("size", fmt::format("{} bytes", grouped(file.size())));
  if (kind == TreeFileKind::lightgbm_text) {
    JACKDAW_ASSIGN(const LightgbmModel model, read_lightgbm(as_text(file)));
    describe_lightgbm(model, page);
    return {};
  }
  JACKDAW_ASSIGN(const XgboostModel model, read_xgboost(file));
  describe_xgboost(model, page);
  return {};
}

}  // namespace jackdaw::formats
