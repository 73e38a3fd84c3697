// Filters that are generators in jinja2: they work when their items are asked for, and can be gone through once.
#include "src/text/template/arguments.h"
#include "src/text/template/filters.h"

namespace jackdaw::text::jinja {
namespace {

// What a generator does when it is first asked: `if value:` and going through it.
class Source {
 public:
  explicit Source(Value value) : value_(value) {}

  bool next(Render& render, Value& out) {
    if (!started_) {
      started_ = true;
      if (render.truth(value_)) items_ = render.iterate(value_);
    }
    if (items_ == nullptr || !items_->next(render, out)) return false;
    render.step();
    return true;
  }

 private:
  Value value_;
  Iterator* items_ = nullptr;
  bool started_ = false;
};

Arguments drop(const Arguments& arguments, std::size_t count) {
  return {arguments.positional.subspan(std::min(count, arguments.positional.size())), arguments.named};
}

class Map final : public Iterator {
 public:
  Map(Value value, const Arguments& arguments) : source_(value), arguments_(arguments) {}

  bool next(Render& render, Value& out) override {
    Value item;
    if (!source_.next(render, item)) return false;
    out = arguments_.positional.empty()
              ? look_up(render, item)
              : render.filter(text_of(arguments_.positional[0], "a filter's name"), item, drop(arguments_, 1));
    return true;
  }

 private:
  Value look_up(Render& render, Value item) {
    const auto [attribute, fallback] = bind("map", arguments_, {"attribute", "default"});
    if (attribute.is_missing()) fail("map requires a filter argument");
    return render.get_path(item, attribute, fallback);
  }

  Source source_;
  Arguments arguments_;
};

class Select final : public Iterator {
 public:
  Select(Value value, const Arguments& arguments, bool by_attribute, bool wanted)
      : source_(value), arguments_(arguments), by_attribute_(by_attribute), wanted_(wanted) {}

  bool next(Render& render, Value& out) override {
    while (source_.next(render, out))
      if (passes(render, out) == wanted_) return true;
    return false;
  }

 private:
  bool passes(Render& render, Value item) {
    if (by_attribute_) {
      if (arguments_.positional.empty()) fail("missing parameter for attribute name");
      item = render.get_path(item, arguments_.positional[0]);
    }
    const Arguments rest = drop(arguments_, by_attribute_ ? 1 : 0);
    if (rest.positional.empty()) return render.truth(item);
    return render.test(text_of(rest.positional[0], "a test's name"), item, drop(rest, 1));
  }

  Source source_;
  Arguments arguments_;
  bool by_attribute_;
  bool wanted_;
};

class Items final : public Iterator {
 public:
  explicit Items(Value value) : value_(value) {}
  bool next(Render& render, Value& out) override {
    if (value_.is_undefined()) return false;
    if (!value_.is(Kind::dict)) fail("can only get item pairs from a mapping");
    if (at_ == value_.dict->size) return false;
    const DictEntry& entry = value_.dict->entries[at_++];
    out = render.tuple({entry.key, entry.value});
    return true;
  }

 private:
  Value value_;
  std::size_t at_ = 0;
};

// Goes through its input when it is first asked, then gives what came of it.
class Prepared : public Iterator {
 public:
  bool next(Render& render, Value& out) override {
    if (items_ == nullptr) items_ = render.iterate(prepare(render));
    return items_->next(render, out);
  }

 protected:
  ~Prepared() = default;
  virtual Value prepare(Render& render) = 0;

 private:
  Iterator* items_ = nullptr;
};

class Unique final : public Prepared {
 public:
  Unique(Value value, bool case_sensitive, Value attribute)
      : value_(value), case_sensitive_(case_sensitive), attribute_(attribute) {}

 private:
  Value prepare(Render& render) override {
    const std::span<const Value> items = render.collect(value_);
    DictObject* seen = render.new_dict(items.size());
    std::vector<Value> out;
    for (const Value& item : items) {
      render.step();
      const Value key = ignore_case(render, render.get_path(item, attribute_), case_sensitive_);
      if (render.find(*seen, key) != nullptr) continue;
      render.put(*seen, key, item);
      out.push_back(item);
    }
    return render.list(out);
  }

