// RFC 6902: every example of its appendix A, and its corners: indexes, pointers, values that are missing, bombs.
#include <catch2/catch.hpp>
#include <chrono>

#include "jackdaw/spec/patch.h"

using namespace jackdaw;
using namespace jackdaw::spec;

namespace {

Json read(std::string_view text) {
  auto json = read_json(text, "t.json");
  if (!json) FAIL(json.error().text());
  return std::move(*json);
}

Result<Json> patched(std::string_view target, std::string_view operations) {
  return json_patch(read(target), read(operations));
}

struct Row {
  std::string_view target, operations, result;
};
void check(std::initializer_list<Row> rows) {
  for (const Row& row : rows) {
    INFO(row.target << " patched with " << row.operations);
    const auto result = patched(row.target, row.operations);
    INFO((result ? std::string() : result.error().text()));
    REQUIRE(result.has_value());
    CHECK(result->dump() == read(row.result).dump());
  }
}

// What is said when the operations are refused.
struct Refusal {
  std::string_view target, operations, words;
};
void check_refused(std::initializer_list<Refusal> rows, Code code = Code::invalid_argument) {
  for (const Refusal& row : rows) {
    INFO(row.target << " patched with " << row.operations);
    const auto result = patched(row.target, row.operations);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == code);
    CHECK(result.error().text() == row.words);
  }
}

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

TEST_CASE("JsonPatchFollowsAppendixAOfRfc6902") {
  check({
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux"}])", R"({"foo":"bar","baz":"qux"})"},
      {R"({"foo":["bar","baz"]})", R"([{"op":"add","path":"/foo/1","value":"qux"}])", R"({"foo":["bar","qux","baz"]})"},
      {R"({"baz":"qux","foo":"bar"})", R"([{"op":"remove","path":"/baz"}])", R"({"foo":"bar"})"},
      {R"({"foo":["bar","qux","baz"]})", R"([{"op":"remove","path":"/foo/1"}])", R"({"foo":["bar","baz"]})"},
      {R"({"baz":"qux","foo":"bar"})", R"([{"op":"replace","path":"/baz","value":"boo"}])",
       R"({"baz":"boo","foo":"bar"})"},
      {R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})",
       R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])",
       R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"},
      {R"({"foo":["all","grass","cows","eat"]})", R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])",
       R"({"foo":["all","cows","eat","grass"]})"},
      {R"({"baz":"qux","foo":["a",2,"c"]})",
       R"([{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}])",
       R"({"baz":"qux","foo":["a",2,"c"]})"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/child","value":{"grandchild":{}}}])",
       R"({"foo":"bar","child":{"grandchild":{}}})"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"/baz","value":"qux","xyz":123}])", R"({"foo":"bar","baz":"qux"})"},
      {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":10}])", R"({"/":9,"~1":10})"},
      {R"({"foo":["bar"]})", R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])",
       R"({"foo":["bar",["abc","def"]]})"},
  });
  check_refused({{R"({"baz":"qux"})", R"([{"op":"test","path":"/baz","value":"bar"}])",
                  "operations[0]: test \"/baz\": the test does not hold: another value is there"},
                 {R"({"/":9,"~1":10})", R"([{"op":"test","path":"/~01","value":"10"}])",
                  "operations[0]: test \"/~01\": the test does not hold: another value is there"}},
                Code::unprocessable);
  check_refused({{R"({"foo":"bar"})", R"([{"op":"add","path":"/baz/bat","value":"qux"}])",
                  "operations[0]: add \"/baz/bat\": there is no member \"baz\" in the map at \"\""}});
}

