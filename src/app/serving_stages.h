// The stages that a service declares around its model, built: batcher, response cache, warm-up, payload logger.
#pragma once

#include <cstdint>
#include <string>

#include "jackdaw/base/env.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/control/model_control.h"
#include "jackdaw/serving/event_sender.h"
#include "jackdaw/serving/transformer.h"
#include "jackdaw/serving/worker_pool.h"
#include "jackdaw/spec/inference_service.h"

namespace jackdaw::app {

// All of it outlives the models.
struct StageContext {
  serving::WorkerPool* cpu_pool = nullptr;
  MetricsRegistry* metrics = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  serving::EventSender* event_sender = nullptr;
  serving::Transformers* transformers = nullptr;
  std::uint64_t inline_ns_max = 0;  // larger batches run on the cpu pool
};

// Sets model.prepare and model.logger. `metadata` is the service's; files named in the stages are relative to
// `base_dir`.
void add_stages(control::DeclaredModel& model, const spec::ServingStages& stages, const spec::ObjectMeta& metadata,
                const std::string& base_dir, const StageContext& context);

}  // namespace jackdaw::app
