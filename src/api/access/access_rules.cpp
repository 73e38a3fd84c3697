#include <algorithm>
#include <utility>

#include "jackdaw/api/access.h"

namespace jackdaw::api {
namespace {

constexpr std::size_t token_bytes_min = 16;
constexpr std::size_t token_bytes_max = 4096;
constexpr std::size_t tokens_of_file_max = 10'000;
constexpr std::string_view hash_prefix = "sha256:";

bool covers(const std::vector<std::string>& globs, std::string_view name) {
  return globs.empty() ||
         std::any_of(globs.begin(), globs.end(), [name](const std::string& glob) { return matches_glob(glob, name); });
}

std::string_view trimmed(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

bool Grant::has(Need need) const {
  switch (need) {
    case Need::open:
      return true;
    case Need::infer:
      return infer;
    case Need::read:
      return read || write;
    case Need::write:
      return write;
    case Need::metrics:
      return metrics;
  }
  return false;
}

bool Grant::covers_model(std::string_view model) const {
  return covers(models, model);
}

bool Grant::covers_namespace(std::string_view namespace_name) const {
  return covers(namespaces, namespace_name);
}

bool AccessRules::is_open(Need need) const {
  switch (need) {
    case Need::open:
      return true;
    case Need::infer:
      return !inference_keys;
    case Need::read:
    case Need::write:
      return this_machine_only;
    case Need::metrics:
      return this_machine_only || !is_granted(Need::metrics);
  }
  return false;
}

bool AccessRules::is_granted(Need need) const {
  const auto has = [need](const auto& row) { return row.grant->has(need); };
  return std::any_of(tokens.begin(), tokens.end(), has) || std::any_of(certificates.begin(), certificates.end(), has);
}

GrantPtr AccessRules::find_token(std::string_view token) const {
  const Sha256 hash = sha256(token);
  const GrantPtr* found = nullptr;
  for (const TokenRow& row : tokens) {
    if (equal_in_constant_time(row.hash, hash)) found = &row.grant;
  }
  return found == nullptr ? nullptr : *found;
}

GrantPtr AccessRules::find_certificate(const std::vector<std::string>& names) const {
  for (const CertificateRow& row : certificates) {
    const bool fits = std::any_of(names.begin(), names.end(), [&row](const std::string& name) {
      return !row.names.empty() && covers(row.names, name);
    });
    if (fits) return row.grant;
  }
  return nullptr;
}

void Access::replace(AccessRules rules) {
  unsigned open = 0;
  for (const Need need : {Need::open, Need::infer, Need::read, Need::write, Need::metrics}) {
    if (rules.is_open(need)) open |= 1u << static_cast<unsigned>(need);
  }
  auto fresh = std::make_shared<const AccessRules>(std::move(rules));
  const std::lock_guard lock(mutex_);
  rules_ = std::move(fresh);
  open_.store(open, std::memory_order_relaxed);
}

std::shared_ptr<const AccessRules> Access::rules() const {
  const std::lock_guard lock(mutex_);
  return rules_;
}

Result<Sha256> token_hash(std::string_view line) {
  if (line.substr(0, hash_prefix.size()) == hash_prefix) {
    const auto hash = sha256_from_hex(line.substr(hash_prefix.size()));
    if (!hash) return make_error(Code::parse_error, "after \"sha256:\" there must be 64 hexadecimal digits");
    return *hash;
  }
  const bool visible = std::all_of(line.begin(), line.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!visible) return make_error(Code::parse_error, "a token is visible ASCII characters without spaces");
  if (line.size() < token_bytes_min || line.size() > token_bytes_max) {
    return make_error(Code::parse_error, "a token has {} to {} characters; \"openssl rand -hex 32\" makes a good one",
                      token_bytes_min, token_bytes_max);
  }
  return sha256(line);
}

Result<std::vector<Sha256>> read_token_lines(std::string_view text) {
  std::vector<Sha256> out;
  for (int number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == '#') continue;
    Result<Sha256> hash = token_hash(line);
    if (!hash) return std::move(hash).error().at("line " + std::to_string(number));
    if (out.size() == tokens_of_file_max) {
      return make_error(Code::too_large, "more than {} tokens in one file", tokens_of_file_max);
    }
    out.push_back(*hash);
  }
  return out;
}

// The last star takes as little as it can and is given more when what follows does not fit: linear in practice,
// never more than the product of both lengths.
bool matches_glob(std::string_view glob, std::string_view text) {
  std::size_t g = 0, t = 0, star = std::string_view::npos, taken = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      taken = t;
    } else if (g < glob.size() && glob[g] == text[t]) {
      ++g;
      ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

}  // namespace jackdaw::api
