#include "src/app/cli.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string_view>
#include <vector>

#include "jackdaw/base/text.h"
#include "src/app/client/client_commands.h"
#include "src/app/number_check.h"
#include "src/app/version.h"

namespace jackdaw::app {
namespace {

constexpr const char* serve_examples =
    "Examples:\n"
    "  jackdaw serve --config service.yaml\n"
    "  jackdaw serve --config /etc/jackdaw --listen 0.0.0.0:8080 --log-format json\n"
    "  jackdaw serve --state-dir /var/lib/jackdaw    # what kubectl or the KServe SDK declared there\n"
    "  curl http://127.0.0.1:8080/v1/models/iris:predict -d '{\"instances\":[[6.8,2.8,4.8,1.4]]}'\n"
    "Signals: TERM and INT stop taking connections, finish what is in flight (spec.drainTimeout), then exit;\n"
    "a second one exits at once. HUP reads the configuration again, as does a change of its files.";

constexpr const char* validate_examples =
    "Examples:\n"
    "  jackdaw validate service.yaml\n"
    "  jackdaw validate --strict --json manifests/ | jq .\n"
    "Exit status: 0 when it can be served, 1 when it cannot.";

constexpr const char* inspect_examples =
    "Examples:\n"
    "  jackdaw inspect model.joblib\n"
    "  jackdaw inspect --all model.gguf\n"
    "Nothing in the file is ever run: a pickle that would run a command is shown, not obeyed.";

constexpr const char* run_examples =
    "Examples:\n"
    "  jackdaw run SmolLM2-135M-Instruct.Q4_1.gguf\n"
    "  jackdaw run model.gguf \"Why is the sky blue?\" --temperature 0\n"
    "  git diff | jackdaw run model.gguf --system 'Write a commit message for this change.'\n"
    "In the chat: /help lists the commands, Ctrl-C stops an answer, Ctrl-D leaves.";

constexpr const char* bench_llm_examples =
    "Examples:\n"
    "  jackdaw bench llm model.gguf\n"
    "  jackdaw bench llm model.gguf --batch 1 --batch 16 --json\n"
    "Every number is a median; the machine's read bandwidth and int8 rate are measured in turns with the model.";

constexpr const char* plan_examples =
    "Examples:\n"
    "  jackdaw plan model.gguf\n"
    "  jackdaw plan model.gguf --max-model-len 8192 --kv-cache-dtype q8_0 --memory 8GiB\n"
    "Exit status: 0 when it fits, 1 when it does not.";

void add_llm_options(CLI::App& command, engine::LlmOptions& options) {
  command.add_option("--max-model-len", options.max_model_len, "Tokens of prompt and answer together")
      ->check(at_least(1));
  command.add_option("--kv-cache-dtype", options.kv_cache_dtype, "auto, f16, bf16 or q8_0")
      ->check(CLI::IsMember({"auto", "f16", "float16", "bf16", "bfloat16", "q8_0"}));
  command.add_option("--memory", options.memory_bytes, "Budget for weights, KV cache and workspace, such as 8GiB")
      ->transform(CLI::AsSizeValue(false));
}

void add_run(CLI::App& app, RunFlags& flags) {
  CLI::App* command = app.add_subcommand("run", "Chat with a model in the terminal");
  command->add_option("model", flags.model, "A .gguf file, or a folder with a GGUF or safetensors model")->required();
  command->add_option("prompt", flags.prompt, "Answer this and end");
  command->add_option("--system", flags.system, "The system message");
  command->add_option("--temperature", flags.temperature, "0 = always the most likely token (default: the model's own)")
      ->check(CLI::Range(0.0, 2.0));
  command->add_option("--seed", flags.seed, "The same seed gives the same answer")->check(at_least(0));
  command->add_option("--max-tokens", flags.max_tokens, "Longest answer (default: the context's end)")
      ->check(at_least(1));
  command->add_option("--threads", flags.threads, "CPU threads (default: CPUs of the cgroup)")
      ->check(CLI::Range(1, 1024));
  command->add_flag("-v,--verbose", flags.verbose, "Log what loading does");
  add_llm_options(*command, flags.options);
  command->footer(run_examples);
}

void add_bench(CLI::App& app, BenchLlmFlags& flags) {
  CLI::App* bench = app.add_subcommand("bench", "Measure, beside the machine's own limits");
  bench->require_subcommand(1);
  CLI::App* command = bench->add_subcommand("llm", "Prefill and decode of a model file, without a server");
  command->add_option("model", flags.model, "A .gguf file, or a folder with a GGUF or safetensors model")->required();
  command->add_option("--prompt", flags.prompt, "Tokens of the prompt")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command->add_option("--tokens", flags.tokens, "Tokens to decode per stream")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command->add_option("--batch", flags.batches, "Streams to decode at once; may be repeated")
      ->expected(1)
      ->take_all()
      ->check(CLI::Range(1, 512))
      ->capture_default_str();
  command->add_option("--runs", flags.runs, "Runs that the medians are taken of")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  command->add_option("--threads", flags.threads, "CPU threads (default: CPUs of the cgroup)")
      ->check(CLI::Range(1, 1024));
  command->add_flag("--json", flags.json, "Print JSON");
  command->footer(bench_llm_examples);
}

void add_plan(CLI::App& app, PlanFlags& flags) {
  CLI::App* command = app.add_subcommand("plan", "Say what a model will occupy here and how many requests fit");
  command->add_option("models", flags.models, "GGUF files, or folders with a model")->required();
  command->add_option("--max-num-seqs", flags.options.max_num_seqs, "Requests computed at once");
  command->add_option("--max-num-batched-tokens", flags.options.max_num_batched_tokens, "Tokens computed in one step");
  add_llm_options(*command, flags.options);
  command->footer(plan_examples);
}

void add_serve(CLI::App& app, ServeFlags& flags) {
  CLI::App* command =
      app.add_subcommand("serve", "Serve the models that YAML files, kubectl or the KServe SDK declare");
  command->add_option("-c,--config", flags.configs, "YAML or JSON file, or a folder of them; may be repeated")
      ->expected(1)
      ->take_all();
  command->add_option("-l,--listen", flags.listen, "host:port to listen on, instead of the file's; may be repeated")
      ->expected(1)
      ->take_all();
  command->add_option("--state-dir", flags.state_dir,
                      "Folder that keeps what is declared over HTTP (default: spec.stateDir, $STATE_DIRECTORY, or "
                      "memory alone)");
  command->add_flag("--strict", flags.strict, "Treat fields without effect as errors");
  command->add_option("--log-format", flags.log_format, "text or json")->check(CLI::IsMember({"text", "json"}));
  command->add_option("--log-level", flags.log_level, "debug, info, warning or error")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}));
  command->add_flag("--access-log", flags.access_log, "Log every request");
  command->add_option("--io-threads", flags.io_threads, "Threads that serve connections (default: CPUs of the cgroup)")
      ->check(CLI::Range(1, 1024));
  command->footer(serve_examples);
}

