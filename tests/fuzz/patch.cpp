// A stored object and a stranger's change to it, with a zero byte between them: as merge patch, JSON patch and apply.
// Whatever they are, the work ends, results can be read again, and doing the same twice changes nothing more.
#include "jackdaw/spec/patch.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace jackdaw;
using namespace jackdaw::spec;

void must(bool holds) {
  if (!holds) __builtin_trap();
}

void must_read_again(const Json& json) {
  ReadLimits limits;  // the usual depth and names; managers may make an object larger
  limits.bytes_max = 64u << 20;
  limits.nodes_max = 10'000'000;
  const auto again = read_json(json.dump(), "again", limits);
  must(again && *again == json);
}

Json without_managers(Json json) {
  if (Json* metadata = json.find("metadata")) metadata->erase("managedFields");
  return json;
}

void try_merge(const Json& target, const Json& patch) {
  const Json once = merge_patch(target, patch);
  must_read_again(once);
  must(merge_patch(once, patch) == once);
}

void try_operations(const Json& target, const Json& operations) {
  ReadLimits limits;
  limits.nodes_max = 20'000;
  const auto result = json_patch(target, operations, limits);
  if (result) must_read_again(*result);
  if (!result) must(!result.error().message.empty());
}

void try_apply(const Json& live, const Json& wanted) {
  const FieldManager manager{"fuzz", "Apply", "v1", ""};
  for (const bool force : {false, true}) {
    const auto applied = apply_patch(live, wanted, manager, force, WallTime());
    if (!applied) return;
    must(applied->conflicts.empty() || (!force && applied->object == live));
    must_read_again(applied->object);
    if (!force) continue;
    const auto again = apply_patch(applied->object, wanted, manager, false, WallTime() + std::chrono::hours(1));
    must(again && again->conflicts.empty() && again->object == applied->object);
  }
}

void try_update(const Json& before, const Json& after) {
  for (const char* subresource : {"", "status"}) {
    const Json result = with_updated_managers(before, after, {"fuzz", "Update", "v1", subresource}, WallTime());
    must_read_again(result);
    if (after.is_object()) must(without_managers(result) == without_managers(after) || !after.find("metadata"));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t middle = text.find('\0');
  if (middle == std::string_view::npos) return 0;
  const auto target = read_json(text.substr(0, middle), "target");
  const auto patch = read_json(text.substr(middle + 1), "patch");
  if (!target || !patch) return 0;
  must_read_again(*target);
  try_merge(*target, *patch);
  try_operations(*target, *patch);
  try_apply(*target, *patch);
  try_apply({}, *patch);
  try_update(*target, *patch);
  try_update({}, *target);
  return 0;
}
