#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "jackdaw/formats/tree_model.h"

namespace jackdaw::formats {
namespace {

const std::string header =
    "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=2\nobjective=binary "
    "sigmoid:2\n"
    "feature_names=a b c\nfeature_infos=[0:1] none 2:0:1\ntree_sizes=300\n\n";
const std::string tree =
    "Tree=0\nnum_leaves=3\nnum_cat=1\nsplit_feature=0 2\nsplit_gain=1 1\nthreshold=0.5 0\ndecision_type=10 1\n"
    "left_child=1 -1\nright_child=-2 -3\nleaf_value=0.25 -1e-05 3\nleaf_weight=1 1 1\nleaf_count=1 1 1\n"
    "cat_boundaries=0 1\ncat_threshold=5\nis_linear=0\nshrinkage=0.1\n\n\n";
const std::string tail =
    "end of trees\n\nfeature_importances:\na=1\n\nparameters:\n[boosting: gbdt]\n[objective: binary]\n\nend of "
    "parameters\n\n"
    "pandas_categorical:[[\"x\", \"y\"], [3, 5.5]]\n";

std::string changed(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  INFO(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string read_file(const std::string& path) {
  std::ifstream in(std::string(JACKDAW_SOURCE_DIR) + "/tests/data/" + path, std::ios::binary);
  INFO(path);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

LightgbmModel read(const std::string& text) {
  auto model = read_lightgbm(text);
  if (!model) FAIL(model.error().text());
  return std::move(*model);
}

void refuses(const std::string& text, const std::string& words, Code code = Code::parse_error) {
  auto model = read_lightgbm(text);
  REQUIRE(!model.has_value());
  INFO(model.error().text());
  CHECK(model.error().code == code);
  CHECK(model.error().text().find(words) != std::string::npos);
}

void refuses_tree(const std::string& from, const std::string& to, const std::string& words) {
  refuses(header + changed(tree, from, to) + tail, words);
}

}  // namespace

TEST_CASE("ReadsEveryFieldOfATextModel", "[lightgbm]") {
  const LightgbmModel model = read(header + tree + tail);
  CHECK(model.version == "v4");
  CHECK(model.num_feature == 3);
  CHECK(model.objective == "binary");
  CHECK(value_or(model.objective_params, "sigmoid", "") == "2");
  CHECK(model.feature_names == std::vector<std::string>{"a", "b", "c"});
  CHECK(model.feature_infos == std::vector<std::string>{"[0:1]", "none", "2:0:1"});
  REQUIRE(model.trees.size() == 1);
  const LightgbmTree& first = model.trees[0];
  CHECK(first.threshold == std::vector<double>{0.5, 0.0});
  CHECK(first.leaf_value == std::vector<double>{0.25, -1e-05, 3.0});
  CHECK(first.default_left(0));
  CHECK(first.missing(0) == LightgbmMissing::nan);
  CHECK(first.categorical(1));
  CHECK(first.cat_words == std::vector<std::uint32_t>{5});
  CHECK(first.shrinkage == 0.1);
  CHECK(value_or(model.parameters, "boosting", "") == "gbdt");
  REQUIRE(model.pandas_categorical.size() == 2);
  CHECK(model.pandas_categorical[0].texts == std::vector<std::string>{"x", "y"});
  CHECK(model.pandas_categorical[1].numbers == std::vector<double>{3.0, 5.5});
}

TEST_CASE("ReadsWindowsLineEndsAndAMissingLastNewline", "[lightgbm]") {
  std::string text = header + tree + "end of trees";
  CHECK(read(text).trees.size() == 1);
  std::string windows;
  for (const char c : header + tree + tail) windows += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const LightgbmModel model = read(windows);
  CHECK(model.trees[0].leaf_value == std::vector<double>{0.25, -1e-05, 3.0});
  CHECK(model.feature_names[2] == "c");
}

TEST_CASE("ReadsWithoutTreeSizesAndWithoutObjective", "[lightgbm]") {
  std::string text = changed(header, "tree_sizes=300\n", "") + tree + tail;
  CHECK(read(text).trees.size() == 1);
  text = changed(text, "objective=binary sigmoid:2\n", "");
  CHECK(read(text).objective.empty());
}

TEST_CASE("ReadsATreeOfOneLeaf", "[lightgbm]") {
  const std::string one =
      "Tree=0\nnum_leaves=1\nnum_cat=0\nsplit_feature=\nthreshold=\nleaf_value=1.5\nshrinkage=1\n\n";
  const LightgbmModel model = read(header + one + tail);
  CHECK(model.trees[0].num_leaves == 1);
  CHECK(model.trees[0].leaf_value == std::vector<double>{1.5});
  CHECK(read(read_file("lightgbm/4.6/one_leaf.txt")).trees.size() > 0);
}

TEST_CASE("ReadsEveryOracleFile", "[lightgbm]") {
  CHECK(read(read_file("lightgbm/4.6/linear.txt")).has_linear_trees);
  CHECK(read(read_file("lightgbm/2.2/rf.txt")).average_output);
  CHECK(read(read_file("lightgbm/3.3/multiclass.txt")).num_tree_per_iteration == 3);
  CHECK(read(read_file("lightgbm/4.6/regression_sqrt.txt")).objective_params.size() == 1);
}

TEST_CASE("RefusesUnknownVersionsAndObjectives", "[lightgbm]") {
  refuses(changed(header, "v4", "v9") + tree + tail, "version 'v9' is not one of v2, v3, v4", Code::unsupported);
  refuses(changed(header, "version=v4\n", "") + tree + tail, "version ''", Code::unsupported);
  refuses(changed(header, "=binary", "=binarry") + tree + tail, "(did you mean 'binary'?)", Code::unsupported);
}

TEST_CASE("RefusesBrokenHeaders", "[lightgbm]") {
  refuses("", "starts with the line 'tree'");
  refuses("version=v4\n", "line 1");
  refuses(changed(header, "num_class=1\n", "") + tree + tail, "The header has no 'num_class'");
  refuses(changed(header, "num_class=1", "num_class=0") + tree + tail, "num_class=0 is out of range");
  refuses(changed(header, "num_class=1", "num_class=1x") + tree + tail, "num_class: entry 0 is no number");
  refuses(changed(header, "max_feature_idx=2", "max_feature_idx=3") + tree + tail, "feature_names has 3 names");
  refuses(changed(header, "max_feature_idx=2", "max_feature_idx=99999999999") + tree + tail, "out of range");
  refuses(changed(header, "max_feature_idx=2", "max_feature_idx=-1") + tree + tail, "out of range");
  refuses(changed(header, "[0:1] none 2:0:1", "none") + tree + tail, "feature_infos has 1 entries");
  refuses(changed(header, "num_class=1\n", "num_class=1\nnum_class=1\n") + tree + tail, "'num_class' comes twice");
}

TEST_CASE("RefusesTruncatedFilesAndWrongTreeCounts", "[lightgbm]") {
  refuses(header + tree, "truncated");
  refuses(changed(header, "tree_sizes=300", "tree_sizes=300 300") + tree + tail, "tree_sizes speaks of 2 trees");
  refuses(header + changed(tree, "Tree=0", "Tree=1") + tail, "Expected 'Tree=0'");
  refuses(changed(header, "num_tree_per_iteration=1", "num_tree_per_iteration=2") + tree + tail, "do not divide");
  const std::string whole = header + tree + tail;
  for (std::size_t size = 0; size < header.size() + tree.size(); ++size) {
    INFO(size);
    CHECK(!read_lightgbm(whole.substr(0, size)).has_value());
  }
}

TEST_CASE("RefusesTextTreesThatAreNone", "[lightgbm]") {
  refuses_tree("left_child=1 -1", "left_child=2 -1", "left_child[0] = 2 is out of range");
  refuses_tree("left_child=1 -1", "left_child=1 -4", "left_child[1] = -4 is out of range");
  refuses_tree("left_child=1 -1", "left_child=0 -1", "reached twice");
  refuses_tree("left_child=1 -1", "left_child=1 1", "reached twice");
  refuses_tree("right_child=-2 -3", "right_child=-1 -3", "reached twice");
  refuses_tree("left_child=1 -1", "left_child=-3 -1", "reached");
  refuses_tree("split_feature=0 2", "split_feature=3 2", "split_feature[0] = 3 is out of range");
  refuses_tree("split_feature=0 2", "split_feature=-1 2", "out of range");
  refuses_tree("split_feature=0 2", "split_feature=0", "'split_feature' has 1 entries, expected 2");
  refuses_tree("threshold=0.5 0", "threshold=0.5 zero", "threshold: 'zero' is no number");
  refuses_tree("decision_type=10 1", "decision_type=14 1", "Unknown kind of missing value");
  refuses_tree("decision_type=10 1", "decision_type=99 1", "out of range");
  refuses_tree("num_leaves=3", "num_leaves=0", "num_leaves=0");
  refuses_tree("num_leaves=3", "num_leaves=2147483647", "'leaf_value' has 3 entries");
  refuses_tree("num_leaves=3\n", "", "no 'num_leaves'");
  refuses_tree("leaf_value=0.25 -1e-05 3\n", "", "no 'leaf_value'");
  refuses_tree("num_leaves=3", "num_leaves=3\nnum_leaves=3", "comes twice");
}

TEST_CASE("ChecksCategorySetsOfTextTrees", "[lightgbm]") {
  refuses_tree("threshold=0.5 0", "threshold=0.5 1", "Uses category set 1, the tree has 1");
  refuses_tree("threshold=0.5 0", "threshold=0.5 -1", "Uses category set -1");
  refuses_tree("threshold=0.5 0", "threshold=0.5 nan", "Uses category set nan");
  refuses_tree("cat_boundaries=0 1", "cat_boundaries=0 2", "cat_boundaries ends at 2");
  refuses_tree("cat_boundaries=0 1", "cat_boundaries=1 0", "not ascending");
  refuses_tree("cat_boundaries=0 1", "cat_boundaries=0", "'cat_boundaries' has 1 entries");
  refuses_tree("cat_threshold=5", "cat_threshold=-5", "cat_threshold holds -5");
  refuses_tree("num_cat=1", "num_cat=1000000000", "expected 1000000001");
}

TEST_CASE("ChecksLinearLeaves", "[lightgbm]") {
  const std::string linear =
      "is_linear=1\nleaf_const=1 2 3\nnum_features=1 0 2\nleaf_features=0  1 2\nleaf_coeff=0.5  1 2";
  const std::string text = header + changed(tree, "is_linear=0", linear) + tail;
  const LightgbmModel model = read(text);
  CHECK(model.has_linear_trees);
  CHECK(model.trees[0].linear_begin == std::vector<std::uint32_t>{0, 1, 1, 3});
  CHECK(model.trees[0].linear_coeff == std::vector<double>{0.5, 1, 2});
  refuses(changed(text, "leaf_features=0  1 2", "leaf_features=0  1 3"), "leaf_features names feature 3");
  refuses(changed(text, "leaf_features=0  1 2", "leaf_features=0  1"), "'leaf_coeff' has 3 entries, expected 2");
  refuses(changed(text, "num_features=1 0 2", "num_features=1 0 1"), "num_features sums to 2");
  refuses(changed(text, "num_features=1 0 2", "num_features=1 0 -2"), "num_features is out of range");
  refuses(changed(text, "leaf_const=1 2 3", "leaf_const=1 2"), "'leaf_const' has 2 entries");
  refuses(changed(text, "is_linear=1", "is_linear=7"), "is_linear=7 is out of range");
}

TEST_CASE("RefusesBrokenPandasCategories", "[lightgbm]") {
  refuses(header + tree + "end of trees\npandas_categorical:[[\"x\"\n", "pandas_categorical");
  refuses(header + tree + "end of trees\npandas_categorical:" + std::string(100000, '[') + "\n", "Expected a text");
  CHECK(read(header + tree + "end of trees\npandas_categorical:null").pandas_categorical.empty());
}

}  // namespace jackdaw::formats
