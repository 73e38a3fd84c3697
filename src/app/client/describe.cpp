// describe: one page for each object.
#include <unistd.h>

#include <utility>

#include "jackdaw/spec/load.h"
#include "src/app/client/client_commands.h"
#include "src/app/client/describe_page.h"
#include "src/app/terminal.h"

namespace jackdaw::app {
namespace {

using spec::Json;

std::vector<Json> events_of(ApiClient& client, const Json& object) {
  const std::string selector = "involvedObject.name=" + text_at(object, {"metadata", "name"}) +
                               ",involvedObject.kind=" + text_at(object, {"kind"});
  ApiOutcome outcome = client.get("/api/v1/namespaces/" + percent_encoded(text_at(object, {"metadata", "namespace"})) +
                                  "/events?fieldSelector=" + percent_encoded(selector));
  Json* items = outcome.ok() ? outcome.answer.body.find("items") : nullptr;
  std::vector<Json> out;
  // A server that knows no selector of events sends all of them.
  for (std::size_t i = 0; items != nullptr && i < items->items().size(); ++i) {
    Json& event = items->items()[i];
    if (text_at(event, {"involvedObject", "name"}) == text_at(object, {"metadata", "name"}))
      out.push_back(std::move(event));
  }
  return out;
}

// What the reader of configurations reports of the object: fields that are kept but have no effect here.
std::vector<std::string> notes_of(Json object) {
  object.erase("status");
  std::vector<std::string> out;
  for (const spec::Finding& finding : spec::load_config_text(object.dump(), "object.json", "").findings) {
    if (finding.severity != spec::Severity::report) continue;
    const bool named = finding.path.empty() || finding.message.find(finding.path) != std::string::npos;
    out.push_back(named ? finding.message : finding.path + ": " + finding.message);
  }
  return out;
}

PageStyle page_style() {
  PageStyle style;
  style.width = terminal_width(STDOUT_FILENO, 0);
  style.colour = wants_colour(STDOUT_FILENO);
  style.now = system_clock().wall();
  return style;
}

}  // namespace

int describe(const DescribeFlags& flags) {
  auto session = Session::open(flags.target);
  if (!session) return fail("error: " + session.error().text());
  const auto wanted = wanted_objects(session->types, flags.words);
  if (!wanted) return fail("error: " + wanted.error().text());
  std::vector<Json> objects;
  int status = 0;
  for (const WantedObjects& one : *wanted) {
    std::vector<std::string> paths;
    for (const std::string& name : one.names) paths.push_back(one.type.path(session->namespace_name, name));
    if (paths.empty()) {
      const std::string query = flags.selector.empty() ? "" : "?labelSelector=" + percent_encoded(flags.selector);
      paths.push_back(one.type.path(session->namespace_name) + query);
    }
    for (std::string& path : paths) {
      ApiOutcome outcome = session->client.get(std::move(path));
      if (!outcome.ok()) {
        status = fail(outcome.text());
        continue;
      }
      Json* items = outcome.answer.body.find("items");
      if (!one.names.empty() || items == nullptr) {
        objects.push_back(std::move(outcome.answer.body));
      } else {
        for (Json& item : items->items()) objects.push_back(std::move(item));
      }
    }
  }
  if (objects.empty() && status == 0) fail("No resources found");
  for (const Json& object : objects) {
    const bool first = &object == objects.data();
    print((first ? "" : "\n\n") +
          describe_page(object, events_of(session->client, object), notes_of(object), page_style()));
  }
  return status;
}

}  // namespace jackdaw::app
