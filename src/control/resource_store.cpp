#include "jackdaw/control/resource_store.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <map>
#include <mutex>
#include <span>
#include <utility>

#include "jackdaw/base/log.h"
#include "jackdaw/base/text.h"
#include "src/control/continue_token.h"
#include "src/control/hybrid_clock.h"
#include "src/control/object_meta.h"
#include "src/control/repeated_fault.h"
#include "src/control/selector.h"
#include "src/control/store_words.h"
#include "src/control/tombstones.h"
#include "src/control/watch_hub.h"

namespace jackdaw::control {
namespace {

using spec::Json;

// What is stored was read within the usual limits, and managedFields nest and name deeper than the object they are of.
constexpr spec::ReadLimits row_limits{64u << 20, 4'000'000, 1, 256, 1u << 20};
constexpr std::size_t manager_bytes_max = 128;
constexpr int name_attempts = 8;

// "serving.kserve.io/inferenceservices/default/iris"; kinds without namespaces have an empty part there. What a
// collection's keys begin with; `namespace_name`: "" = all.
std::string collection_key(std::string_view group, std::string_view plural, std::string_view namespace_name) {
  return namespace_name.empty() ? fmt::format("{}/{}/", group, plural)
                                : fmt::format("{}/{}/{}/", group, plural, namespace_name);
}
std::string key_of(const ResourceName& name) {
  return fmt::format("{}/{}/{}/{}", name.group, name.plural, name.namespace_name, name.name);
}

std::string storage_version(const ResourceKind& kind) {
  return kind.group.empty() ? kind.versions.front() : kind.group + "/" + kind.versions.front();
}

struct Stored {
  ObjectPtr object;
  std::string hybrid;
};
using Objects = std::map<std::string, Stored, std::less<>>;

// What readers see. Everything in it is guarded by the mutex, which nobody holds while the disk works.
struct Shared {
  Shared(WatchHub::Limits limits, Tombstones::Limits stone_limits, std::uint64_t begin)
      : tombstones(stone_limits), hub(limits, begin), version(begin) {}

  mutable std::mutex mutex;
  Objects objects;
  Tombstones tombstones;
  WatchHub hub;
  std::uint64_t version = 0;
};

class StoreWatch final : public Watch {
 public:
  StoreWatch(std::shared_ptr<Shared> shared, std::shared_ptr<WatchQueue> queue)
      : shared_(std::move(shared)), queue_(std::move(queue)) {}

  ~StoreWatch() override {
    const std::lock_guard lock(shared_->mutex);
    shared_->hub.leave(*queue_);
  }

  std::vector<WatchEvent> take(bool& expired) override {
    const std::lock_guard lock(shared_->mutex);
    queue_->woken = false;
    queue_->initial = 0;
    expired = queue_->expired;
    version_ = shared_->version;
    return std::exchange(queue_->events, {});
  }

  std::uint64_t resource_version() const override { return version_; }

 private:
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<WatchQueue> queue_;
  std::uint64_t version_ = 0;
};

// One write on its way: from what was asked to what will be stored.
struct Draft {
  const ResourceKind* kind = nullptr;
  ResourceName name;
  WriteOptions options;
  spec::FieldManager manager;
  ObjectPtr live;  // null: there is none
  Json next;
  std::vector<std::string> warnings;
};

// What a removal leaves, and the older ones that go for it.
struct Burial {
  Tombstone stone;
  std::vector<std::string> forgotten;  // keys
};

class Store final : public ResourceStore {
 public:
  Store(std::unique_ptr<storage::ObjectTable> table, ResourceStoreOptions options)
      : table_(std::move(table)),
        options_(std::move(options)),
        life_(options_.random == nullptr ? 0 : options_.random->next()),
        hybrid_(options_.node_name),
        shared_(std::make_shared<Shared>(
            WatchHub::Limits{options_.history_max, options_.history_bytes_max, options_.watch_queue_max},
            Tombstones::Limits{options_.tombstones_max, options_.tombstone_age_max},
            table_ == nullptr ? 0 : table_->sequence())) {}

