// POST /tokenize and /detokenize in vLLM's and llama.cpp's shapes, told apart by their fields.
#include <utility>

#include "jackdaw/base/text.h"
#include "src/api/openai/addressed_model.h"
#include "src/api/openai/answer_writer.h"
#include "src/api/openai/generation_request.h"
#include "src/api/openai/openai.h"
#include "src/api/openai/prompts.h"

namespace jackdaw::api::openai {
namespace {

using engine::PromptCodec;
using engine::TokenId;

struct Tokenizing {
  Call call;
  GenerationRequest request;
  AddressedModel model;
};

void append_tokens(std::string& out, const std::vector<TokenId>& tokens) {
  out += R"("tokens":[)";
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0) out += ',';
    out += std::to_string(tokens[i]);
  }
  out += ']';
}

// llama.cpp: a text, or the bytes of a part of a character.
void append_piece(std::string& out, std::string_view bytes) {
  if (is_valid_utf8(bytes)) return append_json_string(out, bytes);
  out += '[';
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0) out += ',';
    out += std::to_string(static_cast<unsigned char>(bytes[i]));
  }
  out += ']';
}

std::string llama_cpp_body(const std::vector<TokenId>& tokens, bool with_pieces, const PromptCodec& codec) {
  std::string out = "{";
  if (!with_pieces) {
    append_tokens(out, tokens);
    return out + "}";
  }
  out += R"("tokens":[)";
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    out += fmt::format(R"({}{{"id":{},"piece":)", i > 0 ? "," : "", tokens[i]);
    append_piece(out, codec.token_bytes(tokens[i]));
    out += '}';
  }
  return out + "]}";
}

std::string vllm_body(const std::vector<TokenId>& tokens, bool with_texts, const PromptCodec& codec) {
  std::string out = fmt::format(R"({{"count":{},"max_model_len":{},)", tokens.size(), codec.max_model_len());
  append_tokens(out, tokens);
  if (!with_texts) return out + R"(,"token_strs":null})";
  out += R"(,"token_strs":[)";
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0) out += ',';
    append_json_string(out, valid_utf8(codec.token_piece(tokens[i])));
  }
  return out + "]}";
}

// Any thread.
std::variant<std::string, Refusal> tokenized(GenerationRequest& request, const PromptCodec& codec) {
  if (request.tokenize.llama_cpp && !request.add_special_tokens) request.add_special_tokens = false;
  auto prepared = prepare_prompts(request, codec);
  if (auto* refusal = std::get_if<Refusal>(&prepared)) return std::move(*refusal);
  const auto& prompts = std::get<std::vector<PreparedPrompt>>(prepared);
  if (prompts.size() != 1) return refuse("prompt", "prompt must be one string.");
  if (request.tokenize.llama_cpp) return llama_cpp_body(prompts[0].tokens, request.tokenize.with_pieces, codec);
  return vllm_body(prompts[0].tokens, request.tokenize.return_token_strs, codec);
}

// One object that satisfies the readers of both shapes.
std::variant<std::string, Refusal> detokenized(GenerationRequest& request, const PromptCodec& codec) {
  const std::vector<TokenId>& tokens = *request.tokenize.tokens;
  for (const TokenId token : tokens) {
    if (static_cast<std::uint32_t>(token) >= codec.vocabulary())
      return refuse("tokens", "tokens: token id {} is out of the vocabulary of {} tokens.", token, codec.vocabulary());
  }
  const std::string text = valid_utf8(codec.decode(tokens, false));
  std::string out = R"({"prompt":)";
  append_json_string(out, text);
  out += R"(,"content":)";
  append_json_string(out, text);
  return out + "}";
}

using Work = std::variant<std::string, Refusal> (*)(GenerationRequest&, const PromptCodec&);

void answer_outcome(const Call& call, std::variant<std::string, Refusal> outcome) {
  if (const auto* refusal = std::get_if<Refusal>(&outcome)) return answer_refusal(call, *refusal);
  answer_json(call, std::get<std::string>(std::move(outcome)));
}

void start(Call call, Kind kind, std::string_view api_name, Work work) {
  auto read = read_generation(call.request().body(), kind, {call.api->options.trust_request_chat_template});
  if (const auto* refusal = std::get_if<Refusal>(&read)) return answer_refusal(call, *refusal);
  auto& request = std::get<GenerationRequest>(read);
  auto found = find_model(call, request.model, api_name);
  if (!found) return;
  Tokenizing tokenizing{std::move(call), std::move(request), std::move(*found)};
  const std::size_t bytes =
      kind == Kind::detokenize ? tokenizing.request.tokenize.tokens->size() : prompt_bytes(tokenizing.request);
  if (bytes <= tokenizing.call.api->options.inline_prompt_bytes_max)
    return answer_outcome(tokenizing.call, work(tokenizing.request, tokenizing.model.codec()));
  serving::WorkerPool& pool = *tokenizing.call.api->context.cpu_pool;
  Executor& executor = tokenizing.call.exchange->executor();
  auto shared = std::make_shared<Tokenizing>(std::move(tokenizing));
  const bool posted = pool.post([shared, work, &executor] {
    auto outcome = std::make_shared<std::variant<std::string, Refusal>>(work(shared->request, shared->model.codec()));
    executor.post([shared, outcome] { answer_outcome(shared->call, std::move(*outcome)); });
  });
  if (posted) return;
  answer_refusal(shared->call, Refusal{429, "Too many long prompts are being tokenized; try again later.", "",
                                       std::chrono::seconds(1)});
}

}  // namespace

void tokenize(Call call) {
  start(std::move(call), Kind::tokenize, "Tokenize", tokenized);
}

void detokenize(Call call) {
  start(std::move(call), Kind::detokenize, "Detokenize", detokenized);
}

}  // namespace jackdaw::api::openai
