// apply: every object of the files goes to the server as an apply patch (Kubernetes' server-side apply).
#include <fmt/format.h>

#include <filesystem>
#include <utility>

#include "jackdaw/spec/load.h"
#include "jackdaw/spec/yaml.h"
#include "src/app/client/client_commands.h"
#include "src/app/client/object_files.h"
#include "src/app/client/service_progress.h"
#include "src/app/client/units.h"
#include "src/app/secrets.h"

namespace jackdaw::app {
namespace {

using spec::Json;

constexpr std::string_view file_annotation = "jackdaw.dev/config-file";  // docs/resources.md

// What the server adds by itself; an object is unchanged when everything else is.
Json without_bookkeeping(Json object) {
  object.erase("status");
  if (Json* metadata = object.find("metadata")) {
    for (const char* name : {"managedFields", "resourceVersion", "generation"}) metadata->erase(name);
  }
  return object;
}

// Whether a model is said to be at a relative path: "./models/iris", "models/iris".
bool has_relative_place(const Json& json) {
  for (const Json::Member& member : json.members()) {
    const std::string_view text = member.value.as_text();
    const bool place = member.name == "storageUri" || member.name == "uri";
    if (place && !text.empty() && !text.starts_with('/') && text.find("://") == std::string_view::npos) return true;
    if (has_relative_place(member.value)) return true;
  }
  return false;
}

class Apply {
 public:
  Apply(const ApplyFlags& flags, Session& session, Instant deadline)
      : flags_(flags), session_(session), deadline_(deadline) {}

  void object(const FileObject& object) {
    const ResourceType* type = session_.types.of_kind(object.api_version, object.kind);
    if (type == nullptr) return not_kept(object);
    const std::string place = namespace_of(object);
    if (place.empty()) return;
    const std::string path = type->path(place, object.name);
    const ApiOutcome before = session_.client.get(path);
    if (before.error || (before.refusal && !before.refusal->is_not_found())) return failed(object, before);
    ApiRequest patch;
    patch.method = "PATCH";
    patch.path = path + "?fieldManager=" + percent_encoded(flags_.field_manager) +
                 "&fieldValidation=Strict&force=" + (flags_.force_conflicts ? "true" : "false") +
                 (flags_.dry_run ? "&dryRun=All" : "");
    patch.content_type = "application/apply-patch+yaml";
    patch.body = wanted(object).dump();
    const ApiOutcome after = session_.client.call(patch);
    if (!after.ok()) return failed(object, after);
    print_warnings(after.answer);
    report(*type, object, before.ok() ? &before.answer.body : nullptr, after.answer);
    if (!flags_.dry_run) applied_.push_back({*type, place, object.name});
  }

  // Until every applied object has settled.
  void wait() {
    for (const Applied& one : applied_) {
      const std::string title = one.type.full_name() + "/" + one.name;
      const auto progress = wait_until_settled(session_.client, one.type, one.namespace_name, one.name, deadline_);
      if (!progress) {
        status_ = fail(progress.error().text());
      } else if (progress->state == Progress::done) {
        print(title + " " + (progress->words == "Stopped" ? "stopped" : "ready") + "\n");
      } else {
        const bool failed = progress->state == Progress::failed;
        status_ =
            fail(fmt::format("error: {} {}: {}", title, failed ? "failed" : "is not ready in time", progress->words));
      }
    }
  }

  int status() const { return status_; }

 private:
  struct Applied {
    ResourceType type;
    std::string namespace_name, name;
  };

  // A daemon on this machine is told the file, so that relative paths start at its folder, as with serve --config.
  Json wanted(const FileObject& object) const {
    const Json* spec = object.json.find("spec");
    const std::filesystem::path file = object.document->file;
    std::error_code error;
    if (spec == nullptr || !has_relative_place(*spec) || !is_loopback(session_.client.server()) ||
        !std::filesystem::exists(file, error)) {
      return object.json;
    }
    Json out = object.json;
    out.member("metadata")
        .member("annotations")
        .set(file_annotation, Json::text(std::filesystem::absolute(file).lexically_normal().string()));
    return out;
  }