  Result<void> load() {
    if (table_ == nullptr) return {};
    JACKDAW_ASSIGN(const std::vector<storage::ObjectRow> rows, table_->rows());
    for (const storage::ObjectRow& row : rows) JACKDAW_TRY(load_row(row));
    return {};
  }

  const std::vector<ResourceKind>& kinds() const override { return options_.kinds; }

  const ResourceKind* kind(std::string_view group, std::string_view plural) const override {
    const auto at = std::find_if(options_.kinds.begin(), options_.kinds.end(),
                                 [&](const ResourceKind& k) { return k.group == group && k.plural == plural; });
    return at == options_.kinds.end() ? nullptr : &*at;
  }

  ObjectPtr get(const ResourceName& name) const override {
    const std::string key = key_of(name);
    const std::lock_guard lock(shared_->mutex);
    const auto at = shared_->objects.find(key);
    return at == shared_->objects.end() ? nullptr : at->second.object;
  }

  ListAnswer list(std::string_view group, std::string_view plural, std::string_view namespace_name,
                  const Selector& selector, const ListPiece& piece) const override {
    const auto parsed = ObjectSelector::parse(selector);
    if (!parsed) return refused_list({Reason::bad_request, parsed.error().message, {}});
    const std::string prefix = collection_key(group, plural, namespace_name);
    auto from = begin_of(piece, prefix);
    if (!from) return refused_list(words::bad_continue_token());
    ListAnswer answer = read_list(prefix, *from, piece.limit, parsed->matches_all());
    if (answer.error) return answer;
    std::erase_if(answer.objects, [&](const ObjectPtr& object) { return !parsed->matches(*object); });
    if (piece.limit == 0 || answer.objects.size() <= piece.limit) return answer;
    answer.objects.resize(piece.limit);
    if (from->remaining) answer.remaining = *from->remaining - std::min<std::uint64_t>(*from->remaining, piece.limit);
    const Json& last = *answer.objects.back();
    const ResourceName name{std::string(group), std::string(plural),
                            std::string(text_at(last, {"metadata", "namespace"})),
                            std::string(text_at(last, {"metadata", "name"}))};
    answer.next = ContinueToken{life_, answer.resource_version, answer.remaining, key_of(name)}.text();
    return answer;
  }

  StoreAnswer create(const ResourceName& name, Json object, const WriteOptions& options) override {
    const std::lock_guard lock(write_mutex_);
    Draft draft = drafted(name, options);
    if (draft.kind == nullptr) return refused(words::no_such_kind(name));
    if (draft.name.name.empty()) draft.name.name = text_at(object, {"metadata", "name"});
    if (draft.name.name.empty()) choose_name(draft.name, text_at(object, {"metadata", "generateName"}));
    if (get(draft.name) != nullptr) return refused(words::already_exists(draft.name));
    draft.live = nullptr;
    if (auto error = take_client_object(draft, std::move(object))) return refused(std::move(*error));
    if (!text_at(draft.next, {"metadata", "resourceVersion"}).empty()) {
      return refused({Reason::bad_request, "resourceVersion should not be set on objects to be created", {}});
    }
    draft.next.erase("status");
    stamp_new(draft.name, draft.next, *options_.random, options_.clock->wall());
    return finish(draft, true);
  }

  StoreAnswer update(const ResourceName& name, Json object, const WriteOptions& options) override {
    const std::lock_guard lock(write_mutex_);
    Draft draft = drafted(name, options);
    if (draft.live == nullptr) return refused(words::not_found(name));
    if (auto error = take_client_object(draft, std::move(object))) return refused(std::move(*error));
    return replace(draft);
  }

  StoreAnswer update_status(const ResourceName& name, Json object, const WriteOptions& options) override {
    const std::lock_guard lock(write_mutex_);
    Draft draft = drafted(name, options);
    if (draft.live == nullptr) return refused(words::not_found(name));
    draft.manager.subresource = "status";
    if (auto error = take_client_object(draft, std::move(object))) return refused(std::move(*error));
    return replace_status(draft);
  }

