#include <catch2/catch.hpp>

#include "formats/ubjson_cursor.h"

namespace jackdaw::formats {
namespace {

using namespace std::string_literals;

constexpr std::uint32_t nesting = 8;

// A cursor and the bytes it looks at.
class Held {
 public:
  explicit Held(std::string bytes) : bytes_(std::move(bytes)), cursor_(ubjson_cursor(as_bytes(bytes_), nesting)) {}
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  ValueCursor* operator->() const { return cursor_.get(); }

 private:
  std::string bytes_;
  std::unique_ptr<ValueCursor> cursor_;
};
Held cursor_over(const std::string& bytes) {
  return Held(bytes);
}

template <typename T>
void refused(const Result<T>& result, const std::string& words) {
  REQUIRE(!result.has_value());
  INFO(result.error().text());
  CHECK(result.error().text().find(words) != std::string::npos);
  CHECK(result.error().where.starts_with("offset "));
}

}  // namespace

TEST_CASE("ReadsTypedArraysBigEndian", "[ubjson]") {
  const std::string floats = "[$d#L\0\0\0\0\0\0\0\2\x3f\x80\0\0\xc0\0\0\0"s;
  auto values = cursor_over(floats)->floats();
  REQUIRE(values.has_value());
  CHECK(*values == std::vector<float>{1.0f, -2.0f});
  const std::string ints = "[$l#i\2\xff\xff\xff\xff\0\0\1\0"s;
  auto numbers = cursor_over(ints)->integers();
  REQUIRE(numbers.has_value());
  CHECK(*numbers == std::vector<std::int64_t>{-1, 256});
}

TEST_CASE("ReadsCountedAndPlainArraysOfMixedNumbers", "[ubjson]") {
  auto plain = cursor_over("[i\1U\xffI\1\0T]"s)->integers();
  REQUIRE(plain.has_value());
  CHECK(*plain == std::vector<std::int64_t>{1, 255, 256, 1});
  auto counted = cursor_over("[#i\2i\5D\x3f\xf0\0\0\0\0\0\0"s)->doubles();
  REQUIRE(counted.has_value());
  CHECK(*counted == std::vector<double>{5.0, 1.0});
}

TEST_CASE("ReadsObjectsWithBareKeys", "[ubjson]") {
  auto cursor = cursor_over("{L\0\0\0\0\0\0\0\1aSi\2hii\1bZ}"s);
  std::vector<std::string> seen;
  auto done = cursor->object([&](std::string_view key) -> Result<void> {
    JACKDAW_ASSIGN(const std::string value, cursor->scalar());
    seen.push_back(std::string(key) + "=" + value);
    return {};
  });
  REQUIRE(done.has_value());
  CHECK(seen == std::vector<std::string>{"a=hi", "b=null"});
  CHECK(cursor->expect_end().has_value());
}

TEST_CASE("RefusesLyingUbjsonLengths", "[ubjson]") {
  refused(cursor_over("[$d#L\x7f\xff\xff\xff\xff\xff\xff\xff"s)->floats(), "elements");
  refused(cursor_over("[$d#L\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\0"s)->floats(), "claims 3 elements");
  refused(cursor_over("[$d#L\xff\xff\xff\xff\xff\xff\xff\xff"s)->floats(), "negative");
  refused(cursor_over("[#L\0\0\1\0\0\0\0\0"s)->integers(), "elements");
  refused(cursor_over("SL\0\0\0\0\0\0\0\x09hi"s)->scalar(), "claims 9 bytes, 2 are left");
  refused(cursor_over("Si\xff"s)->scalar(), "negative");
  refused(cursor_over("{L\0\0\0\0\0\0\1\0a"s)->object([](auto) { return Result<void>(); }), "claims 256 bytes");
}

TEST_CASE("RefusesWhatUbjsonOfXgboostDoesNotHave", "[ubjson]") {
  refused(cursor_over("{#i\1"s)->object([](auto) { return Result<void>(); }), "Counted objects");
  refused(cursor_over("[$Z#i\5"s)->integers(), "Typed arrays hold numbers");
  refused(cursor_over("[$S#i\1"s)->integers(), "Typed arrays hold numbers");
  refused(cursor_over("[$di\1"s)->floats(), "needs a count");
  refused(cursor_over("Hi\1"
                      "5"s)
              ->scalar(),
          "Expected a text or number");
  refused(cursor_over("N"s)->scalar(), "Expected a text or number");
  refused(cursor_over("[S"s)->integers(), "Expected a number");
  refused(cursor_over("[$d#i\1\0\0\0\0"s)->integers(), "Expected an integer");
  refused(cursor_over("Si\2\xff\xfe"s)->scalar(), "UTF-8");
}

TEST_CASE("RefusesDeepUbjson", "[ubjson]") {
  const std::string deep(100000, '[');
  refused(cursor_over(deep)->skip(), "nested deeper than 8");
  std::string objects;
  for (int i = 0; i < 1000; ++i) objects += "{i\1a"s;
  refused(cursor_over(objects)->skip(), "nested deeper than 8");
}

TEST_CASE("SkipsTypedArraysElementByElement", "[ubjson]") {
  auto cursor = cursor_over("[[$I#i\2\0\1\0\2i\7]"s);
  CHECK(cursor->skip().has_value());
  CHECK(cursor->expect_end().has_value());
}

TEST_CASE("RefusesEveryTruncatedUbjsonValue", "[ubjson]") {
  const std::string whole = "{i\1aSi\2hii\1b[$d#i\2\0\0\0\0\0\0\0\0i\1c[i\1T]}"s;
  CHECK(cursor_over(whole)->skip().has_value());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string part = whole.substr(0, size);
    INFO(size);
    CHECK(!cursor_over(part)->skip().has_value());
  }
}

}  // namespace jackdaw::formats
