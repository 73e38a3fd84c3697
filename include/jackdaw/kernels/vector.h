// Vector kernels: what happens to one row of floats between the linear layers. One table of functions per instruction
// set; the caller picks the table its CPU can run.
//
// Every function treats element i alone or sums in one fixed order per instruction set, so a row's result does not
// depend on which rows are done beside it. No alignment is asked for; `in` and `out` may be the same. No allocation, no
// exceptions, callable from any thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace jackdaw::kernels {

// avx2 needs FMA and F16C too; avx512: F, BW, DQ, VL. amx is avx512 with other linear layers.
enum class VectorSet : std::uint8_t { plain, avx2, avx512, amx };

struct LargestElement {
  float value;
  std::uint32_t index;
};

struct VectorKernels {
  // out = in / sqrt(mean(in^2) + eps) * weight.
  void (*rms_norm)(const float* in, const float* weight, float eps, std::size_t width, float* out);
  // out += the same.
  void (*rms_norm_add)(const float* in, const float* weight, float eps, std::size_t width, float* out);
  // out = activation(gate) * up.
  void (*gate_silu)(const float* gate, const float* up, std::size_t width, float* out);
  void (*gate_gelu_tanh)(const float* gate, const float* up, std::size_t width, float* out);
  // x = cap * tanh(x / cap).
  void (*softcap)(float* x, std::size_t width, float cap);
  void (*scale)(float* x, std::size_t width, float factor);
  void (*add)(const float* in, std::size_t width, float* out);                       // out += in
  void (*add_scaled)(const float* in, float factor, std::size_t width, float* out);  // out += factor * in
  // Rotates a head's first 2 * pairs elements in place. For pairs (2i, 2i+1) the tables hold cos and -/+ sin for every
  // element, lower one first: c0 c0 c1 c1 ..., -s0 s0 -s1 s1 ... For pairs (i, i + pairs): c0 c1 ... c0 c1 ...,
  // -s0 -s1 ... s0 s1 ...
  void (*rotate_adjacent)(float* head, const float* cosines, const float* sines, std::size_t pairs);
  void (*rotate_half_split)(float* head, const float* cosines, const float* sines, std::size_t pairs);
  // x = e^(x - max x) / sum: a softmax. Width 0 does nothing.
  void (*softmax)(float* x, std::size_t width);
  // The largest element and the lowest index that has it; {-inf, 0} when there is none above -inf. NaN is passed over.
  LargestElement (*largest)(const float* x, std::size_t width);
};

// The table for `set`; on a build for another architecture all are the plain one.
const VectorKernels& vector_kernels(VectorSet set);

}  // namespace jackdaw::kernels
