// The codec: what is added to a template's context, where templates come from, and continued messages.
#include "src/llm/prompt_codec.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "fakes.h"

namespace jackdaw::llm {
namespace {

namespace fs = std::filesystem;

class FakeFile final : public formats::ModelFile {
 public:
  formats::ModelFileKind kind() const override { return kind_; }
  const formats::Metadata& metadata() const override { return metadata_; }
  const std::vector<formats::FileTensor>& tensors() const override { return tensors_; }
  const formats::FileTensor* tensor(std::string_view) const override { return nullptr; }
  const fs::path& folder() const override { return folder_; }
  const std::vector<fs::path>& files() const override { return files_; }
  std::uint64_t data_bytes() const override { return 0; }
  void let_go(const formats::FileTensor&) const override {}

  formats::ModelFileKind kind_ = formats::ModelFileKind::safetensors;
  formats::Metadata metadata_;
  std::vector<formats::FileTensor> tensors_;
  fs::path folder_;
  std::vector<fs::path> files_;
};

// A folder that is gone with its owner.
struct Folder {
  Folder() : path(fs::temp_directory_path() / fmt::format("jackdaw-codec-{}", system_random().next())) {
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  void write(const char* name, std::string_view text) const { std::ofstream(path / name) << text; }
  fs::path path;
};

std::shared_ptr<const engine::PromptCodec> codec_with(std::string_view source, Clock& clock) {
  CodecParts parts;
  parts.model_name = "smol";
  parts.tokenizer = std::make_shared<FakeTokenizer>();
  parts.vocabulary = fake_vocabulary;
  parts.max_model_len = 512;
  parts.clock = &clock;
  if (!source.empty()) {
    auto parsed = text::ChatTemplate::parse(source);
    REQUIRE(parsed.has_value());
    parts.chat_template = *parsed;
  }
  return make_prompt_codec(std::move(parts));
}

constexpr std::string_view simple =
    "{% for m in messages %}[{{ m.role }}]{{ m.content }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}";

TEST_CASE("TheTemplateSeesTheTokensAndTheGenerationPrompt") {
  FakeClock clock;
  const auto codec = codec_with(simple, clock);
  engine::ChatPrompt prompt;
  prompt.context_json = R"({"messages": [{"role": "user", "content": "hi"}]})";
  CHECK(*codec->render(prompt) == "[user]hi<end>[assistant]");
  prompt.add_generation_prompt = false;
  CHECK(*codec->render(prompt) == "[user]hi<end>");
  prompt.context_json = "[]";
  CHECK(codec->render(prompt).error().code == Code::invalid_argument);
  CHECK(codec->max_model_len() == 512);
  CHECK(codec->vocabulary() == fake_vocabulary);
  CHECK(codec->decode(codec->encode("ab cx", true), true) == "ab cx");
}

TEST_CASE("WithoutATemplateTheErrorSaysHowToGiveOne") {
  FakeClock clock;
  const auto codec = codec_with("", clock);
  engine::ChatPrompt prompt;
  prompt.context_json = R"({"messages": []})";
  const auto rendered = codec->render(prompt);
  REQUIRE_FALSE(rendered.has_value());
  CHECK(rendered.error().code == Code::unsupported);
  CHECK_THAT(rendered.error().message, Catch::Contains("--chat-template"));
  prompt.chat_template = "own {{ eos_token }}";
  CHECK(*codec->render(prompt) == "own <end>");
  CHECK(*codec->render(prompt) == "own <end>");
  prompt.chat_template = "{% if %}";
  CHECK_FALSE(codec->render(prompt).has_value());
}

TEST_CASE("AContinuedMessageIsLeftOpen") {
  FakeClock clock;
  const auto codec = codec_with(simple, clock);
  engine::ChatPrompt prompt;
  prompt.continue_final_message = true;
  prompt.context_json =
      R"({"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": " Hello, "}]})";
  CHECK(codec->render(prompt).error().code == Code::invalid_argument);  // both at once
  prompt.add_generation_prompt = false;
  CHECK(*codec->render(prompt) == "[user]hi<end>[assistant] Hello, ");
  prompt.context_json = R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "so"}]}]})";
  CHECK(*cut_after_final_message("[user]so<end>", prompt.context_json) == "[user]so");
  CHECK(*cut_after_final_message("[a]Hello,<end>", R"({"messages":[{"content":"Hello, "}]})") == "[a]Hello,");
  CHECK_FALSE(cut_after_final_message("[a]<end>", R"({"messages":[{"content":"Hello"}]})").has_value());
  CHECK_FALSE(cut_after_final_message("[a]<end>", R"({"messages":[]})").has_value());
  CHECK_FALSE(cut_after_final_message("[a]<end>", R"({"messages":[{"content":7}]})").has_value());
  CHECK_FALSE(cut_after_final_message("[a]<end>", R"({})").has_value());
}

TEST_CASE("TemplatesAreFoundInTheirOrder") {
  Folder folder;
  FakeFile file;
  file.folder_ = folder.path;
  CHECK(*find_chat_template(file, "") == "");
  folder.write("tokenizer_config.json",
               R"({"chat_template": [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]})");
  CHECK(*find_chat_template(file, "") == "D");
  folder.write("tokenizer_config.json",
               R"({"model_max_length": 1000000000000000019884624838656, "chat_template": "config"})");
  CHECK(*find_chat_template(file, "") == "config");
  folder.write("tokenizer_config.json", R"({"chat_template": )");
  CHECK(*find_chat_template(file, "") == "");
  folder.write("chat_template.jinja", "jinja");
  CHECK(*find_chat_template(file, "") == "jinja");
  file.metadata_.values["tokenizer.chat_template"] = std::string("gguf");
  CHECK(*find_chat_template(file, "") == "gguf");
  CHECK(*find_chat_template(file, "chosen") == "chosen");
}

TEST_CASE("DefaultsAreReadBesideTheModel") {
  Folder folder;
  FakeFile file;
  file.folder_ = folder.path;
  CHECK_FALSE(read_generation_defaults(file, true)->temperature);
  folder.write("generation_config.json", R"({"temperature": 0.7, "eos_token_id": [3, 4]})");
  CHECK(read_generation_defaults(file, true)->temperature == 0.7f);
  CHECK_FALSE(read_generation_defaults(file, false)->temperature);
  CHECK(read_generation_defaults(file, false)->end_tokens.size() == 2);
  folder.write("generation_config.json", "{");
  CHECK_THAT(read_generation_defaults(file, true).error().where, Catch::Contains("generation_config.json"));
  file.kind_ = formats::ModelFileKind::gguf;
  file.metadata_.values["general.sampling.temp"] = 0.3;
  file.metadata_.values["general.sampling.top_k"] = std::int64_t{9};
  CHECK(read_generation_defaults(file, true)->temperature == 0.3f);
  CHECK(read_generation_defaults(file, true)->top_k == 9);
}

}  // namespace
}  // namespace jackdaw::llm
