// LightGBM's text format, v2 to v4 (LightGBM src/boosting/gbdt_model_text.cpp):
//
//   tree                                  header: bare words and key=value lines
//   version=v4  num_class=  num_tree_per_iteration=  label_index=  max_feature_idx=  objective=  average_output
//   feature_names=  monotone_constraints=  feature_infos=  tree_sizes=
//   Tree=0 ... Tree=n                     one block of key=value lines each (lightgbm_tree.cpp)
//   end of trees                          absent before 2.2.2
//   feature_importances: ...
//   parameters: [name: value] ... end of parameters
//   pandas_categorical:[[...], ...]       JSON, written by the Python package
//
// `tree_sizes` are byte offsets that a text editor breaks; they are only counted. Line ends may be LF or CRLF.
#include <algorithm>
#include <charconv>

#include "jackdaw/base/text.h"
#include "src/formats/json_cursor.h"
#include "src/formats/lightgbm_parts.h"

namespace jackdaw::formats {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// One pass over the lines, with a look at the current one.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_(text) { advance(); }
  bool at_end() const { return done_; }
  std::string_view line() const { return line_; }
  std::size_t number() const { return number_; }
  void advance() {
    if (rest_.empty()) {
      done_ = true;
      line_ = {};
      return;
    }
    const std::size_t end = rest_.find('\n');
    line_ = trimmed(rest_.substr(0, end));
    rest_ = end == std::string_view::npos ? std::string_view{} : rest_.substr(end + 1);
    ++number_;
  }

 private:
  std::string_view rest_, line_;
  std::size_t number_ = 0;
  bool done_ = false;
};

bool ends_trees(std::string_view line) {
  return line == "end of trees" || line.starts_with("feature importances") || line.starts_with("feature_importances") ||
         line == "parameters:" || line.starts_with("pandas_categorical:");
}

class TextReader {
 public:
  TextReader(std::string_view text, const TreeReadLimits& limits) : lines_(text), limits_(limits) {}

  Result<LightgbmModel> run() {
    JACKDAW_TRY(read_header());
    JACKDAW_TRY(read_sizes());
    JACKDAW_TRY(read_objective());
    JACKDAW_TRY(read_names());
    JACKDAW_TRY(read_trees());
    JACKDAW_TRY(read_tail());
    return std::move(model_);
  }

 private:
  Error error(std::string_view message) const {
    return Error{Code::parse_error, std::string(message), fmt::format("line {}", lines_.number())};
  }

  // key=value lines up to `stop`; a key that comes twice is an error, bare words become keys without value.
  template <typename Stop>
  Result<LightgbmBlock> read_block(const Stop& stop) {
    LightgbmBlock block;
    for (; !lines_.at_end() && !stop(lines_.line()); lines_.advance()) {
      const std::string_view line = lines_.line();
      if (line.empty()) continue;
      const std::size_t equals = line.find('=');
      const std::string_view key = line.substr(0, equals);
      const std::string_view value = equals == std::string_view::npos ? std::string_view{} : line.substr(equals + 1);
      if (!block.emplace(key, trimmed(value)).second) {
        return error(fmt::format("'{}' comes twice.", key.substr(0, 40)));
      }
    }
    return block;
  }

  Result<void> read_header() {
    if (lines_.line() != "tree") return error("A LightGBM text model starts with the line 'tree'.");
    lines_.advance();
    JACKDAW_ASSIGN(header_,
                   read_block([](std::string_view line) { return line.starts_with("Tree=") || ends_trees(line); }));
    model_.version = header("version");
    if (model_.version != "v2" && model_.version != "v3" && model_.version != "v4") {
      return Error{Code::unsupported,
                   fmt::format("LightGBM model version '{}' is not one of v2, v3, v4.", model_.version.substr(0, 20)),
                   {}};
    }
    return {};
  }

  std::string_view header(std::string_view key) const {
    const auto found = header_.find(key);
    return found == header_.end() ? std::string_view{} : found->second;
  }

  Result<std::int64_t> header_integer(std::string_view key, std::int64_t low, std::int64_t high) const {
    const auto found = header_.find(key);
    if (found == header_.end()) return error(fmt::format("The header has no '{}'.", key));
    JACKDAW_ASSIGN(const auto values, parse_integers(key, found->second));
    if (values.size() != 1) return error(fmt::format("'{}' must be one number.", key));
    if (values[0] < low || values[0] > high) return error(fmt::format("{}={} is out of range.", key, values[0]));
    return values[0];
  }

