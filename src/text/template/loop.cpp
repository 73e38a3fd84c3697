#include "src/text/template/loop.h"

#include "src/text/template/library.h"

namespace jackdaw::text::jinja {
namespace {

// The item after this one, fetched early; missing at the end.
Value peek(Render& render, LoopObject& loop) {
  if (!loop.after.is_missing() || loop.exhausted) return loop.after;
  Value item;
  if (loop.items->next(render, item))
    loop.after = item;
  else
    loop.exhausted = true;
  return loop.after;
}

std::int64_t loop_length(Render& render, LoopObject& loop) {
  if (loop.length >= 0) return loop.length;
  if (!loop.iterable.is_missing() && render.has_length(loop.iterable)) {
    loop.length = static_cast<std::int64_t>(render.length(loop.iterable));
    return loop.length;
  }
  const Value rest = render.list(render.collect_rest(*loop.items));
  loop.items = render.iterate(rest);
  loop.length = static_cast<std::int64_t>(rest.list->size) + loop.index0 + 1 + (loop.after.is_missing() ? 0 : 1);
  return loop.length;
}

}  // namespace

bool advance(Render& render, LoopObject& loop, Value& item) {
  if (!loop.after.is_missing()) {
    item = loop.after;
    loop.after = Value{};
  } else if (loop.exhausted || !loop.items->next(render, item)) {
    return false;
  }
  ++loop.index0;
  loop.before = loop.current;
  loop.current = item;
  return true;
}

Value loop_attribute(Render& render, Value value, std::string_view name) {
  LoopObject& loop = *value.loop;
  if (name == "index") return Value::of(loop.index0 + 1);
  if (name == "index0") return Value::of(loop.index0);
  if (name == "first") return Value::of(loop.index0 == 0);
  if (name == "last") return Value::of(peek(render, loop).is_missing());
  if (name == "length") return Value::of(loop_length(render, loop));
  if (name == "revindex") return Value::of(loop_length(render, loop) - loop.index0);
  if (name == "revindex0") return Value::of(loop_length(render, loop) - loop.index0 - 1);
  if (name == "depth") return Value::of(loop.depth0 + 1);
  if (name == "depth0") return Value::of(loop.depth0);
  if (name == "previtem") return loop.index0 == 0 ? render.undefined_hint("there is no previous item") : loop.before;
  if (name == "nextitem") {
    const Value after = peek(render, loop);
    return after.is_missing() ? render.undefined_hint("there is no next item") : after;
  }
  return {};
}

}  // namespace jackdaw::text::jinja
