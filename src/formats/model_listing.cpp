// Finding the files of a model and listing their headers as one.
#include "src/formats/model_listing.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "src/formats/json_cursor.h"

namespace jackdaw::formats {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t config_bytes_max = 16ull << 20;
constexpr std::uint64_t index_bytes_max = 64ull << 20;
constexpr std::int64_t shards_max = 1000;
constexpr std::size_t folder_entries_max = 10'000;

bool is_kind(const fs::path& path, std::string_view extension) {
  return path.extension() == extension;
}
bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// Names of the files in a folder that have the extension, sorted.
Result<std::vector<std::string>> names_in(const fs::path& folder, std::string_view extension) {
  std::vector<std::string> out;
  std::error_code failed;
  std::size_t entries = 0;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    if (++entries > folder_entries_max) {
      return Error{Code::too_large, fmt::format("the folder has more than {} entries", folder_entries_max), folder};
    }
    const fs::path name = it->path().filename();
    if (is_kind(name, extension) && name.native().front() != '.') out.push_back(name);
  }
  if (failed) return Error{Code::io_error, fmt::format("cannot list the folder: {}", failed.message()), folder};
  std::sort(out.begin(), out.end());
  return out;
}

std::string joined(const std::vector<std::string>& names) {
  constexpr std::size_t shown = 5;
  std::string out;
  for (std::size_t i = 0; i < std::min(shown, names.size()); ++i) out += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > shown) out += fmt::format(" and {} more", names.size() - shown);
  return out;
}

// Takes over the tensors of a further file.
void append(ModelListing& whole, ModelListing part) {
  whole.tensors.insert(whole.tensors.end(), std::make_move_iterator(part.tensors.begin()),
                       std::make_move_iterator(part.tensors.end()));
}

Result<void> check_names(const ModelListing& listing) {
  std::unordered_set<std::string_view> seen;
  for (const ListedTensor& tensor : listing.tensors) {
    if (seen.insert(tensor.name).second) continue;
    const std::string where = listing.files.empty() ? "" : listing.files[tensor.file].path();
    return Error{Code::parse_error, fmt::format("the tensor \"{}\" comes twice", tensor.name), where};
  }
  return {};
}

// ---- GGUF ---------------------------------------------------------------------------------------------------------

// "-00002-of-00005.gguf" at the end of a name.
struct ShardName {
  std::string stem;
  int number = 0;
  int count = 0;

  static std::optional<ShardName> parse(const std::string& name) {
    constexpr std::size_t tail = std::string_view("-00001-of-00005.gguf").size();
    if (name.size() <= tail || !name.ends_with(".gguf")) return std::nullopt;
    const std::string_view end = std::string_view(name).substr(name.size() - tail);
    ShardName out;
    if (end[0] != '-' || end.substr(6, 4) != "-of-" || !digits(end.substr(1, 5), out.number) ||
        !digits(end.substr(10, 5), out.count)) {
      return std::nullopt;
    }
    out.stem = name.substr(0, name.size() - tail);
    return out;
  }
  static std::string make(std::string_view stem, std::int64_t number, std::int64_t count) {
    return fmt::format("{}-{:05}-of-{:05}.gguf", stem, number, count);
  }

 private:
  static bool digits(std::string_view text, int& out) {
    out = 0;
    for (const char c : text) {
      if (c < '0' || c > '9') return false;
      out = out * 10 + (c - '0');
    }
    return true;
  }
};

Result<ModelListing> list_gguf_at(const fs::path& path, std::uint32_t number) {
  JACKDAW_ASSIGN(InputFile file, InputFile::open(path));
  auto listed = list_gguf(file, number);
  if (!listed) return std::move(listed).error().at(path.native());
  listed->folder = path.parent_path();
  listed->files.push_back(std::move(file));
  return listed;
}

// What a shard says of its place among the others must be what its name says.
Result<void> check_shard(const Metadata& metadata, const fs::path& path, std::int64_t number, std::int64_t count) {
  if (metadata.integer("split.no") == number && metadata.integer("split.count") == count) return {};
  return Error{
      Code::parse_error,
      fmt::format("this is not shard {} of {} of the model: split.no and split.count say otherwise", number + 1, count),
      path};
}

