#include "jackdaw/formats/inspect.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "src/app/cli.h"
#include "src/app/terminal.h"

namespace jackdaw::app {

int inspect(const std::vector<std::string>& files, int max_depth, bool all) {
  formats::InspectOptions options;
  options.colour = wants_colour(STDOUT_FILENO);
  options.width = terminal_width(STDOUT_FILENO, options.width);
  options.max_depth = max_depth;
  options.all = all;
  int status = 0;
  for (const std::string& file : files) {
    const auto text = formats::inspect_file(file, options);
    if (text) {
      std::fputs(text->c_str(), stdout);
    } else {
      std::fprintf(stderr, "jackdaw: %s: %s\n", file.c_str(), text.error().text().c_str());
      status = 1;
    }
  }
  return status;
}

}  // namespace jackdaw::app
