// Which log records are about a service.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/log_ring.h"
#include "jackdaw/serving/registry.h"

namespace jackdaw::api::admin {

struct LogFilter {
  std::string namespace_name;      // "" = any
  std::string service;             // "" = every record
  std::vector<std::string> names;  // what the records call it: the service, its models and their aliases

  bool fits(const KeptLogRecord& record) const;
};

LogFilter filter_for(const serving::RegistrySnapshot& snapshot, std::string_view namespace_name,
                     std::string_view service);

}  // namespace jackdaw::api::admin
