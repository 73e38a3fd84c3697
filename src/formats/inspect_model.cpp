// GGUF and safetensors models for people: what the headers say, and whether every tensor can be read.
#include <algorithm>
#include <map>

#include "src/formats/inspect_parts.h"
#include "src/formats/json_cursor.h"

namespace jackdaw::formats {

namespace {

constexpr std::size_t tensors_shown_max = 16;
constexpr std::size_t keys_shown_max = 24;
constexpr std::size_t name_columns_max = 52;
constexpr std::uint64_t tokenizer_bytes_max = 64ull << 20;

// GGUF's keys are below the architecture's name; config.json's may be inside text_config, beside a vision model's.
class Settings {
 public:
  explicit Settings(const ModelListing& listing) : metadata_(listing.metadata) {
    architecture_ = metadata_.text("general.architecture").value_or("");
  }

  std::optional<std::int64_t> integer(std::string_view gguf, std::string_view config) const {
    if (!architecture_.empty()) {
      const auto list = metadata_.integer_list(fmt::format("{}.{}", architecture_, gguf));
      return list.empty() ? std::nullopt : std::optional(*std::max_element(list.begin(), list.end()));
    }
    if (const auto value = metadata_.integer(config)) return value;
    return metadata_.integer(fmt::format("text_config.{}", config));
  }
  std::string architecture() const {
    if (!architecture_.empty()) return std::string(architecture_);
    const auto* classes = metadata_.texts("architectures");
    std::string out(metadata_.text("model_type").value_or(""));
    if (classes != nullptr && !classes->empty()) out += (out.empty() ? "" : ", ") + (*classes)[0];
    return out;
  }
  std::string name() const {
    return std::string(metadata_.text("general.name").value_or(metadata_.text("_name_or_path").value_or("")));
  }

 private:
  const Metadata& metadata_;
  std::string_view architecture_;
};

std::string scaled(double value, std::string_view unit_of_ones) {
  constexpr std::string_view units[] = {"", " thousand", " million", " billion", " trillion"};
  std::size_t unit = 0;
  for (; value >= 1000 && unit + 1 < std::size(units); ++unit) value /= 1000;
  return unit == 0 ? std::string(unit_of_ones) : fmt::format("{:.3g}{}", value, units[unit]);
}

std::uint64_t parameters(const ModelListing& listing) {
  std::uint64_t total = 0;
  for (const ListedTensor& tensor : listing.tensors) {
    if (tensor.use != TensorUse::ignored) total += static_cast<std::uint64_t>(tensor.elements);
  }
  return total;
}

// "Q4_1 98.2 %, F32 1.8 %" of the bytes, largest first.
std::string mix(const ModelListing& listing) {
  std::map<std::string, std::uint64_t> bytes;
  std::uint64_t total = 0;
  for (const ListedTensor& tensor : listing.tensors) {
    bytes[tensor.type] += tensor.bytes;
    total += tensor.bytes;
  }
  std::vector<std::pair<std::uint64_t, std::string>> order;
  for (const auto& [type, count] : bytes) order.emplace_back(count, type);
  std::sort(order.rbegin(), order.rend());
  std::string out;
  for (const auto& [count, type] : order) {
    const double share = total == 0 ? 0.0 : 100.0 * static_cast<double>(count) / static_cast<double>(total);
    out += fmt::format("{}{} {:.3g} %", out.empty() ? "" : ", ", printable(type, 16), share);
  }
  return out;
}

struct ValuePrinter {
  std::string operator()(std::monostate) const { return "null"; }
  std::string operator()(bool v) const { return v ? "true" : "false"; }
  std::string operator()(std::int64_t v) const { return std::to_string(v); }
  std::string operator()(double v) const { return number_text(v); }
  std::string operator()(const std::string& v) const { return printable(v, 160); }
  std::string operator()(const std::vector<bool>& v) const { return fmt::format("{} booleans", grouped(v.size())); }
  std::string operator()(const std::vector<std::int64_t>& v) const { return list(v, "whole numbers"); }
  std::string operator()(const std::vector<double>& v) const { return list(v, "numbers"); }
  std::string operator()(const std::vector<std::string>& v) const { return list(v, "texts"); }

