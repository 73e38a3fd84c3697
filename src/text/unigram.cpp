// Unigram: of all ways to cut the text into pieces, the one with the highest sum of scores (Viterbi).
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "sentencepiece_text.h"

namespace jackdaw::text {

namespace {

class Unigram final : public SentencePieceVocabulary {
 public:
  Result<void> init(TokenizerSpec& spec) {
    if (spec.scores.empty()) {
      return make_error(Code::invalid_argument, "The unigram vocabulary has no scores (tokenizer.ggml.scores).");
    }
    scores_ = std::move(spec.scores);
    spec.scores = {};
    const std::size_t scored = scores_.size();
    JACKDAW_TRY(adopt_text(spec));
    if (scored != size()) {
      return make_error(Code::invalid_argument, "The tokenizer has {} pieces but {} scores.", size(), scored);
    }
    float lowest = std::numeric_limits<float>::max();
    float highest = std::numeric_limits<float>::lowest();
    std::vector<PrefixIndex::Key> keys;
    for (std::size_t i = 0; i < size(); ++i) {
      const auto id = static_cast<TokenId>(i);
      if (!std::isfinite(scores_[i])) {
        return make_error(Code::invalid_argument, "Score {} of the tokenizer is not a number.", i);
      }
      if (type(id) == TokenType::normal) {
        lowest = std::min(lowest, scores_[i]);
        highest = std::max(highest, scores_[i]);
      }
      if (is_text(id) && !piece(id).empty()) keys.push_back({piece(id), id});
    }
    index_.build(std::move(keys));
    unknown_score_ = std::min(lowest, highest) - 10.0;
    return {};
  }

 private:
  struct Best {
    double score;
    std::uint32_t begin;  // of the piece that ends here
    TokenId id;           // -1: an unknown character
  };

  void encode_text(std::string_view text, const Place& place, std::vector<TokenId>& out) const override {
    const std::string normalized = normalize(text, place);
    const std::size_t before = out.size();
    std::vector<Best> best;
    each_word(normalized, [&](std::string_view word) { encode_word(word, best, out); });
    fuse_unknown(before, out);
  }

  void encode_word(std::string_view word, std::vector<Best>& best, std::vector<TokenId>& out) const {
    best.assign(word.size() + 1, {-std::numeric_limits<double>::infinity(), 0, -1});
    best[0].score = 0;
    for (std::size_t at = 0; at < word.size();) {
      const std::uint32_t character = decode_utf8(word.data() + at, word.data() + word.size()).length;
      const double so_far = best[at].score;
      const auto offer = [&](std::size_t length, double score, TokenId id) {
        Best& end = best[at + length];
        if (score > end.score) end = {score, static_cast<std::uint32_t>(at), id};
      };
      bool character_known = false;
      index_.each_prefix(word.substr(at), [&](std::size_t length, TokenId id) {
        character_known = character_known || length == character;
        offer(length, so_far + static_cast<double>(scores_[index(id)]), id);
      });
      if (!character_known) offer(character, so_far + unknown_score_, -1);
      at += character;
    }
    append_path(word, best, out);
  }

  void append_path(std::string_view word, const std::vector<Best>& best, std::vector<TokenId>& out) const {
    std::vector<std::uint32_t> ends;
    for (auto at = static_cast<std::uint32_t>(word.size()); at > 0; at = best[at].begin) ends.push_back(at);
    std::reverse(ends.begin(), ends.end());
    for (const std::uint32_t end : ends) {
      const Best& step = best[end];
      if (step.id >= 0) {
        out.push_back(step.id);
      } else {
        append_unknown(word.substr(step.begin, end - step.begin), out);
      }
    }
  }

  PrefixIndex index_;
  std::vector<float> scores_;
  double unknown_score_ = 0;
};

}  // namespace

Result<std::shared_ptr<const Tokenizer>> build_unigram(TokenizerSpec spec) {
  auto made = std::make_shared<Unigram>();
  JACKDAW_TRY(made->init(spec));
  return std::shared_ptr<const Tokenizer>(std::move(made));
}

}  // namespace jackdaw::text
