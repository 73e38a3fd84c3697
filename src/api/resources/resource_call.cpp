#include "src/api/resources/resource_call.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace jackdaw::api::resources {
namespace {

using control::Reason;

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string query_text(std::string_view encoded) {
  std::string out;
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    const bool escape =
        encoded[i] == '%' && i + 2 < encoded.size() && hex_value(encoded[i + 1]) >= 0 && hex_value(encoded[i + 2]) >= 0;
    if (escape) {
      out += static_cast<char>(hex_value(encoded[i + 1]) * 16 + hex_value(encoded[i + 2]));
      i += 2;
    } else {
      out += encoded[i] == '+' ? ' ' : encoded[i];
    }
  }
  return out;
}

bool truth(const std::string& value) {
  return value.empty() || value == "1" || value == "t" || value == "true" || value == "True" || value == "TRUE";
}

void take(Query& query, const std::string& name, std::string value) {
  if (name == "fieldManager") query.field_manager = std::move(value);
  if (name == "labelSelector") query.label_selector = std::move(value);
  if (name == "fieldSelector") query.field_selector = std::move(value);
  if (name == "resourceVersion") query.resource_version = std::move(value);
  if (name == "includeObject") query.include_object = std::move(value);
  if (name == "watch") query.watch = truth(value);
  if (name == "dryRun") query.dry_run = value == "All";
  if (name == "force") query.force = truth(value);
  if (name == "sendInitialEvents") query.send_initial_events = truth(value);
  if (name == "allowWatchBookmarks") query.allow_watch_bookmarks = truth(value);
  if (name == "limit") query.limit = std::move(value);
  if (name == "fieldValidation") query.field_validation = std::move(value);
  if (name == "continue") query.continue_token = std::move(value);
  if (name == "timeoutSeconds") std::from_chars(value.data(), value.data() + value.size(), query.timeout_seconds);
}

// Clients that name no manager are known by their User-Agent up to the slash: "kubectl/v1.37" is "kubectl".
std::string manager_of(const net::Request& request) {
  const std::string_view agent = request.header("user-agent").value_or("unknown");
  const std::string_view name = agent.substr(0, agent.find('/'));
  return std::string(name.empty() ? "unknown" : name.substr(0, 128));
}

}  // namespace

Query read_query(const net::Request& request) {
  Query query;
  std::string_view rest = request.query();
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const std::size_t equals = pair.find('=');
    take(query, query_text(pair.substr(0, equals)),
         equals == std::string_view::npos ? std::string() : query_text(pair.substr(equals + 1)));
  }
  if (query.field_manager.empty()) query.field_manager = manager_of(request);
  return query;
}

View wanted_view(const net::Request& request) {
  std::string_view accept = request.header("accept").value_or("");
  // The first of the list that is known; kubectl asks for tables first, then for plain JSON.
  while (!accept.empty()) {
    const std::size_t end = accept.find(',');
    const std::string_view kind = accept.substr(0, end);
    if (kind.find("as=Table") != std::string_view::npos) return View::table;
    if (kind.find("as=PartialObjectMetadata") != std::string_view::npos) return View::metadata;
    if (kind.find("json") != std::string_view::npos || kind.find("*/*") != std::string_view::npos) break;
    accept = end == std::string_view::npos ? std::string_view() : accept.substr(end + 1);
  }
  return View::object;
}

std::optional<Addressed> addressed(const Call& call, std::string_view namespace_name, std::string_view plural,
                                   std::string_view name) {
  const std::string& group = call.path[0];
  const std::string& version = call.path[1];
  const control::ResourceStore* store = call.api->context.resources;
  const control::ResourceKind* kind = store == nullptr ? nullptr : store->kind(group, plural);
  const bool served =
      kind != nullptr && std::find(kind->versions.begin(), kind->versions.end(), version) != kind->versions.end();
  if (!served) {
    answer_status(call, 404, "NotFound", "the server could not find the requested resource");
    return std::nullopt;
  }
  return Addressed{kind, version, {group, std::string(plural), std::string(namespace_name), std::string(name)}};
}

