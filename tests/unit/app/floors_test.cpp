// Holds every include of the tree against the floors of ARCHITECTURE.md: who may see whom, and where third-party
// libraries live. Reads the sources; needs no build of them.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string, std::less<>>;

// Which modules a module may include besides itself. A module that is not in this table must not exist. Rows for
// modules to come stand here already, so that the first file of one meets its rule.
const std::map<std::string, Names, std::less<>> floors{
    {"base", {}},
    {"kernels", {"base"}},  // element types only, see kernel_headers
    {"engine", {"base"}},
    {"net", {"base"}},
    {"formats", {"base"}},
    {"spec", {"base"}},
    {"ops", {"base", "kernels"}},
    {"arch", {"base", "formats", "ops"}},
    {"text", {"base", "formats"}},
    {"storage", {"base", "net"}},
    {"llm", {"base", "engine", "formats", "arch", "ops", "text"}},
    {"predict", {"base", "engine", "formats", "ops"}},
    {"cluster", {"base"}},
    {"kube", {"base", "net"}},
    {"autoscale", {"base"}},
    {"serving", {"base", "engine", "spec", "cluster", "net"}},
    {"control", {"base", "engine", "spec", "serving", "storage", "cluster", "kube", "autoscale"}},
    {"api", {"base", "net", "engine", "serving", "spec", "text", "control"}},
    {"app",
     {"base", "kernels", "engine", "net", "formats", "spec", "ops", "arch", "text", "llm", "predict", "storage",
      "cluster", "kube", "autoscale", "serving", "control", "api"}},
};

const Names kernel_headers{"jackdaw/base/dtype.h", "jackdaw/base/encoding.h", "jackdaw/base/float16.h"};

// Where a third-party library may be included. The first row whose prefix fits decides; what fits none is a header of
// the language or the system.
enum class Reach { source_files, private_headers, public_headers };
struct Home {
  std::string_view prefix;
  Names modules;  // empty: every module
  Reach reach;
};
const std::vector<Home> homes{
    {"boost/system/result.hpp", {"base"}, Reach::public_headers},
    {"boost/beast", {"net"}, Reach::source_files},
    {"boost/asio", {"net"}, Reach::private_headers},
    {"boost/", {"net"}, Reach::private_headers},
    {"yaml-cpp/", {"spec"}, Reach::source_files},
    {"simdjson", {"formats", "spec", "predict", "api", "text", "llm"}, Reach::private_headers},
    {"fmt/", {}, Reach::public_headers},
    {"CLI/", {"app"}, Reach::source_files},
    {"histedit.h", {"app"}, Reach::source_files},
    {"sqlite3.h", {"storage"}, Reach::source_files},
    {"openssl/", {"net"}, Reach::private_headers},
    {"zlib.h", {"net", "formats"}, Reach::private_headers},
    {"bzlib.h", {"formats"}, Reach::source_files},
    {"lzma.h", {"formats"}, Reach::source_files},
    {"lz4", {"formats"}, Reach::source_files},
    {"cuda", {"kernels"}, Reach::private_headers},
    {"cublas", {"kernels"}, Reach::private_headers},
    {"catch2/", {"nobody"}, Reach::source_files},
};

struct Include {
  std::string target;
  bool quoted = false;
  int line = 0;
};

std::vector<Include> includes_of(std::string_view text) {
  std::vector<Include> out;
  std::istringstream lines{std::string(text)};
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::size_t at = line.find_first_not_of(" \t");
    if (at == std::string::npos || line[at] != '#') continue;
    at = line.find_first_not_of(" \t", at + 1);
    if (at == std::string::npos || line.compare(at, 7, "include") != 0) continue;
    const std::size_t open = line.find_first_of("<\"", at);
    if (open == std::string::npos) continue;
    const std::size_t close = line.find(line[open] == '<' ? '>' : '"', open + 1);
    out.push_back({line.substr(open + 1, close - open - 1), line[open] == '"', number});
  }
  return out;
}

