// ChatTemplate: a model's Jinja chat template, rendered as Hugging Face transformers renders it (trim_blocks,
// lstrip_blocks, tojson with ensure_ascii=False), byte for byte.
//
// A template is an untrusted program: parsing and rendering have limits on source size, depth, steps, output and memory
// and reach nothing outside the values handed in. Immutable after parse, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "jackdaw/base/result.h"

namespace jackdaw::text {

struct TemplateLimits {
  std::size_t source_bytes_max = 1 << 20;
  std::uint32_t depth_max = 100;        // nesting of expressions, blocks and macro calls
  std::uint64_t steps_max = 5'000'000;  // evaluated nodes
  std::size_t output_bytes_max = 16 << 20;
  std::size_t memory_bytes_max = 256 << 20;  // of all values made while rendering
};

class ChatTemplate {
 public:
  // Errors name line and column of the template.
  static Result<std::shared_ptr<const ChatTemplate>> parse(std::string_view source, const TemplateLimits& limits = {});
  virtual ~ChatTemplate() = default;

  // `context_json`: an object with the template's variables: messages, tools, add_generation_prompt, bos_token,
  // eos_token and whatever chat_template_kwargs brought. Keys keep their order. `now` feeds strftime_now (seconds since
  // the epoch, UTC). invalid_argument carries the words of raise_exception.
  virtual Result<std::string> render(std::string_view context_json, std::int64_t now) const = 0;

  // What the template asks for, found by reading its syntax tree: does it mention the variable at all?
  virtual bool uses_variable(std::string_view name) const = 0;
};

}  // namespace jackdaw::text