Result<void> append_shards(const fs::path& path, std::int64_t count, ModelListing& whole) {
  const auto name = ShardName::parse(path.filename());
  if (!name || name->count != count) {
    return Error{
        Code::invalid_argument,
        fmt::format("the model has {} files, which must be called name-00001-of-{:05}.gguf and so on", count, count),
        path};
  }
  if (name->number != 1) {
    return Error{Code::invalid_argument,
                 fmt::format("this is one of {} files of a model; name the first, {}", count,
                             ShardName::make(name->stem, 1, count)),
                 path};
  }
  JACKDAW_TRY(check_shard(whole.metadata, path, 0, count));
  for (std::int64_t i = 1; i < count; ++i) {
    const fs::path shard = path.parent_path() / ShardName::make(name->stem, i + 1, count);
    JACKDAW_ASSIGN(ModelListing part, list_gguf_at(shard, static_cast<std::uint32_t>(i)));
    JACKDAW_TRY(check_shard(part.metadata, shard, i, count));
    whole.files.push_back(std::move(part.files[0]));
    append(whole, std::move(part));
  }
  const auto total = whole.metadata.integer("split.tensors.count");
  if (!total || *total == static_cast<std::int64_t>(whole.tensors.size())) return {};
  return Error{Code::parse_error,
               fmt::format("the model's files have {} tensors together, but split.tensors.count says {}",
                           whole.tensors.size(), *total),
               path};
}

Result<ModelListing> list_gguf_model(const fs::path& path) {
  JACKDAW_ASSIGN(ModelListing whole, list_gguf_at(path, 0));
  const std::int64_t count = whole.metadata.integer("split.count").value_or(1);
  if (count < 0 || count > shards_max) {
    return Error{Code::parse_error, fmt::format("split.count is {}; 1 to {} are allowed", count, shards_max), path};
  }
  if (count > 1) {
    JACKDAW_TRY(append_shards(path, count, whole));
  }
  return whole;
}

// ---- safetensors --------------------------------------------------------------------------------------------------

using WeightMap = std::map<std::string, std::string>;  // tensor -> file

bool is_plain_name(std::string_view name) {
  return !name.empty() && name.find('/') == std::string_view::npos && name != "." && name != ".." &&
         name.find('\0') == std::string_view::npos;
}

Result<WeightMap> parse_index(std::string_view text) {
  WeightMap out;
  const auto cursor = json_cursor(text, 16);
  JACKDAW_TRY(cursor->object([&](std::string_view key) -> Result<void> {
    if (key != "weight_map") return cursor->skip();
    return cursor->object([&](std::string_view tensor) -> Result<void> {
      if (out.size() == tensors_max) return cursor->error(Code::too_large, "The index has too many tensors.");
      JACKDAW_ASSIGN(std::string file, cursor->scalar());
      if (!is_plain_name(file) || !is_kind(file, ".safetensors")) {
        return cursor->error(Code::parse_error,
                             fmt::format("\"{}\" must be the name of a .safetensors file in the same folder.", file));
      }
      out.emplace(tensor, std::move(file));
      return {};
    });
  }));
  JACKDAW_TRY(cursor->expect_end());
  if (out.empty()) return Error{Code::parse_error, "the index has no weight_map", ""};
  return out;
}

Result<void> append_safetensors(const fs::path& path, ModelListing& whole) {
  JACKDAW_ASSIGN(InputFile file, InputFile::open(path));
  auto part = list_safetensors(file, static_cast<std::uint32_t>(whole.files.size()));
  if (!part) return std::move(part).error().at(path.native());
  whole.files.push_back(std::move(file));
  append(whole, std::move(*part));
  return {};
}

Result<void> check_index(const WeightMap& index, const ModelListing& listing, const fs::path& path) {
  std::unordered_map<std::string_view, std::uint32_t> place;
  for (const ListedTensor& tensor : listing.tensors) place.emplace(tensor.name, tensor.file);
  for (const auto& [tensor, file] : index) {
    const auto found = place.find(tensor);
    if (found != place.end() && fs::path(listing.files[found->second].path()).filename() == file) continue;
    return Error{Code::parse_error, fmt::format("the tensor \"{}\" is not in {} as the index says", tensor, file),
                 path};
  }
  return {};
}

