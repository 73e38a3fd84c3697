#include "src/llm/engine_numbers.h"

namespace jackdaw::llm {

std::shared_ptr<const std::string> EngineNumbers::take(const std::string& model) {
  std::size_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    std::set<std::size_t>& taken = taken_[model];
    while (taken.contains(number)) ++number;
    taken.insert(number);
  }
  return {new std::string(std::to_string(number)), [self = shared_from_this(), model, number](const std::string* text) {
            delete text;
            self->give_back(model, number);
          }};
}

void EngineNumbers::give_back(const std::string& model, std::size_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = taken_.find(model);
  found->second.erase(number);
  if (found->second.empty()) taken_.erase(found);
}

}  // namespace jackdaw::llm
