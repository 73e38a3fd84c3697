// Models whose metadata and shapes were changed at random: loaded or refused, never a crash, never a program that the
// reference backend finds fault with, never memory beyond what the file itself could hold.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <random>

#include "jackdaw/arch/model.h"
#include "jackdaw/ops/backend.h"
#include "small_models.h"

namespace jackdaw::arch {
namespace {

using formats::MetadataValue;
using testing::FakeModelFile;

constexpr int rounds = 3000;

template <typename T>
const T& pick(const std::vector<T>& list, std::mt19937& random) {
  return list[random() % list.size()];
}

const std::vector<MetadataValue>& hostile_values() {
  constexpr auto largest = std::numeric_limits<std::int64_t>::max();
  static const std::vector<MetadataValue> values{
      std::monostate(),
      true,
      std::int64_t{0},
      std::int64_t{1},
      std::int64_t{2},
      std::int64_t{3},
      std::int64_t{8},
      std::int64_t{-1},
      std::int64_t{1} << 20,
      std::int64_t{1} << 24,
      std::int64_t{1} << 32,
      largest,
      std::numeric_limits<std::int64_t>::min(),
      0.0,
      1e-30,
      0.5,
      8.0,
      1e300,
      -1e300,
      std::numeric_limits<double>::infinity(),
      std::numeric_limits<double>::quiet_NaN(),
      std::string(),
      std::string("yarn"),
      std::string("longrope"),
      std::vector<std::int64_t>{},
      std::vector<std::int64_t>{2, 2},
      std::vector<std::int64_t>{0, largest},
      std::vector<double>{0.0, 1e308, -1.0, 2.0},
      std::vector<bool>{true, false},
      std::vector<std::string>{"sliding_attention", "full_attention"},
  };
  return values;
}

const std::vector<std::string>& further_keys(formats::ModelFileKind kind) {
  static const std::vector<std::string> gguf{
      "attention.key_length",
      "attention.value_length",
      "attention.sliding_window",
      "attention.scale",
      "rope.freq_base",
      "rope.dimension_count",
      "rope.scaling.type",
      "rope.scaling.factor",
      "rope.scaling.original_context_length",
      "rope.scaling.yarn_beta_fast",
      "attn_logit_softcapping",
      "final_logit_softcapping",
      "attention.sliding_window_pattern",
      "expert_count",
      "expert_used_count",
  };
  static const std::vector<std::string> config{
      "head_dim",
      "sliding_window",
      "layer_types",
      "rope_theta",
      "rope_scaling.type",
      "rope_scaling.factor",
      "rope_scaling.short_factor",
      "rope_scaling.long_factor",
      "hidden_act",
      "partial_rotary_factor",
      "query_pre_attn_scalar",
      "original_max_position_embeddings",
      "rope_parameters.rope_type",
      "rope_parameters.factor",
      "max_window_layers",
      "use_sliding_window",
  };
  return kind == formats::ModelFileKind::gguf ? gguf : config;
}

void mutate(FakeModelFile& file, std::mt19937& random) {
  const bool is_gguf = file.kind() == formats::ModelFileKind::gguf;
  switch (random() % 4) {
    case 0: {  // a key that is there
      auto at = file.metadata_values.values.begin();
      std::advance(at, static_cast<std::ptrdiff_t>(random() % file.metadata_values.values.size()));
      at->second = pick(hostile_values(), random);
      break;
    }
    case 1: {  // one that may be
      const std::string key = pick(further_keys(file.kind()), random);
      file.metadata_values.values[is_gguf ? "llama." + key : key] = pick(hostile_values(), random);
      break;
    }
    case 2: {  // another shape, without the bytes for it
      const formats::FileTensor tensor = pick(file.tensors(), random);
      std::vector<std::int64_t> shape = tensor.shape;
      shape[random() % shape.size()] = pick(std::vector<std::int64_t>{0, 1, 8, 1 << 20, 1 << 26}, random);
      file.claim(tensor.name, shape);
      break;
    }
    default:
      file.remove(pick(file.tensors(), random).name);
      break;
  }
}

TEST_CASE("HostileModelsAreLoadedOrRefused") {
  const auto seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  int loaded = 0;
  int refused = 0;
  for (int i = 0; i < rounds; ++i) {
    FakeModelFile file = i % 2 == 0 ? testing::small_gguf_llama() : testing::small_config_llama();
    for (auto changes = random() % 3; changes > 0; --changes) mutate(file, random);
    const auto backend = ops::make_reference_backend();
    const auto plan = plan_model(file, *backend);
    auto model = load_model(file, *backend);
    if (!model) {
      ++refused;
      CHECK(model.error().code != Code::internal);
      CHECK_FALSE(model.error().message.empty());
      continue;
    }
    ++loaded;
    CHECK(plan.has_value());
    const ops::StepLimits limits{.tokens_max = 4, .rows_max = 4, .pages = 1};
    const auto executable = backend->compile(std::move(model->program), limits);
    if (!executable) FAIL(executable.error().text());
    CHECK((*executable)->memory().weights <= file.data_bytes());
  }
  CHECK(loaded > rounds / 10);
  CHECK(refused > rounds / 10);
}

}  // namespace
}  // namespace jackdaw::arch
