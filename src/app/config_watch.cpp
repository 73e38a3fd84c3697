#include "src/app/config_watch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "jackdaw/base/guarded.h"
#include "jackdaw/base/log.h"
#include "jackdaw/spec/finding.h"

namespace jackdaw::app {
namespace {

namespace fs = std::filesystem;
using Steady = std::chrono::steady_clock;

// A descriptor that is closed with its owner.
class Descriptor {
 public:
  explicit Descriptor(int value) : value_(value) {}
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  const int value_;
};

// Everything a configuration says, so that files that were only touched change nothing.
std::string content_of(const spec::LoadedConfig& config) {
  std::string out;
  for (const auto& service : config.services) out += service.base_dir + spec::to_json(*service.node) + "\n";
  for (const auto& service : config.llm_services) out += service.base_dir + spec::to_json(*service.node) + "\n";
  if (config.daemon.node != nullptr) out += spec::to_json(*config.daemon.node);
  return out;
}

std::string settings_of(const spec::LoadedConfig& config) {
  return config.daemon.node == nullptr ? std::string() : spec::to_json(*config.daemon.node);
}

// Which names of which folders matter: all of a folder that is the configuration, one name beside a file that is.
class Folders {
 public:
  explicit Folders(int inotify) : inotify_(inotify) {}

  // Folders are looked at anew each time: links may lead elsewhere by now.
  void watch(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      if (path == "-") continue;
      std::error_code ignored;
      const fs::path absolute = fs::absolute(path, ignored);
      if (fs::is_directory(absolute, ignored)) {
        add(absolute, "");
      } else {
        add(absolute.parent_path(), absolute.filename());
      }
      const fs::path real = fs::canonical(absolute, ignored);
      if (ignored || real == absolute) continue;
      if (fs::is_directory(real, ignored)) {
        add(real, "");
      } else {
        add(real.parent_path(), real.filename());
      }
    }
  }

  // Kubernetes changes mounted files by moving the link "..data".
  bool matters(int descriptor, std::string_view name) const {
    const auto names = names_.find(descriptor);
    if (names == names_.end()) return false;
    return names->second.contains("") || names->second.contains(name) || name.starts_with("..data");
  }

 private:
  void add(const fs::path& folder, const fs::path& name) {
    constexpr std::uint32_t events = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_MODIFY;
    const int descriptor = ::inotify_add_watch(inotify_, folder.c_str(), events | IN_ONLYDIR);
    if (descriptor < 0) {
      if (warned_.insert(folder.string()).second)
        log_warning("changes of this folder are not noticed; send SIGHUP after changing it",
                    {{"folder", folder.string()}, {"reason", std::generic_category().message(errno)}});
      return;
    }
    names_[descriptor].insert(name.string());
  }

  const int inotify_;
  std::map<int, std::set<std::string, std::less<>>> names_;
  std::set<std::string> warned_;
};

class Watch final : public ConfigWatch {
 public:
  Watch(ConfigWatchOptions options, const spec::LoadedConfig& first, bool good, int inotify, int events)
      : options_(std::move(options)),
        inotify_(inotify),
        events_(events),
        folders_(inotify),
        content_(content_of(first)),
        settings_(settings_of(first)) {
    folders_.watch(options_.paths);
    if (good) {
      due_ = Steady::now() + options_.quiet;  // what changed before the folders were watched
    } else {
      content_.clear();
      retry_later();
    }
    thread_ = std::thread([this] {
      pthread_setname_np(pthread_self(), "config");
      run();
    });
  }

  ~Watch() override {
    ended_ = true;
    wake();
    thread_.join();
  }

  void reload() override {
    asked_ = true;
    wake();
  }

 private:
  void wake() {
    const std::uint64_t one = 1;
    while (::write(events_.get(), &one, sizeof(one)) < 0 && errno == EINTR) {
    }
  }

  void run() {
    while (!ended_) {
      wait();
      if (ended_) return;
      const bool asked = asked_.exchange(false);
      if (!asked && (!due_ || Steady::now() < *due_)) continue;
      due_.reset();
      restless_since_.reset();
      // What was declared before stays.
      if (!guarded("reading the configuration again", [&] { attempt(asked); })) retry_later();
    }
  }

