// Hostile and broken model files: each is refused with a reason, or loads without anything in it being called.
#include <simdjson.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>

#include "sklearn_harness.h"

using namespace jackdaw;
using namespace jackdaw::predict::testing;

namespace {

const std::filesystem::path hostile_folder = JACKDAW_SOURCE_DIR "/tests/data/hostile";

struct HostileFile {
  std::string file;
  std::string as_model;
  std::string why;
};

std::vector<HostileFile> read_index() {
  std::vector<HostileFile> out;
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.load((hostile_folder / "index.json").string());
  for (simdjson::dom::element e : root["files"].get_array()) {
    out.push_back({std::string(std::string_view(e["file"])), std::string(std::string_view(e["as_model"])),
                   std::string(std::string_view(e["why"]))});
  }
  return out;
}

}  // namespace

TEST_CASE("RefusesHostileModelsWithAReason", "[sklearn]") {
  const std::vector<HostileFile> files = read_index();
  REQUIRE(files.size() > 50);
  for (const HostileFile& file : files) {
    INFO(file.file << ": " << file.why);
    const auto begin = std::chrono::steady_clock::now();
    const auto model = load_model(hostile_folder / file.file);
    REQUIRE(std::chrono::steady_clock::now() - begin < std::chrono::seconds(20));
    REQUIRE(model.has_value() == (file.as_model == "serves"));
    if (!model) {
      REQUIRE(!model.error().message.empty());
      // A bomb is refused as a whole; everything else says where.
      REQUIRE((!model.error().where.empty() || model.error().code == Code::too_large));
    }
    REQUIRE_FALSE(std::filesystem::exists("/tmp/jackdaw-was-here"));
  }
}

TEST_CASE("NamesTheStepAndClassOfUserCode", "[sklearn]") {
  const auto model = load_model(hostile_folder / "user_step.pkl");
  REQUIRE_FALSE(model.has_value());
  REQUIRE(model.error().code == Code::unsupported);
  INFO(model.error().text());
  REQUIRE(model.error().where.find("steps['") != std::string::npos);
  REQUIRE(model.error().message.find("__main__.") != std::string::npos);
  REQUIRE(model.error().message.find("Python code") != std::string::npos);
}

TEST_CASE("RefusesAPipelineThatContainsItself", "[sklearn]") {
  const auto model = load_model(hostile_folder / "cyclic_pipeline.pkl");
  REQUIRE_FALSE(model.has_value());
  INFO(model.error().text());
  REQUIRE(model.error().message.find("contains itself") != std::string::npos);
}
