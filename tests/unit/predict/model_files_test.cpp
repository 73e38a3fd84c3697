#include "src/predict/model_files.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "tests/unit/temporary_folder.h"

namespace jackdaw::predict {
namespace {

using testing::TemporaryFolder;

engine::EngineSpec spec_for(const TemporaryFolder& folder, const std::string& format, bool mlserver) {
  engine::EngineSpec spec;
  spec.path = folder.path();
  spec.model_format = format;
  spec.mlserver_dialect = mlserver;
  return spec;
}

std::string found(const engine::EngineSpec& spec) {
  auto file = find_model_file(spec);
  if (!file) FAIL(file.error().text());
  return std::filesystem::path(file->path).filename().string();
}

Error refusal(const engine::EngineSpec& spec) {
  auto file = find_model_file(spec);
  REQUIRE(!file.has_value());
  return file.error();
}

}  // namespace

TEST_CASE("KserveTakesTheOneFileWithAnExtensionOfTheFormat", "[model_files]") {
  const TemporaryFolder folder;
  folder.write("anything.pickle", "x");
  folder.write("README.md", "x");
  folder.write("other.bst", "x");
  CHECK(found(spec_for(folder, "sklearn", false)) == "anything.pickle");
  CHECK(found(spec_for(folder, "xgboost", false)) == "other.bst");
  CHECK(found(spec_for(folder, "lightgbm", false)) == "other.bst");
}

TEST_CASE("KserveRefusesTwoModelFilesInItsOwnWords", "[model_files]") {
  const TemporaryFolder folder;
  folder.write("a.json", "x");
  folder.write("b.ubj", "x");
  const Error error = refusal(spec_for(folder, "xgboost", false));
  CHECK(error.message.starts_with("More than one model file is detected, Only one is allowed within model_dir: ["));
  CHECK(error.message.find("a.json") != std::string::npos);
  CHECK(error.message.find("b.ubj") != std::string::npos);
}

TEST_CASE("SaysWhichFileIsMissing", "[model_files]") {
  const TemporaryFolder folder;
  folder.write("model.txt", "x");
  CHECK(refusal(spec_for(folder, "sklearn", false)).code == Code::not_found);
  CHECK(refusal(spec_for(folder, "sklearn", false)).message.find(".joblib, .pkl, .pickle") != std::string::npos);
  CHECK(refusal(spec_for(folder, "lightgbm", true)).message.find("expected model.bst") != std::string::npos);
  engine::EngineSpec gone = spec_for(folder, "sklearn", false);
  gone.path += "/nowhere";
  CHECK(refusal(gone).code == Code::not_found);
  gone.model_format = "onnx";
  CHECK(refusal(gone).code == Code::unsupported);
}

TEST_CASE("DoesNotTakeDirectoriesForModels", "[model_files]") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "a.json");
  CHECK(refusal(spec_for(folder, "xgboost", false)).code == Code::not_found);
}

TEST_CASE("FollowsLinksAsKubernetesMountsThem", "[model_files]") {
  const TemporaryFolder folder;
  folder.write("..2026_data", "x");
  std::filesystem::create_symlink(folder / "..2026_data", folder / "model.ubj");
  CHECK(found(spec_for(folder, "xgboost", false)) == "model.ubj");
}

TEST_CASE("MlserverTakesWellKnownNamesInItsOrder", "[model_files]") {
  const TemporaryFolder folder;
  folder.write("model.pkl", "x");
  folder.write("model.pickle", "x");
  folder.write("aaa.joblib", "x");
  CHECK(found(spec_for(folder, "sklearn", true)) == "model.pickle");
  folder.write("model.joblib", "x");
  CHECK(found(spec_for(folder, "sklearn", true)) == "model.joblib");
}

TEST_CASE("MlserverHonoursModelSettings", "[model_files]") {
  const TemporaryFolder folder;
  folder.write("my-model.joblib", "x");
  folder.write("model-settings.json",
               R"({"parameters":{"uri":"./my-model.joblib","extra":{"predict_fn":"predict_proba"}}})");
  const auto file = find_model_file(spec_for(folder, "sklearn", true));
  REQUIRE(file.has_value());
  CHECK(file->path.ends_with("my-model.joblib"));
  CHECK(file->predict_fn == "predict_proba");
}

TEST_CASE("ModelSettingsCannotLeaveTheDirectory", "[model_files]") {
  for (const std::string uri : {"/etc/passwd", "../x.joblib", "a/../../x.joblib"}) {
    const TemporaryFolder folder;
    folder.write("model-settings.json", R"({"parameters":{"uri":")" + uri + R"("}})");
    CHECK(refusal(spec_for(folder, "sklearn", true)).code == Code::permission_denied);
  }
  const TemporaryFolder broken;
  broken.write("model-settings.json", "{");
  CHECK(refusal(spec_for(broken, "sklearn", true)).code == Code::parse_error);
}

TEST_CASE("ReadsWholeFilesWithinTheLimit", "[model_files]") {
  const TemporaryFolder folder;
  folder.write("m", "12345");
  auto bytes = read_model_file(folder / "m", 5);
  REQUIRE(bytes.has_value());
  CHECK(bytes->size() == 5);
  CHECK(read_model_file(folder / "m", 4).error().code == Code::too_large);
  CHECK(read_model_file(folder / "n", 0).error().code == Code::not_found);
  CHECK(read_model_file(folder.path(), 0).error().code == Code::io_error);
}

}  // namespace jackdaw::predict
