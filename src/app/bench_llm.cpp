// jackdaw bench llm: prefill and decode of one model file, beside the machine's own limits. No server, no sampling
// tricks, no speculation: every token is computed.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "jackdaw/arch/model.h"
#include "jackdaw/base/cpu.h"
#include "jackdaw/base/env.h"
#include "jackdaw/formats/model_file.h"
#include "jackdaw/ops/backend.h"
#include "jackdaw/ops/thread_pool.h"
#include "src/app/cli.h"
#include "src/app/model_limits.h"

namespace jackdaw::app {
namespace {

constexpr std::uint32_t step_tokens = 512;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0.0 : values[values.size() / 2];
}

// Multiply-adds and bytes that one token costs, from the file's own tensors.
struct TokenCost {
  double layers = 0;  // multiply-adds of all layers
  double head = 0;    // of the output head
  double bytes = 0;   // of all weights that decoding one token reads, as the file stores them
};

TokenCost token_cost(const formats::ModelFile& file, const arch::Hyperparameters& model) {
  TokenCost cost;
  const double used = model.experts > 0 ? double(model.experts_used) / model.experts : 1.0;
  bool has_head = false;
  double embedding_elements = 0;
  double embedding_bytes = 0;
  for (const formats::FileTensor& tensor : file.tensors()) {
    const double elements = double(tensor.element_count());
    const double bytes = double(tensor.data.size());
    const bool expert =
        tensor.name.find("exps") != std::string::npos || tensor.name.find(".experts.") != std::string::npos;
    if (tensor.name == "token_embd.weight" || tensor.name == "model.embed_tokens.weight") {
      embedding_elements = elements;
      embedding_bytes = bytes;
      continue;
    }
    cost.bytes += expert ? bytes * used : bytes;
    if (tensor.shape.size() < 2) continue;
    if (tensor.name == "output.weight" || tensor.name == "lm_head.weight") {
      has_head = true;
      cost.head = elements;
    } else {
      cost.layers += expert ? elements * used : elements;
    }
  }
  if (!has_head) {
    cost.head = embedding_elements;
    cost.bytes += embedding_bytes;
  }
  return cost;
}

// Sequences of one batch that grow together; each has its own pages.
class Streams {
 public:
  Streams(ops::Executable& model, std::uint32_t count, std::uint32_t tokens_max, std::uint32_t vocabulary)
      : model_(model), pages_each_((tokens_max + ops::page_tokens - 1) / ops::page_tokens), vocabulary_(vocabulary) {
    for (std::uint32_t i = 0; i < count; ++i) {
      std::vector<std::uint32_t> pages(pages_each_);
      for (std::uint32_t p = 0; p < pages_each_; ++p) pages[p] = i * pages_each_ + p;
      pages_.push_back(std::move(pages));
    }
    last_.assign(count, 1);
    greedy_.temperature = 0.0f;
  }

  void restart() { length_ = 0; }

  // Adds `count` random tokens to stream 0, in steps of at most `step_tokens`.
  Result<void> prefill(std::uint32_t count) {
    while (count > 0) {
      const std::uint32_t part = std::min(count, step_tokens);
      std::vector<std::int32_t> tokens(part);
      for (std::int32_t& token : tokens) token = static_cast<std::int32_t>(random_() % vocabulary_);
      const ops::BatchSequence sequence{0, part, length_, pages_[0]};
      const ops::SampleRow row{part - 1, &greedy_, length_ + part, {}, {}, {}, -1};
      std::vector<ops::Sampled> out(1);
      JACKDAW_TRY(model_.step({tokens, {&sequence, 1}, {&row, 1}}, out));
      last_[0] = out[0].token;
      length_ += part;
      count -= part;
    }
    return {};
  }

  // One more token for every stream.
  Result<void> decode() {
    const std::size_t count = pages_.size();
    std::vector<ops::BatchSequence> sequences(count);
    std::vector<ops::SampleRow> rows(count);
    std::vector<ops::Sampled> out(count);
    for (std::uint32_t i = 0; i < count; ++i) {
      sequences[i] = {i, 1, length_, pages_[i]};
      rows[i] = {i, &greedy_, length_ + 1, {}, {}, {}, -1};
    }
    JACKDAW_TRY(model_.step({last_, sequences, rows}, out));
    for (std::size_t i = 0; i < count; ++i) last_[i] = out[i].token;
    ++length_;
    return {};
  }

