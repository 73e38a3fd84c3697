// Shared by the spec tests: load a text and look at what came out.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/spec/load.h"

namespace jackdaw::spec {

inline LoadedConfig load_text(std::string_view text, bool strict = false) {
  LoadOptions options;
  options.strict = strict;
  return load_config_text(text, "t.yaml", "/base", options);
}

// "t.yaml:3:5: error: message" for every finding of that severity.
inline std::vector<std::string> lines(const LoadedConfig& config, Severity severity) {
  std::vector<std::string> out;
  for (const Finding& finding : config.findings) {
    if (finding.severity == severity) out.push_back(finding.place.text() + ": " + finding.message);
  }
  return out;
}
inline std::vector<std::string> errors(const LoadedConfig& config) {
  return lines(config, Severity::error);
}
inline std::vector<std::string> reports(const LoadedConfig& config) {
  return lines(config, Severity::report);
}

inline std::string only_error(std::string_view text) {
  const LoadedConfig config = load_text(text);
  const auto found = errors(config);
  INFO(render_findings_text(config.findings));
  REQUIRE(found.size() == 1);
  return found.front();
}

// An InferenceService around the lines of a predictor, which are indented by four spaces and begin in line 6.
inline std::string service_text(std::string_view predictor, std::string_view metadata = "{name: iris}") {
  return fmt::format(
      "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {}\nspec:\n  predictor:\n{}\n",
      metadata, predictor);
}

}  // namespace jackdaw::spec
