#include "src/app/own_sources.h"

#include <algorithm>
#include <string_view>

namespace jackdaw::app {
namespace {

bool is_file_url(std::string_view url) {
  return !url.empty() && !url.starts_with("http://") && !url.starts_with("https://");
}

}  // namespace

OwnSources::Places OwnSources::places_of(const std::string& folder, const std::string& uri,
                                         const spec::LlmSettings* llm, const spec::ServingStages& stages) {
  Places places{{folder, uri}};
  const bool reads_template = llm != nullptr && !llm->chat_template->empty() && !llm->chat_template_is_text();
  if (reads_template) places.emplace(folder, *llm->chat_template);
  if (*stages.warm_up.kind == spec::WarmUpKind::file) places.emplace(folder, stages.warm_up.file);
  if (!stages.logger.file->empty()) places.emplace(folder, *stages.logger.file);
  if (is_file_url(*stages.logger.url)) places.emplace(folder, *stages.logger.url);
  return places;
}

bool names_files(const spec::ServingStages& stages) {
  return *stages.warm_up.kind == spec::WarmUpKind::file || !stages.logger.file->empty() ||
         is_file_url(*stages.logger.url);
}

OwnSources::Places OwnSources::places_of(const spec::InferenceService& service) {
  const spec::Predictor& predictor = service.predictor;
  return places_of(service.base_dir, *predictor.storage_uri, predictor.is_language_model() ? &predictor.llm : nullptr,
                   predictor.stages);
}

OwnSources::Places OwnSources::places_of(const spec::LlmInferenceService& service) {
  return places_of(service.base_dir, *service.model_uri, &service.llm, service.stages);
}

void OwnSources::replace(const spec::LoadedConfig& config) {
  Places places;
  for (const spec::InferenceService& service : config.services) places.merge(places_of(service));
  for (const spec::LlmInferenceService& service : config.llm_services) places.merge(places_of(service));
  const std::lock_guard lock(mutex_);
  places_ = std::move(places);
}

bool OwnSources::hold(const Places& places) const {
  const std::lock_guard lock(mutex_);
  return std::includes(places_.begin(), places_.end(), places.begin(), places.end());
}

bool OwnSources::hold(const spec::InferenceService& service) const {
  return hold(places_of(service));
}

bool OwnSources::hold(const spec::LlmInferenceService& service) const {
  return hold(places_of(service));
}

}  // namespace jackdaw::app