  Result<void> read_sizes() {
    JACKDAW_ASSIGN(const auto classes, header_integer("num_class", 1, limits_.outputs_max));
    model_.num_class = static_cast<std::uint32_t>(classes);
    model_.num_tree_per_iteration = model_.num_class;
    if (header_.contains("num_tree_per_iteration")) {
      JACKDAW_ASSIGN(const auto per_iteration, header_integer("num_tree_per_iteration", 1, limits_.outputs_max));
      model_.num_tree_per_iteration = static_cast<std::uint32_t>(per_iteration);
    }
    JACKDAW_ASSIGN(const auto features, header_integer("max_feature_idx", 0, std::int64_t{limits_.features_max} - 2));
    model_.num_feature = static_cast<std::uint32_t>(features + 1);
    if (header_.contains("label_index")) {
      JACKDAW_ASSIGN(const auto label, header_integer("label_index", -1, 0x7fffffff));
      model_.label_index = static_cast<std::int32_t>(label);
    }
    model_.average_output = header_.contains("average_output");
    return {};
  }

  // "binary sigmoid:1", "multiclass num_class:3", "regression sqrt"
  Result<void> read_objective() {
    const auto words = split_words(header("objective"));
    if (words.empty()) return {};
    model_.objective = words[0];
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::size_t colon = words[i].find(':');
      model_.objective_params.emplace_back(words[i].substr(0, colon),
                                           colon == std::string_view::npos ? "" : words[i].substr(colon + 1));
    }
    const auto& known = lightgbm_objectives();
    if (std::find(known.begin(), known.end(), model_.objective) != known.end()) return {};
    const std::string near = nearest_name(model_.objective, known);
    std::string names;
    for (const std::string_view name : known) names += fmt::format("{}{}", names.empty() ? "" : ", ", name);
    return make_error(Code::unsupported, "Unknown LightGBM objective '{}'{}. Supported are: {}.",
                      std::string_view(model_.objective).substr(0, 60),
                      near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near), names);
  }

  Result<void> read_names() {
    const auto names = split_words(header("feature_names"));
    if (names.size() != model_.num_feature) {
      return error(
          fmt::format("feature_names has {} names, max_feature_idx says {}.", names.size(), model_.num_feature));
    }
    for (const std::string_view name : names) {
      if (!is_valid_utf8(name)) return error("A feature name is not valid UTF-8.");
      model_.feature_names.emplace_back(name);
    }
    const auto infos = split_words(header("feature_infos"));
    if (!infos.empty() && infos.size() != model_.num_feature) {
      return error(fmt::format("feature_infos has {} entries for {} features.", infos.size(), model_.num_feature));
    }
    for (const std::string_view info : infos) model_.feature_infos.emplace_back(info);
    return {};
  }

  Result<void> read_trees() {
    while (!lines_.at_end() && lines_.line().starts_with("Tree=")) {
      const std::size_t index = model_.trees.size();
      if (lines_.line() != fmt::format("Tree={}", index)) {
        return error(fmt::format("Expected 'Tree={}', found '{}'.", index, lines_.line().substr(0, 40)));
      }
      const std::size_t line = lines_.number();
      lines_.advance();
      JACKDAW_ASSIGN(const LightgbmBlock block,
                     read_block([](std::string_view text) { return text.starts_with("Tree=") || ends_trees(text); }));
      auto tree = read_lightgbm_tree(block, model_.num_feature, limits_);
      if (!tree) return std::move(tree).error().at(fmt::format("line {}, tree {}", line, index));
      model_.has_linear_trees = model_.has_linear_trees || tree->is_linear;
      model_.trees.push_back(std::move(*tree));
    }
    return check_tree_count();
  }

  // A truncated file is told from a short one by its last words, or by tree_sizes.
  Result<void> check_tree_count() {
    if (lines_.at_end() && model_.version != "v2")
      return error("The file ends before 'end of trees'; it is truncated.");
    const std::size_t declared = split_words(header("tree_sizes")).size();
    if (header_.contains("tree_sizes") && declared != model_.trees.size()) {
      return error(fmt::format("tree_sizes speaks of {} trees, the file has {}.", declared, model_.trees.size()));
    }
    if (model_.trees.size() % model_.num_tree_per_iteration != 0) {
      return error(
          fmt::format("{} trees do not divide into rounds of {}.", model_.trees.size(), model_.num_tree_per_iteration));
    }
    return {};
  }

  Result<void> read_tail() {
    bool in_parameters = false;
    for (; !lines_.at_end(); lines_.advance()) {
      const std::string_view line = lines_.line();
      if (line == "parameters:") in_parameters = true;
      if (line == "end of parameters") in_parameters = false;
      if (in_parameters) read_parameter(line);
      constexpr std::string_view pandas = "pandas_categorical:";
      if (line.starts_with(pandas)) JACKDAW_TRY(read_pandas(line.substr(pandas.size())));
    }
    return {};
  }

  void read_parameter(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (line.size() < 2 || line.front() != '[' || line.back() != ']' || colon == std::string_view::npos) return;
    model_.parameters.emplace_back(line.substr(1, colon - 1), trimmed(line.substr(colon + 1, line.size() - colon - 2)));
  }

  Result<void> read_pandas(std::string_view json) {
    if (trimmed(json) == "null") return {};
    model_.pandas_categorical.clear();
    auto cursor = json_cursor(json, limits_.nesting_max);
    auto done = cursor->array([&]() -> Result<void> { return read_pandas_column(*cursor); });
    if (done) done = cursor->expect_end();
    if (!done) return std::move(done).error().at(fmt::format("line {}, pandas_categorical", lines_.number()));
    return {};
  }

  Result<void> read_pandas_column(ValueCursor& cursor) {
    PandasCategories& column = model_.pandas_categorical.emplace_back();
    bool numeric = true;
    JACKDAW_TRY(cursor.array([&]() -> Result<void> {
      numeric = numeric && cursor.kind() == ValueKind::number;
      JACKDAW_ASSIGN(column.texts.emplace_back(), cursor.scalar());
      return {};
    }));
    column.numeric = numeric && !column.texts.empty();
    if (!column.numeric) return {};
    for (const std::string& text : column.texts) {
      double value = 0.0;  // The cursor has checked the digits; NaN and Infinity are spelt as from_chars knows them.
      std::from_chars(text.data(), text.data() + text.size(), value);
      column.numbers.push_back(value);
    }
    return {};
  }

  Lines lines_;
  const TreeReadLimits& limits_;
  LightgbmBlock header_;
  LightgbmModel model_;
};

