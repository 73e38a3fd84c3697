// The reference backend against numbers worked out by hand, and against itself with its steps cut otherwise.
#include <catch2/catch.hpp>
#include <cmath>
#include <numbers>

#include "backend_cases.h"
#include "jackdaw/ops/backend.h"
#include "src/ops/reference_backend_math.h"

namespace jackdaw::ops {
namespace {

using Floats = std::vector<float>;

// A Program over hand-written weights; what a slot holds comes out as the logits, through an identity head.
class Hand {
 public:
  Hand() { program.attention = {1, 1, 1, 2}; }

  Program program;
  StepLimits limits{.tokens_max = 32, .rows_max = 32, .pages = 8, .kv_encoding = KvEncoding::f16};
  std::shared_ptr<Backend> backend = make_reference_backend();

  Weight matrix(const std::vector<Floats>& rows) {
    Floats flat;
    for (const Floats& row : rows) flat.insert(flat.end(), row.begin(), row.end());
    const LinearPart part{Encoding::f32, static_cast<std::int64_t>(rows.size()),
                          static_cast<std::int64_t>(rows.front().size()), std::as_bytes(std::span(flat))};
    return backend->add_linear({&part, 1}).value();
  }
  Weight vector(const Floats& values) { return backend->add_vector(values).value(); }
  // Token t begins as rows[t].
  Slot embed(const std::vector<Floats>& rows) {
    const Slot out = program.add_slot(static_cast<std::uint32_t>(rows.front().size()));
    program.body.emplace_back(Embed{matrix(rows), 1.0f, out});
    return out;
  }
  Slot slot(std::uint32_t width) { return program.add_slot(width); }

  void show(Slot slot) {
    const std::uint32_t width = program.slot_widths[static_cast<std::size_t>(slot.index)];
    std::vector<Floats> identity(width, Floats(width));
    for (std::uint32_t i = 0; i < width; ++i) identity[i][i] = 1.0f;
    program.head_in = slot;
    program.head_rows = program.add_slot(width);
    program.logits = program.add_slot(width);
    program.head.emplace_back(Linear{program.head_rows, matrix(identity), {}, program.logits, false});
  }
  // Runs `tokens` from position 0 in pages 0, 1, ...
  std::vector<Floats> run(const std::vector<std::int32_t>& tokens) {
    auto executable = backend->compile(program, limits).value();
    const std::vector<std::uint32_t> pages{0, 1, 2, 3};
    const BatchSequence sequence{0, static_cast<std::uint32_t>(tokens.size()), 0, pages};
    SamplingParameters greedy;
    greedy.temperature = 0.0f;
    std::vector<SampleRow> rows(tokens.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].batch_token = static_cast<std::uint32_t>(i);
      rows[i].parameters = &greedy;
    }
    std::vector<Sampled> sampled(rows.size());
    REQUIRE(executable->step({tokens, {&sequence, 1}, rows}, sampled).has_value());
    std::vector<Floats> out;
    for (std::uint32_t i = 0; i < rows.size(); ++i) out.push_back(executable->logits(i));
    return out;
  }
};

void check_near(const Floats& got, const Floats& expected, double margin = 1e-6) {
  REQUIRE(got.size() == expected.size());
  for (std::size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(expected[i]).margin(margin));
}

TEST_CASE("ReferenceNormDividesByTheRootOfTheMeanSquareAndAdds") {
  Hand hand;
  const Slot x = hand.embed({{3.0f, 4.0f}});
  hand.program.body.emplace_back(Norm{x, hand.vector({1.0f, 2.0f}), 0.0f, x, true});
  hand.show(x);
  // The mean of 9 and 16 is 12.5.
  const float root = std::sqrt(12.5f);
  check_near(hand.run({0})[0], {3.0f + 3.0f / root, 4.0f + 8.0f / root});
}

TEST_CASE("ReferenceLinearHasRowsOfOutputsBiasAndResidual") {
  Hand hand;
  const Slot x = hand.embed({{1.0f, 2.0f}, {10.0f, -1.0f}});
  const Slot y = hand.embed({{100.0f, 200.0f, 300.0f}, {0.0f, 0.0f, 0.0f}});
  const Weight weight = hand.matrix({{1.0f, 0.0f}, {0.0f, 1.0f}, {2.0f, 3.0f}});
  hand.program.body.emplace_back(Linear{x, weight, hand.vector({0.5f, 0.25f, 0.0f}), y, true});
  hand.show(y);
  const auto rows = hand.run({0, 1});
  check_near(rows[0], {101.5f, 202.25f, 308.0f});
  check_near(rows[1], {10.5f, -0.75f, 17.0f});
}

TEST_CASE("ReferenceGateTakesTheFirstHalfAsGate") {
  for (const Activation activation : {Activation::silu, Activation::gelu_tanh}) {
    Hand hand;
    const Slot x = hand.embed({{1.0f, -2.0f, 10.0f, 100.0f}});
    const Slot y = hand.slot(2);
    hand.program.body.emplace_back(Gate{x, y, activation});
    hand.show(y);
    // silu(1) and silu(-2); gelu_tanh(1) and gelu_tanh(-2) as PyTorch prints them.
    if (activation == Activation::silu) check_near(hand.run({0})[0], {7.310586f, -23.840584f}, 1e-5);
    if (activation == Activation::gelu_tanh) check_near(hand.run({0})[0], {8.411920f, -4.540229f}, 1e-5);
  }
}

TEST_CASE("ReferenceSoftcapAndScaleWorkInPlace") {
  Hand hand;
  const Slot x = hand.embed({{1.0f, -30.0f}});
  hand.program.body.emplace_back(Scale{x, 2.0f});
  hand.program.body.emplace_back(Softcap{x, 4.0f});
  hand.show(x);
  check_near(hand.run({0})[0], {4.0f * std::tanh(0.5f), -4.0f});
}

TEST_CASE("ReferenceRopeTurnsAdjacentOrHalfSplitPairs") {
  // Angles: pair 0 turns a quarter per position, pair 1 stays.
  const float quarter = std::numbers::pi_v<float> / 2.0f;
  const Rope adjacent{RopeStyle::adjacent, {quarter, 0.0f}, 1.0f};
  Floats head{1.0f, 2.0f, 3.0f, 4.0f, 5.0f};
  reference::rotate(head, adjacent, 1);
  check_near(head, {-2.0f, 1.0f, 3.0f, 4.0f, 5.0f});

  const Rope half_split{RopeStyle::half_split, {quarter, 0.0f}, 2.0f};
  head = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f};
  reference::rotate(head, half_split, 1);
  // Twice as long, and the fifth element is not part of it.
  check_near(head, {-6.0f, 4.0f, 2.0f, 8.0f, 5.0f});
  reference::rotate(head, Rope{RopeStyle::half_split, {quarter}, 1.0f}, 4);
  check_near(head, {-6.0f, 4.0f, 2.0f, 8.0f, 5.0f}, 1e-5);
}