  StoreAnswer patch(const ResourceName& name, const PatchRequest& patch, const WriteOptions& options) override {
    const std::lock_guard lock(write_mutex_);
    Draft draft = drafted(name, options);
    if (draft.kind == nullptr) return refused(words::no_such_kind(name));
    draft.manager.subresource = patch.subresource;
    if (patch.type == PatchRequest::Type::apply) return apply(draft, patch);
    if (draft.live == nullptr) return refused(words::not_found(name));
    Result<Json> patched = patch.type == PatchRequest::Type::merge ? spec::merge_patch(*draft.live, patch.body)
                                                                   : spec::json_patch(*draft.live, patch.body);
    if (!patched) return refused(words::bad_patch(patched.error()));
    if (auto error = take_client_object(draft, std::move(*patched))) return refused(std::move(*error));
    return patch.subresource == "status" ? replace_status(draft) : replace(draft);
  }

  StoreAnswer remove(const ResourceName& name, const Preconditions& preconditions,
                     const WriteOptions& options) override {
    const std::lock_guard lock(write_mutex_);
    Draft draft = drafted(name, options);
    if (draft.live == nullptr) return refused(words::not_found(name));
    draft.next = *draft.live;
    if (auto error = unmet(draft, preconditions)) return refused(std::move(*error));
    if (!has_finalizers(draft.next)) return erase(draft);
    if (is_terminating(draft.next)) return answer_of(draft, false);
    mark_terminating(draft.next, options_.clock->wall());
    return put(draft);
  }

  std::unique_ptr<Watch> watch(WatchRequest request, StoreError& error) override;

  std::uint64_t resource_version() const override {
    const std::lock_guard lock(shared_->mutex);
    return shared_->version;
  }

  std::string hybrid_version(const ResourceName& name) const override {
    const std::string key = key_of(name);
    const std::lock_guard lock(shared_->mutex);
    const auto at = shared_->objects.find(key);
    return at == shared_->objects.end() ? std::string() : at->second.hybrid;
  }

  std::vector<Tombstone> tombstones() const override {
    const std::lock_guard lock(shared_->mutex);
    return shared_->tombstones.all(options_.clock->wall());
  }

  void end_watches() override {
    std::vector<std::function<void()>> wakes;
    {
      const std::lock_guard lock(shared_->mutex);
      wakes = shared_->hub.end();
    }
    for (const auto& wake : wakes) wake();
  }

 private:
  // ---- reading
  // ----------------------------------------------------------------------------------------------------

  Result<void> load_row(const storage::ObjectRow& row) {
    hybrid_.saw(row.version);
    if (is_tombstone_row(row.key)) {
      JACKDAW_ASSIGN(auto tombstone, read_tombstone(row));
      shared_->tombstones.put(std::move(tombstone.first), std::move(tombstone.second));
      return {};
    }
    const std::size_t plural_end = row.key.find('/', row.key.find('/') + 1);
    const std::size_t group_end = row.key.find('/');
    const bool known = plural_end != std::string::npos &&
                       kind(std::string_view(row.key).substr(0, group_end),
                            std::string_view(row.key).substr(group_end + 1, plural_end - group_end - 1)) != nullptr;
    if (!known) {
      log_warning("an object of a kind that this version does not know stays where it is", {{"key", row.key}});
      return {};
    }
    auto object = spec::read_json(row.value, row.key, row_limits);
    if (!object || !object->is_object()) {
      return make_error(Code::parse_error, "the object '{}' in the store cannot be read{}{}", row.key,
                        object ? "" : ": ", object ? "" : object.error().text());
    }
    shared_->objects.emplace(row.key, Stored{std::make_shared<const Json>(std::move(*object)), row.version});
    return {};
  }

  static ListAnswer refused_list(StoreError error) {
    ListAnswer answer;
    answer.error = std::move(error);
    return answer;
  }

