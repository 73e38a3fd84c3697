// RFC 6902. Operations run on a value that is thrown away when one of them fails. What a patch adds, how deep its
// results become and how many members it looks at are counted, since a short list of copies can double a value each
// time.
#include <algorithm>

#include "jackdaw/spec/patch.h"
#include "src/spec/json_pointer.h"

namespace jackdaw::spec {
namespace {

// Kubernetes' own bound of operations in one patch.
constexpr std::size_t operations_max = 10'000;
// Members looked at and items moved over, about a second's worth.
constexpr std::size_t steps_max = 100'000'000;
constexpr std::size_t steps_per_moved_item = 4;

struct Size {
  std::size_t values = 0;
  std::size_t bytes = 0;  // of the JSON text, nearly
  int depth = 0;          // lists and maps within each other
};

Size size_of(const Json& json) {
  Size size{1, json.as_text().size() + 4, 0};
  const auto add = [&size](const Json& part) {
    const Size inner = size_of(part);
    size.values += inner.values;
    size.bytes += inner.bytes;
    size.depth = std::max(size.depth, inner.depth);
  };
  for (const Json& item : json.items()) add(item);
  for (const auto& [name, value] : json.members()) {
    add(value);
    size.bytes += name.size() + 4;
  }
  if (json.is_array() || json.is_object()) ++size.depth;
  return size;
}

std::string_view kind_words(const Json& json) {
  switch (json.kind()) {
    case Json::Kind::null:
      return "null";
    case Json::Kind::boolean:
      return "a boolean";
    case Json::Kind::number:
      return "a number";
    case Json::Kind::text:
      return "text";
    case Json::Kind::array:
      return "a list";
    case Json::Kind::object:
      return "a map";
  }
  return "";
}

using Steps = std::vector<std::string>;

struct Operation {
  std::string op;
  std::string path_text;
  Steps path;
  Steps from;                   // of move and copy
  const Json* value = nullptr;  // of add, replace and test
};

template <typename... Args>
Error refused(fmt::format_string<Args...> format, Args&&... args) {
  return make_error(Code::invalid_argument, format, std::forward<Args>(args)...);
}

Result<Steps> read_steps(const Json& json, std::string_view name) {
  const Json* pointer = json.find(name);
  if (pointer == nullptr) return refused("it has no \"{}\"", name);
  if (!pointer->is_text()) return refused("its \"{}\" must be text, not {}", name, kind_words(*pointer));
  auto steps = read_pointer(pointer->as_text());
  if (!steps) return refused("its \"{}\" {:?} is no JSON pointer: {}", name, pointer->as_text(), steps.error().message);
  return steps;
}

Result<Operation> read_operation(const Json& json) {
  if (!json.is_object()) return refused("an operation is a map with \"op\" and \"path\", not {}", kind_words(json));
  const Json* op = json.find("op");
  if (op == nullptr || !op->is_text()) return refused("it has no \"op\" that is text");
  Operation operation;
  operation.op = op->as_text();
  const bool takes_from = operation.op == "move" || operation.op == "copy";
  const bool takes_value = operation.op == "add" || operation.op == "replace" || operation.op == "test";
  if (!takes_from && !takes_value && operation.op != "remove") {
    return refused("the operation {:?} is unknown; known are add, remove, replace, move, copy and test", operation.op);
  }
  JACKDAW_ASSIGN(operation.path, read_steps(json, "path"));
  operation.path_text = json.find("path")->as_text();
  if (takes_from) {
    JACKDAW_ASSIGN(operation.from, read_steps(json, "from"));
  }
  operation.value = json.find("value");
  if (takes_value && operation.value == nullptr) return refused("it has no \"value\"");
  return operation;
}

class Patcher {
 public:
  Patcher(Json& target, const ReadLimits& limits) : target_(target), limits_(limits), size_(size_of(target)) {}

