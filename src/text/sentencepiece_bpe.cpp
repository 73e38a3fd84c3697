// SentencePiece BPE: spaces become ▁, the characters of the whole text merge: by score, or by ranked merges where the
// vocabulary comes from a tokenizer.json. Characters that are in no piece become their bytes.
#include <array>
#include <bit>
#include <memory>

#include "merge_table.h"
#include "merger.h"
#include "pre_tokenizer.h"
#include "sentencepiece_text.h"
#include "utf8.h"

namespace jackdaw::text {

namespace {

// Merging by text: two neighbours merge when what they make together is a piece; higher scores first.
struct TextPairs {
  struct Symbol {
    TextHash hash;
    std::uint32_t begin;
    std::uint32_t length;
    TokenId id;  // -1: no piece
  };
  const PieceTable& pieces;
  const std::vector<std::uint32_t>& priorities;
  std::string_view text;

  bool find(const Symbol& left, const Symbol& right, std::uint32_t& priority, Symbol& merged) const {
    const std::uint32_t length = left.length + right.length;
    if (length > limits::piece_bytes_max) return false;
    const TextHash hash = left.hash + right.hash;
    const TokenId id = pieces.find(hash.value, text.substr(left.begin, length));
    if (id < 0) return false;
    priority = priorities[static_cast<std::size_t>(id)];
    merged = {hash, left.begin, length, id};
    return true;
  }
};

// A number that is the smaller the higher the score is; below the merger's "none".
std::uint32_t priority_of(float score) {
  const auto bits = std::bit_cast<std::uint32_t>(score == 0 ? 0.0f : score);
  const std::uint32_t ascending = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  return ~ascending;  // finite scores are neither end of the range
}

class SentencePieceBpe final : public SentencePieceVocabulary {
 public:
  Result<void> init(TokenizerSpec& spec) {
    JACKDAW_TRY(adopt_text(spec));
    ranked_ = !spec.merges.empty() || !spec.merge_ids.empty();
    if (ranked_) {
      std::vector<std::string_view> keys;
      for (std::size_t i = 0; i < size(); ++i) keys.push_back(piece(static_cast<TokenId>(i)));
      JACKDAW_ASSIGN(merges_,
                     read_merges(spec, keys, by_piece(), [](std::string_view half) { return std::string(half); }));
    } else if (spec.scores.empty()) {
      return make_error(Code::invalid_argument,
                        "The SentencePiece vocabulary has neither scores (tokenizer.ggml.scores) nor merges.");
    }
    for (const float score : spec.scores) priorities_.push_back(priority_of(score));
    lines_ = !spec.splits.empty();
    JACKDAW_ASSIGN(pre_tokenizer_, PreTokenizer::from_splits(spec.splits));
    ignore_merges_ = spec.ignore_merges;
    return {};
  }

 private:
  void encode_text(std::string_view text, const Place& place, std::vector<TokenId>& out) const override {
    const std::string normalized = normalize(text, place);
    const std::size_t before = out.size();
    Merger<MergeTable> by_rank;
    Merger<TextPairs> by_score;
    each_word(normalized, [&](std::string_view part) {
      pre_tokenizer_.split(part, [&](std::string_view word) {
        if (const TokenId whole = whole_word(word); whole >= 0) return out.push_back(whole);
        if (ranked_) return encode_by_rank(word, by_rank, out);
        encode_by_score(word, by_score, out);
      });
    });
    fuse_unknown(before, out);
  }

  // A word that is a piece as it stands. Gemma 4 cuts its text into lines, and runs of newlines are not merged.
  TokenId whole_word(std::string_view word) const {
    const bool whole = ignore_merges_ || (lines_ && word.find_first_not_of('\n') == word.npos);
    return whole && word.size() <= limits::piece_bytes_max ? by_piece().find(word) : -1;
  }

  template <typename Add>
  static void each_character(std::string_view word, Add add) {
    for (const char *p = word.data(), *end = p + word.size(); p < end;) {
      const std::uint32_t length = decode_utf8(p, end).length;
      add(std::string_view(p, length));
      p += length;
    }
  }

  void encode_by_rank(std::string_view word, Merger<MergeTable>& merger, std::vector<TokenId>& out) const {
    auto& symbols = merger.symbols();
    symbols.clear();
    each_character(word, [&](std::string_view character) {
      const TokenId id = by_piece().find(character);
      if (id >= 0) {
        symbols.push_back(id);
      } else {
        append_unknown(character, symbols);
      }
    });
    merger.merge(merges_);
    out.insert(out.end(), symbols.begin(), symbols.end());
  }

  void encode_by_score(std::string_view word, Merger<TextPairs>& merger, std::vector<TokenId>& out) const {
    auto& symbols = merger.symbols();
    symbols.clear();
    each_character(word, [&](std::string_view character) {
      const TextHash hash = TextHash::of(character);
      symbols.push_back({hash, static_cast<std::uint32_t>(character.data() - word.data()),
                         static_cast<std::uint32_t>(character.size()), by_piece().find(hash.value, character)});
    });
    merger.merge(TextPairs{by_piece(), priorities_, word});
    for (const auto& symbol : symbols) {
      if (symbol.id >= 0) {
        out.push_back(symbol.id);
      } else {
        append_unknown(word.substr(symbol.begin, symbol.length), out);
      }
    }
  }

  PreTokenizer pre_tokenizer_;
  MergeTable merges_;
  std::vector<std::uint32_t> priorities_;
  bool ranked_ = false;
  bool lines_ = false;
  bool ignore_merges_ = false;
};

}  // namespace

Result<std::shared_ptr<const Tokenizer>> build_sentencepiece_bpe(TokenizerSpec spec) {
  auto made = std::make_shared<SentencePieceBpe>();
  JACKDAW_TRY(made->init(spec));
  return std::shared_ptr<const Tokenizer>(std::move(made));
}

}  // namespace jackdaw::text
