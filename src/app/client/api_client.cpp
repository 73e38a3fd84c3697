#include "src/app/client/api_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "jackdaw/base/ascii.h"
#include "jackdaw/base/file.h"

namespace jackdaw::app {
namespace {

// Lists of a large daemon are larger than a configuration file may be.
constexpr spec::ReadLimits answer_limits{.bytes_max = 64u << 20, .nodes_max = 5'000'000, .depth_max = 128};
// A watch event holds one object.
constexpr std::size_t line_bytes_max = 8u << 20;

std::string member_text(const spec::Json& json, std::string_view name) {
  const spec::Json* found = json.find(name);
  return found == nullptr ? std::string() : std::string(found->as_text());
}

// Jackdaw's own endpoints and KServe's say {"error": "…"} or {"detail": "…"}.
std::string plain_error(const spec::Json& json) {
  for (const char* name : {"error", "detail", "message"}) {
    const spec::Json* found = json.find(name);
    if (found == nullptr) continue;
    if (found->is_text()) return std::string(found->as_text());
    if (const std::string inner = member_text(*found, "message"); !inner.empty()) return inner;
  }
  return {};
}

// `299 - "text"`, and further ones after a comma; nothing when it is something else.
void read_warnings(std::string_view value, std::vector<std::string>& out) {
  for (std::size_t at = value.find('"'); at != std::string_view::npos; at = value.find('"', at)) {
    std::string text;
    for (++at; at < value.size() && value[at] != '"'; ++at) {
      if (value[at] == '\\' && at + 1 < value.size()) ++at;
      text += value[at];
    }
    out.push_back(std::move(text));
    at = std::min(at + 1, value.size());
  }
}

std::vector<std::string> warnings_of(const net::ClientResponse& response) {
  std::vector<std::string> out;
  for (const net::Header& header : response.headers) {
    const bool is_warning = ascii_iequals(header.name, "warning");
    if (is_warning && header.value.starts_with("299")) read_warnings(header.value, out);
  }
  return out;
}

Result<std::string> read_token(const std::string& path) {
  Result<std::string> read = read_file(path, std::size_t{64} << 10);
  if (!read) return make_error(read.error().code, "the token file {} {}", path, read.error().message);
  std::string token = std::move(*read);
  while (!token.empty() && std::isspace(static_cast<unsigned char>(token.back())) != 0) token.pop_back();
  if (token.empty()) return make_error(Code::invalid_argument, "the token file {} is empty", path);
  return token;
}

}  // namespace

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_' || c == '~';
    if (plain && static_cast<unsigned char>(c) < 0x80) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Refusal read_refusal(int status, std::string_view body) {
  Refusal refusal;
  refusal.status = status;
  const Result<spec::Json> json = spec::read_json(body, "answer", answer_limits);
  if (!json) {
    refusal.message = fmt::format("the server answered {}: {}", status, body.substr(0, 200));
    return refusal;
  }
  if (member_text(*json, "kind") != "Status") {
    refusal.message = plain_error(*json);
    if (refusal.message.empty()) refusal.message = fmt::format("the server answered {}", status);
    return refusal;
  }
  refusal.reason = member_text(*json, "reason");
  refusal.message = member_text(*json, "message");
  const spec::Json* causes = json->find_path({"details", "causes"});
  if (causes == nullptr) return refusal;
  for (const spec::Json& cause : causes->items()) {
    refusal.causes.push_back(
        {member_text(cause, "field"), member_text(cause, "message"), member_text(cause, "reason")});
  }
  return refusal;
}

std::string refusal_text(const Refusal& refusal) {
  std::string out = "Error from server";
  if (!refusal.reason.empty()) out += " (" + refusal.reason + ")";
  std::string message = refusal.message;
  // The message repeats the causes after "is invalid: "; the lines below say the same more clearly.
  constexpr std::string_view invalid = " is invalid: ";
  const std::size_t at = message.find(invalid);
  if (!refusal.causes.empty() && at != std::string::npos) message.resize(at + invalid.size() - 2);
  out += ": " + message;
  for (const Refusal::Cause& cause : refusal.causes) {
    out += "\n  ";
    if (!cause.field.empty()) out += cause.field + ": ";
    out += cause.message;
    if (!cause.reason.empty()) out += " (" + cause.reason + ")";
  }
  return out;
}

std::string ApiOutcome::text() const {
  if (error) return "error: " + error->text();
  return refusal ? refusal_text(*refusal) : std::string();
}

Result<ApiClient> ApiClient::make(const ConnectionFlags& flags, std::unique_ptr<net::HttpClient> http) {
  std::string server = flags.server.empty() ? default_server : flags.server;
  while (server.ends_with('/')) server.pop_back();
  if (server.find("://") == std::string::npos) server.insert(0, "http://");
  if (!flags.ca_file.empty() && !server.starts_with("https://")) {
    return make_error(Code::invalid_argument, "--ca-file is for https, and the server is {}", server);
  }
  std::string token = flags.token;
  if (!flags.token_file.empty()) {
    JACKDAW_ASSIGN(token, read_token(flags.token_file));
  }
  const bool odd = std::any_of(token.begin(), token.end(), [](char c) { return c <= ' ' || c == 0x7f; });
  if (odd) return make_error(Code::invalid_argument, "the token holds spaces or control characters");
  return ApiClient(std::move(server), std::move(token), std::move(http));
}

net::ClientRequest ApiClient::http_request(const ApiRequest& request) const {
  net::ClientRequest out;
  out.method = request.method;
  out.url = server_ + request.path;
  out.headers.push_back({"Accept", request.accept});
  if (!request.content_type.empty()) out.headers.push_back({"Content-Type", request.content_type});
  if (!token_.empty()) out.headers.push_back({"Authorization", "Bearer " + token_});
  out.body = request.body;
  out.timeout = request.timeout;
  return out;
}

ApiOutcome ApiClient::unreachable(const Error& error) const {
  ApiOutcome outcome;
  outcome.error = error;
  if (error.code == Code::io_error && error.message.find("cannot connect") != std::string::npos) {
    const std::size_t reason = error.message.rfind(": ");
    outcome.error->message = fmt::format(
        "there is no daemon at {} ({}); start one with jackdaw serve, or name another with "
        "--server or JACKDAW_SERVER",
        server_, error.message.substr(reason == std::string::npos ? 0 : reason + 2));
  }
  return outcome;
}

ApiOutcome ApiClient::call(const ApiRequest& request) {
  const Result<net::ClientResponse> response = http_->send(http_request(request));
  if (!response) return unreachable(response.error());
  ApiOutcome outcome;
  if (response->status < 200 || response->status > 299) {
    outcome.refusal = read_refusal(response->status, response->body);
    return outcome;
  }
  outcome.answer.status = response->status;
  outcome.answer.warnings = warnings_of(*response);
  Result<spec::Json> json = spec::read_json(response->body, "answer", answer_limits);
  if (json) {
    outcome.answer.body = std::move(*json);
  } else {
    outcome.error = make_error(Code::parse_error, "{} answers {} with something else than JSON: {}", server_,
                               request.path, json.error().text());
  }
  return outcome;
}

Result<std::string> ApiClient::text(std::string path) {
  const Result<net::ClientResponse> response = http_->send(http_request({.path = std::move(path), .accept = "*/*"}));
  if (!response) return *unreachable(response.error()).error;
  if (response->status >= 200 && response->status < 300) return response->body;
  const Refusal refusal = read_refusal(response->status, response->body);
  return make_error(refusal.is_not_found() ? Code::not_found : Code::permission_denied, "{}", refusal.message);
}

ApiOutcome ApiClient::lines(const ApiRequest& request, const std::function<bool(std::string_view)>& on_line) {
  std::string rest;
  bool overlong = false;
  const auto take = [&](std::string_view piece) {
    rest += piece;
    std::size_t begin = 0;
    for (std::size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', begin)) {
      const std::string_view line = std::string_view(rest).substr(begin, end - begin);
      begin = end + 1;
      if (!line.empty() && !on_line(line)) return false;
    }
    rest.erase(0, begin);
    overlong = rest.size() > line_bytes_max;
    return !overlong;
  };
  const Result<net::ClientResponse> response = http_->stream(http_request(request), take);
  if (!response) return unreachable(response.error());
  ApiOutcome outcome;
  if (response->status < 200 || response->status > 299) {
    outcome.refusal = read_refusal(response->status, response->body);
  } else if (overlong) {
    outcome.error = make_error(Code::too_large, "{} sends a line of more than {} bytes", server_, line_bytes_max);
  }
  return outcome;
}

ApiOutcome ApiClient::watch(const ApiRequest& request, const std::function<bool(const WatchedEvent&)>& on_event) {
  std::optional<Error> bad;
  ApiOutcome outcome = lines(request, [&](std::string_view line) {
    Result<spec::Json> event = spec::read_json(line, "event", answer_limits);
    if (!event) {
      bad = make_error(Code::parse_error, "{} sends an event that is no JSON: {}", server_, event.error().text());
      return false;
    }
    spec::Json* object = event->find("object");
    return on_event({member_text(*event, "type"), object == nullptr ? spec::Json() : std::move(*object)});
  });
  if (bad) outcome.error = std::move(bad);
  return outcome;
}

}  // namespace jackdaw::app
