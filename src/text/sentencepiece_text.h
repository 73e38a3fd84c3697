// SentencePieceVocabulary: what SentencePiece's two models share: the text's normalization (charsmap, spaces to ▁, the
// space prefix), pieces by their text, bytes of unknown characters.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "charsmap.h"
#include "utf8.h"
#include "vocabulary.h"

namespace jackdaw::text {

class SentencePieceVocabulary : public Vocabulary {
 protected:
  Result<void> adopt_text(TokenizerSpec& spec);

  // Normal, user-defined and unused pieces as the vocabulary writes them.
  const PieceTable& by_piece() const { return by_piece_; }

  std::string normalize(std::string_view text, const Place& place) const;
  // The parts of normalized text that are encoded each on its own: all of it, or a word for each ▁.
  template <typename Word>
  void each_word(std::string_view text, Word&& word) const {
    while (split_at_spaces_ && !text.empty()) {
      const std::size_t next = text.find(space_mark, 1);
      if (next == text.npos) break;
      word(text.substr(0, next));
      text.remove_prefix(next);
    }
    if (!text.empty()) word(text);
  }
  // Bytes as <0xXX> where the vocabulary has them, the unknown token otherwise, nothing when there is none.
  void append_unknown(std::string_view character, std::vector<TokenId>& out) const;
  // Makes one unknown token of each run that came after `before`, if the model does so.
  void fuse_unknown(std::size_t before, std::vector<TokenId>& out) const;

 private:
  PieceTable by_piece_;
  std::array<TokenId, 256> byte_ids_{};
  std::unique_ptr<const Charsmap> charsmap_;
  bool byte_fallback_ = false;
  bool fuse_unknown_ = true;
  bool add_space_prefix_ = true;
  bool prefix_at_start_only_ = false;
  bool prefix_unless_space_ = false;
  bool remove_extra_spaces_ = false;
  bool split_at_spaces_ = false;
};

}  // namespace jackdaw::text
