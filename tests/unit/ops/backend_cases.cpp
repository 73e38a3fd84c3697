#include "backend_cases.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

#include "random_weights.h"

namespace jackdaw::ops::testing {
namespace {

constexpr std::uint32_t case_pages = 64;

// Builds a case's Program: weights are random, drawn in the order of the calls; the first refusal of the backend is
// what finish() returns.
class Maker {
 public:
  Maker(Backend& backend, std::string_view name) : backend_(backend), randoms_(name) {
    program.attention = {1, 1, 1, 32};  // cases without attention still get a cache
  }

  Program program;

  Weight linear(std::vector<std::pair<Encoding, std::int64_t>> parts, std::int64_t columns) {
    std::vector<std::vector<std::byte>> data;
    std::vector<LinearPart> views;
    for (const auto& [encoding, rows] : parts) {
      data.push_back(random_rows(encoding, rows, columns, randoms_.next()));
      views.push_back({encoding, rows, columns, data.back()});
    }
    return keep(backend_.add_linear(views));
  }
  Weight floats(const std::vector<float>& values, std::int64_t rows) {
    const std::int64_t columns = static_cast<std::int64_t>(values.size()) / rows;
    const LinearPart part{Encoding::f32, rows, columns, std::as_bytes(std::span(values))};
    return keep(backend_.add_linear({&part, 1}));
  }
  Weight linear(Encoding encoding, std::int64_t rows, std::int64_t columns) {
    return linear({{encoding, rows}}, columns);
  }
  Weight vector(std::uint32_t size, float mean, float spread) {
    return keep(backend_.add_vector(randoms_.normals(size, mean, spread)));
  }

  Slot slot(std::uint32_t width) { return program.add_slot(width); }
  template <typename T>
  void add(T op) {
    program.body.emplace_back(std::move(op));
  }

  // Rows of about unit variance from a table of `encoding`.
  Slot embed(std::uint32_t width, Encoding encoding = Encoding::f32) {
    const Slot out = slot(width);
    add(Embed{linear(encoding, case_vocabulary, width), std::sqrt(static_cast<float>(width)), out});
    return out;
  }
  Slot project(Slot in, std::uint32_t width, Encoding encoding = Encoding::f32) {
    const Slot out = slot(width);
    add(Linear{in, linear(encoding, width, width_of(in)), {}, out, false});
    return out;
  }
  // Logits of `in`, by a table of its own.
  Result<Program> finish(Slot in, Encoding encoding = Encoding::f32) {
    program.head_in = in;
    program.head_rows = slot(width_of(in));
    program.logits = slot(case_vocabulary);
    const Weight table = linear(encoding, case_vocabulary, width_of(in));
    program.head.insert(program.head.begin(), Linear{program.head_rows, table, {}, program.logits, false});
    if (error_) return *std::move(error_);
    return std::move(program);
  }

  std::uint32_t width_of(Slot slot) const { return program.slot_widths[static_cast<std::size_t>(slot.index)]; }

 private:
  Weight keep(Result<Weight> weight) {
    if (weight) return *weight;
    if (!error_) error_ = std::move(weight).error();
    return {};
  }

  Backend& backend_;
  Randoms randoms_;
  std::optional<Error> error_;
};

// ---- steps --------------------------------------------------------------------------------------------------------

// Hands out pages in an order that is neither ascending nor dense, and keeps each sequence's table and length.
class Scenario {
 public:
  explicit Scenario(std::uint64_t seed) : randoms_(seed) {
    for (std::uint32_t i = 0; i < case_pages; ++i) free_.push_back(i);
    for (std::size_t i = free_.size(); i > 1; --i) {
      std::swap(free_[i - 1], free_[randoms_.below(static_cast<std::uint32_t>(i))]);
    }
  }

