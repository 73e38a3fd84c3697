// Stream: the bytes of one client, in and out: a TCP socket, and a TLS session on it when its listener speaks HTTPS.
// The connection above sees no difference. Owner thread: its IoThread; the connection outlives what it asked for.
#pragma once

#include <sys/uio.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "jackdaw/net/tls.h"
#include "src/net/handshake_queue.h"
#include "src/net/openssl.h"

namespace jackdaw::net {

class IoThread;

class Stream {
 public:
  using Socket = boost::asio::ip::tcp::socket;
  using ReadDone = std::function<void(boost::system::error_code error, std::size_t bytes)>;

  // `context` null: plain.
  Stream(IoThread& io, Socket socket, const SslContext& context);
  ~Stream() { close(); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Of a TLS stream, before the first read: it is a handshake under way from now on, `give_up` is called when there are
  // too many. Nothing for a plain one.
  void begin(std::function<void()> give_up);

  // Calls `done` in a later turn with bytes at `at`, or with why there are none; a TLS stream shakes hands first. One
  // read at a time; `done` keeps the stream alive. boost::asio::error::eof: the client has ended its side.
  template <typename Done>
  void read_some(char* at, std::size_t room, Done done) {
    if (session_ == nullptr) {
      socket_.async_read_some(boost::asio::buffer(at, room), std::move(done));
    } else {
      read_session({at, room, std::move(done)});
    }
  }
  // As sendmsg without waiting: how many bytes were taken, or -1 and errno.
  ssize_t send(const iovec* pieces, std::size_t count) {
    return session_ == nullptr ? send_plain(pieces, count) : send_session(pieces[0]);
  }
  template <typename Done>
  void wait_writable(Done done) {
    socket_.async_wait(Socket::wait_write, std::move(done));
  }
  // Ends our side; false when the connection is beyond that.
  bool end_sending();
  // True when bytes of the client wait to be read.
  bool has_unread();
  void close();

  int native_handle() { return socket_.native_handle(); }
  bool shaking_hands() const { return session_ != nullptr && !session_->established; }
  // The client of an HTTPS port spoke plain HTTP. Everything after become_plain goes out as it is.
  bool spoke_plain_text() const { return session_ != nullptr && session_->socket.spoke_plain_text; }
  void become_plain();
  // Null when the client showed no certificate.
  const ClientCertificate* client_certificate() const { return session_ == nullptr ? nullptr : session_->client.get(); }

 private:
  struct Session {
    SslSocket socket;  // before ssl, which uses it
    SslPtr ssl;
    std::unique_ptr<ClientCertificate> client;
    std::optional<HandshakeQueue::Place> place;  // while the handshake is under way
    bool established = false;
    bool broken = false;  // OpenSSL must not be asked again
  };
  struct Read {
    char* at;
    std::size_t room;
    ReadDone done;
  };

  static ssize_t send_on(int fd, const iovec* pieces, std::size_t count);
  ssize_t send_plain(const iovec* pieces, std::size_t count) { return send_on(socket_.native_handle(), pieces, count); }
  ssize_t send_session(const iovec& piece);
  void read_session(Read read);
  void wait_and_read(Socket::wait_type what, Read read);
  void shake_hands(Read read);
  void try_read(Read read);
  bool accept_client();
  void end_handshake(std::string_view result);
  std::string_view failed_handshake(int ssl_error);

  IoThread& io_;
  Socket socket_;
  std::unique_ptr<Session> session_;
};

}  // namespace jackdaw::net
