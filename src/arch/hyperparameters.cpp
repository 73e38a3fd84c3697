// Hyperparameters of both formats, each key beside its twin: GGUF's (after "<architecture>.") and config.json's.
#include <algorithm>
#include <array>
#include <cmath>

#include "src/arch/description.h"
#include "src/arch/names.h"

namespace jackdaw::arch {
namespace {

// Far above any model, and small enough that products of a few of them fit 64 bits.
constexpr Range width_range{1, 1 << 20};
constexpr Range layer_range{1, 4096};
constexpr Range head_range{1, 1 << 16};
constexpr Range head_dim_range{2, 1 << 14};
constexpr Range hidden_range{1, 1 << 24};
constexpr Range context_range{1, 1 << 30};
constexpr Range expert_range{1, 1 << 14};
constexpr std::int64_t vocabulary_max = 1 << 26;
constexpr std::int64_t projection_max = 1 << 24;  // heads * head_dim

constexpr Key context_key{"context_length", "max_position_embeddings"};
constexpr Key window_key{"attention.sliding_window", "sliding_window"};

std::optional<std::uint32_t> if_set(std::uint32_t value) {
  return value == 0 ? std::nullopt : std::optional(value);
}

std::string prefix_of(const formats::ModelFile& file, const Family& family) {
  const formats::Metadata& metadata = file.metadata();
  if (file.kind() == formats::ModelFileKind::gguf) return std::string(family.gguf) + ".";
  const bool nested = !family.config_prefix_type.empty() &&
                      metadata.text("model_type").value_or("") == family.config_prefix_type &&
                      metadata.find("text_config.hidden_size") != nullptr;
  return nested ? "text_config." : "";
}

class Describer {
 public:
  Describer(const formats::ModelFile& file, const Family& family)
      : file_(file), family_(family), settings_(file.metadata(), file.kind(), prefix_of(file, family)) {
    out_.family = &family;
    out_.kind = file.kind();
    hp_.architecture = family.name;
  }

  Result<Description> run() {
    JACKDAW_TRY(refuse_other_maths());
    JACKDAW_TRY(sizes());
    JACKDAW_TRY(heads());
    JACKDAW_TRY(numbers());
    if (family_.has_experts) JACKDAW_TRY(experts());
    JACKDAW_TRY(rope());
    JACKDAW_TRY(layers());
    JACKDAW_TRY(vocabulary());
    describe_tensors();
    return std::move(out_);
  }

 private:
  // Settings that would change the answer and that nothing here implements.
  Result<void> refuse_other_maths() {
    const formats::Metadata& metadata = file_.metadata();
    if (const auto method = metadata.text("quantization_config.quant_method")) {
      return make_error(Code::unsupported,
                        "The weights are quantized by \"{}\"; safetensors are read as F32, F16 and BF16 only. Use the "
                        "original model, or a GGUF file of it.",
                        *method)
          .at("quantization_config.quant_method");
    }
    if (settings_.boolean({"", "use_bidirectional_attention"}, false)) {
      return make_error(Code::unsupported, "Attention in both directions is for embeddings, not for generation.")
          .at(settings_.name({"", "use_bidirectional_attention"}));
    }
    JACKDAW_TRY(settings_.count({"expert_gating_func", ""}, {0, 1}, 1u));
    return activation();
  }

  Result<void> activation() {
    const Key key{"", settings_.has({"", "hidden_activation"}) ? "hidden_activation" : "hidden_act"};
    const std::string name = settings_.text(key, "");
    // "gelu" in a gemma config is the tanh form: transformers says so in a warning and uses it.
    const bool is_gelu = name == "gelu_pytorch_tanh" || (name == "gelu" && family_.norm_plus_one);
    const bool fits = family_.activation == ops::Activation::silu ? name == "silu" || name == "swish" : is_gelu;
    if (name.empty() || fits) return {};
    return make_error(Code::unsupported, "The activation \"{}\" is not the one of {}.", name, family_.name)
        .at(settings_.name(key));
  }

  Result<void> sizes() {
    const auto& s = settings_;
    JACKDAW_ASSIGN(hp_.width, s.count({"embedding_length", "hidden_size"}, width_range, std::nullopt));
    JACKDAW_ASSIGN(hp_.layers, s.count({"block_count", "num_hidden_layers"}, layer_range, std::nullopt));
    JACKDAW_ASSIGN(hp_.hidden, s.count({"feed_forward_length", "intermediate_size"}, hidden_range, std::nullopt));
    JACKDAW_ASSIGN(hp_.context_length, s.count(context_key, context_range, if_set(family_.context_length)));
    return {};
  }

