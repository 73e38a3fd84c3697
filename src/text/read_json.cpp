#include "read_tokenizer.h"

namespace jackdaw::text {

Result<TokenizerSpec> read_tokenizer_json(const TokenizerFiles&) {
  return make_error(Code::unsupported, "tokenizer.json is not read yet.");
}

}  // namespace jackdaw::text
