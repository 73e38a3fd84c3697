#include "src/serving/request_queue.h"

#include <algorithm>
#include <utility>

#include "src/serving/joined_request.h"

namespace jackdaw::serving {
namespace {

std::size_t largest_preferred(const BatcherOptions& options) {
  const auto& sizes = options.preferred_sizes;
  return sizes.empty() ? options.max_batch_size : *std::max_element(sizes.begin(), sizes.end());
}

bool contains(const std::vector<std::size_t>& sizes, std::size_t size) {
  return std::find(sizes.begin(), sizes.end(), size) != sizes.end();
}

}  // namespace

RequestQueue::RequestQueue(const BatcherOptions& options)
    : options_(options), preferred_max_(largest_preferred(options)), levels_(options.priority_levels + 1) {}

void RequestQueue::push(Waiting waiting, std::uint32_t priority) {
  if (priority == 0 || priority > options_.priority_levels) priority = options_.default_priority;
  closest_expiry_ = std::min(closest_expiry_, waiting.expires);
  levels_[priority - 1].push_back(std::move(waiting));
  ++size_;
}

std::optional<Waiting> RequestQueue::remove(std::uint64_t ticket) {
  for (Level& level : levels_) {
    const auto at = std::find_if(level.begin(), level.end(), [&](const Waiting& w) { return w.ticket == ticket; });
    if (at == level.end()) continue;
    Waiting found = std::move(*at);
    level.erase(at);
    --size_;
    return found;
  }
  return std::nullopt;
}

std::vector<Waiting> RequestQueue::expire(Instant now) {
  std::vector<Waiting> expired;
  if (now < closest_expiry_) return expired;
  closest_expiry_ = Instant::max();
  for (Level& level : levels_) {
    Level kept;
    for (Waiting& waiting : level) {
      if (waiting.expires <= now) {
        expired.push_back(std::move(waiting));
      } else {
        closest_expiry_ = std::min(closest_expiry_, waiting.expires);
        kept.push_back(std::move(waiting));
      }
    }
    level = std::move(kept);
  }
  size_ -= expired.size();
  if (options_.timeout_action == TimeoutAction::reject) return expired;
  for (Waiting& waiting : expired) {
    waiting.expires = Instant::max();
    levels_.back().push_back(std::move(waiting));
  }
  size_ += expired.size();
  return {};
}

void RequestQueue::look_at(Scan& scan, const Waiting& waiting, const Waiting& first) const {
  if (scan.count > 0 && (!waiting.joinable || !same_signature(*first.item.request, *waiting.item.request))) {
    scan.closed = FlushReason::shape;
    return;
  }
  // A request larger than a batch runs alone.
  if (scan.count > 0 && scan.rows + waiting.rows > options_.max_batch_size) {
    scan.closed = FlushReason::full;
    return;
  }
  ++scan.count;
  scan.rows += waiting.rows;
  scan.oldest = std::min(scan.oldest, waiting.since);
  if (contains(options_.preferred_sizes, scan.rows)) scan.preferred_count = scan.count;
  if (scan.rows >= options_.max_batch_size) scan.closed = FlushReason::full;
  if (!waiting.joinable) scan.closed = FlushReason::alone;
}

RequestQueue::Scan RequestQueue::scan() const {
  Scan scan;
  const Waiting* first = nullptr;
  for (const Level& level : levels_) {
    for (const Waiting& waiting : level) {
      if (first == nullptr) first = &waiting;
      look_at(scan, waiting, *first);
      if (scan.closed != FlushReason::idle) return scan;
    }
  }
  return scan;
}

std::vector<Waiting> RequestQueue::take(std::size_t count) {
  std::vector<Waiting> out;
  out.reserve(count);
  for (Level& level : levels_) {
    while (out.size() < count && !level.empty()) {
      out.push_back(std::move(level.front()));
      level.pop_front();
    }
  }
  size_ -= out.size();
  return out;
}

std::optional<RequestQueue::Batch> RequestQueue::next(Instant now, Duration max_delay) {
  grow_until_ = Instant::max();
  if (empty()) return std::nullopt;
  const Scan found = scan();
  const bool waits = max_delay > Duration{0};
  const bool delay_over = waits && now >= found.oldest + max_delay;
  if (found.preferred_count > 0 && !delay_over) return Batch{take(found.preferred_count), FlushReason::preferred};
  if (found.closed != FlushReason::idle) return Batch{take(found.count), found.closed};
  if (found.rows >= preferred_max_) return Batch{take(found.count), FlushReason::full};
  if (delay_over) return Batch{take(found.count), FlushReason::delay};
  if (!waits) return Batch{take(found.count), FlushReason::idle};
  grow_until_ = found.oldest + max_delay;
  return std::nullopt;
}

Executor& RequestQueue::first_executor() const {
  const auto level = std::find_if(levels_.begin(), levels_.end(), [](const Level& l) { return !l.empty(); });
  return *level->front().item.executor;
}

}  // namespace jackdaw::serving
