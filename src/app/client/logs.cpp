// logs: what the daemon logged about a service, from its memory (GET /admin/logs).
#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "src/app/client/client_commands.h"
#include "src/app/client/log_lines.h"
#include "src/app/client/units.h"
#include "src/app/terminal.h"

namespace jackdaw::app {
namespace {

// The daemon says something every ten seconds.
constexpr Duration silence_max = std::chrono::seconds(40);

// "isvc/iris" is the service iris.
std::string service_name(const std::string& word) {
  return word.substr(word.find('/') == std::string::npos ? 0 : word.find('/') + 1);
}

Result<std::string> query_of(const LogsFlags& flags) {
  std::string query = "?follow=" + std::string(flags.follow ? "true" : "false");
  const std::string place = flags.target.namespace_name.empty() ? "default" : flags.target.namespace_name;
  if (!flags.service.empty()) query += "&service=" + percent_encoded(service_name(flags.service));
  const bool any_namespace =
      flags.target.all_namespaces || (flags.service.empty() && flags.target.namespace_name.empty());
  if (!any_namespace) query += "&namespace=" + percent_encoded(place);
  if (!flags.since.empty()) {
    JACKDAW_ASSIGN(const Duration since, parse_duration(flags.since));
    query += fmt::format("&since={}", std::chrono::ceil<std::chrono::seconds>(since).count());
  }
  if (flags.tail >= 0) query += fmt::format("&tail={}", flags.tail);
  return query;
}

}  // namespace

int logs(const LogsFlags& flags) {
  const auto query = query_of(flags);
  if (!query) {
    fail("error: --since: " + query.error().text());
    return 2;
  }
  auto client = open_client(flags.target);
  if (!client) return fail("error: " + client.error().text());
  const bool colour = wants_colour(STDOUT_FILENO);
  bool any = false;
  ApiRequest request;
  request.path = "/admin/logs" + *query;
  request.accept = "application/x-ndjson";
  request.timeout = silence_max;
  const ApiOutcome outcome = client->lines(request, [&](std::string_view line) {
    any = true;
    print((flags.output == "json" ? std::string(line) : log_line_text(line, colour)) + "\n");
    return true;
  });
  if (!outcome.ok()) return fail(outcome.text());
  if (!any && !flags.service.empty()) fail("No log records of " + service_name(flags.service) + " are kept.");
  return 0;
}

}  // namespace jackdaw::app