TEST_CASE("ReferenceCacheRoundsToItsEncoding") {
  Floats row{1.0f / 3.0f, -1.0f};
  reference::round_to(KvEncoding::f16, row);
  check_near(row, {0.33325195f, -1.0f}, 0.0);
  row = {1.0f / 3.0f, -1.0f};
  reference::round_to(KvEncoding::bf16, row);
  check_near(row, {0.333984375f, -1.0f}, 0.0);
  row = {0.6f, -127.0f, 1.4f};
  reference::round_to(KvEncoding::q8_0, row);
  check_near(row, {1.0f, -127.0f, 1.0f}, 0.0);
  row.assign(40, 0.0f);
  row[0] = 127.0f;
  row[32] = 0.5f;  // a block of its own, though a short one
  reference::round_to(KvEncoding::q8_0, row);
  CHECK(row[0] == 127.0f);
  CHECK(row[32] == Approx(0.5f).epsilon(1e-3));
}

Attend attend_with(float scale, float softcap, std::uint32_t window) {
  Attend op;
  op.scale = scale;
  op.softcap = softcap;
  op.window = window;
  return op;
}

// One head of two dimensions. Keys are (x, 0), queries (1, 0), so that scores are the keys; values are (1, 0), (0, 1)
// and (0, 0) for tokens 0, 1 and 2.
struct AttentionHand : Hand {
  explicit AttentionHand(const Attend& options) {
    const Slot qkv = embed({{1.0f, 0.0f, 0.0f, 0.0f, 1.0f, 0.0f},
                            {1.0f, 0.0f, 2.0f, 0.0f, 0.0f, 1.0f},
                            {1.0f, 0.0f, 1.0f, 0.0f, 0.0f, 0.0f}});
    program.body.emplace_back(StoreKv{qkv, 0, {}, {}, 1e-6f, -1});
    Attend op = options;
    op.qkv = qkv;
    op.out = slot(2);
    program.body.emplace_back(op);
    show(op.out);
  }
};

