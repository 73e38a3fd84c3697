// RFC 7386: the rules of its section 2 and every row of its appendix A.
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

std::string merged(std::string_view target, std::string_view patch) {
  return merge_patch(read(target), read(patch)).dump();
}

}  // namespace

TEST_CASE("MergePatchFollowsTheRowsOfRfc7386") {
  struct Row {
    std::string_view target, patch, result;
  };
  const Row rows[] = {
      {R"({"a":"b"})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"b"})", R"({"b":"c"})", R"({"a":"b","b":"c"})"},
      {R"({"a":"b"})", R"({"a":null})", R"({})"},
      {R"({"a":"b","b":"c"})", R"({"a":null})", R"({"b":"c"})"},
      {R"({"a":["b"]})", R"({"a":"c"})", R"({"a":"c"})"},
      {R"({"a":"c"})", R"({"a":["b"]})", R"({"a":["b"]})"},
      {R"({"a":{"b":"c"}})", R"({"a":{"b":"d","c":null}})", R"({"a":{"b":"d"}})"},
      {R"({"a":[{"b":"c"}]})", R"({"a":[1]})", R"({"a":[1]})"},
      {R"(["a","b"])", R"(["c","d"])", R"(["c","d"])"},
      {R"({"a":"b"})", R"(["c"])", R"(["c"])"},
      {R"({"a":"foo"})", R"(null)", R"(null)"},
      {R"({"a":"foo"})", R"("bar")", R"("bar")"},
      {R"({"e":null})", R"({"a":1})", R"({"e":null,"a":1})"},
      {R"([1,2])", R"({"a":"b","c":null})", R"({"a":"b"})"},
      {R"({})", R"({"a":{"bb":{"ccc":null}}})", R"({"a":{"bb":{}}})"},
  };
  for (const Row& row : rows) {
    INFO(row.target << " patched with " << row.patch);
    CHECK(merged(row.target, row.patch) == row.result);
  }
}

TEST_CASE("MergePatchFollowsTheExampleOfRfc7386") {
  const auto target = R"({"title":"Goodbye!","author":{"givenName":"John","familyName":"Doe"},
    "tags":["example","sample"],"content":"This will be unchanged"})";
  const auto patch = R"({"title":"Hello!","phoneNumber":"+01-123-456-7890","author":{"familyName":null},
    "tags":["example"]})";
  CHECK(merged(target, patch) == R"({"title":"Hello!","author":{"givenName":"John"},"tags":["example"],)"
                                 R"("content":"This will be unchanged","phoneNumber":"+01-123-456-7890"})");
}

TEST_CASE("MergePatchKeepsNullsInListsAndDropsThemInNewMaps") {
  CHECK(merged("{}", R"({"a":[null,{"b":null}],"c":{"d":null,"e":1}})") == R"({"a":[null,{"b":null}],"c":{"e":1}})");
  CHECK(merged("[1]", R"({"a":null})") == "{}");
}

TEST_CASE("MergePatchChangesManyMembersSoon") {
  constexpr int members = 30'000;
  std::string target = "{", patch = "{";
  for (int i = 0; i < members; ++i) {
    const auto* comma = i == 0 ? "" : ",";
    target += fmt::format("{}\"k{}\":{}", comma, i, i);
    patch += i % 2 == 0 ? fmt::format("{}\"k{}\":null", comma, i) : fmt::format("{}\"k{}\":{{\"n\":{}}}", comma, i, i);
  }
  const Json before = read(target + "}"), change = read(patch + "}");
  const auto begin = std::chrono::steady_clock::now();
  const Json after = merge_patch(before, change);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(4));
  REQUIRE(after.members().size() == members / 2);
  CHECK(after.members().front().name == "k1");
  CHECK(after.members().back().value.dump() == fmt::format("{{\"n\":{}}}", members - 1));
}
