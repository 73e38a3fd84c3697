#include "src/api/oip/predict_call.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "jackdaw/base/text.h"
#include "jackdaw/serving/batcher.h"
#include "jackdaw/serving/response_cache.h"
#include "jackdaw/serving/router.h"
#include "src/api/access/admit.h"
#include "src/api/gate_call.h"

namespace jackdaw::api::oip {
namespace {

using serving::Dialect;
using serving::ModelState;

std::string error_body(std::string_view message) {
  std::string body = R"({"error":)";
  append_json_string(body, message);
  return body + "}";
}

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

void count_success(serving::ModelMetrics& metrics, const engine::InferenceRequest& request, const Timings& t,
                   Instant answered, std::size_t executions) {
  Histogram& engine_seconds = request.verb == engine::Verb::explain ? metrics.explain_seconds : metrics.predict_seconds;
  metrics.preprocess_seconds.observe(seconds_between(t.received, t.parsed));
  engine_seconds.observe(seconds_between(t.started, t.finished));
  metrics.postprocess_seconds.observe(seconds_between(t.finished, answered));
  metrics.request_success.add();
  metrics.exec_count.add(static_cast<double>(executions));
  metrics.inference_count.add(static_cast<double>(rows_of(request)));
  metrics.request_duration_us.add(seconds_between(t.received, answered) * 1e6);
  metrics.queue_duration_us.add(seconds_between(t.parsed, t.started) * 1e6);
  metrics.compute_input_duration_us.add(seconds_between(t.received, t.parsed) * 1e6);
  metrics.compute_infer_duration_us.add(seconds_between(t.started, t.finished) * 1e6);
  metrics.compute_output_duration_us.add(seconds_between(t.finished, answered) * 1e6);
}

// One call from its parsed request to its answer.
struct Prediction {
  Call call;
  Found found;
  std::shared_ptr<const engine::InferenceRequest> request;
  Render render;
  Timings timings;
  serving::CacheKey key;       // with a cache
  std::size_t executions = 1;  // calls of the engine it stands for
  bool answered = false;

