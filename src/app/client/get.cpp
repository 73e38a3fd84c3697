// get: objects as tables, YAML, JSON or names, once or as they change.
#include <fmt/format.h>
#include <unistd.h>

#include <memory>
#include <thread>
#include <utility>

#include "jackdaw/spec/yaml.h"
#include "src/app/client/client_commands.h"
#include "src/app/client/object_table.h"
#include "src/app/terminal.h"

namespace jackdaw::app {
namespace {

using spec::Json;

// A watch that stays silent this long has lost its server: bookmarks come every minute.
constexpr Duration silence_max = std::chrono::seconds(150);

Json without_managed_fields(Json object) {
  if (Json* metadata = object.find("metadata")) metadata->erase("managedFields");
  return object;
}

class Get {
 public:
  Get(const GetFlags& flags, Session& session, std::vector<WantedObjects> wanted)
      : flags_(flags), session_(session), wanted_(std::move(wanted)) {}

  int run() {
    const bool tables = flags_.output == "table" || flags_.output == "wide";
    for (const WantedObjects& objects : wanted_) tables ? show_table(objects) : collect(objects);
    if (!tables) show_objects();
    if (tables && !any_ && status_ == 0) {
      const std::string where =
          session_.namespace_name.empty() ? "." : " in " + session_.namespace_name + " namespace.";
      fail("No resources found" + where);
    }
    if (flags_.watch && status_ == 0) watch();
    return status_;
  }

 private:
  std::string query(std::string_view first = "") const {
    std::string out(first);
    if (!flags_.selector.empty())
      out += (out.empty() ? "" : "&") + ("labelSelector=" + percent_encoded(flags_.selector));
    return out.empty() ? out : "?" + out;
  }

  // The answers to what `objects` asks for: one for the whole type, or one for each name.
  std::vector<Json> answers(const WantedObjects& objects, const char* accept) {
    std::vector<std::string> paths;
    for (const std::string& name : objects.names) paths.push_back(objects.type.path(session_.namespace_name, name));
    if (paths.empty()) paths.push_back(objects.type.path(session_.namespace_name) + query());
    std::vector<Json> out;
    for (std::string& path : paths) {
      ApiOutcome outcome = session_.client.call({.path = std::move(path), .accept = accept});
      if (outcome.ok()) {
        out.push_back(std::move(outcome.answer.body));
      } else {
        status_ = fail(outcome.text());
      }
    }
    return out;
  }

  TableStyle style() const {
    TableStyle style;
    style.colour = wants_colour(STDOUT_FILENO);
    style.width = flags_.output == "wide" ? 0 : terminal_width(STDOUT_FILENO, 0);
    style.header = !flags_.no_headers;
    return style;
  }

  TableView view(const ResourceType& type) const {
    TableView view;
    view.wide = flags_.output == "wide";
    view.with_namespace = flags_.target.all_namespaces;
    if (wanted_.size() > 1) view.name_prefix = type.full_name() + "/";
    return view;
  }

  void show_table(const WantedObjects& objects) {
    std::vector<Json> found = answers(objects, table_accept);
    if (found.empty()) return;
    version_ = text_at(found.front(), {"metadata", "resourceVersion"});
    table_ = std::make_unique<ObjectTable>(found.front(), view(objects.type));
    for (std::size_t i = 1; i < found.size(); ++i) table_->add_rows(found[i]);
    if (table_->layout().empty()) return;
    print((std::exchange(any_, true) ? "\n" : "") +
          (flags_.watch ? table_->layout().next_rows(style()) : table_->layout().text(style())));
  }

  void collect(const WantedObjects& objects) {
    for (Json& answer : answers(objects, "application/json")) {
      Json* items = answer.find("items");
      if (!objects.names.empty() || items == nullptr) {
        objects_.push_back(std::move(answer));
        continue;
      }
      version_ = text_at(answer, {"metadata", "resourceVersion"});
      for (Json& item : items->items()) objects_.push_back(std::move(item));
      listed_ = true;
    }
  }

  std::string rendered(const Json& object) const {
    const Json shown = flags_.show_managed_fields ? object : without_managed_fields(object);
    if (flags_.output == "json") return shown.dump() + "\n";
    if (flags_.output == "yaml") return to_yaml(shown);
    const ResourceType* type = session_.types.of_kind(text_at(object, {"apiVersion"}), text_at(object, {"kind"}));
    return (type == nullptr ? "" : type->full_name() + "/") + text_at(object, {"metadata", "name"}) + "\n";
  }

