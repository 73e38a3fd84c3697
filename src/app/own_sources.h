// OwnSources: the places that the operator's own files (--config) name. A declared object that names the same place is
// trusted with it; what comes over the network beside them stays inside spec.storage.roots. Thread-safe.
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "jackdaw/spec/load.h"

namespace jackdaw::app {

class OwnSources {
 public:
  // Those of `config`, instead of the ones before.
  void replace(const spec::LoadedConfig& config);
  // Whether every place of this machine that the service reads is one of them. The folder counts too: an object may
  // claim to come from any file.
  bool hold(const spec::InferenceService& service) const;
  bool hold(const spec::LlmInferenceService& service) const;

 private:
  using Places = std::set<std::pair<std::string, std::string>>;  // folder of the file, URI or path as written
  bool hold(const Places& places) const;
  static Places places_of(const std::string& folder, const std::string& uri, const spec::LlmSettings* llm,
                          const spec::ServingStages& stages);
  static Places places_of(const spec::InferenceService& service);
  static Places places_of(const spec::LlmInferenceService& service);

  mutable std::mutex mutex_;
  Places places_;
};

// Whether a stage reads or writes a file that the object names.
bool names_files(const spec::ServingStages& stages);

}  // namespace jackdaw::app
