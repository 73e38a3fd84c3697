// Byte-level BPE: the text is cut into words, the bytes of a word merge by rank.
#include <array>
#include <atomic>
#include <memory>

#include "byte_alphabet.h"
#include "jackdaw/base/log.h"
#include "merge_table.h"
#include "merger.h"
#include "pre_tokenizer.h"
#include "vocabulary.h"

namespace jackdaw::text {

namespace {

std::string byte_level_bytes(std::string_view piece, TokenType type) {
  return type == TokenType::normal || type == TokenType::unused ? bytes_of_alphabet(piece) : std::string(piece);
}

class ByteBpe final : public Vocabulary {
 public:
  Result<void> init(TokenizerSpec& spec) {
    JACKDAW_TRY(adopt(spec, byte_level_bytes));
    JACKDAW_ASSIGN(pre_tokenizer_,
                   spec.splits.empty() ? PreTokenizer::from_name(spec.pre) : PreTokenizer::from_splits(spec.splits));
    if (spec.splits.empty() && (spec.pre.empty() || spec.pre == "default")) {
      log_warning("The model file does not name its pre-tokenizer; llama.cpp's default is a guess.",
                  {{"help", "Convert the model again with a current converter."}});
    }
    ignore_merges_ = spec.ignore_merges;
    std::vector<std::string_view> keys;
    keys.reserve(size());
    for (std::size_t i = 0; i < size(); ++i) keys.push_back(bytes(static_cast<TokenId>(i)));
    JACKDAW_ASSIGN(merges_, read_merges(spec, keys, by_bytes(), bytes_of_alphabet));
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const char c = static_cast<char>(byte);
      byte_ids_[byte] = by_bytes().find(std::string_view(&c, 1));
    }
    whole_ = std::make_unique<std::atomic<Whole>[]>(size());
    return {};
  }

 private:
  // Does merging a word that is a piece end in that piece? Found out the first time the word comes.
  enum class Whole : std::uint8_t { not_tried, yes, no };

  void encode_text(std::string_view text, const Place&, std::vector<TokenId>& out) const override {
    Merger<MergeTable> merger;
    pre_tokenizer_.split(text, [&](std::string_view word) { encode_word(word, merger, out); });
  }

  void encode_word(std::string_view word, Merger<MergeTable>& merger, std::vector<TokenId>& out) const {
    const TokenId whole = word.size() <= limits::piece_bytes_max ? by_bytes().find(word) : -1;
    if (whole < 0) return merge_word(word, merger, out);
    std::atomic<Whole>& known = whole_[index(whole)];
    const Whole state = ignore_merges_ ? Whole::yes : known.load(std::memory_order_relaxed);
    if (state == Whole::yes) return out.push_back(whole);
    const std::size_t before = out.size();
    merge_word(word, merger, out);
    if (state == Whole::not_tried) {
      const bool same = out.size() == before + 1 && out.back() == whole;
      known.store(same ? Whole::yes : Whole::no, std::memory_order_relaxed);
    }
  }

  void merge_word(std::string_view word, Merger<MergeTable>& merger, std::vector<TokenId>& out) const {
    auto& symbols = merger.symbols();
    symbols.clear();
    for (const char c : word) {
      const TokenId id = byte_ids_[static_cast<unsigned char>(c)];
      if (id >= 0) {
        symbols.push_back(id);
      } else if (unknown() >= 0) {
        symbols.push_back(unknown());
      }
    }
    merger.merge(merges_);
    out.insert(out.end(), symbols.begin(), symbols.end());
  }

  PreTokenizer pre_tokenizer_;
  MergeTable merges_;
  std::array<TokenId, 256> byte_ids_{};
  std::unique_ptr<std::atomic<Whole>[]> whole_;
  bool ignore_merges_ = false;
};

}  // namespace

Result<std::shared_ptr<const Tokenizer>> build_byte_bpe(TokenizerSpec spec) {
  auto made = std::make_shared<ByteBpe>();
  JACKDAW_TRY(made->init(spec));
  return std::shared_ptr<const Tokenizer>(std::move(made));
}

}  // namespace jackdaw::text
