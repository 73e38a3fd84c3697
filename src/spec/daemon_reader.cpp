#include "src/spec/daemon_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <utility>

#include "src/spec/daemon_security.h"
#include "src/spec/units.h"

namespace jackdaw::spec {
namespace {

class DaemonReader {
 public:
  DaemonReader(std::string_view base_dir, Complaints& complaints) : base_dir_(base_dir), complaints_(complaints) {}

  void read(const Node& spec, DaemonSpec& out) {
    read_listen(spec.find("listen"), out);
    read_whole(spec.find("ioThreads"), 0, 1024, out.io_threads);
    read_whole(spec.find("cpuThreads"), 0, 1024, out.cpu_threads);
    read_duration(spec.find("drainTimeout"), out.drain_timeout, true);
    if (const Node* state = spec.find("stateDir"); state != nullptr && state->is_text() && !state->text.empty()) {
      out.state_dir.set(absolute_path(*state), state->place());
    }
    read_size(spec.find("memoryBudget"), 1u << 20, out.memory_budget);
    read_whole(spec.find("loadedModelsMax"), 1, 10'000'000, out.loaded_models_max);
    if (const Node* limits = spec.find("limits")) read_limits(*limits, out.limits);
    if (const Node* logging = spec.find("logging")) read_logging(*logging, out.logging);
    if (const Node* storage = spec.find("storage")) read_storage(*storage, out.storage);
    read_security(spec, base_dir_, complaints_, out);
  }

 private:
  void refuse(const Node& node, std::string message) {
    complaints_.error(FindingKind::invalid_value, node, std::move(message));
  }

  void read_listen(const Node* list, DaemonSpec& out) {
    if (list == nullptr || !list->is_sequence()) return;
    if (list->items.empty()) return refuse(*list, "listen needs at least one address, such as 127.0.0.1:8080");
    out.listen.clear();
    for (const Node& item : list->items) {
      if (!item.is_text()) continue;
      if (!is_address(item.text)) {
        refuse(item, fmt::format("'{}' is not host:port; write for example 127.0.0.1:8080, \"[::1]:8080\" or "
                                 "https://0.0.0.0:8443",
                                 item.text));
      }
      out.listen.emplace_back();
      out.listen.back().set(item.text, item.place());
    }
  }

  static bool is_address(std::string_view text) {
    for (const std::string_view scheme : {"https://", "http://"}) {
      if (text.substr(0, scheme.size()) == scheme) text.remove_prefix(scheme.size());
    }
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) return false;
    const std::string_view host = text.substr(0, colon), port_text = text.substr(colon + 1);
    unsigned port = 0;
    const auto [end, fault] = std::from_chars(port_text.data(), port_text.data() + port_text.size(), port);
    const bool bracketed = host.front() == '[' && host.back() == ']';
    const bool host_fits = bracketed || host.find(':') == std::string_view::npos;
    return fault == std::errc() && end == port_text.data() + port_text.size() && port <= 65535 && host_fits;
  }

  template <typename T>
  void read_whole(const Node* node, std::int64_t smallest, std::int64_t largest, ConfigValue<T>& out) {
    if (node == nullptr || node->is_null()) return;
    const auto value = node->as_integer();
    if (!value) return;
    if (*value < smallest || *value > largest) {
      return refuse(*node, fmt::format("must be between {} and {}, not {}", smallest, largest, *value));
    }
    out.set(static_cast<T>(*value), node->place());
  }

  void read_duration(const Node* node, ConfigValue<Duration>& out, bool zero_allowed = false) {
    if (node == nullptr || !node->is_text()) return;
    const auto value = parse_duration(node->text);
    if (!value) return refuse(*node, value.error().message);
    if (value->count() == 0 && !zero_allowed) return refuse(*node, "must be longer than zero");
    out.set(*value, node->place());
  }

  void read_size(const Node* node, std::uint64_t smallest, ConfigValue<std::uint64_t>& out) {
    if (node == nullptr || (!node->is_text() && node->kind != NodeKind::integer)) return;
    const auto value = parse_size(node->text);
    if (!value) return refuse(*node, value.error().message);
    if (*value < smallest) return refuse(*node, fmt::format("must be at least {} bytes", smallest));
    out.set(*value, node->place());
  }

