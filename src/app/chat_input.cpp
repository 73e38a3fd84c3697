#include "src/app/chat_input.h"

#include <histedit.h>
#include <unistd.h>

#include <cerrno>
#include <clocale>
#include <cstdio>
#include <iostream>

namespace jackdaw::app {
namespace {

constexpr int history_lines = 1000;

class PipeInput final : public ChatInput {
 public:
  std::optional<std::string> line(const std::string&) override {
    std::string text;
    if (!std::getline(std::cin, text)) return std::nullopt;
    return text;
  }
};

class TerminalInput final : public ChatInput {
 public:
  explicit TerminalInput(std::string history_file) : file_(std::move(history_file)) {
    std::setlocale(LC_CTYPE, "C.UTF-8");  // libedit measures characters with it
    edit_ = el_init("jackdaw", stdin, stdout, stderr);
    history_ = history_init();
    if (edit_ == nullptr || history_ == nullptr) return;
    HistEvent event;
    history(history_, &event, H_SETSIZE, history_lines);
    history(history_, &event, H_SETUNIQUE, 1);
    if (!file_.empty()) history(history_, &event, H_LOAD, file_.c_str());
    el_set(edit_, EL_CLIENTDATA, this);
    el_set(edit_, EL_PROMPT, &TerminalInput::prompt_of);
    el_set(edit_, EL_EDITOR, "emacs");
    el_set(edit_, EL_HIST, history, history_);
    el_set(edit_, EL_BIND, "\\e[A", "ed-prev-history", nullptr);
    el_set(edit_, EL_BIND, "^R", "em-inc-search-prev", nullptr);
    el_source(edit_, nullptr);  // ~/.editrc
  }

  ~TerminalInput() override {
    HistEvent event;
    if (history_ != nullptr && !file_.empty()) history(history_, &event, H_SAVE, file_.c_str());
    if (history_ != nullptr) history_end(history_);
    if (edit_ != nullptr) el_end(edit_);
  }

  std::optional<std::string> line(const std::string& prompt) override {
    prompt_ = prompt;
    int count = 0;
    errno = 0;
    const char* text = edit_ != nullptr ? el_gets(edit_, &count) : nullptr;
    if (text == nullptr || count <= 0) {
      if (count == -1 && errno == EINTR) return "";
      return std::nullopt;
    }
    std::string line(text, static_cast<std::size_t>(count));
    while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.pop_back();
    HistEvent event;
    if (!line.empty()) history(history_, &event, H_ENTER, line.c_str());
    return line;
  }

 private:
  static char* prompt_of(EditLine* edit) {
    TerminalInput* self = nullptr;
    el_get(edit, EL_CLIENTDATA, &self);
    return self->prompt_.data();
  }

  std::string file_;
  std::string prompt_;
  EditLine* edit_ = nullptr;
  History* history_ = nullptr;
};

}  // namespace

std::unique_ptr<ChatInput> make_chat_input(const std::string& history_file) {
  if (isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0) return std::make_unique<TerminalInput>(history_file);
  return std::make_unique<PipeInput>();
}

}  // namespace jackdaw::app
