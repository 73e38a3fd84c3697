// From a model's files to a running engine: open, plan, load, compile, start.
#include <algorithm>
#include <array>
#include <new>
#include <utility>

#include "jackdaw/arch/model.h"
#include "jackdaw/base/log.h"
#include "jackdaw/base/machine_memory.h"
#include "jackdaw/llm/llm.h"
#include "jackdaw/text/chat_template.h"
#include "jackdaw/text/tokenizer.h"
#include "src/llm/engine_numbers.h"
#include "src/llm/llm_engine.h"
#include "src/llm/memory_plan.h"
#include "src/llm/prompt_codec.h"

namespace jackdaw::llm {

namespace {

using engine::EngineSpec;

constexpr std::array<std::string_view, 3> formats_known{"gguf", "safetensors", "huggingface"};

// Loading is slow for large models: a line for every tenth that is done.
std::function<void(std::uint64_t, std::uint64_t)> log_progress(std::string model) {
  return [model = std::move(model), shown = std::uint64_t{0}](std::uint64_t done, std::uint64_t total) mutable {
    constexpr std::uint64_t quiet_below = std::uint64_t{2} << 30;
    if (total < quiet_below) return;
    const std::uint64_t tenth = done * 10 / total;
    if (tenth <= shown) return;
    shown = tenth;
    log_info("loading", {{"model", model}, {"percent", tenth * 10}});
  };
}

class Factory final : public engine::EngineFactory {
 public:
  explicit Factory(LlmContext context) : context_(context) {}

  Result<std::shared_ptr<engine::Engine>> load(const EngineSpec& spec) override {
    if (std::find(formats_known.begin(), formats_known.end(), spec.model_format) == formats_known.end()) {
      return make_error(Code::unsupported, "Model format '{}' is not one of gguf, safetensors, huggingface.",
                        spec.model_format);
    }
    try {
      auto engine = load_file(spec);
      if (!engine) return std::move(engine).error().at(spec.path);
      return engine;
    } catch (const std::bad_alloc&) {
      return make_error(Code::resource_exhausted, "There is not enough memory to load {}.", spec.path);
    }
  }

 private:
  static Result<EnginePlan> plan_to_fit(const formats::ModelFile& file, const EngineSpec& spec,
                                        const ops::Backend& backend) {
    JACKDAW_ASSIGN(EnginePlan planned, plan_engine(file, spec.llm, backend, machine_memory()));
    const MemoryPlan& plan = planned.memory;
    log_info("memory plan", {{"model", spec.model_name},
                             {"description", plan.model},
                             {"weight_bytes", plan.weight_bytes},
                             {"kv_cache_bytes", plan.kv_cache_bytes},
                             {"workspace_bytes", plan.workspace_bytes},
                             {"budget_bytes", plan.budget_bytes},
                             {"max_model_len", plan.max_model_len},
                             {"max_num_seqs", plan.max_num_seqs},
                             {"kv_tokens", std::uint64_t{plan.kv_pages} * ops::page_tokens},
                             {"fits", plan.fits}});
    if (!plan.fits) return make_error(Code::resource_exhausted, "The model does not fit. {}", plan.advice);
    return planned;
  }

  // The plan's arithmetic and the truth must agree; what is over the budget is not served.
  static Result<void> enforce(const MemoryPlan& plan, const ops::MemoryUse& use, const std::string& model) {
    if (use.total() > plan.total_bytes() + plan.total_bytes() / 50) {
      log_warning("the model takes more memory than planned",
                  {{"model", model}, {"planned_bytes", plan.total_bytes()}, {"bytes", use.total()}});
    }
    if (use.total() <= std::max(plan.budget_bytes, plan.total_bytes())) return {};
    return make_error(Code::resource_exhausted, "The model takes {} bytes, more than the {} that may be used.",
                      use.total(), plan.budget_bytes);
  }