std::optional<spec::Json> read_body(const Call& call) {
  const std::string_view type = call.request().header("content-type").value_or("application/json");
  if (type.find("protobuf") != std::string_view::npos || type.find("cbor") != std::string_view::npos) {
    answer_status(call, 415, "UnsupportedMediaType",
                  "the body of the request was in an unknown format - accepted media types include: application/json, "
                  "application/yaml");
    return std::nullopt;
  }
  const std::string_view body = call.request().body();
  if (type.find("yaml") == std::string_view::npos) {
    Result<spec::Json> json = spec::read_json(body, "body");
    if (json) return std::move(*json);
    answer_status(call, 400, "BadRequest", "the body is no JSON that can be read: " + json.error().text());
    return std::nullopt;
  }
  const auto documents = spec::parse_yaml(body, "body");
  if (documents && documents->size() == 1) return spec::Json::of(documents->front()->root);
  answer_status(call, 400, "BadRequest",
                documents ? "the body holds " + std::to_string(documents->size()) + " documents, not one"
                          : "the body is no YAML that can be read: " + documents.error().text());
  return std::nullopt;
}

net::Header warning_header(std::string_view warning) {
  std::string quoted;
  for (const char c : warning) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return {"warning", "299 - \"" + quoted + "\""};
}

int status_code(Reason reason) {
  switch (reason) {
    case Reason::not_found:
      return 404;
    case Reason::already_exists:
    case Reason::conflict:
      return 409;
    case Reason::invalid:
      return 422;
    case Reason::bad_request:
      return 400;
    case Reason::expired:
      return 410;
    case Reason::too_large:
      return 413;
    case Reason::unavailable:
      return 503;
    case Reason::internal:
      break;
  }
  return 500;
}

std::string_view reason_name(Reason reason) {
  switch (reason) {
    case Reason::not_found:
      return "NotFound";
    case Reason::already_exists:
      return "AlreadyExists";
    case Reason::conflict:
      return "Conflict";
    case Reason::invalid:
      return "Invalid";
    case Reason::bad_request:
      return "BadRequest";
    case Reason::expired:
      return "Expired";
    case Reason::too_large:
      return "RequestEntityTooLarge";
    case Reason::unavailable:
      return "ServiceUnavailable";
    case Reason::internal:
      break;
  }
  return "InternalError";
}

spec::Json status_object(int code, std::string_view reason, std::string_view message) {
  using spec::Json;
  Json status = Json::object({{"kind", Json::text("Status")},
                              {"apiVersion", Json::text("v1")},
                              {"metadata", Json::object()},
                              {"status", Json::text(code < 300 ? "Success" : "Failure")}});
  if (!message.empty()) status.set("message", Json::text(std::string(message)));
  if (!reason.empty()) status.set("reason", Json::text(std::string(reason)));
  status.set("code", Json::integer(code));
  return status;
}

void answer_status(const Call& call, int status, std::string_view reason, std::string_view message) {
  net::Response response;
  response.status = status;
  response.body = status_object(status, reason, message).dump();
  answer(call, std::move(response));
}

spec::Json error_status(const Addressed& target, const control::StoreError& error) {
  using spec::Json;
  const int code = status_code(error.reason);
  Json details = Json::object();
  if (!target.name.name.empty()) details.set("name", Json::text(target.name.name));
  details.set("group", Json::text(target.name.group));
  details.set("kind", Json::text(error.reason == Reason::invalid ? target.kind->kind : target.name.plural));
  std::vector<Json> causes;
  for (const control::FieldCause& cause : error.causes) {
    causes.push_back(Json::object({{"reason", Json::text(cause.reason)},
                                   {"message", Json::text(cause.message)},
                                   {"field", Json::text(cause.field)}}));
  }
  if (!causes.empty()) details.set("causes", Json::array(std::move(causes)));
  Json status = status_object(code, reason_name(error.reason), error.message);
  status.erase("code");
  status.set("details", std::move(details));
  status.set("code", Json::integer(code));
  return status;
}

void answer_status_error(const Call& call, const Addressed& target, const control::StoreError& error) {
  net::Response response;
  response.status = status_code(error.reason);
  response.body = error_status(target, error).dump();
  answer(call, std::move(response));
}

spec::Json in_version(const spec::Json& object, const Addressed& target) {
  spec::Json out = object;
  out.set("apiVersion", spec::Json::text(target.name.group + "/" + target.version));
  return out;
}

}  // namespace jackdaw::api::resources
