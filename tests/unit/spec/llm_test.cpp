// LLMInferenceService, and InferenceService with modelFormat huggingface.
#include <algorithm>
#include <filesystem>

#include "loaded.h"

using namespace jackdaw;
using namespace jackdaw::spec;

namespace {

// Lines below `spec:`, which is line 4; they are indented by two spaces.
std::string llm_text(std::string_view spec, std::string_view metadata = "{name: smol}") {
  return fmt::format("apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata: {}\nspec:\n{}\n",
                     metadata, spec);
}
std::string with_args(std::string_view args) {
  return llm_text(fmt::format("  model: {{uri: /m}}\n  template: {{containers: [{{name: main, args: [{}]}}]}}", args));
}

LlmInferenceService only_llm(const LoadedConfig& config) {
  INFO(render_findings_text(config.findings));
  REQUIRE(config.ok());
  REQUIRE(config.llm_services.size() == 1);
  return config.llm_services.front();
}
LlmInferenceService only_llm(std::string_view text) {
  return only_llm(load_text(text));
}

LoadedConfig manifest(const std::string& name) {
  const std::vector<std::string> paths = {std::string(JACKDAW_SOURCE_DIR) + "/tests/unit/spec/manifests/" + name};
  return load_config(paths);
}

bool says(const std::vector<std::string>& lines, std::string_view words) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(words) != std::string::npos; });
}

std::vector<std::string> texts(const std::vector<ConfigValue<std::string>>& values) {
  std::vector<std::string> out;
  for (const auto& value : values) out.push_back(*value);
  return out;
}

TEST_CASE("LlmServiceWithOnlyAUriHasDefaults") {
  const LlmInferenceService service = only_llm(llm_text("  model: {uri: ./m.gguf}"));
  CHECK(*service.model_uri == "./m.gguf");
  CHECK(*service.served_name == "smol");
  CHECK_FALSE(service.served_name.is_set);
  CHECK(service.aliases.empty());
  CHECK(*service.replicas == 1);
  CHECK_FALSE(service.stopped);
  CHECK(service.base_dir == "/base");
  CHECK(*service.llm.max_model_len == 0);
  CHECK(*service.llm.enable_prefix_caching);
  CHECK(*service.llm.generation_config == "auto");
  CHECK(*service.llm.speculative_tokens == 4);
  CHECK(service.place.text() == "t.yaml:5:10");
}

TEST_CASE("LlmManifestLoadsWhole") {
  const LoadedConfig config = manifest("llm-full.yaml");
  const LlmInferenceService service = only_llm(config);
  CHECK(*service.metadata.namespace_name == "llms");
  CHECK(*service.model_uri == "pvc://models/qwen3-0.6b");
  CHECK(*service.served_name == "qwen");
  CHECK(texts(service.aliases) == std::vector<std::string>{"qwen3", "Qwen/Qwen3-0.6B"});
  CHECK(*service.llm.max_model_len == 8192);
  CHECK(*service.llm.max_num_seqs == 32);
  CHECK(*service.llm.max_num_batched_tokens == 2048);
  CHECK(*service.llm.kv_cache_dtype == "bf16");
  CHECK(*service.llm.kv_cache_bytes == 3ull << 29);
  CHECK_FALSE(*service.llm.enable_prefix_caching);
  CHECK(*service.llm.generation_config == "vllm");
  CHECK(*service.llm.chat_template == "{{ messages[0].content }}");
  CHECK(service.llm.chat_template_is_text());
  CHECK(*service.llm.memory_bytes == 6ull << 30);
  CHECK(*service.llm.itl_target_ms == 50.0);
  CHECK(*service.llm.speculative_tokens == 3);
  CHECK(*service.llm.queue_max == 64);
  CHECK(*service.replicas == 3);
}

