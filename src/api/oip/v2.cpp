#include <algorithm>
#include <utility>

#include "jackdaw/base/text.h"
#include "src/api/oip/cloud_event.h"
#include "src/api/oip/oip.h"
#include "src/api/oip/predict_call.h"
#include "src/api/oip/response.h"
#include "src/api/oip/transformer_call.h"
#include "src/api/oip/v2_validation.h"
#include "src/api/payload_log.h"

namespace jackdaw::api::oip {

namespace {

using serving::Dialect;

const std::string& no_version() {
  static const std::string none;
  return none;
}

const std::string& path_version(const Call& call) {
  return call.path.count > 1 ? call.path[1] : no_version();
}

// MLServer answers health checks with an empty body.
void answer_empty(const Call& call) {
  net::Response response;
  response.content_type = {};
  answer(call, std::move(response));
}

std::string tensor_specs(const std::vector<engine::TensorSpec>& specs) {
  std::string out = "[";
  for (const engine::TensorSpec& spec : specs) {
    if (out.size() > 1) out += ',';
    out += R"({"name":)";
    append_json_string(out, spec.name);
    out += fmt::format(R"(,"datatype":"{}","shape":[{}]}})", oip_name(spec.dtype), fmt::join(spec.shape, ","));
  }
  return out + "]";
}

void answer_refusal(const Call& call, Refusal refusal) {
  net::Response response;
  response.status = refusal.status;
  response.body = std::move(refusal.body);
  answer(call, std::move(response));
}

// A request id goes into a header only when it is one plain line.
bool fits_header(std::string_view id) {
  return !id.empty() && id.size() <= 256 &&
         std::all_of(id.begin(), id.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

// MLServer marks every answer as a CloudEvent.
void add_mlserver_headers(net::Response& response, std::string_view model, std::string_view id) {
  const std::string name(model);
  response.headers.push_back({"ce-specversion", "0.3"});
  response.headers.push_back({"ce-source", "io.seldon.serving.deployment.mlserver"});
  response.headers.push_back({"ce-type", "io.seldon.serving.inference.response"});
  response.headers.push_back({"ce-modelid", name});
  response.headers.push_back({"ce-inferenceservicename", "mlserver"});
  response.headers.push_back({"ce-endpoint", name});
  if (!fits_header(id)) return;
  response.headers.push_back({"ce-id", std::string(id)});
  response.headers.push_back({"ce-requestid", std::string(id)});
}

// Content types FastAPI reads as JSON: application/json and application/*+json, with any parameters.
bool is_json_content(std::string_view content_type) {
  const std::string_view media = content_type.substr(0, content_type.find(';'));
  return media.starts_with("application/json") ||
         (media.starts_with("application/") && media.find("+json") != std::string_view::npos);
}

// KServe wraps V2 answers to CloudEvents and to their content type; it takes binary mode, and plain bodies in the
// structured mode's type. jackdaw takes structured events too. MLServer knows none.
EventMode v2_event_mode(const net::Request& request, Dialect dialect) {
  return dialect == Dialect::kserve ? event_mode(request) : EventMode::none;
}

std::variant<V2Request, Refusal> read_request(const Call& call, Dialect dialect) {
  const net::Request& request = call.request();
  if (v2_event_mode(request, dialect) == EventMode::structured) {
    if (const auto data = event_data(request.body())) return parse_v2(*data, std::nullopt, call.path[0], dialect);
  }
  const auto json_length = request.header("inference-header-content-length");
  const std::string_view content_type = request.header("content-type").value_or("");
  // KServe takes everything but JSON for the binary form, a missing content type included; to MLServer a missing one
  // means JSON, and it has no binary form, which jackdaw adds for senders of the header (tritonclient sends no type).
  const bool untyped_json = dialect == Dialect::mlserver && content_type.empty() && !json_length;
  const bool json = is_json_content(content_type) || untyped_json;
  if (!json && !json_length) {
    if (dialect == Dialect::mlserver) return Refusal{422, not_json_detail(request.body())};
    return refuse(400, "received byte inputs, but the'inference-header-content-length' header is missing.");
  }
  return parse_v2(request.body(), json ? std::nullopt : json_length, call.path[0], dialect);
}

void render(const Call& call, const Found& found, const V2Request& request, const std::string& id,
            std::vector<engine::Tensor> outputs) {
  const Dialect dialect = found.model->dialect;
  const V2Names names{found.model->name, path_version(call), id};
  const EventMode mode = v2_event_mode(call.request(), dialect);
  if (mode != EventMode::none && !answers_with_tensors(request, outputs)) {
    return answer(call, event_response(call, mode, found.model->name, render_v2_event(names, outputs)));
  }
  V2Response rendered = render_v2(names, request, outputs, dialect);
  net::Response response;
  response.body = std::move(rendered.body);
  if (rendered.json_length > 0) {
    response.content_type = {};  // KServe sends none with raw tensors; clients go by the header
    response.headers.push_back({"inference-header-content-length", std::to_string(rendered.json_length)});
  }
  if (dialect == Dialect::mlserver) add_mlserver_headers(response, found.model->name, id);
  if (!found.batch_id.empty()) response.headers.push_back({"x-batch-id", found.batch_id});
  answer(call, std::move(response));
}

QueueWish wish_of(const V2Request& request) {
  constexpr std::uint64_t timeout_us_max = std::uint64_t{1} << 40;  // twelve days
  QueueWish wish;
  wish.priority = static_cast<std::uint32_t>(std::min<std::uint64_t>(request.priority, UINT32_MAX));
  wish.timeout = std::chrono::microseconds(std::min(request.timeout_us, timeout_us_max));
  return wish;
}

}  // namespace

void v2_server(Call call) {
  answer_json(
      call,
      fmt::format(
          R"({{"name":"jackdaw","version":"{}","extensions":["model_repository_extension","binary_tensor_data"]}})",
          call.api->options.version));
}

void v2_live(Call call) {
  if (dialect_of(*call.api->context.registry->snapshot(), nullptr) == Dialect::mlserver) return answer_empty(call);
  answer_json(call, R"({"live":true})");
}

void v2_ready(Call call) {
  const auto snapshot = call.api->context.registry->snapshot();
  if (!snapshot->all_ready()) return answer_error(call, 503, "Server is not ready.");
  if (dialect_of(*snapshot, nullptr) == Dialect::mlserver) return answer_empty(call);
  answer_json(call, R"({"ready":true})");
}

void v2_list(Call call) {
  answer_json(call, model_names(call, *call.api->context.registry->snapshot()));
}

void v2_model(Call call) {
  const Found found = find_ready(call, call.path[0], path_version(call));
  if (found.model == nullptr) return;
  const engine::ModelMetadata& metadata = found.version->engine->metadata();
  std::string body = R"({"name":)";
  append_json_string(body, found.model->name);
  body += R"(,"versions":[)";
  for (const serving::ModelVersion& version : found.model->versions) {
    if (&version != &found.model->versions.front()) body += ',';
    append_json_string(body, version.version);
  }
  body += R"(],"platform":)";
  append_json_string(body, metadata.platform);
  body += R"(,"inputs":)" + tensor_specs(metadata.inputs) + R"(,"outputs":)" + tensor_specs(metadata.outputs);
  body += found.model->dialect == Dialect::mlserver ? R"(,"parameters":{}})" : "}";
  answer_json(call, std::move(body));
}

void v2_model_ready(Call call) {
  const Found found = find_available(call, call.path[0], path_version(call));
  if (found.model == nullptr || refuse_for_transformer(call, call.path[0])) return;
  if (found.model->dialect == Dialect::mlserver) return answer_empty(call);
  std::string body = R"({"name":)";
  append_json_string(body, found.model->name);
  answer_json(call, body + R"(,"ready":true})");
}

void v2_infer(Call call) {
  const auto snapshot = call.api->context.registry->snapshot();
  if (forward_to_transformer(call, *snapshot, call.path[0])) return;
  call.measured = true;
  const serving::ServedModelPtr model = route_call(call, *snapshot, call.path[0]);
  if (model != nullptr) begin_payload_log(call, model->logger);
  // The body is read before the model is missed, as both peers do: a bad body to an unknown model is a bad body.
  auto parsed = read_request(call, dialect_of(*snapshot, model.get()));
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return answer_refusal(call, std::move(*refusal));
  Found found = find_predictive(call, call.path[0], path_version(call));
  if (found.model == nullptr) return;
  auto request = std::make_shared<V2Request>(std::move(std::get<V2Request>(parsed)));
  if (found.version->batcher != nullptr && !request->queue_fault.empty()) {
    found.version->metrics->request_failure.add();
    return answer_error(call, 400, request->queue_fault);
  }
  const bool keep_empty_id = found.model->dialect == Dialect::mlserver && request->has_id;
  if (request->request.id.empty() && !keep_empty_id) request->request.id = make_uuid(*call.api->context.random);
  std::shared_ptr<const engine::InferenceRequest> inference(request, &request->request);
  predict(
      std::move(call), std::move(found), std::move(inference),
      [request](const Call& done, const Found& answered, std::vector<engine::Tensor> outputs) {
        render(done, answered, *request, request->request.id, std::move(outputs));
      },
      wish_of(*request));
}

}  // namespace jackdaw::api::oip
