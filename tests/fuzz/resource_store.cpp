// A stranger's object, change and selector, with zero bytes between them, against a store: whatever they are, the work
// ends, and what the store took is what it reads again after a restart.
#include "jackdaw/control/resource_store.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tests/unit/control/store_world.h"

namespace {

using namespace jackdaw;
using namespace jackdaw::control;

void must(bool holds) {
  if (!holds) __builtin_trap();
}

std::string_view take_part(std::string_view& text) {
  const std::size_t end = std::min(text.find('\0'), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

void change(ResourceStore& store, const spec::Json& body) {
  const std::string manager = "fuzz";
  (void)store.update(named("iris"), body, {manager, false});
  for (const auto type : {PatchRequest::Type::merge, PatchRequest::Type::json, PatchRequest::Type::apply}) {
    for (const char* subresource : {"", "status"}) {
      (void)store.patch(named("iris"), {type, body, false, subresource}, {manager, false});
    }
  }
  (void)store.remove(named("iris"), {}, {manager, false});
}

void list(ResourceStore& store, std::string_view selector) {
  const std::string text(selector);
  (void)store.list("serving.kserve.io", "inferenceservices", "", {text, ""});
  (void)store.list("serving.kserve.io", "inferenceservices", "", {"", text});
  (void)store.list("serving.kserve.io", "inferenceservices", "", {}, {1, text});
}

void must_be_the_same_after_a_restart(StoreWorld& world) {
  const auto before = world.store->list("serving.kserve.io", "inferenceservices", "", {}).objects;
  const auto after = world.start().list("serving.kserve.io", "inferenceservices", "", {}).objects;
  must(before.size() == after.size());
  for (std::size_t i = 0; i < before.size(); ++i) must(*before[i] == *after[i]);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto object = spec::read_json(take_part(text), "object");
  const auto body = spec::read_json(take_part(text), "body");
  StoreWorld world;
  ResourceStore& store = world.start();
  if (object) {
    (void)store.create(named("iris"), *object, {"fuzz", false});
    must_be_the_same_after_a_restart(world);
  }
  if (body) change(*world.store, *body);
  list(*world.store, text);
  must_be_the_same_after_a_restart(world);
  return 0;
}
