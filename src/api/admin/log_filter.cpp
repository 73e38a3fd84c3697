#include "src/api/admin/log_filter.h"

#include <algorithm>

namespace jackdaw::api::admin {
namespace {

// "/v1/models/iris:predict", "/v2/models/iris/infer" are about the model iris.
std::string_view model_in_path(std::string_view path) {
  for (const std::string_view prefix : {"/v1/models/", "/v2/models/", "/openai/v1/models/", "/v2/repository/models/"}) {
    if (path.starts_with(prefix))
      return path.substr(prefix.size(), path.find_first_of(":/", prefix.size()) - prefix.size());
  }
  return {};
}

// "/default/iris/v1/…" and ".../namespaces/default/inferenceservices/iris" are about the service iris.
bool addresses_service(std::string_view path, const LogFilter& filter) {
  const std::string own = "/" + filter.namespace_name + "/" + filter.service + "/";
  if (path.starts_with(own)) return true;
  const std::size_t at = path.find("/namespaces/" + filter.namespace_name + "/");
  const std::size_t end = path.ends_with("/status") ? path.size() - 7 : path.size();
  return at != std::string_view::npos && path.substr(0, end).ends_with("/" + filter.service);
}

// Revisions are called after their service: "iris-predictor-00002".
bool is_revision_of(std::string_view revision, std::string_view service) {
  return revision.starts_with(service) && revision.substr(service.size()).starts_with("-predictor-");
}

}  // namespace

bool LogFilter::fits(const KeptLogRecord& record) const {
  const std::string_view place = record.text("namespace");
  if (!namespace_name.empty() && !place.empty() && place != namespace_name) return false;
  if (service.empty()) return true;
  const auto known = [this](std::string_view name) {
    return !name.empty() && std::find(names.begin(), names.end(), name) != names.end();
  };
  if (known(record.text("model")) || known(record.text("service")) || known(record.text("object"))) return true;
  if (is_revision_of(record.text("revision"), service)) return true;
  const std::string_view path = record.text("path");
  return known(model_in_path(path)) || addresses_service(path, *this);
}

LogFilter filter_for(const serving::RegistrySnapshot& snapshot, std::string_view namespace_name,
                     std::string_view service) {
  LogFilter filter{std::string(namespace_name), std::string(service), {}};
  if (service.empty()) return filter;
  for (const char* prefix : {"", "inferenceservices/", "llminferenceservices/"}) {
    filter.names.push_back(prefix + filter.service);
  }
  for (const auto& model : snapshot.models()) {
    if (model->service_name != service || (!namespace_name.empty() && model->namespace_name != namespace_name))
      continue;
    filter.names.push_back(model->name);
    filter.names.insert(filter.names.end(), model->aliases.begin(), model->aliases.end());
  }
  return filter;
}

}  // namespace jackdaw::api::admin
