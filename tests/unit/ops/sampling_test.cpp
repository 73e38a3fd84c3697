// Sampling against plain references: sort everything, add everything in double.
#include "jackdaw/ops/sampling.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <numeric>
#include <random>

#include "src/ops/philox.h"
#include "src/ops/row_math.h"

namespace jackdaw::ops {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan_value = std::numeric_limits<float>::quiet_NaN();

std::vector<float> random_row(std::size_t size, unsigned seed, float spread = 3.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, spread);
  std::vector<float> row(size);
  for (float& x : row) x = normal(random);
  return row;
}

Sampled sample(std::vector<float> logits, const SampleRow& row) {
  SamplingScratch scratch;
  Sampled out;
  sample_row(logits, row, scratch, out);
  return out;
}

Sampled sample(const std::vector<float>& logits, const SamplingParameters& parameters, std::uint64_t position = 0) {
  SampleRow row;
  row.parameters = &parameters;
  row.position = position;
  return sample(logits, row);
}

// Every filter the slow way: probabilities of the tokens that may be drawn.
std::map<std::int32_t, double> reference(const std::vector<float>& logits, const SamplingParameters& p) {
  std::vector<std::int32_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
    return logits[static_cast<std::size_t>(a)] > logits[static_cast<std::size_t>(b)];
  });
  if (p.top_k > 0 && static_cast<std::size_t>(p.top_k) < order.size()) {
    order.resize(static_cast<std::size_t>(p.top_k));
  }
  const auto weight = [&](std::int32_t token) {
    const double x = logits[static_cast<std::size_t>(token)];
    return std::exp((x - static_cast<double>(logits[static_cast<std::size_t>(order[0])])) /
                    static_cast<double>(p.temperature));
  };
  double total = 0;
  for (auto token : order) total += weight(token);
  std::map<std::int32_t, double> kept;
  double sum = 0;
  for (auto token : order) {
    if (p.top_p < 1.0f && sum >= static_cast<double>(p.top_p) * total) break;
    sum += weight(token);
    if (weight(token) >= static_cast<double>(p.min_p)) kept[token] = weight(token);
  }
  double mass = 0;
  for (const auto& [token, w] : kept) mass += w;
  for (auto& [token, w] : kept) w /= mass;
  return kept;
}

// Draws at many positions and compares frequencies with the reference; 6 standard deviations.
void agrees_with_reference(const std::vector<float>& logits, const SamplingParameters& parameters) {
  const auto expected = reference(logits, parameters);
  constexpr int draws = 20'000;
  std::map<std::int32_t, int> seen;
  SamplingScratch scratch;
  Sampled out;
  std::vector<float> row;
  for (int i = 0; i < draws; ++i) {
    row = logits;
    SampleRow request;
    request.parameters = &parameters;
    request.position = static_cast<std::uint64_t>(i);
    sample_row(row, request, scratch, out);
    ++seen[out.token];
  }
  for (const auto& [token, count] : seen) {
    INFO("token " << token << " drawn " << count << " times");
    REQUIRE(expected.count(token) == 1);
  }
  for (const auto& [token, probability] : expected) {
    const double mean = draws * probability;
    const double deviation = std::sqrt(draws * probability * (1 - probability)) + 1;
    INFO("token " << token << " p " << probability << " seen " << seen[token]);
    REQUIRE(std::abs(seen[token] - mean) < 6 * deviation);
  }
}

