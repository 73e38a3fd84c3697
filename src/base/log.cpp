#include "jackdaw/base/log.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cmath>
#include <ctime>
#include <iterator>
#include <memory>
#include <mutex>
#include <utility>

#include "jackdaw/base/log_listener.h"
#include "jackdaw/base/text.h"

namespace jackdaw {
namespace {

std::atomic<LogFormat> log_format{LogFormat::text};
std::atomic<LogLevel> log_level{LogLevel::info};
std::atomic<int> log_fd{2};
std::atomic<bool> log_colour{false};

constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 4> level_colours{"\x1b[2m", "\x1b[32m", "\x1b[33m", "\x1b[31m"};

std::mutex listener_mutex;
std::shared_ptr<LogListener> listener;  // NOLINT: like the options above, one for the process

std::shared_ptr<LogListener> current_listener() {
  const std::lock_guard lock(listener_mutex);
  return listener;
}

// Text that is not UTF-8 must still give one valid line: bad bytes become '?'.
std::string printable(std::string_view text) {
  std::string out(text);
  if (is_valid_utf8(out)) return out;
  for (char& c : out) {
    if (static_cast<unsigned char>(c) >= 0x80) c = '?';
  }
  return out;
}

bool needs_quotes(std::string_view text) {
  if (text.empty()) return true;
  for (const char c : text) {
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c == 0x7f) return true;
  }
  return false;
}

void append_value(std::string& out, const LogField& field, bool json) {
  if (const auto* text = std::get_if<std::string_view>(&field.value)) {
    const std::string safe = printable(*text);
    if (json || needs_quotes(safe)) {
      append_json_string(out, safe);
    } else {
      out += safe;
    }
  } else if (const auto* i = std::get_if<std::int64_t>(&field.value)) {
    fmt::format_to(std::back_inserter(out), "{}", *i);
  } else if (const auto* u = std::get_if<std::uint64_t>(&field.value)) {
    fmt::format_to(std::back_inserter(out), "{}", *u);
  } else if (const auto* d = std::get_if<double>(&field.value)) {
    std::isfinite(*d) ? (void)fmt::format_to(std::back_inserter(out), "{:.6g}", *d)
                      : (void)(out += json ? "null" : "nan");
  } else {
    out += std::get<bool>(field.value) ? "true" : "false";
  }
}

}  // namespace

void configure_log(const LogOptions& options) {
  log_format = options.format;
  log_level = options.level;
  log_fd = options.fd;
  log_colour = options.colour;
}

bool log_enabled(LogLevel level) {
  return level >= log_level.load(std::memory_order_relaxed);
}

void set_log_listener(std::shared_ptr<LogListener> next) {
  const std::lock_guard lock(listener_mutex);
  listener.swap(next);
}

std::string log_timestamp(WallTime time) {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::system_clock::duration>(time));
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  const std::size_t n = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
  return fmt::format("{}.{:03}Z", std::string_view(text, n), millis);
}

std::string format_log_line(const LogOptions& options, std::string_view timestamp, LogLevel level,
                            std::string_view message, std::initializer_list<LogField> fields) {
  return format_log_line(options, timestamp, {{}, level, message, {fields.begin(), fields.size()}});
}

std::string format_log_line(const LogOptions& options, std::string_view timestamp, const LogRecord& record) {
  const auto& [time, level, message, fields] = record;
  std::string out;
  const auto index = static_cast<std::size_t>(level);
  if (options.format == LogFormat::json) {
    out = fmt::format(R"({{"ts":"{}","level":"{}","msg":)", timestamp, level_names[index]);
    append_json_string(out, printable(message));
    for (const LogField& field : fields) {
      out += ',';
      append_json_string(out, field.key);
      out += ':';
      append_value(out, field, true);
    }
    return out + "}";
  }
  out = fmt::format("{} {}{:<7}{} ", timestamp, options.colour ? level_colours[index] : "", level_names[index],
                    options.colour ? "\x1b[0m" : "");
  out += printable(message);
  for (const LogField& field : fields) {
    out += ' ';
    out += field.key;
    out += '=';
    append_value(out, field, false);
  }
  for (char& c : out) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return out;
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!log_enabled(level)) return;
  const LogOptions options{log_format, log_level, log_fd, log_colour};
  const LogRecord record{system_clock().wall(), level, message, {fields.begin(), fields.size()}};
  std::string line = format_log_line(options, log_timestamp(record.time), record);
  line += '\n';
  // One write per record keeps lines whole; a log that cannot be written must not stop the server.
  [[maybe_unused]] const ssize_t written = ::write(options.fd, line.data(), line.size());
  if (const auto to = current_listener()) to->on_record(record);
}

}  // namespace jackdaw
