// ResourceTypes: the kinds of objects that the daemon serves, found by the names people give them. They come from the
// server's own discovery, so that the commands know whatever it knows.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "src/app/client/api_client.h"

namespace jackdaw::app {

struct ResourceType {
  std::string group;  // "" = core
  std::string version;
  std::string plural;    // "inferenceservices"
  std::string singular;  // "inferenceservice"
  std::string kind;      // "InferenceService"
  std::vector<std::string> short_names;
  bool namespaced = true;
  bool in_all = false;  // category "all"

  std::string api_version() const { return group.empty() ? version : group + "/" + version; }
  // "inferenceservice.serving.kserve.io", as kubectl prints before a slash and the name.
  std::string full_name() const { return group.empty() ? singular : singular + "." + group; }
  // Of the collection, or of one object.
  std::string path(std::string_view namespace_name, std::string_view name = {}) const;
};

class ResourceTypes {
 public:
  explicit ResourceTypes(std::vector<ResourceType> types) : types_(std::move(types)) {}

  // Asks the server: one request per group and version.
  static Result<ResourceTypes> discover(ApiClient& client);

  // "isvc", "InferenceServices", "inferenceservices.serving.kserve.io", "inferenceservices.v1beta1.serving.kserve.io";
  // the error names those that there are.
  Result<ResourceType> find(std::string_view word) const;
  // "all", or several with commas between them.
  Result<std::vector<ResourceType>> find_list(std::string_view words) const;
  // Null: the server keeps no such objects.
  const ResourceType* of_kind(std::string_view api_version, std::string_view kind) const;
  const std::vector<ResourceType>& all() const { return types_; }

 private:
  std::vector<ResourceType> types_;
};

// The list of kinds in one answer of /apis/{group}/{version}; subresources are left out.
std::vector<ResourceType> read_resource_list(const spec::Json& answer);

// What a command line asks for: "isvc", "isvc iris rose", "isvc/iris llmisvc/chat", "isvc,llmisvc", "all".
struct WantedObjects {
  ResourceType type;
  std::vector<std::string> names;  // empty: all of the type
};
Result<std::vector<WantedObjects>> wanted_objects(const ResourceTypes& types, const std::vector<std::string>& words);

}  // namespace jackdaw::app
