// V1 bodies: whatever the bytes, a request or a refusal that is bounded in size.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "src/api/oip/request.h"
#include "src/api/oip/response.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jackdaw::api::oip;
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  (void)batcher_refusal(body);
  auto parsed = parse_v1(body, (data[0] & 1) != 0);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
    if (refusal->status < 400 || refusal->body.size() > 100'000 + 8 * size) std::abort();
    return 0;
  }
  const auto& request = std::get<jackdaw::engine::InferenceRequest>(parsed);
  (void)render_v1(request.inputs, (data[0] & 2) != 0 ? JsonStyle::python : JsonStyle::orjson);
  return 0;
}