TEST_CASE("LlmFieldsWithoutEffectAreReportedOneByOne") {
  const auto said = reports(manifest("llm-full.yaml"));
  for (const char* words :
       {"'storageInitializer'", "'parallelism'", "'labels'", "'annotations'", "'serviceAccountName'", "'worker'",
        "'prefill'", "'kvCacheOffloading'", "'rolloutStrategy'", "'router'", "'tracing'", "'image'", "'resources'",
        "'--gpu-memory-utilization'", "HF_HUB_OFFLINE", "container 'side'"}) {
    INFO(words);
    CHECK(says(said, words));
  }
  CHECK(said.size() == 17);  // 'image' twice; none for what is inside a reported block
}

TEST_CASE("LlmManifestOfV1alpha1Loads") {
  const LoadedConfig config = manifest("llm-small.yaml");
  const LlmInferenceService service = only_llm(config);
  CHECK(*service.model_uri == "./smollm2.gguf");
  CHECK(std::filesystem::path(service.base_dir).filename() == "manifests");
  const auto said = reports(config);
  CHECK(said.size() == 4);
  for (const char* words : {"'criticality'", "'router'", "'variantCost'", "'hpa'"}) CHECK(says(said, words));
}

TEST_CASE("LlmFieldsThatWouldChangeTheAnswerAreErrors") {
  const std::pair<const char*, const char*> cases[] = {
      {"  model: {uri: /m, lora: {adapters: [{uri: /a, name: a}]}}", "'lora'"},
      {"  model: {uri: /m, confidential: {enabled: true}}", "'confidential'"},
      {"  model: {uri: /m}\n  baseRefs: [{name: preset}]", "'baseRefs'"},
  };
  for (const auto& [spec, words] : cases) {
    const std::string error = only_error(llm_text(spec));
    INFO(error);
    CHECK(error.find("not supported yet by this version") != std::string::npos);
    CHECK(error.find(words) != std::string::npos);
  }
}

TEST_CASE("LlmUnknownFieldsAreErrorsWithTheNearestName") {
  CHECK(only_error(llm_text("  model: {url: /m, uri: /m}")) ==
        "t.yaml:5:11: unknown field 'url' in spec.model; did you mean 'uri'?");
  CHECK(only_error(llm_text("  model: {uri: /m}\n  router: {scheduller: {}}")).find("did you mean 'scheduler'?") !=
        std::string::npos);
  CHECK(only_error(llm_text("  model: {uri: /m}\n  parallelism: {tensor: two}")).find("t.yaml:6:25") == 0);
}

TEST_CASE("LlmServiceNeedsAModel") {
  CHECK(only_error(llm_text("  replicas: 1")).find("spec.model is missing") != std::string::npos);
  CHECK(only_error(llm_text("  model: {name: a}")).find("spec.model.uri is missing") != std::string::npos);
  CHECK(only_error("apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceService\nmetadata: {name: a}\n")
            .find("spec.model is missing") != std::string::npos);
}

TEST_CASE("LlmModelNamesMayHaveSlashesButNoSpaces") {
  CHECK(*only_llm(llm_text("  model: {uri: /m, name: Qwen/Qwen3-8B}")).served_name == "Qwen/Qwen3-8B");
  CHECK(only_error(llm_text("  model: {uri: /m, name: \"a b\"}")).find("visible ASCII") != std::string::npos);
  CHECK(only_error(llm_text("  model: {uri: /m, name: \"\"}")).find("visible ASCII") != std::string::npos);
}

TEST_CASE("LlmReplicas") {
  CHECK(only_llm(llm_text("  model: {uri: /m}\n  replicas: 0")).stopped);
  CHECK(
      only_llm(llm_text("  model: {uri: /m}", R"({name: a, annotations: {serving.kserve.io/stop: "true"}})")).stopped);
  CHECK(only_error(llm_text("  model: {uri: /m}\n  replicas: -1")).find("from 0 to") != std::string::npos);
  CHECK(only_error(llm_text("  model: {uri: /m}\n  replicas: 2\n  scaling: {minReplicas: 1}"))
            .find("replicas and scaling are both here") != std::string::npos);
}

