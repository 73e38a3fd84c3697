#include "src/net/stream.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include <boost/asio/error.hpp>
#include <cerrno>

#include "jackdaw/base/log.h"
#include "src/net/client_certificate.h"
#include "src/net/io_thread.h"

namespace jackdaw::net {
namespace {

using boost::system::error_code;

constexpr int flags = MSG_NOSIGNAL | MSG_DONTWAIT;

}  // namespace

Stream::Stream(IoThread& io, Socket socket, const SslContext& context) : io_(io), socket_(std::move(socket)) {
  if (context == nullptr) return;
  session_ = std::make_unique<Session>();
  session_->socket.fd = socket_.native_handle();
  session_->ssl.reset(SSL_new(context.get()));
  BIO* bio = session_->ssl == nullptr ? nullptr : make_socket_bio(session_->socket);
  if (bio == nullptr) {
    session_->broken = true;  // out of memory: the first read says so
    return;
  }
  SSL_set_bio(session_->ssl.get(), bio, bio);
  SSL_set_accept_state(session_->ssl.get());
}

void Stream::begin(std::function<void()> give_up) {
  if (session_ == nullptr) return;
  session_->place = io_.handshakes().enter(std::move(give_up));
}

// ---------------------------------------------------------------------------------------------------- reading

void Stream::read_session(Read read) {
  if (session_->broken) {
    io_.handshakes().push([read = std::move(read)] { read.done(boost::asio::error::connection_reset, 0); });
  } else if (session_->established && SSL_has_pending(session_->ssl.get()) != 0) {
    // Bytes that OpenSSL has taken already: the socket does not announce them again.
    boost::asio::post(io_.context(), [this, read = std::move(read)]() mutable { try_read(std::move(read)); });
  } else {
    wait_and_read(Socket::wait_read, std::move(read));
  }
}

void Stream::wait_and_read(Socket::wait_type what, Read read) {
  socket_.async_wait(what, [this, read = std::move(read)](const error_code& error) mutable {
    if (error || session_ == nullptr) {
      read.done(error ? error : error_code(boost::asio::error::operation_aborted), 0);
    } else if (session_->established) {
      try_read(std::move(read));
    } else {
      io_.handshakes().push([this, read = std::move(read)]() mutable { shake_hands(std::move(read)); });
    }
  });
}

void Stream::shake_hands(Read read) {
  if (!socket_.is_open() || session_ == nullptr) return read.done(boost::asio::error::operation_aborted, 0);
  ERR_clear_error();
  const int done = SSL_do_handshake(session_->ssl.get());
  if (done == 1) {
    if (accept_client()) return try_read(std::move(read));
    session_->broken = true;
    return read.done(boost::asio::error::connection_reset, 0);
  }
  const int error = SSL_get_error(session_->ssl.get(), done);
  if (error == SSL_ERROR_WANT_READ) return wait_and_read(Socket::wait_read, std::move(read));
  if (error == SSL_ERROR_WANT_WRITE) return wait_and_read(Socket::wait_write, std::move(read));
  end_handshake(failed_handshake(error));
  session_->broken = true;
  read.done(boost::asio::error::connection_reset, 0);
}

// False when what the client proved is not true any more: a resumed session keeps the certificate of its first time.
bool Stream::accept_client() {
  SSL* ssl = session_->ssl.get();
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  const bool verified = certificate != nullptr && SSL_get_verify_result(ssl) == X509_V_OK;
  if (certificate != nullptr && (!verified || X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0)) {
    end_handshake("bad_client_certificate");
    return false;
  }
  if (verified) session_->client = std::make_unique<ClientCertificate>(read_client_certificate(*certificate));
  session_->established = true;
  end_handshake(SSL_session_reused(ssl) != 0 ? "resumed" : "complete");
  return true;
}

void Stream::end_handshake(std::string_view result) {
  io_.core().count_handshake(result);
  if (!session_->place) return;
  io_.handshakes().leave(*session_->place);
  session_->place.reset();
}

// The reason by the name it has in the metric.
std::string_view Stream::failed_handshake(int ssl_error) {
  if (session_->socket.spoke_plain_text) return "plain_http";
  if (ssl_error == SSL_ERROR_ZERO_RETURN || (ssl_error == SSL_ERROR_SYSCALL && ERR_peek_error() == 0)) return "closed";
  const unsigned long error = ERR_peek_error();
  const int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  const long verified = SSL_get_verify_result(session_->ssl.get());
  std::string why = take_openssl_error();
  if (verified != X509_V_OK) why = X509_verify_cert_error_string(verified);
  log_debug("a TLS handshake failed", {{"why", why}});
  switch (reason) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "no_client_certificate";
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return "bad_client_certificate";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
      return "old_version";
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_NO_APPLICATION_PROTOCOL:
      return "nothing_in_common";
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return "closed";
    default:
      // Alerts of the client are 1000 + their number: most often it does not trust our certificate.
      return reason >= SSL_AD_REASON_OFFSET ? "refused_by_client" : "malformed";
  }
}

