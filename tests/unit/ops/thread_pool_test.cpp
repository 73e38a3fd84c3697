#include "jackdaw/ops/thread_pool.h"

#include <sys/resource.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>
#include <vector>

namespace jackdaw::ops {
namespace {

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

TEST_CASE("RunsWorkOnceOnEveryWorker") {
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    REQUIRE(pool.size() == threads);
    std::vector<int> calls(static_cast<std::size_t>(threads), 0);
    for (int run = 0; run < 50; ++run) {
      pool.run([&](int worker, Team& team) {
        if (team.size() == threads) ++calls[static_cast<std::size_t>(worker)];
      });
    }
    for (const int count : calls) REQUIRE(count == 50);
  }
}

TEST_CASE("CallerIsWorkerZero") {
  ThreadPool pool(3);
  std::thread::id zero;
  pool.run([&](int worker, Team&) {
    if (worker == 0) zero = std::this_thread::get_id();
  });
  REQUIRE(zero == std::this_thread::get_id());
}

TEST_CASE("BarrierShowsWhatOthersWroteBefore") {
  for (const int threads : {2, 3, 5}) {
    ThreadPool pool(threads);
    const auto n = static_cast<std::size_t>(threads);
    std::vector<int> cells(n, 0);
    std::atomic<int> wrong{0};
    pool.run([&](int worker, Team& team) {
      const auto me = static_cast<std::size_t>(worker);
      for (int round = 1; round <= 500; ++round) {
        cells[me] = round;
        team.barrier();
        for (const int cell : cells) wrong += cell != round;
        team.barrier();
      }
    });
    REQUIRE(wrong == 0);
  }
}

TEST_CASE("BarrierWaitsForALateWorkerAsleep") {
  ThreadPool pool(2);
  std::atomic<bool> late{false};
  bool seen = false;
  pool.run([&](int worker, Team& team) {
    if (worker == 1) {
      std::this_thread::sleep_for(std::chrono::milliseconds(30));
      late = true;
    }
    team.barrier();
    if (worker == 0) seen = late;
  });
  REQUIRE(seen);
}

TEST_CASE("IdleWorkersSleep") {
  ThreadPool pool(4);
  pool.run([](int, Team& team) { team.barrier(); });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const double before = cpu_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  REQUIRE(cpu_seconds() - before < 0.05);
}

TEST_CASE("SecondCallerWaitsItsTurn") {
  ThreadPool pool(2);
  std::atomic<int> inside{0};
  std::atomic<int> overlaps{0};
  const auto call = [&] {
    for (int i = 0; i < 100; ++i) {
      pool.run([&](int worker, Team& team) {
        if (worker == 0 && inside.fetch_add(1) != 0) ++overlaps;
        team.barrier();
        if (worker == 0) --inside;
      });
    }
  };
  std::thread other(call);
  call();
  other.join();
  REQUIRE(overlaps == 0);
}

TEST_CASE("PartsCoverEverythingOnce") {
  for (const std::int64_t count : {0, 1, 5, 64, 1000}) {
    for (const int size : {1, 2, 3, 16}) {
      for (const std::int64_t multiple : {1, 8, 16}) {
        std::int64_t next = 0;
        for (int index = 0; index < size; ++index) {
          const Part part = part_of(count, index, size, multiple);
          REQUIRE(part.begin == next);
          REQUIRE((part.begin % multiple == 0 || part.begin == count));
          next = part.end;
        }
        REQUIRE(next == count);
      }
    }
  }
}

}  // namespace jackdaw::ops
