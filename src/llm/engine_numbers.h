// EngineNumbers: what tells the engines of one model apart in metrics (label engine="0", "1", ..., as vLLM counts its
// own). Thread-safe.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

namespace jackdaw::llm {

class EngineNumbers : public std::enable_shared_from_this<EngineNumbers> {
 public:
  // The lowest number that no engine of the model has. It is free again when the last copy of the pointer goes.
  std::shared_ptr<const std::string> take(const std::string& model);

 private:
  void give_back(const std::string& model, std::size_t number);

  std::mutex mutex_;
  std::map<std::string, std::set<std::size_t>> taken_;  // by model
};

}  // namespace jackdaw::llm
