#include "src/llm/generation_defaults.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "jackdaw/base/file.h"
#include "jackdaw/base/log.h"
#include "jackdaw/base/text.h"

namespace jackdaw::llm {

namespace {

constexpr std::size_t config_bytes_max = std::size_t{1} << 20;
constexpr std::size_t end_tokens_max = 1024;

// Takes a number into `out` when it lies within [low, high].
void take_number(std::optional<double> value, double low, double high, std::string_view name,
                 std::optional<float>& out) {
  if (!value) return;
  if (std::isfinite(*value) && *value >= low && *value <= high) {
    out = static_cast<float>(*value);
    return;
  }
  log_warning("a default of the model's generation config is out of range and is left out",
              {{"name", name}, {"value", *value}});
}

void take_top_k(std::optional<double> value, std::optional<std::int32_t>& out) {
  std::optional<float> checked;
  take_number(value, -1, 1e9, "top_k", checked);
  if (checked) out = static_cast<std::int32_t>(*value);
}

constexpr double above_zero = 1e-6;

template <typename Number>
void take_sampling(const Number& number, GenerationDefaults& out) {
  take_number(number("temperature"), 0, 100, "temperature", out.temperature);
  take_number(number("top_p"), above_zero, 1, "top_p", out.top_p);
  take_number(number("min_p"), 0, 1, "min_p", out.min_p);
  take_number(number("repetition_penalty"), above_zero, 100, "repetition_penalty", out.repetition_penalty);
  take_top_k(number("top_k"), out.top_k);
}

void take_end_token(simdjson::dom::element element, std::vector<std::int32_t>& out) {
  std::int64_t id = 0;
  if (element.get(id) != simdjson::SUCCESS) return;
  if (id < 0 || id > std::numeric_limits<std::int32_t>::max() || out.size() >= end_tokens_max) return;
  out.push_back(static_cast<std::int32_t>(id));
}

void take_end_tokens(simdjson::dom::object root, GenerationDefaults& out) {
  simdjson::dom::element ids;
  if (root["eos_token_id"].get(ids) != simdjson::SUCCESS) return;
  simdjson::dom::array list;
  if (ids.get(list) != simdjson::SUCCESS) return take_end_token(ids, out.end_tokens);
  for (const simdjson::dom::element id : list) take_end_token(id, out.end_tokens);
}

GenerationDefaults from_gguf(const formats::Metadata& metadata) {
  GenerationDefaults out;
  const auto number = [&](std::string_view name) -> std::optional<double> {
    if (name == "temperature") name = "temp";
    if (name == "repetition_penalty") name = "penalty_repeat";
    return metadata.number("general.sampling." + std::string(name));
  };
  take_sampling(number, out);
  return out;
}

}  // namespace

Result<GenerationDefaults> parse_generation_config(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object root;
  const simdjson::padded_string padded(with_large_integers_as_reals(json));
  if (const auto error = parser.parse(padded).get(root); error != simdjson::SUCCESS) {
    return make_error(Code::parse_error, "The generation config is no JSON object: {}.",
                      simdjson::error_message(error));
  }
  GenerationDefaults out;
  take_end_tokens(root, out);
  const auto number = [&](std::string_view name) -> std::optional<double> {
    double value = 0;
    if (root[name].get(value) != simdjson::SUCCESS) return std::nullopt;
    return value;
  };
  // transformers: without do_sample the file's author means greedy only for its own generate(); vLLM takes the numbers.
  take_sampling(number, out);
  return out;
}

Result<GenerationDefaults> read_generation_defaults(const formats::ModelFile& file, bool use_sampling) {
  GenerationDefaults out;
  if (file.kind() == formats::ModelFileKind::gguf) {
    out = from_gguf(file.metadata());
  } else {
    const std::filesystem::path path = file.folder() / "generation_config.json";
    JACKDAW_ASSIGN(const std::optional<std::string> json, read_file_if_present(path, config_bytes_max));
    if (json) {
      auto parsed = parse_generation_config(*json);
      if (!parsed) return std::move(parsed).error().at(path.string());
      out = std::move(*parsed);
    }
  }
  if (use_sampling) return out;
  GenerationDefaults ends_only;
  ends_only.end_tokens = std::move(out.end_tokens);
  return ends_only;
}

ops::SamplingParameters resolve_sampling(const engine::GenerateInputs& inputs, const GenerationDefaults& defaults,
                                         std::uint64_t seed, std::uint32_t choice) {
  const engine::SamplingOptions& asked = inputs.sampling;
  const auto pick = [](auto own, auto models, auto standard) { return own ? *own : models ? *models : standard; };
  ops::SamplingParameters out;
  out.temperature = pick(asked.temperature, defaults.temperature, 1.0f);
  out.top_p = pick(asked.top_p, defaults.top_p, 1.0f);
  out.top_k = std::max(0, pick(asked.top_k, defaults.top_k, std::int32_t{0}));
  out.min_p = pick(asked.min_p, defaults.min_p, 0.0f);
  out.repetition_penalty = pick(asked.repetition_penalty, defaults.repetition_penalty, 1.0f);
  out.presence_penalty = asked.presence_penalty;
  out.frequency_penalty = asked.frequency_penalty;
  // The golden ratio's bits keep the choices' seeds apart; choice 0 draws what n = 1 would.
  out.seed = asked.seed.value_or(seed) + std::uint64_t{choice} * 0x9e3779b97f4a7c15ull;
  out.logit_bias = asked.logit_bias;
  std::sort(out.logit_bias.begin(), out.logit_bias.end());
  out.allowed_tokens = asked.allowed_tokens;
  std::sort(out.allowed_tokens.begin(), out.allowed_tokens.end());
  out.allowed_tokens.erase(std::unique(out.allowed_tokens.begin(), out.allowed_tokens.end()), out.allowed_tokens.end());
  out.top_logprobs = inputs.top_logprobs;
  return out;
}

}  // namespace jackdaw::llm