TEST_CASE("VllmArgumentsInEveryFormOfArgparse") {
  const LlmSettings llm =
      only_llm(with_args("serve, /mnt/models, --served-model-name, a, b/c, --max-model-len, auto, --max_num_seqs=8, "
                         "--enable-prefix-caching, --kv-cache-dtype, auto, --enable-chunked-prefill, --chat-template, "
                         "chat.jinja"))
          .llm;
  CHECK(texts(llm.served_names) == std::vector<std::string>{"a", "b/c"});
  CHECK(*llm.max_model_len == 0);
  CHECK(*llm.max_num_seqs == 8);
  CHECK(*llm.enable_prefix_caching);
  CHECK(llm.enable_prefix_caching.is_set);
  CHECK(llm.kv_cache_dtype->empty());
  CHECK(*llm.chat_template == "chat.jinja");
  CHECK_FALSE(llm.chat_template_is_text());
}

TEST_CASE("VllmArgumentsThatWouldChangeTheAnswerAreErrors") {
  for (const char* args :
       {"--enable-lora", "--lora-modules, a=/a", "--tokenizer, /t", "--rope-scaling, '{}'", "'--hf-overrides={}'",
        "--reasoning-parser, qwen3", "--api-key, secret", "--model, /other", "--kv-cache-dtype, fp8", "--task, embed",
        "--generation-config, /mnt/gc", "--override-generation-config, '{}'", "--return-tokens-as-token-ids"}) {
    const std::string error = only_error(with_args(args));
    INFO(error);
    CHECK(error.find("not supported yet by this version") != std::string::npos);
  }
}

TEST_CASE("VllmArgumentsWithBadValuesAreErrors") {
  for (const char* args : {"--max-model-len, many", "--max-model-len", "--max-model-len, '0'", "--max-num-seqs, '-3'",
                           "--max-num-seqs, '1.5'", "--max-num-seqs, 1000000", "--kv-cache-memory-bytes, 1e300",
                           "--max-model-len, 99999999999999999999", "--served-model-name", "--chat-template"}) {
    const auto config = load_text(with_args(args));
    INFO(args);
    CHECK_FALSE(config.ok());
    CHECK(config.llm_services.empty());
  }
}

TEST_CASE("VllmArgumentsWithoutEffectAreReported") {
  const auto said = reports(load_text(with_args(
      "--tensor-parallel-size, '2', --seed=7, --brand-new-flag, --port, '8000', --no-enable-chunked-prefill, stray")));
  CHECK(says(said, "'--tensor-parallel-size' has no effect here: one process"));
  CHECK(says(said, "'--seed'"));
  CHECK(says(said, "the argument '--brand-new-flag' has no effect here"));
  CHECK(says(said, "'--port'"));
  CHECK(says(said, "'--no-enable-chunked-prefill'"));
  CHECK(said.size() == 5);
}

TEST_CASE("LlmAnnotationsAreChecked") {
  const auto error = [](std::string_view annotation) {
    return only_error(llm_text("  model: {uri: /m}", fmt::format("{{name: a, annotations: {{{}}}}}", annotation)));
  };
  CHECK(error("jackdaw.dev/memory-budget: lots").find("t.yaml:3") == 0);
  CHECK(error("jackdaw.dev/itl-target: 0s").find("above 0") != std::string::npos);
  CHECK(error("jackdaw.dev/itl-target: fast").find("t.yaml:3") == 0);
  CHECK(error("jackdaw.dev/speculative-tokens: \"17\"").find("from 0 to 16") != std::string::npos);
  CHECK(error("jackdaw.dev/queue-max: \"0\"").find("from 1 to") != std::string::npos);
  CHECK(error("jackdaw.dev/queue-maxx: \"1\"").find("did you mean 'jackdaw.dev/queue-max'?") != std::string::npos);
}

TEST_CASE("AnnotationsOfTheOtherKindOfModelAreReported") {
  const auto llm =
      load_text(llm_text("  model: {uri: /m}", "{name: a, annotations: {jackdaw.dev/predict-fn: predict}}"));
  CHECK(says(reports(llm), "it is for predictive models"));
  const auto predictive = load_text(
      service_text("    sklearn: {storageUri: /m}", "{name: a, annotations: {jackdaw.dev/queue-max: \"1\"}}"));
  CHECK(says(reports(predictive), "it is for language models"));
}