  // Where a piece begins. Nothing when its token is none of this collection's.
  std::optional<ContinueToken> begin_of(const ListPiece& piece, std::string_view prefix) const {
    if (piece.continue_token.empty()) return ContinueToken{life_, std::nullopt, std::nullopt, ""};
    auto token = ContinueToken::parse(piece.continue_token);
    if (!token || !token->after.starts_with(prefix)) return std::nullopt;
    return token;
  }

  // What there was at the token's version, after its key: one more than `limit` where every object counts, so that it
  // shows whether there are more; `from.remaining` then says how many there are from here on.
  ListAnswer read_list(const std::string& prefix, ContinueToken& from, std::size_t limit, bool every_object) const {
    constexpr std::size_t all = std::numeric_limits<std::size_t>::max();
    const std::size_t most = limit > 0 && limit < all && every_object ? limit + 1 : all;
    ListAnswer answer;
    const std::lock_guard lock(shared_->mutex);
    const std::uint64_t version = from.resource_version.value_or(shared_->version);
    const bool remembered =
        from.resource_version == std::nullopt || (from.life == life_ && version >= shared_->hub.history_begin());
    if (!remembered || version > shared_->version) {
      answer = refused_list(words::list_expired());
      answer.next = ContinueToken{life_, std::nullopt, std::nullopt, from.after}.text();
      return answer;
    }
    answer.resource_version = version;
    answer.objects = collection(prefix, version, from.after, most);
    if (!every_object) {
      from.remaining.reset();
    } else if (!from.resource_version && answer.objects.size() == most) {
      from.remaining = count_after(prefix, from.after);
    }
    return answer;
  }

  // Under the shared mutex; `after`: "" = from the beginning.
  Objects::const_iterator first_after(const std::string& prefix, const std::string& after) const {
    return after.empty() ? shared_->objects.lower_bound(prefix) : shared_->objects.upper_bound(after);
  }

  std::uint64_t count_after(const std::string& prefix, const std::string& after) const {
    auto end = first_after(prefix, after);
    const auto begin = end;
    while (end != shared_->objects.end() && end->first.starts_with(prefix)) ++end;
    return static_cast<std::uint64_t>(std::distance(begin, end));
  }

  // Under the shared mutex: `most` objects as they were at that version, in the order of their keys. Two rows are
  // walked side by side: what is there now, and what was written over since.
  std::vector<ObjectPtr> collection(const std::string& prefix, std::uint64_t version, const std::string& after,
                                    std::size_t most) const {
    const auto written_over = shared_->hub.written_over(version, prefix);
    auto now = first_after(prefix, after);
    auto then = after.empty() ? written_over.begin() : written_over.upper_bound(after);
    std::vector<ObjectPtr> out;
    while (out.size() < most) {
      const bool has_now = now != shared_->objects.end() && now->first.starts_with(prefix);
      const bool has_then = then != written_over.end();
      if (!has_now && !has_then) break;
      if (!has_then || (has_now && now->first < then->first)) {
        out.push_back((now++)->second.object);
        continue;
      }
      if (has_now && now->first == then->first) ++now;
      if (then->second != nullptr) out.push_back(then->second);
      ++then;
    }
    return out;
  }

  // ---- writing: all of it under the write mutex
  // --------------------------------------------------------------------

  static StoreAnswer refused(StoreError error) {
    StoreAnswer answer;
    answer.error = std::move(error);
    return answer;
  }

  static StoreAnswer answer_of(Draft& draft, bool changed) {
    return {std::nullopt, std::move(draft.next), std::move(draft.warnings), changed};
  }

  Draft drafted(const ResourceName& name, const WriteOptions& options) const {
    Draft draft;
    draft.kind = kind(name.group, name.plural);
    draft.name = name;
    draft.options = options;
    draft.manager = {options.field_manager, "Update", "", ""};
    if (draft.kind != nullptr) draft.live = get(name);
    return draft;
  }

