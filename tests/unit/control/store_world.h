// A store in a world of its own: a clock that tests move, randomness by seed, a table in memory that can fill up.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "jackdaw/control/resource_store.h"

namespace jackdaw::control {

class TestClock final : public Clock {
 public:
  WallTime wall_value{std::chrono::seconds(1'700'000'000)};
  Instant now() override { return Instant(wall_value.time_since_epoch()); }
  WallTime wall() override { return wall_value; }
};

class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : generator_(seed) {}
  std::uint64_t next() override { return generator_(); }

 private:
  std::mt19937_64 generator_;
};

// What a disk keeps. Outlives the tables on it, so that a store can be started again.
struct TestDisk {
  std::map<std::string, storage::ObjectRow> rows;
  std::uint64_t sequence = 0;
  std::atomic<bool> full{false};
};

class TestTable final : public storage::ObjectTable {
 public:
  explicit TestTable(TestDisk& disk) : disk_(disk) {}

  Result<std::vector<storage::ObjectRow>> rows() override {
    std::vector<storage::ObjectRow> out;
    for (const auto& [key, row] : disk_.rows) out.push_back(row);
    return out;
  }
  std::uint64_t sequence() const override { return disk_.sequence; }
  Result<void> write(std::span<const storage::ObjectChange> changes, std::uint64_t sequence) override {
    if (disk_.full) return make_error(Code::resource_exhausted, "the disk is full");
    for (const auto& change : changes) {
      if (change.erase) {
        disk_.rows.erase(change.key);
      } else {
        disk_.rows[change.key] = {change.key, change.value, change.version};
      }
    }
    disk_.sequence = sequence;
    return {};
  }

 private:
  TestDisk& disk_;
};

inline const ResourceKind isvc_kind{
    "serving.kserve.io", "inferenceservices", "inferenceservice", "InferenceService", {"isvc"}, {"v1beta1"}, true};
inline const ResourceKind llm_kind{"serving.kserve.io",
                                   "llminferenceservices",
                                   "llminferenceservice",
                                   "LLMInferenceService",
                                   {"llmisvc"},
                                   {"v1alpha2", "v1alpha1"},
                                   true};

struct StoreWorld {
  TestClock clock;
  SeededRandom random;
  TestDisk disk;
  ResourceStoreOptions options;
  std::unique_ptr<ResourceStore> store;

  explicit StoreWorld(std::uint64_t seed = 1) : random(seed) {
    options.kinds = {isvc_kind, llm_kind};
    options.clock = &clock;
    options.random = &random;
  }

  // Also starts again, with what the disk holds.
  ResourceStore& start() {
    store.reset();
    auto made = make_resource_store(std::make_unique<TestTable>(disk), options);
    store = std::move(*made);
    return *store;
  }
};

inline ResourceName named(std::string name, std::string namespace_name = "default") {
  return {"serving.kserve.io", "inferenceservices", std::move(namespace_name), std::move(name)};
}

inline spec::Json json(const std::string& text) {
  return *spec::read_json(text, "test");
}

// An InferenceService in short: its name and whatever is given as members of spec.
inline spec::Json service(const std::string& name, const std::string& spec = R"({"predictor":{"minReplicas":1}})") {
  return json(R"({"apiVersion":"serving.kserve.io/v1beta1","kind":"InferenceService","metadata":{"name":")" + name +
              R"("},"spec":)" + spec + "}");
}

inline std::string at(const spec::Json& object, std::initializer_list<std::string_view> path) {
  const spec::Json* found = object.find_path(path);
  return found == nullptr ? "(missing)" : found->is_text() ? std::string(found->as_text()) : found->dump();
}

}  // namespace jackdaw::control
