#include "src/formats/inspect_magic.h"

#include <fmt/format.h>

#include <cstdint>

namespace jackdaw::formats {

namespace {

constexpr std::string_view use_onnx_later = "jackdaw cannot serve it yet.";

struct MagicRow {
  std::size_t offset;
  std::string_view magic;
  std::string_view kind;
};

constexpr MagicRow rows[] = {
    {0, std::string_view("\x89HDF\r\n\x1a\n", 8), "an HDF5 file (Keras saves models as .h5)"},
    {4, std::string_view("TFL3", 4), "a TensorFlow Lite model"},
    {0, std::string_view("CBM1", 4), "a CatBoost model"},
    {0, std::string_view("\x93NUMPY", 6), "a numpy array (.npy)"},
    {0, std::string_view("PAR1", 4), "a Parquet table"},
    {0,
     std::string_view("\x7f"
                      "ELF",
                      4),
     "a Linux program or library"},
    {257, std::string_view("ustar", 5), "a tar archive"},
    {0, std::string_view("\x28\xb5\x2f\xfd", 4), "a Zstandard-compressed file"},
    {0, std::string_view("7z\xbc\xaf\x27\x1c", 6), "a 7z archive"},
    {0, std::string_view("%PDF", 4), "a PDF document"},
};

bool has_at(Bytes bytes, std::size_t offset, std::string_view magic) {
  return bytes.size() >= offset + magic.size() && as_text(bytes.subspan(offset, magic.size())) == magic;
}

bool mentions(Bytes bytes, std::string_view what) {
  return as_text(bytes).find(what) != std::string_view::npos;
}

// A zip's names stand in its central directory, at the end of the file.
ForeignFile zip_file(Bytes head, Bytes tail) {
  const auto names = [&](std::string_view what) {
    return mentions(tail, what) || mentions(head.first(std::min<std::size_t>(head.size(), 4096)), what);
  };
  if (names("/data.pkl")) {
    return {"a PyTorch file (zip with data.pkl)", "jackdaw cannot serve it yet; export the model to ONNX to be ready."};
  }
  if (names("MAR-INF/MANIFEST.json")) return {"a TorchServe archive (.mar)", std::string(use_onnx_later)};
  if (names("schema.json")) {
    return {"a skops file (zip with schema.json)",
            "jackdaw cannot serve it yet; save the estimator with joblib.dump instead."};
  }
  if (names("model.weights.h5")) return {"a Keras model (.keras)", std::string(use_onnx_later)};
  if (names(".npy")) return {"numpy arrays in a zip (.npz)", "it holds arrays, not a model."};
  return {"a zip archive", std::string(use_onnx_later)};
}

// Eight bytes of header length, then JSON.
bool is_safetensors(Bytes head, std::uint64_t size) {
  ByteReader in(head);
  std::uint64_t length = 0;
  return in.read_le(length) && length >= 2 && length < (100u << 20) && length + 8 <= size && has_at(head, 8, "{\"");
}

// ModelProto: field 1 (ir_version) as a small varint, then another field of the message.
bool is_onnx(Bytes head) {
  if (head.size() < 4 || head[0] != std::byte{0x08}) return false;
  const auto version = static_cast<std::uint8_t>(head[1]);
  const auto next = static_cast<std::uint8_t>(head[2]);
  return version >= 1 && version <= 30 &&
         std::string_view("\x12\x1a\x22\x28\x32\x3a\x42").find(static_cast<char>(next)) != std::string_view::npos;
}

}  // namespace

std::optional<ModelFileKind> detect_model_file(Bytes head, std::uint64_t size) {
  if (has_at(head, 0, "GGUF")) return ModelFileKind::gguf;
  if (is_safetensors(head, size)) return ModelFileKind::safetensors;
  return std::nullopt;
}

std::optional<ForeignFile> recognise_foreign_file(Bytes head, Bytes tail) {
  if (has_at(head, 0, std::string_view("PK\x03\x04", 4))) return zip_file(head, tail);
  for (const MagicRow& row : rows) {
    if (has_at(head, row.offset, row.magic)) return ForeignFile{std::string(row.kind), std::string(use_onnx_later)};
  }
  if (mentions(head.first(std::min<std::size_t>(head.size(), 4096)), "<PMML"))
    return ForeignFile{"a PMML model", std::string(use_onnx_later)};
  if (is_onnx(head)) return ForeignFile{"an ONNX model", std::string(use_onnx_later)};
  return std::nullopt;
}

}  // namespace jackdaw::formats
