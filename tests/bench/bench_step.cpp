// bench_step: steps of a SmolLM2-135M-shaped model with random weights on the CPU backend, beside the read bandwidth of
// the same thread pool, measured in turn.
//
//   bench_step [ROUNDS [THREADS [PROMPT [CONTEXT]]]]    defaults 5, usable CPUs, 512, 64
// Prints per round and as medians: GB/s read over 384 MB, decode tokens/s at batch 1, 8 and 32 with CONTEXT tokens in
// the cache, prompt tokens/s, the share of the bandwidth that single-stream decode reaches, barriers per step, and
// where worker 0's time went.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "jackdaw/base/cpu.h"
#include "jackdaw/kernels/machine.h"
#include "jackdaw/kernels/quant.h"
#include "jackdaw/ops/thread_pool.h"
#include "ops/cpu_backend.h"
#include "ops/cpu_executable.h"

namespace jackdaw::ops {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values.empty() ? 0.0 : values[values.size() / 2];
}

struct Shape {
  std::uint32_t layers = 30, width = 576, heads = 9, kv_heads = 3, head_dim = 64, hidden = 1536, vocabulary = 49152;
};

// Adds random weights; counts the bytes that a decode step reads.
class Builder {
 public:
  explicit Builder(Backend& backend) : backend_(backend) {}

  Weight matrix(Encoding encoding, std::uint32_t rows, std::uint32_t columns) {
    std::vector<float> row(columns);
    const std::size_t bytes = row_bytes(encoding, columns).value();
    std::vector<std::byte> data(bytes * rows);
    std::normal_distribution<float> normal(0.0f, 1.0f / std::sqrt(static_cast<float>(columns)));
    // A few different rows are enough for timing and quick to make.
    for (std::uint32_t r = 0; r < rows; ++r) {
      if (r < 64) {
        for (float& x : row) x = normal(random_);
        kernels::quantize_row(encoding, row.data(), columns, data.data() + r * bytes);
      } else {
        std::copy_n(data.data() + r % 64 * bytes, bytes, data.data() + r * bytes);
      }
    }
    file_bytes_ += data.size();
    const LinearPart part{encoding, rows, columns, data};
    return backend_.add_linear({&part, 1}).value();
  }
  Weight ones(std::uint32_t width) { return backend_.add_vector(std::vector<float>(width, 1.0f)).value(); }

  Program program(const Shape& s) {
    Program p;
    p.attention = {s.layers, s.heads, s.kv_heads, s.head_dim};
    Rope rope;
    rope.style = RopeStyle::adjacent;
    for (std::uint32_t i = 0; i < s.head_dim / 2; ++i) {
      rope.inverse_frequency.push_back(static_cast<float>(std::pow(1e5, -2.0 * i / static_cast<double>(s.head_dim))));
    }
    p.ropes.push_back(rope);
    const Slot x = p.add_slot(s.width), h = p.add_slot(s.width);
    const std::uint32_t qkv_width = p.attention.q_width() + 2 * p.attention.kv_width();
    const Slot qkv = p.add_slot(qkv_width), att = p.add_slot(s.width);
    const Slot gate_up = p.add_slot(2 * s.hidden), gated = p.add_slot(s.hidden);
    const Weight table = matrix(Encoding::q8_0, s.vocabulary, s.width);
    p.body.emplace_back(Embed{table, 1.0f, x});
    for (std::uint32_t layer = 0; layer < s.layers; ++layer) {
      p.body.emplace_back(Norm{x, ones(s.width), 1e-5f, h, false});
      p.body.emplace_back(Linear{h, matrix(Encoding::q4_1, qkv_width, s.width), {}, qkv, false});
      p.body.emplace_back(StoreKv{qkv, layer, {}, {}, 1e-6f, 0});
      p.body.emplace_back(Attend{qkv, layer, 0.125f, 0.0f, 0, {}, att});
      p.body.emplace_back(Linear{att, matrix(Encoding::q4_1, s.width, s.width), {}, x, true});
      p.body.emplace_back(Norm{x, ones(s.width), 1e-5f, h, false});
      p.body.emplace_back(Linear{h, matrix(Encoding::q4_1, 2 * s.hidden, s.width), {}, gate_up, false});
      p.body.emplace_back(Gate{gate_up, gated, Activation::silu});
      p.body.emplace_back(Linear{gated, matrix(Encoding::q4_1, s.width, s.hidden), {}, x, true});
    }
    p.head_in = x;
    p.head_rows = p.add_slot(s.width);
    const Slot normed = p.add_slot(s.width);
    p.logits = p.add_slot(s.vocabulary);
    p.head.emplace_back(Norm{p.head_rows, ones(s.width), 1e-5f, normed, false});
    p.head.emplace_back(Linear{normed, table, {}, p.logits, false});
    return p;
  }
  std::uint64_t file_bytes() const { return file_bytes_; }

