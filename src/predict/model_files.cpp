#include "src/predict/model_files.h"

#include <fcntl.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>

namespace jackdaw::predict {
namespace {

namespace fs = std::filesystem;

struct FormatFiles {
  std::string_view format;
  std::array<std::string_view, 3> extensions;  // KServe's
  std::array<std::string_view, 3> well_known;  // MLServer's, in its order
};
constexpr FormatFiles format_files[] = {
    {"sklearn", {".joblib", ".pkl", ".pickle"}, {"model.joblib", "model.pickle", "model.pkl"}},
    {"xgboost", {".bst", ".json", ".ubj"}, {"model.bst", "model.json", "model.ubj"}},
    {"lightgbm", {".bst", "", ""}, {"model.bst", "", ""}},
};

constexpr std::uint64_t default_size_max = 16ull << 30;
constexpr std::uint64_t settings_size_max = 1u << 20;

std::string joined(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) {
    if (!name.empty()) out += fmt::format("{}{}", out.empty() ? "" : ", ", name);
  }
  return out;
}

bool has_extension(const std::string& name, std::span<const std::string_view> extensions) {
  return std::any_of(extensions.begin(), extensions.end(),
                     [&](std::string_view extension) { return !extension.empty() && name.ends_with(extension); });
}

Result<ModelFile> find_by_extension(const std::string& directory, const FormatFiles& row) {
  std::vector<std::string> found;
  std::error_code failed;
  for (fs::directory_iterator it(directory, failed), end; !failed && it != end; it.increment(failed)) {
    std::error_code ignored;
    const std::string name = it->path().filename().string();
    if (has_extension(name, row.extensions) && it->is_regular_file(ignored)) found.push_back(it->path().string());
  }
  if (failed) return make_error(Code::io_error, "Cannot list {}: {}.", directory, failed.message());
  std::sort(found.begin(), found.end());
  if (found.empty()) {
    return make_error(Code::not_found, "No model file in {}: expected one file that ends in {}.", directory,
                      joined(row.extensions));
  }
  if (found.size() > 1) {
    std::string list;
    for (const std::string& path : found) list += fmt::format("{}{}", list.empty() ? "" : ", ", path);
    return make_error(Code::invalid_argument,
                      "More than one model file is detected, Only one is allowed within model_dir: [{}]", list);
  }
  return ModelFile{found[0], {}};
}

std::optional<std::string> text_at(simdjson::dom::element root, const char* pointer) {
  std::string_view text;
  if (root.at_pointer(pointer).get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  return std::string(text);
}

// A relative path that stays below its directory.
bool stays_inside(const fs::path& relative) {
  if (relative.empty() || relative.is_absolute()) return false;
  return std::none_of(relative.begin(), relative.end(), [](const fs::path& part) { return part == ".."; });
}

struct Settings {
  std::string uri;
  std::string predict_fn;
};
Result<Settings> read_settings(const std::string& path) {
  std::error_code failed;
  if (!fs::exists(path, failed)) return Settings{};
  JACKDAW_ASSIGN(const auto bytes, read_model_file(path, settings_size_max));
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const simdjson::padded_string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (const auto bad = parser.parse(text).get(root); bad != simdjson::SUCCESS) {
    return make_error(Code::parse_error, "{} is not JSON: {}.", path, simdjson::error_message(bad));
  }
  return Settings{text_at(root, "/parameters/uri").value_or(""),
                  text_at(root, "/parameters/extra/predict_fn").value_or("")};
}

Result<ModelFile> find_by_name(const std::string& directory, const FormatFiles& row) {
  JACKDAW_ASSIGN(const Settings settings, read_settings(directory + "/model-settings.json"));
  std::string folder = directory;
  std::error_code failed;
  if (!settings.uri.empty()) {
    if (!stays_inside(fs::path(settings.uri).lexically_normal())) {
      return make_error(Code::permission_denied,
                        "model-settings.json: parameters.uri '{}' must be a relative path inside the model directory.",
                        settings.uri);
    }
    folder = directory + "/" + settings.uri;
    if (fs::is_regular_file(folder, failed)) return ModelFile{folder, settings.predict_fn};
  }
  for (const std::string_view name : row.well_known) {
    const std::string path = fmt::format("{}/{}", folder, name);
    if (!name.empty() && fs::is_regular_file(path, failed)) return ModelFile{path, settings.predict_fn};
  }
  return make_error(Code::not_found, "No model file in {}: expected {}.", folder, joined(row.well_known));
}

// Closes its descriptor.
class File {
 public:
  explicit File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

Error system_error(std::string_view what, const std::string& path) {
  const Code code = errno == ENOENT ? Code::not_found : Code::io_error;
  return make_error(code, "Cannot {} {}: {}.", what, path, std::strerror(errno));
}

}  // namespace

Result<ModelFile> find_model_file(const engine::EngineSpec& spec) {
  const auto* row = std::find_if(std::begin(format_files), std::end(format_files),
                                 [&](const FormatFiles& candidate) { return candidate.format == spec.model_format; });
  if (row == std::end(format_files)) {
    return make_error(Code::unsupported, "Model format '{}' is not one of sklearn, xgboost, lightgbm.",
                      spec.model_format);
  }
  std::error_code failed;
  const auto status = fs::status(spec.path, failed);
  if (fs::is_regular_file(status)) return ModelFile{spec.path, {}};
  if (!fs::is_directory(status)) {
    return make_error(Code::not_found, "There is no model at {}.", spec.path);
  }
  return spec.mlserver_dialect ? find_by_name(spec.path, *row) : find_by_extension(spec.path, *row);
}

Result<std::vector<std::byte>> read_model_file(const std::string& path, std::uint64_t size_max) {
  if (size_max == 0) size_max = default_size_max;
  const File file(path);
  struct stat info {};
  if (file.fd() < 0 || ::fstat(file.fd(), &info) != 0) return system_error("open", path);
  if (!S_ISREG(info.st_mode)) return make_error(Code::io_error, "{} is not a regular file.", path);
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size > size_max) return make_error(Code::too_large, "{} has {} bytes, the limit is {}.", path, size, size_max);
  std::vector<std::byte> bytes(size);
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got = ::read(file.fd(), bytes.data() + at, bytes.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("read", path);
    if (got == 0) break;  // It was truncated meanwhile.
    at += static_cast<std::size_t>(got);
  }
  bytes.resize(at);
  return bytes;
}

}  // namespace jackdaw::predict
