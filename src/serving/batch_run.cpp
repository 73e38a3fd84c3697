#include "src/serving/batch_run.h"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "src/serving/joined_request.h"

namespace jackdaw::serving {
namespace {

using engine::InferenceRequest;
using engine::Tensor;

constexpr std::array<std::string_view, 2> labels{"model", "version"};
constexpr std::array<std::string_view, 3> reason_labels{"model", "version", "reason"};
constexpr std::array<double, 11> size_bounds{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};
constexpr std::array<std::string_view, 7> reasons{"idle", "full", "preferred", "delay", "shape", "alone", "drain"};

}  // namespace

BatchMetrics::BatchMetrics(MetricsRegistry& registry, std::string_view model, std::string_view version)
    : rows_(registry.histogram("jackdaw_batch_rows", "Rows of a batch when it ran", size_bounds, labels,
                               std::array<std::string_view, 2>{model, version})),
      requests_(registry.histogram("jackdaw_batch_requests", "Requests of a batch when it ran", size_bounds, labels,
                                   std::array<std::string_view, 2>{model, version})) {
  for (const std::string_view reason : reasons) {
    const std::array<std::string_view, 3> values{model, version, reason};
    reasons_.push_back(
        &registry.counter("jackdaw_batches_total", "Batches by what made them run", reason_labels, values));
  }
}

void BatchMetrics::count(FlushReason reason, const std::vector<Waiting>& batch) {
  std::size_t rows = 0;
  for (const Waiting& waiting : batch) rows += waiting.rows;
  reasons_[static_cast<std::size_t>(reason)]->add();
  requests_.observe(static_cast<double>(batch.size()));
  rows_.observe(static_cast<double>(rows));
}

BatchRun::BatchRun(BatcherContext context)
    : context_(std::move(context)), metrics_(*context_.metrics, context_.model, context_.version) {}

std::string BatchRun::new_batch_id() const {
  return make_uuid(*context_.random);
}

void BatchRun::answer(Waiting& waiting, BatchAnswer result, Executor* here) {
  in_flight_.fetch_sub(1, std::memory_order_relaxed);
  auto done = std::move(waiting.item.done);
  if (waiting.item.executor == here) return done(std::move(result));
  auto shared = std::make_shared<BatchAnswer>(std::move(result));
  waiting.item.executor->post([done = std::move(done), shared] { done(std::move(*shared)); });
}

void BatchRun::refuse(Waiting waiting, Error error, Executor* here) {
  const Instant at = now();
  answer(waiting, {std::move(error), {}, 0, at, at}, here);
}

void BatchRun::cancelled(Waiting waiting) {
  Executor* const here = waiting.item.executor;
  refuse(std::move(waiting), make_error(Code::cancelled, "The client closed the connection."), here);
}

bool BatchRun::is_small(const std::vector<Waiting>& batch) const {
  std::uint64_t ns = 0;
  for (const Waiting& waiting : batch) {
    ns += context_.engine->estimate_ns(*waiting.item.request);
    if (ns > context_.inline_ns_max) return false;
  }
  return true;
}

void BatchRun::start(std::vector<Waiting> batch, std::string batch_id, Executor* here, bool inline_here,
                     std::shared_ptr<const void> keep, std::function<void(Executor* here)> after) {
  const bool small = is_small(batch);
  if (small && here != nullptr && inline_here) {
    run(batch, batch_id, here);
    return after(here);
  }
  Executor* const home = batch.front().item.executor;
  const auto shared = std::make_shared<std::vector<Waiting>>(std::move(batch));
  const auto work = [this, shared, batch_id = std::move(batch_id), keep, after](Executor* there) {
    run(*shared, batch_id, there);
    after(there);
  };
  if (small) {
    home->post([work, home] { work(home); });
  } else if (!context_.pool([work] { work(nullptr); })) {
    home->post([this, shared, keep, after, home] {
      for (Waiting& waiting : *shared) {
        refuse(std::move(waiting), make_error(Code::not_ready, "The prediction queue is full; try again later."), home);
      }
      after(home);
    });
  }
}

void BatchRun::run(std::vector<Waiting>& batch, const std::string& batch_id, Executor* here) {
  const Instant started = now();
  Executed executed;
  try {
    executed = execute(batch);
  } catch (const std::exception&) {
    // Joining needs memory that the single requests did not.
    executed.outcomes.assign(batch.size(), make_error(Code::resource_exhausted, "There is not enough memory."));
  }
  const Instant finished = now();
  // The calls made are counted with the first answers, so that they add up.
  std::size_t calls = executed.calls;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    const std::size_t share = i + 1 == batch.size() ? calls : std::min<std::size_t>(calls, 1);
    calls -= share;
    answer(batch[i], {std::move(executed.outcomes[i]), batch_id, share, started, finished}, here);
  }
}

BatchRun::Executed BatchRun::execute(const std::vector<Waiting>& batch) const {
  Executed out;
  if (batch.size() > 1 && execute_joined(batch, out)) return out;
  for (const Waiting& waiting : batch) {
    out.outcomes.push_back(execute_one(waiting));
    ++out.calls;
  }
  return out;
}

Result<std::vector<Tensor>> BatchRun::execute_one(const Waiting& waiting) const {
  return context_.engine->predict(*waiting.item.request);
}

// False when the requests must run alone after all: the answer does not go by rows, or one of them spoilt it.
bool BatchRun::execute_joined(const std::vector<Waiting>& batch, Executed& out) const {
  std::vector<const InferenceRequest*> requests;
  std::size_t rows = 0;
  for (const Waiting& waiting : batch) {
    // One that is too late must get its own error.
    if (waiting.item.request->deadline <= now()) return false;
    requests.push_back(waiting.item.request.get());
    rows += waiting.rows;
  }
  const auto result = context_.engine->predict(joined(requests));
  ++out.calls;
  if (!result || !splits_by_rows(*result, rows)) return false;
  std::size_t first = 0;
  for (const Waiting& waiting : batch) {
    out.outcomes.emplace_back(rows_of(*result, first, waiting.rows));
    first += waiting.rows;
  }
  return true;
}

}  // namespace jackdaw::serving
