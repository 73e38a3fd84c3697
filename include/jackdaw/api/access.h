// Access: who may call what. Clients prove who they are by a bearer token or by the certificate of their TLS session;
// both lead to a Grant. docs/security.md says the same for operators.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/base/sha256.h"

namespace jackdaw::api {

// What an endpoint asks of its caller.
enum class Need : unsigned char {
  open,     // nothing: health
  infer,    // using a model, and looking at it
  read,     // declared objects
  write,    // changing what is declared or loaded
  metrics,  // numbers about everyone's requests
};

struct Grant {
  std::string name;  // in logs and refusals
  bool write = false;
  bool read = false;  // write includes it
  bool infer = false;
  bool metrics = false;
  std::vector<std::string> models;      // globs ("iris-*") of model and object names; empty = all
  std::vector<std::string> namespaces;  // globs; empty = all

  bool has(Need need) const;
  bool covers_model(std::string_view name) const;
  bool covers_namespace(std::string_view name) const;
};
using GrantPtr = std::shared_ptr<const Grant>;

struct TokenRow {
  Sha256 hash;
  GrantPtr grant;
};

struct CertificateRow {
  std::vector<std::string> names;  // globs over ClientCertificate::names; one has to fit
  GrantPtr grant;
};

// Immutable once in use.
struct AccessRules {
  bool this_machine_only = true;  // every listener is a loopback address
  bool inference_keys = false;    // `infer` needs a grant on every listener
  std::vector<TokenRow> tokens;
  std::vector<CertificateRow> certificates;

  // Whether everyone may. With loopback listeners all but inference_keys is open; elsewhere `read` and `write` never
  // are, `metrics` until someone is granted it.
  bool is_open(Need need) const;
  // The grant of a token; null when nobody has it. Takes the same time for every token of a length.
  GrantPtr find_token(std::string_view token) const;
  GrantPtr find_certificate(const std::vector<std::string>& names) const;
  // Whether any row grants it.
  bool is_granted(Need need) const;
};

// The rules in force; replaced as a whole when token files change. Thread-safe.
class Access {
 public:
  explicit Access(AccessRules rules = {}) { replace(std::move(rules)); }
  void replace(AccessRules rules);
  std::shared_ptr<const AccessRules> rules() const;
  // is_open of the rules in force, without a lock.
  bool is_open(Need need) const {
    return (open_.load(std::memory_order_relaxed) >> static_cast<unsigned>(need) & 1) != 0;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const AccessRules> rules_;
  std::atomic<unsigned> open_{0};
};

// The hashes of a token file: a token or "sha256:<64 hex digits>" a line; empty lines and those that begin with '#' do
// not count. parse_error names the line, and never what stands there.
Result<std::vector<Sha256>> read_token_lines(std::string_view text);
// One such line, without its end.
Result<Sha256> token_hash(std::string_view line);

// '*' stands for any number of characters, also none; everything else for itself.
bool matches_glob(std::string_view glob, std::string_view text);

}  // namespace jackdaw::api
