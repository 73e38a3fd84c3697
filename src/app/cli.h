// The command line: parses it and runs one command.
#pragma once

#include <string>
#include <vector>

#include "jackdaw/engine/generate.h"

namespace jackdaw::app {

struct ServeFlags {
  std::vector<std::string> configs;
  std::vector<std::string> listen;  // wins over the file
  std::string state_dir;            // wins over the file
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

struct BenchLlmFlags {
  std::string model;  // .gguf file or folder
  int prompt = 512;   // tokens
  int tokens = 128;   // per stream
  std::vector<int> batches{1, 8, 32};
  int runs = 5;
  int threads = 0;  // 0 = CPUs of the cgroup
  bool json = false;
};

struct PlanFlags {
  std::vector<std::string> models;
  engine::LlmOptions options;
};

struct RunFlags {
  std::string model;
  std::string system;       // system message
  std::string prompt;       // not empty: answer this and end
  double temperature = -1;  // < 0: the model's own default
  long long seed = -1;      // < 0: a fresh one
  int max_tokens = 0;       // 0 = up to the context's end
  int threads = 0;
  bool verbose = false;  // log the loading
  engine::LlmOptions options;
};

// Each returns the process's exit status: 0 fine, 1 the input was refused, 2 wrong usage.
int run_command_line(int argc, char** argv);
int serve(const ServeFlags& flags);
int validate(const ValidateFlags& flags);
int run_chat(const RunFlags& flags);
int bench_llm(const BenchLlmFlags& flags);
int plan(const PlanFlags& flags);
int inspect(const std::vector<std::string>& files, int max_depth, bool all);

}  // namespace jackdaw::app
