// Durations, sizes and rates as people write and read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "jackdaw/base/env.h"
#include "jackdaw/base/result.h"

namespace jackdaw::app {

// "90" (seconds), "500ms", "30s", "5m", "1h30m", "2d".
Result<Duration> parse_duration(std::string_view text);
// Seconds since the epoch of "2026-11-28T17:35:33Z" (fractions are cut); -1 when it is no such time.
std::int64_t parse_time(std::string_view rfc3339);

// Kubernetes' short form: "45s", "3m20s", "5h", "12d".
std::string short_age(std::int64_t seconds);
// "512 B", "21.4 MiB".
std::string short_bytes(double bytes);
// "0", "0.25", "12.3", "1234", "98.7k": four characters or so.
std::string short_number(double value);
// "18 µs", "4.21 ms", "1.30 s", "2m10s"; "-" for what is no number.
std::string short_latency(double seconds);

}  // namespace jackdaw::app
