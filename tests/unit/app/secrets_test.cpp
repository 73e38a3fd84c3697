#include "src/app/secrets.h"

#include <catch2/catch.hpp>
#include <filesystem>

#include "src/app/own_sources.h"
#include "tests/unit/temporary_folder.h"

using namespace jackdaw;
using namespace jackdaw::app;
namespace fs = std::filesystem;

namespace {

spec::DaemonSpec with_token_file(const std::string& path) {
  spec::DaemonSpec daemon;
  spec::DaemonToken token;
  token.grant.name.value = "ci";
  token.grant.write = true;
  token.token_file.set(path, SourcePlace{"daemon.yaml", 3, 5, {}});
  daemon.auth.tokens.push_back(token);
  return daemon;
}

spec::LoadedConfig config_of(std::string_view uri) {
  return spec::load_config_text(
      fmt::format("apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {{name: iris}}\n"
                  "spec: {{predictor: {{model: {{modelFormat: {{name: sklearn}}, storageUri: '{}'}}}}}}\n",
                  uri),
      "t.yaml", "/srv");
}

}  // namespace

TEST_CASE("LoopbackListenersAreKnownByTheirAddress") {
  for (const char* mine : {"127.0.0.1:8080", "127.1.2.3:1", "localhost:80", "[::1]:8080", "https://127.0.0.1:8443",
                           "http://[::1]:80", "https://localhost:8443", "http://localhost", "http://127.0.0.1"}) {
    INFO(mine);
    CHECK(is_loopback(mine));
  }
  for (const char* others :
       {"0.0.0.0:8080", "[::]:8080", "https://0.0.0.0:8443", "10.0.0.1:80", "[::1:2]:80", "https://[2001:db8::1]:443",
        "1127.0.0.1:80", "http://localhost.example.com:80", "http://127.example.com:80", "localhosts:80"}) {
    INFO(others);
    CHECK_FALSE(is_loopback(others));
  }
  spec::DaemonSpec daemon;
  CHECK(listens_on_loopback_only(daemon));
  daemon.listen.emplace_back("https://0.0.0.0:8443");
  CHECK_FALSE(listens_on_loopback_only(daemon));
}

TEST_CASE("TokenFilesBecomeRules") {
  const testing::TemporaryFolder folder;
  const std::string token = "writer-token-0123456789";
  const std::string path =
      folder.write("token", "# two, while one is replaced\n" + token + "\nnext-token-0123456789\n");
  const auto rules = access_rules(with_token_file(path));
  REQUIRE(rules.has_value());
  REQUIRE(rules->tokens.size() == 2);
  const api::GrantPtr grant = rules->find_token(token);
  REQUIRE(grant != nullptr);
  CHECK(grant->name == "ci");
  CHECK(grant->has(api::Need::read));
  CHECK_FALSE(grant->has(api::Need::infer));
  CHECK(rules->find_token("other-token-0123456789") == nullptr);
}

TEST_CASE("TokenFilesThatCannotBeUsedAreNamedAndNotQuoted") {
  const testing::TemporaryFolder folder;
  const auto fault = [](const std::string& path) { return access_rules(with_token_file(path)).error().text(); };
  CHECK(fault(folder.write("short", "\nhunter2\n")).find("short: line 2: a token has 16") != std::string::npos);
  CHECK(fault((folder.path() / "short").string()).find("hunter2") == std::string::npos);
  CHECK(fault(folder.write("empty", "# nothing\n")).find("holds no token") != std::string::npos);
  CHECK(fault((folder.path() / "none").string()).find("daemon.yaml:3:5: the token file") != std::string::npos);
  CHECK(fault(folder.write("large", std::string((1 << 20) + 1, 'x'))).find("larger than") != std::string::npos);
}

TEST_CASE("WatchedFilesNoticeWritingReplacingRemovingAndSwitchedLinks") {
  const testing::TemporaryFolder folder;
  const std::string path = folder.write("a", "1");
  fs::create_directory_symlink(folder.path(), folder.path() / "link");
  WatchedFiles files({path, (folder.path() / "link/a").string()});
  CHECK_FALSE(files.changed());
  folder.write("a", "22");
  CHECK(files.changed());
  CHECK_FALSE(files.changed());
  folder.write("b", "33");
  fs::rename(folder.path() / "b", path);
  CHECK(files.changed());
  fs::remove(path);
  CHECK(files.changed());
  CHECK_FALSE(files.changed());
  folder.write("a", "1");
  CHECK(files.changed());
}

TEST_CASE("OnlyWhatTheFilesNameIsTheOperatorsOwn") {
  OwnSources own;
  const spec::LoadedConfig config = config_of("./models/iris");
  REQUIRE(config.services.size() == 1);
  CHECK_FALSE(own.hold(config.services.front()));
  own.replace(config);
  CHECK(own.hold(config.services.front()));
  CHECK_FALSE(own.hold(config_of("./models/other").services.front()));
  // The same words from another folder are another place.
  spec::InferenceService elsewhere = config.services.front();
  elsewhere.base_dir = "/etc";
  CHECK_FALSE(own.hold(elsewhere));
  own.replace(spec::LoadedConfig{});
  CHECK_FALSE(own.hold(config.services.front()));
}
