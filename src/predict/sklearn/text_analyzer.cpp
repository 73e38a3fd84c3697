#include "src/predict/sklearn/text_analyzer.h"

#include <algorithm>
#include <iterator>

#include "src/predict/sklearn/unicode.h"

namespace jackdaw::predict {
namespace {

#include "src/predict/sklearn/english_stop_words.inc"

using formats::NodeId;
using formats::NodeKind;

constexpr std::string_view default_pattern = "(?u)\\b\\w\\w+\\b";

// re.sub(r"\s\s+", " ", text): runs of two or more blanks become one space.
std::string join_blanks(std::string_view text) {
  std::string out;
  std::string_view run;
  std::size_t blanks = 0;
  while (true) {
    const char* at = text.data();
    std::string_view rest = text;
    const bool blank = !text.empty() && is_space(next_code_point(rest));
    if (blank) {
      run = std::string_view(blanks == 0 ? at : run.data(), run.size() * (blanks != 0) + text.size() - rest.size());
      ++blanks;
    } else {
      if (blanks >= 2) {
        out += ' ';
      } else if (blanks == 1) {
        out += run;
      }
      blanks = 0;
      run = {};
      if (text.empty()) return out;
      out.append(at, text.size() - rest.size());
    }
    text = rest;
  }
}

// Byte offsets of the code points of `text`, and its end.
void offsets_of(std::string_view text, std::vector<std::size_t>& out) {
  out.clear();
  const char* const base = text.data();
  const std::size_t size = text.size();
  while (!text.empty()) {
    out.push_back(static_cast<std::size_t>(text.data() - base));
    next_code_point(text);
  }
  out.push_back(size);
}

Result<std::unordered_set<std::string>> read_stop_list(const BuildContext& c, NodeId node) {
  std::unordered_set<std::string> out;
  NodeId list = node;
  if (c.graph.kind(node) == NodeKind::object) {  // frozenset([...]) as a call
    const NodeId args = c.graph.object(node).args;
    if (args != formats::no_node && c.graph.kind(args) == NodeKind::tuple && c.graph.items(args).size() == 1) {
      list = c.graph.items(args)[0];
    }
  }
  const NodeKind kind = c.graph.kind(list);
  const bool listed =
      kind == NodeKind::list || kind == NodeKind::tuple || kind == NodeKind::set || kind == NodeKind::frozenset;
  if (!listed) return c.error(Code::unsupported, "its stop_words are not a list of words");
  for (NodeId item : c.graph.items(list)) {
    if (c.graph.kind(item) != NodeKind::text)
      return c.error(Code::unsupported, "its stop_words are not a list of words");
    out.emplace(c.graph.text(item));
  }
  return out;
}

Result<void> refuse_code(const BuildContext& c) {
  for (const char* name : {"tokenizer", "preprocessor"}) {
    if (c.has(name)) {
      return c.error(
          Code::unsupported,
          fmt::format("its {} is Python code and cannot be served; a token_pattern can often take its place", name));
    }
  }
  const std::string input = c.text_or("input", "content");
  if (input != "content") return c.error(Code::unsupported, fmt::format("input='{}' reads files", input));
  return {};
}

}  // namespace

Result<TextAnalyzer> TextAnalyzer::read(const BuildContext& c) {
  JACKDAW_TRY(refuse_code(c));
  TextAnalyzer out;
  const std::string unit = c.text_or("analyzer", "");
  if (unit != "word" && unit != "char" && unit != "char_wb") {
    return c.error(Code::unsupported, "its analyzer is Python code and cannot be served");
  }
  out.unit_ = unit == "word" ? Unit::word : unit == "char" ? Unit::character : Unit::character_in_words;
  out.lowercase_ = c.flag_or("lowercase", true);
  if (c.has("strip_accents")) {
    const std::string accents = c.text_or("strip_accents", "");
    if (accents != "ascii" && accents != "unicode")
      return c.error(Code::unsupported, "its strip_accents is Python code");
    out.accents_ = accents == "ascii" ? Accents::ascii : Accents::unicode;
  }
  if (c.has("stop_words")) {
    const NodeId node = c.attribute("stop_words");
    out.english_ = c.text_or("stop_words", "") == "english";
    if (!out.english_) {
      JACKDAW_ASSIGN(out.stop_words_, read_stop_list(c, node));
    }
  }
  JACKDAW_ASSIGN(const std::vector<double> range, c.doubles("ngram_range"));
  if (range.size() != 2 || !(range[0] >= 1 && range[0] <= range[1] && range[1] <= 1000)) {
    return c.error(Code::parse_error, "'ngram_range' is out of range");
  }
  out.least_ = static_cast<std::size_t>(range[0]);
  out.most_ = static_cast<std::size_t>(range[1]);
  auto pattern = TokenPattern::compile(c.text_or("token_pattern", default_pattern));
  if (!pattern) return c.error(pattern.error().code, pattern.error().message);
  out.pattern_ = std::move(*pattern);
  return out;
}

std::string TextAnalyzer::prepare(std::string_view document) const {
  std::string text = lowercase_ ? lower(document) : std::string(document);
  if (accents_ == Accents::ascii) return strip_accents_ascii(text);
  if (accents_ == Accents::unicode) return strip_accents_unicode(text);
  return text;
}

Result<void> TextAnalyzer::analyze(std::string_view document, const Sink& sink) const {
  const std::string text = prepare(document);
  if (unit_ == Unit::word) return words(text, sink);
  if (unit_ == Unit::character) {
    characters(text, sink);
  } else {
    characters_in_words(text, sink);
  }
  return {};
}

bool TextAnalyzer::is_stop_word(std::string_view token) const {
  if (english_) return std::binary_search(std::begin(english_stop_words), std::end(english_stop_words), token);
  return !stop_words_.empty() && stop_words_.contains(std::string(token));
}

Result<void> TextAnalyzer::words(std::string_view text, const Sink& sink) const {
  std::vector<std::string_view> tokens;
  JACKDAW_TRY(pattern_.find_all(text, tokens));
  std::erase_if(tokens, [&](std::string_view t) { return is_stop_word(t); });
  std::string joined;
  for (std::size_t n = least_; n <= most_ && n <= tokens.size(); ++n) {
    for (std::size_t i = 0; i + n <= tokens.size(); ++i) {
      if (n == 1) {
        sink(tokens[i]);
        continue;
      }
      joined.assign(tokens[i]);
      for (std::size_t k = 1; k < n; ++k) joined.append(" ").append(tokens[i + k]);
      sink(joined);
    }
  }
  return {};
}

void TextAnalyzer::characters(std::string_view raw, const Sink& sink) const {
  const std::string text = join_blanks(raw);
  std::vector<std::size_t> at;
  offsets_of(text, at);
  const std::size_t length = at.size() - 1;
  for (std::size_t n = least_; n <= most_ && n <= length; ++n) {
    for (std::size_t i = 0; i + n <= length; ++i) sink(std::string_view(text).substr(at[i], at[i + n] - at[i]));
  }
}

// Each word with a space on both sides; a word shorter than n gives itself once and no longer n-grams.
void TextAnalyzer::characters_in_words(std::string_view text, const Sink& sink) const {
  std::vector<std::size_t> at;
  std::string word;
  while (!text.empty()) {
    word = " ";
    while (!text.empty()) {
      const char* begin = text.data();
      if (is_space(next_code_point(text))) break;
      word.append(begin, static_cast<std::size_t>(text.data() - begin));
    }
    if (word.size() == 1) continue;
    word += ' ';
    offsets_of(word, at);
    const std::size_t length = at.size() - 1;
    for (std::size_t n = least_; n <= most_; ++n) {
      for (std::size_t i = 0; i + n <= length; ++i) sink(std::string_view(word).substr(at[i], at[i + n] - at[i]));
      if (n >= length) {
        if (n > length) sink(word);
        break;
      }
    }
  }
}

}  // namespace jackdaw::predict
