#include "src/app/client/describe_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "jackdaw/base/text.h"
#include "jackdaw/spec/yaml.h"
#include "src/app/client/session.h"
#include "src/app/client/table_layout.h"

namespace jackdaw::app {
namespace {

using spec::Json;

constexpr int label_width = 14;

class Page {
 public:
  explicit Page(const PageStyle& style) : style_(style) {}

  void line(std::string_view label, std::string_view value) {
    if (value.empty()) return;
    out_ += fmt::format("{:<{}}{}\n", std::string(label) + ":", label_width, value);
  }
  // The first value beside the label, the others below it.
  void lines(std::string_view label, const std::vector<std::string>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      out_ += fmt::format("{:<{}}{}\n", i == 0 ? std::string(label) + ":" : "", label_width, values[i]);
    }
  }
  void title(std::string_view text) {
    out_ += style_.colour ? fmt::format("\n\x1b[1m{}\x1b[0m\n", text) : fmt::format("\n{}\n", text);
  }
  void indented(std::string_view text) {
    while (!text.empty()) {
      const std::string_view row = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(row.size() + 1, text.size()));
      out_ += row.empty() ? "\n" : "  " + std::string(row) + "\n";
    }
  }
  void table(const TableLayout& table) {
    indented(table.text({.width = style_.width > 0 ? style_.width - 2 : 0, .colour = style_.colour}));
  }
  std::string age(std::string_view time) const {
    const auto at = parse_rfc3339(time);
    // The daemon's clock may be ahead of this machine's.
    return at ? short_age(std::max(Duration(0), style_.now - *at)) : std::string();
  }
  std::string take() { return std::move(out_); }
  const PageStyle& style() const { return style_; }

 private:
  const PageStyle style_;
  std::string out_;
};

// "key=value" of every member; the copy of the object that kubectl keeps is left out.
std::vector<std::string> pairs(const Json* map, std::string_view separator) {
  std::vector<std::string> out;
  if (map == nullptr) return out;
  for (const Json::Member& member : map->members()) {
    if (member.name == "kubectl.kubernetes.io/last-applied-configuration") continue;
    out.push_back(member.name + std::string(separator) +
                  (member.value.is_text() ? std::string(member.value.as_text()) : member.value.dump()));
  }
  return out;
}

std::vector<std::string> managers(const Json& object) {
  std::vector<std::string> out;
  const Json* entries = object.find_path({"metadata", "managedFields"});
  if (entries == nullptr) return out;
  for (const Json& entry : entries->items()) {
    if (text_at(entry, {"subresource"}) == "status") continue;
    std::string name = text_at(entry, {"manager"}) + " (" + text_at(entry, {"operation"}) + ")";
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
  }
  return out;
}

void add_metadata(Page& page, const Json& object) {
  const std::string created = text_at(object, {"metadata", "creationTimestamp"});
  const Json* generation = object.find_path({"metadata", "generation"});
  page.line("Name", text_at(object, {"metadata", "name"}));
  page.line("Namespace", text_at(object, {"metadata", "namespace"}));
  page.line("Kind", text_at(object, {"kind"}) + " (" + text_at(object, {"apiVersion"}) + ")");
  page.lines("Labels", pairs(object.find_path({"metadata", "labels"}), "="));
  page.lines("Annotations", pairs(object.find_path({"metadata", "annotations"}), ": "));
  page.line("Created", created.empty() ? "" : created + " (" + page.age(created) + " ago)");
  page.line("Generation", generation == nullptr ? "" : generation->dump());
  page.lines("Managers", managers(object));
  page.line("URL", text_at(object, {"status", "url"}));
  page.line("Address", text_at(object, {"status", "address", "url"}));
}

