// Streaming alone: OpenAI chat streams from a mock engine that says one word to every request at a fixed rate.
//
//   bench_sse [streams] [words a second] [seconds] [io threads]      default 1000 50 10 1
//
// A second process holds the client: one epoll loop over all connections. The server's CPU time is the first
// process's, told apart by thread: "io" is what HTTP and SSE cost, the rest is the mock engine. Before and during the
// load, single requests measure the time to the first token, of which the mock engine needs nothing but a thread's
// wake-up.
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "jackdaw/api/api.h"
#include "jackdaw/net/server.h"
#include "tests/unit/api/mock_llm.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Plan {
  int streams = 1000;
  int rate = 50;
  int seconds = 10;
  int io_threads = 1;
};

// ------------------------------------------------------------------------------------------------------ client

int connected(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) {
    std::perror("connect");
    _exit(1);
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

std::string chat_request(int words) {
  const std::string body =
      R"({"model":"mock","stream":true,"messages":[{"role":"user","content":"Tell me something long."}],"max_tokens":)" +
      std::to_string(words) + "}";
  return "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

void send_all(int fd, const std::string& text) {
  if (send(fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) _exit(1);
}

bool finished(std::string_view text) {
  return text.find("data: [DONE]\n\n\r\n0\r\n\r\n") != std::string_view::npos;
}

// Microseconds from sending to the first content event, one request after the other on one connection.
std::vector<double> first_token_times(int port, int count, Clock::time_point until) {
  const int fd = connected(port);
  const std::string request = chat_request(1);
  std::vector<double> times;
  char buffer[16384];
  for (int i = 0; i < count && Clock::now() < until; ++i) {
    const auto start = Clock::now();
    send_all(fd, request);
    std::string got;
    bool first = true;
    while (!finished(got)) {
      const ssize_t n = recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) _exit(1);
      got.append(buffer, static_cast<std::size_t>(n));
      if (first && got.find("\"content\":\" word\"") != std::string::npos) {
        times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
        first = false;
      }
    }
    usleep(1000);
  }
  close(fd);
  return times;
}

void print_times(const char* what, std::vector<double> times) {
  if (times.empty()) return;
  std::sort(times.begin(), times.end());
  std::printf("%s: p50 %.0f us, p99 %.0f us (%zu requests)\n", what, times[times.size() / 2],
              times[times.size() * 99 / 100], times.size());
}

struct Load {
  std::uint64_t words = 0;
  std::uint64_t bytes = 0;
  int done = 0;
};

std::uint64_t count_words(std::string_view text) {
  std::uint64_t words = 0;
  for (std::size_t at = text.find(" word"); at != std::string_view::npos; at = text.find(" word", at + 5)) ++words;
  return words;
}

Load read_streams(const std::vector<int>& sockets) {
  const int epoll = epoll_create1(0);
  for (const int fd : sockets) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
  }
  Load load;
  std::vector<epoll_event> events(256);
  std::vector<char> buffer(256 * 1024);
  std::map<int, std::string> tails;  // a word may be cut by a read
  while (load.done < static_cast<int>(sockets.size())) {
    const int ready = epoll_wait(epoll, events.data(), static_cast<int>(events.size()), 60'000);
    if (ready <= 0) _exit(1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      const ssize_t n = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
      if (n <= 0) _exit(1);
      load.bytes += static_cast<std::uint64_t>(n);
      std::string& tail = tails[fd];
      tail.append(buffer.data(), static_cast<std::size_t>(n));
      const bool done = finished(tail);
      // Whole events only; the rest waits for the next read.
      const std::size_t last = tail.rfind("\n\n");
      if (last == std::string::npos) continue;
      load.words += count_words(std::string_view(tail).substr(0, last));
      if (done) {
        ++load.done;
        epoll_ctl(epoll, EPOLL_CTL_DEL, fd, nullptr);
      }
      // A cut "[DONE]" and its end stay together.
      if (tail.find("[DONE]") == std::string::npos) tail.erase(0, last);
    }
  }
  close(epoll);
  return load;
}

int run_client(int port, const Plan& plan, int to_server) {
  print_times("time to first token, idle", first_token_times(port, 500, Clock::now() + std::chrono::seconds(5)));
  std::vector<int> sockets;
  for (int i = 0; i < plan.streams; ++i) sockets.push_back(connected(port));
  const std::string request = chat_request(plan.rate * plan.seconds);
  if (write(to_server, "s", 1) != 1) return 1;
  const auto start = Clock::now();
  for (const int fd : sockets) send_all(fd, request);
  std::fflush(stdout);
  const pid_t prober = fork();
  if (prober == 0) {
    usleep(500'000);
    print_times("time to first token, under load",
                first_token_times(port, 100'000, start + std::chrono::milliseconds(plan.seconds * 1000 - 500)));
    std::fflush(stdout);
    _exit(0);
  }
  const Load load = read_streams(sockets);
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  if (write(to_server, "e", 1) != 1) return 1;
  waitpid(prober, nullptr, 0);
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  std::printf("%d streams x %d words/s: %.0f words/s, %.1f MB/s for %.1f s; client %.2f cores\n", plan.streams,
              plan.rate, static_cast<double>(load.words) / took, static_cast<double>(load.bytes) / took / 1e6, took,
              (static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
               static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6) /
                  took);
  const std::uint64_t wanted =
      static_cast<std::uint64_t>(plan.streams) * static_cast<std::uint64_t>(plan.rate * plan.seconds);
  if (load.words > wanted)
    std::printf("more words than asked for: %llu\n", static_cast<unsigned long long>(load.words));
  std::fflush(stdout);
  return 0;
}

// ------------------------------------------------------------------------------------------------------ server

// CPU seconds of each thread of this process, by name.
std::map<std::string, double> thread_seconds() {
  std::map<std::string, double> seconds;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream in(task.path() / "schedstat");
    double nanoseconds = 0;
    in >> nanoseconds;
    std::ifstream comm(task.path() / "comm");
    std::string name;
    std::getline(comm, name);
    seconds[name.substr(0, name.find('-'))] += nanoseconds / 1e9;
  }
  return seconds;
}

// One model, put into the registry by hand: nothing is loaded or scaled.
class NoControl final : public jackdaw::control::ModelControl {
 public:
  using Model = jackdaw::control::DeclaredModel;
  using Done = std::function<void(jackdaw::Result<void>)>;
  void declare(std::vector<Model>, std::function<void()>) override {}
  void put(Model, Done) override {}
  void load_revision(Model, Done) override {}
  void serve(const std::string&, const std::string&, jackdaw::control::ServiceTraffic) override {}
  std::shared_ptr<const jackdaw::serving::RevisionCounts> counts(const std::string&, const std::string&,
                                                                 const std::string&) const override {
    return nullptr;
  }
  void remove(std::string, std::string, std::function<void()>) override {}
  void load(std::string, std::string, Done) override {}
  void unload(std::string, std::string, Done) override {}
  std::shared_ptr<const std::vector<jackdaw::control::ScaledModel>> scaled() const override {
    return std::make_shared<const std::vector<jackdaw::control::ScaledModel>>();
  }
  void scale(std::string, std::int64_t, std::function<void(std::int64_t)>) override {}
};

int port_of(const std::string& address) {
  return std::atoi(address.substr(address.rfind(':') + 1).c_str());
}

int run_server(const Plan& plan, int port_to_client, int from_client, pid_t client) {
  using namespace jackdaw;
  MetricsRegistry metrics;
  serving::Registry registry;
  NoControl control;
  serving::WorkerPool pool("work", 1, 16);
  serving::ServedModel model;
  model.name = model.service_name = "mock";
  model.namespace_name = "default";
  model.generates = true;
  auto engine = std::make_shared<api::PacedLlmEngine>(std::chrono::nanoseconds(1'000'000'000 / plan.rate));
  model.versions.push_back(
      {"1", serving::ModelState::ready, "", engine, std::make_shared<serving::ModelMetrics>(metrics, "mock", "1")});
  registry.put(std::move(model));
  net::ServerOptions options;
  options.listen = {"127.0.0.1:0"};
  options.io_threads = plan.io_threads;
  auto server = net::Server::start(
      options, api::make_handler({&registry, &control, &pool, &metrics, &system_clock(), &system_random()}, {}));
  if (!server) {
    std::fprintf(stderr, "%s\n", server.error().text().c_str());
    return 1;
  }
  const int port = port_of((*server)->addresses()[0]);
  if (write(port_to_client, &port, sizeof port) != sizeof port) return 1;
  char mark = 0;
  if (read(from_client, &mark, 1) != 1) return 1;
  const auto before = thread_seconds();
  const auto start = Clock::now();
  if (read(from_client, &mark, 1) != 1) return 1;
  const double took = std::chrono::duration<double>(Clock::now() - start).count();
  auto after = thread_seconds();
  int status = 1;
  waitpid(client, &status, 0);
  const double words = static_cast<double>(plan.streams) * plan.rate * plan.seconds;
  double all = 0;
  for (auto& [name, seconds] : after) {
    const auto found = before.find(name);
    if (found != before.end()) seconds -= found->second;
    all += seconds;
  }
  std::printf("server: io threads %.2f cores (%.2f us a word), mock engine and others %.2f cores\n", after["io"] / took,
              after["io"] / words * 1e6, (all - after["io"]) / took);
  (*server)->drain(Clock::now() + std::chrono::seconds(1));
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  Plan plan;
  if (argc > 1) plan.streams = std::atoi(argv[1]);
  if (argc > 2) plan.rate = std::atoi(argv[2]);
  if (argc > 3) plan.seconds = std::atoi(argv[3]);
  if (argc > 4) plan.io_threads = std::atoi(argv[4]);
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int down[2], up[2];
  if (pipe(down) != 0 || pipe(up) != 0) return 1;
  const pid_t client = fork();
  if (client == 0) {
    int port = 0;
    if (read(down[0], &port, sizeof port) != sizeof port) _exit(1);
    _exit(run_client(port, plan, up[1]));
  }
  close(up[1]);
  return run_server(plan, down[1], up[0], client);
}