  // What a client sent becomes the draft's next object, in the version that is stored.
  std::optional<StoreError> take_client_object(Draft& draft, Json object) const {
    if (!object.is_object()) return StoreError{Reason::bad_request, "the object is no map", {}};
    const std::string& manager = draft.manager.name;
    const bool printable = is_valid_utf8(manager) && std::none_of(manager.begin(), manager.end(), [](char c) {
                             return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
                           });
    if (manager.empty() || manager.size() > manager_bytes_max || !printable) {
      return StoreError{Reason::bad_request, "fieldManager must be 1 to 128 bytes of printable text", {}};
    }
    Json& metadata = object.member("metadata");
    if (metadata.is_null()) metadata = Json::object();
    if (!metadata.is_object()) return StoreError{Reason::bad_request, "metadata is no map", {}};
    const std::string_view version = text_at(object, {"apiVersion"});
    draft.manager.api_version = version.empty() ? storage_version(*draft.kind) : std::string(version);
    object.set("apiVersion", Json::text(storage_version(*draft.kind)));
    object.set("kind", Json::text(draft.kind->kind));
    draft.next = std::move(object);
    if (draft.live == nullptr) return std::nullopt;
    const Preconditions stated{std::string(text_at(draft.next, {"metadata", "uid"})),
                               std::string(text_at(draft.next, {"metadata", "resourceVersion"}))};
    return unmet(draft, stated);
  }

  static std::optional<StoreError> unmet(const Draft& draft, const Preconditions& wanted) {
    const std::string_view uid = text_at(*draft.live, {"metadata", "uid"});
    if (!wanted.uid.empty() && wanted.uid != uid) return words::other_uid(draft.name, wanted.uid, uid);
    const std::string_view version = text_at(*draft.live, {"metadata", "resourceVersion"});
    if (!wanted.resource_version.empty() && wanted.resource_version != version) return words::modified(draft.name);
    return std::nullopt;
  }

  // metadata.generateName, tried until it is nobody's.
  void choose_name(ResourceName& name, std::string_view prefix) const {
    if (prefix.empty()) return;
    int attempts = name_attempts;
    do {
      name.name = generated_name(prefix, *options_.random);
    } while (get(name) != nullptr && --attempts > 0);
  }

  StoreAnswer replace(Draft& draft) {
    for (const auto member : {"name", "namespace"}) {
      const std::string_view stated = text_at(draft.next, {"metadata", member});
      const std::string_view live = text_at(*draft.live, {"metadata", member});
      if (!stated.empty() && stated != live) return refused(words::renamed(member, stated, live));
    }
    keep_identity(*draft.live, draft.next);
    const Json* status = draft.live->find("status");
    if (status != nullptr) {
      draft.next.set("status", *status);
    } else {
      draft.next.erase("status");
    }
    return finish(draft, true);
  }

  StoreAnswer replace_status(Draft& draft) {
    Json next = *draft.live;
    const Json* status = draft.next.find("status");
    if (status != nullptr && !status->is_null()) {
      next.set("status", *status);
    } else {
      next.erase("status");
    }
    draft.next = spec::with_updated_managers(*draft.live, std::move(next), draft.manager, options_.clock->wall());
    return put_if_changed(draft);
  }

  StoreAnswer apply(Draft& draft, const PatchRequest& patch) {
    if (draft.live == nullptr && !patch.subresource.empty()) return refused(words::not_found(draft.name));
    if (auto error = take_client_object(draft, patch.body)) return refused(std::move(*error));
    if (draft.live == nullptr && !text_at(draft.next, {"metadata", "uid"}).empty()) {
      return refused(words::other_uid(draft.name, text_at(draft.next, {"metadata", "uid"}), ""));
    }
    draft.manager.operation = "Apply";
    // Before it is merged, so that nobody owns what is left out.
    const bool lenient = draft.options.unknown_fields != UnknownFields::refuse;
    if (lenient && options_.validate) leave_out_unknown(draft, options_.validate(*draft.kind, draft.next));
    if (draft.live != nullptr) name_like(*draft.live, draft.next);
    auto applied = spec::apply_patch(draft.live == nullptr ? Json() : *draft.live, draft.next, draft.manager,
                                     patch.force, options_.clock->wall());
    if (!applied) return refused({Reason::bad_request, applied.error().text(), {}});
    if (!applied->conflicts.empty()) return refused(words::apply_conflicts(applied->conflicts));
    draft.next = std::move(applied->object);
    if (draft.live == nullptr) stamp_new(draft.name, draft.next, *options_.random, options_.clock->wall());
    return patch.subresource.empty() ? finish(draft, false) : put_if_changed(draft);
  }