  Result<void> heads() {
    const auto& s = settings_;
    const Key heads_key{"attention.head_count", "num_attention_heads"};
    const Key kv_heads_key{"attention.head_count_kv", "num_key_value_heads"};
    const Key head_dim_key{"attention.key_length", "head_dim"};
    JACKDAW_ASSIGN(hp_.heads, s.count(heads_key, head_range, if_set(family_.heads)));
    const std::uint32_t kv_heads = family_.kv_heads > 0 ? family_.kv_heads : hp_.heads;
    JACKDAW_ASSIGN(hp_.kv_heads, s.count(kv_heads_key, head_range, kv_heads));
    const bool says_head_dim = s.has(head_dim_key);
    const std::uint32_t head_dim = family_.head_dim > 0 && !s.is_gguf() ? family_.head_dim : hp_.width / hp_.heads;
    JACKDAW_ASSIGN(hp_.head_dim, s.count(head_dim_key, head_dim_range, head_dim));
    JACKDAW_ASSIGN(const std::uint32_t value_dim,
                   s.count({"attention.value_length", ""}, head_dim_range, hp_.head_dim));

    if (hp_.heads % hp_.kv_heads != 0) {
      return make_error(Code::invalid_argument, "{} heads cannot share {} key and value heads evenly.", hp_.heads,
                        hp_.kv_heads)
          .at(s.name(kv_heads_key));
    }
    const bool divides = says_head_dim || family_.head_dim > 0 || hp_.width % hp_.heads == 0;
    if (!divides || hp_.head_dim < head_dim_range.min || hp_.head_dim % 2 != 0 ||
        std::int64_t{hp_.heads} * hp_.head_dim > projection_max) {
      return make_error(Code::invalid_argument, "{} heads of {} dimensions do not fit a width of {}.", hp_.heads,
                        hp_.head_dim, hp_.width)
          .at(s.name(heads_key));
    }
    if (value_dim == hp_.head_dim) return {};
    return make_error(Code::unsupported, "Values of {} dimensions beside keys of {} have no kernel here.", value_dim,
                      hp_.head_dim)
        .at(s.name({"attention.value_length", ""}));
  }

  Result<void> numbers() {
    const auto& s = settings_;
    const std::optional<float> eps = s.is_gguf() ? std::nullopt : std::optional(1e-6f);
    JACKDAW_ASSIGN(hp_.norm_eps, s.number({"attention.layer_norm_rms_epsilon", "rms_norm_eps"}, 0.0, 1.0, eps));
    JACKDAW_ASSIGN(hp_.attention_softcap,
                   softcap({"attn_logit_softcapping", "attn_logit_softcapping"}, family_.attention_softcap));
    JACKDAW_ASSIGN(hp_.logit_softcap,
                   softcap({"final_logit_softcapping", "final_logit_softcapping"}, family_.logit_softcap));
    JACKDAW_ASSIGN(hp_.attention_scale, s.number({"attention.scale", ""}, 1e-6, 1e6, default_scale()));
    if (family_.scale == ScaleRule::query_pre_scale && !s.is_gguf()) {
      JACKDAW_ASSIGN(const float scalar, s.number({"", "query_pre_attn_scalar"}, 1e-6, 1e12, 256.0f));
      hp_.attention_scale = 1.0f / std::sqrt(scalar);
    }
    return {};
  }

  // JSON's null switches it off.
  Result<float> softcap(const Key& key, float fallback) const {
    return settings_.number(key, 0.0, 1e9, settings_.is_null(key) ? 0.0f : fallback);
  }

  float default_scale() const {
    const bool wide = family_.wide_scale_layers > 0 && hp_.layers == family_.wide_scale_layers;
    const std::uint32_t dimensions = wide ? hp_.width / hp_.heads : hp_.head_dim;
    return 1.0f / std::sqrt(static_cast<float>(dimensions));
  }

