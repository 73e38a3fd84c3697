#include "src/api/openai/refusal.h"

#include "jackdaw/base/text.h"
#include "src/api/call.h"

namespace jackdaw::api::openai {
namespace {

// vLLM's names; clients look at the status, people at the name.
std::string_view type_name(int status) {
  switch (status) {
    case 400:
      return "BadRequestError";
    case 403:
      return "PermissionDeniedError";
    case 404:
      return "NotFoundError";
    case 405:
      return "MethodNotAllowedError";
    case 413:
      return "RequestTooLargeError";
    case 422:
      return "UnprocessableEntityError";
    case 429:
      return "RateLimitError";
    case 501:
      return "NotImplementedError";
    case 503:
      return "ServiceUnavailableError";
    case 504:
      return "TimeoutError";
    default:
      return "InternalServerError";
  }
}

}  // namespace

Refusal refuse_error(const Error& error, Duration retry_after) {
  Refusal refusal{http_status(error.code), error.text(), "", Duration{0}};
  // What the model cannot do is the request's fault here: asked again, it fails again.
  if (error.code == Code::unsupported || error.code == Code::unprocessable) refusal.status = 400;
  if (refusal.status == 429 || refusal.status == 503) refusal.retry_after = retry_after;
  return refusal;
}

std::string error_object(const Refusal& refusal) {
  std::string out = R"({"message":)";
  append_json_string(out, refusal.message);
  fmt::format_to(std::back_inserter(out), R"(,"type":"{}","param":)", type_name(refusal.status));
  if (refusal.param.empty()) {
    out += "null";
  } else {
    append_json_string(out, refusal.param);
  }
  fmt::format_to(std::back_inserter(out), R"(,"code":{}}})", refusal.status);
  return out;
}

std::string error_body(const Refusal& refusal) {
  return R"({"error":)" + error_object(refusal) + "}";
}

std::string kserve_error_body(const Refusal& refusal) {
  std::string out = fmt::format(R"({{"error":{{"code":"{}","message":)", refusal.status);
  append_json_string(out, refusal.message);
  out += R"(,"param":)";
  append_json_string(out, refusal.param);
  return out + fmt::format(R"(,"type":"{}"}}}})", type_name(refusal.status));
}

std::string clipped(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  std::size_t end = bytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace jackdaw::api::openai
