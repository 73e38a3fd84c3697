#include "src/api/openai/openai.h"

#include <algorithm>
#include <utility>

#include "jackdaw/base/text.h"
#include "src/api/openai/addressed_model.h"
#include "src/api/openai/generate_call.h"

namespace jackdaw::api::openai {
namespace {

bool can_answer(const serving::ServedModel& model) {
  const serving::ModelVersion* latest = model.latest();
  return model.unloaded || (latest != nullptr && serving::is_available(*latest));
}

}  // namespace

void chat_completions(Call call) {
  generate(std::move(call), Kind::chat);
}

void completions(Call call) {
  generate(std::move(call), Kind::completions);
}

void embeddings(Call call) {
  answer_refusal(call, refuse("model", "The models here do not support Embeddings API yet."));
}

void health(Call call) {
  const auto snapshot = call.api->context.registry->snapshot();
  bool known = !call.service_path;
  bool ready = true;
  for (const auto& model : snapshot->models()) {
    if (!addressed(call, *model)) continue;
    known = true;
    ready = ready && can_answer(*model);
  }
  if (!known) return answer_refusal(call, Refusal{404, "There is no such service here.", "", Duration{0}});
  if (ready) return answer_json(call, R"({"status":"ok"})");
  // llama.cpp's words, which its clients poll for.
  net::Response response;
  response.status = 503;
  response.body = R"({"error":{"code":503,"message":"Loading model","type":"unavailable_error"}})";
  answer(call, std::move(response));
}

void ping(Call call) {
  answer(call, net::Response{200, "text/plain; charset=utf-8", {}, {}});
}

void version(Call call) {
  std::string body = R"({"version":)";
  append_json_string(body, call.api->options.version);
  answer_json(call, body + "}");
}

}  // namespace jackdaw::api::openai
