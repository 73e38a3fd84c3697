// Rotary settings of both formats: GGUF's rope.* keys and tensors of factors; config.json's rope_theta with
// rope_scaling, or rope_parameters (transformers 5), alone or for each type of layer.
#include <array>
#include <cmath>
#include <string>

#include "src/arch/description.h"

namespace jackdaw::arch {
namespace {

constexpr double base_min = 1.0;
constexpr double base_max = 1e12;
constexpr double factor_min = 1e-3;
constexpr double factor_max = 1e6;
constexpr Range context_range{1, 1 << 30};

// ---- GGUF ---------------------------------------------------------------------------------------------------------

Result<std::vector<float>> factors_tensor(const formats::ModelFile& file, std::string_view name) {
  const formats::FileTensor* tensor = file.tensor(name);
  if (tensor == nullptr) return std::vector<float>();
  return read_floats(*tensor);
}

Result<RopeScalingKind> gguf_kind(const Settings& settings, const RopeScaling& rope) {
  if (!rope.long_factors.empty() || !rope.short_factors.empty()) return RopeScalingKind::longrope;
  const Key key{"rope.scaling.type", ""};
  const std::string type = settings.text(key, "");
  if (type == "none") return RopeScalingKind::none;
  if (type == "yarn") return RopeScalingKind::yarn;
  if (type == "linear" || type.empty()) return rope.factor == 1.0f ? RopeScalingKind::none : RopeScalingKind::linear;
  if (type == "longrope") {
    return make_error(Code::invalid_argument,
                      "The rotary scaling is longrope, but the tensors rope_factors_long.weight and "
                      "rope_factors_short.weight are not there; convert the model again.")
        .at(settings.name(key));
  }
  return make_error(Code::unsupported, "The rotary scaling \"{}\" is not known; none, linear, yarn and longrope are.",
                    type)
      .at(settings.name(key));
}

Result<RopeScaling> read_gguf(const formats::ModelFile& file, const Settings& settings, const Family& family,
                              const Hyperparameters& hp) {
  RopeScaling out;
  JACKDAW_ASSIGN(out.base, settings.number({"rope.freq_base", ""}, base_min, base_max, family.rope_base));
  JACKDAW_ASSIGN(const float legacy_factor, settings.number({"rope.scale_linear", ""}, factor_min, factor_max, 1.0f));
  JACKDAW_ASSIGN(out.factor, settings.number({"rope.scaling.factor", ""}, factor_min, factor_max, legacy_factor));
  JACKDAW_ASSIGN(out.original_context,
                 settings.count({"rope.scaling.original_context_length", ""}, context_range, hp.context_length));
  JACKDAW_ASSIGN(out.divisors, factors_tensor(file, "rope_freqs.weight"));
  JACKDAW_ASSIGN(out.short_factors, factors_tensor(file, "rope_factors_short.weight"));
  JACKDAW_ASSIGN(out.long_factors, factors_tensor(file, "rope_factors_long.weight"));
  JACKDAW_ASSIGN(out.kind, gguf_kind(settings, out));

  const Key attention_factor{"rope.scaling.attn_factor", ""};
  JACKDAW_ASSIGN(const float magnitude, settings.number(attention_factor, 0.0, 100.0, 1.0f));
  if (out.kind == RopeScalingKind::longrope) {
    if (settings.has(attention_factor)) out.attention_factor = magnitude;
    if (!settings.has({"rope.scaling.factor", ""})) {
      out.factor = static_cast<float>(hp.context_length) / static_cast<float>(out.original_context);
    }
  }
  if (out.kind == RopeScalingKind::yarn) {
    JACKDAW_ASSIGN(out.beta_fast, settings.number({"rope.scaling.yarn_beta_fast", ""}, 1e-3, 1e6, 32.0f));
    JACKDAW_ASSIGN(out.beta_slow, settings.number({"rope.scaling.yarn_beta_slow", ""}, 1e-3, 1e6, 1.0f));
    // ggml multiplies the given factor by YaRN's own.
    const float own = out.factor > 1.0f ? 1.0f + 0.1f * std::log(out.factor) : 1.0f;
    out.attention_factor = magnitude * own;
  }
  return out;
}

Result<RopeSettings> read_gguf_settings(const formats::ModelFile& file, const Settings& settings, const Family& family,
                                        const Hyperparameters& hp) {
  RopeSettings out;
  JACKDAW_ASSIGN(out.rope, read_gguf(file, settings, family, hp));
  if (family.rope_base_local > 0.0f) {
    out.local.emplace();
    JACKDAW_ASSIGN(out.local->base,
                   settings.number({"rope.freq_base_swa", ""}, base_min, base_max, family.rope_base_local));
  }
  return out;
}

// ---- config.json --------------------------------------------------------------------------------------------------

// The keys below one object of rotary settings: "rope_scaling.", "rope_parameters.full_attention.", ...
class Scope {
 public:
  Scope(const Settings& settings, std::string prefix) : settings_(settings), prefix_(std::move(prefix)) {}

