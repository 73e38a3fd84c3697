#include "jackdaw/spec/node.h"

#include <catch2/catch.hpp>

using namespace jackdaw;
using namespace jackdaw::spec;

namespace {

DocumentPtr one(std::string_view text) {
  auto documents = parse_yaml(text, "t.yaml");
  if (!documents) FAIL(documents.error().text());
  REQUIRE(documents->size() == 1);
  return documents->front();
}

std::string refusal(std::string_view text, const ReadLimits& limits = {}) {
  auto documents = parse_yaml(text, "t.yaml", limits);
  return documents ? "accepted" : documents.error().text();
}

std::string json_of(std::string_view text) {
  return to_json(one(text)->root);
}

}  // namespace

TEST_CASE("KnowsWhereEveryKeyAndValueStands") {
  const auto document = one("a: 1\nb:\n  - c: x\n    d: [1, two]\n");
  const Node& root = document->root;
  const Node* d = root.find("b")->items[0].find("d");
  REQUIRE(d != nullptr);
  CHECK(d->place().text() == "t.yaml:4:8");
  CHECK(d->items[1].place().text() == "t.yaml:4:12");
  CHECK(d->items[1].pointer() == "/b/0/d/1");
  CHECK(d->items[1].path() == "b[0].d[1]");
  CHECK(root.find("b")->items[0].members[1].key_place().text() == "t.yaml:4:5");
}

TEST_CASE("EscapesPointersAndPathsOfOddKeys") {
  const auto document = one("annotations: {serving.kserve.io/x~y: v}\n");
  const Node& value = document->root.members[0].value.members[0].value;
  CHECK(value.pointer() == "/annotations/serving.kserve.io~1x~0y");
  CHECK(value.path() == "annotations[\"serving.kserve.io/x~y\"]");
}

TEST_CASE("TakesPlainScalarsAsKubernetesDoes") {
  // Left: the YAML; right: the JSON that `kubectl create --dry-run=client -o json` makes of it.
  CHECK(json_of("v: [yes, No, on, OFF, y, n, true, False]") ==
        R"({"v":[true,false,true,false,true,false,true,false]})");
  CHECK(json_of("v: ['yes', \"1\", '~']") == R"({"v":["yes","1","~"]})");
  CHECK(json_of("v: [010, 0o10, 0x1f, 0b11, 1_000, -7, +5]") == R"({"v":[8,8,31,3,1000,-7,5]})");
  CHECK(json_of("v: [1e3, 1.5, .5, 08, -.25]") == R"({"v":[1000,1.5,0.5,8,-0.25]})");
  CHECK(json_of("v: [~, null, Null, ]") == R"({"v":[null,null,null]})");
  CHECK(json_of("v:") == R"({"v":null})");
  CHECK(json_of("v: [2020-01-01, 1:30, 1.2.3, 100m, 1Gi, 0.5.]") ==
        R"({"v":["2020-01-01","1:30","1.2.3","100m","1Gi","0.5."]})");
  CHECK(json_of("v: !!str 12") == R"({"v":"12"})");
  CHECK(one("v: 18446744073709551615")->root.find("v")->kind == NodeKind::number);
}

TEST_CASE("TurnsKeysThatAreNotTextIntoTheirJsonText") {
  CHECK(json_of("1: a\non: b\n0x10: c\n") == R"({"1":"a","true":"b","16":"c"})");
  CHECK(refusal("~: a\n") == "t.yaml:1:1: a key must be text, not null");
  CHECK(refusal("? [a, b]\n: c\n") == "t.yaml:1:3: a key must be text, not a list or a map");
}

TEST_CASE("RefusesDuplicateKeysWithBothPlaces") {
  CHECK(refusal("a: 1\nb: 2\na: 3\n") == "t.yaml:3:1: the key 'a' is here twice; the first one is in line 1");
}