void Stream::try_read(Read read) {
  if (!socket_.is_open() || session_ == nullptr || session_->broken) {
    return read.done(boost::asio::error::operation_aborted, 0);
  }
  SSL* ssl = session_->ssl.get();
  ERR_clear_error();
  std::size_t bytes = 0;
  const int done = SSL_read_ex(ssl, read.at, read.room, &bytes);
  if (done == 1) return read.done({}, bytes);
  switch (SSL_get_error(ssl, done)) {
    case SSL_ERROR_WANT_READ:
      return wait_and_read(Socket::wait_read, std::move(read));
    case SSL_ERROR_WANT_WRITE:
      return wait_and_read(Socket::wait_write, std::move(read));
    case SSL_ERROR_ZERO_RETURN:
      return read.done(boost::asio::error::eof, 0);
    default:
      session_->broken = true;
      io_.core().count_tls_error();
      return read.done(boost::asio::error::connection_reset, 0);
  }
}

// ---------------------------------------------------------------------------------------------------- writing

ssize_t Stream::send_on(int fd, const iovec* pieces, std::size_t count) {
  if (count == 1) return ::send(fd, pieces[0].iov_base, pieces[0].iov_len, flags);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces);
  message.msg_iovlen = count;
  return ::sendmsg(fd, &message, flags);
}

ssize_t Stream::send_session(const iovec& piece) {
  errno = EPIPE;
  if (session_->broken || !session_->established) return -1;
  SSL* ssl = session_->ssl.get();
  ERR_clear_error();
  std::size_t sent = 0;
  const int done = SSL_write_ex(ssl, piece.iov_base, piece.iov_len, &sent);
  if (done == 1) return static_cast<ssize_t>(sent);
  const int error = SSL_get_error(ssl, done);
  // Without renegotiation a write waits for room only.
  if (error == SSL_ERROR_WANT_WRITE) {
    errno = EAGAIN;
    return -1;
  }
  session_->broken = true;
  errno = EPIPE;
  return -1;
}

// ---------------------------------------------------------------------------------------------------- the end

bool Stream::end_sending() {
  if (session_ != nullptr) {
    if (session_->broken || !session_->established) return false;
    ERR_clear_error();
    if (SSL_shutdown(session_->ssl.get()) < 0) ERR_clear_error();  // a close_notify that does not fit is not missed
  }
  error_code error;
  socket_.shutdown(Socket::shutdown_send, error);
  return !error;
}

bool Stream::has_unread() {
  if (session_ != nullptr && session_->established && SSL_has_pending(session_->ssl.get()) != 0) return true;
  char byte = 0;
  return ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void Stream::close() {
  if (session_ != nullptr && socket_.is_open()) {
    if (session_->place) end_handshake("abandoned");
    const bool may_say_so = session_->established && !session_->broken;
    if (may_say_so && SSL_get_shutdown(session_->ssl.get()) == 0) {
      ERR_clear_error();
      if (SSL_shutdown(session_->ssl.get()) < 0) ERR_clear_error();
    }
  }
  error_code ignored;
  socket_.close(ignored);
}

void Stream::become_plain() {
  session_.reset();
}

}  // namespace jackdaw::net