 private:
  static std::string one(std::int64_t v) { return std::to_string(v); }
  static std::string one(double v) { return number_text(v); }
  static std::string one(const std::string& v) { return "'" + printable(v, 24) + "'"; }
  template <typename T>
  static std::string list(const std::vector<T>& v, std::string_view what) {
    std::string out = fmt::format("{} {}", grouped(v.size()), what);
    for (std::size_t i = 0; i < v.size() && i < 5; ++i) out += (i == 0 ? ": " : ", ") + one(v[i]);
    return out + (v.size() > 5 ? ", …" : "");
  }
};

std::string text_of(const MetadataValue& value) {
  return std::visit(ValuePrinter{}, value);
}

// ---- tokenizer ----------------------------------------------------------------------------------------------------

// "model.type" of a tokenizer.json, "" when it does not say.
Result<std::string> tokenizer_json_kind(const std::string& path) {
  JACKDAW_ASSIGN(const std::string text, read_text_file(path, tokenizer_bytes_max));
  const auto cursor = json_cursor(text, 64);
  std::string kind;
  JACKDAW_TRY(cursor->object([&](std::string_view key) -> Result<void> {
    if (key != "model" || cursor->kind() != ValueKind::object) return cursor->skip();
    return cursor->object([&](std::string_view member) -> Result<void> {
      if (member != "type") return cursor->skip();
      JACKDAW_ASSIGN(kind, cursor->scalar());
      return {};
    });
  }));
  return kind;
}

std::string gguf_tokenizer(const Metadata& metadata) {
  const auto model = metadata.text("tokenizer.ggml.model");
  if (!model) return "none";
  std::string out = printable(*model, 24);
  if (const auto pre = metadata.text("tokenizer.ggml.pre")) out += ", pre-tokenizer " + printable(*pre, 24);
  if (const auto* pieces = metadata.texts("tokenizer.ggml.tokens"))
    out += fmt::format(", {} pieces", grouped(pieces->size()));
  return out;
}

std::string folder_tokenizer(const ModelListing& listing) {
  const auto kind = tokenizer_json_kind(listing.folder / "tokenizer.json");
  if (!kind && kind.error().code == Code::not_found) return "none (no tokenizer.json)";
  if (!kind) return "tokenizer.json cannot be read: " + printable(kind.error().text(), 100);
  std::string out = "tokenizer.json" + (kind->empty() ? "" : ", " + printable(*kind, 24));
  if (const auto size = Settings(listing).integer("vocab_size", "vocab_size"); size && *size > 0) {
    out += fmt::format(", {} pieces", grouped(static_cast<std::uint64_t>(*size)));
  }
  return out;
}

std::string chat_template(const ModelListing& listing) {
  if (listing.kind == ModelFileKind::gguf) {
    const auto text = listing.metadata.text("tokenizer.chat_template");
    return text ? fmt::format("yes, {} bytes", grouped(text->size())) : "none";
  }
  if (const auto text = read_text_file(listing.folder / "chat_template.jinja", tokenizer_bytes_max)) {
    return fmt::format("chat_template.jinja, {} bytes", grouped(text->size()));
  }
  const auto config = read_text_file(listing.folder / "tokenizer_config.json", tokenizer_bytes_max);
  const bool there = config && config->find("\"chat_template\"") != std::string::npos;
  return there ? "yes, in tokenizer_config.json" : "none";
}

// ---- the page -----------------------------------------------------------------------------------------------------

void print_head(const ModelListing& listing, const ModelPageHead& head, Page& page) {
  const std::string format = listing.kind == ModelFileKind::gguf ? fmt::format("GGUF version {}", listing.version)
                                                                 : std::string("safetensors");
  page.line(0, fmt::format("{}: {} model", head.name, format), LineStyle::title);
  page.row("size", fmt::format("{} bytes", grouped(head.size)));
  if (listing.files.size() > 1) page.row("files", grouped(listing.files.size()));
}

void print_count(std::string_view title, std::optional<std::int64_t> value, Page& page) {
  if (value && *value >= 0) page.row(title, grouped(static_cast<std::uint64_t>(*value)));
}

void print_heads(const Settings& settings, Page& page) {
  const auto heads = settings.integer("attention.head_count", "num_attention_heads");
  if (!heads) return;
  std::string text = std::to_string(*heads);
  if (const auto kv = settings.integer("attention.head_count_kv", "num_key_value_heads")) {
    text += fmt::format(", sharing {} of keys and values", *kv);
  }
  page.row("attention heads", text);
}

void print_experts(const Settings& settings, Page& page) {
  auto experts = settings.integer("expert_count", "num_local_experts");
  if (!experts) experts = settings.integer("expert_count", "num_experts");
  if (!experts || *experts <= 0) return;
  const auto used = settings.integer("expert_used_count", "num_experts_per_tok");
  page.row("experts", used ? fmt::format("{}, {} per token", *experts, *used) : std::to_string(*experts));
}

void print_settings(const ModelListing& listing, Page& page) {
  const Settings settings(listing);
  if (const auto text = settings.architecture(); !text.empty()) page.row("architecture", printable(text, 60));
  if (const auto text = settings.name(); !text.empty()) page.row("name", printable(text, 60));
  const std::uint64_t total = parameters(listing);
  const std::string short_form = scaled(static_cast<double>(total), "");
  page.row("parameters", grouped(total) + (short_form.empty() ? "" : " (" + short_form + ")"));
  page.row("stored as", mix(listing));
  print_count("context length", settings.integer("context_length", "max_position_embeddings"), page);
  print_count("layers", settings.integer("block_count", "num_hidden_layers"), page);
  print_count("width", settings.integer("embedding_length", "hidden_size"), page);
  print_count("hidden width", settings.integer("feed_forward_length", "intermediate_size"), page);
  print_heads(settings, page);
  print_experts(settings, page);
  if (listing.folder.empty() && listing.kind == ModelFileKind::safetensors) return;  // read from memory
  page.row("tokenizer",
           listing.kind == ModelFileKind::gguf ? gguf_tokenizer(listing.metadata) : folder_tokenizer(listing));
  page.row("chat template", chat_template(listing));
}

void print_verdict(const ModelListing& listing, Page& page) {
  const auto unreadable = static_cast<std::size_t>(std::count_if(
      listing.tensors.begin(), listing.tensors.end(), [](const auto& t) { return t.use == TensorUse::unreadable; }));
  page.blank();
  if (unreadable == 0) {
    page.line(0, "Every tensor is of a type jackdaw reads.", LineStyle::good);
    return;
  }
  const auto first = std::find_if(listing.tensors.begin(), listing.tensors.end(),
                                  [](const auto& t) { return t.use == TensorUse::unreadable; });
  page.line(0,
            fmt::format("jackdaw cannot serve it: {} tensors are of types without a reader, first {} ({}).",
                        grouped(unreadable), printable(first->name, 60), printable(first->type, 16)),
            LineStyle::caution);
}

void print_metadata(const ModelListing& listing, Page& page) {
  if (listing.metadata.values.empty()) return;
  const std::size_t shown = page.options().all ? listing.metadata.values.size() : keys_shown_max;
  page.blank();
  page.line(0, fmt::format("Metadata ({} keys)", grouped(listing.metadata.values.size())));
  std::size_t done = 0;
  for (const auto& [key, value] : listing.metadata.values) {
    if (done++ == shown) break;
    page.line(2, fmt::format("{}: {}", printable(key, 60), text_of(value)));
  }
  if (done > shown) {
    page.line(2, fmt::format("… {} more, shown by --all", grouped(listing.metadata.values.size() - shown)),
              LineStyle::faint);
  }
}

std::string shape_text(const ListedTensor& tensor) {
  std::string out;
  for (const std::int64_t n : tensor.shape) out += (out.empty() ? "" : " x ") + std::to_string(n);
  return out.empty() ? "scalar" : out;
}

void print_tensors(const ModelListing& listing, Page& page) {
  const std::size_t shown =
      page.options().all ? listing.tensors.size() : std::min(listing.tensors.size(), tensors_shown_max);
  page.blank();
  page.line(0, fmt::format("Tensors ({})", grouped(listing.tensors.size())));
  std::size_t columns = 0;
  std::size_t shapes = 0;
  for (std::size_t i = 0; i < shown; ++i) {
    columns = std::max(columns, std::min(listing.tensors[i].name.size(), name_columns_max));
    shapes = std::max(shapes, shape_text(listing.tensors[i]).size());
  }
  for (std::size_t i = 0; i < shown; ++i) {
    const ListedTensor& tensor = listing.tensors[i];
    page.line(2, fmt::format("{:<{}}  {:<8}{:<{}}  {:>14} bytes", printable(tensor.name, name_columns_max - 1), columns,
                             printable(tensor.type, 8), shape_text(tensor), shapes, grouped(tensor.bytes)));
  }
  if (shown < listing.tensors.size()) {
    page.line(2, fmt::format("… {} more, shown by --all", grouped(listing.tensors.size() - shown)), LineStyle::faint);
  }
}

}  // namespace

void describe_model(const ModelListing& listing, const ModelPageHead& head, Page& page) {
  print_head(listing, head, page);
  print_settings(listing, page);
  print_verdict(listing, page);
  if (!head.note.empty()) page.line(0, fmt::format("This file alone: {}.", head.note), LineStyle::caution);
  print_metadata(listing, page);
  print_tensors(listing, page);
}

}  // namespace jackdaw::formats
