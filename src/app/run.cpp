// jackdaw run: a chat with a model in the terminal, without a server.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "jackdaw/base/cpu.h"
#include "jackdaw/base/env.h"
#include "jackdaw/base/log.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/base/text.h"
#include "jackdaw/engine/engine.h"
#include "jackdaw/llm/llm.h"
#include "jackdaw/ops/thread_pool.h"
#include "src/app/chat_input.h"
#include "src/app/cli.h"
#include "src/app/terminal.h"

namespace jackdaw::app {
namespace {

std::atomic<bool> interrupted{false};

void on_interrupt(int) {
  interrupted.store(true, std::memory_order_relaxed);
}

struct Message {
  const char* role;
  std::string content;
};

// Prints text as it comes; lives until the engine has ended the answer.
class PrintedAnswer final : public engine::ResponseStream {
 public:
  void prompt_done(engine::PromptDone) override { first_ = system_clock().now(); }
  void tokens(engine::TokenDelta delta) override {
    text_ += delta.text;
    std::fwrite(delta.text.data(), 1, delta.text.size(), stdout);
    std::fflush(stdout);
    if (delta.finish != engine::FinishReason::none) finish_ = delta.finish;
  }
  void usage(const engine::GenerateUsage& usage) override { usage_ = usage; }
  void done() override { end({}); }
  void error(Error error) override { end(std::move(error)); }
  bool cancelled() const override { return interrupted.load(std::memory_order_relaxed); }

  // Waits for the end; the error, if any, has an empty message otherwise.
  Error wait() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return over_; });
    return error_;
  }
  const std::string& text() const { return text_; }
  const engine::GenerateUsage& usage() const { return usage_; }
  engine::FinishReason finish() const { return finish_; }

 private:
  void end(Error error) {
    const std::lock_guard lock(mutex_);
    error_ = std::move(error);
    over_ = true;
    ended_.notify_all();
  }

  std::string text_;
  Instant first_{};
  engine::GenerateUsage usage_;
  engine::FinishReason finish_ = engine::FinishReason::none;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  Error error_;
};

constexpr const char* help_text =
    "  /clear              forget the conversation\n"
    "  /system TEXT        set the system message (and forget the conversation)\n"
    "  /temperature X      0 = always the most likely token\n"
    "  /tokens N           answers of at most N tokens; 0 = no limit\n"
    "  /regenerate         answer the last message again\n"
    "  /stats              show or hide speed after each answer\n"
    "  /exit               or Ctrl-D; Ctrl-C stops an answer\n"
    "  \"\"\"                 begins and ends a message of several lines\n";

class Chat {
 public:
  Chat(engine::Engine& engine, const RunFlags& flags) : engine_(engine), flags_(flags), system_(flags.system) {
    forget();
  }

  // True when the message was answered (also when it was interrupted).
  bool answer(std::string text) {
    messages_.push_back({"user", std::move(text)});
    return reply();
  }

  // False: the person wants to leave.
  bool command(const std::string& line) {
    const std::size_t space = line.find(' ');
    const std::string name = line.substr(0, space);
    const std::string rest = space == std::string::npos ? "" : line.substr(space + 1);
    if (name == "/exit" || name == "/quit" || name == "/bye") return false;
    if (name == "/clear") {
      forget();
    } else if (name == "/system") {
      system_ = rest;
      forget();
    } else if (name == "/temperature") {
      set_number(rest, flags_.temperature, "a number, such as 0.7");
    } else if (name == "/tokens") {
      double tokens = flags_.max_tokens;
      set_number(rest, tokens, "a number of tokens");
      flags_.max_tokens = static_cast<int>(tokens);
    } else if (name == "/stats") {
      stats_ = !stats_;
    } else if (name == "/regenerate") {
      regenerate();
    } else {
      if (name != "/help" && name != "/?") std::printf("There is no %s here.\n", name.c_str());
      std::fputs(help_text, stdout);
    }
    return true;
  }

 private:
  void forget() {
    messages_.clear();
    if (!system_.empty()) messages_.push_back({"system", system_});
  }

