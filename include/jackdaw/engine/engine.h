// Engine: what api and serving know of a model that answers. Engines know no HTTP.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jackdaw/base/env.h"
#include "jackdaw/base/result.h"
#include "jackdaw/engine/generate.h"
#include "jackdaw/engine/tensor.h"

namespace jackdaw::engine {

enum class Verb : unsigned char { predict, generate, explain, embed };

// How the sender shaped a predict request; what `KServe` calls a codec.
enum class InputForm : unsigned char {
  tensor,   // inputs[0] is the matrix (or the list of texts, for BYTES)
  columns,  // each input is one column of a data frame, by name
};

struct InferenceRequest {
  Verb verb = Verb::predict;
  std::string id;  // the sender's, or made for it; echoed in the answer
  InputForm form = InputForm::tensor;
  std::vector<Tensor> inputs;
  // Names of the outputs asked for, in order; empty = the engine's default ones.
  std::vector<std::string> outputs;
  Instant deadline = Instant::max();
  std::optional<GenerateInputs> generate;  // with Verb::generate
};

// One input or output as /v2/models/{m} describes it; -1 stands for a free dimension.
struct TensorSpec {
  std::string name;
  DType dtype = DType::fp32;
  std::vector<std::int64_t> shape;
};

struct ModelMetadata {
  std::string platform;  // "sklearn", "xgboost", "lightgbm", "llm"
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  std::vector<std::string> classes;  // class names of a classifier, else empty
};

struct EngineStats {
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t resident_bytes = 0;  // the model's own memory, an estimate
  // Engines that generate.
  std::uint32_t running = 0;       // sequences in the batch
  std::uint32_t waiting = 0;       // sequences that wait for a place
  std::uint32_t requests_max = 0;  // running and waiting ones that the engine holds at most; 0: not known
  double kv_cache_usage = 0.0;     // 0..1
  Duration estimated_wait{0};      // for a request that came now; what Retry-After says
  bool healthy = true;             // false: the device failed, and nothing is answered until the model is loaded again
};

// Where an engine puts its answer. Exactly one of `done` or `error` ends the stream; nothing comes after it. The
// stream's owner says on which thread it may be called: an io thread's stream hands results over to that thread.
// Members never block and never throw: an engine thread calls them between two steps.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  virtual void tensors(std::vector<Tensor> outputs) { (void)outputs; }
  // Generation: `prompt_done` once, then deltas, then `usage` once, then `done`.
  virtual void prompt_done(PromptDone prompt) { (void)prompt; }
  virtual void tokens(TokenDelta delta) { (void)delta; }
  virtual void usage(const GenerateUsage& usage) { (void)usage; }
  virtual void done() = 0;
  virtual void error(Error error) = 0;
  // True once nobody wants the answer any more; any thread. An engine looks before every step and lets go of the
  // request's memory at once.
  virtual bool cancelled() const { return false; }
};

// Thread-safe. A small predict call runs inline: the stream has ended when submit returns. A larger one, and every
// generation, ends on another thread later; request and stream live until then (shared). A full queue ends the stream
// with Code::resource_exhausted before submit returns.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual const ModelMetadata& metadata() const = 0;
  virtual void submit(std::shared_ptr<const InferenceRequest> request, std::shared_ptr<ResponseStream> stream) = 0;
  // The inline path: answers on the calling thread, or Code::unsupported when this engine has none.
  virtual Result<std::vector<Tensor>> predict(const InferenceRequest& request) = 0;
  // Estimated cost of `predict` for this request, in nanoseconds; callers keep large ones off the io threads.
  virtual std::uint64_t estimate_ns(const InferenceRequest& request) const = 0;
  virtual EngineStats stats() const = 0;
  // Text to tokens for engines that generate; null for others.
  virtual const PromptCodec* codec() const { return nullptr; }
  // Stops taking requests and waits for those in flight until `deadline`.
  virtual void drain(Instant deadline) = 0;
};

// How a model is to be loaded: everything the spec says that an engine needs to know.
struct EngineSpec {
  std::string model_name;
  std::string path;                      // file or directory on this machine
  std::string model_format;              // "sklearn", "xgboost", "lightgbm", "huggingface", "gguf", "safetensors"
  bool mlserver_dialect = false;         // outputs, file names and XGBoost semantics as MLServer's runtimes
  bool predict_proba = false;            // KServe's PREDICT_PROBA=true
  std::string predict_fn;                // MLServer's parameters.extra.predict_fn, "" = predict
  std::uint64_t memory_limit_bytes = 0;  // 0 = default cap while reading
  LlmOptions llm;                        // for models that generate
};

class EngineFactory {
 public:
  virtual ~EngineFactory() = default;
  // Reads and checks the model; blocking, for the work thread. Errors name file, offset and step.
  virtual Result<std::shared_ptr<Engine>> load(const EngineSpec& spec) = 0;
};

}  // namespace jackdaw::engine