std::string second_part(std::string_view path) {
  const std::size_t begin = path.find('/') + 1;
  return std::string(path.substr(begin, path.find('/', begin) - begin));
}

// The module of a path relative to the root: include/jackdaw/net/x.h, src/net/x.cpp, kernels/cpu/x.cpp.
std::string module_of(std::string_view path) {
  if (path.starts_with("kernels/")) return "kernels";
  if (path.starts_with("include/jackdaw/")) return second_part(path.substr(std::string_view("include/").size()));
  return second_part(path);
}

Reach reach_of(std::string_view path) {
  if (path.starts_with("include/")) return Reach::public_headers;
  return path.ends_with(".h") || path.ends_with(".cuh") ? Reach::private_headers : Reach::source_files;
}

std::string wrong_with_own(const std::string& path, const std::string& module, const Include& include) {
  const std::string& target = include.target;
  if (target.starts_with("jackdaw/")) {
    const std::string other = second_part(target);
    if (other == module) return "";
    if (module == "kernels" && !kernel_headers.contains(target)) {
      return "kernels may include base's element types only: dtype.h, encoding.h, float16.h";
    }
    return floors.at(module).contains(other) ? "" : module + " may not include " + other;
  }
  if (target.starts_with("src/")) {
    if (reach_of(path) == Reach::public_headers) return "a public header may not include private ones";
    return second_part(target) == module ? "" : "no module includes another's src/";
  }
  return target.find('/') == std::string::npos ? "" : "unknown root: write jackdaw/<module>/ or src/<module>/";
}

std::string wrong_with_third_party(const std::string& path, const std::string& module, const Include& include) {
  for (const Home& home : homes) {
    if (!include.target.starts_with(home.prefix)) continue;
    if (!home.modules.empty() && !home.modules.contains(module)) return "not the home of " + include.target;
    return reach_of(path) <= home.reach ? "" : include.target + " must not show in such a header";
  }
  return "";
}

