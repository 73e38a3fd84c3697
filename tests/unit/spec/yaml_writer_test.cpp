#include <catch2/catch.hpp>
#include <cstdint>
#include <random>

#include "jackdaw/spec/yaml.h"

namespace jackdaw::spec {
namespace {

Json json(std::string_view text) {
  const Result<Json> read = read_json(text, "test");
  REQUIRE(read.has_value());
  return *read;
}

// What the reader makes of the text that the writer made.
Json read_back(const std::string& yaml) {
  const auto documents = parse_yaml(yaml, "test");
  INFO(yaml);
  if (!documents) FAIL(documents.error().text());
  if (documents->empty()) return {};
  REQUIRE(documents->size() == 1);
  return Json::of(documents->front()->root);
}

void check_round_trip(const Json& value) {
  const std::string yaml = to_yaml(value);
  const Json back = read_back(yaml);
  INFO(value.dump() << "\n" << yaml << "\n" << back.dump());
  CHECK(back == value);
  CHECK(back.dump() == value.dump());  // order and spelling of numbers too
}

}  // namespace

TEST_CASE("YamlIsWrittenAsKubectlWritesIt") {
  const Json object = json(R"({"apiVersion":"serving.kserve.io/v1beta1","kind":"InferenceService",
    "metadata":{"name":"iris","labels":{},"annotations":{"note":"two\nlines\n","cut":"no\nend"}},
    "spec":{"predictor":{"minReplicas":0,"args":["--max-model-len","4096",""],"ports":[{"name":"http","port":80},[1,[2]]],
    "empty":[],"none":null,"yes":"yes","version":"1.0","ok":true}},"status":{"at":"2026-11-28T17:35:33Z"}})");
  CHECK(to_yaml(object) == R"(apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: iris
  labels: {}
  annotations:
    note: |
      two
      lines
    cut: |-
      no
      end
spec:
  predictor:
    minReplicas: 0
    args:
    - --max-model-len
    - "4096"
    - ""
    ports:
    - name: http
      port: 80
    - - 1
      - - 2
    empty: []
    none: null
    "yes": "yes"
    version: "1.0"
    ok: true
status:
  at: "2026-11-28T17:35:33Z"
)");
  check_round_trip(object);
}

TEST_CASE("TextThatLooksLikeSomethingElseIsQuoted") {
  for (const std::string text : {"",
                                 " ",
                                 " a",
                                 "a ",
                                 "null",
                                 "~",
                                 "Null",
                                 "true",
                                 "y",
                                 "No",
                                 "off",
                                 "1",
                                 "-1",
                                 "1.5",
                                 "1e3",
                                 ".5",
                                 "+1",
                                 "0x1f",
                                 "0o17",
                                 "010",
                                 "1_000",
                                 ".inf",
                                 "-.INF",
                                 ".nan",
                                 "12:30",
                                 "1:2:3.4",
                                 "2026-11-28",
                                 "-",
                                 "- a",
                                 "-a",
                                 "--a",
                                 "---",
                                 "--- a",
                                 "...",
                                 "?",
                                 "? a",
                                 ":",
                                 ": a",
                                 ":a",
                                 "a:",
                                 "a: b",
                                 "a:b",
                                 "#a",
                                 "a #b",
                                 "a#b",
                                 "&a",
                                 "*a",
                                 "!a",
                                 "|",
                                 ">",
                                 "'a'",
                                 "\"a\"",
                                 "%a",
                                 "@a",
                                 "`a`",
                                 "[a]",
                                 "{a}",
                                 "a, b",
                                 "=",
                                 "<<",
                                 "<a",
                                 "a\tb",
                                 "\ta",
                                 "a\n",
                                 "\na",
                                 "a\nb",
                                 "a\n\nb\n",
                                 "a\n\n",
                                 "\n",
                                 "\n\n",
                                 " a\nb",
                                 "a\n b\n",
                                 "a\n\tb",
                                 "a\r\nb",
                                 "\x01",
                                 "\x7f",
                                 "\\",
                                 "a\\nb",
                                 "a\"b\nc",
                                 "a \nb",
                                 "a\nb ",
                                 "a\n \n",
                                 "a\n  ",
                                 "\xc2\x85",
                                 "\xc2\xa0",
                                 "gr\xc3\xbc\xc3\x9f",
                                 "\xe2\x80\xa8",
                                 "\xef\xbb\xbf"
                                 "a",
                                 "\xf0\x9f\x90\xa6",
                                 "# a\n# b\n",
                                 "- a\n- b\n",
                                 "a: b\nc: d",
                                 "---\na",
                                 "%YAML 1.2\n---\n"}) {
    CAPTURE(text);
    check_round_trip(Json::text(text));
    check_round_trip(Json::array({Json::text(text), Json::array({Json::text(text), Json::text("x")})}));
    check_round_trip(Json::object({{"a", Json::object({{"b", Json::text(text)}, {"c", Json::integer(1)}})}}));
    check_round_trip(Json::object({{text, Json::array({Json::object({{text, Json::text(text)}})})}}));
  }
}

