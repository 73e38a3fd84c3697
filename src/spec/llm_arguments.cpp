#include "src/spec/llm_arguments.h"

#include <algorithm>
#include <array>

namespace jackdaw::spec {
namespace {

constexpr std::string_view own_listener = "listeners are in spec.listen of kind Daemon";
constexpr std::string_view own_certificates = "certificates are in spec.tls of kind Daemon";
constexpr std::string_view one_process = "one process holds the whole model";
constexpr std::string_view own_memory = "the memory plan decides; annotation jackdaw.dev/memory-budget bounds it";
constexpr std::string_view own_file = "the model's files say it";
constexpr std::string_view own_log = "logging is in spec.logging of kind Daemon";
constexpr std::string_view no_images = "images, audio and video are not read";
constexpr std::string_view no_tools = "tools are refused in this version, with words";
constexpr std::string_view own_schedule = "the scheduler decides; it changes no answer";
constexpr std::string_view own_speculation = "annotation jackdaw.dev/speculative-tokens says it; it changes no answer";
constexpr std::string_view one_tokenizer =
    "the prompt would be read otherwise; put the tokenizer beside the model and remove it";
constexpr std::string_view other_model =
    "the model would compute otherwise; change the model's config.json and remove it";
constexpr std::string_view no_adapters =
    "the adapters' names would have no model; remove it, or merge the adapter into the weights";

constexpr LlmArgumentRow rows[] = {
    {"host", false, own_listener},
    {"port", false, own_listener},
    {"uds", false, own_listener},
    {"http-port", false, own_listener},
    {"grpc-port", false, own_listener},
    {"enable-grpc", false, "this version has no gRPC"},
    {"workers", false, "threads are in spec.ioThreads and spec.cpuThreads of kind Daemon"},
    {"ssl-keyfile", false, own_certificates},
    {"ssl-certfile", false, own_certificates},
    {"ssl-ca-certs", false, own_certificates},
    {"ssl-cert-reqs", false, own_certificates},
    {"enable-ssl-refresh", false, own_certificates},
    {"api-key", true,
     "keys are in spec.auth of kind Daemon; name it there, with inferenceKeys.required, and remove it"},
    {"root-path", true, "paths would not begin with it; let the proxy take it off and remove it"},
    {"middleware", true, "no Python runs here; remove it"},
    {"allowed-origins", false, "cross-origin rules are in spec.cors of kind Daemon"},
    {"allowed-methods", false, "cross-origin rules are in spec.cors of kind Daemon"},
    {"allowed-headers", false, "cross-origin rules are in spec.cors of kind Daemon"},
    {"allow-credentials", false, "cross-origin rules are in spec.cors of kind Daemon"},
    {"dtype", false, "weights keep the types of the file"},
    {"quantization", false, own_file},
    {"q", false, own_file},
    {"load-format", false, own_file},
    {"download-dir", false, "nothing is downloaded"},
    {"model-loader-extra-config", false, own_file},
    {"config-format", false, own_file},
    {"trust-remote-code", false, "no Python runs here"},
    {"revision", false, "the model is read where it is"},
    {"code-revision", false, "no Python runs here"},
    {"tokenizer-revision", false, "the tokenizer is read where it is"},
    {"tokenizer", true, one_tokenizer},
    {"tokenizer-mode", false, "the model's own tokenizer is used"},
    {"skip-tokenizer-init", true, "answers would be token ids; remove it"},
    {"hf-config-path", true, other_model},
    {"hf-overrides", true, other_model},
    {"rope-scaling", true, other_model},
    {"rope-theta", true, other_model},
    {"disable-sliding-window", true, other_model},
    {"override-generation-config", true,
     "sampling would start from other defaults; send them with the requests and remove it"},
    {"override-pooler-config", true, "embeddings are refused in this version; remove it"},
    {"logits-processors", true, "no Python runs here; remove it"},
    {"logits-processor-pattern", true, "no Python runs here; remove it"},
    {"return-tokens-as-token-ids", true, "answers would name tokens otherwise; remove it"},
    {"reasoning-parser", true, "answers would have their reasoning apart; remove it"},
    {"enable-reasoning", true, "answers would have their reasoning apart; remove it"},
    {"enable-lora", true, no_adapters},
    {"lora-modules", true, no_adapters},
    {"max-loras", false, "there are no adapters"},
    {"max-lora-rank", false, "there are no adapters"},
    {"max-cpu-loras", false, "there are no adapters"},
    {"enable-prompt-adapter", true, no_adapters},
    {"enable-auto-tool-choice", false, no_tools},
    {"tool-call-parser", false, no_tools},
    {"tool-parser-plugin", false, no_tools},
    {"chat-template-content-format", false, "contents are joined text"},
    {"max-logprobs", false, "20 are allowed, as OpenAI has it"},
    {"enable-prompt-tokens-details", false, "cached tokens are always in usage"},
    {"enable-force-include-usage", false, "usage is sent when a stream asks for it"},
    {"enable-server-load-tracking", false, "the load is in /metrics"},
    {"guided-decoding-backend", false, "schemas are refused in this version, with words"},
    {"structured-outputs-config", false, "schemas are refused in this version, with words"},
    {"seed", false, "requests carry their own seed"},
    {"gpu-memory-utilization", false, own_memory},
    {"swap-space", false, own_memory},
    {"cpu-offload-gb", false, own_memory},
    {"num-gpu-blocks-override", false, own_memory},
    {"block-size", false, "a block of the cache has 16 tokens"},
    {"device", false, "the machine decides"},
    {"enforce-eager", false, "there are no CUDA graphs"},
    {"compilation-config", false, "nothing is compiled"},
    {"O", false, "nothing is compiled"},
    {"attention-backend", false, "the machine decides"},
    {"tensor-parallel-size", false, one_process},
    {"tp", false, one_process},
    {"pipeline-parallel-size", false, one_process},
    {"pp", false, one_process},
    {"data-parallel-size", false, one_process},
    {"dp", false, one_process},
    {"enable-expert-parallel", false, one_process},
    {"distributed-executor-backend", false, one_process},
    {"kv-transfer-config", false, "one process does prefill and decode"},
    {"kv-events-config", false, "this version sends no cache events"},
    {"scheduling-policy", false, own_schedule},
    {"max-num-partial-prefills", false, own_schedule},
    {"max-long-partial-prefills", false, own_schedule},
    {"long-prefill-token-threshold", false, own_schedule},
    {"async-scheduling", false, own_schedule},
    {"num-scheduler-steps", false, own_schedule},
    {"prefix-caching-hash-algo", false, own_schedule},
    {"speculative-config", false, own_speculation},
    {"speculative-model", false, own_speculation},
    {"num-speculative-tokens", false, own_speculation},
    {"limit-mm-per-prompt", false, no_images},
    {"mm-processor-kwargs", false, no_images},
    {"disable-log-requests", false, own_log},
    {"enable-log-requests", false, own_log},
    {"disable-log-stats", false, own_log},
    {"max-log-len", false, own_log},
    {"uvicorn-log-level", false, own_log},
    {"disable-uvicorn-access-log", false, own_log},
    {"backend", false, "jackdaw is the backend"},
    {"otlp-traces-endpoint", false, "this version sends no traces"},
    {"disable-frontend-multiprocessing", false, one_process},
};

bool is_option(std::string_view text) {
  if (text.size() < 2 || text[0] != '-') return false;
  const char second = text[1];
  return second == '-' || (second >= 'a' && second <= 'z') || (second >= 'A' && second <= 'Z');
}

LlmArgument option(const Node& node, std::string_view text) {
  LlmArgument out;
  out.node = &node;
  text.remove_prefix(text.substr(0, 2) == "--" ? 2 : 1);
  const std::size_t equals = text.find('=');
  out.name = text.substr(0, equals);
  std::replace(out.name.begin(), out.name.end(), '_', '-');
  if (out.name.starts_with("no-")) {
    out.negated = true;
    out.name.erase(0, 3);
  }
  if (equals != std::string_view::npos) out.values.emplace_back(text.substr(equals + 1));
  return out;
}

void add_word(const Node& node, std::string_view word, std::vector<LlmArgument>& out) {
  if (is_option(word)) {
    out.push_back(option(node, word));
  } else if (!out.empty() && !out.back().name.empty()) {
    out.back().values.emplace_back(word);
  } else {
    out.emplace_back().node = &node;
    out.back().values.emplace_back(word);
  }
}

// Words of a shell line: '...' as it is, "..." and bare words with backslashes.
std::vector<std::string> shell_words(std::string_view text) {
  std::vector<std::string> words;
  char quote = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (quote == 0 && space) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      words.back().push_back(text[++i]);
    } else {
      words.back().push_back(c);
    }
  }
  return words;
}

}  // namespace

const std::string& LlmArgument::value() const {
  static const std::string none;
  return values.empty() ? none : values.front();
}

std::vector<LlmArgument> split_llm_arguments(const Node& args) {
  std::vector<LlmArgument> out;
  for (const Node& item : args.items) {
    if (item.is_text()) add_word(item, item.text, out);
  }
  return out;
}

std::vector<LlmArgument> split_llm_words(const Node& text) {
  std::vector<LlmArgument> out;
  for (const std::string& word : shell_words(text.text)) add_word(text, word, out);
  return out;
}

bool is_serve_command(std::string_view word) {
  constexpr std::array<std::string_view, 3> words = {"vllm", "serve", "/mnt/models"};
  return std::find(words.begin(), words.end(), word) != words.end();
}

const LlmArgumentRow* llm_argument_row(std::string_view name) {
  const auto* found = std::find_if(std::begin(rows), std::end(rows), [&](const auto& row) { return row.name == name; });
  return found == std::end(rows) ? nullptr : found;
}

}  // namespace jackdaw::spec
