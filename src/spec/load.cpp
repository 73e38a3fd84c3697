#include "jackdaw/spec/load.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "jackdaw/base/file.h"
#include "src/spec/checker.h"
#include "src/spec/daemon_reader.h"
#include "src/spec/kinds.h"
#include "src/spec/llm_service.h"
#include "src/spec/metadata.h"
#include "src/spec/predictor.h"
#include "src/spec/reader.h"
#include "src/spec/rollout_reader.h"
#include "src/spec/transformer.h"

namespace jackdaw::spec {
namespace {

namespace fs = std::filesystem;

// At most `bytes_max` + 1 bytes, so that the reader can say that a file is too large.
Result<std::string> read_config(const std::string& path, std::size_t bytes_max) {
  const int fd = path == "-" ? ::dup(0) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return make_error(Code::io_error, "cannot be read: {}", std::strerror(errno));
  Result<std::string> text = read_descriptor(fd, bytes_max + 1);
  ::close(fd);
  return text;
}

bool has_extension(const fs::path& path, std::string_view extension) {
  return path.extension() == extension;
}

bool is_config_file(const fs::directory_entry& entry) {
  const fs::path& path = entry.path();
  std::error_code ignored;
  const bool named = has_extension(path, ".yaml") || has_extension(path, ".yml") || has_extension(path, ".json");
  return named && path.filename().string().front() != '.' && !entry.is_directory(ignored);
}

bool covered_by(std::string_view uri, const std::map<std::string, ConfigValue<std::string>>& map) {
  return std::any_of(map.begin(), map.end(),
                     [&](const auto& row) { return uri.substr(0, row.first.size()) == row.first; });
}

bool starts_with_any(std::string_view uri, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& prefix) { return uri.starts_with(prefix); });
}

class Loader {
 public:
  explicit Loader(const LoadOptions& options) : options_(options), complaints_(options.strict) {}

  void load_path(const std::string& path) {
    std::error_code fault;
    if (path != "-" && fs::is_directory(path, fault)) {
      load_folder(path);
    } else {
      load_file(path);
    }
  }

  void load_text(std::string_view text, std::string_view file, std::string_view base_dir) {
    std::vector<DocumentPtr> documents;
    const bool json = has_extension(fs::path(file), ".json");
    SyntaxFault fault =
        json ? read_json(text, file, options_.limits, documents) : read_yaml(text, file, options_.limits, documents);
    for (const DocumentPtr& document : documents) {
      load_object(std::shared_ptr<const Node>(document, &document->root), base_dir);
    }
    if (!fault.message.empty()) {
      complaints_.add({Severity::error, FindingKind::syntax, std::move(fault.place), "", std::move(fault.message)});
    }
  }

  LoadedConfig finish() {
    check_schemes();
    config_.findings = complaints_.take();
    return std::move(config_);
  }

 private:
  void file_error(const std::string& path, std::string message) {
    complaints_.add({Severity::error, FindingKind::file, SourcePlace{path, 0, 0, {}}, "", std::move(message)});
  }

