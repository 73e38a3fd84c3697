#include "jackdaw/spec/finding.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "jackdaw/spec/load.h"
#include "tests/unit/temporary_folder.h"

using namespace jackdaw;
using namespace jackdaw::spec;

namespace {

const std::string iris =
    "apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: iris}\n"
    "spec: {predictor: {sklearn: {storageUri: /m}}}\n";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

}  // namespace

TEST_CASE("FindingsShowTheLineWithACaret") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.write("a.yaml", replaced(iris, "metadata:", "metadta: {ä: 1}\nmetadata:"));
  const std::vector<std::string> paths = {file};
  const auto config = load_config(paths);
  CHECK(render_findings_text(config.findings) ==
        file + ":3:1: error: unknown field 'metadta' in the document; did you mean 'metadata'?\n" +
            "     3 | metadta: {ä: 1}\n       | ^\n");
  RenderOptions plain;
  plain.source_lines = false;
  CHECK(render_findings_text(config.findings, plain) ==
        file + ":3:1: error: unknown field 'metadta' in the document; did you mean 'metadata'?\n");
}

TEST_CASE("FindingsNeverSendControlCharactersToTheTerminal") {
  Finding finding;
  finding.place.file = "x\x1b[31m.yaml";
  finding.message = "bad \x1b]0;title\x07 \x7f \xc2\x9b";
  const std::string text = render_findings_text(std::vector<Finding>{finding});
  CHECK(text == "x?[31m.yaml: error: bad ?]0;title? ? ?\n");
}

TEST_CASE("LongSourceLinesAreCutAroundTheCaret") {
  const testing::TemporaryFolder folder;
  const std::string file = folder.write("a.yaml", std::string(500, 'x') + "HERE" + std::string(500, 'y') + "\n");
  Finding finding;
  finding.place = {file, 1, 501, ""};
  RenderOptions options;
  options.width = 60;
  const std::string text = render_findings_text(std::vector<Finding>{finding}, options);
  const auto here = text.find("HERE"), caret = text.find('^');
  REQUIRE(here != std::string::npos);
  REQUIRE(caret != std::string::npos);
  CHECK(here - text.rfind('\n', here) == caret - text.rfind('\n', caret));
}

TEST_CASE("FindingsAsJsonHoldEveryField") {
  Finding finding;
  finding.kind = FindingKind::unknown_field;
  finding.place = {"a.yaml", 2, 3, "/spec"};
  finding.path = "spec";
  finding.message = "a \"b\"";
  Finding note;
  note.severity = Severity::report;
  note.kind = FindingKind::no_effect;
  CHECK(render_findings_json(std::vector<Finding>{finding, note}) ==
        R"({"errors":1,"notes":1,"findings":[{"severity":"error","kind":"unknown_field","file":"a.yaml","line":2,)"
        R"("column":3,"pointer":"/spec","path":"spec","message":"a \"b\""},{"severity":"note","kind":"no_effect",)"
        R"("file":"","line":0,"column":0,"pointer":"","path":"","message":""}]})");
}

TEST_CASE("AFolderIsReadByNameAndNotBelow") {
  const testing::TemporaryFolder folder;
  folder.write("b.yml", replaced(iris, "iris", "second"));
  folder.write("a.yaml", iris);
  folder.write("c.json", R"({"apiVersion":"serving.kserve.io/v1beta1","kind":"InferenceService",
"metadata":{"name":"third"},"spec":{"predictor":{"sklearn":{"storageUri":"m"}}}})");
  folder.write("notes.txt", "not: read");
  folder.write(".hidden.yaml", "not: read");
  std::filesystem::create_directory(folder.path() / "below");
  folder.write("below/d.yaml", "not: read");
  const std::vector<std::string> paths = {folder.path().string()};
  const auto config = load_config(paths);
  INFO(render_findings_text(config.findings));
  REQUIRE(config.services.size() == 3);
  CHECK(*config.services[0].metadata.name == "iris");
  CHECK(*config.services[1].metadata.name == "second");
  CHECK(*config.services[2].metadata.name == "third");
  CHECK(config.services[2].metadata.name.place.line == 2);
  CHECK(config.services[2].base_dir == folder.path().string());
  CHECK(config.files.size() == 3);
}

TEST_CASE("PathsThatCannotBeReadAreFindings") {
  const testing::TemporaryFolder folder;
  const std::vector<std::string> paths = {(folder.path() / "none.yaml").string(), folder.path().string()};
  const auto config = load_config(paths);
  REQUIRE(config.findings.size() == 2);
  CHECK(config.findings[0].message == "cannot be read: No such file or directory");
  CHECK(config.findings[1].message == "this folder holds no *.yaml, *.yml or *.json file");
  CHECK_FALSE(config.ok());
}

TEST_CASE("TheSameServiceInTwoFilesNamesBothFiles") {
  const testing::TemporaryFolder folder;
  const std::string a = folder.write("a.yaml", iris), b = folder.write("b.yaml", iris);
  const std::vector<std::string> paths = {a, b};
  const auto config = load_config(paths);
  REQUIRE(config.findings.size() == 1);
  CHECK(config.findings[0].place.file == b);
  CHECK(config.findings[0].message.find("at " + a + ":3:18") != std::string::npos);
}
