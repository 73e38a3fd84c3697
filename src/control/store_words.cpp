#include "src/control/store_words.h"

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>

namespace jackdaw::control::words {
namespace {

std::string qualified(std::string_view name, std::string_view group) {
  return group.empty() ? std::string(name) : fmt::format("{}.{}", name, group);
}
std::string object_words(const ResourceName& name) {
  return fmt::format("{} \"{}\"", qualified(name.plural, name.group), name.name);
}

}  // namespace

StoreError no_such_kind(const ResourceName& name) {
  return {Reason::not_found, fmt::format("there is no resource {} here", qualified(name.plural, name.group)), {}};
}

StoreError not_found(const ResourceName& name) {
  return {Reason::not_found, object_words(name) + " not found", {}};
}

StoreError already_exists(const ResourceName& name) {
  return {Reason::already_exists, object_words(name) + " already exists", {}};
}

StoreError modified(const ResourceName& name) {
  return {Reason::conflict,
          fmt::format("Operation cannot be fulfilled on {}: the object has been modified; please apply your changes to "
                      "the latest version and try again",
                      object_words(name)),
          {}};
}

StoreError other_uid(const ResourceName& name, std::string_view wanted, std::string_view uid) {
  return {Reason::conflict,
          fmt::format("Operation cannot be fulfilled on {}: Precondition failed: UID in precondition: {}, UID in "
                      "object meta: {}",
                      object_words(name), wanted, uid),
          {}};
}

StoreError renamed(std::string_view member, std::string_view stated, std::string_view live) {
  return {Reason::bad_request,
          fmt::format("the {} of the object ({}) does not match the {} on the URL ({})", member, stated, member, live),
          {}};
}

StoreError invalid(const ResourceKind& kind, const ResourceName& name, std::vector<FieldCause> causes) {
  std::string list;
  for (const FieldCause& cause : causes) {
    if (!list.empty()) list += ", ";
    list += cause.field.empty() ? cause.message : cause.field + ": " + cause.message;
  }
  if (causes.size() > 1) list = "[" + list + "]";
  return {Reason::invalid, fmt::format("{} \"{}\" is invalid: {}", qualified(kind.kind, kind.group), name.name, list),
          std::move(causes)};
}

StoreError bad_patch(const Error& error) {
  const Reason reason = error.code == Code::unprocessable ? Reason::invalid
                        : error.code == Code::too_large   ? Reason::too_large
                                                          : Reason::bad_request;
  return {reason, "the patch cannot be applied: " + error.text(), {}};
}

// managedfields/internal/conflict.go.
StoreError apply_conflicts(const std::vector<spec::FieldConflict>& conflicts) {
  StoreError error{Reason::conflict, {}, {}};
  std::map<std::string, std::vector<std::string>> by_owner;
  for (const spec::FieldConflict& conflict : conflicts) {
    error.causes.push_back({conflict.path, "conflict with " + conflict.owner, "FieldManagerConflict"});
    by_owner[conflict.owner].push_back(conflict.path);
  }
  if (conflicts.size() == 1) {
    error.message = fmt::format("Apply failed with 1 conflict: conflict with {}: {}", conflicts.front().owner,
                                conflicts.front().path);
    return error;
  }
  error.message = fmt::format("Apply failed with {} conflicts: ", conflicts.size());
  std::string lines;
  for (const auto& [owner, paths] : by_owner) {
    lines += fmt::format("{}conflicts with {}:", lines.empty() ? "" : "\n", owner);
    for (const std::string& path : paths) lines += "\n- " + path;
  }
  error.message += lines;
  return error;
}

StoreError too_large(std::size_t bytes_max) {
  return {Reason::too_large, fmt::format("Request entity too large: limit is {} bytes for an object", bytes_max), {}};
}

StoreError too_many(std::size_t objects_max) {
  return {
      Reason::unavailable, fmt::format("there are {} objects, as many as may be; delete some first", objects_max), {}};
}

StoreError not_written(const Error& error) {
  const bool later = error.code == Code::resource_exhausted || error.code == Code::not_ready;
  return {later ? Reason::unavailable : Reason::internal,
          fmt::format("nothing was changed, because the store could not write it: {}", error.text()),
          {}};
}

StoreError bad_continue_token() {
  return {Reason::bad_request, "continue key is not valid: it is none of a list of these objects", {}};
}

// apiserver/pkg/storage/etcd3/errors.go.
StoreError list_expired() {
  return {Reason::expired,
          "The provided continue parameter is too old to display a consistent list result. You can start a new list "
          "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
          "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
          "modified, or deleted between the time the first chunk was returned and now may show up in the list.",
          {}};
}

}  // namespace jackdaw::control::words