TEST_CASE("LlmNamesShareOneSpaceWithPredictiveModels") {
  const std::string llm = llm_text("  model: {uri: /m}") + "---\n";
  CHECK(only_error(llm + llm_text("  model: {uri: /n, name: other}")).find("the LLMInferenceService 'smol'") !=
        std::string::npos);
  CHECK(only_error(llm + service_text("    sklearn: {storageUri: /m, args: [--model_name=smol]}"))
            .find("the model name 'smol' in namespace 'default' is taken") != std::string::npos);
  CHECK(load_text(llm + service_text("    sklearn: {storageUri: /m}")).ok());
}

TEST_CASE("LlmListsAreReadItemByItem") {
  const auto config = load_text(
      R"({"apiVersion":"serving.kserve.io/v1alpha2","kind":"LLMInferenceServiceList","items":[)"
      R"({"apiVersion":"serving.kserve.io/v1alpha2","kind":"LLMInferenceService","metadata":{"name":"a"},"spec":{"model":{"uri":"/m"}}}]})");
  CHECK(only_llm(config).metadata.name.value == "a");
}

TEST_CASE("LlmUriSchemesAreKServes") {
  CHECK(load_text(llm_text("  model: {uri: \"hf://Qwen/Qwen3-8B\"}")).ok());
  CHECK(only_error(llm_text("  model: {uri: \"ftp://x/y\"}")).find("[ftp://x/y] is not supported") !=
        std::string::npos);
}

TEST_CASE("HuggingfaceServiceIsALanguageModel") {
  const LoadedConfig config = manifest("huggingface.yaml");
  INFO(render_findings_text(config.findings));
  REQUIRE(config.services.size() == 1);
  const InferenceService& service = config.services.front();
  CHECK(service.runtime.name == "kserve-huggingfaceserver");
  CHECK(service.predictor.is_language_model());
  CHECK(*service.predictor.served_name == "llama3");
  CHECK(*service.predictor.llm.max_model_len == 4096);
  CHECK(service.predictor.args.size() == 6);
  CHECK(says(reports(config), "'--dtype'"));
  CHECK(says(reports(config), "'--backend'"));
}

TEST_CASE("HuggingfaceModelIdIsAHubUri") {
  const LoadedConfig config = manifest("huggingface-hub.yaml");
  INFO(render_findings_text(config.findings));
  REQUIRE(config.services.size() == 1);
  CHECK(*config.services.front().predictor.storage_uri == "hf://meta-llama/meta-llama-3-8b-instruct");
  const std::string model = "    huggingface: {storageUri: /m, args: [--model_id=a/b]}";
  CHECK(only_error(service_text(model)).find("'--model_id' beside a storage URI") != std::string::npos);
}

TEST_CASE("HuggingfaceTasksOtherThanGenerationAreErrors") {
  CHECK(only_error(service_text("    huggingface: {storageUri: /m, args: [--task=fill_mask]}"))
            .find("'--task' fill_mask") != std::string::npos);
}

TEST_CASE("HuggingfaceServedNamesAreAliases") {
  const auto config =
      load_text(service_text("    huggingface: {storageUri: /m, args: [--served-model-name, org/a, b]}"));
  INFO(render_findings_text(config.findings));
  REQUIRE(config.services.size() == 1);
  CHECK(*config.services[0].predictor.served_name == "org/a");
  CHECK(texts(config.services[0].predictor.aliases) == std::vector<std::string>{"b"});
}

TEST_CASE("LlmExampleHasNothingWithoutEffect") {
  const std::vector<std::string> paths = {std::string(JACKDAW_SOURCE_DIR) + "/configs/llm.yaml"};
  const LoadedConfig config = load_config(paths);
  INFO(render_findings_text(config.findings));
  CHECK(config.findings.empty());
  REQUIRE(config.llm_services.size() == 1);
  CHECK(*config.llm_services[0].llm.max_model_len == 8192);
}

}  // namespace
