#include "jackdaw/spec/json.h"

#include <catch2/catch.hpp>
#include <chrono>

using namespace jackdaw;
using namespace jackdaw::spec;

namespace {

Json read(std::string_view text) {
  auto json = read_json(text, "t.json");
  if (!json) FAIL(json.error().text());
  return std::move(*json);
}

std::string refusal(std::string_view text, const ReadLimits& limits = {}) {
  auto json = read_json(text, "t.json", limits);
  return json ? "accepted" : json.error().text();
}

Json from_yaml(std::string_view text) {
  auto documents = parse_yaml(text, "t.yaml");
  if (!documents) FAIL(documents.error().text());
  return Json::of(documents->front()->root);
}

// {"k0":0,...}, forwards or backwards.
Json large_object(int members, bool backwards) {
  std::string text = "{";
  for (int i = 0; i < members; ++i) {
    const int n = backwards ? members - 1 - i : i;
    text += fmt::format("{}\"k{}\":{}", i == 0 ? "" : ",", n, n);
  }
  return read(text + "}");
}

std::string nested(int depth, std::string_view inner = "") {
  return std::string(static_cast<std::size_t>(depth), '[') + std::string(inner) +
         std::string(static_cast<std::size_t>(depth), ']');
}

}  // namespace

TEST_CASE("JsonGivesBackWhatWasReadCompactAndInOrder") {
  CHECK(read(R"( {"z" : 1.0, "a":[ true,null , 1e30, -0.0,12345678901234567890 ], "m" : {} , "e":[]} )").dump() ==
        R"({"z":1.0,"a":[true,null,1e30,-0.0,12345678901234567890],"m":{},"e":[]})");
}

TEST_CASE("JsonEscapesTextAsOrjsonDoes") {
  CHECK(read(R"(["\u0001\b\t\n\f\r\"\\\/\u00e4\ud83d\ude00"])").dump() == "[\"\\u0001\\b\\t\\n\\f\\r\\\"\\\\/ä😀\"]");
}

TEST_CASE("JsonEqualsByValue") {
  CHECK(read("1") == read("1.0"));
  CHECK(read("100") == read("1e2"));
  CHECK(read("0.001") == read("1E-3"));
  CHECK(read("-0.0") == read("0"));
  CHECK(read("0e5") == read("0"));
  CHECK_FALSE(read("1") == read("-1"));
  CHECK_FALSE(read("1") == read("10"));
  CHECK_FALSE(read("9007199254740993") == read("9007199254740992"));  // as doubles they would be equal
  CHECK_FALSE(read("1") == read("\"1\""));
  CHECK_FALSE(read("0") == read("false"));
  CHECK_FALSE(read("null") == read("{}"));
  CHECK_FALSE(read("[]") == read("{}"));
  CHECK(read(R"({"a":1,"b":{"c":[1,2],"d":null}})") == read(R"({"b":{"d":null,"c":[1.0,2]},"a":1})"));
  CHECK_FALSE(read(R"({"a":1,"b":2})") == read(R"({"b":1,"a":2})"));
  CHECK_FALSE(read(R"({"a":null})") == read(R"({"b":null})"));
  CHECK_FALSE(read("[1,2]") == read("[2,1]"));
  CHECK_FALSE(read("[1]") == read("[1,1]"));
}

