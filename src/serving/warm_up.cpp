#include "jackdaw/serving/warm_up.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace jackdaw::serving {
namespace {

using engine::InferenceRequest;
using engine::Tensor;

constexpr std::uint32_t tokens_max = 4;
constexpr std::int64_t free_dimension = 1;
constexpr std::size_t elements_max = std::size_t{1} << 24;

// In [0, 1).
double uniform(Random& random) {
  return static_cast<double>(random.next() >> 11) * 0x1p-53;
}

void put_element(Tensor& tensor, std::size_t at, double value) {
  std::byte* const to = tensor.data.data() + at * element_size(tensor.dtype);
  if (tensor.dtype == DType::fp64) {
    std::memcpy(to, &value, sizeof(value));
  } else if (tensor.dtype == DType::fp32) {
    const auto single = static_cast<float>(value);
    std::memcpy(to, &single, sizeof(single));
  } else if (!is_float(tensor.dtype)) {
    *to = static_cast<std::byte>(value < 0.5 ? 0 : 1);  // the lowest byte of 0 or 1
  }
}

Tensor made_up_tensor(const engine::TensorSpec& spec, const WarmUpOptions& options, Random& random) {
  Tensor tensor;
  tensor.name = spec.name;
  tensor.dtype = spec.dtype;
  tensor.shape = spec.shape;
  if (tensor.shape.empty()) tensor.shape.push_back(-1);
  tensor.shape.front() = static_cast<std::int64_t>(options.rows);
  std::size_t count = 1;
  for (std::int64_t& dimension : tensor.shape) {
    if (dimension < 0) dimension = free_dimension;
    count *= static_cast<std::size_t>(dimension);
    count = std::min(count, elements_max);
  }
  if (tensor.dtype == DType::bytes) {
    tensor.strings.assign(count, "0");
    return tensor;
  }
  tensor.data.assign(count * element_size(tensor.dtype), std::byte{0});
  for (std::size_t i = 0; options.fill == WarmUpFill::random && i < count; ++i) put_element(tensor, i, uniform(random));
  return tensor;
}

// Waits for the end of a generation.
class EndOfStream final : public engine::ResponseStream {
 public:
  void done() override { end(std::nullopt); }
  void error(Error error) override { end(std::move(error)); }
  bool cancelled() const override {
    const std::lock_guard lock(mutex_);
    return given_up_;
  }
  Result<void> wait(Duration timeout) {
    std::unique_lock lock(mutex_);
    if (!ended_.wait_for(lock, timeout, [this] { return over_; })) {
      given_up_ = true;
      return make_error(Code::deadline_exceeded, "no answer within {} s",
                        std::chrono::duration_cast<std::chrono::seconds>(timeout).count());
    }
    if (error_) return *error_;
    return {};
  }

 private:
  void end(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    over_ = true;
    error_ = std::move(error);
    ended_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  bool given_up_ = false;
  std::optional<Error> error_;
};

Result<void> generate_once(engine::Engine& engine, const WarmUpOptions& options) {
  auto request = std::make_shared<InferenceRequest>();
  request->verb = engine::Verb::generate;
  request->id = "warm-up";
  engine::GenerateInputs& inputs = request->generate.emplace();
  inputs.prompt = engine.codec()->encode("The quick brown fox jumps over the lazy dog", true);
  inputs.max_tokens = tokens_max;
  inputs.sampling.temperature = 0.0f;
  const auto end = std::make_shared<EndOfStream>();
  engine.submit(request, end);
  return end->wait(options.timeout);
}

}  // namespace

InferenceRequest made_up_request(const engine::ModelMetadata& metadata, const WarmUpOptions& options, Random& random) {
  InferenceRequest request;
  request.id = "warm-up";
  for (const engine::TensorSpec& spec : metadata.inputs) {
    request.inputs.push_back(made_up_tensor(spec, options, random));
  }
  // Several inputs are the columns of a data frame.
  if (request.inputs.size() > 1) request.form = engine::InputForm::columns;
  return request;
}

Result<void> warm_up(engine::Engine& engine, const WarmUpOptions& options, Random& random) {
  if (engine.codec() != nullptr) {
    for (std::size_t i = 0; i < options.rows; ++i) JACKDAW_TRY(generate_once(engine, options));
    return {};
  }
  JACKDAW_TRY(engine.predict(made_up_request(engine.metadata(), options, random)));
  WarmUpOptions one = options;
  one.rows = 1;
  for (std::size_t i = 1; i < options.rows; ++i) {
    JACKDAW_TRY(engine.predict(made_up_request(engine.metadata(), one, random)));
  }
  return {};
}

}  // namespace jackdaw::serving
