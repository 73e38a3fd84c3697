// vLLM's command line: split as argparse splits it, and what those arguments are worth that set nothing here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/spec/node.h"

namespace jackdaw::spec {

struct LlmArgument {
  const Node* node = nullptr;       // where it was written
  std::string name;                 // without dashes in front, '_' as '-', "no-" taken off; "" = no option
  bool negated = false;             // --no-...
  std::vector<std::string> values;  // what follows, up to the next option

  const std::string& value() const;  // the first, or ""
};

// The items of a list of arguments.
std::vector<LlmArgument> split_llm_arguments(const Node& args);
// One text, split at spaces as a shell does: quotes and backslashes are known.
std::vector<LlmArgument> split_llm_words(const Node& text);

// "vllm serve /mnt/models" and the like: words that start the server and say nothing more.
bool is_serve_command(std::string_view word);

struct LlmArgumentRow {
  std::string_view name;
  bool refused;           // it would change the answer; otherwise it is reported
  std::string_view help;  // the rest of the sentence
};
// Null for an argument nobody knows.
const LlmArgumentRow* llm_argument_row(std::string_view name);

}  // namespace jackdaw::spec
