// The HTTP layer alone: a server that answers every request with the same bytes, for wrk to measure.
//
//   bench_http [listen] [io threads] [answer bytes] [now|late] [cert.pem key.pem]      default 127.0.0.1:8090 1 200 now
//
// "late" answers through the executor instead of inside the handler; certificate and key are for
// https://127.0.0.1:8090. See README.md here for the commands.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "jackdaw/net/server.h"

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  jackdaw::net::ServerOptions options;
  options.listen = {argc > 1 ? argv[1] : "127.0.0.1:8090"};
  options.io_threads = argc > 2 ? std::atoi(argv[2]) : 1;
  const std::string body(argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 200, 'x');
  const bool late = argc > 4 && std::strcmp(argv[4], "late") == 0;
  if (argc > 6) options.tls = jackdaw::net::TlsServerOptions{argv[5], argv[6], "", {}, {}};
  auto server = jackdaw::net::Server::start(options, [&](const std::shared_ptr<jackdaw::net::Exchange>& exchange) {
    const auto answer = [&body](jackdaw::net::Exchange& to) {
      jackdaw::net::Response response;
      response.body = body;
      to.reply(std::move(response));
    };
    if (late) {
      exchange->executor().post([exchange, answer] { answer(*exchange); });
    } else {
      answer(*exchange);
    }
  });
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().text().c_str());
    return 1;
  }
  std::printf("listening on %s\n", (*server)->addresses()[0].c_str());
  std::fflush(stdout);
  int signal = 0;
  sigwait(&signals, &signal);
  (*server)->drain(std::chrono::steady_clock::now() + std::chrono::seconds(2));
}