  Result<void> experts() {
    const auto& s = settings_;
    const Key count_key{"expert_count", s.has({"", "num_local_experts"}) ? "num_local_experts" : "num_experts"};
    const Key used_key{"expert_used_count", "num_experts_per_tok"};
    JACKDAW_ASSIGN(hp_.experts, s.count(count_key, expert_range, std::nullopt));
    JACKDAW_ASSIGN(hp_.experts_used, s.count(used_key, {1, hp_.experts}, std::nullopt));
    JACKDAW_ASSIGN(hp_.expert_hidden,
                   s.count({"expert_feed_forward_length", "moe_intermediate_size"}, hidden_range, hp_.hidden));
    JACKDAW_ASSIGN(out_.experts_scale, s.number({"expert_weights_scale", ""}, 0.0, 1e6, 1.0f));
    if (out_.experts_scale == 0.0f) out_.experts_scale = 1.0f;  // ggml's "none"
    const bool usual = s.is_gguf() || !family_.softmax_before;
    out_.renormalize_experts = s.boolean({"expert_weights_norm", "norm_topk_prob"}, usual);
    return {};
  }

  Result<void> rope() {
    JACKDAW_ASSIGN(hp_.rope_dimensions, read_rope_dimensions(settings_, hp_.head_dim));
    if (hp_.rope_dimensions == 0 || hp_.rope_dimensions % 2 != 0) {
      return make_error(Code::invalid_argument, "{} dimensions of a head cannot be turned in pairs.",
                        hp_.rope_dimensions)
          .at(settings_.name({"rope.dimension_count", "partial_rotary_factor"}));
    }
    JACKDAW_ASSIGN(RopeSettings rope, read_rope_settings(file_, settings_, family_, hp_));
    hp_.rope_base = rope.rope.base;
    if (rope.local) hp_.rope_base_local = rope.local->base;
    out_.rope = std::move(rope.rope);
    out_.local_rope = std::move(rope.local);
    return {};
  }

  // ---- layers -----------------------------------------------------------------------------------------------------

  Result<void> layers() {
    out_.layers.resize(hp_.layers);
    const std::uint32_t fallback = settings_.is_null(window_key) ? 0 : family_.sliding_window;
    JACKDAW_ASSIGN(std::uint32_t window, settings_.count(window_key, {0, context_range.max}, fallback));
    if (family_.window == WindowRule::when_enabled && !settings_.boolean({"", "use_sliding_window"}, false)) window = 0;
    hp_.sliding_window = window;
    if (window > 0) JACKDAW_TRY(windows(window));
    JACKDAW_TRY(positions());
    for (LayerPlan& layer : out_.layers) layer.uses_local_rope = out_.local_rope && layer.window > 0;
    return {};
  }

  Result<void> windows(std::uint32_t window) {
    const std::string types_name = settings_.name({"", "layer_types"});
    const auto* types = types_name.empty() ? nullptr : file_.metadata().texts(types_name);
    if (types != nullptr) return windows_by_type(window, *types, types_name);
    const Key pattern_key{"attention.sliding_window_pattern", "sliding_window_pattern"};
    const std::string pattern_name = settings_.name(pattern_key);
    if (const auto* flags = file_.metadata().booleans(pattern_name))
      return windows_by_flag(window, *flags, pattern_name);

    switch (family_.window) {
      case WindowRule::every_layer:
        for (LayerPlan& layer : out_.layers) layer.window = window;
        return {};
      case WindowRule::all_but_nth: {
        JACKDAW_ASSIGN(hp_.sliding_window_pattern, settings_.count(pattern_key, layer_range, family_.window_pattern));
        for (std::uint32_t i = 0; i < hp_.layers; ++i) {
          if ((i + 1) % hp_.sliding_window_pattern != 0) out_.layers[i].window = window;
        }
        return {};
      }
      case WindowRule::when_enabled:
        break;
    }
    JACKDAW_ASSIGN(const std::uint32_t first, settings_.count({"", "max_window_layers"}, {0, layer_range.max}, 0u));
    for (std::uint32_t i = first; i < hp_.layers; ++i) out_.layers[i].window = window;
    return {};
  }

  Result<void> windows_by_type(std::uint32_t window, const std::vector<std::string>& types, const std::string& where) {
    if (types.size() != hp_.layers) return wrong_list(types.size(), where);
    for (std::size_t i = 0; i < types.size(); ++i) {
      if (types[i] == "full_attention") continue;
      if (types[i] != "sliding_attention") {
        return make_error(Code::unsupported,
                          "Layer {} is of type \"{}\"; full_attention and sliding_attention are "
                          "known.",
                          i, types[i])
            .at(where);
      }
      out_.layers[i].window = window;
    }
    if (family_.window == WindowRule::all_but_nth) hp_.sliding_window_pattern = family_.window_pattern;
    return {};
  }