  void load_folder(const std::string& path) {
    std::vector<std::string> files;
    std::error_code fault;
    for (fs::directory_iterator it(path, fault), end; !fault && it != end; it.increment(fault)) {
      if (is_config_file(*it)) files.push_back(it->path().string());
    }
    if (fault) return file_error(path, fmt::format("cannot be read: {}", fault.message()));
    if (files.empty()) return file_error(path, "this folder holds no *.yaml, *.yml or *.json file");
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) load_file(file);
  }

  void load_file(const std::string& path) {
    if (config_.files.size() >= options_.files_max) {
      return file_error(path, fmt::format("more than {} files", options_.files_max));
    }
    auto text = read_config(path, options_.limits.bytes_max);
    if (!text) return file_error(path, text.error().message);
    config_.files.push_back(path);
    std::error_code ignored;
    const fs::path here = path == "-" ? fs::current_path(ignored) : fs::absolute(path, ignored).parent_path();
    load_text(*text, path, here.string());
  }

  void load_object(std::shared_ptr<const Node> object, std::string_view base_dir) {
    switch (use_of(*object, complaints_)) {
      case KindUse::inference_service:
        return load_service(std::move(object), base_dir);
      case KindUse::llm_inference_service:
        return load_llm_service(std::move(object), base_dir);
      case KindUse::daemon:
        return load_daemon(std::move(object), base_dir);
      case KindUse::list:
        return load_items(object, base_dir);
      case KindUse::left_out:
        return;
    }
  }

  // A list's items are objects of their own; a list in a list is not an object Kubernetes has.
  void load_items(const std::shared_ptr<const Node>& list, std::string_view base_dir) {
    const Node* items = list->find("items");
    if (items == nullptr || !items->is_sequence()) {
      return complaints_.error(FindingKind::missing_field, *list, "items is missing; a list holds its objects there");
    }
    for (const Node& item : items->items) {
      const std::string_view kind = item.text_of("kind");
      const bool nested = kind == "List" || kind == "InferenceServiceList" || kind == "LLMInferenceServiceList";
      if (nested) {
        complaints_.error(FindingKind::invalid_value, item, "a list cannot hold a list");
      } else {
        load_object(std::shared_ptr<const Node>(list, &item), base_dir);
      }
    }
  }

  void load_daemon(std::shared_ptr<const Node> object, std::string_view base_dir) {
    check_object(*object, "Daemon", complaints_);
    if (config_.daemon.node != nullptr) {
      return complaints_.error(
          FindingKind::duplicate, *object,
          fmt::format("there is a Daemon already, at {}; one process has one", config_.daemon.node->place().text()));
    }
    config_.daemon = read_daemon(*object, base_dir, complaints_);
    config_.daemon.node = std::move(object);
  }

  void load_service(std::shared_ptr<const Node> object, std::string_view base_dir) {
    const std::size_t errors_before = complaints_.errors();
    check_object(*object, "InferenceService", complaints_);
    check_annotations(*object, complaints_);
    InferenceService service;
    service.base_dir = std::string(base_dir);
    service.metadata = read_metadata(*object, complaints_);
    service.node = std::move(object);
    read_predictor(service, complaints_);
    read_transformer(service, complaints_);
    read_rollout(service, complaints_);
    check_unique("InferenceService", service.metadata, service.predictor.served_name, service.predictor.aliases);
    if (complaints_.errors() == errors_before) config_.services.push_back(std::move(service));
  }

  void load_llm_service(std::shared_ptr<const Node> object, std::string_view base_dir) {
    const std::size_t errors_before = complaints_.errors();
    check_object(*object, "LLMInferenceService", complaints_);
    check_annotations(*object, complaints_);
    LlmInferenceService service;
    service.base_dir = std::string(base_dir);
    service.metadata = read_metadata(*object, complaints_);
    service.node = std::move(object);
    read_llm_service(service, complaints_);
    report_transformer(service.metadata, complaints_);
    read_rollout(service, complaints_);
    check_unique("LLMInferenceService", service.metadata, service.served_name, service.aliases);
    if (complaints_.errors() == errors_before) config_.llm_services.push_back(std::move(service));
  }

  // One service per kind, name and namespace, and one model per served name and namespace.
  void check_unique(std::string_view kind, const ObjectMeta& metadata, const ConfigValue<std::string>& served,
                    const std::vector<ConfigValue<std::string>>& aliases) {
    if (!metadata.name.is_set) return;
    const std::string& ns = *metadata.namespace_name;
    const std::string& name = *metadata.name;
    const auto [first, fresh] = services_.try_emplace({ns, fmt::format("{}/{}", kind, name)}, metadata.name.place);
    if (!fresh) {
      return complaints_.add({Severity::error, FindingKind::duplicate, metadata.name.place, "metadata.name",
                              fmt::format("the {} '{}' in namespace '{}' is here twice; the first one is at {}", kind,
                                          name, ns, first->second.text())});
    }
    take_model_name(ns, served->empty() ? name : *served, served.is_set ? served.place : metadata.name.place);
    for (const auto& alias : aliases) take_model_name(ns, *alias, alias.place);
  }

  void take_model_name(const std::string& ns, const std::string& model, const SourcePlace& place) {
    const auto [other, alone] = models_.try_emplace({ns, model}, place);
    if (alone) return;
    complaints_.add({Severity::error, FindingKind::duplicate, place, "",
                     fmt::format("the model name '{}' in namespace '{}' is taken already, at {}; give one of them "
                                 "another --model_name",
                                 model, ns, other->second.text())});
  }

  // Prefixes KServe takes; spec.storage.map may bring others, from a file read later.
  void check_schemes() {
    constexpr std::array<std::string_view, 14> schemes = {"gs",   "s3",      "pvc",  "file",       "https",
                                                          "http", "hdfs",    "oci",  "oci+native", "oci+fetch",
                                                          "hf",   "webhdfs", "abfs", "modelscope"};
    const auto refused = [&](const ConfigValue<std::string>& uri, std::string_view field) {
      const std::size_t end = uri->find("://");
      if (end == std::string::npos || covered_by(*uri, config_.daemon.storage.map)) return false;
      if (starts_with_any(*uri, options_.mapped)) return false;
      const std::string_view scheme = std::string_view(*uri).substr(0, end);
      if (std::find(schemes.begin(), schemes.end(), scheme) != schemes.end()) return false;
      complaints_.add({Severity::error, FindingKind::invalid_value, uri.place, std::string(field),
                       fmt::format("storageUri, must be one of: [gs://, s3://, pvc://, file://, https://, http://, "
                                   "hdfs://, webhdfs://, oci://, oci+native://, oci+fetch://, hf://] or match "
                                   "https://{{}}.blob.core.windows.net/{{}}/{{}} or be an absolute or relative local "
                                   "path. StorageUri [{}] is not supported",
                                   *uri)});
      return true;
    };
    std::erase_if(config_.services, [&](const InferenceService& service) {
      return refused(service.predictor.storage_uri, "spec.predictor.model.storageUri");
    });
    std::erase_if(config_.llm_services,
                  [&](const LlmInferenceService& service) { return refused(service.model_uri, "spec.model.uri"); });
  }

  const LoadOptions& options_;
  Complaints complaints_;
  LoadedConfig config_;
  std::map<std::pair<std::string, std::string>, SourcePlace> services_;
  std::map<std::pair<std::string, std::string>, SourcePlace> models_;
};

}  // namespace

std::size_t LoadedConfig::error_count() const {
  const auto is_error = [](const Finding& finding) { return finding.severity == Severity::error; };
  return static_cast<std::size_t>(std::count_if(findings.begin(), findings.end(), is_error));
}

LoadedConfig load_config(std::span<const std::string> paths, const LoadOptions& options) {
  Loader loader(options);
  for (const std::string& path : paths) loader.load_path(path);
  return loader.finish();
}

LoadedConfig load_config_text(std::string_view text, std::string_view file, std::string_view base_dir,
                              const LoadOptions& options) {
  Loader loader(options);
  loader.load_text(text, file, base_dir);
  return loader.finish();
}

}  // namespace jackdaw::spec
