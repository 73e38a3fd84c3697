// LogRing: the daemon's last log records, in memory, so that it can be asked what it said about a model.
//
// Thread-safe; a record costs one short lock. Bounded in bytes and records: the oldest go first. Requests of the access
// log, which come by the thousand, have a lane of their own and never push out what else was said.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/base/log_listener.h"

namespace jackdaw {

struct KeptLogRecord {
  std::uint64_t sequence = 0;  // counts up from 1, over both lanes
  WallTime time{};
  LogLevel level = LogLevel::info;
  std::string line;  // as --log-format json writes it, without newline
  // The texts of the fields named in LogRingOptions::keys, for filters.
  std::vector<std::pair<std::string, std::string>> texts;

  // "" when the record has no such field.
  std::string_view text(std::string_view key) const;
};

struct LogRingOptions {
  std::vector<std::string> keys{"model", "service", "namespace", "object", "revision", "path"};
  std::string crowded_message = "request";  // records with this message have the second lane
  std::size_t lane_records_max = 4096;
  std::size_t lane_bytes_max = 1u << 20;
};

struct LogQuery {
  std::uint64_t after = 0;  // only later sequences
  WallTime since{};         // only records of this time or later
  std::size_t last_max = SIZE_MAX;
  std::function<bool(const KeptLogRecord&)> fits;  // empty: all; called under the ring's lock
};

class LogRing final : public LogListener {
 public:
  using RecordPtr = std::shared_ptr<const KeptLogRecord>;

  explicit LogRing(LogRingOptions options = {});

  void on_record(const LogRecord& record) override;
  // In order; of more than `last_max` the last ones.
  std::vector<RecordPtr> read(const LogQuery& query) const;
  // Sequence of the last record, 0 before the first.
  std::uint64_t last_sequence() const;

  // The daemon ends: those who follow the log stop.
  void end() { ended_ = true; }
  bool ended() const { return ended_; }

 private:
  struct Lane {
    std::deque<RecordPtr> records;
    std::size_t bytes = 0;
  };
  void keep(Lane& lane, RecordPtr record);

  const LogRingOptions options_;
  mutable std::mutex mutex_;
  std::uint64_t sequence_ = 0;
  Lane said_;
  Lane crowd_;
  std::atomic<bool> ended_{false};
};

}  // namespace jackdaw
