#include "jackdaw/storage/object_table.h"

#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>

#include "tests/unit/storage/table_folder.h"

using namespace jackdaw;
using namespace jackdaw::storage;

namespace fs = std::filesystem;

namespace {

std::unique_ptr<ObjectTable> opened(const std::string& path, const ObjectTableOptions& options = {}) {
  auto table = ObjectTable::open(path, options);
  if (!table) FAIL(table.error().text());
  return std::move(*table);
}

Error refused(const std::string& path) {
  auto table = ObjectTable::open(path);
  if (table) FAIL("was opened");
  return table.error();
}

std::vector<ObjectRow> rows_of(ObjectTable& table) {
  auto rows = table.rows();
  if (!rows) FAIL(rows.error().text());
  return *rows;
}

void put(ObjectTable& table, const std::string& key, const std::string& value) {
  const std::array<ObjectChange, 1> change{{{key, value, false, "v"}}};
  const auto written = table.write(change, table.sequence() + 1);
  if (!written) FAIL(written.error().text());
}

// Runs SQL on a file as another program would.
void run_sql(const std::string& path, const std::string& sql) {
  sqlite3* connection = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &connection) == SQLITE_OK);
  REQUIRE(sqlite3_exec(connection, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(connection);
}

}  // namespace

TEST_CASE("ObjectTableKeepsWhatWasWritten") {
  const TableFolder folder;
  {
    auto table = opened(folder.file());
    CHECK(table->sequence() == 0);
    CHECK(rows_of(*table).empty());
    const std::array<ObjectChange, 3> changes{
        {{"b/2", "{\"x\": \"\\u0000 é\"}", false, "7.1.n"}, {"a/1", std::string(100'000, 'y')}, {"c", "gone"}}};
    REQUIRE(table->write(changes, 5).has_value());
    const std::array<ObjectChange, 1> erase{{{"c", "", true}}};
    REQUIRE(table->write(erase, 9).has_value());
  }
  auto table = opened(folder.file());
  CHECK(table->sequence() == 9);
  const auto rows = rows_of(*table);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].key == "a/1");
  CHECK(rows[0].value == std::string(100'000, 'y'));
  CHECK(rows[0].version.empty());
  CHECK(rows[1].key == "b/2");
  CHECK(rows[1].value == "{\"x\": \"\\u0000 é\"}");
  CHECK(rows[1].version == "7.1.n");
}

TEST_CASE("ObjectTableReplacesARowInPlace") {
  const TableFolder folder;
  auto table = opened(folder.file());
  put(*table, "a", "1");
  put(*table, "a", "2");
  const auto rows = rows_of(*table);
  REQUIRE(rows.size() == 1);
  CHECK(rows[0].value == "2");
}

TEST_CASE("ObjectTableMakesItsFolderAndFileForTheOwnerOnly") {
  const TableFolder folder;
  const std::string path = folder.file("deep/state/store.db");
  auto table = opened(path);
  put(*table, "a", "1");
  CHECK(fs::status(fs::path(path).parent_path()).permissions() == fs::perms::owner_all);
  const auto for_owner = fs::perms::owner_read | fs::perms::owner_write;
  CHECK(fs::status(path).permissions() == for_owner);
  CHECK(fs::status(path + "-wal").permissions() == for_owner);
}

TEST_CASE("ObjectTableLetsOneOpenAtATime") {
  const TableFolder folder;
  auto table = opened(folder.file());
  SECTION("in the same process") {
    const Error error = refused(folder.file());
    CHECK(error.code == Code::not_ready);
    CHECK(error.text().find("another process has it open") != std::string::npos);
    CHECK(error.text().find(folder.file()) != std::string::npos);
  }
  SECTION("in another process") {
    const pid_t child = fork();
    if (child == 0) {
      auto second = ObjectTable::open(folder.file());
      _exit(!second && second.error().code == Code::not_ready ? 0 : 1);
    }
    int status = -1;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  // A refused second one took nothing away from the first.
  put(*table, "a", "1");
  table.reset();
  CHECK(rows_of(*opened(folder.file())).size() == 1);
}

TEST_CASE("ObjectTableRefusesAFileThatIsNoDatabaseAndLeavesIt") {
  const TableFolder folder;
  for (const std::string& bytes : {std::string("x"), std::string("models: []\n"), std::string(20'000, 'q')}) {
    TableFolder::write_bytes(folder.file(), bytes);
    const Error error = refused(folder.file());
    CHECK(error.code == Code::parse_error);
    CHECK(error.text().find("move it and its -wal file away") != std::string::npos);
    CHECK(TableFolder::bytes_of(folder.file()) == bytes);
  }
}

TEST_CASE("ObjectTableTakesAnEmptyFileAsNew") {
  const TableFolder folder;
  TableFolder::write_bytes(folder.file(), "");
  auto table = opened(folder.file());
  put(*table, "a", "1");
}

TEST_CASE("ObjectTableRefusesDatabasesOfOthersAndLeavesThem") {
  const TableFolder folder;
  const auto refuses = [&folder](const std::string& words) {
    const std::string before = TableFolder::bytes_of(folder.file());
    const Error error = refused(folder.file());
    CHECK(error.code == Code::unsupported);
    INFO(error.text());
    CHECK(error.text().find(words) != std::string::npos);
    CHECK(TableFolder::bytes_of(folder.file()) == before);
  };
  SECTION("another program's") {
    run_sql(folder.file(), "CREATE TABLE objects(key, value)");
    refuses("another program's database");
  }
  SECTION("another program's with a log") {
    run_sql(folder.file(), "PRAGMA journal_mode = WAL; CREATE TABLE t(x); INSERT INTO t VALUES(1)");
    refuses("another program's database");
  }
  SECTION("a newer format") {
    opened(folder.file()).reset();
    run_sql(folder.file(), "PRAGMA user_version = 2");
    refuses("format 2");
  }
  SECTION("other tables under our mark") {
    opened(folder.file()).reset();
    run_sql(folder.file(), "ALTER TABLE objects ADD COLUMN more");
    refuses("not those of jackdaw");
  }
}

TEST_CASE("ObjectTableSaysWhenItMayNotWrite") {
  if (geteuid() == 0) {
    WARN("skipped: root may write everywhere");
    return;
  }
  const TableFolder folder;
  opened(folder.file()).reset();
  fs::permissions(folder.file(), fs::perms::owner_read);
  CHECK(refused(folder.file()).code == Code::permission_denied);
}

TEST_CASE("ObjectTableNeverReadsADamagedRow") {
  const TableFolder folder;
  {
    auto table = opened(folder.file());
    for (int i = 0; i < 200; ++i) put(*table, "key/" + std::to_string(i), std::string(300, 'v') + std::to_string(i));
  }
  const std::string good = TableFolder::bytes_of(folder.file());
  int noticed = 0;
  std::uint64_t seed = 12345;
  for (int round = 0; round < 150; ++round) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    std::string bytes = good;
    bytes[(seed >> 20) % bytes.size()] ^= static_cast<char>(1u << ((seed >> 8) % 8));
    TableFolder::write_bytes(folder.file(), bytes);
    auto table = ObjectTable::open(folder.file());
    if (!table) {
      ++noticed;
      CHECK(TableFolder::bytes_of(folder.file()) == bytes);
      continue;
    }
    auto rows = (*table)->rows();
    if (!rows) {
      ++noticed;
      CHECK(rows.error().code == Code::parse_error);
      continue;
    }
    for (const ObjectRow& row : *rows) CHECK(row.value == std::string(300, 'v') + row.key.substr(4));
  }
  // The rest hit free space.
  CHECK(noticed > 75);
}

TEST_CASE("ObjectTableGoesOnAfterItsSizeLimit") {
  const TableFolder folder;
  ObjectTableOptions options;
  options.bytes_max = 200'000;
  auto table = opened(folder.file(), options);
  std::uint64_t written = 0;
  while (true) {
    const std::array<ObjectChange, 1> change{{{"k" + std::to_string(written), std::string(10'000, 'x')}}};
    const auto done = table->write(change, table->sequence() + 1);
    if (!done) {
      CHECK(done.error().code == Code::resource_exhausted);
      break;
    }
    REQUIRE(++written < 100);
  }
  CHECK(written > 10);
  CHECK(table->sequence() == written);
  CHECK(rows_of(*table).size() == written);
  const std::array<ObjectChange, 1> erase{{{"k0", "", true}}};
  REQUIRE(table->write(erase, table->sequence() + 1).has_value());
  put(*table, "k0", std::string(10'000, 'y'));
  table.reset();
  CHECK(rows_of(*opened(folder.file())).size() == written);
}

// The operating system refuses to make files longer than the limit, as a full disk does.
TEST_CASE("ObjectTableGoesOnAfterAFullDisk") {
  const TableFolder folder;
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    auto table = ObjectTable::open(folder.file());
    if (!table) _exit(1);
    const auto both = [&table](char letter, std::uint64_t sequence) {
      const std::string value(50'000, letter);
      const std::array<ObjectChange, 2> changes{{{"a", value}, {"b", value}}};
      return (*table)->write(changes, sequence);
    };
    if (!both('x', 1)) _exit(2);
    rlimit limit{};
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = 150'000;
    setrlimit(RLIMIT_FSIZE, &limit);
    for (int i = 0; i < 3; ++i) {
      const auto full = both('y', 2);
      if (full || full.error().code != Code::resource_exhausted) _exit(3);
    }
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_FSIZE, &limit);
    const std::array<ObjectChange, 1> last{{{"c", "last"}}};
    _exit((*table)->write(last, 2) ? 0 : 4);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  auto table = opened(folder.file());
  CHECK(table->sequence() == 2);
  const auto rows = rows_of(*table);
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].value == std::string(50'000, 'x'));
  CHECK(rows[1].value == std::string(50'000, 'x'));
}
