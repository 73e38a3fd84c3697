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

}  // namespace

std::vector<TokenId> find_end_of_generation(const TextPool& pieces, std::vector<TokenType>& types,
                                            const std::vector<TokenId>& listed, TokenId eos) {
  Found found;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (!is_known(pieces[i])) continue;
    found.emplace(pieces[i], static_cast<TokenId>(i));
    if (types[i] == TokenType::normal) types[i] = TokenType::control;
  }
  const bool harmony = found.contains("<|call|>") && (found.contains("<|return|>") || found.contains("<|flush|>"));
  if (harmony) drop(found, "<|end|>", TokenType::user_defined, types);
  if (found.contains("<|tool_response>")) drop(found, "</s>", TokenType::normal, types);
  std::vector<TokenId> ids = listed;
  for (const auto& [text, id] : found) ids.push_back(id);
  ids.push_back(eos);
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::erase_if(ids, [](TokenId id) { return id < 0; });
  return ids;
}

}  // namespace jackdaw::text
