#include "src/net/client_certificate.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "jackdaw/base/text.h"

namespace jackdaw::net {
namespace {

constexpr std::size_t names_max = 64;
constexpr std::size_t name_bytes_max = 1024;

void add_name(ClientCertificate& out, std::string_view prefix, std::string_view name) {
  const bool clean =
      std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
  if (name.empty() || name.size() > name_bytes_max || !clean || !is_valid_utf8(name)) return;
  if (out.names.size() < names_max) out.names.push_back(std::string(prefix) + std::string(name));
}

void add_text(ClientCertificate& out, std::string_view prefix, const ASN1_STRING* text) {
  if (text == nullptr) return;
  add_name(
      out, prefix,
      {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<std::size_t>(ASN1_STRING_length(text))});
}

void add_common_names(ClientCertificate& out, const X509& certificate) {
  const X509_NAME* subject = X509_get_subject_name(&certificate);
  for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) {
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (size < 0) continue;
    add_name(out, "CN=", {reinterpret_cast<const char*>(utf8), static_cast<std::size_t>(size)});
    OPENSSL_free(utf8);
  }
}

void add_address(ClientCertificate& out, const ASN1_OCTET_STRING* address) {
  const int size = ASN1_STRING_length(address);
  if (size != 4 && size != 16) return;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text.data(), text.size()) == nullptr)
    return;
  add_name(out, "IP:", text.data());
}

void add_alternative_name(ClientCertificate& out, const GENERAL_NAME& name) {
  switch (name.type) {
    case GEN_DNS:
      return add_text(out, "DNS:", name.d.dNSName);
    case GEN_URI:
      return add_text(out, "URI:", name.d.uniformResourceIdentifier);
    case GEN_EMAIL:
      return add_text(out, "email:", name.d.rfc822Name);
    case GEN_IPADD:
      return add_address(out, name.d.iPAddress);
    default:
      return;
  }
}

}  // namespace

ClientCertificate read_client_certificate(const X509& certificate) {
  ClientCertificate out;
  add_common_names(out, certificate);
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return out;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) add_alternative_name(out, *sk_GENERAL_NAME_value(names, i));
  GENERAL_NAMES_free(names);
  return out;
}

}  // namespace jackdaw::net
