#include "src/llm/prompt_codec.h"

#include <simdjson.h>

#include <mutex>
#include <optional>
#include <utility>

#include "jackdaw/base/file.h"
#include "jackdaw/base/text.h"

namespace jackdaw::llm {

namespace {

constexpr std::size_t file_bytes_max = std::size_t{16} << 20;
constexpr std::string_view white = " \t\n\r\f\v";

std::string_view trim_left(std::string_view text) {
  const std::size_t at = text.find_first_not_of(white);
  return at == std::string_view::npos ? std::string_view() : text.substr(at);
}

std::string_view trim(std::string_view text) {
  text = trim_left(text);
  const std::size_t end = text.find_last_not_of(white);
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end + 1);
}

// ---- finding the template -----------------------------------------------------------------------------------------

// tokenizer_config.json: "chat_template" is a text, or a list of {"name", "template"}.
std::string template_in_config(std::string_view json) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(with_large_integers_as_reals(json));
  simdjson::dom::element found;
  if (parser.parse(padded)["chat_template"].get(found) != simdjson::SUCCESS) return {};
  std::string_view text;
  if (found.get(text) == simdjson::SUCCESS) return std::string(text);
  simdjson::dom::array list;
  if (found.get(list) != simdjson::SUCCESS) return {};
  std::string first;
  for (const simdjson::dom::element entry : list) {
    std::string_view name;
    if (entry["name"].get(name) != simdjson::SUCCESS || entry["template"].get(text) != simdjson::SUCCESS) continue;
    if (name == "default") return std::string(text);
    if (first.empty()) first = text;
  }
  return first;
}

// ---- the codec ----------------------------------------------------------------------------------------------------

class Codec final : public engine::PromptCodec {
 public:
  explicit Codec(CodecParts parts)
      : parts_(std::move(parts)),
        bos_text_(parts_.tokenizer->bytes(parts_.tokenizer->bos())),
        eos_text_(parts_.tokenizer->bytes(parts_.tokenizer->eos())) {}

  Result<std::string> render(const engine::ChatPrompt& prompt) const override {
    if (prompt.continue_final_message && prompt.add_generation_prompt) {
      return make_error(Code::invalid_argument,
                        "add_generation_prompt and continue_final_message cannot both be true: a message is either "
                        "begun or continued.");
    }
    JACKDAW_ASSIGN(const auto chat_template, template_for(prompt));
    JACKDAW_ASSIGN(const std::string context, complete_context(prompt));
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(parts_.clock->wall().time_since_epoch()).count();
    JACKDAW_ASSIGN(std::string rendered, chat_template->render(context, now));
    if (!prompt.continue_final_message) return rendered;
    return cut_after_final_message(std::move(rendered), prompt.context_json);
  }

  std::vector<engine::TokenId> encode(std::string_view text, bool add_special, bool parse_special) const override {
    auto tokens = parts_.tokenizer->encode(text, {.add_special = add_special, .parse_special = parse_special});
    // A text that already begins with the model's first token gets no second one.
    const engine::TokenId bos = parts_.tokenizer->bos();
    if (add_special && parse_special && bos >= 0 && tokens.size() >= 2 && tokens[0] == bos && tokens[1] == bos) {
      tokens.erase(tokens.begin());
    }
    return tokens;
  }

  std::string decode(std::span<const engine::TokenId> tokens, bool skip_special) const override {
    return parts_.tokenizer->decode(tokens, skip_special);
  }
  std::string_view token_bytes(engine::TokenId token) const override { return parts_.tokenizer->bytes(token); }
  std::string_view token_piece(engine::TokenId token) const override { return parts_.tokenizer->piece(token); }
  std::uint32_t vocabulary() const override { return parts_.vocabulary; }
  std::uint32_t max_model_len() const override { return parts_.max_model_len; }
  engine::TokenId bos() const override { return parts_.tokenizer->bos(); }

 private:
  Result<std::shared_ptr<const text::ChatTemplate>> template_for(const engine::ChatPrompt& prompt) const {
    if (!prompt.chat_template.empty()) return requested_template(prompt.chat_template);
    if (parts_.chat_template != nullptr) return parts_.chat_template;
    return make_error(
        Code::unsupported,
        "Model {} has no chat template. Give the server one with --chat-template, send chat_template with "
        "the request, or use the completions endpoint.",
        parts_.model_name);
  }

