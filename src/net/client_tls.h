// The TLS side of the client: whom it trusts, what it shows, and how it says that a server is not the right one.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "jackdaw/base/result.h"
#include "jackdaw/net/tls.h"

namespace jackdaw::net {

// What https:// connections are made with: the CAs, and the certificate to show. io_error: a file cannot be used.
Result<std::unique_ptr<boost::asio::ssl::context>> make_client_context(const TlsClientOptions& options);

// Sets what the server's certificate has to say: SNI and the name check for a host name, the address check for an IP.
// "" when it could, else what is wrong with the name.
std::string expect_server(SSL& ssl, const std::string& host);

// Why the handshake failed, in words; `error` is what Asio says of it.
std::string handshake_failure(SSL& ssl, const std::string& host, const boost::system::error_code& error);

}  // namespace jackdaw::net
