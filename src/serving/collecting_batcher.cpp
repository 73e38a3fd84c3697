#include "src/serving/collecting_batcher.h"

#include <algorithm>
#include <utility>

#include "src/serving/joined_request.h"

namespace jackdaw::serving {
namespace {

// A collection of more signatures than that is taken apart no further: what is left runs one by one.
constexpr std::size_t groups_max = 64;

// Requests of one signature side by side, in order of arrival.
std::vector<std::vector<Waiting>> by_signature(std::vector<Waiting> collection) {
  std::vector<std::vector<Waiting>> groups;
  for (Waiting& waiting : collection) {
    const std::size_t looked_at = std::min(groups.size(), groups_max);
    const auto end = groups.begin() + static_cast<std::ptrdiff_t>(looked_at);
    const auto found = std::find_if(groups.begin(), end, [&](const auto& group) {
      return same_signature(*group.front().item.request, *waiting.item.request);
    });
    if (found != end) {
      found->push_back(std::move(waiting));
    } else {
      groups.emplace_back().push_back(std::move(waiting));
    }
  }
  return groups;
}

}  // namespace

CollectingBatcher::CollectingBatcher(BatcherOptions options, BatcherContext context)
    : options_(std::move(options)), run_(std::move(context)) {}

CollectingBatcher::Collection CollectingBatcher::take() {
  rows_ = 0;
  return std::exchange(waiting_, {});
}

std::uint64_t CollectingBatcher::submit(BatchItem item) {
  run_.count_in();
  Executor& executor = *item.executor;
  Waiting waiting;
  const auto rows = joinable_rows(*item.request);
  waiting.item = std::move(item);
  if (!rows) {
    Collection alone;
    alone.push_back(std::move(waiting));
    run(std::move(alone), FlushReason::alone, &executor);
    return 0;
  }
  waiting.joinable = true;
  waiting.rows = *rows;
  waiting.since = run_.now();
  std::unique_lock lock(mutex_);
  const std::uint64_t ticket = waiting.ticket = ++ticket_last_;
  waiting_.push_back(std::move(waiting));
  rows_ += *rows;
  const bool full = rows_ >= options_.max_batch_size || waiting_.size() >= options_.queue_max;
  if (full || draining_ || options_.max_delay <= Duration{0}) {
    Collection collection = take();
    lock.unlock();
    run(std::move(collection), full ? FlushReason::full : FlushReason::drain, &executor);
    return 0;
  }
  if (!timer_armed_) arm(executor);
  return ticket;
}

void CollectingBatcher::arm(Executor& executor) {
  timer_armed_ = true;
  executor.at(waiting_.front().since + options_.max_delay, [weak = weak_from_this(), &executor] {
    if (const auto self = weak.lock()) self->on_timer(executor);
  });
}

// What the timer was set for may have run long ago; then it waits on for the oldest that is there now.
void CollectingBatcher::on_timer(Executor& executor) {
  std::unique_lock lock(mutex_);
  timer_armed_ = false;
  if (waiting_.empty()) return;
  if (run_.now() < waiting_.front().since + options_.max_delay) return arm(executor);
  Collection collection = take();
  lock.unlock();
  run(std::move(collection), FlushReason::delay, &executor);
}

void CollectingBatcher::run(Collection collection, FlushReason reason, Executor* here) {
  const std::string batch_id = run_.new_batch_id();
  for (std::vector<Waiting>& group : by_signature(std::move(collection))) {
    run_.metrics().count(reason, group);
    run_.start(std::move(group), batch_id, here, true, shared_from_this(), [](Executor*) {});
  }
}

void CollectingBatcher::cancel(std::uint64_t ticket) {
  std::unique_lock lock(mutex_);
  const auto at = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& w) { return w.ticket == ticket; });
  if (at == waiting_.end()) return;
  Waiting gone = std::move(*at);
  waiting_.erase(at);
  rows_ -= gone.rows;
  lock.unlock();
  run_.cancelled(std::move(gone));
}

void CollectingBatcher::drain() {
  std::unique_lock lock(mutex_);
  draining_ = true;
  Collection collection = take();
  lock.unlock();
  if (!collection.empty()) run(std::move(collection), FlushReason::drain, nullptr);
}

}  // namespace jackdaw::serving
