#include "src/llm/llm_engine.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "jackdaw/base/log.h"
#include "src/llm/request_check.h"

namespace jackdaw::llm {

using engine::InferenceRequest;

LlmEngine::LlmEngine(EngineParts parts, std::shared_ptr<const engine::PromptCodec> codec,
                     std::shared_ptr<const void> keep_alive)
    : model_name_(parts.model_name),
      limits_(parts.limits),
      resident_bytes_(parts.executable->memory().total()),
      clock_(*parts.clock),
      keep_alive_(std::move(keep_alive)),
      codec_(std::move(codec)),
      core_(std::move(parts)),
      mailbox_(limits_.max_num_seqs, limits_.queue_max) {
  metadata_.platform = "llm";
  metadata_.inputs = {{"text_input", DType::bytes, {-1}}};
  metadata_.outputs = {{"text_output", DType::bytes, {-1}}};
  thread_ = std::thread([this] { run(); });
  // Linux cuts names at 15 characters.
  pthread_setname_np(thread_.native_handle(), ("engine-" + model_name_).substr(0, 15).c_str());
}

LlmEngine::~LlmEngine() {
  mailbox_.stop();
  thread_.join();
}

// ---- callers' threads ---------------------------------------------------------------------------------------------

Result<void> LlmEngine::check(const InferenceRequest& request) const {
  if (!healthy_.load(std::memory_order_acquire)) {
    return make_error(Code::not_ready, "Model {} has failed and must be loaded again.", model_name_);
  }
  if (request.verb != engine::Verb::generate || !request.generate) {
    return make_error(Code::unsupported, "Model {} generates text; it can do nothing else.", model_name_);
  }
  if (clock_.now() > request.deadline) {
    return make_error(Code::deadline_exceeded, "The request was too late when it came.");
  }
  return check_request(*request.generate, limits_);
}

void LlmEngine::submit(std::shared_ptr<const InferenceRequest> request,
                       std::shared_ptr<engine::ResponseStream> stream) {
  if (Result<void> checked = check(*request); !checked) {
    refused_.fetch_add(1, std::memory_order_relaxed);
    return stream->error(std::move(checked).error());
  }
  const Mailbox::Push pushed = mailbox_.push({std::move(request), stream, clock_.now()});
  if (pushed == Mailbox::Push::taken) return;
  refused_.fetch_add(1, std::memory_order_relaxed);
  if (pushed == Mailbox::Push::closed) {
    return stream->error(make_error(Code::not_ready, "Model {} is being shut down.", model_name_));
  }
  const engine::EngineStats now = stats();
  stream->error(make_error(
      Code::resource_exhausted, "Model {} has {} requests running and {} waiting; try again in about {} seconds.",
      model_name_, now.running, now.waiting, std::chrono::ceil<std::chrono::seconds>(now.estimated_wait).count()));
}

Result<std::vector<engine::Tensor>> LlmEngine::predict(const InferenceRequest&) {
  return make_error(Code::unsupported, "Model {} generates text: use the OpenAI endpoints.", model_name_);
}

std::uint64_t LlmEngine::estimate_ns(const InferenceRequest&) const {
  return 1'000'000'000;
}

Duration LlmEngine::estimated_wait(const CoreState& state, std::uint32_t queued) const {
  if (queued == 0 && state.running < limits_.max_num_seqs) return Duration{0};
  const double each = state.seconds_per_request > 0 ? state.seconds_per_request : 1.0;
  const double seconds = std::min(each * (static_cast<double>(queued) + 1.0), 3600.0);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

engine::EngineStats LlmEngine::stats() const {
  const CoreState state = mailbox_.state();
  engine::EngineStats stats;
  stats.requests = mailbox_.requests() + refused_.load(std::memory_order_relaxed);
  stats.failures = state.failed + refused_.load(std::memory_order_relaxed);
  stats.in_flight = mailbox_.in_flight();
  stats.resident_bytes = resident_bytes_;
  stats.running = state.running;
  stats.waiting = mailbox_.queued();
  stats.requests_max = limits_.max_num_seqs + limits_.queue_max;
  stats.kv_cache_usage = state.kv_cache_usage;
  stats.estimated_wait = estimated_wait(state, stats.waiting);
  stats.healthy = healthy_.load(std::memory_order_acquire);
  return stats;
}

void LlmEngine::drain(Instant deadline) {
  mailbox_.close();
  if (mailbox_.wait_idle(deadline)) return;
  mailbox_.ask_abort();
  mailbox_.wait_idle(Instant::max());
}

// ---- the engine thread --------------------------------------------------------------------------------------------

// One round: take mail, obey, step. False when it is time to end.
bool LlmEngine::turn(std::vector<Arrival>& arrivals) {
  const Mailbox::Orders orders = mailbox_.take(arrivals, core_.idle());
  for (Arrival& arrival : arrivals) core_.add(std::move(arrival));
  if (orders.stop || orders.abort) {
    core_.abort_all(make_error(Code::not_ready, "Model {} is being shut down.", model_name_));
  }
  core_.step();
  if (core_.broken()) {
    if (healthy_.exchange(false)) {
      log_error("the device failed; the model answers no more",
                {{"model", model_name_}, {"error", core_.broken()->text()}});
    }
    core_.fail_all(*core_.broken());
  }
  mailbox_.report(core_.state(), core_.idle());
  return !orders.stop;
}

void LlmEngine::serve() {
  std::vector<Arrival> arrivals;
  while (turn(arrivals)) {
  }
}

void LlmEngine::run() {
  std::string reason;
  try {
    return serve();
  } catch (const std::bad_alloc&) {
    reason = "There is not enough memory to go on.";
  } catch (const std::exception& thrown) {
    reason = fmt::format("Internal error: {}.", thrown.what());
  }
  healthy_.store(false, std::memory_order_release);
  log_error("the engine thread failed; the model answers no more", {{"model", model_name_}, {"error", reason}});
  mailbox_.close();
  core_.fail_all(Error{Code::internal, reason, {}});
  std::vector<Arrival> late;
  mailbox_.take(late, false);
  for (Arrival& arrival : late) arrival.stream->error(Error{Code::internal, reason, {}});
  mailbox_.report(core_.state(), true);
}

}  // namespace jackdaw::llm
