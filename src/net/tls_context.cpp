#include "src/net/tls_context.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <array>
#include <ctime>
#include <string_view>
#include <utility>

#include "jackdaw/base/log.h"

namespace jackdaw::net {
namespace {

constexpr long ticket_seconds = 3600;  // how long a session may be resumed without its certificate being shown again

// Picks HTTP/1.1 from what the client offers (RFC 7301). A client that offers only other protocols would not understand
// our answers: the handshake ends with the alert made for that.
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                    unsigned int offered_size, void*) {
  constexpr std::array<std::string_view, 2> spoken{"http/1.1", "http/1.0"};
  for (const std::string_view protocol : spoken) {
    for (unsigned int at = 0; at < offered_size;) {
      const unsigned int size = offered[at];
      if (size == 0 || at + 1 + size > offered_size) break;
      if (std::string_view(reinterpret_cast<const char*>(offered + at + 1), size) == protocol) {
        *out = offered + at + 1;
        *out_size = static_cast<unsigned char>(size);
        return SSL_TLSEXT_ERR_OK;
      }
      at += 1 + size;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::string use_client_ca(SSL_CTX& context, const TlsServerOptions& options) {
  if (options.client_certificates == ClientCertificates::none) return "";
  ERR_clear_error();
  if (SSL_CTX_load_verify_file(&context, options.client_ca_file.c_str()) != 1) {
    return fmt::format("the clients' CA {} cannot be used: {}", options.client_ca_file, take_openssl_error());
  }
  // Names are only a hint for clients that have several certificates.
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(options.client_ca_file.c_str());
  if (names != nullptr) SSL_CTX_set_client_CA_list(&context, names);
  const bool required = options.client_certificates == ClientCertificates::required;
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  return "";
}

Result<SslContext> load_context(const TlsServerOptions& options) {
  const int min_version = options.min_version == TlsVersion::tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;
  SslContext context = make_ssl_context(TLS_server_method(), min_version);
  std::string wrong = use_certificate(*context, options.cert_file, options.key_file);
  if (wrong.empty()) wrong = use_client_ca(*context, options);
  if (!wrong.empty()) return make_error(Code::io_error, "TLS: {}", wrong);
  SSL_CTX_set_options(context.get(), SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_alpn_select_cb(context.get(), choose_protocol, nullptr);
  // Sessions are resumed by tickets, which cost no memory here. Their keys live as long as the context: after a reload
  // every client shows its certificate again.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context.get(), ticket_seconds);
  static constexpr std::string_view session_id = "jackdaw";
  SSL_CTX_set_session_id_context(context.get(), reinterpret_cast<const unsigned char*>(session_id.data()),
                                 static_cast<unsigned int>(session_id.size()));
  // One read of the socket takes what is there, not a record's five bytes first.
  SSL_CTX_set_read_ahead(context.get(), 1);
  return context;
}

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::load(TlsServerOptions options, MetricsRegistry* metrics) {
  std::shared_ptr<TlsContext> tls(new TlsContext(std::move(options), metrics));
  JACKDAW_TRY(tls->reload());
  return tls;
}

SslContext TlsContext::current() const {
  const std::lock_guard lock(mutex_);
  return context_;
}

Result<void> TlsContext::reload() {
  JACKDAW_ASSIGN(SslContext fresh, load_context(options_));
  show_expiry(*fresh);
  const std::lock_guard lock(mutex_);
  context_ = std::move(fresh);
  return {};
}

// An expired certificate is used all the same: clients that do not check keep working, the others say why they do not.
void TlsContext::show_expiry(const SSL_CTX& context) {
  const X509* certificate = SSL_CTX_get0_certificate(&context);
  std::tm parts{};
  if (certificate == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return;
  const std::time_t expires = timegm(&parts);
  if (expires <= std::time(nullptr)) log_warning("the TLS certificate has expired", {{"file", options_.cert_file}});
  if (metrics_ == nullptr) return;
  metrics_->gauge("jackdaw_tls_certificate_expires_seconds", "When the TLS certificate in use expires, in Unix time.")
      .set(static_cast<double>(expires));
}

}  // namespace jackdaw::net
