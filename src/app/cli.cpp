#include "src/app/cli.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "src/app/version.h"

namespace jackdaw::app {
namespace {

constexpr const char* serve_examples =
    "Examples:\n"
    "  jackdaw serve --config service.yaml\n"
    "  jackdaw serve --config /etc/jackdaw --listen 0.0.0.0:8080 --log-format json\n"
    "  curl http://127.0.0.1:8080/v1/models/iris:predict -d '{\"instances\":[[6.8,2.8,4.8,1.4]]}'\n"
    "Signals: TERM and INT stop taking connections, finish what is in flight (spec.drainTimeout), then exit;\n"
    "a second one exits at once.";

constexpr const char* validate_examples =
    "Examples:\n"
    "  jackdaw validate service.yaml\n"
    "  jackdaw validate --strict --json manifests/ | jq .\n"
    "Exit status: 0 when it can be served, 1 when it cannot.";

constexpr const char* inspect_examples =
    "Examples:\n"
    "  jackdaw inspect model.joblib\n"
    "Nothing in the file is ever run: a pickle that would run a command is shown, not obeyed.";

void add_serve(CLI::App& app, ServeFlags& flags) {
  CLI::App* command = app.add_subcommand("serve", "Serve the models that YAML files declare");
  command->add_option("-c,--config", flags.configs, "YAML or JSON file, or a folder of them; may be repeated")
      ->required()
      ->expected(1)
      ->take_all();
  command->add_option("-l,--listen", flags.listen, "host:port to listen on, instead of the file's; may be repeated")
      ->expected(1)
      ->take_all();
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

void add_inspect(CLI::App& app, std::vector<std::string>& files, int& depth) {
  CLI::App* command = app.add_subcommand("inspect", "Print what is inside a model file, without running any of it");
  command->add_option("files", files, "Model files")->required();
  command->add_option("--depth", depth, "Levels of the tree to show")->check(CLI::Range(1, 64));
  command->footer(inspect_examples);
}

}  // namespace

int run_command_line(int argc, char** argv) {
  CLI::App app{"jackdaw serves predictive models from KServe's own YAML: one binary, no Python, no sidecars.",
               "jackdaw"};
  app.set_version_flag("-V,--version", std::string("jackdaw ") + version);
  app.require_subcommand(1);
  ServeFlags serve_flags;
  ValidateFlags validate_flags;
  std::vector<std::string> inspect_files;
  int inspect_depth = 8;
  add_serve(app, serve_flags);
  add_validate(app, validate_flags);
  add_inspect(app, inspect_files, inspect_depth);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (app.got_subcommand("serve")) return serve(serve_flags);
  if (app.got_subcommand("validate")) return validate(validate_flags);
  return inspect(inspect_files, inspect_depth);
}

}  // namespace jackdaw::app