TEST_CASE("JsonPatchAddsReplacesAndRemovesAnywhere") {
  check({
      {"{}", "[]", "{}"},
      {R"({"foo":1})", R"([{"op":"add","path":"/foo","value":null}])", R"({"foo":null})"},
      {R"({"a":1,"b":2})", R"([{"op":"add","path":"/a","value":3}])", R"({"a":3,"b":2})"},
      {"[]", R"([{"op":"add","path":"/0","value":"x"}])", R"(["x"])"},
      {R"(["x"])", R"([{"op":"add","path":"/1","value":"y"},{"op":"add","path":"/0","value":"z"}])",
       R"(["z","x","y"])"},
      {R"({"0":1})", R"([{"op":"add","path":"/00","value":2},{"op":"add","path":"/-","value":3}])",
       R"({"0":1,"00":2,"-":3})"},
      {R"({"foo":"bar"})", R"([{"op":"add","path":"","value":[1]}])", "[1]"},
      {"1", R"([{"op":"replace","path":"","value":{"a":2}}])", R"({"a":2})"},
      {"{}", R"([{"op":"add","path":"/","value":1}])", R"({"":1})"},
      {R"({"foo":{}})", R"([{"op":"add","path":"/foo/","value":1}])", R"({"foo":{"":1}})"},
      {R"({"a":[1,[2,[3]]]})", R"([{"op":"replace","path":"/a/1/1/0","value":4},{"op":"remove","path":"/a/1/0"}])",
       R"({"a":[1,[[4]]]})"},
      {R"({"a/b":{"m~n":1}})", R"([{"op":"replace","path":"/a~1b/m~0n","value":2}])", R"({"a/b":{"m~n":2}})"},
      {R"({"a":null})", R"([{"op":"remove","path":"/a"}])", "{}"},
  });
}

TEST_CASE("JsonPatchMovesAndCopies") {
  check({
      {R"({"a":{"b":1}})", R"([{"op":"move","from":"/a","path":"/a"}])", R"({"a":{"b":1}})"},
      {R"({"a":{"b":{"c":1}}})", R"([{"op":"move","from":"/a/b","path":"/a"}])", R"({"a":{"c":1}})"},
      {R"({"a":{"b":1}})", R"([{"op":"move","from":"/a","path":""}])", R"({"b":1})"},
      {R"({"ab":1,"a":2})", R"([{"op":"move","from":"/a","path":"/ab"}])", R"({"ab":2})"},
      {"[1,2,3]", R"([{"op":"move","from":"/0","path":"/-"}])", "[2,3,1]"},
      {R"({"a":[1,2]})", R"([{"op":"copy","from":"/a/0","path":"/a/0"}])", R"({"a":[1,1,2]})"},
      {R"({"a":{"b":1}})", R"([{"op":"copy","from":"/a","path":"/a/c"}])", R"({"a":{"b":1,"c":{"b":1}}})"},
      {R"({"a":1})", R"([{"op":"copy","from":"","path":"/b"}])", R"({"a":1,"b":{"a":1}})"},
      {R"({"a":null})", R"([{"op":"move","from":"/a","path":"/b"}])", R"({"b":null})"},
  });
  check_refused({
      {R"({"a":{"b":{}}})", R"([{"op":"move","from":"/a","path":"/a/b/c"}])",
       "operations[0]: move \"/a/b/c\": \"/a\" cannot be moved into itself"},
      {R"({"a":1})", R"([{"op":"move","from":"","path":"/a"}])",
       "operations[0]: move \"/a\": \"\" cannot be moved into itself"},
      {"{}", R"([{"op":"move","from":"/a","path":"/a"}])",
       "operations[0]: move \"/a\": there is no member \"a\" in the map at \"\""},
      {"{}", R"([{"op":"copy","path":"/a"}])", "operations[0]: it has no \"from\""},
      {"[1]", R"([{"op":"move","from":"/0","path":"/1"}])",
       "operations[0]: move \"/1\": index 1 is past the end of the list at \"\", which has 0 items"},
  });
}

TEST_CASE("JsonPatchTestsByValue") {
  check({
      {R"({"a":{"x":1,"y":[1,2]}})", R"([{"op":"test","path":"/a","value":{"y":[1.0,2],"x":1e0}}])",
       R"({"a":{"x":1,"y":[1,2]}})"},
      {R"({"a":null})", R"([{"op":"test","path":"/a","value":null}])", R"({"a":null})"},
      {R"({"":1})", R"([{"op":"test","path":"/","value":1},{"op":"test","path":"","value":{"":1}}])", R"({"":1})"},
  });
  const std::string_view fails = "operations[0]: test \"/a\": the test does not hold: another value is there";
  check_refused({{R"({"a":[1,2]})", R"([{"op":"test","path":"/a","value":[2,1]}])", fails},
                 {R"({"a":{}})", R"([{"op":"test","path":"/a","value":[]}])", fails},
                 {R"({"a":"1"})", R"([{"op":"test","path":"/a","value":1}])", fails},
                 {R"({"a":false})", R"([{"op":"test","path":"/a","value":null}])", fails}},
                Code::unprocessable);
}

