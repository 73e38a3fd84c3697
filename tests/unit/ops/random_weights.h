// Repeatable random numbers and weights for the cases that every Backend runs.
#pragma once

#include <cmath>
#include <cstdint>
#include <string_view>
#include <vector>

namespace jackdaw::ops::testing {

// splitmix64: small, and the same everywhere.
class Randoms {
 public:
  explicit Randoms(std::uint64_t seed) : state_(seed) {}
  explicit Randoms(std::string_view name) {
    for (const char c : name) state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ull + 0x9e37;
  }

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  std::uint32_t below(std::uint32_t bound) { return static_cast<std::uint32_t>(next() % bound); }
  float uniform() { return static_cast<float>(next() >> 40) * 0x1p-24f; }  // [0, 1)
  // Mean 0, variance 1, within +-4.2: a sum of uniforms.
  float normal() {
    float sum = -3.0f;
    for (int i = 0; i < 6; ++i) sum += uniform();
    return sum * std::sqrt(2.0f);
  }
  std::vector<float> normals(std::size_t count, float mean, float spread) {
    std::vector<float> out(count);
    for (float& x : out) x = mean + spread * normal();
    return out;
  }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325ull;
};

}  // namespace jackdaw::ops::testing
