// The files that prove who is who: certificates and tokens. They change while the daemon runs (rotation), so they are
// watched by their stamps and read again.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "jackdaw/api/access.h"
#include "jackdaw/base/result.h"
#include "jackdaw/net/tls.h"
#include "jackdaw/spec/daemon.h"

namespace jackdaw::app {

// True for "127.0.0.1:8080", "https://[::1]:8443", "http://localhost": addresses that only this machine reaches.
bool is_loopback(std::string_view address);
bool listens_on_loopback_only(const spec::DaemonSpec& daemon);

// The rules of spec.auth, token files read. The error names the file and the line, never a token.
Result<api::AccessRules> access_rules(const spec::DaemonSpec& daemon);

net::TlsServerOptions tls_options(const spec::DaemonTls& tls);

// Files, and whether they are still what they were. Owner thread: main.
class WatchedFiles {
 public:
  explicit WatchedFiles(std::vector<std::string> paths);
  // True when a file was replaced, written or removed since the last call (or the constructor); links are followed, so
  // that a switched link counts, as Kubernetes mounts secrets.
  bool changed();

 private:
  struct Stamp {
    std::uint64_t device = 0, inode = 0;
    std::int64_t size = -1, seconds = 0, nanoseconds = 0;
    bool operator==(const Stamp&) const = default;
  };
  std::vector<Stamp> look() const;

  std::vector<std::string> paths_;
  std::vector<Stamp> stamps_;
};

// The certificate files, and the token files, of a daemon.
std::vector<std::string> certificate_files(const spec::DaemonTls& tls);
std::vector<std::string> token_files(const spec::DaemonAuth& auth);

}  // namespace jackdaw::app
