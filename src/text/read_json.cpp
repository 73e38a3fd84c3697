// TokenizerSpec from Hugging Face's tokenizer.json (the format of the `tokenizers` library) and the two files beside it
// that say what begins and ends a text.
#include <algorithm>
#include <string>
#include <unordered_map>

#include "jackdaw/base/text.h"
#include "json_pipeline.h"
#include "read_tokenizer.h"
#include "vocabulary.h"

namespace jackdaw::text {

namespace {

using json::Element;
using Ids = std::unordered_map<std::string_view, TokenId>;  // views into spec.pieces, once all are there

Error wrong(std::string_view what) {
  return make_error(Code::parse_error, "tokenizer.json: {}.", what);
}

Result<Element> parse(simdjson::dom::parser& parser, std::string_view bytes, std::string_view name) {
  Element root;
  const std::string json = with_large_integers_as_reals(bytes);
  auto error = parser.allocate(std::max<std::size_t>(json.size(), 64), json::depth_max);
  if (error == simdjson::SUCCESS) error = parser.parse(json).get(root);
  if (error != simdjson::SUCCESS) {
    return make_error(Code::parse_error, "This is no JSON that can be read: {}.", simdjson::error_message(error))
        .at(name);
  }
  if (!root.is_object()) return make_error(Code::parse_error, "{} is no JSON object.", name);
  return root;
}

Result<void> put_piece(std::int64_t id, std::string_view piece, TokenizerSpec& spec) {
  if (id < 0 || id >= static_cast<std::int64_t>(limits::pieces_max)) {
    return make_error(Code::too_large, "tokenizer.json: token id {} is outside of 0 to {}.", id, limits::pieces_max);
  }
  const auto at = static_cast<std::size_t>(id);
  if (at >= spec.pieces.size()) {
    spec.pieces.resize(at + 1);
    spec.types.resize(at + 1, TokenType::unused);  // ids that no piece has
  }
  spec.pieces[at] = piece;
  spec.types[at] = TokenType::normal;
  return {};
}

Ids ids_of(const TokenizerSpec& spec) {
  Ids ids;
  ids.reserve(spec.pieces.size());
  for (std::size_t i = 0; i < spec.pieces.size(); ++i) {
    if (!spec.pieces[i].empty()) ids.emplace(spec.pieces[i], static_cast<TokenId>(i));
  }
  return ids;
}

TokenId id_of(const Ids& ids, std::string_view piece) {
  const auto found = ids.find(piece);
  return found == ids.end() ? -1 : found->second;
}

Result<void> read_bpe_vocabulary(const Element& model, TokenizerSpec& spec) {
  const auto vocabulary = json::member(model, "vocab");
  simdjson::dom::object pieces;
  if (!vocabulary || vocabulary->get(pieces) != simdjson::SUCCESS) return wrong("the model has no vocab object");
  for (const auto& [piece, id] : pieces) {
    std::int64_t number = -1;
    if (id.get(number) != simdjson::SUCCESS) return wrong("an id in the vocab is no integer");
    JACKDAW_TRY(put_piece(number, piece, spec));
  }
  return {};
}

Result<void> read_merge(const Element& merge, const Ids& ids, TokenizerSpec& spec) {
  std::string_view whole;
  if (merge.get(whole) == simdjson::SUCCESS) {
    spec.merges.emplace_back(whole);
    return {};
  }
  simdjson::dom::array halves;
  std::string_view left;
  std::string_view right;
  if (merge.get(halves) != simdjson::SUCCESS || halves.at(0).get(left) != simdjson::SUCCESS ||
      halves.at(1).get(right) != simdjson::SUCCESS) {
    return wrong("a merge is neither a string nor a pair of strings");
  }
  spec.merge_ids.push_back({id_of(ids, left), id_of(ids, right)});
  if (spec.merge_ids.back()[0] >= 0 && spec.merge_ids.back()[1] >= 0) return {};
  return make_error(Code::invalid_argument, "tokenizer.json: merge {} joins pieces that the vocab does not have.",
                    spec.merge_ids.size() - 1);
}

Result<void> read_bpe(const Element& model, TokenizerSpec& spec) {
  for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    if (!json::text(model, key).value_or("").empty()) {
      return make_error(Code::unsupported, "tokenizer.json: a BPE model with {} is not supported.", key);
    }
  }
  JACKDAW_TRY(read_bpe_vocabulary(model, spec));
  const Ids ids = ids_of(spec);
  const auto merges = json::array(model, "merges");
  if (!merges) return wrong("the BPE model has no merges");
  for (const Element merge : *merges) JACKDAW_TRY(read_merge(merge, ids, spec));
  if (!spec.merges.empty() && !spec.merge_ids.empty()) return wrong("merges are written in two ways");
  if (const auto unknown = json::text(model, "unk_token")) spec.unknown = id_of(ids, *unknown);
  spec.byte_fallback = json::boolean(model, "byte_fallback").value_or(false);
  spec.fuse_unknown = json::boolean(model, "fuse_unk").value_or(false);
  spec.ignore_merges = json::boolean(model, "ignore_merges").value_or(false);
  return {};
}

Result<void> read_unigram(const Element& model, TokenizerSpec& spec) {
  const auto pieces = json::array(model, "vocab");
  if (!pieces) return wrong("the Unigram model has no vocab array");
  for (const Element entry : *pieces) {
    simdjson::dom::array pair;
    std::string_view piece;
    double score = 0;
    if (entry.get(pair) != simdjson::SUCCESS || pair.at(0).get(piece) != simdjson::SUCCESS ||
        pair.at(1).get(score) != simdjson::SUCCESS) {
      return wrong("an entry of the Unigram vocab is no pair of piece and score");
    }
    JACKDAW_TRY(put_piece(static_cast<std::int64_t>(spec.pieces.size()), piece, spec));
    spec.scores.push_back(static_cast<float>(score));
  }
  const std::int64_t unknown = json::integer(model, "unk_id").value_or(-1);
  if (unknown >= static_cast<std::int64_t>(spec.pieces.size())) return wrong("unk_id is outside of the vocab");
  spec.unknown = static_cast<TokenId>(std::max<std::int64_t>(unknown, -1));
  spec.byte_fallback = json::boolean(model, "byte_fallback").value_or(false);
  return {};
}

Result<void> read_added_tokens(const Element& root, TokenizerSpec& spec) {
  const auto tokens = json::array(root, "added_tokens");
  if (!tokens) return {};
  for (const Element token : *tokens) {
    const auto content = json::text(token, "content");
    if (!content || content->empty()) return wrong("an added token has no content");
    const std::int64_t id = json::integer(token, "id").value_or(-1);
    JACKDAW_TRY(put_piece(id, *content, spec));
    if (json::boolean(token, "single_word").value_or(false)) {
      return make_error(Code::unsupported, "tokenizer.json: added token \"{}\" with single_word is not supported.",
                        *content);
    }
    const bool special = json::boolean(token, "special").value_or(false);
    spec.types[static_cast<std::size_t>(id)] = special ? TokenType::control : TokenType::user_defined;
    if (json::boolean(token, "lstrip").value_or(false)) spec.strip_left.push_back(static_cast<TokenId>(id));
    if (json::boolean(token, "rstrip").value_or(false)) spec.strip_right.push_back(static_cast<TokenId>(id));
  }
  return {};
}

// A token in tokenizer_config.json: "<s>", or {"content": "<s>", ...}.
std::string_view token_text(const Element& object, std::string_view key) {
  const auto value = json::member(object, key);
  if (!value) return {};
  std::string_view plain;
  return value->get(plain) == simdjson::SUCCESS ? plain : json::text(*value, "content").value_or("");
}

// What the config files say about bos, eos and padding. Templates win over them, but for add_bos_token and
// add_eos_token, with which transformers rewrites the template.
void read_config(const Element& config, const Ids& ids, TokenizerSpec& spec) {
  const auto set = [&](std::string_view key, TokenId& id) {
    if (id < 0) id = id_of(ids, token_text(config, key));
  };
  set("bos_token", spec.bos);
  set("eos_token", spec.eos);
  set("pad_token", spec.padding);
  spec.add_bos = json::boolean(config, "add_bos_token").value_or(spec.add_bos);
  spec.add_eos = json::boolean(config, "add_eos_token").value_or(spec.add_eos);
}

Result<void> apply_template(const json::Pipeline& pipeline, const Ids& ids, TokenizerSpec& spec) {
  const auto apply = [&](std::string_view token, TokenId& id, bool& add) -> Result<void> {
    if (token.empty()) return {};
    id = id_of(ids, token);
    add = true;
    if (id < 0) return make_error(Code::invalid_argument, "tokenizer.json: the template's \"{}\" is no token.", token);
    return {};
  };
  JACKDAW_TRY(apply(pipeline.first, spec.bos, spec.add_bos));
  return apply(pipeline.last, spec.eos, spec.add_eos);
}

Result<void> read_model(const Element& root, TokenizerSpec& spec) {
  const auto model = json::member(root, "model");
  if (!model) return wrong("there is no model");
  const std::string_view type = json::text(*model, "type").value_or("BPE");
  if (type == "Unigram") {
    spec.kind = TokenizerKind::unigram;
    return read_unigram(*model, spec);
  }
  if (type == "BPE") return read_bpe(*model, spec);
  return make_error(Code::unsupported, "tokenizer.json: a model of type {} is not supported; BPE and Unigram are.",
                    type);
}

Result<void> read_pipeline(const Element& root, json::Pipeline& pipeline) {
  if (const auto part = json::member(root, "normalizer")) JACKDAW_TRY(read_normalizer(*part, pipeline));
  if (const auto part = json::member(root, "pre_tokenizer")) JACKDAW_TRY(read_pre_tokenizer(*part, pipeline));
  if (const auto part = json::member(root, "decoder")) JACKDAW_TRY(read_decoder(*part, pipeline));
  if (const auto part = json::member(root, "post_processor")) JACKDAW_TRY(read_post_processor(*part, pipeline));
  return {};
}

// What the parts make together, or why they do not.
Result<void> choose_kind(const json::Pipeline& pipeline, TokenizerSpec& spec) {
  if (pipeline.byte_level) {
    if (spec.kind == TokenizerKind::unigram || pipeline.spaces_marked || !spec.precompiled_charsmap.empty()) {
      return make_error(Code::unsupported, "tokenizer.json: ByteLevel beside SentencePiece's parts is not supported.");
    }
    spec.kind = TokenizerKind::byte_bpe;
    spec.add_space_prefix = false;
    if (spec.splits.empty()) spec.splits = {"none"};
    return {};
  }
  if (!pipeline.spaces_marked) {
    return make_error(Code::unsupported,
                      "tokenizer.json: a tokenizer with neither ByteLevel nor ▁ for spaces is not supported.");
  }
  if (!spec.splits.empty()) {
    return make_error(Code::unsupported, "tokenizer.json: the pre_tokenizer {} beside ▁ for spaces is not supported.",
                      spec.splits.front());
  }
  if (spec.kind != TokenizerKind::unigram) spec.kind = TokenizerKind::sentencepiece_bpe;
  spec.add_space_prefix = pipeline.prefixed;
  return {};
}

}  // namespace

