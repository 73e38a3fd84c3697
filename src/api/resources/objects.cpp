// Reading and writing objects. Reads are answered on the io thread; writes go to the store's thread, because they are
// on disk before they are acknowledged.
#include <array>
#include <charconv>
#include <functional>
#include <optional>
#include <utility>

#include "src/api/access/admit.h"
#include "src/api/resources/accepted.h"
#include "src/api/resources/resource_call.h"
#include "src/api/resources/resources.h"
#include "src/api/resources/table.h"
#include "src/api/resources/watch_stream.h"

namespace jackdaw::api::resources {
namespace {

using control::StoreAnswer;
using spec::Json;
using ObjectPtr = std::shared_ptr<const Json>;

std::string list_kind(const control::ResourceKind& kind) {
  return kind.kind + "List";
}

void answer_body(const Call& call, int status, const Json& body, const std::vector<std::string>& warnings = {}) {
  net::Response response;
  response.status = status;
  for (const std::string& warning : warnings) response.headers.push_back(warning_header(warning));
  response.body = body.dump();
  answer(call, std::move(response));
}

Json shown(const Call& call, const Addressed& target, const ObjectPtr& object, View view, std::string_view include) {
  if (view == View::table) {
    const std::array objects{object};
    return table_of(*target.kind, objects, include, true, call.api->context.clock->wall());
  }
  if (view == View::object) return in_version(*object, target);
  Json metadata = object->find("metadata") == nullptr ? Json::object() : *object->find("metadata");
  return Json::object({{"kind", Json::text("PartialObjectMetadata")},
                       {"apiVersion", Json::text("meta.k8s.io/v1")},
                       {"metadata", std::move(metadata)}});
}

control::StoreError not_found(const Addressed& target) {
  control::StoreError error;
  error.reason = control::Reason::not_found;
  error.message = target.name.plural + "." + target.name.group + " \"" + target.name.name + "\" not found";
  return error;
}

// What limit and continue ask for. Answers 400 itself.
std::optional<control::ListPiece> wanted_piece(const Call& call, const Query& query) {
  control::ListPiece piece;
  const char* const end = query.limit.data() + query.limit.size();
  const auto read = std::from_chars(query.limit.data(), end, piece.limit);
  if (!query.limit.empty() && (read.ec != std::errc() || read.ptr != end)) {
    answer_status(call, 400, "BadRequest", "limit: Invalid value: \"" + query.limit + "\": must be a whole number");
    return std::nullopt;
  }
  piece.continue_token = query.continue_token;
  const bool versioned = !query.resource_version.empty() && query.resource_version != "0";
  if (versioned && !piece.continue_token.empty()) {
    answer_status(call, 400, "BadRequest", "specifying resource version is not allowed when using continue");
    return std::nullopt;
  }
  return piece;
}

Json list_metadata(const control::ListAnswer& list) {
  Json metadata = Json::object({{"continue", Json::text(list.next)}});
  if (list.remaining) metadata.set("remainingItemCount", Json::integer(static_cast<std::int64_t>(*list.remaining)));
  metadata.set("resourceVersion", Json::text(std::to_string(list.resource_version)));
  return metadata;
}

// An expired list says how to go on without its first version.
void answer_no_list(const Call& call, const Addressed& target, const control::ListAnswer& list) {
  Json status = error_status(target, *list.error);
  if (!list.next.empty()) status.set("metadata", Json::object({{"continue", Json::text(list.next)}}));
  answer_body(call, status_code(list.error->reason), status);
}

void list_or_watch(Call call, const Addressed& target) {
  const Query query = read_query(call.request());
  const View view = wanted_view(call.request());
  if (query.watch) {
    start_watch(std::move(call), target, query, view);
    return;
  }
  const auto piece = wanted_piece(call, query);
  if (!piece) return;
  const control::ResourceStore& store = *call.api->context.resources;
  const auto found = store.list(target.name.group, target.name.plural, target.name.namespace_name,
                                {query.label_selector, query.field_selector}, *piece);
  if (found.error) return answer_no_list(call, target, found);
  if (view == View::table) {
    Json table = table_of(*target.kind, found.objects, query.include_object, true, call.api->context.clock->wall());
    table.set("metadata", list_metadata(found));
    answer_body(call, 200, table);
    return;
  }
  std::vector<Json> items;
  for (const ObjectPtr& object : found.objects) items.push_back(shown(call, target, object, view, {}));
  const bool metadata = view == View::metadata;
  answer_body(
      call, 200,
      Json::object({{"apiVersion", Json::text(metadata ? "meta.k8s.io/v1" : target.name.group + "/" + target.version)},
                    {"items", Json::array(std::move(items))},
                    {"kind", Json::text(metadata ? "PartialObjectMetadataList" : list_kind(*target.kind))},
                    {"metadata", list_metadata(found)}}));
}

// ---- writes
// -------------------------------------------------------------------------------------------------------------

void answer_write(const Call& call, const Addressed& target, int status, StoreAnswer& written) {
  if (written.error) {
    answer_status_error(call, target, *written.error);
    return;
  }
  const auto object = std::make_shared<const Json>(std::move(written.object));
  const View view = wanted_view(call.request());
  answer_body(call, status, shown(call, target, object, view, read_query(call.request()).include_object),
              written.warnings);
}

using Write = std::function<StoreAnswer(control::ResourceStore&)>;

// Runs `write` on the store's thread and answers with what it made of it; `status` when it succeeded.
void run_write(Call call, Addressed target, int status, Write write) {
  serving::WorkerPool& pool = *call.api->context.store_pool;
  auto shared = std::make_shared<std::pair<Call, Addressed>>(std::move(call), std::move(target));
  const bool posted = pool.post([shared, status, write = std::move(write)] {
    auto answer_of_store = std::make_shared<StoreAnswer>(write(*shared->first.api->context.resources));
    shared->first.exchange->executor().post(
        [shared, status, answer_of_store] { answer_write(shared->first, shared->second, status, *answer_of_store); });
  });
  if (!posted) answer_status(shared->first, 503, "ServiceUnavailable", "Too many writes are waiting. Try again.");
}

std::string_view options_kind(net::Method method) {
  if (method == net::Method::post) return "CreateOptions";
  return method == net::Method::patch ? "PatchOptions" : "UpdateOptions";
}

// What a create, update or patch asks for. Answers 422 itself. Who names no fieldValidation gets Strict, where
// Kubernetes would only warn: a misspelt field would change what answers.
std::optional<control::WriteOptions> write_options(const Call& call, const Query& query) {
  control::WriteOptions options{query.field_manager, query.dry_run, control::UnknownFields::refuse};
  const std::string& wanted = query.field_validation;
  if (wanted == "Warn") {
    options.unknown_fields = control::UnknownFields::warn;
  } else if (wanted == "Ignore") {
    options.unknown_fields = control::UnknownFields::ignore;
  } else if (!wanted.empty() && wanted != "Strict") {
    answer_status(call, 422, "Invalid",
                  std::string(options_kind(call.request().method())) +
                      ".meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"" + wanted +
                      "\": supported values: \"Ignore\", \"Strict\", \"Warn\"");
    return std::nullopt;
  }
  return options;
}

// DELETE has no fields to look at.
control::WriteOptions removal_options(const Query& query) {
  return {query.field_manager, query.dry_run, control::UnknownFields::refuse};
}

// What a request says of itself must be what its path says.
bool fits_path(const Call& call, const Addressed& target, Json& object) {
  const auto refuse = [&call](const std::string& message) {
    answer_status(call, 400, "BadRequest", message);
    return false;
  };
  if (!object.is_object()) return refuse("the body is no object");
  const std::string api_version = target.name.group + "/" + target.version;
  const Json* stated = object.find("apiVersion");
  if (stated != nullptr && stated->as_text() != api_version) {
    return refuse("the API version in the data (" + std::string(stated->as_text()) +
                  ") does not match the expected API version (" + api_version + ")");
  }
  const Json* kind = object.find("kind");
  if (kind != nullptr && kind->as_text() != target.kind->kind) {
    return refuse(std::string(kind->as_text()) + " in version \"" + target.version + "\" cannot be handled as a " +
                  target.kind->kind);
  }
  object.set("apiVersion", Json::text(api_version));
  object.set("kind", Json::text(target.kind->kind));
  const Json* namespace_name = object.find_path({"metadata", "namespace"});
  if (namespace_name != nullptr && !namespace_name->as_text().empty() && !target.name.namespace_name.empty() &&
      namespace_name->as_text() != target.name.namespace_name) {
    return refuse("the namespace of the provided object does not match the namespace sent on the request");
  }
  const Json* name = object.find_path({"metadata", "name"});
  if (!target.name.name.empty() && name != nullptr && name->as_text() != target.name.name) {
    return refuse("the name of the object (" + std::string(name->as_text()) + ") does not match the name on the URL (" +
                  target.name.name + ")");
  }
  return true;
}

void replace_object(Call call, bool status) {
  if (answer_accepted(call)) return;
  auto target = addressed(call, call.path[2], call.path[3], call.path[4]);
  if (!target) return;
  auto object = read_body(call);
  if (!object || !fits_path(call, *target, *object)) return;
  const auto options = write_options(call, read_query(call.request()));
  if (!options) return;
  const control::ResourceName name = target->name;
  run_write(std::move(call), std::move(*target), 200,
            [name, status, options = *options, object = std::move(*object)](control::ResourceStore& store) {
              return status ? store.update_status(name, object, options) : store.update(name, object, options);
            });
}

void patch_object(Call call, std::string_view subresource) {
  if (answer_accepted(call)) return;
  auto target = addressed(call, call.path[2], call.path[3], call.path[4]);
  if (!target) return;
  const std::string_view type = call.request().header("content-type").value_or("");
  control::PatchRequest patch;
  if (type.starts_with("application/merge-patch+json")) {
    patch.type = control::PatchRequest::Type::merge;
  } else if (type.starts_with("application/json-patch+json")) {
    patch.type = control::PatchRequest::Type::json;
  } else if (type.starts_with("application/apply-patch+yaml")) {
    patch.type = control::PatchRequest::Type::apply;
  } else {
    answer_status(call, 415, "UnsupportedMediaType",
                  "the body of the request was in an unknown format - accepted media types include: "
                  "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml");
    return;
  }
  auto body = read_body(call);
  if (!body) return;
  const bool apply = patch.type == control::PatchRequest::Type::apply;
  if (apply && !fits_path(call, *target, *body)) return;
  const Query query = read_query(call.request());
  const auto options = write_options(call, query);
  if (!options) return;
  patch.body = std::move(*body);
  patch.force = query.force;
  patch.subresource = subresource;
  const control::ResourceName name = target->name;
  const bool is_new = apply && call.api->context.resources->get(name) == nullptr;
  run_write(std::move(call), std::move(*target), is_new ? 201 : 200,
            [name, patch = std::move(patch), options = *options](control::ResourceStore& store) {
              return store.patch(name, patch, options);
            });
}

// DeleteOptions, of which preconditions and dryRun count.
bool read_delete_options(const Call& call, control::Preconditions& preconditions, bool& dry_run) {
  if (call.request().body().empty()) return true;
  const auto body = read_body(call);
  if (!body) return false;
  if (const Json* uid = body->find_path({"preconditions", "uid"})) preconditions.uid = uid->as_text();
  if (const Json* version = body->find_path({"preconditions", "resourceVersion"})) {
    preconditions.resource_version = version->as_text();
  }
  if (const Json* runs = body->find("dryRun")) dry_run |= !runs->items().empty();
  return true;
}

Json removed_status(const Addressed& target, const Json& object) {
  Json status = status_object(200, "", "");
  status.erase("code");
  Json details = Json::object({{"name", Json::text(target.name.name)},
                               {"group", Json::text(target.name.group)},
                               {"kind", Json::text(target.name.plural)}});
  if (const Json* uid = object.find_path({"metadata", "uid"})) details.set("uid", *uid);
  status.set("details", std::move(details));
  return status;
}

}  // namespace

void list_all(Call call) {
  if (answer_accepted_everywhere(call)) return;
  if (const auto target = addressed(call, "", call.path[2], "")) list_or_watch(std::move(call), *target);
}

void list(Call call) {
  if (answer_accepted(call)) return;
  if (const auto target = addressed(call, call.path[2], call.path[3], "")) list_or_watch(std::move(call), *target);
}

void get(Call call) {
  if (answer_accepted(call)) return;
  const auto target = addressed(call, call.path[2], call.path[3], call.path[4]);
  if (!target) return;
  const ObjectPtr object = call.api->context.resources->get(target->name);
  if (object == nullptr) {
    answer_status_error(call, *target, not_found(*target));
    return;
  }
  const Query query = read_query(call.request());
  answer_body(call, 200, shown(call, *target, object, wanted_view(call.request()), query.include_object));
}

void create(Call call) {
  if (answer_accepted(call)) return;
  auto target = addressed(call, call.path[2], call.path[3], "");
  if (!target) return;
  auto object = read_body(call);
  if (!object || !fits_path(call, *target, *object)) return;
  if (const Json* name = object->find_path({"metadata", "name"})) target->name.name = name->as_text();
  if (!may_use(call, target->name.name, target->name.namespace_name)) {
    answer_status(call, 403, "Forbidden",
                  "The rights of \"" + call.grant->name + "\" do not cover an object of this name.");
    return;
  }
  const auto options = write_options(call, read_query(call.request()));
  if (!options) return;
  const control::ResourceName name = target->name;
  run_write(std::move(call), std::move(*target), 201,
            [name, options = *options, object = std::move(*object)](control::ResourceStore& store) {
              return store.create(name, object, options);
            });
}

void replace(Call call) {
  replace_object(std::move(call), false);
}
void replace_status(Call call) {
  replace_object(std::move(call), true);
}
void patch(Call call) {
  patch_object(std::move(call), "");
}
void patch_status(Call call) {
  patch_object(std::move(call), "status");
}

void remove(Call call) {
  if (answer_accepted(call)) return;
  auto target = addressed(call, call.path[2], call.path[3], call.path[4]);
  if (!target) return;
  control::WriteOptions options = removal_options(read_query(call.request()));
  control::Preconditions preconditions;
  if (!read_delete_options(call, preconditions, options.dry_run)) return;
  const Addressed copy = *target;
  serving::WorkerPool& pool = *call.api->context.store_pool;
  const auto shared = std::make_shared<Call>(std::move(call));
  const bool posted = pool.post([shared, copy, options, preconditions] {
    auto removed =
        std::make_shared<StoreAnswer>(shared->api->context.resources->remove(copy.name, preconditions, options));
    shared->exchange->executor().post([shared, copy, removed] {
      if (removed->error) {
        answer_status_error(*shared, copy, *removed->error);
      } else if (removed->object.find_path({"metadata", "deletionTimestamp"}) != nullptr) {
        answer_body(*shared, 200, in_version(removed->object, copy));  // finalizers hold it
      } else {
        answer_body(*shared, 200, removed_status(copy, removed->object));
      }
    });
  });
  if (!posted) answer_status(*shared, 503, "ServiceUnavailable", "Too many writes are waiting. Try again.");
}

void remove_all(Call call) {
  if (answer_accepted(call)) return;
  auto target = addressed(call, call.path[2], call.path[3], "");
  if (!target) return;
  const Query query = read_query(call.request());
  control::WriteOptions options = removal_options(query);
  control::Preconditions ignored;
  if (!read_delete_options(call, ignored, options.dry_run)) return;
  const control::Selector selector{query.label_selector, query.field_selector};
  const Addressed copy = *target;
  serving::WorkerPool& pool = *call.api->context.store_pool;
  const auto shared = std::make_shared<Call>(std::move(call));
  const bool posted = pool.post([shared, copy, options, selector] {
    control::ResourceStore& store = *shared->api->context.resources;
    auto items = std::make_shared<std::vector<Json>>();
    for (const ObjectPtr& object :
         store.list(copy.name.group, copy.name.plural, copy.name.namespace_name, selector).objects) {
      control::ResourceName name = copy.name;
      name.name = object->find_path({"metadata", "name"})->as_text();
      StoreAnswer removed = store.remove(name, {}, options);
      if (!removed.error) items->push_back(in_version(removed.object, copy));
    }
    shared->exchange->executor().post([shared, copy, items] {
      answer_body(*shared, 200,
                  Json::object({{"apiVersion", Json::text(copy.name.group + "/" + copy.version)},
                                {"items", Json::array(std::move(*items))},
                                {"kind", Json::text(list_kind(*copy.kind))},
                                {"metadata", Json::object()}}));
    });
  });
  if (!posted) answer_status(*shared, 503, "ServiceUnavailable", "Too many writes are waiting. Try again.");
}

}  // namespace jackdaw::api::resources
