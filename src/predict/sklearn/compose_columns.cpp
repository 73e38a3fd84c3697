// ColumnTransformer. Read: transformers_ of (name, transformer | 'drop' | 'passthrough', columns),
// _transformer_to_input_indices (1.0+: the columns as indices), sparse_output_, transformer_weights, feature_names_in_
// (1.0+; _feature_names_in in 0.24, _df_columns in 0.23), _n_features before n_features_in_.
#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "src/predict/sklearn/compose.h"
#include "src/predict/sklearn/fitted.h"

namespace jackdaw::predict {
namespace {

using formats::no_node;
using formats::NodeId;
using formats::NodeKind;

// Columns by place in the fit's input, or by name for old files that kept no places.
struct Selection {
  std::vector<std::size_t> places;
  std::vector<std::string> names;
  bool one_dimensional = false;  // a single column given as a scalar: the transformer sees a list, not a table
};

struct Part {
  std::string name;
  std::unique_ptr<Estimator> transformer;
  Selection columns;
  double weight = 1.0;
};

class ColumnTransformer : public Estimator {
 public:
  ColumnTransformer(InputRule rule, std::vector<Part> parts, bool sparse)
      : rule_(std::move(rule)), parts_(std::move(parts)), sparse_(sparse) {}

  bool supports(Method method) const override { return method == Method::transform; }
  Result<Output> run(Method method, const Frame&) const override {
    return make_error(Code::unsupported, "'ColumnTransformer' object has no attribute '{}'", method_name(method));
  }

  Result<Frame> transform(const Frame& x) const override {
    JACKDAW_ASSIGN(const Places places, places_in(x));
    std::vector<Frame> answers;
    for (const Part& part : parts_) {
      JACKDAW_ASSIGN(Frame in, select(x, part.columns, places));
      auto answer = part.transformer->transform_owned(std::move(in));
      if (!answer) return std::move(answer).error();
      scale_frame(*answer, part.weight);
      answers.push_back(std::move(*answer));
    }
    return stack_frames(std::move(answers), frame_rows(x), sparse_, "ColumnTransformer");
  }

  std::int64_t n_features_in() const override { return rule_.n_features; }
  std::span<const std::string> feature_names_in() const override { return rule_.names; }
  double cost_ns(std::size_t rows) const override {
    double sum = 200;
    for (const Part& part : parts_) sum += part.transformer->cost_ns(rows) + 40.0;
    return sum;
  }
  std::size_t resident_bytes() const override {
    std::size_t sum = sizeof(*this);
    for (const Part& part : parts_) sum += part.transformer->resident_bytes();
    return sum;
  }

 private:
  // For a data frame matched by name: name -> column. Otherwise empty, and places count.
  struct Places {
    bool by_name = false;
    std::unordered_map<std::string_view, std::size_t> columns;
  };

  Result<Places> places_in(const Frame& x) const {
    Places out;
    const auto* frame = std::get_if<DataFrame>(&x);
    const bool named = frame != nullptr && std::all_of(frame->columns.begin(), frame->columns.end(),
                                                       [](const Column& c) { return !c.name.empty(); });
    const bool wants_names =
        std::any_of(parts_.begin(), parts_.end(), [](const Part& p) { return !p.columns.names.empty(); });
    if (named && (!rule_.names.empty() || wants_names)) {
      out.by_name = true;
      for (std::size_t i = 0; i < frame->columns.size(); ++i) out.columns.emplace(frame->columns[i].name, i);
      JACKDAW_TRY(check_names(out));
      return out;
    }
    if (wants_names) {
      return make_error(Code::invalid_argument,
                        "ColumnTransformer picks its columns by name: send one named input per column");
    }
    const std::size_t width = frame_cols(x);
    if (rule_.n_features >= 0 && static_cast<std::int64_t>(width) != rule_.n_features) {
      return make_error(Code::invalid_argument, "X has {} features, but {} is expecting {} features as input.", width,
                        rule_.class_name, rule_.n_features);
    }
    return out;
  }

  Result<void> check_names(const Places& places) const {
    std::string missing;
    std::unordered_set<std::string_view> told;
    for (const Part& part : parts_) {
      for (std::size_t i = 0; has_names(part.columns) && i < count_of(part.columns); ++i) {
        const std::string& name = name_at(part.columns, i);
        if (places.columns.contains(name) || !told.insert(name).second) continue;
        missing += fmt::format("{}'{}'", missing.empty() ? "" : ", ", name);
      }
    }
    if (missing.empty()) return {};
    return make_error(Code::invalid_argument, "columns are missing: {{{}}}", missing);
  }

