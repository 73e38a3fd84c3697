#include "src/api/oip/transformer_calls.h"

#include <sys/random.h>

#include <array>
#include <cstdint>
#include <utility>

namespace jackdaw::api::oip {
namespace {

constexpr std::string_view key_prefix = "jackdaw-call.";
constexpr std::size_t trace_size = 32;
constexpr std::size_t secret_size = 32;

// 16 bytes nobody can foresee, from the kernel: ids of requests come from a generator that is fast and no secret.
std::string secret_hex() {
  std::array<std::uint8_t, 16> bytes{};
  CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t byte : bytes) {
    out += digits[byte >> 4];
    out += digits[byte & 0xf];
  }
  return out;
}

}  // namespace

TransformerCalls::Mark TransformerCalls::begin(const serving::ServedModel& model, GrantPtr grant) {
  Mark mark;
  mark.trace = secret_hex();
  mark.key = std::string(key_prefix) + mark.trace + secret_hex();
  Row row{model.namespace_name, model.service_name, sha256(mark.key), std::move(grant)};
  const std::lock_guard lock(mutex_);
  rows_.insert_or_assign(mark.trace, std::move(row));
  return mark;
}

void TransformerCalls::end(const Mark& mark) {
  const std::lock_guard lock(mutex_);
  rows_.erase(mark.trace);
}

bool TransformerCalls::is_loop(std::string_view trace, const serving::ServedModel& model) const {
  if (trace.size() != trace_size) return false;
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(std::string(trace));
  return found != rows_.end() && found->second.namespace_name == model.namespace_name &&
         found->second.service_name == model.service_name;
}

GrantPtr TransformerCalls::find_key(std::string_view key, std::string_view namespace_name,
                                    std::string_view service_name) const {
  if (!looks_like_key(key)) return nullptr;
  const Sha256 hash = sha256(key);
  const std::lock_guard lock(mutex_);
  const auto found = rows_.find(std::string(key.substr(key_prefix.size(), trace_size)));
  if (found == rows_.end() || !equal_in_constant_time(found->second.key_hash, hash)) return nullptr;
  const Row& row = found->second;
  return row.namespace_name == namespace_name && row.service_name == service_name ? row.grant : nullptr;
}

std::size_t TransformerCalls::count() const {
  const std::lock_guard lock(mutex_);
  return rows_.size();
}

bool TransformerCalls::looks_like_key(std::string_view token) {
  return token.size() == key_prefix.size() + trace_size + secret_size && token.starts_with(key_prefix);
}

}  // namespace jackdaw::api::oip