  Value value_;
  bool case_sensitive_;
  Value attribute_;
};

class Batch final : public Prepared {
 public:
  Batch(Value value, std::int64_t size, Value fill) : value_(value), size_(size), fill_(fill) {}

 private:
  Value prepare(Render& render) override {
    std::vector<Value> out, row;
    for (const Value& item : render.collect(value_)) {
      render.step();
      if (static_cast<std::int64_t>(row.size()) == size_) {
        out.push_back(render.list(row));
        row.clear();
      }
      row.push_back(item);
    }
    if (row.empty()) return render.list(out);
    while (!fill_.is_missing() && !fill_.is_none() && static_cast<std::int64_t>(row.size()) < size_) {
      render.step();
      render.heap().charge(sizeof(Value));
      row.push_back(fill_);
    }
    out.push_back(render.list(row));
    return render.list(out);
  }

  Value value_;
  std::int64_t size_;
  Value fill_;
};

class Slices final : public Prepared {
 public:
  Slices(Value value, std::int64_t count, Value fill) : value_(value), count_(count), fill_(fill) {}

 private:
  Value prepare(Render& render) override {
    const std::span<const Value> items = render.collect(value_);
    if (count_ == 0) fail("integer division or modulo by zero");
    std::vector<Value> out;
    const auto size = static_cast<std::int64_t>(items.size());
    const std::int64_t each = count_ < 0 ? 0 : size / count_, extra = count_ < 0 ? 0 : size % count_;
    std::int64_t start = 0;
    for (std::int64_t i = 0; i < count_; ++i) {
      render.step();
      render.heap().charge(sizeof(Value));
      const std::int64_t end = start + each + (i < extra ? 1 : 0);
      std::vector<Value> part(items.begin() + start, items.begin() + end);
      if (!fill_.is_missing() && !fill_.is_none() && i >= extra) part.push_back(fill_);
      out.push_back(render.list(part));
      start = end;
    }
    return render.list(out);
  }

  Value value_;
  std::int64_t count_;
  Value fill_;
};

template <typename T, typename... Args>
Value lazy(Render& render, Args&&... args) {
  return Value::of(static_cast<Iterator*>(render.heap().make<T>(std::forward<Args>(args)...)));
}

}  // namespace

Value filter_map(Render& render, Value value, const Arguments& arguments) {
  return lazy<Map>(render, value, arguments);
}
Value filter_select(Render& render, Value value, const Arguments& arguments) {
  return lazy<Select>(render, value, arguments, false, true);
}
Value filter_reject(Render& render, Value value, const Arguments& arguments) {
  return lazy<Select>(render, value, arguments, false, false);
}
Value filter_selectattr(Render& render, Value value, const Arguments& arguments) {
  return lazy<Select>(render, value, arguments, true, true);
}
Value filter_rejectattr(Render& render, Value value, const Arguments& arguments) {
  return lazy<Select>(render, value, arguments, true, false);
}
Value filter_items(Render& render, Value value, const Arguments& arguments) {
  bind_nothing("items", arguments);
  return lazy<Items>(render, value);
}
Value filter_unique(Render& render, Value value, const Arguments& arguments) {
  const auto [sensitive, attribute] = bind("unique", arguments, {"case_sensitive", "attribute"});
  return lazy<Unique>(render, value, !sensitive.is_missing() && render.truth(sensitive), attribute);
}
Value filter_batch(Render& render, Value value, const Arguments& arguments) {
  const auto [count, fill] = bind("batch", arguments, {"linecount", "fill_with"}, 1);
  return lazy<Batch>(render, value, to_index(count, "linecount"), fill);
}
Value filter_slice(Render& render, Value value, const Arguments& arguments) {
  const auto [count, fill] = bind("slice", arguments, {"slices", "fill_with"}, 1);
  return lazy<Slices>(render, value, to_index(count, "slices"), fill);
}

}  // namespace jackdaw::text::jinja
