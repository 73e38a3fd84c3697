// V2 bodies, plain and with raw tensors: whatever the bytes, a request whose tensors agree with their shapes, or a
// refusal.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "jackdaw/base/bytes.h"
#include "src/api/oip/request.h"
#include "src/api/oip/response.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackdaw::api::oip;
  using jackdaw::serving::Dialect;
  if (size < 2) return 0;
  const Dialect dialect = (data[0] & 1) != 0 ? Dialect::mlserver : Dialect::kserve;
  const std::string_view body(reinterpret_cast<const char*>(data + 2), size - 2);
  // With raw tensors: the JSON ends where the first line does, or where the second byte says.
  std::optional<std::string> length;
  if ((data[0] & 2) != 0)
    length = std::to_string(body.find('\n') == std::string_view::npos ? data[1] : body.find('\n') + 1);
  // What a structured event holds is a V2 body again.
  const auto event = event_data(body);
  if (event) (void)parse_v2(*event, std::nullopt, "model", dialect);
  auto parsed = parse_v2(body, length ? std::optional<std::string_view>(*length) : std::nullopt, "model", dialect);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
    if (refusal->status < 400 || refusal->body.size() > 500'000 + 8 * size) std::abort();
    return 0;
  }
  V2Request& request = std::get<V2Request>(parsed);
  for (const auto& tensor : request.request.inputs) {
    std::int64_t count = 0;
    if (!jackdaw::element_count(tensor.shape, count) || static_cast<std::size_t>(count) != tensor.element_count())
      std::abort();
  }
  (void)render_v2_event({"model", "", request.request.id}, request.request.inputs);
  (void)render_v2({"model", "", request.request.id}, request, request.request.inputs, dialect);
  return 0;
}