TEST_CASE("PhiloxGivesThePublishedKnownAnswers") {
  // Random123's kat_vectors, philox4x32 with 10 rounds.
  CHECK(philox4x32_10({0, 0, 0, 0}, {0, 0}) == PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox4x32_10({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}) ==
        PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
        PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("UniformIsInOpenClosedUnitIntervalAndEven") {
  double sum = 0;
  std::array<int, 10> buckets{};
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    const float u = uniform_at(7, i, 0);
    REQUIRE(u > 0.0f);
    REQUIRE(u <= 1.0f);
    sum += static_cast<double>(u);
    ++buckets[std::min<std::size_t>(9, static_cast<std::size_t>(u * 10))];
  }
  CHECK(sum / 100'000 == Approx(0.5).margin(0.005));
  for (const int count : buckets) CHECK(std::abs(count - 10'000) < 600);
  CHECK(uniform_at(7, 1, 0) == uniform_at(7, 1, 0));
  CHECK(uniform_at(7, 1, 0) != uniform_at(7, 1, 1));
  CHECK(uniform_at(7, 1, 0) != uniform_at(8, 1, 0));
  CHECK(uniform_at(7, 1, 0) != uniform_at(7, std::uint64_t{1} << 32 | 1, 0));
}

TEST_CASE("ExponentialsAreAccurateAndNeverNan") {
  std::vector<float> row;
  for (int i = 0; i < 20'000; ++i) row.push_back(-100.0f * static_cast<float>(i) / 20'000);
  row.insert(row.end(), {-infinity, nan_value, 3.0f});
  const std::vector<float> before = row;
  const double sum = row_exp(row, 0.0f, 1.0f);
  double expected_sum = 0;
  for (std::size_t i = 0; i < 20'000; ++i) {
    expected_sum += static_cast<double>(row[i]);
    const double expected = std::exp(static_cast<double>(before[i]));
    if (before[i] < -87.0f) {
      REQUIRE(row[i] == 0.0f);
    } else {
      REQUIRE(static_cast<double>(row[i]) == Approx(expected).epsilon(1e-6));
    }
  }
  CHECK(row[20'000] == 0.0f);
  CHECK(row[20'001] == 0.0f);
  CHECK(row[20'002] == 1.0f);
  CHECK(sum == Approx(expected_sum + 1).epsilon(1e-6));
}

TEST_CASE("GreedyTakesTheLargestAndTheLowestIdAmongEquals") {
  SamplingParameters greedy;
  greedy.temperature = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    auto logits = random_row(1 + seed * 7, seed);
    const auto largest = std::max_element(logits.begin(), logits.end());
    CHECK(sample(logits, greedy).token == largest - logits.begin());
  }
  std::vector<float> ties(1000, 1.0f);
  CHECK(sample(ties, greedy).token == 0);
  ties[0] = 0.5f;
  CHECK(sample(ties, greedy).token == 1);
  ties[999] = 2.0f;
  ties[700] = 2.0f;
  CHECK(sample(ties, greedy).token == 700);
}

TEST_CASE("RowsWithoutAnythingToDrawGiveTokenZero") {
  for (const float temperature : {0.0f, 1.0f}) {
    SamplingParameters parameters;
    parameters.temperature = temperature;
    parameters.top_logprobs = 2;
    for (const float value : {-infinity, nan_value}) {
      const Sampled out = sample(std::vector<float>(300, value), parameters);
      CHECK(out.token == 0);
      CHECK(out.logprob == -infinity);
      CHECK(out.top.empty());
    }
  }
}

TEST_CASE("NanCountsAsMinusInfinityAndInfinityWins") {
  SamplingParameters parameters;
  std::vector<float> logits(100, nan_value);
  logits[42] = -5.0f;
  for (std::uint64_t position = 0; position < 20; ++position) CHECK(sample(logits, parameters, position).token == 42);
  parameters.top_k = 5;
  CHECK(sample(logits, parameters).token == 42);
  logits[7] = infinity;
  CHECK(sample(logits, parameters).token == 7);
  parameters.top_logprobs = 1;
  const Sampled out = sample(logits, parameters);
  CHECK(out.token == 7);
  CHECK_FALSE(std::isnan(out.logprob));
}

TEST_CASE("TopFindsTheLargestLikeASort") {
  for (unsigned seed = 0; seed < 60; ++seed) {
    std::mt19937 random(seed);
    auto row = random_row(1 + random() % 5000, seed);
    if (seed % 3 == 0) {
      for (float& x : row) x = std::round(x);  // many equals
    }
    if (seed % 4 == 1) std::sort(row.begin(), row.end());
    if (seed % 5 == 1) row[random() % row.size()] = nan_value;
    const std::size_t count = 1 + random() % 300;
    std::vector<std::int32_t> order;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (row[i] == row[i]) order.push_back(static_cast<std::int32_t>(i));
    }
    std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
      return row[static_cast<std::size_t>(a)] > row[static_cast<std::size_t>(b)];
    });
    order.resize(std::min(count, order.size()));
    std::vector<std::int32_t> top;
    row_top(row, count, top);
    REQUIRE(top == order);
  }
}

TEST_CASE("DrawsFollowTheDistribution") {
  const auto logits = random_row(700, 3);
  SamplingParameters parameters;
  parameters.seed = 99;
  SECTION("plain") {
    agrees_with_reference(logits, parameters);
  }
  SECTION("temperature") {
    parameters.temperature = 0.5f;
    agrees_with_reference(logits, parameters);
  }
  SECTION("top_k") {
    parameters.top_k = 10;
    agrees_with_reference(logits, parameters);
  }
  SECTION("top_p") {
    parameters.top_p = 0.7f;
    agrees_with_reference(logits, parameters);
  }
  SECTION("min_p") {
    parameters.min_p = 0.1f;
    agrees_with_reference(logits, parameters);
  }
  SECTION("all") {
    parameters.temperature = 1.3f;
    parameters.top_k = 50;
    parameters.top_p = 0.9f;
    parameters.min_p = 0.02f;
    agrees_with_reference(logits, parameters);
  }
  SECTION("top_p and min_p of a flat row") {
    parameters.top_p = 0.5f;
    parameters.min_p = 0.3f;
    agrees_with_reference(random_row(700, 4, 0.3f), parameters);
  }
}

TEST_CASE("NucleusIsTheSmallestSetThatReachesTopP") {
  // 0.5, 0.25, 0.125, ...: three tokens reach 0.8.
  std::vector<float> logits;
  for (int i = 0; i < 40; ++i) logits.push_back(-std::log(2.0f) * static_cast<float>(i));
  SamplingParameters parameters;
  parameters.top_p = 0.8f;
  std::map<std::int32_t, int> seen;
  for (std::uint64_t i = 0; i < 3000; ++i) ++seen[sample(logits, parameters, i).token];
  CHECK(seen.size() == 3);
  CHECK(seen.count(2) == 1);
  parameters.top_p = 0.0f;
  for (std::uint64_t i = 0; i < 100; ++i) CHECK(sample(logits, parameters, i).token == 0);
}

TEST_CASE("TheSameSeedAndPositionDrawTheSameToken") {
  const auto logits = random_row(5000, 8, 1.0f);
  SamplingParameters parameters;
  parameters.seed = 5;
  std::map<std::int32_t, int> seen;
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto token = sample(logits, parameters, i).token;
    ++seen[token];
    CHECK(sample(logits, parameters, i).token == token);
  }
  CHECK(seen.size() > 20);
}

TEST_CASE("BiasAllowedSuppressedAndMaskDecideWhatMayBeDrawn") {
  SamplingParameters parameters;
  parameters.temperature = 0;
  std::vector<float> logits = random_row(200, 11);
  logits[10] = 50;
  logits[20] = 40;
  logits[30] = 30;
  SampleRow row;
  row.parameters = &parameters;
  CHECK(sample(logits, row).token == 10);
  const std::int32_t suppressed[] = {10, 4000};
  row.suppressed = suppressed;
  CHECK(sample(logits, row).token == 20);
  parameters.allowed_tokens = {5, 10, 30};
  CHECK(sample(logits, row).token == 30);
  parameters.logit_bias = {{5, 100.0f}, {9000, 1.0f}};
  CHECK(sample(logits, row).token == 5);
  std::vector<std::uint32_t> mask(1, ~0u);
  mask[0] &= ~(1u << 5);
  row.allowed_mask = mask;  // too short: what it does not cover is not allowed
  CHECK(sample(logits, row).token == 30);
  parameters.top_logprobs = 1;
  const Sampled out = sample(logits, row);
  CHECK(out.token == 30);
  CHECK(out.rank == 3);
  REQUIRE(out.top.size() == 1);
  CHECK(out.top[0].token == 10);  // log-probabilities are those of the raw model
}

TEST_CASE("PenaltiesAreVllms") {
  SamplingParameters parameters;
  parameters.temperature = 0;
  std::vector<float> logits{4.0f, 3.9f, -1.0f, 3.0f};
  TokenCount counts[] = {{0, 1, 0}};
  SampleRow row;
  row.parameters = &parameters;
  row.counts = counts;
  parameters.presence_penalty = 1.0f;
  CHECK(sample(logits, row).token == 0);  // presence and frequency look at the output only
  parameters.repetition_penalty = 1.1f;
  CHECK(sample(logits, row).token == 1);  // repetition looks at the prompt too
  parameters.repetition_penalty = 1.0f;
  counts[0] = {0, 0, 1};
  CHECK(sample(logits, row).token == 1);
  parameters.presence_penalty = 0.0f;
  parameters.frequency_penalty = 0.04f;
  CHECK(sample(logits, row).token == 0);
  counts[0].in_output = 3;
  CHECK(sample(logits, row).token == 1);
  // A negative logit is multiplied, so that it falls too.
  std::vector<float> negative{-1.0f, -1.5f};
  parameters.frequency_penalty = 0.0f;
  parameters.repetition_penalty = 2.0f;
  CHECK(sample(negative, row).token == 1);
}

TEST_CASE("LogProbabilitiesAreThoseOfTheRawRow") {
  const auto logits = random_row(3000, 21);
  double sum = 0;
  for (const float x : logits) sum += std::exp(static_cast<double>(x));
  SamplingParameters parameters;
  parameters.temperature = 0.3f;
  parameters.top_k = 7;
  parameters.top_logprobs = 5;
  const Sampled out = sample(logits, parameters, 17);
  const auto logprob = [&](std::int32_t token) {
    return static_cast<double>(logits[static_cast<std::size_t>(token)]) - std::log(sum);
  };
  CHECK(static_cast<double>(out.logprob) == Approx(logprob(out.token)).margin(2e-6));
  REQUIRE(out.top.size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(static_cast<double>(out.top[i].logprob) == Approx(logprob(out.top[i].token)).margin(2e-6));
    if (i > 0) CHECK(out.top[i].logprob <= out.top[i - 1].logprob);
  }
  const float own = logits[static_cast<std::size_t>(out.token)];
  CHECK(out.rank == 1 + std::count_if(logits.begin(), logits.end(), [&](float x) { return x > own; }));
  SampleRow scored;
  scored.parameters = &parameters;
  scored.scored_token = 1234;
  const Sampled echo = sample(logits, scored);
  CHECK(echo.token == 1234);
  CHECK(static_cast<double>(echo.logprob) == Approx(logprob(1234)).margin(2e-6));
  CHECK(echo.top.size() == 5);
}

TEST_CASE("ScratchOfOtherRowsLeavesNoTrace") {
  SamplingScratch scratch;
  Sampled out;
  SamplingParameters parameters;
  parameters.top_logprobs = 3;
  parameters.top_k = 20;
  for (unsigned seed = 0; seed < 40; ++seed) {
    auto logits = random_row(100 + seed * 37, seed);
    if (seed % 2 == 0) parameters.allowed_tokens = {1, 3, 50};
    if (seed % 2 == 1) parameters.allowed_tokens.clear();
    SampleRow row;
    row.parameters = &parameters;
    row.position = seed;
    const Sampled fresh = sample(logits, row);
    sample_row(logits, row, scratch, out);
    CHECK(out.token == fresh.token);
    CHECK(out.logprob == fresh.logprob);
    CHECK(out.top.size() == fresh.top.size());
  }
}

// Hidden: test_ops "[.speed]" prints microseconds per row.
TEST_CASE("SamplingSpeed", "[.speed]") {
  for (const std::size_t vocabulary : {std::size_t{49'152}, std::size_t{262'144}}) {
    const auto logits = random_row(vocabulary, 5);
    SamplingParameters greedy;
    greedy.temperature = 0;
    SamplingParameters plain;
    SamplingParameters top_k;
    top_k.top_k = 50;
    SamplingParameters top_p;
    top_p.top_p = 0.95f;
    SamplingParameters logprobs = greedy;
    logprobs.top_logprobs = 20;
    const std::pair<const char*, const SamplingParameters*> cases[] = {{"greedy", &greedy},
                                                                       {"plain", &plain},
                                                                       {"top_k 50", &top_k},
                                                                       {"top_p 0.95", &top_p},
                                                                       {"logprobs 20", &logprobs}};
    for (const auto& [name, parameters] : cases) {
      std::vector<double> times;
      SamplingScratch scratch;
      Sampled out;
      for (int i = 0; i < 200; ++i) {
        auto row = logits;
        SampleRow request;
        request.parameters = parameters;
        request.position = static_cast<std::uint64_t>(i);
        const auto begin = std::chrono::steady_clock::now();
        sample_row(row, request, scratch, out);
        times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count());
      }
      std::sort(times.begin(), times.end());
      std::printf("%zu %s: %.1f us\n", vocabulary, name, times[times.size() / 2]);
    }
  }
}

}  // namespace
}  // namespace jackdaw::ops
