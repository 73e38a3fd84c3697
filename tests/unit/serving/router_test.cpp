#include "jackdaw/serving/router.h"

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <map>

#include "jackdaw/serving/revision_counts.h"

using namespace jackdaw;
using namespace jackdaw::serving;
using namespace std::chrono_literals;

namespace {

// SplitMix64.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() override {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

ServedModelPtr revision(const std::string& name) {
  ServedModel model;
  model.name = model.service_name = "iris";
  model.namespace_name = "default";
  model.revision = name;
  return std::make_shared<const ServedModel>(std::move(model));
}

ServedModelPtr front(std::vector<TrafficShare> shares) {
  ServedModel model = *shares.back().revision;
  model.traffic = std::make_shared<const Traffic>(Traffic{std::move(shares)});
  return std::make_shared<const ServedModel>(std::move(model));
}

std::map<std::string, int> drawn(const ServedModelPtr& model, int times, std::uint64_t seed) {
  SeededRandom random(seed);
  std::map<std::string, int> out;
  for (int i = 0; i < times; ++i) ++out[route(model, {}, random)->revision];
  return out;
}

}  // namespace

TEST_CASE("TrafficIsDrawnByItsShares") {
  const auto model = front({{revision("new"), 10, ""}, {revision("v2"), 20, "v2"}, {revision("old"), 70, ""}});
  const std::uint64_t seed = 42;
  INFO("seed " << seed);
  auto counts = drawn(model, 100'000, seed);
  // Four standard deviations of a binomial.
  CHECK(std::abs(counts["new"] - 10'000) < 4 * 95);
  CHECK(std::abs(counts["v2"] - 20'000) < 4 * 127);
  CHECK(std::abs(counts["old"] - 70'000) < 4 * 145);
}

TEST_CASE("AShareOfNothingIsNeverDrawn") {
  const auto model = front({{revision("new"), 0, "latest"}, {revision("old"), 100, "prev"}});
  CHECK(drawn(model, 10'000, 7) == std::map<std::string, int>{{"old", 10'000}});
  const auto turned = front({{revision("new"), 100, "latest"}, {revision("old"), 0, "prev"}});
  CHECK(drawn(turned, 10'000, 7) == std::map<std::string, int>{{"new", 10'000}});
}

TEST_CASE("TagsInTheHostChooseTheRevision") {
  const auto model = front({{revision("new"), 10, "latest"}, {revision("old"), 90, "prev"}});
  SeededRandom random(1);
  for (int i = 0; i < 100; ++i) {
    CHECK(route(model, {"latest-iris-default.example.com", {}}, random)->revision == "new");
    CHECK(route(model, {"prev-iris.default.example.com:8080", {}}, random)->revision == "old");
  }
  CHECK(host_means(*model, "latest-iris-default.example.com"));
  CHECK(host_means(*model, "iris.default.example.com"));
  CHECK_FALSE(host_means(*model, "other-iris-default.example.com"));
  CHECK_FALSE(host_means(*model, "latest-iris-defaults.example.com"));
  CHECK_FALSE(host_means(*model, "iris-default"));
}

TEST_CASE("PredictorsHaveHostsOfTheirOwn") {
  const auto model = front({{revision("new"), 10, "latest"}, {revision("old"), 90, "prev"}});
  for (const char* host :
       {"iris-predictor-default.example.com", "iris-predictor.default.svc.cluster.local", "iris-predictor.default",
        "iris-predictor.default:8080", "iris-predictor-default:80", "latest-iris-predictor-default.example.com"}) {
    INFO(host);
    CHECK(host_means(*model, host));
    CHECK(host_means_predictor(*model, host));
  }
  for (const char* host : {"iris-default.example.com", "latest-iris-default.example.com", "iris-predictor-defaults.x",
                           "iris-predictors-default.x", "rose-predictor-default.x", "x-iris-predictor-default.x", ""}) {
    INFO(host);
    CHECK_FALSE(host_means_predictor(*model, host));
  }
  CHECK(host_means(*model, "iris-transformer-default.example.com"));
  SeededRandom random(1);
  for (int i = 0; i < 50; ++i)
    CHECK(route(model, {"latest-iris-predictor-default.example.com", {}}, random)->revision == "new");
  // The service's own host wins where both could be meant.
  ServedModel odd = *revision("odd");
  odd.namespace_name = "predictor-default";
  CHECK_FALSE(host_means_predictor(odd, "iris-predictor-default.example.com"));
}

TEST_CASE("SessionsStayWithTheirRevisionAndOnlyMoveToTheNewerOne") {
  const auto oldest = revision("old");
  const auto newest = revision("new");
  std::map<std::string, int> moved_at;
  SeededRandom random(3);
  for (const int percent : {0, 1, 10, 50, 99}) {
    const auto model = front({{newest, percent, ""}, {oldest, 100 - percent, ""}});
    for (int i = 0; i < 1000; ++i) {
      const std::string session = "session-" + std::to_string(i);
      const auto first = route(model, {{}, session}, random);
      CHECK(route(model, {{}, session}, random) == first);
      const bool is_new = first == newest;
      if (moved_at.contains(session)) CHECK(is_new);
      if (is_new) moved_at.try_emplace(session, percent);
    }
    const double share = static_cast<double>(moved_at.size()) / 10;
    CHECK(std::abs(share - percent) < 4);
  }
}

TEST_CASE("AModelWithoutTrafficAnswersItself") {
  SeededRandom random(1);
  const auto alone = revision("only");
  CHECK(route(alone, {"latest-iris-default.example.com", "s"}, random) == alone);
  CHECK(route(nullptr, {}, random) == nullptr);
}

TEST_CASE("LatencyBucketsHoldWhatTheyCount") {
  for (const Duration latency :
       std::initializer_list<Duration>{Duration(0), Duration(1), 1us, 900us, 1ms, 17ms, 1s, 100s, 1000s}) {
    const std::size_t bucket = latency_bucket(latency);
    REQUIRE(bucket < RevisionReading::bucket_count);
    if (bucket + 1 < RevisionReading::bucket_count) CHECK(latency < latency_bucket_end(bucket));
    if (bucket > 0) CHECK(latency >= latency_bucket_end(bucket - 1));
  }
  for (std::size_t i = 1; i < RevisionReading::bucket_count; ++i)
    CHECK(latency_bucket_end(i) > latency_bucket_end(i - 1));
}

TEST_CASE("QuantilesAreWithinAnEighth") {
  RevisionCounts counts;
  for (int i = 1; i <= 1000; ++i) counts.count(i * 100us, i % 10 == 0);
  const RevisionReading all = counts.read();
  CHECK(all.requests == 1000);
  CHECK(all.failures == 100);
  CHECK(all.seconds == Approx(50.05));
  const double p99 = std::chrono::duration<double, std::milli>(all.quantile(0.99)).count();
  CHECK(p99 >= 99.0);
  CHECK(p99 <= 99.0 * 1.13);
  for (int i = 0; i < 10; ++i) counts.count(1s, false);
  CHECK(counts.read().since(all).requests == 10);
  CHECK(counts.read().since(all).quantile(0.5) >= 1s);
  CHECK(RevisionReading{}.quantile(0.99) == Duration{0});
}

TEST_CASE("MetricsNameEveryRevisionOnceAndItsShare") {
  const auto counted = [](const std::string& name) {
    ServedModel model = *revision(name);
    model.counts = std::make_shared<RevisionCounts>();
    model.counts->count(3ms, name == "new");
    return std::make_shared<const ServedModel>(std::move(model));
  };
  Registry registry;
  registry.put(*front({{counted("new"), 10, ""}, {counted("old"), 90, ""}}));
  const std::string text = expose_revisions(*registry.snapshot());
  CHECK(text.find(R"(jackdaw_revision_failures_total{namespace="default",service="iris",revision="new"} 1)") !=
        std::string::npos);
  CHECK(text.find(R"(jackdaw_revision_traffic_percent{namespace="default",service="iris",revision="old"} 90)") !=
        std::string::npos);
  CHECK(text.find(R"(jackdaw_revision_request_seconds_count{namespace="default",service="iris",revision="new"} 1)") !=
        std::string::npos);
  CHECK(expose_revisions(*Registry().snapshot()).empty());
}
