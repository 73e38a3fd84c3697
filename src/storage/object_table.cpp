// The file: an SQLite database, application_id "jckd", user_version 1.
//   objects(key, value, version, checksum)   checksum: FNV-1a 64 over key, value and version, each ended by a zero byte
//   state(id = 0, sequence)
// SQLite keeps its own structure and log safe; the checksum finds bytes that rotted inside a row.
#include "jackdaw/storage/object_table.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "src/storage/database.h"

namespace jackdaw::storage {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t application_id = 0x6a636b64;  // "jckd"
constexpr std::int64_t format_version = 1;
constexpr std::uint64_t page_bytes = 4096;

constexpr std::array<std::string_view, 2> schema{
    "CREATE TABLE objects(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL, version TEXT NOT NULL, "
    "checksum INTEGER NOT NULL)",
    "CREATE TABLE state(id INTEGER PRIMARY KEY CHECK (id = 0), sequence INTEGER NOT NULL)",
};

Error refusal(const std::string& path, std::string_view what) {
  return make_error(Code::unsupported,
                    "{}; it was left as it is: give jackdaw another folder, or move the file away and start again",
                    what)
      .at(path);
}

Error refusal_of_damage(const std::string& path, std::string_view what) {
  return make_error(Code::parse_error,
                    "the file is damaged ({}); it was left as it is: move it and its -wal file away, then start again",
                    what)
      .at(path);
}

std::int64_t checksum_of(const std::array<std::string_view, 3>& parts) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto mix = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001b3u; };
  for (const std::string_view part : parts) {
    for (const char byte : part) mix(static_cast<unsigned char>(byte));
    mix(0);
  }
  return static_cast<std::int64_t>(hash);
}

Error os_error(const std::string& path, std::string_view verb, int error_number) {
  const Code code = error_number == EACCES || error_number == EPERM ? Code::permission_denied
                    : error_number == ENOSPC                        ? Code::resource_exhausted
                                                                    : Code::io_error;
  return make_error(code, "cannot {}: {}", verb, std::generic_category().message(error_number)).at(path);
}

// The folder of the file, made when it is missing and then for its owner only.
Result<void> make_folder(const fs::path& folder) {
  std::error_code failed;
  if (fs::exists(folder, failed)) return {};
  fs::create_directories(folder, failed);
  if (!failed) fs::permissions(folder, fs::perms::owner_all, failed);
  if (failed) return os_error(folder.string(), "make the folder", failed.value());
  return {};
}

// An empty file for its owner only. One that is there is not even opened: closing it would drop this process's locks.
Result<void> make_file(const std::string& path) {
  std::error_code failed;
  if (fs::exists(path, failed)) {
    const auto size = fs::file_size(path, failed);
    // SQLite takes a file of one byte for an empty one and would write over it.
    if (!failed && size > 0 && size < page_bytes) return refusal_of_damage(path, "it is too short to be a database");
    return {};
  }
  const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return os_error(path, "create the file", errno);
  ::close(file);
  return {};
}

// A new file is there after a power cut only when its folder is on disk too.
Result<void> sync_folder(const fs::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return os_error(folder.string(), "open the folder", errno);
  const int failed = ::fsync(file) == 0 ? 0 : errno;
  ::close(file);
  // Some file systems have no fsync of folders.
  if (failed != 0 && failed != EINVAL) return os_error(folder.string(), "sync the folder", failed);
  return {};
}

class SqliteTable final : public ObjectTable {
 public:
  SqliteTable(std::string path, std::unique_ptr<Database> database)
      : path_(std::move(path)), database_(std::move(database)) {}

  Result<void> start(const ObjectTableOptions& options);
  Result<std::vector<ObjectRow>> rows() override;
  std::uint64_t sequence() const override { return sequence_; }
  Result<void> write(std::span<const ObjectChange> changes, std::uint64_t sequence) override;

