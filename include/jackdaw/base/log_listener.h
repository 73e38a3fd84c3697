// LogListener: gets every record that log() writes, beside the file descriptor.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "jackdaw/base/env.h"
#include "jackdaw/base/log.h"

namespace jackdaw {

// As log() got it; the views live as long as the call.
struct LogRecord {
  WallTime time{};
  LogLevel level = LogLevel::info;
  std::string_view message;
  std::span<const LogField> fields;
};

class LogListener {
 public:
  virtual ~LogListener() = default;
  // On the thread that logs: brief, never blocks on anything but a short lock, and must not log itself.
  virtual void on_record(const LogRecord& record) = 0;
};

// One listener for the process; null takes it away. A record that is under way may still reach the old one, which is
// kept alive until then.
void set_log_listener(std::shared_ptr<LogListener> listener);

// "2026-11-28T17:35:33.123Z", as log lines begin.
std::string log_timestamp(WallTime time);

// format_log_line() for fields that are no list in braces.
std::string format_log_line(const LogOptions& options, std::string_view timestamp, const LogRecord& record);

}  // namespace jackdaw