  static Result<std::shared_ptr<const text::Tokenizer>> load_tokenizer(const formats::ModelFile& file) {
    JACKDAW_ASSIGN(text::TokenizerSpec spec, text::read_tokenizer(file));
    return text::Tokenizer::build(std::move(spec));
  }

  Result<std::shared_ptr<const engine::PromptCodec>> load_codec(const formats::ModelFile& file, const EngineSpec& spec,
                                                                const std::shared_ptr<const text::Tokenizer>& tokenizer,
                                                                const EngineLimits& limits) const {
    CodecParts parts;
    parts.model_name = spec.model_name;
    parts.tokenizer = tokenizer;
    parts.vocabulary = limits.vocabulary;
    parts.max_model_len = limits.max_model_len;
    parts.clock = context_.clock;
    JACKDAW_ASSIGN(const std::string source, find_chat_template(file, spec.llm.chat_template));
    if (!source.empty()) {
      auto parsed = text::ChatTemplate::parse(source);
      if (!parsed && !spec.llm.chat_template.empty()) return std::move(parsed).error().at("--chat-template");
      if (parsed) {
        parts.chat_template = std::move(*parsed);
      } else {
        // The model can still complete text; chats are refused with the reason.
        log_warning("the model's chat template cannot be used",
                    {{"model", spec.model_name}, {"error", parsed.error().text()}});
      }
    }
    return make_prompt_codec(std::move(parts));
  }

  Result<std::shared_ptr<engine::Engine>> load_file(const EngineSpec& spec) const {
    const Instant begin = context_.clock->now();
    JACKDAW_ASSIGN(const auto file, formats::ModelFile::open(spec.path));
    const std::shared_ptr<ops::Backend> backend = ops::make_cpu_backend(*context_.pool);
    JACKDAW_ASSIGN(EnginePlan planned, plan_to_fit(*file, spec, *backend));
    JACKDAW_ASSIGN(const auto tokenizer, load_tokenizer(*file));
    JACKDAW_ASSIGN(auto codec, load_codec(*file, spec, tokenizer, planned.limits));
    JACKDAW_ASSIGN(GenerationDefaults defaults, read_generation_defaults(*file, spec.llm.generation_config != "vllm"));
    JACKDAW_ASSIGN(arch::LoadedModel model,
                   arch::load_model(*file, *backend, {planned.limits.max_model_len, log_progress(spec.model_name)}));
    EngineParts parts;
    JACKDAW_ASSIGN(parts.executable, backend->compile(std::move(model.program), planned.step));
    JACKDAW_TRY(enforce(planned.memory, parts.executable->memory(), spec.model_name));
    auto metrics = std::make_shared<LlmMetrics>(*context_.metrics, spec.model_name, numbers_->take(spec.model_name));
    metrics->describe_cache(planned.limits, std::string(kv_encoding_name(planned.step.kv_encoding)));
    parts.model_name = spec.model_name;
    parts.identity = spec.path;
    parts.tokenizer = tokenizer;
    parts.limits = planned.limits;
    parts.defaults = std::move(defaults);
    parts.metrics = metrics.get();
    parts.clock = context_.clock;
    parts.random = context_.random;
    auto engine = std::make_shared<LlmEngine>(std::move(parts), std::move(codec), metrics);
    log_info("model loaded",
             {{"model", spec.model_name},
              {"backend", backend->name()},
              {"ms", std::chrono::duration_cast<std::chrono::milliseconds>(context_.clock->now() - begin).count()}});
    return std::shared_ptr<engine::Engine>(std::move(engine));
  }

  const LlmContext context_;
  const std::shared_ptr<EngineNumbers> numbers_ = std::make_shared<EngineNumbers>();
};

}  // namespace

std::unique_ptr<engine::EngineFactory> make_engine_factory(LlmContext context) {
  CHECK(context.pool != nullptr && context.metrics != nullptr && context.clock != nullptr && context.random != nullptr);
  return std::make_unique<Factory>(context);
}

}  // namespace jackdaw::llm