  Result<void> run(const Operation& operation) {
    if (operation.op == "add") return add_copy(operation.path, *operation.value);
    if (operation.op == "remove") return remove(operation.path);
    if (operation.op == "replace") return replace(operation.path, *operation.value);
    if (operation.op == "move") return move(operation.from, operation.path);
    if (operation.op == "copy") return copy(operation.from, operation.path);
    return test(operation.path, *operation.value);
  }

 private:
  Result<void> spend(std::size_t steps) {
    steps_ += steps;
    if (steps_ > steps_max) return make_error(Code::too_large, "the patch takes too much work; send it in parts");
    return {};
  }
  // `value` is about to stand below `path`.
  Result<void> check_depth(const Steps& path, int depth) const {
    if (static_cast<int>(std::min<std::size_t>(path.size(), 1'000'000)) + depth >= limits_.depth_max) {
      return make_error(Code::too_large, "lists and maps would be nested {} levels deep or more", limits_.depth_max);
    }
    return {};
  }
  // Counts a copy of `value` that is about to be added below `path`. What is removed is not given back.
  Result<void> take_in(const Steps& path, const Json& value) {
    const Size added = size_of(value);
    JACKDAW_TRY(check_depth(path, added.depth));
    size_.values += added.values;
    size_.bytes += added.bytes + (path.empty() ? 0 : path.back().size());
    if (size_.values > limits_.nodes_max || size_.bytes > limits_.bytes_max) {
      return make_error(Code::too_large, "the patch makes the object larger than {} values or {} bytes",
                        limits_.nodes_max, limits_.bytes_max);
    }
    return {};
  }

  // The part one step down; `before` are the steps so far, for words only.
  Result<Json*> step_down(Json& at, std::span<const std::string> before, const std::string& step) {
    JACKDAW_TRY(spend(at.members().size() + 1));
    if (at.is_object()) {
      if (Json* found = at.find(step)) return found;
      return refused("there is no member {:?} in the map at \"{}\"", step, pointer_text(before));
    }
    if (!at.is_array())
      return refused("there is {} at \"{}\", with nothing in it", kind_words(at), pointer_text(before));
    JACKDAW_ASSIGN(const std::size_t index, checked_index(at, before, step, at.items().size()));
    return &at.items()[index];
  }
  // An index below `end`.
  static Result<std::size_t> checked_index(const Json& at, std::span<const std::string> before, const std::string& step,
                                           std::size_t end) {
    const auto index = array_index(step);
    if (index && *index < end) return *index;
    const std::size_t size = at.items().size();
    if (!index) {
      return refused("{:?} is no index of the list at \"{}\", which has {} items", step, pointer_text(before), size);
    }
    return refused("index {} is past the end of the list at \"{}\", which has {} items", step, pointer_text(before),
                   size);
  }
  Result<Json*> locate(std::span<const std::string> path) {
    Json* at = &target_;
    for (std::size_t i = 0; i < path.size(); ++i) {
      JACKDAW_ASSIGN(at, step_down(*at, path.first(i), path[i]));
    }
    return at;
  }
  static std::span<const std::string> above(const Steps& path) {
    return std::span<const std::string>(path).first(path.size() - 1);
  }

