// Gate and scaler against a world that goes wrong: bursts, clients that leave, loads that take long or fail, models
// that are removed from under their requests. Everything is moved by one seeded clock; whatever happens, every request
// is answered once, nobody is forgotten, and no bound is passed.
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <queue>
#include <random>

#include "jackdaw/control/scaler.h"
#include "tests/unit/serving/held_world.h"

using namespace jackdaw;
using namespace jackdaw::control;
using namespace std::chrono_literals;

namespace {

// Events in the order of their time.
class Timeline {
 public:
  explicit Timeline(serving::HandClock& clock) : clock_(clock) {}
  void after(Duration delay, std::function<void()> event) { events_.emplace(clock_.now() + delay, std::move(event)); }
  bool step(Instant until) {
    if (events_.empty() || events_.begin()->first > until) return false;
    auto event = events_.extract(events_.begin());
    clock_.pass(event.key() - clock_.now());
    event.mapped()();
    return true;
  }

 private:
  serving::HandClock& clock_;
  std::multimap<Instant, std::function<void()>> events_;
};

struct Settings {
  std::uint32_t concurrency = 0;
  std::int64_t max_scale = 0;
  double load_fails = 0;
};

// One service whose loads take as long as they like, with what ModelControl promises of it.
class SimulatedControl final : public ModelControl {
 public:
  SimulatedControl(Timeline& timeline, serving::HandClock& clock, MetricsRegistry& metrics, std::mt19937& random,
                   const Settings& settings)
      : timeline_(timeline), clock_(clock), random_(random), settings_(settings) {
    ScaledModel model;
    model.key = "default/iris";
    model.namespace_name = "default";
    model.service_name = "iris";
    model.scaling.kpa.min_scale = 0;
    model.scaling.kpa.max_scale = settings.max_scale;
    model.scaling.kpa.stable_window = 6s;
    model.scaling.kpa.container_concurrency = settings.concurrency;
    model.scaling.gate = {.concurrency = settings.concurrency, .held_max = 40, .hold_max = 20s};
    model.gate = std::make_shared<serving::Gate>(model.scaling.gate, clock, metrics, "default", "iris");
    model.gate->on_wake([this] { wake(); });
    models_ = std::make_shared<std::vector<ScaledModel>>(std::vector{model});
  }
  serving::Gate& gate() { return *models_->front().gate; }

  std::shared_ptr<const std::vector<ScaledModel>> scaled() const override { return models_; }
  void scale(std::string, std::int64_t replicas, std::function<void(std::int64_t)> done) override {
    timeline_.after(50ms, [this, replicas, done] {
      if (gate().is_open() && replicas > 0) gate().open(static_cast<std::uint32_t>(replicas));
      if (replicas == 0 && gate().is_open() && gate().close_if_idle()) ++to_zero;
      done(gate().replicas());
    });
  }
  void declare(std::vector<DeclaredModel>, std::function<void()>) override {}
  void put(DeclaredModel, std::function<void(Result<void>)>) override {}
  void load_revision(DeclaredModel, std::function<void(Result<void>)>) override {}
  void serve(const std::string&, const std::string&, ServiceTraffic) override {}
  std::shared_ptr<const serving::RevisionCounts> counts(const std::string&, const std::string&,
                                                        const std::string&) const override {
    return nullptr;
  }
  void remove(std::string, std::string, std::function<void()>) override {}
  void load(std::string, std::string, std::function<void(Result<void>)>) override {}
  void unload(std::string, std::string, std::function<void(Result<void>)>) override {}

  int loads = 0, failures = 0, to_zero = 0;

 private:
  void wake() {
    ++loads;
    const auto takes = std::chrono::milliseconds(std::uniform_int_distribution(1, 3000)(random_));
    const bool fails = std::bernoulli_distribution(settings_.load_fails)(random_);
    timeline_.after(takes, [this, fails] {
      if (!fails) return gate().open(1);
      ++failures;
      gate().fail(make_error(Code::not_ready, "broken file"), clock_.now() + 1s);
    });
  }

  Timeline& timeline_;
  serving::HandClock& clock_;
  std::mt19937& random_;
  const Settings settings_;
  std::shared_ptr<std::vector<ScaledModel>> models_;
};

struct Outcome {
  int asked = 0, passed = 0, refused = 0, expired = 0, left = 0, looked_again = 0;
};

class Simulation {
 public:
  Simulation(unsigned seed, const Settings& settings)
      : random_(seed), control_(timeline_, clock_, metrics_, random_, settings), settings_(settings) {
    scaler_ = make_scaler(control_, metrics_, clock_);
    tick();
    control_.gate().open(1);
  }