 private:
  Result<bool> is_new() const;
  Result<void> check_format() const;
  Result<void> check_pages() const;
  Result<void> use_log() const;
  Result<void> create() const;
  Result<void> prepare();
  Result<void> write_all(std::span<const ObjectChange> changes, std::uint64_t sequence);
  Result<void> put(const ObjectChange& change);

  std::string path_;
  std::unique_ptr<Database> database_;
  Statement begin_, commit_, put_, erase_, set_sequence_;
  std::uint64_t sequence_ = 0;
};

Result<void> SqliteTable::start(const ObjectTableOptions& options) {
  JACKDAW_ASSIGN(const bool fresh, is_new());
  if (!fresh) {
    JACKDAW_TRY(check_format());
    JACKDAW_TRY(check_pages());
  }
  JACKDAW_TRY(use_log());
  if (fresh) JACKDAW_TRY(create());
  if (options.bytes_max > 0) {
    const std::uint64_t pages = std::max<std::uint64_t>(options.bytes_max / page_bytes, 1);
    JACKDAW_TRY(database_->run(fmt::format("PRAGMA max_page_count = {}", pages)));
  }
  JACKDAW_ASSIGN(const std::int64_t sequence, database_->number_of("SELECT sequence FROM state WHERE id = 0"));
  sequence_ = static_cast<std::uint64_t>(sequence);
  JACKDAW_TRY(prepare());
  database_->allow_checkpoints();
  return {};
}

// A file without any content, as it is between its making and the first commit.
Result<bool> SqliteTable::is_new() const {
  JACKDAW_ASSIGN(const std::int64_t id, database_->number_of("PRAGMA application_id"));
  JACKDAW_ASSIGN(const std::int64_t tables, database_->number_of("SELECT count(*) FROM sqlite_schema"));
  return id == 0 && tables == 0;
}

Result<void> SqliteTable::check_format() const {
  JACKDAW_ASSIGN(const std::int64_t id, database_->number_of("PRAGMA application_id"));
  if (id != application_id) return refusal(path_, "this is another program's database");
  JACKDAW_ASSIGN(const std::int64_t version, database_->number_of("PRAGMA user_version"));
  if (version != format_version) {
    return refusal(path_, fmt::format("this is format {} of jackdaw's store, and this jackdaw reads format {}", version,
                                      format_version));
  }
  for (const std::string_view sql : schema) {
    JACKDAW_ASSIGN(Statement find, database_->prepare("SELECT 1 FROM sqlite_schema WHERE sql = ?1"));
    find.bind(1, sql);
    JACKDAW_ASSIGN(const bool found, find.step());
    if (!found) return refusal(path_, "its tables are not those of jackdaw's store");
  }
  return {};
}

Result<void> SqliteTable::check_pages() const {
  JACKDAW_ASSIGN(const std::string verdict, database_->text_of("PRAGMA quick_check(1)"));
  return verdict == "ok" ? Result<void>() : refusal_of_damage(path_, verdict);
}

// Every commit waits for the log to be on disk. The log is cut back to 4 MiB after it was long.
Result<void> SqliteTable::use_log() const {
  JACKDAW_ASSIGN(const std::string mode, database_->text_of("PRAGMA journal_mode = WAL"));
  if (mode != "wal") return make_error(Code::io_error, "the file system cannot hold SQLite's log").at(path_);
  JACKDAW_TRY(database_->run("PRAGMA synchronous = FULL"));
  return database_->run("PRAGMA journal_size_limit = 4194304");
}