TEST_CASE("WritesAliasesAndMergeKeysOut") {
  CHECK(json_of("base: &b {x: 1, z: 2}\nother:\n  <<: *b\n  z: 3\nlist: *b\n") ==
        R"({"base":{"x":1,"z":2},"other":{"z":3,"x":1},"list":{"x":1,"z":2}})");
  CHECK(json_of("a: &a {x: 1}\nb: &b {x: 2, z: 3}\nc: {<<: [*a, *b]}\n") ==
        R"({"a":{"x":1},"b":{"x":2,"z":3},"c":{"x":1,"z":3}})");
  CHECK(refusal("a: {<<: 3}\n") == "t.yaml:1:5: a merge key (<<) takes a map or a list of maps");
}

TEST_CASE("RefusesBillionLaughs") {
  std::string text = "a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += fmt::format("a{0}: &a{0} [{1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}, {1}]\n", i, before);
  }
  CHECK(refusal(text).find("more than 200000 values once its aliases are written out") != std::string::npos);
}

TEST_CASE("RefusesManyAliasesOfOneLongText") {
  std::string text = "a: &a " + std::string(1 << 20, 'x') + "\nb: [";
  for (int i = 0; i < 1000; ++i) text += "*a, ";
  CHECK(refusal(text + "]\n").find("aliases") != std::string::npos);
}

TEST_CASE("RefusesAliasInsideItsOwnAnchor") {
  CHECK(refusal("a: &a [1, *a]\n") == "t.yaml:1:11: an alias inside its own anchor never ends");
}