void add_conditions(Page& page, const Json& object) {
  const Json* conditions = object.find_path({"status", "conditions"});
  if (conditions == nullptr || conditions->items().empty()) return;
  page.title("Conditions");
  TableLayout table({{"Type"}, {"Status"}, {"Since"}, {"Reason"}, {"Message"}});
  for (const Json& item : conditions->items()) {
    table.add({text_at(item, {"type"}), text_at(item, {"status"}), page.age(text_at(item, {"lastTransitionTime"})),
               text_at(item, {"reason"}), text_at(item, {"message"})});
  }
  page.table(table);
}

std::string integer_text(const Json* value) {
  return value == nullptr ? "0" : value->dump();
}

void add_model(Page& page, const Json& object) {
  const Json* model = object.find_path({"status", "modelStatus"});
  if (model == nullptr) return;
  page.title("Model");
  const std::string active = text_at(*model, {"states", "activeModelState"});
  const std::string target = text_at(*model, {"states", "targetModelState"});
  std::string text = fmt::format("{:<{}}{}\n", "State:", label_width,
                                 active + (target == active || target.empty() ? "" : ", to be " + target));
  text += fmt::format("{:<{}}{}\n", "Transition:", label_width, text_at(*model, {"transitionStatus"}));
  if (const Json* copies = model->find("copies")) {
    text += fmt::format("{:<{}}{} in all, {} failed\n", "Copies:", label_width,
                        integer_text(copies->find("totalCopies")), integer_text(copies->find("failedCopies")));
  }
  if (const Json* failure = model->find("lastFailureInfo")) {
    const std::string at = text_at(*failure, {"time"});
    const std::string when = page.age(at).empty() ? "" : " (" + page.age(at) + " ago)";
    text += fmt::format("{:<{}}{}{}, revision {}\n", "Last failure:", label_width, text_at(*failure, {"reason"}), when,
                        text_at(*failure, {"modelRevisionName"}));
    text += fmt::format("{:<{}}{}\n", "", label_width, text_at(*failure, {"message"}));
  }
  page.indented(text);
}

void add_events(Page& page, const std::vector<Json>& events) {
  page.title("Events");
  if (events.empty()) return page.indented("none");
  TableLayout table({{"Last seen"}, {"Type"}, {"Reason"}, {"Count"}, {"Message"}});
  for (const Json& event : events) {
    std::string at = text_at(event, {"lastTimestamp"});
    if (at.empty()) at = text_at(event, {"eventTime"});
    table.add({page.age(at), text_at(event, {"type"}), text_at(event, {"reason"}), integer_text(event.find("count")),
               text_at(event, {"message"})});
  }
  page.table(table);
}

}  // namespace

namespace {

// Where the model of a revision is: the first storageUri (or uri) in what it is made of.
std::string model_place(const Json& spec) {
  for (const Json::Member& member : spec.members()) {
    if ((member.name == "storageUri" || member.name == "uri") && member.value.is_text()) {
      return std::string(member.value.as_text());
    }
    if (std::string found = model_place(member.value); !found.empty()) return found;
  }
  return {};
}

const Json* traffic_of(const Json& object, const std::string& revision) {
  const Json* traffic = object.find_path({"status", "components", "predictor", "traffic"});
  if (traffic == nullptr) return nullptr;
  const auto& items = traffic->items();
  const auto found = std::find_if(items.begin(), items.end(),
                                  [&](const Json& target) { return text_at(target, {"revisionName"}) == revision; });
  return found == items.end() ? nullptr : &*found;
}

// A revision's part in the rollout: "latest, not ready", "rolled out", "rolled back".
class RevisionNotes {
 public:
  explicit RevisionNotes(const Json& object)
      : object_(object),
        created_(first_of({"status", "rollout", "latestCreated"},
                          {"status", "components", "predictor", "latestCreatedRevision"})),
        ready_(first_of({"status", "rollout", "latestReady"},
                        {"status", "components", "predictor", "latestReadyRevision"})),
        rolled_out_(first_of({"status", "rollout", "rolledOut"},
                             {"status", "components", "predictor", "latestRolledoutRevision"})) {}