// What is wrong with one file, as "path:line: reason".
std::vector<std::string> violations(const std::string& path, std::string_view text) {
  const std::string module = module_of(path);
  if (!floors.contains(module)) return {path + ":1: " + module + " is no module of the table"};
  std::vector<std::string> out;
  for (const Include& include : includes_of(text)) {
    const bool own = include.quoted || include.target.starts_with("jackdaw/");
    const std::string wrong =
        own ? wrong_with_own(path, module, include) : wrong_with_third_party(path, module, include);
    if (!wrong.empty()) out.push_back(path + ":" + std::to_string(include.line) + ": " + wrong);
  }
  return out;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_source(const fs::path& path) {
  static const Names extensions{".h", ".cpp", ".cu", ".cuh", ".inc"};
  return extensions.contains(path.extension().string());
}

std::vector<fs::path> sources_below(const fs::path& root) {
  std::vector<fs::path> out;
  for (const char* folder : {"include", "src", "kernels"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (entry.is_regular_file() && is_source(entry.path())) out.push_back(entry.path());
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

const fs::path root = JACKDAW_SOURCE_DIR;

}  // namespace

TEST_CASE("EveryIncludeOfTheTreeKeepsToTheFloors") {
  const auto files = sources_below(root);
  REQUIRE(files.size() > 100);
  std::vector<std::string> wrong;
  for (const fs::path& file : files) {
    const auto found = violations(fs::relative(file, root).generic_string(), read_file(file));
    wrong.insert(wrong.end(), found.begin(), found.end());
  }
  INFO(joined(wrong));
  CHECK(wrong.empty());
}

TEST_CASE("IncludesWithoutAFolderAreNeighbours") {
  std::vector<std::string> wrong;
  for (const fs::path& file : sources_below(root)) {
    for (const Include& include : includes_of(read_file(file))) {
      if (!include.quoted || include.target.find('/') != std::string::npos) continue;
      if (!fs::exists(file.parent_path() / include.target)) wrong.push_back(file.string() + ": " + include.target);
    }
  }
  INFO(joined(wrong));
  CHECK(wrong.empty());
}

TEST_CASE("TheBuildLinksNoModuleThatTheTableForbids") {
  const std::string text = read_file(root / "CMakeLists.txt");
  const std::string_view call = "\njackdaw_module(";
  int modules = 0;
  for (std::size_t at = text.find(call); at != std::string::npos; at = text.find(call, at + 1)) {
    std::istringstream words(text.substr(at + call.size(), text.find(')', at) - at - call.size()));
    std::string module;
    std::string word;
    words >> module;
    REQUIRE(floors.contains(module));
    ++modules;
    for (bool deps = false; words >> word;) {
      if (word == "DEPS" || word == "PRIVATE_DEPS" || word == "SOURCE_DIR") {
        deps = word == "DEPS";
      } else if (deps) {
        INFO(module << " links " << word);
        CHECK(floors.at(module).contains(word));
      }
    }
  }
  CHECK(modules >= 10);
}

TEST_CASE("TheTableHasNoCircle") {
  // Taking away, again and again, every module that needs none of those left must leave nothing.
  auto left = floors;
  for (bool moved = true; moved;) {
    moved = std::erase_if(left, [&](const auto& row) {
              return std::none_of(row.second.begin(), row.second.end(),
                                  [&](const auto& other) { return left.contains(other); });
            }) > 0;
  }
  CHECK(left.empty());
}

TEST_CASE("EveryModuleFolderSaysWhatItIs") {
  for (const auto& entry : fs::directory_iterator(root / "src")) {
    if (!entry.is_directory() || fs::is_empty(entry.path())) continue;
    INFO(entry.path());
    CHECK(fs::exists(entry.path() / "README.md"));
  }
}

TEST_CASE("RefusesAnIncludeThatPointsUp") {
  CHECK(violations("src/base/log.cpp", "#include \"jackdaw/net/server.h\"\n") ==
        std::vector<std::string>{"src/base/log.cpp:1: base may not include net"});
  CHECK(violations("src/predict/engine.cpp", "\n  #  include <jackdaw/serving/registry.h>\n").size() == 1);
  CHECK(violations("include/jackdaw/serving/registry.h", "#include \"jackdaw/api/api.h\"\n").size() == 1);
  CHECK(violations("src/app/wiring.cpp", "#include \"jackdaw/api/api.h\"\n").empty());
}

TEST_CASE("RefusesAnotherModulesPrivateHeader") {
  CHECK(violations("src/api/routes.cpp", "#include \"src/net/connection.h\"\n").size() == 1);
  CHECK(violations("include/jackdaw/net/server.h", "#include \"src/net/connection.h\"\n").size() == 1);
  CHECK(violations("src/net/server.cpp", "#include \"src/net/connection.h\"\n").empty());
}

TEST_CASE("RefusesLibrariesAwayFromHome") {
  CHECK(violations("src/api/routes.cpp", "#include <boost/beast/http.hpp>\n").size() == 1);
  CHECK(violations("src/net/connection.h", "#include <boost/beast/http.hpp>\n").size() == 1);
  CHECK(violations("include/jackdaw/net/server.h", "#include <boost/asio/io_context.hpp>\n").size() == 1);
  CHECK(violations("src/net/io_thread.h", "#include <boost/asio/io_context.hpp>\n").empty());
  CHECK(violations("src/control/model_control.cpp", "#include <yaml-cpp/yaml.h>\n").size() == 1);
  CHECK(violations("include/jackdaw/formats/object_graph.h", "#include <simdjson.h>\n").size() == 1);
  CHECK(violations("src/ops/forest.cpp", "#include <cuda_runtime.h>\n").size() == 1);
}

TEST_CASE("KernelsSeeOnlyTheDatatypes") {
  CHECK(violations("kernels/cpu/forest_row.cpp", "#include \"jackdaw/base/log.h\"\n").size() == 1);
  CHECK(violations("kernels/cpu/forest_row.cpp", "#include \"jackdaw/base/dtype.h\"\n").empty());
}

TEST_CASE("RefusesAModuleThatIsNotInTheTable") {
  CHECK(violations("src/helpers/utils.cpp", "").size() == 1);
}
