// ResponseCache: answers of one model version to requests that came before, least recently used ones out first.
//
// Only for engines whose answer depends on nothing but the request: predictive ones. A key is the whole request (form,
// outputs asked for, names, dtypes, shapes and bytes of the inputs) and is compared whole, so a collision of hashes
// costs time and never gives another request's answer. Thread-safe; sharded, so that io threads seldom meet. Bounded by
// bytes: keys, answers and the map's own nodes count. It goes away with its version.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/base/metrics.h"
#include "jackdaw/engine/engine.h"

namespace jackdaw::serving {

struct ResponseCacheOptions {
  std::size_t bytes_max = 0;  // 0: no cache
  Duration ttl{0};            // how long an answer is good; 0 = for as long as it stays
};

struct CacheKey {
  std::string request;  // the request's canonical bytes
  std::uint64_t hash = 0;
};

class ResponseCache {
 public:
  using Tensors = std::vector<engine::Tensor>;

  // Metrics by Triton's names: nv_cache_num_hits_per_model, nv_cache_num_misses_per_model and their durations.
  ResponseCache(ResponseCacheOptions options, Clock& clock, Random& random, MetricsRegistry& metrics,
                std::string_view model, std::string_view version);
  ~ResponseCache();
  ResponseCache(const ResponseCache&) = delete;
  ResponseCache& operator=(const ResponseCache&) = delete;

  CacheKey key_of(const engine::InferenceRequest& request) const;
  // The answer to that request, or null.
  std::shared_ptr<const Tensors> find(const CacheKey& key);
  // An answer larger than an eighth of a shard is not kept.
  void insert(CacheKey key, const Tensors& outputs);

  std::size_t bytes() const;
  std::size_t entries() const;

 private:
  struct Shard;
  Shard& shard_of(std::uint64_t hash) const;

  static constexpr std::size_t shard_count = 16;
  const ResponseCacheOptions options_;
  Clock& clock_;
  const std::array<std::uint64_t, 2> seed_;
  Counter& hits_;
  Counter& misses_;
  Counter& hit_us_;
  Counter& miss_us_;
  std::unique_ptr<Shard[]> shards_;
};

}  // namespace jackdaw::serving
