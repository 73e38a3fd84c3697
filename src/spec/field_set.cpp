// Every walk is as deep as the set, and sets come from objects (field_view.h bounds them) or were read with a limit.
#include "src/spec/field_set.h"

#include <algorithm>

namespace jackdaw::spec {
namespace {

using Branch = FieldSet::Branch;

auto lower_bound(auto& branches, std::string_view step) {
  return std::lower_bound(branches.begin(), branches.end(), step, [](const Branch& branch, std::string_view wanted) {
    return branch.step.compare(wanted) < 0;
  });
}

void keep(FieldSet& out, const std::string& step, FieldSet set) {
  if (!set.empty()) out.branches.push_back({step, std::move(set)});
}

// Takes the branches of `a` that `b` has too through `combine`, others through as they are.
template <typename Combine>
FieldSet without(const FieldSet& a, const FieldSet& b, Combine combine) {
  FieldSet out;
  out.member = a.member && !b.member;
  for (const Branch& branch : a.branches) {
    const FieldSet* other = b.find(branch.step);
    keep(out, branch.step, other == nullptr ? branch.set : combine(branch.set, *other));
  }
  return out;
}

// `{"name":"a","port":80}` as `[name="a",port=80]`.
std::string key_text(std::string_view step) {
  const auto key = read_json(step, "");
  if (!key || !key->is_object()) return fmt::format("[{}]", step);
  std::string out;
  for (const auto& [name, value] : key->members()) {
    out += fmt::format("{}{}={}", out.empty() ? "[" : ",", name, value.dump());
  }
  return out + "]";
}

std::string step_text(std::string_view step) {
  if (step.starts_with("f:")) return fmt::format(".{}", step.substr(2));
  if (step.starts_with("k:")) return key_text(step.substr(2));
  if (step.starts_with("v:")) return fmt::format("[={}]", step.substr(2));
  return fmt::format("[{}]", step);
}

void append_paths(const FieldSet& set, const std::string& path, std::vector<std::string>& out) {
  for (const Branch& branch : set.branches) {
    const std::string below = path + step_text(branch.step);
    if (branch.set.member) out.push_back(below);
    append_paths(branch.set, below, out);
  }
}

}  // namespace

const FieldSet* FieldSet::find(std::string_view step) const {
  const auto found = lower_bound(branches, step);
  return found != branches.end() && found->step == step ? &found->set : nullptr;
}

FieldSet& FieldSet::at(std::string_view step) {
  const auto found = lower_bound(branches, step);
  if (found != branches.end() && found->step == step) return found->set;
  return branches.insert(found, Branch{std::string(step), {}})->set;
}

void FieldSet::erase(std::string_view step) {
  const auto found = lower_bound(branches, step);
  if (found != branches.end() && found->step == step) branches.erase(found);
}

bool operator==(const FieldSet& a, const FieldSet& b) {
  return a.member == b.member &&
         std::equal(a.branches.begin(), a.branches.end(), b.branches.begin(), b.branches.end(),
                    [](const Branch& x, const Branch& y) { return x.step == y.step && x.set == y.set; });
}

FieldSet union_of(const FieldSet& a, const FieldSet& b) {
  FieldSet out;
  out.member = a.member || b.member;
  auto left = a.branches.begin(), right = b.branches.begin();
  while (left != a.branches.end() || right != b.branches.end()) {
    if (right == b.branches.end() || (left != a.branches.end() && left->step < right->step)) {
      out.branches.push_back(*left++);
    } else if (left == a.branches.end() || right->step < left->step) {
      out.branches.push_back(*right++);
    } else {
      out.branches.push_back({left->step, union_of(left->set, right->set)});
      ++left, ++right;
    }
  }
  return out;
}

// By halves, so that many small sets do not each walk over all before them.
FieldSet union_of(std::span<const FieldSet* const> sets) {
  if (sets.empty()) return {};
  if (sets.size() == 1) return *sets.front();
  return union_of(union_of(sets.first(sets.size() / 2)), union_of(sets.subspan(sets.size() / 2)));
}

// Walks over the smaller one and looks its steps up in the other: there may be many small sets beside a large one.
FieldSet intersection_of(const FieldSet& a, const FieldSet& b) {
  if (b.branches.size() < a.branches.size()) return intersection_of(b, a);
  FieldSet out;
  out.member = a.member && b.member;
  for (const Branch& branch : a.branches) {
    if (const FieldSet* other = b.find(branch.step)) keep(out, branch.step, intersection_of(branch.set, *other));
  }
  return out;
}

FieldSet difference_of(const FieldSet& a, const FieldSet& b) {
  return without(a, b, difference_of);
}

FieldSet difference_below(const FieldSet& a, const FieldSet& b) {
  return without(a, b,
                 [](const FieldSet& x, const FieldSet& y) { return y.member ? FieldSet() : difference_below(x, y); });
}

FieldSet field_set_of(const Json& fields_v1) {
  FieldSet set;
  std::vector<const Json::Member*> members;
  for (const Json::Member& member : fields_v1.members()) {
    if (member.name == ".") {
      set.member = true;
    } else {
      members.push_back(&member);
    }
  }
  std::sort(members.begin(), members.end(), [](const auto* x, const auto* y) { return x->name < y->name; });
  for (const Json::Member* member : members) {
    if (!set.branches.empty() && set.branches.back().step == member->name) continue;
    FieldSet below = field_set_of(member->value);
    if (below.branches.empty()) below.member = true;
    set.branches.push_back({member->name, std::move(below)});
  }
  return set;
}

Json fields_v1(const FieldSet& set) {
  Json out = Json::object();
  if (set.member && !set.branches.empty()) out.set(".", Json::object());
  for (const Branch& branch : set.branches) out.members().push_back({branch.step, fields_v1(branch.set)});
  return out;
}

std::vector<std::string> field_paths(const FieldSet& set) {
  std::vector<std::string> out;
  append_paths(set, "", out);
  return out;
}

}  // namespace jackdaw::spec
