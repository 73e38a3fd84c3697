// Router: which revision of a service a request is for. Pure; any thread.
#pragma once

#include <string_view>

#include "jackdaw/base/env.h"
#include "jackdaw/serving/registry.h"

namespace jackdaw::serving {

// What of a request decides.
struct RouteKey {
  std::string_view host;  // "iris-default.example.com", "latest-iris-default.example.com"
  std::string_view
      session;  // x-session-id: requests that share it stay with one revision while the shares do; "" = none
  const Gate* gate = nullptr;  // whose pass the request has already: its revision is the one
};

// The revision that `key` asks for by tag, else one drawn by the shares of the traffic. A session's draw is its own
// hash: while the newest revision's share grows, sessions move to it and none moves back. Never null when `model` is
// not.
ServedModelPtr route(const ServedModelPtr& model, const RouteKey& key, Random& random);

// Whether a Host points at the model's service, {name}-{namespace}.… or {name}.{namespace}.…, alone or after the tag of
// one of its revisions and a dash; or at its predictor, or at its transformer ({name}-transformer-{namespace}.…).
bool host_means(const ServedModel& model, std::string_view host);

// Whether a Host points at the predictor of the model's service, past its transformer: {name}-predictor-{namespace}.…
// or {name}-predictor.{namespace}.…, which is what KServe gives transformers as --predictor_host; alone or after a tag.
bool host_means_predictor(const ServedModel& model, std::string_view host);

}  // namespace jackdaw::serving
