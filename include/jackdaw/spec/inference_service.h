// InferenceService: serving.kserve.io/v1beta1 as jackdaw serves it, read and checked. Plain data, any thread.
// Field meanings: KServe's pkg/apis/serving/v1beta1 (InferenceServiceSpec, PredictorSpec, ModelSpec).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jackdaw/base/config_value.h"
#include "jackdaw/base/env.h"
#include "jackdaw/spec/llm_settings.h"
#include "jackdaw/spec/node.h"
#include "jackdaw/spec/rollout_settings.h"
#include "jackdaw/spec/runtime_selection.h"
#include "jackdaw/spec/scaling.h"
#include "jackdaw/spec/serving_stages.h"

namespace jackdaw::spec {

using TextMap = std::map<std::string, ConfigValue<std::string>, std::less<>>;

struct ObjectMeta {
  ConfigValue<std::string> name;
  ConfigValue<std::string> namespace_name{"default"};
  TextMap labels;
  TextMap annotations;
};

// The model of a predictor, whichever way it was written: `model:` or a legacy framework block (`sklearn:`).
struct Predictor {
  SourcePlace place;  // of the block
  bool legacy_block = false;
  ConfigValue<std::string> name;            // spec.predictor.name
  ConfigValue<std::string> model_format;    // "sklearn", "xgboost", "lightgbm", "huggingface"
  ConfigValue<std::string> format_version;  // modelFormat.version, "" when not named
  ConfigValue<std::string> runtime_name;    // spec.predictor.model.runtime as written, "" = automatic
  ConfigValue<std::string> runtime_version;
  ConfigValue<Protocol> protocol{Protocol::v1};
  // The one source, from storageUri, storageUris or storage; unresolved (storage/resolver.h does that).
  ConfigValue<std::string> storage_uri;
  TextMap env;  // literal values only
  std::vector<ConfigValue<std::string>> args;

  // What env, args and annotations come to.
  ConfigValue<std::string> served_name;              // --model_name, MLSERVER_MODEL_NAME, or metadata.name
  ConfigValue<bool> predict_proba{false};            // env PREDICT_PROBA=true
  ConfigValue<std::string> predict_fn;               // annotation jackdaw.dev/predict-fn; "" = the runtime's own
  ConfigValue<std::uint64_t> memory_limit_bytes{0};  // annotation jackdaw.dev/model-memory-limit; 0 = default
  std::vector<ConfigValue<std::string>> aliases;     // of a language model: further names of --served-model-name
  LlmSettings llm;                                   // of a language model
  ServingStages stages;                              // batcher, cache, warm-up, logger
  Scaling scaling;

  bool is_language_model() const { return *model_format == "huggingface"; }
};

// The service's transformer, which jackdaw does not start: where it runs.
struct Transformer {
  ConfigValue<std::string> url;  // annotation jackdaw.dev/transformer-url: http[s]://…, without a slash at its end
  ConfigValue<Duration> timeout{std::chrono::seconds(300)};  // spec.transformer.timeout, of a whole call; Knative's 300
};

struct InferenceService {
  ObjectMeta metadata;
  Predictor predictor;
  std::optional<Transformer> transformer;
  SelectedRuntime runtime;           // chosen by KServe's rules
  RolloutSettings rollout;           // how a change of it comes into effect
  bool stopped = false;              // annotation serving.kserve.io/stop: "true": declared, but must not be loaded
  std::string base_dir;              // folder of the file it came from; relative storage URIs start here
  std::shared_ptr<const Node> node;  // everything as it was written, for giving it back unchanged
};

}  // namespace jackdaw::spec
