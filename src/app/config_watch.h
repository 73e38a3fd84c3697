// ConfigWatch: the thread "config", which reads the configuration again when its files change (inotify), when it is
// told to (SIGHUP), and after a failure, each time a little later. A configuration with an error changes nothing.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/spec/load.h"

namespace jackdaw::app {

struct ConfigWatchOptions {
  std::vector<std::string> paths;
  spec::LoadOptions load;
  // Takes over a configuration without errors; what went wrong, in words, is tried again. Runs on the thread.
  std::function<std::vector<std::string>(const spec::LoadedConfig&)> apply;
  // How the last attempt went, after every attempt.
  std::function<void(bool good)> outcome;
  Duration quiet = std::chrono::milliseconds(150);  // files must be left alone that long before they are read
  Duration restless = std::chrono::seconds(3);      // but are read after that long although they still change
  Duration first_retry = std::chrono::seconds(1);
  Duration last_retry = std::chrono::seconds(30);
};

class ConfigWatch {
 public:
  virtual ~ConfigWatch() = default;  // ends the thread
  // Reads and applies now, also when no file has changed. Any thread.
  virtual void reload() = 0;

  // `first`: what is applied already, and whether that went well; if not, it is tried again.
  static Result<std::unique_ptr<ConfigWatch>> start(ConfigWatchOptions options, const spec::LoadedConfig& first,
                                                    bool good);
};

}  // namespace jackdaw::app
