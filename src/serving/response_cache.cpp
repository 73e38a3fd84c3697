#include "jackdaw/serving/response_cache.h"

#include <algorithm>
#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "src/serving/sip_hash.h"

namespace jackdaw::serving {
namespace {

using engine::InferenceRequest;
using engine::Tensor;

constexpr std::array<std::string_view, 2> labels{"model", "version"};
constexpr std::size_t node_bytes = 160;  // list node, map node and bucket of an entry, about

Counter& counter(MetricsRegistry& registry, std::string_view name, std::string_view help, std::string_view model,
                 std::string_view version) {
  return registry.counter(name, help, labels, std::array<std::string_view, 2>{model, version});
}

void append_number(std::string& out, std::uint64_t value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Every part goes in with its length: no two requests have the same bytes.
void append_text(std::string& out, std::string_view text) {
  append_number(out, text.size());
  out += text;
}

void append_tensor(std::string& out, const Tensor& tensor) {
  append_text(out, tensor.name);
  append_text(out, tensor.content_type);
  append_number(out, static_cast<std::uint64_t>(tensor.dtype));
  append_number(out, tensor.shape.size());
  for (const std::int64_t dimension : tensor.shape) append_number(out, static_cast<std::uint64_t>(dimension));
  append_text(out, {reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size()});
  append_text(out, {reinterpret_cast<const char*>(tensor.missing.data()), tensor.missing.size()});
  append_number(out, tensor.strings.size());
  for (const std::string& text : tensor.strings) append_text(out, text);
}

std::string canonical(const InferenceRequest& request) {
  std::string out;
  std::size_t bytes = 64;
  for (const Tensor& tensor : request.inputs) bytes += 128 + tensor.data.size() + tensor.missing.size();
  out.reserve(bytes);
  append_number(out, static_cast<std::uint64_t>(request.verb) << 8 | static_cast<std::uint64_t>(request.form));
  append_number(out, request.outputs.size());
  for (const std::string& name : request.outputs) append_text(out, name);
  for (const Tensor& tensor : request.inputs) append_tensor(out, tensor);
  return out;
}

std::size_t tensor_bytes(const Tensor& tensor) {
  std::size_t bytes = sizeof(Tensor) + tensor.name.size() + tensor.content_type.size() + tensor.data.size() +
                      tensor.missing.size() + tensor.shape.size() * sizeof(std::int64_t);
  for (const std::string& text : tensor.strings) bytes += sizeof(std::string) + text.size();
  return bytes;
}

double micros_between(Instant from, Instant to) {
  return std::chrono::duration<double, std::micro>(to - from).count();
}

}  // namespace

struct ResponseCache::Shard {
  struct Entry {
    CacheKey key;
    std::shared_ptr<const Tensors> outputs;
    Instant inserted{};
    std::size_t bytes = 0;
  };
  using Entries = std::list<Entry>;  // most recently used first
  struct Hash {
    std::size_t operator()(const CacheKey* key) const { return static_cast<std::size_t>(key->hash); }
  };
  struct Equal {
    bool operator()(const CacheKey* a, const CacheKey* b) const {
      return a->hash == b->hash && a->request == b->request;
    }
  };

  void erase(Entries::iterator at) {
    bytes -= at->bytes;
    index.erase(&at->key);
    entries.erase(at);
  }

  mutable std::mutex mutex;
  Entries entries;
  std::unordered_map<const CacheKey*, Entries::iterator, Hash, Equal> index;
  std::size_t bytes = 0;
};

ResponseCache::ResponseCache(ResponseCacheOptions options, Clock& clock, Random& random, MetricsRegistry& metrics,
                             std::string_view model, std::string_view version)
    : options_(options),
      clock_(clock),
      seed_{random.next(), random.next()},
      hits_(counter(metrics, "nv_cache_num_hits_per_model", "Number of cache hits per model", model, version)),
      misses_(counter(metrics, "nv_cache_num_misses_per_model", "Number of cache misses per model", model, version)),
      hit_us_(counter(metrics, "nv_cache_hit_duration_per_model", "Total cache hit duration per model, in microseconds",
                      model, version)),
      miss_us_(counter(metrics, "nv_cache_miss_duration_per_model",
                       "Total cache miss (insert+lookup) duration per model, in microseconds", model, version)),
      shards_(std::make_unique<Shard[]>(shard_count)) {}

ResponseCache::~ResponseCache() = default;

ResponseCache::Shard& ResponseCache::shard_of(std::uint64_t hash) const {
  return shards_[hash >> 60];
}

CacheKey ResponseCache::key_of(const InferenceRequest& request) const {
  CacheKey key{canonical(request), 0};
  key.hash = sip_hash_1_3(seed_, key.request);
  return key;
}

std::shared_ptr<const ResponseCache::Tensors> ResponseCache::find(const CacheKey& key) {
  const Instant begin = clock_.now();
  Shard& shard = shard_of(key.hash);
  std::shared_ptr<const Tensors> found;
  {
    const std::lock_guard lock(shard.mutex);
    const auto at = shard.index.find(&key);
    if (at != shard.index.end()) {
      const auto entry = at->second;
      if (options_.ttl > Duration{0} && begin - entry->inserted >= options_.ttl) {
        shard.erase(entry);
      } else {
        shard.entries.splice(shard.entries.begin(), shard.entries, entry);
        found = entry->outputs;
      }
    }
  }
  (found != nullptr ? hits_ : misses_).add();
  (found != nullptr ? hit_us_ : miss_us_).add(micros_between(begin, clock_.now()));
  return found;
}

void ResponseCache::insert(CacheKey key, const Tensors& outputs) {
  const Instant begin = clock_.now();
  const std::size_t shard_bytes_max = options_.bytes_max / shard_count;
  std::size_t bytes = node_bytes + sizeof(Shard::Entry) + key.request.size();
  for (const Tensor& tensor : outputs) bytes += tensor_bytes(tensor);
  if (bytes > shard_bytes_max / 8) return;
  auto kept = std::make_shared<const Tensors>(outputs);
  key.request.shrink_to_fit();
  Shard& shard = shard_of(key.hash);
  {
    const std::lock_guard lock(shard.mutex);
    if (const auto at = shard.index.find(&key); at != shard.index.end()) shard.erase(at->second);
    while (shard.bytes + bytes > shard_bytes_max) shard.erase(std::prev(shard.entries.end()));
    shard.entries.push_front({std::move(key), std::move(kept), begin, bytes});
    shard.index.emplace(&shard.entries.front().key, shard.entries.begin());
    shard.bytes += bytes;
  }
  miss_us_.add(micros_between(begin, clock_.now()));
}

std::size_t ResponseCache::bytes() const {
  std::size_t total = 0;
  for (std::size_t i = 0; i < shard_count; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    total += shards_[i].bytes;
  }
  return total;
}

std::size_t ResponseCache::entries() const {
  std::size_t total = 0;
  for (std::size_t i = 0; i < shard_count; ++i) {
    const std::lock_guard lock(shards_[i].mutex);
    total += shards_[i].entries.size();
  }
  return total;
}

}  // namespace jackdaw::serving