 private:
  Backend& backend_;
  std::mt19937 random_{1};
  std::uint64_t file_bytes_ = 0;
};

// One batch of `streams` sequences of `count` tokens from `position` on, each on its own pages.
class Steps {
 public:
  Steps(Executable& executable, std::uint32_t pages_per_stream) : executable_(executable), pages_(pages_per_stream) {
    greedy_.temperature = 0.0f;
  }

  void run(std::uint32_t streams, std::uint32_t count, std::uint32_t position) {
    std::vector<std::int32_t> tokens;
    std::vector<std::vector<std::uint32_t>> pages(streams);
    std::vector<BatchSequence> sequences;
    std::vector<SampleRow> rows;
    for (std::uint32_t s = 0; s < streams; ++s) {
      pages[s].resize(pages_);
      std::iota(pages[s].begin(), pages[s].end(), s * pages_);
      sequences.push_back({static_cast<std::uint32_t>(tokens.size()), count, position, pages[s]});
      for (std::uint32_t i = 0; i < count; ++i) tokens.push_back(static_cast<std::int32_t>((i * 7919 + s) % 49000));
      SampleRow row;
      row.batch_token = static_cast<std::uint32_t>(tokens.size()) - 1;
      row.parameters = &greedy_;
      rows.push_back(row);
    }
    std::vector<Sampled> out(rows.size());
    (void)executable_.step({tokens, sequences, rows}, out);
  }

 private:
  Executable& executable_;
  std::uint32_t pages_;
  SamplingParameters greedy_;
};

double read_bandwidth(ThreadPool& pool, const std::vector<std::byte>& data, kernels::MachineIsa isa) {
  const auto begin = Clock::now();
  pool.run([&](int worker, Team& team) {
    const Part part = part_of(static_cast<std::int64_t>(data.size()), worker, team.size(), 4096);
    volatile std::uint64_t sink =
        kernels::read_bytes(isa, data.data() + part.begin, static_cast<std::size_t>(part.end - part.begin));
    (void)sink;
  });
  return static_cast<double>(data.size()) / seconds_since(begin) / 1e9;
}

void print_times(CpuExecutable& executable, double steps, const char* what) {
  static constexpr const char* names[]{"embed",   "norm",    "linear", "gate",    "attention",
                                       "experts", "element", "gather", "sampling"};
  const std::vector<double> times = executable.take_stage_times();
  fmt::print("  {} us/step:", what);
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (times[i] > 0) fmt::print(" {} {:.1f}", names[i], times[i] / steps / 1e3);
  }
  fmt::print("; {} barriers\n", executable.barriers());
}

