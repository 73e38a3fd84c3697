// The little of OpenSSL that server and client share: owners, its words for errors, and a BIO on a socket.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>

namespace jackdaw::net {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslFree>;

using SslContext = std::shared_ptr<SSL_CTX>;

// A context with what both sides want: no configuration file (a static binary loads no modules), no compression, no
// renegotiation, the versions from `min_version` on. `method` is TLS_server_method() or TLS_client_method().
SslContext make_ssl_context(const SSL_METHOD* method, int min_version);

// Gives the context a certificate chain and its key; returns what is wrong with them, "" when nothing is.
std::string use_certificate(SSL_CTX& context, const std::string& cert_file, const std::string& key_file);

// What OpenSSL has to say about its last failure, as words; forgets it.
std::string take_openssl_error();

// A socket as OpenSSL reads and writes it: never waits, never raises SIGPIPE. Must outlive the SSL that uses it.
struct SslSocket {
  int fd = -1;
  std::size_t bytes_read = 0;
  std::size_t bytes_written = 0;
  bool spoke_plain_text = false;  // the first byte was a letter: no TLS, most likely HTTP
};
// For SSL_set_bio; null when there is no memory.
BIO* make_socket_bio(SslSocket& socket);

}  // namespace jackdaw::net
