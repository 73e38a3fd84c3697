#include "src/api/routes.h"

#include <array>
#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "jackdaw/base/log.h"
#include "jackdaw/base/text.h"
#include "src/api/access/admit.h"
#include "src/api/access/cors.h"
#include "src/api/admin/admin.h"
#include "src/api/oip/oip.h"
#include "src/api/oip/transformer_calls.h"
#include "src/api/openai/openai.h"
#include "src/api/resources/accepted.h"
#include "src/api/resources/resources.h"

namespace jackdaw::api {
namespace {

using net::Method;

constexpr Route openai_route(Method method, std::string_view pattern, Endpoint endpoint, Need need = Need::infer) {
  return {method, pattern, endpoint, need, ErrorShape::openai};
}

constexpr Route resource_route(Method method, std::string_view pattern, Endpoint endpoint) {
  return {method, pattern, endpoint, method == Method::get ? Need::read : Need::write, ErrorShape::kubernetes};
}

constexpr std::array route_table{
    // What is asked for most stands first.
    Route{Method::post, "/v2/models/{model}/infer", oip::v2_infer, Need::infer},
    Route{Method::post, "/v1/models/{model}:predict", oip::v1_predict, Need::infer},
    Route{Method::post, "/v1/models/{model}:explain", oip::v1_explain, Need::infer},
    Route{Method::post, "/v2/models/{model}/versions/{version}/infer", oip::v2_infer, Need::infer},
    openai_route(Method::post, "/v1/chat/completions", openai::chat_completions),
    openai_route(Method::post, "/v1/completions", openai::completions),
    // The same past the service's transformer, which calls back here.
    Route{Method::post, "/{namespace}/{name}-predictor/v1/models/{model}:predict", oip::predictor_v1_predict,
          Need::infer},
    Route{Method::post, "/{namespace}/{name}-predictor/v1/models/{model}:explain", oip::predictor_v1_explain,
          Need::infer},
    Route{Method::post, "/{namespace}/{name}-predictor/v2/models/{model}/infer", oip::predictor_v2_infer, Need::infer},
    Route{Method::get, "/{namespace}/{name}-predictor/v1/models/{model}", oip::predictor_v1_model_ready, Need::infer},
    Route{Method::get, "/{namespace}/{name}-predictor/v2/models/{model}", oip::predictor_v2_model, Need::infer},
    Route{Method::get, "/{namespace}/{name}-predictor/v2/models/{model}/ready", oip::predictor_v2_model_ready,
          Need::open},
    // KServe V1 and OpenAI share these two.
    Route{Method::get, "/v1/models", openai::list_models, Need::infer},
    Route{Method::get, "/v1/models/{model}", openai::get_model, Need::infer},
    // Open Inference Protocol.
    Route{Method::get, "/v2", oip::v2_server, Need::infer},
    Route{Method::get, "/v2/health/live", oip::v2_live, Need::open},
    Route{Method::get, "/v2/health/ready", oip::v2_ready, Need::open},
    Route{Method::get, "/v2/models", oip::v2_list, Need::infer},
    Route{Method::get, "/v2/models/{model}", oip::v2_model, Need::infer},
    Route{Method::get, "/v2/models/{model}/ready", oip::v2_model_ready, Need::open},
    Route{Method::get, "/v2/models/{model}/versions/{version}", oip::v2_model, Need::infer},
    Route{Method::get, "/v2/models/{model}/versions/{version}/ready", oip::v2_model_ready, Need::open},
    // Model repository extension.
    Route{Method::post, "/v2/repository/index", oip::v2_index, Need::infer},
    Route{Method::post, "/v2/repository/models/{model}/load", oip::v2_load, Need::write},
    Route{Method::post, "/v2/repository/models/{model}/unload", oip::v2_unload, Need::write},
    // OpenAI's API, with vLLM's and llama.cpp's neighbours.
    openai_route(Method::get, "/v1/models/{owner}/{model}", openai::get_model),
    openai_route(Method::post, "/v1/embeddings", openai::embeddings),
    openai_route(Method::post, "/v1/tokenize", openai::tokenize),
    openai_route(Method::post, "/v1/detokenize", openai::detokenize),
    openai_route(Method::post, "/tokenize", openai::tokenize),
    openai_route(Method::post, "/detokenize", openai::detokenize),
    openai_route(Method::get, "/health", openai::health, Need::open),
    openai_route(Method::get, "/ping", openai::ping, Need::open),
    openai_route(Method::post, "/ping", openai::ping, Need::open),
    openai_route(Method::get, "/version", openai::version, Need::open),
    // The same under KServe's prefix.
    openai_route(Method::post, "/openai/v1/chat/completions", openai::chat_completions),
    openai_route(Method::post, "/openai/v1/completions", openai::completions),
    openai_route(Method::get, "/openai/v1/models", openai::list_models),
    openai_route(Method::get, "/openai/v1/models/{model}", openai::get_model),
    openai_route(Method::get, "/openai/v1/models/{owner}/{model}", openai::get_model),
    openai_route(Method::post, "/openai/v1/embeddings", openai::embeddings),
    openai_route(Method::post, "/openai/v1/tokenize", openai::tokenize),
    openai_route(Method::post, "/openai/v1/detokenize", openai::detokenize),
    // The same for one service (LLMInferenceService's paths).
    openai_route(Method::post, "/{namespace}/{name}/v1/chat/completions", openai::chat_completions),
    openai_route(Method::post, "/{namespace}/{name}/v1/completions", openai::completions),
    openai_route(Method::get, "/{namespace}/{name}/v1/models", openai::list_models),
    openai_route(Method::get, "/{namespace}/{name}/v1/models/{model}", openai::get_model),
    openai_route(Method::post, "/{namespace}/{name}/v1/embeddings", openai::embeddings),
    openai_route(Method::post, "/{namespace}/{name}/v1/tokenize", openai::tokenize),
    openai_route(Method::post, "/{namespace}/{name}/v1/detokenize", openai::detokenize),
    openai_route(Method::post, "/{namespace}/{name}/tokenize", openai::tokenize),
    openai_route(Method::post, "/{namespace}/{name}/detokenize", openai::detokenize),
    openai_route(Method::get, "/{namespace}/{name}/health", openai::health, Need::open),
    openai_route(Method::get, "/{namespace}/{name}/ping", openai::ping, Need::open),
    openai_route(Method::get, "/{namespace}/{name}/version", openai::version, Need::open),
    // Declared objects, in the shape of Kubernetes' API. Discovery first.
    resource_route(Method::get, "/api", resources::api_versions),
    resource_route(Method::get, "/apis", resources::api_groups),
    resource_route(Method::get, "/api/v1", resources::core_resources),
    resource_route(Method::get, "/apis/{group}", resources::api_group),
    resource_route(Method::get, "/apis/{group}/{version}", resources::group_resources),
    resource_route(Method::get, "/openapi/v3", resources::openapi_index),
    resource_route(Method::get, "/openapi/v3/api/v1", resources::openapi_core),
    resource_route(Method::get, "/openapi/v3/apis/{group}/{version}", resources::openapi_group),
    resource_route(Method::get, "/api/v1/namespaces", resources::list_namespaces),
    resource_route(Method::get, "/api/v1/namespaces/{namespace}", resources::get_namespace),
    resource_route(Method::post, "/api/v1/namespaces", resources::write_namespace),
    resource_route(Method::put, "/api/v1/namespaces/{namespace}", resources::write_namespace),
    resource_route(Method::patch, "/api/v1/namespaces/{namespace}", resources::write_namespace),
    resource_route(Method::delete_, "/api/v1/namespaces/{namespace}", resources::remove_namespace),
    resource_route(Method::get, "/api/v1/{plural}", resources::core_everywhere),
    resource_route(Method::get, "/api/v1/namespaces/{namespace}/{plural}", resources::core_collection),
    resource_route(Method::post, "/api/v1/namespaces/{namespace}/{plural}", resources::core_collection),
    resource_route(Method::get, "/api/v1/namespaces/{namespace}/{plural}/{name}", resources::core_object),
    resource_route(Method::put, "/api/v1/namespaces/{namespace}/{plural}/{name}", resources::core_object),
    resource_route(Method::patch, "/api/v1/namespaces/{namespace}/{plural}/{name}", resources::core_object),
    resource_route(Method::delete_, "/api/v1/namespaces/{namespace}/{plural}/{name}", resources::core_object),
    resource_route(Method::post, "/apis/{group}/{version}/{plural}", resources::cluster_create),
    resource_route(Method::get, "/apis/{group}/{version}/{plural}/{name}", resources::cluster_object),
    resource_route(Method::put, "/apis/{group}/{version}/{plural}/{name}", resources::cluster_object),
    resource_route(Method::patch, "/apis/{group}/{version}/{plural}/{name}", resources::cluster_object),
    resource_route(Method::delete_, "/apis/{group}/{version}/{plural}/{name}", resources::cluster_object),
    resource_route(Method::get, "/apis/{group}/{version}/{plural}", resources::list_all),
    resource_route(Method::get, "/apis/{group}/{version}/namespaces/{namespace}/{plural}", resources::list),
    resource_route(Method::post, "/apis/{group}/{version}/namespaces/{namespace}/{plural}", resources::create),
    resource_route(Method::delete_, "/apis/{group}/{version}/namespaces/{namespace}/{plural}", resources::remove_all),
    resource_route(Method::get, "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}", resources::get),
    resource_route(Method::put, "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}", resources::replace),
    resource_route(Method::patch, "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}", resources::patch),
    resource_route(Method::delete_, "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}",
                   resources::remove),
    resource_route(Method::get, "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}/status",
                   resources::get),
    resource_route(Method::put, "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}/status",
                   resources::replace_status),
    resource_route(Method::patch, "/apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}/status",
                   resources::patch_status),
    // The daemon itself.
    Route{Method::get, "/", admin::alive, Need::open},
    Route{Method::get, "/metrics", admin::metrics, Need::metrics},
    Route{Method::get, "/admin/logs", admin::logs, Need::write},
    Route{Method::get, "/admin/stats", admin::stats, Need::metrics},
};

constexpr std::string_view method_not_allowed(ErrorShape errors) {
  switch (errors) {
    case ErrorShape::openai:
      return R"({"error":{"message":"Method Not Allowed","type":"MethodNotAllowedError","param":null,"code":405}})";
    case ErrorShape::kubernetes:
      return R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the server does not )"
             R"(allow this method on the requested resource","reason":"MethodNotAllowed","details":{},"code":405})";
    case ErrorShape::detail:
      break;
  }
  return R"({"detail":"Method Not Allowed"})";
}

