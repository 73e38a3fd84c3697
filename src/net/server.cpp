#include "jackdaw/net/server.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <mutex>

#include "src/net/address.h"
#include "src/net/io_thread.h"
#include "src/net/tls_context.h"

namespace jackdaw::net {
namespace {

using boost::asio::ip::tcp;
using ReusePort = boost::asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

std::string endpoint_text(const tcp::endpoint& endpoint) {
  const std::string address = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + address + "]:" + port : address + ":" + port;
}

Result<tcp::endpoint> endpoint_of(const ListenAddress& address, const std::string& text) {
  boost::system::error_code error;
  const auto ip = boost::asio::ip::make_address(address.host, error);
  if (error) {
    return make_error(Code::invalid_argument, "cannot listen on \"{}\": \"{}\" is not an IP address", text,
                      address.host);
  }
  return tcp::endpoint(ip, address.port);
}

Result<tcp::acceptor> bind(boost::asio::io_context& context, const tcp::endpoint& endpoint, bool shared) {
  boost::system::error_code error;
  tcp::acceptor acceptor(context);
  const auto say = [&](std::string_view step) {
    return make_error(Code::io_error, "cannot listen on {}: {}: {}", endpoint_text(endpoint), step, error.message());
  };
  acceptor.open(endpoint.protocol(), error);
  if (error) return say("socket");
  acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (error) return say("SO_REUSEADDR");
  if (shared) acceptor.set_option(ReusePort(true), error);
  if (error) return say("SO_REUSEPORT");
  if (endpoint.address().is_v6()) acceptor.set_option(boost::asio::ip::v6_only(true), error);
  if (error) return say("IPV6_V6ONLY");
  acceptor.bind(endpoint, error);
  if (error) return say("bind");
  acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (error) return say("listen");
  return acceptor;
}

class ServerImpl final : public Server {
 public:
  ServerImpl(const ServerOptions& options, Handler handler)
      : core_(std::make_shared<ServerCore>(options, std::move(handler))) {
    for (int i = 0; i < std::max(options.io_threads, 1); ++i) {
      threads_.push_back(std::make_shared<IoThread>(core_, i));
    }
  }
  ~ServerImpl() override { drain(std::chrono::steady_clock::now()); }

  // The listener of one address on every io thread.
  Result<void> listen(const std::string& text) {
    JACKDAW_ASSIGN(const ListenAddress address, parse_listen_address(text));
    JACKDAW_ASSIGN(tcp::endpoint endpoint, endpoint_of(address, text));
    if (address.tls && core_->tls == nullptr) {
      return make_error(Code::invalid_argument,
                        "cannot listen on \"{}\": HTTPS needs spec.tls.certFile and spec.tls.keyFile of kind Daemon",
                        text);
    }
    const bool shared = threads_.size() > 1;
    if (shared) {
      // SO_REUSEPORT would also share the port with another daemon of the same user, in silence. A socket without it
      // finds out, and picks the port when any will do.
      JACKDAW_ASSIGN(tcp::acceptor probe, bind(threads_[0]->context(), endpoint, false));
      endpoint = probe.local_endpoint();
    }
    for (const auto& thread : threads_) {
      JACKDAW_ASSIGN(tcp::acceptor acceptor, bind(thread->context(), endpoint, shared));
      endpoint = acceptor.local_endpoint();
      thread->add_listener(std::move(acceptor), address.tls);
    }
    addresses_.push_back(endpoint_text(endpoint));
    urls_.push_back((address.tls ? "https://" : "http://") + addresses_.back());
    return {};
  }

  void start() {
    for (const auto& thread : threads_) thread->start();
  }

  Result<void> load_certificates(const TlsServerOptions& options) {
    JACKDAW_ASSIGN(core_->tls, TlsContext::load(options, core_->metrics));
    return {};
  }

  std::vector<std::string> urls() const override { return urls_; }
  std::vector<std::string> addresses() const override { return addresses_; }
  Result<void> reload_certificates() override { return core_->tls == nullptr ? Result<void>() : core_->tls->reload(); }
  std::size_t connection_count() const override { return core_->connections.load(std::memory_order_relaxed); }

  std::size_t drain(Instant deadline) override {
    for (const auto& thread : threads_) CHECK(!thread->is_owner());
    for (const auto& thread : threads_) thread->begin_drain(deadline);
    for (const auto& thread : threads_) thread->wait_until_empty(deadline);
    const std::lock_guard lock(stop_mutex_);
    if (stopped_) return 0;
    stopped_ = true;
    std::size_t cut = 0;
    for (const auto& thread : threads_) cut += thread->stop();
    return cut;
  }

 private:
  std::shared_ptr<ServerCore> core_;
  std::vector<std::shared_ptr<IoThread>> threads_;
  std::vector<std::string> addresses_;
  std::vector<std::string> urls_;
  std::mutex stop_mutex_;
  bool stopped_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler handler) {
  if (options.listen.empty()) return make_error(Code::invalid_argument, "no address to listen on");
  auto server = std::make_unique<ServerImpl>(options, std::move(handler));
  if (options.tls) JACKDAW_TRY(server->load_certificates(*options.tls));
  for (const std::string& text : options.listen) JACKDAW_TRY(server->listen(text));
  server->start();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace jackdaw::net
