#include "src/app/client/session.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

namespace jackdaw::app {

Result<ApiClient> open_client(const TargetFlags& flags) {
  net::TlsClientOptions tls;
  tls.ca_file = flags.connection.ca_file;
  return ApiClient::make(flags.connection, net::make_http_client(std::move(tls)));
}

Result<Session> Session::open(const TargetFlags& flags) {
  JACKDAW_ASSIGN(ApiClient client, open_client(flags));
  JACKDAW_ASSIGN(ResourceTypes types, ResourceTypes::discover(client));
  std::string place = flags.namespace_name.empty() ? "default" : flags.namespace_name;
  if (flags.all_namespaces) place.clear();
  return Session{std::move(client), std::move(types), std::move(place)};
}

int fail(std::string_view text) {
  std::fflush(stdout);
  fmt::print(stderr, "{}\n", text);
  return 1;
}

void print_warnings(const ApiAnswer& answer) {
  std::fflush(stdout);
  for (const std::string& warning : answer.warnings) fmt::print(stderr, "Warning: {}\n", warning);
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::string text_at(const spec::Json& object, std::initializer_list<std::string_view> path) {
  const spec::Json* found = object.find_path(path);
  return found == nullptr ? std::string() : std::string(found->as_text());
}

Result<FoundService> find_service(Session& session, std::string_view word) {
  const std::size_t slash = word.find('/');
  const std::string name(slash == std::string_view::npos ? word : word.substr(slash + 1));
  const std::string types =
      slash == std::string_view::npos ? "inferenceservices,llminferenceservices" : std::string(word.substr(0, slash));
  JACKDAW_ASSIGN(const std::vector<ResourceType> wanted, session.types.find_list(types));
  for (const ResourceType& type : wanted) {
    ApiOutcome outcome = session.client.get(type.path(session.namespace_name, name));
    if (outcome.ok()) return FoundService{type, std::move(outcome.answer.body)};
    if (outcome.error) return *outcome.error;
    if (!outcome.refusal->is_not_found())
      return make_error(Code::permission_denied, "{}", refusal_text(*outcome.refusal));
  }
  return make_error(Code::not_found, "there is no service \"{}\" in namespace {}", name, session.namespace_name);
}

}  // namespace jackdaw::app