template <typename T>
Result<std::vector<T>> parse_numbers(std::string_view key, std::string_view text) {
  std::vector<T> out;
  const char* at = text.data();
  const char* const end = text.data() + text.size();
  while (true) {
    while (at != end && is_blank(*at)) ++at;
    if (at == end) return out;
    const char* begin = at;
    const auto [stop, status] = std::from_chars(at, end, out.emplace_back());
    if (status == std::errc::result_out_of_range && std::is_floating_point_v<T>) {
      // Digits of a denormal or of something beyond a double: strtod's answer.
      out.back() = static_cast<T>(std::strtod(std::string(begin, stop).c_str(), nullptr));
    } else if (status != std::errc()) {
      const auto size = std::min<std::ptrdiff_t>(end - begin, 24);
      return make_error(Code::parse_error, "{}: '{}' is no number.", key,
                        std::string_view(begin, static_cast<std::size_t>(size)));
    }
    at = stop;
    if (at != end && !is_blank(*at)) {
      return make_error(Code::parse_error, "{}: entry {} is no number.", key, out.size() - 1);
    }
  }
}

}  // namespace

Result<std::vector<double>> parse_doubles(std::string_view key, std::string_view text) {
  return parse_numbers<double>(key, text);
}
Result<std::vector<std::int64_t>> parse_integers(std::string_view key, std::string_view text) {
  return parse_numbers<std::int64_t>(key, text);
}
std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> out;
  while (true) {
    text = trimmed(text);
    if (text.empty()) return out;
    std::size_t end = 0;
    while (end < text.size() && !is_blank(text[end])) ++end;
    out.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
}

const std::vector<std::string_view>& lightgbm_objectives() {
  static const std::vector<std::string_view> names{
      "regression",    "regression_l1", "huber",      "fair",
      "poisson",       "quantile",      "mape",       "gamma",
      "tweedie",       "binary",        "multiclass", "multiclassova",
      "cross_entropy", "xentropy",      "xentlambda", "cross_entropy_lambda",
      "lambdarank",    "rank_xendcg",   "custom",
  };
  return names;
}

Result<LightgbmModel> read_lightgbm(std::string_view text, const TreeReadLimits& limits) {
  return TextReader(text, limits).run();
}

}  // namespace jackdaw::formats
