#include "src/spec/transformer.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace jackdaw::spec {
namespace {

constexpr std::size_t url_bytes_max = 2048;

bool is_port(std::string_view text) {
  int port = 0;
  const auto [stop, status] = std::from_chars(text.data(), text.data() + text.size(), port);
  return status == std::errc() && stop == text.data() + text.size() && port >= 1 && port <= 65535;
}

// A name or an address; an IPv6 one in brackets.
bool is_host(std::string_view text) {
  const bool bracketed = text.size() > 2 && text.front() == '[' && text.back() == ']';
  if (bracketed) text = text.substr(1, text.size() - 2);
  return !text.empty() && std::all_of(text.begin(), text.end(), [bracketed](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return letter || c == '.' || c == '-' || c == '_' || (bracketed && c == ':');
  });
}

// http[s]://host[:port][/path]: no user, query or fragment, which a request's own path could not follow.
bool is_base_url(std::string_view url) {
  if (url.size() > url_bytes_max) return false;
  const bool secure = url.starts_with("https://");
  if (!secure && !url.starts_with("http://")) return false;
  const std::string_view rest = url.substr(secure ? 8 : 7);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view host = rest.substr(0, slash);
  const std::string_view path = rest.substr(slash);
  if (const std::size_t colon = host.rfind(':'); colon != std::string_view::npos && !host.ends_with(']')) {
    if (!is_port(host.substr(colon + 1))) return false;
    host = host.substr(0, colon);
  }
  return is_host(host) && std::all_of(path.begin(), path.end(),
                                      [](char c) { return c > 0x20 && c < 0x7f && c != '?' && c != '#' && c != '\\'; });
}

const Node* transformer_container(const Node* predictor) {
  const Node* containers = predictor != nullptr ? predictor->find("containers") : nullptr;
  if (containers == nullptr || !containers->is_sequence()) return nullptr;
  const auto found = std::find_if(containers->items.begin(), containers->items.end(), [](const Node& container) {
    return container.text_of("name") == "transformer-container";
  });
  return found == containers->items.end() ? nullptr : &*found;
}

// The transformer in the predictor's own pod, or in a canary's; null when there is none.
const Node* collocated_transformer(const Node* spec) {
  if (spec == nullptr) return nullptr;
  if (const Node* found = transformer_container(spec->find("predictor"))) return found;
  const Node* canaries = spec->find("canary");
  if (canaries == nullptr || !canaries->is_sequence()) return nullptr;
  for (const Node& canary : canaries->items) {
    if (const Node* found = transformer_container(canary.find("predictor"))) return found;
  }
  return nullptr;
}

void read_timeout(const Node& block, Transformer& out, Complaints& complaints) {
  constexpr std::int64_t seconds_max = 86'400;
  const Node* node = block.find("timeout");
  const auto seconds = node == nullptr || node->is_null() ? Result<std::int64_t>(make_error(Code::not_found, "unset"))
                                                          : node->as_integer();
  if (!seconds) return;  // what is no number was said already
  if (*seconds < 1 || *seconds > seconds_max) {
    return complaints.error(FindingKind::invalid_value, *node,
                            fmt::format("timeout must be from 1 to {} seconds, not {}", seconds_max, *seconds));
  }
  out.timeout.set(std::chrono::seconds(*seconds), node->place());
}

void complain(const ConfigValue<std::string>& about, FindingKind kind, std::string message, Complaints& complaints) {
  complaints.add({Severity::error, kind, about.place, "", std::move(message)});
}

}  // namespace

void read_transformer(InferenceService& service, Complaints& complaints) {
  const Node* spec = service.node->find("spec");
  const Node* block = spec != nullptr ? spec->find("transformer") : nullptr;
  if (block != nullptr && !block->is_map()) block = nullptr;
  const Node* container = collocated_transformer(spec);
  const auto url = service.metadata.annotations.find(transformer_annotation);
  if (url == service.metadata.annotations.end()) {
    if (block == nullptr && container == nullptr) return;
    return complaints.error(
        FindingKind::unsupported, block != nullptr ? *block : *container,
        fmt::format("not supported yet by this version: {} as an image, which jackdaw does not run; the answer would "
                    "miss its pre- and post-processing. Start it yourself, and say where with the annotation {}: "
                    "http://host:port",
                    block != nullptr ? "'transformer'" : "'transformer-container'", transformer_annotation));
  }
  if (block == nullptr && container == nullptr) return report_transformer(service.metadata, complaints);
  if (service.predictor.is_language_model()) {
    return complain(
        url->second, FindingKind::unsupported,
        "not supported yet by this version: the transformer of a language model; its clients call OpenAI's "
        "endpoints, which go to the model straight. Remove it, or have them call the transformer themselves",
        complaints);
  }
  if (!is_base_url(*url->second)) {
    return complain(url->second, FindingKind::invalid_value,
                    fmt::format("{} must be http://host[:port][/path] or https://…, not '{}'", transformer_annotation,
                                std::string_view(*url->second).substr(0, 100)),
                    complaints);
  }
  std::string text = *url->second;
  while (text.ends_with('/')) text.pop_back();
  service.transformer.emplace().url.set(std::move(text), url->second.place);
  if (block != nullptr) read_timeout(*block, *service.transformer, complaints);
}

void report_transformer(const ObjectMeta& metadata, Complaints& complaints) {
  const auto url = metadata.annotations.find(transformer_annotation);
  if (url == metadata.annotations.end()) return;
  complaints.report(url->second.place,
                    fmt::format("'{}' has no effect here: the service has no transformer", transformer_annotation));
}

}  // namespace jackdaw::spec
