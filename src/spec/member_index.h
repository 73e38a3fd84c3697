// MemberIndex: finds members by name while many are looked up. The first look-ups go from member to member; then the
// positions are sorted once, which strangers' names cannot make slow as they can a hash table.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string_view>
#include <vector>

#include "jackdaw/spec/json.h"

namespace jackdaw::spec {

// Members may be added behind the indexed ones and their values changed meanwhile; they must not go or move.
class MemberIndex {
 public:
  explicit MemberIndex(const Json& object) : object_(&object), size_(object.members().size()) {}

  // The position among the members that were there at first, or npos.
  std::size_t find(std::string_view name) {
    if (sorted_.empty() && ++lookups_ > lookups_unsorted) sort();
    return sorted_.empty() ? find_unsorted(name) : find_sorted(name);
  }
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

 private:
  static constexpr std::size_t lookups_unsorted = 8;

  std::string_view name(std::size_t position) const { return object_->members()[position].name; }

  void sort() {
    sorted_.resize(size_);
    std::iota(sorted_.begin(), sorted_.end(), std::size_t{0});
    std::sort(sorted_.begin(), sorted_.end(), [this](auto a, auto b) { return name(a) < name(b); });
  }
  std::size_t find_unsorted(std::string_view wanted) const {
    for (std::size_t i = 0; i < size_; ++i) {
      if (name(i) == wanted) return i;
    }
    return npos;
  }
  std::size_t find_sorted(std::string_view wanted) const {
    const auto at = std::partition_point(sorted_.begin(), sorted_.end(), [&](auto i) { return name(i) < wanted; });
    return at != sorted_.end() && name(*at) == wanted ? *at : npos;
  }

  const Json* object_;
  std::size_t size_;
  std::size_t lookups_ = 0;
  std::vector<std::size_t> sorted_;
};

}  // namespace jackdaw::spec
