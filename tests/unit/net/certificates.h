// For the tests of TLS: a certificate authority in a temporary folder that signs what a test asks for.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "tests/unit/temporary_folder.h"

namespace jackdaw::net::test {

struct KeyPair {
  std::string cert_file;
  std::string key_file;
};

struct CertificateWish {
  std::string common_name = "localhost";
  std::string alternative_names = "DNS:localhost,IP:127.0.0.1";  // as openssl.cnf has them; "" = none
  long begins = -3600;                                           // seconds from now
  long ends = 3600;
};

class Authority {
 public:
  explicit Authority(std::string name = "Test CA") {
    key_.reset(EVP_EC_gen("P-256"));
    CertificateWish wish;
    wish.common_name = std::move(name);
    certificate_ = make(wish, *key_, true);
    write_certificate(ca_file(), *certificate_);
  }

  std::string ca_file() const { return path("ca.pem"); }
  std::string path(const std::string& name) const { return folder_ / name; }

  KeyPair sign(const std::string& name, const CertificateWish& wish = {}) const {
    const Key key(EVP_EC_gen("P-256"));
    const Certificate certificate = make(wish, *key, false);
    KeyPair pair{path(name + ".pem"), path(name + ".key")};
    write_certificate(pair.cert_file, *certificate);
    std::FILE* file = std::fopen(pair.key_file.c_str(), "w");
    REQUIRE(file != nullptr);
    CHECK(PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
    std::fclose(file);
    return pair;
  }

 private:
  struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
  };
  using Key = std::unique_ptr<EVP_PKEY, Free>;
  using Certificate = std::unique_ptr<X509, Free>;

  static void write_certificate(const std::string& path, X509& certificate) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    REQUIRE(file != nullptr);
    CHECK(PEM_write_X509(file, &certificate) == 1);
    std::fclose(file);
  }

  static void add_extension(X509& certificate, int what, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str());
    REQUIRE(extension != nullptr);
    X509_add_ext(&certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }

  Certificate make(const CertificateWish& wish, EVP_PKEY& key, bool is_ca) const {
    Certificate made(X509_new());
    X509_set_version(made.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(made.get()), wish.begins);
    X509_gmtime_adj(X509_getm_notAfter(made.get()), wish.ends);
    X509_set_pubkey(made.get(), &key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1, -1, 0);
    X509_set_issuer_name(made.get(), X509_get_subject_name(is_ca ? made.get() : certificate_.get()));
    if (is_ca) {
      add_extension(*made, NID_basic_constraints, "critical,CA:TRUE");
    } else if (!wish.alternative_names.empty()) {
      add_extension(*made, NID_subject_alt_name, wish.alternative_names);
    }
    REQUIRE(X509_sign(made.get(), key_.get(), EVP_sha256()) > 0);
    return made;
  }

  testing::TemporaryFolder folder_;
  Key key_;
  Certificate certificate_;
  mutable long serial_ = 0;
};

}  // namespace jackdaw::net::test