  bool has(std::string_view name) const { return settings_.has({"", prefix_ + std::string(name)}); }
  std::string place(std::string_view name) const { return settings_.name({"", prefix_ + std::string(name)}); }
  Result<float> number(std::string_view name, double min, double max, std::optional<float> fallback) const {
    return settings_.number({"", prefix_ + std::string(name)}, min, max, fallback);
  }
  Result<std::uint32_t> count(std::string_view name, std::optional<std::uint32_t> fallback) const {
    return settings_.count({"", prefix_ + std::string(name)}, context_range, fallback);
  }
  std::string text(std::string_view name) const { return settings_.text({"", prefix_ + std::string(name)}, ""); }
  bool boolean(std::string_view name, bool fallback) const {
    return settings_.boolean({"", prefix_ + std::string(name)}, fallback);
  }
  Result<std::vector<float>> numbers(std::string_view name) const {
    return settings_.numbers({"", prefix_ + std::string(name)});
  }

 private:
  const Settings& settings_;
  std::string prefix_;
};

Result<RopeScalingKind> config_kind(const Scope& scope) {
  const std::string type = scope.has("rope_type") ? scope.text("rope_type") : scope.text("type");
  // "dynamic" only departs from "default" beyond the context the model has.
  if (type.empty() || type == "default" || type == "dynamic") return RopeScalingKind::none;
  if (type == "linear") return RopeScalingKind::linear;
  if (type == "llama3") return RopeScalingKind::llama3;
  if (type == "yarn") return RopeScalingKind::yarn;
  if (type == "longrope" || type == "su") return RopeScalingKind::longrope;
  return make_error(Code::unsupported,
                    "The rotary scaling \"{}\" is not known; default, linear, dynamic, llama3, yarn and longrope are.",
                    type)
      .at(scope.place("rope_type"));
}

Result<std::uint32_t> original_context(const Settings& settings, const Scope& scope, const Hyperparameters& hp) {
  constexpr std::string_view name = "original_max_position_embeddings";
  JACKDAW_ASSIGN(const std::uint32_t outside, settings.count({"", name}, context_range, hp.context_length));
  return scope.count(name, outside);
}

Result<void> read_llama3(const Scope& scope, RopeScaling& out) {
  JACKDAW_ASSIGN(out.low_frequency_factor, scope.number("low_freq_factor", factor_min, factor_max, std::nullopt));
  JACKDAW_ASSIGN(out.high_frequency_factor, scope.number("high_freq_factor", factor_min, factor_max, std::nullopt));
  return {};
}

Result<void> read_yarn(const Scope& scope, RopeScaling& out) {
  JACKDAW_ASSIGN(out.beta_fast, scope.number("beta_fast", 1e-3, 1e6, 32.0f));
  JACKDAW_ASSIGN(out.beta_slow, scope.number("beta_slow", 1e-3, 1e6, 1.0f));
  JACKDAW_ASSIGN(out.mscale, scope.number("mscale", 0.0, 100.0, 0.0f));
  JACKDAW_ASSIGN(out.mscale_all, scope.number("mscale_all_dim", 0.0, 100.0, 0.0f));
  out.truncate = scope.boolean("truncate", true);
  return {};
}

Result<void> read_longrope(const Scope& scope, const Hyperparameters& hp, RopeScaling& out) {
  JACKDAW_ASSIGN(out.short_factors, scope.numbers("short_factor"));
  JACKDAW_ASSIGN(out.long_factors, scope.numbers("long_factor"));
  if (!scope.has("factor")) {
    out.factor = static_cast<float>(hp.context_length) / static_cast<float>(out.original_context);
  }
  return {};
}

Result<RopeScaling> read_scope(const Settings& settings, const Scope& scope, float base, const Hyperparameters& hp) {
  RopeScaling out;
  JACKDAW_ASSIGN(out.base, scope.number("rope_theta", base_min, base_max, base));
  JACKDAW_ASSIGN(out.kind, config_kind(scope));
  if (out.kind == RopeScalingKind::none) return out;
  const bool needs_factor = out.kind == RopeScalingKind::linear || out.kind == RopeScalingKind::llama3;
  JACKDAW_ASSIGN(out.factor,
                 scope.number("factor", factor_min, factor_max, needs_factor ? std::nullopt : std::optional(1.0f)));
  JACKDAW_ASSIGN(out.original_context, original_context(settings, scope, hp));
  if (scope.has("attention_factor")) {
    JACKDAW_ASSIGN(out.attention_factor, scope.number("attention_factor", 0.0, 100.0, 1.0f));
  }
  if (out.kind == RopeScalingKind::llama3) JACKDAW_TRY(read_llama3(scope, out));
  if (out.kind == RopeScalingKind::yarn) JACKDAW_TRY(read_yarn(scope, out));
  if (out.kind == RopeScalingKind::longrope) JACKDAW_TRY(read_longrope(scope, hp, out));
  return out;
}

bool any_rope_key(const Settings& settings, std::string_view object) {
  for (const std::string_view name : {"rope_theta", "rope_type", "type"}) {
    if (settings.has({"", fmt::format("{}.{}", object, name)})) return true;
  }
  return false;
}

Result<RopeSettings> read_config_settings(const Settings& settings, const Family& family, const Hyperparameters& hp) {
  JACKDAW_ASSIGN(const float base, settings.number({"", "rope_theta"}, base_min, base_max, family.rope_base));
  const bool per_layer_type = any_rope_key(settings, "rope_parameters.full_attention");
  const std::string object = per_layer_type                              ? "rope_parameters.full_attention."
                             : any_rope_key(settings, "rope_parameters") ? "rope_parameters."
                                                                         : "rope_scaling.";
  RopeSettings out;
  JACKDAW_ASSIGN(out.rope, read_scope(settings, Scope(settings, object), base, hp));
  if (family.rope_base_local == 0.0f) return out;

  JACKDAW_ASSIGN(const float local_base,
                 settings.number({"", "rope_local_base_freq"}, base_min, base_max, family.rope_base_local));
  const Scope local(settings, "rope_parameters.sliding_attention.");
  JACKDAW_ASSIGN(out.local, read_scope(settings, local, local_base, hp));
  return out;
}

}  // namespace

Result<RopeSettings> read_rope_settings(const formats::ModelFile& file, const Settings& settings, const Family& family,
                                        const Hyperparameters& hyperparameters) {
  if (settings.is_gguf()) return read_gguf_settings(file, settings, family, hyperparameters);
  return read_config_settings(settings, family, hyperparameters);
}

Result<std::uint32_t> read_rope_dimensions(const Settings& settings, std::uint32_t head_dim) {
  if (settings.is_gguf()) return settings.count({"rope.dimension_count", ""}, {2, head_dim}, head_dim);
  float share = 1.0f;
  for (const std::string_view name : {"partial_rotary_factor", "rope_parameters.partial_rotary_factor",
                                      "rope_parameters.full_attention.partial_rotary_factor"}) {
    JACKDAW_ASSIGN(share, settings.number({"", name}, 0.0, 1.0, share));
  }
  // Rounded down, but not because 0.9 is a little less than that as a float.
  return static_cast<std::uint32_t>(static_cast<double>(head_dim) * double{share} + 1e-3);
}

}  // namespace jackdaw::arch
