// Session: what every command against a daemon begins with: the client, the kinds that the server keeps, the namespace.
#pragma once

#include <string>
#include <string_view>

#include "src/app/client/api_client.h"
#include "src/app/client/resource_types.h"

namespace jackdaw::app {

struct TargetFlags {
  ConnectionFlags connection;
  std::string namespace_name;  // "" = "default", or what a file says
  bool all_namespaces = false;
};

struct Session {
  ApiClient client;
  ResourceTypes types;
  std::string namespace_name;  // "" with -A

  // Of objects that say none themselves.
  static Result<Session> open(const TargetFlags& flags);
};

// A client without the discovery of kinds, for commands that need none.
Result<ApiClient> open_client(const TargetFlags& flags);

// Prints it on standard error; gives the exit status 1.
int fail(std::string_view text);
void print_warnings(const ApiAnswer& answer);
// To standard output at once, so that a pipe sees it.
void print(std::string_view text);

// The only InferenceService or LLMInferenceService of that name; "isvc/iris" says which it is.
struct FoundService {
  ResourceType type;
  spec::Json object;
};
Result<FoundService> find_service(Session& session, std::string_view word);

// The text at a path of members, "" when there is none.
std::string text_at(const spec::Json& object, std::initializer_list<std::string_view> path);

}  // namespace jackdaw::app