  Result<void> add_copy(const Steps& path, const Json& value) {
    JACKDAW_TRY(take_in(path, value));
    return add(path, value);
  }
  Result<void> add(const Steps& path, Json value) {
    if (path.empty()) {
      target_ = std::move(value);
      return {};
    }
    JACKDAW_ASSIGN(Json * parent, locate(above(path)));
    JACKDAW_TRY(spend(parent->members().size()));
    if (parent->is_object()) {
      if (path.back().size() > limits_.key_bytes_max) {
        return make_error(Code::too_large, "the member's name is longer than {} bytes", limits_.key_bytes_max);
      }
      parent->set(path.back(), std::move(value));
      return {};
    }
    return insert(*parent, path, std::move(value));
  }
  Result<void> insert(Json& parent, const Steps& path, Json value) {
    if (!parent.is_array()) {
      return refused("there is {} at \"{}\"; nothing can be added to it", kind_words(parent),
                     pointer_text(above(path)));
    }
    auto& items = parent.items();
    std::size_t index = items.size();
    if (path.back() != "-") {
      JACKDAW_ASSIGN(index, checked_index(parent, above(path), path.back(), items.size() + 1));
    }
    JACKDAW_TRY(spend((items.size() - index) * steps_per_moved_item));
    items.insert(items.begin() + static_cast<std::ptrdiff_t>(index), std::move(value));
    return {};
  }
  Result<void> remove(const Steps& path) {
    if (path.empty()) return refused("the whole document cannot be removed");
    JACKDAW_ASSIGN(Json * parent, locate(above(path)));
    JACKDAW_ASSIGN(const Json* part, step_down(*parent, above(path), path.back()));
    if (parent->is_object()) {
      JACKDAW_TRY(spend(parent->members().size() * steps_per_moved_item));
      parent->erase(path.back());
      return {};
    }
    const auto index = part - parent->items().data();
    JACKDAW_TRY(spend((parent->items().size() - static_cast<std::size_t>(index)) * steps_per_moved_item));
    parent->items().erase(parent->items().begin() + index);
    return {};
  }
  Result<void> replace(const Steps& path, const Json& value) {
    JACKDAW_ASSIGN(Json * part, locate(path));
    JACKDAW_TRY(take_in(path, value));
    *part = value;
    return {};
  }
  Result<void> copy(const Steps& from, const Steps& path) {
    JACKDAW_ASSIGN(const Json* part, locate(from));
    JACKDAW_TRY(take_in(path, *part));
    return add(path, *part);
  }
  Result<void> move(const Steps& from, const Steps& path) {
    JACKDAW_ASSIGN(Json * part, locate(from));
    if (from == path) return {};
    if (from.size() < path.size() && std::equal(from.begin(), from.end(), path.begin())) {
      return refused("\"{}\" cannot be moved into itself", pointer_text(from));
    }
    const Size moved = size_of(*part);
    JACKDAW_TRY(spend(moved.values));
    JACKDAW_TRY(check_depth(path, moved.depth));
    Json value = std::move(*part);
    if (!from.empty()) JACKDAW_TRY(remove(from));
    return add(path, std::move(value));
  }
  Result<void> test(const Steps& path, const Json& value) {
    JACKDAW_ASSIGN(const Json* part, locate(path));
    if (*part == value) return {};
    return make_error(Code::unprocessable, "the test does not hold: another value is there");
  }

  Json& target_;
  const ReadLimits& limits_;
  Size size_;  // of the target at first, and all that was added
  std::size_t steps_ = 0;
};

// "operations[3]: replace "/spec/x": there is no member ...".
Error of_operation(Error error, std::size_t number, const Operation* operation) {
  if (operation != nullptr)
    error.message = fmt::format("{} {:?}: {}", operation->op, operation->path_text, error.message);
  error.where = fmt::format("operations[{}]", number);
  return error;
}

}  // namespace

Result<Json> json_patch(Json target, const Json& operations, const ReadLimits& limits) {
  if (!operations.is_array()) return refused("a JSON patch is a list of operations, not {}", kind_words(operations));
  if (operations.items().size() > operations_max) {
    return make_error(Code::too_large, "the patch has {} operations, more than the {} allowed",
                      operations.items().size(), operations_max);
  }
  Patcher patcher(target, limits);
  for (std::size_t i = 0; i < operations.items().size(); ++i) {
    auto operation = read_operation(operations.items()[i]);
    if (!operation) return of_operation(std::move(operation).error(), i, nullptr);
    auto done = patcher.run(*operation);
    if (!done) return of_operation(std::move(done).error(), i, &*operation);
  }
  return target;
}

}  // namespace jackdaw::spec