  // Files before 0.23 keep no names of their own: what they picked by place stays a place.
  bool has_names(const Selection& columns) const { return !columns.names.empty() || !rule_.names.empty(); }
  static std::size_t count_of(const Selection& columns) { return columns.places.size() + columns.names.size(); }
  const std::string& name_at(const Selection& columns, std::size_t i) const {
    return columns.names.empty() ? rule_.names[columns.places[i]] : columns.names[i];
  }

  std::vector<std::size_t> columns_of(const Selection& columns, const Places& places) const {
    if (!places.by_name || !has_names(columns)) return columns.places;
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < count_of(columns); ++i) out.push_back(places.columns.at(name_at(columns, i)));
    return out;
  }

  Result<Frame> select(const Frame& x, const Selection& selection, const Places& places) const {
    const std::vector<std::size_t> columns = columns_of(selection, places);
    const std::size_t width = frame_cols(x);
    for (std::size_t c : columns) {
      if (c >= width) return make_error(Code::invalid_argument, "X has {} columns, but column {} is needed", width, c);
    }
    if (selection.one_dimensional) return one_column(x, columns[0]);
    if (const auto* m = std::get_if<Matrix>(&x)) return Frame(select_columns(*m, columns));
    if (const auto* frame = std::get_if<DataFrame>(&x)) {
      DataFrame out;
      out.rows = frame->rows;
      for (std::size_t c : columns) out.columns.push_back(frame->columns[c]);
      return Frame(std::move(out));
    }
    DataFrame out;
    out.rows = frame_rows(x);
    for (std::size_t i = 0; i < columns.size(); ++i) out.columns.push_back(ColumnView(std::get<Texts>(x)).copy());
    return Frame(std::move(out));
  }

  static Result<Frame> one_column(const Frame& x, std::size_t column) {
    if (const auto* texts = std::get_if<Texts>(&x)) return Frame(*texts);
    if (const auto* m = std::get_if<Matrix>(&x)) return Frame(select_columns(*m, std::vector<std::size_t>{column}));
    const Column& c = std::get<DataFrame>(x).columns[column];
    if (!c.is_text) {
      DataFrame out;
      out.rows = c.rows();
      out.columns.push_back(c);
      return Frame(std::move(out));
    }
    for (std::size_t r = 0; r < c.rows(); ++r) {
      if (c.is_missing(r)) {
        return make_error(Code::invalid_argument,
                          "np.nan is an invalid document, expected byte or unicode string. (Row {} of column '{}'.)", r,
                          c.name);
      }
    }
    return Frame(Texts{c.texts});
  }