  // The cache and the batcher are for predictions alone.
  bool explains() const { return request->verb == engine::Verb::explain; }
  Instant now() const { return call.api->context.clock->now(); }
  serving::ModelMetrics& metrics() const { return *found.version->metrics; }
};

void answer_failure(Prediction& p, const Error& error) {
  p.metrics().request_failure.add();
  const int status = http_status(error.code);
  if (p.found.batch_shape) return answer_batch_failure(p.call, status, error_body(error.text()));
  answer_error(p.call, status, error.text());
}

// What was answered, when a shadow is to answer it too.
std::optional<std::vector<engine::Tensor>> copy_for_shadow(const Call& call, const Found& found,
                                                           const std::vector<engine::Tensor>& outputs) {
  const ApiContext& context = call.api->context;
  if (context.shadow == nullptr || !context.shadow->wants(*found.model, *context.random)) return std::nullopt;
  return outputs;
}

std::string shadow_id(const Call& call, const engine::InferenceRequest& request) {
  const auto header = call.request().header("x-request-id");
  return header && !header->empty() ? std::string(*header) : request.id;
}

// Io thread: the engine has answered.
void finish(Prediction& p, Result<std::vector<engine::Tensor>> outcome) {
  if (!outcome) {
    p.call.refused = true;
    return answer_failure(p, outcome.error());
  }
  if (p.found.version->cache != nullptr && !p.explains()) p.found.version->cache->insert(std::move(p.key), *outcome);
  auto copy = p.explains() ? std::nullopt : copy_for_shadow(p.call, p.found, *outcome);
  p.render(p.call, p.found, std::move(*outcome));
  count_success(p.metrics(), *p.request, p.timings, p.now(), p.executions);
  if (!copy) return;
  p.call.api->context.shadow->compare({p.found.model, p.request, std::move(*copy), shadow_id(p.call, *p.request)});
}

// Triton counts requests that the cache answered as successes, and no inferences or executions for them.
bool answered_from_cache(Prediction& p) {
  serving::ResponseCache* const cache = p.found.version->cache.get();
  if (cache == nullptr || p.explains()) return false;
  p.key = cache->key_of(*p.request);
  const auto hit = cache->find(p.key);
  if (hit == nullptr) return false;
  if (p.found.batch_shape) p.found.batch_id = make_uuid(*p.call.api->context.random);
  p.render(p.call, p.found, *hit);
  p.metrics().request_success.add();
  p.metrics().request_duration_us.add(seconds_between(p.timings.received, p.now()) * 1e6);
  return true;
}

void predict_in_batch(std::shared_ptr<Prediction> p, const QueueWish& wish) {
  serving::BatchItem item;
  item.request = p->request;
  item.executor = &p->call.exchange->executor();
  item.priority = wish.priority;
  item.timeout = wish.timeout;
  item.done = [p](serving::BatchAnswer answer) {
    p->answered = true;
    p->metrics().pending_requests.add(-1);
    p->timings.started = answer.started;
    p->timings.finished = answer.finished;
    p->found.batch_id = std::move(answer.batch_id);
    p->executions = answer.executions;
    finish(*p, std::move(answer.outputs));
  };
  p->metrics().pending_requests.add(1);
  serving::Batcher& batcher = *p->found.version->batcher;
  const std::uint64_t ticket = batcher.submit(std::move(item));
  if (ticket == 0 || p->answered) return;
  // The prediction holds the version, and so the batcher, for as long as it waits.
  p->call.exchange->on_disconnect([weak = std::weak_ptr(p), ticket] {
    if (const auto waiting = weak.lock()) waiting->found.version->batcher->cancel(ticket);
  });
}

void predict_on_pool(std::shared_ptr<Prediction> p) {
  p->metrics().pending_requests.add(1);
  Executor& executor = p->call.exchange->executor();
  auto work = [p, &executor]() mutable {
    p->timings.started = p->now();
    p->metrics().pending_requests.add(-1);
    auto outcome =
        std::make_shared<Result<std::vector<engine::Tensor>>>(p->found.version->engine->predict(*p->request));
    p->timings.finished = p->now();
    executor.post([p = std::move(p), outcome] { finish(*p, std::move(*outcome)); });
  };
  if (p->call.api->context.cpu_pool->post(std::move(work))) return;
  p->metrics().pending_requests.add(-1);
  answer_failure(*p, make_error(Code::not_ready, "The prediction queue is full; try again later."));
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
  const serving::ServedModelPtr model = model_named(call, snapshot, name);
  const bool known = model != nullptr && !model->unloaded;
  if (dialect_of(snapshot, model.get()) == Dialect::mlserver) {
    const std::string with_version = version.empty() ? "" : " with version " + version;
    answer_error(call, 404, "Model " + name + with_version + " not found");
  } else if (known) {
    answer_error(call, 404, "Model with name " + name + " has no version " + version + ".");
  } else {
    answer_error(call, 404, "Model with name " + name + " does not exist.");
  }
}

std::string model_names(const Call& call, const serving::RegistrySnapshot& snapshot) {
  std::string out = R"({"models":[)";
  bool first = true;
  for (const auto& model : snapshot.models()) {
    if (model->unloaded || !may_use(call, model->name, model->namespace_name)) continue;
    if (!std::exchange(first, false)) out += ',';
    append_json_string(out, model->name);
  }
  return out + "]}";
}

serving::ServedModelPtr model_named(const Call& call, const serving::RegistrySnapshot& snapshot,
                                    std::string_view name) {
  // Admit has looked too, but at an older snapshot: the one it found may have gone while the call was held.
  const serving::ServedModelPtr& model = snapshot.hold(name, call.host());
  const bool within =
      model != nullptr && (call.grant == nullptr || call.grant->covers_namespace(model->namespace_name));
  return within ? model : nullptr;
}

serving::ServedModelPtr route_call(Call& call, const serving::RegistrySnapshot& snapshot, std::string_view name) {
  const std::string_view host = call.host();
  const std::string_view session = call.request().header("x-session-id").value_or("");
  const serving::Gate* const gate = call.pass != nullptr ? call.pass->gate() : nullptr;
  call.revision = serving::route(model_named(call, snapshot, name), {host, session, gate}, *call.api->context.random);
  return call.revision;
}

namespace {

Found look_up(Call& call, const std::string& name, const std::string& version, bool even_failed_standby) {
  Found found;
  const serving::Registry& registry = *call.api->context.registry;
  const serving::ServedModelPtr model =
      call.revision != nullptr ? call.revision : route_call(call, *registry.snapshot(), name);
  const serving::ModelVersion* wanted = nullptr;
  if (model != nullptr && !model->unloaded) wanted = version.empty() ? model->latest() : model->version(version);
  if (wanted == nullptr) {
    answer_unknown_model(call, *registry.snapshot(), name, version);
    return found;
  }
  const bool standby = even_failed_standby && wanted->state == ModelState::standby;
  if (!serving::is_available(*wanted) && !standby) {
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

}  // namespace

Found find_available(Call& call, const std::string& name, const std::string& version) {
  return look_up(call, name, version, false);
}

Found find_ready(Call& call, const std::string& name, const std::string& version) {
  Found found = look_up(call, name, version, true);
  if (found.model == nullptr) return found;
  const Entry entry = enter(call, *found.model, [](const Call& refused, const Error& error) {
    answer_error(refused, http_status(error.code), error.text());
  });
  if (entry == Entry::later) return {};
  // The pass is younger than the look: whoever opened the gate had put the engine in place before.
  if (found.version->engine == nullptr) {
    call.revision = nullptr;
    found = look_up(call, name, version, false);
  }
  if (found.model != nullptr && found.version->engine == nullptr) {
    answer_error(call, 503, "Model with name " + name + " is not ready.");
    return {};
  }
  return found;
}

Found find_predictive(Call& call, const std::string& name, const std::string& version) {
  Found found = find_ready(call, name, version);
  if (found.model == nullptr || found.version->engine->codec() == nullptr) return found;
  answer_error(call, 400,
               "Model " + name +
                   " generates text and does not support predict. Use POST /v1/chat/completions or POST " +
                   "/v1/completions with \"model\": \"" + name + "\".");
  found.model = nullptr;
  return found;
}

void answer_batch_failure(const Call& call, int status, std::string_view message) {
  net::Response response;
  response.status = status;
  response.body = R"({"message":)";
  append_json_string(response.body, message);
  response.body += R"(,"batchId":"","predictions":null})";
  answer(call, std::move(response));
}

void predict(Call call, Found found, std::shared_ptr<const engine::InferenceRequest> request, Render render,
             QueueWish wish) {
  const Api& api = *call.api;
  Clock& clock = *api.context.clock;
  const Timings timings{call.request().received(), clock.now(), {}, {}};
  Prediction p{std::move(call), std::move(found), std::move(request), std::move(render), timings, {}, 1};
  if (answered_from_cache(p)) return;
  if (p.found.version->batcher != nullptr && !p.explains()) {
    return predict_in_batch(std::make_shared<Prediction>(std::move(p)), wish);
  }
  engine::Engine& engine = *p.found.version->engine;
  if (engine.estimate_ns(*p.request) > api.options.inline_ns_max) {
    return predict_on_pool(std::make_shared<Prediction>(std::move(p)));
  }
  p.timings.started = p.timings.parsed;
  auto outcome = engine.predict(*p.request);
  p.timings.finished = clock.now();
  finish(p, std::move(outcome));
}

}  // namespace jackdaw::api::oip
