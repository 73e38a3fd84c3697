#include <algorithm>

#include "src/text/template/arguments.h"
#include "src/text/template/filters.h"
#include "src/text/template/operators.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {

Value ignore_case(Render& render, Value value, bool case_sensitive) {
  if (case_sensitive || !value.is_string()) return value;
  render.step_bytes(value.string->size);
  return render.string(to_lower(value.text()));
}

namespace {

bool flag(Render& render, Value value) {
  return !value.is_missing() && render.truth(value);
}

struct Keyed {
  Value key;
  Value item;
};

void sort_by_key(Render& render, std::vector<Keyed>& items, bool reverse) {
  std::stable_sort(items.begin(), items.end(), [&](const Keyed& a, const Keyed& b) {
    render.step();
    return reverse ? render.less(b.key, a.key) : render.less(a.key, b.key);
  });
}

std::vector<Keyed> keyed(Render& render, Value value, auto key) {
  std::vector<Keyed> out;
  Iterator* items = render.iterate(value);
  Value item;
  while (items->next(render, item)) {
    render.step();
    out.push_back({key(item), item});
  }
  return out;
}

Value items_of(Render& render, const std::vector<Keyed>& keyed) {
  std::vector<Value> out;
  out.reserve(keyed.size());
  for (const Keyed& k : keyed) out.push_back(k.item);
  return render.list(out);
}

// "a,b" sorts by a, then by b.
Value multi_key(Render& render, Value item, Value attribute, bool case_sensitive) {
  if (attribute.is_missing() || attribute.is_none()) return ignore_case(render, item, case_sensitive);
  if (!attribute.is_string()) return ignore_case(render, render.get_path(item, attribute), case_sensitive);
  const std::string_view text = attribute.text();
  std::vector<Value> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    parts.push_back(
        ignore_case(render, render.get_path(item, render.view(text.substr(start, end - start))), case_sensitive));
    start = end + 1;
  }
  return render.list(parts);
}

Value extreme(Render& render, Value value, const Arguments& arguments, bool largest) {
  const auto [sensitive, attribute] = bind(largest ? "max" : "min", arguments, {"case_sensitive", "attribute"});
  const bool case_sensitive = flag(render, sensitive);
  Iterator* items = render.iterate(value);
  Value item, best, best_key;
  while (items->next(render, item)) {
    render.step();
    const Value key = ignore_case(render, render.get_path(item, attribute), case_sensitive);
    const bool better =
        best_key.is_missing() || (largest ? render.less(best_key, key, ">") : render.less(key, best_key));
    if (!better) continue;
    best = item;
    best_key = key;
  }
  return best_key.is_missing() ? render.undefined_hint("No aggregated item, sequence was empty.") : best;
}

bool is_reversible(Value v) {
  return v.is_string() || v.is(Kind::list) || v.is(Kind::tuple) || v.is(Kind::dict) || v.is(Kind::view) ||
         v.is(Kind::range) || v.is_undefined();
}

Value reversed_text(Render& render, std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t end = text.size(); end > 0;) {
    const std::size_t start = previous_start(text, end);
    out += text.substr(start, end - start);
    end = start;
  }
  return render.string(out);
}

Value reversed_list(Render& render, Value value) {
  const std::span<const Value> items = render.collect(value);
  std::vector<Value> out(items.rbegin(), items.rend());
  render.step(out.size() / 8);
  return render.list(out);
}

}  // namespace

Value filter_min(Render& render, Value value, const Arguments& arguments) {
  return extreme(render, value, arguments, false);
}
Value filter_max(Render& render, Value value, const Arguments& arguments) {
  return extreme(render, value, arguments, true);
}

Value filter_first(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("first", arguments);
  Value item;
  return render.iterate(value)->next(render, item) ? item : render.undefined_hint("No first item, sequence was empty.");
}

Value filter_last(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("last", arguments);
  if (!is_reversible(value)) fail("'{}' object is not reversible", type_name(value));
  const std::size_t size = render.length(value);
  if (size == 0) return render.undefined_hint("No last item, sequence was empty.");
  if (value.is(Kind::dict) || value.is(Kind::view)) return render.collect(value).back();
  return render.get_item(value, Value::of(std::int64_t{-1}));
}

Value filter_list(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("list", arguments);
  if (value.is(Kind::list)) return value;
  return render.list(render.collect(value));
}

