// What every endpoint of the resources reads of its request: which kind and object, which options, which body.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "jackdaw/control/resource_store.h"
#include "jackdaw/spec/json.h"
#include "src/api/call.h"

namespace jackdaw::api::resources {

// Options of the query; names as Kubernetes has them.
struct Query {
  std::string field_manager;
  std::string label_selector;
  std::string field_selector;
  std::string resource_version;
  std::string include_object;
  bool watch = false;
  bool dry_run = false;
  bool force = false;
  bool send_initial_events = false;
  bool allow_watch_bookmarks = false;
  int timeout_seconds = 0;
  std::string limit;  // of a list, as it was sent
  std::string continue_token;
  std::string field_validation;
};
Query read_query(const net::Request& request);

// How the client wants to see objects.
enum class View : unsigned char { object, table, metadata };
View wanted_view(const net::Request& request);

struct Addressed {
  const control::ResourceKind* kind = nullptr;
  std::string version;  // as asked: "v1beta1"
  control::ResourceName name;
};

// The kind that the first values of the path name: group, version, plural. Answers 404 itself and gives nullopt.
std::optional<Addressed> addressed(const Call& call, std::string_view namespace_name, std::string_view plural,
                                   std::string_view name);

// JSON or YAML by Content-Type. Answers 400 or 415 itself.
std::optional<spec::Json> read_body(const Call& call);

// "299 - \"words\"": RFC 9111's warning of an answer that did what was asked.
net::Header warning_header(std::string_view warning);

// metav1.Status of an error.
spec::Json error_status(const Addressed& target, const control::StoreError& error);
void answer_status_error(const Call& call, const Addressed& target, const control::StoreError& error);
void answer_status(const Call& call, int status, std::string_view reason, std::string_view message);
int status_code(control::Reason reason);
std::string_view reason_name(control::Reason reason);
spec::Json status_object(int code, std::string_view reason, std::string_view message);

// The object as the asked version shows it.
spec::Json in_version(const spec::Json& object, const Addressed& target);

}  // namespace jackdaw::api::resources
