// Stop strings in a stream: the same text and the same stop however the stream is cut.
#include <catch2/catch.hpp>
#include <optional>
#include <random>

#include "jackdaw/text/detokenizer.h"

namespace {

using jackdaw::text::StopMatcher;

struct Answer {
  std::string text;
  std::optional<std::size_t> stop;
  bool operator==(const Answer&) const = default;
};

Answer in_chunks(const std::vector<std::string>& stops, bool include, std::string_view text, std::size_t chunk) {
  StopMatcher matcher(stops, include);
  Answer answer;
  for (std::size_t at = 0; at < text.size(); at += chunk) {
    auto out = matcher.push(text.substr(at, chunk));
    answer.text += out.text;
    if (out.stop_index) {
      answer.stop = out.stop_index;
      CHECK(matcher.push("more").text.empty());
      return answer;
    }
  }
  answer.text += matcher.finish();
  return answer;
}

// By definition, with plain searches.
Answer by_search(const std::vector<std::string>& stops, bool include, std::string_view text) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < stops.size(); ++i) {
      const bool matches = !stops[i].empty() && text.substr(0, end).ends_with(stops[i]);
      if (matches && (!best || stops[i].size() > stops[*best].size())) best = i;
    }
    if (best) return {std::string(text.substr(0, include ? end : end - stops[*best].size())), best};
  }
  return {std::string(text), std::nullopt};
}

}  // namespace

TEST_CASE("StopsAcrossTheBordersOfTokens") {
  StopMatcher matcher({"\n\nUser:"}, false);
  CHECK(matcher.push("Hi\n").text == "Hi");
  CHECK(matcher.push("\nUs").text.empty());
  const auto out = matcher.push("er: what");
  CHECK(out.text.empty());
  CHECK(out.stop_index == 0);
  CHECK(matcher.finish().empty());
}

TEST_CASE("GivesBackWhatTurnedOutToBeNoStop") {
  StopMatcher matcher({"aab"}, false);
  CHECK(matcher.push("xaa").text == "x");
  CHECK(matcher.push("a").text == "a");
  CHECK(matcher.push("c").text == "aac");
  CHECK(matcher.push("aa").text.empty());
  CHECK(matcher.finish() == "aa");
}

TEST_CASE("KeepsTheStopStringWhenAsked") {
  CHECK(in_chunks({"END"}, true, "the END of", 2) == Answer{"the END", 0});
  CHECK(in_chunks({"END"}, false, "the END of", 2) == Answer{"the ", 0});
}

TEST_CASE("TheMatchThatIsCompleteFirstWins") {
  CHECK(in_chunks({"abcd", "bc"}, false, "xabcd", 1) == Answer{"xa", 1});
  CHECK(in_chunks({"bc", "abc"}, false, "xabcd", 3) == Answer{"x", 1});
  CHECK(in_chunks({"", "z", "z"}, false, "az", 1) == Answer{"a", 1});
}

TEST_CASE("EveryChunkingGivesTheSame") {
  std::mt19937 random(11);
  const auto word = [&](std::size_t longest) {
    std::string made(random() % longest, 'a');
    for (char& c : made) c = static_cast<char>('a' + random() % 2);
    return made;
  };
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::string> stops;
    for (std::size_t i = random() % 4; i > 0; --i) stops.push_back(word(6) + (random() % 3 == 0 ? "é" : ""));
    const std::string text = word(20) + (random() % 2 == 0 ? "é" : "") + word(8);
    const bool include = random() % 2 == 0;
    const Answer expected = by_search(stops, include, text);
    for (std::size_t chunk = 1; chunk <= text.size(); ++chunk) {
      REQUIRE(in_chunks(stops, include, text, chunk) == expected);
    }
  }
}
