// What the store knows of an object: metadata as Kubernetes keeps it (apimachinery/pkg/api/validation,
// util/validation).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/control/resource_store.h"
#include "jackdaw/spec/json.h"

namespace jackdaw::control {

std::string_view text_at(const spec::Json& object, std::initializer_list<std::string_view> path);

// Faults of metadata alone, whatever the kind: names, labels, annotations, finalizers.
std::vector<FieldCause> metadata_faults(const ResourceKind& kind, const spec::Json& object);

// A new object's uid, creationTimestamp and generation; takes out what a client cannot set.
void stamp_new(const ResourceName& name, spec::Json& object, Random& random, WallTime now);
// What stays of an object that is replaced, whatever the client sent: who it is and how it came to be.
void keep_identity(const spec::Json& live, spec::Json& next);
// "iris-" -> "iris-x7k2q", from letters and digits that make no words.
std::string generated_name(std::string_view prefix, Random& random);

bool has_finalizers(const spec::Json& object);
bool is_terminating(const spec::Json& object);
void mark_terminating(spec::Json& object, WallTime now);
// Names in `next` that `live` does not have.
std::vector<std::string> new_finalizers(const spec::Json& live, const spec::Json& next);

// Equal but for metadata and status: what metadata.generation counts.
bool same_wish(const spec::Json& a, const spec::Json& b);
std::int64_t generation_of(const spec::Json& object);

// apiVersion, kind and metadata first, status last, as people expect to read it.
void put_in_order(spec::Json& object);

}  // namespace jackdaw::control
