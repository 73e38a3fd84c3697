#include "jackdaw/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>

#include "tests/unit/temporary_folder.h"

namespace jackdaw {
namespace {

namespace fs = std::filesystem;

Error refusal(const fs::path& path, std::size_t bytes_max) {
  const Result<std::string> read = read_file(path, bytes_max);
  REQUIRE_FALSE(read.has_value());
  return read.error();
}

}  // namespace

TEST_CASE("FilesAreReadWhole") {
  const testing::TemporaryFolder folder;
  CHECK(read_file(folder.write("empty", ""), 10).value().empty());
  const std::string zeros("a\0b\n", 4);
  CHECK(read_file(folder.write("zeros", zeros), 4).value() == zeros);
  const std::string many(200'001, 'x');  // more than is read at once
  CHECK(read_file(folder.write("many", many), 1 << 20).value() == many);
  fs::create_symlink(folder / "zeros", folder / "link");
  CHECK(read_file(folder / "link", 4).value() == zeros);
  // The size of such files is said to be 0.
  CHECK_FALSE(read_file("/proc/self/status", 1 << 20).value().empty());
}

TEST_CASE("FilesOverTheLimitAreRefused") {
  const testing::TemporaryFolder folder;
  const fs::path path = folder.write("five", "12345");
  CHECK(read_file(path, 5).has_value());
  CHECK(refusal(path, 4).code == Code::too_large);
  CHECK(refusal(path, 4).message == "is larger than 4 bytes");
  fs::resize_file(path, std::uintmax_t{1} << 40);  // a hole: it costs no disk, and must cost no memory
  CHECK(refusal(path, 1 << 20).message == "is larger than 1 MiB");
  CHECK(refusal(path, 64 << 10).message == "is larger than 64 KiB");
  CHECK(refusal("/proc/self/status", 10).code == Code::too_large);
}

TEST_CASE("WhatIsNoFileIsRefusedAndDoesNotBlock") {
  const testing::TemporaryFolder folder;
  CHECK(refusal(folder / "absent", 10).code == Code::not_found);
  CHECK(refusal(folder / "absent", 10).message == "cannot be read: No such file or directory");
  CHECK(refusal(folder.write("file", "") / "below", 10).code == Code::not_found);
  CHECK(refusal(folder / "", 10).message == "is a folder");
  CHECK(refusal("/dev/zero", 10).code == Code::invalid_argument);
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(refusal(folder / "pipe", 10).message == "is a pipe or a device, not a file");
}

TEST_CASE("CompanionsMayBeAbsent") {
  const testing::TemporaryFolder folder;
  CHECK(read_file_if_present(folder / "absent", 10).value() == std::nullopt);
  CHECK(read_file_if_present(folder.write("there", "text"), 10).value() == "text");
  const Error error = read_file_if_present(folder / "", 10).error();
  CHECK(error.code == Code::invalid_argument);
  CHECK(error.text() == (folder / "").string() + ": The file is a folder.");
}

TEST_CASE("DescriptorsAreReadToTheirEndOrTheLimit") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  REQUIRE(write(ends[1], "hello", 5) == 5);
  CHECK(read_descriptor(ends[0], 3).value() == "hel");
  close(ends[1]);
  CHECK(read_descriptor(ends[0], 10).value() == "lo");
  CHECK(read_descriptor(ends[0], 10).value().empty());
  close(ends[0]);
  CHECK(read_descriptor(ends[0], 10).error().code == Code::io_error);
}

}  // namespace jackdaw
