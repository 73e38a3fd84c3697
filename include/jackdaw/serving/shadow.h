// Shadow: copies of predictions to a revision that answers nobody, to see what it would have answered.
//
// Has a thread of its own with the lowest priority and a short queue: a copy that finds it full is dropped and counted,
// and no answer ever waits for one. Thread-safe. What models answered is compared, not how it was rendered.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/engine/engine.h"
#include "jackdaw/serving/registry.h"
#include "jackdaw/serving/worker_pool.h"

namespace jackdaw::serving {

// How two answers to one request differ; equal when `words` is empty.
struct AnswerDifference {
  std::string words;          // "output-0 differs in 1 of 2 elements"
  double max_difference = 0;  // of the numbers, also where they count as equal
};

// Numbers are equal within 1e-6 + 1e-5 of the larger one, NaN equals NaN; everything else is equal or not.
AnswerDifference compare_answers(const std::vector<engine::Tensor>& given, const std::vector<engine::Tensor>& shadow);

struct ShadowRequest {
  ServedModelPtr revision;  // that answered; its `shadow` gets the copy
  std::shared_ptr<const engine::InferenceRequest> request;
  std::vector<engine::Tensor> outputs;  // what was answered
  std::string id;                       // of the request, for the log
};

class Shadow {
 public:
  Shadow(MetricsRegistry& metrics, Clock& clock, std::size_t queue_max = 64);
  ~Shadow();

  // Whether this request's copy is to be made: the revision has a shadow, the draw falls on it, and there is room.
  // A copy without room is counted as dropped.
  bool wants(const ServedModel& revision, Random& random);
  void compare(ShadowRequest request);

 private:
  struct Counts;
  Counts counts_of(const ServedModel& revision);
  void run(const ShadowRequest& request);
  void say(const ShadowRequest& request, std::string_view what, const std::string& words);

  MetricsRegistry& metrics_;
  Clock& clock_;
  const std::size_t queue_max_;
  std::atomic<std::int64_t> next_log_ns_{0};  // at most one difference a second is logged
  WorkerPool pool_;                           // last: its thread uses everything above
};

}  // namespace jackdaw::serving
