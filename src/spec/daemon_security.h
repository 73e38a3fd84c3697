// Who may reach the daemon and do what there: tls, auth and cors of kind Daemon.
#pragma once

#include <string_view>

#include "jackdaw/spec/daemon.h"
#include "src/spec/complaints.h"

namespace jackdaw::spec {

// `spec` is the Daemon's, checked against the schema; the listeners of `out` were read already.
void read_security(const Node& spec, std::string_view base_dir, Complaints& complaints, DaemonSpec& out);

}  // namespace jackdaw::spec