  // A step in which sequence `first` gets `second` further tokens.
  Scenario& step(const std::vector<std::pair<std::size_t, std::uint32_t>>& parts) {
    CaseStep& step = next_step();
    for (const auto& [index, count] : parts) {
      if (index >= lengths_.size()) {
        lengths_.resize(index + 1);
        pages_.resize(index + 1);
      }
      while (pages_[index].size() * page_tokens < lengths_[index] + count) pages_[index].push_back(take_page());
      CaseSequence sequence{{}, lengths_[index], pages_[index]};
      for (std::uint32_t i = 0; i < count; ++i) {
        sequence.tokens.push_back(static_cast<std::int32_t>(randoms_.below(case_vocabulary)));
      }
      lengths_[index] += count;
      step.sequences.push_back(std::move(sequence));
    }
    return *this;
  }
  // A new sequence that shares the first `tokens` positions of `from`: whole pages as they are, the last one copied
  // before the next step.
  Scenario& fork(std::size_t from, std::uint32_t tokens) {
    std::vector<std::uint32_t> pages(pages_[from].begin(), pages_[from].begin() + tokens / page_tokens);
    if (const std::uint32_t rest = tokens % page_tokens; rest > 0) {
      pages.push_back(take_page());
      copies_.push_back({pages_[from][tokens / page_tokens], pages.back(), rest});
    }
    pages_.push_back(std::move(pages));
    lengths_.push_back(tokens);
    return *this;
  }
  std::vector<CaseStep> steps() const { return steps_; }

 private:
  CaseStep& next_step() {
    steps_.push_back({std::exchange(copies_, {}), {}});
    return steps_.back();
  }
  std::uint32_t take_page() {
    const std::uint32_t page = free_.back();
    free_.pop_back();
    return page;
  }

