// What is on disk after a process was killed, or after the log was cut off, as a power cut may leave it.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <iostream>
#include <random>

#include "jackdaw/storage/object_table.h"
#include "tests/unit/storage/table_folder.h"

using namespace jackdaw;
using namespace jackdaw::storage;

namespace fs = std::filesystem;

namespace {

// Write n sets both rows to n, so that a half of it would show.
Result<void> write_pair(ObjectTable& table, std::uint64_t number) {
  const std::string text = std::to_string(number);
  const std::array<ObjectChange, 2> changes{
      {{"first", text + std::string(number % 5000, ' ')}, {"second", text, false, text}}};
  return table.write(changes, number);
}

// The number both rows agree on; fails the test when they do not.
std::uint64_t pair_in(ObjectTable& table) {
  auto rows = table.rows();
  if (!rows) FAIL(rows.error().text());
  if (rows->empty()) {
    CHECK(table.sequence() == 0);
    return 0;
  }
  REQUIRE(rows->size() == 2);
  const std::uint64_t number = std::stoull((*rows)[1].value);
  CHECK((*rows)[0].value == std::to_string(number) + std::string(number % 5000, ' '));
  CHECK((*rows)[1].version == std::to_string(number));
  CHECK(table.sequence() == number);
  return number;
}

// Writes for ever, and says each number once it is acknowledged.
[[noreturn]] void write_until_killed(const std::string& path, int out) {
  auto table = ObjectTable::open(path);
  if (!table) _exit(1);
  for (std::uint64_t number = (*table)->sequence() + 1;; ++number) {
    if (!write_pair(**table, number)) _exit(2);
    if (::write(out, &number, sizeof(number)) != sizeof(number)) _exit(3);
  }
}

// The last number that the child acknowledged, after it was killed.
std::uint64_t kill_after(const std::string& path, unsigned microseconds) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    ::close(ends[0]);
    write_until_killed(path, ends[1]);
  }
  ::close(ends[1]);
  ::usleep(microseconds);
  ::kill(child, SIGKILL);
  std::uint64_t last = 0;
  std::uint64_t number = 0;
  while (::read(ends[0], &number, sizeof(number)) == sizeof(number)) last = number;
  ::close(ends[0]);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
  return last;
}

}  // namespace

TEST_CASE("KilledWritersLoseNothingAcknowledged") {
  const TableFolder folder;
  const auto seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::uint64_t acknowledged = 0;
  int rounds_that_wrote = 0;
  for (int round = 0; round < 30; ++round) {
    const std::uint64_t last = kill_after(folder.file(), 2000 + random() % 40'000);
    if (last > 0) ++rounds_that_wrote;
    acknowledged = std::max(acknowledged, last);
    auto table = ObjectTable::open(folder.file());
    if (!table) FAIL(table.error().text());
    const std::uint64_t found = pair_in(**table);
    // One more than acknowledged: the write was done, its word was not out yet.
    CHECK(found >= acknowledged);
    CHECK(found <= acknowledged + 1);
    acknowledged = found;
  }
  CHECK(rounds_that_wrote >= 10);
}

TEST_CASE("ALogThatWasCutOffEndsAtAWholeWrite") {
  const TableFolder folder;
  auto table = ObjectTable::open(folder.file());
  REQUIRE(table.has_value());
  for (std::uint64_t number = 1; number <= 60; ++number) REQUIRE(write_pair(**table, number).has_value());
  const std::string database = TableFolder::bytes_of(folder.file());
  const std::string log = TableFolder::bytes_of(folder.file() + "-wal");
  REQUIRE(log.size() > 100'000);
  std::mt19937 random(7);
  std::uint64_t least = 60;
  for (int round = 0; round < 40; ++round) {
    const std::string copy = folder.file("copy.db");
    TableFolder::write_bytes(copy, database);
    TableFolder::write_bytes(copy + "-wal", log.substr(0, random() % log.size()));
    auto cut = ObjectTable::open(copy);
    if (!cut) FAIL(cut.error().text());
    least = std::min(least, pair_in(**cut));
    fs::remove(copy);
    fs::remove(copy + "-wal");
  }
  CHECK(least < 60);
}
