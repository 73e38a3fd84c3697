#include "jackdaw/text/chat_template.h"

#include <algorithm>

#include "src/text/template/evaluator.h"
#include "src/text/template/json_load.h"
#include "src/text/template/lexer.h"
#include "src/text/template/unicode.h"

namespace jackdaw::text {
namespace {

using namespace jinja;

std::string place_in(std::string_view source, std::size_t position) {
  const std::string_view before = source.substr(0, std::min(position, source.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t newline = before.rfind('\n');
  const std::size_t column = count_code_points(before.substr(newline == std::string_view::npos ? 0 : newline + 1)) + 1;
  return fmt::format("chat template, line {}, column {}", line, column);
}

Error to_error(const Failure& failure, std::string_view source, std::uint32_t position) {
  const std::uint32_t at = failure.position == Failure::nowhere ? position : failure.position;
  return Error{failure.code, failure.message, place_in(source, at)};
}

class ParsedTemplate final : public ChatTemplate {
 public:
  ParsedTemplate(std::unique_ptr<const Program> program, const TemplateLimits& limits)
      : program_(std::move(program)), limits_(limits) {}

  Result<std::string> render(std::string_view context_json, std::int64_t now) const override {
    Evaluator evaluator(*program_, limits_, now);
    JsonDocument document;
    Value context;
    try {
      context = document.load(evaluator, context_json);
    } catch (const Failure& failure) {
      return Error{failure.code, failure.message, {}};
    }
    try {
      return evaluator.run(context);
    } catch (const Failure& failure) {
      return to_error(failure, program_->source, evaluator.position());
    }
  }

  bool uses_variable(std::string_view name) const override { return mentions(*program_, name); }

 private:
  std::unique_ptr<const Program> program_;
  TemplateLimits limits_;
};

}  // namespace

Result<std::shared_ptr<const ChatTemplate>> ChatTemplate::parse(std::string_view source, const TemplateLimits& limits) {
  if (source.size() > limits.source_bytes_max)
    return make_error(Code::too_large, "the chat template has {} bytes; at most {} are allowed", source.size(),
                      limits.source_bytes_max);
  if (!is_valid_utf8(source)) return make_error(Code::invalid_argument, "the chat template is not valid UTF-8");
  auto program = std::make_unique<Program>();
  program->source = normalize_lines(source);
  try {
    jinja::parse(*program, limits.depth_max);
    resolve(*program);
  } catch (const Failure& failure) {
    return to_error(failure, program->source, 0);
  }
  return std::shared_ptr<const ChatTemplate>(std::make_shared<ParsedTemplate>(std::move(program), limits));
}

}  // namespace jackdaw::text
