// Loading a configuration: files and folders in, typed services and every complaint at once out.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/spec/daemon.h"
#include "jackdaw/spec/finding.h"
#include "jackdaw/spec/inference_service.h"
#include "jackdaw/spec/llm_inference_service.h"

namespace jackdaw::spec {

struct LoadOptions {
  bool strict = false;  // --strict: reports become errors
  ReadLimits limits;
  std::size_t files_max = 10'000;
  std::vector<std::string> mapped;  // prefixes of URIs that a Daemon read earlier maps, whatever their scheme
};

struct LoadedConfig {
  // Only services without an error of their own, in the order they were read.
  std::vector<InferenceService> services;
  std::vector<LlmInferenceService> llm_services;
  DaemonSpec daemon;               // defaults when no file holds one
  std::vector<Finding> findings;   // in reading order
  std::vector<std::string> files;  // every file read, for watching

  std::size_t error_count() const;
  bool ok() const { return error_count() == 0; }
};

// Reads files and folders (*.yaml, *.yml and *.json of a folder, by name, not recursive; hidden files are left out).
// Blocking; never throws. A path that cannot be read is a finding like any other. "-" reads standard input.
LoadedConfig load_config(std::span<const std::string> paths, const LoadOptions& options = {});

// The same for a text already in memory; `file` names it in findings, `base_dir` is where relative paths start.
LoadedConfig load_config_text(std::string_view text, std::string_view file, std::string_view base_dir,
                              const LoadOptions& options = {});

}  // namespace jackdaw::spec
