#include "jackdaw/text/detokenizer.h"

#include <utility>

#include "utf8.h"

namespace jackdaw::text {

Detokenizer::Detokenizer(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special, bool continues_text)
    : tokenizer_(std::move(tokenizer)),
      skip_special_(skip_special),
      at_start_(!continues_text && tokenizer_->drops_first_space()) {}

std::string Detokenizer::push(TokenId token) {
  std::string out;
  if (skip_special_ && tokenizer_->is_control(token)) return out;
  std::string_view bytes = tokenizer_->bytes(token);
  if (at_start_ && !bytes.empty()) {
    if (bytes.front() == ' ') bytes.remove_prefix(1);
    at_start_ = false;
  }
  append_certain_utf8(pending_, bytes, out);
  return out;
}

std::string Detokenizer::finish() {
  if (pending_.empty()) return {};
  pending_.clear();
  return std::string(replacement_character);
}

}  // namespace jackdaw::text
