#include "jackdaw/serving/router.h"

#include <algorithm>
#include <cstdint>

namespace jackdaw::serving {
namespace {

// `text` without `prefix`; nothing when it does not begin so.
bool skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

constexpr std::string_view of_service = "";
constexpr std::string_view of_predictor = "-predictor";
constexpr std::string_view of_transformer = "-transformer";

// {service}{component}-{namespace} or {service}{component}.{namespace}, with a domain behind. A predictor's may end
// there, or with a port: KServe's own --predictor_host does.
bool names(const ServedModel& model, std::string_view component, std::string_view host) {
  if (!skip(host, model.service_name) || !skip(host, component) || host.empty()) return false;
  const char separator = host.front();
  if (separator != '-' && separator != '.') return false;
  host.remove_prefix(1);
  if (!skip(host, model.namespace_name)) return false;
  return host.starts_with('.') || (component == of_predictor && (host.empty() || host.front() == ':'));
}

bool names_tag(const ServedModel& model, std::string_view component, std::string_view tag, std::string_view host) {
  return !tag.empty() && skip(host, tag) && skip(host, "-") && names(model, component, host);
}

// Alone or after one of its tags.
bool names_any(const ServedModel& model, std::string_view component, std::string_view host) {
  if (names(model, component, host)) return true;
  if (model.traffic == nullptr) return false;
  const auto& shares = model.traffic->shares;
  return std::any_of(shares.begin(), shares.end(),
                     [&](const TrafficShare& share) { return names_tag(model, component, share.tag, host); });
}

bool is_tagged_host(const ServedModel& model, std::string_view tag, std::string_view host) {
  return names_tag(model, of_service, tag, host) || names_tag(model, of_predictor, tag, host);
}

// FNV-1a with a last mix, so that near-equal session names are far apart.
std::uint64_t hash_of(std::string_view text, std::string_view salt) {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  const auto add = [&hash](std::string_view part) {
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  };
  add(text);
  add(salt);
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ull;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebull;
  return hash ^ (hash >> 31);
}

// 64 random bits as a number below 100.
int percent_of(std::uint64_t bits) {
  return static_cast<int>(((bits >> 32) * 100) >> 32);
}

}  // namespace

bool host_means(const ServedModel& model, std::string_view host) {
  return names_any(model, of_service, host) || names_any(model, of_predictor, host) ||
         names(model, of_transformer, host);
}

bool host_means_predictor(const ServedModel& model, std::string_view host) {
  return names_any(model, of_predictor, host) && !names_any(model, of_service, host);
}

ServedModelPtr route(const ServedModelPtr& model, const RouteKey& key, Random& random) {
  if (model == nullptr || model->traffic == nullptr || model->traffic->shares.empty()) return model;
  const auto& shares = model->traffic->shares;
  for (const TrafficShare& share : shares) {
    if (key.gate != nullptr && share.revision->gate.get() == key.gate) return share.revision;
  }
  for (const TrafficShare& share : shares) {
    if (is_tagged_host(*model, share.tag, key.host)) return share.revision;
  }
  int left = percent_of(key.session.empty() ? random.next() : hash_of(key.session, model->service_name));
  for (const TrafficShare& share : shares) {
    if (left < share.percent) return share.revision;
    left -= share.percent;
  }
  return shares.back().revision;
}

}  // namespace jackdaw::serving
