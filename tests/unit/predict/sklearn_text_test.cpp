// Python's Unicode rules and the token patterns: each expectation was checked against CPython's str and re.
#include <catch2/catch.hpp>

#include "src/predict/sklearn/text_pattern.h"
#include "src/predict/sklearn/unicode.h"

using namespace jackdaw;
using namespace jackdaw::predict;

namespace {

using Tokens = std::vector<std::string_view>;

Tokens find(std::string_view pattern, std::string_view text) {
  const auto compiled = TokenPattern::compile(pattern);
  REQUIRE(compiled.has_value());
  Tokens out;
  REQUIRE(compiled->find_all(text, out).has_value());
  return out;
}

bool refuses(std::string_view pattern) {
  const auto compiled = TokenPattern::compile(pattern);
  return !compiled && compiled.error().code == Code::unsupported;
}

}  // namespace

TEST_CASE("LowersAsPythonDoes") {
  REQUIRE(lower("ABC xyz") == "abc xyz");
  REQUIRE(lower("İstanbul") == "i\xcc\x87stanbul");
  REQUIRE(lower("ΣΊΣΥΦΟΣ") == "σίσυφος");
  REQUIRE(lower("ΑΣ Σ") == "ας σ");
  REQUIRE(lower("STRASSE ẞ") == "strasse ß");
  REQUIRE(lower("ДОБРЫЙ") == "добрый");
  REQUIRE(lower("\xff") == "\xef\xbf\xbd");
}

TEST_CASE("StripsAccentsAsScikitLearnDoes") {
  REQUIRE(strip_accents_unicode("café naïve ﬁne ß") == "cafe naive fine ß");
  REQUIRE(strip_accents_ascii("café ﬁne ß 東京") == "cafe fine  ");
  REQUIRE(strip_accents_unicode("한") == "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab");
}

TEST_CASE("KnowsWordCharacters") {
  REQUIRE(is_word(U'é'));
  REQUIRE(is_word(U'_'));
  REQUIRE(is_word(U'½'));
  REQUIRE(is_word(U'東'));
  REQUIRE_FALSE(is_word(0x307));  // a combining dot
  REQUIRE_FALSE(is_word(U'-'));
  REQUIRE(is_space(0xA0));
  REQUIRE(is_space(0x1C));
}

TEST_CASE("FindsTokensOfTheDefaultPattern") {
  REQUIRE(find("(?u)\\b\\w\\w+\\b", "the a fox_dog, x é éa 12 3") == Tokens{"the", "fox_dog", "éa", "12"});
  REQUIRE(find("(?u)\\b\\w+\\b", "the a, x") == Tokens{"the", "a", "x"});
}

TEST_CASE("FindsTokensOfOtherPatterns") {
  REQUIRE(find("[a-z]+", "abc Def 12x") == Tokens{"abc", "ef", "x"});
  REQUIRE(find("[a-zA-Z0-9]{2,}", "a ab1 Z9 b") == Tokens{"ab1", "Z9"});
  REQUIRE(find("\\b[^\\d\\W]+\\b", "abc 12 a1 déjà") == Tokens{"abc", "déjà"});
  REQUIRE(find("\\w+|[^\\w\\s]", "go! now") == Tokens{"go", "!", "now"});
  REQUIRE(find("(\\w+)@", "me@home you@x z") == Tokens{"me", "you"});
  REQUIRE(find("(?:ab|a)(?:c|bcd)?", "abcd abc") == Tokens{"abc", "abc"});
  REQUIRE(find("a{2,3}", "aaaaa aa a") == Tokens{"aaa", "aa", "aa"});
  REQUIRE(find("\\S+", "x  yé\tz") == Tokens{"x", "yé", "z"});
  REQUIRE(find("[A-Za-z][a-z]*[0-9]?", "Ab1 c") == Tokens{"Ab1", "c"});
}

TEST_CASE("RefusesPatternsItCannotKeep") {
  REQUIRE(refuses("(?<!a)b"));
  REQUIRE(refuses("(a)(b)"));
  REQUIRE(refuses("a+?"));
  REQUIRE(refuses("a*"));
  REQUIRE(refuses("(a)\\1"));
  REQUIRE(refuses("(?i)a"));
  REQUIRE(refuses("[a"));
  REQUIRE(refuses("(a"));
  REQUIRE(refuses("a)"));
  REQUIRE(refuses("((((a{100}){100}){100}){100})"));
}

TEST_CASE("BoundsTheStepsOfSlowPatterns") {
  const auto compiled = TokenPattern::compile("(?:x{0,900}y|x)");
  REQUIRE(compiled.has_value());
  Tokens out;
  const std::string text(50'000, 'x');
  const auto got = compiled->find_all(text, out);
  REQUIRE_FALSE(got.has_value());
  REQUIRE(got.error().code == Code::resource_exhausted);
}
