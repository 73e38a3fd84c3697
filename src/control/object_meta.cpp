#include "src/control/object_meta.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "jackdaw/base/text.h"

namespace jackdaw::control {
namespace {

using spec::Json;

constexpr std::size_t name_max = 253;
constexpr std::size_t label_max = 63;
constexpr std::size_t annotation_bytes_max = 256 * 1024;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}
bool is_letter_or_digit(char c) {
  return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z');
}

// RFC 1123: lower case letters, digits and '-', which neither begins nor ends it.
bool is_dns_label(std::string_view text) {
  const auto inner = [](char c) { return is_lower_or_digit(c) || c == '-'; };
  return !text.empty() && is_lower_or_digit(text.front()) && is_lower_or_digit(text.back()) &&
         std::all_of(text.begin(), text.end(), inner);
}

bool is_dns_subdomain(std::string_view text) {
  if (text.empty() || text.size() > name_max) return false;
  while (true) {
    const std::size_t dot = text.find('.');
    if (!is_dns_label(text.substr(0, dot))) return false;
    if (dot == std::string_view::npos) return true;
    text.remove_prefix(dot + 1);
  }
}

// A label's value, or the name in its key: letters, digits, '-', '_' and '.', a letter or digit at both ends.
bool is_label_text(std::string_view text) {
  const auto inner = [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.'; };
  return !text.empty() && text.size() <= label_max && is_letter_or_digit(text.front()) &&
         is_letter_or_digit(text.back()) && std::all_of(text.begin(), text.end(), inner);
}

// "app" or "example.com/app".
bool is_qualified_name(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return is_label_text(key);
  return is_dns_subdomain(key.substr(0, slash)) && is_label_text(key.substr(slash + 1));
}

class Faults {
 public:
  void invalid(std::string field, std::string_view value, std::string_view rule) {
    causes_.push_back({std::move(field), fmt::format("Invalid value: \"{}\": {}", value.substr(0, name_max), rule),
                       "FieldValueInvalid"});
  }
  void required(std::string field, std::string_view rule) {
    causes_.push_back({std::move(field), fmt::format("Required value: {}", rule), "FieldValueRequired"});
  }
  std::vector<FieldCause> take() { return std::move(causes_); }

 private:
  std::vector<FieldCause> causes_;
};

constexpr std::string_view subdomain_rule =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
constexpr std::string_view label_rule =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
constexpr std::string_view key_rule =
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character, 63 at most, with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')";
constexpr std::string_view value_rule =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character, 63 at most (e.g. 'MyValue')";

void check_names(const ResourceKind& kind, const Json& metadata, Faults& faults) {
  const Json* name = metadata.find("name");
  if (name == nullptr || name->as_text().empty()) {
    faults.required("metadata.name", "name or generateName is required");
  } else if (!is_dns_subdomain(name->as_text())) {
    faults.invalid("metadata.name", name->as_text(), subdomain_rule);
  }
  if (!kind.namespaced) return;
  const Json* space = metadata.find("namespace");
  const std::string_view text = space == nullptr ? std::string_view() : space->as_text();
  if (!is_dns_label(text) || text.size() > label_max) faults.invalid("metadata.namespace", text, label_rule);
}

void check_labels(const Json& labels, Faults& faults) {
  if (!labels.is_object()) return faults.invalid("metadata.labels", labels.dump(), "must be a map of texts");
  for (const Json::Member& label : labels.members()) {
    if (!is_qualified_name(label.name)) faults.invalid("metadata.labels", label.name, key_rule);
    const bool fits = label.value.is_text() && (label.value.as_text().empty() || is_label_text(label.value.as_text()));
    if (!fits) faults.invalid("metadata.labels." + label.name, label.value.dump(), value_rule);
  }
}

void check_annotations(const Json& annotations, Faults& faults) {
  if (!annotations.is_object())
    return faults.invalid("metadata.annotations", annotations.dump(), "must be a map of texts");
  std::size_t bytes = 0;
  for (const Json::Member& annotation : annotations.members()) {
    bytes += annotation.name.size() + annotation.value.as_text().size();
    if (!annotation.value.is_text())
      faults.invalid("metadata.annotations." + annotation.name, annotation.value.dump(), "must be text");
  }
  if (bytes > annotation_bytes_max) {
    faults.invalid("metadata.annotations", fmt::format("{} bytes", bytes),
                   fmt::format("must have at most {} bytes", annotation_bytes_max));
  }
}

void check_finalizers(const Json& finalizers, Faults& faults) {
  if (!finalizers.is_array()) return faults.invalid("metadata.finalizers", finalizers.dump(), "must be a list");
  for (const Json& finalizer : finalizers.items()) {
    if (!is_qualified_name(finalizer.as_text())) faults.invalid("metadata.finalizers", finalizer.dump(), key_rule);
  }
}

const Json* present(const Json& map, std::string_view name) {
  const Json* found = map.find(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

}  // namespace

std::string_view text_at(const Json& object, std::initializer_list<std::string_view> path) {
  const Json* found = object.find_path(path);
  return found == nullptr ? std::string_view() : found->as_text();
}

std::vector<FieldCause> metadata_faults(const ResourceKind& kind, const Json& object) {
  Faults faults;
  const Json* metadata = object.find("metadata");
  if (metadata == nullptr || !metadata->is_object()) {
    faults.required("metadata", "every object has metadata");
    return faults.take();
  }
  check_names(kind, *metadata, faults);
  if (const Json* labels = present(*metadata, "labels")) check_labels(*labels, faults);
  if (const Json* annotations = present(*metadata, "annotations")) check_annotations(*annotations, faults);
  if (const Json* finalizers = present(*metadata, "finalizers")) check_finalizers(*finalizers, faults);
  return faults.take();
}

void stamp_new(const ResourceName& name, Json& object, Random& random, WallTime now) {
  Json& metadata = object.member("metadata");
  if (!metadata.is_object()) metadata = Json::object();
  for (const auto member : {"uid", "resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"})
    metadata.erase(member);
  metadata.set("name", Json::text(name.name));
  if (!name.namespace_name.empty()) metadata.set("namespace", Json::text(name.namespace_name));
  metadata.set("uid", Json::text(make_uuid(random)));
  metadata.set("creationTimestamp", Json::text(rfc3339(now)));
  metadata.set("generation", Json::integer(1));
}

void keep_identity(const Json& live, Json& next) {
  Json& metadata = next.member("metadata");
  if (!metadata.is_object()) metadata = Json::object();
  for (const auto member : {"name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion",
                            "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"}) {
    const Json* kept = live.find_path({"metadata", member});
    if (kept != nullptr) {
      metadata.set(member, *kept);
    } else {
      metadata.erase(member);
    }
  }
}

std::string generated_name(std::string_view prefix, Random& random) {
  // apiserver/pkg/storage/names: 5 characters of rand's alphabet, the prefix cut to 58.
  constexpr std::string_view letters = "bcdfghjklmnpqrstvwxz2456789";
  std::string out(prefix.substr(0, 58));
  for (int i = 0; i < 5; ++i) out += letters[random.next() % letters.size()];
  return out;
}

bool has_finalizers(const Json& object) {
  const Json* finalizers = object.find_path({"metadata", "finalizers"});
  return finalizers != nullptr && !finalizers->items().empty();
}

bool is_terminating(const Json& object) {
  return object.find_path({"metadata", "deletionTimestamp"}) != nullptr;
}

void mark_terminating(Json& object, WallTime now) {
  Json& metadata = object.member("metadata");
  metadata.set("deletionTimestamp", Json::text(rfc3339(now)));
  metadata.set("deletionGracePeriodSeconds", Json::integer(0));
  metadata.set("generation", Json::integer(generation_of(object) + 1));
}

std::vector<std::string> new_finalizers(const Json& live, const Json& next) {
  std::vector<std::string> out;
  const Json* before = live.find_path({"metadata", "finalizers"});
  const Json* after = next.find_path({"metadata", "finalizers"});
  if (after == nullptr) return out;
  for (const Json& finalizer : after->items()) {
    const bool old = before != nullptr &&
                     std::find(before->items().begin(), before->items().end(), finalizer) != before->items().end();
    if (!old) out.emplace_back(finalizer.as_text());
  }
  return out;
}

bool same_wish(const Json& a, const Json& b) {
  const auto without = [](Json object) {
    object.erase("metadata");
    object.erase("status");
    return object;
  };
  return without(a) == without(b);
}

std::int64_t generation_of(const Json& object) {
  const Json* found = object.find_path({"metadata", "generation"});
  return found == nullptr ? 0 : found->as_integer();
}

void put_in_order(Json& object) {
  constexpr std::array<std::string_view, 3> first{"apiVersion", "kind", "metadata"};
  const auto rank = [&](const Json::Member& member) {
    const auto at = std::find(first.begin(), first.end(), member.name);
    if (at != first.end()) return at - first.begin();
    return std::ptrdiff_t(member.name == "status" ? first.size() + 1 : first.size());
  };
  std::stable_sort(object.members().begin(), object.members().end(),
                   [&](const Json::Member& a, const Json::Member& b) { return rank(a) < rank(b); });
}

}  // namespace jackdaw::control
