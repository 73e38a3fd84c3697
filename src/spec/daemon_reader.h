#pragma once

#include <string>
#include <string_view>

#include "jackdaw/spec/daemon.h"
#include "src/spec/complaints.h"

namespace jackdaw::spec {

// Reads a Daemon whose fields were checked against the schema already. Relative paths start at `base_dir`.
DaemonSpec read_daemon(const Node& object, std::string_view base_dir, Complaints& complaints);

// The path that a text names on this machine, absolute; "" after a complaint.
std::string absolute_path(const Node& node, std::string_view base_dir, Complaints& complaints);

}  // namespace jackdaw::spec
