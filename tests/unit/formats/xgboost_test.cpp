#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>

#include "jackdaw/formats/tree_model.h"

namespace jackdaw::formats {
namespace {

// A stump: x[1] < 0.5 goes to -1, else 2; missing goes left. Tests change one piece of it at a time.
const std::string stump_tree =
    R"({"base_weights":[0,0,0],"categories":[],"categories_nodes":[],"categories_segments":[],"categories_sizes":[],)"
    R"("default_left":[1,0,0],"id":0,"left_children":[1,-1,-1],"right_children":[2,-1,-1],"parents":[2147483647,0,0],)"
    R"("split_conditions":[0.5,-1,2],"split_indices":[1,0,0],"split_type":[0,0,0],)"
    R"("tree_param":{"num_deleted":"0","num_feature":"3","num_nodes":"3","size_leaf_vector":"1"}})";
const std::string stump =
    R"({"learner":{"attributes":{"best_iteration":"0"},"feature_names":["a","b","c"],"feature_types":[],)"
    R"("gradient_booster":{"model":{"gbtree_model_param":{"num_parallel_tree":"1","num_trees":"1"},)"
    R"("iteration_indptr":[0,1],"tree_info":[0],"trees":[)" +
    stump_tree +
    R"(]},"name":"gbtree"},"learner_model_param":{"base_score":"5E-1","num_class":"0","num_feature":"3","num_target":"1"},)"
    R"("objective":{"name":"binary:logistic","reg_loss_param":{"scale_pos_weight":"1"}}},"version":[2,1,2]})";

std::string changed(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

std::string read_file(const std::string& path) {
  std::ifstream in(std::string(JACKDAW_SOURCE_DIR) + "/tests/data/" + path, std::ios::binary);
  INFO(path);
  REQUIRE(in.good());
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

XgboostModel read(const std::string& text) {
  auto model = read_xgboost(as_bytes(text));
  if (!model) FAIL(model.error().text());
  return std::move(*model);
}

void refuses(const std::string& text, const std::string& words, Code code = Code::parse_error) {
  auto model = read_xgboost(as_bytes(text));
  REQUIRE(!model.has_value());
  INFO(model.error().text());
  CHECK(model.error().code == code);
  CHECK(model.error().text().find(words) != std::string::npos);
}

void refuses_tree(const std::string& from, const std::string& to, const std::string& words) {
  refuses(changed(stump, stump_tree, changed(stump_tree, from, to)), words);
}

}  // namespace

TEST_CASE("ReadsEveryFieldOfAJsonModel", "[xgboost]") {
  const XgboostModel model = read(stump);
  CHECK(model.kind == TreeFileKind::xgboost_json);
  CHECK(model.version == std::array<std::int32_t, 3>{2, 1, 2});
  CHECK(model.objective == "binary:logistic");
  CHECK(value_or(model.objective_params, "reg_loss_param.scale_pos_weight", "") == "1");
  CHECK(model.num_feature == 3);
  CHECK(model.n_groups == 1);
  CHECK(model.base_score == std::vector<float>{0.5f});
  CHECK(model.best_iteration == 0u);
  CHECK(model.feature_names == std::vector<std::string>{"a", "b", "c"});
  REQUIRE(model.trees.size() == 1);
  CHECK(model.trees[0].left == std::vector<std::int32_t>{1, -1, -1});
  CHECK(model.trees[0].feature == std::vector<std::uint32_t>{1, 0, 0});
  CHECK(model.trees[0].value == std::vector<float>{0.5f, -1.0f, 2.0f});
  CHECK(model.trees[0].default_left == std::vector<std::uint8_t>{1, 0, 0});
  CHECK(model.iteration_begin == std::vector<std::uint32_t>{0, 1});
}

TEST_CASE("TellsTheFourKindsOfTreeFilesApart", "[xgboost]") {
  CHECK(detect_tree_file(as_bytes(stump)) == TreeFileKind::xgboost_json);
  CHECK(detect_tree_file(as_bytes("\n { \"learner\": 1}")) == TreeFileKind::xgboost_json);
  CHECK(detect_tree_file(as_bytes(read_file("xgboost/2.1/squared.ubj"))) == TreeFileKind::xgboost_ubjson);
  CHECK(detect_tree_file(as_bytes(read_file("xgboost/1.7/squared.bst"))) == TreeFileKind::xgboost_binary);
  CHECK(detect_tree_file(as_bytes(read_file("xgboost/1.7/logistic.deprecated"))) == TreeFileKind::xgboost_binary);
  CHECK(detect_tree_file(as_bytes("tree\r\nversion=v4\r\n")) == TreeFileKind::lightgbm_text);
  CHECK(detect_tree_file(as_bytes("")) == TreeFileKind::unknown);
  CHECK(detect_tree_file(as_bytes("\x80\x04\x95")) == TreeFileKind::unknown);
}

TEST_CASE("TheContainersOfOneModelHoldTheSame", "[xgboost]") {
  for (const std::string name : {"squared", "softprob", "dart_softprob", "linear_logistic", "forest", "early"}) {
    INFO(name);
    const XgboostModel json = read(read_file("xgboost/1.7/" + name + ".json"));
    for (const std::string extension : {".ubj", ".bst"}) {
      const XgboostModel other = read(read_file("xgboost/1.7/" + name + extension));
      CHECK(other.objective == json.objective);
      CHECK(other.base_score == json.base_score);
      CHECK(other.n_groups == json.n_groups);
      CHECK(other.num_feature == json.num_feature);
      CHECK(other.tree_group == json.tree_group);
      CHECK(other.tree_weight == json.tree_weight);
      CHECK(other.linear_weights == json.linear_weights);
      CHECK(other.best_iteration == json.best_iteration);
      CHECK(other.iteration_begin == json.iteration_begin);
      REQUIRE(other.trees.size() == json.trees.size());
      for (std::size_t i = 0; i < json.trees.size(); ++i) {
        CHECK(other.trees[i].left == json.trees[i].left);
        CHECK(other.trees[i].right == json.trees[i].right);
        CHECK(other.trees[i].feature == json.trees[i].feature);
        CHECK(other.trees[i].value == json.trees[i].value);
        CHECK(other.trees[i].default_left == json.trees[i].default_left);
      }
    }
  }
}

TEST_CASE("ReadsBaseScoreAsNumberAndAsArrayInText", "[xgboost]") {
  const std::string one = R"("base_score":"5E-1")";
  CHECK(read(changed(stump, one, R"("base_score":"[2.5E-1]")")).base_score == std::vector<float>{0.25f});
  CHECK(read(changed(stump, one, R"x("base_score":"(0.25,)")x")).base_score == std::vector<float>{0.25f});
  CHECK(read(changed(stump, one, R"("base_score":0.25)")).base_score == std::vector<float>{0.25f});
  std::string two = changed(stump, one, R"("base_score":"[1E-1, 2E-1]")");
  refuses(two, "base_score has 2 values for 1 outputs");
  CHECK(read(changed(two, R"("num_target":"1")", R"("num_target":"2")")).base_score == std::vector<float>{0.1f, 0.2f});
  refuses(changed(stump, one, R"("base_score":"abc")"), "base_score 'abc' is no number");
  refuses(changed(stump, one, R"("base_score":"nan")"), "base_score 'nan' is no number");
  refuses(changed(stump, one, R"("base_score":"[]")"), "base_score '[]' is no number");
}

TEST_CASE("RefusesAnUnknownObjectiveWithTheListAndTheNearestName", "[xgboost]") {
  const std::string text = changed(stump, "binary:logistic", "binary:logistics");
  refuses(text, "Unknown XGBoost objective 'binary:logistics' (did you mean 'binary:logistic'?)", Code::unsupported);
  refuses(text, "multi:softprob", Code::unsupported);
}

TEST_CASE("RefusesAnUnknownBooster", "[xgboost]") {
  refuses(changed(stump, R"("name":"gbtree")", R"("name":"gbforest")"), "Unknown booster 'gbforest'",
          Code::unsupported);
}

TEST_CASE("AcceptsNaNAndInfinityThatXgboostWritesIntoItsJson", "[xgboost]") {
  const XgboostModel model = read(changed(stump, stump_tree, changed(stump_tree, "[0.5,-1,2]", "[NaN,-Infinity,2]")));
  CHECK(std::isnan(model.trees[0].value[0]));
  CHECK(std::isinf(model.trees[0].value[1]));
}

TEST_CASE("DropsNodesThatPruningDeleted", "[xgboost]") {
  std::string tree = changed(stump_tree, R"("left_children":[1,-1,-1])", R"("left_children":[3,-1,-1,-1,-1])");
  tree = changed(tree, R"("right_children":[2,-1,-1])", R"("right_children":[4,-1,-1,-1,-1])");
  tree = changed(tree, "[0.5,-1,2]", "[0.5,7,7,-1,2]");
  tree = changed(tree, R"("split_indices":[1,0,0])", R"("split_indices":[1,2147483647,2147483647,0,0])");
  tree = changed(tree, R"("default_left":[1,0,0])", R"("default_left":[1,0,0,0,0])");
  tree = changed(tree, R"("split_type":[0,0,0])", R"("split_type":[0,0,0,0,0])");
  const XgboostModel model = read(changed(stump, stump_tree, tree));
  CHECK(model.trees[0].left == std::vector<std::int32_t>{1, -1, -1});
  CHECK(model.trees[0].right == std::vector<std::int32_t>{2, -1, -1});
  CHECK(model.trees[0].value == std::vector<float>{0.5f, -1.0f, 2.0f});
}

TEST_CASE("RefusesTreesThatAreNone", "[xgboost]") {
  SECTION("a child outside") {
    refuses_tree(R"("left_children":[1,)", R"("left_children":[3,)", "tree 0, node 0: Child 3 does not exist");
    refuses_tree(R"("right_children":[2,)", R"("right_children":[-2,)", "Child -2 does not exist");
    refuses_tree(R"("right_children":[2,)", R"("right_children":[99999999999,)", "out of range");
  }
  SECTION("a loop") {
    refuses_tree(R"("left_children":[1,-1)", R"("left_children":[1,0)", "reached twice");
  }
  SECTION("its own child") {
    refuses_tree(R"("left_children":[1,)", R"("left_children":[0,)", "reached twice");
  }
  SECTION("two ways to a node") {
    refuses_tree(R"("left_children":[1,)", R"("left_children":[2,)", "reached twice");
  }
  SECTION("a feature outside") {
    refuses_tree(R"("split_indices":[1,)", R"("split_indices":[3,)", "Splits on feature 3, the model has 3");
    refuses_tree(R"("split_indices":[1,)", R"("split_indices":[-1,)", "out of range");
  }
  SECTION("arrays of different lengths") {
    refuses_tree(R"("split_indices":[1,0,0])", R"("split_indices":[1,0])", "split_indices has 2 entries");
    refuses_tree("[0.5,-1,2]", "[0.5,-1]", "split_conditions has 2 entries");
    refuses_tree(R"("default_left":[1,0,0])", R"("default_left":[])", "default_left has 0 entries");
    refuses_tree(R"("split_type":[0,0,0])", R"("split_type":[0])", "split_type has 1 entries");
  }
  SECTION("no nodes") {
    refuses_tree(R"("left_children":[1,-1,-1])", R"("left_children":[])", "has no nodes");
  }
}

TEST_CASE("RefusesATreeDeeperThanTheLimit", "[xgboost]") {
  // A chain: node 2i has leaf 2i+1 on the left and node 2i+2 on the right.
  const auto chain = [](int depth) {
    std::string left, right, feature, value, missing;
    for (int node = 0; node <= 2 * depth; ++node) {
      const bool inner = node % 2 == 0 && node < 2 * depth;
      const char* comma = node == 0 ? "" : ",";
      left += fmt::format("{}{}", comma, inner ? node + 1 : -1);
      right += fmt::format("{}{}", comma, inner ? node + 2 : -1);
      feature += fmt::format("{}0", comma);
      value += fmt::format("{}1", comma);
      missing += fmt::format("{}0", comma);
    }
    std::string tree = changed(stump_tree, "[1,-1,-1]", "[" + left + "]");
    tree = changed(tree, "[2,-1,-1]", "[" + right + "]");
    tree = changed(tree, R"("split_indices":[1,0,0])", R"("split_indices":[)" + feature + "]");
    tree = changed(tree, "[0.5,-1,2]", "[" + value + "]");
    tree = changed(tree, R"("default_left":[1,0,0])", R"("default_left":[)" + missing + "]");
    tree = changed(tree, R"("split_type":[0,0,0],)", "");
    return changed(stump, stump_tree, tree);
  };
  CHECK(read(chain(4096)).trees[0].node_count() == 8193);
  refuses(chain(4097), "deeper than 4096");
}

TEST_CASE("ChecksCategorySegments", "[xgboost]") {
  std::string tree = changed(stump_tree, R"("split_type":[0,0,0])", R"("split_type":[1,0,0])");
  const auto with = [&](const std::string& categories, const std::string& nodes, const std::string& segments,
                        const std::string& sizes) {
    std::string text = changed(tree, R"("categories":[])", R"("categories":)" + categories);
    text = changed(text, R"("categories_nodes":[])", R"("categories_nodes":)" + nodes);
    text = changed(text, R"("categories_segments":[])", R"("categories_segments":)" + segments);
    text = changed(text, R"("categories_sizes":[])", R"("categories_sizes":)" + sizes);
    return changed(stump, stump_tree, text);
  };
  const XgboostModel model = read(with("[4,9]", "[0]", "[0]", "[2]"));
  CHECK(model.trees[0].is_categorical == std::vector<std::uint8_t>{1, 0, 0});
  CHECK(model.trees[0].category_count[0] == 2);
  CHECK(read(with("[]", "[]", "[]", "[]")).trees[0].category_count[0] == 0);
  refuses(with("[4,9]", "[0]", "[1]", "[2]"), "segment leaves `categories`");
  refuses(with("[4,9]", "[0]", "[-1]", "[2]"), "segment leaves `categories`");
  refuses(with("[4,9]", "[0]", "[0]", "[-1]"), "segment leaves `categories`");
  refuses(with("[4,9]", "[0]", "[9223372036854775807]", "[9223372036854775807]"), "segment leaves `categories`");
  refuses(with("[4,9]", "[3]", "[0]", "[2]"), "categories_nodes names no node");
  refuses(with("[4,9]", "[0,1]", "[0,0]", "[2,2]"), "overlap");
  refuses(with("[4,9]", "[0]", "[0]", "[]"), "differ in length");
  refuses(with("[-4]", "[0]", "[0]", "[1]"), "Category -4 is out of range");
  refuses(with("[16777216]", "[0]", "[0]", "[1]"), "Category 16777216 is out of range");
  refuses(changed(stump, R"("split_type":[0,0,0])", R"("split_type":[2,0,0])"), "Unknown split type 2",
          Code::unsupported);
}

TEST_CASE("ChecksLeafVectors", "[xgboost]") {
  std::string text = changed(stump, R"("size_leaf_vector":"1")", R"("size_leaf_vector":"2")");
  text = changed(text, R"("num_target":"1")", R"("num_target":"2")");
  const std::string base = R"("base_weights":[0,0,0])";
  const XgboostModel old = read(changed(text, base, R"("base_weights":[0,0,1,2,3,4])"));
  CHECK(old.trees[0].leaf_width == 2);
  CHECK(old.trees[0].leaf_vectors == std::vector<float>{1, 2, 3, 4});
  refuses(text, "do not divide by size_leaf_vector");
  refuses(changed(text, base, R"("base_weights":[0,0,1,2])"), "leaf vector 2 does not exist");
  std::string leaves = changed(text, base, R"("leaf_weights":[1,2,3,4])");
  leaves = changed(leaves, R"("right_children":[2,-1,-1])", R"("right_children":[2,1,0])");
  CHECK(read(leaves).trees[0].leaf_vectors == std::vector<float>{3, 4, 1, 2});
  refuses(changed(leaves, "[2,1,0]", "[2,2,0]"), "leaf vector 2 does not exist");
  refuses(changed(leaves, "[2,1,0]", "[2,-5,0]"), "leaf vector -5 does not exist");
  refuses(changed(leaves, R"("num_target":"2")", R"("num_target":"3")"),
          "Leaves of tree 0 hold 2 values for 3 outputs");
  refuses(changed(leaves, R"("size_leaf_vector":"2")", R"("size_leaf_vector":"99999999999999999999")"), "not a size");
}

TEST_CASE("ChecksWhatSpansTheWholeModel", "[xgboost]") {
  refuses(changed(stump, R"("num_trees":"1")", R"("num_trees":"2")"), "num_trees is 2, the file has 1 trees");
  refuses(changed(stump, R"("tree_info":[0])", R"("tree_info":[1])"), "tree_info[0] = 1");
  refuses(changed(stump, R"("tree_info":[0])", R"("tree_info":[-1])"), "tree_info[0] = -1");
  refuses(changed(stump, R"("tree_info":[0])", R"("tree_info":[])"), "tree_info has 0 entries");
  refuses(changed(stump, R"("iteration_indptr":[0,1])", R"("iteration_indptr":[0,2])"), "iteration_indptr");
  refuses(changed(stump, R"("iteration_indptr":[0,1])", R"("iteration_indptr":[1,0])"), "iteration_indptr");
  refuses(changed(stump, R"("iteration_indptr":[0,1])", R"("iteration_indptr":[0,0])"), "does not span");
  refuses(changed(stump, R"("num_class":"0")", R"("num_class":"-1")"), "num_class");
  refuses(changed(stump, R"("num_class":"0")", R"("num_class":"99999999")"), "over the limit");
  refuses(changed(stump, R"("num_feature":"3","num_target")", R"("num_feature":"x","num_target")"), "which is no size");
  refuses(changed(stump, R"(["a","b","c"])", R"(["a","b"])"), "feature_names has 2 entries for 3 features");
  refuses(changed(stump, R"("name":"gbtree"},"learner_model_param")", R"("name":"dart"},"learner_model_param")"),
          "weight_drop has 0 entries");
  refuses(changed(stump, R"("name":"gbtree"},"learner_model_param")", R"("name":"gblinear"},"learner_model_param")"),
          "gblinear has 0 weights");
  refuses("{}", "no `learner`");
  refuses("", "no XGBoost model");
  refuses("tree\nversion=v4\n", "LightGBM text model");
}

TEST_CASE("RefusesJsonOfDepth100000", "[xgboost]") {
  const std::string deep(100000, '[');
  refuses(R"({"x":)" + deep, "nested deeper than 64");
  refuses(R"({"learner":)" + deep, "Expected an object here");
  refuses(R"({"learner":{"unknown":)" + deep, "nested deeper than 64");
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += R"({"a":)";
  refuses(R"({"x":)" + objects, "nested deeper than 64");
  refuses(changed(stump, R"("objective":{)", R"("objective":{"p":)" + objects), "nested deeper than 64");
}

TEST_CASE("RefusesBrokenJsonWithTheOffset", "[xgboost]") {
  for (std::size_t size = 2; size < stump.size(); ++size) {
    auto model = read_xgboost(as_bytes(stump.substr(0, size)));
    INFO(size);
    REQUIRE(!model.has_value());
  }
  refuses(stump + "x", fmt::format("offset {}", stump.size()));
  refuses(stump + "{}", "More bytes follow");
  CHECK(read(stump + "\n").trees.size() == 1);
  refuses(R"({"version":[1,2,3],"version":[1,2,3]})", "The key \"version\" comes twice");
  refuses(R"({"a":tru})", "Expected a number");
  refuses("{\"a\":\"\xff\"}", "UTF-8");
  refuses(R"({"a":"\ud800"})", "surrogate");
  refuses(R"({"a":"\u12"})", "hex digits");
  refuses(R"({"a" 1})", "Expected ':'");
  refuses(R"({"a":1 "b":2})", "Expected ','");
  refuses(R"({"a":[1 2]})", "Expected ','");
  refuses(R"({"version":[1.5,2,3]})", "Expected a number");
  refuses(R"({"version":[99999999999999999999,2,3]})", "out of range");
}

TEST_CASE("RefusesEveryTruncationOfUbjsonAndBinary", "[xgboost]") {
  for (const std::string name : {"xgboost/2.1/logistic.ubj", "xgboost/1.7/logistic.bst", "xgboost/1.7/dart.bst"}) {
    const std::string whole = read_file(name);
    CHECK(read(whole).trees.size() > 0);
    const XgboostModel full = read(whole);
    for (std::size_t size = 0; size < whole.size(); size += size < 400 ? 1 : 7) {
      auto model = read_xgboost(as_bytes(whole.substr(0, size)));
      INFO(name << " " << size);
      // The metric names at the end of a binary file are not read.
      if (name.ends_with(".ubj")) CHECK(!model.has_value());
      if (model) CHECK(model->trees.size() == full.trees.size());
    }
  }
}

TEST_CASE("SurvivesEveryFlippedByteOfABinaryModel", "[xgboost]") {
  const std::string whole = read_file("xgboost/1.7/softprob.bst");
  for (std::size_t at = 0; at < whole.size(); at += at < 800 ? 1 : 13) {
    for (const int bit : {0x01, 0x80, 0xff}) {
      std::string text = whole;
      text[at] = static_cast<char>(text[at] ^ bit);
      auto model = read_xgboost(as_bytes(text));
      if (!model) CHECK(!model.error().message.empty());
    }
  }
}

TEST_CASE("RefusesLyingCountsOfTheBinaryFormat", "[xgboost]") {
  const std::string whole = read_file("xgboost/1.7/squared.bst");
  const std::size_t objective = 4 + 136;
  const auto patched = [&](std::size_t at, std::uint64_t value, std::size_t size) {
    std::string text = whole;
    std::memcpy(text.data() + at, &value, size);
    return text;
  };
  refuses(patched(objective, 1ull << 40, 8), "the objective claims");
  const std::size_t params = objective + 8 + std::strlen("reg:squarederror") + 8 + std::strlen("gbtree");
  refuses(patched(params, 0x7fffffff, 4), "trees");
  refuses(patched(params, 0xffffffff, 4), "trees");
  const std::size_t tree = params + 160;
  refuses(patched(tree + 4, 0x7fffffff, 4), "nodes");
  refuses(patched(tree + 4, 0, 4), "nodes");
  refuses(patched(tree + 148 + 4, 77777, 4), "Child 77777 does not exist");
}

TEST_CASE("ReadsCategoryNamesOfVersion31", "[xgboost]") {
  const XgboostModel model = read(read_file("xgboost/3.2/categories_frame.ubj"));
  REQUIRE(model.categories.size() == 3);
  CHECK(model.categories[0].texts.size() == 3);
  CHECK(model.categories[0].texts[0] == "bath");
  CHECK(model.categories[1].numbers == std::vector<double>{3, 5, 9});
  CHECK(model.categories[2].empty());
}

}  // namespace jackdaw::formats
