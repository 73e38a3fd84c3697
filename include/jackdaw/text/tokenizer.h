// Tokenizer: text to token ids and back, for the families of llm.md: byte-level BPE, SentencePiece BPE, unigram.
//
// Built from GGUF's tokenizer.ggml.* keys or a tokenizer.json beside safetensors; TokenizerSpec is what both readers
// produce. Immutable after build, any thread. Input bytes that are no UTF-8 are encoded all the same (byte fallback);
// they never fail.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/formats/model_file.h"

namespace jackdaw::text {

using TokenId = std::int32_t;

enum class TokenizerKind : std::uint8_t {
  byte_bpe,           // "gpt2": byte-level BPE, ranked merges, a pre-tokenizer
  sentencepiece_bpe,  // "llama": merges by score (or by ranked merges from tokenizer.json), byte fallback
  unigram,            // "t5": Viterbi over scores
};

enum class TokenType : std::uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

struct TokenizerSpec {
  TokenizerKind kind = TokenizerKind::byte_bpe;
  std::string pre;  // pre-tokenizer's name as in tokenizer.ggml.pre: "smollm", "llama-bpe", "qwen2", "gpt-2", ...
  std::vector<std::string> pieces;  // by id, as the file writes them (byte-level pieces in GPT-2's byte alphabet)
  std::vector<float> scores;        // SentencePiece and unigram
  std::vector<TokenType> types;     // empty = all normal
  std::vector<std::string> merges;  // "left right", by rank
  TokenId bos = -1;
  TokenId eos = -1;
  TokenId unknown = -1;
  TokenId padding = -1;
  std::vector<TokenId> end_of_generation;  // eos, eot, eom and their like; build() adds those known by their text
  bool add_bos = false;
  bool add_eos = false;
  bool add_space_prefix = true;  // SentencePiece: "x" is encoded as "▁x"
  bool remove_extra_whitespaces = false;
  bool ignore_merges = false;        // a whole pre-token that is in the vocabulary is not merged (llama 3)
  std::string precompiled_charsmap;  // SentencePiece's normalizer, raw bytes; "" = none

  // What tokenizer.json can say beyond GGUF's keys.
  std::vector<std::string> splits;  // the pre-tokenizer as splits of src/text/splits.cpp, instead of `pre`
  std::vector<std::array<TokenId, 2>> merge_ids;  // merges as pairs of ids, by rank, instead of `merges`
  bool nfc = false;                               // text is brought to Unicode's NFC first
  bool byte_fallback = true;                      // SentencePiece: unknown characters become <0xXX> where they exist
  bool fuse_unknown = true;                       // SentencePiece: a run of unknown characters is one unknown token
  bool space_prefix_at_start_only = false;        // not after special tokens (Metaspace's "first")
  bool space_prefix_unless_space = false;         // not where the text begins with a space already (Metaspace)
  bool split_at_spaces = false;                   // each ▁ begins a word that nothing crosses (Metaspace's "split")
  std::vector<TokenId> strip_left;                // special tokens that take white space before or behind them along
  std::vector<TokenId> strip_right;
};

// From a model's own files. not_found when there is no tokenizer, unsupported names the kind that has no reader.
Result<TokenizerSpec> read_tokenizer(const formats::ModelFile& file);

struct EncodeOptions {
  bool add_special = true;    // bos/eos as the model asks for
  bool parse_special = true;  // "<|im_end|>" in the text becomes its token; false: plain text
};

class Tokenizer {
 public:
  // Checks the spec (sizes, ids, merges) and builds its tables. Bounded by the vocabulary's size.
  static Result<std::shared_ptr<const Tokenizer>> build(TokenizerSpec spec);
  virtual ~Tokenizer() = default;

  // Appends to `out`.
  virtual void encode(std::string_view text, const EncodeOptions& options, std::vector<TokenId>& out) const = 0;
  std::vector<TokenId> encode(std::string_view text, const EncodeOptions& options = {}) const {
    std::vector<TokenId> out;
    encode(text, options, out);
    return out;
  }

  virtual std::size_t size() const = 0;
  // The bytes a token stands for (▁ already a space, <0x0A> already a newline); may be part of a UTF-8 character.
  // Control tokens give their text. "" for ids out of range.
  virtual std::string_view bytes(TokenId token) const = 0;
  // The piece as the vocabulary writes it ("Ġhello", "▁hello").
  virtual std::string_view piece(TokenId token) const = 0;
  virtual bool is_control(TokenId token) const = 0;
  virtual bool is_end_of_generation(TokenId token) const = 0;
  virtual std::span<const TokenId> end_of_generation() const = 0;  // ascending
  virtual TokenId bos() const = 0;                                 // -1 = none
  virtual TokenId eos() const = 0;
  virtual bool adds_bos() const = 0;
  // Decoding drops the first space of the text: a SentencePiece model put it there.
  virtual bool drops_first_space() const { return false; }
  // The id whose text is exactly this (special tokens included); -1 = none.
  virtual TokenId find(std::string_view text) const = 0;
  // The whole of it as text; invalid UTF-8 becomes U+FFFD, as Python's errors="replace". A SentencePiece model's
  // leading space (its own space prefix) is dropped.
  virtual std::string decode(std::span<const TokenId> tokens, bool skip_special = true) const = 0;
};

}  // namespace jackdaw::text
