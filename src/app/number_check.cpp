#include "src/app/number_check.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>

namespace jackdaw::app {

CLI::Validator at_least(long long least) {
  const auto fault = [least](const std::string& text) -> std::string {
    long long value = 0;
    if (CLI::detail::lexical_cast(text, value) && value >= least) return {};
    return fmt::format("{} is not a whole number of at least {}", text, least);
  };
  return CLI::Validator(fault, fmt::format("{} or more", least));
}

}  // namespace jackdaw::app
