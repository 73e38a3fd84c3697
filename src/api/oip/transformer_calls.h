// TransformerCalls: what is under way to transformers, and what they may do while it is: call the predictor of their
// service back, with the rights of whoever called.
//
// Keys of jackdaw's own do not leave it: whoever may write a service would else receive the keys of everyone who calls
// it. A transformer gets a key of the call instead, which KServe's pass on to the predictor as they do with every
// Authorization; it is worth nothing elsewhere, nor when the call is over. Thread-safe.
#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "jackdaw/api/access.h"
#include "jackdaw/serving/registry.h"

namespace jackdaw::api::oip {

class TransformerCalls {
 public:
  struct Mark {
    std::string trace;  // 32 hexadecimal digits, as x-b3-traceid has them
    std::string key;    // a bearer token
  };

  Mark begin(const serving::ServedModel& model, GrantPtr grant);
  void end(const Mark& mark);
  // Whether the trace is that of a call to the model's own transformer: then it has come back, and would for ever.
  bool is_loop(std::string_view trace, const serving::ServedModel& model) const;
  // The rights that a bearer token of `begin` stands for at one service; null when it is none, or another's.
  GrantPtr find_key(std::string_view key, std::string_view namespace_name, std::string_view service_name) const;
  std::size_t count() const;

  // Whether it may be one of `begin` at all.
  static bool looks_like_key(std::string_view token);

 private:
  struct Row {
    std::string namespace_name, service_name;
    Sha256 key_hash{};
    GrantPtr grant;
  };

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Row> rows_;  // by trace
};

}  // namespace jackdaw::api::oip
