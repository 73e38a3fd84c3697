// Whether a text is one JSON value (RFC 8259), without building it.
#pragma once

#include <string_view>

namespace jackdaw::serving {

// False too for values nested more than 512 deep and for text that is not UTF-8.
bool is_json(std::string_view text);

}  // namespace jackdaw::serving
