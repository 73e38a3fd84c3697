#include "sentencepiece_text.h"

#include <algorithm>

namespace jackdaw::text {

namespace {

std::string text_bytes(std::string_view piece, TokenType type) {
  if (type == TokenType::byte) {
    const int byte = byte_of_piece(piece);
    return byte < 0 ? std::string(piece) : std::string(1, static_cast<char>(byte));
  }
  std::string bytes(piece);
  if (type == TokenType::control || type == TokenType::unknown) return bytes;
  for (std::size_t at = 0; (at = bytes.find(space_mark, at)) != bytes.npos; ++at) {
    bytes.replace(at, space_mark.size(), " ");
  }
  return bytes;
}

// No space at either end and one at a time between words.
std::string single_spaces(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' || (!out.empty() && out.back() != ' ')) out.push_back(c);
  }
  if (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace

Result<void> SentencePieceVocabulary::adopt_text(TokenizerSpec& spec) {
  if (!spec.precompiled_charsmap.empty()) {
    JACKDAW_ASSIGN(Charsmap charsmap, Charsmap::read(std::move(spec.precompiled_charsmap)));
    charsmap_ = std::make_unique<const Charsmap>(std::move(charsmap));
  }
  // Files without token types: <0xXX> are bytes all the same.
  if (spec.types.empty()) spec.types.assign(spec.pieces.size(), TokenType::normal);
  for (std::size_t i = 0; i < std::min(spec.pieces.size(), spec.types.size()); ++i) {
    if (spec.types[i] == TokenType::normal && byte_of_piece(spec.pieces[i]) >= 0) spec.types[i] = TokenType::byte;
  }
  JACKDAW_TRY(adopt(spec, text_bytes));
  by_piece_.reset(size());
  byte_ids_.fill(-1);
  std::size_t bytes_known = 0;
  for (std::size_t i = 0; i < size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (is_text(id) && !piece(id).empty()) by_piece_.insert(piece(id), id);
    const int byte = type(id) == TokenType::byte ? byte_of_piece(piece(id)) : -1;
    if (byte < 0) continue;
    byte_ids_[static_cast<std::size_t>(byte)] = id;
    ++bytes_known;
  }
  byte_fallback_ = spec.byte_fallback && bytes_known > 0;
  fuse_unknown_ = spec.fuse_unknown;
  add_space_prefix_ = spec.add_space_prefix;
  prefix_at_start_only_ = spec.space_prefix_at_start_only;
  prefix_unless_space_ = spec.space_prefix_unless_space;
  remove_extra_spaces_ = spec.remove_extra_whitespaces;
  split_at_spaces_ = spec.split_at_spaces;
  return {};
}

std::string SentencePieceVocabulary::normalize(std::string_view text, const Place& place) const {
  std::string mapped;
  if (charsmap_ != nullptr) {
    mapped = charsmap_->apply(text);
    text = mapped;
  }
  std::string single;
  if (remove_extra_spaces_) {
    single = single_spaces(text);
    text = single;
  }
  std::string out;
  if (text.empty()) return out;
  out.reserve(text.size() + text.size() / 2);
  const bool here = place.after_special && (place.at_start || !prefix_at_start_only_);
  const bool has_space = text.starts_with(' ') || text.starts_with(space_mark);
  if (add_space_prefix_ && here && !(prefix_unless_space_ && has_space)) out += space_mark;
  for (const char c : text) {
    if (c == ' ') {
      out += space_mark;
    } else {
      out.push_back(c);
    }
  }
  return out;
}

void SentencePieceVocabulary::append_unknown(std::string_view character, std::vector<TokenId>& out) const {
  const auto id_of = [this](char c) { return byte_ids_[static_cast<unsigned char>(c)]; };
  if (byte_fallback_ && std::all_of(character.begin(), character.end(), [&](char c) { return id_of(c) >= 0; })) {
    for (const char c : character) out.push_back(id_of(c));
  } else if (unknown() >= 0) {
    out.push_back(unknown());
  }
}

void SentencePieceVocabulary::fuse_unknown(std::size_t before, std::vector<TokenId>& out) const {
  if (!fuse_unknown_ || unknown() < 0) return;
  const auto both_unknown = [this](TokenId a, TokenId b) { return a == unknown() && b == unknown(); };
  out.erase(std::unique(out.begin() + static_cast<std::ptrdiff_t>(before), out.end(), both_unknown), out.end());
}

}  // namespace jackdaw::text
