// Daemon: apiVersion jackdaw.dev/v1alpha1, kind Daemon: the settings of the process itself. Plain data, any thread.
// docs/config.md describes every field.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "jackdaw/base/config_value.h"
#include "jackdaw/base/env.h"
#include "jackdaw/base/log.h"
#include "jackdaw/spec/node.h"

namespace jackdaw::spec {

// Defaults are those of net::ServerLimits; names and meanings too.
struct DaemonLimits {
  ConfigValue<std::uint64_t> header_bytes_max{64 * 1024};                    // maxHeaderBytes
  ConfigValue<std::uint64_t> body_bytes_max{64ull * 1024 * 1024};            // maxBodyBytes
  ConfigValue<std::uint64_t> buffered_bytes_max{1024ull * 1024 * 1024};      // maxBufferedBytes
  ConfigValue<std::uint64_t> connections_max{10'000};                        // maxConnections
  ConfigValue<Duration> header_timeout{Duration(std::chrono::seconds(10))};  // headerTimeout
  ConfigValue<Duration> body_timeout{Duration(std::chrono::seconds(60))};    // bodyTimeout
  ConfigValue<Duration> idle_timeout{Duration(std::chrono::seconds(75))};    // idleTimeout
  ConfigValue<Duration> write_timeout{Duration(std::chrono::seconds(60))};   // writeTimeout
};

struct DaemonLogging {
  ConfigValue<LogFormat> format{LogFormat::text};
  ConfigValue<LogLevel> level{LogLevel::info};
  ConfigValue<bool> access{false};
};

// Where models may come from. Paths are absolute here: relative ones were taken from the file's folder.
struct DaemonStorage {
  std::map<std::string, ConfigValue<std::string>> map;  // URI prefix -> path prefix; the longest prefix wins
  std::map<std::string, ConfigValue<std::string>> pvc;  // claim -> folder
  ConfigValue<std::string> pvc_root;                    // claims that are not in `pvc`: pvc_root/<claim>; "" = none
  std::vector<ConfigValue<std::string>> roots;          // when not empty: models must lie inside one of these
};

// Of listeners written as https://. Paths are absolute here.
struct DaemonTls {
  enum class ClientCertificates : unsigned char { none, optional, required };

  ConfigValue<std::string> cert_file;       // certFile: PEM, the server's certificate first
  ConfigValue<std::string> key_file;        // keyFile
  ConfigValue<std::string> client_ca_file;  // clientCaFile
  ConfigValue<ClientCertificates> client_certificates{ClientCertificates::none};
  ConfigValue<bool> tls13_only{false};  // minVersion: "1.3"

  bool is_set() const { return cert_file.is_set && key_file.is_set; }
};

// What someone may do who has a token or a certificate.
struct DaemonGrant {
  ConfigValue<std::string> name;  // in logs
  bool write = false;
  bool read = false;
  bool infer = false;
  bool metrics = false;
  std::vector<std::string> models;      // globs; empty = all
  std::vector<std::string> namespaces;  // globs; empty = all
};

struct DaemonToken {
  DaemonGrant grant;
  ConfigValue<std::string> token;       // the token or "sha256:<hex>"; one of the two
  ConfigValue<std::string> token_file;  // absolute; one token or hash a line
};

struct DaemonCertificate {
  DaemonGrant grant;
  std::vector<std::string> names;  // globs over "CN=…", "DNS:…", "URI:…", "email:…", "IP:…"; one has to fit
};

struct DaemonAuth {
  std::vector<DaemonToken> tokens;
  std::vector<DaemonCertificate> certificates;
  ConfigValue<bool> inference_keys{false};  // inferenceKeys.required
};

// Cross-origin requests of web pages; off while no origin is allowed.
struct DaemonCors {
  std::vector<ConfigValue<std::string>> allowed_origins;  // "https://app.example.com", or "*"
  std::vector<std::string> allowed_headers;               // empty = what the page asks for
  std::vector<std::string> allowed_methods;               // empty = GET, HEAD, POST, PUT, PATCH, DELETE
  ConfigValue<Duration> max_age{Duration(std::chrono::minutes(10))};
  ConfigValue<bool> allow_credentials{false};
};

struct DaemonSpec {
  ConfigValue<std::string> name{"jackdaw"};
  std::vector<ConfigValue<std::string>> listen{ConfigValue<std::string>("127.0.0.1:8080")};
  ConfigValue<int> io_threads{0};   // 0 = from the cgroup quota
  ConfigValue<int> cpu_threads{0};  // 0 = from the cgroup quota
  ConfigValue<Duration> drain_timeout{Duration(std::chrono::seconds(30))};
  ConfigValue<std::string> state_dir;               // where declared objects are kept, absolute; "" = in memory
  ConfigValue<std::uint64_t> memory_budget{0};      // memoryBudget: of all loaded models; 0 = from the machine
  ConfigValue<std::uint32_t> loaded_models_max{0};  // loadedModelsMax; 0 = no limit
  DaemonLimits limits;
  DaemonLogging logging;
  DaemonStorage storage;
  DaemonTls tls;
  DaemonAuth auth;
  DaemonCors cors;
  std::shared_ptr<const Node> node;  // null when no file holds a Daemon
};

}  // namespace jackdaw::spec