  // True = a sliding layer.
  Result<void> windows_by_flag(std::uint32_t window, const std::vector<bool>& flags, const std::string& where) {
    if (flags.size() != hp_.layers) return wrong_list(flags.size(), where);
    for (std::size_t i = 0; i < flags.size(); ++i) out_.layers[i].window = flags[i] ? window : 0;
    hp_.sliding_window_pattern = family_.window_pattern;
    return {};
  }

  Error wrong_list(std::size_t size, const std::string& where) const {
    return make_error(Code::invalid_argument, "The list has {} entries for {} layers.", size, hp_.layers).at(where);
  }

  Result<void> positions() {
    if (family_.nope_interval == 0) return {};
    const std::string list_name = settings_.name({"", "no_rope_layers"});
    const auto* list = list_name.empty() ? nullptr : file_.metadata().integers(list_name);
    if (list != nullptr) {  // 1 = turns, whatever the name says
      if (list->size() != hp_.layers) return wrong_list(list->size(), list_name);
      for (std::size_t i = 0; i < list->size(); ++i) out_.layers[i].has_positions = (*list)[i] != 0;
      return {};
    }
    JACKDAW_ASSIGN(const std::uint32_t interval,
                   settings_.count({"", "no_rope_layer_interval"}, layer_range, family_.nope_interval));
    for (std::uint32_t i = 0; i < hp_.layers; ++i) out_.layers[i].has_positions = (i + 1) % interval != 0;
    return {};
  }

  // ---- tensors ----------------------------------------------------------------------------------------------------

  Result<void> vocabulary() {
    const std::string name = Names(file_, family_).embedding() + ".weight";
    const formats::FileTensor* table = file_.tensor(name);
    if (table == nullptr) return make_error(Code::invalid_argument, "The model has no such tensor.").at(name);
    if (table->shape.size() != 2 || table->shape[0] < 1 || table->shape[0] > vocabulary_max) {
      return make_error(Code::invalid_argument, "A table of tokens has two dimensions, rows and a width of {}.",
                        hp_.width)
          .at(name);
    }
    hp_.vocabulary = static_cast<std::uint32_t>(table->shape[0]);
    return {};
  }

  void describe_tensors() {
    std::array<std::uint64_t, encoding_table.size()> bytes{};
    for (const formats::FileTensor& tensor : file_.tensors()) {
      hp_.parameters += static_cast<std::uint64_t>(tensor.element_count());
      bytes[static_cast<std::size_t>(tensor.encoding)] += tensor.data.size();
    }
    const auto most = std::ranges::max_element(bytes) - bytes.begin();
    hp_.quantization = encoding_table[static_cast<std::size_t>(most)].name;
    hp_.name = model_name();
    out_.tied_embedding = is_tied();
  }

  // Where config.json is silent, gemma's embedding is tied; so is every model's that brings no head of its own.
  bool is_tied() const {
    const Names names(file_, family_);
    const bool has_head = file_.tensor(names.head() + ".weight") != nullptr;
    if (settings_.is_gguf()) return !has_head;
    const formats::Metadata& metadata = file_.metadata();
    const auto own = metadata.boolean(settings_.name({"", "tie_word_embeddings"}));
    const auto said = own ? own : metadata.boolean("tie_word_embeddings");
    return said.value_or(family_.scaled_embedding || !has_head);
  }

  std::string model_name() const {
    const formats::Metadata& metadata = file_.metadata();
    if (const auto name = metadata.text("general.name"); name && !name->empty()) return std::string(*name);
    if (const auto path = metadata.text("_name_or_path"); path && !path->empty()) return std::string(*path);
    return file_.folder().filename().string();
  }

  const formats::ModelFile& file_;
  const Family& family_;
  Settings settings_;
  Description out_;
  Hyperparameters& hp_ = out_.hyperparameters;
};

}  // namespace

Result<Description> describe(const formats::ModelFile& file) {
  JACKDAW_ASSIGN(const Family* family, find_family(file));
  return Describer(file, *family).run();
}

Result<Hyperparameters> read_hyperparameters(const formats::ModelFile& file) {
  JACKDAW_ASSIGN(Description description, describe(file));
  return std::move(description.hyperparameters);
}

std::uint64_t Hyperparameters::kv_bytes_per_token(ops::KvEncoding encoding) const {
  const std::uint64_t elements = std::uint64_t{2} * layers * kv_heads * head_dim;
  if (encoding != ops::KvEncoding::q8_0) return elements * 2;
  const std::uint64_t blocks = std::uint64_t{2} * layers * kv_heads * ((head_dim + 31) / 32);
  return elements + blocks * 2;
}

}  // namespace jackdaw::arch
