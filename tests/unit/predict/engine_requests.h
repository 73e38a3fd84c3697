// What the engine tests share: loading through the factory, requests from numbers, answers as numbers.
#pragma once

#include <catch2/catch.hpp>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "jackdaw/predict/predict.h"
#include "tests/unit/predict/engine_oracle.h"
#include "tests/unit/temporary_folder.h"

namespace jackdaw::predict::oracle {

inline engine::EngineSpec spec_of(const std::string& format, const std::string& path, bool mlserver = false) {
  engine::EngineSpec spec;
  spec.model_name = "m";
  spec.model_format = format;
  spec.path = path;
  spec.mlserver_dialect = mlserver;
  return spec;
}

inline std::shared_ptr<engine::Engine> load(const engine::EngineSpec& spec) {
  auto engine = make_engine_factory()->load(spec);
  if (!engine) FAIL(engine.error().text());
  return *engine;
}

template <typename T>
engine::Tensor tensor_of(DType dtype, std::vector<std::int64_t> shape, const std::vector<T>& values) {
  engine::Tensor tensor;
  tensor.name = "input-0";
  tensor.dtype = dtype;
  tensor.shape = std::move(shape);
  tensor.data.resize(values.size() * sizeof(T));
  if (!values.empty()) std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return tensor;
}

inline engine::Tensor text_tensor(std::vector<std::int64_t> shape, std::vector<std::string> texts) {
  engine::Tensor tensor;
  tensor.name = "input-0";
  tensor.dtype = DType::bytes;
  tensor.shape = std::move(shape);
  tensor.strings = std::move(texts);
  return tensor;
}

inline engine::Tensor column(std::string name, engine::Tensor tensor) {
  tensor.name = std::move(name);
  return tensor;
}

inline engine::InferenceRequest matrix_request(engine::Tensor tensor, std::vector<std::string> outputs = {}) {
  engine::InferenceRequest request;
  request.inputs.push_back(std::move(tensor));
  request.outputs = std::move(outputs);
  return request;
}

inline engine::InferenceRequest frame_request(std::vector<engine::Tensor> columns) {
  engine::InferenceRequest request;
  request.form = engine::InputForm::columns;
  request.inputs = std::move(columns);
  return request;
}

inline std::vector<engine::Tensor> answer(engine::Engine& engine, const engine::InferenceRequest& request) {
  auto result = engine.predict(request);
  if (!result) FAIL(result.error().text());
  return std::move(*result);
}

inline Error refusal(engine::Engine& engine, const engine::InferenceRequest& request) {
  auto result = engine.predict(request);
  REQUIRE(!result.has_value());
  return result.error();
}

template <typename T>
std::vector<T> values_of(const engine::Tensor& tensor) {
  REQUIRE(tensor.data.size() % sizeof(T) == 0);
  return {tensor.as<T>(), tensor.as<T>() + tensor.data.size() / sizeof(T)};
}

// All cells of a case as one FP32 or FP64 matrix.
inline engine::Tensor case_matrix(simdjson::dom::element one, DType dtype) {
  const std::vector<std::int64_t> shape{one["rows"].get_int64().value(), one["cols"].get_int64().value()};
  if (dtype == DType::fp32) return tensor_of(dtype, shape, numbers<float>(one["data"]));
  return tensor_of(dtype, shape, numbers<double>(one["data"]));
}

}  // namespace jackdaw::predict::oracle