TEST_CASE("ReferenceAttentionIsCausal") {
  AttentionHand hand{Attend{}};
  const auto rows = hand.run({0, 1, 2});
  const float e = std::numbers::e_v<float>;
  check_near(rows[0], {1.0f, 0.0f});
  check_near(rows[1], {1.0f / (1.0f + e * e), e * e / (1.0f + e * e)});
  check_near(rows[2], {1.0f / (1.0f + e * e + e), e * e / (1.0f + e * e + e)});
}

TEST_CASE("ReferenceAttentionWindowCountsTheTokenItself") {
  AttentionHand hand{attend_with(1.0f, 0.0f, 2)};
  const auto rows = hand.run({0, 1, 2});
  const float e = std::numbers::e_v<float>;
  check_near(rows[1], {1.0f / (1.0f + e * e), e * e / (1.0f + e * e)});
  check_near(rows[2], {0.0f, e * e / (e * e + e)});
}

TEST_CASE("ReferenceAttentionCapsScoresAfterScaling") {
  AttentionHand hand{attend_with(3.0f, 4.0f, 0)};
  const float capped = std::exp(4.0f * std::tanh(6.0f / 4.0f));
  check_near(hand.run({0, 1})[1], {1.0f / (1.0f + capped), capped / (1.0f + capped)});
}

TEST_CASE("ReferenceAttentionSinkOnlyEnlargesTheDenominator") {
  AttentionHand hand{Attend{}};
  std::get<Attend>(hand.program.body[2]).sinks = hand.vector({1.0f});
  const float e = std::numbers::e_v<float>;
  const auto rows = hand.run({0, 1});
  check_near(rows[0], {1.0f / (1.0f + e), 0.0f});
  check_near(rows[1], {1.0f / (1.0f + e * e + e), e * e / (1.0f + e * e + e)});
}

TEST_CASE("ReferenceAttentionGivesNeighbouringQueryHeadsOneKeyHead") {
  Hand hand;
  hand.program.attention = {1, 4, 2, 1};
  // One token: every query head sees the value of its key head.
  const Slot qkv = hand.embed({{1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 5.0f, 7.0f}});
  const Slot out = hand.slot(4);
  hand.program.body.emplace_back(StoreKv{qkv, 0, {}, {}, 1e-6f, -1});
  hand.program.body.emplace_back(Attend{qkv, 0, 1.0f, 0.0f, 0, {}, out});
  hand.show(out);
  check_near(hand.run({0})[0], {5.0f, 5.0f, 7.0f, 7.0f});
}

TEST_CASE("ReferenceNormsHeadsOfQAndKBeforeTurningThem") {
  Hand hand;
  const Slot qkv = hand.embed({{3.0f, 4.0f, 0.0f, 2.0f, 9.0f, 9.0f}});
  StoreKv store{qkv, 0, hand.vector({1.0f, 1.0f}), hand.vector({1.0f, 3.0f}), 0.0f, 0};
  hand.program.ropes.push_back({RopeStyle::adjacent, {std::numbers::pi_v<float> / 2.0f}, 1.0f});
  hand.program.body.emplace_back(store);
  hand.show(qkv);
  const auto rows = hand.run({0, 0});
  const float root = std::sqrt(12.5f);
  check_near(rows[0], {3.0f / root, 4.0f / root, 0.0f, 3.0f * std::sqrt(2.0f), 9.0f, 9.0f});
  check_near(rows[1], {-4.0f / root, 3.0f / root, -3.0f * std::sqrt(2.0f), 0.0f, 9.0f, 9.0f});
}

TEST_CASE("ReferenceChoosesExpertsByEitherOrderOfSoftmax") {
  const Floats logits{0.0f, 2.0f, 1.0f, 2.0f};
  Experts op;
  op.expert_count = 4;
  op.used_count = 3;
  const double e = std::numbers::e;
  const double all = 1.0 + 2.0 * e * e + e;

  op.softmax_before = true;
  op.renormalize = false;
  auto chosen = reference::choose_experts(logits, op);
  REQUIRE(chosen.size() == 3);
  CHECK(chosen[0].expert == 1);  // the lower number among equals
  CHECK(chosen[1].expert == 3);
  CHECK(chosen[2].expert == 2);
  CHECK(chosen[0].weight == Approx(e * e / all));
  CHECK(chosen[2].weight == Approx(e / all));

  op.softmax_before = false;
  chosen = reference::choose_experts(logits, op);
  CHECK(chosen[0].weight == Approx(e * e / (2.0 * e * e + e)));

  op.softmax_before = true;
  op.renormalize = true;
  op.weights_scale = 2.0f;
  chosen = reference::choose_experts(logits, op);
  CHECK(chosen[0].weight == Approx(2.0 * e * e / (2.0 * e * e + e)));
}

