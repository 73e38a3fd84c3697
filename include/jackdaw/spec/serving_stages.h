// What a predictor says of the stages around its model: batcher, response cache, warm-up, payload logger. Plain data.
// KServe's blocks: spec.predictor.batcher and .logger (pkg/apis/serving/v1beta1/batcher_type.go, logger_type.go);
// everything else: annotations jackdaw.dev/….
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "jackdaw/base/config_value.h"
#include "jackdaw/base/env.h"

namespace jackdaw::spec {

enum class BatchingKind : unsigned char {
  none,
  kserve,   // spec.predictor.batcher: its wait and its shape of V1 answers
  dynamic,  // annotations after Triton's dynamic_batching, or MLServer's max_batch_size and max_batch_time
};

struct BatchingSpec {
  ConfigValue<BatchingKind> kind{BatchingKind::none};
  ConfigValue<std::int64_t> max_batch_size{32};  // batcher.maxBatchSize, max-batch-size
  // batcher.maxLatency (milliseconds, 5000 when not given), max-queue-delay (0 when not given).
  ConfigValue<Duration> max_delay{Duration{0}};
  ConfigValue<std::vector<std::int64_t>> preferred_sizes;  // preferred-batch-size, "4,8"
  ConfigValue<std::int64_t> instances{1};                  // batch-instances
  ConfigValue<std::int64_t> queue_size{1024};              // queue-size
  ConfigValue<Duration> queue_timeout{Duration{0}};        // queue-timeout
  ConfigValue<bool> timeout_delays{false};                 // queue-timeout-action: delay
  ConfigValue<std::int64_t> priority_levels{1};            // priority-levels
  ConfigValue<std::int64_t> default_priority{0};           // default-priority-level; 0 = the middle one
};

struct ResponseCacheSpec {
  ConfigValue<std::uint64_t> bytes{0};     // response-cache; 0 = none
  ConfigValue<Duration> ttl{Duration{0}};  // response-cache-ttl; 0 = as long as it stays
};

enum class WarmUpKind : unsigned char { none, zeros, random, file };

struct WarmUpSpec {
  ConfigValue<WarmUpKind> kind{WarmUpKind::none};  // warm-up: "8", "zeros:8", "random:8", "file:body.json"
  std::int64_t rows = 1;
  std::string file;  // relative to the folder of the service's file
};

enum class LoggerMode : unsigned char { all, request, response };

struct LoggerSpec {
  ConfigValue<std::string> url;                          // logger.url: http, https or file; "" = no logger
  ConfigValue<std::string> file;                         // logger-file: a file of its own beside or instead of the url
  ConfigValue<std::uint64_t> file_bytes_max{64u << 20};  // logger-file-size: then the file is rotated
  ConfigValue<LoggerMode> mode{LoggerMode::all};
  std::vector<std::string> metadata_headers;
  std::vector<std::string> metadata_annotations;

  bool enabled() const { return !url->empty() || !file->empty(); }
  bool takes_requests() const { return *mode != LoggerMode::response; }
  bool takes_responses() const { return *mode != LoggerMode::request; }
};

struct ServingStages {
  BatchingSpec batching;
  ResponseCacheSpec cache;
  WarmUpSpec warm_up;
  LoggerSpec logger;
};

}  // namespace jackdaw::spec