TEST_CASE("JsonPatchRefusesIndexesThatAreNone") {
  check_refused({
      {"[1,2]", R"([{"op":"add","path":"/3","value":1}])",
       "operations[0]: add \"/3\": index 3 is past the end of the list at \"\", which has 2 items"},
      {"[1,2]", R"([{"op":"remove","path":"/2"}])",
       "operations[0]: remove \"/2\": index 2 is past the end of the list at \"\", which has 2 items"},
      {"[1,2]", R"([{"op":"replace","path":"/-","value":1}])",
       "operations[0]: replace \"/-\": \"-\" is no index of the list at \"\", which has 2 items"},
      {"[1,2]", R"([{"op":"add","path":"/-1","value":1}])",
       "operations[0]: add \"/-1\": \"-1\" is no index of the list at \"\", which has 2 items"},
      {"[1,2]", R"([{"op":"add","path":"/01","value":1}])",
       "operations[0]: add \"/01\": \"01\" is no index of the list at \"\", which has 2 items"},
      {"[1,2]", R"([{"op":"test","path":"/1e0","value":2}])",
       "operations[0]: test \"/1e0\": \"1e0\" is no index of the list at \"\", which has 2 items"},
      {"[1,2]", R"([{"op":"test","path":"/+1","value":2}])",
       "operations[0]: test \"/+1\": \"+1\" is no index of the list at \"\", which has 2 items"},
      {"[1,2]", R"([{"op":"add","path":"/","value":2}])",
       "operations[0]: add \"/\": \"\" is no index of the list at \"\", which has 2 items"},
      {"[1,2]", R"([{"op":"remove","path":"/18446744073709551616"}])",
       "operations[0]: remove \"/18446744073709551616\": \"18446744073709551616\" is no index of the list at \"\", "
       "which has 2 items"},
      {R"({"a":[[]]})", R"([{"op":"remove","path":"/a/0/x/y"}])",
       "operations[0]: remove \"/a/0/x/y\": \"x\" is no index of the list at \"/a/0\", which has 0 items"},
      {R"({"a":"text"})", R"([{"op":"add","path":"/a/0","value":1}])",
       "operations[0]: add \"/a/0\": there is text at \"/a\"; nothing can be added to it"},
      {R"({"a/b":1})", R"([{"op":"test","path":"/a~1b/c","value":1}])",
       "operations[0]: test \"/a~1b/c\": there is a number at \"/a~1b\", with nothing in it"},
  });
}

TEST_CASE("JsonPatchRefusesOperationsThatAreNone") {
  check_refused({
      {"{}", "{}", "a JSON patch is a list of operations, not a map"},
      {"{}", "[1]", "operations[0]: an operation is a map with \"op\" and \"path\", not a number"},
      {"{}", R"([{"path":"/a"}])", "operations[0]: it has no \"op\" that is text"},
      {"{}", R"([{"op":1,"path":"/a"}])", "operations[0]: it has no \"op\" that is text"},
      {"{}", R"([{"op":"spam","path":"/a"}])",
       "operations[0]: the operation \"spam\" is unknown; known are add, remove, replace, move, copy and test"},
      {"{}", R"([{"op":"add","value":1}])", "operations[0]: it has no \"path\""},
      {"{}", R"([{"op":"add","path":null,"value":1}])", "operations[0]: its \"path\" must be text, not null"},
      {"{}", R"([{"op":"add","path":"/a"}])", "operations[0]: it has no \"value\""},
      {"{}", R"([{"op":"test","path":""}])", "operations[0]: it has no \"value\""},
      {"{}", R"([{"op":"add","path":"a","value":1}])",
       "operations[0]: its \"path\" \"a\" is no JSON pointer: a pointer begins with '/', or is empty for the whole "
       "document"},
      {"{}", R"([{"op":"add","path":"/a~2","value":1}])",
       "operations[0]: its \"path\" \"/a~2\" is no JSON pointer: in a pointer, '~' is written ~0 and '/' within a name "
       "~1"},
      {"{}", R"([{"op":"add","path":"/a~","value":1}])",
       "operations[0]: its \"path\" \"/a~\" is no JSON pointer: in a pointer, '~' is written ~0 and '/' within a name "
       "~1"},
      {"{}", R"([{"op":"remove","path":""}])", "operations[0]: remove \"\": the whole document cannot be removed"},
      {"{}", R"([{"op":"add","path":"/a","value":1},{"op":"remove","path":"/b"}])",
       "operations[1]: remove \"/b\": there is no member \"b\" in the map at \"\""},
      {"{}", R"([{"op":"replace","path":"/a","value":1}])",
       "operations[0]: replace \"/a\": there is no member \"a\" in the map at \"\""},
  });
}