  // An apply need not repeat name and namespace, which the path has said.
  static void name_like(const Json& live, Json& next) {
    for (const auto member : {"name", "namespace"}) {
      if (const Json* kept = live.find_path({"metadata", member})) next.member("metadata").set(member, *kept);
    }
  }

  // The checks that every write of more than the status passes, then the write.
  StoreAnswer finish(Draft& draft, bool record_manager) {
    if (auto error = faults_of(draft)) return refused(std::move(*error));
    if (record_manager) {
      draft.next = spec::with_updated_managers(draft.live == nullptr ? Json() : *draft.live, std::move(draft.next),
                                               draft.manager, options_.clock->wall());
    }
    return put_if_changed(draft);
  }

  std::optional<StoreError> faults_of(Draft& draft) const {
    std::vector<FieldCause> causes = metadata_faults(*draft.kind, draft.next);
    if (causes.empty() && options_.validate) {
      Verdict verdict = options_.validate(*draft.kind, draft.next);
      // What is left may be looked at differently.
      if (leave_out_unknown(draft, verdict)) verdict = options_.validate(*draft.kind, draft.next);
      draft.warnings.insert(draft.warnings.end(), verdict.warnings.begin(), verdict.warnings.end());
      for (UnknownField& unknown : verdict.unknown_fields) causes.push_back(std::move(unknown.cause));
      causes.insert(causes.end(), std::make_move_iterator(verdict.errors.begin()),
                    std::make_move_iterator(verdict.errors.end()));
      // What is there already may stay, so that labels and finalizers of an object can change that a newer version
      // would refuse.
      const bool as_it_was =
          draft.live != nullptr && same_wish(*draft.live, draft.next) && same_annotations(*draft.live, draft.next);
      if (as_it_was) causes.clear();
    }
    if (causes.empty() && draft.live != nullptr && is_terminating(*draft.live)) {
      for (const std::string& finalizer : new_finalizers(*draft.live, draft.next)) {
        causes.push_back({"metadata.finalizers",
                          "Forbidden: no new finalizers can be added if the object is being deleted, found new "
                          "finalizers [\"" +
                              finalizer + "\"]",
                          "FieldValueForbidden"});
      }
    }
    if (causes.empty()) return std::nullopt;
    return words::invalid(*draft.kind, draft.name, std::move(causes));
  }

  // Takes unknown fields out of the draft where the writer wants that; whether there were any.
  static bool leave_out_unknown(Draft& draft, const Verdict& verdict) {
    if (draft.options.unknown_fields == UnknownFields::refuse || verdict.unknown_fields.empty()) return false;
    Json removals = Json::array();
    for (const UnknownField& unknown : verdict.unknown_fields) {
      removals.append(Json::object({{"op", Json::text("remove")}, {"path", Json::text(unknown.pointer)}}));
      if (draft.options.unknown_fields == UnknownFields::ignore) continue;
      draft.warnings.push_back(fmt::format("{}: {}; it is left out", unknown.cause.field, unknown.cause.message));
    }
    Result<Json> without = spec::json_patch(draft.next, removals);
    if (without) draft.next = std::move(*without);
    return without.has_value();
  }

  static bool same_annotations(const Json& a, const Json& b) {
    const Json* first = a.find_path({"metadata", "annotations"});
    const Json* second = b.find_path({"metadata", "annotations"});
    if (first == nullptr || second == nullptr) return first == second;
    return *first == *second;
  }