Result<void> SqliteTable::create() const {
  JACKDAW_TRY(database_->run("BEGIN EXCLUSIVE"));
  for (const std::string_view sql : schema) JACKDAW_TRY(database_->run(sql));
  JACKDAW_TRY(database_->run("INSERT INTO state VALUES(0, 0)"));
  JACKDAW_TRY(database_->run(fmt::format("PRAGMA application_id = {}", application_id)));
  JACKDAW_TRY(database_->run(fmt::format("PRAGMA user_version = {}", format_version)));
  JACKDAW_TRY(database_->run("COMMIT"));
  const fs::path folder = fs::path(path_).parent_path();
  // The folder may be new as well; one that may not be opened was not made by us.
  (void)sync_folder(folder.parent_path());
  return sync_folder(folder);
}

Result<void> SqliteTable::prepare() {
  JACKDAW_ASSIGN(begin_, database_->prepare("BEGIN IMMEDIATE"));
  JACKDAW_ASSIGN(commit_, database_->prepare("COMMIT"));
  JACKDAW_ASSIGN(put_, database_->prepare("INSERT INTO objects VALUES(?1, ?2, ?3, ?4) ON CONFLICT(key) DO UPDATE "
                                          "SET value = ?2, version = ?3, checksum = ?4"));
  JACKDAW_ASSIGN(erase_, database_->prepare("DELETE FROM objects WHERE key = ?1"));
  JACKDAW_ASSIGN(set_sequence_, database_->prepare("UPDATE state SET sequence = ?1 WHERE id = 0"));
  return {};
}

Result<std::vector<ObjectRow>> SqliteTable::rows() {
  JACKDAW_ASSIGN(Statement all, database_->prepare("SELECT key, value, version, checksum FROM objects ORDER BY key"));
  std::vector<ObjectRow> out;
  while (true) {
    JACKDAW_ASSIGN(const bool row, all.step());
    if (!row) return out;
    ObjectRow read{std::string(all.text(0)), std::string(all.text(1)), std::string(all.text(2))};
    if (checksum_of({read.key, read.value, read.version}) != all.number(3)) {
      return make_error(Code::parse_error,
                        "the row '{}' is damaged; move the file and its -wal file away, then start again", read.key)
          .at(path_);
    }
    out.push_back(std::move(read));
  }
}

Result<void> SqliteTable::write(std::span<const ObjectChange> changes, std::uint64_t sequence) {
  CHECK(sequence > sequence_);
  Result<void> written = write_all(changes, sequence);
  if (!written) {
    database_->roll_back();
    return written;
  }
  sequence_ = sequence;
  return {};
}

Result<void> SqliteTable::write_all(std::span<const ObjectChange> changes, std::uint64_t sequence) {
  JACKDAW_TRY(begin_.run());
  for (const ObjectChange& change : changes) JACKDAW_TRY(put(change));
  set_sequence_.bind(1, static_cast<std::int64_t>(sequence));
  JACKDAW_TRY(set_sequence_.run());
  return commit_.run();
}

Result<void> SqliteTable::put(const ObjectChange& change) {
  if (change.erase) {
    erase_.bind(1, change.key);
    return erase_.run();
  }
  put_.bind(1, change.key);
  put_.bind(2, change.value);
  put_.bind(3, change.version);
  put_.bind(4, checksum_of({change.key, change.value, change.version}));
  return put_.run();
}

}  // namespace

Result<std::unique_ptr<ObjectTable>> ObjectTable::open(const std::string& path, const ObjectTableOptions& options) {
  std::error_code failed;
  // Absolute, because SQLite gives names such as ":memory:" and "file:x?y" a meaning of their own.
  const fs::path absolute = fs::absolute(path, failed).lexically_normal();
  if (failed) return os_error(path, "find the file", failed.value());
  JACKDAW_TRY(make_folder(absolute.parent_path()));
  JACKDAW_TRY(make_file(absolute.string()));
  JACKDAW_ASSIGN(std::unique_ptr<Database> database, Database::open(absolute.string()));
  auto table = std::make_unique<SqliteTable>(absolute.string(), std::move(database));
  JACKDAW_TRY(table->start(options));
  return std::unique_ptr<ObjectTable>(std::move(table));
}

}  // namespace jackdaw::storage
