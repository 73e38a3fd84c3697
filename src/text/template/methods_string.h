// What the methods of str and the filters share.
#pragma once

#include <string_view>

#include "src/text/template/render.h"

namespace jackdaw::text::jinja {

// str.strip(chars): white space when `chars` is none or missing.
std::string_view strip_characters(std::string_view text, Value chars, bool left, bool right);
std::vector<std::string_view> split_lines(std::string_view text, bool keep_ends);
// str.replace; `count` < 0: all.
Value replace_text(Render& render, std::string_view text, std::string_view from, std::string_view to,
                   std::int64_t count);

}  // namespace jackdaw::text::jinja
