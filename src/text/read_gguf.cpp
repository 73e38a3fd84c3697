// TokenizerSpec from GGUF's tokenizer.ggml.* keys.
#include <cmath>

#include "pre_tokenizer.h"
#include "read_tokenizer.h"

namespace jackdaw::text {

namespace {

using formats::Metadata;

TokenId id_at(const Metadata& keys, std::string_view name, std::size_t pieces, TokenId otherwise) {
  const auto id = keys.integer("tokenizer.ggml." + std::string(name));
  // llama.cpp ignores ids out of range as well: files have them.
  return id && *id >= 0 && *id < static_cast<std::int64_t>(pieces) ? static_cast<TokenId>(*id) : otherwise;
}

Result<void> read_types(const Metadata& keys, TokenizerSpec& spec) {
  const auto* types = keys.integers("tokenizer.ggml.token_type");
  if (types == nullptr) return {};
  spec.types.reserve(types->size());
  for (const std::int64_t type : *types) {
    spec.types.push_back(type >= 1 && type <= 6 ? static_cast<TokenType>(type) : TokenType::normal);
  }
  return {};
}

void read_scores(const Metadata& keys, TokenizerSpec& spec) {
  if (const auto* scores = keys.numbers("tokenizer.ggml.scores")) {
    for (const double score : *scores) spec.scores.push_back(static_cast<float>(score));
  } else if (const auto* whole = keys.integers("tokenizer.ggml.scores")) {
    for (const std::int64_t score : *whole) spec.scores.push_back(static_cast<float>(score));
  }
}

// A blob: GGUF stores the charsmap as an array of bytes, signed or not.
void read_charsmap(const Metadata& keys, TokenizerSpec& spec) {
  if (const auto* bytes = keys.integers("tokenizer.ggml.precompiled_charsmap")) {
    for (const std::int64_t byte : *bytes) spec.precompiled_charsmap.push_back(static_cast<char>(byte));
  } else if (const auto text = keys.text("tokenizer.ggml.precompiled_charsmap")) {
    spec.precompiled_charsmap = std::string(*text);
  }
}

// What each model means when the file says nothing more; ids as llama.cpp assumes them.
Result<void> set_model_defaults(std::string_view model, TokenizerSpec& spec) {
  if (model == "gpt2") {
    spec.kind = TokenizerKind::byte_bpe;
    spec.add_space_prefix = false;
  } else if (model == "llama") {
    spec.kind = TokenizerKind::sentencepiece_bpe;
    spec.bos = 1;
    spec.eos = 2;
    spec.unknown = 0;
    spec.add_bos = true;
  } else if (model == "t5") {
    spec.kind = TokenizerKind::unigram;
    spec.eos = 1;
    spec.unknown = 2;
    spec.add_eos = true;
  } else if (model == "gemma4") {
    spec.kind = TokenizerKind::byte_bpe;
    spec.pre = "gemma4";
  } else {
    return make_error(Code::unsupported,
                      "Tokenizers of kind \"{}\" (tokenizer.ggml.model) are not supported. Known are: gpt2 (byte-level "
                      "BPE), llama (SentencePiece BPE), t5 (unigram), gemma4.",
                      model);
  }
  return {};
}

Result<void> apply_pre_tokenizer(TokenizerSpec& spec) {
  const PreTokenizerName* pre = find_pre_tokenizer(spec.pre);
  if (pre == nullptr) return PreTokenizer::from_name(spec.pre).error();
  spec.ignore_merges = pre->ignore_merges;
  spec.add_bos = spec.add_bos || pre->add_bos;
  if (!pre->raw_text) return {};
  spec.kind = TokenizerKind::sentencepiece_bpe;
  spec.add_space_prefix = false;
  spec.splits.assign(pre->splits.begin(), pre->splits.end());
  return {};
}

}  // namespace

Result<TokenizerSpec> read_gguf_tokenizer(const Metadata& keys) {
  const auto model = keys.text("tokenizer.ggml.model");
  const auto* pieces = keys.texts("tokenizer.ggml.tokens");
  if (!model || *model == "none" || pieces == nullptr) {
    return make_error(Code::not_found, "The model file has no tokenizer (tokenizer.ggml.model and tokens).");
  }
  TokenizerSpec spec;
  JACKDAW_TRY(set_model_defaults(*model, spec));
  if (spec.pre.empty()) spec.pre = std::string(keys.text("tokenizer.ggml.pre").value_or(""));
  if (spec.kind == TokenizerKind::byte_bpe) JACKDAW_TRY(apply_pre_tokenizer(spec));
  spec.pieces = *pieces;
  JACKDAW_TRY(read_types(keys, spec));
  if (const auto* merges = keys.texts("tokenizer.ggml.merges"); merges != nullptr && *model != "llama") {
    spec.merges = *merges;
  }
  if (spec.merges.empty()) read_scores(keys, spec);
  read_charsmap(keys, spec);
  const std::size_t count = spec.pieces.size();
  if (spec.bos >= static_cast<TokenId>(count)) spec.bos = -1;
  if (spec.eos >= static_cast<TokenId>(count)) spec.eos = -1;
  if (spec.unknown >= static_cast<TokenId>(count)) spec.unknown = -1;
  spec.bos = id_at(keys, "bos_token_id", count, spec.bos);
  spec.eos = id_at(keys, "eos_token_id", count, spec.eos);
  // Bytes that a byte-level vocabulary lacks are dropped, by llama.cpp as by the tokenizers that such files come from;
  // their unknown_token_id is often <|endoftext|>, which would end the prompt's text.
  if (spec.kind != TokenizerKind::byte_bpe) spec.unknown = id_at(keys, "unknown_token_id", count, spec.unknown);
  spec.padding = id_at(keys, "padding_token_id", count, spec.padding);
  for (const std::string_view name : {"eot_token_id", "eom_token_id"}) {
    if (const TokenId id = id_at(keys, name, count, -1); id >= 0) spec.end_of_generation.push_back(id);
  }
  const bool gemma4 = *model == "gemma4" || spec.pre == "gemma4";
  spec.add_bos = gemma4 || keys.boolean("tokenizer.ggml.add_bos_token").value_or(spec.add_bos);
  spec.add_eos = keys.boolean("tokenizer.ggml.add_eos_token").value_or(spec.add_eos);
  if (spec.kind != TokenizerKind::byte_bpe) {
    spec.add_space_prefix = keys.boolean("tokenizer.ggml.add_space_prefix").value_or(spec.add_space_prefix);
    spec.remove_extra_whitespaces = keys.boolean("tokenizer.ggml.remove_extra_whitespaces").value_or(false);
  }
  return spec;
}

}  // namespace jackdaw::text
