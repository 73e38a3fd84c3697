#include "jackdaw/storage/resolver.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

namespace jackdaw::storage {
namespace {

namespace fs = std::filesystem;

bool starts_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

// What stands before "://", "" for a plain path.
std::string_view scheme_of(std::string_view uri) {
  const std::size_t end = uri.find("://");
  return end == std::string_view::npos ? std::string_view() : uri.substr(0, end);
}

// Whether `path` is `root` or below it, both being canonical.
bool is_inside(const fs::path& path, const fs::path& root) {
  const auto [root_end, path_end] = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  // A root written with a trailing slash has an empty last element.
  return root_end == root.end() || (root_end->empty() && std::next(root_end) == root.end());
}

// `rest` of a URI below `folder`. It may hold "..", as long as it stays inside.
Result<fs::path> below(const fs::path& folder, std::string_view rest, std::string_view uri) {
  while (!rest.empty() && rest.front() == '/') rest.remove_prefix(1);
  const fs::path normal_folder = folder.lexically_normal();
  fs::path path = (folder / rest).lexically_normal();
  if (!is_inside(path, normal_folder)) {
    return make_error(Code::permission_denied, "'{}' climbs out of {} with '..'; name a path below it", uri,
                      folder.string());
  }
  return path;
}

// The longest prefix of the map that the URI begins with.
const std::pair<const std::string, std::string>* longest_mapping(std::string_view uri,
                                                                 const StorageSettings& settings) {
  const std::pair<const std::string, std::string>* best = nullptr;
  for (const auto& row : settings.map) {
    const bool longer = best == nullptr || row.first.size() > best->first.size();
    if (!row.first.empty() && starts_with(uri, row.first) && longer) best = &row;
  }
  return best;
}

// A prefix without a slash at its end is a text prefix ("gs://models-" maps "gs://models-eu/iris"), so what is left
// continues the last name of the mapped path.
Result<fs::path> mapped_path(const std::pair<const std::string, std::string>& mapping, std::string_view uri) {
  const std::string_view rest = uri.substr(mapping.first.size());
  const bool new_name = mapping.first.back() == '/' || rest.empty() || rest.front() == '/';
  if (new_name) return below(mapping.second, rest, uri);
  const std::string joined = mapping.second + std::string(rest);
  const fs::path parent = fs::path(mapping.second).parent_path();
  return below(parent, fs::path(joined).lexically_relative(parent).string(), uri);
}

Result<fs::path> claim_path(std::string_view uri, const StorageSettings& settings) {
  std::string_view rest = uri.substr(std::string_view("pvc://").size());
  const std::string claim(rest.substr(0, rest.find('/')));
  rest.remove_prefix(claim.size());
  if (claim.empty() || claim == "." || claim == "..") {
    return make_error(Code::invalid_argument, "'{}' names no claim; write pvc://claim/path", uri);
  }
  if (const auto mount = settings.pvc.find(claim); mount != settings.pvc.end()) return below(mount->second, rest, uri);
  if (settings.pvc_root.empty()) {
    return make_error(Code::unsupported,
                      "'{}' needs the folder where the claim '{}' is mounted; set spec.storage.pvcRoot, or "
                      "spec.storage.pvc {{{}: folder}}, of kind Daemon",
                      uri, claim, claim);
  }
  return below(fs::path(settings.pvc_root) / claim, rest, uri);
}

// file://host/path names another machine; only an empty host and localhost are ours.
Result<fs::path> file_path(std::string_view uri) {
  std::string_view rest = uri.substr(std::string_view("file://").size());
  constexpr std::string_view local = "localhost/";
  if (starts_with(rest, local)) rest.remove_prefix(local.size() - 1);
  if (rest.empty() || rest.front() != '/') {
    return make_error(Code::invalid_argument,
                      "'{}' must name an absolute path with three slashes, such as file:///srv/models/iris", uri);
  }
  return fs::path(rest);
}

Error no_reader(std::string_view uri, std::string_view scheme) {
  return make_error(Code::unsupported,
                    "this version cannot download '{}' ({}://); copy the model to this machine and map its prefix with "
                    "spec.storage.map of kind Daemon, for example {{\"{}://{}/\": /srv/models/}}",
                    uri, scheme, scheme,
                    uri.substr(scheme.size() + 3, uri.find('/', scheme.size() + 3) - scheme.size() - 3));
}

Result<fs::path> local_path(std::string_view uri, std::string_view base_dir, const StorageSettings& settings) {
  if (const auto* mapping = longest_mapping(uri, settings)) return mapped_path(*mapping, uri);
  const std::string_view scheme = scheme_of(uri);
  if (scheme == "file") return file_path(uri);
  if (scheme == "pvc") return claim_path(uri, settings);
  if (!scheme.empty()) return no_reader(uri, scheme);
  return (fs::path(base_dir) / uri).lexically_normal();
}

Result<void> check_roots(const fs::path& canonical, std::string_view uri, const StorageSettings& settings) {
  if (settings.roots.empty()) return {};
  for (const std::string& root : settings.roots) {
    std::error_code fault;
    const fs::path canonical_root = fs::canonical(root, fault);
    if (!fault && is_inside(canonical, canonical_root)) return {};
  }
  return make_error(Code::permission_denied,
                    "'{}' is {}, which is outside of spec.storage.roots of kind Daemon; move the model below one of "
                    "them, or add its folder",
                    uri, canonical.string());
}

// The same before anything is touched. What a mapping or a claim leads to was the operator's choice.
Result<void> check_untouched(const fs::path& path, std::string_view uri, const StorageSettings& settings) {
  const std::string_view scheme = scheme_of(uri);
  const bool is_local = (scheme.empty() || scheme == "file") && longest_mapping(uri, settings) == nullptr;
  if (!settings.local_needs_root || !is_local) return {};
  if (settings.roots.empty()) {
    return make_error(Code::permission_denied,
                      "'{}' is a path of this machine; over the network such paths are taken only inside "
                      "spec.storage.roots of kind Daemon, and it declares none",
                      uri);
  }
  const fs::path normal = path.lexically_normal();
  for (const std::string& root : settings.roots) {
    std::error_code fault;
    const fs::path canonical_root = fs::canonical(root, fault);
    if (is_inside(normal, fs::path(root).lexically_normal())) return {};
    if (!fault && is_inside(normal, canonical_root)) return {};
  }
  return make_error(Code::permission_denied,
                    "'{}' is outside of spec.storage.roots of kind Daemon, and over the network only paths inside them "
                    "are taken",
                    uri);
}

}  // namespace

Result<std::string> resolve(std::string_view uri, std::string_view base_dir, const StorageSettings& settings) {
  if (uri.empty()) return make_error(Code::invalid_argument, "the storageUri is empty");
  if (uri.find('\0') != std::string_view::npos) {
    return make_error(Code::invalid_argument, "the storageUri holds a zero byte");
  }
  JACKDAW_ASSIGN(const fs::path path, local_path(uri, base_dir, settings));
  JACKDAW_TRY(check_untouched(path, uri, settings));
  std::error_code fault;
  const fs::path canonical = fs::canonical(path, fault);
  if (fault == std::errc::no_such_file_or_directory || fault == std::errc::not_a_directory) {
    return make_error(Code::not_found, "'{}' is {} here, and there is no such file or folder", uri, path.string());
  }
  if (fault)
    return make_error(Code::io_error, "'{}' is {} here, which cannot be read: {}", uri, path.string(), fault.message());
  JACKDAW_TRY(check_roots(canonical, uri, settings));
  return canonical.string();
}

}  // namespace jackdaw::storage
