#include "vocabulary.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "end_of_generation.h"
#include "nfc.h"
#include "split_scan.h"
#include "utf8.h"

namespace jackdaw::text {

namespace {

bool contains(const std::vector<TokenId>& sorted, TokenId id) {
  return std::binary_search(sorted.begin(), sorted.end(), id);
}

std::vector<TokenId> sorted_unique(std::vector<TokenId> ids) {
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

// Where the white space that ends at `end` begins, not before `begin`.
std::size_t space_before(std::string_view text, std::size_t begin, std::size_t end) {
  while (end > begin) {
    std::size_t start = end - 1;
    while (start > begin && end - start < 4 && (static_cast<unsigned char>(text[start]) & 0xC0u) == 0x80u) --start;
    const scan::Peeked c = scan::peek(text.data() + start, text.data() + end);
    if (!c.in(classes::space) || start + c.length != end) break;
    end = start;
  }
  return end;
}

std::size_t space_behind(std::string_view text, std::size_t at) {
  const char* const end = text.data() + text.size();
  return static_cast<std::size_t>(scan::run(text.data() + at, end, classes::space) - text.data());
}

template <typename Value>
Result<void> check_length(const std::vector<Value>& values, std::size_t pieces, std::string_view what) {
  if (values.empty() || values.size() == pieces) return {};
  return make_error(Code::invalid_argument, "The tokenizer has {} pieces but {} {}.", pieces, values.size(), what);
}

Result<void> check_id(TokenId id, std::size_t pieces, std::string_view what) {
  if (id >= -1 && id < static_cast<TokenId>(pieces)) return {};
  return make_error(Code::invalid_argument, "The tokenizer's {} token is {}, but there are {} pieces.", what, id,
                    pieces);
}

}  // namespace

int byte_of_piece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return -1;
  int value = 0;
  for (const char c : piece.substr(3, 2)) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit && !(c >= 'A' && c <= 'F')) return -1;
    value = value * 16 + (digit ? c - '0' : c - 'A' + 10);
  }
  return value;
}

Result<void> Vocabulary::check(const TokenizerSpec& spec) const {
  const std::size_t count = spec.pieces.size();
  if (count == 0) return make_error(Code::invalid_argument, "The tokenizer has no pieces.");
  if (count > limits::pieces_max) {
    return make_error(Code::too_large, "The tokenizer has {} pieces; the limit is {}.", count, limits::pieces_max);
  }
  if (std::max(spec.merges.size(), spec.merge_ids.size()) > limits::merges_max) {
    return make_error(Code::too_large, "The tokenizer has more merges than the limit of {}.", limits::merges_max);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (spec.pieces[i].size() > limits::piece_bytes_max) {
      return make_error(Code::too_large, "Piece {} of the tokenizer is {} bytes long; the limit is {}.", i,
                        spec.pieces[i].size(), limits::piece_bytes_max);
    }
  }
  JACKDAW_TRY(check_length(spec.types, count, "token types"));
  JACKDAW_TRY(check_length(spec.scores, count, "scores"));
  const auto bad = std::find_if(spec.scores.begin(), spec.scores.end(), [](float s) { return !std::isfinite(s); });
  if (bad != spec.scores.end()) {
    return make_error(Code::invalid_argument, "Score {} of the tokenizer is not a number.", bad - spec.scores.begin());
  }
  JACKDAW_TRY(check_id(spec.bos, count, "bos"));
  JACKDAW_TRY(check_id(spec.eos, count, "eos"));
  JACKDAW_TRY(check_id(spec.unknown, count, "unknown"));
  JACKDAW_TRY(check_id(spec.padding, count, "padding"));
  for (const TokenId id : spec.end_of_generation) JACKDAW_TRY(check_id(id, count, "end of generation"));
  for (const TokenId id : spec.strip_left) JACKDAW_TRY(check_id(id, count, "lstrip"));
  for (const TokenId id : spec.strip_right) JACKDAW_TRY(check_id(id, count, "rstrip"));
  return {};
}

