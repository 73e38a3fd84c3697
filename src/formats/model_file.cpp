#include "jackdaw/formats/model_file.h"

#include <algorithm>
#include <unordered_map>

#include "src/formats/model_listing.h"

namespace jackdaw::formats {

namespace fs = std::filesystem;

namespace {

class MappedModel final : public ModelFile {
 public:
  MappedModel(ModelListing listing, std::vector<Mapping> mappings)
      : kind_(listing.kind),
        metadata_(std::move(listing.metadata)),
        folder_(std::move(listing.folder)),
        mappings_(std::move(mappings)) {
    for (const InputFile& file : listing.files) files_.emplace_back(file.path());
    for (ListedTensor& tensor : listing.tensors) add(tensor);
    for (std::size_t i = 0; i < tensors_.size(); ++i) index_.emplace(tensors_[i].name, i);
  }

  ModelFileKind kind() const override { return kind_; }
  const Metadata& metadata() const override { return metadata_; }
  const std::vector<FileTensor>& tensors() const override { return tensors_; }
  const FileTensor* tensor(std::string_view name) const override {
    const auto found = index_.find(name);
    return found == index_.end() ? nullptr : &tensors_[found->second];
  }
  const fs::path& folder() const override { return folder_; }
  const std::vector<fs::path>& files() const override { return files_; }
  std::uint64_t data_bytes() const override { return data_bytes_; }
  void let_go(const FileTensor& tensor) const override { drop_pages(tensor.data); }

 private:
  void add(ListedTensor& tensor) {
    if (tensor.use != TensorUse::weight) return;
    const Bytes data = mappings_[tensor.file].bytes().subspan(tensor.begin, tensor.bytes);
    tensors_.push_back({std::move(tensor.name), tensor.encoding, std::move(tensor.shape), data});
    data_bytes_ += tensor.bytes;
  }

  ModelFileKind kind_;
  Metadata metadata_;
  fs::path folder_;
  std::vector<Mapping> mappings_;
  std::vector<fs::path> files_;
  std::vector<FileTensor> tensors_;
  std::unordered_map<std::string_view, std::size_t> index_;
  std::uint64_t data_bytes_ = 0;
};

// config.json's quantization_config: packed integer weights need a reader of their own per method.
Result<void> refuse_quantized(const ModelListing& listing) {
  const auto method = listing.metadata.text("quantization_config.quant_method");
  if (listing.kind != ModelFileKind::safetensors || !method) return {};
  return Error{Code::unsupported,
               fmt::format("the weights are quantized with {}, which is not read yet; take the model's unquantized "
                           "weights, or a GGUF file of it",
                           *method),
               listing.folder / "config.json"};
}

Result<void> refuse_unreadable(const ModelListing& listing) {
  const auto found = std::find_if(listing.tensors.begin(), listing.tensors.end(),
                                  [](const ListedTensor& tensor) { return tensor.use == TensorUse::unreadable; });
  if (found == listing.tensors.end()) return {};
  const bool gguf = listing.kind == ModelFileKind::gguf;
  return Error{Code::unsupported,
               fmt::format("tensor \"{}\" is stored as {}, which is not read; {}", found->name, found->type,
                           gguf ? "take the model in one of F32, F16, BF16, Q4_0 to Q8_0, Q2_K to Q6_K, IQ4_NL, IQ4_XS "
                                  "or MXFP4 (llama-quantize makes them)"
                                : "F32, F16 and BF16 are"),
               listing.files.empty() ? "" : listing.files[found->file].path()};
}

}  // namespace

Result<std::shared_ptr<const ModelFile>> map_model(ModelListing listing) {
  JACKDAW_TRY(refuse_quantized(listing));
  JACKDAW_TRY(refuse_unreadable(listing));
  if (listing.tensors.empty()) {
    return Error{Code::parse_error, "the file has no tensors; it holds a vocabulary at most", listing.files[0].path()};
  }
  std::vector<Mapping> mappings;
  for (const InputFile& file : listing.files) {
    JACKDAW_ASSIGN(mappings.emplace_back(), file.map());
  }
  return std::shared_ptr<const ModelFile>(std::make_shared<MappedModel>(std::move(listing), std::move(mappings)));
}

Result<std::shared_ptr<const ModelFile>> ModelFile::open(const fs::path& path) {
  JACKDAW_ASSIGN(ModelListing listing, list_model(path));
  return map_model(std::move(listing));
}

}  // namespace jackdaw::formats
