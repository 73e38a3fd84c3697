#include "src/api/openai/generate_call.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "src/api/openai/addressed_model.h"
#include "src/api/openai/answer_stream.h"
#include "src/api/openai/parameters.h"
#include "src/api/openai/prompts.h"
#include "src/api/payload_log.h"

namespace jackdaw::api::openai {
namespace {

constexpr Duration retry_min = std::chrono::seconds(1);
constexpr std::size_t named_fields_max = 20;
constexpr std::size_t field_name_max = 64;
constexpr std::size_t request_id_max = 256;

void count_ignored(const Call& call, const GenerationRequest& request) {
  if (request.ignored.empty()) return;
  static constexpr std::array<std::string_view, 1> labels{"endpoint"};
  const std::array<std::string_view, 1> values{request.kind == Kind::chat ? "chat" : "completions"};
  call.api->context.metrics
      ->counter("jackdaw_openai_ignored_fields_total", "Request fields that no one knows and that were ignored.",
                labels, values)
      .add(static_cast<double>(request.ignored.size()));
}

// The client's id for the request, or one made for it.
std::string request_id(const Call& call, const GenerationRequest& request) {
  if (!request.request_id.empty()) return request.request_id;
  if (const auto header = call.request().header("x-request-id"); header && !header->empty())
    return valid_utf8(header->substr(0, request_id_max));
  std::string id = make_uuid(*call.api->context.random);
  std::erase(id, '-');
  return id;
}

// From here on the request is known to be one; the rest may wait for a tokenizer on another thread.
struct Generation {
  Call call;
  GenerationRequest request;
  AddressedModel model;
};

Duration retry_after(const AddressedModel& model) {
  return std::max(model.engine().stats().estimated_wait, retry_min);
}

std::shared_ptr<engine::InferenceRequest> engine_request(const Generation& generation, const std::string& id,
                                                         PreparedPrompt& prompt) {
  auto to = std::make_shared<engine::InferenceRequest>();
  to->verb = engine::Verb::generate;
  to->id = id;
  engine::GenerateInputs& inputs = to->generate.emplace(generation.request.inputs);
  if (generation.request.max_tokens_is_default) {
    const auto room = generation.model.codec().max_model_len() - static_cast<std::uint32_t>(prompt.tokens.size());
    inputs.max_tokens = std::min(*inputs.max_tokens, room);
    inputs.min_tokens = std::min(inputs.min_tokens, room);
  }
  // The legacy logprobs cover what is echoed.
  if (generation.request.kind == Kind::completions && generation.request.echo && generation.request.logprobs)
    inputs.prompt_logprobs = std::max(inputs.prompt_logprobs, inputs.top_logprobs);
  if (generation.request.return_token_ids) {
    inputs.prompt = prompt.tokens;
  } else {
    inputs.prompt = std::exchange(prompt.tokens, {});
  }
  return to;
}

// What the engine refuses, in the words of the request: it calls everything that it computes a prompt.
Refusal refuse_engine_error(const Error& error, const Generation& generation) {
  Refusal refusal = refuse_error(error, retry_after(generation.model));
  const Kind kind = generation.request.kind;
  std::string_view param = error.where;
  if (kind == Kind::chat && param == "prompt") param = "messages";
  if (refusal.status != 400 || find_parameter(param, kind) == nullptr) return refusal;
  refusal.message = error.message;
  refusal.param = param;
  return refusal;
}

// A queue that can never hold all prompts of the request is no reason to ask again.
std::optional<Refusal> check_prompt_count(std::size_t prompts, const AddressedModel& model) {
  const std::uint32_t most = model.engine().stats().requests_max;
  if (most == 0 || prompts <= most) return std::nullopt;
  return refuse("prompt", "prompt holds {} prompts, but {} are the most that `{}` takes at once; send them in parts.",
                prompts, most, model.name);
}

AnswerHead answer_head(const Api& api, Kind kind, const std::string& model, const std::string& id) {
  const auto wall = api.context.clock->wall().time_since_epoch();
  return {(kind == Kind::chat ? "chatcmpl-" : "cmpl-") + id,
          std::chrono::duration_cast<std::chrono::seconds>(wall).count(), model, "jackdaw-" + api.options.version};
}

void submit(Generation generation, std::vector<PreparedPrompt> prompts) {
  GenerationRequest& request = generation.request;
  const std::string id = request_id(generation.call, request);
  BridgeOptions options;
  options.prompts = static_cast<std::uint32_t>(prompts.size());
  options.choices = request.inputs.choices;
  options.wake_on_tokens = request.stream;
  options.keep_tokens = request.return_token_ids;
  options.waiting_bytes_max = generation.call.api->options.stream_waiting_bytes_max;
  net::Exchange& exchange = *generation.call.exchange;
  auto bridge = std::make_shared<TokenBridge>(exchange.executor(), generation.call.exchange, options);
  for (std::uint32_t i = 0; i < prompts.size(); ++i) {
    generation.model.engine().submit(engine_request(generation, id, prompts[i]), bridge->stream(i));
    // What is refused is refused before anything has been sent.
    if (const auto failure = bridge->failure()) {
      bridge->close();
      generation.model.version->metrics->request_failure.add();
      return answer_refusal(generation.call, refuse_engine_error(*failure, generation));
    }
  }
  AnswerParts parts{generation.call, std::move(generation.model), std::move(bridge), nullptr, {}, request.stream, {}};
  parts.writer = AnswerWriter::make(request, answer_head(*parts.call.api, request.kind, parts.model.name, id),
                                    std::move(prompts), parts.model.codec());
  if (!generation.call.request().header("x-request-id")) parts.headers.push_back({"x-request-id", id});
  if (!request.ignored.empty()) parts.headers.push_back({"x-ignored-fields", ignored_fields_header(request.ignored)});
  start_answer(std::move(parts));
}

void go_on(Generation generation, std::variant<std::vector<PreparedPrompt>, Refusal> prepared) {
  if (const auto* refusal = std::get_if<Refusal>(&prepared)) {
    generation.model.version->metrics->request_failure.add();
    return answer_refusal(generation.call, *refusal);
  }
  auto& prompts = std::get<std::vector<PreparedPrompt>>(prepared);
  if (const auto refusal = check_prompt_count(prompts.size(), generation.model)) {
    generation.model.version->metrics->request_failure.add();
    return answer_refusal(generation.call, *refusal);
  }
  submit(std::move(generation), std::move(prompts));
}

// Long prompts are tokenized on the worker pool; the answer goes on on the io thread.
void prepare_elsewhere(Generation generation) {
  serving::WorkerPool& pool = *generation.call.api->context.cpu_pool;
  Executor& executor = generation.call.exchange->executor();
  auto shared = std::make_shared<Generation>(std::move(generation));
  const bool posted = pool.post([shared, &executor] {
    auto prepared = std::make_shared<std::variant<std::vector<PreparedPrompt>, Refusal>>(
        prepare_prompts(shared->request, shared->model.codec()));
    // The exchange keeps the executor; it is let go of on the io thread.
    executor.post([shared, prepared] { go_on(std::move(*shared), std::move(*prepared)); });
  });
  if (posted) return;
  Refusal refusal{429, "Too many long prompts are being tokenized; try again later.", "", retry_min};
  shared->model.version->metrics->request_failure.add();
  answer_refusal(shared->call, refusal);
}

}  // namespace

std::string ignored_fields_header(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < named_fields_max; ++i) {
    if (i > 0) out += ", ";
    for (const char c : names[i].substr(0, field_name_max)) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                         c == '-' || c == '.';
      out += plain ? c : '?';
    }
  }
  if (names.size() > named_fields_max) out += ", ...";
  return out;
}

void generate(Call call, Kind kind) {
  call.measured = true;
  auto read = read_generation(call.request().body(), kind, {call.api->options.trust_request_chat_template});
  if (const auto* refusal = std::get_if<Refusal>(&read)) return answer_refusal(call, *refusal);
  auto& request = std::get<GenerationRequest>(read);
  auto found = find_model(call, request.model, kind == Kind::chat ? "Chat Completions" : "Completions");
  if (!found) return;
  count_ignored(call, request);
  begin_payload_log(call, found->model->logger);
  Generation generation{std::move(call), std::move(request), std::move(*found)};
  if (prompt_bytes(generation.request) > generation.call.api->options.inline_prompt_bytes_max)
    return prepare_elsewhere(std::move(generation));
  auto prepared = prepare_prompts(generation.request, generation.model.codec());
  go_on(std::move(generation), std::move(prepared));
}

}  // namespace jackdaw::api::openai
