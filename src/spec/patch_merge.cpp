// RFC 7386. The result is at most as deep as the deeper of the two, so recursion ends where reading allowed it to.
#include <algorithm>

#include "jackdaw/spec/patch.h"
#include "src/spec/member_index.h"

namespace jackdaw::spec {

Json merge_patch(Json target, const Json& patch) {
  if (!patch.is_object()) return patch;
  if (!target.is_object()) target = Json::object();
  auto& members = target.members();
  MemberIndex index(target);
  std::vector<bool> goes(members.size(), false);
  for (const auto& [name, value] : patch.members()) {
    const std::size_t at = index.find(name);
    if (at == MemberIndex::npos) {
      if (!value.is_null()) members.push_back({name, merge_patch({}, value)});
    } else if (value.is_null()) {
      goes[at] = true;
    } else {
      members[at].value = merge_patch(std::move(members[at].value), value);
    }
  }
  std::size_t at = 0;
  std::erase_if(members, [&](const Json::Member&) { return at < goes.size() && goes[at++]; });
  return target;
}

}  // namespace jackdaw::spec
