// delete: objects by name, by file, by label, or all of a type.
#include <fmt/format.h>

#include <utility>

#include "src/app/client/client_commands.h"
#include "src/app/client/object_files.h"
#include "src/app/client/service_progress.h"
#include "src/app/client/units.h"

namespace jackdaw::app {
namespace {

class Delete {
 public:
  Delete(const DeleteFlags& flags, Session& session, Instant deadline)
      : flags_(flags), session_(session), deadline_(deadline) {}

  void one(const ResourceType& type, const std::string& namespace_name, const std::string& name) {
    ApiRequest request;
    request.method = "DELETE";
    request.path = type.path(namespace_name, name) + (flags_.dry_run ? "?dryRun=All" : "");
    const ApiOutcome outcome = session_.client.call(request);
    if (outcome.refusal && outcome.refusal->is_not_found() && flags_.ignore_not_found) return;
    if (!outcome.ok()) {
      status_ = fail(outcome.text());
      return;
    }
    print_warnings(outcome.answer);
    print(fmt::format("{} \"{}\" deleted{}\n", type.full_name(), name, flags_.dry_run ? " (server dry run)" : ""));
    if (flags_.dry_run || !flags_.wait) return;
    const auto gone = wait_until_gone(session_.client, type, namespace_name, name, deadline_);
    if (!gone) status_ = fail("error: " + gone.error().text());
  }

  // Those that the selector chooses; all of them when there is none.
  void many(const ResourceType& type) {
    std::string path = type.path(session_.namespace_name);
    if (!flags_.selector.empty()) path += "?labelSelector=" + percent_encoded(flags_.selector);
    const ApiOutcome found = session_.client.get(path);
    if (!found.ok()) {
      status_ = fail(found.text());
      return;
    }
    const spec::Json* items = found.answer.body.find("items");
    if (items == nullptr || items->items().empty()) return;
    any_ = true;
    for (const spec::Json& item : items->items()) {
      one(type, text_at(item, {"metadata", "namespace"}), text_at(item, {"metadata", "name"}));
    }
  }

  void file_object(const FileObject& object) {
    const ResourceType* type = session_.types.of_kind(object.api_version, object.kind);
    if (type == nullptr) {
      fail(fmt::format("{}: note: the server keeps no {} of {}; left out", object.place(), object.kind,
                       object.api_version));
      return;
    }
    one(*type, object.namespace_name.empty() ? session_.namespace_name : object.namespace_name, object.name);
  }

  int status() const { return status_; }
  bool any() const { return any_; }

 private:
  const DeleteFlags& flags_;
  Session& session_;
  const Instant deadline_;
  int status_ = 0;
  bool any_ = false;
};

// What is wrong with the combination of flags, or "".
std::string_view wrong_usage(const DeleteFlags& flags, const std::vector<WantedObjects>& wanted) {
  if (wanted.empty() == flags.files.empty())
    return "name what to delete: TYPE NAME..., TYPE -l SELECTOR, TYPE --all, or -f FILE";
  const bool by_name = !wanted.empty() && !wanted.front().names.empty();
  const bool by_set = flags.all || !flags.selector.empty();
  if (by_name && by_set) return "a name cannot be given together with --all or --selector";
  if (!wanted.empty() && !by_name && !by_set) return "give a name, --selector or --all";
  if (flags.all && !flags.selector.empty()) return "--all and --selector cannot be given together";
  if (flags.target.all_namespaces && !by_set) return "-A is for --all and --selector";
  return {};
}

}  // namespace

int remove(const DeleteFlags& flags) {
  const auto timeout = parse_duration(flags.timeout);
  if (!timeout) {
    fail("error: --timeout: " + timeout.error().text());
    return 2;
  }
  const ObjectFiles files = read_object_files(flags.files);
  for (const std::string& problem : files.problems) fail(problem);
  if (!files.problems.empty()) return 1;
  auto session = Session::open(flags.target);
  if (!session) return fail("error: " + session.error().text());
  const auto wanted = wanted_objects(session->types, flags.words);
  if (!wanted) return fail("error: " + wanted.error().text());
  if (const std::string_view wrong = wrong_usage(flags, *wanted); !wrong.empty()) {
    fail("error: " + std::string(wrong));
    return 2;
  }
  Delete action(flags, *session, system_clock().now() + *timeout);
  for (const FileObject& object : files.objects) action.file_object(object);
  for (const WantedObjects& objects : *wanted) {
    for (const std::string& name : objects.names) action.one(objects.type, session->namespace_name, name);
    if (objects.names.empty()) action.many(objects.type);
  }
  if (!wanted->empty() && wanted->front().names.empty() && !action.any() && action.status() == 0) {
    fail("No resources found");
  }
  return action.status();
}

}  // namespace jackdaw::app