  StoreAnswer put_if_changed(Draft& draft) {
    put_in_order(draft.next);
    if (draft.live != nullptr) {
      if (draft.next == *draft.live) return answer_of(draft, false);
      if (is_terminating(*draft.live) && !has_finalizers(draft.next)) return erase(draft);
      const std::int64_t generation = generation_of(*draft.live) + (same_wish(*draft.live, draft.next) ? 0 : 1);
      draft.next.member("metadata").set("generation", Json::integer(generation));
    }
    return put(draft);
  }

  StoreAnswer put(Draft& draft) {
    if (draft.live == nullptr && object_count() >= options_.objects_max) {
      return refused(words::too_many(options_.objects_max));
    }
    const std::uint64_t version = resource_version() + 1;
    Json stored = draft.next;
    stored.member("metadata").set("resourceVersion", Json::text(std::to_string(version)));
    std::string text = stored.dump();
    if (text.size() > options_.object_bytes_max) return refused(words::too_large(options_.object_bytes_max));
    if (!is_valid_utf8(text)) return refused({Reason::bad_request, "the object holds text that is no UTF-8", {}});
    if (draft.options.dry_run) return answer_of(draft, true);

    draft.next = std::move(stored);
    const auto object = std::make_shared<const Json>(draft.next);
    const std::size_t bytes = text.size();
    const std::string key = key_of(draft.name);
    std::string hybrid = hybrid_.tick(options_.clock->wall());
    std::vector<storage::ObjectChange> changes;
    changes.push_back({key, std::move(text), false, hybrid});
    if (is_buried(key)) changes.push_back({tombstone_row_key(key), {}, true, {}});
    if (auto error = write(changes, version)) return refused(*error);
    publish(draft, {object, std::move(hybrid)}, nullptr, version, bytes);
    return answer_of(draft, true);
  }

  // The object goes, and its tombstone comes in the same write; the oldest of the others make room.
  StoreAnswer erase(Draft& draft) {
    if (draft.options.dry_run) return answer_of(draft, true);
    const std::uint64_t version = resource_version() + 1;
    const std::string key = key_of(draft.name);
    const WallTime now = options_.clock->wall();
    Burial burial{{draft.name, std::string(text_at(*draft.live, {"metadata", "uid"})), hybrid_.tick(now), now},
                  overdue_tombstones(now)};
    std::vector<storage::ObjectChange> changes;
    changes.push_back({key, {}, true, {}});
    for (const std::string& forgotten : burial.forgotten)
      changes.push_back({tombstone_row_key(forgotten), {}, true, {}});
    changes.push_back(tombstone_row(key, burial.stone));
    if (auto error = write(changes, version)) return refused(*error);
    publish(draft, {}, &burial, version, 0);
    return answer_of(draft, true);
  }

  bool is_buried(const std::string& key) const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->tombstones.has(key);
  }

  std::vector<std::string> overdue_tombstones(WallTime now) const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->tombstones.overdue(now);
  }

  std::size_t object_count() const {
    const std::lock_guard lock(shared_->mutex);
    return shared_->objects.size();
  }

  std::optional<StoreError> write(std::span<const storage::ObjectChange> changes, std::uint64_t version) {
    if (table_ == nullptr) return std::nullopt;
    const Result<void> written = table_->write(changes, version);
    if (written) {
      if (unwritten_.went()) log_info("declared objects are written again");
      return std::nullopt;
    }
    const std::string reason = written.error().text();
    if (const std::uint64_t times = unwritten_.came(reason, options_.clock->now())) {
      log_error("a declared object could not be written", {{"times", times}, {"reason", reason}});
    }
    return words::not_written(written.error());
  }

