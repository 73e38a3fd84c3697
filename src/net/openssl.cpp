#include "src/net/openssl.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "jackdaw/base/result.h"

namespace jackdaw::net {
namespace {

// Before anything else of OpenSSL runs: without this it would read the openssl.cnf of the machine it was built for.
void start_openssl() {
  static const int started = OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
  CHECK(started == 1);
}

// Nobody is at the terminal to type a passphrase.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

// -1 with the retry flag: nothing for now; 0: the end.
int read_socket(BIO* bio, char* at, int room) {
  auto& socket = *static_cast<SslSocket*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  ssize_t bytes = 0;
  do {
    bytes = ::recv(socket.fd, at, static_cast<std::size_t>(room), MSG_DONTWAIT);
  } while (bytes < 0 && errno == EINTR);
  if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
  if (bytes == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  if (bytes <= 0) return static_cast<int>(bytes);
  if (socket.bytes_read == 0 && at[0] >= 'A' && at[0] <= 'Z') {
    socket.spoke_plain_text = true;
    return -1;
  }
  socket.bytes_read += static_cast<std::size_t>(bytes);
  return static_cast<int>(bytes);
}

int write_socket(BIO* bio, const char* from, int count) {
  auto& socket = *static_cast<SslSocket*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  ssize_t bytes = 0;
  do {
    bytes = ::send(socket.fd, from, static_cast<std::size_t>(count), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (bytes < 0 && errno == EINTR);
  if (bytes < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_write(bio);
  if (bytes > 0) socket.bytes_written += static_cast<std::size_t>(bytes);
  return static_cast<int>(bytes);
}

long control_socket(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH || command == BIO_CTRL_DUP ? 1 : 0;
}

const BIO_METHOD* socket_method() {
  static const BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "jackdaw socket");
    CHECK(made != nullptr);
    BIO_meth_set_read(made, read_socket);
    BIO_meth_set_write(made, write_socket);
    BIO_meth_set_ctrl(made, control_socket);
    return made;
  }();
  return method;
}

}  // namespace

SslContext make_ssl_context(const SSL_METHOD* method, int min_version) {
  start_openssl();
  SslContext context(SSL_CTX_new(method), SSL_CTX_free);
  CHECK(context != nullptr);
  SSL_CTX_set_min_proto_version(context.get(), min_version);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // TLS 1.2 only with forward secrecy and authenticated encryption; the suites of 1.3 are all of that kind.
  SSL_CTX_set_cipher_list(context.get(), "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_default_passwd_cb(context.get(), no_passphrase);
  return context;
}

std::string use_certificate(SSL_CTX& context, const std::string& cert_file, const std::string& key_file) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(&context, cert_file.c_str()) != 1) {
    return fmt::format("the certificate {} cannot be used: {}", cert_file, take_openssl_error());
  }
  if (SSL_CTX_use_PrivateKey_file(&context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    const unsigned long error = ERR_peek_last_error();
    if (ERR_GET_LIB(error) == ERR_LIB_X509 && ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH) {
      ERR_clear_error();
      return fmt::format("the key {} is not the one of the certificate {}", key_file, cert_file);
    }
    return fmt::format("the key {} cannot be used: {}; it must be PEM, without a passphrase", key_file,
                       take_openssl_error());
  }
  if (SSL_CTX_check_private_key(&context) != 1) {
    ERR_clear_error();
    return fmt::format("the key {} is not the one of the certificate {}", key_file, cert_file);
  }
  return "";
}

std::string take_openssl_error() {
  const char* data = nullptr;
  int flags = 0;
  // The first entry is the cause, the others say through which functions it came.
  const unsigned long error = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags);
  std::string text;
  if (error == 0) {
    text = "no reason was given";
  } else if (ERR_SYSTEM_ERROR(error)) {
    text = std::generic_category().message(static_cast<int>(ERR_GET_REASON(error)));
  } else {
    const char* reason = ERR_reason_error_string(error);
    text = reason != nullptr ? reason : fmt::format("OpenSSL error {:#x}", error);
    if ((flags & ERR_TXT_STRING) != 0 && data != nullptr && *data != '\0') text += fmt::format(" ({})", data);
  }
  ERR_clear_error();
  return text;
}

BIO* make_socket_bio(SslSocket& socket) {
  BIO* bio = BIO_new(socket_method());
  if (bio == nullptr) return nullptr;
  BIO_set_data(bio, &socket);
  BIO_set_init(bio, 1);
  return bio;
}

}  // namespace jackdaw::net
