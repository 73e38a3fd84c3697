// Backend: one device that holds weights and a paged KV cache and runs a Program step by step.
//
// Life: make it, hand it the weights (repacked into its own layout at once; the source may go away after each call),
// compile the Program with its limits, then step. Owner thread: the one that loads, later the engine thread. Only one
// thread at a time. A CPU backend uses its ThreadPool for the length of each step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jackdaw/base/encoding.h"
#include "jackdaw/base/result.h"
#include "jackdaw/ops/program.h"
#include "jackdaw/ops/sampling.h"

namespace jackdaw::ops {

// Rows of a linear weight as a model file holds them: [rows, columns], row-major, `data` in `encoding`.
struct LinearPart {
  Encoding encoding = Encoding::f32;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::span<const std::byte> data;
};

enum class KvEncoding : std::uint8_t { f16, bf16, q8_0 };

// The KV cache comes in pages of this many tokens, all layers of a token range in one page id.
inline constexpr std::uint32_t page_tokens = 16;

struct StepLimits {
  std::uint32_t tokens_max = 512;  // tokens in one step
  std::uint32_t rows_max = 64;     // rows of logits in one step
  std::uint32_t pages = 0;         // KV pages to allocate
  KvEncoding kv_encoding = KvEncoding::f16;
};

// The tokens of one sequence in a step: consecutive positions. Any count: a prefill chunk, one token of decode, or a
// draft to verify.
struct BatchSequence {
  std::uint32_t first_token = 0;  // into Batch::tokens
  std::uint32_t token_count = 0;
  std::uint32_t first_position = 0;      // of tokens[first_token]; all earlier positions are in the cache
  std::span<const std::uint32_t> pages;  // page of positions [16i, 16i+16); covers every position of this step
};

struct Batch {
  std::span<const std::int32_t> tokens;  // all sequences' tokens, one sequence after the other
  std::span<const BatchSequence> sequences;
  std::span<const SampleRow> rows;  // ascending batch_token
};

// What a loaded model occupies, in bytes; the plan and the truth use the same arithmetic.
struct MemoryUse {
  std::uint64_t weights = 0;
  std::uint64_t kv_cache = 0;
  std::uint64_t workspace = 0;  // activations and scratch
  std::uint64_t total() const { return weights + kv_cache + workspace; }
};

// A Program made ready on a device. Keeps its Backend alive.
class Executable {
 public:
  virtual ~Executable() = default;
  // Runs all tokens, writes their keys and values, fills `out` (one per row). Tokens and pages are checked by the
  // caller (our own scheduler); an error means that the device failed and nothing can be trusted until a restart.
  virtual Result<void> step(const Batch& batch, std::span<Sampled> out) = 0;
  // Copies the first `tokens` positions of page `from` to page `to`, in every layer (copy-on-write of a prefix).
  virtual void copy_page(std::uint32_t from, std::uint32_t to, std::uint32_t tokens) = 0;
  // The logits of row `row` of the last step before sampling, for tests; copied out.
  virtual std::vector<float> logits(std::uint32_t row) const = 0;
  virtual MemoryUse memory() const = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;  // "cpu (avx512-vnni), 2 threads"

  // Stacks the parts' rows into one weight; all parts have the same columns. unsupported when an encoding or a shape
  // has no kernel here.
  virtual Result<Weight> add_linear(std::span<const LinearPart> parts) = 0;
  virtual Result<Weight> add_vector(std::span<const float> values) = 0;
  // What add_linear would occupy, for plans.
  virtual std::uint64_t linear_bytes(Encoding encoding, std::int64_t rows, std::int64_t columns) const = 0;
  virtual std::uint64_t page_bytes(const AttentionShape& shape, KvEncoding encoding) const = 0;
  virtual std::uint64_t workspace_bytes(const Program& program, const StepLimits& limits) const = 0;

  virtual Result<std::unique_ptr<Executable>> compile(Program program, const StepLimits& limits) = 0;
};

class ThreadPool;

// Plain loops in float, one thread: what every other backend is compared with. Slow.
std::shared_ptr<Backend> make_reference_backend();
// AVX-512 (VNNI, BF16), AVX2 or scalar kernels by cpu_features(). The pool outlives it.
std::shared_ptr<Backend> make_cpu_backend(ThreadPool& pool);

}  // namespace jackdaw::ops