  // `stored` without an object, and a burial: it is gone. A deletion's event shows the object as it was.
  void publish(const Draft& draft, Stored stored, Burial* burial, std::uint64_t version, std::size_t bytes) {
    StoreChange change;
    change.kind = draft.kind;
    change.namespace_name = draft.name.namespace_name;
    change.key = key_of(draft.name);
    change.before = draft.live;
    change.object = stored.object;
    change.resource_version = version;
    change.bytes = bytes;
    change.type = draft.live == nullptr ? EventType::added : EventType::modified;
    const std::string key = change.key;
    if (stored.object == nullptr) {
      Json last = *draft.live;
      last.member("metadata").set("resourceVersion", Json::text(std::to_string(version)));
      change.object = std::make_shared<const Json>(std::move(last));
      change.type = EventType::deleted;
    }
    std::vector<std::function<void()>> wakes;
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->version = version;
      if (burial != nullptr) {
        shared_->objects.erase(key);
        for (const std::string& forgotten : burial->forgotten) shared_->tombstones.drop(forgotten);
        shared_->tombstones.put(key, std::move(burial->stone));
      } else {
        shared_->objects.insert_or_assign(key, std::move(stored));
        shared_->tombstones.drop(key);
      }
      wakes = shared_->hub.publish(std::move(change));
    }
    for (const auto& wake : wakes) wake();
  }

  const std::unique_ptr<storage::ObjectTable> table_;
  const ResourceStoreOptions options_;
  const std::uint64_t life_;  // tells this store's versions from those of one before it
  std::mutex write_mutex_;    // one write at a time; held while the disk works
  HybridClock hybrid_;        // under the write mutex
  RepeatedFault unwritten_;   // too
  const std::shared_ptr<Shared> shared_;
};

std::unique_ptr<Watch> Store::watch(WatchRequest request, StoreError& error) {
  const auto refuse = [&error](Reason reason, std::string message) {
    error = {reason, std::move(message), {}};
    return nullptr;
  };
  const ResourceKind* wanted = kind(request.group, request.plural);
  if (wanted == nullptr) return refuse(Reason::not_found, "the server could not find the requested resource");
  auto selector = ObjectSelector::parse(request.selector);
  if (!selector) return refuse(Reason::bad_request, selector.error().message);
  std::uint64_t since = 0;
  const std::string& text = request.resource_version;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), since);
  if (!text.empty() && (read.ec != std::errc() || read.ptr != text.data() + text.size())) {
    return refuse(Reason::bad_request, "resourceVersion: Invalid value: \"" + text + "\": must be a number");
  }

  auto queue = std::make_shared<WatchQueue>();
  queue->scope = {wanted, request.namespace_name, std::move(*selector)};
  queue->wake = std::move(request.wake);
  const std::lock_guard lock(shared_->mutex);
  if (shared_->hub.ended()) return refuse(Reason::unavailable, "the daemon is ending");
  const bool from_all = request.send_initial_events || since == 0;
  // A version that is yet to come is one of an earlier life of this daemon, whose events are unknown here.
  const bool known = since <= shared_->version && (from_all || since >= shared_->hub.history_begin());
  if (!known) {
    return refuse(Reason::expired, fmt::format("too old resource version: {} ({})", since, shared_->version));
  }
  if (from_all) {
    const std::string prefix = collection_key(request.group, request.plural, request.namespace_name);
    for (ObjectPtr& object : collection(prefix, shared_->version, "", std::numeric_limits<std::size_t>::max())) {
      if (!queue->scope.selector.matches(*object)) continue;
      queue->events.push_back({EventType::added, std::move(object), shared_->version, false});
    }
    if (request.send_initial_events) {
      queue->events.push_back({EventType::bookmark, nullptr, shared_->version, true});
    }
  } else {
    shared_->hub.replay(*queue, since);
  }
  queue->initial = queue->events.size();
  shared_->hub.join(queue);
  return std::make_unique<StoreWatch>(shared_, std::move(queue));
}

}  // namespace

Result<std::unique_ptr<ResourceStore>> make_resource_store(std::unique_ptr<storage::ObjectTable> table,
                                                           ResourceStoreOptions options) {
  auto store = std::make_unique<Store>(std::move(table), std::move(options));
  JACKDAW_TRY(store->load());
  return std::unique_ptr<ResourceStore>(std::move(store));
}

}  // namespace jackdaw::control