  // Requests that bring a template bring the same one again and again: the last is kept.
  Result<std::shared_ptr<const text::ChatTemplate>> requested_template(const std::string& source) const {
    {
      const std::lock_guard lock(mutex_);
      if (source == last_source_) return last_template_;
    }
    JACKDAW_ASSIGN(auto parsed, text::ChatTemplate::parse(source));
    const std::lock_guard lock(mutex_);
    last_source_ = source;
    last_template_ = parsed;
    return parsed;
  }

  // The members that the codec knows are put behind the sender's.
  Result<std::string> complete_context(const engine::ChatPrompt& prompt) const {
    const std::string_view given = trim(prompt.context_json);
    if (given.size() < 2 || given.front() != '{' || given.back() != '}') {
      return make_error(Code::invalid_argument, "A chat prompt's context must be a JSON object.");
    }
    const std::string_view inside = given.substr(1, given.size() - 2);
    std::string out = "{";
    out += inside;
    if (!trim(inside).empty()) out += ',';
    out += "\"bos_token\":";
    append_json_string(out, bos_text_);
    out += ",\"eos_token\":";
    append_json_string(out, eos_text_);
    out += prompt.add_generation_prompt ? ",\"add_generation_prompt\":true}" : ",\"add_generation_prompt\":false}";
    return out;
  }

  const CodecParts parts_;
  const std::string bos_text_;
  const std::string eos_text_;
  mutable std::mutex mutex_;
  mutable std::string last_source_;
  mutable std::shared_ptr<const text::ChatTemplate> last_template_;
};

// The last message's text: a string, or the last text of a list of parts.
Result<std::string> final_message_text(std::string_view context_json) {
  simdjson::dom::parser parser;
  const simdjson::padded_string padded(context_json);
  simdjson::dom::array messages;
  if (const auto error = parser.parse(padded)["messages"].get(messages); error != simdjson::SUCCESS) {
    return make_error(Code::invalid_argument, "The chat prompt has no messages: {}.", simdjson::error_message(error));
  }
  simdjson::dom::element last;
  if (messages.size() == 0 || messages.at(messages.size() - 1).get(last) != simdjson::SUCCESS) {
    return make_error(Code::invalid_argument, "There is no final message to continue.");
  }
  simdjson::dom::element content;
  std::string_view text;
  std::optional<std::string> found;
  if (last["content"].get(content) == simdjson::SUCCESS) {
    simdjson::dom::array parts;
    if (content.get(text) == simdjson::SUCCESS) found = std::string(text);
    if (content.get(parts) == simdjson::SUCCESS) {
      for (const simdjson::dom::element part : parts) {
        if (part["text"].get(text) == simdjson::SUCCESS) found = std::string(text);
      }
    }
  }
  if (found) return std::move(*found);
  return make_error(Code::invalid_argument, "The final message has no text to continue.");
}

}  // namespace

Result<std::string> cut_after_final_message(std::string rendered, std::string_view context_json) {
  JACKDAW_ASSIGN(const std::string text, final_message_text(context_json));
  const std::string_view bare = trim(text);
  const std::size_t at = rendered.rfind(bare);
  if (at == std::string::npos) {
    return make_error(Code::invalid_argument,
                      "The final message cannot be continued: the chat template does not print it as it is.");
  }
  // A template that trims messages ends the text earlier than the sender did.
  const std::string_view whole = trim_left(text);
  const bool kept = std::string_view(rendered).substr(at, whole.size()) == whole;
  rendered.resize(at + (kept ? whole.size() : bare.size()));
  return rendered;
}

Result<std::string> find_chat_template(const formats::ModelFile& file, const std::string& chosen) {
  if (!chosen.empty()) return chosen;
  if (const auto own = file.metadata().text("tokenizer.chat_template")) return std::string(*own);
  if (file.kind() == formats::ModelFileKind::gguf) return std::string();
  JACKDAW_ASSIGN(auto jinja, read_file_if_present(file.folder() / "chat_template.jinja", file_bytes_max));
  if (jinja) return std::move(*jinja);
  JACKDAW_ASSIGN(auto config, read_file_if_present(file.folder() / "tokenizer_config.json", file_bytes_max));
  return config ? template_in_config(*config) : std::string();
}

std::shared_ptr<const engine::PromptCodec> make_prompt_codec(CodecParts parts) {
  return std::make_shared<Codec>(std::move(parts));
}

}  // namespace jackdaw::llm