  static void set_number(const std::string& text, double& value, const char* wanted) {
    double read = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), read);
    if (error == std::errc() && end == text.data() + text.size() && read >= 0) {
      value = read;
    } else {
      std::printf("That takes %s.\n", wanted);
    }
  }

  void regenerate() {
    while (!messages_.empty() && std::string_view(messages_.back().role) == "assistant") messages_.pop_back();
    if (messages_.empty() || std::string_view(messages_.back().role) != "user") {
      std::printf("There is nothing to answer yet.\n");
      return;
    }
    reply();
  }

  std::string messages_json() const {
    std::string json = R"({"messages":[)";
    for (const Message& message : messages_) {
      if (json.back() != '[') json += ',';
      json += R"({"role":")" + std::string(message.role) + R"(","content":)";
      append_json_string(json, message.content);
      json += '}';
    }
    return json + "]}";
  }

  Result<std::shared_ptr<engine::InferenceRequest>> request() const {
    engine::ChatPrompt prompt;
    prompt.context_json = messages_json();
    const engine::PromptCodec& codec = *engine_.codec();
    JACKDAW_ASSIGN(const std::string text, codec.render(prompt));
    auto request = std::make_shared<engine::InferenceRequest>();
    request->verb = engine::Verb::generate;
    request->id = "chat";
    engine::GenerateInputs inputs;
    inputs.prompt = codec.encode(text, false);
    if (flags_.max_tokens > 0) inputs.max_tokens = static_cast<std::uint32_t>(flags_.max_tokens);
    if (flags_.temperature >= 0) inputs.sampling.temperature = static_cast<float>(flags_.temperature);
    if (flags_.seed >= 0) inputs.sampling.seed = static_cast<std::uint64_t>(flags_.seed);
    request->generate = std::move(inputs);
    return request;
  }

  bool reply() {
    auto asked = request();
    if (!asked) return refuse(asked.error());
    interrupted.store(false);
    const auto stream = std::make_shared<PrintedAnswer>();
    engine_.submit(*asked, stream);
    const Error error = stream->wait();
    const bool stopped = interrupted.exchange(false);
    std::printf(stopped ? " …\n" : "\n");
    if (!error.message.empty() && !stopped) return refuse(error);
    messages_.push_back({"assistant", stream->text()});
    if (stream->finish() == engine::FinishReason::length) note("(the answer was cut: its limit of tokens was reached)");
    if (stats_) print_stats(stream->usage());
    return true;
  }

  bool refuse(const Error& error) {
    std::fprintf(stderr, "jackdaw: %s\n", error.text().c_str());
    if (!messages_.empty()) messages_.pop_back();
    return false;
  }

  // What is not the answer: below it on a terminal, apart from it in a pipe.
  void note(const std::string& text) const {
    const bool terminal = isatty(STDOUT_FILENO) != 0;
    const bool colour = wants_colour(terminal ? STDOUT_FILENO : STDERR_FILENO);
    std::fprintf(terminal ? stdout : stderr, "%s%s%s\n", colour ? "\x1b[2m" : "", text.c_str(),
                 colour ? "\x1b[0m" : "");
  }

  void print_stats(const engine::GenerateUsage& usage) const {
    const double prefill = std::chrono::duration<double>(usage.prefill_time).count();
    const double decode = std::chrono::duration<double>(usage.decode_time).count();
    const auto computed = usage.prompt_tokens - usage.cached_tokens;
    note(fmt::format(
        "{} prompt tokens ({} cached) in {:.0f} ms, {:.0f} tokens/s; {} tokens in {:.1f} s, {:.1f} tokens/s",
        usage.prompt_tokens, usage.cached_tokens, prefill * 1e3, prefill > 0 ? computed / prefill : 0.0,
        usage.completion_tokens, decode, decode > 0 ? usage.completion_tokens / decode : 0.0));
  }

  engine::Engine& engine_;
  RunFlags flags_;
  std::string system_;
  bool stats_ = false;
  std::vector<Message> messages_;
};

std::string history_file() {
  namespace fs = std::filesystem;
  const char* state = std::getenv("XDG_STATE_HOME");
  const char* home = std::getenv("HOME");
  if (state == nullptr && home == nullptr) return "";
  const fs::path folder = (state != nullptr ? fs::path(state) : fs::path(home) / ".local" / "state") / "jackdaw";
  std::error_code error;
  fs::create_directories(folder, error);
  return error ? "" : (folder / "chat_history").string();
}

// A message may span lines between two lines of """.
std::optional<std::string> read_message(ChatInput& input) {
  std::optional<std::string> line = input.line("> ");
  if (!line || *line != "\"\"\"") return line;
  std::string text;
  while ((line = input.line("… ")) && *line != "\"\"\"") text += *line + "\n";
  return text;
}

void converse(Chat& chat) {
  const std::unique_ptr<ChatInput> input = make_chat_input(history_file());
  while (auto text = read_message(*input)) {
    if (text->empty()) continue;
    if (!is_valid_utf8(*text)) {
      std::printf("That is not UTF-8.\n");
    } else if (text->front() == '/') {
      if (!chat.command(*text)) break;
    } else {
      chat.answer(std::move(*text));
    }
  }
  if (isatty(STDIN_FILENO) != 0) std::printf("\n");
}

Result<int> run(const RunFlags& flags) {
  ops::ThreadPool pool(flags.threads > 0 ? flags.threads : usable_cpu_count());
  MetricsRegistry metrics;
  const auto factory = llm::make_engine_factory({&pool, &metrics, &system_clock(), &system_random()});
  engine::EngineSpec spec;
  spec.model_name = std::filesystem::path(flags.model).stem().string();
  spec.path = flags.model;
  spec.model_format = "huggingface";
  spec.llm = flags.options;
  spec.llm.max_num_seqs = 1;
  JACKDAW_ASSIGN(const std::shared_ptr<engine::Engine> engine, factory->load(spec));
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
  Chat chat(*engine, flags);
  bool answered = true;
  if (!flags.prompt.empty()) {
    answered = chat.answer(flags.prompt);
  } else {
    if (isatty(STDOUT_FILENO) != 0) std::printf("%s. /help lists the commands.\n", spec.model_name.c_str());
    converse(chat);
  }
  engine->drain(system_clock().now() + std::chrono::seconds(1));
  return answered ? 0 : 1;
}

}  // namespace

int run_chat(const RunFlags& flags) {
  configure_log({LogFormat::text, flags.verbose ? LogLevel::info : LogLevel::warning, STDERR_FILENO,
                 wants_colour(STDERR_FILENO)});
  const Result<int> status = run(flags);
  if (status) return *status;
  std::fprintf(stderr, "jackdaw: %s\n", status.error().text().c_str());
  return 1;
}

}  // namespace jackdaw::app
