// ResourceStore: declared objects as the Kubernetes API keeps them: create, get, list, update, patch, apply, delete,
// watch. It knows metadata and concurrency; what a spec means is for the validator handed in and for those who watch.
//
// Thread-safe; writes are serialized and on disk before they are acknowledged (storage::ObjectTable), so they may
// block: call them on the work thread. Reads and watches never block on the disk.
//
// Facts: Kubernetes API conventions (metadata, resourceVersion, generation), API concepts (watch, bookmarks, 410 Gone).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/base/result.h"
#include "jackdaw/spec/json.h"
#include "jackdaw/spec/patch.h"
#include "jackdaw/storage/object_table.h"

namespace jackdaw::control {

// One kind under one plural: {"serving.kserve.io", "inferenceservices", "InferenceService", "isvc", {"v1beta1"}}.
struct ResourceKind {
  std::string group;
  std::string plural;
  std::string singular;
  std::string kind;
  std::vector<std::string> short_names;
  std::vector<std::string> versions;  // served ones; the first is the storage version
  bool namespaced = true;
};

struct ResourceName {
  std::string group;
  std::string plural;
  std::string namespace_name;  // "" for kinds without namespaces
  std::string name;
};

// An object that was removed: what other nodes have to hear of it.
struct Tombstone {
  ResourceName name;
  std::string uid;
  std::string hybrid_version;  // of the removal
  WallTime removed_at{};
};

// Why a request cannot be done, by the words of metav1.Status.reason; the API renders them as they are.
enum class Reason : unsigned char {
  not_found,
  already_exists,
  conflict,
  invalid,
  bad_request,
  expired,
  too_large,
  internal,
  unavailable
};

struct FieldCause {
  std::string field;    // "spec.predictor.model.storageUri"
  std::string message;  // with the reason
  std::string reason;   // "FieldValueRequired", "FieldValueInvalid", "FieldManagerConflict", ...
};

struct StoreError {
  Reason reason = Reason::internal;
  std::string message;
  std::vector<FieldCause> causes;
};

// The outcome of a write: the object as it is now, or the error. `warnings` go out as `Warning: 299`.
struct StoreAnswer {
  std::optional<StoreError> error;
  spec::Json object;
  std::vector<std::string> warnings;
  bool changed = false;  // false: the write said what was there already, resourceVersion stays
};

// What becomes of fields that the kind does not have (Kubernetes' fieldValidation): refuse the write, or leave them out
// and warn of it or not.
enum class UnknownFields : unsigned char { refuse, warn, ignore };

struct WriteOptions {
  std::string field_manager = "unknown";
  bool dry_run = false;  // everything but the writing
  UnknownFields unknown_fields = UnknownFields::refuse;
};

struct PatchRequest {
  enum class Type : unsigned char { merge, json, apply } type = Type::merge;
  spec::Json body;
  bool force = false;       // apply: take fields over
  std::string subresource;  // "" or "status"
};

struct Preconditions {
  std::string uid;               // "" = any
  std::string resource_version;  // "" = any
};

// Equality selectors of labels (metadata.labels) and fields (metadata.name, metadata.namespace).
struct Selector {
  std::string labels;  // "app=iris,tier!=dev,owner,!old,env in (a,b)"
  std::string fields;  // "metadata.name=iris"
};

enum class EventType : unsigned char { added, modified, deleted, bookmark };

struct WatchEvent {
  EventType type = EventType::added;
  // Of a bookmark: null; only the version counts.
  std::shared_ptr<const spec::Json> object;
  std::uint64_t resource_version = 0;
  bool initial_events_end = false;  // the bookmark that ends the initial list (sendInitialEvents)
};

// A piece of a list, as Kubernetes' limit and continue cut it.
struct ListPiece {
  std::size_t limit = 0;       // at most so many objects; 0 = all of them
  std::string continue_token;  // ListAnswer::next of the piece before; "" = from the beginning
};

struct ListAnswer {
  // A selector or token that cannot be read (bad_request), or a token whose list is no longer remembered (expired).
  std::optional<StoreError> error;
  std::vector<std::shared_ptr<const spec::Json>> objects;  // in the order of their keys, as etcd gives them
  std::uint64_t resource_version = 0;                      // the same for all pieces of a list
  // There are more, and this is where they begin; "" = these were the last. Of an expired list: where it goes on with
  // what is there now.
  std::string next;
  std::optional<std::uint64_t> remaining;  // how many come after these; nothing when that is not known
};

// A watcher's own queue, bounded; one that does not read loses its watch with `expired`, and lists anew, as Kubernetes'
// clients do.
class Watch {
 public:
  virtual ~Watch() = default;  // ends it
  // What has come since the last call; empty when nothing has. `expired` becomes true when events were lost.
  virtual std::vector<WatchEvent> take(bool& expired) = 0;
  // Everything up to this version was handed out by the last take(): what a bookmark may say. The taker's thread.
  virtual std::uint64_t resource_version() const = 0;
};

struct WatchRequest {
  std::string group;
  std::string plural;
  std::string namespace_name;  // "" = all
  Selector selector;
  // "" or "0": every object as added, then what comes; else everything after it, or Reason::expired.
  std::string resource_version;
  bool send_initial_events = false;  // every object as added, then the bookmark, whatever the version
  // Called on any thread, at most once until take() was called: there is something to take. A call that is under way
  // when the watch is destroyed still comes.
  std::function<void()> wake;
};

// A member of the object that its kind does not have.
struct UnknownField {
  FieldCause cause;
  std::string pointer;  // JSON pointer (RFC 6901)
};

// Looks at an object before it is written: what is wrong, and what deserves a warning. May change it (defaults).
struct Verdict {
  std::vector<FieldCause> errors;  // without those about unknown fields
  std::vector<UnknownField> unknown_fields;
  std::vector<std::string> warnings;
};
using Validator = std::function<Verdict(const ResourceKind&, spec::Json& object)>;

struct ResourceStoreOptions {
  std::vector<ResourceKind> kinds;
  Validator validate;
  Clock* clock = nullptr;
  Random* random = nullptr;
  std::string node_name = "jackdaw";         // part of the hybrid-clock version
  std::size_t history_max = 4096;            // events kept for watches and lists that go on from the past
  std::size_t history_bytes_max = 1u << 20;  // of their objects' text
  std::size_t object_bytes_max = 1u << 20;   // Kubernetes' etcd limit is near
  std::size_t objects_max = 100'000;
  std::size_t watch_queue_max = 1024;
  std::size_t tombstones_max = 10'000;
  Duration tombstone_age_max = std::chrono::hours(7 * 24);
};

class ResourceStore {
 public:
  virtual ~ResourceStore() = default;

