#include "read_tokenizer.h"

#include <algorithm>
#include <string>

#include "jackdaw/base/file.h"

namespace jackdaw::text {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_bytes_max = std::size_t{256} << 20;

// "" when there is none.
Result<std::string> read_companion(const fs::path& path) {
  JACKDAW_ASSIGN(std::optional<std::string> text, read_file_if_present(path, file_bytes_max));
  return std::move(text).value_or(std::string());
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
  JACKDAW_ASSIGN(const std::string tokenizer, read_companion(folder / "tokenizer.json"));
  if (tokenizer.empty()) {
    return make_error(Code::not_found,
                      "There is no tokenizer.json in {}. Save one with transformers' "
                      "AutoTokenizer.from_pretrained(...).save_pretrained(...).",
                      folder.string());
  }
  JACKDAW_ASSIGN(const std::string config, read_companion(folder / "tokenizer_config.json"));
  JACKDAW_ASSIGN(const std::string special, read_companion(folder / "special_tokens_map.json"));
  Result<TokenizerSpec> spec = read_tokenizer_json({tokenizer, config, special});
  if (!spec) return std::move(spec).error().at(folder.string());
  add_listed_ends(file.metadata(), *spec);
  return spec;
}

}  // namespace jackdaw::text
