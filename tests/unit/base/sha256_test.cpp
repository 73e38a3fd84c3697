#include "jackdaw/base/sha256.h"

#include <catch2/catch.hpp>
#include <string>

using namespace jackdaw;

namespace {

bool is_hash_of(std::string_view text, std::string_view hex) {
  return equal_in_constant_time(sha256(text), sha256_from_hex(hex).value());
}

}  // namespace

// FIPS 180-4's examples, and lengths around a block's end as coreutils' sha256sum has them.
TEST_CASE("Sha256HashesAsTheStandardSays") {
  CHECK(is_hash_of("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
  CHECK(is_hash_of("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  CHECK(is_hash_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
  CHECK(is_hash_of(std::string(55, 'a'), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"));
  CHECK(is_hash_of(std::string(64, 'a'), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"));
  CHECK(is_hash_of(std::string(1'000'000, 'a'), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
}

TEST_CASE("OnlySixtyFourHexadecimalDigitsAreAHash") {
  const std::string hex = "BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  CHECK(sha256_from_hex(hex).value() == sha256("abc"));
  CHECK_FALSE(sha256_from_hex("").has_value());
  CHECK_FALSE(sha256_from_hex(hex.substr(1)).has_value());
  CHECK_FALSE(sha256_from_hex("g" + hex.substr(1)).has_value());
  CHECK_FALSE(equal_in_constant_time(sha256("abc"), sha256("abd")));
}