  // One object as it is, several as a List, as kubectl.
  void show_objects() {
    if (flags_.output == "name" || flags_.watch) {
      for (const Json& object : objects_) show_one(object);
      return;
    }
    if (objects_.size() == 1 && !listed_) return print(rendered(objects_.front()));
    if (objects_.empty() && status_ != 0) return;
    std::vector<Json> items;
    for (Json& object : objects_) {
      items.push_back(flags_.show_managed_fields ? std::move(object) : without_managed_fields(std::move(object)));
    }
    const Json list = Json::object({{"apiVersion", Json::text("v1")},
                                    {"items", Json::array(std::move(items))},
                                    {"kind", Json::text("List")},
                                    {"metadata", Json::object({{"resourceVersion", Json::text("")}})}});
    print(flags_.output == "json" ? list.dump() + "\n" : to_yaml(list));
  }

  void show_one(const Json& object) {
    const bool separate = flags_.output == "yaml" && std::exchange(any_, true);
    print((separate ? "---\n" : "") + rendered(object));
  }

  // ---- --watch

  void watch() {
    const WantedObjects& objects = wanted_.front();
    const bool tables = table_ != nullptr;
    for (;;) {
      std::string fields = "watch=true&allowWatchBookmarks=true&resourceVersion=" + version_;
      if (objects.names.size() == 1) fields += "&fieldSelector=" + percent_encoded("metadata.name=" + objects.names[0]);
      ApiRequest request;
      request.path = objects.type.path(session_.namespace_name) + query(fields);
      if (tables) request.accept = table_accept;
      request.timeout = silence_max;
      const ApiOutcome ended =
          session_.client.watch(request, [this](const WatchedEvent& event) { return take(event); });
      if (!ended.ok()) {
        status_ = fail(ended.text());
        return;
      }
      if (status_ != 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }

  bool take(const WatchedEvent& event) {
    if (event.type == "ERROR") {
      const std::int64_t gone = 410;
      const Json* code = event.object.find("code");
      // What was missed cannot be told; what comes from now on can.
      if (code != nullptr && code->as_integer() == gone) {
        version_.clear();
      } else {
        status_ = fail("error: " + text_at(event.object, {"message"}));
      }
      return false;
    }
    const std::string version = text_at(event.object, {"metadata", "resourceVersion"});
    if (!version.empty()) version_ = version;
    if (event.type == "BOOKMARK") return true;
    if (table_ == nullptr) {
      show_one(event.object);
      return true;
    }
    if (const Json* rows = event.object.find("rows"); rows != nullptr && !rows->items().empty()) {
      const std::string of_row = text_at(rows->items().back(), {"object", "metadata", "resourceVersion"});
      if (!of_row.empty()) version_ = of_row;
    }
    table_->add_rows(event.object);
    print(table_->layout().next_rows(style()));
    return true;
  }

  const GetFlags& flags_;
  Session& session_;
  std::vector<WantedObjects> wanted_;
  std::vector<Json> objects_;
  std::unique_ptr<ObjectTable> table_;  // of the last type
  std::string version_;                 // to watch from
  bool listed_ = false;
  bool any_ = false;
  int status_ = 0;
};

}  // namespace

int get(const GetFlags& flags) {
  auto session = Session::open(flags.target);
  if (!session) return fail("error: " + session.error().text());
  auto wanted = wanted_objects(session->types, flags.words);
  if (!wanted) return fail("error: " + wanted.error().text());
  for (const WantedObjects& objects : *wanted) {
    if (flags.target.all_namespaces && !objects.names.empty()) {
      fail("error: an object cannot be looked up by name across all namespaces; leave out -A or the name");
      return 2;
    }
    if (!flags.selector.empty() && !objects.names.empty()) {
      fail("error: a name and --selector cannot be given together");
      return 2;
    }
  }
  if (flags.watch && (wanted->size() != 1 || wanted->front().names.size() > 1)) {
    fail("error: --watch takes one type, and at most one name");
    return 2;
  }
  return Get(flags, *session, std::move(*wanted)).run();
}

}  // namespace jackdaw::app