int run(int rounds, int threads, std::uint32_t prompt, std::uint32_t context) {
  ThreadPool pool(threads);
  const auto backend = make_cpu_backend(pool);
  Builder builder(*backend);
  const Program program = builder.program(Shape{});
  StepLimits limits;
  limits.tokens_max = std::max(prompt, 32u);
  const std::uint32_t pages = (std::max(prompt, context + 64) + page_tokens - 1) / page_tokens;
  limits.pages = 32 * pages;
  auto made = backend->compile(program, limits);
  if (!made) {
    fmt::print(stderr, "{}\n", made.error().text());
    return 1;
  }
  auto& executable = static_cast<CpuExecutable&>(**made);
  const MemoryUse memory = executable.memory();
  fmt::print("{}; weights {:.1f} MB ({:.1f} MB in the file), workspace {:.1f} MB, cache {:.1f} MB\n", backend->name(),
             static_cast<double>(memory.weights) / 1e6, static_cast<double>(builder.file_bytes()) / 1e6,
             static_cast<double>(memory.workspace) / 1e6, static_cast<double>(memory.kv_cache) / 1e6);
  const std::vector<std::byte> data(std::size_t{384} << 20, std::byte{1});
  const kernels::MachineIsa isa = cpu_features().avx512_vnni ? kernels::MachineIsa::avx512_vnni
                                  : cpu_features().avx2      ? kernels::MachineIsa::avx2
                                                             : kernels::MachineIsa::plain;
  Steps steps(executable, pages);
  // Fills the cache of all streams once.
  for (std::uint32_t at = 0; at < context; at += std::max(1u, limits.tokens_max / 32)) {
    steps.run(32, std::min(std::max(1u, limits.tokens_max / 32), context - at), at);
  }
  std::vector<double> reads, prompts, shares;
  std::vector<double> decodes[3];
  constexpr std::uint32_t batches[]{1, 8, 32};
  constexpr int steps_each[]{100, 20, 10};
  for (int round = 0; round < rounds; ++round) {
    const double read = read_bandwidth(pool, data, isa);
    reads.push_back(read);
    for (int b = 0; b < 3; ++b) {
      const auto begin = Clock::now();
      for (int i = 0; i < steps_each[b]; ++i) {
        steps.run(batches[b], 1, context + static_cast<std::uint32_t>(i) % 64);
      }
      decodes[b].push_back(steps_each[b] * batches[b] / seconds_since(begin));
    }
    const double read_after = read_bandwidth(pool, data, isa);
    shares.push_back(decodes[0].back() * static_cast<double>(builder.file_bytes()) / 1e9 / ((read + read_after) / 2));
    const auto begin = Clock::now();
    steps.run(1, prompt, 0);
    prompts.push_back(prompt / seconds_since(begin));
    fmt::print("read {:.1f} GB/s  decode {:.1f} / {:.1f} / {:.1f} t/s  prompt {:.0f} t/s  share {:.2f}\n", read,
               decodes[0].back(), decodes[1].back(), decodes[2].back(), prompts.back(), shares.back());
  }
  fmt::print("median: read {:.1f} GB/s, decode {:.1f} / {:.1f} / {:.1f} t/s, prompt {:.0f} t/s, share {:.2f}\n",
             median(reads), median(decodes[0]), median(decodes[1]), median(decodes[2]), median(prompts),
             median(shares));
  executable.measure(true);
  executable.take_stage_times();
  for (int b = 0; b < 3; ++b) {
    for (int i = 0; i < 20; ++i) steps.run(batches[b], 1, context);
    print_times(executable, 20, fmt::format("batch {}", batches[b]).c_str());
  }
  steps.run(1, prompt, 0);
  print_times(executable, 1, "prompt");
  return 0;
}

}  // namespace
}  // namespace jackdaw::ops

int main(int argc, char** argv) {
  const auto argument = [&](int i, int otherwise) { return argc > i ? std::atoi(argv[i]) : otherwise; };
  return jackdaw::ops::run(argument(1, 5), argument(2, jackdaw::usable_cpu_count()),
                           static_cast<std::uint32_t>(argument(3, 512)), static_cast<std::uint32_t>(argument(4, 64)));
}