  InputRule rule_;
  std::vector<Part> parts_;
  bool sparse_;
};

// ---- reading column selections ------------------------------------------------------------------------------------

struct FitColumns {
  std::int64_t count = -1;
  std::vector<std::string> names;
};

Error bad_columns(const BuildContext& c, std::string_view step, std::string_view why) {
  return c.error(Code::unsupported, fmt::format("the columns of '{}' {}", step, why));
}

Result<std::vector<std::size_t>> checked_places(const BuildContext& c, std::string_view step,
                                                std::span<const double> values, const FitColumns& fit) {
  std::vector<std::size_t> out;
  for (double v : values) {
    if (v < 0 && fit.count >= 0) v += static_cast<double>(fit.count);
    const double limit = fit.count >= 0 ? static_cast<double>(fit.count) : 1e9;  // 0.20 and 0.21 keep no count
    if (!(v >= 0 && v < limit) || v != std::floor(v)) {
      return bad_columns(c, step, "are out of range");
    }
    out.push_back(static_cast<std::size_t>(v));
  }
  return out;
}

// The values of a list, tuple or array: numbers, booleans (as 0/1 with `mask` set) or texts.
struct Listed {
  std::vector<double> numbers;
  std::vector<std::string> texts;
  bool mask = false;
};

Result<Listed> read_list(const BuildContext& c, std::string_view step, NodeId node) {
  Listed out;
  const auto& g = c.graph;
  if (formats::is_ndarray(g, node)) {
    JACKDAW_ASSIGN(const formats::NdArray array, formats::to_ndarray(g, node));
    if (auto texts = formats::to_strings(g, array); texts && array.dtype.kind != 'b') {
      out.texts = std::move(*texts);
      return out;
    }
    JACKDAW_ASSIGN(out.numbers, formats::to_doubles(g, array));
    out.mask = array.dtype.kind == 'b';
    return out;
  }
  for (NodeId item : g.items(node)) {
    if (g.kind(item) == NodeKind::text) {
      out.texts.emplace_back(g.text(item));
    } else if (const auto number = formats::to_number(g, item)) {
      out.mask |= g.kind(item) == NodeKind::boolean;
      out.numbers.push_back(*number);
    } else {
      return bad_columns(c, step, "are neither places nor names");
    }
  }
  if (!out.texts.empty() && !out.numbers.empty()) return bad_columns(c, step, "mix places and names");
  return out;
}

Result<Selection> select_names(const FitColumns& fit, std::vector<std::string> names) {
  Selection out;
  for (const std::string& name : names) {
    const auto found = std::find(fit.names.begin(), fit.names.end(), name);
    if (found == fit.names.end()) return Selection{{}, std::move(names), false};
    out.places.push_back(static_cast<std::size_t>(found - fit.names.begin()));
  }
  return out;
}

// One end of a slice as a place; names stand for themselves, the stop's name is included.
Result<std::int64_t> slice_end(const BuildContext& c, std::string_view step, NodeId node, std::int64_t fallback,
                               bool is_stop, const FitColumns& fit) {
  if (c.graph.kind(node) == NodeKind::none) return fallback;
  if (c.graph.kind(node) == NodeKind::text) {
    const auto found = std::find(fit.names.begin(), fit.names.end(), c.graph.text(node));
    if (found == fit.names.end()) return bad_columns(c, step, "are a slice of names the file does not keep");
    return (found - fit.names.begin()) + (is_stop ? 1 : 0);
  }
  const auto number = formats::to_number(c.graph, node);
  if (!number || std::abs(*number) > 1e9) return bad_columns(c, step, "are a slice of something else than places");
  auto place = static_cast<std::int64_t>(*number);
  if (place < 0) place += fit.count;
  return std::clamp<std::int64_t>(place, 0, fit.count);
}

Result<Selection> select_slice(const BuildContext& c, std::string_view step, NodeId node, const FitColumns& fit) {
  const auto args = c.graph.object(node).args;
  if (args == no_node || c.graph.kind(args) != NodeKind::tuple || c.graph.items(args).size() != 3 || fit.count < 0) {
    return bad_columns(c, step, "are a slice that cannot be read");
  }
  const auto items = c.graph.items(args);
  if (c.graph.kind(items[2]) != NodeKind::none && formats::to_number(c.graph, items[2]).value_or(0) != 1.0) {
    return bad_columns(c, step, "are a slice with a step");
  }
  JACKDAW_ASSIGN(const std::int64_t begin, slice_end(c, step, items[0], 0, false, fit));
  JACKDAW_ASSIGN(const std::int64_t end, slice_end(c, step, items[1], fit.count, true, fit));
  Selection out;
  for (std::int64_t i = begin; i < end; ++i) out.places.push_back(static_cast<std::size_t>(i));
  return out;
}

bool is_scalar(const formats::ObjectGraph& g, NodeId node) {
  return g.kind(node) == NodeKind::text || g.kind(node) == NodeKind::integer;
}

Result<Selection> select_listed(const BuildContext& c, std::string_view step, NodeId node, const FitColumns& fit) {
  JACKDAW_ASSIGN(Listed listed, read_list(c, step, node));
  if (!listed.texts.empty()) return select_names(fit, std::move(listed.texts));
  std::vector<double> places = std::move(listed.numbers);
  if (listed.mask) {
    std::vector<double> chosen;
    for (std::size_t i = 0; i < places.size(); ++i) {
      if (places[i] != 0) chosen.push_back(static_cast<double>(i));
    }
    places = std::move(chosen);
  }
  Selection out;
  JACKDAW_ASSIGN(out.places, checked_places(c, step, places, fit));
  return out;
}

// The columns as the file says them, for versions without _transformer_to_input_indices.
Result<Selection> select_spec(const BuildContext& c, const NamedNode& entry, const FitColumns& fit) {
  const auto& g = c.graph;
  const NodeId node = entry.columns;
  if (node == no_node) return bad_columns(c, entry.name, "are missing");
  Selection out;
  if (g.kind(node) == NodeKind::text) {
    JACKDAW_ASSIGN(out, select_names(fit, {std::string(g.text(node))}));
    out.one_dimensional = true;
    return out;
  }
  if (g.kind(node) == NodeKind::integer) {
    const double place = static_cast<double>(g.integer(node));
    JACKDAW_ASSIGN(out.places, checked_places(c, entry.name, {&place, 1}, fit));
    out.one_dimensional = true;
    return out;
  }
  if (g.kind(node) == NodeKind::list || g.kind(node) == NodeKind::tuple || formats::is_ndarray(g, node)) {
    return select_listed(c, entry.name, node, fit);
  }
  if (g.kind(node) != NodeKind::object) return bad_columns(c, entry.name, "cannot be read");
  if (g.class_name(node).ends_with(".slice")) return select_slice(c, entry.name, node, fit);
  const NodeId data = g.attribute(node, "data");  // 1.5's _RemainderColsList
  if (data != no_node && g.kind(data) == NodeKind::list) return select_listed(c, entry.name, data, fit);
  return bad_columns(c, entry.name, "are chosen by a function");
}

Result<Selection> read_selection(const BuildContext& c, const NamedNode& entry, const FitColumns& fit) {
  const NodeId by_name = c.attribute("_transformer_to_input_indices");
  const NodeId places = by_name == no_node ? no_node : c.graph.attribute(by_name, entry.name);
  if (places == no_node) return select_spec(c, entry, fit);
  if (c.graph.kind(places) != NodeKind::list && !formats::is_ndarray(c.graph, places)) {
    return select_spec(c, entry, fit);
  }
  JACKDAW_ASSIGN(Selection out, select_listed(c, entry.name, places, fit));
  out.one_dimensional = entry.columns != no_node && is_scalar(c.graph, entry.columns) && out.places.size() == 1;
  return out;
}

// _df_columns of 0.23: a pandas Index, pickled as _new_Index(Index, {'data': array, ...}).
std::vector<std::string> index_names(const BuildContext& c) {
  const NodeId node = c.attribute("_df_columns");
  if (node == no_node || c.graph.kind(node) != NodeKind::object) return {};
  const NodeId args = c.graph.object(node).args;
  if (args == no_node || c.graph.kind(args) != NodeKind::tuple || c.graph.items(args).size() != 2) return {};
  const NodeId dict = c.graph.items(args)[1];
  if (c.graph.kind(dict) != NodeKind::dict) return {};
  return c.child(dict, "").strings_or_empty("data");
}

FitColumns read_fit_columns(const BuildContext& c, InputRule& rule) {
  if (rule.names.empty()) rule.names = c.strings_or_empty("_feature_names_in");
  if (rule.names.empty()) rule.names = index_names(c);
  if (rule.n_features < 0) rule.n_features = c.integer_or("_n_features", -1);
  if (rule.n_features < 0 && !rule.names.empty()) rule.n_features = static_cast<std::int64_t>(rule.names.size());
  if (static_cast<std::int64_t>(rule.names.size()) != rule.n_features) rule.names.clear();
  return {rule.n_features, rule.names};
}

Result<std::optional<Part>> read_part(const BuildContext& c, const NamedNode& entry, const FitColumns& fit) {
  if (is_drop(c.graph, entry.node)) return std::optional<Part>();
  Part part;
  part.name = entry.name;
  part.weight = weight_of(c, entry.name);
  JACKDAW_ASSIGN(part.columns, read_selection(c, entry, fit));
  if (part.columns.places.empty() && part.columns.names.empty()) return std::optional<Part>();
  if (is_passthrough(c.graph, entry.node)) {
    part.transformer = identity_transformer();
    return std::optional<Part>(std::move(part));
  }
  const BuildContext child = c.child(entry.node, fmt::format("transformers_['{}']", entry.name));
  JACKDAW_ASSIGN(part.transformer, build_estimator(child));
  if (!part.transformer->supports(Method::transform)) return child.error(Code::parse_error, "is no transformer");
  return std::optional<Part>(std::move(part));
}

}  // namespace

Result<std::unique_ptr<Estimator>> build_column_transformer(const BuildContext& c) {
  JACKDAW_ASSIGN(const std::vector<NodeId> nodes, object_list(c, "transformers_"));
  InputRule rule = InputRule::of(c);
  const FitColumns fit = read_fit_columns(c, rule);
  std::vector<Part> parts;
  for (NodeId node : nodes) {
    JACKDAW_ASSIGN(const NamedNode entry, named_node(c, node, "transformers_"));
    JACKDAW_ASSIGN(std::optional<Part> part, read_part(c, entry, fit));
    if (part) parts.push_back(std::move(*part));
  }
  return std::unique_ptr<Estimator>(
      new ColumnTransformer(std::move(rule), std::move(parts), c.flag_or("sparse_output_", false)));
}

}  // namespace jackdaw::predict
