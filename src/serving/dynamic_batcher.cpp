#include "src/serving/dynamic_batcher.h"

#include <algorithm>
#include <utility>

#include "src/serving/collecting_batcher.h"
#include "src/serving/joined_request.h"

namespace jackdaw::serving {
namespace {

Error timeout_expired() {
  return make_error(Code::not_ready, "Request timeout expired");
}

}  // namespace

DynamicBatcher::DynamicBatcher(BatcherOptions options, BatcherContext context)
    : options_(std::move(options)), run_(std::move(context)), queue_(options_) {}

Waiting DynamicBatcher::waiting_for(BatchItem item) {
  Waiting waiting;
  const auto rows = joinable_rows(*item.request);
  waiting.joinable = rows.has_value();
  waiting.rows = rows.value_or(1);
  waiting.since = run_.now();
  Duration timeout = options_.queue_timeout;
  if (item.timeout > Duration{0} && (timeout <= Duration{0} || item.timeout < timeout)) timeout = item.timeout;
  if (timeout > Duration{0}) waiting.expires = waiting.since + timeout;
  waiting.item = std::move(item);
  return waiting;
}

std::uint64_t DynamicBatcher::submit(BatchItem item) {
  run_.count_in();
  Executor* const here = item.executor;
  const std::uint32_t priority = item.priority;
  Waiting waiting = waiting_for(std::move(item));
  std::unique_lock lock(mutex_);
  if (queue_.size() >= options_.queue_max) {
    lock.unlock();
    run_.refuse(std::move(waiting), make_error(Code::not_ready, "Exceeds maximum queue size"), here);
    return 0;
  }
  const std::uint64_t ticket = waiting.ticket = ++ticket_last_;
  queue_.push(std::move(waiting), priority);
  lock.unlock();
  pump(here, true);
  return ticket;
}

std::optional<RequestQueue::Batch> DynamicBatcher::next_batch(Instant now) {
  if (running_ >= options_.instances) return std::nullopt;
  auto batch = queue_.next(now, draining_ ? Duration{0} : options_.max_delay);
  if (batch) ++running_;
  return batch;
}

void DynamicBatcher::pump(Executor* here, bool inline_here) {
  for (;;) {
    std::unique_lock lock(mutex_);
    const Instant now = run_.now();
    std::vector<Waiting> expired = queue_.expire(now);
    auto batch = next_batch(now);
    if (!batch) wake_later(here);
    lock.unlock();
    for (Waiting& waiting : expired) run_.refuse(std::move(waiting), timeout_expired(), here);
    if (!batch) return;
    start(std::move(*batch), here, inline_here);
    // One batch is this caller's share; the others run where they came from.
    inline_here = false;
  }
}

void DynamicBatcher::start(RequestQueue::Batch batch, Executor* here, bool inline_here) {
  run_.metrics().count(batch.reason, batch.requests);
  run_.start(std::move(batch.requests), {}, here, inline_here, shared_from_this(),
             [this](Executor* there) { finished(there); });
}

void DynamicBatcher::finished(Executor* here) {
  {
    const std::lock_guard lock(mutex_);
    --running_;
    if (queue_.empty()) return;
  }
  pump(here, false);
}

void DynamicBatcher::wake_later(Executor* here) {
  if (queue_.empty()) return;
  // While every instance is busy only the requests' own deadlines matter: the next batch starts when one is done.
  const bool busy = running_ >= options_.instances;
  const Instant deadline = busy ? queue_.expires_at() : std::min(queue_.due_at(), queue_.expires_at());
  if (deadline >= timer_at_) return;
  timer_at_ = deadline;
  if (here != nullptr) return set_timer(deadline, *here);
  Executor& executor = queue_.first_executor();
  executor.post([self = shared_from_this(), deadline, &executor] { self->set_timer(deadline, executor); });
}

void DynamicBatcher::set_timer(Instant deadline, Executor& executor) {
  executor.at(deadline, [weak = weak_from_this(), deadline, &executor] {
    const auto self = weak.lock();
    if (self == nullptr) return;
    {
      const std::lock_guard lock(self->mutex_);
      if (self->timer_at_ == deadline) self->timer_at_ = Instant::max();
    }
    self->pump(&executor, true);
  });
}

void DynamicBatcher::cancel(std::uint64_t ticket) {
  std::unique_lock lock(mutex_);
  auto gone = queue_.remove(ticket);
  lock.unlock();
  if (gone) run_.cancelled(std::move(*gone));
}

void DynamicBatcher::drain() {
  {
    const std::lock_guard lock(mutex_);
    draining_ = true;
  }
  pump(nullptr, false);
}

std::shared_ptr<Batcher> make_batcher(BatcherOptions options, BatcherContext context) {
  if (options.rule == BatchRule::collect) {
    return std::make_shared<CollectingBatcher>(std::move(options), std::move(context));
  }
  return std::make_shared<DynamicBatcher>(std::move(options), std::move(context));
}

}  // namespace jackdaw::serving