Result<void> Vocabulary::adopt(TokenizerSpec& spec, BytesOf bytes_of) {
  JACKDAW_TRY(check(spec));
  const std::size_t count = spec.pieces.size();
  types_ = spec.types.empty() ? std::vector<TokenType>(count, TokenType::normal) : std::move(spec.types);
  bos_ = spec.bos;
  eos_ = spec.eos;
  unknown_ = spec.unknown;
  add_bos_ = spec.add_bos && bos_ >= 0;
  add_eos_ = spec.add_eos && eos_ >= 0;
  nfc_ = spec.nfc;
  drops_first_space_ = spec.kind != TokenizerKind::byte_bpe && spec.add_space_prefix;
  if (unknown_ >= 0 && type(unknown_) == TokenType::normal) types_[index(unknown_)] = TokenType::unknown;
  for (std::string& piece : spec.pieces) pieces_.add(piece);
  spec.pieces = {};
  end_of_generation_ = find_end_of_generation(pieces_, types_, spec);
  by_bytes_.reset(count);
  for (std::size_t i = 0; i < count; ++i) bytes_.add(bytes_of(pieces_[i], types_[i]));
  // A piece outside of the byte alphabet stands for its own text, but yields to the piece that is written in it.
  const auto stands_for_itself = [this](std::size_t i) {
    const auto high = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
    return bytes_[i] == pieces_[i] && std::any_of(bytes_[i].begin(), bytes_[i].end(), high);
  };
  for (const bool itself : {false, true}) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto id = static_cast<TokenId>(i);
      if (is_text(id) && !bytes_[i].empty() && stands_for_itself(i) == itself) by_bytes_.insert(bytes_[i], id);
    }
  }
  strip_left_ = sorted_unique(std::move(spec.strip_left));
  strip_right_ = sorted_unique(std::move(spec.strip_right));
  build_special();
  return {};
}

void Vocabulary::build_special() {
  std::vector<PrefixIndex::Key> all;
  std::vector<PrefixIndex::Key> user_defined;
  for (std::size_t i = 0; i < types_.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (bytes_[i].empty()) continue;
    if (is_control(id) || types_[i] == TokenType::user_defined) all.push_back({bytes_[i], id});
    if (types_[i] == TokenType::user_defined) user_defined.push_back({bytes_[i], id});
  }
  special_.build(std::move(all));
  user_defined_.build(std::move(user_defined));
}

bool Vocabulary::is_end_of_generation(TokenId token) const {
  return contains(end_of_generation_, token);
}

TokenId Vocabulary::find(std::string_view text) const {
  if (text.empty()) return -1;
  const auto [length, id] = special_.longest(text);
  return length == text.size() ? id : by_bytes_.find(text);
}

void Vocabulary::encode(std::string_view text, const EncodeOptions& options, std::vector<TokenId>& out) const {
  if (options.add_special && add_bos_) out.push_back(bos_);
  const PrefixIndex& special = options.parse_special ? special_ : user_defined_;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (!special.may_start(text[at])) {
      ++at;
      continue;
    }
    const auto [length, id] = special.longest(text.substr(at));
    if (length == 0) {
      ++at;
      continue;
    }
    encode_between(text, begin, contains(strip_left_, id) ? space_before(text, begin, at) : at, out);
    out.push_back(id);
    at += length;
    if (contains(strip_right_, id)) at = space_behind(text, at);
    begin = at;
  }
  encode_between(text, begin, text.size(), out);
  if (options.add_special && add_eos_) out.push_back(eos_);
}

void Vocabulary::encode_between(std::string_view text, std::size_t begin, std::size_t end,
                                std::vector<TokenId>& out) const {
  Place place{begin == 0, true};
  while (begin < end) {
    const std::string_view part = text.substr(begin, std::min(end - begin, limits::text_run_max));
    if (nfc_) {
      encode_text(to_nfc(part), place, out);
    } else {
      encode_text(part, place, out);
    }
    place = {false, false};
    begin += part.size();
  }
}

std::string Vocabulary::decode(std::span<const TokenId> tokens, bool skip_special) const {
  std::string raw;
  for (const TokenId token : tokens) {
    if (!(skip_special && is_control(token))) raw += bytes(token);
  }
  std::string_view text = raw;
  if (drops_first_space_ && text.starts_with(' ')) text.remove_prefix(1);
  std::string out;
  std::string pending;
  append_certain_utf8(pending, text, out);
  if (!pending.empty()) out += replacement_character;
  return out;
}

Result<std::shared_ptr<const Tokenizer>> Tokenizer::build(TokenizerSpec spec) {
  switch (spec.kind) {
    case TokenizerKind::byte_bpe:
      return build_byte_bpe(std::move(spec));
    case TokenizerKind::sentencepiece_bpe:
      return build_sentencepiece_bpe(std::move(spec));
    case TokenizerKind::unigram:
      return build_unigram(std::move(spec));
  }
  return make_error(Code::internal, "There is no tokenizer of kind {}.", static_cast<int>(spec.kind));
}

}  // namespace jackdaw::text
