// The JSON lines of GET /admin/logs as people read them.
#pragma once

#include <string>
#include <string_view>

namespace jackdaw::app {

// {"ts":…,"level":…,"msg":…,…} as the daemon's text log writes it: time, level, message, key=value. A line that is no
// such record stays as it is.
std::string log_line_text(std::string_view json_line, bool colour);

}  // namespace jackdaw::app
