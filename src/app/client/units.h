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

// "512 B", "21.4 MiB".
std::string short_bytes(double bytes);
// "0", "0.25", "12.3", "1234", "98.7k": four characters or so.
std::string short_number(double value);
// "18 µs", "4.21 ms", "1.30 s", "2m10s"; "-" for what is no number.
std::string short_latency(double seconds);

}  // namespace jackdaw::app
