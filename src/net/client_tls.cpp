#include "src/net/client_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "src/net/openssl.h"

namespace jackdaw::net {
namespace {

// Where distributions keep the bundle (Go's crypto/x509/root_linux.go lists the same ones). OpenSSL's own answer would
// be that of the machine this was built on.
constexpr std::array<const char*, 6> bundles{
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Alpine
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, RHEL 6
    "/etc/ssl/ca-bundle.pem",                             // openSUSE
    "/etc/pki/tls/cacert.pem",                            // OpenELEC
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // RHEL 7 and later
    "/etc/ssl/cert.pem",                                  // Alpine
};

// "" when there is none.
std::string system_bundle() {
  if (const char* named = std::getenv("SSL_CERT_FILE"); named != nullptr && *named != '\0') return named;
  for (const char* path : bundles) {
    if (::access(path, R_OK) == 0) return path;
  }
  return "";
}

bool is_ip_address(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

}  // namespace

Result<std::unique_ptr<boost::asio::ssl::context>> make_client_context(const TlsClientOptions& options) {
  const SslContext context = make_ssl_context(TLS_client_method(), TLS1_2_VERSION);
  const std::string bundle = options.ca_file.empty() ? system_bundle() : options.ca_file;
  if (bundle.empty()) {
    return make_error(Code::io_error, "TLS: this machine has no CA bundle (ca-certificates); name a CA file");
  }
  ERR_clear_error();
  if (SSL_CTX_load_verify_file(context.get(), bundle.c_str()) != 1) {
    return make_error(Code::io_error, "TLS: the CA file {} cannot be used: {}", bundle, take_openssl_error());
  }
  if (!options.cert_file.empty()) {
    const std::string wrong = use_certificate(*context, options.cert_file, options.key_file);
    if (!wrong.empty()) return make_error(Code::io_error, "TLS: {}", wrong);
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  static constexpr std::array<unsigned char, 9> protocols{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  SSL_CTX_set_alpn_protos(context.get(), protocols.data(), static_cast<unsigned int>(protocols.size()));
  // Asio's owner frees one reference.
  SSL_CTX_up_ref(context.get());
  return std::make_unique<boost::asio::ssl::context>(context.get());
}

std::string expect_server(SSL& ssl, const std::string& host) {
  ERR_clear_error();
  X509_VERIFY_PARAM* expected = SSL_get0_param(&ssl);
  if (is_ip_address(host)) {
    if (X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) != 1) return take_openssl_error();
    return "";
  }
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_host(expected, host.c_str(), host.size()) != 1) return take_openssl_error();
  if (SSL_set_tlsext_host_name(&ssl, host.c_str()) != 1) return take_openssl_error();
  return "";
}

std::string handshake_failure(SSL& ssl, const std::string& host, const boost::system::error_code& error) {
  const long verified = SSL_get_verify_result(&ssl);
  if (verified == X509_V_ERR_HOSTNAME_MISMATCH || verified == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return fmt::format("the server's certificate is not one for {}", host);
  }
  if (verified != X509_V_OK) {
    return fmt::format("the server's certificate is not trusted: {}", X509_verify_cert_error_string(verified));
  }
  return error.message();
}

}  // namespace jackdaw::net
