#include "src/control/fronts.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace jackdaw::control {
namespace {

using serving::ServedModel;
using serving::ServedModelPtr;

bool answers(const ServedModel& model) {
  return !model.unloaded && model.latest() != nullptr && serving::is_available(*model.latest());
}

// What stands for a service that nobody answers for: not available, also where a request could wake it, since it has no
// share yet that would lead there.
ServedModel without_engines(ServedModel model) {
  for (serving::ModelVersion& version : model.versions) {
    version.engine.reset();
    if (serving::is_available(version)) version.state = serving::ModelState::loading;
  }
  return model;
}

}  // namespace

ServedModel Fronts::front_of(const Service& service) {
  std::vector<TrafficPart> shares = service.traffic.shares;
  if (shares.empty() && service.revisions.contains("")) shares.push_back({"", 100, ""});
  const auto shadow = service.revisions.find(service.traffic.shadow);
  auto traffic = std::make_shared<serving::Traffic>();
  for (const TrafficPart& part : shares) {
    const auto at = service.revisions.find(part.revision);
    if (at == service.revisions.end() || !answers(*at->second)) continue;
    ServedModel revision = *at->second;
    if (shadow != service.revisions.end() && shadow != at && !service.traffic.shadow.empty()) {
      revision.shadow = shadow->second;
      revision.shadow_percent = service.traffic.shadow_percent;
    }
    traffic->shares.push_back({std::make_shared<const ServedModel>(std::move(revision)), part.percent, part.tag});
  }
  if (traffic->shares.empty()) return without_engines(*service.last);
  ServedModel front = *traffic->shares.back().revision;
  if (traffic->shares.size() == 1 && traffic->shares.front().tag.empty()) return front;
  // A revision of another name is asked by that name too.
  for (const serving::TrafficShare& share : traffic->shares) {
    if (!front.answers_to(share.revision->name)) front.aliases.push_back(share.revision->name);
  }
  front.traffic = std::move(traffic);
  return front;
}

void Fronts::publish(Service& service) {
  ServedModel front = front_of(service);
  const std::string name = front.name;
  const std::string namespace_name = front.namespace_name;
  const std::string service_name = front.service_name;
  registry_.put(std::move(front));
  const std::string old = std::exchange(service.published, name);
  if (!old.empty() && old != name) give_back(old, namespace_name, service_name);
}

// A service that is given another's old name publishes it at once, while that one still answers to it.
void Fronts::give_back(const std::string& name, const std::string& namespace_name, const std::string& service_name) {
  if (!registry_.remove(name, namespace_name, service_name)) return;
  for (const auto& [key, other] : services_) {
    if (key.first == namespace_name && key.second != service_name && other.published == name) {
      registry_.put(front_of(other));
    }
  }
}

void Fronts::put(ServedModel revision) {
  auto added = std::make_shared<const ServedModel>(std::move(revision));
  ServedModelPtr old;
  const std::lock_guard lock(mutex_);
  Service& service = services_[{added->namespace_name, added->service_name}];
  old = std::exchange(service.revisions[added->revision], added);
  service.last = std::move(added);
  publish(service);
}

ServedModelPtr Fronts::find(const std::string& namespace_name, const std::string& service_name,
                            const std::string& revision) const {
  const std::lock_guard lock(mutex_);
  const auto at = services_.find({namespace_name, service_name});
  if (at == services_.end()) return nullptr;
  const auto found = at->second.revisions.find(revision);
  return found == at->second.revisions.end() ? nullptr : found->second;
}

void Fronts::share(const std::string& namespace_name, const std::string& service_name, ServiceTraffic traffic) {
  const std::lock_guard lock(mutex_);
  const auto at = services_.find({namespace_name, service_name});
  if (at == services_.end()) return;
  at->second.traffic = std::move(traffic);
  publish(at->second);
}

void Fronts::remove(const std::string& namespace_name, const std::string& service_name, const std::string& revision) {
  ServedModelPtr old;
  const std::lock_guard lock(mutex_);
  const auto at = services_.find({namespace_name, service_name});
  if (at == services_.end()) return;
  const auto found = at->second.revisions.find(revision);
  if (found == at->second.revisions.end()) return;
  old = std::move(found->second);
  at->second.revisions.erase(found);
  // It may stand for the service still, but not keep its engines.
  if (at->second.last == old) at->second.last = std::make_shared<const ServedModel>(without_engines(*old));
  publish(at->second);
}

void Fronts::remove(const std::string& namespace_name, const std::string& service_name) {
  Service old;
  const std::lock_guard lock(mutex_);
  const auto at = services_.find({namespace_name, service_name});
  if (at == services_.end()) return;
  old = std::move(at->second);
  services_.erase(at);
  if (!old.published.empty()) give_back(old.published, namespace_name, service_name);
}

}  // namespace jackdaw::control
