#include "src/control/repeated_fault.h"

#include <catch2/catch.hpp>

namespace jackdaw::control {
namespace {

using namespace std::chrono_literals;

TEST_CASE("AFaultIsSaidOnceThenEveryMinuteWithItsCount") {
  RepeatedFault fault;
  const Instant begin{};
  CHECK(!fault.went());
  CHECK(fault.came("the disk is full", begin) == 1);
  CHECK(fault.came("the disk is full", begin + 1s) == 0);
  CHECK(fault.came("the disk is full", begin + 59s) == 0);
  CHECK(fault.came("the disk is full", begin + 60s) == 3);
  CHECK(fault.came("the disk is full", begin + 61s) == 0);
}

TEST_CASE("AnotherReasonIsSaidAtOnce") {
  RepeatedFault fault;
  const Instant begin{};
  CHECK(fault.came("the disk is full", begin) == 1);
  CHECK(fault.came("the disk is full", begin + 1s) == 0);
  CHECK(fault.came("it cannot be read", begin + 2s) == 2);
  CHECK(fault.came("it cannot be read", begin + 3s) == 0);
}

TEST_CASE("AFaultThatComesAndGoesIsSaidNoMoreOften") {
  RepeatedFault fault;
  const Instant begin{};
  CHECK(fault.came("the disk is full", begin) == 1);
  CHECK(fault.went());
  for (int i = 1; i < 60; ++i) {
    CHECK(fault.came("the disk is full", begin + i * 1s) == 0);
    CHECK(!fault.went());
  }
  CHECK(fault.came("the disk is full", begin + 60s) == 60);
  CHECK(fault.went());
}

}  // namespace
}  // namespace jackdaw::control
