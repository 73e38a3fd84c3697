// The commands that manage a daemon over its HTTP API, without its configuration: apply, get, describe, delete, logs,
// rollout and top. Each returns the exit status: 0 fine, 1 refused or failed, 2 wrong usage.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/app/client/session.h"

namespace CLI {
class App;
}

namespace jackdaw::app {

struct ApplyFlags {
  TargetFlags target;
  std::vector<std::string> files;
  std::string field_manager = "jackdaw";
  std::string output;  // "", "name", "yaml", "json"
  bool dry_run = false;
  bool force_conflicts = false;
  bool wait = false;
  std::string timeout = "60s";
};
int apply(const ApplyFlags& flags);

struct GetFlags {
  TargetFlags target;
  std::vector<std::string> words;
  std::string output = "table";  // "table", "wide", "yaml", "json", "name"
  std::string selector;
  bool watch = false;
  bool no_headers = false;
  bool show_managed_fields = false;
};
int get(const GetFlags& flags);

struct DescribeFlags {
  TargetFlags target;
  std::vector<std::string> words;
  std::string selector;
};
int describe(const DescribeFlags& flags);

struct DeleteFlags {
  TargetFlags target;
  std::vector<std::string> words;
  std::vector<std::string> files;
  std::string selector;
  bool all = false;
  bool dry_run = false;
  bool ignore_not_found = false;
  bool wait = true;
  std::string timeout = "60s";
};
int remove(const DeleteFlags& flags);

struct LogsFlags {
  TargetFlags target;
  std::string service;  // "" = all
  bool follow = false;
  std::string since;
  long long tail = -1;  // -1 = all
  std::string output = "text";
};
int logs(const LogsFlags& flags);

struct RolloutFlags {
  TargetFlags target;
  std::string action;  // "status", "history", "canary", "promote", "undo", "pause", "resume", "restart"
  std::string service;
  int percent = -1;
  std::string canary;       // of spec.canary
  std::string to_revision;  // "2" or "iris-predictor-00002"
  bool no_wait = false;
  std::string timeout = "60s";
};
int rollout(const RolloutFlags& flags);

struct TopFlags {
  TargetFlags target;
  bool once = false;
  bool json = false;
  std::string interval = "1s";
};
int top(const TopFlags& flags);

// The commands' flags, and their places on the command line.
class ClientCommands {
 public:
  ClientCommands();
  ~ClientCommands();
  // Must outlive the parsing of `app`.
  void add_to(CLI::App& app);
  // Runs the command that was asked for; nothing when it is none of these.
  std::optional<int> run(const CLI::App& app) const;

 private:
  struct Flags;
  std::unique_ptr<Flags> flags_;
};

}  // namespace jackdaw::app
