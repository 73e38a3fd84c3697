// GPT-2's byte alphabet: a printable character for each byte, in which byte-level vocabularies are written.
#pragma once

#include <string>
#include <string_view>

#include "jackdaw/text/tokenizer.h"

namespace jackdaw::text {

// The bytes a piece stands for; the piece itself when a character of it is not in the alphabet.
std::string bytes_of_alphabet(std::string_view piece);

}  // namespace jackdaw::text
