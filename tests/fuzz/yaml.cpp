// Any text as a configuration, as YAML and as JSON: read, checked, turned into services and rendered, without files.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "jackdaw/spec/load.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackdaw::spec;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  LoadOptions options;
  options.limits.bytes_max = 1u << 20;
  options.limits.nodes_max = 20'000;  // so that alias bombs are met within a fuzzer's time
  for (const std::string_view file : {"fuzz.yaml", "fuzz.json"}) {
    const LoadedConfig config = load_config_text(text, file, "/base", options);
    RenderOptions plain;
    plain.source_lines = false;
    const std::string rendered = render_findings_text(config.findings, plain);
    if (rendered.empty() != config.findings.empty()) __builtin_trap();
    if (render_findings_json(config.findings).empty()) __builtin_trap();
    for (const InferenceService& service : config.services) {
      if (service.node == nullptr || to_json(*service.node).empty()) __builtin_trap();
      if (service.runtime.name.empty() || service.predictor.storage_uri->empty()) __builtin_trap();
    }
  }
  return 0;
}