  // Ten minutes of bursts and silences, then time for everything to end.
  Outcome run() {
    const Instant end = clock_.now() + 600s;
    arrive(end);
    while (timeline_.step(end + 120s)) {
      executor_.run();
      executor_.run_timers(clock_.now());
      executor_.run();
      check_bounds();
    }
    return outcome_;
  }
  SimulatedControl& control() { return control_; }

 private:
  void tick() {
    timeline_.after(1s, [this] {
      scaler_->tick();
      ++ticks_;
      if (ticks_ < 700) tick();
    });
  }

  void arrive(Instant end) {
    if (clock_.now() >= end) return;
    const int burst = std::uniform_int_distribution(1, 60)(random_);
    for (int i = 0; i < burst; ++i) {
      timeline_.after(std::chrono::milliseconds(std::uniform_int_distribution(0, 2000)(random_)), [this] { ask(); });
    }
    // Often within the window, sometimes long after it.
    const int pause_s = std::bernoulli_distribution(0.3)(random_) ? 15 : 2;
    timeline_.after(std::chrono::seconds(pause_s), [this, end] { arrive(end); });
  }

  void ask() {
    ++outcome_.asked;
    if (auto pass = control_.gate().enter()) return work(std::move(*pass));
    const auto answered = std::make_shared<int>(0);
    auto held = control_.gate().hold({&executor_,
                                      [this, answered](serving::Admission admission) {
                                        REQUIRE(++*answered == 1);
                                        answer(std::move(admission));
                                      },
                                      clock_.now()});
    if (!held) {
      ++outcome_.refused;
      return;
    }
    if (!std::bernoulli_distribution(0.1)(random_)) return;
    timeline_.after(std::chrono::milliseconds(std::uniform_int_distribution(0, 5000)(random_)),
                    [this, held = *held, answered] {
                      const bool forgotten = control_.gate().forget(held);
                      REQUIRE(forgotten == (*answered == 0));
                      if (forgotten) ++outcome_.left, ++*answered;
                    });
  }

  void answer(serving::Admission admission) {
    if (admission.pass) return work(std::move(*admission.pass));
    if (!admission.refusal) {
      ++outcome_.looked_again;
    } else if (admission.refusal->code == Code::deadline_exceeded) {
      ++outcome_.expired;
    } else {
      ++outcome_.refused;
    }
  }

  void work(serving::Pass pass) {
    ++outcome_.passed;
    ++at_work_;
    const auto held = std::make_shared<serving::Pass>(std::move(pass));
    timeline_.after(std::chrono::milliseconds(std::uniform_int_distribution(1, 1500)(random_)), [this, held]() mutable {
      --at_work_;
      const serving::Pass ends = std::move(*held);
    });
  }

  void check_bounds() {
    most_replicas_ = std::max(most_replicas_, control_.gate().replicas());
    if (settings_.concurrency > 0) {
      // Replicas that went away let what they have come to its end.
      REQUIRE(at_work_ <= static_cast<int>(settings_.concurrency * std::max(most_replicas_, 1u)));
    }
    if (settings_.max_scale > 0) REQUIRE(control_.gate().replicas() <= settings_.max_scale);
  }

  serving::HandClock clock_;
  MetricsRegistry metrics_;
  std::mt19937 random_;
  Timeline timeline_{clock_};
  serving::QueueExecutor executor_;
  SimulatedControl control_;
  const Settings settings_;
  std::unique_ptr<Scaler> scaler_;
  Outcome outcome_;
  int at_work_ = 0;
  int ticks_ = 0;
  std::uint32_t most_replicas_ = 0;
};

}  // namespace

TEST_CASE("WhateverHappensEveryRequestIsAnsweredOnce") {
  const Settings worlds[] = {{0, 0, 0}, {1, 1, 0.3}, {4, 3, 0}, {2, 0, 0.1}, {10, 5, 0.5}};
  int woken = 0, slept = 0, expired = 0;
  for (const Settings& settings : worlds) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
      INFO("seed " << seed << ", concurrency " << settings.concurrency);
      Simulation simulation(seed, settings);
      const Outcome out = simulation.run();
      REQUIRE(out.asked > 500);
      REQUIRE(out.passed + out.refused + out.expired + out.left + out.looked_again == out.asked);
      const serving::GateObservation last = simulation.control().gate().observe();
      REQUIRE(last.at_work == 0);
      REQUIRE(last.held == 0);
      if (settings.load_fails == 0 && settings.concurrency == 0) REQUIRE(out.expired == 0);
      woken += simulation.control().loads;
      slept += simulation.control().to_zero;
      expired += out.expired;
    }
  }
  // What the test is about did happen.
  CHECK(woken > 500);
  CHECK(slept > 500);
  CHECK(expired > 0);
}