  Randoms randoms_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint32_t> lengths_;
  std::vector<std::vector<std::uint32_t>> pages_;
  std::vector<PageCopy> copies_;
  std::vector<CaseStep> steps_;
};

std::vector<CaseStep> prompt_and_decode() {
  return Scenario(1).step({{0, 37}}).step({{0, 1}}).step({{0, 1}}).step({{0, 12}}).steps();
}
// A single row, a few, and more than any tile of rows.
std::vector<CaseStep> few_and_many_rows() {
  return Scenario(2).step({{0, 1}}).step({{0, 5}}).step({{0, 50}}).steps();
}
std::vector<CaseStep> uneven_batch() {
  return Scenario(3)
      .step({{0, 37}, {1, 5}})
      .step({{0, 1}, {1, 1}, {2, 16}})
      .step({{0, 3}, {1, 20}, {2, 1}, {3, 1}})
      .step({{3, 1}, {2, 1}, {1, 1}, {0, 1}})
      .steps();
}
std::vector<CaseStep> forked() {
  return Scenario(4)
      .step({{0, 24}})
      .fork(0, 21)
      .fork(0, 16)
      .step({{0, 3}, {1, 6}, {2, 2}})
      .step({{1, 20}, {0, 1}})
      .steps();
}
std::vector<CaseStep> long_context() {
  return Scenario(5).step({{0, 300}}).step({{0, 230}, {1, 2}}).step({{0, 1}}).steps();
}

// ---- single ops ---------------------------------------------------------------------------------------------------

using Build = std::function<Result<Program>(Maker&)>;

class Cases {
 public:
  BackendCase& add(std::string name, std::vector<CaseStep> steps, Build build) {
    BackendCase c;
    c.name = std::move(name);
    c.build = [build = std::move(build), name = c.name](Backend& backend) {
      Maker maker(backend, name);
      return build(maker);
    };
    c.steps = std::move(steps);
    c.limits.pages = case_pages;
    c.limits.rows_max = c.limits.tokens_max;  // so that a step runs once
    all.push_back(std::move(c));
    return all.back();
  }
  std::vector<BackendCase> all;
};

std::string named(std::string_view what, Encoding encoding) {
  return fmt::format("{} {}", what, encoding_info(encoding).name);
}

void add_embeddings(Cases& cases) {
  for (std::size_t i = 0; i < encoding_table.size(); ++i) {
    const auto encoding = static_cast<Encoding>(i);
    cases.add(named("embed 256", encoding), few_and_many_rows(),
              [=](Maker& m) { return m.finish(m.embed(256, encoding)); });
  }
}

void add_linears(Cases& cases) {
  for (std::size_t i = 0; i < encoding_table.size(); ++i) {
    const auto encoding = static_cast<Encoding>(i);
    const bool large_blocks = encoding_table[i].block_elements == 256;
    for (const std::uint32_t columns : {large_blocks ? 256u : 96u, large_blocks ? 768u : 544u}) {
      cases.add(named(fmt::format("linear 97 x {}", columns), encoding), few_and_many_rows(),
                [=](Maker& m) { return m.finish(m.project(m.embed(columns), 97, encoding)); });
    }
    cases.add(named("head of 256 columns", encoding), few_and_many_rows(),
              [=](Maker& m) { return m.finish(m.embed(256), encoding); });
  }
  for (const Encoding encoding : {Encoding::f32, Encoding::f16, Encoding::bf16}) {
    cases.add(named("linear 33 x 72", encoding), few_and_many_rows(),
              [=](Maker& m) { return m.finish(m.project(m.embed(72), 33, encoding)); });
  }
  cases.add("linear with bias and residual", few_and_many_rows(), [](Maker& m) {
    const Slot x = m.embed(128);
    const Slot y = m.project(x, 160, Encoding::q8_0);
    m.add(Linear{x, m.linear(Encoding::q4_0, 160, 128), m.vector(160, 0.5f, 0.5f), y, true});
    return m.finish(y);
  });
  cases.add("linear of stacked parts in three encodings", few_and_many_rows(), [](Maker& m) {
    const Slot x = m.embed(256);
    const Slot y = m.slot(64 + 32 + 17);
    const Weight weight = m.linear({{Encoding::q4_k, 64}, {Encoding::q6_k, 32}, {Encoding::q8_0, 17}}, 256);
    m.add(Linear{x, weight, m.vector(113, 0.0f, 0.3f), y, false});
    return m.finish(y);
  });
}

void add_row_ops(Cases& cases) {
  for (const std::uint32_t width : {32u, 72u, 576u, 2048u}) {
    cases.add(fmt::format("norm of {}", width), few_and_many_rows(), [=](Maker& m) {
      const Slot x = m.embed(width);
      const Slot y = m.slot(width);
      m.add(Norm{x, m.vector(width, 1.0f, 0.3f), 1e-5f, y, false});
      m.add(Norm{x, m.vector(width, -0.5f, 0.3f), 0.1f, y, true});
      return m.finish(y);
    });
  }
  for (const Activation activation : {Activation::silu, Activation::gelu_tanh}) {
    for (const std::uint32_t width : {32u, 40u, 352u}) {
      cases.add(fmt::format("gate {} of {}", activation == Activation::silu ? "silu" : "gelu", width),
                few_and_many_rows(), [=](Maker& m) {
                  const Slot x = m.embed(64);
                  m.add(Scale{x, 3.0f});  // far enough from zero to see the curve
                  const Slot y = m.slot(width);
                  m.add(Gate{m.project(x, 2 * width), y, activation});
                  return m.finish(y);
                });
    }
  }
  cases.add("scale and softcap in the body, softcap of the logits", few_and_many_rows(), [](Maker& m) {
    const Slot x = m.embed(72);
    m.add(Scale{x, 2.5f});
    m.add(Softcap{x, 3.0f});
    auto program = m.finish(x);
    if (program) program->head.emplace_back(Softcap{program->logits, 1.5f});
    return program;
  });
}

// ---- attention ----------------------------------------------------------------------------------------------------

struct AttentionCase {
  std::uint32_t heads = 4;
  std::uint32_t kv_heads = 2;
  std::uint32_t head_dim = 64;
  RopeStyle style = RopeStyle::half_split;
  std::uint32_t rotated = 64;  // dimensions; 0 = no positions
  float magnitude = 1.0f;
  bool qk_norm = false;
  std::uint32_t window = 0;
  float softcap = 0.0f;
  bool sinks = false;
  float scale = 0.125f;
};

Rope rope_of(const AttentionCase& a) {
  Rope rope{a.style, {}, a.magnitude};
  for (std::uint32_t i = 0; i < a.rotated / 2; ++i) {
    rope.inverse_frequency.push_back(
        std::pow(10'000.0f, -2.0f * static_cast<float>(i) / static_cast<float>(a.rotated)));
  }
  return rope;
}

Slot attend(Maker& m, Slot in, const AttentionCase& a, std::uint32_t layer, Encoding encoding) {
  const Slot qkv = m.project(in, m.program.attention.q_width() + 2 * m.program.attention.kv_width(), encoding);
  StoreKv store{qkv, layer, {}, {}, 1e-6f, -1};
  if (a.rotated > 0) {
    store.rope = static_cast<std::int32_t>(m.program.ropes.size());
    m.program.ropes.push_back(rope_of(a));
  }
  if (a.qk_norm) {
    store.q_norm = m.vector(a.head_dim, 1.2f, 0.2f);
    store.k_norm = m.vector(a.head_dim, 0.9f, 0.2f);
  }
  m.add(store);
  Attend op{qkv, layer, a.scale, a.softcap, a.window, {}, m.slot(m.program.attention.q_width())};
  if (a.sinks) op.sinks = m.vector(a.heads, 0.5f, 1.0f);
  m.add(op);
  return op.out;
}

Result<Program> attention_program(Maker& m, const AttentionCase& a) {
  m.program.attention = {1, a.heads, a.kv_heads, a.head_dim};
  return m.finish(attend(m, m.embed(64), a, 0, Encoding::f32));
}

void add_attention(Cases& cases) {
  const auto add = [&](std::string_view name, const AttentionCase& a, std::vector<CaseStep> steps,
                       KvEncoding kv = KvEncoding::f16) -> BackendCase& {
    BackendCase& c = cases.add(fmt::format("attention, {}", name), std::move(steps),
                               [=](Maker& m) { return attention_program(m, a); });
    c.limits.kv_encoding = kv;
    return c;
  };
  add("4 heads on 4", {.kv_heads = 4}, prompt_and_decode());
  add("4 heads on 2", {}, prompt_and_decode());
  add("9 heads on 3 (SmolLM2)", {.heads = 9, .kv_heads = 3, .style = RopeStyle::adjacent}, uneven_batch());
  add("8 heads of 128 on 1", {.heads = 8, .kv_heads = 1, .head_dim = 128, .rotated = 128, .scale = 0.09f},
      uneven_batch());
  add("heads of 256", {.heads = 2, .kv_heads = 1, .head_dim = 256, .rotated = 256, .scale = 0.0625f}, uneven_batch());
  add("heads of 80", {.head_dim = 80, .rotated = 80, .scale = 0.11f}, uneven_batch());
  add("heads of 96, three quarters rotated", {.heads = 3, .kv_heads = 3, .head_dim = 96, .rotated = 72, .scale = 0.1f},
      uneven_batch());
  add("heads of 32", {.heads = 6, .kv_heads = 2, .head_dim = 32, .rotated = 32, .scale = 0.18f}, uneven_batch());
  add("heads of 16", {.heads = 4, .kv_heads = 2, .head_dim = 16, .rotated = 16, .scale = 0.25f}, uneven_batch());
  add("adjacent pairs", {.style = RopeStyle::adjacent}, prompt_and_decode());
  add("adjacent pairs, half rotated", {.style = RopeStyle::adjacent, .rotated = 32}, prompt_and_decode());
  add("half-split pairs, half rotated", {.rotated = 32}, prompt_and_decode());
  add("no positions", {.rotated = 0}, prompt_and_decode());
  add("rotary magnitude", {.magnitude = 1.19f}, prompt_and_decode());
  add("norm of q and k", {.qk_norm = true}, uneven_batch());
  add("norm of q and k, heads of 96 in adjacent pairs",
      {.head_dim = 96, .style = RopeStyle::adjacent, .rotated = 96, .qk_norm = true, .scale = 0.1f}, uneven_batch());
  add("window of 8", {.window = 8}, uneven_batch());
  add("window of 1", {.window = 1}, uneven_batch());
  add("window of 17", {.window = 17}, prompt_and_decode());
  add("window wider than the context", {.window = 4096}, prompt_and_decode());
  add("window of 100 in a long context", {.window = 100}, long_context());
  add("softcap", {.softcap = 2.0f, .scale = 0.5f}, uneven_batch());
  add("sinks", {.sinks = true}, uneven_batch());
  add("sinks, window and softcap", {.window = 20, .softcap = 5.0f, .sinks = true}, uneven_batch());
  add("large scores", {.scale = 4.0f}, prompt_and_decode()).slack = 4.0;
  add("long context", {}, long_context());
  add("pages shared and copied", {}, forked());
  for (const auto& [kv, name] : {std::pair{KvEncoding::bf16, "bf16"}, std::pair{KvEncoding::q8_0, "q8_0"}}) {
    add(fmt::format("cache in {}", name), {}, uneven_batch(), kv);
    add(fmt::format("cache in {}, heads of 128", name), {.head_dim = 128, .rotated = 128, .scale = 0.09f},
        uneven_batch(), kv);
    add(fmt::format("cache in {}, heads of 80", name), {.head_dim = 80, .rotated = 80, .scale = 0.11f}, uneven_batch(),
        kv);
    add(fmt::format("cache in {}, pages shared and copied", name), {.window = 30}, forked(), kv);
    add(fmt::format("cache in {}, long context", name), {.sinks = true}, long_context(), kv);
  }
}

// ---- experts ------------------------------------------------------------------------------------------------------

// Each token has its favourites among the experts, well apart from the others: with random routers, rounding alone
// would send a few tokens elsewhere. Expert e listens to column e, where token t says how much it likes e.
constexpr std::uint32_t case_experts = 8;

std::vector<float> taste_table(std::uint32_t width, Randoms& randoms) {
  std::vector<float> table = randoms.normals(std::size_t{case_vocabulary} * width, 0.0f, 1.0f);
  for (std::uint32_t token = 0; token < case_vocabulary; ++token) {
    for (std::uint32_t e = 0; e < case_experts; ++e) {
      const std::uint32_t rank = (e * 5 + token) % case_experts;
      table[std::size_t{token} * width + e] = 0.4f * static_cast<float>(rank) - 1.4f;
    }
  }
  return table;
}

std::vector<float> taste_router(std::uint32_t width) {
  std::vector<float> router(std::size_t{case_experts} * width);
  for (std::uint32_t e = 0; e < case_experts; ++e) router[std::size_t{e} * width + e] = 1.0f;
  return router;
}

struct ExpertsCase {
  std::uint32_t width = 64;
  std::uint32_t hidden = 96;
  std::uint32_t used = 2;
  bool softmax_before = true;
  bool renormalize = true;
  float weights_scale = 1.0f;
  Activation activation = Activation::silu;
  Encoding encoding = Encoding::f32;
  bool residual = true;
};

Result<Program> experts_program(Maker& m, const ExpertsCase& e) {
  Randoms randoms(e.width);
  const Slot x = m.slot(e.width);
  m.add(Embed{m.floats(taste_table(e.width, randoms), case_vocabulary), 1.0f, x});
  const Slot out = m.slot(e.width);
  m.add(Norm{x, m.vector(e.width, 0.5f, 0.1f), 1e-5f, out, false});  // something to add to
  Experts op;
  op.in = x;
  op.router = m.floats(taste_router(e.width), case_experts);
  op.gate_up = m.linear(e.encoding, std::int64_t{case_experts} * 2 * e.hidden, e.width);
  op.down = m.linear(e.encoding, std::int64_t{case_experts} * e.width, e.hidden);
  op.expert_count = case_experts;
  op.used_count = e.used;
  op.hidden = e.hidden;
  op.softmax_before = e.softmax_before;
  op.renormalize = e.renormalize;
  op.weights_scale = e.weights_scale;
  op.activation = e.activation;
  op.out = out;
  op.add_to_out = e.residual;
  m.add(op);
  return m.finish(out);
}

void add_experts(Cases& cases) {
  const auto add = [&](std::string_view name, const ExpertsCase& e) {
    cases.add(fmt::format("experts, {}", name), few_and_many_rows(), [=](Maker& m) { return experts_program(m, e); });
  };
  add("softmax before choosing, renormalized", {});
  add("softmax before choosing, as it is", {.renormalize = false, .residual = false});
  add("softmax over the chosen", {.softmax_before = false});
  add("softmax over the chosen, not renormalized", {.softmax_before = false, .renormalize = false});
  add("one of eight", {.used = 1, .renormalize = false});
  add("all of them", {.used = case_experts});
  add("scaled weights", {.used = 3, .weights_scale = 2.5f});
  add("gelu", {.activation = Activation::gelu_tanh});
  add("odd hidden width", {.hidden = 72});
  for (const Encoding encoding : {Encoding::f16, Encoding::bf16, Encoding::q4_0, Encoding::q8_0, Encoding::mxfp4}) {
    add(named("weights in", encoding), {.encoding = encoding});
  }
  for (const Encoding encoding : {Encoding::q4_k, Encoding::q6_k}) {
    add(named("weights in", encoding), {.width = 256, .hidden = 256, .encoding = encoding});
  }
}

// ---- decoders -----------------------------------------------------------------------------------------------------

struct DecoderCase {
  AttentionCase attention;
  Encoding encoding = Encoding::f32;
  std::uint32_t width = 256;
  std::uint32_t hidden = 256;
  std::uint32_t layers = 2;
  bool post_norms = false;
  Activation activation = Activation::silu;
  std::uint32_t local_window = 0;  // of every other layer
};

// out += down(activation(gate(in)) * up(in)), or its norm.
void feed_forward(Maker& m, const DecoderCase& d, Slot in, Slot residual) {
  const Slot gated = m.slot(d.hidden);
  m.add(Gate{m.project(in, 2 * d.hidden, d.encoding), gated, d.activation});
  const Weight down = m.linear(d.encoding, d.width, d.hidden);
  if (!d.post_norms) return m.add(Linear{gated, down, {}, residual, true});
  const Slot out = m.slot(d.width);
  m.add(Linear{gated, down, {}, out, false});
  m.add(Norm{out, m.vector(d.width, 1.0f, 0.1f), 1e-5f, residual, true});
}

void layer(Maker& m, const DecoderCase& d, Slot residual, std::uint32_t index) {
  AttentionCase attention = d.attention;
  if (index % 2 == 0 && d.local_window > 0) attention.window = d.local_window;
  const Slot normed = m.slot(d.width);
  m.add(Norm{residual, m.vector(d.width, 1.0f, 0.1f), 1e-5f, normed, false});
  const Slot attended = attend(m, normed, attention, index, d.encoding);
  const Weight output = m.linear(d.encoding, d.width, m.width_of(attended));
  if (d.post_norms) {
    m.add(Linear{attended, output, {}, normed, false});
    m.add(Norm{normed, m.vector(d.width, 1.0f, 0.1f), 1e-5f, residual, true});
  } else {
    m.add(Linear{attended, output, {}, residual, true});
  }
  m.add(Norm{residual, m.vector(d.width, 1.0f, 0.1f), 1e-5f, normed, false});
  feed_forward(m, d, normed, residual);
}

Result<Program> decoder_program(Maker& m, const DecoderCase& d) {
  m.program.attention = {d.layers, d.attention.heads, d.attention.kv_heads, d.attention.head_dim};
  const Slot residual = m.embed(d.width, d.encoding);
  for (std::uint32_t i = 0; i < d.layers; ++i) layer(m, d, residual, i);
  // The last norm is over the sampled rows only.
  const Slot normed = m.slot(d.width);
  const Weight norm = m.vector(d.width, 1.0f, 0.1f);
  auto program = m.finish(residual, d.encoding);
  if (!program) return program;
  program->head.insert(program->head.begin(), Norm{program->head_rows, norm, 1e-5f, normed, false});
  std::get<Linear>(program->head[1]).in = normed;
  return program;
}

void add_decoders(Cases& cases) {
  const auto add = [&](std::string_view name, const DecoderCase& d, std::vector<CaseStep> steps) -> BackendCase& {
    BackendCase& c =
        cases.add(fmt::format("decoder, {}", name), std::move(steps), [=](Maker& m) { return decoder_program(m, d); });
    c.slack = 2.0;           // two layers deep
    c.limits.rows_max = 16;  // the same step several times, for other rows
    return c;
  };
  const AttentionCase usual{.heads = 4, .kv_heads = 2, .head_dim = 64};
  for (const Encoding encoding : {Encoding::f32, Encoding::bf16, Encoding::f16, Encoding::q8_0, Encoding::q4_0,
                                  Encoding::q4_1, Encoding::q4_k, Encoding::q6_k}) {
    add(encoding_info(encoding).name, {.attention = usual, .encoding = encoding}, uneven_batch());
  }
  add("gemma's shape",
      {.attention = {.heads = 2,
                     .kv_heads = 1,
                     .head_dim = 128,
                     .rotated = 128,
                     .qk_norm = true,
                     .softcap = 20.0f,
                     .scale = 0.09f},
       .encoding = Encoding::q8_0,
       .post_norms = true,
       .activation = Activation::gelu_tanh,
       .local_window = 8},
      uneven_batch());
  add("pages shared and copied", {.attention = usual, .encoding = Encoding::q4_1, .layers = 3}, forked());
  add("pages shared and copied in q8_0", {.attention = usual, .encoding = Encoding::q8_0, .layers = 3}, forked())
      .limits.kv_encoding = KvEncoding::q8_0;
}

}  // namespace

std::vector<BackendCase> backend_cases() {
  Cases cases;
  add_embeddings(cases);
  add_linears(cases);
  add_row_ops(cases);
  add_attention(cases);
  add_experts(cases);
  add_decoders(cases);
  return std::move(cases.all);
}

}  // namespace jackdaw::ops::testing
