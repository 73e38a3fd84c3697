// What `jackdaw inspect` prints, and that no file can steer the terminal or break the page.
#include "jackdaw/formats/inspect.h"

#include <filesystem>
#include <sstream>

#include "src/formats/inspect_names.h"
#include "src/formats/inspect_page.h"
#include "tests/unit/formats/model_writer.h"
#include "tests/unit/formats/pickle_support.h"

namespace jackdaw::formats {
namespace {

std::string data_path(const std::string& path) {
  return std::string(JACKDAW_SOURCE_DIR) + "/tests/data/" + path;
}

std::string inspected(const std::string& path, const InspectOptions& options = {}) {
  auto text = inspect_file(data_path(path), options);
  INFO(path << ": " << (text ? "" : text.error().text()));
  REQUIRE(text.has_value());
  return *text;
}

std::string inspected_bytes(std::string_view bytes, const InspectOptions& options = {}) {
  auto text = inspect_bytes(to_bytes(bytes), "some/dir/model.pkl", options);
  INFO((text ? "" : text.error().text()));
  REQUIRE(text.has_value());
  return *text;
}

bool has(const std::string& text, std::string_view what) {
  return text.find(what) != std::string::npos;
}

std::size_t columns(std::string_view line) {
  return static_cast<std::size_t>(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

void check_width(const std::string& text, std::size_t width) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(columns(line) <= width);
  }
}

TEST_CASE("InspectPrintsClassesAttributesAndArrays") {
  const std::string text = inspected("formats/model.joblib");
  INFO(text);
  CHECK(has(text, "joblib file"));
  CHECK(has(text, "scikit-learn      1.5.2"));
  CHECK(has(text, "LogisticRegression (sklearn.linear_model._logistic)"));
  CHECK(has(text, "coef_: float64 (1, 2) [1, 2]"));
  CHECK(has(text, "classes_: <U3 (2,) ['no', 'yes']"));
  CHECK(has(text, "only data types and known classes"));
  CHECK_FALSE(has(text, "DANGER"));
}

TEST_CASE("InspectNamesCompressionProtocolAndSizes") {
  const std::string text = inspected("formats/values.joblib.gz");
  CHECK(has(text, "compression       gzip"));
  CHECK(has(text, "bytes, 2,969 decompressed"));
  CHECK(has(inspected("formats/values.protocol2.pkl"), "pickle protocol   2"));
  CHECK(has(inspected("formats/values.protocol0.pkl"), "pickle protocol   0 or 1"));
}

TEST_CASE("InspectWarnsOfNamesThatRunCode") {
  const std::string text = inspected_bytes("cposix\nsystem\n(Vrm -rf /\ntR.");
  INFO(text);
  CHECK(has(text, "DANGER"));
  CHECK(has(text, "!! posix.system"));
  CHECK(has(text, "'rm -rf /'"));
  const std::string user =
      inspected_bytes(bytes_of("\x80\x02"
                               "cmypackage.steps\nMyScaler\n)\x81."));
  CHECK(has(user, "?  mypackage.steps.MyScaler"));
  CHECK_FALSE(has(user, "DANGER"));
}

TEST_CASE("NamesAreJudgedByWhatPythonWouldDo") {
  const auto risk = [](std::string_view module, std::string_view name, bool called = true) {
    return name_risk(module, name, called);
  };
  for (const auto& [module, name] :
       std::initializer_list<std::pair<const char*, const char*>>{{"os", "system"},
                                                                  {"nt", "system"},
                                                                  {"builtins", "eval"},
                                                                  {"__builtin__", "getattr"},
                                                                  {"subprocess", "Popen"},
                                                                  {"numpy.testing._private.utils", "runstring"},
                                                                  {"numpy", "load"},
                                                                  {"sklearn.utils", "os.system"},
                                                                  {"joblib", "load"},
                                                                  {"sklearn.externals.joblib.parallel", "Parallel"},
                                                                  {"functools", "reduce"},
                                                                  {"operator", "methodcaller"},
                                                                  {"importlib", "import_module"},
                                                                  {"copyreg", "add_extension"},
                                                                  {"collections", "x.__globals__"},
                                                                  {"cloudpickle.cloudpickle", "loads"}}) {
    INFO(module << "." << name);
    CHECK(risk(module, name) == NameRisk::dangerous);
  }
  for (const auto& [module, name] : std::initializer_list<std::pair<const char*, const char*>>{
           {"numpy.core.multiarray", "_reconstruct"},
           {"numpy._core.multiarray", "scalar"},
           {"numpy", "dtype"},
           {"builtins", "slice"},
           {"_codecs", "encode"},
           {"copy_reg", "_reconstructor"},
           {"sklearn.svm.classes", "SVC"},
           {"collections", "OrderedDict"},
           {"sklearn.ensemble._forest", "RandomForestClassifier"},
           {"sklearn.tree._tree", "Tree"},
           {"collections", "defaultdict"},
           {"sklearn.neighbors._kd_tree", "newObj"},
           {"joblib.numpy_pickle", "NumpyArrayWrapper"},
           {"scipy.sparse._csr", "csr_matrix"},
           {"numpy.random._pickle", "__randomstate_ctor"},
           {"sklearn._loss._loss", "__pyx_unpickle_CyHalfBinomialLoss"},
           {"sklearn.externals.joblib.numpy_pickle", "NumpyArrayWrapper"}}) {
    INFO(module << "." << name);
    const bool called = std::string_view(name) != "csr_matrix";  // made by NEWOBJ
    CHECK(risk(module, name, called) == NameRisk::known);
  }
  CHECK(risk("__main__", "Scaler") == NameRisk::unknown);
  CHECK(risk("sklearn.datasets", "fetch_openml") == NameRisk::unknown);
  CHECK(risk("sklearn.feature_selection", "f_classif", false) == NameRisk::known);
}

TEST_CASE("InspectEscapesWhatCouldSteerTheTerminal") {
  const std::string text = inspected_bytes(bytes_of("V\x1b[31mred\\u202e\\u009b\n."));
  CHECK(has(text, "\\x1b[31mred\\u202e\\x9b"));
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(printable("a\nb\x7f\xff", 80) == "a\\nb\\x7f\\xff");
  CHECK(printable("žluť", 2) == "žl…");
  auto named = inspect_bytes(to_bytes("N."), "dir/\x1b]0;x\x07.pkl");
  CHECK(named.value().find('\x1b') == std::string::npos);
}

TEST_CASE("InspectFitsTheWidthAndTheLineLimit") {
  for (const char* file : {"formats/values.joblib", "formats/values.protocol4.pkl", "formats/sparse.pkl"}) {
    check_width(inspected(file), 100);
    check_width(inspected(file, {.width = 60}), 60);
  }
  InspectOptions few;
  few.lines_max = 20;
  const std::string text = inspected("formats/values.joblib", few);
  CHECK(std::count(text.begin(), text.end(), '\n') == 21);
  CHECK(has(text, "cut after 20 lines"));
}

TEST_CASE("InspectColoursOnlyWhenAsked") {
  CHECK(inspected("formats/model.joblib").find('\x1b') == std::string::npos);
  CHECK(has(inspected("formats/model.joblib", {.colour = true}), "\x1b[1m"));
}

TEST_CASE("InspectEndsOnCyclesSharingAndDepth") {
  CHECK(has(inspected_bytes(bytes_of("]q\x00h\x00"
                                     "a.")),
            "same as above"));
  CHECK(has(inspected_bytes(std::string(100'000, ']') + std::string(99'999, 'a') + "."), "deeper parts are left out"));
  // 2^40 paths through 40 shared pairs.
  std::string bomb = "]";
  for (int i = 0; i < 40; ++i) bomb += bytes_of("2\x86");
  check_width(inspected_bytes("\x80\x02" + bomb + ".", {.max_depth = 64}), 100);
}

TEST_CASE("InspectSaysHowManyItemsAreLeftOut") {
  std::string list = "](";
  for (int i = 0; i < 30; ++i) list += "]";
  CHECK(has(inspected_bytes(list + "e."), "… 22 more"));
}

TEST_CASE("InspectMentionsBytesAfterThePickle") {
  CHECK(has(inspected_bytes("N.second"), "6 bytes that Python and jackdaw ignore"));
}

TEST_CASE("InspectRefusesDamagedFilesWithKindAndOffset") {
  auto text = inspect_bytes(to_bytes(bytes_of("\x80\x04\x95\xff\xff")), "m.pkl");
  REQUIRE_FALSE(text.has_value());
  CHECK(mentions(text.error(), "m.pkl seems to be a pickle"));
  CHECK(mentions(text.error(), "offset 2"));
  CHECK_FALSE(inspect_bytes({}, "empty").has_value());
}

TEST_CASE("InspectExplainsPathsThatAreNoFiles") {
  CHECK(inspect_file(data_path("formats/absent.pkl")).error().code == Code::not_found);
  const Error directory = inspect_file(data_path("formats")).error();
  CHECK(directory.code == Code::invalid_argument);
  CHECK(mentions(directory, "directory"));
  CHECK(inspect_file("/dev/zero").error().code == Code::invalid_argument);
}

TEST_CASE("InspectNamesForeignFilesByMagic") {
  const std::pair<std::string, std::string> cases[] = {
      {bytes_of("PK\x03\x04") + std::string(30, '\0') + "archive/data.pkl", "PyTorch"},
      {bytes_of("PK\x03\x04") + std::string(30, '\0') + "schema.json", "skops"},
      {bytes_of("PK\x03\x04") + std::string(30, '\0'), "zip archive"},
      {bytes_of("\x08\x07\x12\x07pytorch"), "an ONNX model"},
      {bytes_of("\x89HDF\r\n\x1a\n"), "HDF5"},
      {bytes_of("\x18\x00\x00\x00TFL3"), "TensorFlow Lite"},
      {"CBM1....", "CatBoost"},
      {"<?xml version=\"1.0\"?><PMML>", "PMML"}};
  for (const auto& [bytes, words] : cases) {
    const std::string text = inspected_bytes(bytes);
    INFO(text);
    CHECK(has(text, words));
    CHECK(has(text, "cannot serve it yet"));
  }
  CHECK(has(inspected_bytes("#!/bin/sh\necho hello\n"), "not a model file known to jackdaw"));
  CHECK(has(inspected_bytes("#!/bin/sh\necho hello\n"), "#!/bin/sh\\n"));
}

GgufWriter small_language_model() {
  GgufWriter file;
  file.key("general.architecture", "llama").key("general.name", "Tiny\x1b[2J model").key("llama.block_count", 2u);
  file.key("llama.context_length", 8192u).key("llama.attention.head_count", 9u);
  file.array("llama.attention.head_count_kv", 4, 2, GgufWriter::raw(3u) + GgufWriter::raw(3u));
  file.key("tokenizer.ggml.model", "gpt2").key("tokenizer.ggml.pre", "smollm");
  file.array("tokenizer.ggml.tokens", 8, 2, GgufWriter::text("a") + GgufWriter::text("\xff"));
  file.key("tokenizer.chat_template", "{{ messages }}");
  return file;
}

TEST_CASE("InspectDescribesALanguageModel") {
  GgufWriter file = small_language_model();
  file.tensor("blk.0.attn_q.weight", {64, 96}, 2, 0).tensor("output_norm.weight", {64}, 0, 3456);
  const std::string text = inspected_bytes(file.file(std::string(3456 + 256, 'x')));
  INFO(text);
  CHECK(has(text, "GGUF version 3 model"));
  CHECK(has(text, "architecture      llama"));
  CHECK(has(text, "Tiny\\x1b[2J model"));
  CHECK(has(text, "parameters        6,208 (6.21 thousand)"));
  CHECK(has(text, "Q4_0 93.1 %, F32 6.9 %"));
  CHECK(has(text, "context length    8,192"));
  CHECK(has(text, "attention heads   9, sharing 3 of keys and values"));
  CHECK(has(text, "gpt2, pre-tokenizer smollm, 2 pieces"));
  CHECK(has(text, "chat template     yes, 14 bytes"));
  CHECK(has(text, "Every tensor is of a type jackdaw reads."));
  CHECK(has(text, "blk.0.attn_q.weight"));
  CHECK(has(text, "96 x 64"));
  CHECK_FALSE(has(text, "\x1b"));
  check_width(text, 100);
}

TEST_CASE("InspectNamesTensorsWithoutAReader") {
  const std::string text =
      inspected_bytes(small_language_model().tensor("a.weight", {256}, 16, 0).file(std::string(66, 'x')));
  INFO(text);
  CHECK(has(text, "cannot serve it: 1 tensors are of types without a reader, first a.weight (IQ2_XXS)"));
}

TEST_CASE("InspectShowsAllTensorsWhenAsked") {
  GgufWriter file = small_language_model();
  for (int i = 0; i < 600; ++i) file.tensor(fmt::format("t{}", i), {8}, 0, static_cast<std::uint64_t>(i) * 32);
  const std::string bytes = file.file(std::string(600 * 32, 'x'));
  CHECK(has(inspected_bytes(bytes), "… 584 more, shown by --all"));
  InspectOptions all;
  all.all = true;
  CHECK(has(inspected_bytes(bytes, all), "t599 "));
}

TEST_CASE("InspectDescribesSafetensorsFolders") {
  TemporaryFolder folder;
  folder.write("model.safetensors", safetensors(R"({"w":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})", "abcd"));
  CHECK(has(*inspect_file(folder.path() / "model.safetensors"), "This file alone: safetensors weights need"));
  folder.write("config.json", R"({"architectures":["Qwen2ForCausalLM"],"model_type":"qwen2","num_hidden_layers":24})");
  folder.write("tokenizer.json", R"({"model":{"vocab":{"a":0},"type":"BPE"}})");
  folder.write("tokenizer_config.json", R"({"chat_template":"x"})");
  const auto text = inspect_file(folder.path());
  REQUIRE(text.has_value());
  INFO(*text);
  CHECK(has(*text, "qwen2, Qwen2ForCausalLM"));
  CHECK(has(*text, "tokenizer.json, BPE"));
  CHECK(has(*text, "yes, in tokenizer_config.json"));
  CHECK(has(*text, "layers            24"));
  CHECK(has(*text, "BF16 100 %"));
}

TEST_CASE("InspectRefusesDamagedLanguageModels") {
  const auto text = inspect_bytes(to_bytes(bytes_of("GGUF\x03\x00\x00\x00\xff\xff")), "m.gguf");
  REQUIRE_FALSE(text.has_value());
  CHECK(mentions(text.error(), "m.gguf seems to be in GGUF format"));
}

TEST_CASE("InspectSummarisesXgboostInEveryContainer") {
  std::size_t seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(data_path("xgboost/2.1"))) {
    const std::string suffix = entry.path().extension().string();
    if (entry.path().filename() == "cases.json") continue;
    auto text = inspect_file(entry.path().string());
    INFO(entry.path() << (text ? "" : text.error().text()));
    REQUIRE(text.has_value());
    INFO(*text);
    CHECK(has(*text, "XGBoost"));
    CHECK(has(*text, "objective"));
    CHECK(has(*text, "base_score"));
    CHECK((has(*text, "trees") || has(*text, "weights")));
    check_width(*text, 100);
    ++seen;
  }
  CHECK(seen > 0);
}

TEST_CASE("InspectSummarisesLightgbm") {
  const std::string text = inspected("lightgbm/4.6/binary.txt");
  INFO(text);
  CHECK(has(text, "LightGBM text"));
  CHECK(has(text, "objective         binary"));
  CHECK(has(text, "trees             "));
  CHECK(has(text, "feature names"));
  check_width(text, 100);
}

}  // namespace
}  // namespace jackdaw::formats