Result<TokenizerSpec> read_tokenizer_json(const TokenizerFiles& files) {
  simdjson::dom::parser parser;
  JACKDAW_ASSIGN(const Element root, parse(parser, files.tokenizer, "tokenizer.json"));
  TokenizerSpec spec;
  JACKDAW_TRY(read_model(root, spec));
  JACKDAW_TRY(read_added_tokens(root, spec));
  if (spec.kind == TokenizerKind::unigram) spec.scores.resize(spec.pieces.size(), 0);
  json::Pipeline pipeline{spec, false, false, false, {}, {}};
  JACKDAW_TRY(read_pipeline(root, pipeline));
  JACKDAW_TRY(choose_kind(pipeline, spec));
  const Ids ids = ids_of(spec);
  JACKDAW_TRY(apply_template(pipeline, ids, spec));
  for (const auto& [bytes, name] : {std::pair{files.tokenizer_config, "tokenizer_config.json"},
                                    std::pair{files.special_tokens_map, "special_tokens_map.json"}}) {
    if (bytes.empty()) continue;
    simdjson::dom::parser own;
    JACKDAW_ASSIGN(const Element config, parse(own, bytes, name));
    read_config(config, ids, spec);
  }
  if (spec.eos >= 0) spec.end_of_generation.push_back(spec.eos);
  return spec;
}

}  // namespace jackdaw::text