  virtual const std::vector<ResourceKind>& kinds() const = 0;
  virtual const ResourceKind* kind(std::string_view group, std::string_view plural) const = 0;

  virtual std::shared_ptr<const spec::Json> get(const ResourceName& name) const = 0;  // null: not there
  // All pieces of a list show the objects as they were at the first one's version. Nothing is kept for a list that is
  // under way: what was written since is undone for it, and it expires with the history that watches go on from.
  virtual ListAnswer list(std::string_view group, std::string_view plural, std::string_view namespace_name,
                          const Selector& selector, const ListPiece& piece) const = 0;
  ListAnswer list(std::string_view group, std::string_view plural, std::string_view namespace_name,
                  const Selector& selector) const {
    return list(group, plural, namespace_name, selector, {});
  }

  // metadata.generateName is honoured. uid, creationTimestamp, generation 1, resourceVersion and managedFields are
  // filled in.
  virtual StoreAnswer create(const ResourceName& name, spec::Json object, const WriteOptions& options) = 0;
  // Whole replacement; metadata.resourceVersion, when given, must be the current one. Status stays (it is a
  // subresource), generation counts up when anything but metadata and status changed.
  virtual StoreAnswer update(const ResourceName& name, spec::Json object, const WriteOptions& options) = 0;
  virtual StoreAnswer update_status(const ResourceName& name, spec::Json object, const WriteOptions& options) = 0;
  // An apply patch creates what is not there.
  virtual StoreAnswer patch(const ResourceName& name, const PatchRequest& patch, const WriteOptions& options) = 0;
  // The answer's object is the one that was removed. An object with finalizers only gets its deletionTimestamp, and
  // goes with the last.
  virtual StoreAnswer remove(const ResourceName& name, const Preconditions& preconditions,
                             const WriteOptions& options) = 0;

  // Null with `error` set when it cannot be had.
  virtual std::unique_ptr<Watch> watch(WatchRequest request, StoreError& error) = 0;

  virtual std::uint64_t resource_version() const = 0;
  // When the object was last written and by which node, as text that sorts by time ("0001934f2a7bc1d0-0003-node"); ""
  // when it is not there. Kept beside the object, for the replication between nodes that resourceVersion cannot serve.
  virtual std::string hybrid_version(const ResourceName& name) const = 0;
  // What was removed, oldest first, within the limits of number and age; a name that has an object again has none.
  virtual std::vector<Tombstone> tombstones() const = 0;

  // The daemon ends: every watch is woken and told that it is over (`expired`); new ones are refused with
  // Reason::unavailable.
  virtual void end_watches() = 0;
};

// Reads what the table holds; objects of kinds that are not in `options` stay there untouched. `table` may be null:
// everything in memory, lost at the end. Errors: those of the table; parse_error for a row that is no object.
Result<std::unique_ptr<ResourceStore>> make_resource_store(std::unique_ptr<storage::ObjectTable> table,
                                                           ResourceStoreOptions options);

}  // namespace jackdaw::control