constexpr std::string_view no_resource =
    R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the server could not find the )"
    R"(requested resource","reason":"NotFound","details":{},"code":404})";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// nullopt for broken escapes, NUL and text that is not UTF-8.
std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0) return std::nullopt;
    const char c = static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    if (c == '\0') return std::nullopt;
    out += c;
    i += 2;
  }
  if (!is_valid_utf8(out)) return std::nullopt;
  return out;
}

std::string_view take_segment(std::string_view& path) {
  const std::size_t slash = path.find('/');
  const std::string_view segment = path.substr(0, slash);
  path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
  return segment;
}

bool match_segment(std::string_view pattern, std::string_view segment, PathValues& values) {
  if (!pattern.starts_with('{')) return pattern == segment;
  const std::string_view suffix = pattern.substr(pattern.find('}') + 1);
  if (segment.size() <= suffix.size() || !segment.ends_with(suffix)) return false;
  auto value = percent_decoded(segment.substr(0, segment.size() - suffix.size()));
  if (!value) return false;
  values.values[values.count++] = std::move(*value);
  return true;
}

void answer_no_route(const Call& call, std::string_view path) {
  PathValues values;
  std::string allow;
  ErrorShape errors = ErrorShape::detail;
  for (const Route& route : route_table) {
    values.count = 0;
    if (!match_path(route.pattern, path, values)) continue;
    const std::string name(net::method_name(route.method));
    if (allow.find(name) == std::string::npos) allow += (allow.empty() ? "" : ", ") + name;
    errors = route.errors;
  }
  if (!allow.empty()) {
    net::Response response;
    response.status = 405;
    response.headers.push_back({"allow", allow});
    response.body = method_not_allowed(errors);
    answer(call, std::move(response));
    return;
  }
  if (path.size() > 1 && path.ends_with('/')) {
    const std::string_view without = path.substr(0, path.size() - 1);
    for (const Route& route : route_table) {
      values.count = 0;
      if (!match_path(route.pattern, without, values)) continue;
      net::Response response;
      response.status = 307;
      std::string location(without);
      if (!call.request().query().empty()) location += "?" + std::string(call.request().query());
      response.headers.push_back({"location", std::move(location)});
      answer(call, std::move(response));
      return;
    }
  }
  if (path.starts_with("/api/") || path.starts_with("/apis/")) {
    net::Response response;
    response.status = 404;
    response.body = no_resource;
    answer(call, std::move(response));
    return;
  }
  answer_detail(call, 404, "Not Found");
}

}  // namespace