TEST_CASE("NumbersStayAsTheyWereWritten") {
  for (const char* number : {"0", "-0", "1.0", "1e30", "1E-7", "-1.5e+3", "9223372036854775807", "18446744073709551615",
                             "0.1000000000000000055511151231257827"}) {
    check_round_trip(json(number));
    check_round_trip(json("{\"a\":[" + std::string(number) + "]}"));
  }
}

TEST_CASE("EmptyValuesAndScalarsAreDocumentsToo") {
  CHECK(to_yaml(Json::object()) == "{}\n");
  CHECK(to_yaml(Json::array()) == "[]\n");
  CHECK(to_yaml(Json()) == "null\n");
  CHECK(to_yaml(Json::text("a\nb")) == "|-\n  a\n  b\n");
  check_round_trip(Json::array({Json::array(), Json::object(), Json(), Json::boolean(false)}));
}

namespace {

// Values of random shape, whose texts are made of what YAML gives a meaning to.
class RandomJson {
 public:
  explicit RandomJson(std::uint64_t seed) : random_(seed) {}

  Json value(int depth) {
    switch (below(depth > 0 ? 8 : 5)) {
      case 0:
        return {};
      case 1:
        return Json::boolean(below(2) == 0);
      case 2:
        return Json::integer(static_cast<std::int64_t>(random_()));
      case 3:
      case 4:
        return Json::text(text());
      case 5: {
        Json list = Json::array();
        for (std::uint64_t i = below(4); i > 0; --i) list.append(value(depth - 1));
        return list;
      }
      default: {
        Json map = Json::object();
        for (std::uint64_t i = below(4); i > 0; --i) map.set(text(), value(depth - 1));
        return map;
      }
    }
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  std::string text() {
    static constexpr std::string_view pieces[] = {"a",
                                                  "B",
                                                  "1",
                                                  "0",
                                                  ".",
                                                  "-",
                                                  "--",
                                                  "---",
                                                  ":",
                                                  ": ",
                                                  " ",
                                                  "  ",
                                                  "\n",
                                                  "\n\n",
                                                  "\t",
                                                  "\"",
                                                  "'",
                                                  "#",
                                                  " #",
                                                  "\\",
                                                  "\\n",
                                                  "{",
                                                  "}",
                                                  "[",
                                                  "]",
                                                  ",",
                                                  "&",
                                                  "*",
                                                  "!",
                                                  "!!",
                                                  "|",
                                                  ">",
                                                  "%",
                                                  "@",
                                                  "`",
                                                  "?",
                                                  "? ",
                                                  "- ",
                                                  "=",
                                                  "<<",
                                                  "~",
                                                  "null",
                                                  "true",
                                                  "no",
                                                  "e",
                                                  "x",
                                                  "_",
                                                  "+",
                                                  "\r",
                                                  "\x01",
                                                  "\x7f",
                                                  "\xc3\xa4",
                                                  "\xc2\x85",
                                                  "\xe2\x80\xa9",
                                                  "\xef\xbb\xbf",
                                                  "\xf0\x9f\x90\xa6",
                                                  "T",
                                                  "Z",
                                                  "2026-01-01"};
    std::string out;
    for (std::uint64_t i = below(6); i > 0; --i) out += pieces[below(std::size(pieces))];
    return out;
  }

  std::mt19937_64 random_;
};

}  // namespace

TEST_CASE("RandomValuesComeBackAsTheyWere") {
  for (std::uint64_t seed = 1; seed <= 20'000; ++seed) {
    CAPTURE(seed);
    const Json value = RandomJson(seed).value(5);
    const std::string yaml = to_yaml(value);
    const auto documents = parse_yaml(yaml, "test");
    CAPTURE(value.dump(), yaml);
    if (!documents) FAIL(documents.error().text());
    const Json back = documents->empty() ? Json() : Json::of(documents->front()->root);
    REQUIRE(back.dump() == value.dump());
  }
}

}  // namespace jackdaw::spec