  void read_limits(const Node& node, DaemonLimits& out) {
    read_size(node.find("maxHeaderBytes"), 1024, out.header_bytes_max);
    read_size(node.find("maxBodyBytes"), 1, out.body_bytes_max);
    read_size(node.find("maxBufferedBytes"), 1, out.buffered_bytes_max);
    read_whole(node.find("maxConnections"), 1, 10'000'000, out.connections_max);
    read_duration(node.find("headerTimeout"), out.header_timeout);
    read_duration(node.find("bodyTimeout"), out.body_timeout);
    read_duration(node.find("idleTimeout"), out.idle_timeout);
    read_duration(node.find("writeTimeout"), out.write_timeout);
  }

  template <typename T, std::size_t n>
  void read_word(const Node* node, const std::array<std::pair<std::string_view, T>, n>& words, ConfigValue<T>& out) {
    if (node == nullptr || !node->is_text()) return;
    std::vector<std::string_view> names;
    for (const auto& [name, value] : words) {
      names.push_back(name);
      if (name == node->text) return out.set(value, node->place());
    }
    refuse(*node, fmt::format("must be one of {}, not '{}'", fmt::join(names, ", "), node->text));
  }

  void read_logging(const Node& node, DaemonLogging& out) {
    constexpr std::array<std::pair<std::string_view, LogFormat>, 2> formats = {
        {{"text", LogFormat::text}, {"json", LogFormat::json}}};
    constexpr std::array<std::pair<std::string_view, LogLevel>, 4> levels = {{{"debug", LogLevel::debug},
                                                                              {"info", LogLevel::info},
                                                                              {"warning", LogLevel::warning},
                                                                              {"error", LogLevel::error}}};
    read_word(node.find("format"), formats, out.format);
    read_word(node.find("level"), levels, out.level);
    const Node* access = node.find("access");
    if (access != nullptr && access->kind == NodeKind::boolean) out.access.set(access->boolean, access->place());
  }

  std::string absolute_path(const Node& node) { return spec::absolute_path(node, base_dir_, complaints_); }

  void read_path_map(const Node* node, std::map<std::string, ConfigValue<std::string>>& out) {
    if (node == nullptr) return;
    for (const Member& member : node->members) {
      if (member.name.empty()) complaints_.error(FindingKind::invalid_value, member, "an empty prefix would match all");
      if (!member.value.is_text()) continue;
      if (std::string path = absolute_path(member.value); !path.empty()) {
        out[member.name].set(std::move(path), member.value.place());
      }
    }
  }

  void read_storage(const Node& node, DaemonStorage& out) {
    read_path_map(node.find("map"), out.map);
    read_path_map(node.find("pvc"), out.pvc);
    if (const Node* root = node.find("pvcRoot"); root != nullptr && root->is_text()) {
      out.pvc_root.set(absolute_path(*root), root->place());
    }
    const Node* roots = node.find("roots");
    if (roots == nullptr) return;
    for (const Node& root : roots->items) {
      if (!root.is_text()) continue;
      out.roots.emplace_back();
      out.roots.back().set(absolute_path(root), root.place());
    }
  }

  const std::string_view base_dir_;
  Complaints& complaints_;
};

}  // namespace

std::string absolute_path(const Node& node, std::string_view base_dir, Complaints& complaints) {
  std::string_view text = node.text;
  constexpr std::string_view file_scheme = "file://";
  if (text.substr(0, file_scheme.size()) == file_scheme) text.remove_prefix(file_scheme.size());
  if (text.empty() || text.find("://") != std::string_view::npos) {
    complaints.error(FindingKind::invalid_value, node, fmt::format("'{}' must be a path on this machine", node.text));
    return {};
  }
  return (std::filesystem::path(base_dir) / text).lexically_normal().string();
}

DaemonSpec read_daemon(const Node& object, std::string_view base_dir, Complaints& complaints) {
  DaemonSpec out;
  if (const Node* metadata = object.find("metadata")) {
    if (const Node* name = metadata->find("name"); name != nullptr && name->is_text()) {
      out.name.set(name->text, name->place());
    }
  }
  const Node* spec = object.find("spec");
  if (spec != nullptr && spec->is_map()) DaemonReader(base_dir, complaints).read(*spec, out);
  return out;
}

}  // namespace jackdaw::spec