std::span<const Route> routes() {
  return route_table;
}

bool match_path(std::string_view pattern, std::string_view path, PathValues& values) {
  if (!path.starts_with('/')) return false;
  pattern.remove_prefix(1);
  path.remove_prefix(1);
  for (;;) {
    const bool more_pattern = pattern.find('/') != std::string_view::npos;
    const bool more_path = path.find('/') != std::string_view::npos;
    if (!match_segment(take_segment(pattern), take_segment(path), values)) return false;
    if (more_pattern != more_path) return false;
    if (!more_pattern) return true;
  }
}

void dispatch(Call call) {
  const net::Request& request = call.request();
  const std::string_view path = request.path();
  // HEAD is answered like GET; net leaves the body out.
  const Method method = request.method() == Method::head ? Method::get : request.method();
  if (method == Method::options && answer_preflight(call)) return;
  for (const Route& route : route_table) {
    if (route.method != method) continue;
    call.path.count = 0;
    if (!match_path(route.pattern, path, call.path)) continue;
    if (!admit(call, route)) return;
    call.service_path = route.pattern.starts_with("/{namespace}/");
    const Endpoint endpoint = call.endpoint = route.endpoint;
    endpoint(std::move(call));
    return;
  }
  answer_no_route(call, path);
}

net::Handler make_handler(ApiContext context, ApiOptions options) {
  const auto wall = context.clock->wall().time_since_epoch();
  auto api = std::make_shared<const Api>(Api{context, std::move(options),
                                             std::chrono::duration_cast<std::chrono::seconds>(wall).count(),
                                             std::make_shared<oip::TransformerCalls>()});
  return [api = std::move(api)](std::shared_ptr<net::Exchange> exchange) {
    // Nothing of ours throws across modules, but memory can run out and libraries may; one request must not take the
    // others with it. An exchange that stays unanswered gets a 500 from net.
    try {
      dispatch(Call{api, std::move(exchange), {}, false});
    } catch (const std::exception& error) {
      log_error("request failed with an exception", {{"what", error.what()}});
    }
  };
}

}  // namespace jackdaw::api
