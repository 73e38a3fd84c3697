// Vocabulary: the part of a tokenizer that does not depend on how text is cut: pieces, their bytes, special tokens,
// what ends a generation, and decoding. The kinds of tokenizers derive from it and add encode_text.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/text/tokenizer.h"
#include "piece_table.h"
#include "prefix_index.h"
#include "text_pool.h"

namespace jackdaw::text {

namespace limits {
inline constexpr std::size_t pieces_max = 4'000'000;
inline constexpr std::size_t piece_bytes_max = 4096;  // matching looks this far ahead at most
inline constexpr std::size_t merges_max = 8'000'000;
inline constexpr std::size_t text_run_max = std::size_t{1} << 30;  // longer texts are encoded in parts
}  // namespace limits

class Vocabulary : public Tokenizer {
 public:
  using Tokenizer::encode;
  void encode(std::string_view text, const EncodeOptions& options, std::vector<TokenId>& out) const final;
  std::size_t size() const final { return types_.size(); }
  std::string_view bytes(TokenId token) const final { return known(token) ? bytes_[index(token)] : std::string_view(); }
  std::string_view piece(TokenId token) const final {
    return known(token) ? pieces_[index(token)] : std::string_view();
  }
  bool is_control(TokenId token) const final {
    return known(token) && (type(token) == TokenType::control || type(token) == TokenType::unknown);
  }
  bool is_end_of_generation(TokenId token) const final;
  std::span<const TokenId> end_of_generation() const final { return end_of_generation_; }
  TokenId bos() const final { return bos_; }
  TokenId eos() const final { return eos_; }
  bool adds_bos() const final { return add_bos_; }
  bool drops_first_space() const final { return drops_first_space_; }
  TokenId find(std::string_view text) const final;
  std::string decode(std::span<const TokenId> tokens, bool skip_special) const final;

  // How text begins: decides about SentencePiece's space prefix.
  struct Place {
    bool at_start = true;       // of the whole text
    bool after_special = true;  // right behind a special token, or at the start
  };

 protected:
  // What the decoded bytes of a piece are, by kind; `literal` for special tokens, whose text is theirs.
  using BytesOf = std::string (*)(std::string_view piece, TokenType type);

  // Checks sizes, types and ids, and fills everything here from `spec`, which is left without its pieces.
  Result<void> adopt(TokenizerSpec& spec, BytesOf bytes_of);
  // Text without special tokens in it; not empty.
  virtual void encode_text(std::string_view text, const Place& place, std::vector<TokenId>& out) const = 0;

  bool known(TokenId token) const { return token >= 0 && index(token) < types_.size(); }
  static std::size_t index(TokenId token) { return static_cast<std::size_t>(token); }
  TokenType type(TokenId token) const { return types_[index(token)]; }
  TokenId unknown() const { return unknown_; }
  // Text tokens by their bytes.
  const PieceTable& by_bytes() const { return by_bytes_; }
  // Found by encode_text: everything that is no control, unknown or (SentencePiece) byte token.
  bool is_text(TokenId token) const {
    return type(token) != TokenType::control && type(token) != TokenType::unknown && type(token) != TokenType::byte;
  }

 private:
  Result<void> check(const TokenizerSpec& spec) const;
  void build_special();
  void encode_between(std::string_view text, std::size_t begin, std::size_t end, std::vector<TokenId>& out) const;

  TextPool pieces_;
  TextPool bytes_;
  std::vector<TokenType> types_;
  PrefixIndex special_;               // control, unknown and user-defined tokens by their text
  PrefixIndex user_defined_;          // those that match even where special tokens are plain text
  std::vector<TokenId> strip_left_;   // ascending
  std::vector<TokenId> strip_right_;  // ascending
  std::vector<TokenId> end_of_generation_;
  PieceTable by_bytes_;
  TokenId bos_ = -1;
  TokenId eos_ = -1;
  TokenId unknown_ = -1;
  bool add_bos_ = false;
  bool add_eos_ = false;
  bool nfc_ = false;
  bool drops_first_space_ = false;
};

// "<0x0A>" -> 10; -1 for everything else.
int byte_of_piece(std::string_view piece);

Result<std::shared_ptr<const Tokenizer>> build_byte_bpe(TokenizerSpec spec);
Result<std::shared_ptr<const Tokenizer>> build_sentencepiece_bpe(TokenizerSpec spec);
Result<std::shared_ptr<const Tokenizer>> build_unigram(TokenizerSpec spec);

}  // namespace jackdaw::text