void add_validate(CLI::App& app, ValidateFlags& flags) {
  CLI::App* command =
      app.add_subcommand("validate", "Check YAML files and print everything that is wrong with them at once");
  command->add_option("files", flags.configs, "YAML or JSON files or folders; - reads standard input")->required();
  command->add_flag("--strict", flags.strict, "Treat fields without effect as errors");
  command->add_flag("--json", flags.json, "Print the findings as JSON");
  command->footer(validate_examples);
}

void add_inspect(CLI::App& app, std::vector<std::string>& files, int& depth, bool& all) {
  CLI::App* command = app.add_subcommand("inspect", "Print what is inside a model file, without running any of it");
  command->add_option("files", files, "Model files, or a language model's folder")->required();
  command->add_option("--depth", depth, "Levels of the tree to show")->check(CLI::Range(1, 64));
  command->add_flag("--all", all, "Show every tensor and every metadata key of a language model");
  command->footer(inspect_examples);
}

// The first word that is no command where one is due, as a sentence; "" when there is none. CLI11 would only say that a
// command is missing.
std::string unknown_command(const CLI::App& app, int argc, char** argv) {
  const CLI::App* at = &app;
  for (int i = 1; i < argc && at->get_require_subcommand_min() > 0; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with("-")) return {};
    const CLI::App* next = nullptr;
    std::vector<std::string_view> names;
    for (const CLI::App* command : at->get_subcommands({})) {
      names.push_back(command->get_name());
      if (command->check_name(std::string(word))) next = command;
    }
    if (next == nullptr) {
      const std::string nearest = nearest_name(word, names);
      return fmt::format("{}: there is no command '{}'{}", at->get_name(), word,
                         nearest.empty() ? "" : "; did you mean '" + nearest + "'?");
    }
    at = next;
  }
  return {};
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app{"jackdaw serves predictive models and LLMs from KServe's own YAML: one binary, no Python, no sidecars.",
               "jackdaw"};
  app.set_version_flag("-V,--version", std::string("jackdaw ") + version);
  app.require_subcommand(1);
  ServeFlags serve_flags;
  ValidateFlags validate_flags;
  RunFlags run_flags;
  BenchLlmFlags bench_flags;
  PlanFlags plan_flags;
  std::vector<std::string> inspect_files;
  int inspect_depth = 8;
  bool inspect_all = false;
  add_serve(app, serve_flags);
  add_run(app, run_flags);
  add_validate(app, validate_flags);
  add_inspect(app, inspect_files, inspect_depth, inspect_all);
  add_plan(app, plan_flags);
  add_bench(app, bench_flags);
  ClientCommands client_commands;
  client_commands.add_to(app);
  if (const std::string fault = unknown_command(app, argc, argv); !fault.empty()) {
    std::fprintf(stderr, "%s\nRun with --help for more information.\n", fault.c_str());
    return 2;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (const auto status = client_commands.run(app)) return *status;
  if (app.got_subcommand("serve")) return serve(serve_flags);
  if (app.got_subcommand("run")) return run_chat(run_flags);
  if (app.got_subcommand("validate")) return validate(validate_flags);
  if (app.got_subcommand("plan")) return plan(plan_flags);
  if (app.got_subcommand("bench")) return bench_llm(bench_flags);
  return inspect(inspect_files, inspect_depth, inspect_all);
}

}  // namespace jackdaw::app
