#include "src/app/secrets.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "jackdaw/base/file.h"

namespace jackdaw::app {
namespace {

constexpr std::size_t token_file_bytes_max = std::size_t{1} << 20;

std::shared_ptr<const api::Grant> grant_of(const spec::DaemonGrant& from) {
  api::Grant to;
  to.name = *from.name;
  to.write = from.write;
  to.read = from.read;
  to.infer = from.infer;
  to.metrics = from.metrics;
  to.models = from.models;
  to.namespaces = from.namespaces;
  return std::make_shared<const api::Grant>(std::move(to));
}

Result<std::vector<Sha256>> hashes_of(const spec::DaemonToken& token) {
  if (!token.token_file.is_set) {
    Result<Sha256> hash = api::token_hash(*token.token);
    if (!hash) return std::move(hash).error().at(token.token.place.text());
    return std::vector<Sha256>{*hash};
  }
  const Result<std::string> text = read_file(*token.token_file, token_file_bytes_max);
  if (!text) {
    return make_error(text.error().code, "the token file {} {}", *token.token_file, text.error().message)
        .at(token.token_file.place.text());
  }
  Result<std::vector<Sha256>> hashes = api::read_token_lines(*text);
  if (!hashes) return std::move(hashes).error().at(*token.token_file);
  if (hashes->empty()) {
    return make_error(Code::invalid_argument, "the token file {} holds no token", *token.token_file)
        .at(token.token_file.place.text());
  }
  return hashes;
}

}  // namespace

bool is_loopback(std::string_view address) {
  if (const std::size_t scheme = address.find("://"); scheme != std::string_view::npos) {
    address.remove_prefix(scheme + 3);
  }
  if (address.starts_with('[')) return address.substr(0, address.find(']')) == "[::1";
  const std::string_view host = address.substr(0, address.find_first_of(":/"));
  // "127.example.com" is a name, which may be any machine's.
  const bool number = host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || (number && host.starts_with("127."));
}

bool listens_on_loopback_only(const spec::DaemonSpec& daemon) {
  return std::all_of(daemon.listen.begin(), daemon.listen.end(),
                     [](const ConfigValue<std::string>& address) { return is_loopback(*address); });
}

Result<api::AccessRules> access_rules(const spec::DaemonSpec& daemon) {
  api::AccessRules rules;
  rules.this_machine_only = listens_on_loopback_only(daemon);
  rules.inference_keys = *daemon.auth.inference_keys;
  for (const spec::DaemonToken& token : daemon.auth.tokens) {
    const auto grant = grant_of(token.grant);
    JACKDAW_ASSIGN(const std::vector<Sha256> hashes, hashes_of(token));
    for (const Sha256& hash : hashes) rules.tokens.push_back({hash, grant});
  }
  for (const spec::DaemonCertificate& certificate : daemon.auth.certificates) {
    rules.certificates.push_back({certificate.names, grant_of(certificate.grant)});
  }
  return rules;
}

net::TlsServerOptions tls_options(const spec::DaemonTls& tls) {
  using Asked = spec::DaemonTls::ClientCertificates;
  net::TlsServerOptions options;
  options.cert_file = *tls.cert_file;
  options.key_file = *tls.key_file;
  options.client_ca_file = *tls.client_ca_file;
  options.min_version = *tls.tls13_only ? net::TlsVersion::tls13 : net::TlsVersion::tls12;
  options.client_certificates = *tls.client_certificates == Asked::required   ? net::ClientCertificates::required
                                : *tls.client_certificates == Asked::optional ? net::ClientCertificates::optional
                                                                              : net::ClientCertificates::none;
  return options;
}

WatchedFiles::WatchedFiles(std::vector<std::string> paths) : paths_(std::move(paths)), stamps_(look()) {}

bool WatchedFiles::changed() {
  std::vector<Stamp> now = look();
  const bool differs = now != stamps_;
  stamps_ = std::move(now);
  return differs;
}

std::vector<WatchedFiles::Stamp> WatchedFiles::look() const {
  std::vector<Stamp> out(paths_.size());
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    struct stat found {};
    if (::stat(paths_[i].c_str(), &found) != 0) continue;
    out[i] = {found.st_dev, found.st_ino, found.st_size, found.st_mtim.tv_sec, found.st_mtim.tv_nsec};
  }
  return out;
}

std::vector<std::string> certificate_files(const spec::DaemonTls& tls) {
  std::vector<std::string> out;
  for (const auto* file : {&tls.cert_file, &tls.key_file, &tls.client_ca_file}) {
    if (file->is_set) out.push_back(**file);
  }
  return out;
}

std::vector<std::string> token_files(const spec::DaemonAuth& auth) {
  std::vector<std::string> out;
  for (const spec::DaemonToken& token : auth.tokens) {
    if (token.token_file.is_set) out.push_back(*token.token_file);
  }
  return out;
}

}  // namespace jackdaw::app
