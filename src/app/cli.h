// The command line: parses it and runs one command.
#pragma once

#include <string>
#include <vector>

namespace jackdaw::app {

struct ServeFlags {
  std::vector<std::string> configs;
  std::vector<std::string> listen;  // wins over the file
  bool strict = false;
  std::string log_format;  // "", "text", "json"
  std::string log_level;   // "", "debug", "info", "warning", "error"
  bool access_log = false;
  int io_threads = 0;  // 0 = from the file or the cgroup quota
};

struct ValidateFlags {
  std::vector<std::string> configs;
  bool strict = false;
  bool json = false;
};

// Each returns the process's exit status: 0 fine, 1 the input was refused, 2 wrong usage.
int run_command_line(int argc, char** argv);
int serve(const ServeFlags& flags);
int validate(const ValidateFlags& flags);
int inspect(const std::vector<std::string>& files, int max_depth);

}  // namespace jackdaw::app
