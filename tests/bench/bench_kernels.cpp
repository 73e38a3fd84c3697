// The linear kernels beside the machine's own limits: bytes per second of one token against plain reading,
// multiply-adds per second of many against a loop of nothing but that instruction set's int8 products. Alternating
// runs, medians.
//
//   bench_kernels [--quick] [--encoding Q4_1] [--isa amx|avx512|avx2|plain]  (default: the best there is) [--runs N]
//   [--threads N]
#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "jackdaw/base/cpu.h"
#include "jackdaw/base/float16.h"
#include "jackdaw/kernels/linear.h"
#include "jackdaw/kernels/machine.h"

namespace {

using jackdaw::Encoding;
using namespace jackdaw::kernels;

struct Options {
  bool quick = false;
  std::string encoding;
  std::string isa = "amx";
  int runs = 7;
  int threads = 0;  // 0: 1, then 2
};

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// `size` threads, pinned, that wait in a loop for work; thread 0 is the caller.
class Crew {
 public:
  explicit Crew(int size) : size_(size) {
    pin(0);
    for (int i = 1; i < size; ++i) threads_.emplace_back([this, i] { wait_for_work(i); });
  }
  ~Crew() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  int size() const { return size_; }
  // Seconds that work(index) took on all threads together.
  double run(const std::function<void(int)>& work) {
    work_ = &work;
    done_ = 0;
    const double begin = seconds();
    ++round_;
    work(0);
    while (done_ != size_ - 1) __builtin_ia32_pause();
    return seconds() - begin;
  }

 private:
  static void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
  }
  void wait_for_work(int index) {
    pin(index);
    for (unsigned seen = 0;;) {
      while (round_ == seen) {
        if (stop_) return;
        __builtin_ia32_pause();
      }
      ++seen;
      (*work_)(index);
      ++done_;
    }
  }

  int size_;
  const std::function<void(int)>* work_ = nullptr;
  std::atomic<unsigned> round_{0};
  std::atomic<int> done_{0};
  std::atomic<bool> stop_{false};
  std::vector<std::thread> threads_;
};

