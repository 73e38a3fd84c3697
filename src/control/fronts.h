// Fronts: what the registry holds under each service's name: the revision that has been rolled out, with the shares of
// all that answer; or, while nobody does, the one that was put last, which says why.
//
// Thread-safe. Publishing takes no longer than copying a few names; engines that leave end elsewhere.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "jackdaw/control/model_control.h"
#include "jackdaw/serving/registry.h"

namespace jackdaw::control {

class Fronts {
 public:
  explicit Fronts(serving::Registry& registry) : registry_(registry) {}

  // How one revision is now: loading, ready, in standby, failed, unloaded. Only one without a name answers without
  // having been given a share.
  void put(serving::ServedModel revision);
  // As it was put last; null when it is not there.
  serving::ServedModelPtr find(const std::string& namespace_name, const std::string& service_name,
                               const std::string& revision) const;
  // Who answers from here on. Revisions that are not there have no share.
  void share(const std::string& namespace_name, const std::string& service_name, ServiceTraffic traffic);
  void remove(const std::string& namespace_name, const std::string& service_name, const std::string& revision);
  void remove(const std::string& namespace_name, const std::string& service_name);

 private:
  struct Service {
    std::map<std::string, serving::ServedModelPtr> revisions;
    ServiceTraffic traffic;
    serving::ServedModelPtr last;  // stands for the service while nobody answers
    std::string published;         // the name the registry has it under
  };

  static serving::ServedModel front_of(const Service& service);
  void publish(Service& service);
  // The service has the name no more; who else has published it has it alone.
  void give_back(const std::string& name, const std::string& namespace_name, const std::string& service_name);

  serving::Registry& registry_;
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Service> services_;  // by namespace and name
};

}  // namespace jackdaw::control
