#include "jackdaw/storage/resolver.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/unit/temporary_folder.h"

using namespace jackdaw;
using namespace jackdaw::storage;
namespace fs = std::filesystem;

namespace {

// A small machine: models in two places, a claim, and links that lead away.
struct Machine {
  testing::TemporaryFolder folder;
  fs::path root = folder.path();
  StorageSettings settings;
  Machine() {
    for (const char* name : {"srv/models/iris", "srv/special/iris", "claims/data/iris", "config/local", "secret"}) {
      fs::create_directories(root / name);
    }
    std::ofstream(root / "secret/key") << "k";
    fs::create_directory_symlink(root / "secret", root / "srv/models/link");
  }

  // The path below the machine's root, or the error's name and words.
  std::string where(std::string_view uri) const {
    const auto path = resolve(uri, (root / "config").string(), settings);
    if (path) return fs::path(*path).lexically_relative(root).string();
    return std::string(code_info(path.error().code).name) + ": " + path.error().message;
  }
  bool refused(std::string_view uri, std::string_view part) const {
    const std::string text = where(uri);
    INFO(text);
    return text.find(part) != std::string::npos;
  }
};

}  // namespace

TEST_CASE("PlainPathsAndFileUrisAreLocal") {
  const Machine machine;
  const std::string absolute = (machine.root / "srv/models/iris").string();
  CHECK(machine.where(absolute) == "srv/models/iris");
  CHECK(machine.where("file://" + absolute) == "srv/models/iris");
  CHECK(machine.where("file://localhost" + absolute) == "srv/models/iris");
  CHECK(machine.where("local") == "config/local");
  CHECK(machine.where("./local/") == "config/local");
  CHECK(machine.where("../srv/models/iris") == "srv/models/iris");
  CHECK(machine.refused("file://other/path", "invalid_argument: 'file://other/path' must name an absolute path"));
}

TEST_CASE("TheLongestMappingWins") {
  Machine machine;
  machine.settings.map = {{"gs://bucket/", (machine.root / "srv/models").string()},
                          {"gs://bucket/special/", (machine.root / "srv/special").string()},
                          {"gs://", (machine.root / "secret").string()}};
  CHECK(machine.where("gs://bucket/iris") == "srv/models/iris");
  CHECK(machine.where("gs://bucket/special/iris") == "srv/special/iris");
  CHECK(machine.where("gs://bucket/") == "srv/models");
  CHECK(machine.where("gs://key") == "secret/key");
}

TEST_CASE("AMappingMayEndInsideAName") {
  Machine machine;
  machine.settings.map = {{"s3://team-", (machine.root / "srv/sp").string()}};
  CHECK(machine.where("s3://team-ecial/iris") == "srv/special/iris");
}

TEST_CASE("MappingsComeBeforeSchemes") {
  Machine machine;
  machine.settings.map = {{"file:///old/", (machine.root / "srv/models").string()},
                          {"pvc://moved/", (machine.root / "srv/special").string()}};
  CHECK(machine.where("file:///old/iris") == "srv/models/iris");
  CHECK(machine.where("pvc://moved/iris") == "srv/special/iris");
}

TEST_CASE("DotDotCannotClimbOutOfAMappingOrAClaim") {
  Machine machine;
  machine.settings.map = {{"gs://bucket/", (machine.root / "srv/models").string()},
                          {"s3://team-", (machine.root / "srv/sp").string()}};
  machine.settings.pvc_root = (machine.root / "claims").string();
  CHECK(machine.refused("gs://bucket/../../secret/key", "permission_denied"));
  CHECK(machine.refused("s3://team-ecial/../../secret/key", "permission_denied"));
  CHECK(machine.refused("pvc://data/../../secret", "permission_denied"));
  CHECK(machine.refused("pvc://../secret", "invalid_argument"));
  CHECK(machine.where("gs://bucket/iris/../iris") == "srv/models/iris");
}

TEST_CASE("ClaimsAreMounts") {
  Machine machine;
  CHECK(machine.refused("pvc://data/iris", "unsupported: 'pvc://data/iris' needs the folder"));
  machine.settings.pvc_root = (machine.root / "claims").string();
  CHECK(machine.where("pvc://data/iris") == "claims/data/iris");
  CHECK(machine.where("pvc://data") == "claims/data");
  machine.settings.pvc = {{"data", (machine.root / "srv/models").string()}};
  CHECK(machine.where("pvc://data/iris") == "srv/models/iris");
  CHECK(machine.refused("pvc:///iris", "names no claim"));
}

TEST_CASE("SchemesWithoutAReaderAreRefusedByNameWithAdvice") {
  const Machine machine;
  CHECK(machine.where("gs://kfserving-examples/models/sklearn") ==
        "unsupported: this version cannot download 'gs://kfserving-examples/models/sklearn' (gs://); copy the model to "
        "this machine and map its prefix with spec.storage.map of kind Daemon, for example "
        "{\"gs://kfserving-examples/\": "
        "/srv/models/}");
  for (const char* uri : {"s3://b/m", "hf://a/b", "https://example.com/m.tar", "oci://image", "hdfs://h/p"}) {
    CHECK(machine.refused(uri, "unsupported: this version cannot download"));
  }
}

TEST_CASE("MissingFilesSayWhichPathWasTried") {
  const Machine machine;
  CHECK(machine.where("none") == "not_found: 'none' is " + (machine.root / "config/none").string() +
                                     " here, and there is no such file or folder");
  CHECK(machine.refused("", "invalid_argument: the storageUri is empty"));
  CHECK(machine.refused(std::string_view("a\0b", 3), "zero byte"));
}

TEST_CASE("RootsHoldAgainstLinksAndDotDot") {
  Machine machine;
  machine.settings.roots = {(machine.root / "srv").string() + "/", (machine.root / "not-there").string()};
  CHECK(machine.where("../srv/models/iris") == "srv/models/iris");
  CHECK(machine.refused("../srv/models/link/key", "permission_denied"));
  CHECK(machine.refused("../srv/models/../../secret/key", "outside of spec.storage.roots"));
  CHECK(machine.refused("local", "outside of spec.storage.roots"));
  fs::create_directory(machine.root / "srv-other");
  CHECK(machine.refused("../srv-other", "outside of spec.storage.roots"));
}

TEST_CASE("OverTheNetworkLocalPathsNeedADeclaredRoot") {
  Machine machine;
  machine.settings.local_needs_root = true;
  machine.settings.map["gs://models/"] = (machine.root / "srv/models").string();
  CHECK(machine.where("gs://models/iris") == "srv/models/iris");
  for (const char* scheme : {"", "file://"}) {
    const std::string iris = scheme + (machine.root / "srv/models/iris").string();
    const std::string key = scheme + (machine.root / "secret/key").string();
    const std::string none = scheme + (machine.root / "secret/none").string();
    machine.settings.roots.clear();
    CHECK(machine.where(iris).find("declares none") != std::string::npos);
    machine.settings.roots = {(machine.root / "srv").string()};
    CHECK(machine.where(iris) == "srv/models/iris");
    CHECK(machine.where(key).find("outside of spec.storage.roots") != std::string::npos);
    // Whether there is such a file is not told.
    CHECK(machine.where(none).find("outside of spec.storage.roots") != std::string::npos);
    CHECK(
        machine.where(scheme + (machine.root / "srv/../secret/none").string()).find("outside of spec.storage.roots") !=
        std::string::npos);
    CHECK(machine.where(scheme + (machine.root / "srv/models/link/key").string()).find("permission_denied") !=
          std::string::npos);
  }
}
