// top: a screen that shows the daemon and its models as they work; one table where there is no terminal.
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>
#include <thread>
#include <utility>

#include "src/app/client/client_commands.h"
#include "src/app/client/top_screen.h"
#include "src/app/client/units.h"
#include "src/app/terminal.h"

namespace jackdaw::app {
namespace {

constexpr Duration interval_min = std::chrono::milliseconds(100);

double seconds_now() {
  return std::chrono::duration<double>(system_clock().now().time_since_epoch()).count();
}

Result<TopReading> read_daemon(ApiClient& client) {
  TopReading reading;
  JACKDAW_ASSIGN(const std::string metrics, client.text("/metrics"));
  reading.at = seconds_now();
  reading.metrics = MetricsText::parse(metrics);
  ApiOutcome stats = client.get("/admin/stats");
  if (stats.error) return *stats.error;
  if (stats.refusal) return make_error(Code::not_found, "{}", refusal_text(*stats.refusal));
  reading.stats = std::move(stats.answer.body);
  return reading;
}

std::atomic<bool> told_to_end{false};  // NOLINT: a signal handler has nothing else

// The terminal as a screen of our own: no echo, keys at once, the cursor away. All of it comes back at the end.
class Screen {
 public:
  Screen() {
    tcgetattr(STDIN_FILENO, &before_);
    termios raw = before_;
    // Ctrl-C comes as a key, so that the terminal is given back first.
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    struct sigaction action {};
    action.sa_handler = [](int) { told_to_end = true; };
    for (const int number : {SIGTERM, SIGHUP, SIGINT}) sigaction(number, &action, nullptr);
    struct sigaction look {};
    look.sa_handler = [](int) {};  // a new size interrupts the wait, and is drawn
    sigaction(SIGWINCH, &look, nullptr);
    print("\x1b[?1049h\x1b[?25l");
  }
  ~Screen() {
    print("\x1b[?25h\x1b[?1049l");
    tcsetattr(STDIN_FILENO, TCSANOW, &before_);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // Each line over the one that was there; what is below the last one is cleared.
  static void show(std::string_view text) {
    std::string out = "\x1b[H";
    while (!text.empty()) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(line.size() + 1, text.size()));
      out += line;
      out += "\x1b[K\n";
    }
    print(out + "\x1b[J");
  }

  // A key, '\0' when `wait` is over or the size has changed.
  static char key(Duration wait) {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(wait).count();
    if (poll(&input, 1, static_cast<int>(std::clamp<std::int64_t>(ms, 0, 60'000))) <= 0) return '\0';
    char pressed = '\0';
    return read(STDIN_FILENO, &pressed, 1) == 1 ? pressed : 'q';  // the terminal is gone
  }

 private:
  termios before_{};
};

class Top {
 public:
  Top(ApiClient& client, Duration interval) : client_(client), interval_(interval) {}

  int once(bool json) {
    const auto before = read_daemon(client_);
    if (!before) return fail("error: " + before.error().text());
    std::this_thread::sleep_for(interval_);
    const auto now = read_daemon(client_);
    if (!now) return fail("error: " + now.error().text());
    const TopReport report = top_report(client_.server(), *before, *now, TopOrder::name);
    const TopStyle style{terminal_width(STDOUT_FILENO, 0), wants_colour(STDOUT_FILENO)};
    print(json ? top_json(report) + "\n" : top_text(report, style));
    return 0;
  }

  int screen() {
    auto first = read_daemon(client_);
    if (!first) return fail("error: " + first.error().text());
    before_ = now_ = std::move(*first);
    Screen screen;
    Instant next = system_clock().now() + std::min<Duration>(interval_, std::chrono::milliseconds(300));
    while (!told_to_end) {
      draw();
      const char key = Screen::key(next - system_clock().now());
      if (key == 'q' || key == '\x03' || key == '\x04' || key == '\x1b') break;
      if (key == 'n') order_ = TopOrder::name;
      if (key == 'r') order_ = TopOrder::requests;
      if (key == 'm') order_ = TopOrder::memory;
      if (system_clock().now() < next) continue;
      look();
      next = system_clock().now() + interval_;
    }
    return 0;
  }

 private:
  void look() {
    auto reading = read_daemon(client_);
    trouble_ = reading ? "" : reading.error().text();
    if (!reading) return;
    before_ = std::exchange(now_, std::move(*reading));
  }

  void draw() const {
    const TopStyle style{terminal_width(STDOUT_FILENO, 80), wants_colour(STDOUT_FILENO)};
    const TopReport report = top_report(client_.server(), before_, now_, order_);
    std::string text = trouble_.empty() ? top_text(report, style) : trouble_ + "\n";
    // As many rows as there is room for, and the keys below.
    const int height = terminal_height(STDOUT_FILENO, 24);
    const std::string keys = "q quit   sort by: n name, r requests, m memory";
    std::string out;
    int lines = 0;
    for (std::string_view rest = text; !rest.empty() && lines < height - 2; ++lines) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(line.size() + 1, rest.size()));
      out += std::string(line) + "\n";
    }
    Screen::show(out + "\n" + (style.colour ? "\x1b[2m" + keys + "\x1b[0m" : keys));
  }

  ApiClient& client_;
  const Duration interval_;
  TopOrder order_ = TopOrder::requests;
  TopReading before_, now_;
  std::string trouble_;
};

}  // namespace

int top(const TopFlags& flags) {
  const auto interval = parse_duration(flags.interval);
  if (!interval || *interval < interval_min) {
    fail("error: --interval must be a duration of 100ms or more, such as 2s");
    return 2;
  }
  auto client = open_client(flags.target);
  if (!client) return fail("error: " + client.error().text());
  Top top(*client, *interval);
  const bool terminal = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;
  return flags.once || flags.json || !terminal ? top.once(flags.json) : top.screen();
}

}  // namespace jackdaw::app
