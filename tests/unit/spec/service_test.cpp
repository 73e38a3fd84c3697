#include "loaded.h"

using namespace jackdaw;
using namespace jackdaw::spec;

namespace {

const std::string model = "    model: {modelFormat: {name: sklearn}, storageUri: /m}";

bool any_contains(const std::vector<std::string>& all, std::string_view part) {
  for (const std::string& one : all) {
    if (one.find(part) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("MisspeltFieldSaysLineColumnAndNearestName") {
  CHECK(only_error(service_text("    model:\n      modelFormat: {name: sklearn}\n      storageURI: /m\n"
                                "      storageUri: /m")) ==
        "t.yaml:8:7: unknown field 'storageURI' in spec.predictor.model; did you mean 'storageUri'?");
  CHECK(only_error(service_text("    minReplica: 1\n" + model)) ==
        "t.yaml:6:5: unknown field 'minReplica' in spec.predictor; did you mean 'minReplicas'?");
  CHECK(only_error("apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetdata: {}\nmetadata: {name: a}\n"
                   "spec: {predictor: {sklearn: {storageUri: /m}}}\n") ==
        "t.yaml:3:1: unknown field 'metdata' in the document; did you mean 'metadata'?");
}

TEST_CASE("MisspeltFieldDeepInsideAPodIsFoundToo") {
  CHECK(only_error(service_text("    tolerations:\n      - {key: a, operater: Exists}\n" + model)) ==
        "t.yaml:7:18: unknown field 'operater' in spec.predictor.tolerations[0]; did you mean 'operator'?");
  CHECK(
      only_error(service_text("    volumes:\n      - name: v\n        persistantVolumeClaim: {claimName: c}\n" + model))
          .find("did you mean 'persistentVolumeClaim'?") != std::string::npos);
}

TEST_CASE("EveryErrorIsSaidAtOnce") {
  const auto config =
      load_text(service_text("    minReplica: 1\n    model:\n      modelFormat: {nam: sklearn}\n"
                             "      resources: {limit: {cpu: 1}}\n      storageUri: 3"));
  CHECK(errors(config).size() == 5);  // three names, the type of storageUri, and modelFormat.name is missing
  CHECK(config.services.empty());
}

TEST_CASE("WrongTypesSayWhatStandsThere") {
  CHECK(only_error(service_text("    minReplicas: one\n" + model)) ==
        "t.yaml:6:18: must be a whole number, not \"one\"");
  CHECK(only_error(service_text("    model: {modelFormat: {name: sklearn, version: 1}, storageUri: /m}")) ==
        "t.yaml:6:51: must be text, not 1 (a whole number); put it in quotes: \"1\"");
  CHECK(only_error(service_text("    nodeSelector: [a]\n" + model)) == "t.yaml:6:19: must be a map, not a list");
}

TEST_CASE("NullMeansNotSet") {
  const auto config = load_text(service_text("    minReplicas:\n    logger: ~\n    batcher:\n" + model));
  CHECK(config.findings.empty());
  CHECK(config.services.size() == 1);
}

TEST_CASE("FieldsWithoutEffectAreReportedOnceAndKept") {
  const auto config = load_text(service_text(
      "    nodeSelector: {disk: ssd}\n    model:\n      modelFormat: {name: sklearn}\n      storageUri: /m\n"
      "      resources: {limits: {cpu: 1}}"));
  CHECK(errors(config).empty());
  CHECK(reports(config) ==
        std::vector<std::string>{
            "t.yaml:6:5: 'nodeSelector' has no effect here: jackdaw runs no pods; it is kept as it is",
            "t.yaml:10:7: 'resources' has no effect here: jackdaw runs no pods; it is kept as it is"});
  REQUIRE(config.services.size() == 1);
  CHECK(to_json(*config.services[0].node).find(R"("resources":{"limits":{"cpu":1}})") != std::string::npos);
}

TEST_CASE("StrictTurnsReportsIntoErrors") {
  const std::string text = service_text("    nodeSelector: {disk: ssd}\n" + model);
  CHECK(load_text(text).ok());
  CHECK(load_text(text).services.size() == 1);
  CHECK_FALSE(load_text(text, true).ok());
  CHECK(load_text(text, true).services.empty());
}

TEST_CASE("FieldsThatWouldChangeTheAnswerAreErrors") {
  CHECK(only_error(service_text("    workerSpec: {pipelineParallelSize: 2}\n" + model)) ==
        "t.yaml:6:5: not supported yet by this version: 'workerSpec': a model cannot be spread over several nodes; "
        "remove it");
}

TEST_CASE("ValidationTextsAreThoseOfKServe") {
  CHECK(only_error(service_text("    minReplicas: 3\n    maxReplicas: 2\n" + model)) ==
        "t.yaml:7:18: 'MinReplicas' cannot be greater than MaxReplicas");
  CHECK(only_error(service_text("    minReplicas: -1\n" + model)) ==
        "t.yaml:6:18: 'MinReplicas' cannot be less than 0");
  CHECK(only_error(service_text("    maxReplicas: -1\n" + model)) ==
        "t.yaml:6:18: 'MaxReplicas' cannot be less than 0");
  CHECK(only_error(service_text("    containerConcurrency: -1\n" + model)) ==
        "t.yaml:6:27: parallelism cannot be less than 0");
  CHECK(load_text(service_text("    minReplicas: 3\n    maxReplicas: 0\n" + model)).ok());  // 0 means unlimited
  CHECK(only_error(service_text(model, "{name: Iris}"))
            .find("the InferenceService \"Iris\" is invalid: a InferenceService name must consist of lower case "
                  "alphanumeric characters or '-'") != std::string::npos);
  CHECK(only_error(service_text("    model: {modelFormat: {name: sklearn}, name: x, storageUri: /m}")) ==
        "t.yaml:6:49: the 'name' field is not allowed in standard predictor");
  CHECK(load_text(service_text("    model: {modelFormat: {name: sklearn}, name: '', storageUri: /m}")).ok());
  CHECK(only_error(service_text("    model: {modelFormat: {name: sklearn}, protocolVersion: v3, storageUri: /m}")) ==
        "t.yaml:6:60: invalid protocol v3. Must be one of [v1, v2, grpc-v1, grpc-v2]");
  CHECK(only_error(service_text("    storageUris: [{uri: /m}]\n" + model)) ==
        "t.yaml:6:18: Setting both StorageURI and StorageURIs is not supported.");
  CHECK(only_error(service_text("    model: {modelFormat: {name: sklearn}, storageUri: foo://bar}"))
            .find("storageUri, must be one of: [gs://, s3://, pvc://,") != std::string::npos);
}

TEST_CASE("ExactlyOneImplementationIsAskedFor") {
  CHECK(only_error(service_text("    sklearn: {storageUri: /m}\n" + model))
            .find("exactly one of [SKLearn, XGBoost, Tensorflow, PyTorch, Triton, ONNX, HuggingFace, PMML, LightGBM, "
                  "Paddle, Model] must be specified in PredictorSpec; 'sklearn' is here too") != std::string::npos);
  CHECK(only_error(service_text("    minReplicas: 1")).find("exactly one of [") != std::string::npos);
}

TEST_CASE("MissingNameSpecPredictorAndUriAreSaid") {
  CHECK(only_error(service_text(model, "{}")) == "t.yaml:3:11: metadata.name is missing; every object needs one");
  CHECK(only_error("apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: a}\nspec: {}\n") ==
        "t.yaml:4:7: spec.predictor is missing; it names the model to serve");
  CHECK(only_error("apiVersion: serving.kserve.io/v1beta1\nkind: InferenceService\nmetadata: {name: a}\n") ==
        "t.yaml:1:1: spec.predictor is missing; it names the model to serve");
  CHECK(only_error(service_text("    sklearn: {}")).find("storageUri is missing") != std::string::npos);
}

TEST_CASE("UnknownModelFormatSaysTheNearest") {
  CHECK(
      only_error(service_text("    model: {modelFormat: {name: SKLearn}, storageUri: /m}")) ==
      "t.yaml:6:33: NoSupportingRuntime: no runtime found to support predictor with model type: SKLearn; did you mean "
      "'sklearn'?");
  CHECK(only_error(service_text("    onnx: {storageUri: /m}")) ==
        "t.yaml:6:5: not supported yet by this version: model format 'onnx'; it serves sklearn, xgboost, lightgbm and "
        "huggingface");
}

TEST_CASE("AnnotationsOfOursAreCheckedByName") {
  CHECK(only_error(service_text(model, "{name: a, annotations: {jackdaw.dev/predict-fun: predict}}")) ==
        "t.yaml:3:35: unknown annotation 'jackdaw.dev/predict-fun'; did you mean 'jackdaw.dev/predict-fn'?");
  CHECK(only_error(service_text(model, "{name: a, annotations: {jackdaw.dev/predict-fn: proba}}"))
            .find("'proba' is not a prediction function") != std::string::npos);
  CHECK(only_error(service_text(model, "{name: a, annotations: {serving.kserve.io/stop: true}}")) ==
        "t.yaml:3:59: must be text, not true (a boolean); put it in quotes: \"true\"");
}

TEST_CASE("AnnotationsOfKServeAreReportedAndOthersLeftAlone") {
  const auto config = load_text(service_text(
      model,
      "{name: a, annotations: {serving.kserve.io/autoscalerClas: hpa, serving.kserve.io/deploymentMode: Standard, "
      "autoscaling.knative.dev/target: '10', sidecar.istio.io/inject: 'false'}}"));
  CHECK(errors(config).empty());
  const auto said = reports(config);
  CHECK(said.size() == 2);
  CHECK(any_contains(said, "did you mean 'serving.kserve.io/autoscalerClass'?"));
}

TEST_CASE("ArgumentsOfKServesServersAreHonouredOrReported") {
  const auto config = load_text(service_text(
      "    sklearn:\n      storageUri: /m\n"
      "      args: [--model_name, flowers, --http_port=8080, --nthread=4, --odd, stray, --model_dir=/mnt/models]"));
  REQUIRE(config.services.size() == 1);
  CHECK(*config.services[0].predictor.served_name == "flowers");
  CHECK(config.services[0].predictor.served_name.place.text() == "t.yaml:8:14");
  const auto said = reports(config);
  CHECK(said.size() == 3);
  CHECK(any_contains(said, "'--http_port' has no effect here: listeners are in spec.listen of kind Daemon"));
  CHECK(any_contains(said, "the argument '--odd' has no effect here"));
  CHECK(only_error(service_text("    sklearn: {storageUri: /m, args: [--model_dir=/other]}")).find("--model_dir") !=
        std::string::npos);
  CHECK(only_error(service_text("    sklearn: {storageUri: /m, args: [--model_name]}")).find("needs a value") !=
        std::string::npos);
  CHECK(only_error(service_text("    sklearn: {storageUri: /m, args: ['--model_name=a/b']}")).find("visible ASCII") !=
        std::string::npos);
}

TEST_CASE("EnvironmentSelectsProbabilitiesAndMlserversName") {
  const auto proba = load_text(service_text(
      "    sklearn: {storageUri: /m, env: [{name: PREDICT_PROBA, value: 'True'}, {name: OTHER, value: x}]}"));
  REQUIRE(proba.services.size() == 1);
  CHECK(*proba.services[0].predictor.predict_proba);
  CHECK(reports(proba) == std::vector<std::string>{"t.yaml:6:75: the environment variable OTHER has no effect here"});

  const auto mlserver =
      load_text(service_text("    model: {modelFormat: {name: sklearn}, protocolVersion: v2, storageUri: /m, env: "
                             "[{name: PREDICT_PROBA, value: "
                             "'true'}, {name: MLSERVER_MODEL_NAME, value: other}]}"));
  REQUIRE(mlserver.services.size() == 1);
  CHECK_FALSE(*mlserver.services[0].predictor.predict_proba);
  CHECK(*mlserver.services[0].predictor.served_name == "other");

  CHECK(only_error(service_text("    sklearn: {storageUri: /m, env: [{name: PREDICT_PROBA, valueFrom: {secretKeyRef: "
                                "{name: s, key: k}}}]}"))
            .find("PREDICT_PROBA from a Secret") != std::string::npos);
}

TEST_CASE("ServiceNameIsTheModelNameByDefault") {
  const auto config = load_text(service_text(model));
  REQUIRE(config.services.size() == 1);
  const InferenceService& service = config.services[0];
  CHECK(*service.predictor.served_name == "iris");
  CHECK_FALSE(service.predictor.served_name.is_set);
  CHECK(*service.metadata.namespace_name == "default");
  CHECK(service.base_dir == "/base");
  CHECK(service.predictor.storage_uri.place.text() == "t.yaml:6:55");
}

TEST_CASE("StorageBlockNamesTheBucket") {
  const auto config = load_text(service_text(
      "    model: {modelFormat: {name: sklearn}, storage: {path: a/b, parameters: {type: s3, bucket: c}}}"));
  REQUIRE(config.services.size() == 1);
  CHECK(*config.services[0].predictor.storage_uri == "s3://c/a/b");
  CHECK(only_error(service_text("    model: {modelFormat: {name: sklearn}, storage: {key: k, path: a}}"))
            .find("in a Secret") != std::string::npos);
  CHECK(only_error(service_text("    model: {modelFormat: {name: sklearn}, storage: {parameters: {type: ftp}}}"))
            .find("storage.spec.type, must be one of: [s3://, hdfs://, webhdfs://]") != std::string::npos);
}

TEST_CASE("SameServiceTwiceSaysBothPlaces") {
  const std::string text = service_text(model) + "---\n" + service_text(model);
  CHECK(only_error(text) ==
        "t.yaml:10:18: the InferenceService 'iris' in namespace 'default' is here twice; the first one is at "
        "t.yaml:3:18");
  const auto other = load_text(service_text(model) + "---\n" + service_text(model, "{name: iris, namespace: b}"));
  CHECK(other.ok());
  CHECK(other.services.size() == 2);
}

TEST_CASE("SameModelNameTwiceInOneNamespaceIsRefused") {
  const std::string second = service_text("    sklearn: {storageUri: /m, args: [--model_name=iris]}", "{name: other}");
  CHECK(only_error(service_text(model) + "---\n" + second)
            .find("the model name 'iris' in namespace 'default' is taken") != std::string::npos);
}

TEST_CASE("KindsThisVersionLeavesOutAreReported") {
  const auto config = load_text(
      "apiVersion: serving.kserve.io/v1alpha2\nkind: LLMInferenceServiceConfig\nmetadata: {name: a}\n---\n"
      "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\n");
  CHECK(errors(config).empty());
  CHECK(
      reports(config) ==
      std::vector<std::string>{
          "t.yaml:2:7: this version does not serve LLMInferenceServiceConfig: its settings go into the "
          "LLMInferenceService",
          "t.yaml:6:7: the Secret of v1 is left out: jackdaw reads InferenceService, LLMInferenceService and Daemon"});
}

TEST_CASE("KindsNobodyKnowsAreErrors") {
  CHECK(only_error("apiVersion: serving.kserve.io/v1beta1\nkind: InferenceServise\n") ==
        "t.yaml:2:7: unknown kind 'InferenceServise' in serving.kserve.io; did you mean 'InferenceService'?");
  CHECK(only_error("apiVersion: serving.kserve.io/v1\nkind: InferenceService\n") ==
        "t.yaml:1:13: InferenceService is apiVersion serving.kserve.io/v1beta1 here, not serving.kserve.io/v1");
  CHECK(only_error("apiVersion: v1\nkind: Daemon\n") ==
        "t.yaml:1:13: Daemon is apiVersion jackdaw.dev/v1alpha1 here, not v1");
  CHECK(only_error("kind: InferenceService\n").find("apiVersion is missing") != std::string::npos);
  CHECK(only_error("- a\n- b\n") == "t.yaml:1:1: a document must be an object with apiVersion and kind, not a list");
}

TEST_CASE("DocumentsBeforeASyntaxErrorAreStillRead") {
  const auto config = load_text(service_text(model) + "---\na: [\n");
  CHECK(config.services.size() == 1);
  CHECK(errors(config).size() == 1);
}

TEST_CASE("ManyErrorsAreCutShortAndTakeLittleTime") {
  std::string text = service_text(model);
  for (int i = 0; i < 90'000; ++i) text += fmt::format("x{}: 1\n", i);
  const auto config = load_text(text);
  CHECK(config.findings.size() == 1001);
  CHECK(config.findings.back().message == "89000 more errors are left out; correct these and look again");
  CHECK(config.services.empty());
}

TEST_CASE("ManyReportsDoNotHideAnErrorNorMakeOne") {
  std::string annotations = "{name: a, annotations: {";
  for (int i = 0; i < 1100; ++i) annotations += fmt::format("autoscaling.knative.dev/x{}: '1', ", i);
  const auto fine = load_text(service_text(model, annotations + "}}"));
  CHECK(fine.ok());
  CHECK(fine.findings.back().message == "100 more notes are left out");
  const auto bad = load_text(service_text(model + "\n    minReplica: 1", annotations + "}}"));
  CHECK(errors(bad).size() == 1);
}
