// WeightLoader: tensors of a file, checked for shape, handed to a WeightSink, their pages let go.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/result.h"
#include "jackdaw/formats/model_file.h"
#include "jackdaw/ops/backend.h"

namespace jackdaw::arch {

// Where weights go: a backend, or a sum of bytes.
class WeightSink {
 public:
  virtual ~WeightSink() = default;
  virtual Result<ops::Weight> linear(std::span<const ops::LinearPart> parts) = 0;
  virtual Result<ops::Weight> vector(std::span<const float> values) = 0;
  // False: `values` and `data` may be empty, only sizes count.
  virtual bool reads() const = 0;
};

class WeightLoader {
 public:
  using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;

  WeightLoader(const formats::ModelFile& file, WeightSink& sink, Progress progress)
      : file_(file), sink_(sink), progress_(std::move(progress)) {}

  // Names come without ".weight" and ".bias". Errors name the tensor: invalid_argument when it is missing or has
  // another shape, unsupported when it has an encoding that its use has no kernel for.
  bool has(std::string_view name) const;

  struct Piece {
    std::string name;
    std::int64_t rows = 0;
  };
  // The pieces' rows, one after the other: "[rows, columns]" each.
  Result<ops::Weight> linear(std::span<const Piece> pieces, std::int64_t columns);
  // Rows of several tensors in a free order: `take` says which part of which tensor. See experts in builder.cpp.
  struct Rows {
    const formats::FileTensor* tensor = nullptr;
    std::int64_t first = 0;
    std::int64_t count = 0;
  };
  Result<ops::Weight> linear_of_rows(std::span<const Rows> rows, std::int64_t columns);
  // A tensor of this shape, for linear_of_rows.
  Result<const formats::FileTensor*> require(std::string_view name, std::span<const std::int64_t> shape);

  Result<ops::Weight> norm(std::string_view name, std::int64_t size, bool plus_one);
  // Biases of the pieces of one linear weight. None there: an invalid handle, or an error when `required`. Some there:
  // the others are zeros.
  Result<ops::Weight> biases(std::span<const Piece> pieces, bool required);

  // Names with suffix of every tensor used so far.
  bool used(std::string_view name) const { return used_.contains(name); }

 private:
  void finish(const formats::FileTensor& tensor);

  const formats::ModelFile& file_;
  WeightSink& sink_;
  Progress progress_;
  std::set<std::string, std::less<>> used_;
  std::uint64_t done_ = 0;
};

}  // namespace jackdaw::arch
