// Going through values: Python's iter() for every kind.
#include <vector>

#include "src/text/template/render.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text::jinja {
namespace {

class SequenceIterator final : public Iterator {
 public:
  explicit SequenceIterator(const ListObject* items) : items_(items) { type_name = "list_iterator"; }
  bool next(Render&, Value& out) override {
    if (at_ >= items_->size) return false;
    out = items_->items[at_++];
    return true;
  }

 private:
  const ListObject* items_;
  std::size_t at_ = 0;
};

class NoItems final : public Iterator {
 public:
  bool next(Render&, Value&) override { return false; }
};

class CharacterIterator final : public Iterator {
 public:
  explicit CharacterIterator(std::string_view text) : text_(text) { type_name = "str_iterator"; }
  bool next(Render& render, Value& out) override {
    if (at_ >= text_.size()) return false;
    const std::size_t start = at_;
    next_code_point(text_, at_);
    out = render.view(text_.substr(start, at_ - start));
    return true;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

class DictIterator final : public Iterator {
 public:
  DictIterator(const DictObject* dict, ViewKind kind) : dict_(dict), kind_(kind) { type_name = "dict_keyiterator"; }
  bool next(Render& render, Value& out) override {
    if (at_ >= dict_->size) return false;
    const DictEntry& entry = dict_->entries[at_++];
    out = kind_ == ViewKind::keys     ? entry.key
          : kind_ == ViewKind::values ? entry.value
                                      : render.tuple({entry.key, entry.value});
    return true;
  }

 private:
  const DictObject* dict_;
  ViewKind kind_;
  std::size_t at_ = 0;
};

class RangeIterator final : public Iterator {
 public:
  explicit RangeIterator(const RangeObject* range) : range_(range) { type_name = "range_iterator"; }
  bool next(Render&, Value& out) override {
    if (at_ >= range_->size) return false;
    out = Value::of(range_->start + static_cast<std::int64_t>(at_++) * range_->step);
    return true;
  }

 private:
  const RangeObject* range_;
  std::size_t at_ = 0;
};

}  // namespace

Iterator* Render::iterate(Value value) {
  switch (value.kind) {
    case Kind::list:
    case Kind::tuple:
      return heap_.make<SequenceIterator>(value.list);
    case Kind::undefined:
      return heap_.make<NoItems>();
    case Kind::string:
      return heap_.make<CharacterIterator>(value.text());
    case Kind::dict:
      return heap_.make<DictIterator>(value.dict, ViewKind::keys);
    case Kind::view:
      return heap_.make<DictIterator>(value.view->dict, value.view->kind);
    case Kind::range:
      return heap_.make<RangeIterator>(value.range);
    case Kind::iterator:
      return value.iterator;
    default:
      fail("'{}' object is not iterable", type_name(value));
  }
}

std::span<const Value> Render::collect(Value value) {
  if (value.is(Kind::list) || value.is(Kind::tuple)) return value.items();
  return collect_rest(*iterate(value));
}

std::span<const Value> Render::collect_rest(Iterator& items) {
  std::vector<Value> out;
  Value item;
  while (items.next(*this, item)) {
    step();
    heap_.charge(sizeof(Value));
    out.push_back(item);
  }
  return list(out).items();
}

}  // namespace jackdaw::text::jinja
