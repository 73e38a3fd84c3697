// Durations and sizes as people write them in YAML.
#pragma once

#include <cstdint>
#include <string_view>

#include "jackdaw/base/env.h"
#include "jackdaw/base/result.h"

namespace jackdaw::spec {

// "10s", "500ms", "1m30s", "2h", "0": Go's form (h m s ms us ns, fractions allowed), at most a year, not negative.
Result<Duration> parse_duration(std::string_view text);
// "64Mi", "1Gi", "500k", "1000": Kubernetes' quantities (Ki Mi Gi Ti, k M G T) in whole bytes, below 2^63.
Result<std::uint64_t> parse_size(std::string_view text);

}  // namespace jackdaw::spec
