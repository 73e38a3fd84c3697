// Chat templates are programs of strangers: whatever the source, parsing and rendering end soon, within the limits.
// Input: the template; after a byte 0xFF, optionally, the variables as JSON (else a chat with a tool call).
#include "jackdaw/text/chat_template.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

constexpr std::string_view chat = R"({"messages": [
  {"role": "system", "content": "Be \"brief\"."},
  {"role": "user", "content": [{"type": "text", "text": "Größe? 🐦"}]},
  {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": {"a": [1, 2.5, true]}}}]},
  {"role": "tool", "tool_call_id": "1", "content": "ok\n"}],
  "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {"a": {"type": "array"}}}}}],
  "add_generation_prompt": true, "bos_token": "<s>", "eos_token": "</s>", "n": 7, "l": [3, 1, 2], "d": {"b": 1, "a": 2}})";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t mark = input.find('\xFF');
  jackdaw::text::TemplateLimits limits;
  limits.steps_max = 200'000;
  limits.output_bytes_max = 1 << 20;
  limits.memory_bytes_max = 16 << 20;
  const auto parsed = jackdaw::text::ChatTemplate::parse(input.substr(0, mark), limits);
  if (!parsed) return 0;
  (void)(*parsed)->uses_variable("tools");
  (void)(*parsed)->render(mark == std::string_view::npos ? chat : input.substr(mark + 1), 1'753'000'000);
  return 0;
}
