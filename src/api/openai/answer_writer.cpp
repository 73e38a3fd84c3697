#include "src/api/openai/answer_writer.h"

#include <charconv>
#include <cmath>
#include <utility>

#include "jackdaw/base/text.h"
#include "src/api/openai/chat_writer.h"
#include "src/api/openai/completion_writer.h"

namespace jackdaw::api::openai {
namespace {

void append_number(std::string& out, std::int64_t value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

std::string_view finish_name(engine::FinishReason finish) {
  switch (finish) {
    case engine::FinishReason::stop:
      return "\"stop\"";
    case engine::FinishReason::length:
      return "\"length\"";
    case engine::FinishReason::abort:
      return "\"abort\"";
    case engine::FinishReason::none:
      break;
  }
  return "null";
}

}  // namespace

std::string valid_utf8(std::string_view text) {
  if (is_valid_utf8(text)) return std::string(text);
  std::string out;
  while (!text.empty()) {
    std::size_t length = 1;
    while (length < 4 && length < text.size() && !is_valid_utf8(text.substr(0, length))) ++length;
    if (is_valid_utf8(text.substr(0, length))) {
      out += text.substr(0, length);
    } else {
      length = 1;
      out += "\xef\xbf\xbd";
    }
    text.remove_prefix(length);
  }
  return out;
}

void append_logprob(std::string& out, float value) {
  if (!std::isfinite(value)) {
    out += "-9999.0";
    return;
  }
  char digits[48];
  char* const end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, static_cast<std::size_t>(end - digits));
  // A float to every reader, also when it is whole.
  if (std::string_view(digits, static_cast<std::size_t>(end - digits)).find_first_of(".e") == std::string_view::npos)
    out += ".0";
}

std::unique_ptr<AnswerWriter> AnswerWriter::make(const GenerationRequest& request, AnswerHead head,
                                                 std::vector<PreparedPrompt> prompts,
                                                 const engine::PromptCodec& codec) {
  if (request.kind == Kind::chat)
    return std::make_unique<ChatWriter>(request, std::move(head), std::move(prompts), codec);
  return std::make_unique<CompletionWriter>(request, std::move(head), std::move(prompts), codec);
}

AnswerWriter::AnswerWriter(const GenerationRequest& request, AnswerHead head, std::vector<PreparedPrompt> prompts,
                           const engine::PromptCodec& codec, std::string_view object)
    : codec_(codec),
      head_(std::move(head)),
      prompts_(std::move(prompts)),
      choices_(request.inputs.choices),
      logprobs_(request.logprobs),
      echo_(request.echo),
      prompt_only_(request.prompt_only),
      shows_prompt_logprobs_(request.inputs.prompt_logprobs >= 0),
      return_token_ids_(request.return_token_ids),
      tokens_as_ids_(request.return_tokens_as_token_ids),
      return_prompt_text_(request.return_prompt_text),
      include_usage_(request.include_usage),
      continuous_usage_(request.continuous_usage),
      last_message_(request.echo ? request.last_message : std::string()),
      states_(prompts_.size() * choices_),
      object_(object) {
  event_prefix_ = "data: {" + head_members() + R"(,"choices":[{"index":)";
  event_suffix_ = include_usage_ ? "}],\"usage\":null}\n\n" : "}]}\n\n";
}

std::string AnswerWriter::head_members() const {
  std::string out = R"("id":)";
  append_json_string(out, head_.id);
  out += R"(,"object":")";
  out += object_;
  out += R"(","created":)";
  append_number(out, head_.created);
  out += R"(,"model":)";
  append_json_string(out, head_.model);
  out += R"(,"system_fingerprint":)";
  append_json_string(out, head_.fingerprint);
  return out;
}

void AnswerWriter::append_events(std::string& out, News& news) {
  news_ = &news;
  for (const std::uint32_t index : news.fresh) {
    ChoiceNews& choice = news.choices[index];
    states_[index].tokens += choice.token_count;
    append_choice_events(out, index, choice);
    choice.clear();
  }
  news_ = nullptr;
}

void AnswerWriter::open_event(std::string& out, std::uint32_t index) const {
  out += event_prefix_;
  append_number(out, index);
}

void AnswerWriter::close_event(std::string& out, std::uint32_t index, std::string_view members) const {
  if (!continuous_usage_ && members.empty()) {
    out += event_suffix_;
    return;
  }
  out += "}]";
  out += members;
  if (continuous_usage_) {
    const auto prompt = static_cast<std::int64_t>(prompt_of(index).token_count);
    const std::int64_t answer = states_[index].tokens;
    fmt::format_to(std::back_inserter(out),
                   R"(,"usage":{{"prompt_tokens":{},"total_tokens":{},"completion_tokens":{}}})", prompt,
                   prompt + answer, answer);
  } else if (include_usage_) {
    out += R"(,"usage":null)";
  }
  out += "}\n\n";
}

void AnswerWriter::append_usage_event(std::string& out, const News& news) const {
  if (!include_usage_) return;
  out += "data: {" + head_members() + R"(,"choices":[],"usage":)";
  append_usage(out, news);
  out += "}\n\n";
}

