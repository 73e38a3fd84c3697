// Tls: what a listener that speaks HTTPS needs, what a client trusts, and who a client has proved to be. TLS is
// OpenSSL's; nothing of it shows here.
#pragma once

#include <string>
#include <vector>

namespace jackdaw::net {

enum class TlsVersion : unsigned char { tls12, tls13 };

// Whether clients are asked for a certificate. One that is shown and cannot be verified ends the handshake in any case.
enum class ClientCertificates : unsigned char { none, optional, required };

// Files are PEM: the server's certificate first, then the intermediate ones; a key without a passphrase.
struct TlsServerOptions {
  std::string cert_file;
  std::string key_file;
  std::string client_ca_file;  // whose certificates clients may show; "" = nobody's
  ClientCertificates client_certificates = ClientCertificates::none;
  TlsVersion min_version = TlsVersion::tls12;
};

// A client's certificate, verified against client_ca_file.
struct ClientCertificate {
  // Everything it says about who the client is: "CN=trainer", "DNS:ci.example.com", "URI:spiffe://cluster/ns/ci",
  // "email:ann@example.com", "IP:10.0.0.7".
  std::vector<std::string> names;
};

// What a client trusts and shows. Files are PEM.
struct TlsClientOptions {
  std::string ca_file;    // trusted instead of the system's bundle; "" = the system's
  std::string cert_file;  // shown to servers that ask; "" = none
  std::string key_file;
  std::string server_name;  // expected in the certificate instead of the URL's host; "" = the URL's
};

}  // namespace jackdaw::net
