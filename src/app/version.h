// The version every surface prints: --version, GET /v2, the Server header's neighbours.
#pragma once

namespace jackdaw::app {

inline constexpr const char* version = "0.1.0";

}  // namespace jackdaw::app
