#include "end_of_generation.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string_view>

namespace jackdaw::text {

namespace {

// As in llama.cpp: ends of turns and of texts, and what code models write behind a file.
constexpr std::string_view known_texts[] = {"<|eot_id|>",
                                            "<|im_end|>",
                                            "<|end|>",
                                            "<|return|>",
                                            "<|call|>",
                                            "<|flush|>",
                                            "<|calls|>",
                                            "<end_of_turn>",
                                            "<|endoftext|>",
                                            "</s>",
                                            "<|eom_id|>",
                                            "<EOT>",
                                            "_<EOT>",
                                            "[EOT]",
                                            "[EOS]",
                                            "<|end_of_text|>",
                                            "<eos>",
                                            "<turn|>",
                                            "<|tool_response>",
                                            "[e~[",
                                            "<|fim_pad|>",
                                            "<fim-pad>",
                                            "<fim_pad>",
                                            "<|fim_repo|>",
                                            "<|repo_name|>",
                                            "<fim-repo>",
                                            "<reponame>",
                                            "<|file_sep|>",
                                            "<end_of_utterance>",
                                            "<｜end▁of▁sentence｜>"};

bool is_known(std::string_view piece) {
  if (piece.empty() || (piece[0] != '<' && piece[0] != '_' && piece[0] != '[')) return false;
  return std::find(std::begin(known_texts), std::end(known_texts), piece) != std::end(known_texts);
}

using Found = std::map<std::string_view, TokenId>;

void drop(Found& found, std::string_view text, TokenType type, std::vector<TokenType>& types) {
  const auto at = found.find(text);
  if (at == found.end()) return;
  types[static_cast<std::size_t>(at->second)] = type;
  found.erase(at);
}

// Do merges lead to the piece? Then it comes from plain text.
bool is_merged(std::string_view piece, const TextPool& pieces, const TokenizerSpec& spec) {
  const auto makes = [piece](std::string_view left, std::string_view right) {
    return left.size() + right.size() == piece.size() && piece.starts_with(left) && piece.ends_with(right);
  };
  for (const std::string_view merge : spec.merges) {
    const std::size_t space = merge.find(' ', 1);
    if (space != merge.npos && makes(merge.substr(0, space), merge.substr(space + 1))) return true;
  }
  return std::any_of(spec.merge_ids.begin(), spec.merge_ids.end(), [&](const auto& pair) {
    const auto known = [&](TokenId id) { return id >= 0 && static_cast<std::size_t>(id) < pieces.size(); };
    return known(pair[0]) && known(pair[1]) &&
           makes(pieces[static_cast<std::size_t>(pair[0])], pieces[static_cast<std::size_t>(pair[1])]);
  });
}

}  // namespace

std::vector<TokenId> find_end_of_generation(const TextPool& pieces, std::vector<TokenType>& types,
                                            const TokenizerSpec& spec) {
  Found found;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (!is_known(pieces[i]) || (types[i] == TokenType::normal && is_merged(pieces[i], pieces, spec))) continue;
    found.emplace(pieces[i], static_cast<TokenId>(i));
    if (types[i] == TokenType::normal) types[i] = TokenType::control;
  }
  const bool harmony = found.contains("<|call|>") && (found.contains("<|return|>") || found.contains("<|flush|>"));
  if (harmony) drop(found, "<|end|>", TokenType::user_defined, types);
  if (found.contains("<|tool_response>")) drop(found, "</s>", TokenType::normal, types);
  std::vector<TokenId> ids = spec.end_of_generation;
  for (const auto& [text, id] : found) ids.push_back(id);
  ids.push_back(spec.eos);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::erase_if(ids, [](TokenId id) { return id < 0; });
  return ids;
}

}  // namespace jackdaw::text
