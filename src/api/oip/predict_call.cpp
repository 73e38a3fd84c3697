#include "src/api/oip/predict_call.h"

#include <algorithm>
#include <utility>

#include "jackdaw/base/text.h"

namespace jackdaw::api::oip {
namespace {

using serving::Dialect;
using serving::ModelState;

double seconds_between(Instant from, Instant to) {
  return std::chrono::duration<double>(to - from).count();
}

struct Timings {
  Instant received;  // head read
  Instant parsed;    // request understood, about to run
  Instant started;   // engine begins (later than parsed when it waited for the pool)
  Instant finished;  // engine has answered
};

std::size_t rows_of(const engine::InferenceRequest& request) {
  if (request.inputs.empty() || request.inputs.front().shape.empty()) return 1;
  return static_cast<std::size_t>(std::max<std::int64_t>(request.inputs.front().shape.front(), 1));
}

void count_success(serving::ModelMetrics& metrics, const Timings& t, Instant answered, std::size_t rows) {
  metrics.preprocess_seconds.observe(seconds_between(t.received, t.parsed));
  metrics.predict_seconds.observe(seconds_between(t.started, t.finished));
  metrics.postprocess_seconds.observe(seconds_between(t.finished, answered));
  metrics.request_success.add();
  metrics.exec_count.add();
  metrics.inference_count.add(static_cast<double>(rows));
  metrics.request_duration_us.add(seconds_between(t.received, answered) * 1e6);
  metrics.queue_duration_us.add(seconds_between(t.parsed, t.started) * 1e6);
  metrics.compute_input_duration_us.add(seconds_between(t.received, t.parsed) * 1e6);
  metrics.compute_infer_duration_us.add(seconds_between(t.started, t.finished) * 1e6);
  metrics.compute_output_duration_us.add(seconds_between(t.finished, answered) * 1e6);
}

// Io thread: the engine has answered.
void finish(const Call& call, const Found& found, const engine::InferenceRequest& request, const Render& render,
            Result<std::vector<engine::Tensor>> outcome, Timings timings) {
  serving::ModelMetrics& metrics = *found.version->metrics;
  if (!outcome) {
    metrics.request_failure.add();
    answer_error(call, http_status(outcome.error().code), outcome.error().text());
    return;
  }
  render(call, found, std::move(*outcome));
  count_success(metrics, timings, call.api->context.clock->now(), rows_of(request));
}

}  // namespace

Dialect dialect_of(const serving::RegistrySnapshot& snapshot, const serving::ServedModel* model) {
  if (model != nullptr) return model->dialect;
  const auto& models = snapshot.models();
  const bool all_mlserver = !models.empty() && std::all_of(models.begin(), models.end(), [](const auto& m) {
    return m->dialect == Dialect::mlserver;
  });
  return all_mlserver ? Dialect::mlserver : Dialect::kserve;
}

void answer_unknown_model(const Call& call, const serving::RegistrySnapshot& snapshot, const std::string& name,
                          const std::string& version) {
  const serving::ServedModel* model = snapshot.find(name, call.request().header("host").value_or(""));
  const bool known = model != nullptr && !model->unloaded;
  if (dialect_of(snapshot, model) == Dialect::mlserver) {
    const std::string with_version = version.empty() ? "" : " with version " + version;
    answer_error(call, 404, "Model " + name + with_version + " not found");
  } else if (known) {
    answer_error(call, 404, "Model with name " + name + " has no version " + version + ".");
  } else {
    answer_error(call, 404, "Model with name " + name + " does not exist.");
  }
}

std::string model_names(const serving::RegistrySnapshot& snapshot) {
  std::string out = R"({"models":[)";
  bool first = true;
  for (const auto& model : snapshot.models()) {
    if (model->unloaded) continue;
    if (!std::exchange(first, false)) out += ',';
    append_json_string(out, model->name);
  }
  return out + "]}";
}

Found find_ready(const Call& call, const std::string& name, const std::string& version) {
  Found found{call.api->context.registry->snapshot(), nullptr, nullptr};
  const serving::ServedModel* model = found.snapshot->find(name, call.request().header("host").value_or(""));
  const serving::ModelVersion* wanted = nullptr;
  if (model != nullptr && !model->unloaded) wanted = version.empty() ? model->latest() : model->version(version);
  if (wanted == nullptr) {
    answer_unknown_model(call, *found.snapshot, name, version);
    return found;
  }
  if (wanted->state != ModelState::ready) {
    std::string message = "Model with name " + name + " is not ready.";
    if (!wanted->reason.empty()) message += " " + wanted->reason;
    // A model that cannot load is the operator's to mend: 503, as long as clients may come back later.
    answer_error(call, 503, message);
    return found;
  }
  found.model = model;
  found.version = wanted;
  return found;
}

Found find_predictive(const Call& call, const std::string& name, const std::string& version) {
  Found found = find_ready(call, name, version);
  if (found.model == nullptr || found.version->engine->codec() == nullptr) return found;
  answer_error(call, 400,
               "Model " + name + " generates text and does not support predict. Use POST /v1/chat/completions or POST " +
                   "/v1/completions with \"model\": \"" + name + "\".");
  found.model = nullptr;
  return found;
}

void predict(Call call, Found found, std::shared_ptr<const engine::InferenceRequest> request, Render render) {
  const Api& api = *call.api;
  Clock& clock = *api.context.clock;
  Timings timings{call.request().received(), clock.now(), {}, {}};
  engine::Engine& engine = *found.version->engine;
  if (engine.estimate_ns(*request) <= api.options.inline_ns_max) {
    timings.started = timings.parsed;
    auto outcome = engine.predict(*request);
    timings.finished = clock.now();
    finish(call, found, *request, render, std::move(outcome), timings);
    return;
  }
  auto metrics = found.version->metrics;
  metrics->pending_requests.add(1);
  Executor& executor = call.exchange->executor();
  auto work = [call, found, request, render, timings, metrics, &executor]() mutable {
    Clock& pool_clock = *call.api->context.clock;
    timings.started = pool_clock.now();
    metrics->pending_requests.add(-1);
    auto outcome = std::make_shared<Result<std::vector<engine::Tensor>>>(found.version->engine->predict(*request));
    timings.finished = pool_clock.now();
    executor.post([call = std::move(call), found = std::move(found), request = std::move(request),
                   render = std::move(render), timings,
                   outcome] { finish(call, found, *request, render, std::move(*outcome), timings); });
  };
  if (!api.context.cpu_pool->post(std::move(work))) {
    metrics->pending_requests.add(-1);
    metrics->request_failure.add();
    answer_error(call, 503, "The prediction queue is full; try again later.");
  }
}

}  // namespace jackdaw::api::oip
