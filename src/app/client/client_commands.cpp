// The command line of the commands for a running daemon.
#include "src/app/client/client_commands.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "src/app/number_check.h"

namespace jackdaw::app {
namespace {

constexpr const char* group = "Commands for a running daemon";

constexpr const char* apply_examples =
    "Examples:\n"
    "  jackdaw apply -f service.yaml\n"
    "  jackdaw apply -f manifests/ --wait\n"
    "  jackdaw get isvc iris -o yaml | sed 's/v1/v2/' | jackdaw apply -f -\n"
    "Server-side apply: fields that another manager set otherwise are a conflict, unless --force-conflicts.";

constexpr const char* get_examples =
    "Examples:\n"
    "  jackdaw get isvc\n"
    "  jackdaw get all -A -o wide\n"
    "  jackdaw get isvc iris -o yaml\n"
    "  jackdaw get isvc -l team=birds -w\n"
    "Short names: isvc, llmisvc.";

constexpr const char* describe_examples =
    "Examples:\n"
    "  jackdaw describe isvc iris\n"
    "  jackdaw describe llmisvc/chat -n prod\n"
    "Shows spec, conditions, revisions with their traffic, the last failure, fields without effect, and events.";

constexpr const char* delete_examples =
    "Examples:\n"
    "  jackdaw delete isvc iris\n"
    "  jackdaw delete -f service.yaml\n"
    "  jackdaw delete isvc -l team=birds\n"
    "  jackdaw delete isvc --all -n test";

constexpr const char* logs_examples =
    "Examples:\n"
    "  jackdaw logs iris\n"
    "  jackdaw logs iris -f --since 10m\n"
    "  jackdaw logs --tail 20\n"
    "The daemon keeps its last records in memory; who may write to it may read them.";

constexpr const char* rollout_examples =
    "Examples:\n"
    "  jackdaw rollout canary iris 10     # a tenth of the traffic to the latest revision\n"
    "  jackdaw rollout status iris\n"
    "  jackdaw rollout promote iris       # all of it\n"
    "  jackdaw rollout undo iris          # none of it, or back to the revision before\n"
    "  jackdaw rollout undo iris --to-revision 3";

constexpr const char* top_examples =
    "Examples:\n"
    "  jackdaw top\n"
    "  jackdaw top --once\n"
    "  jackdaw top --json | jq '.models[] | select(.errors_per_second > 0)'\n"
    "Keys: q quits; n, r and m sort by name, requests and memory.";

void add_connection(CLI::App& command, ConnectionFlags& flags) {
  command.add_option("--server", flags.server, "URL of the daemon")->envname("JACKDAW_SERVER")->capture_default_str();
  CLI::Option* token = command.add_option("--token", flags.token, "Bearer token")->envname("JACKDAW_TOKEN");
  command.add_option("--token-file", flags.token_file, "File that holds the token")->excludes(token);
  command.add_option("--ca-file", flags.ca_file, "Certificates (PEM) that an https server's must come from");
}

void add_namespace(CLI::App& command, TargetFlags& flags, bool all) {
  CLI::Option* one = command.add_option("-n,--namespace", flags.namespace_name, "Namespace (default: default)");
  if (all) command.add_flag("-A,--all-namespaces", flags.all_namespaces, "All namespaces")->excludes(one);
}

void add_files(CLI::App& command, std::vector<std::string>& files) {
  command
      .add_option("-f,--filename", files,
                  "YAML or JSON file, a folder of them, or - for standard input; may be repeated")
      ->expected(1)
      ->take_all();
}

void add_output(CLI::App& command, std::string& output, std::vector<std::string> known) {
  std::string help = "Print ";
  for (std::size_t i = 0; i < known.size(); ++i)
    help += (i == 0 ? "" : i + 1 == known.size() ? " or " : ", ") + known[i];
  command.add_option("-o,--output", output, help)->check(CLI::IsMember(std::move(known)));
}

void add_timeout(CLI::App& command, std::string& timeout) {
  command.add_option("--timeout", timeout, "How long to wait, such as 30s or 5m")->capture_default_str();
}

CLI::App& add_command(CLI::App& app, const char* name, const char* help, const char* examples) {
  CLI::App* command = app.add_subcommand(name, help);
  command->group(group);
  command->footer(examples);
  return *command;
}

void add_apply(CLI::App& app, ApplyFlags& flags) {
  CLI::App& command =
      add_command(app, "apply", "Declare what files say: create it, or bring it up to date", apply_examples);
  add_files(command, flags.files);
  command.get_option("--filename")->required();
  add_namespace(command, flags.target, false);
  add_output(command, flags.output, {"name", "yaml", "json"});
  command.add_flag("--dry-run", flags.dry_run, "Let the server check it, and change nothing");
  command.add_flag("--force-conflicts", flags.force_conflicts, "Take over fields that other managers have set");
  command.add_option("--field-manager", flags.field_manager, "Who the fields belong to")->capture_default_str();
  command.add_flag("--wait", flags.wait, "Wait until everything applied is ready or has failed");
  add_timeout(command, flags.timeout);
  add_connection(command, flags.target.connection);
}

void add_get(CLI::App& app, GetFlags& flags) {
  CLI::App& command = add_command(app, "get", "List objects, or show some", get_examples);
  command.add_option("what", flags.words, "TYPE[,TYPE] [NAME...] or TYPE/NAME...; all = every type")->required();
  add_namespace(command, flags.target, true);
  add_output(command, flags.output, {"table", "wide", "yaml", "json", "name"});
  command.add_option("-l,--selector", flags.selector, "Only objects with these labels, such as app=iris,tier!=dev");
  command.add_flag("-w,--watch", flags.watch, "Go on, and print what changes");
  command.add_flag("--no-headers", flags.no_headers, "Leave out the line of column names");
  command.add_flag("--show-managed-fields", flags.show_managed_fields, "Keep metadata.managedFields in YAML and JSON");
  add_connection(command, flags.target.connection);
}

void add_describe(CLI::App& app, DescribeFlags& flags) {
  CLI::App& command = add_command(app, "describe", "Show everything about objects, readably", describe_examples);
  command.add_option("what", flags.words, "TYPE [NAME...] or TYPE/NAME...")->required();
  add_namespace(command, flags.target, true);
  command.add_option("-l,--selector", flags.selector, "Only objects with these labels");
  add_connection(command, flags.target.connection);
}

void add_delete(CLI::App& app, DeleteFlags& flags) {
  CLI::App& command =
      add_command(app, "delete", "Delete objects by name, file, label, or all of a type", delete_examples);
  command.add_option("what", flags.words, "TYPE NAME... or TYPE/NAME...");
  add_files(command, flags.files);
  add_namespace(command, flags.target, true);
  command.add_option("-l,--selector", flags.selector, "Those with these labels");
  command.add_flag("--all", flags.all, "All of the type");
  command.add_flag("--dry-run", flags.dry_run, "Only say what would be deleted");
  command.add_flag("--ignore-not-found", flags.ignore_not_found, "What is not there is no error");
  command.add_flag("--wait,!--no-wait", flags.wait, "Wait until they are gone (default)");
  add_timeout(command, flags.timeout);
  add_connection(command, flags.target.connection);
}

void add_logs(CLI::App& app, LogsFlags& flags) {
  CLI::App& command = add_command(app, "logs", "Print what the daemon logged about a service", logs_examples);
  command.add_option("service", flags.service, "Name of the service; leave it out for everything");
  add_namespace(command, flags.target, true);
  command.add_flag("-f,--follow", flags.follow, "Go on with what comes");
  command.add_option("--since", flags.since, "Only records younger than this, such as 10m");
  command.add_option("--tail", flags.tail, "Only the last so many records")->check(at_least(0));
  add_output(command, flags.output, {"text", "json"});
  add_connection(command, flags.target.connection);
}

void add_rollout_action(CLI::App& rollout, RolloutFlags& flags, const char* name, const char* help) {
  CLI::App* command = rollout.add_subcommand(name, help);
  command->add_option("service", flags.service, "Name of the service")->required();
  command->callback([&flags, name] { flags.action = name; });
  const std::string_view action = name;
  if (action == "canary") {
    command->add_option("percent", flags.percent, "Percent of the traffic for the latest revision")
        ->required()
        ->check(CLI::Range(0, 100));
  }
  if (action == "promote" || action == "undo") {
    command->add_option("--canary", flags.canary, "Which of spec.canary, where there are several");
  }
  if (action == "undo") {
    command->add_option("--to-revision", flags.to_revision, "Number or name of the revision (default: the one before)");
  }
  if (action == "status") {
    command->add_flag("--no-wait", flags.no_wait, "Do not wait until it has settled");
    add_timeout(*command, flags.timeout);
  }
  add_namespace(*command, flags.target, false);
  add_connection(*command, flags.target.connection);
}

void add_rollout(CLI::App& app, RolloutFlags& flags) {
  CLI::App& command =
      add_command(app, "rollout", "Look at the revisions of a service and move its traffic", rollout_examples);
  command.require_subcommand(1);
  add_rollout_action(command, flags, "status", "Show the revisions, and wait until the latest has settled");
  add_rollout_action(command, flags, "history", "List the revisions");
  add_rollout_action(command, flags, "canary", "Give the latest revision a part of the traffic");
  add_rollout_action(command, flags, "promote", "Give the latest revision all of the traffic");
  add_rollout_action(command, flags, "undo", "Give the traffic back to the revision before");
  add_rollout_action(command, flags, "pause", "Let no share move; new revisions are loaded and wait");
  add_rollout_action(command, flags, "resume", "Let the shares move again");
  add_rollout_action(command, flags, "restart", "Load the model anew, as a new revision");
}

void add_top(CLI::App& app, TopFlags& flags) {
  CLI::App& command = add_command(app, "top", "Watch the daemon and its models at work", top_examples);
  command.add_flag("--once", flags.once, "Print one table and end");
  command.add_flag("--json", flags.json, "Print one JSON object and end");
  command.add_option("--interval", flags.interval, "Time between two looks")->capture_default_str();
  add_connection(command, flags.target.connection);
}

}  // namespace

struct ClientCommands::Flags {
  ApplyFlags apply;
  GetFlags get;
  DescribeFlags describe;
  DeleteFlags remove;
  LogsFlags logs;
  RolloutFlags rollout;
  TopFlags top;
};

ClientCommands::ClientCommands() : flags_(std::make_unique<Flags>()) {}
ClientCommands::~ClientCommands() = default;

void ClientCommands::add_to(CLI::App& app) {
  add_apply(app, flags_->apply);
  add_get(app, flags_->get);
  add_describe(app, flags_->describe);
  add_delete(app, flags_->remove);
  add_logs(app, flags_->logs);
  add_rollout(app, flags_->rollout);
  add_top(app, flags_->top);
}

std::optional<int> ClientCommands::run(const CLI::App& app) const {
  if (app.got_subcommand("apply")) return apply(flags_->apply);
  if (app.got_subcommand("get")) return get(flags_->get);
  if (app.got_subcommand("describe")) return describe(flags_->describe);
  if (app.got_subcommand("delete")) return remove(flags_->remove);
  if (app.got_subcommand("logs")) return logs(flags_->logs);
  if (app.got_subcommand("rollout")) return rollout(flags_->rollout);
  if (app.got_subcommand("top")) return top(flags_->top);
  return std::nullopt;
}

}  // namespace jackdaw::app
