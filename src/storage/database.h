// Database: one SQLite connection that keeps its file to itself, and its prepared Statements. The only place that knows
// SQLite's error codes. One thread at a time; every call may block on the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "jackdaw/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace jackdaw::storage {

class Database;

// Parameters count from 1, columns from 0, as in SQLite.
class Statement {
 public:
  Statement() = default;

  // The text must live until the next reset().
  void bind(int parameter, std::string_view text);
  void bind(int parameter, std::int64_t number);
  // True: there is a row to read. False: done.
  Result<bool> step();
  // Ends a run, so that the next may begin; forgets what was bound.
  void reset();
  // step() and reset() of a statement without rows.
  Result<void> run();

  // Of the current row; a text lives until the next step() or reset().
  std::string_view text(int column) const;
  std::int64_t number(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  const Database* database_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  // Opens the file, which must exist (it may be empty), for reading and writing; nothing is written yet. Until
  // allow_checkpoints(), closing leaves the file and its log as they were found.
  static Result<std::unique_ptr<Database>> open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void allow_checkpoints();

  Result<Statement> prepare(std::string_view sql) const;
  // One statement, rows ignored.
  Result<void> run(std::string_view sql) const;
  // The first column of the first row; 0 when there is none.
  Result<std::int64_t> number_of(std::string_view sql) const;
  Result<std::string> text_of(std::string_view sql) const;
  // Ends a transaction that is still open, whatever state it is in.
  void roll_back() const;

  // What an SQLite result means for the user, with the path: not_ready (another process has it), parse_error (no
  // database, or a damaged one), resource_exhausted (disk or size limit), permission_denied, io_error.
  Error error_of(int result) const;

 private:
  explicit Database(std::string path) : path_(std::move(path)) {}

  std::string path_;
  sqlite3* connection_ = nullptr;
};

}  // namespace jackdaw::storage
