// A daemon's threads without threads: io executors and a pool whose work runs when the test says so, on a clock that
// the test moves. An engine that answers row by row, and refuses requests that hold a poisoned row.
#pragma once

#include <catch2/catch.hpp>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/engine/engine.h"

namespace jackdaw::serving::testing {

class SimClock final : public Clock {
 public:
  Instant time{std::chrono::hours(1)};
  Instant now() override { return time; }
  WallTime wall() override { return WallTime(std::chrono::seconds(1'700'000'000)) + (time - Instant{}); }
};

// splitmix64: the same numbers for the same seed everywhere.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }

 private:
  std::uint64_t state_;
};

class SimExecutor final : public Executor {
 public:
  explicit SimExecutor(SimClock& clock) : clock_(clock) {}
  void post(std::function<void()> work) override { posted_.push_back(std::move(work)); }
  std::uint64_t at(Instant deadline, std::function<void()> work) override {
    timers_.emplace(std::pair(deadline, ++timer_last_), std::move(work));
    return timer_last_;
  }
  bool cancel(std::uint64_t timer) override {
    return std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; }) > 0;
  }
  bool run_one() {
    if (posted_.empty()) return run_timer();
    const auto work = std::move(posted_.front());
    posted_.pop_front();
    work();
    return true;
  }
  Instant next_timer() const { return timers_.empty() ? Instant::max() : timers_.begin()->first.first; }
  std::size_t timers() const { return timers_.size(); }

 private:
  bool run_timer() {
    if (next_timer() > clock_.time) return false;
    const auto work = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    work();
    return true;
  }

  SimClock& clock_;
  std::deque<std::function<void()>> posted_;
  std::map<std::pair<Instant, std::uint64_t>, std::function<void()>> timers_;
  std::uint64_t timer_last_ = 0;
};

constexpr double poison = -1.0;

inline engine::InferenceRequest rows_request(const std::vector<double>& rows, std::size_t width = 1) {
  engine::InferenceRequest request;
  engine::Tensor& tensor = request.inputs.emplace_back();
  tensor.name = "input-0";
  tensor.dtype = DType::fp64;
  tensor.shape = {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(width)};
  for (const double row : rows) {
    const std::vector<double> values(width, row);
    const auto* bytes = reinterpret_cast<const std::byte*>(values.data());
    tensor.data.insert(tensor.data.end(), bytes, bytes + width * sizeof(double));
  }
  return request;
}

inline std::vector<double> numbers(const engine::Tensor& tensor) {
  return {tensor.as<double>(), tensor.as<double>() + tensor.element_count()};
}

// Answers 2x + 1 per row. `stacked`: with a new first axis, as answers per output are.
class RowEngine final : public engine::Engine {
 public:
  std::uint64_t ns_per_row = 1000;
  bool stacked = false;
  std::vector<std::size_t> calls;  // rows of each
  engine::ModelMetadata description{"rows", {{"input-0", DType::fp64, {-1, 3}}}, {{"output-0", DType::fp64, {-1}}}, {}};

  const engine::ModelMetadata& metadata() const override { return description; }
  void submit(std::shared_ptr<const engine::InferenceRequest> request,
              std::shared_ptr<engine::ResponseStream> stream) override {
    auto outputs = predict(*request);
    if (!outputs) return stream->error(outputs.error());
    stream->tensors(std::move(*outputs));
    stream->done();
  }
  Result<std::vector<engine::Tensor>> predict(const engine::InferenceRequest& request) override {
    const engine::Tensor& in = request.inputs.front();
    const auto rows = static_cast<std::size_t>(in.shape.front());
    const std::size_t width = rows == 0 ? 0 : in.element_count() / rows;
    calls.push_back(rows);
    engine::Tensor out;
    out.name = "output-0";
    out.dtype = DType::fp64;
    out.shape = {in.shape.front()};
    if (stacked) out.shape = {1, in.shape.front(), 1};
    out.data.resize(rows * sizeof(double));
    for (std::size_t i = 0; i < rows; ++i) {
      const double value = in.as<double>()[i * width];
      if (value == poison) return make_error(Code::invalid_argument, "row {} is poisoned", i);
      out.as<double>()[i] = 2 * value + 1;
    }
    std::vector<engine::Tensor> outputs;
    outputs.push_back(std::move(out));
    return outputs;
  }
  std::uint64_t estimate_ns(const engine::InferenceRequest& request) const override {
    return ns_per_row * static_cast<std::uint64_t>(std::max<std::int64_t>(request.inputs.front().shape.front(), 1));
  }
  engine::EngineStats stats() const override { return {}; }
  void drain(Instant) override {}
};

}  // namespace jackdaw::serving::testing
