// ContinueToken: where a list that is read in pieces goes on. Clients give it back as they got it. As text
// "9f3c…e1.120.7.serving.kserve.io/inferenceservices/default/iris": the life of the store, the list's resourceVersion
// ("now": whatever is there), how many objects are left ("-": not known), and the key of the last one given out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jackdaw::control {

struct ContinueToken {
  std::uint64_t life = 0;  // versions mean something within one life of a store only
  std::optional<std::uint64_t> resource_version;
  std::optional<std::uint64_t> remaining;
  std::string after;

  std::string text() const;
  // Nothing when it cannot be one.
  static std::optional<ContinueToken> parse(std::string_view text);
};

}  // namespace jackdaw::control
