#include "src/spec/daemon_security.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "src/spec/daemon_reader.h"
#include "src/spec/units.h"

namespace jackdaw::spec {
namespace {

constexpr std::size_t token_bytes_min = 16;
constexpr std::size_t token_bytes_max = 4096;

bool is_token_character(char c) {
  return c > 0x20 && c < 0x7f;
}

bool is_hash(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

// What is wrong with a token, without saying the token; "" when nothing is.
std::string wrong_with_token(std::string_view text) {
  constexpr std::string_view hash_prefix = "sha256:";
  if (text.substr(0, hash_prefix.size()) == hash_prefix) {
    return is_hash(text.substr(hash_prefix.size())) ? "" : "after 'sha256:' there must be 64 hexadecimal digits";
  }
  if (text.size() < token_bytes_min || text.size() > token_bytes_max) {
    return fmt::format("a token has {} to {} characters; 'openssl rand -hex 32' makes a good one", token_bytes_min,
                       token_bytes_max);
  }
  if (!std::all_of(text.begin(), text.end(), is_token_character)) {
    return "a token is visible ASCII characters without spaces";
  }
  return "";
}

class SecurityReader {
 public:
  SecurityReader(std::string_view base_dir, Complaints& complaints) : base_dir_(base_dir), complaints_(complaints) {}

  void read_tls(const Node& node, DaemonTls& out) {
    read_path(node.find("certFile"), out.cert_file);
    read_path(node.find("keyFile"), out.key_file);
    read_path(node.find("clientCaFile"), out.client_ca_file);
    if (out.cert_file.is_set != out.key_file.is_set) refuse(node, "certFile and keyFile belong together; name both");
    if (!out.cert_file.is_set && !out.key_file.is_set) refuse(node, "needs certFile and keyFile");
    read_client_certificates(node, out);
    const Node* version = node.find("minVersion");
    if (version == nullptr || version->is_null()) return;
    if (version->text != "1.2" && version->text != "1.3") return refuse(*version, "must be 1.2 or 1.3");
    out.tls13_only.set(version->text == "1.3", version->place());
  }

  void read_auth(const Node& node, DaemonAuth& out) {
    if (const Node* tokens = node.find("tokens")) {
      for (const Node& item : tokens->items) read_token(item, out);
    }
    if (const Node* certificates = node.find("certificates")) {
      for (const Node& item : certificates->items) read_certificate(item, out);
    }
    const Node* keys = node.find("inferenceKeys");
    const Node* required = keys == nullptr ? nullptr : keys->find("required");
    if (required == nullptr || required->kind != NodeKind::boolean) return;
    out.inference_keys.set(required->boolean, required->place());
    const auto infers = [](const auto& row) { return row.grant.infer; };
    const bool someone = std::any_of(out.tokens.begin(), out.tokens.end(), infers) ||
                         std::any_of(out.certificates.begin(), out.certificates.end(), infers);
    if (required->boolean && !someone) {
      refuse(*required, "nobody could ask: no token and no certificate of spec.auth has the scope 'infer'");
    }
  }

  void read_cors(const Node& node, DaemonCors& out) {
    if (const Node* origins = node.find("allowedOrigins")) {
      for (const Node& item : origins->items) read_origin(item, out);
    }
    read_texts(node.find("allowedHeaders"), out.allowed_headers);
    read_texts(node.find("allowedMethods"), out.allowed_methods);
    if (const Node* age = node.find("maxAge"); age != nullptr && age->is_text()) {
      if (const auto value = parse_duration(age->text)) {
        out.max_age.set(*value, age->place());
      } else {
        refuse(*age, value.error().message);
      }
    }
    const Node* credentials = node.find("allowCredentials");
    if (credentials == nullptr || credentials->kind != NodeKind::boolean) return;
    out.allow_credentials.set(credentials->boolean, credentials->place());
    const auto is_any = [](const ConfigValue<std::string>& origin) { return *origin == "*"; };
    if (credentials->boolean && std::any_of(out.allowed_origins.begin(), out.allowed_origins.end(), is_any)) {
      refuse(*credentials, "together with the origin '*' every page could act for its visitor; name the origins");
    }
  }

 private:
  void refuse(const Node& node, std::string message) {
    complaints_.error(FindingKind::invalid_value, node, std::move(message));
  }

  void read_path(const Node* node, ConfigValue<std::string>& out) {
    if (node == nullptr || !node->is_text()) return;
    if (std::string path = absolute_path(*node, base_dir_, complaints_); !path.empty()) {
      out.set(std::move(path), node->place());
    }
  }

  void read_client_certificates(const Node& node, DaemonTls& out) {
    using enum DaemonTls::ClientCertificates;
    constexpr std::array<std::pair<std::string_view, DaemonTls::ClientCertificates>, 3> words = {
        {{"none", none}, {"optional", optional}, {"required", required}}};
    // Naming a CA means to ask.
    if (out.client_ca_file.is_set) out.client_certificates.set(optional, out.client_ca_file.place);
    const Node* mode = node.find("clientCertificates");
    if (mode == nullptr || !mode->is_text()) return;
    const auto word =
        std::find_if(words.begin(), words.end(), [&](const auto& row) { return row.first == mode->text; });
    if (word == words.end()) {
      return refuse(*mode, fmt::format("must be one of none, optional, required, not '{}'", mode->text));
    }
    if (word->second != none && !out.client_ca_file.is_set) {
      return refuse(*mode, "needs clientCaFile: whose certificates clients may show");
    }
    out.client_certificates.set(word->second, mode->place());
  }

  void read_texts(const Node* list, std::vector<std::string>& out) {
    if (list == nullptr) return;
    for (const Node& item : list->items) {
      if (item.is_text()) out.push_back(item.text);
    }
  }

  void read_grant(const Node& node, std::string default_name, DaemonGrant& out) {
    out.name.value = std::move(default_name);
    if (const Node* name = node.find("name"); name != nullptr && name->is_text())
      out.name.set(name->text, name->place());
    read_texts(node.find("models"), out.models);
    read_texts(node.find("namespaces"), out.namespaces);
    const Node* scopes = node.find("scopes");
    if (scopes == nullptr || !scopes->is_sequence() || scopes->items.empty()) {
      return refuse(scopes == nullptr ? node : *scopes, "needs scopes: some of write, read, infer, metrics");
    }
    for (const Node& scope : scopes->items) {
      if (!scope.is_text()) continue;
      bool* const allowed = scope.text == "write"     ? &out.write
                            : scope.text == "read"    ? &out.read
                            : scope.text == "infer"   ? &out.infer
                            : scope.text == "metrics" ? &out.metrics
                                                      : nullptr;
      if (allowed == nullptr) {
        refuse(scope, fmt::format("must be one of write, read, infer, metrics, not '{}'", scope.text));
      } else {
        *allowed = true;
      }
    }
  }

  void read_token(const Node& node, DaemonAuth& out) {
    if (!node.is_map()) return;
    DaemonToken row;
    read_grant(node, fmt::format("tokens[{}]", out.tokens.size()), row.grant);
    read_path(node.find("tokenFile"), row.token_file);
    if (const Node* token = node.find("token")) {
      // What it is stays unsaid in every complaint.
      const std::string wrong = token->is_text() ? wrong_with_token(token->text) : "must be text; put it in quotes";
      if (!wrong.empty()) refuse(*token, wrong);
      row.token.set(token->text, token->place());
    }
    const bool has_file = node.find("tokenFile") != nullptr;
    if (row.token.is_set == has_file) refuse(node, "needs one of token and tokenFile");
    out.tokens.push_back(std::move(row));
  }

  void read_certificate(const Node& node, DaemonAuth& out) {
    if (!node.is_map()) return;
    DaemonCertificate row;
    read_grant(node, fmt::format("certificates[{}]", out.certificates.size()), row.grant);
    const Node* names = node.find("names");
    if (names == nullptr || names->items.empty()) {
      refuse(names == nullptr ? node : *names, "needs names, such as 'CN=trainer' or 'DNS:ci.example.com'");
    } else {
      for (const Node& name : names->items) read_certificate_name(name, row);
    }
    out.certificates.push_back(std::move(row));
  }

  // Where a name stands in the certificate is part of it: a CA may check DNS names and let people choose their CN.
  void read_certificate_name(const Node& name, DaemonCertificate& out) {
    if (!name.is_text()) return;
    constexpr std::array<std::string_view, 5> kinds{"CN=", "DNS:", "URI:", "email:", "IP:"};
    const bool known = std::any_of(kinds.begin(), kinds.end(), [&](std::string_view kind) {
      return name.text.size() > kind.size() && name.text.compare(0, kind.size(), kind) == 0;
    });
    if (!known) return refuse(name, fmt::format("'{}' must begin with CN=, DNS:, URI:, email: or IP:", name.text));
    out.names.push_back(name.text);
  }

  void read_origin(const Node& item, DaemonCors& out) {
    if (!item.is_text()) return;
    const std::size_t host = item.text.find("://");
    const bool whole = host != std::string::npos && host > 0 && host + 3 < item.text.size() &&
                       item.text.find_first_of("/ *?#@", host + 3) == std::string::npos;
    if (item.text != "*" && !whole) {
      return refuse(item, fmt::format("'{}' is no origin; write scheme and host as in https://app.example.com, or '*'",
                                      item.text));
    }
    out.allowed_origins.emplace_back();
    out.allowed_origins.back().set(item.text, item.place());
  }

  const std::string_view base_dir_;
  Complaints& complaints_;
};

void check_listeners(Complaints& complaints, const Node& spec, const DaemonSpec& daemon) {
  const Node* listen = spec.find("listen");
  if (listen == nullptr || daemon.tls.is_set()) return;
  for (const Node& item : listen->items) {
    if (!item.is_text() || item.text.substr(0, 8) != "https://") continue;
    complaints.error(FindingKind::invalid_value, item, "HTTPS needs spec.tls with certFile and keyFile");
  }
}

}  // namespace

void read_security(const Node& spec, std::string_view base_dir, Complaints& complaints, DaemonSpec& out) {
  SecurityReader reader(base_dir, complaints);
  if (const Node* tls = spec.find("tls"); tls != nullptr && tls->is_map()) reader.read_tls(*tls, out.tls);
  if (const Node* auth = spec.find("auth"); auth != nullptr && auth->is_map()) reader.read_auth(*auth, out.auth);
  if (const Node* cors = spec.find("cors"); cors != nullptr && cors->is_map()) reader.read_cors(*cors, out.cors);
  check_listeners(complaints, spec, out);
}

}  // namespace jackdaw::spec
