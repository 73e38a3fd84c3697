#include "src/storage/database.h"

#include <sqlite3.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace jackdaw::storage {
namespace {

std::string words_of(int error_number) {
  return std::generic_category().message(error_number);
}

// The operating system's number for a failed read or write; 0 when it is not known. A failed commit leaves it only with
// the file it happened in, which is the log more often than the database.
int error_number_of(sqlite3* connection, int result) {
  if (connection == nullptr) return 0;
  const int known = sqlite3_system_errno(connection);
  if (known != 0 || (result & 0xff) != SQLITE_IOERR) return known;
  for (const int which : {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER}) {
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(connection, "main", which, &file) != SQLITE_OK) continue;
    if (file == nullptr || file->pMethods == nullptr) continue;
    int number = 0;
    if (file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &number) == SQLITE_OK && number != 0) return number;
  }
  return 0;
}

bool is_out_of_space(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

void Statement::bind(int parameter, std::string_view text) {
  const char* bytes = text.data() == nullptr ? "" : text.data();
  CHECK(sqlite3_bind_text64(statement_.get(), parameter, bytes, text.size(), SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK);
}

void Statement::bind(int parameter, std::int64_t number) {
  CHECK(sqlite3_bind_int64(statement_.get(), parameter, number) == SQLITE_OK);
}

Result<bool> Statement::step() {
  const int result = sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return database_->error_of(result);
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

Result<void> Statement::run() {
  const Result<bool> stepped = step();
  reset();
  if (!stepped) return stepped.error();
  return {};
}

std::string_view Statement::text(int column) const {
  // The text first: asking for it may convert the value, which changes its length.
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  const int length = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string_view() : std::string_view(bytes, static_cast<std::size_t>(length));
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  std::unique_ptr<Database> database(new Database(path));
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int result = sqlite3_open_v2(path.c_str(), &database->connection_, flags, nullptr);
  if (result != SQLITE_OK) return database->error_of(result);
  sqlite3* connection = database->connection_;
  sqlite3_db_config(connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  // The lock is kept from the first read on; WAL then needs no shared memory file.
  JACKDAW_TRY(database->run("PRAGMA locking_mode = EXCLUSIVE"));
  JACKDAW_TRY(database->run("PRAGMA temp_store = MEMORY"));
  JACKDAW_TRY(database->run("PRAGMA cell_size_check = ON"));
  if (sqlite3_db_readonly(connection, "main") == 1) return database->error_of(SQLITE_READONLY);
  return database;
}

Database::~Database() {
  sqlite3_close_v2(connection_);
}

void Database::allow_checkpoints() {
  sqlite3_db_config(connection_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, nullptr);
}

Result<Statement> Database::prepare(std::string_view sql) const {
  sqlite3_stmt* prepared = nullptr;
  const int result = sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  if (result != SQLITE_OK) return error_of(result);
  Statement statement;
  statement.database_ = this;
  statement.statement_.reset(prepared);
  return statement;
}

Result<void> Database::run(std::string_view sql) const {
  JACKDAW_ASSIGN(Statement statement, prepare(sql));
  while (true) {
    JACKDAW_ASSIGN(const bool row, statement.step());
    if (!row) return {};
  }
}

Result<std::int64_t> Database::number_of(std::string_view sql) const {
  JACKDAW_ASSIGN(Statement statement, prepare(sql));
  JACKDAW_ASSIGN(const bool row, statement.step());
  return row ? statement.number(0) : 0;
}

Result<std::string> Database::text_of(std::string_view sql) const {
  JACKDAW_ASSIGN(Statement statement, prepare(sql));
  JACKDAW_ASSIGN(const bool row, statement.step());
  return row ? std::string(statement.text(0)) : std::string();
}

void Database::roll_back() const {
  if (sqlite3_get_autocommit(connection_) != 0) return;
  // Fails only when SQLite has rolled back by itself.
  (void)run("ROLLBACK");
}

Error Database::error_of(int result) const {
  const int error_number = error_number_of(connection_, result);
  const std::string words = error_number == 0 ? sqlite3_errstr(result) : words_of(error_number);
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return make_error(Code::not_ready, "another process has it open; stop that one, or give this one its own folder")
          .at(path_);
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return make_error(Code::parse_error,
                        "the file is damaged or no database ({}); it was left as it is: move it and its -wal file "
                        "away, then start again",
                        connection_ == nullptr ? sqlite3_errstr(result) : sqlite3_errmsg(connection_))
          .at(path_);
    case SQLITE_FULL:
      return make_error(Code::resource_exhausted, "the disk is full, or the file's size limit is reached; make room")
          .at(path_);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return make_error(Code::permission_denied, "the file cannot be written; check its owner and mode").at(path_);
    default:
      break;
  }
  if (is_out_of_space(error_number)) {
    return make_error(Code::resource_exhausted, "no room to write ({}); make room", words).at(path_);
  }
  if (error_number == EACCES || error_number == EPERM) {
    return make_error(Code::permission_denied, "{}; check the owner and mode of the file and its folder", words)
        .at(path_);
  }
  return make_error(Code::io_error, "{} (SQLite {})", words, result).at(path_);
}

}  // namespace jackdaw::storage
