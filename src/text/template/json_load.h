// The variables of a rendering, read from JSON as json.loads reads it: order kept, the last of equal keys wins.
#pragma once

#include <memory>
#include <string_view>

#include "src/text/template/render.h"

namespace jackdaw::text::jinja {

// Owns the strings that the values point to; keep it for as long as they are used.
class JsonDocument {
 public:
  JsonDocument();
  ~JsonDocument();
  JsonDocument(const JsonDocument&) = delete;
  JsonDocument& operator=(const JsonDocument&) = delete;

  // Must be an object at the top. Integers beyond 64 bits keep their digits (Kind::big_integer).
  Value load(Render& render, std::string_view json);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace jackdaw::text::jinja