  // Until a file changes, somebody asks, or the time of an attempt has come.
  void wait() {
    std::array<pollfd, 2> waiting{{{inotify_.get(), POLLIN, 0}, {events_.get(), POLLIN, 0}}};
    int timeout_ms = -1;
    if (due_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due_ - Steady::now()).count();
      timeout_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
    }
    if (::poll(waiting.data(), waiting.size(), timeout_ms) <= 0) return;
    if (waiting[1].revents != 0) {
      std::uint64_t count = 0;
      (void)!::read(events_.get(), &count, sizeof(count));
    }
    if (waiting[0].revents == 0 || !something_changed()) return;
    const Steady::time_point now = Steady::now();
    if (!restless_since_) restless_since_ = now;
    due_ = std::min(now + options_.quiet, *restless_since_ + options_.restless);
  }

  bool something_changed() {
    alignas(inotify_event) std::array<char, 16384> buffer;
    bool matters = false;
    for (;;) {
      const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return matters;
      for (ssize_t at = 0; at < got;) {
        const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
        const std::string_view name = event->len > 0 ? event->name : "";
        if ((event->mask & IN_Q_OVERFLOW) != 0 || folders_.matters(event->wd, name)) matters = true;
        at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
      }
    }
  }

  void attempt(bool asked) {
    folders_.watch(options_.paths);
    const spec::LoadedConfig config = spec::load_config(options_.paths, options_.load);
    std::vector<std::string> faults = faults_of(config);
    std::string content = content_of(config);
    if (faults.empty()) {
      if (content == content_ && !asked) return say(faults);
      faults = options_.apply(config);
      if (faults.empty()) taken(config, std::move(content));
    }
    say(faults);
    if (!faults.empty()) retry_later();
  }

  void taken(const spec::LoadedConfig& config, std::string content) {
    content_ = std::move(content);
    if (std::string settings = settings_of(config); settings != settings_) {
      settings_ = std::move(settings);
      log_warning("the settings of kind Daemon have changed; they take effect when jackdaw starts again");
    }
  }

  // What keeps a configuration from being taken. An empty file is one that is being written: whoever wants nothing
  // served can say so with a comment, or take the file away.
  static std::vector<std::string> faults_of(const spec::LoadedConfig& config) {
    std::vector<std::string> out;
    for (const spec::Finding& finding : config.findings) {
      if (finding.severity == spec::Severity::error) out.push_back(finding.place.text() + ": " + finding.message);
    }
    for (const std::string& file : config.files) {
      std::error_code failed;
      if (file != "-" && fs::file_size(file, failed) == 0 && !failed)
        out.push_back(file + ": the file is empty, as while it is written; nothing was changed");
    }
    return out;
  }

  // Once for each new set of faults.
  void say(const std::vector<std::string>& faults) {
    if (options_.outcome) options_.outcome(faults.empty());
    if (faults.empty()) {
      retry_ = Duration::zero();
      if (!said_.empty()) log_info("the configuration can be read again");
    }
    if (faults == said_) return;
    said_ = faults;
    for (const std::string& fault : faults) {
      log_error("the configuration was not taken over; everything stays as it is", {{"reason", fault}});
    }
  }

  void retry_later() {
    retry_ = retry_ == Duration::zero() ? options_.first_retry : std::min(2 * retry_, options_.last_retry);
    due_ = Steady::now() + retry_;
  }

  const ConfigWatchOptions options_;
  const Descriptor inotify_;
  const Descriptor events_;
  Folders folders_;
  std::string content_;   // that was applied last
  std::string settings_;  // of kind Daemon, with which the process started or of which it was said that they changed
  std::vector<std::string> said_;
  std::optional<Steady::time_point> due_;
  std::optional<Steady::time_point> restless_since_;  // files have been changing since then
  Duration retry_{};
  std::atomic<bool> asked_{false};
  std::atomic<bool> ended_{false};
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<ConfigWatch>> ConfigWatch::start(ConfigWatchOptions options, const spec::LoadedConfig& first,
                                                        bool good) {
  const int inotify = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  const int events = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (events < 0) {
    if (inotify >= 0) ::close(inotify);
    return make_error(Code::io_error, "the configuration cannot be watched: {}",
                      std::generic_category().message(errno));
  }
  // Without inotify (a limit of the system) SIGHUP still works.
  if (inotify < 0)
    log_warning("changed files are not noticed; send SIGHUP after changing them",
                {{"reason", std::generic_category().message(errno)}});
  return std::unique_ptr<ConfigWatch>(std::make_unique<Watch>(std::move(options), first, good, inotify, events));
}

}  // namespace jackdaw::app
