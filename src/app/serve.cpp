#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "jackdaw/base/log.h"
#include "jackdaw/spec/finding.h"
#include "jackdaw/spec/load.h"
#include "src/app/cli.h"
#include "src/app/terminal.h"
#include "src/app/wiring.h"

namespace jackdaw::app {
namespace {

// Flags win over the file; they come to the same place so that everything after sees one set of settings.
void apply_flags(const ServeFlags& flags, spec::DaemonSpec& daemon) {
  if (!flags.listen.empty()) {
    daemon.listen.clear();
    for (const std::string& address : flags.listen) {
      daemon.listen.emplace_back();
      daemon.listen.back().set(address, SourcePlace{"--listen", 0, 0, {}});
    }
  }
  if (flags.log_format == "json") daemon.logging.format.set(LogFormat::json, SourcePlace{"--log-format", 0, 0, {}});
  if (flags.log_format == "text") daemon.logging.format.set(LogFormat::text, SourcePlace{"--log-format", 0, 0, {}});
  static constexpr std::pair<const char*, LogLevel> levels[] = {
      {"debug", LogLevel::debug}, {"info", LogLevel::info}, {"warning", LogLevel::warning}, {"error", LogLevel::error}};
  for (const auto& [name, level] : levels) {
    if (flags.log_level == name) daemon.logging.level.set(level, SourcePlace{"--log-level", 0, 0, {}});
  }
  if (flags.access_log) daemon.logging.access.set(true, SourcePlace{"--access-log", 0, 0, {}});
  if (flags.io_threads > 0) daemon.io_threads.set(flags.io_threads, SourcePlace{"--io-threads", 0, 0, {}});
  if (!flags.state_dir.empty()) daemon.state_dir.set(flags.state_dir, SourcePlace{"--state-dir", 0, 0, {}});
}

// systemd's StateDirectory=, where nothing else names a folder. It may list several; the first one is ours.
void apply_environment(spec::DaemonSpec& daemon) {
  const char* folders = std::getenv("STATE_DIRECTORY");
  if (daemon.state_dir.is_set || folders == nullptr) return;
  const std::string_view first = std::string_view(folders).substr(0, std::string_view(folders).find(':'));
  if (!first.empty()) daemon.state_dir.set(std::string(first), SourcePlace{"$STATE_DIRECTORY", 0, 0, {}});
}

void print_findings(const spec::LoadedConfig& config) {
  spec::RenderOptions render;
  render.colour = wants_colour(STDERR_FILENO);
  render.width = terminal_width(STDERR_FILENO, render.width);
  std::fputs(spec::render_findings_text(config.findings, render).c_str(), stderr);
}

// Blocked in every thread, so that only the main thread takes them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Until SIGTERM or SIGINT. SIGHUP has everything read again that may change; without it, files are looked at now and
// then.
void wait_for_stop(const sigset_t& signals, Daemon& daemon) {
  constexpr timespec look_interval{2, 0};
  for (;;) {
    const int received = sigtimedwait(&signals, nullptr, &look_interval);
    if (received == SIGTERM || received == SIGINT) return;
    if (received == SIGHUP) {
      daemon.reload();
      daemon.reload_secrets(Daemon::Secrets::all);
    }
    if (received < 0 && errno == EAGAIN) daemon.reload_secrets(Daemon::Secrets::changed);
  }
}

// A second signal ends the process at once, as people expect of Ctrl-C.
void let_signals_end_the_process() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

}  // namespace

int serve(const ServeFlags& flags) {
  const sigset_t signals = block_signals();
  spec::LoadOptions options;
  options.strict = flags.strict;
  spec::LoadedConfig config = spec::load_config(flags.configs, options);
  apply_flags(flags, config.daemon);
  apply_environment(config.daemon);
  configure_log(
      {*config.daemon.logging.format, *config.daemon.logging.level, STDERR_FILENO, wants_colour(STDERR_FILENO)});
  if (!config.findings.empty()) print_findings(config);
  if (!config.ok()) {
    std::fprintf(stderr, "jackdaw: not started: %zu error(s) in the configuration\n", config.error_count());
    return 1;
  }
  if (flags.configs.empty() && config.daemon.state_dir->empty())
    log_warning("what is declared over HTTP is lost when jackdaw ends: neither --config nor --state-dir was given");
  auto daemon = Daemon::start(config, flags.configs, options);
  if (!daemon) {
    std::fprintf(stderr, "jackdaw: not started: %s\n", daemon.error().text().c_str());
    return 1;
  }
  wait_for_stop(signals, **daemon);
  let_signals_end_the_process();
  (*daemon)->stop();
  return 0;
}

}  // namespace jackdaw::app
