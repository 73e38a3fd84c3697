// Reads who a verified certificate speaks for: common name and subject alternative names (RFC 5280 §4.2.1.6).
#pragma once

#include <openssl/x509.h>

#include "jackdaw/net/tls.h"

namespace jackdaw::net {

// Names with bytes that could be mistaken for others (NUL, control characters) are left out, and so is what lies beyond
// 64 names.
ClientCertificate read_client_certificate(const X509& certificate);

}  // namespace jackdaw::net
