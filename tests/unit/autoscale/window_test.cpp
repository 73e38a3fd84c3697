#include "jackdaw/autoscale/window.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

namespace jackdaw::autoscale {
namespace {

using namespace std::chrono_literals;

const Instant start{1000s};

TEST_CASE("AYoungWindowDividesByWhatItCovers") {
  Window window(60s);
  CHECK(window.average(start) == 0);
  window.add(start, 10);
  CHECK(window.average(start) == 10);
  window.add(start + 1s, 20);
  CHECK(window.average(start + 1s) == 15);
  window.add(start + 1500ms, 4);  // the same second
  CHECK(window.average(start + 1900ms) == 17);
}

TEST_CASE("SecondsWithoutAValueCountAsZero") {
  Window window(60s);
  window.add(start, 10);
  window.add(start + 4s, 10);
  CHECK(window.average(start + 4s) == 4);
}

TEST_CASE("WhatLeavesTheWindowIsForgotten") {
  Window window(5s);
  for (int i = 0; i < 20; ++i) window.add(start + std::chrono::seconds(i), i);
  CHECK(window.average(start + 19s) == 17);  // 15 to 19
  CHECK(window.average(start + 21s) == 18);  // 17 to 19 are left
  CHECK(window.average(start + 23s) == 19);
  CHECK(window.average(start + 24s) == 0);
  window.add(start + 100s, 3);  // begins anew
  CHECK(window.average(start + 100s) == 3);
}

TEST_CASE("LateValuesFindTheirSecondAndTooLateOnesAreDropped") {
  Window window(5s);
  window.add(start + 10s, 5);
  window.add(start + 8s, 1);
  CHECK(window.average(start + 10s) == 2);
  window.add(start + 1s, 1000);
  CHECK(window.average(start + 10s) == 2);
}

TEST_CASE("TheWeightedWindowFollowsTheLatestSeconds") {
  Window window(6s, Aggregation::weighted_exponential);
  for (int i = 0; i < 6; ++i) window.add(start + std::chrono::seconds(i), 100);
  const double share = 1 - std::pow(1e-4, 1.0 / 6);
  double expected = 0;
  for (int i = 0; i < 6; ++i) expected += 100 * share * std::pow(1 - share, i);
  CHECK(window.average(start + 5s) == Approx(expected).margin(1e-6));
  for (int i = 6; i < 9; ++i) window.add(start + std::chrono::seconds(i), 0);
  CHECK(window.average(start + 8s) < 2);
}

TEST_CASE("AResizedWindowKeepsItsLatestValues") {
  Window window(10s);
  for (int i = 0; i < 10; ++i) window.add(start + std::chrono::seconds(i), i);
  window.resize(4s);
  CHECK(window.seconds() == 4);
  CHECK(window.average(start + 9s) == 7.5);
  window.resize(60s);
  CHECK(window.average(start + 9s) == 7.5);
}

TEST_CASE("WindowsAgreeWithAListOfEverything") {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    const int length = 1 + static_cast<int>(random() % 12);
    Window window{std::chrono::seconds(length)};
    std::vector<double> all(100, 0);
    int first = -1;
    for (int second = 0; second < 100; ++second) {
      const double value = random() % 100;
      if (first < 0 && random() % 5 != 0) continue;
      if (first < 0) first = second;
      all[static_cast<std::size_t>(second)] = value;
      window.add(start + std::chrono::seconds(second), value);
      double sum = 0;
      const int begin = std::max(first, second - length + 1);
      for (int i = begin; i <= second; ++i) sum += all[static_cast<std::size_t>(i)];
      REQUIRE(window.average(start + std::chrono::seconds(second)) == Approx(sum / (second - begin + 1)).margin(1e-5));
    }
  }
}

}  // namespace
}  // namespace jackdaw::autoscale
