#include "src/control/strands.h"

#include <utility>

#include "jackdaw/base/guarded.h"

namespace jackdaw::control {
namespace {

constexpr std::size_t quick_threads = 2;

// False also when there is no memory to post it.
template <typename Work>
bool post_to(serving::WorkerPool& pool, Work&& work) {
  bool posted = false;
  guarded("posting work", [&] { posted = pool.post(std::forward<Work>(work)); });
  return posted;
}

}  // namespace

Strands::Strands() : quick_("work", quick_threads, waiting_max), slow_("work-slow", 1, waiting_max) {}

Strands::~Strands() {
  ending_ = true;
}

bool Strands::post(const std::string& key, Lane lane, std::function<void()> work) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (waiting_ >= waiting_max) return false;
    ++waiting_;
    std::deque<Task>& strand = strands_[key];
    strand.push_back({lane, std::move(work)});
    first = strand.size() == 1;
  }
  if (!first || post_to(pool(lane), [this, key] { run(key); })) return true;
  Task dropped;
  take(key, dropped);
  return false;
}

// Takes the first of the strand away; true when there is another, whose lane `task` then says.
bool Strands::take(const std::string& key, Task& task) {
  const std::lock_guard lock(mutex_);
  const auto at = strands_.find(key);
  --waiting_;
  at->second.pop_front();
  if (at->second.empty()) {
    strands_.erase(at);
    return false;
  }
  task.lane = at->second.front().lane;
  return true;
}

void Strands::run(const std::string& key) {
  for (;;) {
    Task task;
    {
      const std::lock_guard lock(mutex_);
      task.work = std::move(strands_.find(key)->second.front().work);
    }
    // What goes wrong in one piece of work must not stop those behind it.
    if (!ending_) guarded("work", task.work);
    if (!take(key, task)) return;
    // A pool that ends takes nothing more: what is left runs here.
    if (post_to(pool(task.lane), [this, key] { run(key); })) return;
  }
}

}  // namespace jackdaw::control
