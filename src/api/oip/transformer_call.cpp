#include "src/api/oip/transformer_call.h"

#include <algorithm>
#include <array>
#include <utility>

#include "jackdaw/base/ascii.h"
#include "jackdaw/base/text.h"
#include "jackdaw/net/async_client.h"
#include "jackdaw/serving/router.h"
#include "jackdaw/serving/transformer.h"
#include "src/api/access/admit.h"
#include "src/api/oip/transformer_calls.h"

namespace jackdaw::api::oip {
namespace {

using serving::ServedModel;
using serving::ServedModelPtr;

// Every forwarded call carries this: proxies pass it on. KServe's transformers do not.
constexpr std::string_view loop_header = "x-jackdaw-transformer";
// Of what comes in, KServe's transformers pass on three: x-request-id, x-b3-traceid and authorization.
constexpr std::string_view trace_header = "x-b3-traceid";

template <typename Names>
bool contains(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string service_of(const ServedModel& model) {
  return model.namespace_name + "/" + model.service_name;
}

// What belongs to one connection, not to the message (RFC 9110 §7.6.1).
constexpr std::array<std::string_view, 11> connection_headers{"connection",
                                                              "keep-alive",
                                                              "proxy-authenticate",
                                                              "proxy-authorization",
                                                              "proxy-connection",
                                                              "te",
                                                              "trailer",
                                                              "upgrade",
                                                              "transfer-encoding",
                                                              "content-length",
                                                              "expect"};
// Of requests: what jackdaw has undone (the body is unpacked), says itself, or keeps for itself.
constexpr std::array<std::string_view, 6> request_headers_kept{"host",      "content-encoding", "authorization",
                                                               "x-api-key", "x-forwarded-host", loop_header};
// Of answers: what net says itself, and what only the daemon's own settings may say.
constexpr std::array<std::string_view, 2> answer_headers_kept{"date", "server"};

// The names in a Connection header: they belong to the connection too.
std::vector<std::string> named_by_connection(const std::vector<net::Header>& headers) {
  std::vector<std::string> out;
  for (const net::Header& header : headers) {
    if (!ascii_iequals(header.name, "connection")) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      std::string_view name = rest.substr(0, comma);
      while (!name.empty() && (name.front() == ' ' || name.front() == '\t')) name.remove_prefix(1);
      while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
      if (!name.empty()) out.push_back(ascii_lower(name));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
  return out;
}

// A key that is jackdaw's own stays here; the call's own key goes in its place when the predictor asks for one. What
// else stands in the two headers is between the client and the transformer.
void pass_credentials(const Call& call, const std::string& call_key, net::ClientRequest& to) {
  const bool guarded = call.grant != nullptr;
  if (guarded) to.headers.push_back({"authorization", "Bearer " + call_key});
  const bool own = guarded || shows_own_key(call);
  for (const std::string_view name : {"authorization", "x-api-key"}) {
    const auto value = call.request().header(name);
    if (value && !own) to.headers.push_back({std::string(name), std::string(*value)});
  }
}

net::ClientRequest forwarded_request(const Call& call, const ServedModel& model, const TransformerCalls::Mark& mark) {
  const net::Request& from = call.request();
  const auto has = [&from](std::string_view name) { return from.header(name).has_value(); };
  net::ClientRequest to;
  to.method = from.method_text();
  to.url = model.transformer->settings().url + std::string(from.path());
  if (!from.query().empty()) to.url += "?" + std::string(from.query());
  to.body = from.body();
  to.timeout = model.transformer->settings().timeout;
  const std::vector<net::Header> headers = from.headers();
  const std::vector<std::string> named = named_by_connection(headers);
  for (const net::Header& header : headers) {
    std::string name = ascii_lower(header.name);
    if (contains(connection_headers, name) || contains(request_headers_kept, name) || contains(named, name)) continue;
    to.headers.push_back({std::move(name), header.value});
  }
  pass_credentials(call, mark.key, to);
  if (!has("x-request-id")) to.headers.push_back({"x-request-id", make_uuid(*call.api->context.random)});
  if (const auto host = from.header("host")) to.headers.push_back({"x-forwarded-host", std::string(*host)});
  if (!has(trace_header)) to.headers.push_back({std::string(trace_header), mark.trace});
  to.headers.push_back({std::string(loop_header), service_of(model)});
  return to;
}

// Names that answer() takes from the request itself.
bool is_passed_through(const Call& call, std::string_view name) {
  return (name == "x-request-id" || name == "traceparent") && call.request().header(name).has_value();
}

net::Response answer_of(const Call& call, net::ClientResponse from) {
  const std::vector<std::string> named = named_by_connection(from.headers);
  net::Response to;
  to.status = from.status;
  to.content_type = {};  // theirs, among the headers
  to.body = std::move(from.body);
  for (net::Header& header : from.headers) {
    std::string name = ascii_lower(header.name);
    const bool connections = contains(connection_headers, name) || contains(named, name);
    if (connections || contains(answer_headers_kept, name) || name.starts_with("access-control-")) continue;
    if (is_passed_through(call, name)) continue;
    to.headers.push_back({std::move(name), std::move(header.value)});
  }
  return to;
}

// A gateway's statuses; the rest of the table is http_status's.
int status_of(Code code) {
  switch (code) {
    case Code::not_ready:
    case Code::resource_exhausted:
      return 503;
    case Code::deadline_exceeded:
    case Code::cancelled:
      return http_status(code);
    default:
      return 502;
  }
}

// One way there and back, once its transformer has taken the call (begin_call). Lives as long as somebody holds it; the
// last of them takes the mark away.
struct Forwarding {
  Call call;
  ServedModelPtr model;
  TransformerCalls::Mark mark;

  Forwarding(const Call& from, ServedModelPtr of)
      : call(from), model(std::move(of)), mark(from.api->transformer_calls->begin(*model, from.grant)) {}
  Forwarding(const Forwarding&) = delete;
  Forwarding& operator=(const Forwarding&) = delete;
  ~Forwarding() {
    call.api->transformer_calls->end(mark);
    model->transformer->end_call();
  }
};

// Io thread.
void finish(const Call& call, const ServedModel& model, Result<net::ClientResponse> result) {
  serving::Transformer& transformer = *model.transformer;
  if (result) {
    transformer.count("answered");
    return answer(call, answer_of(call, std::move(*result)));
  }
  transformer.count(code_info(result.error().code).name);
  answer_error(call, status_of(result.error().code),
               "The transformer of " + service_of(model) + " did not answer: " + result.error().text());
}

void answer_loop(const Call& call, const ServedModel& model) {
  const std::string& place = model.namespace_name;
  const std::string predictor = model.service_name + "-predictor";
  answer_error(call, 508,
               fmt::format("The transformer of {} calls the service itself, which would go on for ever. Its "
                           "--predictor_host must be the predictor's: {}-{}.<domain>, or <address of jackdaw>/{}/{}.",
                           service_of(model), predictor, place, place, predictor));
}

bool goes_to_transformer(const Call& call, const ServedModel& model) {
  return model.transformer != nullptr && !serving::host_means_predictor(model, call.host());
}

}  // namespace

bool forward_to_transformer(const Call& call, const serving::RegistrySnapshot& snapshot, std::string_view model_name) {
  const ServedModelPtr& model = snapshot.hold(model_name, call.host());
  if (model == nullptr || !goes_to_transformer(call, *model)) return false;
  // What cannot be predicted anyway is said at once, and by the model.
  if (model->unloaded || model->latest() == nullptr || !serving::is_available(*model->latest())) return false;
  const bool came_back = call.request().header(loop_header).value_or("") == service_of(*model) ||
                         call.api->transformer_calls->is_loop(call.request().header(trace_header).value_or(""), *model);
  if (came_back) {
    answer_loop(call, *model);
    return true;
  }
  if (!model->transformer->begin_call()) {
    finish(
        call, *model,
        make_error(Code::resource_exhausted, "{} calls to it are under way already", serving::Transformer::calls_max));
    return true;
  }
  auto way = std::make_shared<Forwarding>(call, model);
  net::AsyncClient& client = *call.api->context.transformer_client;
  Executor& executor = call.exchange->executor();
  net::ClientRequest request = forwarded_request(call, *model, way->mark);
  const std::uint64_t ticket =
      client.send(std::move(request), [way = std::move(way), &executor](Result<net::ClientResponse> result) mutable {
        auto shared = std::make_shared<Result<net::ClientResponse>>(std::move(result));
        executor.post([way = std::move(way), shared] { finish(way->call, *way->model, std::move(*shared)); });
      });
  if (ticket != 0) call.exchange->on_disconnect([&client, ticket] { client.cancel(ticket); });
  return true;
}

bool refuse_for_transformer(const Call& call, std::string_view model_name) {
  const auto snapshot = call.api->context.registry->snapshot();
  const ServedModel* model = snapshot->find(model_name, call.host());
  if (model == nullptr || !goes_to_transformer(call, *model) || model->transformer->is_ready()) return false;
  const std::string fault = model->transformer->health().fault();
  answer_error(call, 503,
               fmt::format("Model with name {} is not ready. Its transformer at {} {}", model_name,
                           model->transformer->settings().url,
                           fault.empty() ? "has not been asked yet." : "does not answer: " + fault));
  return true;
}

}  // namespace jackdaw::api::oip
