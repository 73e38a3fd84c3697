// Bodies of OpenAI's endpoints: whatever the bytes, a request or a refusal, and answers that are whole and bounded.
// The first byte chooses the endpoint; requests that are read are answered by a codec that takes bytes for tokens.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "jackdaw/base/text.h"
#include "src/api/openai/answer_writer.h"
#include "src/api/openai/generate_call.h"
#include "tests/unit/api/mock_llm.h"

using namespace jackdaw;
using namespace jackdaw::api;
using namespace jackdaw::api::openai;

namespace {

// Runs posted work at once: the fuzzer has one thread.
class Inline final : public Executor {
 public:
  void post(std::function<void()> work) override { work(); }
  std::uint64_t at(Instant, std::function<void()>) override { return 0; }
  bool cancel(std::uint64_t) override { return false; }
};

void require(bool condition) {
  if (!condition) std::abort();
}

void answer(const GenerationRequest& request, std::vector<PreparedPrompt> prompts, const MockCodec& codec) {
  Inline executor;
  BridgeOptions options;
  options.prompts = static_cast<std::uint32_t>(prompts.size());
  options.choices = request.inputs.choices;
  options.keep_tokens = request.return_token_ids;
  auto bridge = std::make_shared<TokenBridge>(executor, nullptr, options);
  for (std::uint32_t i = 0; i < options.prompts && i < 4; ++i) {
    auto to = std::make_shared<engine::InferenceRequest>();
    to->generate = request.inputs;
    to->generate->prompt = prompts[i].tokens;
    MockLlmEngine::Taken{to, bridge->stream(i), 0}.answer("a\"\n");
  }
  const auto writer = AnswerWriter::make(request, {"id", 1, "m", "f"}, std::move(prompts), codec);
  News news;
  bridge->take(news);
  bridge->close();
  std::string out;
  if (request.stream) {
    writer->append_events(out, news);
    writer->append_usage_event(out, news);
  } else {
    out = writer->body(news);
  }
  require(is_valid_utf8(out));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static constexpr Kind kinds[]{Kind::chat, Kind::completions, Kind::tokenize, Kind::detokenize};
  const Kind kind = kinds[data[0] & 3];
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  auto read = read_generation(body, kind, {(data[0] & 4) != 0});
  if (const auto* refusal = std::get_if<Refusal>(&read)) {
    require(refusal->status >= 400 && error_body(*refusal).size() < 10'000);
    require(is_valid_utf8(error_body(*refusal)) && is_valid_utf8(kserve_error_body(*refusal)));
    return 0;
  }
  auto& request = std::get<GenerationRequest>(read);
  require(ignored_fields_header(request.ignored).size() < 2000);
  require(request.inputs.choices * std::max<std::size_t>(request.prompts.size(), 1) <= choices_max ||
          kind == Kind::tokenize);
  if (kind == Kind::detokenize) return 0;
  static const MockCodec codec;
  auto prepared = prepare_prompts(request, codec);
  auto* prompts = std::get_if<std::vector<PreparedPrompt>>(&prepared);
  if (prompts == nullptr || kind == Kind::tokenize) return 0;
  answer(request, std::move(*prompts), codec);
  return 0;
}