TEST_CASE("JsonComparesLargeObjectsInAnyOrderSoon") {
  const Json a = large_object(40'000, false);
  Json b = large_object(40'000, true);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(a == b);
  b.members()[20'000].value = Json::integer(-1);
  CHECK_FALSE(a == b);
  // 40,000² comparisons take tens of seconds here; sorting takes hundredths.
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));
}

TEST_CASE("JsonMembersAreFoundSetAndErased") {
  Json json;
  json.set("a", Json::integer(1));
  json.member("b").set("c", Json::text("x"));
  json.set("a", Json::boolean(true));
  CHECK(json.dump() == R"({"a":true,"b":{"c":"x"}})");
  REQUIRE(json.find_path({"b", "c"}) != nullptr);
  CHECK(json.find_path({"b", "c"})->as_text() == "x");
  CHECK(json.find_path({"b", "d"}) == nullptr);
  CHECK(json.find_path({"b", "c", "d"}) == nullptr);
  CHECK(json.find_path({}) == &json);
  CHECK(json.find("a")->as_boolean());
  CHECK(json.erase("a"));
  CHECK_FALSE(json.erase("a"));
  CHECK(json.dump() == R"({"b":{"c":"x"}})");
  CHECK(Json::text("x").find("x") == nullptr);
}

TEST_CASE("JsonThatIsNoObjectOrArrayBecomesOneWhenItIsFilled") {
  Json json = Json::text("what a user wrote");
  json.set("a", Json());
  json.member("list").append(Json::integer(1));
  json.member("list").append(Json::array());
  CHECK(json.dump() == R"({"a":null,"list":[1,[]]})");
}

TEST_CASE("JsonMayBeAssignedAPartOfItself") {
  Json json = read(R"({"a":[{"b":[1,2,"three"]}]})");
  json = json.find("a")->items()[0];
  CHECK(json.dump() == R"({"b":[1,2,"three"]})");
  json = std::move(*json.find("b"));
  CHECK(json.dump() == R"([1,2,"three"])");
  json = std::move(json.items()[2]);
  CHECK(json.dump() == R"("three")");
  const Json& same = json;
  json = same;
  CHECK(json.dump() == R"("three")");
}

TEST_CASE("JsonReadsWholeNumbers") {
  CHECK(read("12").as_integer() == 12);
  CHECK(read("1e3").as_integer() == 1000);
  CHECK(read("1.50e1").as_integer() == 15);
  CHECK(read("-9223372036854775808").as_integer() == INT64_MIN);
  CHECK(read("9223372036854775808").as_integer(-7) == -7);
  CHECK(read("1.5").as_integer(-7) == -7);
  CHECK(read("1e300").as_integer(-7) == -7);
  CHECK(read("1e-300").as_integer(-7) == -7);
  CHECK(read("0e300").as_integer(-7) == 0);
  CHECK(read("\"12\"").as_integer(-7) == -7);
}

TEST_CASE("JsonOfYamlIsValidJson") {
  const Json json = from_yaml("v: [yes, 010, 0x1f, 1_000, +5, .5, 1e3, .inf, .nan, 18446744073709551615, '010', ~]");
  CHECK(json.dump() == R"({"v":[true,8,31,1000,5,0.5,1e3,null,null,18446744073709551615,"010",null]})");
  CHECK(read(json.dump()) == json);
}

TEST_CASE("JsonRefusesWhatIsNoJsonWithItsPlace") {
  CHECK(refusal("{\"a\": 1,\n \"a\": 2}") == "t.json:2:2: the key 'a' is here twice; the first one is in line 1");
  CHECK(refusal("").find("not valid JSON") != std::string::npos);
  CHECK(refusal("{} {}").find("not valid JSON") != std::string::npos);
  CHECK(refusal("[01]").find("not valid JSON") != std::string::npos);
  CHECK(refusal("[1e999]").find("not valid JSON") != std::string::npos);
}

TEST_CASE("JsonRefusesInvalidUtf8") {
  CHECK(refusal("[\"\xff\"]").find("not valid JSON") != std::string::npos);
  CHECK(refusal("[\"\xc0\x80\"]").find("not valid JSON") != std::string::npos);
  CHECK(refusal("[\"\xed\xa0\x80\"]").find("not valid JSON") != std::string::npos);
  CHECK(refusal(R"(["\ud800"])") != "accepted");
  CHECK(refusal(R"(["\udc00"])") != "accepted");
  CHECK(refusal(R"({"\udc00": 1})") != "accepted");
}

TEST_CASE("JsonRefusesWhatIsTooDeepOrTooLarge") {
  ReadLimits limits;
  CHECK(refusal(nested(limits.depth_max - 1, "1"), limits) == "accepted");
  CHECK(refusal(nested(limits.depth_max + 1), limits).find("deeper than 64 levels") != std::string::npos);
  CHECK(refusal(nested(100'000), limits).find("deeper than 64 levels") != std::string::npos);
  limits.nodes_max = 3;
  CHECK(refusal("[1,2]", limits) == "accepted");
  CHECK(refusal("[1,2,3]", limits).find("more than 3 values") != std::string::npos);
}
