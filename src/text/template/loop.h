// The `loop` variable: jinja2's LoopContext.
#pragma once

#include <string_view>

#include "src/text/template/render.h"

namespace jackdaw::text::jinja {

// Moves to the next round; false at the end.
bool advance(Render& render, LoopObject& loop, Value& item);
// loop.index and its kin; missing if there is no such attribute.
Value loop_attribute(Render& render, Value loop, std::string_view name);

}  // namespace jackdaw::text::jinja
