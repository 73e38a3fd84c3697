// TlsContext: the certificate, key and clients' CA that new HTTPS connections get, and their replacement while others
// are in use. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>

#include "jackdaw/base/metrics.h"
#include "jackdaw/base/result.h"
#include "jackdaw/net/tls.h"
#include "src/net/openssl.h"

namespace jackdaw::net {

class TlsContext {
 public:
  // Reads the files. `metrics` may be null.
  static Result<std::shared_ptr<TlsContext>> load(TlsServerOptions options, MetricsRegistry* metrics);

  SslContext current() const;
  // All or nothing; see Server::reload_certificates.
  Result<void> reload();

 private:
  TlsContext(TlsServerOptions options, MetricsRegistry* metrics) : options_(std::move(options)), metrics_(metrics) {}
  void show_expiry(const SSL_CTX& context);

  const TlsServerOptions options_;
  MetricsRegistry* const metrics_;
  mutable std::mutex mutex_;
  SslContext context_;
};

}  // namespace jackdaw::net
