// Which tokens end a generation: files name one or two, chat models use more, known by their text.
#pragma once

#include <vector>

#include "jackdaw/text/tokenizer.h"
#include "text_pool.h"

namespace jackdaw::text {

// Ascending. Tokens known by their text become control tokens where the file calls them normal, unless merges make them
// (Qwen's "</s>" is plain text). The two known mix-ups (gpt-oss's <|end|> ends a message only, Gemma 4's </s> is
// markup) are put right in `types`.
std::vector<TokenId> find_end_of_generation(const TextPool& pieces, std::vector<TokenType>& types,
                                            const TokenizerSpec& spec);

}  // namespace jackdaw::text
