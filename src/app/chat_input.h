// ChatInput: lines from a person (edited, with history kept over sessions) or from a pipe.
#pragma once

#include <memory>
#include <optional>
#include <string>

namespace jackdaw::app {

class ChatInput {
 public:
  virtual ~ChatInput() = default;
  // The next line without its newline; nullopt at the end (Ctrl-D). An interrupted line (Ctrl-C) comes back empty.
  virtual std::optional<std::string> line(const std::string& prompt) = 0;
};

// libedit on a terminal (history in `history_file`, "" = none), plain lines otherwise.
std::unique_ptr<ChatInput> make_chat_input(const std::string& history_file);

}  // namespace jackdaw::app