  // Objects that the server does not keep: a note when a file may well hold them, an error when they are wrong.
  void not_kept(const FileObject& object) {
    if (object.kind == "Daemon") {
      note(object, "the daemon's own settings are read by jackdaw serve --config only; left out");
      return;
    }
    const auto words = spec::load_config_text(spec::to_yaml(object.json), object.place(), "").findings;
    const bool wrong = words.empty() || words.front().severity == spec::Severity::error;
    const std::string message = words.empty()
                                    ? fmt::format("the server keeps no {} of {}", object.kind, object.api_version)
                                    : words.front().message;
    if (!wrong) return note(object, message);
    status_ = fail(fmt::format("{}: error: {}", object.place(), message));
  }

  static void note(const FileObject& object, const std::string& words) {
    fail(fmt::format("{}: note: {}", object.place(), words));
  }

  std::string namespace_of(const FileObject& object) {
    const std::string& asked = flags_.target.namespace_name;
    if (object.namespace_name.empty()) return session_.namespace_name;
    if (asked.empty() || asked == object.namespace_name) return object.namespace_name;
    status_ =
        fail(fmt::format("{}: error: the namespace from the provided object \"{}\" does not match the namespace "
                         "\"{}\". You must pass '--namespace={}' to perform this operation.",
                         object.place(), object.namespace_name, asked, object.namespace_name));
    return {};
  }

  // The server's words, and where in the file each field that it complains of stands.
  void failed(const FileObject& object, const ApiOutcome& outcome) {
    status_ = 1;
    std::string text = outcome.text();
    if (outcome.refusal) {
      text = fmt::format("{}: {}", object.place(), text);
      for (const Refusal::Cause& cause : outcome.refusal->causes) {
        const std::string line = "\n  " + cause.field + ": ";
        const std::size_t at = cause.field.empty() ? std::string::npos : text.find(line);
        if (at != std::string::npos) text.insert(at + 3, object.place_of(cause.field) + ": ");
      }
      if (outcome.refusal->reason == "Conflict" && !outcome.refusal->causes.empty()) {
        text += "\n--force-conflicts takes these fields over.";
      }
    }
    fail(text);
  }

  void report(const ResourceType& type, const FileObject& object, const Json* before, const ApiAnswer& after) {
    if (flags_.output == "yaml" || flags_.output == "json") {
      Json shown = after.body;
      if (Json* metadata = shown.find("metadata")) metadata->erase("managedFields");
      print(flags_.output == "json" ? shown.dump() + "\n"
                                    : (std::exchange(any_, true) ? "---\n" : "") + to_yaml(shown));
      return;
    }
    const std::string title = type.full_name() + "/" + object.name;
    if (flags_.output == "name") return print(title + "\n");
    const bool same = before != nullptr && without_bookkeeping(*before) == without_bookkeeping(after.body);
    const char* what = before == nullptr ? "created" : same ? "unchanged" : "configured";
    print(fmt::format("{} {}{}\n", title, what, flags_.dry_run ? " (server dry run)" : ""));
  }

  const ApplyFlags& flags_;
  Session& session_;
  const Instant deadline_;
  std::vector<Applied> applied_;
  int status_ = 0;
  bool any_ = false;
};

}  // namespace

int apply(const ApplyFlags& flags) {
  const auto timeout = parse_duration(flags.timeout);
  if (!timeout) {
    fail("error: --timeout: " + timeout.error().text());
    return 2;
  }
  const ObjectFiles files = read_object_files(flags.files);
  for (const std::string& problem : files.problems) fail(problem);
  if (files.objects.empty() && files.problems.empty()) return fail("error: no objects passed to apply");
  // Nothing is sent from files that cannot be read whole.
  if (!files.problems.empty()) return 1;
  auto session = Session::open(flags.target);
  if (!session) return fail("error: " + session.error().text());
  Apply apply(flags, *session, system_clock().now() + *timeout);
  for (const FileObject& object : files.objects) apply.object(object);
  if (flags.wait) apply.wait();
  return apply.status();
}

}  // namespace jackdaw::app