 private:
  ops::Executable& model_;
  std::uint32_t pages_each_;
  std::uint32_t vocabulary_;
  std::vector<std::vector<std::uint32_t>> pages_;
  std::vector<std::int32_t> last_;
  std::uint32_t length_ = 0;
  ops::SamplingParameters greedy_;
  std::minstd_rand random_{1};
};

struct Row {
  std::string what;
  double tokens_per_second = 0;
  double limit = 0;  // tokens/s the machine's own rate would allow
  const char* limited_by = "";
};

struct Measured {
  std::vector<Row> rows;
  double read_rate = 0;  // bytes/s
  double int8_rate = 0;  // multiply-adds/s
};

double seconds_since(Instant begin) {
  return std::chrono::duration<double>(system_clock().now() - begin).count();
}

// Runs take turns with the machine's own rates, so that a noisy neighbour hits both.
Result<Measured> measure(ops::Executable& model, const BenchLlmFlags& flags, const TokenCost& cost,
                         const arch::Hyperparameters& facts, MachineLimits& limits) {
  const auto batches = static_cast<std::size_t>(flags.batches.size());
  std::vector<double> prefill, reads, int8s;
  std::vector<std::vector<double>> decode(batches);
  const auto prompt = static_cast<std::uint32_t>(flags.prompt);
  const auto generate = static_cast<std::uint32_t>(flags.tokens);
  for (int run = 0; run <= flags.runs; ++run) {  // the first run only warms up
    Streams one(model, 1, std::max(prompt, generate) + ops::page_tokens, facts.vocabulary);
    reads.push_back(limits.read_bytes_per_second());
    int8s.push_back(limits.int8_multiply_adds_per_second());
    Instant begin = system_clock().now();
    JACKDAW_TRY(one.prefill(prompt));
    prefill.push_back(prompt / seconds_since(begin));
    for (std::size_t b = 0; b < batches; ++b) {
      const auto batch = static_cast<std::uint32_t>(flags.batches[b]);
      Streams streams(model, batch, generate + ops::page_tokens, facts.vocabulary);
      reads.push_back(limits.read_bytes_per_second());
      begin = system_clock().now();
      for (std::uint32_t i = 0; i < generate; ++i) JACKDAW_TRY(streams.decode());
      decode[b].push_back(double(batch) * generate / seconds_since(begin));
    }
    if (run == 0) {
      prefill.clear(), reads.clear(), int8s.clear();
      for (auto& rates : decode) rates.clear();
    }
  }
  Measured out;
  out.read_rate = median(reads);
  out.int8_rate = median(int8s);
  out.rows.push_back({"prefill " + std::to_string(prompt), median(prefill),
                      out.int8_rate * prompt / (cost.layers * prompt + cost.head), "int8 rate"});
  for (std::size_t b = 0; b < batches; ++b) {
    const double by_reads = out.read_rate / cost.bytes * flags.batches[b];
    const double by_int8 = out.int8_rate / (cost.layers + cost.head);
    out.rows.push_back(
        {"decode, " + std::to_string(flags.batches[b]) + (flags.batches[b] == 1 ? " stream" : " streams"),
         median(decode[b]), std::min(by_reads, by_int8), by_reads < by_int8 ? "read bandwidth" : "int8 rate"});
  }
  return out;
}

void print_table(const Measured& measured, const arch::Hyperparameters& model, const ops::MemoryUse& memory,
                 const std::string& backend, const TokenCost& cost) {
  std::printf("%s, %s, %.1f M parameters; %s\n", model.name.c_str(), model.quantization.c_str(),
              double(model.parameters) / 1e6, backend.c_str());
  std::printf("weights %.1f MB (%.1f MB of them read per token), KV cache %.1f MB, workspace %.1f MB\n",
              double(memory.weights) / 1e6, cost.bytes / 1e6, double(memory.kv_cache) / 1e6,
              double(memory.workspace) / 1e6);
  std::printf("this machine: reads %.1f GB/s, %.0f G int8 multiply-adds/s\n\n", measured.read_rate / 1e9,
              measured.int8_rate / 1e9);
  std::printf("%-20s %12s %12s %8s  %s\n", "", "tokens/s", "limit", "of it", "set by");
  for (const Row& row : measured.rows) {
    std::printf("%-20s %12.1f %12.1f %7.1f%%  %s\n", row.what.c_str(), row.tokens_per_second, row.limit,
                100 * row.tokens_per_second / row.limit, row.limited_by);
  }
}

void print_json(const Measured& measured) {
  std::printf("{\"read_bytes_per_second\":%.0f,\"int8_multiply_adds_per_second\":%.0f,\"rows\":[", measured.read_rate,
              measured.int8_rate);
  const char* comma = "";
  for (const Row& row : measured.rows) {
    std::printf("%s{\"what\":\"%s\",\"tokens_per_second\":%.2f,\"limit\":%.2f}", comma, row.what.c_str(),
                row.tokens_per_second, row.limit);
    comma = ",";
  }
  std::printf("]}\n");
}

Result<void> run(const BenchLlmFlags& flags) {
  JACKDAW_ASSIGN(const auto file, formats::ModelFile::open(flags.model));
  ops::ThreadPool pool(flags.threads > 0 ? flags.threads : usable_cpu_count());
  const auto backend = ops::make_cpu_backend(pool);
  JACKDAW_ASSIGN(arch::LoadedModel model, arch::load_model(*file, *backend));
  const int widest = *std::max_element(flags.batches.begin(), flags.batches.end());
  const auto pages_of = [](int tokens) { return static_cast<std::uint32_t>(tokens) / ops::page_tokens + 2; };
  ops::StepLimits limits;
  limits.tokens_max = step_tokens;
  limits.rows_max = static_cast<std::uint32_t>(widest);
  limits.pages = std::max(pages_of(std::max(flags.prompt, flags.tokens)),
                          static_cast<std::uint32_t>(widest) * pages_of(flags.tokens));
  JACKDAW_ASSIGN(const auto executable, backend->compile(std::move(model.program), limits));
  const TokenCost cost = token_cost(*file, model.hyperparameters);
  MachineLimits machine(pool);
  JACKDAW_ASSIGN(const Measured measured, measure(*executable, flags, cost, model.hyperparameters, machine));
  if (flags.json) {
    print_json(measured);
  } else {
    print_table(measured, model.hyperparameters, executable->memory(), std::string(backend->name()), cost);
  }
  return {};
}

}  // namespace

int bench_llm(const BenchLlmFlags& flags) {
  const Result<void> done = run(flags);
  if (done) return 0;
  std::fprintf(stderr, "jackdaw: %s\n", done.error().text().c_str());
  return 1;
}

}  // namespace jackdaw::app