TEST_CASE("ReferenceExpertsStackGateRowsBeforeUpRowsPerExpert") {
  Hand hand;
  const Slot x = hand.embed({{1.0f, 2.0f}});
  Experts op;
  op.in = x;
  op.out = x;
  op.expert_count = 2;
  op.used_count = 1;
  op.hidden = 1;
  op.router = hand.matrix({{0.0f, 0.0f}, {0.0f, 1.0f}});                               // expert 1 wins
  op.gate_up = hand.matrix({{9.0f, 9.0f}, {9.0f, 9.0f}, {1.0f, 0.0f}, {0.0f, 5.0f}});  // its gate is 1, its up 10
  op.down = hand.matrix({{9.0f}, {9.0f}, {1.0f}, {-1.0f}});
  hand.program.body.emplace_back(op);
  hand.show(x);
  check_near(hand.run({0})[0], {1.0f + 7.310586f, 2.0f - 7.310586f}, 1e-5);
}

TEST_CASE("ReferenceRefusesProgramsThatDoNotFitTogether") {
  const auto text_of = [](Hand& hand) {
    const auto result = hand.backend->compile(hand.program, hand.limits);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == Code::internal);
    return result.error().text();
  };
  SECTION("a slot that nobody declared") {
    Hand hand;
    const Slot x = hand.embed({{1.0f, 2.0f}});
    hand.program.body.emplace_back(Scale{Slot{7}, 1.0f});
    hand.show(x);
    CHECK_THAT(text_of(hand), Catch::Contains("body[1]") && Catch::Contains("no such slot"));
  }
  SECTION("a matrix of the wrong shape") {
    Hand hand;
    const Slot x = hand.embed({{1.0f, 2.0f}});
    hand.program.body.emplace_back(Linear{x, hand.matrix({{1.0f, 2.0f}}), {}, x, false});
    hand.show(x);
    CHECK_THAT(text_of(hand), Catch::Contains("wrong shape"));
  }
  SECTION("a vector where a matrix belongs") {
    Hand hand;
    const Slot x = hand.embed({{1.0f, 2.0f}});
    hand.program.body.emplace_back(Linear{x, hand.vector({1.0f, 2.0f}), {}, x, false});
    hand.show(x);
    CHECK_THAT(text_of(hand), Catch::Contains("missing"));
  }
}

TEST_CASE("ReferenceRefusesWeightsThatAreNotWholeBlocksOrTooShort") {
  const auto backend = make_reference_backend();
  const std::vector<std::byte> data(1000);
  const LinearPart uneven{Encoding::q4_0, 2, 40, data};
  CHECK(backend->add_linear({&uneven, 1}).error().code == Code::unsupported);
  const LinearPart short_one{Encoding::f32, 10, 32, data};
  CHECK(backend->add_linear({&short_one, 1}).error().code == Code::invalid_argument);
  const std::vector<LinearPart> mixed{{Encoding::f32, 2, 32, data}, {Encoding::f32, 2, 16, data}};
  CHECK(backend->add_linear(mixed).error().code == Code::invalid_argument);
  CHECK(backend->add_linear({}).error().code == Code::invalid_argument);
}

TEST_CASE("ReferenceLogitsDoNotDependOnHowStepsAreCut") {
  for (const testing::BackendCase& c : testing::backend_cases()) {
    // Only these look beyond a row; the long ones would take too long here.
    if (!c.name.starts_with("attention") && !c.name.starts_with("decoder")) continue;
    if (c.name.find("long context") != std::string::npos) continue;
    INFO(c.name);
    const auto backend = make_reference_backend();
    const auto whole = testing::run_case(c, *backend);
    REQUIRE(whole.has_value());
    CHECK(testing::differs_when_split(c, *whole, *backend, 7) == "");
  }
}

TEST_CASE("BackendCasesHaveLogitsWorthComparing") {
  for (const testing::BackendCase& c : testing::backend_cases()) {
    INFO(c.name);
    const auto logits = testing::run_case(c, *make_reference_backend());
    REQUIRE(logits.has_value());
    REQUIRE_FALSE(logits->empty());
    for (const Floats& row : *logits) {
      double sum = 0.0;
      for (const float x : row) sum += double{x} * double{x};
      const double size = std::sqrt(sum / static_cast<double>(row.size()));
      REQUIRE(size > 0.01);
      REQUIRE(size < 100.0);
    }
  }
}

}  // namespace
}  // namespace jackdaw::ops