Value filter_join(Render& render, Value value, const Arguments& arguments) {
  const auto [separator, attribute] = bind("join", arguments, {"d", "attribute"});
  const std::string_view between = separator.is_missing() ? "" : render.str(separator);
  Iterator* items = render.iterate(value);
  std::string out;
  bool first = true;
  Value item;
  while (items->next(render, item)) {
    render.step();
    if (!first) {
      render.heap().charge(between.size());
      out += between;
    }
    first = false;
    const std::size_t before = out.size();
    render.append_str(out, attribute.is_missing() ? item : render.get_path(item, attribute));
    render.heap().charge(out.size() - before);
  }
  return render.string(out);
}

// What Python's reversed() gives can be gone through once; a generator becomes a list.
Value filter_reverse(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("reverse", arguments);
  if (value.is_string()) {
    Value out = reversed_text(render, value.text());
    out.markup = value.markup;
    return out;
  }
  const Value list = reversed_list(render, value);
  if (!is_reversible(value)) return list;
  Iterator* items = render.iterate(list);
  items->type_name = "list_reverseiterator";
  return Value::of(items);
}

Value filter_sort(Render& render, Value value, const Arguments& arguments) {
  const auto [reverse, sensitive, attribute] = bind("sort", arguments, {"reverse", "case_sensitive", "attribute"});
  const bool case_sensitive = flag(render, sensitive);
  const Value by = attribute;
  std::vector<Keyed> items =
      keyed(render, value, [&](Value item) { return multi_key(render, item, by, case_sensitive); });
  sort_by_key(render, items, flag(render, reverse));
  return items_of(render, items);
}

Value filter_dictsort(Render& render, Value value, const Arguments& arguments) {
  const auto [sensitive, by, reverse] = bind("dictsort", arguments, {"case_sensitive", "by", "reverse"});
  const std::string_view order = by.is_missing() ? "key" : by.is_string() ? by.text() : "";
  if (order != "key" && order != "value") fail("you can only sort by either \"key\" or \"value\"");
  if (value.is_undefined()) render.fail_undefined(value);
  if (!value.is(Kind::dict)) fail("dictsort needs a mapping, not '{}'", type_name(value));
  const bool case_sensitive = flag(render, sensitive);
  const Value pairs = render.call(render.get_attribute(value, "items"), {});
  std::vector<Keyed> items = keyed(render, pairs, [&](Value pair) {
    return ignore_case(render, pair.list->items[order == "key" ? 0 : 1], case_sensitive);
  });
  sort_by_key(render, items, flag(render, reverse));
  return items_of(render, items);
}

Value filter_groupby(Render& render, Value value, const Arguments& arguments) {
  const auto [attribute, fallback, sensitive] =
      bind("groupby", arguments, {"attribute", "default", "case_sensitive"}, 1);
  const bool case_sensitive = flag(render, sensitive);
  const Value path = attribute, otherwise = fallback;
  std::vector<Keyed> items = keyed(render, value, [&](Value item) {
    return ignore_case(render, render.get_path(item, path, otherwise), case_sensitive);
  });
  sort_by_key(render, items, false);
  std::vector<Value> groups;
  for (std::size_t start = 0; start < items.size();) {
    std::size_t end = start + 1;
    while (end < items.size() && render.equal(items[start].key, items[end].key)) ++end;
    std::vector<Value> members;
    for (std::size_t i = start; i < end; ++i) members.push_back(items[i].item);
    const Value key = case_sensitive ? items[start].key : render.get_path(members[0], path, otherwise);
    auto* group = render.heap().make<ListObject>();
    group->items = render.heap().array<Value>(2);
    group->items[0] = key;
    group->items[1] = render.list(members);
    group->size = 2;
    group->group = true;
    groups.push_back(Value::of_tuple(group));
    start = end;
  }
  return render.list(groups);
}

Value filter_sum(Render& render, Value value, const Arguments& arguments) {
  const auto [attribute, start] = bind("sum", arguments, {"attribute", "start"});
  Value total = start.is_missing() ? Value::of(std::int64_t{0}) : start;
  if (total.is_string()) fail("sum() can't sum strings");
  Iterator* items = render.iterate(value);
  Value item;
  while (items->next(render, item)) {
    render.step();
    total = apply(render, Arithmetic::add, total, attribute.is_missing() ? item : render.get_path(item, attribute));
  }
  return total;
}

}  // namespace jackdaw::text::jinja
