#include "jackdaw/formats/inspect.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "src/formats/compression.h"
#include "src/formats/input_file.h"
#include "src/formats/inspect_magic.h"
#include "src/formats/inspect_parts.h"

namespace jackdaw::formats {

namespace {

// Enough to know a file's kind; a 40 GB file of weights is not read for that.
constexpr std::size_t peek_bytes = 256 << 10;
constexpr std::uint64_t file_bytes_max = 8ull << 30;

std::string base_name(std::string_view path) {
  while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  return printable(slash == std::string_view::npos ? path : path.substr(slash + 1), 60);
}

std::string describe_foreign(const ForeignFile& foreign, std::string_view name, std::uint64_t size,
                             const InspectOptions& options) {
  Page page(options);
  page.line(0, fmt::format("{}: this seems to be {}", name, foreign.kind), LineStyle::title);
  page.row("size", fmt::format("{} bytes", grouped(size)));
  page.line(0, foreign.advice, LineStyle::caution);
  return page.take();
}

// Protocols 0 and 1 have no magic: a pickle of them starts with one of these and has STOP at its end.
bool could_be_old_pickle(Bytes file) {
  if (file.empty()) return false;
  constexpr std::string_view first = "(]})cIFLSVNKMJGTUX";
  return first.find(static_cast<char>(file[0])) != std::string_view::npos;
}

Result<std::string> describe_pickle(std::vector<std::byte> file, std::string_view name, const InspectOptions& options) {
  auto graph = read_object_graph(std::move(file));
  if (!graph) {
    Error error = std::move(graph).error();
    error.message = fmt::format("{} seems to be a pickle or joblib file, but cannot be read: {}", name, error.message);
    return error;
  }
  Page page(options);
  describe_object_graph(*graph, name, page);
  return page.take();
}

Result<std::string> describe_trees(Bytes file, TreeFileKind kind, std::string_view name,
                                   const InspectOptions& options) {
  Page page(options);
  if (auto described = describe_tree_file(file, kind, name, page); !described) {
    Error error = std::move(described).error();
    error.message = fmt::format("{} seems to be in {} format, but cannot be read: {}", name, tree_file_kind_name(kind),
                                error.message);
    return error;
  }
  return page.take();
}

Error refuse_weights(Error error, ModelFileKind kind, std::string_view name) {
  error.message = fmt::format("{} seems to be in {} format, but cannot be read: {}", name,
                              kind == ModelFileKind::gguf ? "GGUF" : "safetensors", error.message);
  return error;
}

Result<std::string> describe_weights(const ByteSource& source, ModelFileKind kind, std::string_view name,
                                     const InspectOptions& options) {
  auto listing = kind == ModelFileKind::gguf ? list_gguf(source) : list_safetensors(source);
  if (!listing) return refuse_weights(std::move(listing).error(), kind, name);
  Page page(options);
  describe_model(*listing, {name, source.size(), ""}, page);
  return page.take();
}

std::uint64_t total_size(const ModelListing& listing) {
  std::uint64_t size = 0;
  for (const InputFile& file : listing.files) size += file.size();
  return size;
}

// A file with the others that belong to its model; on its own when those are missing, or when it is not their first.
Result<std::string> describe_model_file(const InputFile& file, ModelFileKind kind, const InspectOptions& options) {
  const std::string name = base_name(file.path());
  auto whole = list_model(file.path());
  const bool alone = !whole && (whole.error().code == Code::not_found || whole.error().code == Code::invalid_argument);
  auto listing = !alone ? std::move(whole) : kind == ModelFileKind::gguf ? list_gguf(file) : list_safetensors(file);
  if (!listing) return refuse_weights(std::move(listing).error(), kind, name);
  Page page(options);
  describe_model(*listing, {name, alone ? file.size() : total_size(*listing), alone ? whole.error().message : ""},
                 page);
  return page.take();
}

Result<std::string> describe_folder(const std::string& path, const InspectOptions& options) {
  auto listing = list_model(path);
  if (!listing) {
    if (listing.error().code != Code::not_found) return std::move(listing).error();
    return Error{Code::invalid_argument, "this is a directory without a language model; name the model file inside it",
                 path};
  }
  Page page(options);
  describe_model(*listing, {base_name(path), total_size(*listing), ""}, page);
  return page.take();
}

Result<std::string> describe_unknown(Bytes file, std::string_view name, const InspectOptions& options) {
  Page page(options);
  page.line(0, fmt::format("{}: not a model file known to jackdaw", name), LineStyle::title);
  page.row("size", fmt::format("{} bytes", grouped(file.size())));
  page.row("first bytes", printable(as_text(file.first(std::min<std::size_t>(file.size(), 40))), 60));
  page.line(0, "Known: pickle and joblib (scikit-learn), XGBoost JSON, UBJSON and binary, LightGBM text, GGUF,");
  page.line(0, "safetensors.");
  return page.take();
}

}  // namespace

Result<std::string> inspect_bytes(std::vector<std::byte> file, std::string_view file_name,
                                  const InspectOptions& options) {
  const std::string name = base_name(file_name);
  if (file.empty()) return make_error(Code::parse_error, "{} is empty", name);
  const Bytes bytes(file);
  if (const auto kind = detect_model_file(bytes, bytes.size())) {
    return describe_weights(MemorySource(bytes), *kind, name, options);
  }
  const Bytes tail = bytes.last(std::min(bytes.size(), peek_bytes));
  if (const auto foreign = recognise_foreign_file(bytes, tail))
    return describe_foreign(*foreign, name, bytes.size(), options);
  if (file[0] == std::byte{0x80} || detect_compression(bytes) != Compression::none) {
    return describe_pickle(std::move(file), name, options);
  }
  if (const TreeFileKind kind = detect_tree_file(bytes); kind != TreeFileKind::unknown)
    return describe_trees(bytes, kind, name, options);
  if (could_be_old_pickle(bytes)) return describe_pickle(std::move(file), name, options);
  return describe_unknown(bytes, name, options);
}

Result<std::string> inspect_file(const std::string& path, const InspectOptions& options) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return describe_folder(path, options);
  JACKDAW_ASSIGN(const InputFile file, InputFile::open(path));
  JACKDAW_ASSIGN(std::vector<std::byte> head, file.read(0, peek_bytes));
  if (const auto kind = detect_model_file(head, file.size())) return describe_model_file(file, *kind, options);
  JACKDAW_ASSIGN(const std::vector<std::byte> tail,
                 file.read(file.size() - std::min<std::uint64_t>(file.size(), peek_bytes), peek_bytes));
  if (const auto foreign = recognise_foreign_file(head, tail)) {
    return describe_foreign(*foreign, base_name(path), file.size(), options);
  }
  if (file.size() > file_bytes_max) {
    return Error{Code::too_large,
                 fmt::format("the file has {} bytes; at most {} are read", file.size(), file_bytes_max), path};
  }
  if (file.size() > head.size()) {
    JACKDAW_ASSIGN(head, file.read(0, static_cast<std::size_t>(file.size())));
  }
  return inspect_bytes(std::move(head), path, options);
}

}  // namespace jackdaw::formats
