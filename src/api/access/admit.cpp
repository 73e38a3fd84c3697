#include "src/api/access/admit.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "jackdaw/base/log.h"
#include "jackdaw/base/text.h"
#include "src/api/oip/transformer_calls.h"
#include "src/api/resources/resource_call.h"

namespace jackdaw::api {
namespace {

struct Denial {
  int status = 401;  // or 403
  std::string message;
};

// "Bearer" is any case (RFC 9110 §11.1). Anthropic's clients send the key as x-api-key.
std::optional<std::string_view> presented_token(const net::Request& request) {
  constexpr std::string_view scheme = "bearer ";
  if (const auto value = request.header("authorization")) {
    bool fits = value->size() > scheme.size();
    for (std::size_t i = 0; fits && i < scheme.size(); ++i) fits = ((*value)[i] | 0x20) == (scheme[i] | 0x20);
    if (fits) {
      std::string_view token = value->substr(scheme.size());
      while (!token.empty() && token.front() == ' ') token.remove_prefix(1);
      return token;
    }
  }
  return request.header("x-api-key");
}

std::string_view need_name(Need need) {
  switch (need) {
    case Need::open:
      return "open";
    case Need::infer:
      return "infer";
    case Need::read:
      return "read";
    case Need::write:
      return "write";
    case Need::metrics:
      return "metrics";
  }
  return "";
}

GrantPtr grant_of(const Call& call, const AccessRules& rules, std::optional<std::string_view> token) {
  if (token) {
    if (GrantPtr grant = rules.find_token(*token)) return grant;
  }
  const net::ClientCertificate* certificate = call.request().client_certificate();
  return certificate == nullptr ? nullptr : rules.find_certificate(certificate->names);
}

Denial deny_unknown(const AccessRules& rules, Need need, bool has_token) {
  if (!rules.is_granted(need)) {
    return {403,
            fmt::format("This needs the right to {}, and nobody has it: while the daemon listens on other addresses "
                        "than loopback, name a token or a client certificate with the scope \"{}\" in spec.auth of "
                        "kind Daemon.",
                        need_name(need), need_name(need))};
  }
  if (has_token) return {401, "Incorrect API key provided: nobody here has this token."};
  return {401, "No API key provided. Send it as \"Authorization: Bearer KEY\"."};
}

// The value of a placeholder of the pattern, "" when it has none of that name.
std::string_view value_of(std::string_view pattern, const PathValues& values, std::string_view placeholder) {
  std::size_t index = 0;
  for (std::size_t at = pattern.find('{'); at != std::string_view::npos; at = pattern.find('{', at + 1), ++index) {
    if (pattern.substr(at, placeholder.size()) == placeholder) return values[index];
  }
  return "";
}

// Whether the grant covers what the path names. OpenAI's endpoints learn the model from the body: there, one that the
// grant does not cover is unknown (openai/addressed_model.cpp).
bool covers_path(const Call& call, const Route& route, const Grant& grant) {
  const std::string_view namespace_name = value_of(route.pattern, call.path, "{namespace}");
  if (!namespace_name.empty() && !grant.covers_namespace(namespace_name)) return false;
  if (route.errors == ErrorShape::openai) return true;
  const std::string_view model = value_of(route.pattern, call.path, "{model}");
  if (!model.empty()) {
    if (!grant.covers_model(model)) return false;
    if (grant.namespaces.empty() || !namespace_name.empty()) return true;
    const auto snapshot = call.api->context.registry->snapshot();
    const serving::ServedModel* served = snapshot->find(std::string(model), call.request().header("host").value_or(""));
    return served == nullptr || grant.covers_namespace(served->namespace_name);
  }
  if (!route.pattern.starts_with("/apis/") || route.pattern.find("{plural}") == std::string_view::npos) return true;
  // Declared objects. All of them, or those of all namespaces, are more than some; who creates one names it in the
  // body.
  const std::string_view object = value_of(route.pattern, call.path, "{name}");
  const bool named =
      object.empty() ? grant.models.empty() || route.method == net::Method::post : grant.covers_model(object);
  return named && (!namespace_name.empty() || grant.namespaces.empty());
}

// A transformer at work has the rights of whoever called it, at the service that the path or the Host means.
GrantPtr grant_of_transformer(const Call& call, const Route& route, std::string_view token) {
  if (route.need != Need::infer || !oip::TransformerCalls::looks_like_key(token)) return nullptr;
  const std::string_view model = value_of(route.pattern, call.path, "{model}");
  const std::string_view service = value_of(route.pattern, call.path, "{name}");
  const oip::TransformerCalls& calls = *call.api->transformer_calls;
  if (model.empty() || route.errors == ErrorShape::openai) return nullptr;
  if (!service.empty()) return calls.find_key(token, value_of(route.pattern, call.path, "{namespace}"), service);
  const auto snapshot = call.api->context.registry->snapshot();
  const serving::ServedModel* served = snapshot->find(model, call.host());
  return served == nullptr ? nullptr : calls.find_key(token, served->namespace_name, served->service_name);
}

std::optional<Denial> decide(Call& call, const Route& route, const AccessRules& rules) {
  const auto token = presented_token(call.request());
  GrantPtr grant = grant_of(call, rules, token);
  if (grant == nullptr && token) grant = grant_of_transformer(call, route, *token);
  if (grant == nullptr) return deny_unknown(rules, route.need, token.has_value());
  if (!grant->has(route.need)) {
    return Denial{403, fmt::format("\"{}\" has no right to {}.", grant->name, need_name(route.need))};
  }
  if (!covers_path(call, route, *grant)) {
    return Denial{403, fmt::format("The rights of \"{}\" do not cover this model or namespace.", grant->name)};
  }
  call.grant = std::move(grant);
  return std::nullopt;
}

std::string openai_body(const Denial& denial) {
  std::string body = R"({"error":{"message":)";
  append_json_string(body, denial.message);
  return body + (denial.status == 401
                     ? R"(,"type":"invalid_request_error","param":null,"code":"invalid_api_key"}})"
                     : R"(,"type":"permission_error","param":null,"code":"insufficient_permissions"}})");
}

std::string body_of(const Denial& denial, const Route& route) {
  if (route.errors == ErrorShape::kubernetes) {
    const std::string_view reason = denial.status == 401 ? "Unauthorized" : "Forbidden";
    return resources::status_object(denial.status, reason, denial.message).dump();
  }
  if (route.errors == ErrorShape::openai) return openai_body(denial);
  std::string body = R"({"error":)";
  append_json_string(body, denial.message);
  return body + "}";
}

}  // namespace

bool admit(Call& call, const Route& route) {
  const Access* access = call.api->context.access;
  if (access == nullptr || access->is_open(route.need)) return true;
  const std::optional<Denial> denial = decide(call, route, *access->rules());
  if (!denial) return true;
  call.api->context.metrics
      ->counter("jackdaw_requests_denied_total", "Requests whose sender may not do what they ask for.",
                std::array<std::string_view, 2>{"status", "need"},
                std::array<std::string_view, 2>{denial->status == 401 ? "401" : "403", need_name(route.need)})
      .add();
  log_debug("denied a request", {{"peer", call.request().peer()}, {"why", denial->message}});
  net::Response response;
  response.status = denial->status;
  if (denial->status == 401) response.headers.push_back({"WWW-Authenticate", "Bearer realm=\"jackdaw\""});
  response.body = body_of(*denial, route);
  answer(call, std::move(response));
  return false;
}

bool shows_own_key(const Call& call) {
  const Access* access = call.api->context.access;
  const auto token = presented_token(call.request());
  return access != nullptr && token && access->rules()->find_token(*token) != nullptr;
}

bool may_use(const Call& call, std::string_view model, std::string_view namespace_name) {
  return call.grant == nullptr || (call.grant->covers_model(model) && call.grant->covers_namespace(namespace_name));
}

}  // namespace jackdaw::api
