// The values of tokenizer.ggml.pre and what they stand for. Names and the two flags follow llama.cpp's loader, which
// is where the names come from.
#include <algorithm>
#include <iterator>

#include "pre_tokenizer.h"

namespace jackdaw::text {

std::string known_splits();

namespace {

using Splits = std::vector<std::string_view>;

const std::vector<PreTokenizerName>& names() {
  static const Splits gpt2{"gpt-2"};
  static const Splits llama3{"llama3"};
  static const Splits qwen2{"qwen2"};
  static const Splits gpt4o{"gpt-4o"};
  static const Splits digits_gpt2{"number", "gpt-2"};
  static const Splits deepseek_v3{"number-1-3", "deepseek-v3-cjk", "deepseek-v3"};
  static const Splits guess{"default-punctuation", "gpt-2", "numbers", "three-digits"};
  static const std::vector<PreTokenizerName> table{
      {"", guess},
      {"default", guess},
      {"gpt-2", gpt2},
      {"phi-2", gpt2},
      {"mpt", gpt2},
      {"olmo", gpt2},
      {"jais", gpt2},
      {"trillion", gpt2},
      {"granite-docling", gpt2},
      {"gigachat", gpt2},
      {"mellum", gpt2},
      {"a.x-4.0", gpt2},
      {"modern-bert", gpt2},
      {"exaone4", gpt2},
      {"llama3", llama3, true, true},
      {"llama-v3", llama3, true, true},
      {"llama-bpe", llama3, true, true},
      {"falcon3", llama3, true, true},
      {"falcon-h1", llama3, true, true},
      {"pixtral", llama3, true, true},
      {"midm-2.0", llama3, true, true},
      {"lfm2", llama3, true, true},
      {"dbrx", llama3},
      {"smaug-bpe", llama3},
      {"chatglm-bpe", llama3},
      {"glm4", llama3, true},
      {"glm5", llama3, true},
      {"qwen2", qwen2},
      {"deepseek-r1-qwen", qwen2},
      {"kormo", qwen2},
      {"f2llmv2", qwen2},
      {"stablelm2", qwen2},
      {"hunyuan", qwen2},
      {"solar-open", qwen2},
      {"megrez", qwen2},
      {"grok-2", qwen2},
      {"bailingmoe", qwen2},
      {"bailingmoe2", qwen2},
      {"llada-moe", qwen2},
      {"laguna", {"lines", "qwen2"}},
      {"qwen35", {"qwen35"}},
      {"seed-coder", {"seed-coder"}},
      {"ufakzeka", {"ufakzeka"}},
      {"minicpm5", {"number-1-3", "minicpm5"}, true},
      {"gpt-4o", gpt4o},
      {"llama4", gpt4o},
      {"kanana2", gpt4o},
      {"talkie", gpt4o},
      {"minimax-m2", gpt4o},
      {"granite-embed-multi-97m", gpt4o, true},
      {"tekken", {"tekken"}, true, true},
      {"smollm", digits_gpt2},
      {"starcoder", digits_gpt2},
      {"refact", digits_gpt2},
      {"command-r", digits_gpt2},
      {"codeshell", digits_gpt2},
      {"exaone", digits_gpt2},
      {"minerva-7b", digits_gpt2},
      {"mellum2", digits_gpt2},
      {"falcon", {"punctuation", "gpt-2", "three-digits"}},
      {"deepseek-llm",
       {"line-end", "deepseek-letters", "deepseek-punctuation", "space-at-end", "deepseek-cjk", "numbers"}},
      {"deepseek-coder", {"line-end", "spaced-letters", "spaced-punctuation", "deepseek-cjk", "number"}},
      {"deepseek-v3", deepseek_v3},
      {"hunyuan-dense", deepseek_v3},
      {"hy_v4", deepseek_v3},
      {"joyai-llm", deepseek_v3},
      {"gemma4", {"lines"}, false, true, true},
      {"sarvam-moe", {"lines"}, false, false, true},
  };
  return table;
}

}  // namespace

const PreTokenizerName* find_pre_tokenizer(std::string_view name) {
  const auto found = std::find_if(names().begin(), names().end(), [&](const auto& row) { return row.name == name; });
  return found == names().end() ? nullptr : &*found;
}

std::string known_pre_tokenizers() {
  std::string list;
  for (const PreTokenizerName& row : names()) {
    if (!row.name.empty()) list += (list.empty() ? "" : ", ") + std::string(row.name);
  }
  return list;
}

Result<PreTokenizer> PreTokenizer::from_splits(const std::vector<std::string>& split_names) {
  constexpr std::size_t splits_max = 16;
  if (split_names.size() > splits_max) {
    return make_error(Code::too_large, "A pre-tokenizer of {} splits is over the limit of {}.", split_names.size(),
                      splits_max);
  }
  PreTokenizer made;
  for (const std::string& name : split_names) {
    const Split* split = find_split(name);
    if (split == nullptr) {
      return make_error(Code::unsupported, "There is no split \"{}\". Known are: {}.", name, known_splits());
    }
    made.stages_.push_back(split->find);
  }
  return made;
}

Result<PreTokenizer> PreTokenizer::from_name(std::string_view pre) {
  const PreTokenizerName* row = find_pre_tokenizer(pre);
  if (row == nullptr) {
    return make_error(Code::unsupported,
                      "The pre-tokenizer \"{}\" (tokenizer.ggml.pre) is not known. Known are: {}. A file that says the "
                      "wrong name can be corrected with gguf-py's gguf_set_metadata.",
                      pre, known_pre_tokenizers());
  }
  return from_splits({row->splits.begin(), row->splits.end()});
}

}  // namespace jackdaw::text