Result<void> read_config(ModelListing& listing) {
  const fs::path path = listing.folder / "config.json";
  auto text = read_text_file(path, config_bytes_max);
  if (!text && text.error().code == Code::not_found) {
    return Error{Code::not_found, "safetensors weights need the config.json that belongs to them, in the same folder",
                 path};
  }
  if (!text) return std::move(text).error();
  auto metadata = read_config_json(*text);
  if (!metadata) return std::move(metadata).error().at(path.native());
  listing.metadata = std::move(*metadata);
  return {};
}

Result<ModelListing> list_safetensors_files(const fs::path& folder, const std::vector<std::string>& names) {
  ModelListing whole;
  whole.kind = ModelFileKind::safetensors;
  whole.folder = folder;
  JACKDAW_TRY(read_config(whole));
  if (names.size() > static_cast<std::size_t>(shards_max)) {
    return Error{Code::too_large, fmt::format("the model has more than {} files", shards_max), folder};
  }
  for (const std::string& name : names) JACKDAW_TRY(append_safetensors(folder / name, whole));
  return whole;
}

Result<ModelListing> list_indexed(const fs::path& folder) {
  const fs::path path = folder / "model.safetensors.index.json";
  JACKDAW_ASSIGN(const std::string text, read_text_file(path, index_bytes_max));
  auto index = parse_index(text);
  if (!index) return std::move(index).error().at(path.native());
  std::set<std::string> names;
  for (const auto& [tensor, file] : *index) names.insert(file);
  JACKDAW_ASSIGN(ModelListing whole, list_safetensors_files(folder, {names.begin(), names.end()}));
  JACKDAW_TRY(check_index(*index, whole, path));
  return whole;
}

Result<ModelListing> list_safetensors_folder(const fs::path& folder, const std::vector<std::string>& names) {
  if (is_there(folder / "model.safetensors.index.json")) return list_indexed(folder);
  if (std::find(names.begin(), names.end(), "model.safetensors") != names.end()) {
    return list_safetensors_files(folder, {"model.safetensors"});
  }
  if (names.size() == 1) return list_safetensors_files(folder, names);
  return Error{
      Code::invalid_argument,
      fmt::format("the folder has several safetensors files ({}), but no model.safetensors.index.json that says "
                  "how they belong together; fetch it with the model",
                  joined(names)),
      folder};
}

// ---- folders ------------------------------------------------------------------------------------------------------

// One name per model: later shards and vision projectors (mmproj) are no models of their own.
std::vector<std::string> gguf_models(const std::vector<std::string>& names) {
  std::vector<std::string> out;
  for (const std::string& name : names) {
    const auto shard = ShardName::parse(name);
    const bool later = shard && shard->number != 1;
    if (!later && !name.starts_with("mmproj")) out.push_back(name);
  }
  return out;
}

Result<ModelListing> list_folder(const fs::path& folder) {
  JACKDAW_ASSIGN(const auto safetensors, names_in(folder, ".safetensors"));
  if (!safetensors.empty() && is_there(folder / "config.json")) return list_safetensors_folder(folder, safetensors);
  JACKDAW_ASSIGN(const auto ggufs, names_in(folder, ".gguf"));
  const auto models = gguf_models(ggufs);
  if (models.size() == 1) return list_gguf_model(folder / models[0]);
  if (models.size() > 1) {
    return Error{Code::invalid_argument,
                 fmt::format("the folder has several GGUF models ({}); name one of them", joined(models)), folder};
  }
  if (!safetensors.empty()) return list_safetensors_folder(folder, safetensors);  // says that config.json is missing
  if (is_there(folder / "pytorch_model.bin") || is_there(folder / "pytorch_model.bin.index.json")) {
    return Error{Code::unsupported,
                 "the weights are PyTorch pickles (pytorch_model.bin); save the model as safetensors or convert it to "
                 "GGUF",
                 folder};
  }
  return Error{Code::not_found,
               "the folder has no language model: neither a .gguf file nor *.safetensors with config.json", folder};
}

Result<ModelListing> list_file(const fs::path& path) {
  if (is_kind(path, ".safetensors")) {
    return list_safetensors_files(path.parent_path().empty() ? "." : path.parent_path(), {path.filename()});
  }
  return list_gguf_model(path);
}

}  // namespace

Result<ModelListing> list_model(const fs::path& path) {
  std::error_code ignored;
  auto listed = fs::is_directory(path, ignored) ? list_folder(path) : list_file(path);
  if (!listed) return listed;
  JACKDAW_TRY(check_names(*listed));
  return listed;
}

}  // namespace jackdaw::formats
