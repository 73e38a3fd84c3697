// The daemon, built in plain sight: every part by hand, in the order it depends on the ones before it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/spec/load.h"

namespace jackdaw::app {

class Daemon {
 public:
  virtual ~Daemon() = default;
  // Starts listening and loads the declared models in the background. `config` was read from `paths` with `load`; the
  // same is read again when those files change.
  static Result<std::unique_ptr<Daemon>> start(const spec::LoadedConfig& config, std::vector<std::string> paths,
                                               const spec::LoadOptions& load);
  virtual std::vector<std::string> addresses() const = 0;
  // Reads the configuration again, in the background (SIGHUP).
  virtual void reload() = 0;
  // Reads certificates and token files again: those that have changed, or all (SIGHUP). What cannot be used is logged,
  // and what was in use stays. Reads files; main calls it.
  enum class Secrets : unsigned char { changed, all };
  virtual void reload_secrets(Secrets which) = 0;
  // Finishes what is in flight within the configured drain timeout, then stops every thread.
  virtual void stop() = 0;
};

}  // namespace jackdaw::app
