// rollout: looks at the revisions of a service and moves its traffic, by writing its object as anyone could.
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <utility>

#include "jackdaw/base/log_listener.h"
#include "src/app/client/client_commands.h"
#include "src/app/client/describe_page.h"
#include "src/app/client/rollout_change.h"
#include "src/app/client/units.h"
#include "src/app/terminal.h"

namespace jackdaw::app {
namespace {

using spec::Json;

constexpr int attempts = 5;  // when others write the object meanwhile, such as the daemon its status

PageStyle page_style() {
  PageStyle style;
  style.width = terminal_width(STDOUT_FILENO, 0);
  style.colour = wants_colour(STDOUT_FILENO);
  return style;
}

class Rollout {
 public:
  Rollout(const RolloutFlags& flags, Session& session, FoundService service)
      : flags_(flags), session_(session), service_(std::move(service)) {}

  // What stands now; with `wait`, once the latest revision has the traffic that it is to have, or has failed.
  int status(bool wait, Instant deadline) {
    ServiceProgress progress = rollout_progress(service_.object);
    if (wait && progress.state == Progress::under_way) {
      const auto waited =
          wait_until_settled(session_.client, service_.type, namespace_name(), name(), deadline, rollout_progress);
      if (!waited) return fail("error: " + waited.error().text());
      progress = *waited;
      if (const int status = look_again(); status != 0) return status;
    }
    print(revisions_text(service_.object, page_style()));
    const std::string line = title() + ": " + progress.words;
    if (progress.state == Progress::done) {
      print(line + "\n");
      return 0;
    }
    return fail("error: " + line + (progress.state == Progress::failed ? "" : " (not settled in time)"));
  }

  int history() {
    const std::string text = revisions_text(service_.object, page_style());
    if (text.empty()) return fail(title() + " has no revisions yet");
    print(text);
    return 0;
  }

  int change() {
    for (int attempt = 1;; ++attempt) {
      const Result<RolloutChange> change = rollout_change(wish(), service_.object);
      if (!change) return fail("error: " + change.error().text());
      const ApiOutcome outcome = write(change->object);
      if (outcome.ok()) {
        print_warnings(outcome.answer);
        print(title() + " " + change->words + "\n");
        return 0;
      }
      const bool again = outcome.refusal && outcome.refusal->reason == "Conflict" && attempt < attempts;
      if (!again) return fail(outcome.text());
      if (const int status = look_again(); status != 0) return status;
    }
  }

 private:
  std::string name() const { return text_at(service_.object, {"metadata", "name"}); }
  std::string namespace_name() const { return text_at(service_.object, {"metadata", "namespace"}); }
  std::string title() const { return service_.type.full_name() + "/" + name(); }

  RolloutWish wish() const {
    const auto now = std::chrono::floor<std::chrono::seconds>(system_clock().wall());
    std::string text = log_timestamp(now);
    text.replace(text.find('.'), std::string::npos, "Z");
    return {flags_.action, flags_.percent, flags_.canary, flags_.to_revision, std::move(text)};
  }

  // In the place of the object that was looked at: its resourceVersion must still be the current one.
  ApiOutcome write(const Json& object) {
    ApiRequest request;
    request.method = "PUT";
    request.path = service_.type.path(namespace_name(), name()) + "?fieldManager=jackdaw";
    request.content_type = "application/json";
    request.body = object.dump();
    return session_.client.call(request);
  }

  int look_again() {
    ApiOutcome outcome = session_.client.get(service_.type.path(namespace_name(), name()));
    if (!outcome.ok()) return fail(outcome.text());
    service_.object = std::move(outcome.answer.body);
    return 0;
  }

  const RolloutFlags& flags_;
  Session& session_;
  FoundService service_;
};

}  // namespace

int rollout(const RolloutFlags& flags) {
  const auto timeout = parse_duration(flags.timeout);
  if (!timeout) {
    fail("error: --timeout: " + timeout.error().text());
    return 2;
  }
  auto session = Session::open(flags.target);
  if (!session) return fail("error: " + session.error().text());
  auto service = find_service(*session, flags.service);
  if (!service) return fail("error: " + service.error().text());
  Rollout rollout(flags, *session, std::move(*service));
  if (flags.action == "status") return rollout.status(!flags.no_wait, system_clock().now() + *timeout);
  if (flags.action == "history") return rollout.history();
  return rollout.change();
}

}  // namespace jackdaw::app
