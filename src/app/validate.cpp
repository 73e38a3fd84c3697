#include <unistd.h>

#include <cstdio>

#include "jackdaw/spec/finding.h"
#include "jackdaw/spec/load.h"
#include "src/app/cli.h"
#include "src/app/terminal.h"

namespace jackdaw::app {

int validate(const ValidateFlags& flags) {
  spec::LoadOptions options;
  options.strict = flags.strict;
  const spec::LoadedConfig config = spec::load_config(flags.configs, options);
  if (flags.json) {
    std::printf("%s\n", spec::render_findings_json(config.findings).c_str());
    return config.ok() ? 0 : 1;
  }
  spec::RenderOptions render;
  render.colour = wants_colour(STDOUT_FILENO);
  render.width = terminal_width(STDOUT_FILENO, render.width);
  std::fputs(spec::render_findings_text(config.findings, render).c_str(), stdout);
  const std::size_t errors = config.error_count();
  std::printf("%zu file(s), %zu service(s): %zu error(s), %zu note(s)\n", config.files.size(),
              config.services.size() + config.llm_services.size(), errors, config.findings.size() - errors);
  return config.ok() ? 0 : 1;
}

}  // namespace jackdaw::app
