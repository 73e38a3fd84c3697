#include "src/arch/weights.h"

#include <algorithm>
#include <cstring>

#include "jackdaw/base/float16.h"
#include "src/arch/description.h"

namespace jackdaw::arch {
namespace {

std::string shape_text(std::span<const std::int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape.begin(), shape.end(), ", "));
}

float element(Encoding encoding, const std::byte* data, std::size_t index) {
  if (encoding == Encoding::f32) {
    float value = 0.0f;
    std::memcpy(&value, data + index * sizeof(value), sizeof(value));
    return value;
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, data + index * sizeof(bits), sizeof(bits));
  return encoding == Encoding::f16 ? float_from_half(bits) : float_from_bfloat16(bits);
}

std::size_t bytes_per_row(Encoding encoding, std::int64_t columns) {
  return row_bytes(encoding, static_cast<std::size_t>(columns)).value_or(0);
}

Result<void> check_blocks(const formats::FileTensor& tensor, std::int64_t columns) {
  const EncodingInfo& info = encoding_info(tensor.encoding);
  if (row_bytes(tensor.encoding, static_cast<std::size_t>(columns))) return {};
  return make_error(Code::invalid_argument, "Rows of {} elements are not whole blocks of {} ({} elements).", columns,
                    info.name, info.block_elements)
      .at(tensor.name);
}

// Readers promise this; a ModelFile of another make is not trusted with memory.
Result<void> check_bytes(const formats::FileTensor& tensor, std::size_t row, std::int64_t rows) {
  if (row != 0 && tensor.data.size() / row >= static_cast<std::uint64_t>(rows)) return {};
  return make_error(Code::invalid_argument, "The tensor has {} bytes, too few for its shape {}.", tensor.data.size(),
                    shape_text(tensor.shape))
      .at(tensor.name);
}

}  // namespace

Result<std::vector<float>> read_floats(const formats::FileTensor& tensor) {
  if (tensor.encoding != Encoding::f32 && tensor.encoding != Encoding::f16 && tensor.encoding != Encoding::bf16) {
    return make_error(Code::unsupported, "A tensor of this use is read as F32, F16 or BF16 only, not {}.",
                      encoding_info(tensor.encoding).name)
        .at(tensor.name);
  }
  const std::size_t size = encoding_info(tensor.encoding).block_bytes;
  JACKDAW_TRY(check_bytes(tensor, size, tensor.element_count()));
  std::vector<float> out(static_cast<std::size_t>(tensor.element_count()));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = element(tensor.encoding, tensor.data.data(), i);
  return out;
}

bool WeightLoader::has(std::string_view name) const {
  return file_.tensor(fmt::format("{}.weight", name)) != nullptr;
}

Result<const formats::FileTensor*> WeightLoader::require(std::string_view name, std::span<const std::int64_t> shape) {
  const formats::FileTensor* tensor = file_.tensor(name);
  if (tensor == nullptr) return make_error(Code::invalid_argument, "The model has no such tensor.").at(name);
  if (!std::ranges::equal(tensor->shape, shape)) {
    return make_error(Code::invalid_argument, "The tensor has the shape {}; the model's own numbers ask for {}.",
                      shape_text(tensor->shape), shape_text(shape))
        .at(name);
  }
  return tensor;
}

void WeightLoader::finish(const formats::FileTensor& tensor) {
  if (!used_.insert(tensor.name).second || !sink_.reads()) return;
  file_.let_go(tensor);
  done_ += tensor.data.size();
  if (progress_) progress_(std::min(done_, file_.data_bytes()), file_.data_bytes());
}

Result<ops::Weight> WeightLoader::linear(std::span<const Piece> pieces, std::int64_t columns) {
  std::vector<Rows> rows;
  for (const Piece& piece : pieces) {
    const std::int64_t shape[] = {piece.rows, columns};
    JACKDAW_ASSIGN(const formats::FileTensor* tensor, require(piece.name + ".weight", shape));
    rows.push_back({tensor, 0, piece.rows});
  }
  return linear_of_rows(rows, columns);
}

Result<ops::Weight> WeightLoader::linear_of_rows(std::span<const Rows> rows, std::int64_t columns) {
  std::vector<ops::LinearPart> parts;
  for (const Rows& piece : rows) {
    JACKDAW_TRY(check_blocks(*piece.tensor, columns));
    const std::size_t row = bytes_per_row(piece.tensor->encoding, columns);
    JACKDAW_TRY(check_bytes(*piece.tensor, row, piece.first + piece.count));
    const auto data = piece.tensor->data.subspan(static_cast<std::size_t>(piece.first) * row,
                                                 static_cast<std::size_t>(piece.count) * row);
    parts.push_back({piece.tensor->encoding, piece.count, columns, data});
  }
  auto weight = sink_.linear(parts);
  if (!weight) return std::move(weight).error().at(rows.front().tensor->name);
  for (const Rows& piece : rows) finish(*piece.tensor);
  return weight;
}

Result<ops::Weight> WeightLoader::norm(std::string_view name, std::int64_t size, bool plus_one) {
  const std::int64_t shape[] = {size};
  JACKDAW_ASSIGN(const formats::FileTensor* tensor, require(fmt::format("{}.weight", name), shape));
  std::vector<float> values(static_cast<std::size_t>(size));
  if (sink_.reads()) {
    JACKDAW_ASSIGN(values, read_floats(*tensor));
  }
  if (plus_one) {
    for (float& value : values) value += 1.0f;
  }
  finish(*tensor);
  return sink_.vector(values);
}

Result<ops::Weight> WeightLoader::biases(std::span<const Piece> pieces, bool required) {
  const auto name_of = [](const Piece& piece) { return piece.name + ".bias"; };
  const bool any = std::ranges::any_of(pieces, [&](const Piece& p) { return file_.tensor(name_of(p)) != nullptr; });
  if (!any && !required) return ops::Weight{};
  std::vector<float> values;
  for (const Piece& piece : pieces) {
    const std::int64_t shape[] = {piece.rows};
    if (!required && file_.tensor(name_of(piece)) == nullptr) {
      values.resize(values.size() + static_cast<std::size_t>(piece.rows));
      continue;
    }
    JACKDAW_ASSIGN(const formats::FileTensor* tensor, require(name_of(piece), shape));
    std::vector<float> part(static_cast<std::size_t>(piece.rows));
    if (sink_.reads()) {
      JACKDAW_ASSIGN(part, read_floats(*tensor));
    }
    values.insert(values.end(), part.begin(), part.end());
    finish(*tensor);
  }
  return sink_.vector(values);
}

}  // namespace jackdaw::arch