TEST_CASE("JsonPatchRefusesCopiesThatDoubleAValueOverAndOver") {
  std::string operations = "[";
  for (int i = 0; i < 60; ++i) operations += R"({"op":"copy","from":"/a","path":"/a/-"},)";
  operations.back() = ']';
  auto result = patched(R"({"a":["0123456789"]})", operations);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == Code::too_large);

  // Wide instead of deep: the text grows, not the number of values.
  const std::string text(100'000, 'x');
  operations = "[";
  for (int i = 0; i < 200; ++i) operations += fmt::format(R"({{"op":"copy","from":"/a","path":"/{}"}},)", i);
  operations.back() = ']';
  result = patched(fmt::format(R"({{"a":"{}"}})", text), operations);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == Code::too_large);
  CHECK(result.error().text().find("larger than 200000 values or 8388608 bytes") != std::string::npos);
}

TEST_CASE("JsonPatchKeepsItsResultsReadable") {
  // Nested by add, by copy and by move: the deepest result that is taken can be read again.
  const std::size_t deepest = static_cast<std::size_t>(ReadLimits{}.depth_max) - 1;
  ReadLimits deeper;
  deeper.depth_max = 100;
  for (const std::string_view op : {"add", "copy", "move"}) {
    for (const std::size_t above : {2u, 20u, 40u}) {
      for (const std::size_t below : {deepest - above, deepest - above + 1}) {
        std::string path;
        for (std::size_t i = 0; i < above; ++i) path += "/0";
        const auto from = op == "add" ? R"("value":)" + nested(below) : R"("from":"/1")";
        const auto target = read_json(fmt::format("[{},{}]", nested(above - 1), nested(below)), "t.json", deeper);
        REQUIRE(target.has_value());
        const auto patch = read_json(fmt::format(R"([{{"op":"{}","path":"{}",{}}}])", op, path, from), "p", deeper);
        REQUIRE(patch.has_value());
        const auto result = json_patch(*target, *patch);
        INFO(op << " " << above << " " << below);
        REQUIRE(result.has_value() == (above + below <= deepest));
        if (result) CHECK(read(result->dump()) == *result);
        if (!result) CHECK(result.error().code == Code::too_large);
      }
    }
  }
}

TEST_CASE("JsonPatchRefusesNamesThatCouldNotBeReadAgain") {
  const auto operations = [](std::size_t size) {
    return fmt::format(R"([{{"op":"add","path":"/{}","value":1}}])", std::string(size, 'x'));
  };
  CHECK(patched("{}", operations(1024)).has_value());
  const auto result = patched("{}", operations(1025));
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().message.ends_with("the member's name is longer than 1024 bytes"));
}

TEST_CASE("JsonPatchEndsSoonWhateverItIsAsked") {
  std::string wide = "{";
  for (int i = 0; i < 50'000; ++i) wide += fmt::format("\"k{}\":0,", i);
  wide += "\"z\":[]}";
  std::string operations = "[";
  for (int i = 0; i < 10'000; ++i) operations += R"({"op":"add","path":"/z/0","value":0},)";
  operations.back() = ']';
  const Json target = read(wide), patch = read(operations);
  const auto begin = std::chrono::steady_clock::now();
  const auto result = json_patch(target, patch);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));  // under sanitizers
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code == Code::too_large);

  operations.insert(operations.size() - 1, R"(,{"op":"test","path":"","value":0})");
  const auto many = json_patch(Json::object(), read(operations));
  REQUIRE_FALSE(many.has_value());
  CHECK(many.error().text() == "the patch has 10001 operations, more than the 10000 allowed");
}