TEST_CASE("RefusesNestingBelowTheLimit") {
  ReadLimits limits;
  CHECK(refusal(std::string(64, '[') + std::string(64, ']'), limits) == "accepted");
  CHECK(refusal(std::string(65, '[') + std::string(65, ']'), limits).find("deeper than 64 levels") !=
        std::string::npos);
  CHECK(refusal(std::string(100'000, '['), limits) != "accepted");
}

TEST_CASE("RefusesTabsOddTagsZeroBytesAndBrokenUtf8") {
  CHECK(refusal("a:\n\tb: 1\n") == "t.yaml:2:1: YAML does not allow tabs for indentation; use spaces");
  CHECK(refusal("a: !!python/object:os.system x\n") ==
        "t.yaml:1:4: the tag 'tag:yaml.org,2002:python/object:os.system' is not supported here; remove it");
  CHECK(refusal("a: !custom {b: 1}\n") == "t.yaml:1:4: the tag '!custom' is not supported here; remove it");
  CHECK(refusal(std::string_view("a: \0b\n", 6)) == "t.yaml:1:4: a zero byte is not allowed in YAML");
  CHECK(refusal("a: 1\nb: \xff\n") == "t.yaml:2: this line is not valid UTF-8 text");
  CHECK(refusal("a: |\n  x\n  \ty\n") == "accepted");  // a tab inside block text is text
}

TEST_CASE("RefusesLinesThatWouldFillTheMemory") {
  CHECK(refusal("a: [" + std::string(70'000, ',') + "]\n") ==
        "t.yaml:1: this line holds more than 65536 brackets and commas; break it into several lines, or name the file "
        ".json");
  CHECK(refusal("a: " + std::string(200'000, 'x') + "\n") == "accepted");
}

TEST_CASE("RefusesTooLargeFiles") {
  ReadLimits limits;
  limits.bytes_max = 10;
  CHECK(refusal("a: 1234567890\n", limits) == "t.yaml: the file has 14 bytes, more than the 10 allowed");
}

TEST_CASE("ReadsSeveralDocumentsAndLeavesEmptyOnesOut") {
  auto documents = parse_yaml("---\n# nothing\n---\na: 1\n---\n---\nb: 2\n...\n", "t.yaml");
  REQUIRE(documents.has_value());
  REQUIRE(documents->size() == 2);
  CHECK((*documents)[1]->root.members[0].key_place().text() == "t.yaml:7:1");
}

TEST_CASE("SaysWhereYamlIsBroken") {
  CHECK(refusal("a: [1, 2\nb: 3\n") ==
        "t.yaml:2:2: not valid YAML: the list that begins with '[' is not closed before this place");
  CHECK(refusal("a: b: c\n") ==
        "t.yaml:1:5: not valid YAML: a ': ' is not allowed here; put the text in quotes, or begin a new line");
  CHECK(refusal("a: 1\n...\n# x\nb: 2\n") == "accepted");
}

TEST_CASE("RefusesQuotesThatAreNeverClosed") {
  CHECK(refusal("a: 'open\n") == "t.yaml:1:4: the quote that begins here is never closed");
  CHECK(refusal("\"ä\": &x \"op\\\"en\n") == "t.yaml:1:7: the quote that begins here is never closed");
  CHECK(refusal("a: 'it''s'\nb: \"\\\"\"\n") == "accepted");
}

TEST_CASE("RefusesADocumentThatOnlyWrongIndentationBegins") {
  const std::string words =
      "this belongs to nothing above it; is its indentation right? A new document begins with ---";
  CHECK(refusal("- a\nb: c\n") == "t.yaml:2:1: " + words);
  CHECK(refusal("[]\n{}\n") == "t.yaml:2:1: " + words);
}

TEST_CASE("RefusesALastLineWithoutColon") {
  const std::string words = "' is neither a key with a colon nor part of the value above";
  CHECK(refusal("a: 1\njunk") == "t.yaml:2:1: 'junk" + words);
  CHECK(refusal("a:\n  b: 1\n  two words\n") == "t.yaml:3:3: 'two words" + words);
  CHECK(refusal("a: 'x'\n\"b\"\n") ==
        "t.yaml:2:1: not valid YAML: a key with a colon is expected here; is the indentation right?");
  CHECK(json_of("a:\n  'b': # c\n  c :\n? d\n") == R"({"a":{"b":null,"c":null},"d":null})");
}

TEST_CASE("RefusesZeroCharactersHoweverTheyAreWritten") {
  CHECK(refusal("a: \"x\\0\"\n") == "t.yaml:1:4: a zero character is not allowed");
  CHECK(parse_json("{\"a\": \"\\u0000\"}", "t.json").error().text() == "t.json:1:7: a zero character is not allowed");
  CHECK(parse_json("{\"\\u0000\": 1}", "t.json").error().text() == "t.json:1:2: a zero character is not allowed");
}

TEST_CASE("TypedReadsSayWhatStandsThere") {
  const auto document = one("version: 1\nflag: \"true\"\ncount: many\nwhole: 1e3\n");
  const Node& root = document->root;
  CHECK(root.find("version")->as_text().error().text() ==
        "t.yaml:1:10: must be text, not 1 (a whole number); put it in quotes: \"1\"");
  CHECK(root.find("flag")->as_boolean().error().text() ==
        "t.yaml:2:7: must be true or false, not \"true\"; take the quotes away");
  CHECK(root.find("count")->as_integer().error().text() == "t.yaml:3:8: must be a whole number, not \"many\"");
  CHECK(root.find("whole")->as_integer().value() == 1000);
}

TEST_CASE("JsonHasTheSameTreeAndPlaces") {
  const std::string text = "{\n  \"a\": [1, \"t\\u00e4xt\", true, null],\n  \"b\": {\"c\": 1.5}\n}\n";
  auto document = parse_json(text, "t.json");
  REQUIRE(document.has_value());
  const Node& root = (*document)->root;
  CHECK(to_json(root) == "{\"a\":[1,\"täxt\",true,null],\"b\":{\"c\":1.5}}");
  CHECK(root.find("a")->items[1].place().text() == "t.json:2:12");
  CHECK(root.members[1].key_place().text() == "t.json:3:3");
  CHECK(root.find("b")->find("c")->place().text() == "t.json:3:14");
  CHECK(root.find("b")->find("c")->pointer() == "/b/c");
}

TEST_CASE("JsonRefusesDuplicatesDepthAndBrokenText") {
  const auto refused = [](std::string_view text) {
    auto document = parse_json(text, "t.json");
    return document ? std::string("accepted") : document.error().text();
  };
  CHECK(refused("{\"a\": 1,\n \"a\": 2}") == "t.json:2:2: the key 'a' is here twice; the first one is in line 1");
  CHECK(refused(std::string(100, '[') + std::string(100, ']')).find("deeper than 64 levels") != std::string::npos);
  CHECK(refused("{\"a\": 1,\n \"b\" 2}").rfind("t.json:", 0) == 0);
  CHECK(refused("").find("not valid JSON") != std::string::npos);
}