std::uint64_t AnswerWriter::completion_tokens() const {
  std::uint64_t tokens = 0;
  for (const ChoiceState& state : states_) tokens += state.tokens;
  return tokens;
}

void AnswerWriter::append_usage(std::string& out, const News& news) const {
  std::uint64_t prompt = 0, cached = 0, answer = 0;
  for (std::size_t i = 0; i < prompts_.size(); ++i) {
    prompt += prompts_[i].token_count;
    if (i >= news.prompts.size()) continue;
    if (const auto& usage = news.prompts[i].usage) {
      cached += usage->cached_tokens;
      answer += usage->completion_tokens;
    } else if (const auto& done = news.prompts[i].prompt) {
      cached += done->cached_tokens;
    }
  }
  if (prompt_only_) answer = 0;
  fmt::format_to(std::back_inserter(out),
                 R"({{"prompt_tokens":{},"total_tokens":{},"completion_tokens":{},)"
                 R"("prompt_tokens_details":{{"cached_tokens":{}}}}})",
                 prompt, prompt + answer, answer, cached);
}

std::string AnswerWriter::body(const News& news) const {
  news_ = &news;
  std::string out = "{" + head_members() + R"(,"service_tier":null,"choices":[)";
  for (std::uint32_t i = 0; i < news.choices.size(); ++i) {
    if (i > 0) out += ',';
    append_choice(out, i, news.choices[i]);
  }
  out += R"(],"usage":)";
  append_usage(out, news);
  // Chat answers have one prompt, and say what is to be said of it once; completions say it with each choice.
  if (object_ == ChatWriter::whole_object) {
    if (shows_prompt_logprobs_) append_prompt_logprobs(out, 0);
    if (return_token_ids_) {
      out += R"(,"prompt_token_ids":)";
      append_ids(out, prompts_[0].tokens);
    }
    if (return_prompt_text_) {
      out += R"(,"prompt_text":)";
      append_json_string(out, valid_utf8(prompts_[0].text));
    }
  }
  news_ = nullptr;
  return out + "}";
}

void AnswerWriter::append_ids(std::string& out, std::span<const engine::TokenId> ids) const {
  out += '[';
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (i > 0) out += ',';
    append_number(out, ids[i]);
  }
  out += ']';
}

void AnswerWriter::append_finish(std::string& out, const ChoiceNews& choice) const {
  const auto finish = prompt_only_ ? engine::FinishReason::length : choice.finish;
  out += R"(,"finish_reason":)";
  out += finish_name(finish);
  out += R"(,"stop_reason":)";
  if (finish == engine::FinishReason::stop && !choice.stop_text.empty()) {
    append_json_string(out, choice.stop_text);
  } else if (finish == engine::FinishReason::stop && choice.stop_token >= 0) {
    append_number(out, choice.stop_token);
  } else {
    out += "null";
  }
}

void AnswerWriter::append_token_name(std::string& out, engine::TokenId token) const {
  if (tokens_as_ids_) {
    out += "\"token_id:";
    append_number(out, token);
    out += '"';
    return;
  }
  const std::string_view bytes = codec_.token_bytes(token);
  if (is_valid_utf8(bytes)) {
    append_json_string(out, bytes);
  } else {
    append_json_string(out, valid_utf8(bytes));
  }
}

const std::vector<engine::TokenLogprobs>& AnswerWriter::prompt_logprobs_of(std::uint32_t index) const {
  static const std::vector<engine::TokenLogprobs> none;
  const std::size_t prompt = index / choices_;
  if (news_ == nullptr || prompt >= news_->prompts.size() || !news_->prompts[prompt].prompt) return none;
  return news_->prompts[prompt].prompt->prompt_logprobs;
}

// [null,{"123":{"logprob":…,"rank":1,"decoded_token":"…"}},…]: the token that stands there, then the most likely ones.
void AnswerWriter::append_prompt_logprobs(std::string& out, std::uint32_t index) const {
  out += R"(,"prompt_logprobs":[)";
  const auto& logprobs = prompt_logprobs_of(index);
  const auto entry = [&](engine::TokenId token, float logprob, std::size_t rank) {
    fmt::format_to(std::back_inserter(out), R"("{}":{{"logprob":)", token);
    append_logprob(out, logprob);
    out += R"(,"rank":)";
    out += rank > 0 ? std::to_string(rank) : "null";
    out += R"(,"decoded_token":)";
    append_json_string(out, valid_utf8(codec_.token_bytes(token)));
    out += '}';
  };
  for (std::size_t i = 0; i < logprobs.size(); ++i) {
    if (i == 0) {
      out += "null";
      continue;
    }
    const engine::TokenLogprobs& at = logprobs[i];
    std::size_t rank = 0;
    for (std::size_t k = 0; k < at.top.size(); ++k) {
      if (at.top[k].token == at.token) rank = k + 1;
    }
    out += ",{";
    entry(at.token, at.logprob, rank);
    for (std::size_t k = 0; k < at.top.size(); ++k) {
      if (at.top[k].token == at.token) continue;
      out += ',';
      entry(at.top[k].token, at.top[k].logprob, k + 1);
    }
    out += '}';
  }
  out += ']';
}

}  // namespace jackdaw::api::openai
