// The errors of the store in Kubernetes' words (apimachinery/pkg/api/errors), which clients show to people and tests
// compare.
#pragma once

#include <string_view>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/control/resource_store.h"
#include "jackdaw/spec/patch.h"

namespace jackdaw::control::words {

StoreError no_such_kind(const ResourceName& name);
StoreError not_found(const ResourceName& name);
StoreError already_exists(const ResourceName& name);
StoreError modified(const ResourceName& name);
StoreError other_uid(const ResourceName& name, std::string_view wanted, std::string_view uid);
// `member` is "name" or "namespace".
StoreError renamed(std::string_view member, std::string_view stated, std::string_view live);
StoreError invalid(const ResourceKind& kind, const ResourceName& name, std::vector<FieldCause> causes);
StoreError bad_patch(const Error& error);
StoreError apply_conflicts(const std::vector<spec::FieldConflict>& conflicts);
StoreError too_large(std::size_t bytes_max);
StoreError too_many(std::size_t objects_max);
StoreError not_written(const Error& error);
StoreError bad_continue_token();
StoreError list_expired();

}  // namespace jackdaw::control::words