// Zeroed, in huge pages where the system gives them.
class Memory {
 public:
  explicit Memory(std::size_t bytes) : bytes_((bytes + (4u << 20)) >> 21 << 21) {
    at_ = mmap(nullptr, bytes_ + (2u << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const auto address = reinterpret_cast<std::uintptr_t>(at_);
    data_ = reinterpret_cast<std::byte*>((address + (2u << 20) - 1) >> 21 << 21);
    madvise(data_, bytes_, MADV_HUGEPAGE);
  }
  ~Memory() { munmap(at_, bytes_ + (2u << 20)); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  std::byte* data() { return data_; }

 private:
  std::size_t bytes_;
  void* at_;
  std::byte* data_;
};

// Random codes with tame scales, so that sums stay finite: every half (or exponent) of a block is set.
void fill(std::byte* packed, std::size_t bytes) {
  std::mt19937_64 random(1);
  for (std::size_t at = 0; at + 8 <= bytes; at += 8) {
    const std::uint64_t word = random() & 0x3f3f3f3f3f3f3f3full;  // halves below 2, exponents below 64
    std::memcpy(packed + at, &word, 8);
  }
}

struct Machine {
  MachineIsa isa;
  std::uint64_t rounds;
  Memory read{256u << 20};

  explicit Machine(const LinearKernels& kernels) : isa(MachineIsa::plain), rounds(1000) {
    if (&kernels == linear_avx2()) isa = MachineIsa::avx2;
    if (&kernels == linear_avx512()) isa = MachineIsa::avx512_vnni;
    if (&kernels == linear_amx()) isa = MachineIsa::amx_int8;
    rounds = isa == MachineIsa::avx512_vnni ? 1000000 : 200000;
    std::memset(read.data(), 1, 256u << 20);
  }
  double int8_rate(Crew& crew) {
    std::atomic<std::int64_t> sink{0};
    const double took = crew.run([&](int) { sink += int8_multiply_adds(isa, rounds); });
    return static_cast<double>(int8_multiply_add_count(isa, rounds)) * crew.size() / took;
  }
  double read_rate(Crew& crew) {
    const std::size_t part = (256u << 20) / static_cast<unsigned>(crew.size());
    std::atomic<std::uint64_t> sink{0};
    const double took = crew.run(
        [&](int index) { sink += read_bytes(isa, read.data() + static_cast<std::size_t>(index) * part, part); });
    return static_cast<double>(part) * crew.size() / took;
  }
};

// Quantized (or copied) activations of `tokens` random rows.
struct Input {
  std::size_t stride;
  std::vector<std::byte> bytes;
  std::byte* at;

  Input(const LinearKernels& kernels, Encoding encoding, std::int64_t tokens, std::int64_t columns)
      : stride(activation_bytes(activation_form(encoding), columns)),
        bytes(stride * static_cast<std::size_t>(tokens) + 64),
        at(bytes.data() + (64 - reinterpret_cast<std::uintptr_t>(bytes.data()) % 64) % 64) {
    std::mt19937 random(2);
    std::normal_distribution<float> normal;
    std::vector<float> row(static_cast<std::size_t>(columns));
    for (std::int64_t t = 0; t < tokens; ++t) {
      for (float& x : row) x = normal(random);
      std::byte* out = at + static_cast<std::size_t>(t) * stride;
      if (activation_form(encoding) == ActivationForm::blocks) {
        kernels.quantize_rows({1, columns, row.data(), columns, out, stride});
      } else {
        std::memcpy(out, row.data(), row.size() * sizeof(float));
      }
    }
  }
};

double run_linear(Crew& crew, const LinearKernels& kernels, LinearCall call) {
  const std::int64_t groups = call.weight->groups();
  return crew.run([&](int index) {
    LinearCall part = call;
    part.group_begin = groups * index / crew.size();
    part.group_end = groups * (index + 1) / crew.size();
    kernels.linear(part);
  });
}

// A weight of at least 128 MB, read once per call: out of every cache, as a model is.
void bench_few_tokens(Crew& crew, const LinearKernels& kernels, Machine& machine, Encoding encoding,
                      std::int64_t columns, const Options& options) {
  const std::size_t group = packed_group_bytes(encoding, columns);
  const auto groups = static_cast<std::int64_t>((128u << 20) / group);
  Memory memory(group * static_cast<std::size_t>(groups));
  fill(memory.data(), group * static_cast<std::size_t>(groups));
  const PackedLinear weight{encoding, groups * group_rows, columns, memory.data()};
  const Input input(kernels, encoding, 16, columns);
  std::vector<float> out(static_cast<std::size_t>(weight.rows) * 16);
  const std::int64_t counts[] = {1, 2, 4, 8, 12, 16};
  std::vector<std::vector<double>> times(std::size(counts));
  std::vector<double> reads;
  for (int run = 0; run < options.runs; ++run) {
    for (std::size_t i = 0; i < std::size(counts); ++i) {
      reads.push_back(machine.read_rate(crew));
      const LinearCall call{&weight, input.at, input.stride, counts[i], 0, 0, out.data(), weight.rows, nullptr, false};
      times[i].push_back(run_linear(crew, kernels, call));
    }
  }
  const double bytes = static_cast<double>(group) * static_cast<double>(groups);
  const double read = median(reads);
  const double one = median(times[0]);
  std::printf("%-7s %5lld %d  %5.1f GB/s %4.0f %% of %5.1f |", jackdaw::encoding_info(encoding).name.data(),
              static_cast<long long>(columns), crew.size(), bytes / one / 1e9, 100.0 * bytes / one / read, read / 1e9);
  for (std::size_t i = 1; i < std::size(counts); ++i) {
    std::printf(" %2lld: %4.2f", static_cast<long long>(counts[i]), median(times[i]) / one);
  }
  std::printf("\n");
}

struct Shape {
  std::int64_t rows;
  std::int64_t columns;
};

void bench_many_tokens(Crew& crew, const LinearKernels& kernels, Machine& machine, Encoding encoding, Shape shape,
                       std::int64_t tokens, const Options& options) {
  const std::size_t bytes = packed_bytes(encoding, shape.rows, shape.columns);
  Memory memory(bytes);
  fill(memory.data(), bytes);
  const PackedLinear weight{encoding, shape.rows, shape.columns, memory.data()};
  const Input input(kernels, encoding, tokens, shape.columns);
  std::vector<float> out(static_cast<std::size_t>(shape.rows * tokens));
  const LinearCall call{&weight, input.at, input.stride, tokens, 0, 0, out.data(), shape.rows, nullptr, false};
  const double work =
      static_cast<double>(shape.rows) * static_cast<double>(shape.columns) * static_cast<double>(tokens);
  const int repeats = std::max(1, static_cast<int>(2e9 * crew.size() / work));
  std::vector<double> times, rates;
  for (int run = 0; run < options.runs; ++run) {
    rates.push_back(machine.int8_rate(crew));
    double took = 0.0;
    for (int i = 0; i < repeats; ++i) took += run_linear(crew, kernels, call);
    times.push_back(took / repeats);
  }
  const double rate = work / median(times);
  std::printf("%-7s %5lld x %-5lld %4lld tokens %d  %6.1f G MAC/s  %4.0f %% of %5.1f\n",
              jackdaw::encoding_info(encoding).name.data(), static_cast<long long>(shape.rows),
              static_cast<long long>(shape.columns), static_cast<long long>(tokens), crew.size(), rate / 1e9,
              100.0 * rate / median(rates), median(rates) / 1e9);
}

void bench_quantize(const LinearKernels& kernels) {
  const std::int64_t tokens = 256, columns = 576;
  std::vector<float> in(static_cast<std::size_t>(tokens * columns), 0.5f);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = static_cast<float>(i % 97) - 48.0f;
  const Input out(kernels, Encoding::q8_0, tokens, columns);
  std::vector<double> times;
  for (int run = 0; run < 21; ++run) {
    const double begin = seconds();
    kernels.quantize_rows({tokens, columns, in.data(), columns, out.at, out.stride});
    times.push_back(seconds() - begin);
  }
  std::printf("quantize_rows: %.2f G elements/s\n", static_cast<double>(tokens * columns) / median(times) / 1e9);
}

void bench_pack() {
  std::printf("pack_rows, one thread, GB/s of source:");
  for (const Encoding encoding : {Encoding::q4_0, Encoding::q4_1, Encoding::q8_0, Encoding::q4_k, Encoding::q6_k,
                                  Encoding::q5_0, Encoding::f16, Encoding::f32}) {
    const std::int64_t rows = 2048, columns = 1536;
    const std::vector<std::byte> source(static_cast<std::size_t>(rows) *
                                        jackdaw::row_bytes(encoding, columns).value_or(0));
    Memory memory(packed_bytes(encoding, rows, columns));
    std::vector<double> times;
    for (int run = 0; run < 5; ++run) {
      const double begin = seconds();
      pack_rows(encoding, columns, source.data(), rows, 0, memory.data());
      times.push_back(seconds() - begin);
    }
    std::printf("  %s %.2f", jackdaw::encoding_info(encoding).name.data(),
                static_cast<double>(source.size()) / median(times) / 1e9);
  }
  std::printf("\n");
}

const LinearKernels* kernels_named(const std::string& isa) {
  const jackdaw::CpuFeatures& cpu = jackdaw::cpu_features();
  if (isa == "amx" && cpu.amx_int8 && linear_amx() != nullptr) return linear_amx();
  if ((isa == "amx" || isa == "avx512") && cpu.avx512 && cpu.avx512_vnni) return linear_avx512();
  if (isa != "plain" && cpu.avx2 && cpu.fma) return linear_avx2();
  return linear_plain();
}

bool wanted(const Options& options, Encoding encoding) {
  return options.encoding.empty() || options.encoding == jackdaw::encoding_info(encoding).name;
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--quick") options.quick = true;
    if (word == "--encoding" && i + 1 < argc) options.encoding = argv[++i];
    if (word == "--isa" && i + 1 < argc) options.isa = argv[++i];
    if (word == "--threads" && i + 1 < argc) options.threads = std::atoi(argv[++i]);
    if (word == "--runs" && i + 1 < argc) options.runs = std::atoi(argv[++i]);
  }
  return options;
}

void bench_all(const Options& options, const LinearKernels& kernels, Machine& machine, Crew& crew) {
  std::printf("\n== %d thread%s: int8 %.1f G MAC/s, read %.1f GB/s\n", crew.size(), crew.size() > 1 ? "s" : "",
              machine.int8_rate(crew) / 1e9, machine.read_rate(crew) / 1e9);
  std::printf("-- one token over 128 MB of weights (columns, threads); then time of N tokens / time of one\n");
  for (std::size_t e = 0; e < jackdaw::encoding_table.size(); ++e) {
    const auto encoding = static_cast<Encoding>(e);
    const bool k_quant = jackdaw::encoding_info(encoding).block_elements == 256;
    if (!wanted(options, encoding)) continue;
    if (!k_quant && (!options.quick || !options.encoding.empty())) {
      bench_few_tokens(crew, kernels, machine, encoding, 576, options);
    }
    bench_few_tokens(crew, kernels, machine, encoding, 1536, options);
  }
  std::printf("-- many tokens\n");
  const Shape shapes[] = {{576, 576}, {960, 576}, {3072, 576}, {576, 1536}, {49152, 576}};
  for (std::size_t e = 0; e < jackdaw::encoding_table.size(); ++e) {
    const auto encoding = static_cast<Encoding>(e);
    if (!wanted(options, encoding)) continue;
    for (Shape shape : shapes) {
      if (jackdaw::encoding_info(encoding).block_elements == 256 && shape.columns == 576) shape.columns = 768;
      const bool common = encoding == Encoding::q4_0 || encoding == Encoding::q4_1 || encoding == Encoding::q8_0 ||
                          encoding == Encoding::q4_k || encoding == Encoding::q6_k || !options.encoding.empty();
      if ((options.quick || !common) && shape.rows != 3072) continue;
      for (const std::int64_t tokens : {32, 128, 512}) {
        if ((shape.rows > 40000 || !common) && tokens != 128) continue;
        bench_many_tokens(crew, kernels, machine, encoding, shape, tokens, options);
      }
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const LinearKernels* kernels = kernels_named(options.isa);
  const int threads_max = std::min(2, jackdaw::usable_cpu_count());  // before anything is pinned
  Machine machine(*kernels);
  std::printf("kernels: %s\n", kernels->name);
  bench_quantize(*kernels);
  bench_pack();
  for (int threads = 1; threads <= threads_max; ++threads) {
    if (options.threads != 0 && options.threads != threads) continue;
    Crew crew(threads);
    bench_all(options, *kernels, machine, crew);
  }
  return 0;
}