  const std::string& created() const { return created_; }

  std::string of(const std::string& revision, std::string_view state) const {
    std::string out;
    const auto add = [&out](bool holds, const std::string& words) {
      out += holds ? (out.empty() ? "" : ", ") + words : "";
    };
    add(revision == created_, "latest");
    add(revision == created_ && revision != ready_ && state.empty(), "not ready");
    add(revision == rolled_out_, "rolled out");
    if (const Json* list = object_.find_path({"status", "rollout", "rolledBack"})) {
      for (const Json& item : list->items()) {
        add(text_at(item, {"revision"}) == revision, "rolled back: " + text_at(item, {"reason"}));
      }
    }
    return out;
  }

 private:
  using Path = std::initializer_list<std::string_view>;
  std::string first_of(Path one, Path other) const {
    std::string text = text_at(object_, one);
    return text.empty() ? text_at(object_, other) : text;
  }

  const Json& object_;
  std::string created_, ready_, rolled_out_;
};

// Of status.revisions, which a daemon writes; newest first.
std::string remembered_revisions(const Json& object, const Json& revisions, const PageStyle& style) {
  TableLayout table({{"Revision"}, {"State"}, {"Traffic", true}, {"Tag"}, {"Note"}, {"Model"}, {"Message"}});
  const RevisionNotes notes(object);
  for (std::size_t i = revisions.items().size(); i-- > 0;) {
    const Json& revision = revisions.items()[i];
    const std::string name = text_at(revision, {"name"}), state = text_at(revision, {"state"});
    const Json* target = traffic_of(object, name);
    const Json* spec = revision.find("spec");
    table.add({name, state, integer_text(revision.find("percent")) + "%",
               target == nullptr ? "" : text_at(*target, {"tag"}), notes.of(name, state),
               spec == nullptr ? "" : model_place(*spec), text_at(revision, {"message"})});
  }
  return table.text({.width = style.width, .colour = style.colour});
}

}  // namespace

std::string revisions_text(const Json& object, const PageStyle& style) {
  const Json* revisions = object.find_path({"status", "revisions"});
  if (revisions != nullptr && !revisions->items().empty()) return remembered_revisions(object, *revisions, style);
  const Json* traffic = object.find_path({"status", "components", "predictor", "traffic"});
  TableLayout table({{"Revision"}, {"Traffic", true}, {"Tag"}, {"Note"}});
  const RevisionNotes notes(object);
  bool has_created = notes.created().empty();
  for (std::size_t i = 0; traffic != nullptr && i < traffic->items().size(); ++i) {
    const Json& target = traffic->items()[i];
    const std::string revision = text_at(target, {"revisionName"});
    has_created |= revision == notes.created();
    table.add({revision, integer_text(target.find("percent")) + "%", text_at(target, {"tag"}), notes.of(revision, "")});
  }
  if (!has_created) table.add({notes.created(), "0%", "", notes.of(notes.created(), "")});
  return table.empty() ? std::string() : table.text({.width = style.width, .colour = style.colour});
}

std::string describe_page(const Json& object, const std::vector<Json>& events, const std::vector<std::string>& notes,
                          const PageStyle& style) {
  Page page(style);
  add_metadata(page, object);
  if (const Json* spec = object.find("spec")) {
    page.title("Spec");
    page.indented(to_yaml(*spec));
  }
  add_conditions(page, object);
  PageStyle inner = style;
  if (inner.width > 0) inner.width -= 2;
  if (const std::string revisions = revisions_text(object, inner); !revisions.empty()) {
    page.title("Revisions");
    page.indented(revisions);
  }
  add_model(page, object);
  if (!notes.empty()) {
    page.title("Notes");
    for (const std::string& note : notes) page.indented(note);
  }
  add_events(page, events);
  return page.take();
}

}  // namespace jackdaw::app
