#include "jackdaw/base/log_ring.h"

#include <algorithm>
#include <iterator>

namespace jackdaw {
namespace {

std::size_t bytes_of(const KeptLogRecord& record) {
  std::size_t bytes = sizeof(KeptLogRecord) + record.line.capacity();
  for (const auto& [key, value] : record.texts) bytes += sizeof(key) + sizeof(value) + value.capacity();
  return bytes;
}

bool earlier(const LogRing::RecordPtr& a, const LogRing::RecordPtr& b) {
  return a->sequence < b->sequence;
}

}  // namespace

std::string_view KeptLogRecord::text(std::string_view key) const {
  for (const auto& [name, value] : texts) {
    if (name == key) return value;
  }
  return {};
}

LogRing::LogRing(LogRingOptions options) : options_(std::move(options)) {}

void LogRing::on_record(const LogRecord& record) {
  auto kept = std::make_shared<KeptLogRecord>();
  kept->time = record.time;
  kept->level = record.level;
  kept->line = format_log_line({.format = LogFormat::json}, log_timestamp(record.time), record);
  kept->line.shrink_to_fit();
  for (const LogField& field : record.fields) {
    const auto* text = std::get_if<std::string_view>(&field.value);
    if (text == nullptr || text->empty()) continue;
    if (std::find(options_.keys.begin(), options_.keys.end(), field.key) == options_.keys.end()) continue;
    kept->texts.emplace_back(field.key, *text);
  }
  const std::lock_guard lock(mutex_);
  kept->sequence = ++sequence_;
  keep(record.message == options_.crowded_message ? crowd_ : said_, std::move(kept));
}

void LogRing::keep(Lane& lane, RecordPtr record) {
  lane.bytes += bytes_of(*record);
  lane.records.push_back(std::move(record));
  while (lane.records.size() > options_.lane_records_max || lane.bytes > options_.lane_bytes_max) {
    lane.bytes -= bytes_of(*lane.records.front());
    lane.records.pop_front();
  }
}

std::vector<LogRing::RecordPtr> LogRing::read(const LogQuery& query) const {
  const auto fits = [&](const RecordPtr& record) {
    return record->time >= query.since && (!query.fits || query.fits(*record));
  };
  std::vector<RecordPtr> out;
  {
    const std::lock_guard lock(mutex_);
    for (const Lane* lane : {&said_, &crowd_}) {
      const auto begin =
          std::upper_bound(lane->records.begin(), lane->records.end(), query.after,
                           [](std::uint64_t after, const RecordPtr& record) { return after < record->sequence; });
      std::copy_if(begin, lane->records.end(), std::back_inserter(out), fits);
    }
  }
  std::sort(out.begin(), out.end(), earlier);
  if (out.size() > query.last_max) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(query.last_max));
  return out;
}

std::uint64_t LogRing::last_sequence() const {
  const std::lock_guard lock(mutex_);
  return sequence_;
}

}  // namespace jackdaw
