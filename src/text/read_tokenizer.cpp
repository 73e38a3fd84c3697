#include "read_tokenizer.h"

#include <algorithm>
#include <fstream>
#include <string>

namespace jackdaw::text {

namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t file_bytes_max = 256u << 20;

// "" when the file does not exist.
Result<std::string> read_file(const fs::path& path) {
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) return std::string();
  if (size > file_bytes_max) {
    return make_error(Code::too_large, "The file is {} bytes long; the limit is {}.", size, file_bytes_max)
        .at(path.string());
  }
  std::string bytes(size, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(bytes.data(), static_cast<std::streamsize>(size))) {
    return make_error(Code::io_error, "The file cannot be read.").at(path.string());
  }
  return bytes;
}

// config.json lists more ends than the tokenizer's files do.
void add_listed_ends(const formats::Metadata& config, TokenizerSpec& spec) {
  const auto add = [&spec](std::int64_t id) {
    if (id >= 0 && id < static_cast<std::int64_t>(spec.pieces.size())) {
      spec.end_of_generation.push_back(static_cast<TokenId>(id));
    }
  };
  if (const auto id = config.integer("eos_token_id")) add(*id);
  if (const auto* ids = config.integers("eos_token_id")) std::for_each(ids->begin(), ids->end(), add);
}

}  // namespace

Result<TokenizerSpec> read_tokenizer(const formats::ModelFile& file) {
  if (file.kind() == formats::ModelFileKind::gguf) return read_gguf_tokenizer(file.metadata());
  const fs::path& folder = file.folder();
  JACKDAW_ASSIGN(const std::string tokenizer, read_file(folder / "tokenizer.json"));
  if (tokenizer.empty()) {
    return make_error(Code::not_found,
                      "There is no tokenizer.json in {}. Save one with transformers' "
                      "AutoTokenizer.from_pretrained(...).save_pretrained(...).",
                      folder.string());
  }
  JACKDAW_ASSIGN(const std::string config, read_file(folder / "tokenizer_config.json"));
  JACKDAW_ASSIGN(const std::string special, read_file(folder / "special_tokens_map.json"));
  Result<TokenizerSpec> spec = read_tokenizer_json({tokenizer, config, special});
  if (!spec) return std::move(spec).error().at(folder.string());
  add_listed_ends(file.metadata(), *spec);
  return spec;
}

}  // namespace jackdaw::text
